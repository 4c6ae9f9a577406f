# SPDX-License-Identifier: MIT
"""test_train_encoder.py — mood-train with an encoder as its users meet it: the features are computed
once, whatever interrupts it; the layer is chosen, given or mixed; the figures are those of mood-infer;
caches that are damaged, full or not to be written.

    test_train_encoder.py MOOD_TRAIN MOOD_INFER MAKE_ENCODER

MAKE_ENCODER OUT.h5 SEED writes a small encoder with random weights."""
import glob
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

from program import LIMIT_S, environment, run
from voices import Folder, make_corpus, read, read_json

TRAIN, INFER, MAKE = (os.path.abspath(word) for word in sys.argv[1:4])
del sys.argv[1:4]

FEATURES = re.compile(r"features: (\d+) windows in (\S+?)(?:, (\d+) to compute: .* that are free)?$",
                      re.M)


class WithEncoder(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, seed in (("enc.h5", 1), ("other.h5", 2)):
            r = run(MAKE, name, seed)
            assert r.code == 0, r
        with open("form.json", "w", encoding="ascii") as f:
            json.dump({"model_type": "wav2vec2", "conv_dim": [8, 8, 8], "conv_kernel": [16, 8, 8],
                       "conv_stride": [8, 8, 5], "hidden_size": 16, "num_hidden_layers": 1,
                       "num_attention_heads": 2, "intermediate_size": 16,
                       "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}, f)

    def setUp(self):
        shutil.rmtree("cache", ignore_errors=True)

    def train(self, *options, encoder="enc.h5", data="voices", cache="cache", code=0, **settings):
        place = ("--cache", cache) if cache is not None else ()
        r = run(TRAIN, "--data", data, "--encoder", encoder, *place, "--epochs", 1, "--batch", 4,
                *options, **settings)
        self.assertEqual(r.code, code, r)
        return r

    def passes(self, r):
        """What each pass over the features found and computed: [(there, to compute)]."""
        return [(int(there), int(missing or 0)) for there, _, missing in FEATURES.findall(r.err)]

    def agrees(self, report, model, *options):
        """mood-infer says of each clip what the report does, to the last digit."""
        clips = read_json(report + "/metrics.json")["per_clip"]
        self.assertGreater(len(clips), 0)
        r = run(INFER, "-m", model, *options, "--json", *[c["path"] for c in clips])
        self.assertEqual(r.code, 0, r)
        for clip, line in zip(clips, r.out.splitlines()):
            self.assertEqual(clip["probabilities"], json.loads(line)["all_probabilities"])


class Layers(WithEncoder):
    def test_a_layer_is_chosen(self):
        r = self.train("-o", "m.h5", "--report", "report")
        table = re.findall(r"^ +(\d) +([01]\.\d{3}) +([01]\.\d{3})(  best)?(  chosen)?$", r.out, re.M)
        self.assertEqual([row[0] for row in table], ["0", "1", "2", "3"])
        chosen = [int(row[0]) for row in table if row[4]]
        self.assertEqual(len(chosen), 1)

        e = read_json("report/metrics.json")["encoder"]
        self.assertEqual((e["layer"], e["chosen"], e["layers"], e["width"]), (chosen[0], True, 3, 16))
        self.assertRegex(e["identity"], "^[0-9a-f]{64}$")
        accuracies = [row["val_accuracy"] for row in e["table"]]
        self.assertEqual(["%.3f" % a for a in accuracies], [row[1] for row in table])
        best = max(accuracies)
        self.assertEqual(accuracies.index(best), [bool(row[3]) for row in table].index(True))
        self.assertEqual(chosen[0], [a >= best - 0.01 for a in accuracies].index(True))
        self.agrees("report", "m.h5")  # the encoder is found where it was

    def test_a_layer_that_is_given(self):
        for layer in ("0", "3", "mix"):
            r = self.train("-o", "m.h5", "--encoder-layer", layer, "--report", "report")
            self.assertNotIn("time-averaged", r.out)
            e = read_json("report/metrics.json")["encoder"]
            self.assertEqual((str(e["layer"]), e["chosen"]), (layer, False))
            self.assertNotIn("table", e)
            self.agrees("report", "m.h5", "--encoder", "enc.h5")

    def test_folds_share_the_cache(self):
        r = self.train("--folds", 2, "--encoder-layer", 2)
        (none, all_windows), second = self.passes(r)
        self.assertEqual(none, 0)
        self.assertEqual(second, (all_windows, 0))
        r = self.train("--folds", 2, "--report", "folds")
        chosen = re.findall(r"^fold \d of 2, layer (\d) chosen", r.out, re.M)
        m = read_json("folds/metrics.json")
        self.assertEqual([str(fold["encoder"]["layer"]) for fold in m["folds"]], chosen)
        self.assertEqual(sorted(m["encoder"]), ["identity", "layers", "width"])
        page = read("folds/report.html", "r", encoding="utf-8")
        self.assertEqual(re.findall(r"(\d), chosen on the validation side", page), chosen)

    def test_an_encoder_in_the_model(self):
        self.train("-o", "m.h5", "--encoder-layer", 2, "--embed-encoder", "--report", "report")
        os.makedirs("elsewhere", exist_ok=True)
        shutil.move("m.h5", "elsewhere/m.h5")
        os.rename("enc.h5", "hidden.h5")
        try:
            self.agrees("report", "elsewhere/m.h5")
        finally:
            os.rename("hidden.h5", "enc.h5")


class Tuned(WithEncoder):
    def train_new(self, *options, code=0):
        r = run(TRAIN, "--data", "voices", "--epochs", 2, "--batch", 4, *options)
        self.assertEqual(r.code, code, r)
        return r

    def test_layers_are_trained(self):
        r = self.train("-o", "tuned.h5", "--finetune", 1, "--report", "report", "--epochs", 2)
        self.assertNotIn("time-averaged", r.out)  # the last layer, not one that was chosen
        self.assertEqual(len(glob.glob("cache/*/layer-02-exact/*.h5")), 1)
        m = read_json("report/metrics.json")
        self.assertEqual((m["encoder"]["layer"], m["recipe"]["finetune"]), (3, 1))
        self.assertRegex(m["encoder"]["trained_from"], "^[0-9a-f]{64}$")
        self.agrees("report", "tuned.h5")  # with what is inside, wherever the other encoder is
        r = run(INFER, "-m", "tuned.h5", "--encoder", "enc.h5", m["per_clip"][0]["path"])
        self.assertEqual(r.code, 1, r)
        self.assertIn("is another encoder", r.err)
        again = self.train("-o", "again.h5", "--finetune", 1, "--threads", 2, "--epochs", 2)
        self.assertEqual(self.passes(again)[0][1], 0)
        self.assertEqual(read("tuned.h5"), read("again.h5"))
        self.train("-o", "auto.h5", "--finetune", 1, "--encoder-layer", 2)
        self.train("--finetune", 1, "--folds", 2)

    def test_from_nothing(self):
        self.train_new("-o", "new.h5", "--encoder-config", "form.json", "--report", "report",
                       "--augment", "gain")
        m = read_json("report/metrics.json")
        self.assertEqual(m["recipe"]["encoder_config"], "form.json")
        self.assertNotIn("copies", m["recipe"])
        self.assertEqual(glob.glob("cache"), [])
        self.agrees("report", "new.h5")
        self.train_new("-o", "again.h5", "--encoder-config", "form.json", "--augment", "gain",
                       "--threads", 2)
        self.assertEqual(read("new.h5"), read("again.h5"))
        self.train_new("-o", "other.h5", "--encoder-config", "form.json", "--encoder-lr", "1e-4",
                       "--augment", "gain")
        self.assertNotEqual(read("new.h5"), read("other.h5"))

    def test_refusals(self):
        for options, message in (
                (("--finetune", 1), "--finetune needs --encoder"),
                (("--encoder-lr", "1e-4"), "--encoder-lr needs --finetune or --encoder-config"),
                (("--encoder", "enc.h5", "--encoder-lr", "1e-4"), "--encoder-lr needs"),
                (("--encoder", "enc.h5", "--finetune", 1, "--encoder-layer", "mix"),
                 "--encoder-layer mix hears all"),
                (("--encoder", "enc.h5", "--encoder-config", "tiny"), "leave --encoder out"),
                (("--encoder-config", "tiny", "--finetune", 1), "leave --finetune out"),
                (("--encoder-config", "tiny", "--cache", "c"), "leave --cache out"),
                (("--encoder-config", "tiny", "--encoder-layer", 1), "leave --encoder-layer out"),
                (("--encoder-config", "tiny", "--trace", "t"), "leave it or --encoder-config out")):
            r = self.train_new(*options, code=2)
            self.assertIn(message, r.err)
        r = self.train_new("--encoder-config", "none.json", "-o", "no.h5", code=1)
        self.assertRegex(r.err.splitlines()[-1], "^mood-train: none.json: .*No such file")
        r = self.train("-o", "no.h5", "--finetune", 2, "--encoder-layer", 1, code=1)
        self.assertIn("2 layers of the encoder are to be trained", r.err)
        self.assertFalse(os.path.exists("no.h5"))


class Cache(WithEncoder):
    def test_the_second_training_computes_nothing(self):
        first = self.train("-o", "one.h5", "--encoder-layer", 2)
        second = self.train("-o", "two.h5", "--encoder-layer", 2)
        (there, computed), = self.passes(first)
        self.assertEqual(there, 0)
        self.assertGreater(computed, 12)
        self.assertEqual(self.passes(second), [(computed, 0)])
        self.assertEqual(read("one.h5"), read("two.h5"))
        other = self.train("-o", "three.h5", "--encoder-layer", 2, encoder="other.h5")
        self.assertEqual(self.passes(other), [(0, computed)])
        copies = self.train("-o", "four.h5", "--encoder-layer", 2, "--augment", "noise", "--copies",
                            2)
        self.assertEqual(self.passes(copies)[0][0], computed)
        self.assertGreater(self.passes(copies)[0][1], 0)

    def test_the_default_place(self):
        for env, place in (({"XDG_CACHE_HOME": os.path.abspath("xdg")}, "xdg"),
                           ({"HOME": os.path.abspath("home")}, "home/.cache")):
            self.train("-o", "m.h5", "--encoder-layer", 1, cache=None, **env)
            self.assertEqual(len(glob.glob(place + "/libmood/features/*/layer-01/*.h5")), 1)

    def test_a_damaged_shard_is_computed_again(self):
        self.train("-o", "one.h5", "--encoder-layer", 2)
        shard, = glob.glob("cache/*/layer-02/*.h5")
        whole = read(shard)
        for damaged in (whole[:-100], whole[:3000] + b"?" + whole[3001:], b""):
            with open(shard, "wb") as f:
                f.write(damaged)
            r = self.train("-o", "two.h5", "--encoder-layer", 2)
            self.assertIn("1 file passed over; " + os.path.basename(shard), r.err)
            self.assertEqual(self.passes(r)[0][0], 0)
            self.assertEqual(read(shard), whole)
            self.assertEqual(read("one.h5"), read("two.h5"))

    def test_two_at_once(self):
        self.train("-o", "alone.h5", "--encoder-layer", 2)
        shutil.rmtree("cache")
        both = [subprocess.Popen([TRAIN, "--data", "voices", "--encoder", "enc.h5", "--cache", "cache",
                                  "--epochs", "1", "--batch", "4", "--encoder-layer", "2", "-o", name],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, env=environment())
                for name in ("a.h5", "b.h5")]
        for process in both:
            _, err = process.communicate(timeout=LIMIT_S)
            self.assertEqual(process.returncode, 0, err)
        self.assertEqual(read("a.h5"), read("alone.h5"))
        self.assertEqual(read("b.h5"), read("alone.h5"))


class Interrupted(WithEncoder):
    """With more clips than a shard holds: 100 in two shards."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_corpus("many", speakers=(1, 2, 3, 4), emotions=(1, 3, 4, 5, 6), takes=5)

    def shards(self):
        return glob.glob("cache/*/layer-02/*.h5")

    def interrupt(self, number):
        """Start, and send a signal as soon as there is one finished shard."""
        process = subprocess.Popen(
            [TRAIN, "--data", "many", "--encoder", "enc.h5", "--cache", "cache", "--epochs", "1000",
             "--encoder-layer", "2", "--threads", "1", "-o", "m.h5"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
        end = time.monotonic() + LIMIT_S
        while not self.shards() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.002)
        process.send_signal(number)
        _, err = process.communicate(timeout=LIMIT_S)
        return process.returncode, err.decode()

    def test_killed_and_started_again(self):
        code, _ = self.interrupt(signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        finished = {path: read(path) for path in self.shards()}
        self.assertGreaterEqual(len(finished), 1)
        folder = os.path.dirname(next(iter(finished)))
        with open(folder + "/.libmood-0123456789abcdef.tmp", "wb") as f:
            f.write(b"half a shard")
        r = self.train("-o", "m.h5", "--encoder-layer", 2, data="many")
        (there, missing), = self.passes(r)
        self.assertGreater(there, 0)  # those of the finished shard
        for path, content in finished.items():
            self.assertEqual(read(path), content)
        self.assertEqual(glob.glob(folder + "/.*.tmp"), [])

        shutil.rmtree("cache")
        whole = self.train("-o", "whole.h5", "--encoder-layer", 2, data="many")
        self.assertEqual(self.passes(whole), [(0, there + missing)])
        self.assertEqual(read("m.h5"), read("whole.h5"))

    def test_ctrl_c(self):
        start = time.monotonic()
        code, err = self.interrupt(signal.SIGINT)
        if code == 1:
            self.assertIn("mood-train: stopped", err.splitlines()[-1])
        self.assertLess(time.monotonic() - start, LIMIT_S)
        self.assertEqual(glob.glob("cache/*/*/.*.tmp"), [])
        self.assertGreaterEqual(len(self.shards()), 1)


class Refusals(WithEncoder):
    def refused(self, message, *options, code=1, **settings):
        r = self.train("-o", "refused.h5", *options, code=code, **settings)
        self.assertRegex(r.err.splitlines()[-1], "^mood-train: " + message)
        self.assertFalse(os.path.exists("refused.h5"), r)
        self.assertEqual(r.err.count("Traceback"), 0)

    def test_options(self):
        self.refused("--encoder-layer: 'last' is neither", "--encoder-layer", "last", code=2)
        self.refused("--encoder-layer: '-1' is neither", "--encoder-layer=-1", code=2)
        self.refused("enc.h5: has layers 0 to 3; --encoder-layer 4", "--encoder-layer", 4)
        self.refused("--trace", "--trace", "trace", code=2)
        encoder = read("enc.h5")
        os.symlink("enc.h5", "also.h5")
        r = run(TRAIN, "--data", "voices", "--encoder", "enc.h5", "-o", "also.h5")
        self.assertEqual(r.code, 1, r)
        self.assertIn("also.h5: is the encoder", r.err)
        os.symlink("enc.h5", "model.h5")  # where the model goes without -o
        r = run(TRAIN, "--data", "voices", "--encoder", "enc.h5")
        self.assertEqual(r.code, 1, r)
        self.assertIn("model.h5: is the encoder", r.err)
        self.assertEqual(read("enc.h5"), encoder)
        for option in (("--encoder-layer", "2"), ("--cache", "c"), ("--embed-encoder",)):
            r = run(TRAIN, "--data", "voices", *option)
            self.assertEqual(r.code, 2, r)
            self.assertIn(option[0] + " needs --encoder", r.err)

    def test_encoders(self):
        self.refused("none.h5: .*No such file", encoder="none.h5")
        with open("text.h5", "wb") as f:
            f.write(b"no encoder")
        self.refused("text.h5: ", encoder="text.h5")
        with open("cut.h5", "wb") as f:
            f.write(read("enc.h5")[:-1])
        self.refused("cut.h5: is cut off", encoder="cut.h5")

    def test_places(self):
        with open("file", "wb"):
            pass
        self.refused("file/cache/.*: Not a directory", cache="file/cache")
        self.refused("the folder for the cache has no name", cache="")
        os.makedirs("locked", exist_ok=True)
        os.chmod("locked", 0o555)
        if not os.access("locked", os.W_OK):
            self.refused("locked/.*: Permission denied", cache="locked")

    def test_a_full_disk(self):
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

        self.refused("cache/.*: cannot be written: File too large", "--encoder-layer", 2,
                     prepare=small_files)
        self.assertEqual(glob.glob("cache/*/*/*.h5") + glob.glob("cache/*/*/.*.tmp"), [])

    def test_a_disk_that_is_too_small(self):
        os.makedirs("small", exist_ok=True)
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", "small"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if mount.returncode != 0:
            self.skipTest("no disk to be had")
        try:
            self.refused(r"small/.*/layer-02: the features need \d.* MB, and its disk has 0\.. MB left",
                         "--encoder-layer", 2, cache="small")
            self.assertEqual(glob.glob("small/*/*/*.h5"), [])
        finally:
            subprocess.run(["umount", "small"], check=True)


if __name__ == "__main__":
    unittest.main()
