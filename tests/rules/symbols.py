# SPDX-License-Identifier: MIT
"""symbols.py — What the built library shows and keeps.

    symbols.py exports LIBRARY.so SOURCE_ROOT    every exported symbol is mood_..., none is internal
                                                 (mood__), and each is in an installed header
    symbols.py declared LIBRARY.so SOURCE_ROOT   each MOOD_API function of these headers is exported
    symbols.py state LIBRARY.a                   no mutable data outlives a call, but for STATE

For a plain build: sanitizers add symbols and data of their own."""
import glob
import os
import re
import subprocess
import sys

# The mutable data of the library, each with its reason.
STATE = {
    "detail": "error.c: the error text, one per thread",
    "chosen_limit": "cpu.c: the limit that mood_cpu_limit sets",
    "amx_answer": "cpu.c: what the system said when it was asked for AMX",
    "found": "cpu.c: what the processor has, which never changes, asked once",
    "blas_mutex": "gemm.c: guards the next two",
    "blas_users": "gemm.c: runs in progress, while OpenBLAS is held to one thread",
    "blas_threads_before": "gemm.c: what OpenBLAS had, to put it back",
    "hdf5_turn": "h5.c: HDF5 is not thread-safe, so one call at a time",
}


def exported_names(nm_lines):
    return {line.split()[-1].split("@")[0] for line in nm_lines if line.strip()}


def exports(nm_lines, declared):
    """nm_lines: `nm -D --defined-only`. declared: names of the functions in the headers."""
    names = sorted(exported_names(nm_lines))
    findings = ["exported, but not named mood_...: %s" % n for n in names
                if not n.startswith("mood_")]
    findings += ["exported, but internal: %s" % n for n in names if n.startswith("mood__")]
    findings += ["exported, but not declared: %s" % n for n in names
                 if n.startswith("mood_") and not n.startswith("mood__") and n not in declared]
    return findings


def not_exported(nm_lines, declared):
    return ["declared, but not exported: %s" % n for n in sorted(declared - exported_names(nm_lines))]


def declared_functions(text):
    """The functions that a header declares with MOOD_API."""
    return set(re.findall(r"^MOOD_API\b[^;(]*?\b(mood_\w+)\(", text, re.M))


def state(objdump_lines):
    """objdump_lines: `objdump -t`. Data in .bss, .data or their thread-local kin is mutable; tables
    of constant pointers lie in .data.rel.ro and are not."""
    findings = []
    for line in objdump_lines:
        m = re.match(r"[0-9a-f]+ .{5}O? *\S* *(\.[td]?(?:bss|data)(?:\.(?!rel\.ro)\S+)?)\s+([0-9a-f]+) (\S+)$",
                     line)
        if m and int(m.group(2), 16) > 0:
            name = m.group(3).split(".")[0]
            if name not in STATE:
                findings.append("mutable data: %s (%d bytes in %s)"
                                % (m.group(3), int(m.group(2), 16), m.group(1)))
    return findings


def prove():
    fine = ["0000 T mood_a", "0000 T mood_b@@V1"]
    both = {"mood_a", "mood_b"}
    for judge, lines, declared, expected in (
            (exports, fine, both, ""),
            (exports, fine + ["0000 T helper"], both, "not named mood_...: helper"),
            (exports, fine + ["0000 T mood__x"], both, "internal: mood__x"),
            (exports, fine, {"mood_a"}, "not declared: mood_b"),
            (not_exported, fine, both, ""),
            (not_exported, fine, both | {"mood_c"}, "not exported: mood_c")):
        found = judge(lines, declared)
        if (expected not in " ".join(found)) or bool(found) != bool(expected):
            return ["self-test: %s gives %s" % (lines, found)]
    header = "MOOD_NODISCARD\nMOOD_API mood_status mood_x_create(mood_x **out,\n int n);\n" \
             "MOOD_API const char *mood_y(void);\n/* mood_z(1) */\n"
    if declared_functions(header) != {"mood_x_create", "mood_y"}:
        return ["self-test: %s" % declared_functions(header)]
    row = "0000000000000000 l     O %s\t0000000000000004 %s"
    for section, name, expected in ((".bss", "counter", True), (".data", "counter", True),
                                    (".data.cache", "counter", True), (".tbss", "counter", True),
                                    (".data.rel.ro.local", "names", False), (".rodata", "x", False),
                                    (".tbss", "detail", False), (".bss", "counter.0", True)):
        if bool(state([row % (section, name)])) != expected:
            return ["self-test: %s in %s is %s" % (name, section, "missed" if expected else "found")]
    return []


def lines_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")


def main():
    what, library = sys.argv[1], sys.argv[2]
    findings = prove()
    if what == "state":
        looked_at = lines_of("objdump", "-t", library)
        findings += state(looked_at)
    else:
        declared = set()
        for path in glob.glob(os.path.join(sys.argv[3], "lib", "mood", "*.h")):
            with open(path, encoding="utf-8") as f:
                declared |= declared_functions(f.read())
        looked_at = lines_of("nm", "-D", "--defined-only", library)
        findings += (exports if what == "exports" else not_exported)(looked_at, declared)
    for line in findings:
        print(line)
    print("%s: %d lines looked at, %d findings" % (what, len(looked_at), len(findings)))
    return 1 if findings or len(looked_at) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
