# SPDX-License-Identifier: MIT
"""test_old_processor.py — mood-infer on an emulated processor from before AVX answers as it does here
when it is limited to portable C: no part of it, nor of what it is linked with, needs more.

    test_old_processor.py MOOD_INFER MAKE_MODEL EMULATOR [ARGUMENT...]"""
import array
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import wave

from program import run

PROGRAM, MAKE_MODEL = (os.path.abspath(word) for word in sys.argv[1:3])
EMULATOR = sys.argv[3:]
del sys.argv[1:]


class OldProcessor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="libmood-test-")
        for kind in ("sure", "small", "hybrid", "encoder"):
            subprocess.run([MAKE_MODEL, kind, cls.path(kind + ".h5")], check=True)
        with wave.open(cls.path("clip.wav"), "wb") as w:
            w.setnchannels(1)
            w.setsampwidth(2)
            w.setframerate(22050) # to be resampled
            w.writeframes(array.array("h", (int(9000 * math.sin(t / 15 + 3 * math.sin(t / 9000)))
                                            for t in range(44100))).tobytes())

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.dir, name)

    def answer(self, *command):
        r = run(*command, "--json", self.path("clip.wav"))
        self.assertEqual((r.code, r.err), (0, ""), r)
        return json.loads(r.out)

    def check(self, *words):
        here = self.answer(PROGRAM, *words, "--cpumask", "c")
        there = self.answer(*EMULATOR, PROGRAM, *words)
        self.assertEqual(there["emotion"], here["emotion"])
        self.assertEqual(list(there["all_probabilities"]), list(here["all_probabilities"]))
        # OpenBLAS and the C library have other instructions there, and round otherwise.
        for emotion, p in here["all_probabilities"].items():
            self.assertAlmostEqual(there["all_probabilities"][emotion], p, delta=1e-5)

    def test_heads(self):
        self.check("-m", self.path("sure.h5"))
        self.check("-m", self.path("small.h5"))

    def test_encoder(self):
        self.check("-m", self.path("hybrid.h5"), "--encoder", self.path("encoder.h5"))

    def test_it_is_old(self):
        r = run(*EMULATOR, PROGRAM, "-m", self.path("sure.h5"), "--cpumask", "x86-avx2",
                self.path("clip.wav"))
        self.assertNotEqual(r.code, 0, r)
        self.assertIn("this processor has no x86-avx2", r.err)


unittest.main()
