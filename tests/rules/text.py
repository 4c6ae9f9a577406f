# SPDX-License-Identifier: MIT
"""text.py — How files look: their first lines, their characters, their size; and whether what documents
point at is there."""
import os
import re

import tree

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60 # from its opening to its closing brace, both counted

# Control characters but for the newline, and Unicode that is not seen: zero-width, direction marks
# and overrides, byte order mark, no-break space; and bytes that were no UTF-8.
HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e"
                    "\u2060-\u206f\ufeff\udc80-\udcff]")


def check_characters(source):
    findings = []
    for path, text in source.items():
        if text and not text.endswith("\n"):
            findings.append("%s: no newline at the end" % path)
        if text.endswith("\n\n"):
            findings.append("%s: empty lines at the end" % path)
        for number, line in enumerate(text.split("\n"), 1):
            for what, found in (("tab", "\t" in line), ("carriage return", "\r" in line),
                                ("space at the end", line.endswith((" ", "\t"))),
                                ("hidden character", HIDDEN.search(line))):
                if found:
                    findings.append("%s:%d: %s" % (path, number, what))
    return findings


def check_heads(source):
    """The licence in the first line, then a paragraph that begins with the file's own name."""
    findings = []
    for path, text in source.items():
        lines = text.split("\n")
        name = os.path.basename(path)
        if tree.is_c(path):
            if lines[0] != "/* SPDX-License-Identifier: MIT":
                findings.append("%s:1: is not '/* SPDX-License-Identifier: MIT'" % path)
            elif len(lines) < 3 or not re.match(r" \* (\w+/)*%s\b.* — \S" % re.escape(name), lines[2]):
                findings.append("%s:3: does not say '%s — what it does'" % (path, name))
        elif tree.is_script(path):
            first = 1 if lines[0].startswith("#!") else 0
            if "# SPDX-License-Identifier: MIT" not in lines[first:first + 1]:
                findings.append("%s:%d: is not '# SPDX-License-Identifier: MIT'" % (path, first + 1))
    return findings


def check_sizes(source):
    findings = []
    for path, text in source.items():
        if not (tree.is_c(path) or tree.is_script(path)):
            continue
        lines = text.split("\n")
        if len(lines) - 1 > MAX_FILE_LINES:
            findings.append("%s: %d lines; %d are the limit" % (path, len(lines) - 1, MAX_FILE_LINES))
        # .clang-format puts the braces of a function, and no others, alone into column 0.
        opened = None
        for number, line in enumerate(lines if tree.is_c(path) else [], 1):
            if line == "{":
                opened = number
            elif line == "}" and opened:
                length = number - opened + 1
                if length > MAX_FUNCTION_LINES:
                    findings.append("%s:%d: a function of %d lines; %d are the limit"
                                    % (path, opened, length, MAX_FUNCTION_LINES))
                opened = None
    return findings


