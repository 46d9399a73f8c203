#!/usr/bin/env python3
"""Time fresco and diffusers in turns on the same models and print a table. compare.sh prepares all it needs and runs it."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import make_checkpoint

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PIECES = {"text": "text, 2 x 77 tokens", "unet": "U-Net, one guided call", "vae": "VAE decode", "load": "load"}
KINDS = {"sd15": "Stable Diffusion v1.5", "deci10": "DeciDiffusion 1.0", "deci20": "DeciDiffusion 2.0"}
TOLERANCE = {"text": 1e-4, "unet": 1e-4, "vae": 1e-4}  # float32 sums in another order, far under what a mistake gives


class Side:
    """One of the two programs, waiting for the names of pieces."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command + ["--requests"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"compare: {self.name} ended with status {self.process.wait()}")
        return json.loads(line)

    def run(self, piece):
        self.process.stdin.write(piece + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def commands(arguments, folder):
    common = ["--model", str(folder), "--size", str(arguments.size), "--threads", str(arguments.threads)]
    fresco = [str(arguments.bench), *common, "--ops", arguments.ops]
    peers = [sys.executable, str(HERE / "peers/diffusers_bench.py"), *common]
    return {"fresco": fresco, "diffusers": peers + ["--channels-last"] * arguments.channels_last}


def difference(piece, first, second):
    """Largest difference of the shown values, relative to the largest magnitude of the output."""
    if first["shape"] != second["shape"]:
        raise SystemExit(f"compare: {piece}: shapes differ: {first['shape']} and {second['shape']}")
    apart = max(abs(a - b) for a, b in zip(first["values"], second["values"])) / second["largest"]
    if apart > TOLERANCE[piece]:
        raise SystemExit(f"compare: {piece}: the two programs do not compute the same: {apart:.1e} apart")
    return apart


def in_turns(names, repeat):
    """A B, B A, A B, ..."""
    order = list(names)
    for _ in range(repeat):
        yield from order
        order.reverse()


def measure_load(arguments, folder):
    """{side: [seconds]}, every time in a process of its own: memory that a process had before comes cheaper."""
    programs = commands(arguments, folder)
    seconds = {name: [] for name in programs}
    for name in in_turns(programs, arguments.repeat):
        side = Side(name, programs[name])
        seconds[name].append(side.run("load")["seconds"])
        side.close()
    return seconds


def measure(arguments, folder):
    """{piece: {side: [seconds]}} and {piece: difference}: each piece once to warm up, then in turns."""
    sides = {name: Side(name, command) for name, command in commands(arguments, folder).items()}
    seconds, apart = {}, {}
    for piece in [piece for piece in arguments.pieces if piece != "load"]:
        warm = {name: side.run(piece) for name, side in sides.items()}
        apart[piece] = difference(piece, warm["fresco"], warm["diffusers"])
        seconds[piece] = {name: [] for name in sides}
        for name in in_turns(sides, arguments.repeat):
            seconds[piece][name].append(sides[name].run(piece)["seconds"])
    for side in sides.values():
        side.close()
    if "load" in arguments.pieces:
        seconds["load"] = measure_load(arguments, folder)
    return seconds, apart


def picture(arguments, folder):
    """Peak memory and time of one whole picture in a process of its own."""
    command = commands(arguments, folder)["fresco"] + ["--pieces", "picture", "--repeat", "1"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def busy():
    """Share of the processors that others use, watched for two seconds while both programs rest."""
    def ticks():
        fields = [int(value) for value in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        return sum(fields), fields[3] + fields[4]  # idle, waiting for disks

    all_before, idle_before = ticks()
    time.sleep(2)
    all_after, idle_after = ticks()
    return 1 - (idle_after - idle_before) / max(1, all_after - all_before)


def print_table(seconds, apart):
    print("| piece | fresco, s | diffusers, s | diffusers / fresco | outputs apart |")
    print("|---|---|---|---|---|")
    for piece, both in seconds.items():
        ours, theirs = statistics.median(both["fresco"]), statistics.median(both["diffusers"])
        same = f"{apart[piece]:.0e}" if piece in apart else "-"
        print(f"| {PIECES[piece]} | {ours:.3f} | {theirs:.3f} | {theirs / ours:.2f} | {same} |")


def compare(arguments, kind):
    folder = arguments.models / kind
    if not (folder / "model_index.json").exists():
        make_checkpoint.make(kind, folder, "e", 0)
    others = [busy()]
    seconds, apart = measure(arguments, folder)
    others.append(busy())
    print(f"\n{KINDS[kind]}, {arguments.size}x{arguments.size}, medians of {arguments.repeat}:\n")
    print_table(seconds, apart)
    if max(others) > 0.1:
        print(f"\nOther work took {others[0]:.0%} of the processors before and {others[1]:.0%} after: these times mean little.")
    record = {"kind": kind, "size": arguments.size, "seconds": seconds, "apart": apart, "others": others}
    if arguments.picture:
        drawn = picture(arguments, folder)
        peak, weights = drawn["peak_memory_bytes"], drawn["weight_bytes_f32"]
        over = (peak - weights) / 1e9
        print(f"\nOne picture, 2 steps, loading included: {drawn['median']:.1f} s, peak memory {peak / 1e9:.2f} GB:")
        print(f"weights as float32 {weights / 1e9:.2f} GB and {over:.2f} GB more.")
        record["picture"] = drawn
    sys.stdout.flush()
    return record


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="sd15, deci10, deci20; without any: the first two")
    parser.add_argument("--size", type=int, default=512, help="side of the picture in pixels (default 512)")
    parser.add_argument("--repeat", type=int, default=5, help="timed runs of each piece on each side (default 5)")
    parser.add_argument("--threads", type=int, default=0, help="of both sides; 0: all processors (default)")
    parser.add_argument("--pieces", nargs="+", choices=PIECES, default=list(PIECES))
    parser.add_argument("--ops", default="auto", help="form of fresco's operators (default auto)")
    parser.add_argument("--channels-last", action="store_true", help="diffusers in this memory format too")
    parser.add_argument("--picture", action="store_true", help="also fresco's peak memory for a whole picture")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "build/bench-models", help="where the models are or go")
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build/bench/benchmarks/fresco_bench")
    parser.add_argument("--json", type=pathlib.Path, help="write every single time into this file")
    arguments = parser.parse_args()
    for kind in arguments.kinds:
        if kind not in KINDS:
            parser.error(f"unknown kind {kind!r}; known: {', '.join(KINDS)}")
    records = [compare(arguments, kind) for kind in arguments.kinds or ["sd15", "deci10"]]
    if arguments.json:
        arguments.json.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
