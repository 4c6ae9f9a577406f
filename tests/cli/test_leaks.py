# SPDX-License-Identifier: MIT
"""test_leaks.py — Leaks, planted for mood-train to find: a recording in another coding, or changed
before the split, under another name, another label, on another side; a speaker on two sides.

    test_leaks.py MOOD_TRAIN MOOD_SYNTH RECODE

The voices are mood-synth's, the trainings one epoch."""
import array
import csv
import glob
import os
import random
import shutil
import sys
import tempfile
import unittest
import wave

from program import run
from voices import read_json

TRAIN, SYNTH, RECODE = (os.path.abspath(word) for word in sys.argv[1:4])
del sys.argv[1:4]

NO_ENCODER = 3
# Levels are 0, the best, to 1, the smallest. These are what people use: 20 kbit/s and more.
CODINGS = {"flac": ("flac",), "ogg": ("vorbis", 1), "opus": ("opus",), "mp3": ("mp3", 0.5)}


def clip(speaker, emotion, take=1):
    return "Actor_%02d/03-01-%02d-01-01-%02d-%02d" % (speaker, emotion, take, speaker)


def recode(source, target, ending):
    """The sound once more; False where this libsndfile cannot write it."""
    r = run(RECODE, source, target + "." + ending, *CODINGS[ending])
    if r.code == NO_ENCODER and ending not in ("flac", "ogg"):
        return False
    assert r.code == 0, r
    return True


def samples(path):
    with wave.open(path) as f:
        x = array.array("h", f.readframes(f.getnframes()))
    if sys.byteorder == "big":
        x.byteswap()
    return x


