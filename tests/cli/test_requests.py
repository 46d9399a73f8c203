#!/usr/bin/env python3
"""What a user can get wrong: exit status 2, one line, nothing written."""
import unittest

from support import PROMPT, ProgramTest, grey_png, run

# arguments after `fresco draw`, words the line must hold
MISTAKES = [
    ((), "prompt"),
    ((PROMPT, "--steps", "0"), "--steps"),
    ((PROMPT, "--steps", "1001"), "1000"),
    ((PROMPT, "--steps", "ten"), "ten"),
    ((PROMPT, "--steps", "3.5"), "3.5"),
    ((PROMPT, "--steps", ""), "--steps"),
    ((PROMPT, "--steps", "99999999999999999999"), "--steps"),
    ((PROMPT, "--steps"), "--steps"),
    ((PROMPT, "--guidance", "nan"), "--guidance"),
    ((PROMPT, "--guidance", "inf"), "--guidance"),
    ((PROMPT, "--guidance", "7,5"), "7,5"),
    ((PROMPT, "--guidance-rescale", "-nan"), "--guidance-rescale"),
    ((PROMPT, "--guidance-rescale", "2"), "guidance-rescale"),
    ((PROMPT, "--eta", "1e999"), "--eta"),
    ((PROMPT, "--seed", "18446744073709551616"), "--seed"),
    ((PROMPT, "--width", "513"), "513"),
    ((PROMPT, "--width", "0"), "--width"),
    ((PROMPT, "--height", "-128"), "--height"),
    ((PROMPT, "--width", "100000"), "nearest: 8192\n"),
    ((PROMPT, "--count", "0"), "--count"),
    ((PROMPT, "--clip-skip", "-1"), "--clip-skip"),
    ((PROMPT, "--clip-skip", "12"), "clip-skip"),
    ((PROMPT, "--sampler", "fancy"), "fancy"),
    ((PROMPT, "--sampler", "euler-b"), "euler-a"),
    ((PROMPT, "--schedule", "fancy"), "fancy"),
    ((PROMPT, "--squeeze", "12,5"), "squeeze"),
    ((PROMPT, "--device", "tpu"), "tpu"),
    ((PROMPT, "--precision", "f8"), "f8"),
    ((PROMPT, "--memory", "none"), "lean"),
    ((PROMPT, "--ops", "magic"), "magic"),
    ((PROMPT, "--threads", "0"), "--threads"),
    ((PROMPT, "--stepz", "3"), "--steps"),
    ((PROMPT, "--no-such-option"), "--no-such-option"),
    ((PROMPT, "--model", "no/such/model/anywhere"), "no/such/model"),
    ((PROMPT, "--model", ""), "--model"),
    ((PROMPT, "--vae", "no-such-vae-here"), "no-such-vae-here"),
    ((PROMPT, "--out", "picture.bmp"), ".png"),
    ((PROMPT, "--out", "picture"), ".png"),
    ((PROMPT, "--out", "nowhere/picture.png"), "nowhere"),
    ((PROMPT, "--out", "/proc/picture.png"), "/proc"),
    ((PROMPT, "--out", "notes.txt/picture.png"), "notes.txt"),
    ((PROMPT, "--out", "taken.png"), "--overwrite"),
    ((PROMPT, PROMPT, "--out", "several.png"), "several-2.png"),
    ((PROMPT, "--save-latents", "taken.png"), "--overwrite"),
    ((PROMPT, "--save-latents", "nowhere/latents.safetensors"), "nowhere"),
    ((PROMPT, "--preview", "taken.png"), "--overwrite"),
    ((PROMPT, "--preview", "preview.txt"), "--preview"),
    ((PROMPT, "--out", "one.png", "--preview", "one.png"), "one.png"),
    ((PROMPT, "--init", "absent.png"), "absent.png"),
    ((PROMPT, "--init", "."), "."),
    ((PROMPT, "--strength", "0.5"), "--init"),
    ((PROMPT, "--init", "taken.png", "--strength", "1.5"), "strength"),
    ((PROMPT, "--init", "taken.png", "--strength", "0"), "strength"),
    ((PROMPT, "--mask", "mask.png"), "--init"),
    ((PROMPT, "--init", "taken.png", "--mask", "mask.png"), "mask"),
    ((PROMPT, "--prompts", "absent.txt"), "absent.txt"),
    (("--prompts", "comments.txt"), "comments.txt"),
    (("--like", "taken.png"), "taken.png"),
    (("--like", "absent.png"), "absent.png"),
    ((b"caf\xe9",), "UTF-8"),
]


class Requests(ProgramTest):
    def setUp(self):
        super().setUp()
        (self.folder / "taken.png").write_bytes(grey_png(128, 128))
        (self.folder / "mask.png").write_bytes(grey_png(64, 128))
        (self.folder / "several-2.png").write_bytes(b"mine")
        (self.folder / "notes.txt").write_text("mine")
        (self.folder / "comments.txt").write_text("# nothing\n\n   \n")

    def test_mistakes_end_with_status_2(self):
        for arguments, word in MISTAKES:
            with self.subTest(arguments=arguments):
                words = [argument if isinstance(argument, bytes) else argument.encode() for argument in arguments]
                self.refused(2, "draw", *[word.decode(errors="surrogateescape") for word in words], says=word)

    def test_other_commands_refuse_what_they_do_not_know(self):
        self.refused(2, "drow", says="draw")
        self.refused(2, "inspect", "no-such-model-here", says="no-such-model-here")
        self.refused(2, "inspect", "a", "b", says="b")
        self.refused(2, "samplers", "--all", says="--all")

    def test_broken_inputs_end_with_status_3(self):
        (self.folder / "latin1.txt").write_bytes(b"a caf\xe9\n")
        self.refused(3, "draw", "--prompts", "latin1.txt", says="latin1.txt:1")
        self.refused(3, "draw", PROMPT, "--init", "notes.txt", says="notes.txt")
        (self.folder / "half.png").write_bytes(grey_png(128, 128)[:60])
        self.refused(3, "draw", PROMPT, "--init", "half.png", says="half.png")
        self.refused(3, "draw", "--like", "notes.txt", says="notes.txt")

    def test_errors_are_events_too(self):
        result = run("draw", PROMPT, "--steps", "0", "--json", cwd=self.folder)
        self.assertEqual(result.returncode, 2)
        self.assertIn(b'"event":"error"', result.stdout)
        self.assertEqual(result.stderr.count(b"\n"), 1)

    def test_help_is_asked_for_with_status_0(self):
        for arguments in ((), ("--help",), ("draw", "--help"), ("inspect", "-h"), ("samplers", "--help"), ("--version",)):
            result = run(*arguments)
            self.assertEqual((result.returncode, result.stderr), (0, b""), arguments)
            self.assertTrue(result.stdout)

    def test_samplers_are_listed_a_line_each(self):
        lines = run("samplers").stdout.decode().splitlines()
        names = "ddim ddpm pndm euler euler-a heun dpmpp-2m dpmpp-2m-sde dpmpp-3m unipc lcm squeezed-dpmpp".split()
        self.assertEqual([line.split()[0] for line in lines], names)


if __name__ == "__main__":
    unittest.main()
