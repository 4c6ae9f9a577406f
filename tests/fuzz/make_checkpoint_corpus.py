#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# make_checkpoint_corpus.py — Makes corpus/safetensors and corpus/torch: small checkpoints, right and
# wrong, that the fuzzers start from, the plain tests replay, and tests/store/test_hostile.c judges.
# Needs python3-torch: /usr/bin/python3 make_checkpoint_corpus.py corpus

import collections
import io
import json
import os
import struct
import sys
import zipfile

import torch

FOLDER = sys.argv[1]


def write(kind, name, data):
    os.makedirs(os.path.join(FOLDER, kind), exist_ok=True)
    with open(os.path.join(FOLDER, kind, name), "wb") as f:
        f.write(data)


# ---- safetensors, by hand ---------------------------------------------------------------------------

def numbers(n):
    """What every tensor holds: -1, -0.5, 0, 0.5, ... exact in all types of floating point."""
    return [i * 0.5 - 1 for i in range(n)]


def f32(n):
    return struct.pack("<%df" % n, *numbers(n))


def f16(n):
    return struct.pack("<%de" % n, *numbers(n))


def bf16(n):
    return b"".join(struct.pack("<f", x)[2:] for x in numbers(n))


def tensors(header, data, length=None):
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors():
    def put(name, header, data=b"", length=None):
        write("safetensors", name, tensors(header, data, length))

    six = entry("F32", [2, 3], 0, 24)
    put("plain", {"__metadata__": {"format": "pt"}, "b.half": entry("F16", [5], 24, 34), "a": six,
                  "c.brain": entry("BF16", [1, 3, 1], 34, 40), "scalar": entry("F32", [], 40, 44),
                  "ids": entry("I64", [2], 44, 60), "empty": entry("F32", [0, 4], 60, 60),
                  "deep": entry("F32", [1] * 7, 60, 64)},
        f32(6) + f16(5) + bf16(3) + f32(1) + bytes(16) + f32(1))
    put("padded", json.dumps({"a": six}).encode() + b"   ", f32(6))
    put("escaped", b'{ "\\u0061\\/\\u002e" : {"data_offsets":[0,24],"shape":[6],"dtype":"F32"}}\n', f32(6))
    put("nothing", {})
    put("length_2_60", {"a": six}, f32(6), 1 << 60)
    put("length_99_mb", {"a": six}, f32(6), 99000000)
    put("length_0", b"", f32(6))
    put("cut_numbers", {"a": six}, f32(5))
    put("more_numbers", {"a": six}, f32(7))
    put("overlap", {"a": six, "b": entry("F32", [3], 12, 24)}, f32(6))
    put("hole", {"a": six, "b": entry("F32", [1], 28, 32)}, f32(8))
    put("out_of_range", {"a": entry("F32", [6], 0, 1 << 62)}, f32(6))
    put("backwards", {"a": entry("F32", [6], 24, 0)}, f32(6))
    put("wrong_shape", {"a": entry("F32", [2, 4], 0, 24)}, f32(6))
    put("shape_overflow", {"a": entry("F32", [1 << 32, 1 << 32], 0, 24)}, f32(6))
    put("shape_wraps", {"a": entry("F32", [1 << 62, 4], 0, 0)})
    put("negative_shape", {"a": entry("F32", [-2, -3], 0, 24)}, f32(6))
    put("float_shape", {"a": entry("F32", [6.0], 0, 24)}, f32(6))
    put("rank_100", {"a": entry("F32", [1] * 100, 0, 4)}, f32(1))
    put("one_offset", {"a": {"dtype": "F32", "shape": [6], "data_offsets": [0]}}, f32(6))
    put("no_dtype", {"a": {"shape": [6], "data_offsets": [0, 24]}}, f32(6))
    put("unknown_type", {"a": entry("F\x1b[2J", [6], 0, 24)}, f32(6))
    put("unknown_key", {"a": dict(six, lazy=True)}, f32(6))
    put("twice", b'{"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},'
                 b'"\\u0061":{"dtype":"F32","shape":[0],"data_offsets":[24,24]}}', f32(6))
    put("key_twice", b'{"a":{"dtype":"F32","dtype":"F16","shape":[6],"data_offsets":[0,24]}}', f32(6))
    put("metadata_twice", b'{"__metadata__":{},"__metadata__":{}}')
    put("deep_json", b'{"__metadata__":' + b"[" * 100000)
    put("line_break", {"a\nmood-convert: all is well": six}, f32(6))
    put("long_name", {"a" * 256: six}, f32(6))
    put("zero_byte", b'{"a\0":1}')
    put("zero_escape", b'{"a\\u0000":{"dtype":"F32","shape":[6],"data_offsets":[0,24]}}', f32(6))
    put("half_pair", b'{"\\ud800":1}')
    put("not_utf8", b'{"\xff":1}')
    put("trailing_comma", b'{"a":{"dtype":"F32","shape":[6,],"data_offsets":[0,24]}}', f32(6))
    put("length_2_64", b"{}", length=(1 << 64) - 1)
    put("offset_2_64", {"a": entry("F32", [2, 3], (1 << 64) - 24, 1 << 64)}, f32(6))
    put("text_behind", b'{}{}')
    put("leading_zero", b'{"a":{"dtype":"F32","shape":[06],"data_offsets":[0,24]}}', f32(6))
    write("safetensors", "short", b"\x05\0\0\0")
    write("safetensors", "git_lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 380267417\n")


