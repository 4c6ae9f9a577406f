# SPDX-License-Identifier: MIT
"""formula.py — Numbers that C and Python make alike, so that they need not be stored.

This is the one definition; tools/formula.h says the same in C. All integers are unsigned, 64 bits, and
wrap around.

    mix64(x):      x ^= x >> 30;  x *= 0xbf58476d1ce4e5b9
                   x ^= x >> 27;  x *= 0x94d049bb133111eb
                   x ^= x >> 31
    hash64(key,i): mix64(key + (i + 1) * 0x9e3779b97f4a7c15)            (lib/base/rng.h)
    key(name):     mix64(h), where h is the FNV-1a hash of the name's bytes:
                   h = 0xcbf29ce484222325, then for each byte  h ^= byte;  h *= 0x100000001b3
    value(name,i): (hash64(key(name), i) >> 40) / 2^23 - 1

value is in [-1, 1) and a multiple of 2^-23: exact in float32. Element i counts through a tensor in
row-major order of libmood's layout: (Cin, Cout), (K, Cin, Cout), (Kf, Kt, Cin, Cout), (B, T, C),
(B, F, T, C).

A weight is made from its name and shape alone, each line in float32, rounded after each operation:

    rank 2 and more              value(name, i) * float32(1 / sqrt(elements / last dimension))
    rank 1, ends in ".weight"    1 + value(name, i) * 0.125           (the gain of a norm)
    ends in ".running_mean"      0
    ends in ".running_var"       1
    any other of rank 1          value(name, i) * 0.125

The inputs of training step s (0, 1, ...; written in decimal) are new in each step:

    seq (B, T, D)                value("seq.s", i)
    mel (B, F, T, 1)             value("mel.s", i)
    label (B)                    hash64(key("label.s"), i) mod 8
"""
import numpy as np


def _mix64(x):
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def key(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return _mix64(np.array([h], np.uint64))[0]


def hash64(name, n):
    """The first n hashes that belong to a name, uint64."""
    i = np.arange(1, n + 1, dtype=np.uint64)
    return _mix64(np.array([key(name)]) + i * np.uint64(0x9E3779B97F4A7C15))


def value(name, shape):
    """Values in [-1, 1), float32."""
    h = hash64(name, int(np.prod(shape)))
    v = (h >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1.0
    return v.astype(np.float32).reshape(shape)


def weight(name, shape):
    """The starting value of a weight, float32, in libmood's layout."""
    if name.endswith(".running_mean"):
        return np.zeros(shape, np.float32)
    if name.endswith(".running_var"):
        return np.ones(shape, np.float32)
    v = value(name, shape)
    if len(shape) >= 2:
        fan_in = int(np.prod(shape)) // shape[-1]
        return v * np.float32(1.0 / np.sqrt(float(fan_in)))
    v = v * np.float32(0.125)
    return np.float32(1) + v if name.endswith(".weight") else v


def label(name, n, n_classes=8):
    return (hash64(name, n) % np.uint64(n_classes)).astype(np.int64)
