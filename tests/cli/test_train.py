# SPDX-License-Identifier: MIT
"""test_train.py — mood-train as its users meet it: reports that add up, the same figures from
mood-infer, splits that can be repeated, bad input of all kinds, full disks and Ctrl-C.

    test_train.py MOOD_TRAIN MOOD_INFER

The clips are tones of half a second, written here, the trainings one or two epochs."""
import csv
import glob
import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

from program import LIMIT_S, environment, run, run_on_terminal
from voices import Folder, make_corpus, read, read_json, write_tone

TRAIN, INFER = (os.path.abspath(word) for word in sys.argv[1:3])
del sys.argv[1:3]

EIGHT = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"]


def first_largest(values):
    return values.index(max(values))


def infer(model, paths):
    """What mood-infer says of each file: a list of objects, as text and parsed."""
    r = run(INFER, "-m", model, "--json", *paths)
    assert r.code == 0, r
    return [json.loads(line) for line in r.out.splitlines()]


class Training(Folder):
    """With what trainings and their reports have in common."""

    def train(self, *options, data="voices", epochs=1, **settings):
        r = run(TRAIN, "--data", data, "--epochs", epochs, "--batch", 4, *options, **settings)
        self.assertEqual(r.code, 0, r)
        return r

    def check_report(self, report, data, labels, disjoint):
        """metrics.json has what it should, and its figures follow from per_clip, to nine digits."""
        m = read_json(report + "/metrics.json")
        self.assertEqual(m["labels"], labels)
        self.assertEqual(m["protocol"]["kind"],
                         "speaker-disjoint" if disjoint else "speaker-dependent")
        self.assertIs(m["protocol"]["speaker_disjoint"], disjoint)
        self.assertEqual([c["path"] for c in m["sources"]], data)
        self.assertGreaterEqual(m["best_epoch"], 1)
        self.assertEqual([e["epoch"] for e in m["epochs"]], list(range(1, len(m["epochs"]) + 1)))
        best = first_largest([e["val_accuracy"] for e in m["epochs"]])
        self.assertEqual(m["best_epoch"], best + 1)

        confusion = [[0] * len(labels) for _ in labels]
        for clip in m["per_clip"]:
            self.assertEqual(list(clip["probabilities"]), labels)
            p = list(clip["probabilities"].values())
            self.assertAlmostEqual(sum(p), 1, delta=len(p) * 2.0**-24)
            confusion[labels.index(clip["label"])][first_largest(p)] += 1
        self.assertEqual(m["confusion"], confusion)
        self.assertEqual(len(m["per_clip"]), m["protocol"]["test"]["clips"])
        n = range(len(labels))
        rows = [sum(row) for row in confusion]
        columns = [sum(row[j] for row in confusion) for j in n]
        present = [i for i in n if rows[i]]
        self.assertAlmostEqual(m["accuracy"], sum(confusion[i][i] for i in n) / sum(rows),
                               delta=1e-9)
        self.assertAlmostEqual(
            m["uar"], sum(confusion[i][i] / rows[i] for i in present) / len(present), delta=1e-9)
        self.assertAlmostEqual(
            m["macro_f1"],
            sum(2 * confusion[i][i] / (rows[i] + columns[i]) for i in present) / len(present),
            delta=1e-9)
        return m


