#!/usr/bin/env python3
"""The documentation builds as a site without a dead link, and its pages fetch nothing from elsewhere. Needs what
scripts/build_site.sh has fetched, or mkdocs and its theme in python3; ends with 77 where neither is."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
# Attributes that make a browser ask for something; links to follow are none of these.
FETCHED = re.compile(r"<(?:script|img|iframe|source|link)\b[^>]*\b(?:src|href)=\"?((?:https?:)?//[^\" >]+)")


def tools():
    """A Python that has mkdocs and the theme."""
    for python in (str(ROOT / "build/site-tools/bin/python"), sys.executable):
        if pathlib.Path(python).exists() and subprocess.run([python, "-c", "import mkdocs, material"], capture_output=True).returncode == 0:
            return python
    return None


def findings(site):
    pages = sorted(site.rglob("*.html"))
    for page in pages:
        for address in FETCHED.findall(page.read_text(encoding="utf-8")):
            yield f"{page.relative_to(site)}: fetches {address}"
    for name in ("index.html", "training.html", "models/starter-128/index.html", "src/fresco/core/error.h.html",
                 "search/search_index.js", "assets/iframe-worker.js"):
        if not (site / name).exists():
            yield f"the site lacks {name}"


def main():
    python = tools()
    if not python:
        print("skipped: mkdocs is not there; scripts/build_site.sh fetches it")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        built = subprocess.run([python, "-m", "mkdocs", "build", "--strict", "--site-dir", folder], cwd=ROOT, text=True,
                               env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        print("".join(line for line in built.stdout.splitlines(keepends=True) if not line.startswith("INFO")), end="")
        found = list(findings(pathlib.Path(folder))) if built.returncode == 0 else ["mkdocs found the above"]
    for finding in found:
        print(finding)
    print(f"site: {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
