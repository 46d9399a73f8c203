"""Training steps (forward, backward, clipping, AdamW) of a U-Net made of diffusers' modules, as train_bench takes them."""

import argparse
import json
import pathlib
import statistics
import sys
import time

import torch
from bench import peak_memory_bytes, say
from flexible_unet import FlexibleUNet
from safetensors.torch import load_file

FORMATS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}
TRIED = 3  # steps of each memory format, when the faster one is taken


class Trainer:
    def __init__(self, options):
        folder = pathlib.Path(options.model)
        config = json.loads((folder / "config.json").read_text())["configurations"]
        self.unet = FlexibleUNet(config, has_middle=True)
        self.unet.load_state_dict(load_file(folder / "diffusion_pytorch_model.safetensors"))
        self.inputs = load_file(folder / "inputs.safetensors")
        self.bf16 = options.precision == "bf16"
        settings = {"lr": 1e-4, "betas": (0.9, 0.999), "weight_decay": 0.01, "eps": 1e-8, "fused": True}
        self.optimizer = torch.optim.AdamW(self.unet.parameters(), **settings)
        self.format = options.format

    def lay_out(self, name):
        self.format = name
        self.unet.to(memory_format=FORMATS[name])
        self.optimizer.zero_grad(set_to_none=True)
        for state in self.optimizer.state.values():
            for key in ("exp_avg", "exp_avg_sq"):
                if state[key].dim() == 4:
                    state[key] = state[key].contiguous(memory_format=FORMATS[name])

    def step(self):
        begin = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        latents = self.inputs["latents"].contiguous(memory_format=FORMATS[self.format])
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            output = self.unet(latents, self.inputs["times"], self.inputs["context"])
        loss = (output.float() - self.inputs["target"]).square().mean()
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0, foreach=True)
        self.optimizer.step()
        end = time.perf_counter()
        record = {"seconds": end - begin, "forward": forward - begin, "backward": backward - forward}
        record |= {"optimizer": end - backward, "images": latents.shape[0], "loss": loss.item()}
        return record | {"format": self.format, "peak_memory_bytes": peak_memory_bytes()}


def faster_format(options):
    """By a few steps of another trainer, so that the one that is timed starts from the stored values."""
    trainer, seconds = Trainer(options), {}
    for name in FORMATS:
        trainer.lay_out(name)
        trainer.step()
        seconds[name] = statistics.median(trainer.step()["seconds"] for _ in range(TRIED))
    return min(seconds, key=seconds.get)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="folder that compare_training.py made")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0: all processors")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32", help="bf16: autocast")
    parser.add_argument("--format", choices=[*FORMATS, "auto"], default="auto", help="auto: the faster one")
    parser.add_argument("--choose-format", action="store_true", help="only tell the faster memory format")
    parser.add_argument("--requests", action="store_true", help="one step for each line of standard input")
    return parser.parse_args()


def main():
    options = parse()
    if options.threads:
        torch.set_num_threads(options.threads)
    before = peak_memory_bytes()
    if options.format == "auto":
        options.format = faster_format(options)
    if options.choose_format:
        return say("diffusers", {"format": options.format})
    trainer = Trainer(options)
    trainer.lay_out(options.format)
    say("diffusers", {"ready": True, "program_bytes": before})
    if options.requests:
        for _ in sys.stdin:
            say("diffusers", trainer.step())
    else:
        for _ in range(options.steps):
            say("diffusers", trainer.step())


if __name__ == "__main__":
    main()
