#!/usr/bin/env python3
"""`fresco compare`: what it refuses before it loads anything, and what it leaves behind."""
import base64
import html.parser
import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

from support import MODEL, PROGRAM, ProgramTest, clean_environment, png_size, png_texts, run

TWO = [str(MODEL), str(MODEL)]
QUICK = ["--steps", "2,1", "--prompt", "a red ring", "--prompt", "a large blue star", "--seed", "5"]

# arguments after `fresco compare`, words the line must hold
MISTAKES = [
    ((), "MODEL_A MODEL_B"),
    ((TWO[0],), "one"),
    ((*TWO, "third"), "third"),
    ((TWO[0], "no/such/model/anywhere"), "no/such/model"),
    (("no/such/model/anywhere", TWO[0]), "no/such/model"),
    ((TWO[0], ""), "MODEL_B"),
    ((*TWO, "--steps", "0"), "--steps"),
    ((*TWO, "--steps", "30,"), "--steps"),
    ((*TWO, "--steps", ",30"), "--steps"),
    ((*TWO, "--steps", "30,40,50"), "30,40,50"),
    ((*TWO, "--steps", "30,1001"), "1001"),
    ((*TWO, "--steps", "30;50"), "30;50"),
    ((*TWO, "--sampler", "ddim,fancy"), "fancy"),
    ((*TWO, "--precision", "f32,f8"), "f8"),
    ((*TWO, "--memory", "lean,tiny"), "tiny"),
    ((*TWO, "--ops", "reference,magic"), "magic"),
    ((*TWO, "--guidance", "7,high"), "high"),
    ((*TWO, "--guidance-rescale", "0.5,2"), "guidance-rescale"),
    ((*TWO, "--device", "tpu"), "tpu"),
    ((*TWO, "--width", "129"), "129"),
    ((*TWO, "--price-per-hour", "-1"), "--price-per-hour"),
    ((*TWO, "--price-per-hour", "0"), "--price-per-hour"),
    ((*TWO, "--price-per-hour", "nan"), "--price-per-hour"),
    ((*TWO, "--repeat", "0"), "--repeat"),
    ((*TWO, "--count", "0"), "--count"),
    ((*TWO, "--count", "500"), "256"),
    ((*TWO, "--seed", "-1"), "--seed"),
    ((*TWO, "--seeds", "1,two"), "two"),
    ((*TWO, "--seeds", "1,2", "--count", "2"), "--seeds"),
    ((*TWO, "--prompts", "absent.txt"), "absent.txt"),
    ((*TWO, "--prompts", "empty.txt"), "empty.txt"),
    ((*TWO, "--out", "notes.txt"), "notes.txt"),
    ((*TWO, "--out", "nowhere/report"), "nowhere"),
    ((*TWO, "--out", ""), "--out"),
    ((*TWO, "--out", "/proc/report"), "/proc"),
    ((*TWO, "--out", "taken"), "--overwrite"),
    ((*TWO, "--out", "pictures", *QUICK), "--overwrite"),
    ((*TWO, "--out", "blocked", *QUICK), "expected a folder"),
    ((*TWO, "--stepz", "3"), "--steps"),
]


class Page(html.parser.HTMLParser):
    """Tags that were opened and not closed, sources of pictures, text."""

    EMPTY = {"meta", "img"}

    def __init__(self, content):
        super().__init__()
        self.open, self.sources, self.words, self.tags = [], [], "", set()
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.sources += [value for name, value in attributes if name == "src"]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        self.words += data


