# SPDX-License-Identifier: MIT
"""sounds.py — Sound files for the tests of mood-infer."""
import array
import math
import random
import struct

PCM, FLOAT, ADPCM = 1, 3, 2


def wav(data, rate=16000, channels=1, coding=PCM, bits=16, claimed=None):
    """A WAV file of these data bytes; `claimed` is the size that its header claims for them."""
    block = channels * bits // 8
    claimed = len(data) if claimed is None else claimed
    fmt = struct.pack("<HHIIHH", coding, channels, rate, rate * block, block, bits)
    return (b"RIFF" + struct.pack("<I", 36 + claimed) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
            + b"data" + struct.pack("<I", claimed) + data)


def tone(seconds, rate=16000, channels=1, level=9000, hiss=0.01):
    """16-bit samples of a gliding tone, the same in every channel, with a little of all frequencies."""
    samples, drawn = array.array("h"), random.Random(1)
    for i in range(int(seconds * rate)):
        t = i / rate
        x = math.sin(1500 * t + 300 * math.sin(2 * t)) + hiss * drawn.uniform(-1, 1)
        samples.extend([max(-32768, min(32767, int(level * x)))] * channels)
    return samples.tobytes()
