# SPDX-License-Identifier: MIT
"""test_corpora.py — Several corpora in one training: what is said of each, licences included, by
mood-train, by its reports, and by mood-convert --info of the model.

    test_corpora.py MOOD_TRAIN MOOD_CONVERT

The clips are tones of half a second, written here, the trainings one epoch."""
import os
import sys
import unittest

from program import run
from voices import Folder, make_corpus, read_json, write_tone

TRAIN, CONVERT = (os.path.abspath(word) for word in sys.argv[1:3])
del sys.argv[1:3]

EMODB = {"F": 3, "T": 4, "W": 5}  # its letters, and the number that make_corpus has for the emotion


def make_emodb(folder, speakers=(3, 8, 9)):
    for speaker in speakers:
        for letter, emotion in EMODB.items():
            write_tone("%s/%02da01%sa.wav" % (folder, speaker, letter),
                       150 * 1.4 ** emotion + 7 * speaker + 3)


def make_table(path, speakers=("anna", "ben", "cleo")):
    rows = ["path,emotion,speaker,corpus,licence"]
    for i, speaker in enumerate(speakers):
        for emotion, hz in (("happy", 400), ("sad", 560)):
            clip = "table/%s-%s.wav" % (speaker, emotion)
            write_tone(clip, hz + 9 * i)
            rows.append("%s,%s,%s,Ours,CC BY 4.0" % (clip, emotion, speaker))
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(rows) + "\n")


