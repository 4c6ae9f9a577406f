# SPDX-License-Identifier: MIT
"""test_honest.py — What figures are worth: nothing is chosen on the test side, and two trainings are
compared speaker by speaker.

    test_honest.py MOOD_TRAIN MOOD_INFER MOOD_CONVERT MOOD_COMPARE

The clips are tones of half a second, written here, the trainings three epochs; what is compared is
made up."""
import csv
import json
import os
import random
import sys
import unittest

from program import run
from voices import Folder, read_json, write_tone

TRAIN, INFER, CONVERT, COMPARE = (os.path.abspath(word) for word in sys.argv[1:5])
del sys.argv[1:5]

LABELS = ["happy", "sad", "angry"]


class Choices(Folder):
    """Of two tables that differ in nothing but the labels of the test side, two trainings make the
    same model, with an encoder too: its layer, the epoch, the rate and the temperature are chosen on
    other speakers."""

    def table(self, name, shift):
        with open(name, "w", encoding="ascii") as f:
            rows = csv.writer(f)
            rows.writerow(["path", "emotion", "speaker"])
            for s, speaker in enumerate("ABCD"):
                for i in range(6):
                    path = "tones/%s%d.wav" % (speaker, i)
                    write_tone(path, 300 * 1.5 ** (i % 3) + 11 * s + 3 * i)
                    label = LABELS[(i + (shift if speaker == "D" else 0)) % 3]
                    rows.writerow([path, label, speaker])

    def train(self, table, name, *options):
        r = run(TRAIN, "--data", table, "--epochs", 3, "--batch", 4, "--val-speakers", "C",
                "--test-speakers", "D", "-o", name + ".h5", "--report", name, *options)
        self.assertEqual(r.code, 0, r)
        paths = ["tones/%s%d.wav" % (speaker, i) for speaker in "ABCD" for i in range(6)]
        heard = run(INFER, "-m", name + ".h5", "--json", *paths)
        self.assertEqual(heard.code, 0, heard)
        return heard.out, read_json(name + "/metrics.json")

    def test_nothing_is_chosen_on_the_test_side(self):
        self.assertEqual(run(CONVERT, "--random", "tiny", "enc.h5").code, 0)
        self.table("true.csv", 0)
        self.table("false.csv", 1)
        for options in ((), ("--encoder", "enc.h5", "--cache", "cache")):
            true, told = self.train("true.csv", "true", *options)
            false, lied = self.train("false.csv", "false", *options)
            self.assertEqual(true, false)  # to the last digit, for clips of all sides
            for key in ("best_epoch", "epochs", "seed", "recipe"):
                self.assertEqual(told[key], lied[key])
            self.assertEqual(told["calibration"]["temperature"], lied["calibration"]["temperature"])
            self.assertEqual(told.get("encoder"), lied.get("encoder"))
            self.assertEqual("table" in told.get("encoder", {}), bool(options))
            # It was the test that changed, every clip of it.
            for a, b in zip(told["per_clip"], lied["per_clip"], strict=True):
                self.assertEqual(a["probabilities"], b["probabilities"])
                self.assertNotEqual(a["label"], b["label"])
            self.assertNotEqual(told["calibration"]["nll"], lied["calibration"]["nll"])
            self.assertNotEqual(true, self.train("true.csv", "true", *options, "--seed", 1)[0])


def metrics(answers, dealt="5 folds by speaker, seed 0"):
    """What mood-train writes of these (path, speaker, label, answer)."""
    def probabilities(answer):
        return {v: 0.8 if v == answer else 0.1 for v in LABELS}
    return {"labels": LABELS, "protocol": {"dealt": dealt},
            "per_clip": [{"path": path, "speaker": speaker, "label": label,
                          "probabilities": probabilities(answer)}
                         for path, speaker, label, answer in answers]}


def uar(answers):
    rows = {}
    for _, _, label, answer in answers:
        rows.setdefault(label, []).append(label == answer)
    return sum(sum(r) / len(r) for r in rows.values()) / len(rows)


def answers_of(seed, skill):
    """12 speakers with 15 clips each; the first of them are hard for everybody."""
    dice, found = random.Random(seed), []
    for s in range(12):
        for i in range(15):
            label = LABELS[i % 3]
            right = dice.random() < skill[s]
            found.append(("%d/%d.wav" % (s, i), "speaker %d" % s, label,
                          label if right else LABELS[(i + 1) % 3]))
    return found


