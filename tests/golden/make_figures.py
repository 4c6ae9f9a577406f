#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make_figures.py — Makes figures.golden: calibration, temperature, thresholds and bootstrap intervals,
computed with numpy by the definitions in lib/mood/figures.h.

    make_figures.py [DIRECTORY]                     default: the folder of this script

    case/prob (rows, V)     what a network said of each window; where each clip has one, of each clip
    case/windows (n)        how many of the rows belong to each clip
    case/label, speaker (n)
    case/answers (n, V)     the means over the windows: the clips' probabilities
    case/bins (15, 3)       number, mean confidence, accuracy
    case/scalars (4)        ECE, NLL, ECE of the perfectly calibrated, temperature
    case/selected (k, 4)    threshold, number, number right, accuracy
    case/intervals (3, 2)   accuracy, UAR, macro F1
"""
import pathlib
import sys

import numpy as np

import golden

MASK = (1 << 64) - 1
BINS, ROUNDS, SEED = 15, 200, 7


# The random numbers of lib/base/rng.h, in Python's own whole numbers.
def _mix64(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


class Random:
    def __init__(self, seed, stream):
        self.state = _mix64((_mix64(seed) + (stream + 1) * 0x9E3779B97F4A7C15) & MASK)

    def u64(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        return _mix64(self.state)

    def double(self):
        return (self.u64() >> 11) * 2.0**-53

    def below(self, n):
        limit = MASK - MASK % n
        while True:
            x = self.u64()
            if x < limit:
                return x % n


def binned(confidence, right):
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    table, ece = np.zeros((BINS, 3)), 0.0
    for b in range(BINS):
        inside = bins == b
        if inside.any():
            table[b] = inside.sum(), confidence[inside].mean(), right[inside].mean()
            ece += inside.mean() * abs(table[b, 2] - table[b, 1])
    return table, ece


def perfect(confidence):
    eces = []
    for r in range(ROUNDS):
        random = Random(SEED, r)
        eces.append(binned(confidence, np.array([random.double() < c for c in confidence]))[1])
    return np.mean(eces)


def temperature(prob, windows, label):
    """By grids, each a hundred times finer than the one before."""
    first = np.cumsum(windows) - windows
    log_prob = np.log(np.maximum(prob, 1e-30))

    def loss(u):
        scaled = log_prob * np.exp(-u)
        scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        scaled /= scaled.sum(axis=1, keepdims=True)
        mean = np.add.reduceat(scaled, first, axis=0) / windows[:, None]
        return u * u / 2 - np.log(np.maximum(mean[np.arange(len(label)), label], 1e-300)).sum()

    low, high = np.log(0.05), np.log(20)
    for _ in range(5):
        grid = np.linspace(low, high, 401)
        best = grid[np.argmin([loss(u) for u in grid])]
        step = grid[1] - grid[0]
        low, high = max(best - 2 * step, np.log(0.05)), min(best + 2 * step, np.log(20))
    return np.exp(best)


def three_figures(label, answer, labels):
    recalls, f1 = [], []
    for v in range(labels):
        if (label == v).any():
            right = ((label == v) & (answer == v)).sum()
            recalls.append(right / (label == v).sum())
            f1.append(2 * right / ((label == v).sum() + (answer == v).sum()))
    return (label == answer).mean(), np.mean(recalls), np.mean(f1)


def intervals(label, answer, speaker, labels):
    people = np.unique(speaker)
    if len(people) < 2:
        return np.array([[0.0, 1.0]] * 3)
    random, drawn = Random(SEED, 0), []
    for _ in range(ROUNDS):
        clips = np.concatenate([np.flatnonzero(speaker == people[random.below(len(people))])
                                for _ in people])
        drawn.append(three_figures(label[clips], answer[clips], labels))
    return np.percentile(drawn, [2.5, 97.5], axis=0).T


def case(out, name, seed, clips, labels, people, most_windows, gain, skill):
    """`skill`: how far the truth stands out; `gain`: what the logits are then multiplied with."""
    r = np.random.RandomState(seed)
    windows = r.randint(1, most_windows + 1, clips)
    label = r.randint(0, labels, clips)
    speaker = r.randint(0, people, clips) * 37 - 100
    of_clip = np.repeat(np.arange(clips), windows)
    logits = r.standard_normal((len(of_clip), labels)) + 0.7 * r.standard_normal((clips, labels))[of_clip]
    logits[np.arange(len(of_clip)), label[of_clip]] += skill
    prob = np.exp(gain * (logits - logits.max(axis=1, keepdims=True)))
    prob = (prob / prob.sum(axis=1, keepdims=True)).astype(np.float32).astype(np.float64)
    first = np.cumsum(windows) - windows
    answers = np.add.reduceat(prob, first, axis=0) / windows[:, None]
    answers = answers.astype(np.float32).astype(np.float64)

    answer, confidence = answers.argmax(axis=1), answers.max(axis=1)
    bins, ece = binned(confidence, answer == label)
    nll = -np.log(answers[np.arange(clips), label]).mean()
    selected = []
    for threshold in (0.0, 0.3, 0.5, 0.7, 0.95, 1.5):
        inside = confidence >= threshold
        right = (answer == label)[inside].sum()
        selected.append((threshold, inside.sum(), right, right / max(inside.sum(), 1)))
    for part, values in (
            ("prob", prob), ("windows", windows), ("label", label), ("speaker", speaker),
            ("answers", answers), ("bins", bins),
            ("scalars", (ece, nll, perfect(confidence), temperature(prob, windows, label))),
            ("selected", selected), ("intervals", intervals(label, answer, speaker, labels))):
        out.add(f"{name}/{part}", values)


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    folder = folder if folder.is_dir() else folder.parent
    out = golden.Writer()
    #                       seed clips labels people windows gain skill
    case(out, "too_sure",    1, 240, 8, 11, 1, 2.5, 1.5)
    case(out, "too_shy",     2,  90, 3,  5, 4, 0.4, 1.5)
    case(out, "all_right",   3,  12, 2,  3, 2, 1.0, 9.0)
    case(out, "hopeless",    4,  40, 5,  4, 1, 9.0, -1.0)
    case(out, "one_clip",    5,   1, 4,  1, 1, 1.0, 2.0)
    path = folder / "figures.golden"
    out.write(path)
    print(f"{path.name}: {len(out.tensors)} tensors, {path.stat().st_size} bytes")
    for name in ("too_sure", "too_shy", "all_right", "hopeless", "one_clip"):
        print(name, out.tensors[name + "/scalars"], *out.tensors[name + "/intervals"])


if __name__ == "__main__":
    main()