class Reports(Training):
    def test_a_report_adds_up_and_infer_repeats_it(self):
        r = self.train("-o", "m.h5", "--report", "deep/report", "--seed", 5, epochs=2)
        m = self.check_report("deep/report", ["voices"], EIGHT, True)
        self.assertEqual(m["seed"], 5)
        self.assertEqual(m["recipe"], {"epochs": 2, "batch": 4, "lr": 0.001, "dropout": 0.5,
                                       "clip_norm": 0, "early_stop": 0, "augment": ""})
        self.assertEqual(m["protocol"]["dealt"], "by speaker, seed 5")
        # What was printed: a line for each epoch, and the same figures.
        self.assertEqual(r.out.count("\n    1 "), 1, r)
        self.assertEqual(r.out.count("\n    2 "), 1, r)
        self.assertIn("speaker-disjoint, 3 clips: accuracy %.4f, UAR %.4f, macro F1 %.4f"
                      % (m["accuracy"], m["uar"], m["macro_f1"]), r.out)
        self.assertIn("12 clips, 4 speakers, 8 labels", r.err)
        self.assertNotIn("\r", r.err)  # no bar: it is no terminal
        # Three sides, no speaker on two, all clips there.
        lines = read("deep/report/split.csv", "r", encoding="utf-8").splitlines()
        sides = {row["path"]: row["side"] for row in csv.DictReader(lines)}
        self.assertEqual(len(sides), 12)
        speakers = {side: {path[-6:-4] for path in sides if sides[path] == side}
                    for side in ("train", "val", "test")}
        self.assertEqual(sum(len(s) for s in speakers.values()), 4)
        self.assertEqual(m["protocol"]["test"], {"clips": 3, "speakers": speakers["test"].pop()})

        answers = infer("m.h5", [clip["path"] for clip in m["per_clip"]])
        self.assertEqual([a["file"] for a in answers], [c["path"] for c in m["per_clip"]])
        for answer, clip in zip(answers, m["per_clip"]):
            self.assertEqual(answer["all_probabilities"], clip["probabilities"])

    def test_the_same_bytes_again_and_on_threads(self):
        self.train("-o", "a.h5", "--threads", 1, "--augment", "noise,gain,shift")
        self.train("-o", "b.h5", "--threads", 3, "--augment", "noise,gain,shift")
        self.train("-o", "c.h5", "--threads", 1, "--seed", 1, "--augment", "noise,gain,shift")
        self.assertEqual(read("a.h5"), read("b.h5"))
        self.assertNotEqual(read("a.h5"), read("c.h5"))

    def test_another_recipe_is_recorded(self):
        self.train("-o", "other.h5", "--report", "other", "--optimiser", "adamw", "--weight-decay",
                   0.25, "--schedule", "cosine", "--warmup", 0.5, "--average", 0.875,
                   "--class-weights", "balanced", "--label-smoothing", 0.125, "--mixup", 0.5,
                   "--accumulate", 2)
        recipe = self.check_report("other", ["voices"], EIGHT, True)["recipe"]
        self.assertEqual({k: v for k, v in recipe.items() if k in (
            "optimiser", "weight_decay", "schedule", "warmup", "average", "class_weights",
            "label_smoothing", "mixup", "accumulate")},
            {"optimiser": "adamw", "weight_decay": 0.25, "schedule": "cosine", "warmup": 0.5,
             "average": 0.875, "class_weights": "balanced", "label_smoothing": 0.125,
             "mixup": 0.5, "accumulate": 2})
        page = read("other/report.html", "r", encoding="utf-8")
        for words in (">adamw<", "label_smoothing", "balanced"):
            self.assertIn(words, page)

    def test_recipes_that_are_none(self):
        for option, value, words in (("--optimiser", "sgd", "neither adam nor adamw"),
                                     ("--schedule", "step", "neither plateau nor cosine"),
                                     ("--class-weights", "1,2", "neither none nor balanced"),
                                     ("--mixup", "-1", "--mixup"), ("--average", "1", "--average"),
                                     ("--accumulate", "0", "--accumulate")):
            r = run(TRAIN, "--data", "voices", option, value)
            self.assertEqual(r.code, 2, r)
            self.assertIn(words, r.err)
        r = run(TRAIN, "--data", "voices", "--trace", "t", "--mixup", "1")
        self.assertEqual(r.code, 2, r)
        self.assertIn("leave it or --mixup out", r.err)

    def test_a_split_can_be_fed_back(self):
        self.train("-o", "m1.h5", "--report", "r1", "--seed", 2)
        os.mkdir("elsewhere")
        shutil.copy("r1/split.csv", "elsewhere/split.csv")
        self.train("-o", "m2.h5", "--report", "r2", "--seed", 2, "--split", "elsewhere/split.csv")
        self.assertEqual(read("r1/split.csv"), read("r2/split.csv"))
        one, two = (self.check_report(r, ["voices"], EIGHT, True) for r in ("r1", "r2"))
        self.assertEqual(one["per_clip"], two["per_clip"])  # and so the whole training
        self.assertIn("split.csv", two["protocol"]["dealt"])

    def test_a_split_of_two_sources_can_be_fed_back(self):
        make_corpus("more", speakers=(1, 5))  # two clips have the same name in each
        self.train("-o", "two.h5", "--report", "two", "--data", "more")
        self.train("-o", "two.h5", "--report", "again", "--data", "more", "--split",
                   "two/split.csv")
        self.assertEqual(read("two/split.csv"), read("again/split.csv"))
        self.check_report("again", ["voices", "more"], EIGHT, True)

    def test_a_random_split_is_stamped(self):
        make_corpus("many", takes=2)
        r = self.train("-o", "random.h5", "--report", "random", "--split", "random", data="many")
        m = self.check_report("random", ["many"], EIGHT, False)
        self.assertIn("\nspeaker-dependent, by clip, seed 0\n", r.err)
        self.assertIn("speaker-dependent, %d clips: accuracy" % len(m["per_clip"]), r.out)
        self.assertIn("These voices were heard in training", r.out)
        self.assertNotIn("speaker-disjoint", r.out + r.err)
        self.assertIn(b"speaker-dependent", read("random.h5"))
        self.assertNotIn(b"speaker-disjoint", read("random.h5"))
        # So is a file that puts a speaker on two sides, whatever it is called.
        with open("honest.csv", "w", encoding="ascii") as f:
            f.write("path,side\n")
            for i, path in enumerate(sorted(glob.glob("voices/*/*.wav"))):
                f.write("%s,%s\n" % (path, ["train", "train", "val", "test"][i % 4]))
        r = self.train("-o", "file.h5", "--report", "file", "--split", "honest.csv")
        self.check_report("file", ["voices"], EIGHT, False)
        self.assertIn("These voices were heard in training", r.out)

    def test_a_manifest_with_its_own_labels(self):
        labels = ["w\u00fctend", "Ruhe, tief"]
        with open("own.csv", "w", encoding="utf-8") as f:
            f.write("speaker,note,emotion,path\n")
            for speaker in "ABCD":
                for i, label in enumerate(labels):
                    path = "own/%s%d.wav" % (speaker, i)
                    write_tone(path, 300 + 500 * i + ord(speaker))
                    f.write('%s,x,"%s",%s\n' % (speaker, label, path))
        r = self.train("-o", "own.h5", "--report", "own-report", data="own.csv")
        m = self.check_report("own-report", ["own.csv"], labels, True)
        self.assertIn("w\u00fctend", r.out)
        for answer, clip in zip(infer("own.h5", [c["path"] for c in m["per_clip"]]),
                                m["per_clip"]):
            self.assertEqual(answer["all_probabilities"], clip["probabilities"])
            self.assertIn(answer["emotion"], labels)
            self.assertIsNone(answer["music_mood"])

    def test_planted_leaks(self):
        # One voice under two names.
        shutil.copytree("voices", "leak/a")
        shutil.copy("leak/a/Actor_01/03-01-03-01-01-01-01.wav",
                    "leak/a/Actor_04/03-01-03-01-01-01-04.wav")
        r = run(TRAIN, "--data", "leak/a", "--epochs", 1, "--test-speakers", "4", "-o", "leak.h5")
        self.assertEqual(r.code, 1, r)
        self.assertIn("are the same recording", r.err.splitlines()[-1])
        self.assertIn("Actor_01/03-01-03-01-01-01-01.wav (speaker 01, ", r.err.splitlines()[-1])
        self.assertFalse(os.path.exists("leak.h5"))
        # Where voices are mixed anyway, it is part of the stamp.
        r = self.train("-o", "leak.h5", "--report", "leak/random", "--split", "random", "--seed", 1,
                       data="leak/a")
        twins = read_json("leak/random/metrics.json")["protocol"]["twins"]
        sides = [line.split(",")[1] for line in read("leak/random/split.csv", "r").splitlines()
                 if "03-01-03-01-01-01-01" in line or "03-01-03-01-01-01-04" in line]
        self.assertEqual(twins, 2 if len(set(sides)) == 2 else 0)
        self.assertEqual("2 clips are the same recording as one on another side." in r.out, twins == 2)
        # One recording under two labels: neither is used.
        shutil.copytree("voices", "leak/b")
        shutil.copy("leak/b/Actor_02/03-01-03-01-01-01-02.wav",
                    "leak/b/Actor_02/03-01-05-01-01-01-02.wav")
        r = self.train("-o", "leak.h5", "--report", "leak/labels", data="leak/b")
        self.assertIn("03-01-03-01-01-01-02.wav (happy) and ", r.err)
        self.assertIn("03-01-05-01-01-01-02.wav (angry) are the same recording", r.err)
        self.assertEqual(read_json("leak/labels/metrics.json")["protocol"]["disputed"], 2)
        self.assertNotIn("03-01-05-01-01-01-02", read("leak/labels/split.csv", "r"))

    def test_folds(self):
        r = self.train("--folds", 3, "--report", "folds", "-o", "none.h5")
        self.assertFalse(os.path.exists("none.h5"))
        self.assertIn("none.h5: is not written: --folds saves no model", r.err)
        self.assertFalse(os.path.exists("model.h5"))
        tested, accuracy = [], []
        for k in (1, 2, 3):
            m = self.check_report("folds/fold-%d" % k, ["voices"], EIGHT, True)
            self.assertEqual(m["protocol"]["dealt"], "fold %d of 3 by speaker, seed 0" % k)
            self.assertIn("fold %d of 3, best epoch" % k, r.out)
            tested += m["protocol"]["test"]["speakers"].split(",")
            accuracy.append(m["accuracy"])
        self.assertEqual(sorted(tested), ["01", "02", "03", "04"])
        self.assertIn("all folds, speaker-disjoint, 12 clips: accuracy", r.out)
        mean = sum(accuracy) / 3
        deviation = math.sqrt(sum((a - mean) ** 2 for a in accuracy) / 2)
        self.assertIn("accuracy  %.4f +- %.4f" % (mean, deviation), r.out)

    def test_a_bar_on_a_terminal(self):
        r = run_on_terminal(TRAIN, "--data", "voices", "--epochs", 1, "-o", "t.h5")
        self.assertEqual(r.code, 0, r)
        self.assertIn("\r", r.out.replace("\r\n", ""))
        self.assertIn("training", r.out)
        self.assertIn("\x1b[", r.out)
        r = run_on_terminal(TRAIN, "--data", "voices", "--epochs", 1, "-o", "t.h5", NO_COLOR="1")
        self.assertEqual(r.code, 0, r)
        self.assertNotIn("\x1b[3", r.out)  # colours
        self.assertNotIn("\x1b[1m", r.out)

    def test_tiers(self):
        r = self.train("-o", "c.h5", "--cpumask", "c")
        self.assertIn("kernels c\n", r.err)


