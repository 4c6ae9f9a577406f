# SPDX-License-Identifier: MIT
"""layers.py — Includes point downwards, and a third-party header has one owner.

The folders of lib/ have ranks. A file includes its own folder and folders of a lower rank; two
folders of the same rank do not know each other. Installed headers (mood/x.h) count as the folder that
implements them. Programs see the installed headers and lib/base (memory, files written whole);
examples see the installed headers only, as a user does: they prove that these are enough."""
import tree

RANKS = {"base": 0, "kernel": 1, "audio": 1, "tensor": 2, "graph": 3, "store": 3, "ops": 4, "nn": 5,
         "models": 6, "corpus": 6, "infer": 7, "train": 8}

# installed header -> the folder of lib/ that implements it
IMPLEMENTED_IN = {"base": "base", "emotion": "base", "audio": "audio", "tensor": "tensor",
                  "graph": "graph", "params": "graph", "ops": "ops", "nn": "nn",
                  "encoder": "models", "figures": "train", "import": "models", "inspect": "models",
                  "model": "models", "prosody": "audio", "corpus": "corpus", "infer": "infer",
                  "train": "train"}

PROGRAM_FOLDERS = ("tools", "train", "datasets", "examples")

# The installed header that includes all others; nothing in lib/ may.
EVERYTHING = "mood/mood.h"


def _folder_of(name):
    """The folder of lib/ behind an in-tree include such as "graph/node.h" or "mood/ops.h"."""
    top, _, rest = name.partition("/")
    if top == "mood":
        return IMPLEMENTED_IN.get(rest[:-len(".h")])
    return top if top in RANKS else None


def _check_lib_include(path, name):
    public = path.startswith("lib/mood/")
    if name == EVERYTHING or path == "lib/" + EVERYTHING:
        return None if path == "lib/" + EVERYTHING else "mood/mood.h is for users; name the header"
    if name == "config.h" and not public:
        return None
    there = _folder_of(name)
    here = _folder_of(path[len("lib/"):])
    if here is None:
        return "the folder that implements this is not in the table of tests/rules/layers.py"
    if there is None:
        return "'%s' is no folder/file.h of lib/" % name
    if public and not name.startswith("mood/"):
        return "an installed header includes '%s', which is not installed" % name
    if there != here and RANKS[there] >= RANKS[here]:
        return "%s (rank %d) includes '%s' (rank %d)" % (here, RANKS[here], name, RANKS[there])
    return None


def _check_program_include(path, name, source):
    folders = (path.rsplit("/", 1)[0], path.split("/")[0])
    if name.startswith("mood/") or name == "cli.h" or any(f + "/" + name in source for f in folders):
        return None
    if path.startswith("examples/"):
        return "an example includes '%s', which users do not have" % name
    return None if _folder_of(name) == "base" else "a program includes '%s'" % name


def check_includes(source):
    findings = []
    for path, text in source.items():
        if not tree.is_c(path):
            continue
        for line, kind, name in tree.includes(text):
            problem = None
            if path.startswith("lib/") and (kind == '"' or name.startswith("mood/")):
                problem = _check_lib_include(path, name)
            elif path.split("/")[0] in PROGRAM_FOLDERS and kind == '"':
                problem = _check_program_include(path, name, source)
            if problem:
                findings.append("%s:%d: %s" % (path, line, problem))
    return findings


# third-party part -> its headers, and who includes them: one file of the library, and at most one of a
# program. To have another owner is a decision, and is made here.
PARTS = {
    "OpenBLAS": (("cblas.h", "openblas_config.h"), ("lib/kernel/gemm.c",)),
    "HDF5": (("hdf5.h", "hdf5_hl.h"), ("lib/store/h5.c",)),
    "libsndfile": (("sndfile.h",), ("lib/audio/decode_sndfile.c",)),
    "libmpg123": (("mpg123.h", "fmt123.h"), ("lib/audio/decode_mpg123.c",)),
    "soxr": (("soxr.h",), ("lib/audio/resample.c",)),
    "jansson": (("jansson.h",), ("lib/models/config.h", "train/json.h",
                                   "train/mood-compare.c", "tools/convert_record.c")),
    "CPUID/HWCAP": (("cpuid.h", "sys/auxv.h"), ("lib/base/cpu.c",)),
}

# Headers of C11, POSIX and the compiler, which anyone may include.
STANDARD = set("""assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal
    stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings tgmath
    threads time uchar wchar wctype dirent fcntl fnmatch glob libgen poll sched semaphore termios
    unistd getopt sys/file sys/ioctl sys/mman sys/resource sys/stat sys/statvfs sys/time sys/types
    sys/wait sys/random sys/syscall""".split())


# Who makes and locks threads: the base, and what guards what another library has once for the whole
# process (OpenBLAS's number of threads; HDF5, which is not thread-safe).
THREADS = ("lib/base/", "lib/kernel/gemm.c", "lib/store/h5.c")


# Where instructions are chosen by hand: the kernels, and what the base needs before there are kernels.
INTRINSICS = ("lib/kernel/", "lib/base/sha256_x86.c")


