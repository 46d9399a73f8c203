"""Finds the libtorch of the environment's `torch` and loads it, without importing torch: its Python part is wanted for tensors alone."""
import ctypes
import importlib.util
import os
import pathlib
import re
import sys

from . import _built_with

REMEDY = f"pip install torch=={_built_with.TORCH}, or build fresco against the torch that you have: pip install --force-reinstall --no-deps ."
# Kept: a library stays loaded while its handle lives.
_handles: list = []


def torch_folder():
    """The folder of the torch package that `import torch` would take."""
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"fresco needs torch {_built_with.TORCH}, with which it was built, and this environment has none: {REMEDY}")
    return pathlib.Path(next(iter(spec.submodule_search_locations)))


def _version(folder):
    try:
        found = re.search(r"^__version__\s*=\s*['\"]([^'\"]+)['\"]", (folder / "version.py").read_text(encoding="utf-8"), re.M)
    except OSError:
        found = None
    return found[1] if found else "unknown"


def load():
    """Errors: ImportError that says which torch is wanted, which was found, and what to do."""
    folder = torch_folder()
    version = _version(folder)
    if version.split("+")[0] != _built_with.TORCH:
        raise ImportError(f"fresco was built with torch {_built_with.TORCH}, this environment has torch {version} ({folder}): {REMEDY}")
    # Threads that wait for work give their processor away soon; libgomp reads this when it is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    for name in ("libc10.so", "libtorch_cpu.so"):
        try:
            _handles.append(ctypes.CDLL(str(folder / "lib" / name)))
        except OSError as error:
            raise ImportError(f"fresco cannot load {name} of torch {version} ({str(error).splitlines()[0]}): {REMEDY}") from None


def load_cuda():
    """Where an NVIDIA driver runs, torch's CUDA libraries: importing torch loads them."""
    if "torch" not in sys.modules and any(os.path.exists(place) for place in ("/dev/nvidiactl", "/dev/dxg")):
        from ._arrays import torch_or_none

        torch_or_none()
