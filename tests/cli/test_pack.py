#!/usr/bin/env python3
"""`fresco pack`: one file that draws what its model draws, or one line and nothing written."""
import json
import signal
import subprocess
import time
import unittest

from support import MODEL, PROGRAM, PROMPT, QUICK, ProgramTest, clean_environment, run


class Pack(ProgramTest):
    def pack(self, *arguments, status=0):
        result = run("pack", MODEL, "--out", "model.fresco", *arguments, cwd=self.folder)
        self.assertEqual(result.returncode, status, result.stderr.decode())
        return result

    def test_the_file_draws_what_the_model_draws(self):
        self.assertIn("packed for", self.pack().stdout.decode())
        for name, model in (("packed", "model.fresco"), ("folder", MODEL)):
            self.draws(PROMPT, *QUICK, "--model", model, "--out", f"{name}.png", "--save-latents", f"{name}.safetensors")
        self.assertEqual((self.folder / "packed.safetensors").read_bytes(), (self.folder / "folder.safetensors").read_bytes())
        told = json.loads(run("inspect", "--json", "model.fresco", cwd=self.folder).stdout)
        self.assertTrue(told["whole"])
        self.assertEqual(told["packed"]["products"], "f32")
        self.assertIn("packed", run("inspect", "model.fresco", cwd=self.folder).stdout.decode())

    def test_json_tells_the_result(self):
        lines = [json.loads(line) for line in self.pack("--json").stdout.splitlines()]
        self.assertEqual(lines[-1]["event"], "done")
        self.assertEqual(lines[-1]["files"], ["model.fresco"])
        self.assertEqual(lines[-1]["settings"]["bytes"], (self.folder / "model.fresco").stat().st_size)

    def test_what_cannot_be_packed_is_refused(self):
        self.refused(2, "pack", MODEL, says="--out")
        self.refused(2, "pack", MODEL, "--out", "nowhere/file", says="no such folder")
        self.refused(2, "pack", "no-such-model", "--out", "file", says="no-such-model")
        self.refused(2, "pack", MODEL, "--out", "file", "--precision", "f16", says="f16")
        self.refused(2, "pack", MODEL, "--out", "file", "--precision", "f7", says="f7")
        self.pack()
        self.refused(2, "pack", MODEL, "--out", "model.fresco", says="--overwrite")
        self.refused(2, "draw", PROMPT, *QUICK, "--model", "model.fresco", "--config", MODEL, says="--config")
        self.refused(2, "inspect", MODEL, "--verify", says="not packed")
        self.pack("--overwrite")

    def test_broken_files_are_refused(self):
        self.pack()
        whole = (self.folder / "model.fresco").read_bytes()
        broken = self.folder / "broken"
        header = whole.rindex(b'{"isa"')
        cases = {"cut": whole[:-1], "half": whole[: len(whole) // 2], "preamble alone": whole[:64], "magic alone": whole[:8],
                 "longer": whole + b"x", "another version": whole[:8] + b"\x09" + whole[9:],
                 "header changed": whole[: header + 9] + b"X" + whole[header + 10:]}
        for name, content in cases.items():
            with self.subTest(name):
                broken.write_bytes(content)
                self.refused(3, "draw", PROMPT, *QUICK, "--model", "broken", says="broken")
                self.refused(3, "inspect", "broken", says="broken")
        broken.write_bytes(whole[:8192] + bytes([whole[8192] ^ 1]) + whole[8193:])
        result = run("inspect", "broken", "--verify", cwd=self.folder)
        self.assertEqual(result.returncode, 3)
        self.assertIn("damaged", result.stderr.decode())
        self.assertIn("every checksum fits", run("inspect", "model.fresco", "--verify", cwd=self.folder).stdout.decode())

    def test_interrupted_it_leaves_nothing(self):
        program = subprocess.Popen([PROGRAM, "pack", str(MODEL), "--out", "model.fresco"], cwd=self.folder,
                                   env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while program.poll() is None and not self.names():
            time.sleep(0.001)
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=60)
        self.assertIn(program.returncode, (130, 0))
        self.assertEqual(self.names(), [] if program.returncode else ["model.fresco"])


if __name__ == "__main__":
    unittest.main()
