# SPDX-License-Identifier: MIT
"""test_driver.py — The shared command-line code, seen from outside through cli-driver.

    test_driver.py CLI_DRIVER"""
import os
import resource
import signal
import subprocess
import sys
import tempfile
import unittest

from program import environment, run, run_on_terminal

DRIVER = os.path.abspath(sys.argv.pop())
DEFAULTS = "flag=0 quiet=0 count=20 seed=-5 rate=0.001 output=(null) needed=x mode=fast\n"


def drive(*words, **how):
    return run(DRIVER, "--needed", "x", *words, **how)


class Parsing(unittest.TestCase):
    def understood(self, words, expected):
        r = drive(*words)
        self.assertEqual((r.code, r.out, r.err), (0, expected, ""))

    def refused(self, words, reason, name="cli-driver"):
        r = drive(*words)
        self.assertEqual((r.code, r.out), (2, ""))
        self.assertEqual(r.err, "%s: %s; try 'cli-driver --help'\n" % (name, reason))

    def test_defaults(self):
        self.understood([], DEFAULTS)

    def test_forms(self):
        expected = "flag=1 quiet=1 count=7 seed=0 rate=2 output=o needed=x mode=odd\n"
        for words in (["-f", "-q", "-n", "7", "--seed", "0", "--rate", "2.0", "-o", "o", "--mode", "odd"],
                      ["-fqn7", "--seed=0", "--rate=2e0", "-oo", "--mode=odd"],
                      ["--flag", "--quiet", "--count=7", "--seed", "-0", "--rate", "2", "--output=o",
                       "--mode=odd"],
                      ["-n", "3", "-n", "7", "-qf", "--seed=0", "--rate=2", "--output", "o",
                       "--mode=slow", "--mode=odd"]):
            self.understood(words, expected)

    def test_operands_and_lists(self):
        self.understood(["a", "-d", "1", "-", "--data=2", "--", "-d"],
                        DEFAULTS + "data=1\ndata=2\noperand=a\noperand=-\noperand=-d\n")
        self.understood(["--output=", "--"], DEFAULTS.replace("(null)", ""))
        self.understood(["-o", "--flag"], DEFAULTS.replace("(null)", "--flag"))

    def test_numbers(self):
        for text in ("0", "100", "", " 5", "5 ", "5x", "0x5", "+5", "5.0", "99999999999999999999"):
            self.refused(["--count", text], "--count: '%s' is not a whole number from 1 to 99" % text)
        self.understood(["--seed", str(2**53)], DEFAULTS.replace("-5", str(2**53)))
        self.refused(["--seed", str(2**53 + 1)], "--seed: '9007199254740993' is not a whole number")
        for text in ("nan", "inf", "0x1", "1,5", "", " 1", "2.1", "-1e-9", "1e999", "-1e999"):
            self.refused(["--rate", text], "--rate: '%s' is not a number from 0 to 2" % text)
        self.understood(["--rate", "1e-400"], DEFAULTS.replace("0.001", "0"))

    def test_usage_errors(self):
        self.refused(["--nothing"], "unknown option '--nothing'")
        self.refused(["--cuont=3"], "unknown option '--cuont' (did you mean --count?)")
        self.refused(["--out", "x"], "unknown option '--out' (did you mean --output?)")
        self.refused(["-x"], "unknown option '-x'")
        self.refused(["-fx"], "unknown option '-x'")
        self.refused(["--flag=1"], "--flag takes no value")
        self.refused(["--count"], "--count needs a value: N")
        self.refused(["-o"], "--output needs a value: FILE")
        self.refused(["--mode", "fas"], "--mode: 'fas' is not one of slow, fast, odd")
        self.refused(["a", "b", "c", "d"], "'d' is one ACTION too many")
        self.refused(["--x\n\x1b[2J"], "unknown option '--x\\n\\x1b[2J'")
        r = run(DRIVER, "a")
        self.assertEqual((r.code, r.err),
                         (2, "cli-driver: --needed X is missing; try 'cli-driver --help'\n"))

    def test_locale_does_not_matter(self):
        r = drive("--rate", "0.5", LC_ALL="de_DE.UTF-8", LC_NUMERIC="de_DE.UTF-8")
        self.assertIn("rate=0.5 ", r.out)


