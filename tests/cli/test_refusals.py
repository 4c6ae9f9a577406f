# SPDX-License-Identifier: MIT
"""test_refusals.py — What mood-train will not do, it says before the first epoch, in one line.

    test_refusals.py MOOD_TRAIN MOOD_SYNTH"""
import os
import sys
import tempfile
import unittest

from program import run

TRAIN, SYNTH = (os.path.abspath(word) for word in sys.argv[1:3])
del sys.argv[1:3]


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        os.chdir(cls.scratch.name)
        assert run(SYNTH, "voices", "--speakers", 3, "--per-emotion", 1).code == 0
        with open("file", "w", encoding="ascii"):
            pass

    @classmethod
    def tearDownClass(cls):
        os.chdir("/")
        cls.scratch.cleanup()

    def refused(self, message, *options, code=1):
        r = run(TRAIN, "--epochs", 1, *options)
        self.assertEqual(r.code, code, r)
        self.assertEqual(r.err.splitlines()[-1], "mood-train: " + message, r)
        self.assertEqual(r.out, "", r)  # no epoch was trained

    def test_places_that_cannot_be_written(self):
        voices = ("--data", "voices")
        gone = "No such file or directory"
        self.refused("none/m.h5: its folder cannot be opened: " + gone, *voices, "-o", "none/m.h5")
        self.refused("voices: is a directory", *voices, "-o", "voices")
        self.refused("file/report: Not a directory", *voices, "--report", "file/report")
        self.refused(": an empty path names no folder", *voices, "--report", "")
        self.refused("file/trace: Not a directory", *voices, "--trace", "file/trace")
        self.assertEqual(sorted(os.listdir()), ["file", "voices"])

    def test_a_path_is_named_once(self):
        self.refused("none: No such file or directory", "--data", "none")
        self.refused("none.csv: cannot be opened: No such file or directory", "--data", "voices",
                     "--split", "none.csv")

    def test_options_that_do_not_go_together(self):
        deals = ("--folds deals the speakers: leave --split, --val-speakers and --test-speakers out; "
                 "try 'mood-train --help'")
        self.refused(deals, "--data", "voices", "--folds", 3, "--test-speakers", "1", code=2)
        self.refused(deals, "--data", "voices", "--folds", 3, "--split", "random", code=2)
        self.refused("--folds: at least 2; try 'mood-train --help'", "--data", "voices", "--folds",
                     1, code=2)


if __name__ == "__main__":
    unittest.main()
