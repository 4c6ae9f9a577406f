# SPDX-License-Identifier: MIT
"""headers.py — Every header compiles alone.

    headers.py installed SOURCE_ROOT CC... [-- CXX...]
    headers.py internal SOURCE_ROOT BUILD_ROOT CC...

Installed headers: as C11 with -pedantic-errors, and as C++17, with no include path but their own, as a
user has them. Internal headers of lib/: as C11, so that each can be included first."""
import glob
import os
import subprocess
import sys
import tempfile

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Werror", "-fsyntax-only"]


def complaints(compiler, flags, text):
    """What the compiler says about a program of this text; empty when it is content."""
    language = "c++" if any(f.startswith("-std=c++") for f in flags) else "c"
    run = subprocess.run(compiler + flags + WARNINGS + ["-x", language, "-"], input=text, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return run.stdout or "exit code %d" % run.returncode if run.returncode else ""


def as_c(compiler, folders, pedantic=True):
    flags = ["-std=c11"] + (["-pedantic-errors"] if pedantic else ["-D_GNU_SOURCE"])
    return compiler, flags + ["-I" + f for f in folders]


def as_cxx(compiler, folders):
    return compiler, ["-std=c++17", "-pedantic-errors"] + ["-I" + f for f in folders]


def check(headers, ways):
    """headers: names as they are included. ways: (compiler, flags) to try each with."""
    found = []
    for name in headers:
        for compiler, flags in ways:
            text = '#include "%s"\nextern int not_empty;\nint not_empty;\n' % name
            said = complaints(compiler, flags, text)
            if said:
                found.append("%s with %s:\n%s" % (name, " ".join(compiler + flags[:2]), said))
    return found


def prove(ways_for):
    """Each broken header has to be refused, and a good one accepted."""
    good = "#include <stddef.h>\nsize_t f(size_t n);\n"
    broken = ["size_t f(size_t n);\n", "int f(int n)\n"]
    with tempfile.TemporaryDirectory() as folder:
        ways = ways_for([folder])
        has_cxx = any("-std=c++17" in flags for _, flags in ways)
        if has_cxx:
            broken.append("int f(int class);\n")
        if any("-pedantic-errors" in flags for _, flags in ways):
            broken.append("struct s { int n; int : 3; int a[0]; };\n")
        for text, expected in [(good, False)] + [(b, True) for b in broken]:
            with open(os.path.join(folder, "x.h"), "w") as f:
                f.write(text)
            if bool(check(["x.h"], ways)) != expected:
                return ["self-test: %r is %s" % (text, "accepted" if expected else "refused")]
    return []


def main():
    what, root, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    lib = os.path.join(root, "lib")
    if what == "installed":
        cut = rest.index("--") if "--" in rest else len(rest)
        cc, cxx = rest[:cut], rest[cut + 1:]

        def ways_for(folders):
            return [as_c(cc, folders)] + ([as_cxx(cxx, folders)] if cxx else [])
        headers, folders = glob.glob(os.path.join(lib, "mood", "*.h")), [lib]
    else:
        build, cc = rest[0], rest[1:]

        def ways_for(folders):
            return [as_c(cc, folders, pedantic=False)]
        headers = [h for h in glob.glob(os.path.join(lib, "*", "*.h"))
                   if os.path.basename(os.path.dirname(h)) != "mood"]
        folders = [lib, build]
    names = sorted(os.path.relpath(h, lib) for h in headers)
    problems = prove(ways_for) + check(names, ways_for(folders))
    for line in problems:
        print(line)
    print("%d headers, %d problems" % (len(names), len(problems)))
    return 1 if problems or not names else 0


if __name__ == "__main__":
    sys.exit(main())
