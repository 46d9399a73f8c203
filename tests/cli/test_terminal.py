#!/usr/bin/env python3
"""Terminals, pipes and signals."""
import os
import pty
import signal
import struct
import subprocess
import unittest

from support import PROGRAM, ProgramTest, clean_environment, tiny_recipe

RECIPE = tiny_recipe(count=16, steps=3, watch="validate_every: 2")
LONG = ["draw", "a red ring", "--steps", "1000", "--seed", "1"]


def set_columns(terminal, columns):
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


class Terminal(ProgramTest):
    def on_terminal(self, *arguments, columns=80, **environment):
        """What the program writes on a terminal of so many columns, and its exit status."""
        try:
            ours, theirs = pty.openpty()
        except OSError as error:
            self.skipTest(f"no pseudo-terminal here: {error}")
        set_columns(theirs, columns)
        child = subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                                 env=clean_environment(TERM="xterm", **environment))
        os.close(theirs)
        text = b""
        try:
            while block := os.read(ours, 65536):
                text += block
        except OSError:
            pass  # the other end has closed
        os.close(ours)
        return text.decode(), child.wait()

    def test_bar_shows_pace_and_stays_within_the_width(self):
        for columns in (40, 80, 200):
            text, status = self.on_terminal("draw", "ring", "--steps", "30", "--out", f"{columns}.png", columns=columns)
            self.assertEqual(status, 0, text)
            self.assertIn("s/step", text)
            self.assertIn(f"wrote {columns}.png", text)
            for line in text.replace("\x1b[K", "").replace("\x1b[32m", "").replace("\x1b[0m", "").replace("\n", "\r").split("\r"):
                self.assertLess(len(line), columns, line)

    def test_a_training_shows_its_pace_below_the_lines_that_stay(self):
        (self.folder / "recipe.yaml").write_text(RECIPE)
        for columns, says in {50: "images/s", 200: "of the machine"}.items():
            text, status = self.on_terminal("train", "recipe.yaml", "--out", f"run{columns}", columns=columns)
            self.assertEqual(status, 0, text)
            bars = [part.replace("\x1b[32m", "").replace("\x1b[0m", "") for part in text.split("\r\x1b[K")[1:]]
            paces = [bar for bar in bars if bar.startswith("shapes")]
            self.assertTrue(any(says in bar for bar in paces), text)
            for bar in paces:
                self.assertLess(len(bar), columns, bar)
            self.assertIn("\x1b[Kstep 2: validation loss", text)
            self.assertTrue(text.endswith(f"done: the model is in run{columns}/model\r\n"), text)

    def test_colour_can_be_switched_off(self):
        coloured, _ = self.on_terminal("draw", "ring", "--steps", "4", "--out", "a.png")
        plain, _ = self.on_terminal("draw", "ring", "--steps", "4", "--out", "b.png", NO_COLOR="1")
        self.assertIn("\x1b[32m", coloured)
        self.assertNotIn("\x1b[32m", plain)

    def test_no_control_characters_outside_terminals(self):
        result = self.draws("ring", "--steps", "3", "--out", "a.png")
        self.assertNotIn(b"\x1b", result.stdout + result.stderr)
        self.assertNotIn(b"\r", result.stdout + result.stderr)
        self.assertEqual(self.draws("ring", "--steps", "3", "--out", "b.png", "--quiet").stdout, b"")


class Signals(ProgramTest):
    def start(self):
        """A long run, once its first steps are done."""
        child = subprocess.Popen([PROGRAM, *LONG, "--json"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=clean_environment())
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.kill)
        for line in child.stdout:
            if b'"step"' in line:
                return child
        self.fail(child.stderr.read().decode())

    def test_one_signal_ends_between_steps(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            child = self.start()
            child.send_signal(number)
            _, error = child.communicate(timeout=60)
            self.assertEqual(child.returncode, 130)
            self.assertEqual(error.count(b"\n"), 1, error)
            self.assertEqual(self.names(), [])

    def test_two_signals_end_at_once(self):
        child = self.start()
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(timeout=60), 130)
        self.assertEqual(self.names(), [])

    def test_a_reader_that_leaves_does_not_stop_the_picture(self):
        child = subprocess.Popen([PROGRAM, "draw", "ring", "--steps", "4", "--out", "a.png", "--json"], cwd=self.folder,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment())
        child.stdout.close()
        error = child.stderr.read()
        child.stderr.close()
        self.assertEqual((child.wait(timeout=60), error), (0, b""))
        self.assertEqual(self.names(), ["a.png"])


if __name__ == "__main__":
    unittest.main()
