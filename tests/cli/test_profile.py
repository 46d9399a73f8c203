#!/usr/bin/env python3
"""`fresco draw --profile`: the tables, the trace file, its name; what `fresco inspect` says of the machine."""
import json
import unittest

from support import PROMPT, QUICK, ProgramTest, grey_png, run


def events(trace):
    return [event for event in trace["traceEvents"] if event["ph"] == "X"]


class Profile(ProgramTest):
    def trace(self, name):
        return json.loads((self.folder / name).read_text())

    def test_tables_fit_a_terminal_and_name_operators_layers_and_stages(self):
        text = self.draws(PROMPT, *QUICK, "--out", "a.png", "--profile").stdout.decode()
        self.assertEqual(self.names(), ["a.png", "a.trace.json"])
        tables = text[text.index("Where "):text.index("wrote ")]
        self.assertLessEqual(max(map(len, tables.splitlines())), 100, tables)
        for word in ("conv2d/", "linear/", "other", "slowest layers", "blocks.", "denoise", "unet", "vae decoder", "write",
                     "GFLOP/s", "GB moved", "GB/s"):
            self.assertIn(word, tables)
        self.assertIn("wrote a.trace.json", text)

    def test_trace_holds_every_step_and_events_lie_within_the_drawing(self):
        self.draws(PROMPT, *QUICK, "--out", "a.png", "--profile", "t.json", "--quiet")
        trace = self.trace("t.json")
        found = events(trace)
        self.assertEqual([e["name"] for e in found if e["cat"] == "step"], ["step 1", "step 2"])
        stages = [e["name"] for e in found if e["cat"] == "stage"]
        self.assertEqual(stages, ["tokenize", "encode text", "make latents", "denoise", "decode", "write"])
        denoise = next(e for e in found if e["name"] == "denoise")
        inside = [e for e in found if e["cat"] == "network" and e["name"] == "unet"]
        self.assertEqual(len(inside), 2)
        for event in inside:
            self.assertGreaterEqual(event["ts"], denoise["ts"])
            self.assertLessEqual(event["ts"] + event["dur"], denoise["ts"] + denoise["dur"] + 0.001)
        convolution = next(e for e in found if e["name"] == "conv2d")
        self.assertEqual(convolution["args"]["layer"], "conv_in")
        self.assertGreater(convolution["args"]["GFLOP"], 0)

    def test_a_word_that_is_no_file_name_stays_a_prompt(self):
        self.draws("--profile", "ring", *QUICK, "--quiet")
        self.assertEqual(self.names(), ["ring-7.png", "ring-7.trace.json"])
        self.draws("--profile", "ring", *QUICK, "--quiet")
        self.assertEqual(len(self.names()), 4, "neither name is taken twice")

    def test_several_pictures_share_a_trace(self):
        self.draws("ring", "star", *QUICK, "--out", "a.png", "--batch", "1", "--profile=t.json", "--quiet")
        self.assertEqual(self.names(), ["a-1.png", "a-2.png", "t.json"])
        self.assertEqual(len([e for e in events(self.trace("t.json")) if e["cat"] == "step"]), 4)

    def test_programs_get_the_numbers_as_an_event(self):
        output = self.draws(PROMPT, *QUICK, "--out", "a.png", "--profile", "--json").stdout.decode()
        lines = [json.loads(line) for line in output.splitlines()]
        profile = next(line for line in lines if line["event"] == "profile")
        for op in profile["operators"]:
            self.assertGreater(op["calls"], 0)
            self.assertGreaterEqual(op["seconds"], 0)
        total = sum(op["seconds"] for op in profile["operators"])
        self.assertAlmostEqual(total, profile["operator_seconds"], places=6)
        self.assertLessEqual(total, profile["seconds"])
        self.assertGreater(profile["machine"]["memory_bytes_per_second"], 0)
        unet = next(stage for stage in profile["stages"] if stage.get("network") == "unet")
        self.assertEqual(unet["calls"], 2)
        self.assertIn("a.trace.json", lines[-1]["files"])

    def test_a_picture_is_the_same_with_and_without(self):
        self.draws(PROMPT, *QUICK, "--out", "a.png", "--profile")
        self.draws(PROMPT, *QUICK, "--out", "b.png")
        self.assertEqual((self.folder / "a.png").read_bytes(), (self.folder / "b.png").read_bytes())

    def test_files_that_cannot_be_written_are_refused_before_drawing(self):
        (self.folder / "taken.json").write_text("mine")
        (self.folder / "one.png").write_bytes(grey_png(8, 8))
        self.refused(2, "draw", PROMPT, "--profile", "taken.json", says="--overwrite")
        self.refused(2, "draw", PROMPT, "--profile", "nowhere/t.json", says="nowhere")
        self.refused(2, "draw", PROMPT, "--profile=trace.txt", says=".json")
        self.refused(2, "draw", PROMPT, "--profile=", says="--profile")

    def test_inspect_tells_what_the_machine_runs(self):
        machine = json.loads(run("inspect", "--json").stdout)["machine"]
        self.assertGreaterEqual(machine["threads"], 1)
        self.assertIn("float32", machine["native"])
        self.assertEqual("bfloat16" in machine["native"], bool({"AVX-512 BF16", "AMX BF16"} & set(machine["instruction_sets"])))
        self.assertEqual(machine["precisions"][-1], {"name": "f32", "psnr_db": None})
        text = run("inspect").stdout.decode()
        self.assertIn("f32 exact", text)
        self.assertIn("This machine", text)
        for name in machine["instruction_sets"] + machine["native"] + machine["forms"]:
            self.assertIn(name, text)


if __name__ == "__main__":
    unittest.main()
