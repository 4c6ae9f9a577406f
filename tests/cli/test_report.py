# SPDX-License-Identifier: MIT
"""test_report.py — mood-train's report: what its figures follow from, and the page for people.

    test_report.py MOOD_TRAIN MOOD_INFER

The clips are tones of half a second, written here, the trainings one or two epochs. File names try to
break out of the page."""
import html.parser
import json
import math
import os
import re
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from program import run
from voices import write_tone

TRAIN, INFER = (os.path.abspath(word) for word in sys.argv[1:3])
del sys.argv[1:3]

LABELS = ["<i>angry</i>", "calm & quiet"]
HOSTILE = ['<script>alert(1)</script>', '"quoted" & \'single\'', "]]>", "&amp;", "w\u00fctend",
           "</td></table>"]


def write_corpus():
    """Two labels, six speakers; every file name is hostile, and the last label of each speaker wrong."""
    rows = ["path,speaker,emotion"]
    for s in range(6):
        for i, label in enumerate(LABELS * 3):
            name = "%s %d %d.wav" % (HOSTILE[s].replace("/", "|"), s, i)
            write_tone(name, 300 + 400 * (i % 2 if i < 5 else 0) + 11 * s + 3 * i)
            rows.append('"%s",%s,"%s"' % (name.replace('"', '""'), "ABCDEF"[s], label))
    with open("voices.csv", "w", encoding="utf-8") as f:
        f.write("\n".join(rows) + "\n")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


