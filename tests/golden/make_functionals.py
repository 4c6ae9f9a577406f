#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# make_functionals.py — The reference of the prosody tracks and functionals (docs/prosody.md), in
# numpy and float64, written from the definitions, and functionals.golden: both of a few sounds.
#
# The sounds are not stored. tests/audio/test_prosody.c makes the same ones, bit for bit: they use
# only operations that IEEE 754 rounds exactly, in the same order.
#
# functionals.golden has per sound: "SOUND/tracks" (T, 36), "SOUND/bands" (T, 64) where T is small,
# "SOUND/functionals" (991).
#
# Needs numpy: /usr/bin/python3 make_functionals.py functionals.golden

import sys

import numpy as np

import golden

RATE, HOP, FRAME, N_FFT = 16000, 160, 400, 512
PITCH_FRAME, PITCH_FFT, SHORTEST, LONGEST = 750, 1024, 32, 267
SMALL = 0.01  # errors are relative to a value, or to this where it is smaller

N_MFCC = 13
TRACKS = ["energy", "loudness", "pitch", "hnr", "alpha_ratio", "hammarberg", "slope_0_500",
          "slope_500_1500", "flux", "centroid", "roll_off", "flatness", "h1_h2", "h1_a3",
          "zero_crossings", "f1", "f2", "f3", "f1_level", "f2_level", "f3_level", "pitch_step",
          "energy_step"] + [f"mfcc_{i + 1}" for i in range(N_MFCC)]
N_TRACKS, N_FUNCTIONALS = len(TRACKS), 991


# --- Tracks ---

def hann(n):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)


