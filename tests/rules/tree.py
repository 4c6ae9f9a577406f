# SPDX-License-Identifier: MIT
"""tree.py — What every rule looks at: a tree of text files, and its C without comments and texts.

A tree is a dict from path (with /) to text. The rules only see trees, so their self-tests can make
small ones with a deliberate break."""
import os
import re

TEXT_SUFFIXES = (".c", ".h", ".inl", ".py", ".sh", ".md", ".build", ".txt", ".html", ".css", ".js",
                 ".csv", ".proto")
TEXT_NAMES = ("run", ".clang-format", ".gitignore", "LICENSE")
C_SUFFIXES = (".c", ".h", ".inl")


def is_text(path):
    return path.endswith(TEXT_SUFFIXES) or os.path.basename(path) in TEXT_NAMES


def is_c(path):
    return path.endswith(C_SUFFIXES)


def is_script(path):
    return path.endswith((".py", ".sh")) or os.path.basename(path) == "run"


def read_tree(root):
    """The text files of the source tree, without build folders and what git keeps."""
    tree = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders
                            if f not in (".git", "__pycache__", "shared", "subprojects")
                            and not os.path.exists(os.path.join(folder, f, "meson-private")))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
            if is_text(path):
                with open(os.path.join(folder, name), "rb") as f:
                    tree[path] = f.read().decode("utf-8", "surrogateescape")
    return tree


_TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)


def code_only(text):
    """C text with comments and the insides of texts blanked; line numbers stay."""
    def blank(m):
        token = m.group(0)
        if token[0] in "\"'":
            return token[0] + " " * (len(token) - 2) + token[0]
        return re.sub(r"[^\n]", " ", token)
    return _TOKEN.sub(blank, text)


def includes(text):
    """(line number, "<" or quote, name) of each #include."""
    for number, line in enumerate(text.split("\n"), 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if m:
            yield number, m.group(1), m.group(2)
