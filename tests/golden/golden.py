# SPDX-License-Identifier: MIT
"""golden.py — Writes golden files; golden.h reads them.

A golden file is text, then numbers:

    libmood-golden 1
    <number of tensors>
    <name> <rank> <dim 0> ... <dim rank-1>        one line per tensor
    ...
    <float32, little-endian, row-major, of the first tensor, then of the second, ...>

A name is "case/part", without spaces. Labels are stored as floats too, exactly.
"""
import numpy as np


class Writer:
    def __init__(self):
        self.tensors = {}

    def add(self, name, values):
        """Keep the float32 rounding of an array of any type."""
        if name in self.tensors or " " in name:
            raise ValueError(name)
        a = np.array(values, dtype=np.float64)
        if not np.isfinite(a).all():
            raise ValueError(f"{name}: not finite")
        self.tensors[name] = a.astype("<f4")

    def write(self, path):
        with open(path, "wb") as f:
            f.write(f"libmood-golden 1\n{len(self.tensors)}\n".encode())
            for name, a in self.tensors.items():
                f.write((" ".join([name, str(a.ndim), *map(str, a.shape)]) + "\n").encode())
            for a in self.tensors.values():
                f.write(a.tobytes())