class BadInput(Training):
    def refused(self, *options, code=1, names=(), data="voices", prepare=None):
        """One line that begins with the program and says all of `names`; no model."""
        r = run(TRAIN, "--data", data, "--epochs", 1, "--batch", 4, "-o", "refused.h5", *options,
                prepare=prepare)
        self.assertEqual(r.code, code, r)
        errors = [line for line in r.err.splitlines() if line.startswith("mood-train: ")]
        self.assertEqual(errors, r.err.splitlines()[-1:], r)
        for name in names:
            self.assertIn(name, errors[0], r)
        self.assertFalse(os.path.exists("refused.h5"))
        self.assertEqual(glob.glob(".libmood-*"), [])
        return r

    def test_usage(self):
        for options in (["--epochs", 0], ["--epochs", "x"], ["--batch", -1], ["--lr", "nan"],
                        ["--nonsense"], ["stray"], ["--augment", "echo"], ["--folds", 1],
                        ["--folds", 2, "--split", "random"], ["--cpumask", "z80"],
                        ["--threads", 1000], ["--dropout", 1], ["--seed", "-1"]):
            r = self.refused(*options, code=2)
            self.assertEqual(r.out, "")
        r = run(TRAIN)
        self.assertEqual(r.code, 2, r)
        self.assertIn("--data", r.err)

    def test_corpora(self):
        self.refused(data="gone", names=["gone", "No such file"])
        os.makedirs("empty/sub")
        self.refused(data="empty", names=["empty"])
        make_corpus("one-class", emotions=(3,), takes=2)
        self.refused(data="one-class", names=["happy"])
        make_corpus("one-speaker", speakers=(7,), takes=2)
        self.refused(data="one-speaker", names=["one speaker", "07"])
        make_corpus("two-speakers", speakers=(7, 8))
        self.refused(data="two-speakers", names=["two speakers", "07", "08"])
        r = run(TRAIN, "--data", "voices", "--folds", 9)
        self.assertEqual(r.code, 1, r)
        self.assertRegex(r.err.splitlines()[-1], "^mood-train: .*9.*4")

    def test_manifests(self):
        clip = sorted(glob.glob("voices/*/*.wav"))[0]
        head = "path,emotion,speaker\n"
        for text, names in (
                ("path,emotion\n%s,happy\n" % clip, ["speaker"]),
                (head + "%s,happy,1\n%s,happy\n" % (clip, clip), ["line 3"]),
                (head + "%s,happy,1\nnot-there.wav,sad,2\n" % clip, ["line 3", "not-there.wav"]),
                (head + "%s,happy,\n" % clip, ["line 2"]),
                (head + '%s,"happy,1\n' % clip, ["line 2"]),
                (head, ["manifest.csv"]),
                ("", ["manifest.csv"])):
            with open("manifest.csv", "w", encoding="ascii") as f:
                f.write(text)
            self.refused(data="manifest.csv", names=["manifest.csv", *names])
        with open("manifest.csv", "wb") as f:
            f.write(bytes(range(256)))
        self.refused(data="manifest.csv", names=["manifest.csv"])

    def test_splits(self):
        self.refused("--test-speakers", "9", names=["'9'"])
        self.refused("--test-speakers", "1", "--val-speakers", "01", names=["01", "both"])
        self.refused("--test-speakers", "1,2", "--val-speakers", "3,4", names=["training"])
        for text, names in (("path,side\nnobody.wav,train\n", ["line 2", "nobody.wav"]),
                            ("path,side\nActor_01/03-01-01-01-01-01-01.wav,exam\n",
                             ["line 2", "exam"]),
                            ("path,side\nActor_01/03-01-01-01-01-01-01.wav,train\n", []),
                            ("name,side\n", ["path"])):
            with open("bad.csv", "w", encoding="ascii") as f:
                f.write(text)
            self.refused("--split", "bad.csv", names=names)

    def test_unreadable_clips(self):
        for name, content, words in (("bad", b"no sound at all, whatever it is called", ["audio"]),
                                     ("nothing", b"", []), ("cut", None, [])):
            folder = "with-" + name
            make_corpus(folder)
            path = folder + "/Actor_02/03-01-03-01-01-01-02.wav"
            if content is None:
                content = read(path)[:-1000]
            with open(path, "wb") as f:
                f.write(content)
            self.refused(data=folder, names=[path, *words])
        # A clip that is a folder is no clip; one without permission cannot be read by most.
        make_corpus("locked")
        path = "locked/Actor_02/03-01-03-01-01-01-02.wav"
        os.chmod(path, 0)
        if not os.access(path, os.R_OK):
            self.refused(data="locked", names=[path, "Permission denied"])

    def test_a_full_disk_leaves_the_old_model(self):
        make = run(TRAIN, "--data", "voices", "--epochs", 1, "--batch", 4, "-o", "old.h5")
        self.assertEqual(make.code, 0, make)
        before = read("old.h5")
        self.assertGreater(len(before), 2000000)

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000000, 1000000))

        r = run(TRAIN, "--data", "voices", "--epochs", 2, "--batch", 4, "-o", "old.h5",
                prepare=small_files)
        self.assertEqual(r.code, 1, r)
        self.assertTrue(r.err.splitlines()[-1].startswith("mood-train: old.h5: "), r)
        self.assertIn("File too large", r.err)
        self.assertEqual(read("old.h5"), before)
        self.assertEqual(glob.glob(".libmood-*"), [])

    def test_a_failed_training_leaves_the_old_model(self):
        with open("refused.h5", "wb") as f:
            f.write(b"the model of last week")
        try:
            r = run(TRAIN, "--data", "voices", "--epochs", 5, "--batch", 4, "--lr", 10, "-o",
                    "refused.h5", "--test-speakers", "99")
            self.assertEqual(r.code, 1, r)
            self.assertEqual(read("refused.h5"), b"the model of last week")
        finally:
            os.unlink("refused.h5")


