#!/usr/bin/env python3
"""`fresco data prepare`: caches that are whole or go on, and one line for what cannot be prepared."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time
import unittest

from support import MODEL, PROGRAM, ProgramTest, clean_environment, run


def shards(folder):
    return sorted(path for path in folder.iterdir() if path.name.startswith("shard-")) if folder.exists() else []


class Prepare(ProgramTest):
    def command(self, *arguments):
        return ["data", "prepare", "--model", str(MODEL), *map(str, arguments)]

    def prepare(self, *arguments, status=0, **options):
        result = run(*self.command(*arguments), cwd=self.folder, **options)
        self.assertEqual(result.returncode, status, result.stderr.decode())
        return result

    def shapes(self, count=40, out="pictures"):
        result = run("data", "shapes", "--count", count, "--size", 64, "--out", out, cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())

    def contents(self, name):
        return {path.name: path.read_bytes() for path in (self.folder / name).iterdir() if path.name != ".lock"}

    def index(self, name="cache"):
        return json.loads((self.folder / name / "index.json").read_text())

    def test_a_folder_and_what_drew_it_give_the_same_latents(self):
        self.shapes(20)
        told = self.prepare("--data", "pictures", "--resolution", 64, "--out", "cache").stdout.decode()
        self.assertIn("cache: 20 samples; 20 encoded in ", told)
        self.prepare("--data", "shapes", "--count", 20, "--resolution", 64, "--out", "drawn")
        index, drawn = self.index(), self.index("drawn")
        self.assertEqual(index["version"], 1)
        self.assertTrue(index["complete"])
        self.assertEqual(index["skipped"], [])
        self.assertEqual([shard["samples"] for shard in index["shards"]], [20])
        self.assertEqual(index["origin"]["buckets"],
                         [{"height": 64, "width": 64, "latent_height": 8, "latent_width": 8, "samples": 20}])
        self.assertEqual(index["origin"]["vae_sha256"], drawn["origin"]["vae_sha256"])
        again = self.prepare("--data", "pictures", "--resolution", 64, "--out", "cache", "--verify").stdout.decode()
        self.assertIn("20 samples; all were there already", again)

    def test_broken_pictures_are_skipped_and_named(self):
        self.shapes(12)
        picture = self.folder / "pictures/000003.png"
        picture.write_bytes(picture.read_bytes()[:300])
        (self.folder / "pictures/000007.png").write_bytes(b"no picture at all")
        result = self.prepare("--data", "pictures", "--resolution", 64, "--out", "cache")
        self.assertIn("warning: ", result.stderr.decode())
        self.assertIn("000003.png", result.stderr.decode())
        self.assertEqual(sum(shard["samples"] for shard in self.index()["shards"]), 10)

    def test_buckets_and_flips(self):
        self.shapes(6)
        self.prepare("--data", "pictures", "--resolution", 128, "--buckets", "--flip", "--out", "cache")
        index = self.index()
        self.assertTrue(index["origin"]["mirrored"])
        self.assertEqual([bucket["width"] for bucket in index["origin"]["buckets"]], [128])  # all pictures are squares

    def test_killed_at_random_it_goes_on_to_the_same_end(self):
        self.shapes(300)
        arguments = ["--data", "pictures", "--resolution", "64", "--flip", "--batch", "2", "--threads", "1"]
        self.prepare(*arguments, "--out", "whole")
        dice = random.Random(os.getpid())
        for attempt in range(6):
            process = subprocess.Popen([PROGRAM, *self.command(*arguments, "--out", "killed")], cwd=self.folder,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment())
            time.sleep(dice.uniform(0.2, 1.2))
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.prepare(*arguments, "--out", "killed")
        self.assertEqual(self.contents("killed"), self.contents("whole"))

    def test_asked_to_stop_it_stops_and_goes_on(self):
        self.shapes(300)
        arguments = ["--data", "pictures", "--resolution", "64", "--batch", "1", "--threads", "1", "--out", "cache"]
        process = subprocess.Popen([PROGRAM, *self.command(*arguments, "--json")], cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=clean_environment())
        while not (self.folder / "cache/index.json").exists() and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, error.decode())
        self.assertFalse([path.name for path in (self.folder / "cache").iterdir() if path.name.startswith(".shard")])
        self.assertFalse(self.index()["complete"])
        self.prepare(*arguments)
        self.assertTrue(self.index()["complete"])

    def test_recipes_say_what_is_prepared(self):
        recipe = {"name": "two", "model": str(MODEL), "seed": 1,
                  "defaults": {"data": {"path": "shapes", "count": 10}, "fit": {"resolution": 64}, "batch": 2, "steps": 4},
                  "phases": [{"name": "first", "cache": "own"}, {"name": "second", "fit": {"resolution": 128}}]}
        (self.folder / "two.json").write_text(json.dumps(recipe))
        result = run("data", "prepare", "--recipe", "two.json", "--out", "caches", cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(self.index("own")["origin"]["buckets"][0]["height"], 64)
        self.assertEqual(self.index("caches/second")["origin"]["buckets"][0]["height"], 128)
        self.refused(2, "data", "prepare", "--recipe", "two.json", says="phase second names no cache")
        self.refused(2, "data", "prepare", "--recipe", "two.json", "--phase", "third", says="\"third\"")
        self.refused(2, "data", "prepare", "--recipe", "two.json", "--flip", says="--flip")

    def test_what_cannot_be_prepared_is_refused(self):
        self.shapes(4)
        self.refused(2, *self.command("--out", "cache"), says="--data")
        self.refused(2, *self.command("--data", "pictures"), says="--out")
        self.refused(2, *self.command("--data", "nowhere", "--out", "cache"), says="nowhere")
        self.refused(2, *self.command("--data", "pictures", "--resolution", "60", "--out", "cache"), says="8 divides")
        self.refused(2, "data", "prepare", "--data", "pictures", "--model", "no-such-model", "--out", "cache", says="no-such-model")
        (self.folder / "file").write_text("")
        self.refused(2, *self.command("--data", "pictures", "--resolution", "64", "--out", "file"), says="expected a folder")
        self.prepare("--data", "pictures", "--resolution", 64, "--out", "cache")
        self.refused(2, *self.command("--data", "pictures", "--resolution", "128", "--out", "cache"), says="--overwrite")
        self.prepare("--data", "pictures", "--resolution", 128, "--out", "cache", "--overwrite")

    def test_a_vae_and_a_tokenizer_are_enough(self):
        bare = self.folder / "bare"
        shutil.copytree(MODEL / "vae", bare / "vae")
        self.shapes(4)
        result = run("data", "prepare", "--model", "bare", "--data", "pictures", "--resolution", 64, "--out", "cache", cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.prepare("--data", "pictures", "--resolution", 64, "--out", "cache")  # the same VAE and the same words


if __name__ == "__main__":
    unittest.main()
