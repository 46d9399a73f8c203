#!/usr/bin/env python3
"""Time training steps in fresco beside PyTorch with diffusers' modules, in turns: the same U-Net, the same numbers.

Run it with the interpreter that has the peers' packages: .deps/peers/bin/python (benchmarks/peers/setup.sh makes it)."""

import argparse
import copy
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import sides

HERE = pathlib.Path(__file__).resolve().parent
# DeciDiffusion 1.0's layout throughout. widths: of the three blocks; latents: their side.
SHAPES = {
    "tiny": {"widths": [32, 64, 64], "context": 16, "time": 128, "latents": 16, "batch": 8},
    "60m": {"widths": [128, 256, 288], "context": 768, "time": 512, "latents": 32, "batch": 4},
}
CONFIG = {
    "sample_size": 64, "resnet_eps": 1e-5, "resnet_act_fn": "silu", "num_attention_heads": 8,
    "mix_block_in_forward": True, "down_blocks_num_resnets": [2, 2, 1], "down_blocks_num_attentions": [0, 1, 3],
    "add_downsample": [True, True, True], "mid_num_resnets": 4, "mid_num_attentions": 2,
    "add_upsample_mid_block": True, "up_blocks_num_resnets": [2, 3, 3], "up_blocks_num_attentions": [6, 3, 0],
    "add_upsample": [True, True, False],
}
# Of the loss: two orders of float32 sums, or two programs that round products' inputs to bfloat16 in different places.
TOLERANCE = {"f32": 1e-4, "bf16": 5e-2}


def make_model(shape, batch, folder):
    """Config, weights as PyTorch starts them, and the numbers that steps are taken on."""
    import torch
    from safetensors.torch import save_file

    sys.path.insert(0, str(HERE / "peers"))
    from flexible_unet import FlexibleUNet

    first, second, third = shape["widths"]
    config = copy.deepcopy(CONFIG) | {
        "temb_dim": shape["time"], "cross_attention_dim": shape["context"],
        "down_blocks_in_channels": [first, first, second], "down_blocks_out_channels": [first, second, third],
        "prev_output_channels": [third, third, second],
    }
    torch.manual_seed(0)
    unet = FlexibleUNet(config, has_middle=True)
    whole = {"_class_name": "FlexibleUNet2DConditionModel", "act_fn": "silu", "in_channels": 4, "out_channels": 4}
    (folder / "config.json").write_text(json.dumps(whole | {"sample_size": 64, "configurations": config}))
    save_file(unet.state_dict(), folder / "diffusion_pytorch_model.safetensors")
    latents = (batch, 4, shape["latents"], shape["latents"])
    inputs = {"latents": torch.randn(latents), "target": torch.randn(latents)}
    inputs["times"] = torch.randint(0, 1000, (batch,)).float()
    inputs["context"] = torch.randn(batch, 77, shape["context"])
    save_file(inputs, folder / "inputs.safetensors")
    return sum(p.numel() for p in unet.parameters())


def programs(arguments, folder):
    """{side: command}"""
    common = ["--model", str(folder), "--threads", str(arguments.threads), "--precision", arguments.precision]
    ours = [str(arguments.bench), *common, "--ops", arguments.ops]
    if arguments.checkpointing:
        return {"again": [*ours, "--checkpointing"], "kept": ours}
    peer = [sys.executable, str(HERE / "peers/train_step.py"), *common]
    chosen = subprocess.run([*peer, "--choose-format"], check=True, stdout=subprocess.PIPE, text=True)
    peer += ["--format", json.loads(chosen.stdout)["format"]]
    return {"fresco": ours, "diffusers": peer}


class Running(sides.Side):
    """One of the programs, waiting to be asked for steps."""

    def __init__(self, name, command):
        self.program_bytes = 0
        super().__init__(name, command, {})

    def answer(self):
        answer = super().answer()
        self.program_bytes = answer.get("program_bytes", self.program_bytes)
        return answer


