#!/usr/bin/env python3
"""`fresco calibrate`, and what draw, pack and inspect make of its file."""
import json
import unittest

from support import MODEL, PROMPT, QUICK, ProgramTest, copy_model, run

MACHINE = json.loads(run("inspect", "--json").stdout)["machine"]
HAS_INT8 = any(precision["name"] == "int8" for precision in MACHINE["precisions"])


class Calibrate(ProgramTest):
    def setUp(self):
        super().setUp()
        if not HAS_INT8:
            self.skipTest("this processor has no products of 8-bit integers")

    def calibrate(self, *arguments):
        result = run("calibrate", MODEL, "--out", "int8.json", "--steps", "1", *arguments, cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result

    def test_it_tells_and_writes_what_it_measured(self):
        (self.folder / "prompts.txt").write_text("# mine\na red circle\n\n")
        told = self.calibrate("--prompts", "prompts.txt").stdout.decode()
        found = json.loads((self.folder / "int8.json").read_text())
        self.assertEqual(found["prompts"], ["a red circle"])
        self.assertEqual(found["layers"], sorted(found["layers"], key=lambda layer: layer["db"]))
        worst = found["layers"][0]
        self.assertIn(f"{worst['db']:.1f}", told)
        self.assertIn(worst["name"], told)
        self.assertIn("kept in bf16", told)

    def test_json_tells_the_same(self):
        (self.folder / "prompts.txt").write_text("a red circle")
        lines = [json.loads(line) for line in self.calibrate("--json", "--prompts", "prompts.txt").stdout.splitlines()]
        self.assertEqual(lines[-1]["event"], "done")
        self.assertEqual(lines[-1]["settings"], json.loads((self.folder / "int8.json").read_text()))

    def test_draw_pack_and_inspect_use_it(self):
        self.calibrate()
        found = json.loads((self.folder / "int8.json").read_text())
        for layer in found["layers"]:
            layer["kept"] = layer["name"].endswith("ff.net.0.proj")
        (self.folder / "mine.json").write_text(json.dumps(found))
        kept = sum(layer["kept"] for layer in found["layers"])
        self.assertGreater(kept, 0)
        line = f"int8: {kept} of {len(found['layers'])} matrices kept in bf16"
        int8 = ["--precision", "int8", "--calibration", "mine.json"]
        drawn = self.draws(PROMPT, *QUICK, *int8, "--out", "a.png", "--save-latents", "a.safetensors")
        self.assertIn(line, drawn.stdout.decode())
        packing = run("pack", MODEL, *int8, "--out", "model.fresco", cwd=self.folder)
        self.assertEqual(packing.returncode, 0, packing.stderr.decode())
        self.assertIn(f"{kept} of {len(found['layers'])} matrices kept in bf16", packing.stdout.decode())
        self.assertIn(line, run("inspect", "model.fresco", cwd=self.folder).stdout.decode())
        self.draws(PROMPT, *QUICK, "--model", "model.fresco", "--out", "b.png", "--save-latents", "b.safetensors")
        self.draws("--like", "a.png", "--out", "c.png", "--save-latents", "c.safetensors")
        first = (self.folder / "a.safetensors").read_bytes()
        self.assertEqual((self.folder / "b.safetensors").read_bytes(), first)
        self.assertEqual((self.folder / "c.safetensors").read_bytes(), first)
        self.draws(PROMPT, *QUICK, "--precision", "int8", "--out", "d.png", "--save-latents", "d.safetensors")
        self.assertNotEqual((self.folder / "d.safetensors").read_bytes(), first)

    def test_one_of_other_weights_brings_a_warning(self):
        self.calibrate()
        path = self.folder / "int8.json"
        path.write_text(path.read_text().replace('"weights_hash": "', '"weights_hash": "0'))
        drawn = self.draws(PROMPT, *QUICK, "--precision", "int8", "--calibration", path)
        self.assertIn("calibrated for other weights", drawn.stderr.decode())

    def test_mistakes_are_told_in_one_line(self):
        def file(name, content):
            (self.folder / name).write_bytes(content)

        file("empty.txt", b"# nothing\n\n")
        file("latin.txt", b"caf\xe9\n")
        file("not.json", b"{")
        file("other.json", b'{"steps": 3}')
        file("there.json", b"mine")
        calibrate = ["calibrate", MODEL]
        self.refused(2, *calibrate, says="--out")
        self.refused(2, *calibrate, "--out", "there.json", says="--overwrite")
        self.refused(2, *calibrate, "--out", "nowhere/x.json", says="no such folder")
        self.refused(2, *calibrate, "--out", "x.json", "--prompts", "no.txt", says="no.txt")
        self.refused(2, *calibrate, "--out", "x.json", "--prompts", "empty.txt", says="expected a prompt a line")
        self.refused(3, *calibrate, "--out", "x.json", "--prompts", "latin.txt", says="latin.txt:1")
        self.refused(2, *calibrate, "--out", "x.json", "--steps", "0", says="--steps")
        pack = ["pack", MODEL, "--out", "x.fresco"]
        self.refused(2, *pack, "--precision", "int8", "--calibrate", "empty.txt", says="--calibrate empty.txt")
        self.refused(2, *pack, "--precision", "bf16", "--calibrate", "latin2.txt", says="latin2.txt")
        file("prompts.txt", b"a red circle")
        self.refused(2, *pack, "--precision", "bf16", "--calibrate", "prompts.txt", says="--precision int8")
        self.refused(2, *pack, "--calibrate", "prompts.txt", "--calibration", "not.json", says="both")
        draw = ["draw", PROMPT, *QUICK, "--precision", "int8", "--calibration"]
        self.refused(3, *draw, "not.json", says="not.json")
        self.refused(3, *draw, "other.json", says="not a calibration")
        self.refused(2, *draw, "no.json", says="no.json")

    def test_a_broken_one_in_the_models_folder_is_named(self):
        model = copy_model(self.folder / "model")
        (model / "calibration.json").write_text("[]")
        self.refused(3, "draw", PROMPT, *QUICK, "--model", model, "--precision", "int8", says="calibration.json")
        self.draws(PROMPT, *QUICK, "--model", model)


if __name__ == "__main__":
    unittest.main()
