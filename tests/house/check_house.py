#!/usr/bin/env python3
"""Rules of the house that no compiler checks: paths named in documents exist, sources stay within their length,
scripts that should run can run. Prints one line a finding and ends with 1 when there is any."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LONGEST_SOURCE = 500  # lines; tables and generated data are named below
TABLES = ("src/fresco/text/vocabulary",)
PROGRAMS = ("fresco", "check", ".ci/run", "scripts/build.sh", "scripts/setup_packages.sh", "scripts/setup_torch.sh")

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"^(?:\./)?[\w.*-]+(?:/[\w.*-]+)*/?$")


def tracked(pattern):
    listed = subprocess.run(["git", "ls-files", "-z", "--", pattern], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]
    return sorted(path for path in ROOT.rglob(pattern) if not {"build", ".deps"} & set(path.parts))


def exists(document, path):
    """A path counts from the root or from the document's folder; `*` stands for names."""
    for base in (ROOT, document.parent):
        if "*" in path:
            if any(base.glob(path.rstrip("/"))):
                return True
        elif (base / path).exists():
            return True
    return False


def looks_like_path(word, top_folders):
    """Inside back quotes only words that start with a folder of the project, or with ./, are taken for paths."""
    if not PATH.match(word) or "/" not in word:
        return False
    first = word.removeprefix("./").split("/")[0]
    return first in top_folders or word.startswith("./")


def document_findings():
    top_folders = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"build", ".deps", ".git"}
    for document in tracked("*.md"):
        for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
            links = [link for link in LINK.findall(line) if not re.match(r"^[a-z]+:", link)]
            quoted = [word.split()[0] for word in CODE.findall(line) if word.split()]
            for path in links + [word for word in quoted if looks_like_path(word, top_folders)]:
                if not exists(document, path.removeprefix("./")):
                    yield f"{document.relative_to(ROOT)}:{number}: no such file or folder: {path}"


def length_findings():
    for pattern in ("*.h", "*.cpp", "*.py"):
        for source in tracked(pattern):
            name = str(source.relative_to(ROOT))
            lines = source.read_text(encoding="utf-8", errors="replace").count("\n")
            if lines > LONGEST_SOURCE and not name.startswith(TABLES) and not name.startswith("models/"):
                yield f"{name}: {lines} lines; sources stop at {LONGEST_SOURCE}"


def program_findings():
    for name in PROGRAMS:
        if not (ROOT / name).stat().st_mode & 0o100:
            yield f"{name}: not executable"


def main():
    findings = [*document_findings(), *length_findings(), *program_findings()]
    for finding in findings:
        print(finding)
    print(f"house: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
