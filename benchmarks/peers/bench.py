"""What the peers' programs share: options, input numbers and lines of output, as fresco_bench has them."""

import argparse
import gc
import json
import pathlib
import statistics
import sys
import time

import torch

PIECES = ["text", "unet", "vae", "load", "picture"]
WARM_UPS = 1
GUIDANCE = 7.5
LATENT_SCALE = 0.18215  # of the autoencoders of all these models


class Networks:
    """The three networks of a model folder, as functions of tensors. Each is loaded when first asked for, and only the
    one in use stays, so that several programs fit into memory side by side. A peer says what `load` does."""

    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(options.model)
        self.loaded = {}

    def load(self, name):
        """text: ids [B, 77] -> context; unet: latents, timestep, context -> noise; vae: latent -> [B, 3, H, W]"""
        raise NotImplementedError

    def alone(self, name, inputs):
        """A call of this network with these inputs."""
        if list(self.loaded) != [name]:
            self.loaded.clear()
            gc.collect()
            self.loaded[name] = self.load(name)
            self.tune(name, lambda: self.loaded[name](*inputs))
        return lambda: self.loaded[name](*inputs)

    def load_all(self):
        self.loaded.clear()
        gc.collect()
        self.loaded.update({name: self.load(name) for name in ("text", "unet", "vae")})

    def tune(self, name, call):
        """Told after a network was loaded alone: chooses between settings by timing call()."""

    def about(self):
        """What the answers say beside times; "instructions": names such as "avx2" of what the kernels use."""
        return {}


def random_numbers(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def text_ids():
    middle = torch.arange(2 * 75).view(2, 75) * 17 + 1000
    return torch.cat([torch.full((2, 1), 49406), middle, torch.full((2, 1), 49407)], dim=1)


def draw(networks, latents, steps):
    """A picture from latents [1, 4, H, W]: DDIM, guidance, one batch of both halves a step."""
    from diffusers import DDIMScheduler  # here: the other pieces do without

    scheduler = DDIMScheduler.from_pretrained(networks.folder / "scheduler")
    scheduler.set_timesteps(steps)
    context = networks.loaded["text"](text_ids())
    for timestep in scheduler.timesteps:
        noise = networks.loaded["unet"](latents.expand(2, -1, -1, -1), timestep, context)
        unconditional, conditional = noise.chunk(2)
        noise = unconditional + GUIDANCE * (conditional - unconditional)
        latents = scheduler.step(noise, timestep, latents, return_dict=False)[0]
    planes = networks.loaded["vae"](latents / LATENT_SCALE)
    return (planes / 2 + 0.5).clamp(0, 1).mul(255).round().to(torch.uint8)


class Bench:
    def __init__(self, options, networks, dtype):
        self.options = options
        self.networks = networks
        self.load_seconds = 0.0  # of the last picture
        side = options.size // 8
        self.latents = random_numbers((1, 4, side, side), 0).repeat(2, 1, 1, 1).to(dtype)  # under two texts
        self.latent = random_numbers((1, 4, side, side), 1).to(dtype)
        self.context = random_numbers((2, 77, 768), 2).to(dtype)

    def inputs(self, piece):
        return {"text": [text_ids()], "unet": [self.latents, 500, self.context], "vae": [self.latent]}[piece]

    def call(self, piece):
        """What is to be timed, with everything that comes before it done."""
        if piece == "load":
            return self.networks.load_all
        if piece == "picture":
            begin = time.perf_counter()
            self.networks.load_all()
            self.load_seconds = time.perf_counter() - begin
            return lambda: draw(self.networks, self.latent, self.options.steps)
        return self.networks.alone(piece, self.inputs(piece))

    def time(self, piece):
        """Seconds, and the output where the piece has one."""
        with torch.inference_mode():
            call = self.call(piece)
            begin = time.perf_counter()
            output = call()
            return time.perf_counter() - begin, output


def describe(output):
    """Shape and a few values, by which two programs can be seen to compute the same."""
    if output is None:
        return {}
    if not torch.isfinite(output).all():
        raise SystemExit("the output is not finite")
    flat = output.contiguous().flatten().float()
    places = [i * flat.numel() // 16 for i in range(16)]
    return {"shape": list(output.shape), "largest": flat.abs().max().item(), "values": flat[places].tolist()}


def peak_memory_bytes():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def about_process(bench):
    about = {"load_seconds": bench.load_seconds, "peak_memory_bytes": peak_memory_bytes()}
    return about | bench.networks.about()


def say(side, record):
    print(json.dumps({"side": side, **record}), flush=True)


def answer_requests(side, bench):
    """Each line of standard input names a piece; it is run once."""
    say(side, {"ready": True})
    for line in sys.stdin:
        seconds, output = bench.time(line.strip())
        say(side, {"piece": line.strip(), "seconds": seconds, **describe(output), **about_process(bench)})


def run_all(side, bench):
    for piece in bench.options.pieces:
        for _ in range(0 if piece == "picture" else WARM_UPS):
            bench.time(piece)
        runs = [bench.time(piece) for _ in range(bench.options.repeat)]
        seconds = [one for one, _ in runs]
        record = {"piece": piece, "median": statistics.median(seconds), "seconds": seconds, **describe(runs[-1][1])}
        say(side, {**record, **about_process(bench)})


def parser(description):
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--model", required=True, help="a diffusers folder")
    options.add_argument("--size", type=int, default=512, help="side of the picture in pixels")
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--threads", type=int, default=0, help="0: all processors")
    options.add_argument("--precision", choices=["f32", "bf16"], default="f32", help="of the arithmetic")
    options.add_argument("--steps", type=int, default=2, help="of a picture")
    options.add_argument("--pieces", nargs="+", choices=PIECES, default=PIECES[:-1])
    requests = "run the pieces that standard input names, a line each"
    options.add_argument("--requests", action="store_true", help=requests)
    return options


def run(side, options, networks, dtype):
    bench = Bench(options, networks, dtype)
    if options.requests:
        answer_requests(side, bench)
    else:
        run_all(side, bench)
