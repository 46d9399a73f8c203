#!/usr/bin/env python3
"""Runs every notebook from its first cell to its last, without weights from the hub; a cell that fails is told and fails the run."""
import argparse
import os
import pathlib
import sys
import tempfile
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

NOTEBOOKS = pathlib.Path(__file__).resolve().parents[2] / "notebooks"
LONGEST_CELL = 300  # seconds
WIDGET = "application/vnd.jupyter.widget-view+json"


def run(source, folder):
    """The notebook with what its cells gave."""
    book = nbformat.read(source, as_version=4)
    nbformat.validate(book)
    if any(cell.get("outputs") for cell in book.cells):
        raise ValueError(f"{source.name}: expected a notebook without results, which tell of the machine that ran it")
    NotebookClient(book, timeout=LONGEST_CELL, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    book.metadata.pop("widgets", None)  # without them a page would show bars as they began
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    return book


def write(book, out, name):
    out.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, out / f"{name}.ipynb")
    page, _ = HTMLExporter(embed_images=True).from_notebook_node(book)
    (out / f"{name}.html").write_text(page, encoding="utf-8")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=pathlib.Path, required=True, help="where the notebooks with their results and pages of them go")
    options = options.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(HF_HOME=scratch, HF_HUB_OFFLINE="1")
        for source in sorted(NOTEBOOKS.glob("*.ipynb")):
            begin = time.monotonic()
            try:
                write(run(source, scratch), options.out, source.stem)
            except (CellExecutionError, ValueError) as error:
                failed += 1
                print(f"{source.name}: {error}", file=sys.stderr)
                continue
            print(f"{source.name}: passed in {time.monotonic() - begin:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
