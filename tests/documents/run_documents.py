#!/usr/bin/env python3
"""What the pages show runs: commands in blocks of shell, Python, recipes; a block fenced as ```text is what the commands before
it print, numbers and what stands for ... aside. FRESCO_PROGRAM names the program, FRESCO_PYTHON a Python that has the module, where it is built.

A page's blocks run one after the other in a folder of their own, which holds what a reader would have: the project's models and
recipes, some pictures, a recipe. The shipped model stands in for the published ones, under their hub ids too, and
short_fresco.py takes few steps. What cannot run so is marked in the page (pages.py); it is counted and told, and so is Python
whose modules are not there. A command that fails and is not marked is a finding, and so is one of another program than fresco,
which is not run; the test ends with 1 when there is any."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import pages

HERE = pathlib.Path(__file__).resolve().parent
STARTER = pages.ROOT / "models/starter-128"
PUBLISHED = ("Deci/DeciDiffusion-v1-0", "Deci/DeciDiffusion-v2-0", "stable-diffusion-v1-5/stable-diffusion-v1-5")
STAND_INS = ("A", "B", "MODEL", "my-model", "path/to/model-folder", "runs/starter/model")
RECIPE = """name: flowers
model: models/starter-128
phases:
  - {kind: diffusion, data: {path: photos}, fit: {resolution: 64}, batch: 2, steps: 2CACHE}