class Stopping(Training):
    def stopped(self, out, number, when, *options, epochs=100000):
        """Start a long training, send a signal when(stdout so far), and return what it said."""
        process = subprocess.Popen(
            [TRAIN, "--data", "voices", "--epochs", str(epochs), "--batch", "4", "-o", out,
             *map(str, options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment())
        seen, end = b"", time.monotonic() + LIMIT_S
        os.set_blocking(process.stdout.fileno(), False)
        while not when(seen) and process.poll() is None and time.monotonic() < end:
            seen += process.stdout.read() or b""
            time.sleep(0.01)
        process.send_signal(number)
        try:
            rest, err = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return process.returncode, (seen + (rest or b"")).decode(), err.decode()

    def test_ctrl_c_keeps_the_best_model(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            code, out, err = self.stopped("kept.h5", number, lambda seen: b"\n    3 " in seen)
            self.assertEqual(code, 1, err)
            epochs = [line for line in out.splitlines() if line.endswith("best")]
            self.assertRegex(err.splitlines()[-1], "^mood-train: stopped after epoch [0-9]+; kept.h5 "
                             "holds the model of epoch %s$" % epochs[-1].split()[0])
            self.assertEqual(len(infer("kept.h5", glob.glob("voices/Actor_01/*.wav"))), 3)
            self.assertEqual(glob.glob(".libmood-*"), [])

    def test_ctrl_c_before_the_first_epoch(self):
        make_corpus("plenty", takes=12)
        with open("old.h5", "wb") as f:
            f.write(b"the model of last week")
        code, out, err = self.stopped("old.h5", signal.SIGINT, lambda seen: time.sleep(0.2) or True,
                                      "--data", "plenty")
        self.assertEqual(code, 1, err)
        if "epoch" not in out:  # it was quick enough
            self.assertEqual(err.splitlines()[-1], "mood-train: stopped; no model was written")
            self.assertEqual(read("old.h5"), b"the model of last week")

    def test_resumed_is_never_stopped(self):
        recipe = ("--augment", "gain", "--average", 0.9, "--schedule", "cosine", "--mixup", 0.2)
        self.train("-o", "whole.h5", *recipe, epochs=8)
        self.assertFalse(os.path.exists("whole.h5.checkpoint"))
        for number in (signal.SIGINT, signal.SIGKILL):
            code, out, err = self.stopped("part.h5", number, lambda seen: b"\n    2 " in seen,
                                          *recipe, epochs=8)
            if number == signal.SIGINT:
                self.assertEqual(code, 1, err)
                self.assertIn("stopped after epoch ", err.splitlines()[-1])
            else:
                self.assertEqual(code, -signal.SIGKILL, err)
            for option, name in (("--dropout", "dropout"), ("--clip-norm", "clip norm"),
                                 ("--weight-decay", "weight decay")):
                r = run(TRAIN, "--data", "voices", "--batch", 4, "-o", "part.h5", *recipe, "--epochs",
                        8, "--resume", option, 0.75)
                self.assertEqual(r.code, 1, r)
                self.assertIn("part.h5.checkpoint: it was written with other settings: '%s' was "
                              % name, r.err.splitlines()[-1])
            r = self.train("-o", "part.h5", "--resume", "--threads", 3, *recipe, epochs=8)
            self.assertIn("of 8 epochs are over: going on from part.h5.checkpoint\n", r.err)
            self.assertNotIn("\n    1 ", r.out)
            self.assertIn("\n    8 ", r.out)
            self.assertEqual(read("part.h5"), read("whole.h5"))
            self.assertFalse(os.path.exists("part.h5.checkpoint"))
        r = run(TRAIN, "--data", "voices", "-o", "part.h5", "--resume")
        self.assertEqual(r.code, 1, r)
        self.assertIn("part.h5.checkpoint: ", r.err)
        for option in (("--folds", 2), ("--trace", "t")):
            r = run(TRAIN, "--data", "voices", "--resume", *option)
            self.assertEqual(r.code, 2, r)

    def test_with_a_trace(self):
        code, _, err = self.stopped("traced.h5", signal.SIGINT, lambda seen: b"\n    1 " in seen,
                                    "--trace", "trace")
        self.assertEqual(code, 1, err)
        self.assertIn("; traced.h5 holds the model of epoch", err.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
