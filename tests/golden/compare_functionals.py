#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# compare_functionals.py — Tracks and functionals of recordings by libmood against those of
# make_functionals.py, and how long the library takes:
#
#     tests/golden/compare_functionals.py build/lib/libmood.so CLIP.wav...
#
# Prints per clip the largest error of a track and of a functional, relative as in
# tests/audio/test_prosody.c, whether the pitch tracks are the same, and milliseconds. Needs numpy.

import ctypes
import sys
import time

import numpy as np

import make_functionals as reference

SIZE = ctypes.c_size_t
POINTER = ctypes.c_void_p


def open_library(path):
    mood = ctypes.CDLL(path)
    for name, result, arguments in [
            ("mood_audio_read", ctypes.c_int, [POINTER, ctypes.c_char_p, POINTER]),
            ("mood_audio_destroy", None, [POINTER]),
            ("mood_audio_samples", POINTER, [POINTER]),
            ("mood_audio_length", SIZE, [POINTER]),
            ("mood_prosody_create", ctypes.c_int, [POINTER]),
            ("mood_prosody_run", ctypes.c_int, [POINTER, POINTER, SIZE]),
            ("mood_prosody_frames", SIZE, [POINTER]),
            ("mood_prosody_track", POINTER, [POINTER, ctypes.c_int]),
            ("mood_prosody_functionals", None, [POINTER, POINTER])]:
        function = getattr(mood, name)
        function.restype, function.argtypes = result, arguments
    return mood


def array_at(address, n, kind):
    return np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(kind)), (n,)).copy()


def read(mood, path):
    audio = POINTER()
    if mood.mood_audio_read(ctypes.byref(audio), path.encode(), None):
        sys.exit(f"{path}: cannot be read")
    x = array_at(mood.mood_audio_samples(audio), mood.mood_audio_length(audio), ctypes.c_float)
    mood.mood_audio_destroy(ctypes.byref(audio))
    return x


def ours(mood, prosody, x):
    """(T, 36) tracks, functionals, and the shortest of three times in ms."""
    functionals = np.empty(reference.N_FUNCTIONALS, np.float32)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        if mood.mood_prosody_run(prosody, x.ctypes.data, len(x)):
            sys.exit("mood_prosody_run failed")
        mood.mood_prosody_functionals(prosody, functionals.ctypes.data)
        times.append(time.perf_counter() - start)
    n = mood.mood_prosody_frames(prosody)
    tracks = [array_at(mood.mood_prosody_track(prosody, i), n, ctypes.c_double)
              for i in range(reference.N_TRACKS)]
    return np.stack(tracks, 1), functionals, 1000 * min(times)


def error(got, want):
    return (np.abs(got - want) / np.maximum(np.abs(want), reference.SMALL)).max()


def main(library, *clips):
    mood, prosody = open_library(library), POINTER()
    mood.mood_prosody_create(ctypes.byref(prosody))
    worst, n_different = np.zeros(2), 0
    for path in clips:
        x = read(mood, path)
        tracks, functionals, ms = ours(mood, prosody, x)
        want_tracks, bands = reference.tracks(x)
        pitch = reference.TRACKS.index("pitch")
        same = tracks.shape == want_tracks.shape and np.allclose(
            tracks[:, pitch], want_tracks[:, pitch], rtol=1e-9, atol=0)
        n_different += not same
        errors = (error(tracks, want_tracks),
                  error(functionals, reference.functionals(want_tracks, bands)))
        worst = np.maximum(worst, errors)
        print(f"{path.split('/')[-1]}  {len(x) / 16000:.1f} s  tracks {errors[0]:.1e}  "
              f"functionals {errors[1]:.1e}  pitch {'same' if same else 'DIFFERENT'}  {ms:.1f} ms")
    print(f"{len(clips)} clips: worst {worst[0]:.1e} (tracks), {worst[1]:.1e} (functionals); "
          f"{n_different} pitch tracks differ")


if __name__ == "__main__":
    main(*sys.argv[1:])