def write(path, x):
    y = array.array("h", (max(-32768, min(32767, round(v))) for v in x))
    if sys.byteorder == "big":
        y.byteswap()
    with wave.open(path, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(16000)
        f.writeframes(y.tobytes())


def noisier(x):
    dice, loud = random.Random(1), (sum(v * v for v in x) / len(x)) ** 0.5
    return [v + dice.gauss(0, 0.03 * loud) for v in x]  # 30 dB below


def played(x, speed):
    """Faster or slower; the pitch moves along."""
    at = [i * speed for i in range(int((len(x) - 1) / speed))]
    return [x[int(t)] + (t - int(t)) * (x[int(t) + 1] - x[int(t)]) for t in at]


CHANGES = {"louder": lambda x: [1.6 * v for v in x],
           "softer": lambda x: [0.3 * v for v in x],
           "cut": lambda x: x[3333:-2000],
           "filtered": lambda x: [0.5 * (a + b) for a, b in zip(x, x[1:])],
           "noisier": noisier,
           "faster": lambda x: played(x, 1.1),
           "slower": lambda x: played(x, 0.95)}


class Leaks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        os.chdir(cls.scratch.name)
        assert run(SYNTH, "voices", "--speakers", 4, "--per-emotion", 1).code == 0

    @classmethod
    def tearDownClass(cls):
        os.chdir("/")
        cls.scratch.cleanup()

    def train(self, data, *options):
        r = run(TRAIN, "--data", data, "--epochs", 1, "--batch", 8, "-o", "m.h5", *options)
        self.assertEqual(r.code, 0, r)
        return r

    def refused(self, data, *options):
        """For the same recording on two sides: what the one line says."""
        r = run(TRAIN, "--data", data, "--epochs", 1, "-o", data + ".h5", *options)
        self.assertEqual(r.code, 1, r)
        self.assertFalse(os.path.exists(data + ".h5"))
        errors = [line for line in r.err.splitlines() if line.startswith("mood-train: ")]
        self.assertEqual(errors, r.err.splitlines()[-1:], r)
        self.assertIn("are the same recording: 2 clips have a twin on another side", errors[0])
        return errors[0]


class Copies(Leaks):
    """Takes of their own, by their names: only the sound tells."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.endings = [e for e in CODINGS if recode("voices/%s.wav" % clip(1, 1), "probe", e)]
        for ending in CODINGS:
            if ending not in cls.endings:
                print("%s: no encoder here, not tested" % ending, file=sys.stderr)

    def test_in_another_coding_of_another_speaker(self):
        for ending in self.endings:
            with self.subTest(ending):
                shutil.copytree("voices", ending)
                copy = "%s/%s" % (ending, clip(4, 5, 2))
                recode("voices/%s.wav" % clip(1, 5), copy, ending)
                said = self.refused(ending, "--test-speakers", "4")
                self.assertIn("%s/%s.wav (speaker 01, " % (ending, clip(1, 5)), said)
                self.assertIn("%s.%s (speaker 04, test)" % (copy, ending), said)

    def test_in_another_coding_with_another_label(self):
        shutil.copytree("voices", "labels")
        for i, ending in enumerate(self.endings):
            recode("voices/%s.wav" % clip(i + 1, 5), "labels/" + clip(i + 1, 3, 2), ending)
        r = self.train("labels", "--report", "labels-report")
        protocol = read_json("labels-report/metrics.json")["protocol"]
        self.assertEqual((protocol["disputed"], protocol["copies"]), (2 * len(self.endings), 0))
        self.assertIn("  left out: %d clips whose recording has two labels\n" % (2 * len(self.endings)),
                      r.err)
        for i, ending in enumerate(self.endings):
            self.assertIn("labels/%s.%s (happy) and labels/%s.wav (angry) are the same recording\n"
                          % (clip(i + 1, 3, 2), ending, clip(i + 1, 5)), r.err)

    def test_in_another_coding_on_another_side(self):
        shutil.copytree("voices", "sides")
        with open("sides.csv", "w", encoding="ascii") as f:
            f.write("path,side\n")
            for path in sorted(glob.glob("sides/*/*.wav")):
                f.write("%s,%s\n" % (path, "val" if "Actor_03" in path else "train"))
            for i, ending in enumerate(self.endings):
                recode("voices/%s.wav" % clip(1, i + 3), "sides/" + clip(1, i + 3, 2), ending)
                f.write("sides/%s.%s,test\n" % (clip(1, i + 3, 2), ending))
        r = self.train("sides", "--split", "sides.csv", "--report", "sides-report")
        n = 2 * len(self.endings)
        self.assertEqual(read_json("sides-report/metrics.json")["protocol"]["twins"], n)
        said = "%d clips are the same recording as one on another side" % n
        self.assertIn("  %s\n" % said, r.err)
        self.assertIn("\n%s.\n" % said, r.out)

    def test_changed_before_the_split(self):
        for name, change in CHANGES.items():
            with self.subTest(name):
                shutil.copytree("voices", name)
                copy = "%s/%s.wav" % (name, clip(4, 6, 2))
                write(copy, change(samples("voices/%s.wav" % clip(2, 6))))
                said = self.refused(name, "--test-speakers", "4")
                self.assertIn("%s/%s.wav (speaker 02, " % (name, clip(2, 6)), said)
                self.assertIn("%s (speaker 04, test)" % copy, said)


class Files(Leaks):
    """A split that was made elsewhere."""

    def split(self, name, extra=()):
        """Speakers 1 and 2, 3, and 4; but for the sides in `extra`."""
        with open(name, "w", encoding="ascii") as f:
            rows = csv.writer(f)
            rows.writerow(["path", "side"])
            for path in sorted(glob.glob("voices/*/*.wav")):
                side = {"Actor_03": "val", "Actor_04": "test"}.get(path.split("/")[1], "train")
                rows.writerow([path, dict(extra).get(path[len("voices/"):-len(".wav")], side)])

    def test_a_speaker_on_two_sides_is_named(self):
        self.split("honest.csv")
        r = self.train("voices", "--split", "honest.csv", "--report", "honest")
        self.assertIn("\nspeaker-disjoint, from honest.csv\n  train", r.err)
        self.assertEqual(read_json("honest/metrics.json")["protocol"]["shared"], "")

        self.split("leaky.csv", [(clip(2, 7), "test")])
        r = self.train("voices", "--split", "leaky.csv", "--report", "leaky")
        self.assertIn("\nspeaker-dependent, from leaky.csv\n  on more than one side: speaker 02\n  train",
                      r.err)
        self.assertIn("speaker-dependent, 9 clips: accuracy", r.out)
        self.assertIn("These voices were heard in training", r.out)
        self.assertNotIn("speaker-disjoint", r.out + r.err)
        protocol = read_json("leaky/metrics.json")["protocol"]
        self.assertEqual((protocol["kind"], protocol["shared"]), ("speaker-dependent", "02"))
        with open("m.h5", "rb") as f:
            self.assertNotIn(b"speaker-disjoint", f.read())

        self.split("leaky.csv", [(clip(2, 7), "val"), (clip(4, 7), "val")])
        r = self.train("voices", "--split", "leaky.csv")
        self.assertIn("\n  on more than one side: speakers 02,04\n", r.err)

    def test_too_many_are_counted(self):
        with open("long.csv", "w", encoding="ascii") as f:
            f.write("path,emotion,speaker\n")
            for s in range(1, 5):
                for emotion, word in ((3, "happy"), (4, "sad"), (5, "angry")):
                    f.write("voices/%s.wav,%s,%s%d\n" % (clip(s, emotion), word, "very-long-" * 3, s))
        with open("all.csv", "w", encoding="ascii") as f:
            f.write("path,side\n")
            for s in range(1, 5):
                for emotion, side in ((3, "train"), (4, "train"), (5, "val" if s < 3 else "test")):
                    f.write("voices/%s.wav,%s\n" % (clip(s, emotion), side))
        r = self.train("long.csv", "--split", "all.csv")
        self.assertIn("\n  on more than one side: 4 speakers\n", r.err)

    def test_a_recording_with_two_names(self):
        self.split("names.csv", [(clip(4, 7), "test")])
        shutil.copytree("voices", "aside")
        try:
            recode("aside/%s.wav" % clip(1, 7), "voices/" + clip(4, 7, 2), "flac")
            with open("names.csv", "a", encoding="ascii") as f:
                f.write("voices/%s.flac,test\n" % clip(4, 7, 2))
            self.assertIn("(speaker 01, train)", self.refused("voices", "--split", "names.csv"))
        finally:
            os.unlink("voices/%s.flac" % clip(4, 7, 2))


if __name__ == "__main__":
    unittest.main()
