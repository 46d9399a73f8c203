"""Prints the folder of the environment's torch; ends with 1 and one line when there is none, or not one that fresco is made for."""
import importlib.util
import pathlib
import re
import site
import sys
import sysconfig

WANTED = "2.11"


def folders():
    spec = importlib.util.find_spec("torch")
    if spec is not None and spec.submodule_search_locations:
        yield pathlib.Path(next(iter(spec.submodule_search_locations)))
    places = [sysconfig.get_path("platlib"), sysconfig.get_path("purelib"), *site.getsitepackages(), site.getusersitepackages()]
    yield from (pathlib.Path(place) / "torch" for place in places)


def main():
    found = next((folder for folder in folders() if (folder / "lib/libtorch_cpu.so").exists()), None)
    if found is None:
        return f"fresco is built against the torch of the environment ({sys.prefix}), which has none: pip install torch=={WANTED}.0, then again"
    text = (found / "version.py").read_text(encoding="utf-8")
    version = re.search(r"^__version__\s*=\s*['\"]([^'\"]+)['\"]", text, re.M)[1]
    if not version.startswith(WANTED + "."):
        return f"fresco is made for torch {WANTED}, this environment has {version} ({found}): pip install torch=={WANTED}.0, then again"
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
