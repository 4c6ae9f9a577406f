# SPDX-License-Identifier: MIT
"""peer_audio.py — From clips to log-mel planes in Python, by libmood's rules (lib/mood/audio.h).

Windows of 3 s, hop 1.5 s, the last aligned to the end, a shorter clip followed by zeros. Each is
normalised to a peak of 1 by itself; whether it counts as speech is decided before that. The plane is
ln(mel + 1e-6) by torchaudio's MelSpectrogram: 64 bands, n_fft 1024, hop 512."""
import numpy as np
import soundfile
import torch
import torchaudio

RATE, LENGTH, HOP = 16000, 48000, 24000
GATE_FRAME, GATE_RANK, GATE_DBFS = RATE // 50, 10, -65.0

_mel = torchaudio.transforms.MelSpectrogram(RATE, n_fft=1024, hop_length=512, n_mels=64)


def read(path):
    """Mono float32 at 16 kHz. Resamplers differ, so there is none here."""
    x, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if rate != RATE:
        raise ValueError(f"{path}: {rate} Hz; the twin takes {RATE} Hz only")
    return x.mean(1) if x.shape[1] > 1 else x[:, 0]


def starts(n):
    """The first samples of the windows of n samples."""
    if n <= LENGTH:
        return [0]
    planned = list(range(0, n - LENGTH, HOP))
    return planned + [n - LENGTH]


def cut(x, start):
    window = x[start:start + LENGTH]
    return np.pad(window, (0, LENGTH - len(window)))


def has_speech(window):
    """The tenth loudest 20 ms, without their mean, reach -65 dB of a full-scale constant."""
    frames = window.astype(np.float64).reshape(-1, GATE_FRAME)
    power = np.sort(frames.var(1))[-GATE_RANK]
    return 10 * np.log10(max(power, 1e-20)) >= GATE_DBFS


def plane(window):
    """(1, 64, 94), float32."""
    peak = np.abs(window).max()
    x = torch.from_numpy(window / peak if peak > 0 else window)
    return torch.log(_mel(x) + 1e-6)[None]


class Clip:
    """One clip, decoded once: its planes (n, 1, 64, 94) and which of them have speech."""

    def __init__(self, path, label):
        self.label = label
        x = read(path)
        self.starts = starts(len(x))
        windows = [cut(x, s) for s in self.starts]
        self.planes = torch.stack([plane(w) for w in windows])
        speech = [i for i, w in enumerate(windows) if has_speech(w)]
        self.speech = speech or list(range(len(windows)))  # a clip of silence counts as a whole

    def plane_at(self, start):
        return self.planes[self.starts.index(start)]
