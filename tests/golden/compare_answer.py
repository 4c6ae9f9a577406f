#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compare_answer.py — How long an answer takes with an encoder of 8 bits and base size.

First in a process that has everything loaded, from the bytes of a WAV file of 3 s to the answer, with the
encoder cut at each of its layers: all cuts alternate, round after round, and the medians are held against
each other. Then as a new process, mood-infer from its start to its end, the files in the page cache. Weights
are random. Exits 1 when no cut is below 100 ms, when half of the layers take more than 0.75 of all, or when a
new process takes more than 400 ms or 300 MB.

    compare_answer.py --bench build/tools/mood-bench
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
LAYERS = 12
CUT_MS, HALF_RATIO, START_MS, START_MB = 100, 0.75, 400, 300


def cuts(args):
    """Print each cut's median; whether both bounds are kept."""
    times = {n: [] for n in range(1, LAYERS + 1)}
    for _ in range(args.rounds):
        for n, found in times.items():
            done = subprocess.run([args.bench, "infer", "--dtype", "int8", "--layers", str(n), "--threads",
                                   str(args.threads), "--runs", str(args.runs), "--json"],
                                  check=True, stdout=subprocess.PIPE, text=True)
            found.append(json.loads(done.stdout)["median_ms"])
    medians = {n: statistics.median(found) for n, found in times.items()}
    print(f"answer to 3 s, 8 bits, {args.threads} threads, medians of {args.rounds} rounds of {args.runs}\n"
          "layers      ms   fastest round")
    for n, found in times.items():
        print(f"{n:6}   {medians[n]:5.1f}   {min(found):13.1f}")
    below = [n for n in medians if medians[n] < CUT_MS]
    half = medians[LAYERS // 2] / medians[LAYERS]
    print(f"deepest cut below {CUT_MS} ms: {max(below, default='none')}; "
          f"{LAYERS // 2} layers take {half:.2f} of all, bound {HALF_RATIO}")
    return bool(below) and half <= HALF_RATIO


def timed(command):
    """Milliseconds and MB of a new process."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    ms = 1000 * (time.monotonic() - start)
    if status:
        sys.exit(f"{command[0]} failed")
    return ms, usage.ru_maxrss / 1024


def start(args, folder):
    """Print what a new process takes; whether both bounds are kept."""
    build = args.bench.resolve().parents[1]
    encoder, model, voices = folder / "encoder.h5", folder / "model.h5", folder / "voices"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([build / "tools/mood-convert", "--random", "base", "--dtype", "int8", encoder], **quiet)
    subprocess.run([build / "datasets/mood-synth", voices, "--speakers", "3", "--per-emotion", "1"], **quiet)
    subprocess.run([build / "train/mood-train", "--data", voices, "--encoder", encoder, "--encoder-layer",
                    str(LAYERS), "--cache", folder / "cache", "--epochs", "1", "-o", model], **quiet)
    clip = sorted(voices.rglob("*.wav"))[0]
    command = [build / "tools/mood-infer", "-m", model, "--encoder", encoder, "--threads", str(args.threads), clip]
    runs = [timed(command) for _ in range(1 + args.runs)][1:]
    ms, mb = (statistics.median(column) for column in zip(*runs))
    print(f"new process, all {LAYERS} layers: {ms:.0f} ms (fastest {min(r[0] for r in runs):.0f}), bound {START_MS}; "
          f"{mb:.0f} MB, bound {START_MB}")
    return ms <= START_MS and mb <= START_MB


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bench", type=pathlib.Path, default=HERE.parents[1] / "build/tools/mood-bench",
                        help="the other programs of its build are taken [%(default)s]")
    parser.add_argument("--threads", type=int, default=2, help="[%(default)s]")
    parser.add_argument("--runs", type=int, default=7, help="of each round [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5, help="[%(default)s]")
    args = parser.parse_args()
    good = cuts(args)
    with tempfile.TemporaryDirectory() as name:
        good = start(args, pathlib.Path(name)) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
