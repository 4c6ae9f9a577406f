#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_identity.py — The identities of the encoders of make_encoder.py, as docs/file-formats.md defines
them, without libmood: tests/models/test_encoder.c knows what is printed here."""
import hashlib
import struct

import numpy as np

import formula
import make_encoder


def u64(*numbers):
    return struct.pack(f"<{len(numbers)}Q", *map(int, numbers))


def identity(form, normalise):
    h = hashlib.sha256(b"libmood encoder 1\0")
    h.update(u64(len(form["convs"])))
    for channels, kernel, stride in form["convs"]:
        h.update(u64(channels, kernel, stride))
    h.update(u64(form["bias"], form["norm"] == "layer_norm", form["width"], form["layers"], form["heads"],
                 form["feed_forward"], form["pos_kernel"], form["pos_groups"], form["norm_first"]))
    h.update(u64(struct.unpack("<I", struct.pack("<f", 1e-5))[0], normalise))
    weights = {make_encoder.mood_name(name): tuple(reversed(p.shape))
               for name, p in make_encoder.build(**form).named_parameters()}
    for name in sorted(weights):
        shape = weights[name]
        values = formula.weight(name, shape) * make_encoder.gain(name)
        h.update(name.encode() + b"\0" + u64(len(shape), *shape) + values.astype("<f4").tobytes())
    return h.hexdigest()


if __name__ == "__main__":
    for form, normalise in (("base", True), ("large", False)):
        print(form, identity(make_encoder.FORMS[form], normalise))
