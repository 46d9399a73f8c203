#!/usr/bin/env python3
"""`pip install` of this checkout into a new environment, against the torch beside it; the module and the program draw from there; uninstalled,
nothing is left. Builds the whole library: minutes, or an hour from nothing. Wants torch's package (argument), and pip's build requirements."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TORCH = pathlib.Path(sys.argv.pop()) if len(sys.argv) > 1 else None
DRAWING = """
import fresco
pipe = fresco.Pipeline.from_pretrained(fresco.starter_model(), progress=False)
output = pipe("a red circle", num_inference_steps=2, generator=1, output_type="np", progress=False)
print(fresco.__file__, output.images.shape)
"""


@unittest.skipUnless(TORCH and (TORCH / "lib").is_dir(), "no torch package to build against")
class Wheel(unittest.TestCase):
    def run_there(self, *command, **settings):
        variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        result = subprocess.run([str(part) for part in command], cwd=self.folder, env=variables, capture_output=True, text=True, **settings)
        if "No matching distribution found" in result.stdout + result.stderr:
            self.skipTest("pip reaches no package index")
        self.assertEqual(result.returncode, 0, f"{command}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
        return result.stdout

    def test_installs_draws_and_uninstalls(self):
        with tempfile.TemporaryDirectory() as folder:
            self.folder = pathlib.Path(folder)
            self.run_there(sys.executable, "-m", "venv", "--system-site-packages", "env")
            programs = self.folder / "env/bin"
            python = programs / "python"
            site = pathlib.Path(self.run_there(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
            (site / "torch").symlink_to(TORCH)
            before = sorted(str(path) for path in site.iterdir())
            self.run_there(python, "-m", "pip", "install", "--no-deps", SOURCE)
            place, shape = self.run_there(python, "-c", DRAWING).split(maxsplit=1)
            self.assertEqual(pathlib.Path(place).parent, site / "fresco")
            self.assertEqual(shape.strip(), "(1, 128, 128, 3)")
            self.run_there(programs / "fresco", "draw", "a red circle", "--steps", "2", "--out", "circle.png")
            self.assertTrue((self.folder / "circle.png").read_bytes().startswith(b"\x89PNG"))
            self.run_there(python, "-m", "pip", "uninstall", "--yes", "fresco")
            self.assertEqual(sorted(str(path) for path in site.iterdir() if path.name != "__pycache__"), before)
            self.assertFalse((programs / "fresco").exists())


if __name__ == "__main__":
    unittest.main()
