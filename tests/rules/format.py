# SPDX-License-Identifier: MIT
"""format.py — The C files are as clang-format makes them.

    format.py SOURCE_ROOT CLANG_FORMAT

Only version 14 judges (exit 77: skipped): others differ in details, and nobody should argue."""
import os
import subprocess
import sys

import tree

SKIP = 77
VERSION = "14."


def complaint(tool, root, text, name):
    """What clang-format would change in this text, or empty."""
    run = subprocess.run([tool, "--dry-run", "-Werror", "--style=file",
                          "--assume-filename=" + os.path.join(root, name)],
                         input=text, text=True, stderr=subprocess.PIPE)
    return run.stderr if run.returncode else ""


def main():
    root, tool = sys.argv[1], sys.argv[2]
    said = subprocess.run([tool, "--version"], stdout=subprocess.PIPE, text=True).stdout
    if "version " + VERSION not in said:
        print("skipped: version %s* is wanted, this is: %s" % (VERSION, said.strip()))
        return SKIP
    if complaint(tool, root, "int f(int n)\n{\n    return n;\n}\n", "lib/x.c"):
        print("self-test: well-formed text is refused")
        return 1
    if not complaint(tool, root, "int f(int n) {\n  return n; }\n", "lib/x.c"):
        print("self-test: badly formed text is accepted")
        return 1
    paths = [os.path.join(root, p) for p in tree.read_tree(root) if tree.is_c(p)]
    return subprocess.run([tool, "--dry-run", "-Werror", "--style=file"] + paths).returncode


if __name__ == "__main__":
    sys.exit(main())
