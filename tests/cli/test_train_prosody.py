# SPDX-License-Identifier: MIT
"""test_train_prosody.py — mood-train --network prosody as its users meet it: the figures are those of
mood-infer, the report has what there is to say and nothing else, the same bytes come out again, and
options that have no meaning are mistakes.

    test_train_prosody.py MOOD_TRAIN MOOD_INFER MOOD_CONVERT MOOD_SYNTH"""
import json
import os
import sys
import unittest

from program import run
from voices import Folder, read, read_json

TRAIN, INFER, CONVERT, SYNTH = (os.path.abspath(word) for word in sys.argv[1:5])
del sys.argv[1:5]


class Prosody(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        r = run(SYNTH, "people", "--speakers", 4, "--per-emotion", 1)
        assert r.code == 0, r

    def train(self, *options, code=0):
        r = run(TRAIN, "--network", "prosody", "--data", "people", "--speeds", "1,1.1",
                "--centres", "100", "--background", "60", *options)
        self.assertEqual(r.code, code, r)
        return r

    def test_agrees_with_infer(self):
        r = self.train("-o", "m.h5", "--report", "report")
        self.assertIn("ridge 1e-05, speaker-disjoint, 8 clips: accuracy", r.out)
        self.assertNotIn("epoch", r.out + r.err)
        m = read_json("report/metrics.json")
        clips = m["per_clip"]
        self.assertEqual(len(clips), 8)
        r = run(INFER, "-m", "m.h5", "--json", *[c["path"] for c in clips])
        self.assertEqual(r.code, 0, r)
        for clip, line in zip(clips, r.out.splitlines(), strict=True):
            self.assertEqual(clip["probabilities"], json.loads(line)["all_probabilities"])
        self.assertEqual(m["recipe"], {"network": "prosody", "ridge": [1e-5], "speeds": [1.0, 1.1],
                                       "centres": 100, "background": 60, "augment": ""})
        self.assertEqual(m["ridge"], 1e-5)
        self.assertEqual(len(m["ridges"]), 1)
        self.assertEqual(m["ridges"][0]["temperature"], m["calibration"]["temperature"])
        self.assertFalse({"epochs", "best_epoch", "encoder"} & m.keys())

    def test_info(self):
        self.train("-o", "info.h5", "--ridge", "1e-4")
        r = run(CONVERT, "--info", "info.h5")
        self.assertEqual(r.code, 0, r)
        self.assertIn("kernel with 100 centres, on 991 functionals of prosody, version 1, with a gate", r.out)
        self.assertIn("network prosody", r.out)

    def test_copies(self):
        """Changed copies teach something else, and the record, report and file say that there were some."""
        self.train("-o", "plain.h5")
        self.train("-o", "changed.h5", "--augment", "noise,lowpass", "--copies", "2", "--report", "changed")
        self.assertNotEqual(read("plain.h5"), read("changed.h5"))
        recipe = read_json("changed/metrics.json")["recipe"]
        self.assertEqual((recipe["augment"], recipe["copies"]), ("noise,lowpass", 2))
        self.assertIn("noise,lowpass, 2 copies of each training clip", read("changed/report.html").decode())

    def test_same_bytes(self):
        copies = "--augment", "room", "--copies", "1"
        self.train("-o", "one.h5", "--threads", "1", *copies)
        self.train("-o", "two.h5", "--threads", "2", *copies)
        self.assertEqual(read("one.h5"), read("two.h5"))

    def test_ridges(self):
        r = self.train("--ridge", "1e-5,1,1e-3", "-o", "r.h5", "--report", "ridges")
        lines = [line.split() for line in r.out.splitlines()[1:4]]
        self.assertEqual([line[0] for line in lines], ["1", "0.001", "1e-05"])
        m = read_json("ridges/metrics.json")
        best = max(m["ridges"], key=lambda e: (e["val_uar"], e["ridge"]))
        self.assertEqual(m["ridge"], best["ridge"])
        page = read("ridges/report.html", "r", encoding="utf-8")
        self.assertNotIn("epoch", page)
        self.assertNotIn("Learning rate", page)
        self.assertEqual(page.count("<td>taken</td>"), 1)

    def test_folds(self):
        r = self.train("--folds", "2", "--report", "folds")
        self.assertIn("fold 2 of 2, ridge 1e-05, speaker-disjoint", r.out)
        self.assertIn("all folds, speaker-disjoint, 32 clips", r.out)
        m = read_json("folds/metrics.json")
        self.assertEqual([f["ridge"] for f in m["folds"]], [1e-5, 1e-5])
        self.assertNotIn("epoch", read("folds/report.html", "r", encoding="utf-8"))
        self.assertEqual(read_json("folds/fold-1/metrics.json")["ridge"], 1e-5)

    def test_last(self):
        """After the folds a model of everybody: its figures are theirs."""
        r = self.train("--folds", "2", "-o", "last.h5", "--report", "last")
        self.assertIn("last.h5 written: all speakers, ridge 1e-05, temperature ", r.err)
        r = run(CONVERT, "--info", "last.h5")
        self.assertEqual(r.code, 0, r)
        self.assertIn("2 folds by speaker, seed 0: all speakers, by models that had not heard them",
                      r.out)
        self.assertIn("UAR", r.out)
        m = read_json("last/metrics.json")
        self.assertIn(f"{m['uar']:.3f}", r.out)
        clips = [c["path"] for c in m["per_clip"]]
        r = run(INFER, "-m", "last.h5", "--json", *clips)
        self.assertEqual((r.code, len(r.out.splitlines())), (0, 32))

    def test_usage(self):
        for words, text in (
                (("--epochs", "20"), "--epochs has no meaning for --network prosody"),
                (("--resume",), "--resume has no meaning"),
                (("--encoder", "enc.h5"), "--encoder has no meaning"),
                (("--augment", "noise,timemask"), "masks have no meaning for --network prosody"),
                (("--trace", "t"), "--trace has no meaning"),
                (("--ridge", ""), "--ridge: '' is not a list of numbers"),
                (("--ridge", "1,"), "--ridge: '1,' is not"),
                (("--ridge", "1,,2"), "is not a list of numbers"),
                (("--ridge", "0"), "is not a list of numbers from 1e-09 to 1e+09"),
                (("--ridge", "nan"), "is not a list of numbers"),
                (("--ridge", "1 ,2"), "is not a list of numbers"),
                (("--ridge", ",".join(["1"] * 17)), "more than 16"),
                (("--centres", "0"), "--centres"),
                (("--background", "-1"), "--background"),
                (("--speeds", "0.4"), "is not a list of numbers from 0.5 to 2")):
            r = self.train(*words, code=2)
            self.assertIn(text, r.err)
        r = run(TRAIN, "--data", "people", "--ridge", "1")
        self.assertEqual((r.code, "--ridge has no meaning for --network heads" in r.err), (2, True))
        r = run(TRAIN, "--data", "people", "--network", "linear")
        self.assertEqual((r.code, "is not one of heads, prosody" in r.err), (2, True))


if __name__ == "__main__":
    unittest.main()
