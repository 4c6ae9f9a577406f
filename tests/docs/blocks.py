# SPDX-License-Identifier: MIT
"""blocks.py — The fenced blocks of a document, and patches in them.

A patch is a unified diff whose hunks have no line numbers: the lines that are there before (those with
a space or a minus) have to be found in the file exactly once."""
import os
import re

FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.M | re.S)


def blocks_in_place(path):
    """[(what is written behind the opening fence, text, what stands between the last block and it)]"""
    with open(path, encoding="utf-8") as f:
        document = f.read()
    found, end = [], 0
    for m in FENCE.finditer(document):
        found.append((m.group(1), m.group(2), document[end:m.start()]))
        end = m.end()
    return found


def blocks(path):
    return [(kind, text) for kind, text, _ in blocks_in_place(path)]


def hunks(text):
    """[(file, lines before, lines after)]"""
    found, name = [], None
    for line in text.splitlines():
        if line.startswith("--- a/"):
            continue
        if line.startswith("+++ b/"):
            name = line[len("+++ b/"):]
        elif line.startswith("@@"):
            found.append((name, [], []))
        else:
            mark, rest = line[:1] or " ", line[1:]
            if mark not in " +-":
                raise ValueError("not a line of a patch: " + line)
            if mark in " -":
                found[-1][1].append(rest)
            if mark in " +":
                found[-1][2].append(rest)
    return found


def replace_once(path, before, after):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if text.count(before) != 1:
        raise ValueError("%s: %d times there: %r" % (path, text.count(before), before))
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(before, after))


def apply(root, text):
    for name, before, after in hunks(text):
        replace_once(os.path.join(root, name), "\n".join(before) + "\n", "\n".join(after) + "\n")
