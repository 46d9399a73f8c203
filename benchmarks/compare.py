#!/usr/bin/env python3
"""Time fresco beside diffusers and OpenVINO, in turns, on the same models. compare.sh prepares all that this needs."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import make_checkpoint
import sides
import tables

# Relative to the largest magnitude. float32: what Winograd's transforms may cost; bfloat16: two programs that round in
# different places. Both far under what a mistake gives.
TOLERANCE = {"f32": 1e-3, "bf16": 5e-2}
# Fresco's settings whose peak memory is of interest, as options of fresco_bench.
MEMORY_SETTINGS = {"fresco": [], "fresco, lean": ["--memory", "lean"]}


def difference(arguments, piece, peer, first, second):
    """Largest difference of the shown values, relative to the largest magnitude of the output."""
    if first["shape"] != second["shape"]:
        raise SystemExit(f"compare: {piece}: shapes differ: {first['shape']} and {second['shape']}")
    apart = max(abs(a - b) for a, b in zip(first["values"], second["values"])) / second["largest"]
    if apart > TOLERANCE[arguments.precision]:
        raise SystemExit(f"compare: {piece}: fresco and {peer} do not compute the same: {apart:.1e} apart")
    return apart


def check_instructions(arguments, answer):
    if arguments.isa == "avx2" and "avx512" in answer.get("instructions", []):
        raise SystemExit(f"compare: {answer['side']} runs AVX-512 in spite of --isa avx2")


def in_turns(names, repeat):
    """A B C, C B A, A B C, ..."""
    order = list(names)
    for _ in range(repeat):
        yield from order
        order.reverse()


class Measurement:
    """What one kind of model gave.

    seconds: {piece: {side: [of each run]}}; others: the same with shares of the processors that other programs took;
    apart: {piece: {peer: difference}}; formats: {piece: memory format that diffusers chose}."""

    def __init__(self, arguments, kind):
        self.arguments, self.kind = arguments, kind
        self.seconds, self.apart, self.others, self.formats = {}, {}, {}, {}
        pieces = [piece for piece in arguments.pieces if piece != "load"]
        if pieces:
            self.measure(pieces)
        if "load" in arguments.pieces:
            self.measure_load()

    def time(self, piece, side):
        answer = side.run(piece)
        for table, value in ((self.seconds, "seconds"), (self.others, "others")):
            table.setdefault(piece, {}).setdefault(side.name, []).append(answer[value])

    def measure(self, pieces):
        """Each piece once to warm up and to compare, then in turns."""
        running = sides.start(self.arguments, self.kind)
        for piece in pieces:
            warm = {name: side.run(piece) for name, side in running.items()}
            for answer in warm.values():
                check_instructions(self.arguments, answer)
            if "diffusers" in warm and piece != "text":
                self.formats[piece] = warm["diffusers"]["format"]
            ours = warm["fresco"]
            self.apart[piece] = {
                peer: difference(self.arguments, piece, peer, ours, warm[peer]) for peer in self.arguments.peers
            }
            for name in in_turns(running, self.arguments.repeat):
                self.time(piece, running[name])
        if "unet" in pieces:  # a part of the peers' calls
            for _ in range(self.arguments.repeat):
                self.time("bind", running["fresco"])
        for side in running.values():
            side.close()

    def measure_load(self):
        """Every time in a process of its own: memory that a process had before comes cheaper."""
        programs = sides.programs(self.arguments, self.kind)
        for name in in_turns(programs, self.arguments.repeat):
            side = sides.Side(name, *programs[name])
            self.time("load", side)
            side.close()

    def record(self):
        names = ("kind", "seconds", "apart", "others", "formats")
        return {name: getattr(self, name) for name in names}


def memory(arguments, kind):
    """{setting or peer: record of one picture}: peak memory and time, each in a process of its own."""
    programs = sides.programs(arguments, kind)
    runs = {setting: ("fresco", options) for setting, options in MEMORY_SETTINGS.items()}
    runs |= {tables.PEERS[peer]: (peer, []) for peer in arguments.peers}
    records = {}
    for name, (side, options) in runs.items():
        command, environment = programs[side]
        command = [*command, "--pieces", "picture", "--repeat", "1", *options]
        done = subprocess.run(command, env=os.environ | environment, check=True, stdout=subprocess.PIPE, text=True)
        records[name] = json.loads(done.stdout)
    return records


def whole(arguments):
    """{side: seconds} of really drawn pictures, medians; one program at a time."""
    seconds = {name: [] for name in ["fresco", *arguments.peers]}
    for name in in_turns(seconds, arguments.whole):
        kind, steps = tables.PUBLISHED["fresco" if name == "fresco" else "peer"]
        side = sides.Side(name, *sides.programs(arguments, kind, steps)[name])
        seconds[name].append(side.run("picture")["seconds"])
        side.close()
    return {name: statistics.median(times) for name, times in seconds.items()}


def compare(arguments, kind):
    measured = Measurement(arguments, kind)
    record = measured.record()
    tables.print_pieces(arguments, kind, measured)
    tables.print_notes(measured)
    if arguments.picture:
        record["picture"] = memory(arguments, kind)
        tables.print_memory(record["picture"])
    sys.stdout.flush()
    return record


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="sd15, deci10, deci20; without any: the first two")
    parser.add_argument("--peers", nargs="+", choices=sides.PEERS, default=list(sides.PEERS), help="default: both")
    parser.add_argument("--precision", choices=TOLERANCE, default="f32", help="of all sides (default f32)")
    parser.add_argument("--isa", choices=["native", "avx2"], default="native", help="avx2: all sides held to AVX2")
    parser.add_argument("--size", type=int, default=512, help="side of the picture in pixels (default 512)")
    parser.add_argument("--repeat", type=int, default=5, help="timed runs of each piece on each side (default 5)")
    parser.add_argument("--threads", type=int, default=0, help="of all sides; 0: all processors (default)")
    pieces = ["text", "unet", "vae", "load"]
    parser.add_argument("--pieces", nargs="+", choices=pieces, default=pieces)
    parser.add_argument("--ops", help="form of fresco's operators (default: the best that --isa allows)")
    formats = ["best", "contiguous", "channels-last"]
    parser.add_argument("--format", choices=formats, default="best", help="memory format of diffusers (default best)")
    parser.add_argument("--picture", action="store_true", help="also peak memory for a whole picture")
    whole = "also draw whole pictures, N times: DeciDiffusion's 30 steps against 50 of Stable Diffusion's"
    parser.add_argument("--whole", type=int, nargs="?", const=1, default=0, metavar="N", help=whole)
    models, bench = sides.ROOT / "build/bench-models", sides.ROOT / "build/bench/benchmarks/fresco_bench"
    parser.add_argument("--models", type=pathlib.Path, default=models, help="where the models are or go")
    parser.add_argument("--bench", type=pathlib.Path, default=bench, help="fresco_bench")
    parser.add_argument("--json", type=pathlib.Path, help="write every single time into this file")
    arguments = parser.parse_args()
    arguments.kinds = arguments.kinds or ["sd15", "deci10"]
    for kind in arguments.kinds:
        if kind not in tables.KINDS:
            parser.error(f"unknown kind {kind!r}; known: {', '.join(tables.KINDS)}")
    return arguments


def main():
    arguments = parse()
    needed = {*arguments.kinds, *([kind for kind, _ in tables.PUBLISHED.values()] if arguments.whole else [])}
    for kind in sorted(needed):
        if not (arguments.models / kind / "model_index.json").exists():
            make_checkpoint.make(kind, arguments.models / kind, "e", 0)
    records = [compare(arguments, kind) for kind in arguments.kinds]
    tables.print_whole_from_parts(arguments.peers, records)
    drawn = whole(arguments) if arguments.whole else None
    if drawn:
        tables.print_whole(arguments.peers, drawn, "really drawn, the first of each process, loading left out")
    if arguments.json:
        settings = {name: str(value) for name, value in vars(arguments).items() if name != "json"}
        text = json.dumps({"settings": settings, "models": records, "whole": drawn}, indent=1)
        arguments.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