def measure(arguments, folder):
    """{side: answers}, {side: bytes of the program before the model}: warm-up steps of both, then steps in turns."""
    running = {name: Running(name, command) for name, command in programs(arguments, folder).items()}
    answers = {name: [] for name in running}
    first, second = answers.values()
    for turn in range(arguments.warm_up + arguments.rounds):
        for name in list(running)[:: 1 if turn % 2 == 0 else -1]:
            answers[name].append(running[name].run("step"))
        apart = abs(first[-1]["loss"] - second[-1]["loss"])
        if turn < 2 and apart > TOLERANCE[arguments.precision] * abs(second[-1]["loss"]):
            raise SystemExit(f"compare_training: losses of step {turn + 1} differ by {apart:.1e}")
    for side in running.values():
        side.close()
    return answers, {name: side.program_bytes for name, side in running.items()}


def summary(answers, program_bytes, warm_up):
    timed = answers[warm_up:]
    medians = {key: statistics.median(a[key] for a in timed) for key in ("seconds", "forward", "backward", "optimizer")}
    peak = answers[-1]["peak_memory_bytes"]
    rate = answers[0]["images"] / medians["seconds"]
    return medians | {"images_per_second": rate, "peak_bytes": peak, "grown_bytes": peak - program_bytes}


def print_table(title, sums):
    print(f"{title}\n{'':10} {'images/s':>9} {'step ms':>8} {'forward':>8} {'backward':>9} {'optimizer':>9}", end="")
    print(f" {'peak MiB':>9} {'less program':>12}")
    for name, s in sums.items():
        times = [s[key] * 1e3 for key in ("seconds", "forward", "backward", "optimizer")]
        print(f"{name:10} {s['images_per_second']:9.2f} {times[0]:8.1f} {times[1]:8.1f} {times[2]:9.1f} {times[3]:9.1f}", end="")
        print(f" {s['peak_bytes'] / 2**20:9.0f} {s['grown_bytes'] / 2**20:12.0f}")
    (name, ours), (other, theirs) = sums.items()
    faster = ours["images_per_second"] / theirs["images_per_second"]
    memory = ours["peak_bytes"] / theirs["peak_bytes"]
    print(f"{name} against {other}: {faster:.2f} times the images a second, {1 / faster:.2f} of the time, {memory:.2f} of the memory")
    sys.stdout.flush()


def compare(arguments, name):
    shape = SHAPES[name]
    batch = arguments.batch or shape["batch"]
    with tempfile.TemporaryDirectory() as folder:
        parameters = make_model(shape, batch, pathlib.Path(folder))
        answers, program_bytes = measure(arguments, pathlib.Path(folder))
    sums = {side: summary(answers[side], program_bytes[side], arguments.warm_up) for side in answers}
    side = shape["latents"]
    title = f"{name}: {parameters / 1e6:.1f} M parameters, {batch} latents of {side}x{side}, {arguments.precision}"
    if "diffusers" in answers:
        title += f", PyTorch {answers['diffusers'][-1]['format']}"
    print_table(title, sums)
    return {"name": name, "batch": batch, "precision": arguments.precision, **sums}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help="tiny, 60m; default: both")
    parser.add_argument("--batch", type=int, help="default: 8 for tiny, 4 for 60m")
    parser.add_argument("--precision", choices=TOLERANCE, default="f32", help="bf16: products, beside autocast")
    parser.add_argument("--ops", default="auto", help="form of fresco's operators")
    parser.add_argument("--checkpointing", action="store_true", help="fresco alone: cells computed again against cells kept")
    parser.add_argument("--rounds", type=int, default=7, help="timed steps of each side (default 7)")
    parser.add_argument("--warm-up", type=int, default=2, help="steps before them (default 2)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bench", type=pathlib.Path, default=HERE.parent / "build/release/benchmarks/train_bench")
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures here")
    return parser.parse_args()


def main():
    arguments = parse()
    if unknown := set(arguments.shapes) - set(SHAPES):
        raise SystemExit(f"compare_training: expected one of {', '.join(SHAPES)}, got {', '.join(sorted(unknown))}")
    records = [compare(arguments, name) for name in arguments.shapes or SHAPES]
    if arguments.json:
        arguments.json.write_text(json.dumps(records, indent=1))


if __name__ == "__main__":
    main()
