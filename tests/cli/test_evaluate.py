#!/usr/bin/env python3
"""`fresco evaluate shapes`: figures, JSON and a page of what was drawn and read."""
import json
import unittest

from support import MODEL, ProgramTest, run


class EvaluateShapes(ProgramTest):
    def measure(self, *arguments):
        result = run("evaluate", "shapes", MODEL, "--count", "3", "--held-out", "2", "--steps", "2", *arguments, cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result.stdout.decode()

    def test_it_leaves_figures_and_a_page(self):
        told = self.measure("--out", "measured", "--batch", "2")
        for word in ("unseen (3)", "held out (2)", "background", "colours", "clean", "relation", "shapes", "everything"):
            self.assertIn(word, told)
        report = json.loads((self.folder / "measured/report.json").read_text())
        self.assertEqual(report["unseen"]["pictures"], 3)
        self.assertEqual(report["held_out"]["pictures"], 2)
        self.assertEqual(report["settings"]["steps"], 2)
        self.assertEqual(report["settings"]["guidance"], 5)
        self.assertEqual([each["split"] for each in report["pictures"]], ["unseen"] * 3 + ["held_out"] * 2)
        self.assertEqual(len({each["seed"] for each in report["pictures"]}), 5)
        self.assertEqual(report["unseen"]["counts"]["backgrounds"][0], sum(each["right"]["background"] for each in report["pictures"][:3]))
        page = (self.folder / "measured/report.html").read_text()
        self.assertEqual(page.count("<figure"), 5)
        self.assertNotIn("http://", page.replace("http://www.w3.org", ""))

    def test_the_same_figures_come_again_whatever_the_batch(self):
        events = [json.loads(line) for line in self.measure("--out", "a", "--json", "--batch", "1").splitlines()]
        self.assertEqual(events[-1]["event"], "done")
        self.measure("--out", "b", "--quiet")
        one, two = (json.loads((self.folder / name / "report.json").read_text()) for name in ("a", "b"))
        self.assertEqual([each["read"]["background"] for each in one["pictures"]], [each["read"]["background"] for each in two["pictures"]])
        self.assertEqual(events[-1]["unseen"], one["unseen"])

    def test_what_is_wrong_is_said_in_one_line(self):
        self.refused(2, "evaluate", "colours", says=["unknown", "shapes"])
        self.refused(2, "evaluate", "shapes", "no-such-model", says="no-such-model")
        self.refused(2, "evaluate", "shapes", MODEL, "--count", "0", "--held-out", "0", says="--count")
        self.refused(2, "evaluate", "shapes", MODEL, "--steps", "none", says="--steps")
        self.refused(2, "evaluate", "shapes", MODEL, "--out", "no/such/folder", says="no such folder")


if __name__ == "__main__":
    unittest.main()
