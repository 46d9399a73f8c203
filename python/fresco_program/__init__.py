"""Runs the program that the wheel carries, with the libraries of the environment's torch; loads nothing itself."""
import importlib.util
import os
import pathlib
import sys


def environment():
    """Variables for the program, or None where there is no torch."""
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return None
    libraries = os.path.join(next(iter(spec.submodule_search_locations)), "lib")
    variables = {"GOMP_SPINCOUNT": "1000", **os.environ}
    variables["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, [libraries, os.environ.get("LD_LIBRARY_PATH")]))
    return variables


def main():
    program = pathlib.Path(__file__).resolve().parent.parent / "fresco/bin/fresco"
    variables = environment()
    if variables is None:
        print("fresco: torch, whose libraries it needs, is not in this environment: pip install torch==2.11.0", file=sys.stderr)
        return 4
    try:
        os.execve(program, ["fresco", *sys.argv[1:]], variables)
    except OSError as error:
        print(f"fresco: {program} cannot be started: {error.strerror}", file=sys.stderr)
        return 4