class Elements(html.parser.HTMLParser):
    """The page as a browser takes it: its elements, their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def text(self):
        return " ".join(" ".join(self.words).split())


def calibration_error(confidence, right, n_bins=15):
    error = 0
    for b in range(n_bins):
        inside = [i for i, c in enumerate(confidence)
                  if min(max(math.ceil(c * n_bins) - 1, 0), n_bins - 1) == b]
        error += abs(sum(right[i] for i in inside) - sum(confidence[i] for i in inside))
    return error / len(confidence)


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        os.chdir(cls.scratch.name)
        write_corpus()
        for name, options in (("one", ["--seed", 3, "--test-speakers", "A,B", "-o", "one.h5"]),
                              ("folds", ["--folds", 3])):
            r = run(TRAIN, "--data", "voices.csv", "--epochs", 2, "--batch", 4, "--report", name,
                    *options)
            assert r.code == 0, r
        cls.one, cls.folds = (json.loads(read(d + "/metrics.json")) for d in ("one", "folds"))

    @classmethod
    def tearDownClass(cls):
        os.chdir("/")
        cls.scratch.cleanup()

    # ---- figures ----

    def check_figures(self, m):
        labels = m["labels"]
        self.assertEqual(labels, LABELS)
        answers = [list(c["probabilities"].values()) for c in m["per_clip"]]
        confidence = [max(p) for p in answers]
        right = [p.index(max(p)) == labels.index(c["label"])
                 for p, c in zip(answers, m["per_clip"])]
        near = dict(delta=1e-7)
        calibration = m["calibration"]
        self.assertAlmostEqual(calibration["ece"], calibration_error(confidence, right), **near)
        self.assertAlmostEqual(
            calibration["nll"],
            -sum(math.log(c["probabilities"][c["label"]]) for c in m["per_clip"]) / len(right), **near)
        for bins in (calibration["bins"], calibration["bins_before"]):
            self.assertEqual(len(bins), 15)
            self.assertEqual(sum(b["clips"] for b in bins), len(right))
        for key in ("ece_before", "ece_of_perfect", "nll_before"):
            self.assertGreater(calibration[key], 0)

        self.assertEqual([c["threshold"] for c in m["coverage"]], [i / 20 for i in range(21)])
        self.assertEqual(m["confident"]["threshold"], 0.699999988)  # a float, with nine digits
        for c in m["coverage"] + [m["confident"]]:
            inside = [r for r, p in zip(right, confidence) if p >= c["threshold"]]
            self.assertEqual(c["clips"], len(inside))
            self.assertAlmostEqual(c["coverage"], len(inside) / len(right), **near)
            self.assertAlmostEqual(c["accuracy"], sum(inside) / max(len(inside), 1), **near)

        for v, row in enumerate(m["per_label"]):
            self.assertEqual(row["label"], labels[v])
            self.assertEqual(row["clips"], sum(m["confusion"][v]))
            self.assertAlmostEqual(row["recall"], m["confusion"][v][v] / row["clips"], **near)
        for key in ("accuracy", "uar", "macro_f1"):
            low, high = m["intervals"][key]
            self.assertTrue(0 <= low <= m[key] <= high <= 1, (key, low, high))
        by_speaker = [g for g in m["groups"] if g["by"] == "speaker"]
        self.assertEqual(len(by_speaker), m["intervals"]["speakers"])
        self.assertEqual(sum(g["clips"] for g in by_speaker), len(right))
        self.assertAlmostEqual(sum(g["accuracy"] * g["clips"] for g in by_speaker), sum(right),
                               delta=1e-5)

    def test_figures(self):
        self.check_figures(self.one)
        self.check_figures(self.folds)
        self.assertEqual(self.one["intervals"]["speakers"], 2)
        self.assertEqual([g["name"] for g in self.one["groups"]], ["A", "B"])

    def test_folds_are_joined(self):
        m = self.folds
        self.assertEqual(m["protocol"], {"kind": "speaker-disjoint", "speaker_disjoint": True,
                                         "dealt": "3 folds by speaker, seed 0"})
        each = [json.loads(read("folds/fold-%d/metrics.json" % k)) for k in (1, 2, 3)]
        self.assertEqual(m["per_clip"], [c for e in each for c in e["per_clip"]])
        self.assertEqual([f["uar"] for f in m["folds"]], [e["uar"] for e in each])
        self.assertEqual([f["temperature"] for f in m["folds"]],
                         [e["calibration"]["temperature"] for e in each])
        self.assertEqual([f["protocol"] for f in m["folds"]], [e["protocol"] for e in each])
        self.assertEqual(sum(len(e["per_clip"]) for e in each), 36)
        self.assertEqual(sorted(os.listdir("folds")),
                         ["fold-1", "fold-2", "fold-3", "metrics.json", "report.html"])

    def test_the_model_has_the_temperature(self):
        best = self.one["epochs"][self.one["best_epoch"] - 1]
        self.assertEqual(self.one["calibration"]["temperature"], best["temperature"])
        self.assertNotEqual(best["temperature"], 1)
        with open("one.h5", "rb") as f:
            model = f.read()
        stored = re.search(rb'"temperature": ?([0-9.e+-]+)\}', model)
        self.assertAlmostEqual(float(stored.group(1)), best["temperature"], delta=1e-7)
        paths = [c["path"] for c in self.one["per_clip"]]
        r = run(INFER, "-m", "one.h5", "--json", *paths)
        self.assertEqual(r.code, 0, r)
        for line, clip in zip(r.out.splitlines(), self.one["per_clip"]):
            self.assertEqual(json.loads(line)["all_probabilities"], clip["probabilities"])

    # ---- the page ----

    def pages(self):
        for m, path in ((self.one, "one/report.html"), (self.folds, "folds/report.html")):
            text = read(path)
            yield m, text, Elements(text)

    def test_the_page_is_whole_and_stands_alone(self):
        void = {"meta", "line", "rect", "circle", "polyline"}
        for _, text, page in self.pages():
            root = xml.etree.ElementTree.fromstring(text)  # strict: it is XML too
            self.assertEqual(root.tag, "html")
            self.assertTrue(text.startswith("<!DOCTYPE html>\n<html lang=\"en\">"))
            self.assertEqual(len(page.elements), len(list(root.iter())))  # both see the same page
            tags = {tag for tag, _ in page.elements}
            self.assertEqual(tags & {"script", "link", "img", "iframe", "object", "embed", "a"}, set())
            for tag, attributes in page.elements:
                self.assertEqual(set(attributes) & {"src", "href", "srcset", "data", "action"}, set())
                self.assertFalse([a for a in attributes if a.startswith("on")], tag)
            self.assertNotIn("@import", text)
            self.assertNotIn("url(", text)
            self.assertEqual(set(re.findall(r"https?://[^\"' ]*", text)),
                             {"http://www.w3.org/2000/svg"})
            for tag in re.findall(r"<([a-z]+)[^>]*/>", text):
                self.assertIn(tag, void)  # in HTML, no other element may end like this
            self.assertIn("prefers-color-scheme:dark", text)
            self.assertNotRegex(text, r"[^a-z](nan|inf)[^a-z]")

    def test_the_page_says_what_the_metrics_say(self):
        for m, _, page in self.pages():
            text = page.text()
            self.assertIn("speaker-disjoint , " + m["protocol"]["dealt"], text)
            for figure in (m["uar"], m["accuracy"], m["macro_f1"], m["calibration"]["ece"],
                           m["confident"]["accuracy"]):
                self.assertIn(" %.3f " % figure, text)
            self.assertIn("%.3f to %.3f with other speakers" % tuple(m["intervals"]["uar"]), text)
            self.assertIn("%d clips of %d speakers" % (len(m["per_clip"]),
                                                       m["intervals"]["speakers"]), text)
            for label in LABELS:
                self.assertIn(label, text)
            titles = [a.get("aria-label") for tag, a in page.elements if tag == "svg"]
            self.assertEqual([t for t in titles if t],
                             ["Before the temperature", "As answered", "Accuracy against coverage",
                              "Loss", "Accuracy", "Learning rate"])

    def test_the_page_names_what_is_most_wrong(self):
        for m, _, page in self.pages():
            wrong = []
            for c in m["per_clip"]:
                best = max(c["probabilities"], key=c["probabilities"].get)
                if best != c["label"]:
                    wrong.append((-c["probabilities"][best], c["path"]))
            text = page.text()
            self.assertTrue(wrong)
            self.assertIn("%d of %d clips are heard wrong" % (len(wrong), len(m["per_clip"])), text)
            at = [text.find(path) for _, path in sorted(wrong)[:20]]
            self.assertNotIn(-1, at)  # whole, and read back as they are
            self.assertEqual(at, sorted(at))

    def test_a_random_split_is_stamped(self):
        r = run(TRAIN, "--data", "voices.csv", "--epochs", 1, "--split", "random", "--report",
                "random", "-o", "random.h5")
        self.assertEqual(r.code, 0, r)
        text = Elements(read("random/report.html")).text()
        self.assertIn("speaker-dependent , by clip, seed 0", text)
        self.assertIn("These voices were heard in training", text)
        self.assertNotIn("speaker-disjoint", text)
        self.assertNotIn("How the training went", text)  # one epoch is no curve

    def test_one_speaker_has_no_interval(self):
        r = run(TRAIN, "--data", "voices.csv", "--epochs", 1, "--test-speakers", "C", "--report", "c",
                "-o", "c.h5")
        self.assertEqual(r.code, 0, r)
        self.assertIn("of one speaker: how others would fare is not known", r.out)
        self.assertIn("no interval can be given", Elements(read("c/report.html")).text())
        m = json.loads(read("c/metrics.json"))
        self.assertEqual(m["intervals"]["uar"], [0, 1])


if __name__ == "__main__":
    unittest.main()
