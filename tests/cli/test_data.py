#!/usr/bin/env python3
"""`fresco data shapes`: the same data set everywhere, as a folder or as shards."""
import json
import tarfile
import unittest

from support import ProgramTest, png_size, run


class DataShapes(ProgramTest):
    def make(self, *arguments):
        result = run("data", "shapes", *arguments, cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result

    def test_a_folder_has_pictures_captions_and_what_they_show(self):
        self.make("--count", "5", "--seed", "3", "--size", "96", "--out", "shapes")
        folder = self.folder / "shapes"
        self.assertEqual(sorted(path.name for path in folder.iterdir()),
                         sorted([f"{k:06}.{kind}" for k in range(5) for kind in ("png", "txt")] + ["metadata.jsonl"]))
        self.assertEqual(png_size(folder / "000004.png"), (96, 96))
        lines = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
        for line in lines:
            caption = folder.joinpath(line["file_name"]).with_suffix(".txt").read_text().strip()
            self.assertEqual(line["text"], caption)
            self.assertIn(f"{line['colour_1']} {line['shape_1']}", caption)

    def test_shards_hold_the_same_samples(self):
        self.make("--count", "5", "--out", "folder")
        self.make("--count", "5", "--shards", "2", "--out", "shards", "--json")
        self.assertEqual(sorted(path.name for path in (self.folder / "shards").iterdir()), ["00000.tar", "00001.tar", "00002.tar"])
        with tarfile.open(self.folder / "shards/00001.tar") as shard:
            self.assertEqual(shard.getnames(), [f"{key}.{kind}" for key in ("000002", "000003") for kind in ("png", "txt", "json")])
            self.assertEqual(shard.extractfile("000003.png").read(), (self.folder / "folder/000003.png").read_bytes())
            self.assertIn("colour_1", json.loads(shard.extractfile("000003.json").read()))

    def test_what_is_wrong_is_said_in_one_line(self):
        self.refused(2, "data", "shapes", says="--out")
        self.refused(2, "data", "shapes", "--out", "x", "--split", "test", says=["--split", "held_out"])
        self.refused(2, "data", "shapes", "--out", "x", "--count", "0", says="--count")
        self.refused(2, "data", "shapes", "--out", "x", "--seed", "-4", says="--seed")
        self.refused(2, "data", "shape", says=["unknown", "shapes"])
        (self.folder / "full").mkdir()
        (self.folder / "full/file").write_text("x")
        self.refused(2, "data", "shapes", "--out", "full", says="--overwrite")
        self.refused(2, "data", "shapes", "--out", "full/file", says="folder")
        self.make("--count", "1", "--out", "full", "--overwrite")


if __name__ == "__main__":
    unittest.main()
