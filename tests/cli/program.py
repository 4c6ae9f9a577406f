# SPDX-License-Identifier: MIT
"""program.py — Running a program as a test wants it: a clean environment, streams of all kinds."""
import os
import pty
import select
import subprocess
import time
import unittest

LIMIT_S = 60


def environment(**changes):
    """A small fixed environment; sanitizers keep their options."""
    env = {k: v for k, v in os.environ.items()
           if k in ("PATH", "HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
                    "TSAN_OPTIONS", "LSAN_OPTIONS")}
    env.update({"LC_ALL": "C", "TERM": "dumb"})
    env.update(changes)
    return env


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return "exit %s\nstdout: %r\nstderr: %r" % (self.code, self.out, self.err)


def run(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        prepare=None, **env):
    done = subprocess.run([str(c) for c in command], stdin=stdin, stdout=stdout, stderr=stderr,
                          env=environment(**env), preexec_fn=prepare, timeout=LIMIT_S)
    return Result(done.returncode, (done.stdout or b"").decode("utf-8", "replace"),
                  (done.stderr or b"").decode("utf-8", "replace"))


def run_on_terminal(*command, **env):
    """Both output streams are one terminal; everything it was sent is in `out`."""
    try:
        ours, theirs = pty.openpty()
    except OSError as error: # a chroot without /dev/pts, say
        raise unittest.SkipTest("no terminal to be had: %s" % error) from error
    env.setdefault("TERM", "xterm")
    process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=theirs,
                               stderr=theirs, env=environment(**env))
    os.close(theirs)
    seen, end = b"", time.monotonic() + LIMIT_S
    while time.monotonic() < end and select.select([ours], [], [], LIMIT_S)[0]:
        try:
            piece = os.read(ours, 4096)
        except OSError: # the other end is closed
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    return Result(process.wait(timeout=LIMIT_S), seen.decode("utf-8", "replace"), "")
