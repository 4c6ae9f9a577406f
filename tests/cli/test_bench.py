# SPDX-License-Identifier: MIT
"""test_bench.py — mood-bench measures what it says. Nothing here depends on how long anything takes.

    test_bench.py PROGRAM"""
import json
import sys
import unittest

from program import run

PROGRAM = sys.argv.pop(1)
KEYS = ("what", "config", "dtype", "layers", "threads", "seconds", "min_ms", "median_ms", "max_ms", "rss_mb")


class Bench(unittest.TestCase):
    def measure(self, *args):
        r = run(PROGRAM, *args, "--json", "--runs", "3", "--threads", "2")
        self.assertEqual((r.code, r.err), (0, ""))
        got = json.loads(r.out)
        self.assertEqual(tuple(got), KEYS)
        self.assertEqual(got["threads"], 2)
        self.assertTrue(0 < got["min_ms"] <= got["median_ms"] <= got["max_ms"], got)
        self.assertGreater(got["rss_mb"], 1)
        return got

    def test_encoder(self):
        got = self.measure("encoder", "--config", "tiny", "--seconds", "0.5")
        self.assertEqual([got[k] for k in KEYS[:6]], ["encoder", "tiny", "f32", 4, 2, 0.5])

    def test_encoder_cut(self):
        got = self.measure("encoder", "--config", "tiny", "--seconds", "0.5", "--layers", "1")
        self.assertEqual(got["layers"], 1)

    def test_int8(self):
        for what in ("encoder", "infer"):
            got = self.measure(what, "--config", "tiny", "--dtype", "int8", "--layers", "2", "--seconds", "3")
            self.assertEqual([got[k] for k in KEYS[:6]], [what, "tiny", "int8", 2, 2, 3])

    def test_infer(self):
        got = self.measure("infer", "--config", "tiny")
        self.assertEqual([got[k] for k in KEYS[:6]], ["infer", "tiny", "f32", 4, 2, 3])

    def test_heads_step(self):
        self.assertEqual(self.measure("heads-step", "--batch", "2")["what"], "heads-step")

    def test_parts(self):
        r = run(PROGRAM, "encoder", "--config", "tiny", "--seconds", "0.5", "--runs", "1", "--parts", "--threads", "2")
        self.assertEqual((r.code, r.err), (0, ""))
        lines = r.out.split("\n")
        self.assertTrue(lines[0].startswith("encoder tiny f32, 4 layers, 2 threads, 0.5 s:"), lines[0])
        shares = [float(word[:-1]) for line in lines[2:11] for word in line.split() if word[-1] == "%"]
        self.assertEqual(len(lines[2:11]), 9)
        self.assertGreater(sum(shares), 90)

    def test_refusals(self):
        for args, said in ((["singing"], "'singing' is nothing to measure"),
                           (["encoder", "--config", "huge"], "huge"),
                           (["encoder", "--cpumask", "z80"], "z80")):
            r = run(PROGRAM, *args)
            self.assertEqual((r.code, r.out), (2, ""))
            self.assertIn(said, r.err)
        r = run(PROGRAM, "encoder", "--config", "tiny", "--layers", "9")
        self.assertEqual((r.code, r.out), (1, ""))
        self.assertIn("9 layers are wanted of 4", r.err)


if __name__ == "__main__":
    unittest.main()
