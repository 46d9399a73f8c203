"""What the tests of the program share: running it, and making models and pictures that are broken in one chosen way."""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("FRESCO_PROGRAM", str(ROOT / "build/release/apps/cli/fresco"))
MODEL = pathlib.Path(os.environ.get("FRESCO_MODEL", ROOT / "models/starter-128"))
PROMPT = "a large blue star on a yellow background"
QUICK = ["--steps", "2", "--seed", "7"]


def tiny_recipe(count, steps, watch, more=""):
    """A training of one phase on a few shapes, seconds long. more: lines of the phase."""
    lines = "".join(f"    {line}\n" for line in more.splitlines())
    return f"""
name: test
seed: 5
model: {MODEL}
from_nothing: false
phases:
  - name: shapes
    data: {{path: shapes, count: {count}, seed: 3}}
    fit: {{resolution: 64}}
    steps: {steps}
    batch: 4
{lines}watch: {{log_every: 1, sample_every: 0, {watch}}}
"""


def clean_environment(**changes):
    """One thread a program: CTest runs several tests at once."""
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM")}
    environment.update({"FRESCO_MODEL": str(MODEL), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"})
    environment.update(changes)
    return environment


def run(*arguments, cwd=None, timeout=120, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], cwd=cwd, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL,
                          env=options.pop("env", clean_environment()), **options)


class ProgramTest(unittest.TestCase):
    """Each test gets an empty folder, in which the program runs."""

    def setUp(self):
        if not (MODEL / "model_index.json").exists():
            self.skipTest(f"no model at {MODEL}")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fresco-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def draws(self, *arguments, **options):
        result = run("draw", *arguments, cwd=self.folder, **options)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result

    def refused(self, status, *arguments, says=(), **options):
        """Ends with `status`, says why in exactly one line, and leaves the folder as it was."""
        before = {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        result = run(*arguments, cwd=self.folder, **options)
        error = result.stderr.decode()
        self.assertEqual(result.returncode, status, error)
        self.assertTrue(error.replace("\n", "").isprintable(), error)
        self.assertEqual(error.count("\n"), 1, error)
        self.assertLess(len(error), 1000, error)
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, error)
        after = {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        self.assertEqual(before, after)
        return error


def copy_model(target, leave_out=()):
    """A folder whose files are links to the model's, so that a test can replace some."""
    for source in MODEL.rglob("*"):
        name = source.relative_to(MODEL)
        if source.is_file() and name.parts[0] not in ("samples", "unet", *leave_out):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).symlink_to(source)
    return target


def replace(path, content):
    """Puts another file where a link to the model's was."""
    path.unlink(missing_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def read_safetensors(path):
    """(header without metadata, bytes of the tensors)"""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    return header, content[8 + length:]


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def png_size(path):
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n", path
    return struct.unpack(">II", content[16:24])


def png_texts(path):
    """keyword -> text of tEXt and iTXt chunks."""
    content, texts, place = path.read_bytes(), {}, 8
    while place < len(content):
        (length,), kind = struct.unpack(">I", content[place:place + 4]), content[place + 4:place + 8]
        body = content[place + 8:place + 8 + length]
        if kind == b"tEXt":
            keyword, text = body.split(b"\0", 1)
            texts[keyword.decode()] = text.decode("latin-1")
        elif kind == b"iTXt":
            keyword, rest = body.split(b"\0", 1)
            text = rest[2:].split(b"\0", 2)[2]
            texts[keyword.decode()] = (zlib.decompress(text) if rest[0] else text).decode()
        place += 12 + length
    return texts


def grey_png(width, height, value=128):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + bytes([value]) * width) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
