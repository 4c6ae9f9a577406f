# SPDX-License-Identifier: MIT
"""test_mood_synth.py PROGRAM — mood-synth's files: names, form, determinism, and what it says when it
cannot write."""
import os
import re
import resource
import subprocess
import sys
import tempfile
import unittest
import wave

PROGRAM = os.path.abspath(sys.argv.pop(1))
NAME = re.compile(r"Actor_(\d\d)/03-01-0[1-8]-0[12]-0[12]-\d\d-(\d\d)\.wav$")


def run(*words, **more):
    return subprocess.run([PROGRAM] + [str(w) for w in words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **more)


def files_below(folder):
    """{path below folder: content}"""
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = f.read()
    return found


class MoodSynth(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.out = os.path.join(scratch.name, "voices")

    def assert_one_line(self, result, code, *needles):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        for needle in ("mood-synth: ",) + needles:
            self.assertIn(needle, result.stderr)

    def test_corpus(self):
        made = run(self.out, "--speakers", 2, "--per-emotion", 3)
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        clips = files_below(self.out)
        self.assertIn(b"made-up", clips.pop("corpus.csv"))
        self.assertEqual(len(clips), 2 * 8 * 3)
        for path in clips:
            name = NAME.match(path)
            self.assertTrue(name and name.group(1) == name.group(2), path)
            with wave.open(os.path.join(self.out, path)) as w:
                self.assertEqual(w.getparams()[:3], (1, 2, 16000))
                self.assertEqual(len(clips[path]), 44 + 2 * w.getnframes())
        strong_neutral = [p for p in clips if "/03-01-01-02-" in p]
        self.assertEqual(strong_neutral, [])

        # A second run replaces the files by the same; another seed makes others of the same names.
        self.assertEqual(run(self.out, "--speakers", 2, "--per-emotion", 3).returncode, 0)
        again = files_below(self.out)
        del again["corpus.csv"]
        self.assertEqual(again, clips)
        self.assertEqual(run(self.out, "--speakers=2", "--per-emotion=3", "--seed=1").returncode, 0)
        others = files_below(self.out)
        del others["corpus.csv"]
        self.assertEqual(sorted(others), sorted(clips))
        self.assertTrue(all(others[p] != clips[p] for p in clips))

    def test_usage(self):
        self.assert_one_line(run(), 2, "OUT_DIR")
        self.assert_one_line(run(self.out, "--speakers", 0), 2, "--speakers")
        self.assert_one_line(run(self.out, "--speakers", 100), 2, "--speakers")
        self.assert_one_line(run(self.out, "--per-emotion", 199), 2, "--per-emotion")
        self.assertFalse(os.path.exists(self.out))

    def test_places_that_cannot_be_written(self):
        nowhere = os.path.join(self.out, "deep", "down")
        self.assert_one_line(run(nowhere), 1, nowhere, "No such file or directory")
        with open(self.out, "w"):
            pass
        self.assert_one_line(run(self.out), 1, self.out, "File exists")

    def test_no_half_files_on_a_full_disk(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000))
        full = run(self.out, "--speakers", 1, "--per-emotion", 1, preexec_fn=limit)
        self.assert_one_line(full, 1, "cannot be written: File too large")
        self.assertEqual(list(files_below(self.out)), ["corpus.csv"])


if __name__ == "__main__":
    unittest.main()
