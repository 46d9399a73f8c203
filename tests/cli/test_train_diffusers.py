#!/usr/bin/env python3
"""What `fresco train` writes is a model folder of diffusers: diffusers loads it and draws what `fresco draw` does. Wants diffusers in
.deps/peers (benchmarks/peers/setup.sh) and the reference models beside this checkout; skips without."""
import subprocess
import unittest

from support import ROOT, ProgramTest, run

PYTHON = ROOT / ".deps/peers/bin/python"
LAYOUT = ROOT.parent / "shared/goldens/models/tiny-sd15"
RECIPE = f"""
model: {LAYOUT}
phases:
  - {{name: vae, kind: autoencoder, data: {{path: shapes, count: 16}}, fit: {{resolution: 64}}, steps: 3, batch: 2}}
  - {{name: draw, data: {{path: shapes, count: 16}}, fit: {{resolution: 64}}, steps: 6, batch: 2, train: both,
      noise: {{zero_terminal_snr: true}}, optimizer: {{learning_rate: 0.001}}}}
watch: {{sample_every: 0, validate_every: 0}}
"""
# At a side of 64 pixels, from latents that torch's generator draws as fresco's does.
DRAW = """
import sys, torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file
pipe = StableDiffusionPipeline.from_pretrained(sys.argv[1], torch_dtype=torch.float32, local_files_only=True)
pipe.set_progress_bar_config(disable=True)
latents = pipe("a red circle", num_inference_steps=4, guidance_scale=5, guidance_rescale=0.7, height=64, width=64,
               generator=torch.Generator().manual_seed(3), output_type="latent").images
other = load_file(sys.argv[2])["latents"]
print((latents - other).abs().max().item() / latents.abs().max().item())
"""


class TrainDiffusers(ProgramTest):
    def test_diffusers_draws_what_was_trained(self):
        if not PYTHON.exists() or not LAYOUT.exists():
            self.skipTest("diffusers in .deps/peers or the reference models are absent")
        (self.folder / "recipe.yaml").write_text(RECIPE)
        trained = run("train", "recipe.yaml", "--out", "run", cwd=self.folder)
        self.assertEqual(trained.returncode, 0, trained.stderr.decode())
        self.draws("a red circle", "--model", "run/model", "--steps", "4", "--guidance", "5", "--guidance-rescale", "0.7", "--seed", "3",
                   "--width", "64", "--height", "64", "--save-latents", "latents.safetensors", "--out", "picture.png")
        drawn = subprocess.run([PYTHON, "-c", DRAW, str(self.folder / "run/model"), str(self.folder / "latents.safetensors")],
                               capture_output=True, text=True, timeout=300)
        self.assertEqual(drawn.returncode, 0, drawn.stderr[-2000:])
        self.assertLess(float(drawn.stdout.splitlines()[-1]), 1e-3)  # float32 on both sides, four guided steps


if __name__ == "__main__":
    unittest.main()