class Texts(unittest.TestCase):
    def test_help(self):
        r = run(DRIVER, "--help")
        self.assertEqual((r.code, r.err), (0, ""))
        for line in ("Usage: cli-driver [OPTION]... [ACTION]...\n",
                     "  -n, --count N             a whole number with a range [20]\n",
                     "      --rate R              a number with a range [1e-3]\n",
                     "  -d, --data DIR|MANIFEST.csv\n                            may be given many times",
                     "[standard output]", "has to be there [required]", "a flag [off]",
                     "  -h, --help                print this and exit\n"):
            self.assertIn(line, r.out)
        for line in r.out.split("\n"):
            self.assertLessEqual(len(line), 80)
            self.assertEqual(line, line.rstrip())
        self.assertNotIn("help-man", r.out)
        self.assertEqual(run(DRIVER, "-h").out, r.out)
        self.assertEqual(run(DRIVER, "x", "--needed=y", "-qh").out, r.out)

    def test_version(self):
        r = run(DRIVER, "--version")
        self.assertEqual((r.code, r.err), (0, ""))
        self.assertRegex(r.out, r"^cli-driver \d+\.\d+\.\d+\n$")

    def test_man(self):
        r = run(DRIVER, "--help-man")
        self.assertEqual(r.code, 0)
        self.assertIn("\n.SH NAME\ncli\\-driver \\- show what was understood\n", r.out)
        self.assertIn("A back\\eslash", r.out)
        self.assertIn("\n.PP\n\\&.A line", r.out) # roff would take it for a request
        self.assertIn(".TP\n\\fB\\-n\\fR, \\fB\\-\\-count\\fR \\fIN\\fR\n", r.out)

    def complete(self, *words):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("clip one.wav", "clip.flac"):
                open(os.path.join(folder, name), "w").close()
            script = os.path.join(folder, ".completion")
            with open(script, "w") as f:
                f.write(run(DRIVER, "--help-completion").out)
            done = subprocess.run(
                ["bash", "--norc", "-c", 'cd "$1"; . ./.completion; shift; COMP_WORDS=("$@"); '
                 'COMP_CWORD=$(($# - 1)); _cli_driver; printf "%s\\n" "${COMPREPLY[@]}"',
                 "bash", folder, "cli-driver", *words],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(), timeout=60)
            return sorted(filter(None, done.stdout.decode().split("\n")))

    def test_completion(self):
        self.assertEqual(self.complete("--co"), ["--count"])
        self.assertEqual(self.complete("-f", "--he"), ["--help"])
        self.assertEqual(self.complete("--mode", ""), ["fast", "odd", "slow"])
        self.assertEqual(self.complete("--mode", "=", "o"), ["odd"])
        self.assertEqual(self.complete("--mode", "="), ["fast", "odd", "slow"])
        self.assertEqual(self.complete("-n", ""), [])
        self.assertEqual(self.complete("-o", "clip"), ["clip one.wav", "clip.flac"])
        self.assertEqual(self.complete("clip"), ["clip one.wav", "clip.flac"])


