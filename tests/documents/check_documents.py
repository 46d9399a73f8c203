#!/usr/bin/env python3
"""What documents say about the program and the library, held against both: options exist, C++ stands in an example that
is built, the table of samplers is the program's list, folders include as the ladder says. Prints one line a finding and
ends with 1 when there is any. FRESCO_PROGRAM names the program."""
import os
import re
import subprocess
import sys

import pages

ROOT = pages.ROOT
# Of ./check, the scripts and CMake; the last two of the program itself.
OTHERS_OPTIONS = {"--slow", "--sanitize", "--fix", "--preset", "--help", "--version"}
# Of CMake, CPack and container engines.
INSTALLERS_OPTIONS = {"--install", "--prefix", "--component", "--config", "--rm", "--user"}
# Of torchrun and Slurm.
LAUNCHERS_OPTIONS = {"--nnodes", "--nproc-per-node", "--rdzv-backend", "--rdzv-endpoint", "--max-restarts", "--no-python",
                     "--nodes", "--ntasks-per-node", "--cpus-per-task", "--signal"}


def program(*arguments):
    done = subprocess.run([os.environ["FRESCO_PROGRAM"], *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def stands_in(lines, source):
    """All lines, in their order, indentation aside."""
    rest = iter([line.strip() for line in source.splitlines()])
    return all(line in rest for line in lines)


def snippet_findings(document):
    examples = [path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.cpp")]
    for block in (block for block in pages.blocks_of(document) if block.language == "cpp"):
        lines = [line.strip() for line in block.code if line.strip()]
        if not any(stands_in(lines, example) for example in examples):
            yield f"its C++ stands in no file of examples/: {lines[0]} ..."


def options_of_scripts(line):
    """Options that the benchmarks named in this line declare in their own source."""
    if "benchmarks/" not in line:
        return set()
    sources = [path for pattern in ("*.py", "*.cpp", "peers/*.py") for path in (ROOT / "benchmarks").glob(pattern)]
    return {option for source in sources for option in re.findall(r'"(--[a-z][a-z-]*)"', source.read_text(encoding="utf-8"))}


def option_findings(document, known):
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", line):
            if option not in known | options_of_scripts(line):
                yield f"line {number}: no such option: {option}"


def sampler_findings():
    listed = [line.split()[0] for line in program("samplers").splitlines()]
    table = re.findall(r"^\| `([\w-]+)` \|", (ROOT / "docs/samplers.md").read_text(encoding="utf-8"), re.M)
    if table != listed:
        yield f"docs/samplers.md: expected a table of {', '.join(listed)}; got {', '.join(table)}"


def ladder_findings():
    """A folder of the library includes only folders above it in the design page's table."""
    page = (ROOT / "src/fresco/README.md").read_text(encoding="utf-8")
    ladder = re.findall(r"^\| \[(\w+)\]\(\1\) \|", page, re.M)
    folders = {path.name for path in (ROOT / "src/fresco").iterdir() if path.is_dir()}
    if folders != set(ladder):
        yield f"src/fresco/README.md: expected a ladder of {', '.join(sorted(folders))}; got {', '.join(ladder)}"
    for place, folder in enumerate(ladder):
        for source in [*(ROOT / "src/fresco" / folder).rglob("*.h"), *(ROOT / "src/fresco" / folder).rglob("*.cpp")]:
            for used in re.findall(r'^#include "fresco/(\w+)/', source.read_text(encoding="utf-8"), re.M):
                if used not in ladder[: place + 1]:
                    yield f"{source.relative_to(ROOT)}: includes {used}, which does not stand above {folder}"


def help_of(command):
    """With that of its own commands, where it is only a roof over them."""
    text = program(command, "--help")
    inner = re.split(r"^(?:Commands|Measures):$", text, flags=re.M)[1:]
    return text + "".join(program(command, word, "--help") for part in inner for word in re.findall(r"^  ([a-z]+) {2,}", part, re.M))


def main():
    commands = re.findall(r"^  ([a-z]+) {2,}", program("--help").split("Commands:")[1], re.M)
    helps = "".join(help_of(command) for command in commands)
    known = set(re.findall(r"--[a-z][a-z-]*", helps)) | OTHERS_OPTIONS | INSTALLERS_OPTIONS | LAUNCHERS_OPTIONS
    findings = [*sampler_findings(), *ladder_findings()]
    for document in pages.PAGES:
        for finding in [*snippet_findings(document), *option_findings(document, known)]:
            findings.append(f"{document.relative_to(ROOT)}: {finding}")
    for finding in findings:
        print(finding)
    print(f"documents: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
