#!/usr/bin/env python3
"""`fresco train`: a recipe becomes a model that draws, however often the program is killed on the way; what cannot be trained is refused first."""
import json
import random
import resource
import signal
import subprocess
import time
import unittest

from support import MODEL, PROGRAM, ProgramTest, clean_environment, run

RECIPE = f"""
name: test
seed: 5
model: {MODEL}
from_nothing: false
phases:
  - name: shapes
    data: {{path: shapes, count: 40, seed: 3}}
    fit: {{resolution: 64}}
    steps: 16
    batch: 4
    optimizer: {{learning_rate: 0.001}}
    ema: {{decay: 0.5}}
    noise: {{betas: cosine, zero_terminal_snr: true}}
watch: {{log_every: 1, checkpoint_every: 3, sample_every: 0, validate_every: 0}}
"""
WEIGHTS = "model/flexible_unet/diffusion_pytorch_model.safetensors"


class Train(ProgramTest):
    def setUp(self):
        super().setUp()
        (self.folder / "recipe.yaml").write_text(RECIPE)

    def train(self, out, *arguments, status=0, **options):
        result = run("train", "recipe.yaml", "--out", out, *arguments, cwd=self.folder, **options)
        self.assertEqual(result.returncode, status, result.stderr.decode())
        return result

    def start(self, out):
        return subprocess.Popen([PROGRAM, "train", "recipe.yaml", "--out", out, "--json"], cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=clean_environment())

    def await_event(self, process, event, times=1):
        """Until the program has told of so many of them."""
        for line in process.stdout:
            times -= json.loads(line)["event"] == event
            if times <= 0:
                return

    def weights(self, out):
        return (self.folder / out / WEIGHTS).read_bytes()

    def logged(self, out):
        """(step, loss) of every step in the run's record."""
        lines = [json.loads(line) for line in (self.folder / out / "log.jsonl").read_text().splitlines()]
        return [(line["step"], line["loss"]) for line in lines if "loss" in line]

    def test_a_recipe_becomes_a_model_that_draws(self):
        self.train("run")
        self.draws("a red circle", "--model", "run/model", "--steps", "2", "--seed", "1", "--out", "picture.png")
        self.assertEqual([step for step, _ in self.logged("run")], list(range(1, 17)))

    def test_killed_at_any_step_it_ends_with_the_same_bits(self):
        self.train("whole")
        chance = random.Random(7)
        for _ in range(4):
            process = self.start("killed")
            self.await_event(process, chance.choice(["step", "checkpoint"]), chance.randint(1, 3))
            time.sleep(chance.random() / 5)
            process.kill()
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, -signal.SIGKILL)
        self.train("killed")
        self.assertEqual(self.weights("killed"), self.weights("whole"))
        self.assertEqual(self.logged("killed"), self.logged("whole"))

    def test_asked_to_stop_it_writes_a_checkpoint_first(self):
        self.train("whole")
        process = self.start("stopped")
        self.await_event(process, "step")
        process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 130)
        stopped = [line for line in map(json.loads, told.splitlines()) if line["event"] == "stopped"]
        newest = sorted((self.folder / "stopped/checkpoints").iterdir())[-1].name
        self.assertEqual(newest, f"00-{stopped[0]['step']:09}.safetensors")
        self.train("stopped")
        self.assertEqual(self.weights("stopped"), self.weights("whole"))

    def test_a_full_disk_pauses_the_checkpoint_and_keeps_the_old_one(self):
        first = self.start("run")
        self.await_event(first, "step")
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
        kept = sorted(path.name for path in (self.folder / "run/checkpoints").iterdir())
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
        result = run("train", "recipe.yaml", "--out", "run", cwd=self.folder, preexec_fn=limit)
        self.assertEqual(result.returncode, 4, result.stderr.decode())  # the model itself cannot be written
        self.assertIn("checkpoint", (result.stdout + result.stderr).decode())
        self.assertEqual(sorted(path.name for path in (self.folder / "run/checkpoints").iterdir()), kept)
        self.train("run")

    def test_what_cannot_be_trained_is_refused(self):
        self.refused(2, "train", says="recipe")
        self.refused(2, "train", "nowhere.yaml", says="nowhere.yaml")
        cases = {"misspelt": ("batch: 4", "bacth: 4", "batch"),
                 "wrong type": ("steps: 16", "steps: many", "steps"),
                 "no data": ("path: shapes", "path: nowhere", "nowhere"),
                 "a size": ("resolution: 64", "resolution: 65", "65"),
                 "micro-batch": ("batch: 4", "batch: 4\n    micro_batch: 3", "micro")}
        for name, (old, new, says) in cases.items():
            with self.subTest(name):
                (self.folder / "broken.yaml").write_text(RECIPE.replace(old, new))
                self.refused(2, "train", "broken.yaml", "--out", "run", says=says)

    def test_a_changed_recipe_is_told(self):
        process = self.start("run")
        self.await_event(process, "step")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        (self.folder / "recipe.yaml").write_text(RECIPE.replace("0.001", "0.002"))
        self.refused(2, "train", "recipe.yaml", "--out", "run", says="phases[0].optimizer.learning_rate: 0.001 -> 0.002")
        self.train("run", "--accept-changes")

    def test_check_trains_nothing(self):
        self.assertIn("nothing wrong", self.train("run", "--check").stdout.decode())
        self.assertFalse((self.folder / "run").exists())


if __name__ == "__main__":
    unittest.main()
