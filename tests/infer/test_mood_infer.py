# SPDX-License-Identifier: MIT
"""test_mood_infer.py — mood-infer as its users meet it: answers, bad files of all kinds, exit codes.

    test_mood_infer.py MOOD_INFER MAKE_MODEL V1_MODEL

Sounds are written here, models by tests/models/make_model.c."""
import array
import json
import math
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

from program import environment, run, run_on_terminal
from sounds import ADPCM, FLOAT, tone, wav

PROGRAM, MAKE_MODEL, V1_MODEL = (os.path.abspath(word) for word in sys.argv[1:4])
del sys.argv[1:4]

EMOTIONS = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"]
FIELDS = ["file", "emotion", "confidence", "music_mood", "all_probabilities", "status", "warning"]


class Infer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="libmood-test-")
        for kind in ("small", "sure", "labels", "newer", "hybrid", "whole", "encoder", "other"):
            subprocess.run([MAKE_MODEL, kind, cls.path(kind + ".h5")], check=True)
        cls.write("clip.wav", wav(tone(2)))
        cls.write("long.wav", wav(tone(7.25)))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.dir, name)

    @classmethod
    def write(cls, name, content):
        with open(cls.path(name), "wb") as f:
            f.write(content)
        return cls.path(name)

    def infer(self, *words, model="small", **more):
        """Run in the scratch folder, so that files have short names."""
        return run(PROGRAM, "-m", self.path(model + ".h5"), *words,
                   prepare=lambda: os.chdir(self.dir), **more)

    def answers(self, *words, **more):
        """The objects that --json prints, when all goes well."""
        r = self.infer("--json", *words, **more)
        self.assertEqual((r.code, r.err), (0, ""), r)
        self.assertTrue(r.out.endswith("\n"), r)
        return [json.loads(line) for line in r.out[:-1].split("\n")]

    def assert_refused(self, r, *said, code=1):
        """Nothing on stdout, one line on stderr that begins with the program and has these words."""
        self.assertEqual((r.code, r.out), (code, ""), r)
        self.assertRegex(r.err, r"\Amood-infer: [^\n]*\n\Z")
        for words in said:
            self.assertIn(words, r.err)

    # ---- answers ---------------------------------------------------------------------------

    def test_json_of_a_clip(self):
        answer, = self.answers("clip.wav")
        self.assertEqual(list(answer), FIELDS)
        self.assertEqual(answer["file"], "clip.wav")
        self.assertEqual(list(answer["all_probabilities"]), EMOTIONS)
        p = answer["all_probabilities"]
        self.assertAlmostEqual(sum(p.values()), 1, delta=1e-6)
        self.assertEqual(answer["confidence"], max(p.values()))
        self.assertEqual(p[answer["emotion"]], answer["confidence"])
        self.assertEqual(answer["status"], "low_confidence")
        self.assertEqual(answer["warning"], "low confidence: nothing reaches 70%")

    def test_json_when_it_is_sure(self):
        answer, = self.answers("clip.wav", model="sure")
        self.assertEqual((answer["emotion"], answer["music_mood"], answer["status"],
                          answer["warning"]), ("happy", "upbeat", "success", None))
        self.assertGreater(answer["confidence"], 0.9)

    def test_json_numbers_are_floats_to_the_last_bit(self):
        answer, = self.answers("clip.wav")
        for p in answer["all_probabilities"].values():
            as_float, = struct.unpack("<f", struct.pack("<f", p))
            self.assertEqual("%.9g" % as_float, "%.9g" % p)

    def test_segments(self):
        answer, = self.answers("long.wav")
        self.assertEqual(list(answer), FIELDS + ["segments"])
        self.assertEqual([(s["start"], s["end"]) for s in answer["segments"]],
                         [(0, 3), (1.5, 4.5), (3, 6), (4.25, 7.25)])
        for s in answer["segments"]:
            self.assertEqual(list(s), ["start", "end", "emotion", "confidence"])
            self.assertIn(s["emotion"], EMOTIONS)

    def test_labels_of_a_models_own(self):
        answer, = self.answers("clip.wav", model="labels")
        self.assertEqual(list(answer["all_probabilities"]),
                         ["\"quoted\\\"", "tränen😢", "Happy", "\x9b31m"])
        self.assertEqual(answer["music_mood"], "upbeat" if answer["emotion"] == "Happy" else None)
        text = self.infer("clip.wav", model="labels")
        self.assertEqual(text.code, 0)
        self.assertNotIn("\x9b", text.out)
        self.assertIn("tränen😢", text.out)

    def test_same_bytes_with_any_number_of_threads(self):
        out = [self.infer("--json", "--threads", n, "long.wav", "clip.wav").out
               for n in ("1", "2", "3", "0")]
        self.assertEqual(out, [out[0]] * 4)

    def test_every_tier_answers_alike(self):
        one, = self.answers("long.wav", "--cpumask", "c")
        other, = self.answers("long.wav")
        for label in EMOTIONS:
            self.assertAlmostEqual(one["all_probabilities"][label],
                                   other["all_probabilities"][label], delta=1e-5)

    def test_locale_does_not_matter(self):
        self.assertEqual(self.infer("--json", "clip.wav", LC_ALL="de_DE.UTF-8").out,
                         self.infer("--json", "clip.wav").out)

    # ---- good recordings of odd kinds ------------------------------------------------------

    def test_silence(self):
        for name, content in (("zeros.wav", wav(bytes(6 * 32000))),
                              ("faint.wav", wav(tone(3, level=3)))):
            self.write(name, content)
            answer, = self.answers(name, model="sure")
            self.assertEqual(answer["status"], "no_speech")
            self.assertEqual(answer["warning"], "no speech: too quiet throughout, below -65 dBFS")
            self.assertEqual(answer["emotion"], "happy")

    def test_rates_and_channels(self):
        mono, = self.answers("clip.wav")
        for name, rate, channels in (("stereo48.wav", 48000, 2), ("eight.wav", 16000, 8)):
            self.write(name, wav(tone(2, rate, channels), rate, channels))
            answer, = self.answers(name)
            for label in EMOTIONS:
                self.assertAlmostEqual(answer["all_probabilities"][label],
                                       mono["all_probabilities"][label], delta=0.02)

    def test_very_short(self):
        self.write("one.wav", wav(struct.pack("<h", 9000)))
        answer, = self.answers("one.wav")
        self.assertEqual(answer["status"], "no_speech")

    # ---- bad recordings --------------------------------------------------------------------

    def test_bad_files(self):
        nan = array.array("f", [0.1] * 8000 + [math.nan] + [0.1] * 8000).tobytes()
        bad = {
            "text.wav": (b"Dear sir or madam,\n" * 50, "not audio"),
            "empty.wav": (b"", "empty"),
            "cut.wav": (wav(tone(2))[:20000], ""),
            "header.wav": (wav(tone(2))[:30], ""),
            "lie.wav": (wav(tone(1), claimed=1 << 24), ""),
            "nothing.wav": (wav(b""), ""),
            "nan.wav": (wav(nan, coding=FLOAT, bits=32), "NaN"),
            "nine.wav": (wav(tone(1, channels=9), channels=9), "9"),
            "adpcm.wav": (wav(tone(1), coding=ADPCM, bits=4), ""),
            "png.wav": (b"\x89PNG\r\n\x1a\n" + bytes(1000), "not audio"),
        }
        for name, (content, reason) in bad.items():
            with self.subTest(name):
                self.write(name, content)
                self.assert_refused(self.infer(name), "mood-infer: %s: " % name, reason)
                self.assert_refused(self.infer("--json", name), "mood-infer: %s: " % name, reason)

    def test_no_file_at_all(self):
        os.makedirs(self.path("folder"), exist_ok=True)
        self.assert_refused(self.infer("folder"), "mood-infer: folder: ", "directory")
        self.assert_refused(self.infer("nowhere.wav"), "mood-infer: nowhere.wav: ", "No such file")
        self.assert_refused(self.infer("/dev/null"), "mood-infer: /dev/null: ")

    def test_goes_on_past_a_bad_file(self):
        self.write("bad.wav", b"no sound")
        r = self.infer("--json", "bad.wav", "clip.wav", "gone.wav", "long.wav")
        self.assertEqual(r.code, 1)
        self.assertEqual([json.loads(line)["file"] for line in r.out.splitlines()],
                         ["clip.wav", "long.wav"])
        self.assertRegex(r.err, r"\Amood-infer: bad\.wav: .*\nmood-infer: gone\.wav: .*\n\Z")
        text = self.infer("bad.wav", "clip.wav", "gone.wav", "long.wav")
        self.assertEqual(text.code, 1)
        self.assertRegex(text.out, r"\Aclip\.wav  0:02\.0\n")
        self.assertIn("\n\nlong.wav  0:07.3\n", text.out)
        self.assertNotIn("\n\n\n", text.out)

    # ---- file names ------------------------------------------------------------------------

    def test_file_names(self):
        for name, in_json in ((b"gr\xc3\xbc\xc3\x9fe \xe2\x82\xac.wav", "grüße €.wav"),
                              (b"caf\xe9.wav", "caf\\xe9.wav"),
                              (b"\"a\\b\"\n\x1b[2J.wav", "\"a\\b\"\n\x1b[2J.wav"),
                              (b"-.wav", "-.wav")):
            with self.subTest(name):
                with open(os.path.join(os.fsencode(self.dir), name), "wb") as f:
                    f.write(wav(tone(1)))
                done = subprocess.run([PROGRAM, "-m", "small.h5", "--json", "--", name],
                                      cwd=self.dir, stdout=subprocess.PIPE, env=environment(),
                                      timeout=60)
                self.assertEqual(done.returncode, 0)
                self.assertEqual(json.loads(done.stdout.decode("utf-8"))["file"], in_json)
                done = subprocess.run([PROGRAM, "-m", "small.h5", "--", name], cwd=self.dir,
                                      stdout=subprocess.PIPE, env=environment(), timeout=60)
                self.assertNotIn(b"\x1b", done.stdout)
                self.assertIn(b".wav  0:01.0\n", done.stdout.split(b"\n\n")[0])

    # ---- standard input --------------------------------------------------------------------

    def test_standard_input(self):
        want, = self.answers("long.wav")
        with open(self.path("long.wav"), "rb") as f:
            have, = self.answers("-", stdin=f)
        self.assertEqual(have.pop("file"), "-")
        want.pop("file")
        self.assertEqual(have, want)

    def test_standard_input_through_a_pipe(self):
        want, = self.answers("clip.wav")
        with subprocess.Popen(["cat", self.path("clip.wav")], stdout=subprocess.PIPE) as cat:
            have, = self.answers("-", stdin=cat.stdout)
        self.assertEqual(have["all_probabilities"], want["all_probabilities"])
        with open(self.path("clip.wav"), "rb") as f:
            self.assertRegex(self.infer("-", stdin=f).out, r"\Astandard input  0:02\.0\n")

    def test_bad_standard_input(self):
        self.assert_refused(self.infer("-"), "mood-infer: standard input: ")
        with open(V1_MODEL, "rb") as f:
            self.assert_refused(self.infer("-", stdin=f), "standard input: not audio")

    # ---- models ----------------------------------------------------------------------------

    def test_models(self):
        with open(self.path("small.h5"), "rb") as f:
            good = bytearray(f.read())
        good[len(good) // 2] ^= 1
        self.write("damaged.h5", good)
        self.write("cut.h5", good[:-100])
        shutil.copy(V1_MODEL, self.path("v1.h5"))
        for model, said in (("damaged", "damaged"), ("cut", "cut off"),
                            ("newer", "version 2.7 is newer than 1."), ("gone", "No such file"),
                            ("v1", "encoder of width 16")):
            with self.subTest(model):
                r = self.infer("clip.wav", model=model)
                self.assert_refused(r, self.path(model + ".h5") + ": ", said)
        r = run(PROGRAM, "-m", self.path("clip.wav"), self.path("clip.wav"))
        self.assert_refused(r, "clip.wav: is not a libmood file")

    # ---- encoders --------------------------------------------------------------------------

    def test_a_model_with_its_encoder(self):
        said = [self.infer("--json", "--encoder", "encoder.h5", "--threads", n, "long.wav",
                           "clip.wav", model="hybrid") for n in ("1", "2", "3", "0")]
        for r in said:
            self.assertEqual((r.code, r.err, r.out), (0, "", said[0].out))
        self.assertEqual([json.loads(line)["file"] for line in said[0].out.splitlines()],
                         ["long.wav", "clip.wav"])

    def test_where_an_encoder_is_looked_for(self):
        def answer(model, **more):
            r = run(PROGRAM, "-m", model, "--json", self.path("clip.wav"),
                    prepare=lambda: os.chdir(self.path("places")), **more)
            return r if r.code else json.loads(r.out)["all_probabilities"]
        want, = self.answers("--encoder", "encoder.h5", "clip.wav", model="hybrid")
        for folder in ("places", "home"):
            os.makedirs(self.path(folder), exist_ok=True)
        hybrid, beside = self.path("hybrid.h5"), self.path("enc.h5")
        self.assert_refused(answer(hybrid), hybrid + ": its encoder ",
                            "enc.h5: cannot be opened: No such file", "name it with --encoder")
        shutil.copy(self.path("encoder.h5"), self.path("home/enc.h5"))
        self.assertEqual(answer(hybrid, MOOD_HOME=self.path("home")), want["all_probabilities"])
        shutil.copy(self.path("other.h5"), beside)
        self.assertEqual(answer(hybrid, MOOD_HOME=self.path("home")), want["all_probabilities"])
        self.assert_refused(answer(hybrid), beside + ": another encoder")
        shutil.copy(self.path("encoder.h5"), beside)
        self.assertEqual(answer(hybrid), want["all_probabilities"])
        os.remove(beside)

    def test_a_model_with_the_encoder_in_it(self):
        answer, = self.answers("clip.wav", model="whole")
        self.assertEqual(list(answer), FIELDS)
        self.assertAlmostEqual(sum(answer["all_probabilities"].values()), 1, delta=1e-6)
        # The same encoder with all its bits.
        other, = self.answers("--encoder", "encoder.h5", "clip.wav", model="whole")
        for label in EMOTIONS:
            self.assertAlmostEqual(answer["all_probabilities"][label],
                                   other["all_probabilities"][label], delta=0.02)
        self.assertNotEqual(answer["all_probabilities"], other["all_probabilities"])

    def test_wrong_encoders(self):
        for model in ("hybrid", "whole"):
            r = self.infer("--encoder", "other.h5", "clip.wav", model=model)
            self.assert_refused(r, "mood-infer: other.h5: is another encoder: its identity is ")
            self.assertEqual(len(re.findall("[0-9a-f]{64}", r.err)), 2)
        r = self.infer("--encoder", "encoder.h5", "clip.wav")
        self.assert_refused(r, "encoder.h5: the model has no encoder")
        r = self.infer("--encoder", "small.h5", "clip.wav", model="hybrid")
        self.assert_refused(r, "small.h5: ", "'model'", "'encoder'")
        r = self.infer("--encoder", "gone.h5", "clip.wav", model="hybrid")
        self.assert_refused(r, "gone.h5: ", "No such file")
        r = run(PROGRAM, "-m", self.path("encoder.h5"), self.path("clip.wav"))
        self.assert_refused(r, "encoder.h5: ", "'encoder'")

    # ---- features --------------------------------------------------------------------------

    def features(self, *words, **more):
        return run(PROGRAM, "--features", self.path("features.h5"), "--encoder",
                   self.path("encoder.h5"), *words, prepare=lambda: os.chdir(self.dir), **more)

    def test_features(self):
        self.write("short.wav", wav(tone(400 / 16000)))
        self.write("minute.wav", wav(tone(60)))
        for name, frames in (("short.wav", 1), ("clip.wav", 99), ("minute.wav", 2999)):
            files = []
            for threads in ("1", "2"):
                r = self.features("--threads", threads, name)
                self.assertEqual((r.code, r.out, r.err), (0, "", ""))
                with open(self.path("features.h5"), "rb") as f:
                    files.append(f.read())
            self.assertEqual(files[0], files[1])
            self.assertTrue(files[0].startswith(b"libmood\nkind features\n"))
            for layer in (b"layer_00", b"layer_03"):
                self.assertIn(layer, files[0])
            self.assertNotIn(b"layer_04", files[0])
            self.assertGreaterEqual(len(files[0]), 4 * frames * 16 * 4)
            self.assertLess(len(files[0]), 4 * frames * 16 * 4 + 20000)

    def test_features_are_refused(self):
        self.write("brief.wav", wav(tone(399 / 16000)))
        self.assert_refused(self.features("brief.wav"), "brief.wav: ", "399 samples", "400")
        self.assert_refused(self.features("gone.wav"), "gone.wav: ", "No such file")
        r = run(PROGRAM, "--features", "/nonexistent/x.h5", "--encoder", self.path("encoder.h5"),
                self.path("clip.wav"))
        self.assert_refused(r, "/nonexistent/x.h5: ")
        for words in (("--features", "x.h5", "clip.wav"),
                      ("--features", "x.h5", "--encoder", "e.h5", "--json", "clip.wav"),
                      ("--features", "x.h5", "--encoder", "e.h5", "-m", "m.h5", "clip.wav"),
                      ("--features", "x.h5", "--encoder", "e.h5", "a.wav", "b.wav")):
            self.assert_refused(run(PROGRAM, *words), "--features", code=2)

    # ---- usage -----------------------------------------------------------------------------

    def test_usage(self):
        self.assert_refused(self.infer(), code=2)
        self.assert_refused(self.infer("--cpumask", "z80", "clip.wav"), "'z80'", code=2)
        self.assert_refused(self.infer("--threads", "-1", "clip.wav"), code=2)

    # ---- how it looks ----------------------------------------------------------------------

    def test_text(self):
        for locale, bar in (("C", "#"), ("C.UTF-8", "█")):
            r = self.infer("long.wav", model="sure", LC_ALL=locale)
            self.assertEqual((r.code, r.err), (0, ""))
            self.assertNotIn("\x1b", r.out)
            head, labels, time_line = r.out.split("\n\n")
            self.assertRegex(head, r"\Along\.wav  0:07\.3\nhappy 9\d%, upbeat music\Z")
            self.assertEqual([line.split()[0] for line in labels.split("\n")], EMOTIONS)
            self.assertEqual([line.split()[0] for line in labels.split("\n")
                              if line.count(bar) > 20], ["happy"])
            self.assertRegex(time_line, r"\A  0:00\.0 - 0:07\.3  happy +%s+[^\n]* 9\d%%\n\Z" % bar)
            for line in r.out.split("\n"):
                self.assertLessEqual(len(line), 79)

    def test_time_line_shows_silence(self):
        self.write("pause.wav", wav(tone(6) + bytes(6 * 32000) + tone(3)))
        r = self.infer("pause.wav", model="sure")
        stretches = [line[:26].rstrip() for line in r.out.split("\n\n")[2].splitlines()]
        self.assertEqual(stretches, ["  0:00.0 - 0:06.0  happy", "  0:06.0 - 0:12.0  no spee",
                                     "  0:12.0 - 0:15.0  happy"])

    def test_colour_is_for_terminals(self):
        command = (PROGRAM, "-m", self.path("sure.h5"), self.path("clip.wav"))
        self.assertIn("\x1b[38;2;251;191;36m", run_on_terminal(*command, COLORTERM="truecolor").out)
        self.assertNotIn("\x1b[", run_on_terminal(*command, NO_COLOR="1").out)

    # ---- bad days --------------------------------------------------------------------------

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            r = self.infer("--json", "clip.wav", "long.wav", stdout=full)
        self.assertEqual(r.code, 1)
        self.assertRegex(r.err, r"\Amood-infer: standard output: [^\n]*\n\Z")


if __name__ == "__main__":
    unittest.main()
