# SPDX-License-Identifier: MIT
"""test_add_an_op.py MESON SOURCE_ROOT — What docs/add-an-op.md tells works: its blocks are applied to a
copy of the tree, which is built and tested; and the mistakes it speaks of are caught.

With python3-torch the last step, the golden values, is taken too."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import blocks

MESON, SOURCE = sys.argv[1], sys.argv[2]
DOCUMENT = os.path.join(SOURCE, "docs", "add-an-op.md")
TORCH_PYTHON = "/usr/bin/python3" # the one that Debian's packages are for


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


class AddAnOp(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root, self.build = os.path.join(scratch.name, "tree"), os.path.join(scratch.name, "b")
        for folder in ("lib", "models", "tools", "train", "datasets", "tests"):
            shutil.copytree(os.path.join(SOURCE, folder), os.path.join(self.root, folder))
        for name in ("meson.build", "meson_options.txt"):
            shutil.copy(os.path.join(SOURCE, name), self.root)

    def must(self, *command):
        code, said = run(*command, cwd=self.root)
        self.assertEqual(code, 0, said)
        return said

    def ops(self):
        """The exit code and the words of the tests of the ops, built anew."""
        self.must("ninja", "-C", self.build, "tests/ops/test_ops")
        return run(os.path.join(self.build, "tests", "ops", "test_ops"),
                   os.path.join(self.root, "tests", "golden", "ops.golden"), cwd=self.root)

    def worst(self, said):
        """Errors of softsign: forward, gradient, differences."""
        return [float(x) for x in re.search(r" softsign +(\S+) +(\S+) +(\S+)\n", said).groups()]

    def test_document(self):
        patches = {kind: text for kind, text in blocks.blocks(DOCUMENT) if kind == "diff truth"}
        steps = [text for kind, text in blocks.blocks(DOCUMENT) if kind == "diff"]
        self.assertEqual((len(steps), len(patches)), (4, 1))
        self.must(MESON, "setup", self.build, "-Dexamples=false", "-Ddefault_library=static",
                  "-Doptimization=0")

        for step in steps[:3]: # all but the cases
            blocks.apply(self.root, step)
        code, said = self.ops()
        self.assertNotEqual(code, 0)
        self.assertIn("op 'softsign' has no case", said)

        blocks.apply(self.root, steps[3])
        code, said = self.ops()
        self.assertEqual(code, 0, said)
        forward, gradient, difference = self.worst(said)
        self.assertEqual((forward, gradient), (0, 0)) # not yet compared
        self.assertTrue(0 < difference < 1e-2)

        unary = os.path.join(self.root, "lib", "ops", "unary.c")
        blocks.replace_once(unary, "dy[i] * root * root;", "dy[i] * root;")
        code, said = self.ops()
        self.assertNotEqual(code, 0)
        self.assertRegex(said, r"softsign.*: finite differences of 'in0' are \S+ off")
        blocks.replace_once(unary, "dy[i] * root;", "dy[i] * root * root;")

        if run(TORCH_PYTHON, "-c", "import torch", cwd=self.root)[0] == 0:
            blocks.apply(self.root, patches["diff truth"])
            self.must(TORCH_PYTHON, os.path.join("tests", "golden", "make.py"))
            code, said = self.ops()
            self.assertEqual(code, 0, said)
            forward, gradient, _ = self.worst(said)
            self.assertTrue(0 < forward < 1e-5 and 0 < gradient < 1e-4)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