class Streams(unittest.TestCase):
    def test_errors_are_one_printable_line(self):
        r = run(DRIVER, "--needed", b"a\nb\x1b[2J\xff\xc2\x9b\xe2\x82\xac\xed\xa0\x80".decode("utf-8", "surrogateescape"),
                "error")
        self.assertEqual(r.code, 1)
        self.assertEqual(r.err, "cli-driver: a\\nb\\x1b[2J\\xff\\xc2\\x9b€\\xed\\xa0\\x80: cannot be done\n")

    def test_full_disk_on_stdout(self):
        for words in (["--help"], ["--version"], ["--needed=x"], ["--help-man"]):
            with open("/dev/full", "w") as full:
                r = run(DRIVER, *words, stdout=full)
            self.assertEqual((r.code, r.err),
                             (1, "cli-driver: standard output: No space left on device\n"))

    def test_closed_pipe_on_stdout(self):
        theirs, ours = os.pipe()
        os.close(theirs)
        r = drive(stdout=ours)
        os.close(ours)
        self.assertEqual((r.code, r.err), (1, "cli-driver: standard output: Broken pipe\n"))

    def test_closed_streams(self):
        r = drive(prepare=lambda: os.close(1))
        self.assertEqual((r.code, r.err), (1, "cli-driver: standard output: Bad file descriptor\n"))
        # Without stdout and stderr, a file that is written must not be given their numbers.
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out")
            r = drive("much", "-o", path, prepare=lambda: os.closerange(0, 3))
            self.assertEqual(r.code, 0)
            with open(path, "rb") as f:
                self.assertEqual(f.read(), bytes(64 * 4096))

    def test_file_size_limit_is_an_error(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out")
            r = drive("much", "-o", path, prepare=limit)
        self.assertEqual((r.code, r.err), (1, "cli-driver: %s: no room\n" % path))

    def stop(self, *words, signals, at_start=signal.SIG_DFL):
        """The exit code and stderr of a program that waits, after these signals."""
        def prepare():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, at_start)
        process = subprocess.Popen([DRIVER, "--needed", "x", "wait", *words], env=environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, preexec_fn=prepare)
        with process:
            self.assertEqual(process.stdout.readline(), b"waiting\n")
            for number in signals:
                process.send_signal(number)
            _, err = process.communicate(timeout=60)
            return process.returncode, err.decode()

    def test_stop(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self.assertEqual(self.stop(signals=[number]), (1, "cli-driver: stopped\n"))

    def test_second_signal_ends_a_deaf_program(self):
        # Two kinds, because two of a kind may be delivered as one.
        code, err = self.stop("--flag", signals=[signal.SIGTERM, signal.SIGINT])
        self.assertIn(code, (-signal.SIGTERM, -signal.SIGINT), err)

    def test_an_ignored_signal_stays_ignored(self):
        code, err = self.stop("-n1", signals=[signal.SIGINT], at_start=signal.SIG_IGN)
        self.assertEqual((code, err), (0, ""))


class Terminal(unittest.TestCase):
    def test_bar_only_on_a_terminal(self):
        r = drive("bar")
        self.assertEqual((r.code, r.out, r.err), (0, "", "cli-driver: half\\x1b[2Jway\n"))
        shown = run_on_terminal(DRIVER, "--needed", "x", "bar").out
        self.assertIn("\r\x1b[Kclips [", shown)
        # The warning wipes the bar away first, and at the end nothing of it is left.
        self.assertIn("\r\x1b[Kcli-driver: half\\x1b[2Jway\r\n", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"), shown)
        self.assertNotIn("clips [", run_on_terminal(DRIVER, "--needed", "x", "bar", TERM="dumb").out)

    def test_colour(self):
        def colour(**env):
            return run_on_terminal(DRIVER, "--needed", "x", "colour", **env).out
        plain = "bold red\r\n"
        self.assertEqual(colour(COLORTERM="truecolor"),
                         "\x1b[1mbold\x1b[0m \x1b[38;2;239;68;68mred\x1b[0m\r\n")
        self.assertEqual(colour(), "\x1b[1mbold\x1b[0m \x1b[38;5;203mred\x1b[0m\r\n")
        self.assertEqual(colour(NO_COLOR="1"), plain)
        self.assertNotEqual(colour(NO_COLOR=""), plain) # empty means not set
        self.assertEqual(colour(TERM="dumb"), plain)
        self.assertEqual(drive("colour", TERM="xterm").out, "bold red\n")


if __name__ == "__main__":
    unittest.main()