def check_owners(source):
    findings = []
    for path, text in source.items():
        if not tree.is_c(path) or path.startswith("tests/"):
            continue
        for line, kind, name in tree.includes(text):
            place = "%s:%d: " % (path, line)
            part = next((p for p, (headers, _) in PARTS.items() if name in headers), None)
            if part:
                owners = PARTS[part][1]
                if path not in owners:
                    findings.append(place + "%s is included by %s only" % (part, " and ".join(owners)))
            elif kind == "<" and name == "pthread.h":
                if not path.startswith(THREADS):
                    findings.append(place + "threads are made and locked in lib/base")
            elif kind == "<" and name in ("immintrin.h", "arm_neon.h"):
                if not path.startswith(INTRINSICS):
                    findings.append(place + "intrinsics belong in lib/kernel")
            elif kind == "<" and not name.startswith("mood/") and name[:-2] not in STANDARD:
                findings.append(place + "<%s> is in no table of tests/rules/layers.py" % name)
    return findings


class Includes:
    name = "includes"
    check = staticmethod(check_includes)
    fine = {
        "lib/mood/base.h": "#include <stddef.h>\n",
        "lib/mood/ops.h": '#include "mood/graph.h"\n',
        "lib/mood/mood.h": '#include "mood/ops.h"\n#include "mood/train.h"\n',
        "lib/base/error.c": '#include "base/error.h"\n#include "config.h"\n',
        "lib/ops/dense.c": '#include "mood/ops.h"\n#include "graph/node.h"\n#include "ops/op.h"\n',
        "tools/mood-x.c": '#include "mood/mood.h"\n#include "cli.h"\n#include "bars.h"\n',
        "tools/bars.h": "",
        "datasets/synth/voice.c": '#include "synth/voice.h"\n',
        "datasets/synth/voice.h": "",
        "datasets/synth/x.c": '#include "base/rng.h"\n',
        "tests/unit/test_x.c": '#include "graph/node.h"\n',
    }
    breaks = [
        ({"lib/base/x.c": '#include "graph/node.h"\n'}, "base (rank 0) includes 'graph/node.h'"),
        ({"lib/base/x.c": '#include "mood/ops.h"\n'}, "base (rank 0) includes 'mood/ops.h'"),
        ({"lib/graph/x.c": '#include <mood/nn.h>\n'}, "graph (rank 3) includes 'mood/nn.h'"),
        ({"lib/store/x.c": '#include "graph/node.h"\n'}, "store (rank 3)"),
        ({"lib/mood/graph.h": '#include "mood/ops.h"\n'}, "graph (rank 3) includes 'mood/ops.h'"),
        ({"lib/mood/ops.h": '#include "graph/node.h"\n'}, "which is not installed"),
        ({"lib/ops/x.c": '#include "mood/mood.h"\n'}, "is for users"),
        ({"lib/ops/x.c": '#include "op.h"\n'}, "no folder/file.h"),
        ({"lib/mood/new.h": '#include "mood/base.h"\n'}, "not in the table"),
        ({"lib/new/x.c": '#include "base/mem.h"\n'}, "not in the table"),
        ({"tools/mood-x.c": '#include "graph/node.h"\n'}, "a program includes 'graph/node.h'"),
        ({"examples/x.c": '#include "base/mem.h"\n'}, "users do not have"),
        ({"datasets/synth/x.c": '#include "graph/node.h"\n'}, "a program includes"),
        ({"examples/x.c": '#include "graph/node.h"\n'}, "users do not have"),
    ]


class Owners:
    name = "owners"
    check = staticmethod(check_owners)
    fine = {
        "lib/kernel/gemm.c": "#include <cblas.h>\n#include <immintrin.h>\n",
        "lib/base/pool.c": "#include <pthread.h>\n",
        "lib/base/cpu.c": "#include <cpuid.h>\n",
        "lib/base/sha256_x86.c": "#include <immintrin.h>\n",
        "lib/audio/resample.c": "#include <soxr.h>\n#include <math.h>\n",
        "tests/unit/test_x.c": "#include <pthread.h>\n#include <cmocka.h>\n",
    }
    breaks = [
        ({"lib/ops/dense.c": "#include <cblas.h>\n"}, "OpenBLAS is included by lib/kernel/gemm.c only"),
        ({"lib/audio/x.c": '#include "soxr.h"\n'}, "soxr is included by"),
        ({"lib/store/h5.h": "#include <hdf5.h>\n"}, "HDF5 is included by"),
        ({"lib/train/x.c": "#include <pthread.h>\n"}, "in lib/base"),
        ({"lib/ops/x.c": "#include <immintrin.h>\n"}, "lib/kernel"),
        ({"lib/base/sha256.c": "#include <immintrin.h>\n"}, "lib/kernel"),
        ({"lib/kernel/x.c": "#include <cpuid.h>\n"}, "CPUID/HWCAP is included by lib/base/cpu.c only"),
        ({"tools/x.c": "#include <curl/curl.h>\n"}, "in no table"),
    ]


RULES = [Includes, Owners]