def triangles(n, low, high):
    """(n, bins): triangles of height 1, equally spaced on the HTK mel scale."""
    mel = np.linspace(2595 * np.log10(1 + low / 700), 2595 * np.log10(1 + high / 700), n + 2)
    corner = 700 * (10 ** (mel / 2595) - 1)
    hz = np.arange(N_FFT // 2 + 1) * RATE / N_FFT
    left, centre, right = corner[:-2, None], corner[1:-1, None], corner[2:, None]
    return np.maximum(0, np.minimum((hz - left) / (centre - left), (right - hz) / (right - centre)))


def frames(x, length, n):
    """(n, length): the samples around every HOP-th one, zeros outside."""
    padded = np.concatenate([np.zeros(length // 2), x, np.zeros(length)])
    return np.stack([padded[t * HOP:t * HOP + length] for t in range(n)])


def normalise(x):
    x = np.asarray(x, np.float64)
    largest = np.abs(x).max()
    x = x - x.mean()
    peak = np.abs(x).max()
    return x / peak if peak > 1e-9 * largest else 0 * x


def active_part(power):
    """First frame and end of what is within 35 dB of the loudest five frames, and 5 around it."""
    n = len(power)
    five = np.array([power[max(t - 2, 0):t + 3].sum() for t in range(n)])
    on = np.flatnonzero(five >= five.max() * 10 ** -3.5)
    return max(on[0] - 5, 0), min(on[-1] + 6, n)


def pitch_candidates(x):
    """Of one frame: level, highest autocorrelation, and rows of (log2 period, height, strength)."""
    def autocorrelation(y):
        return np.fft.irfft(np.abs(np.fft.rfft(y, PITCH_FFT)) ** 2)[:LONGEST + 2]
    window = hann(PITCH_FRAME)
    r, window_r = autocorrelation((x - x.mean()) * window), autocorrelation(window)
    level = np.sqrt(r[0])
    r = r / (r[0] + 1e-12) / (window_r / window_r[0])
    rows = []
    for lag in range(SHORTEST, LONGEST + 1):
        before, here, after = r[lag - 1:lag + 2]
        if here > before and here >= after:
            rise, bend = after - before, 2 * here - before - after
            octaves = np.log2(lag + 0.5 * rise / bend)
            height = min(here + 0.125 * rise * rise / bend, 1)
            rows.append((octaves, height, height - 0.01 * (octaves - np.log2(SHORTEST))))
    rows.sort(key=lambda row: -row[2])
    return level, np.clip(r[SHORTEST:LONGEST + 1].max(), 0, 1), rows[:6]


def pitch_track(all_frames):
    """hz (0: unvoiced) and periodicity per frame, by Viterbi's algorithm. State 0 is unvoiced."""
    found = [pitch_candidates(x) for x in all_frames]
    loudest = max(level for level, _, _ in found)

    def strengths(level, rows):
        relative = level / loudest if loudest > 0 else 0
        return np.array([0.45 + max(0, 2 - relative * 1.45 / 0.03)] + [row[2] for row in rows])

    def cost(before, after):
        c = np.full((len(before) + 1, len(after) + 1), 0.14)
        c[0, 0] = 0
        for i, a in enumerate(before):
            for j, b in enumerate(after):
                c[i + 1, j + 1] = 0.35 * abs(a[0] - b[0])
        return c

    best, back = strengths(found[0][0], found[0][2]), []
    for t in range(1, len(found)):
        sums = best[:, None] - cost(found[t - 1][2], found[t][2])
        back.append(sums.argmax(0))
        best = sums.max(0) + strengths(found[t][0], found[t][2])
    states = [best.argmax()]
    for step in reversed(back):
        states.append(step[states[-1]])
    hz, periodicity = [], []
    for state, (_, highest, rows) in zip(reversed(states), found):
        hz.append(RATE / 2 ** rows[state - 1][0] if state else 0.0)
        periodicity.append(max(rows[state - 1][1], 0) if state else highest)
    return np.array(hz), np.array(periodicity)


def prediction(r, order):
    """Coefficients (1, a1, ..) and the error's power, for the autocorrelation r[0 .. order]."""
    a, error = np.array([1.0]), r[0] * 1.0001 + 1e-12
    for i in range(1, order + 1):
        reflection = -(a @ r[i:0:-1]) / error
        a = np.append(a, 0) + reflection * np.append(a, 0)[::-1]
        error *= 1 - reflection ** 2
    return a, error


def formants(power):
    """Three pairs of kHz and dB from one spectrum."""
    n = int(5500 * N_FFT / RATE) + 1
    w = np.pi * np.arange(n) / (n - 1)
    r = np.fft.irfft(power[:n] * (1 + 0.97 ** 2 - 2 * 0.97 * np.cos(w)))[:11]
    a, error = prediction(r, 10)
    envelope = 1 / np.maximum(np.abs(np.fft.rfft(a, 512)) ** 2, 1e-9)
    hz = np.arange(257) * 5500 / 256
    inner = envelope[1:-1]
    is_peak = np.r_[False, (inner > envelope[:-2]) & (inner >= envelope[2:]), False]
    out = []
    for low, high in ((200, 1000), (800, 2600), (1900, 3800)):
        inside = (hz >= low) & (hz < high)
        candidates = np.flatnonzero(inside & is_peak)
        if len(candidates) == 0:
            candidates = np.flatnonzero(inside)
        k = candidates[envelope[candidates].argmax()]
        out.append((hz[k] / 1000, 10 * np.log10(error * envelope[k] + 1e-9)))
    return out


def tracks(pcm):
    """(T, 36) tracks and (T, 64) log-mel bands of a recording."""
    if len(pcm) == 0:
        return np.zeros((0, N_TRACKS)), np.zeros((0, 64))
    x = normalise(pcm)
    n = -(-len(x) // HOP)
    short = frames(x, FRAME, n)
    mean_square = (short ** 2).mean(1)
    first, end = active_part(mean_square)
    short, mean_square = short[first:end], mean_square[first:end]
    hz, periodicity = pitch_track(frames(x, PITCH_FRAME, n)[first:end])
    power = np.abs(np.fft.rfft(short * hann(FRAME), N_FFT, axis=1)) ** 2
    voiced, T = hz > 0, len(hz)
    track = {}

    track["energy"] = 10 * np.log10(mean_square + 1e-9)
    track["energy"] -= track["energy"].max()
    track["pitch"] = np.where(voiced, 12 * np.log2(np.where(voiced, hz, 1) / 27.5), 0)
    share = np.clip(periodicity, 0.001, 0.999)
    track["hnr"] = 10 * np.log10(share / (1 - share))
    track["zero_crossings"] = (short[:, 1:] * short[:, :-1] < -1e-12).sum(1) / (FRAME - 1)

    f = np.arange(N_FFT // 2 + 1) * RATE / N_FFT
    db = 10 * np.log10(power + 1e-9)

    def within(low, high):
        return (f >= low) & (f < high)

    def slope(low, high):
        hz_ = f[within(low, high)] - f[within(low, high)].mean()
        return 1000 * (db[:, within(low, high)] * hz_).sum(1) / (hz_ ** 2).sum()

    track["alpha_ratio"] = 10 * np.log10((power[:, within(50, 1000)].sum(1) + 1e-9) /
                                         (power[:, within(1000, 5000)].sum(1) + 1e-9))
    track["hammarberg"] = db[:, within(0, 2000)].max(1) - db[:, within(2000, 5000)].max(1)
    track["slope_0_500"], track["slope_500_1500"] = slope(0, 500), slope(500, 1500)

    part, g = power[:, within(50, 5500)], f[within(50, 5500)]
    total = part.sum(1)
    root = np.sqrt(part / (total + 1e-9)[:, None])
    track["flux"] = np.r_[0, np.sqrt(((root[1:] - root[:-1]) ** 2).sum(1))]
    track["centroid"] = (part * g).sum(1) / (total + 1e-9) / 1000
    below = (part + 1e-9).cumsum(1)
    track["roll_off"] = g[(below >= 0.85 * below[:, -1:]).argmax(1)] / 1000
    track["flatness"] = (np.log(part + 1e-9).mean(1) - np.log(part.mean(1) + 1e-9))

    def harmonic(multiple):
        k = np.floor(multiple * hz / f[1] + 0.5).astype(int)
        return np.array([db[t, max(k[t] - 1, 0):k[t] + 2].max() for t in range(T)])

    h1 = harmonic(1)
    track["h1_h2"] = np.where(voiced, h1 - harmonic(2), 0)
    track["h1_a3"] = np.where(voiced, h1 - db[:, within(2200, 3300)].max(1), 0)
    formant = np.array([formants(p) for p in power])
    for i in range(3):
        track[f"f{i + 1}"] = formant[:, i, 0]
        track[f"f{i + 1}_level"] = np.where(voiced, formant[:, i, 1] - h1, 0)
    both = voiced[1:] & voiced[:-1]
    track["pitch_step"] = np.r_[0, np.where(both, np.abs(np.diff(track["pitch"])), 0)]
    track["energy_step"] = np.r_[0, np.abs(np.diff(track["energy"]))]

    ear = power @ triangles(26, 20, 5500).T
    loudness = (ear ** 0.3).sum(1)
    track["loudness"] = loudness / loudness.max() if loudness.max() > 0 else loudness
    dct = np.cos(np.pi / 26 * np.outer(np.arange(1, N_MFCC + 1), np.arange(26) + 0.5))
    cepstrum = np.log(ear + 1e-7) @ dct.T * np.sqrt(2 / 26)
    for i in range(N_MFCC):
        track[f"mfcc_{i + 1}"] = cepstrum[:, i]
    bands = np.log(power @ triangles(64, 50, 8000).T + 1e-7)
    return np.stack([track[name] for name in TRACKS], 1), bands


# --- Functionals ---

def mfcc(first, last):
    return [f"mfcc_{i}" for i in range(first, last + 1)]


VOICED = ["pitch", "hnr", "alpha_ratio", "hammarberg", "slope_0_500", "slope_500_1500", "h1_h2",
          "h1_a3", "f1", "f2", "f3", "f1_level", "f2_level", "f3_level", "pitch_step",
          "energy_step"] + mfcc(1, 13)
OVERALL = ["energy", "loudness", "alpha_ratio", "hammarberg", "flux", "centroid", "roll_off",
           "flatness", "zero_crossings"] + mfcc(1, 13)
DELTA = ["energy", "loudness", "alpha_ratio", "centroid"] + mfcc(1, 13)
UNVOICED = ["alpha_ratio", "hammarberg", "slope_0_500", "slope_500_1500", "centroid"]
CONTOUR = ["pitch", "energy", "loudness", "alpha_ratio", "centroid", "hnr"] + mfcc(1, 4)
CORRELATED = ["energy"] + mfcc(1, 12)
SHAPE = ["pitch", "hnr", "alpha_ratio", "centroid", "h1_h2", "f1", "f2"] + mfcc(1, 3)


def statistics(x, t):
    """Nine of the values x at frames t."""
    n = len(x)
    if n < 4:
        return [0] * 9
    from_middle = t - t.mean()
    slope = 100 * (x * from_middle).sum() / (from_middle ** 2).sum()
    first, middle, last = np.split(x, [n // 3, 2 * n // 3])
    return [x.mean(), x.std(), *np.percentile(x, [10, 50, 90]), slope,
            first.mean() - middle.mean(), last.mean() - middle.mean(), np.abs(np.diff(x)).mean()]


def delta(x):
    if len(x) < 4:
        return [0] * 3
    padded = np.concatenate([x[:1], x[:1], x, x[-1:], x[-1:]])
    d = (padded[4:] - padded[:-4]) / 4
    low, high = np.percentile(d, [10, 90])
    return [d.mean(), d.std(), high - low]


def runs(mask):
    """Lengths of the runs of True, in seconds."""
    edges = np.diff(np.concatenate([[0], mask.astype(int), [0]]))
    return (np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)) / 100


def mean(x):
    return x.mean() if len(x) else 0


def spread(x):
    return x.std() if len(x) else 0


def steps(x):
    d = 100 * np.diff(x)
    up, down = d[d > 1e-4], d[d < -1e-4]
    return [mean(up), spread(up), mean(down), spread(down)]


def timing(track, voiced):
    pitch, energy, loudness = track["pitch"], track["energy"], track["loudness"]
    T = len(pitch)
    seconds, spoken, pause = T / 100, runs(voiced), energy < -30
    pauses, p = runs(pause), pitch[voiced]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1, 8) / 8)
    smooth = np.convolve(np.concatenate([np.zeros(3), loudness, np.zeros(3)]), window / 4, "valid")
    inner = smooth[1:-1]
    peaks = inner[(inner > smooth[:-2]) & (inner >= smooth[2:]) & (inner > 0.15)]
    smooth_pitch = np.convolve(p, np.ones(5) / 5, "valid") if len(p) >= 6 else np.zeros(0)
    at = np.flatnonzero(voiced)
    return [seconds, voiced.mean(), len(spoken) / seconds, mean(spoken), spread(spoken),
            spoken.max() if len(spoken) else 0,
            pause.mean(), len(pauses) / seconds, pauses.max() if len(pauses) else 0,
            len(peaks) / seconds, mean(peaks), spread(peaks), *steps(smooth), *steps(smooth_pitch),
            loudness.argmax() / T, at[p.argmax()] / T if len(p) else 0, np.ptp(p) if len(p) else 0,
            mean(np.abs(np.diff(p, 2))), energy[voiced].min() if len(p) else 0,
            np.percentile(energy, 5)]


def contours(track, voiced):
    """(T, 10), each without its mean."""
    c = np.stack([track[name] for name in CONTOUR], 1)
    t = np.arange(len(c))
    c[:, 0] = np.interp(t, t[voiced], c[voiced, 0]) if voiced.sum() >= 4 else 0
    c[:, 1] = np.maximum(c[:, 1], -40)
    return c - c.mean(0)


def modulation(x):
    """(K, 5): power of each of K columns in five ranges of rate."""
    T = len(x)
    window = np.sin(np.pi * (np.arange(T) + 0.5) / T) ** 2
    power = np.abs(np.fft.rfft(x * window[:, None], 1024, axis=0)) ** 2
    hz = np.arange(513) * 100 / 1024
    ranges = [(hz >= low) & (hz < 2 * low if low > 1 else hz < 2) for low in (0.5, 2, 4, 8, 16)]
    return np.stack([np.log(power[r].mean(0) / T + 1e-4) for r in ranges], 1)


def correlation(x):
    x = x - x.mean(0)
    r = x.T @ x / len(x) / (np.outer(x.std(0), x.std(0)) + 1e-6)
    return np.arctanh(np.clip(r[np.triu_indices(x.shape[1], 1)], -0.98, 0.98))


def spectrum(bands, spoken, loud):
    """(64, 3)"""
    own, louder = bands[spoken].mean(0), bands[loud].mean(0)
    own, louder = own - own.mean(), louder - louder.mean()
    return np.stack([own, bands[spoken].std(0), louder - own], 1)


def shape(x):
    z = (x - x.mean()) / (x.std() + 1e-6)
    return [(z ** 3).mean(), (z ** 4).mean(), *np.percentile(x, [2, 25, 75, 98])]


def functionals(values, bands):
    """(991) of (T, 36) tracks and (T, 64) bands."""
    T = len(values)
    if T == 0:
        return np.zeros(N_FUNCTIONALS)
    track = dict(zip(TRACKS, values.T))
    t, voiced, active = np.arange(T), track["pitch"] > 0, track["energy"] > -35
    unvoiced, spoken = active & ~voiced, voiced if voiced.sum() >= 4 else active
    loud = track["energy"] >= np.percentile(track["energy"], 85)
    contour = contours(track, voiced)
    grouped = bands.reshape(T, 8, 8).mean(2)
    groups = [
        [statistics(track[name][voiced], t[voiced]) for name in VOICED],
        [statistics(track[name], t) for name in OVERALL],
        [delta(track[name]) for name in DELTA],
        [track[name][unvoiced].mean() if unvoiced.sum() >= 4 else 0 for name in UNVOICED],
        timing(track, voiced),
        (contour.T @ np.cos(np.pi * np.outer(t + 0.5, np.arange(1, 7)) / T)) * 2 / T,
        modulation(np.concatenate([contour[:, [0, 1, 2, 4]], grouped - grouped.mean(0)], 1)),
        correlation(np.stack([track[name][active] for name in CORRELATED], 1)),
        spectrum(bands, spoken, loud),
        [shape(track[name][spoken]) for name in SHAPE],
    ]
    out = np.concatenate([np.ravel(g) for g in groups])
    assert out.shape == (N_FUNCTIONALS,) and np.isfinite(out).all()
    return out


# --- Sounds ---
#
# All in Python's own floats, one operation after the other.

def noise(n):
    """Uniform in [-1, 1), from a linear congruential generator."""
    r, out = 1, []
    for _ in range(n):
        r = (r * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(r / 2147483648.0 - 1.0)
    return out


def pulses(n, first, last):
    """A click per period of a pitch that glides from `first` to `last` Hz."""
    phase, out = 0, []
    for i in range(n):
        phase += first * n + (last - first) * i
        out.append(1.0 if phase >= RATE * n else 0.0)
        phase -= RATE * n if phase >= RATE * n else 0
    return out


# y[i] = x[i] + a y[i - 1] - b y[i - 2] has a resonance; three of them make a vowel:
# 700, 1200, 2600 Hz and 300, 2200, 3000 Hz, 80 to 150 Hz wide.
A = ((1.8952, 0.9691), (1.7473, 0.9614), (1.0142, 0.9429))
I = ((1.9554, 0.9691), (1.2712, 0.9575), (0.7430, 0.9429))


def resonate(x, vowel):
    for a, b in vowel:
        y1 = y2 = 0.0
        out = []
        for v in x:
            y = v + a * y1 - b * y2
            out.append(y)
            y1, y2 = y, y1
        x = out
    return x


def scaled(x, factor):
    return [v * factor for v in x]


def words():
    """A rising vowel, a hiss, silence, a falling vowel with breath, a faint whisper."""
    breath = noise(12800)
    falling = [p + 0.05 * b for p, b in zip(pulses(12800, 240, 130), breath)]
    return (scaled(resonate(pulses(9600, 110, 200), A), 0.02) + scaled(noise(3200), 0.1) +
            [0.0] * 4800 + scaled(resonate(falling, I), 0.03) +
            scaled(resonate(noise(4800), A), 0.0004))


def clipped():
    return [max(-0.5, min(0.5, v)) for v in scaled(words()[:12000], 8.0)]


SOUNDS = {
    "words": words,
    "noise": lambda: noise(8000),
    "hiss": lambda: resonate(noise(8000), I[1:]),
    "clipped": clipped,
    "silence": lambda: [0.0] * 3200,
    "constant": lambda: [0.3] * 3200,
    "click": lambda: [0.0] * 1600 + [1.0] + [0.0] * 1600,
    "short": lambda: words()[2000:2400],
    "shorter": lambda: words()[2000:2100],
    "sample": lambda: [0.25],
}


def main(path):
    out = golden.Writer()
    for name, make in SOUNDS.items():
        values, bands = tracks(np.array(make(), np.float32))
        out.add(name + "/tracks", values)
        if len(bands) <= 40:
            out.add(name + "/bands", bands)
        out.add(name + "/functionals", functionals(values, bands))
    out.write(path)


if __name__ == "__main__":
    main(sys.argv[1])