# A path of the tree between backticks. Other things there (commands, build/..., names) are not judged,
# nor are files that are no text, which the rules do not see.
IN_TREE = re.compile(r"`((?:lib|tools|train|datasets|examples|tests|docs)/[\w./-]*)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def _anchors(text):
    """What "#..." can lead to: the headings, as they are written in links."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    headings = re.findall(r"^#+ +(.*?) *$", plain, re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def _is_there(source, path):
    return path in source or any(p.startswith(path.rstrip("/") + "/") for p in source)


def check_links(source):
    findings = []
    for path, text in source.items():
        if not path.endswith(".md"):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            place = "%s:%d: " % (path, number)
            for target in LINK.findall(line):
                file, _, anchor = target.partition("#")
                if "://" in target or target.startswith("mailto:"):
                    continue
                there = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
                if not _is_there(source, there):
                    findings.append(place + "links to %s, which is not there" % target)
                elif anchor and anchor not in _anchors(source.get(there, "")):
                    findings.append(place + "links to %s, which has no such heading" % target)
            for name in IN_TREE.findall(line):
                judged = name.endswith("/") or tree.is_text(name) or "." not in name
                if judged and not _is_there(source, name):
                    findings.append(place + "names %s, which is not there" % name)
    return findings


class Characters:
    name = "characters"
    check = staticmethod(check_characters)
    fine = {"a.c": "/* § 3: x² — π */\n", "b.md": ""}
    breaks = [
        ({"a.c": "int\tx;\n"}, "a.c:1: tab"),
        ({"a.c": "\nint x; \n"}, "a.c:2: space at the end"),
        ({"a.c": "int x;\r\n"}, "carriage return"),
        ({"a.c": "int x;"}, "no newline"),
        ({"a.c": "int x;\n\n"}, "empty lines at the end"),
        ({"a.c": "int x\u200b;\n"}, "hidden"),
        ({"a.c": "/* \u202e */\n"}, "hidden"),
        ({"a.c": "/* \x1b */\n"}, "hidden"),
        ({"a.c": "/* \udcff */\n"}, "hidden"),
    ]


class Heads:
    name = "heads"
    check = staticmethod(check_heads)
    fine = {
        "lib/base/x.c": "/* SPDX-License-Identifier: MIT\n *\n * x.c — It does x. */\n",
        "tools/run": "#!/usr/bin/env bash\n# SPDX-License-Identifier: MIT\n",
        "a.py": "# SPDX-License-Identifier: MIT\n",
    }
    breaks = [
        ({"lib/base/x.c": "/*\n * x.c — It does x. */\n"}, "SPDX"),
        ({"lib/base/x.c": "/* SPDX-License-Identifier: MIT */\nint x;\n"}, "SPDX"),
        ({"lib/base/x.c": "/* SPDX-License-Identifier: MIT\n *\n * y.c — It does y. */\n"}, "x.c —"),
        ({"tools/run": "#!/usr/bin/env bash\nset -e\n"}, "tools/run:2"),
        ({"a.py": "import os\n"}, "a.py:1"),
    ]


def _function(lines):
    return "int f(void)\n{\n" + "    x++;\n" * (lines - 2) + "}\n"


class Sizes:
    name = "sizes"
    check = staticmethod(check_sizes)
    fine = {"a.c": _function(60) * 9, "b.c": "struct s {\n" + "    int x;\n" * 70 + "};\n",
            "README.md": "x\n" * 700}
    breaks = [
        ({"a.c": _function(61)}, "a.c:2: a function of 61 lines"),
        ({"a.c": "int x;\n" * 601}, "a.c: 601 lines"),
        ({"a.py": "x\n" * 601}, "a.py: 601 lines"),
    ]


class Links:
    name = "links"
    check = staticmethod(check_links)
    fine = {
        "lib/base/x.c": "",
        "docs/a.md": "# The house\n\n[b](b.md), [c](../LICENSE), [d](#the-house), [e](b.md#add-an-op-2)\n",
        "docs/b.md": "## Add an op (2)\n\n`lib/base/x.c`, `lib/base/`, `tests/m.h5`, `build/lib/none.c`\n",
        "LICENSE": "", "README.md": "[house](docs/a.md) and [web](https://example.org/none.md)\n",
    }
    breaks = [
        ({"README.md": "\n[x](docs/none.md)\n"}, "README.md:2: links to docs/none.md"),
        ({"docs/a.md": "[b](docs/b.md)\n"}, "not there"),
        ({"docs/a.md": "[b](b.md#house)\n"}, "no such heading"),
        ({"docs/a.md": "```\n# house\n```\n[b](#house)\n"}, "no such heading"),
        ({"docs/b.md": "## Add an op (2)\n`lib/base/y.c`\n"}, "names lib/base/y.c"),
        ({"docs/b.md": "## Add an op (2)\n`lib/bases/`\n"}, "names lib/bases/"),
    ]


RULES = [Characters, Heads, Sizes, Links]
