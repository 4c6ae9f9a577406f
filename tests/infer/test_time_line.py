# SPDX-License-Identifier: MIT
"""test_time_line.py — mood-infer on recordings that are longer than a window: tables, subtitles, pictures; what
it warns of; and which model it takes when none is named.

    test_time_line.py MOOD_INFER MAKE_MODEL INSTALLED_MODEL

INSTALLED_MODEL is where a model would be that is installed."""
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

from program import environment, run, run_on_terminal
from sounds import tone, wav

PROGRAM, MAKE_MODEL, INSTALLED = (os.path.abspath(word) for word in sys.argv[1:4])
del sys.argv[1:4]

SVG = "{http://www.w3.org/2000/svg}"


class Line(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="libmood-test-")
        os.chdir(cls.scratch.name)
        for kind in ("small", "sure", "labels"):
            subprocess.run([MAKE_MODEL, kind, kind + ".h5"], check=True)
        cls.write("clip.wav", wav(tone(2)))
        cls.write("long.wav", wav(tone(7.25)))
        cls.write("pause.wav", wav(tone(6) + bytes(6 * 32000) + tone(3)))
        cls.write("silence.wav", wav(bytes(6 * 32000)))

    @classmethod
    def tearDownClass(cls):
        os.chdir("/")
        cls.scratch.cleanup()

    @staticmethod
    def write(name, content):
        with open(name, "wb") as f:
            f.write(content)

    def infer(self, *words, model="small", **more):
        return run(PROGRAM, "-m", model + ".h5", *words, **more)

    def good(self, *words, **more):
        """What is printed when all goes well."""
        r = self.infer(*words, **more)
        self.assertEqual((r.code, r.err), (0, ""), r)
        return r.out

    def assert_refused(self, r, *said, code=1):
        self.assertEqual((r.code, r.out), (code, ""), r)
        self.assertRegex(r.err, r"\Amood-infer: [^\n]*\n\Z")
        for words in said:
            self.assertIn(words, r.err)

    # ---- tables ----------------------------------------------------------------------------

    def test_csv_is_json_in_rows(self):
        for name in ("long.wav", "pause.wav"):
            rows = list(csv.DictReader(io.StringIO(self.good("--csv", name, model="sure"))))
            want = json.loads(self.good("--json", name, model="sure"))["segments"]
            self.assertEqual(list(rows[0]), ["start", "end", "emotion", "confidence", "status"])
            self.assertEqual([{"start": float(r["start"]), "end": float(r["end"]),
                               "emotion": r["emotion"], "confidence": float(r["confidence"])}
                              for r in rows], want)
        self.assertEqual([r["status"] for r in rows],
                         ["success"] * 4 + ["no_speech"] * 3 + ["success"] * 2)

    def test_csv_of_a_clip_and_of_a_doubtful_one(self):
        row, = csv.DictReader(io.StringIO(self.good("--csv", "clip.wav")))
        self.assertEqual((row["start"], row["end"], row["status"]), ("0", "2", "low_confidence"))

    def test_csv_of_several_files(self):
        names = ["with, comma.wav", 'with "quotes".wav', "with\nline\r\n.wav", "gr\u00fc\u00dfe.wav",
                 " =1+1 .wav"]
        for name in names:
            shutil.copy("clip.wav", name)
        out = self.good("--csv", "--", *names)
        rows = list(csv.DictReader(io.StringIO(out, newline="")))
        self.assertEqual([r["file"] for r in rows], names)
        self.assertEqual(list(rows[0])[:3], ["file", "start", "end"])
        self.assertEqual(out.count("confidence"), 1 + len(rows)) # one head; the rest are statuses
        self.assertIn('\n"with ""quotes"".wav",0,2,', out)

    def test_csv_of_a_name_that_is_no_utf8(self):
        shutil.copy(b"clip.wav", b"caf\xe9.wav")
        done = subprocess.run([PROGRAM, "-m", "small.h5", "--csv", b"caf\xe9.wav", "clip.wav"],
                              stdout=subprocess.PIPE, env=environment(), timeout=60)
        self.assertEqual(done.stdout.decode("utf-8").split("\n")[1].split(",")[0], r"caf\xe9.wav")

    def test_csv_goes_on_past_a_bad_file(self):
        self.write("bad.wav", b"no sound")
        r = self.infer("--csv", "bad.wav", "clip.wav", "gone.wav", "clip.wav")
        self.assertEqual(r.code, 1)
        self.assertEqual([line.split(",")[0] for line in r.out.splitlines()],
                         ["file", "clip.wav", "clip.wav"])
        self.assertRegex(r.err, r"\Amood-infer: bad\.wav: .*\nmood-infer: gone\.wav: .*\n\Z")
        self.assert_refused(self.infer("--csv", "bad.wav"), "bad.wav: not audio")

    def test_csv_of_labels_of_a_models_own(self):
        rows = list(csv.DictReader(io.StringIO(self.good("--csv", "long.wav", model="labels"))))
        self.assertLessEqual({r["emotion"] for r in rows},
                             {"\"quoted\\\"", "tr\u00e4nen\U0001f622", "Happy", "\x9b31m"})

    def test_locale_does_not_matter(self):
        for words in (("--csv", "long.wav"), ("--srt", "long.wav")):
            self.assertEqual(self.good(*words, LC_ALL="de_DE.UTF-8"), self.good(*words))

    def test_standard_input(self):
        for form in ("--csv", "--srt"):
            with open("long.wav", "rb") as f:
                self.assertEqual(self.good(form, "-", stdin=f), self.good(form, "long.wav"))

    # ---- subtitles -------------------------------------------------------------------------

    def cues(self, text):
        """[(from, to, text)] of subtitles, in milliseconds; fails where they are not well-formed."""
        found = []
        for i, cue in enumerate(text[:-1].split("\n\n") if text else []):
            m = re.fullmatch(r"(\d+)\n(\d\d+):(\d\d):(\d\d),(\d\d\d) --> (\d\d+):(\d\d):(\d\d),(\d\d\d)"
                             r"\n([^\n]+)", cue)
            self.assertTrue(m, cue)
            self.assertEqual(int(m[1]), i + 1)
            at = [int(m[k]) for k in range(2, 10)]
            times = [((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (at[:4], at[4:])]
            self.assertLess(times[0], times[1])
            self.assertTrue(not found or found[-1][1] <= times[0])
            found.append((times[0], times[1], m[10]))
        return found

    def test_srt(self):
        cues = self.cues(self.good("--srt", "pause.wav", model="sure"))
        self.assertEqual([c[:2] for c in cues], [(0, 6000), (12000, 15000)])
        for cue in cues:
            self.assertRegex(cue[2], r"\Ahappy 9\d%\Z")

    def test_srt_of_a_clip_of_silence_and_of_one_sample(self):
        (start, end, said), = self.cues(self.good("--srt", "clip.wav"))
        self.assertEqual((start, end), (0, 2000))
        self.assertRegex(said, r"\A[a-z]+\? \d\d%\Z") # it is not sure
        self.assertEqual(self.good("--srt", "silence.wav"), "")

    def test_srt_of_a_label_with_a_control_character(self):
        self.assertNotIn("\x9b", self.good("--srt", "long.wav", model="labels"))

    # ---- pictures --------------------------------------------------------------------------

    def picture(self, *words, **more):
        self.good("--svg", "out.svg", *words, **more)
        tree = ElementTree.parse("out.svg").getroot()
        self.assertEqual(tree.tag, SVG + "svg")
        self.width = float(tree.get("viewBox").split()[2])
        return tree

    def shapes(self, tree, kind):
        found = [r for r in tree.iter(SVG + "rect") if r.get("class") == kind]
        for r in found:
            x, width = float(r.get("x")), float(r.get("width"))
            self.assertTrue(0 <= x and 0 < width and x + width <= self.width)
            self.assertGreater(float(r.get("height")), 0)
        return found

    def test_svg(self):
        tree = self.picture("pause.wav", model="sure")
        bars, gap = self.shapes(tree, "bar"), self.shapes(tree, "gap")
        self.assertEqual(len(bars), 6)
        self.assertEqual({b.get("fill") for b in bars}, {"#FBBF24"})
        self.assertEqual({b.get("fill-opacity") for b in bars}, {None})
        self.assertEqual([g.find(SVG + "title").text for g in gap],
                         ["0:06.0 \u2013 0:12.0 no speech"])
        self.assertRegex(bars[0].find(SVG + "title").text, r"\A0:00\.0 \u2013 0:01\.5 happy 9\d%\Z")
        ticks = [t.text for t in tree.iter(SVG + "text") if t.get("class") == "tick"]
        self.assertEqual(ticks, ["0:00", "0:02", "0:04", "0:06", "0:08", "0:10", "0:12", "0:14"])
        words = [t.text for t in tree.iter(SVG + "text")]
        for word in ("pause.wav", "neutral", "surprised", "no speech", "pale: below 70%"):
            self.assertIn(word, words)

    def test_svg_shows_doubt(self):
        bars = self.shapes(self.picture("clip.wav"), "bar")
        self.assertEqual([b.get("fill-opacity") for b in bars], ["0.4"])

    def test_svg_of_silence_of_odd_labels_and_of_long_recordings(self):
        tree = self.picture("silence.wav")
        self.assertEqual((len(self.shapes(tree, "bar")), len(self.shapes(tree, "gap"))), (0, 1))
        self.assertIn("tr\u00e4nen\U0001f622", [t.text for t in
                      self.picture("long.wav", model="labels").iter(SVG + "text")])
        self.write("hour.wav", wav(tone(6) * 80))
        tree = self.picture("hour.wav")
        self.assertGreater(len(self.shapes(tree, "bar")), 100)
        self.assertLessEqual(len(self.shapes(tree, "bar")), 320)
        self.assertIn("8:00", [t.text for t in tree.iter(SVG + "text")])

    def test_svg_escapes_names(self):
        name = "<b>&'\"\x1b\uffff]]>.wav"
        shutil.copy("clip.wav", name)
        tree = self.picture(name)
        self.assertEqual(tree.find(SVG + "title").text, "<b>&'\"\\x1b?]]>.wav")
        name = "x" * 200 + ".wav"
        shutil.copy("clip.wav", name)
        self.assertEqual(self.picture(name).find(SVG + "title").text, "x" * 100 + "\u2026")

    def test_svg_beside_other_forms_and_standard_input(self):
        with open("long.wav", "rb") as f:
            self.assertEqual(self.good("--svg", "a.svg", "--csv", "-", stdin=f),
                             self.good("--csv", "long.wav"))
        self.assertIn("standard input", [t.text for t in
                                         ElementTree.parse("a.svg").getroot().iter(SVG + "text")])

    def test_svg_that_cannot_be_written(self):
        os.makedirs("folder", exist_ok=True)
        for path, said in (("nowhere/x.svg", "No such file"), ("folder", "directory"),
                           ("/dev/null", "regular file")):
            self.assert_refused(self.infer("--svg", path, "clip.wav"), path + ": ", said)
        for path in ("clip.wav", "small.h5"):
            self.assert_refused(self.infer("--svg", path, "clip.wav"), path + ": is an input")
        self.assertFalse([n for n in os.listdir(".") if n.startswith(".libmood")])

    def test_svg_of_a_bad_file_stays_as_it_was(self):
        self.write("bad.wav", b"no sound")
        self.write("old.svg", b"old")
        self.assert_refused(self.infer("--svg", "old.svg", "bad.wav"), "bad.wav: not audio")
        with open("old.svg", "rb") as f:
            self.assertEqual(f.read(), b"old")

    # ---- usage -----------------------------------------------------------------------------

    def test_usage(self):
        for words in (("--json", "--csv"), ("--csv", "--srt"), ("--srt", "--json"),
                      ("--json", "--csv", "--srt")):
            self.assert_refused(self.infer(*words, "clip.wav"), "exclude one another", code=2)
        for words in (("--srt",), ("--svg", "x.svg")):
            self.assert_refused(self.infer(*words, "clip.wav", "long.wav"),
                                words[0] + ": one file at a time", code=2)
        for words in (("--csv",), ("--srt",), ("--svg", "x.svg")):
            self.assert_refused(run(PROGRAM, "--features", "x.h5", "--encoder", "e.h5", *words,
                                    "clip.wav"), "leave %s out" % words[0], code=2)

    def test_full_disk(self):
        for form in ("--csv", "--srt"):
            with open("/dev/full", "w") as full:
                r = self.infer(form, "long.wav", stdout=full)
            self.assertEqual(r.code, 1)
            self.assertRegex(r.err, r"\Amood-infer: standard output: [^\n]*\n\Z")

    # ---- for people ------------------------------------------------------------------------

    def test_text_of_a_long_recording_is_not_long(self):
        self.write("changing.wav", wav((tone(3) + bytes(3 * 32000)) * 60))
        lines = self.good("changing.wav").split("\n\n")[2].splitlines()
        self.assertTrue(1 <= len(lines) <= 40, lines)
        self.assertTrue(lines[-1].lstrip().split()[2] == "6:00.0", lines)

    def test_progress_is_for_terminals(self):
        shown = run_on_terminal(PROGRAM, "-m", "small.h5", "--csv", "long.wav")
        self.assertIn("hearing [", shown.out)
        self.assertIn(" 0/4", shown.out)
        self.assertTrue(shown.out.endswith("\r\n"), shown)
        self.assertNotIn("hearing", run_on_terminal(PROGRAM, "-m", "small.h5", "clip.wav").out)
        self.assertEqual(self.infer("--csv", "long.wav").err, "")

    def test_stops_when_asked(self):
        """The signal is sent when the first bar is on the terminal: a recording is being heard."""
        self.write("hours.wav", wav(tone(6) * 600))
        ours, theirs = os.openpty()
        with subprocess.Popen([PROGRAM, "-m", "small.h5", "hours.wav"], stdout=subprocess.PIPE,
                              stderr=theirs, env=environment(TERM="xterm")) as process:
            os.close(theirs)
            seen = b""
            while b"hearing" not in seen:
                seen += os.read(ours, 4096)
            process.send_signal(signal.SIGINT)
            out = process.stdout.read()
            while True:
                try:
                    piece = os.read(ours, 4096)
                except OSError: # the other end is closed
                    break
                seen += piece
        os.close(ours)
        self.assertEqual((process.returncode, out), (1, b""))
        self.assertTrue(seen.endswith(b"mood-infer: stopped\r\n"), seen)

    # ---- warnings --------------------------------------------------------------------------

    def warning(self, content):
        self.write("warn.wav", content)
        return json.loads(self.good("--json", "warn.wav", model="sure"))["warning"]

    def test_warnings(self):
        self.assertIsNone(self.warning(wav(tone(2))))
        for content, said in (
                (tone(0.5), "very short: 0.5 s"),
                (tone(2, level=60), "quiet: the loudest parts have -58 dBFS"),
                (tone(2, level=60000), "clipped: "),
                (tone(2, hiss=0), "narrow band: nothing above 4 kHz, as over a telephone"),
                (tone(3) + bytes(9 * 32000), "mostly without speech: heard in 2 of 7 windows"),
                (bytes(32000), "no speech: too quiet throughout, below -65 dBFS")):
            warning = self.warning(wav(content))
            self.assertTrue(warning.startswith(said), warning)
        self.assertEqual(self.warning(wav(tone(0.5, hiss=0))), "very short: 0.5 s; narrow band: "
                         "nothing above 4 kHz, as over a telephone")

    # ---- the model that is used when none is named -----------------------------------------

    def test_model_of_the_environment(self):
        out = run(PROGRAM, "--json", "clip.wav", MOOD_MODEL="sure.h5").out
        self.assertEqual(out, self.good("--json", "clip.wav", model="sure"))
        out = run(PROGRAM, "-m", "small.h5", "--json", "clip.wav", MOOD_MODEL="gone.h5").out
        self.assertEqual(out, self.good("--json", "clip.wav"))
        self.assert_refused(run(PROGRAM, "clip.wav", MOOD_MODEL="gone.h5"),
                            "gone.h5: cannot be opened: No such file")
        self.assert_refused(run(PROGRAM, "clip.wav", MOOD_MODEL="clip.wav"),
                            "clip.wav: is not a libmood file")

    def test_model_beside_the_program(self):
        for folder in ("tree/bin", "tree/models"):
            os.makedirs(folder)
        moved = os.path.abspath("tree/bin/mood-infer")
        shutil.copy(PROGRAM, moved)
        libraries = os.path.join(os.path.dirname(PROGRAM), "../lib") # where libmood is shared only
        if not os.path.exists(INSTALLED):
            self.assert_refused(run(moved, "clip.wav", LD_LIBRARY_PATH=libraries),
                                "mood-infer: no model: $MOOD_MODEL is not set, and nothing is at ",
                                os.path.abspath("tree/models/mood.h5"), INSTALLED,
                                "name one with -m")
        shutil.copy("sure.h5", "tree/models/mood.h5")
        r = run(moved, "--json", "clip.wav", LD_LIBRARY_PATH=libraries)
        self.assertEqual((r.code, r.err), (0, ""))
        self.assertEqual(r.out, self.good("--json", "clip.wav", model="sure"))


if __name__ == "__main__":
    unittest.main()