# ---- PyTorch ------------------------------------------------------------------------------------------

def state():
    d = collections.OrderedDict()
    base = torch.tensor(numbers(12))
    d["a"] = base[2:8].reshape(2, 3) + 0            # a storage of its own
    d["view"] = base[4:10]                          # a part of one
    d["tied"] = base                                # and all of the same
    d["half"] = torch.tensor(numbers(5)).half()
    d["brain"] = torch.tensor(numbers(3)).bfloat16().reshape(1, 3, 1)
    d["scalar"] = torch.tensor(-1.0)
    d["steps"] = torch.tensor(7)
    d["empty"] = torch.zeros(0, 4)
    d["turned"] = base.reshape(3, 4).t()
    d["negative"] = torch.tensor(numbers(6)).reshape(1, 6)[:, :1].expand(1, 1)  # strides say nothing
    d._metadata = collections.OrderedDict([("", {"version": 2, "list": [1, 2.5, None, True]})])
    return d


def saved(value, **options):
    f = io.BytesIO()
    torch.save(value, f, **options)
    return f.getvalue()


def archive(files, compression=zipfile.ZIP_STORED):
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w", compression) as z:
        for name, data in files:
            z.writestr(zipfile.ZipInfo(name), data, compression)
    return f.getvalue()


# Pieces of pickles: opcodes of protocol 2.
def text(s):
    s = s if isinstance(s, bytes) else s.encode()
    return b"X" + struct.pack("<I", len(s)) + s


def number(i):
    raw = i.to_bytes(9, "little", signed=True)[:8] if -2**63 <= i < 2**63 else i.to_bytes(16, "little")
    return b"\x8a" + bytes([len(raw)]) + raw


