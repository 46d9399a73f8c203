#!/usr/bin/env python3
"""Measure how fresco's time and memory grow with the size of a picture, with pictures drawn at once and with threads, and write the tables
and plots of docs/performance.md: everything between its two "growth" marks, and docs/growth.svg."""

import argparse
import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BEGIN, END = "<!-- growth: written by benchmarks/growth.py -->", "<!-- growth ends -->"


def measure(arguments, kept, size=512, pictures=1, threads=None, pieces=("unet", "vae")):
    """{piece: record} from one process, so that its peak memory is that of these sizes alone. kept: what was measured before, by size,
    pictures and threads, written to arguments.json each time."""
    key = f"{size} {pictures} {threads or arguments.threads}"
    if key not in kept:
        kept[key] = run(arguments, size, pictures, threads, pieces)
        arguments.json.write_text(json.dumps(kept, indent=1))
    return kept[key]


def run(arguments, size, pictures, threads, pieces):
    command = [arguments.bench, "--model", arguments.model, "--size", size, "--pictures", pictures, "--pieces", *pieces]
    command += ["--threads", threads or arguments.threads, "--repeat", arguments.repeat, "--precision", arguments.precision]
    output = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {record["piece"]: record for record in map(json.loads, output.splitlines())}


def line(label, records):
    unet, vae = records["unet"], records["vae"]
    peak = max(record["peak_memory_bytes"] for record in records.values())
    return {"label": label, "unet": unet["median"], "vae": vae["median"], "peak": peak / 1e9}


def table(head, lines, each=None):
    """each: pictures in a line, where a share of one picture is of interest."""
    columns = [head, "U-Net, one guided call, s", "VAE decode, s", "peak memory, GB"] + ["call a picture, s"] * bool(each)
    text = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for i, row in enumerate(lines):
        cells = [str(row["label"]), f"{row['unet']:.2f}", f"{row['vae']:.2f}", f"{row['peak']:.2f}"]
        if each:
            cells.append(f"{row['unet'] / each[i]:.2f}")
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text)


def plot(groups, file):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "fresco"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(12, 3.6))
    for axis, (title, places, lines) in zip(axes, groups):
        axis.plot(places, [row["unet"] for row in lines], "o-", label="U-Net, one guided call")
        axis.plot(places, [row["vae"] for row in lines], "s-", label="VAE decode")
        axis.set(xlabel=title, ylabel="seconds", ylim=(0, None), xticks=places)
        memory = axis.twinx()
        memory.plot(places, [row["peak"] for row in lines], "^:", color="gray", label="peak memory (right)")
        memory.set(ylabel="GB", ylim=(0, 1.15 * max(row["peak"] for row in lines)))
        axis.grid(alpha=0.3)
    handles = axes[0].get_legend_handles_labels(), memory.get_legend_handles_labels()
    figure.legend(handles[0][0] + handles[1][0], handles[0][1] + handles[1][1], ncol=3, loc="upper center", frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.92))
    figure.savefig(file, metadata={"Date": None})


def processor():
    names = [text.split(":", 1)[1].strip() for text in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if "model name" in text]
    return f"{names[0] if names else 'unknown processor'}, {len(names)} processors"


def write(text, file):
    whole = file.read_text()
    before, rest = whole.split(BEGIN)
    file.write_text(before + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "build/bench-models/deci10")
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build/bench/benchmarks/fresco_bench")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 384, 512, 768, 1024])
    parser.add_argument("--pictures", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / "build/growth.json", help="keeps every measurement")
    parser.add_argument("--again", action="store_true", help="write tables and plots from what --json holds, measuring what is missing")
    parser.add_argument("--print", action="store_true", help="print the tables; leave the documents as they are")
    arguments = parser.parse_args()
    kept = json.loads(arguments.json.read_text()) if arguments.again and arguments.json.exists() else {}
    sizes = [line(f"{size} x {size}", measure(arguments, kept, size=size)) for size in arguments.sizes]
    pictures = [line(count, measure(arguments, kept, pictures=count)) for count in arguments.pictures]
    counts = sorted({1, *(2**i for i in range(10) if 2**i < arguments.threads), arguments.threads})
    threads = [line(count, measure(arguments, kept, threads=count)) for count in counts]
    text = f"""DeciDiffusion 1.0, precision {arguments.precision}, {processor()}, {arguments.threads} threads; medians of {arguments.repeat}:

![Time and memory over size, pictures and threads](growth.svg)

{table("picture", sizes)}

{table("pictures at once, 512 x 512", pictures, arguments.pictures)}

{table("threads, one picture, 512 x 512", threads)}
"""
    if arguments.print:
        print(text)
        return
    plot([("side, pixels", arguments.sizes, sizes), ("pictures at once", arguments.pictures, pictures), ("threads", counts, threads)],
         ROOT / "docs/growth.svg")
    write(text, ROOT / "docs/performance.md")


if __name__ == "__main__":
    main()
