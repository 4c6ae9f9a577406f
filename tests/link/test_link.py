# SPDX-License-Identifier: MIT
"""test_link.py — What a user has after `meson install`: a pkg-config file, headers and a library with
which programs outside the tree compile, link, train and label.

    test_link.py MESON BUILD_ROOT SOURCE_ROOT VERSION CC... [-- CXX...]

The install goes into an empty folder by --destdir, which stands for moving it: only the line `prefix=`
of libmood.pc is then changed, so everything else in it has to follow from that line."""
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

MESON, BUILD, SOURCE, VERSION = sys.argv[1:5]
REST = sys.argv[5:]
CUT = REST.index("--") if "--" in REST else len(REST)
CC, CXX = REST[:CUT], REST[CUT + 1:]
STRICT = ["-pedantic-errors", "-Wall", "-Wextra", "-Wshadow", "-Werror"]


def run(*command, cwd, env=None):
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise AssertionError("%s: exit %d\n%s"
                             % (shlex.join(map(str, command)), done.returncode, done.stdout))
    return done.stdout


class Link(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.top, cls.work = os.path.join(scratch.name, "dest"), os.path.join(scratch.name, "work")
        os.mkdir(cls.work)
        run(MESON, "install", "-C", BUILD, "--no-rebuild", "--tags", "devel,runtime",
            "--destdir", cls.top, cwd=cls.work)
        cls.pc = cls.one("libmood.pc")
        with open(cls.pc, encoding="utf-8") as f:
            cls.pc_text = f.read()
        cls.prefix = cls.top + re.match(r"prefix=(.*)\n", cls.pc_text).group(1)
        with open(cls.pc, "w", encoding="utf-8") as f:
            f.write(re.sub(r"^prefix=.*", "prefix=" + cls.prefix, cls.pc_text))
        cls.lib = os.path.dirname(cls.one("libmood.a"))
        cls.env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "LD_LIBRARY_PATH": cls.lib,
                   "PKG_CONFIG_PATH": os.path.dirname(cls.pc)}
        for name in ("program.c", "program.cpp"):
            shutil.copy(os.path.join(SOURCE, "tests", "link", name), cls.work)
        run(cls.one("mood-synth"), "voices", "--speakers", 3, "--per-emotion", 1, cwd=cls.work,
            env={"PATH": os.environ["PATH"]})
        cls.clip = sorted(glob.glob(os.path.join(cls.work, "voices", "*", "*.wav")))[0]

    @classmethod
    def one(cls, name):
        found = glob.glob(os.path.join(glob.escape(cls.top), "**", name), recursive=True)
        assert len(found) == 1, "%s is installed %d times" % (name, len(found))
        return found[0]

    def pkg_config(self, *words):
        return shlex.split(run("pkg-config", *words, "libmood", cwd=self.work, env=self.env))

    def build_and_run(self, out, command):
        """The program's lines, from an empty folder that holds the model it makes or finds."""
        run(*command, "-o", out, cwd=self.work, env=self.env)
        return run("./" + out, "voices", self.clip, "model.h5", cwd=self.work,
                   env=self.env).splitlines()

    def needed(self, out):
        return re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", out, cwd=self.work))

    def test_installed_headers(self):
        here = {os.path.basename(p) for p in glob.glob(os.path.join(SOURCE, "lib", "mood", "*.h"))}
        there = set(os.listdir(os.path.join(self.prefix, "include", "mood")))
        self.assertIn("mood.h", here)
        self.assertEqual(here, there)

    def test_pkg_config_file(self):
        self.assertEqual(self.pkg_config("--modversion"), [VERSION])
        self.assertNotIn(BUILD, self.pc_text)
        self.assertNotIn(SOURCE, self.pc_text)
        # What stands on the library gets the library; what it stands on stays its own affair.
        self.assertEqual(self.pkg_config("--libs"), ["-L" + self.lib, "-lmood"])
        self.assertIn("-I" + os.path.join(self.prefix, "include"), self.pkg_config("--cflags"))
        self.assertIn("-lopenblas", self.pkg_config("--static", "--libs"))
        for flag in self.pkg_config("--cflags") + self.pkg_config("--static", "--libs"):
            self.assertRegex(flag, r"\A-([ILl]|pthread|D)") # nothing that changes the user's program

    def test_no_path_of_the_build(self):
        for path in (os.path.join(self.lib, "libmood.so"), self.one("mood-infer")):
            dynamic = run("readelf", "-d", path, cwd=self.work)
            self.assertNotRegex(dynamic, r"R(UN)?PATH")
            self.assertNotIn(BUILD, dynamic)

    def test_program(self):
        flags = self.pkg_config("--cflags", "--libs")
        said = self.build_and_run("shared", CC + ["-std=c11"] + STRICT + ["program.c"] + flags)
        self.assertEqual(said[0], "libmood " + VERSION)
        self.assertLess(float(re.fullmatch(r"xor (\S+)", said[1]).group(1)), 0.05)
        self.assertRegex(said[2], r"\A2 epochs, best [12]\Z")
        self.assertRegex(said[3], r"\A[a-z]+ [01]\.\d{6}\Z")
        self.assertEqual(len(said), 4)
        self.assertEqual([n for n in self.needed("shared") if "mood" in n],
                         ["libmood.so." + VERSION.split(".")[0]])

        with self.subTest("C++"):
            if not CXX:
                self.skipTest("no C++ compiler")
            again = self.build_and_run("cxx", CXX + ["-std=c++17"] + STRICT + ["program.cpp"] + flags)
            self.assertEqual(again, said[3:])

        with self.subTest("static"):
            # Our archive with what it stands on, shared: `--static --libs` would also ask for the
            # archives behind those, which not every system has.
            parts = run("pkg-config", "--print-requires-private", "libmood", cwd=self.work,
                        env=self.env).split()
            flags = [os.path.join(self.lib, "libmood.a")] + self.pkg_config("--cflags") + shlex.split(
                run("pkg-config", "--libs", *parts, cwd=self.work, env=self.env)) + ["-lm", "-pthread"]
            again = self.build_and_run("static", CC + ["-std=c11", "program.c"] + flags)
            self.assertEqual(again, said)
            self.assertNotIn("mood", " ".join(self.needed("static")))

    def test_test_can_fail(self):
        """A program that uses what is not exported does not link."""
        with open(os.path.join(self.work, "bad.c"), "w", encoding="utf-8") as f:
            f.write("int mood__n_ops(void);\nint main(void)\n{\n    return mood__n_ops();\n}\n")
        with self.assertRaisesRegex(AssertionError, "undefined reference|undefined symbol"):
            run(*CC, "bad.c", *self.pkg_config("--libs"), "-o", "bad", cwd=self.work, env=self.env)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
