# SPDX-License-Identifier: MIT
"""test_manners.py — What every program of libmood has in common.

    test_manners.py NAME PROGRAM"""
import re
import shutil
import subprocess
import sys
import unittest

from program import run

NAME, PROGRAM = sys.argv[1:3]
del sys.argv[1:]


class Manners(unittest.TestCase):
    def test_help_shows_every_option_with_its_default(self):
        r = run(PROGRAM, "--help")
        self.assertEqual((r.code, r.err), (0, ""))
        self.assertTrue(r.out.startswith("Usage: %s " % NAME), r.out)
        self.assertIn("\nExit status: 0 done, 1 it failed, 2 wrong usage.\n", r.out)
        for line in r.out.split("\n"):
            self.assertLessEqual(len(line), 80, line)
        part = r.out.split("Options, with their defaults in brackets:\n")[1]
        options = re.split(r"\n(?=  (?:-\w, |    )--)", part.split("\n\n")[0])
        self.assertGreaterEqual(len(options), 2)
        for option in options:
            if "--help" not in option and "--version" not in option:
                self.assertRegex(option, r"\[[^]]+\]\s*$")

    def test_version(self):
        r = run(PROGRAM, "--version")
        self.assertRegex(r.out, r"^%s \d+\.\d+\.\d+\n$" % NAME)
        self.assertEqual((r.code, r.err), (0, ""))

    def test_wrong_usage(self):
        r = run(PROGRAM, "--no-such-option")
        self.assertEqual((r.code, r.out), (2, ""))
        self.assertEqual(r.err, "%s: unknown option '--no-such-option'; try '%s --help'\n"
                         % (NAME, NAME))

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            r = run(PROGRAM, "--help", stdout=full)
        self.assertEqual((r.code, r.err),
                         (1, "%s: standard output: No space left on device\n" % NAME))

    def test_man_page(self):
        r = run(PROGRAM, "--help-man")
        self.assertEqual((r.code, r.err), (0, ""))
        self.assertIn(".SH OPTIONS\n", r.out)
        if shutil.which("groff"):
            said = subprocess.run(["groff", "-ww", "-man", "-Tascii", "-z"], input=r.out.encode(),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
            self.assertEqual(said.stdout, b"")

    def test_completion(self):
        r = run(PROGRAM, "--help-completion")
        self.assertEqual((r.code, r.err), (0, ""))
        said = subprocess.run(["bash", "-n"], input=r.out.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual((said.returncode, said.stdout), (0, b""))


if __name__ == "__main__":
    unittest.main()
