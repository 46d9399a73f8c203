"""What is asked about models, and the program."""
import json
import pathlib
import subprocess
import tempfile

import fresco_program

from . import _built_with, _checks, _core
from ._errors import Error, FormatError, InputError, ResourceError, expected
from ._progress import Watcher

FOLDER = pathlib.Path(__file__).resolve().parent
ERRORS = {2: InputError, 3: FormatError, 4: ResourceError}


def starter_model():
    """The path of the small model that comes with fresco: it draws coloured shapes."""
    for place in (FOLDER / "share/fresco/models/starter-128", pathlib.Path(_built_with.SOURCE_FOLDER) / "models/starter-128"):
        if (place / "model_index.json").exists():
            return str(place)
    raise InputError("starter_model: the model that comes with fresco is not beside the package", "starter_model")


def inspect(model, *, revision=None, vae=None, config=None, progress=True):
    """What a model is made of, told without loading its weights: a dict of its family, parts (parameters, element types, what is missing,
    extra or of the wrong shape), sizes, memory, and "whole".

    model: a hub id, folder or file. Errors: InputError, FormatError, ResourceError."""
    request = _core.ModelRequest(_checks.path("model", model), "" if revision is None else _checks.text("revision", revision),
                                 "" if vae is None else _checks.path("vae", vae), "" if config is None else _checks.path("config", config))
    watcher = Watcher(progress)
    try:
        return json.loads(_core.inspect(request, watcher))
    finally:
        watcher.close()


def _program():
    for place in (FOLDER / "bin/fresco", pathlib.Path(_built_with.PROGRAM)):
        if place.exists():
            return str(place)
    raise ResourceError("fresco: the program is not beside the package", "fresco")


class Comparison:
    """Two models measured one after the other. `verdict`, `ratios` and `report` (the figures, docs/compare.md) are dicts; `page` and
    `folder` are paths of what was written."""

    def __init__(self, folder, report):
        self.folder, self.page, self.report = str(folder), str(folder / "report.html"), report
        self.verdict, self.ratios = report["verdict"], report["ratios"]

    def __repr__(self):
        return f"<fresco.Comparison {self.page}>"


def _option(name, value):
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise expected(name, "one value, or a pair for the two models", f"{len(value)}")
        value = ",".join(str(one) for one in value)
    return ["--" + name.replace("_", "-"), str(value)]


def compare(a, b, *, prompts=None, out=None, overwrite=False, progress=True, **settings):
    """Draws the same sentences with two models, each in a process of its own, and measures time, memory and cost.

    prompts: a list of sentences (eight of its own without). out: a folder for the report and the pictures (a temporary one without).
    settings: options of `fresco compare` with underscores: steps=30 or steps=(30, 10) for a and b, sampler, guidance, guidance_rescale,
    precision, memory, seed, count, width, height, repeat, price_per_hour, device, threads.

    Returns a Comparison. Errors: as the program's, of the same type and line."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fresco-compare-") if out is None else _checks.path("out", out))
    command = [_program(), "compare", _checks.path("a", a), _checks.path("b", b), "--json", "--out", str(folder)]
    if overwrite or out is None:
        command.append("--overwrite")
    for prompt in [] if prompts is None else _checks.texts("prompts", prompts):
        command += ["--prompt", prompt]
    for name, value in settings.items():
        command += _option(name, value)
    _run(command, progress)
    return Comparison(folder, json.loads((folder / "report.json").read_text(encoding="utf-8")))


def _run(command, progress):
    watcher = Watcher(progress)
    problem = "fresco compare: ended without a word"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace",
                          env=fresco_program.environment()) as process:
        try:
            for line in process.stdout:
                event = json.loads(line)
                if event["event"] == "step":
                    watcher.step(event["index"], event["of"], event["seconds"])
                elif event["event"] == "warning":
                    watcher.warning(event["text"])
                elif event["event"] == "error":
                    problem = event["text"]
            status = process.wait()
        except BaseException:
            process.terminate()
            raise
        finally:
            watcher.close()
    if status:
        raise ERRORS.get(status, Error)(problem, problem.split(":")[0])