class Refusals(ProgramTest):
    def setUp(self):
        super().setUp()
        (self.folder / "notes.txt").write_text("mine")
        (self.folder / "empty.txt").write_text("# nothing\n\n")
        for name in ("taken", "pictures/a", "blocked"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "taken/report.html").write_text("mine")
        (self.folder / "pictures/a/a-red-ring-5.png").write_text("mine")
        (self.folder / "blocked/b").write_text("mine")

    def tree(self):
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*"))

    def test_mistakes_end_with_status_2_and_leave_nothing(self):
        before = self.tree()
        for arguments, word in MISTAKES:
            with self.subTest(arguments=arguments):
                self.refused(2, "compare", *arguments, says=word)
                self.assertEqual(self.tree(), before)

    def test_unwritable_folder_is_refused(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        (self.folder / "taken").chmod(0o500)
        self.refused(2, "compare", *TWO, "--out", "taken/report", says="cannot be written")

    def test_broken_prompts_end_with_status_3(self):
        (self.folder / "latin1.txt").write_bytes(b"a caf\xe9\n")
        self.refused(3, "compare", *TWO, "--prompts", "latin1.txt", says="latin1.txt:1")

    def test_half_a_model_is_refused(self):
        (self.folder / "half").mkdir()
        (self.folder / "half/model_index.json").write_text("{}")
        self.refused(2, "compare", TWO[0], "half", says="half")

    def test_measuring_process_is_not_for_people(self):
        self.refused(2, "measure-one", says="comparison")
        self.assertNotIn("measure-one", run("--help").stdout.decode())


class Reports(ProgramTest):
    def compares(self, *arguments):
        result = run("compare", *TWO, *arguments, cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result

    def test_page_and_figures_and_pictures(self):
        prompt = "<b>a red</b> \"ring\" & 星"
        (self.folder / "prompts.txt").write_text(f"{prompt}\n")
        self.compares("--steps", "2,1", "--prompts", "prompts.txt", "--seeds", "5,9", "--price-per-hour", "1.5", "--out", "r")
        report = json.loads((self.folder / "r/report.json").read_text())
        page = Page((self.folder / "r/report.html").read_text(encoding="utf-8"))
        self.assertEqual(page.open, [])
        self.assertNotIn("script", page.tags)
        self.assertEqual(len(page.sources), 4)
        for source in page.sources:
            self.assertTrue(source.startswith("data:image/png;base64,"))
            self.assertTrue(base64.b64decode(source.split(",")[1], validate=True).startswith(b"\x89PNG"))
        self.assertIn(prompt, page.words)
        self.assertIn(report["verdict"]["text"], page.words)
        self.check_figures(report)
        self.check_pictures(report, prompt)

    def check_figures(self, report):
        a, b, ratios = report["a"]["figures"], report["b"]["figures"], report["ratios"]
        self.assertEqual((a["model_calls"], b["model_calls"]), (2, 1))
        for key, value in ratios.items():
            self.assertAlmostEqual(value, a[key] / b[key], msg=key)
        self.assertEqual(a["unet_multiply_adds"], b["unet_multiply_adds"])
        for side in (a, b):
            self.assertAlmostEqual(side["cost_per_10000"], 1.5 * 10000 / side["pictures_per_hour"])
            self.assertGreater(side["peak_memory_bytes"], 50e6)
            parts = side["text_seconds"] + side["denoise_seconds"] + side["decode_seconds"]
            self.assertLess(parts, 1.2 * side["seconds_per_picture_p90"])
        self.assertEqual(len(report["a"]["runs"]), 2)
        self.assertEqual(report["a"]["settings"]["precision"], "f32")
        self.assertEqual(report["a"]["label"], "starter-128 (2 steps)")

    def check_pictures(self, report, prompt):
        self.assertEqual([pair["seed"] for pair in report["pairs"]], [5, 9])
        for pair in report["pairs"]:
            self.assertEqual(pair["prompt"], prompt)
            self.assertGreater(pair["psnr_db"], 0)
            for name in pair["files"]:
                self.assertEqual(png_size(self.folder / "r" / name), (128, 128))
                texts = png_texts(self.folder / "r" / name)
                self.assertIn(f"Seed: {pair['seed']}", texts["parameters"])
                self.assertEqual(json.loads(texts["fresco"])["prompt"], prompt)

    def test_its_pictures_can_be_drawn_again(self):
        self.compares(*QUICK, "--out", "r")
        for side in "ab":
            picture = self.folder / "r" / side / "a-large-blue-star-5.png"
            self.draws("--like", picture, "--out", f"{side}.png")
            self.assertEqual((self.folder / f"{side}.png").read_bytes(), picture.read_bytes())

    def test_name_of_the_folder_is_free_and_files_stay(self):
        self.compares(*QUICK, "--quiet")
        self.compares(*QUICK, "--quiet")
        self.assertEqual(self.names(), ["compare-starter-128-starter-128", "compare-starter-128-starter-128-2"])
        first = self.folder / self.names()[0] / "report.json"
        date = json.loads(first.read_text())["date"]
        self.refused(2, "compare", *TWO, *QUICK, "--out", first.parent, says="--overwrite")
        time.sleep(1)
        self.compares(*QUICK, "--out", first.parent, "--overwrite")
        self.assertNotEqual(json.loads(first.read_text())["date"], date)

    def test_equal_settings_give_equal_pictures(self):
        self.compares("--steps", "2", "--prompt", "a red ring", "--repeat", "2", "--out", "r")
        report = json.loads((self.folder / "r/report.json").read_text())
        self.assertTrue(report["pairs"][0]["equal"])
        self.assertEqual(len(report["b"]["runs"]), 2)
        self.assertEqual([report[side]["label"] for side in "ab"], ["starter-128 (A)", "starter-128 (B)"])

    def test_small_models_get_sentences_they_know(self):
        self.compares("--steps", "1", "--out", "r")
        report = json.loads((self.folder / "r/report.json").read_text())
        self.assertEqual(len(report["pairs"]), 8)
        self.assertIn("a red ring", [pair["prompt"] for pair in report["pairs"]])

    def test_progress_is_told_as_json(self):
        lines = self.compares(*QUICK, "--json", "--out", "r").stdout.decode().splitlines()
        events = [json.loads(line) for line in lines]
        steps = [(event["side"], event["index"], event["of"]) for event in events if event["event"] == "step"]
        self.assertEqual(steps, [("a", k, 4) for k in range(1, 5)] + [("b", k, 2) for k in range(1, 3)])
        self.assertEqual([event["model"] for event in events if event["event"] == "side"], TWO)
        self.assertEqual(events[-1]["event"], "done")
        self.assertEqual(events[-1]["files"], ["r/report.html", "r/report.json"])

    def test_a_full_disk_leaves_nothing(self):
        import resource

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # the pictures fit, the page does not

        # As JSON, so that a warning about a busy machine is not a line on standard error.
        self.refused(4, "compare", *TWO, *QUICK, "--json", "--out", "r", says="cannot write", preexec_fn=limit)
        self.assertEqual(self.names(), [])


class Signals(ProgramTest):
    def start(self):
        """A long run, once its first steps are done."""
        child = subprocess.Popen([PROGRAM, "compare", *TWO, "--steps", "1000", "--out", "r", "--json"], cwd=self.folder,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment())
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.kill)
        for line in child.stdout:
            if b'"step"' in line:
                return child
        self.fail(child.stderr.read().decode())

    def children(self, process):
        listed = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        return [int(number) for number in listed.split()]

    def wait_until_gone(self, number):
        for _ in range(100):
            status = pathlib.Path(f"/proc/{number}/stat")
            if not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
            time.sleep(0.1)
        self.fail(f"process {number} lives on")

    def test_a_signal_ends_both_processes_and_leaves_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            child = self.start()
            (measuring,) = self.children(child)
            child.send_signal(number)
            _, error = child.communicate(timeout=60)
            self.assertEqual(child.returncode, 130, error)
            self.assertEqual(error.count(b"\n"), 1, error)
            self.wait_until_gone(measuring)
            self.assertEqual(self.names(), [])

    def test_measuring_ends_with_the_program(self):
        child = self.start()
        (measuring,) = self.children(child)
        child.kill()
        self.wait_until_gone(measuring)
        child.wait()

    def test_a_killed_measurement_is_an_error(self):
        child = self.start()
        (measuring,) = self.children(child)
        os.kill(measuring, signal.SIGKILL)
        _, error = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 4)
        self.assertIn(b"was there enough memory?", error)
        self.assertEqual(self.names(), [])


if __name__ == "__main__":
    unittest.main()
