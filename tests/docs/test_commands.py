# SPDX-License-Identifier: MIT
"""test_commands.py SOURCE_ROOT BUILD_ROOT CC... — The commands and programs in the documents work.

Blocks that are opened with ```sh run and ```c run are run, those of one document in order and in one
folder, with the built programs to be found. A block ```text right behind one is what it has to print;
"..." there stands for anything."""
import glob
import os
import re
import subprocess
import sys
import tempfile
import unittest

import blocks

SOURCE, BUILD, CC = sys.argv[1], sys.argv[2], sys.argv[3:]


def environment():
    folders = [os.path.join(BUILD, f) for f in ("tools", "train", "datasets")]
    return {"PATH": ":".join(folders + [os.environ["PATH"]]), "LC_ALL": "C",
            "HOME": os.environ.get("HOME", "/")}


def run(command, cwd, text=None):
    done = subprocess.run(command, cwd=cwd, input=text, env=environment(), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise AssertionError("%s\nexit %d\n%s%s" % (text or command, done.returncode, done.stdout,
                                                    done.stderr))
    return done.stdout


def run_c(text, folder):
    with open(os.path.join(folder, "program.c"), "w", encoding="utf-8") as f:
        f.write(text)
    lib = os.path.join(BUILD, "lib")
    run(CC + ["-std=c11", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "program.c",
              "-I" + os.path.join(SOURCE, "lib"), "-L" + lib, "-lmood", "-Wl,-rpath," + lib,
              "-o", "program"], folder)
    return run(["./program"], folder)


def matches(expected, said):
    pattern = ".*?".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, said, re.S) is not None


def run_document(path):
    """The number of blocks that were run."""
    ran = 0
    with tempfile.TemporaryDirectory() as folder:
        said = None
        for kind, text, between in blocks.blocks_in_place(path):
            if kind == "text" and said is not None and not between.strip():
                if not matches(text, said):
                    raise AssertionError("%s says\n%s\nand printed is\n%s" % (path, text, said))
            said = None
            if kind == "sh run":
                said = run(["sh", "-e"], folder, text)
            elif kind == "c run":
                said = run_c(text, folder)
            ran += said is not None
    return ran


class Commands(unittest.TestCase):
    def test_documents(self):
        ran = {}
        for path in sorted(glob.glob(os.path.join(SOURCE, "docs", "*.md"))):
            with self.subTest(os.path.basename(path)):
                ran[os.path.basename(path)] = run_document(path)
        print(ran)
        self.assertGreaterEqual(sum(ran.values()), 10)

    def test_can_fail(self):
        fine = "# X\n\n```sh run\necho a b c\n```\n\n```text\na ... c\n```\n"
        with tempfile.NamedTemporaryFile("w", suffix=".md") as f:
            for text, good in ((fine, True), (fine.replace("a ... c", "a c"), False),
                               (fine.replace("echo", "false; echo"), False),
                               (fine.replace("sh run", "sh"), None)):
                f.seek(0)
                f.truncate()
                f.write(text)
                f.flush()
                if good is False:
                    with self.assertRaises(AssertionError):
                        run_document(f.name)
                else:
                    self.assertEqual(run_document(f.name), 1 if good else 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
