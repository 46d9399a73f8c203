#!/usr/bin/env python3
"""`fresco train`: a recipe becomes a model that draws, however often the program is killed on the way; what cannot be trained is refused first."""
import array
import json
import random
import shutil
import resource
import signal
import socket
import subprocess
import time
import unittest

from support import PROGRAM, ProgramTest, clean_environment, read_safetensors, run, tiny_recipe

RECIPE = tiny_recipe(count=40, steps=16, watch="checkpoint_every: 3, validate_every: 0", more="""\
optimizer: {learning_rate: 0.001}
ema: {decay: 0.5}
noise: {betas: cosine, zero_terminal_snr: true}""")
WEIGHTS = "model/flexible_unet/diffusion_pytorch_model.safetensors"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Train(ProgramTest):
    def setUp(self):
        super().setUp()
        (self.folder / "recipe.yaml").write_text(RECIPE)

    def train(self, out, *arguments, status=0, **options):
        result = run("train", "recipe.yaml", "--out", out, *arguments, cwd=self.folder, **options)
        self.assertEqual(result.returncode, status, result.stderr.decode())
        return result

    def start(self, out):
        return subprocess.Popen([PROGRAM, "train", "recipe.yaml", "--out", out, "--json"], cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=clean_environment())

    def await_event(self, process, event, times=1):
        """Until the program has told of so many of them."""
        for line in process.stdout:
            times -= json.loads(line)["event"] == event
            if times <= 0:
                return

    def weights(self, out):
        return (self.folder / out / WEIGHTS).read_bytes()

    def logged(self, out):
        """(step, loss) of every step in the run's record."""
        lines = [json.loads(line) for line in (self.folder / out / "log.jsonl").read_text().splitlines()]
        return [(line["step"], line["loss"]) for line in lines if "loss" in line]

    def test_a_recipe_becomes_a_model_that_draws(self):
        self.train("run")
        self.draws("a red circle", "--model", "run/model", "--steps", "2", "--seed", "1", "--out", "picture.png")
        self.assertEqual([step for step, _ in self.logged("run")], list(range(1, 17)))

    def test_a_page_tells_of_a_run_while_it_goes_on_and_afterwards(self):
        process = self.start("run")
        self.await_event(process, "step")
        page = self.folder / "run/report.html"
        told = run("train", "--report", "run", cwd=self.folder)
        self.assertEqual((told.returncode, told.stdout), (0, b"wrote run/report.html\n"), told.stderr.decode())
        self.assertIn("pictures seen", page.read_text())
        process.communicate(timeout=120)
        self.assertIn("64 pictures seen", page.read_text())
        self.assertIn("; finished", page.read_text())
        self.assertTrue(list((self.folder / "run").glob("events.out.tfevents.*")))
        for arguments in (["--report", "none"], ["--report", "run", "recipe.yaml"]):
            self.assertEqual(run("train", *arguments, cwd=self.folder).returncode, 2, arguments)

    def test_killed_at_any_step_it_ends_with_the_same_bits(self):
        self.train("whole")
        chance = random.Random(7)
        kills = 0
        for _ in range(20):
            process = self.start("killed")
            self.await_event(process, chance.choice(["step", "checkpoint"]), chance.randint(1, 2))
            time.sleep(chance.random() / 20)
            process.kill()
            process.communicate(timeout=60)
            self.assertIn(process.returncode, (0, -signal.SIGKILL))
            kills += 1
            if (self.folder / "killed/model").exists():  # it was quicker: again from nothing
                shutil.rmtree(self.folder / "killed")
                kills = 0
            if kills == 3:
                break
        self.assertEqual(kills, 3)
        self.train("killed")
        self.assertEqual(self.weights("killed"), self.weights("whole"))
        self.assertEqual(self.logged("killed"), self.logged("whole"))

    def test_asked_to_stop_it_writes_a_checkpoint_first(self):
        self.train("whole")
        process = self.start("stopped")
        self.await_event(process, "step")
        process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 130)
        stopped = [line for line in map(json.loads, told.splitlines()) if line["event"] == "stopped"]
        newest = sorted((self.folder / "stopped/checkpoints").iterdir())[-1].name
        self.assertEqual(newest, f"00-{stopped[0]['step']:09}.safetensors")
        self.train("stopped")
        self.assertEqual(self.weights("stopped"), self.weights("whole"))

    def test_a_full_disk_pauses_the_checkpoint_and_keeps_the_old_one(self):
        first = self.start("run")
        self.await_event(first, "step")
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
        kept = sorted(path.name for path in (self.folder / "run/checkpoints").iterdir())
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
        result = run("train", "recipe.yaml", "--out", "run", cwd=self.folder, preexec_fn=limit)
        self.assertEqual(result.returncode, 4, result.stderr.decode())  # the model itself cannot be written
        self.assertIn("checkpoint", (result.stdout + result.stderr).decode())
        self.assertEqual(sorted(path.name for path in (self.folder / "run/checkpoints").iterdir()), kept)
        self.train("run")

    def start_job(self, out, size, port):
        """One process of a job for each rank, as a launcher starts them."""
        def environment(rank):
            return clean_environment(RANK=str(rank), WORLD_SIZE=str(size), LOCAL_RANK=str(rank), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        return [subprocess.Popen([PROGRAM, "train", "recipe.yaml", "--out", out, "--json"], cwd=self.folder, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=environment(rank)) for rank in range(size)]

    def in_float64(self):
        """Adam's first steps turn on the signs of gradients: in float32 the order of sums shows in the losses' third digit."""
        exact = RECIPE.replace("steps: 16", "steps: 8\n    precision: f64").replace("seed: 5", "seed: 5\nhalf_weights: false")
        (self.folder / "recipe.yaml").write_text(exact)

    def assert_same(self, out, other):
        for (step, a), (_, b) in zip(self.logged(out), self.logged(other), strict=True):
            self.assertAlmostEqual(a, b, delta=1e-9 * a, msg=f"step {step}")
        (header, a), (same, b) = (read_safetensors(self.folder / name / WEIGHTS) for name in (out, other))
        self.assertEqual(header, same)
        for x, y in zip(array.array("f", a), array.array("f", b)):  # rounded to float32 from values that agree far beyond it
            if x != y:
                self.assertLess(abs(x - y), 1e-6 * max(abs(x), 1e-3))

    def test_two_processes_learn_what_one_does(self):
        self.in_float64()
        self.train("one")
        for process in self.start_job("two", 2, free_port()):
            self.assertEqual(process.communicate(timeout=120)[1].decode(), "")
            self.assertEqual(process.returncode, 0)
        self.assert_same("one", "two")

    def test_two_processes_that_share_the_optimiser_do_too(self):
        self.in_float64()
        self.train("one")
        recipe = (self.folder / "recipe.yaml").read_text()
        (self.folder / "recipe.yaml").write_text(recipe.replace("batch: 4", "batch: 4\n    shard_optimizer: true"))
        for process in self.start_job("two", 2, free_port()):
            self.assertEqual(process.communicate(timeout=120)[1].decode(), "")
        self.assert_same("one", "two")

    def test_what_ends_one_process_is_told_by_all(self):
        (self.folder / "photos").mkdir()
        (self.folder / "photos/a.png").write_bytes(b"no picture")
        (self.folder / "photos/a.txt").write_text("a caption")
        (self.folder / "recipe.yaml").write_text(RECIPE.replace("path: shapes, count: 40, seed: 3", "path: photos"))
        first, second = self.start_job("job", 2, free_port())
        reason = first.communicate(timeout=120)[1].decode().splitlines()[-1]
        told = second.communicate(timeout=120)[1].decode().splitlines()[-1]
        self.assertNotEqual(first.returncode, 0)
        self.assertEqual(second.returncode, 4)
        self.assertIn("process 0 of 2", told)
        self.assertIn("photos", told)
        self.assertIn("photos", reason)

    def test_a_killed_process_ends_the_job_and_leaves_a_checkpoint(self):
        self.in_float64()
        self.train("whole")
        first, second = self.start_job("job", 2, free_port())
        self.await_event(first, "step")
        second.kill()
        second.communicate(timeout=60)
        error = first.communicate(timeout=120)[1].decode()
        self.assertEqual(first.returncode, 4, error)
        self.assertEqual(error.strip().count("\n"), 0, error)
        self.assertIn("process 1", error)
        self.train("job")
        self.assert_same("whole", "job")

    def test_processes_that_do_not_fit_are_refused(self):
        one_of_three = clean_environment(RANK="0", WORLD_SIZE="3", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free_port()))
        self.assertIn(b"does not divide among 3 processes", self.train("run", status=2, env=one_of_three).stderr)
        nowhere = clean_environment(RANK="0", WORLD_SIZE="2")
        self.assertIn(b"MASTER_ADDR", self.train("run", status=2, env=nowhere).stderr)

    def test_what_cannot_be_trained_is_refused(self):
        self.refused(2, "train", says="recipe")
        self.refused(2, "train", "nowhere.yaml", says="nowhere.yaml")
        cases = {"misspelt": ("batch: 4", "bacth: 4", "batch"),
                 "wrong type": ("steps: 16", "steps: many", "steps"),
                 "no data": ("path: shapes", "path: nowhere", "nowhere"),
                 "a size": ("resolution: 64", "resolution: 65", "65"),
                 "micro-batch": ("batch: 4", "batch: 4\n    micro_batch: 3", "micro")}
        for name, (old, new, says) in cases.items():
            with self.subTest(name):
                (self.folder / "broken.yaml").write_text(RECIPE.replace(old, new))
                self.refused(2, "train", "broken.yaml", "--out", "run", says=says)

    def test_a_changed_recipe_is_told(self):
        process = self.start("run")
        self.await_event(process, "step")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        (self.folder / "recipe.yaml").write_text(RECIPE.replace("0.001", "0.002"))
        self.refused(2, "train", "recipe.yaml", "--out", "run", says="phases[0].optimizer.learning_rate: 0.001 -> 0.002")
        self.train("run", "--accept-changes")

    def test_check_trains_nothing(self):
        self.assertIn("nothing wrong", self.train("run", "--check").stdout.decode())
        self.assertFalse((self.folder / "run").exists())


if __name__ == "__main__":
    unittest.main()