def glob(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def tup(*items):
    return b"(" + b"".join(items) + b"t"


ORDERED = glob("collections", "OrderedDict") + b")R"


def storage(key="0", n=6, kind="FloatStorage"):
    return tup(text("storage"), glob("torch", kind), text(key), text("cpu"), number(n)) + b"Q"


def tensor(shape=(2, 3), stride=(3, 1), offset=0, **options):
    return (glob("torch._utils", "_rebuild_tensor_v2") +
            tup(storage(**options), number(offset), tup(*map(number, shape)), tup(*map(number, stride)),
                b"\x89", ORDERED) + b"R")


def program(body):
    return b"\x80\x02" + body + b"."


def dictionary(*pairs):
    return ORDERED + b"(" + b"".join(text(k) + v for k, v in pairs) + b"u"


def torch_files():
    def put(name, body, files=(("x/data/0", f32(6)),)):
        write("torch", name, archive([("x/data.pkl", program(body))] + list(files)))

    good = dictionary(("a", tensor()))
    write("torch", "plain", saved(state()))
    write("torch", "legacy", saved(state(), _use_new_zipfile_serialization=False))
    write("torch", "nested", saved({"state_dict": state(), "epoch": 3}))
    write("torch", "only_pickle", program(good))
    write("torch", "bare_pickle_system", program(glob("posix", "system") + tup(text("id")) + b"R"))

    write("torch", "shard_1", saved({"a": torch.tensor([-1.0])}))
    write("torch", "shard_2", saved({"b": torch.tensor([-1.0])}))
    put("by_hand", good)
    put("key_set_item", b"}" + text("a") + tensor() + b"s")
    put("byte_order", good, [("x/data/0", f32(6)), ("x/byteorder", b"little")])

    # Pickles that want more than data.
    for i, (module, name) in enumerate([("posix", "system"), ("builtins", "eval"), ("os", "system\x1b[2J"),
                                        ("torch._utils", "_rebuild_tensor"), ("torch", "load"),
                                        ("collections", "OrderedDict.fromkeys")]):
        put("global_%d" % i, glob(module, name) + tup(text("id")) + b"R")
    put("call_storage", glob("torch", "FloatStorage") + tup(number(1 << 40)) + b"R")
    put("call_text", text("id") + b")R")
    put("dict_with_arguments", glob("collections", "OrderedDict") + tup(text("a")) + b"R")
    put("instance", b"(" + b"iposix\nsystem\n")
    put("new_object", glob("collections", "OrderedDict") + b")\x81")
    put("stack_global", text("posix") + text("system") + b"\x93")
    put("extension", b"\x82\x01")
    put("build_tensor", tensor() + b"}b")

    # Stack and memo.
    put("empty_stack", b"R")
    put("mark_only", b"(R")
    put("no_mark", b"t")
    put("marks", b"(" * 100000)
    put("no_result", b"")
    put("two_results", b"NN")
    put("memo_far", b"Nr" + struct.pack("<I", 0xfffffff0))
    put("memo_gap", b"Nq\x05")
    put("memo_missing", b"h\x00")
    put("memo_mark", b"(q\x00")
    put("pop", b"N0")
    put("odd_items", b"}(" + text("a") + b"u")
    put("items_for_none", b"N(" + text("a") + b"Nu")
    put("append_dict", b"}Na")
    put("long_text", b"X\xff\xff\xff\xff")
    put("long_number", number(1 << 100))
    put("many_sizes", dictionary(("a", tensor(shape=[1] * 1000, stride=[1] * 1000))))
    put("behind_stop", good + b".N")
    put("deep", b"N" + b"\x85" * 10000)
    pairs = b"".join(b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(200))  # each of the one before
    put("laughs", b"}" + text("a") + b"(Nq\x00" + pairs + b"ts")           # 2^200 Nones, written out
    put("itself", b"}q\x00" + text("a") + b"h\x00s")
    write("torch", "protocol_4", archive([("x/data.pkl", b"\x80\x04N.")]))
    write("torch", "no_protocol", archive([("x/data.pkl", b"N.")]))
    write("torch", "no_stop", archive([("x/data.pkl", b"\x80\x02N")]))
    write("torch", "empty_pickle", archive([("x/data.pkl", b"")]))

    # Tensors that are not what they say.
    put("not_a_dict", tensor())
    put("name_is_number", b"}K\x01" + tensor() + b"s")
    put("twice", dictionary(("a", tensor()), ("a", tensor())))
    put("line_break", dictionary(("a\nb", tensor())))
    put("zero_in_name", dictionary((b"a\0b", tensor())))
    put("too_large", dictionary(("a", tensor(shape=(2, 4), stride=(4, 1)))))
    put("offset", dictionary(("a", tensor(offset=1))))
    put("negative_offset", dictionary(("a", tensor(offset=-1))))
    put("negative_size", dictionary(("a", tensor(shape=(-2, -3)))))
    put("huge", dictionary(("a", tensor(shape=(1 << 32, 1 << 32)))))
    put("huge_offset", dictionary(("a", tensor(offset=(1 << 63) - 1))))
    put("stride_0", dictionary(("a", tensor(stride=(0, 1)))))
    put("strides", dictionary(("a", tensor(stride=(3,)))))
    put("no_storage", dictionary(("a", tensor(key="7"))))
    put("storage_up", dictionary(("a", tensor(key="../data/0"))))
    put("storage_size", dictionary(("a", tensor(n=7))))
    put("storage_huge", dictionary(("a", tensor(n=1 << 62))))
    put("storage_type", dictionary(("a", tensor(kind="HalfStorage"))))
    put("unknown_storage", dictionary(("a", tensor(kind="DoubleStorage"))))
    put("storage_4", dictionary(("a", tup(text("storage"), text("0")) + b"Q")))
    put("big_endian", good, [("x/data/0", f32(6)), ("x/byteorder", b"big")])

    # Archives.
    whole = archive([("x/data.pkl", program(good)), ("x/data/0", f32(6))])
    write("torch", "bomb", archive([("x/data.pkl", program(good)), ("x/data/0", bytes(1 << 20))],
                                   zipfile.ZIP_DEFLATED))
    write("torch", "up", archive([("x/data.pkl", program(good)), ("x/../../evil", b"")]))
    write("torch", "absolute", archive([("x/data.pkl", program(good)), ("/etc/passwd", b"")]))
    write("torch", "backslash", archive([("x/data.pkl", program(good)), ("x\\y", b"")]))
    write("torch", "two_pickles", archive([("x/data.pkl", program(good)), ("y/data.pkl", program(good))]))
    write("torch", "same_name", archive([("x/data.pkl", program(good)), ("x/y", b""), ("x/z", b"")])
          .replace(b"x/z", b"x/y"))
    write("torch", "no_pickle", archive([("x/data/0", f32(6))]))
    write("torch", "comment", whole + b"more")
    write("torch", "cut", whole[:-1])

    def patch(name, *changes):
        """Changes are (offset into a directory record or, below zero, from the end; bytes)."""
        data = bytearray(whole)
        record = data.index(b"PK\1\2") if name == "overlap" else data.rindex(b"PK\1\2")
        for at, new in changes:
            at = len(data) + at if at < 0 else record + at
            data[at:at + len(new)] = new
        write("torch", name, bytes(data))

    patch("encrypted", (8, b"\1"))
    patch("local_elsewhere", (42, b"\0\0\0\0"))
    patch("local_far", (42, b"\xfe\xff\xff\xff"))
    patch("entry_too_long", (20, b"\xfe\xff\xff\x7f\xfe\xff\xff\x7f"))
    patch("two_sizes", (20, b"\1\0\0\0"))
    patch("no_zip64", (24, b"\xff\xff\xff\xff"))
    patch("two_disks", (-18, b"\1"))
    patch("many_entries", (-14, b"\xff\xff\xff\xff"))
    patch("fewer_entries", (-14, b"\1\0\1\0"))
    patch("directory_far", (-6, b"\xff\xff\xff\x7f"))
    patch("overlap", (20, struct.pack("<II", len(program(good)) + 1, len(program(good)) + 1)))

    # zip64 as PyTorch writes it for files above 4 GB: 32 bits say "look there".
    pkl, data = program(good), f32(6)
    first = b"PK\3\4" + bytes(22) + struct.pack("<HH", 10, 0) + b"x/data.pkl" + pkl
    second = b"PK\3\4" + bytes(22) + struct.pack("<HH", 8, 0) + b"x/data/0" + data

    def record(name, size, at):
        extra = struct.pack("<HHQQQ", 1, 24, size, size, at)
        return (b"PK\1\2" + bytes(16) + b"\xff" * 8 + struct.pack("<HHH", len(name), len(extra), 0) + bytes(8) +
                b"\xff" * 4 + name + extra)
    records = record(b"x/data.pkl", len(pkl), 0) + record(b"x/data/0", len(data), len(first))
    at = len(first + second)
    end64 = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 2, 2, len(records), at)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, at + len(records), 1)
    end = b"PK\5\6" + bytes(4) + b"\xff" * 12 + bytes(2)
    write("torch", "zip64", first + second + records + end64 + locator + end)
    write("torch", "zip64_lost", first + second + records + end64 + locator.replace(b"\1\0\0\0", b"\1\0\0\0")[:8] +
          struct.pack("<QI", 5, 1) + end)
    write("torch", "zip64_differs", first + second + records + end64 + locator + b"PK\5\6" + bytes(4) +
          struct.pack("<HHII", 3, 3, len(records), at) + bytes(2))


safetensors()
torch_files()
