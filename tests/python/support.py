"""What the tests of the Python module share. FRESCO_* variables come from CTest."""
import pathlib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDENS = ROOT.parent / "shared/goldens"
TINY = GOLDENS / "models/tiny-sd15"

import fresco  # noqa: E402


class ModuleTest(unittest.TestCase):
    _starter = None

    @classmethod
    def starter(cls):
        """The shipped model, loaded once a process."""
        if ModuleTest._starter is None:
            ModuleTest._starter = fresco.Pipeline.from_pretrained(fresco.starter_model(), progress=False)
            ModuleTest._starter.set_progress_bar_config(disable=True)
        return ModuleTest._starter

    def draw(self, prompt="a red circle", **settings):
        settings = {"num_inference_steps": 2, "generator": 1, "output_type": "np", **settings}
        return self.starter()(prompt, **settings)

    def refuses(self, call, *words, kind=fresco.InputError):
        """`call` raises `kind` with one line that holds the words."""
        with self.assertRaises(kind) as caught:
            call()
        for word in words:
            self.assertIn(word, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))
        return caught.exception
