# SPDX-License-Identifier: MIT
"""test_convert.py — mood-convert as its users meet it: random encoders, folders and back, half the
size, what a file is, and bad input.

    test_convert.py MOOD_CONVERT MOOD_INFER CHECKPOINTS V1_MODEL"""
import array
import glob
import json
import math
import os
import re
import resource
import shutil
import sys
import tempfile
import unittest
import wave

from program import run

CONVERT, INFER, CHECKPOINTS, V1_MODEL = (os.path.abspath(word) for word in sys.argv[1:5])
del sys.argv[1:5]


def write_clip(path, seconds):
    samples = array.array("h", (int(8000 * math.sin(i * i / 90000)) for i in
                                range(int(seconds * 16000))))
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(path, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(16000)
        f.writeframes(samples.tobytes())


def read(path, mode="rb"):
    with open(path, mode) as f:
        return f.read()


def folders(kind):
    """The committed folders whose architecture is, or is not, a classifier."""
    found = []
    for config in sorted(glob.glob(CHECKPOINTS + "/*/config.json")):
        classifier = "Classification" in read(config, "r")
        if classifier == (kind == "classifier"):
            found.append(os.path.dirname(config))
    assert found, CHECKPOINTS
    return found


class Convert(unittest.TestCase):
    def setUp(self):
        self.home = os.getcwd()
        self.folder = tempfile.mkdtemp()
        os.chdir(self.folder)

    def tearDown(self):
        os.chdir(self.home)
        shutil.rmtree(self.folder)

    def good(self, *command):
        r = run(*command)
        self.assertEqual(r.code, 0, r)
        return r

    def refuses(self, code, pattern, *arguments, **options):
        r = run(CONVERT, *arguments, **options)
        self.assertEqual((r.code, r.out), (code, ""), r)
        self.assertRegex(r.err, r"\Amood-convert: [^\n]*%s[^\n]*\n\Z" % pattern)
        self.assertEqual([name for name in os.listdir(".") if "tmp" in name], [])

    def info(self, path):
        """The facts by name, and the heading under ''."""
        lines = self.good(CONVERT, "--info", path).out.split("\n")
        facts = {"": lines[0]}
        for line in lines[1:]:
            m = re.match(r"  (\w+) +(.*)", line)
            if m:
                facts[m.group(1)] = m.group(2)
        return facts


class Random(Convert):
    def test_the_seed_makes_the_encoder(self):
        self.good(CONVERT, "--random", "tiny", "a.h5")
        self.good(CONVERT, "--random", "tiny", "--seed", "0", "again.h5")
        self.good(CONVERT, "--random", "tiny", "--seed", "1", "b.h5")
        self.good(CONVERT, "--random", "tiny", "--trained-like", "c.h5")
        self.assertEqual(read("a.h5"), read("again.h5"))
        identities = {self.info(name)["identity"] for name in ("a.h5", "b.h5", "c.h5")}
        self.assertEqual(len(identities), 3)

    def test_of_a_config(self):
        config = json.loads(read(folders("encoder")[0] + "/config.json"))
        config["hidden_size"] = config["num_attention_heads"] * 8
        config["num_conv_pos_embedding_groups"] = 2
        with open("config.json", "w") as f:
            json.dump(config, f)
        self.good(CONVERT, "--random", "config.json", "a.h5")
        self.assertIn("layers of width %d, %d heads" % (config["hidden_size"],
                                                        config["num_attention_heads"]),
                      self.info("a.h5")["understands"])

    def test_refusals(self):
        self.refuses(1, r"large: .*", "--random", "large", "a.h5")
        with open("config.json", "w") as f:
            f.write("{")
        self.refuses(1, r"config\.json: ", "--random", "config.json", "a.h5")
        self.refuses(1, r"no/a\.h5: ", "--random", "tiny", "no/a.h5")
        self.refuses(2, "--random takes one file", "--random", "tiny", "a.h5", "b.h5")
        self.assertEqual(os.listdir("."), ["config.json"])


class Encoders(Convert):
    def test_half_precision_is_the_same_encoder(self):
        self.good(CONVERT, "--random", "tiny", "full.h5")
        self.good(CONVERT, "full.h5", "half.h5", "--dtype", "f16")
        self.good(CONVERT, "half.h5", "kept.h5")
        self.assertLess(os.path.getsize("half.h5"), 0.6 * os.path.getsize("full.h5"))
        self.assertEqual(read("half.h5"), read("kept.h5"))
        full, half = self.info("full.h5"), self.info("half.h5")
        self.assertEqual(half["identity"], full["identity"])
        self.assertIn("f16", half["parameters"])
        self.assertIn("f32", full["parameters"])
        self.refuses(1, "half.h5: has weights of 16 bits", "half.h5", "wide.h5", "--dtype", "f32")

    def test_eight_bits_are_the_same_encoder(self):
        self.good(CONVERT, "--random", "tiny", "full.h5")
        self.good(CONVERT, "full.h5", "small.h5", "--dtype", "int8")
        self.good(CONVERT, "small.h5", "kept.h5")
        self.assertLess(os.path.getsize("small.h5"), 0.6 * os.path.getsize("full.h5"))
        self.assertEqual(read("small.h5"), read("kept.h5"))
        full, small = self.info("full.h5"), self.info("small.h5")
        self.assertEqual(small["identity"], full["identity"])
        self.assertIn("i8", small["parameters"])
        for dtype in "f32", "f16":
            self.refuses(1, "small.h5: has weights of 8 bits", "small.h5", "wide.h5", "--dtype",
                         dtype)
        self.refuses(1, "8 bits cannot be written as a Hugging Face folder", "small.h5", "folder/")

    def test_verify(self):
        self.good(CONVERT, "--random", "tiny", "full.h5")
        self.good(CONVERT, "full.h5", "half.h5", "--dtype", "f16")
        r = self.good(CONVERT, "--info", "--verify", "full.h5")
        self.assertIn("verified", r.out)
        self.refuses(1, "half.h5: ", "--info", "--verify", "half.h5")

    def test_to_a_folder_and_back(self):
        write_clip("clip.wav", 0.5)
        self.good(CONVERT, "--random", "tiny", "a.h5")
        self.good(CONVERT, "a.h5", "folder/")
        self.assertEqual(sorted(os.listdir("folder")),
                         ["config.json", "model.safetensors", "preprocessor_config.json"])
        self.good(CONVERT, "folder", "b.h5")
        self.assertEqual(self.info("a.h5")["understands"], self.info("b.h5")["understands"])
        for name in "ab":
            self.good(INFER, "--features", name + "-features.h5", "--encoder", name + ".h5",
                      "clip.wav")
            self.assertTrue(self.info(name + "-features.h5")[""].endswith("undamaged"))

    def test_folders_of_all_kinds(self):
        for folder in folders("encoder"):
            with self.subTest(folder=os.path.basename(folder)):
                self.assertIn("encoder in a Hugging Face folder", self.info(folder)[""])
                self.good(CONVERT, folder, "a.h5")
                self.assertEqual(self.info("a.h5")["identity"], self.info(folder)["identity"])

    def test_the_old_file_survives(self):
        self.good(CONVERT, "--random", "tiny", "a.h5")
        before = read("a.h5")

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        self.refuses(1, "a.h5: ", "--random", "tiny", "--seed", "1", "a.h5",
                     prepare=small_files)
        self.assertEqual(read("a.h5"), before)


class Models(Convert):
    def test_classifiers_answer(self):
        write_clip("clip.wav", 4)
        for folder in folders("classifier"):
            with self.subTest(folder=os.path.basename(folder)):
                self.good(CONVERT, folder, "full.h5")
                self.good(CONVERT, folder, "half.h5", "--dtype", "f16")
                self.good(CONVERT, "full.h5", "half2.h5", "--dtype", "f16")
                self.assertEqual(read("half.h5"), read("half2.h5"))
                facts = self.info("full.h5")
                self.assertEqual(facts["network"], "a classifier on an encoder")
                answer = json.loads(self.good(INFER, "-m", "full.h5", "--json", "clip.wav").out)
                self.assertEqual(list(answer["all_probabilities"]), facts["labels"].split(", "))
                half = json.loads(self.good(INFER, "-m", "half.h5", "--json", "clip.wav").out)
                for label, p in answer["all_probabilities"].items():
                    self.assertAlmostEqual(half["all_probabilities"][label], p, delta=1e-2)

    def test_no_folder_of_a_model(self):
        self.refuses(1, "only an encoder", folders("classifier")[0], "folder/")
        self.assertEqual(os.listdir("."), [])

    def test_the_encoder_of_a_model(self):
        self.good(CONVERT, folders("classifier")[0], "model.h5")
        self.good(CONVERT, "--encoder", "model.h5", "encoder.h5")
        facts = self.info("encoder.h5")
        self.assertIn("encoder, version", facts[""])
        self.assertEqual(facts["identity"], self.info("model.h5")["identity"])
        self.good(CONVERT, "--info", "--verify", "encoder.h5")
        self.good(CONVERT, "--encoder", "model.h5", "eight.h5", "--dtype", "int8")
        self.assertIn("i8", self.info("eight.h5")["parameters"])
        self.refuses(1, "is a model without an encoder", "--encoder", V1_MODEL, "a.h5")
        self.refuses(2, "--encoder takes a model", "--encoder", "--info", "model.h5")

    def test_what_has_no_encoder(self):
        facts = self.info(V1_MODEL)
        self.assertIn("model, version 1.0", facts[""])
        self.assertEqual(facts["network"], "the hybrid heads")
        self.refuses(1, "nothing to convert", V1_MODEL, "out.h5")
        self.assertEqual(os.listdir("."), [])


class Refusals(Convert):
    def test_usage(self):
        self.refuses(2, "SOURCE and OUT", "a.h5")
        self.refuses(2, "--info takes one", "--info", "a.h5", "b.h5")
        self.refuses(2, "do not go together", "--info", "--random", "tiny", "a.h5")
        self.refuses(2, "--verify belongs", "--verify", "a.h5", "b.h5")
        self.refuses(2, "belong to --random", "--seed", "3", "a.h5", "b.h5")
        self.refuses(2, "ONNX", "a.h5", "b.onnx")
        self.refuses(2, "--dtype", "--dtype", "f8", "a.h5", "b.h5")

    def test_what_is_no_source(self):
        os.mkdir("empty")
        with open("text.h5", "w") as f:
            f.write("not HDF5\n")
        for name, why in (("absent.h5", "No such file"), ("text.h5", "not a libmood file"),
                          ("empty", "config.json")):
            self.refuses(1, "%s: .*%s" % (re.escape(name), why), name, "out.h5")
            self.refuses(1, "%s: .*%s" % (re.escape(name), why), "--info", name)

    def test_damage(self):
        self.good(CONVERT, "--random", "tiny", "a.h5")
        whole = read("a.h5")
        for at in (0, 100, 600, len(whole) // 2, len(whole) - 1):
            with open("b.h5", "wb") as f:
                f.write(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            self.refuses(1, "b.h5: ", "--info", "b.h5")
            with open("b.h5", "wb") as f:
                f.write(whole[:at])
            self.refuses(1, "b.h5: ", "b.h5", "c.h5")

    def test_other_kinds(self):
        write_clip("clip.wav", 0.5)
        self.good(CONVERT, "--random", "tiny", "a.h5")
        self.good(INFER, "--features", "features.h5", "--encoder", "a.h5", "clip.wav")
        self.assertIn("features, version 1.0", self.info("features.h5")[""])
        self.refuses(1, "holds features", "features.h5", "out.h5")

    def test_features_spare_their_inputs(self):
        write_clip("clip.wav", 0.5)
        self.good(CONVERT, "--random", "tiny", "a.h5")
        before = read("clip.wav"), read("a.h5")
        for out in ("clip.wav", "./a.h5"):
            r = run(INFER, "--features", out, "--encoder", "a.h5", "clip.wav")
            self.assertEqual(r.code, 1, r)
            self.assertEqual(r.err, "mood-infer: %s: is an input, and the features would replace it\n"
                             % out)
        self.assertEqual((read("clip.wav"), read("a.h5")), before)

    def test_a_part_of_a_download(self):
        for path in glob.glob(CHECKPOINTS + "/superb/*"):
            self.refuses(1, "is not a libmood file; of a download, name the folder", path, "out.h5")
            self.refuses(1, "is not a libmood file; of a download, name the folder", "--info", path)


if __name__ == "__main__":
    unittest.main()
