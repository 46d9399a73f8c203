#!/usr/bin/env python3
"""docs/troubleshooting.md is what people find their message in: every fixed part of each message there, between the parts that
vary, stands in a text of the program's or the scripts' sources; and lines that the program says when it is asked for something
wrong match one of them. FRESCO_PROGRAM names the program. Prints one line a finding and ends with 1 when there is any."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import pages

PAGE = pages.ROOT / "docs/troubleshooting.md"
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
# Where one text of the sources ends and another may begin: variable parts, the halves of expected_got, the place in front.
SEAM = re.compile(r'\.\.\.|\{[^}]*\}|\bexpected\b|, got\b|[;:](?= )|"')


def texts():
    """What the sources may say, a line for each literal, pieces that stand side by side joined."""
    said = []
    for source in [*(pages.ROOT / "src").rglob("*.cpp"), *(pages.ROOT / "src").rglob("*.h"), *(pages.ROOT / "apps").rglob("*.cpp")]:
        joined = re.sub(r'"\s*\n\s*"', "", source.read_text(encoding="utf-8", errors="replace"))
        said += [match[1].replace('\\"', '"') for match in LITERAL.finditer(joined)]
    others = [path for pattern in ("scripts/*.sh", "cmake/*.in", "python/fresco/*.py") for path in pages.ROOT.glob(pattern)]
    said += [path.read_text(encoding="utf-8") for path in others]
    return "\n".join(said)


def messages():
    """(line, message) of the first cells of tables headed `message`."""
    inside = False
    for number, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), 1):
        inside = line.startswith("| message |") or (inside and line.startswith("|"))
        if inside:
            for message in re.findall(r"`([^`]+)`", line.split(" | ")[0]):
                yield number, message


STARTER = str(pages.ROOT / "models/starter-128")
PICTURE = f"{STARTER}/samples/sample_0.png"
WRONG = [line.split("|") for line in f"""\
drow|x
draw|x|--nosuch|1
draw|x|--steps
draw
pack
draw|x|--steps|many
draw|x|--guidance|inf
draw|x|--seed|1.5
draw|x|--batch|-1
draw|x|--width|513
draw|x|--sampler|eular
draw|x|--sampler|squeezed-dpmpp|--steps|3
draw|x|--sampler|euler|--eta|0.5
draw|x|--schedule|karras
draw|x|--sampler|lcm|--steps|60
draw|x|--clip-skip|9
draw|x|--strength|0.5
draw|x|--mask|{PICTURE}
draw|x|--init|{PICTURE}|--strength|0.001
draw|x|--init|{STARTER}/model_index.json
draw|x|--init|gone.png
draw|--like|{PICTURE}
draw|x|--out|taken.png
draw|x|--out|nowhere/x.png
draw|x|--out|x.gif
draw|x|--prompts|empty.txt
draw|x|--model|nosuch
draw|x|--model|owner/name
draw|x|--model|owner/name|--revision|a..b
draw|x|--model|{STARTER}/vae
draw|x|--model|page.safetensors
draw|x|--model|pointer.safetensors
draw|x|--model|short.safetensors
draw|x|--model|words.ckpt
draw|x|--init|{PICTURE}|--mask|{STARTER}/../../docs/images/shapes.png
draw|x|--device|cuda
draw|x|--ops|avx9
draw|x|--calibration|empty.json|--precision|f32
inspect|empty.txt
compare|{STARTER}
compare|{STARTER}|{STARTER}|--seeds|1,2|--seed|3
compare|{STARTER}|{STARTER}|--steps|1,2,3
data|prepare|--out|x
data|prepare|--data|nowhere|--model|{STARTER}|--out|x
data|prepare|--data|bare|--model|{STARTER}|--out|x
evaluate|shapes|nosuch
train|recipe.yaml
train|broken.yaml
train|empty.txt""".splitlines()]


def furnish(folder):
    weights = (pathlib.Path(STARTER) / "vae/diffusion_pytorch_model.safetensors").read_bytes()
    for name, content in {
            "taken.png": b"", "empty.txt": b"# nothing\n", "empty.json": b"{}", "page.safetensors": b"<!DOCTYPE html><html></html>",
            "pointer.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "short.safetensors": weights[: len(weights) // 2], "words.ckpt": b"these are only words, and some more of them",
            "broken.yaml": b"phases: [", "recipe.yaml": b"phases:\n  - {kind: diffusion, stepps: 3, batch: 1, data: {path: shapes, count: 4}}\n",
    }.items():
        (folder / name).write_bytes(content)
    (folder / "bare").mkdir()


def provoked():
    """(what was asked for, what the program said)."""
    with tempfile.TemporaryDirectory() as folder:
        furnish(pathlib.Path(folder))
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": f"{folder}/hub", "OMP_NUM_THREADS": "1"}
        for arguments in WRONG:
            done = subprocess.run([os.environ["FRESCO_PROGRAM"], *arguments], cwd=folder, env=environment, text=True, timeout=600,
                                  stdin=subprocess.DEVNULL, capture_output=True)
            yield " ".join(arguments), f"ends with {done.returncode}" if done.returncode not in (2, 3, 4) else done.stderr.strip()


def unexplained(rows):
    """A row serves a line that begins as it does, or holds it behind the place in front."""
    patterns = [re.compile(".*" + ".*".join(re.escape(part) for part in re.split(r"\s*\.\.\.\s*", row)), re.S) for row in rows]
    for asked, line in provoked():
        said = line.splitlines()[-1] if line else ""
        if not any(pattern.match(said) for pattern in patterns):
            yield f"{PAGE.name}: nothing about what `fresco {asked}` says: {said}"


def main():
    said = texts()
    found, rows = [], [message for _, message in messages()]
    for number, message in messages():
        for part in SEAM.split(message):
            part = part.strip(" ;:,")
            if len(part) > 3 and part not in said:
                found.append(f"{PAGE.name}:{number}: no source says: {part}")
    # A row of which little is fixed would explain everything.
    found += unexplained([row for row in rows if len(row.replace("...", "")) > 10])
    for finding in found:
        print(finding)
    print(f"messages: {len(rows)}, {len(WRONG)} provoked, {len(found)} findings")
    return 1 if found or len(rows) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
