# SPDX-License-Identifier: MIT
"""test_examples.py FOLDER SYNTH — The programs of examples/, below FOLDER, say what is true. Voices
are made up by mood-synth at run time."""
import math
import os
import re
import subprocess
import sys
import tempfile
import unittest

SYNTH, FOLDER = os.path.abspath(sys.argv.pop(2)), os.path.abspath(sys.argv.pop(1))


def run(name, *words, code=0):
    done = subprocess.run([os.path.join(FOLDER, name)] + [str(w) for w in words], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != code:
        raise AssertionError("%s: exit %d\n%s%s" % (name, done.returncode, done.stdout, done.stderr))
    return done.stderr if code else done.stdout


class Examples(unittest.TestCase):
    def test_tensor(self):
        """The same views by hand, in lists."""
        a = [[4 * i + j for j in range(4)] for i in range(3)]
        columns = [row[1:3] for row in a]
        turned = [list(row) for row in zip(*columns)]
        written = [[100] + turned[0][1:], turned[1]]
        flat = written[0] + written[1]
        blocks = re.split(r"^.*: .*\n", run("tensor"), flags=re.M)[1:]
        printed = [[[float(x) for x in line.split()] for line in b.splitlines()] for b in blocks]
        self.assertEqual(printed, [a, columns, turned, written, [],
                                   [flat[0:2], flat[2:4], flat[4:6]]])
        self.assertIn("columns 1 and 2: 3 x 2, strides 4, 1, not contiguous\n", run("tensor"))

    def test_autograd(self):
        out = run("autograd")
        self.assertLess(float(re.search(r"gradient check: error (\S+),", out).group(1)), 1e-2)
        losses = [float(x) for x in re.findall(r"^step +\d+  loss (\S+)$", out, re.M)]
        self.assertEqual(len(losses), 9)
        for before, after in zip(losses, losses[1:]):
            self.assertLess(after, before)
        points = re.findall(r"^x +(\S+)  sin +(\S+)  fitted +(\S+)$", out, re.M)
        self.assertEqual(len(points), 8)
        for x, sine, fitted in points:
            self.assertAlmostEqual(float(sine), math.sin(float(x)), delta=1e-3)
            self.assertAlmostEqual(float(fitted), float(sine), delta=0.1)
        self.assertEqual(out, run("autograd")) # the same numbers each time

    def test_train_net(self):
        out = run("train-net")
        told = [float(x) for x in re.findall(r"accuracy on new points (\S+)$", out, re.M)]
        # 2 x 48 + 48, 48 x 48 + 48, 48 x 2 + 2
        self.assertIn("2594 numbers to learn\n", out)
        self.assertLess(told[0], 0.8) # it was not easy
        self.assertGreaterEqual(told[-1], 0.95)

    def test_voices(self):
        """train-voices learns something, and label-clip repeats its answers with the saved model."""
        with tempfile.TemporaryDirectory() as scratch:
            voices, model = os.path.join(scratch, "voices"), os.path.join(scratch, "model.h5")
            subprocess.run([SYNTH, voices, "--speakers", "6", "--per-emotion", "3"], check=True)
            out = run("train-voices", voices, 8, model)
            losses = [float(x) for x in re.findall(r"^epoch .* loss (\S+)", out, re.M)]
            self.assertEqual(len(losses), 8)
            self.assertLess(losses[-1], 0.75 * losses[0])
            accuracy = re.search(r"^speaker-disjoint: accuracy (\S+) of 24 clips$", out, re.M)
            self.assertGreaterEqual(float(accuracy.group(1)), 0.25) # chance is 0.125

            answers = re.findall(r"^(\S+\.wav): (\w+) (\S+)$", out, re.M)
            self.assertEqual(len(answers), 24)
            for clip, label, confidence in answers[::3]:
                self.assertEqual(run("label-clip", model, clip), "%s %s\n" % (label, confidence))

            # One line that names the bad one of the two: no clip, no model.
            clip = answers[0][0]
            for words, bad in (((model, model), model), ((clip, clip), clip)):
                self.assertRegex(run("label-clip", *words, code=1),
                                 r"\Alabel-clip: %s: [^\n]+\n\Z" % re.escape(bad))

    def test_usage(self):
        for name in ("label-clip", "train-voices"):
            self.assertRegex(run(name, code=2), r"\Ausage: %s [^\n]+\n\Z" % name)


if __name__ == "__main__":
    unittest.main()
