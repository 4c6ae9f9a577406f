# SPDX-License-Identifier: MIT
"""voices.py — A scratch folder with a small corpus of tones, for tests of mood-train."""
import array
import json
import math
import os
import sys
import tempfile
import unittest
import wave

RATE = 16000


def write_tone(path, hz, seconds=0.5):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    samples = array.array("h", (
        int(9000 * math.sin(2 * math.pi * hz * i / RATE) * (1 + 0.3 * math.sin(i / 700)))
        for i in range(int(seconds * RATE))))
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(path, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(RATE)
        f.writeframes(samples.tobytes())


def make_corpus(folder, speakers=(1, 2, 3, 4), emotions=(1, 3, 5), takes=1):
    """RAVDESS names; one clip in seven has two windows."""
    n = 0
    for speaker in speakers:
        for emotion in emotions:
            for take in range(1, takes + 1):
                write_tone("%s/Actor_%02d/03-01-%02d-01-01-%02d-%02d.wav"
                           % (folder, speaker, emotion, take, speaker),
                           150 * 1.4 ** emotion + 5 * speaker, 3.6 if n % 7 == 3 else 0.5)
                n += 1


def read(path, mode="rb", **options):
    with open(path, mode, **options) as f:
        return f.read()


def read_json(path):
    return json.loads(read(path, "r", encoding="utf-8"))


class Folder(unittest.TestCase):
    """A scratch folder to work in, with a small corpus in `voices`."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        os.chdir(cls.scratch.name)
        make_corpus("voices")

    @classmethod
    def tearDownClass(cls):
        os.chdir("/")
        cls.scratch.cleanup()
