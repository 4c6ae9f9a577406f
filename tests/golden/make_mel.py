#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# make_mel.py — Makes mel.golden: log-mel planes by torchaudio's MelSpectrogram, all in float64
# (tables too: the default type is set before the transform is made).
#
# The signals are not stored. tests/audio/test_mel.c makes the same ones, bit for bit: they use only
# operations that IEEE 754 rounds exactly, in the same order.
#
# The file is little-endian; per case: int32 n_fft, hop, n_mels, n_samples, then float32
# (n_mels, 1 + n_samples // hop), row-major.
#
# Made with PyTorch 1.13.1 and torchaudio 0.13.1: /usr/bin/python3 make_mel.py mel.golden

import sys

import numpy as np
import torch
import torchaudio

torch.set_default_dtype(torch.float64)


def noise(n):
    """Uniform in [-1, 1), from a linear congruential generator."""
    r, out = 1, np.empty(n)
    for i in range(n):
        r = (r * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = r / 2147483648.0 - 1.0
    return out


def tone(n):
    """Nearly a sine of 1000 Hz and amplitude 1, by the recurrence of one."""
    c, a, b, out = 1.8477026, 0.0, 0.3826, np.empty(n)
    for i in range(n):
        out[i] = a
        a, b = b, c * b - a
    return out


def sweep(n):
    """A chirp of parabolic waves, whose harmonics go through every band."""
    out = np.empty(n)
    for i in range(n):
        p = ((i * i // 4 + 300 * i) % 65536) / 32768.0 - 1.0
        out[i] = 4.0 * p * (1.0 - abs(p))
    return out


def fading(n):
    """The chirp, halved every 4000 samples, with 16-bit rounding: loud to nothing."""
    x = sweep(n)
    for i in range(n):
        x[i] = np.floor(x[i] * 0.5 ** (i // 4000) * 32768.0) / 32768.0
    return x


def click(n):
    """One sample of full scale in noise of the last bit of 16."""
    x = noise(n) / 32768.0
    x[n // 3] = 1.0
    return x


CASES = [
    (1024, 512, 64, 48000, noise),
    (1024, 512, 64, 48000, tone),
    (1024, 512, 64, 48000, fading),
    (1024, 512, 64, 24000, sweep),
    (1024, 512, 64, 24000, click),
    (1024, 512, 64, 513, sweep),  # the shortest: mirrored at both ends
    (512, 160, 40, 4000, fading),
]


def main(path):
    with open(path, "wb") as f:
        for n_fft, hop, n_mels, n, signal in CASES:
            mel = torchaudio.transforms.MelSpectrogram(
                16000, n_fft=n_fft, hop_length=hop, n_mels=n_mels)
            x = torch.tensor(signal(n).astype(np.float32).astype(np.float64))
            plane = torch.log(mel(x) + 1e-6).numpy()
            assert plane.shape == (n_mels, 1 + n // hop)
            f.write(np.array([n_fft, hop, n_mels, n], "<i4").tobytes())
            f.write(plane.astype("<f4").tobytes())


main(sys.argv[1])
