# SPDX-License-Identifier: MIT
"""manners.py — What the library never calls.

It never prints, exits, runs a program or touches the locale; memory comes through lib/base/mem.c, so
that a test can make every allocation fail; numbers are read and written by lib/base/text.c, whatever
the locale of the program around us."""
import re

import tree

PRINTS = "printf vprintf puts putchar perror psignal herror putc fputc".split()
ENDS = "exit _exit _Exit quick_exit abort raise kill longjmp".split()
RUNS = "system popen fork vfork execl execlp execle execv execvp execve posix_spawn".split()
LOCALE = "setlocale uselocale newlocale".split()
UNSAFE = "gets strcpy strcat sprintf vsprintf strtok rand srand random alloca tmpnam mktemp".split()
MEMORY = "malloc calloc realloc reallocarray free strdup strndup aligned_alloc posix_memalign".split()
NUMBERS = "strtod strtof strtold atof atoi atol atoll sscanf fscanf scanf".split()

# call -> (what is wrong with it, the one file that may, or None)
BANNED = {}
for _calls, _why, _owner in (
        (PRINTS, "the library never prints", None),
        (ENDS, "the library never ends the program", None),
        (RUNS, "the library never runs a program", None),
        (LOCALE, "the library never touches the locale", None),
        (UNSAFE, "there is a safer function", None),
        (MEMORY, "memory comes through base/mem.h", "lib/base/mem.c"),
        (NUMBERS, "numbers are read by base/text.h, in every locale", "lib/base/text.c")):
    for _call in _calls:
        BANNED[_call] = (_why, _owner)

CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))
STREAM = re.compile(r"\b(stdout|stderr)\b")


def check_calls(source):
    findings = []
    for path, text in source.items():
        if not (path.startswith("lib/") and tree.is_c(path)):
            continue
        for number, line in enumerate(tree.code_only(text).split("\n"), 1):
            for m in CALL.finditer(line):
                why, owner = BANNED[m.group(1)]
                if path != owner:
                    findings.append("%s:%d: %s(): %s" % (path, number, m.group(1), why))
            for m in STREAM.finditer(line):
                findings.append("%s:%d: %s: the library never prints" % (path, number, m.group(1)))
    return findings


class Calls:
    name = "calls"
    check = staticmethod(check_calls)
    fine = {
        "lib/base/mem.c": "void mood__free(void *p)\n{\n    free(p);\n}\n",
        "lib/base/error.c": 'int f(void)\n{\n    return vsnprintf(a, n, "exit(1)", v); /* abort() */\n}\n',
        "lib/ops/x.c": "int f(struct s *o)\n{\n    o->free(o);\n    return mood__free(o), my_exit(1);\n}\n",
        "tools/x.c": "int f(void)\n{\n    exit(printf(\"x\"));\n}\n",
    }
    breaks = [
        ({"lib/ops/x.c": "    printf(\"x\");\n"}, "lib/ops/x.c:1: printf(): the library never prints"),
        ({"lib/ops/x.c": "    fprintf(stderr, \"x\");\n"}, "stderr: the library never prints"),
        ({"lib/ops/x.c": "\n    exit (1);\n"}, "lib/ops/x.c:2: exit(): the library never ends"),
        ({"lib/ops/x.c": "    if (x)abort();\n"}, "abort()"),
        ({"lib/ops/x.h": "static void f(void) { p = malloc(3); }\n"}, "malloc()"),
        ({"lib/ops/x.c": "    free(p);\n"}, "free(): memory comes through base/mem.h"),
        ({"lib/base/x.c": "    x = strtod(s, &end);\n"}, "strtod(): numbers"),
        ({"lib/base/x.c": "    setlocale(LC_ALL, s);\n"}, "setlocale()"),
        ({"lib/base/x.c": "/* a */ system(\"ls\"); /* b */\n"}, "system()"),
    ]


RULES = [Calls]
