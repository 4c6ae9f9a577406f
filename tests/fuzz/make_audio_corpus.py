#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# make_audio_corpus.py — Makes corpus/audio: small sound files, right and wrong, that the fuzzer
# starts from and the plain test replays. Needs python3-soundfile:
# /usr/bin/python3 make_audio_corpus.py corpus/audio

import io
import os
import struct
import sys

import numpy as np
import soundfile


def chunk(tag, body, size=None):
    return tag + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def wav(tag, channels, rate, bits, data, size=None, riff=None, extra=b"", before=b""):
    frame = channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits) + extra
    body = b"WAVE" + before + chunk(b"fmt ", fmt) + chunk(b"data", data, size)
    return b"RIFF" + struct.pack("<I", len(body) if riff is None else riff) + body


def aiff(kind, channels, frames, bits, rate, data, compression=b""):
    e = rate.bit_length() - 1
    comm = struct.pack(">HIHHQ", channels, frames, bits, 16383 + e, rate << (63 - e)) + compression
    body = kind + b"COMM" + struct.pack(">I", len(comm)) + comm
    body += b"SSND" + struct.pack(">III", 8 + len(data), 0, 0) + data
    return b"FORM" + struct.pack(">I", len(body)) + body


def coded(container, subtype, channels, rate, n):
    x = 0.5 * np.sin(np.arange(n) * 0.1)[:, None].repeat(channels, 1)
    f = io.BytesIO()
    soundfile.write(f, x, rate, format=container, subtype=subtype)
    return f.getvalue()


GUID = b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
PCM16 = struct.pack("<32h", *[1000 * (-1) ** i for i in range(32)])
FLOATS = struct.pack("<4f", 0.1, -0.2, 0.3, float("nan"))
DS64 = chunk(b"ds64", struct.pack("<QQQI", 100, 64, 32, 0))

SEEDS = {
    "wav_u8": wav(1, 1, 8000, 8, bytes(range(64))),
    "wav_16": wav(1, 2, 16000, 16, PCM16),
    "wav_24": wav(1, 8, 48000, 24, bytes(range(96))),
    "wav_32": wav(1, 1, 192000, 32, PCM16),
    "wav_float": wav(3, 1, 16000, 32, FLOATS),
    "wav_double": wav(3, 1, 16000, 64, struct.pack("<4d", 0.1, -0.2, 0.3, 1e300)),
    "wav_extensible": wav(0xFFFE, 1, 44100, 16, PCM16,
                          extra=struct.pack("<HHIH", 22, 16, 4, 1) + GUID),
    "wav_stream": wav(1, 1, 22050, 16, PCM16, 0xFFFFFFFF, 0xFFFFFFFF),
    "wav_killed": wav(1, 1, 16000, 16, PCM16, 0, 36),
    "wav_lying": wav(1, 1, 16000, 16, PCM16, 1000000),
    "wav_chunks": wav(1, 1, 16000, 16, PCM16, before=chunk(b"JUNK", b"abc") + chunk(b"LIST", b"")),
    "wav_adpcm": wav(2, 1, 16000, 8, PCM16, extra=struct.pack("<HHH", 4, 500, 7)),
    "wav_9_channels": wav(1, 9, 16000, 16, PCM16),
    "rf64": b"RF64" + wav(1, 1, 16000, 16, PCM16, 0xFFFFFFFF, 0xFFFFFFFF, before=DS64)[4:],
    "aiff_16": aiff(b"AIFF", 1, 32, 16, 16000, PCM16),
    "aifc_sowt": aiff(b"AIFC", 2, 16, 16, 44100, PCM16, b"sowt\0\0"),
    "aifc_float": aiff(b"AIFC", 1, 4, 32, 8000, FLOATS, b"fl32\0\0"),
    "flac": coded("FLAC", "PCM_16", 2, 16000, 300),
    "vorbis": coded("OGG", "VORBIS", 1, 16000, 300),
    "opus": coded("OGG", "OPUS", 1, 48000, 300),
    "mp3": coded("MP3", "MPEG_LAYER_III", 1, 16000, 300),
    "mp3_tagged": b"ID3\4\0\0\0\0\0\5.....\0\0" + coded("MP3", "MPEG_LAYER_III", 2, 44100, 300),
    "text": b"This is not a recording.\n",
    "m4a": b"\0\0\0\x1cftypM4A \0\0\0\0M4A mp42isom",
    "empty": b"",
}

for name, data in SEEDS.items():
    with open(os.path.join(sys.argv[1], name), "wb") as f:
        f.write(data)
