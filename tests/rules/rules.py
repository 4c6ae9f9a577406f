# SPDX-License-Identifier: MIT
"""rules.py — The rules of the house that can be seen in the text of its files.

    rules.py SOURCE_ROOT RULE...

First each rule proves on small trees that it can fail: every tree in its `breaks` has to give a
finding, and its `fine` tree none. Then it looks at the source tree. Exit 1 with one line per finding.

There is no list of exceptions: what breaks a rule is mended, or the rule is."""
import sys

import layers
import manners
import text
import tree

RULES = {rule.name: rule for rule in layers.RULES + manners.RULES + text.RULES}


def prove(rule):
    findings = rule.check(rule.fine)
    if findings:
        return ["%s: its own fine tree gives: %s" % (rule.name, "; ".join(findings))]
    problems = []
    for number, (broken, expected) in enumerate(rule.breaks):
        found = rule.check({**rule.fine, **broken})
        if not any(expected in finding for finding in found):
            problems.append("%s: break %d, which should say '%s', gives: %s"
                            % (rule.name, number, expected, found))
    return problems


def main():
    root, names = sys.argv[1], sys.argv[2:]
    source = tree.read_tree(root)
    if len(source) < 20:
        print("%s: only %d files: not the source tree" % (root, len(source)))
        return 1
    failed = False
    for name in names:
        rule = RULES[name]
        problems = prove(rule)
        findings = rule.check(source)
        for line in problems + findings:
            print(line)
        print("%s: %d breaks caught, %d findings in %d files"
              % (name, len(rule.breaks) - len(problems), len(findings), len(source)))
        failed = failed or problems or findings
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
