#!/usr/bin/env python3
"""openvino_avx2.py FOLDER: a copy of the installed OpenVINO that takes every machine for one with AVX2 alone.

ONEDNN_MAX_CPU_ISA=AVX2 does not hold all of OpenVINO back: its linear layers in float32 are MLAS's, which asks the
processor itself. A program may use AVX-512 only where the system keeps its registers, which the instruction XGETBV
tells; in the copy "push 7; pop rax" stands in its place, as many bytes: x87, SSE and AVX registers, no others. The
original stays as it is.
"""

import os
import pathlib
import shutil
import sys

import openvino

XGETBV = b"\x0f\x01\xd0"
ANSWER_AVX = b"\x6a\x07\x58"  # push 7; pop rax
ASKING = ["libopenvino_intel_cpu_plugin.so", "libopenvino.so.*"]
# XGETBV of OpenVINO 2026.4.1, each disassembled: Xbyak twice, AMX once, MLAS once. Another number may be data.
EXPECTED = 4


def patch(path):
    """How many places were replaced. A new file: the copy's others are links to the original's."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data.replace(XGETBV, ANSWER_AVX))
    return data.count(XGETBV)


def main():
    target = pathlib.Path(sys.argv[1])
    unfinished = target.with_name(target.name + ".unfinished")
    for folder in (target, unfinished):
        shutil.rmtree(folder, ignore_errors=True)
    package = unfinished / "openvino"
    shutil.copytree(pathlib.Path(openvino.__file__).parent, package, copy_function=os.link)
    found = sum(patch(path) for pattern in ASKING for path in sorted((package / "libs").glob(pattern)))
    if found != EXPECTED:
        raise SystemExit(f"openvino_avx2: expected {EXPECTED} places that ask for the registers, got {found}")
    unfinished.rename(target)


if __name__ == "__main__":
    main()
