#!/usr/bin/env python3
"""No instruction that a processor may lack stands where every processor comes by: looks into the built libraries.

Code for AVX2 and beyond belongs into objects named *_avx2, *_avx512, *_avx512_bf16 and *_amx, which are entered through tables of
functions once the processor was asked. Such an object may hold no code that the linker could take for other callers (weak
symbols: inline functions and templates with external linkage) and none that runs before main. Prints one line a finding and
ends with 1 when there is any, with 77 where there is nothing to look at."""
import argparse
import collections
import pathlib
import platform
import re
import shutil
import subprocess
import sys

SKIPPED = 77
# Functions that carry a target attribute of their own and are called behind a question to the processor.
GUARDED = {"machine_loops.cpp.o": re.compile(r"\b(run|read)_\w+\(")}
# VEX and EVEX forms start with v; of the others only what compilers emit by themselves. tzcnt is bsf to older processors.
NEWER = re.compile(
    r"^(v(?!err|erw|mcall)\w+|(andn|bextr|bls\w+|bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx|lzcnt|popcnt|movbe|crc32)[lqwb]?|pshufb)$")
EVEX = re.compile(r"%zmm|%[xy]mm(1[6-9]|2\d|3[01])|%k[0-7]")
TILES = re.compile(r"^(ldtilecfg|sttilecfg|tile\w+|tdp\w+)$")
NARROW = re.compile(r"^(vdpbf16|vcvtne|vpdpbusd|vpdpwssd)")

Function = collections.namedtuple("Function", "object name weak")


def level_of(name):
    for level, suffix in ((4, "_amx"), (3, "_avx512_bf16"), (2, "_avx512"), (1, "_avx2")):
        if name.endswith(f"{suffix}.cpp.o"):
            return level
    return 0


def lines_of(*command):
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        yield from process.stdout
    if process.returncode != 0:
        sys.exit(f"{command[0]} ended with {process.returncode}")


def weak_functions(library):
    """(object, name) of what the linker may take from one object for all; undefined references do not count."""
    found, member = set(), ""
    for line in lines_of("nm", "-C", library):
        if line.endswith(":\n"):
            member = line[:-2]
        elif match := re.match(r"^[0-9a-f]+ ([WVu]) (.*)$", line):
            found.add((member, match[2]))
    return found


def instructions(library):
    """(object, function, instruction) of everything that is code."""
    member = function = ""
    for line in lines_of("objdump", "-dwC", "--no-show-raw-insn", library):
        if line.startswith(" "):
            yield member, function, line.split("\t", 1)[-1].split(" #")[0].strip()
        elif match := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            function = match[1]
        elif match := re.match(r"^(\S+):\s+file format", line):
            member = match[1]


def complaint(level, weak, member, function, text):
    word = text.split(" ", 1)[0]
    newer = NEWER.match(word) or TILES.match(word)
    if level == 0:
        guard = GUARDED.get(member)
        if newer and not (guard and guard.search(function) and not weak):
            return "in an object for every processor"
    elif newer and weak:
        return "in a function that other objects may be linked to"
    elif level < 4 and TILES.match(word):
        return "of tiles in an object for other processors"
    elif level == 1 and EVEX.search(text):
        return "of AVX-512 in an object for AVX2"
    elif level == 2 and NARROW.match(word):
        return "of narrow products in an object for plain AVX-512"
    return None


def code_findings(library, weak):
    told = set()
    for member, function, text in instructions(library):
        what = complaint(level_of(member), (member, function) in weak, member, function, text)
        if what and (member, function) not in told:
            told.add((member, function))
            yield f"{library.name}: {member}: {function}: `{text}` {what}"


def early_findings(library):
    member = ""
    for line in lines_of("objdump", "-h", library):
        if match := re.match(r"^(\S+):\s+file format", line):
            member = match[1]
        elif level_of(member) and ".init_array" in line:
            yield f"{library.name}: {member}: code that runs before main"


def findings(library, optimised, sanitized):
    weak = weak_functions(library)
    yield from code_findings(library, weak)
    if optimised:
        for member, name in sorted(weak):
            if level_of(member):
                yield f"{library.name}: {member}: weak symbol {name}"
    if not sanitized:
        yield from early_findings(library)


def reason_to_skip(arguments, libraries):
    if platform.machine() not in ("x86_64", "AMD64"):
        return "not an x86-64 processor"
    if not shutil.which("objdump") or not shutil.which("nm"):
        return "binutils are not installed"
    if re.search(r"-march|-mavx|-flto", arguments.flags):
        return f"compiled with {arguments.flags.strip()}"
    return None if libraries else "no libraries are built"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path, help="build folder")
    parser.add_argument("--build-type", default="Release")
    parser.add_argument("--sanitize", default="")
    parser.add_argument("--flags", default="", help="flags of the compiler that the builder chose")
    arguments = parser.parse_args()
    libraries = sorted(arguments.folder.glob("src/fresco/**/libfresco_*.a"))
    if reason := reason_to_skip(arguments, libraries):
        print(f"instructions: skipped: {reason}")
        return SKIPPED
    optimised = arguments.build_type == "Release" and not arguments.sanitize
    found = [line for library in libraries for line in findings(library, optimised, bool(arguments.sanitize))]
    for line in found:
        print(line)
    print(f"instructions: {len(found)} findings in {len(libraries)} libraries")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