class Corpora(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_corpus("voices", emotions=(1, 2, 3, 4, 5))
        make_emodb("german")
        make_table("ours.csv")

    def train(self, *options):
        r = run(TRAIN, "--data", "voices", "--data", "german", "--data", "ours.csv", "--epochs", 1,
                "--batch", 4, *options)
        self.assertEqual(r.code, 0, r)
        return r


class Licences(Corpora):
    def test_everybody_says_them(self):
        r = self.train("-o", "m.h5", "--report", "report")
        licences = [("RAVDESS", 20, 4, "CC BY-NC-SA 4.0"),
                    ("EMO-DB", 9, 3, "free to use, no formal licence; copies say CC BY 4.0"),
                    ("Ours", 6, 3, "CC BY 4.0")]
        m = read_json("report/metrics.json")
        info = run(CONVERT, "--info", "m.h5")
        self.assertEqual(info.code, 0, info)
        for (name, clips, speakers, licence), said in zip(licences, m["corpora"], strict=True):
            self.assertIn("%s: %d clips, %d speakers; licence: %s\n" % (name, clips, speakers, licence),
                          r.err)
            self.assertEqual((said["name"], said["clips"], said["speakers"], said["licence"]),
                             (name, clips, speakers, licence))
            self.assertEqual(sum(said[s]["clips"] for s in ("train", "val", "test")), clips)
            self.assertEqual(sum(said[s]["speakers"] for s in ("train", "val", "test")), speakers)
            self.assertIn("    %-16s %7d %9d  %s\n" % (name, said["train"]["clips"],
                                                       said["train"]["speakers"], licence), info.out)
        rows = {g["name"]: g for g in m["groups"] if g["by"] == "corpus"}
        self.assertEqual(sorted(rows), ["EMO-DB", "Ours", "RAVDESS"])
        for said in m["corpora"]:
            self.assertEqual(rows[said["name"]]["clips"], said["test"]["clips"])
        low, high = m["intervals"]["uar"]
        self.assertIn("UAR         %.3f, with other speakers %.3f to %.3f" % (m["uar"], low, high),
                      info.out)
        self.assertIn("speaker-disjoint, by speaker, seed 0", info.out)
        self.assertIn("by corpus   RAVDESS %.3f, EMO-DB %.3f" % (rows["RAVDESS"]["uar"],
                                                                 rows["EMO-DB"]["uar"]), info.out)
        self.assertIn("ECE         %.3f; perfect probabilities would have %.3f"
                      % (m["calibration"]["ece"], m["calibration"]["ece_of_perfect"]), info.out)
        words = " ".join(info.out.split())
        self.assertIn("Article 5(1)(f)", words)
        self.assertIn("Not for commercial use: RAVDESS is under CC BY-NC-SA 4.0.", words)
        self.assertIn(m["notice"], words)

    def test_copies_are_used_once(self):
        make_corpus("copied", speakers=(1, 2, 3))
        source, copy = ("copied/Actor_01/03-01-03-01-01-0%d-01.wav" % take for take in (1, 2))
        with open(source, "rb") as a, open(copy, "wb") as b:
            b.write(a.read())
        r = run(TRAIN, "--data", "copied", "--epochs", 1, "--batch", 4, "-o", "c.h5", "--report", "c")
        self.assertEqual(r.code, 0, r)
        self.assertIn("  %s (happy) and %s (happy) are the same recording\n" % (source, copy), r.err)
        self.assertIn("  left out: 1 copy of a recording that is there\n", r.err)
        self.assertEqual(read_json("c/metrics.json")["protocol"]["copies"], 1)


def recalls(clips):
    """{label: the part of its clips that is heard right}"""
    right = {}
    for clip in clips:
        best = max(clip["probabilities"], key=clip["probabilities"].get)
        right.setdefault(clip["label"], []).append(best == clip["label"])
    return {label: sum(r) / len(r) for label, r in right.items()}


class Across(Corpora):
    def test_each_corpus_is_tested_by_the_others(self):
        r = self.train("--cross-corpus", "--report", "across", "-o", "none.h5")
        self.assertFalse(os.path.exists("none.h5"))
        self.assertIn("none.h5: is not written: --cross-corpus saves no model", r.err)
        m = read_json("across/metrics.json")
        self.assertEqual(m["protocol"]["dealt"],
                         "each of 3 corpora by a network trained on the others, seed 0")
        self.assertTrue(m["protocol"]["speaker_disjoint"])
        self.assertEqual(len(m["per_clip"]), 35)
        at = 0
        # The labels of each, and those of them that the others have too.
        for k, (trained, tested, clips, labels, shared) in enumerate((
                ("EMO-DB, Ours", "RAVDESS", 20, 5, {"happy", "sad", "angry"}),
                ("RAVDESS, Ours", "EMO-DB", 9, 3, {"happy", "sad", "angry"}),
                ("RAVDESS, EMO-DB", "Ours", 6, 2, {"happy", "sad"}))):
            row, one = m["cross_corpus"][k], read_json("across/corpus-%d/metrics.json" % (k + 1))
            mine = m["per_clip"][at:at + clips]
            at += clips
            self.assertEqual(one["per_clip"], mine)
            self.assertEqual((row["trained_on"], row["tested_on"], row["clips"], row["labels"],
                              row["shared_labels"]), (trained, tested, clips, labels, len(shared)))
            self.assertEqual([c["test"]["clips"] for c in one["corpora"] if c["name"] == tested],
                             [clips])
            self.assertEqual([c["train"]["clips"] for c in one["corpora"] if c["name"] == tested], [0])
            heard = recalls(mine)
            self.assertAlmostEqual(row["uar"], sum(heard.values()) / labels, delta=1e-8)
            self.assertAlmostEqual(row["uar_shared"], sum(heard[v] for v in shared) / len(shared),
                                   delta=1e-8)
            self.assertAlmostEqual(row["accuracy"], one["accuracy"], delta=1e-8)
            for name in ("uar", "uar_shared"):
                low, high = row[name + "_interval"]
                self.assertTrue(0 <= low <= row[name] <= high <= 1, row)
            self.assertRegex(r.out, r"\n%s +%s +%d +[34] +%.3f +%.3f +%.3f to %.3f +%d of +%d +%.3f\n"
                             % (trained, tested, clips, row["accuracy"], row["uar"],
                                *row["uar_interval"], len(shared), labels, row["uar_shared"]))
        with open("across/report.html", encoding="utf-8") as f:
            page = f.read()
        self.assertIn("<h2>Across corpora</h2>", page)
        self.assertIn("<td>3 of 5</td>", page)

    def test_it_takes_two(self):
        r = run(TRAIN, "--data", "german", "--cross-corpus")
        self.assertEqual(r.code, 1, r)
        self.assertEqual(r.err, "mood-train: --cross-corpus: EMO-DB is the only corpus: give --data of "
                                "another\n")
        for option in (("--folds", 3), ("--split", "random"), ("--test-speakers", "03")):
            r = run(TRAIN, "--data", "german", "--data", "voices", "--cross-corpus", *option)
            self.assertEqual(r.code, 2, r)
            self.assertIn("--cross-corpus tests whole corpora", r.err)


if __name__ == "__main__":
    unittest.main()
