#!/usr/bin/env python3
"""What a run leaves behind: names, formats, settings that draw the same bytes again, events."""
import json
import os
import resource
import signal
import subprocess
import unittest

from support import PROMPT, QUICK, ProgramTest, grey_png, png_size, png_texts, read_safetensors, run


def limit_file_size(size):
    """For a child: a file that grows beyond `size` bytes is an error of write(), as on a full disk."""

    def apply():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return apply


class Pictures(ProgramTest):
    def bytes_of(self, name):
        return (self.folder / name).read_bytes()

    def test_name_comes_from_prompt_and_seed_and_is_free(self):
        self.draws("A red circle, on WHITE!", *QUICK)
        self.draws("A red circle, on WHITE!", *QUICK)
        self.assertEqual(self.names(), ["a-red-circle-on-white-7-2.png", "a-red-circle-on-white-7.png"])
        self.assertEqual(self.bytes_of("a-red-circle-on-white-7-2.png"), self.bytes_of("a-red-circle-on-white-7.png"))

    def test_prompts_that_make_no_name_stay_inside_the_folder(self):
        self.draws("../../etc/passwd", "星", "x" * 5000, "", *QUICK, "--quiet")
        self.assertEqual(self.names(), ["etc-passwd-7.png", "picture-10.png", "picture-8.png", "x" * 60 + "-9.png"])

    def test_out_decides_name_folder_and_format(self):
        (self.folder / "pictures").mkdir()
        self.draws("ring", *QUICK, "--out", "pictures")
        self.assertTrue((self.folder / "pictures/ring-7.png").exists())
        for name, magic in {"a.png": b"\x89PNG", "a.jpg": b"\xff\xd8", "a.JPEG": b"\xff\xd8", "a.webp": b"RIFF"}.items():
            self.draws("ring", *QUICK, "--out", name)
            self.assertTrue(self.bytes_of(name).startswith(magic), name)

    def test_several_pictures_are_numbered_and_the_sheet_has_the_name(self):
        self.draws("ring", "star", "--count", "2", *QUICK, "--out", "s.png", "--grid")
        self.assertEqual(self.names(), ["s-1.png", "s-2.png", "s-3.png", "s-4.png", "s.png"])
        self.assertEqual(png_size(self.folder / "s-1.png"), (128, 128))
        self.assertEqual(png_size(self.folder / "s.png"), (256, 256))
        self.assertIn("star", png_texts(self.folder / "s-3.png")["parameters"])
        self.assertIn("Seed: 10", png_texts(self.folder / "s-4.png")["parameters"])

    def test_prompts_come_from_a_file(self):
        (self.folder / "p.txt").write_bytes("\ufeff# shapes\n\n  ring \r\nstar\n".encode())
        self.draws("--prompts", "p.txt", *QUICK, "--out", "p.png")
        self.assertTrue(png_texts(self.folder / "p-1.png")["parameters"].startswith("ring\n"))
        self.assertTrue(png_texts(self.folder / "p-2.png")["parameters"].startswith("star\n"))

    def test_overwrite_replaces(self):
        self.draws("ring", *QUICK, "--out", "a.png")
        first = self.bytes_of("a.png")
        self.draws("star", *QUICK, "--out", "a.png", "--overwrite")
        self.assertNotEqual(first, self.bytes_of("a.png"))

    def test_parameters_hold_every_setting(self):
        self.draws(PROMPT, *QUICK, "--negative", "dots, lines", "--guidance", "5", "--sampler", "euler", "--out", "a.png")
        lines = png_texts(self.folder / "a.png")["parameters"].splitlines()
        self.assertEqual(lines[:2], [PROMPT, "Negative prompt: dots, lines"])
        settings = dict(pair.split(": ", 1) for pair in lines[2].split(", "))
        self.assertEqual({key: settings[key] for key in ("Steps", "Sampler", "Seed", "Size", "Precision")},
                         {"Steps": "2", "Sampler": "Euler", "Seed": "7", "Size": "128x128", "Precision": "f32"})
        self.assertEqual(float(settings["CFG scale"]), 5)
        self.assertRegex(settings["Model hash"], "^[0-9a-f]{10}$")
        self.assertTrue(lines[2].split(", ")[-1].startswith("Version: fresco"))

    def test_latents_and_pictures_are_saved_as_tensors(self):
        self.draws("ring", "star", "ring", *QUICK, "--batch", "2", "--out", "a.png", "--save-latents", "l.safetensors")
        header, data = read_safetensors(self.folder / "l.safetensors")
        self.assertEqual({name: (entry["dtype"], entry["shape"]) for name, entry in header.items()},
                         {"latents": ("F32", [3, 4, 16, 16]), "image": ("F32", [3, 3, 128, 128])})
        self.assertEqual(len(data), 4 * (3 * 4 * 16 * 16 + 3 * 3 * 128 * 128))

    def test_preview_is_a_whole_picture(self):
        self.draws("ring", *QUICK, "--out", "a.png", "--preview", "p.png")
        self.assertEqual(self.names(), ["a.png", "p.png"])
        self.assertTrue(self.bytes_of("p.png").endswith(b"IEND\xaeB`\x82"))

    def test_random_seed_is_told_and_recorded(self):
        out = self.draws("ring", "--steps", "1", "--out", "a.png").stdout.decode()
        seed = next(line.split()[1] for line in out.splitlines() if line.startswith("seed "))
        self.draws("ring", "--steps", "1", "--out", "b.png", "--seed", seed)
        self.assertEqual(self.bytes_of("a.png"), self.bytes_of("b.png"))

    def test_like_draws_the_same_bytes(self):
        (self.folder / "photo.png").write_bytes(grey_png(128, 128, 90))
        (self.folder / "mask.png").write_bytes(grey_png(128, 128, 255))
        cases = [("--sampler", "ddim", "--eta", "0.5", "--negative", "a, \"b\""),
                 ("--sampler", "dpmpp-2m", "--schedule", "karras", "--guidance", "4.3"),
                 ("--init", "photo.png", "--strength", "0.9", "--steps", "3"),
                 ("--init", "photo.png", "--mask", "mask.png"),
                 ("--width", "192", "--height", "64", "--ops", "reference", "--clip-skip", "1"),
                 ("--memory", "lean")]
        for index, case in enumerate(cases):
            with self.subTest(case):
                self.draws(PROMPT, *QUICK, *case, "--out", f"{index}.png")
                self.draws("--like", f"{index}.png", "--out", f"{index}-again.png")
                self.assertEqual(self.bytes_of(f"{index}.png"), self.bytes_of(f"{index}-again.png"))

    def test_lean_memory_draws_the_same_picture(self):
        self.draws(PROMPT, *QUICK, "--out", "fast.webp", "--save-latents", "fast.safetensors")
        self.draws(PROMPT, *QUICK, "--out", "lean.webp", "--save-latents", "lean.safetensors", "--memory", "lean")
        self.assertEqual(self.bytes_of("fast.safetensors"), self.bytes_of("lean.safetensors"))

    def test_like_draws_one_of_a_batch_again(self):
        self.draws("ring", "star", "cross", *QUICK, "--batch", "2", "--out", "b.png")
        for name in ("b-1.png", "b-2.png", "b-3.png"):
            self.draws("--like", name, "--out", "again-" + name)
            self.assertEqual(self.bytes_of(name), self.bytes_of("again-" + name), name)

    def test_like_reads_jpeg_and_webp(self):
        for suffix in ("jpg", "webp"):
            self.draws(PROMPT, *QUICK, "--out", f"a.{suffix}")
            self.draws("--like", f"a.{suffix}", "--out", f"b.{suffix}")
            self.assertEqual(self.bytes_of(f"a.{suffix}"), self.bytes_of(f"b.{suffix}"))

    def test_options_beside_like_win(self):
        self.draws("ring", *QUICK, "--sampler", "dpmpp-2m", "--schedule", "karras", "--out", "a.png")
        self.draws("--like", "a.png", "--sampler", "ddim", "--seed", "9", "--out", "b.png")
        self.draws("ring", "--steps", "2", "--sampler", "ddim", "--seed", "9", "--out", "c.png")
        self.assertEqual(self.bytes_of("b.png"), self.bytes_of("c.png"))

    def test_like_wants_the_same_inputs(self):
        (self.folder / "photo.png").write_bytes(grey_png(128, 128, 90))
        self.draws("ring", *QUICK, "--init", "photo.png", "--out", "a.png")
        (self.folder / "photo.png").write_bytes(grey_png(128, 128, 91))
        self.refused(2, "draw", "--like", "a.png", "--out", "b.png", says=("photo.png", "--init"))
        (self.folder / "photo.png").unlink()
        self.refused(2, "draw", "--like", "a.png", "--out", "b.png", says=("photo.png", "--init"))

    def test_events_are_one_json_object_a_line(self):
        out = self.draws("ring", "star", *QUICK, "--batch", "1", "--out", "a.png", "--json").stdout.decode()
        events = [json.loads(line) for line in out.splitlines()]
        steps = [(event["index"], event["of"]) for event in events if event["event"] == "step"]
        self.assertEqual(steps, [(1, 4), (2, 4), (3, 4), (4, 4)])
        self.assertTrue({"load", "stage", "step", "done"} <= {event["event"] for event in events})
        stages = {event["name"] for event in events if event["event"] == "stage"}
        self.assertTrue({"tokenize", "encode text", "denoise", "decode"} <= stages, stages)
        done = events[-1]
        self.assertEqual((done["event"], done["files"]), ("done", ["a-1.png", "a-2.png"]))
        self.assertGreater(done["seconds"], 0)
        self.assertGreater(done["peak_memory_bytes"], 10_000_000)
        self.assertEqual((done["settings"]["steps"], done["settings"]["seed"]), (2, 7))

    def test_long_prompts_warn_and_quote_what_was_cut(self):
        result = self.draws("star " * 80 + "quintessence", *QUICK, "--out", "a.png", "--quiet")
        self.assertIn("quintessence", result.stderr.decode())

    def test_full_disk_ends_with_status_4_and_leaves_nothing(self):
        self.refused(4, "draw", "ring", *QUICK, "--out", "a.png", says="a.png", preexec_fn=limit_file_size(200))

    def test_full_disk_of_its_own(self):
        place = self.folder / "disk"
        place.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", place], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("a small disk cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", place], check=True)
        self.refused(4, "draw", "ring", *QUICK, "--out", "disk/a.png", says="a.png")
        self.assertEqual(list(place.iterdir()), [])

    def test_full_standard_output(self):
        with open("/dev/full", "wb") as full:
            from support import PROGRAM
            result = subprocess.run([PROGRAM, "samplers"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual((result.returncode, result.stderr.count(b"\n")), (4, 1))

    def test_more_than_the_memory_is_refused_before_work(self):
        if os.environ.get("FRESCO_SANITIZE"):
            self.skipTest("sanitizers need terabytes of address space")

        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

        self.refused(4, "draw", "ring", *QUICK, "--width", "8192", "--height", "8192", says=("expected", "got", "GB"), preexec_fn=limit)


class Inspect(ProgramTest):
    def test_counts_and_verdict(self):
        model = json.loads(run("inspect", "--json").stdout)
        self.assertEqual(model["family"], "DeciDiffusion 1.0")
        self.assertTrue(model["whole"])
        self.assertEqual({part["name"]: list(part["element_types"]) for part in model["parts"]},
                         {"text_encoder": ["F16"], "unet": ["F16"], "vae": ["F16"]})
        self.assertIn("DDIMScheduler", run("inspect").stdout.decode())


if __name__ == "__main__":
    unittest.main()
