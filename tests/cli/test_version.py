#!/usr/bin/env python3
"""`fresco --version`: one place says the version, the rest is what this program and this machine have."""
import json
import re
import unittest

from support import ROOT, run


class Version(unittest.TestCase):
    def setUp(self):
        lines = run("--version").stdout.decode().splitlines()
        self.first, self.facts = lines[0], dict(line.split(maxsplit=1) for line in lines[1:])

    def test_is_that_of_the_project(self):
        project = re.search(r"project\(fresco VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
        self.assertEqual(self.first, f"fresco {project}")

    def test_names_libtorch(self):
        self.assertRegex(self.facts["libtorch"], r"^\d+\.\d+\.\d+$")

    def test_agrees_with_what_inspect_says_of_the_machine(self):
        machine = json.loads(run("inspect", "--json").stdout)["machine"]
        compiled, _, here = self.facts["kernels"].partition("; ")
        best = machine["forms"][0]
        self.assertEqual(compiled, "amx, avx512-bf16, avx512, avx2")
        self.assertEqual(here, f"{best} runs here" if best in compiled.split(", ") else "none of them runs here")
        self.assertEqual(self.facts["instructions"], ", ".join(machine["instruction_sets"]) or "none beyond the basic ones")
        self.assertTrue(self.facts["processor"].endswith(f"{machine['threads']} threads"))

    def test_says_why_there_is_no_gpu(self):
        self.assertRegex(self.facts["GPUs"], r"^(none: \w.*|[1-9].*)$")


if __name__ == "__main__":
    unittest.main()
