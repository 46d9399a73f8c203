#!/usr/bin/env python3
"""Times the pieces of drawing with PyTorch and diffusers. Options, input numbers and output as fresco_bench has them."""

import argparse
import gc
import json
import pathlib
import statistics
import sys
import time

import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel

from flexible_unet import load_flexible_unet

PIECES = ["text", "unet", "vae", "load"]
WARM_UPS = 1


class Network:
    """The three networks of a model folder in float32."""

    def __init__(self, folder, channels_last):
        folder = pathlib.Path(folder)
        self.tokenizer = transformers.CLIPTokenizer.from_pretrained(folder / "tokenizer")
        self.text = transformers.CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
        self.vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32)
        self.flexible = (folder / "flexible_unet").exists()
        if self.flexible:
            self.unet = load_flexible_unet(folder / "flexible_unet", torch.float32)
        else:
            self.unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32)
        if channels_last:
            self.unet.to(memory_format=torch.channels_last)
            self.vae.to(memory_format=torch.channels_last)

    def predict(self, latents, timestep, context):
        if self.flexible:
            return self.unet(latents, timestep, context)
        return self.unet(latents, timestep, encoder_hidden_states=context, return_dict=False)[0]


def random_numbers(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def text_ids():
    middle = torch.arange(2 * 75).view(2, 75) * 17 + 1000
    return torch.cat([torch.full((2, 1), 49406), middle, torch.full((2, 1), 49407)], dim=1)


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.network = None
        side = arguments.size // 8
        self.latents = random_numbers((2, 4, side, side), 0)
        self.latent = random_numbers((1, 4, side, side), 1)
        self.context = random_numbers((2, 77, 768), 2)

    def load(self):
        self.network = None
        gc.collect()
        begin = time.perf_counter()
        self.network = Network(self.arguments.model, self.arguments.channels_last)
        return time.perf_counter() - begin, None

    def time(self, piece):
        """Seconds, and the output where the piece has one."""
        if piece == "load":
            return self.load()
        if self.network is None:
            self.load()
        network = self.network
        calls = {
            "text": lambda: network.text(text_ids()).last_hidden_state,
            "unet": lambda: network.predict(self.latents, 500, self.context),
            "vae": lambda: network.vae.decode(self.latent, return_dict=False)[0],
        }
        with torch.inference_mode():
            begin = time.perf_counter()
            output = calls[piece]()
            return time.perf_counter() - begin, output


def describe(output):
    """Shape and a few values, by which two programs can be seen to compute the same."""
    if output is None:
        return {}
    if not torch.isfinite(output).all():
        raise SystemExit("the output is not finite")
    flat = output.contiguous().flatten()
    places = [i * flat.numel() // 16 for i in range(16)]
    return {"shape": list(output.shape), "largest": flat.abs().max().item(), "values": flat[places].tolist()}


def peak_memory_bytes():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def say(record):
    print(json.dumps({"side": "diffusers", **record}), flush=True)


def answer_requests(bench):
    """Each line of standard input names a piece; it is run once."""
    say({"ready": True})
    for line in sys.stdin:
        seconds, output = bench.time(line.strip())
        say({"piece": line.strip(), "seconds": seconds, **describe(output), "peak_memory_bytes": peak_memory_bytes()})


def run_all(bench, pieces, repeat):
    for piece in pieces:
        for _ in range(WARM_UPS):
            bench.time(piece)
        runs = [bench.time(piece) for _ in range(repeat)]
        seconds = [one for one, _ in runs]
        record = {"piece": piece, "median": statistics.median(seconds), "seconds": seconds, **describe(runs[-1][1])}
        say({**record, "peak_memory_bytes": peak_memory_bytes()})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="a diffusers folder")
    parser.add_argument("--size", type=int, default=512, help="side of the picture in pixels")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="0: all processors")
    parser.add_argument("--pieces", nargs="+", choices=PIECES, default=PIECES)
    parser.add_argument("--requests", action="store_true", help="run the pieces that standard input names, a line each")
    parser.add_argument("--channels-last", action="store_true", help="the memory format that is faster on most processors")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    bench = Bench(arguments)
    if arguments.requests:
        answer_requests(bench)
    else:
        run_all(bench, arguments.pieces, arguments.repeat)


if __name__ == "__main__":
    main()