class Compare(Folder):
    def write(self, name, content):
        with open(name, "w", encoding="utf-8") as f:
            json.dump(content, f)

    def compare(self, *options):
        r = run(COMPARE, *options)
        self.assertEqual(r.code, 0, r)
        return r

    def test_a_difference_and_its_interval(self):
        hard = [0.1 if s < 6 else 0.8 for s in range(12)]
        first, second = answers_of(1, hard), answers_of(2, [p + 0.15 for p in hard])
        self.write("a.json", metrics(first))
        self.write("b.json", metrics(list(reversed(second))))  # in any order
        m = json.loads(self.compare("--json", "a.json", "b.json").out)
        self.assertEqual((m["clips"], m["speakers"], m["level"]), (180, 12, 0.95))
        self.assertAlmostEqual(m["uar"]["first"], uar(first), delta=1e-8)
        self.assertAlmostEqual(m["uar"]["second"], uar(second), delta=1e-8)
        self.assertAlmostEqual(m["uar"]["difference"], uar(second) - uar(first), delta=1e-8)

        # The bootstrap again, by other dice.
        dice, drawn = random.Random(3), []
        by_speaker = [(first[15 * s:15 * s + 15], second[15 * s:15 * s + 15]) for s in range(12)]
        for _ in range(4000):
            team = [by_speaker[dice.randrange(12)] for _ in range(12)]
            drawn.append(uar(sum((t[1] for t in team), [])) - uar(sum((t[0] for t in team), [])))
        drawn.sort()
        low, high = m["uar"]["interval"]
        self.assertAlmostEqual(low, drawn[100], delta=0.01)
        self.assertAlmostEqual(high, drawn[3900], delta=0.01)
        self.assertGreater(low, 0)

        text = self.compare("a.json", "b.json").out
        self.assertIn("180 clips of 12 speakers\n", text)
        self.assertIn("UAR        %.4f   %.4f     %+.4f  %+.4f to %+.4f\n"
                      % (m["uar"]["first"], m["uar"]["second"], m["uar"]["difference"], low, high),
                      text)
        # The other way round, and with itself.
        back = json.loads(self.compare("--json", "b.json", "a.json").out)["uar"]
        self.assertAlmostEqual(back["interval"][0], -high, delta=1e-8)
        itself = self.compare("a.json", "a.json").out
        self.assertIn("+0.0000  +0.0000 to +0.0000, may be chance\n", itself)

    def test_other_splits_are_told_of(self):
        hard = [0.5] * 12
        self.write("a.json", metrics(answers_of(1, hard)))
        self.write("b.json", metrics(answers_of(2, hard), "6 folds by speaker, seed 0"))
        r = self.compare("a.json", "b.json")
        self.assertIn("the splits differ: '5 folds by speaker, seed 0' and '6 folds", r.err)

    def test_what_cannot_be_compared(self):
        good = answers_of(1, [0.5] * 12)
        self.write("good.json", metrics(good))
        self.write("less.json", metrics(good[1:]))
        self.write("other.json", metrics([("x.wav",) + good[0][1:]] + good[1:]))
        self.write("label.json", metrics([good[0][:2] + ("angry", "sad")] + good[1:]))
        self.write("speaker.json", metrics([good[0][:1] + ("anna",) + good[0][2:]] + good[1:]))
        old = metrics(good)
        for clip in old["per_clip"]:
            del clip["speaker"]
        self.write("old.json", old)
        self.write("empty.json", {})
        self.write("list.json", [1])
        with open("text.json", "w", encoding="ascii") as f:
            f.write("{no")
        for name, words in (("less.json", "the first tests 180 clips, the second 179"),
                            ("other.json", "is tested by the "),
                            ("label.json", "0/0.wav has another label or speaker in each"),
                            ("speaker.json", "0/0.wav has another label or speaker in each"),
                            ("old.json", "old.json: clip 1 lacks a path, label, speaker or"),
                            ("empty.json", "empty.json: is no metrics.json of mood-train"),
                            ("list.json", "list.json: is no metrics.json of mood-train"),
                            ("text.json", "text.json: is not JSON: line 1"),
                            ("missing.json", "missing.json: cannot be opened")):
            r = run(COMPARE, "good.json", name)
            self.assertEqual(r.code, 1, r)
            self.assertEqual(r.out, "")
            self.assertEqual(r.err.count("\n"), 1, r)
            self.assertIn(words, r.err)
        self.assertEqual(run(COMPARE, "good.json").code, 2)


if __name__ == "__main__":
    unittest.main()