watch: {validate_every: 0, validation_samples: 0, sample_every: 0}
"""
PICTURES = {"picture.png": "1", "photo.jpg": "2"}
# Amounts, times and sizes differ from run to run; what stands around them does not.
NUMBER = re.compile(r"\d[\d.,]*(?: (?:ms|s|min|h|B|KB|MB|GB|MiB|GiB))?\b")


# What a block may begin a line with to be run. Anything else (pip, apt-get, cmake, ...) would act on the machine: it is never run,
# marked or not.
HARMLESS = re.compile(r"^(?:\w+=\S+ )*(?:\./fresco|for|do|done|cmp|ls|cat|#)(?:[ ;]|$)|^\s|^$")


class Page:
    def __init__(self, page, folder):
        self.page, self.folder = page, folder
        self.failures = folder / "failures"  # the launcher writes it: a shell tells nothing of what ran in the background
        self.blocks = list(pages.blocks_of(page))
        self.run, self.not_run, self.findings = 0, [], []
        self.environment = os.environ | {
            "HF_HUB_CACHE": str(folder / "hub"), "HF_HUB_OFFLINE": "1", "FRESCO_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1",
            "GOMP_SPINCOUNT": "100", "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, command, timeout=600):
        """Exit status and everything printed."""
        try:
            done = subprocess.run(command, cwd=self.folder, env=self.environment, timeout=timeout, text=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return done.returncode, done.stdout
        except subprocess.TimeoutExpired:
            return 124, f"no end after {timeout} s"

    def mentions(self, text):
        return any(text in line for block in self.blocks for line in block.code)

    def furnish(self):
        """What a reader would have."""
        for name in ("models", "recipes", "examples", "docs"):
            (self.folder / name).symlink_to(pages.ROOT / name)
        for name in STAND_INS:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).symlink_to(STARTER)
        for name in PUBLISHED:
            repository = self.folder / "hub" / f"models--{name.replace('/', '--')}"
            commit = "0" * 40
            (repository / "snapshots").mkdir(parents=True)
            (repository / "snapshots" / commit).symlink_to(STARTER)
            (repository / "refs").mkdir()
            (repository / "refs/main").write_text(commit, encoding="utf-8")
        (self.folder / "photos").mkdir()
        for sample in json.loads((STARTER / "samples/samples.json").read_text(encoding="utf-8")):
            (self.folder / "photos" / f"{sample['file']}.png").symlink_to(STARTER / "samples" / f"{sample['file']}.png")
            (self.folder / "photos" / f"{sample['file']}.txt").write_text(sample["prompt"], encoding="utf-8")
        (self.folder / "prompts.txt").write_text("a red ring\na large blue star on a yellow background\n", encoding="utf-8")
        cache = ", cache: caches/mine" if self.mentions("--recipe my-recipe.yaml") else ""
        (self.folder / "my-recipe.yaml").write_text(RECIPE.replace("CACHE", cache), encoding="utf-8")
        launcher = self.folder / "fresco"
        launcher.write_text(f'#!/bin/sh\n"{sys.executable}" "{HERE / "short_fresco.py"}" "$@" || '
                            f'{{ status=$?; echo "ends with $status: ./fresco $*" >>"{self.failures}"; exit $status; }}\n', encoding="utf-8")
        launcher.chmod(0o755)
        for name, seed in PICTURES.items():
            if self.mentions(name):
                self.start(["./fresco", "draw", "a red ring", "--seed", seed, "--quiet", "--out", name])

    def run_commands(self, block):
        """What it printed, or nothing where it did not run whole."""
        kept = []
        for line in block.code:
            if (reason := block.reason_not_to_run(line)) is None:
                kept.append(line)
            elif line.strip():
                self.not_run.append((f"{block.place}: {line.strip()}", reason))
        if not any(line.strip() for line in kept):
            return None
        if foreign := [line for line in kept if not HARMLESS.match(line)]:
            self.findings.append(f"{block.place}: not a command that a test may run; mark it as not run: {foreign[0]}")
            return None
        self.run += sum(1 for line in kept if pages.COMMAND.match(line))
        self.failures.write_text("", encoding="utf-8")
        status, printed = self.start(["bash", "-euc", "\n".join(kept)])
        failures = self.failures.read_text(encoding="utf-8")
        if status or failures:
            status = status or 1
            self.findings.append(f"{block.place}: {failures or f'ends with {status}: ' + kept[0]}\n{printed.strip()}")
        return None if status or len(kept) < len(block.code) else printed

    def compare_output(self, block, printed):
        told = [NUMBER.sub("#", " ".join(line.split())) for line in re.split(r"[\r\n]", printed)]
        for line in block.code:
            wanted = ".*".join(re.escape(part) for part in NUMBER.sub("#", " ".join(line.split())).split("..."))
            if wanted and not any(re.fullmatch(wanted, line) for line in told):
                self.findings.append(f"{block.place}: the commands before it print no such line: {line}\nThey print:\n{printed.strip()}")
                return

    def check_recipe(self, block):
        (self.folder / "shown.yaml").write_text("\n".join(block.code), encoding="utf-8")
        self.run += 1
        status, printed = self.start(["./fresco", "train", "shown.yaml", "--check"])
        if status:
            self.findings.append(f"{block.place}: the recipe is refused:\n{printed.strip()}")

    def missing_modules(self, python, block):
        names = {match[1] for line in block.code if (match := re.match(r"^(?:import|from) ([\w.]+)", line))}
        return [name for name in sorted(names) if self.start([python, "-c", f"import {name}"])[0]]

    def run_python(self):
        """All Python of a page is one program, since later blocks use names of earlier ones; without its first module there is none."""
        python = os.environ.get("FRESCO_PYTHON") or sys.executable
        program, lost = [], ""
        for block in [block for block in self.blocks if block.language == "python"]:
            reason = block.marks[0][1] if block.marks else lost
            if not reason and (missing := self.missing_modules(python, block)):
                reason = f"no module {', '.join(missing)} here"
                lost = reason if not program else ""
            if reason:
                self.not_run.append((f"{block.place}: {block.code[0]}", reason))
            else:
                program.append(block)
        if not program:
            return
        self.run += len(program)
        status, printed = self.start([python, "-c", "\n".join(line for block in program for line in block.code)])
        if status:
            self.findings.append(f"{program[0].place}: Python fails:\n{printed.strip()}")

    def run_all(self):
        self.furnish()
        printed = None
        for block in self.blocks:
            if block.is_commands():
                printed = self.run_commands(block)
            elif block.language == "text" and printed is not None:
                self.compare_output(block, printed)
            elif block.language == "yaml" and any(line.startswith("phases:") for line in block.code):
                self.check_recipe(block)
            if not block.is_commands() and any("./fresco " in line[:9] for line in block.code):
                self.findings.append(f"{block.place}: a command in a block that is not one of commands")
        self.run_python()
        return self


def main():
    chosen = [pathlib.Path(name).resolve() for name in sys.argv[1:]] or pages.PAGES
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        workers = stack.enter_context(concurrent.futures.ThreadPoolExecutor(max_workers=2))
        places = [pathlib.Path(folder) / str(number) for number, _ in enumerate(chosen)]
        for place in places:
            place.mkdir()
        done = list(workers.map(lambda pair: Page(*pair).run_all(), zip(chosen, places)))
    for what, reason in (entry for page in done for entry in page.not_run):
        print(f"not run: {what}\n    because: {reason}")
    findings = [finding for page in done for finding in page.findings]
    for finding in findings:
        print(finding)
    print(f"{sum(page.run for page in done)} run, {sum(len(page.not_run) for page in done)} not run, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
