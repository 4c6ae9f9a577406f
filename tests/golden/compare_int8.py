#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compare_int8.py — What an encoder loses when its weights are rounded to 8 bits, on real clips.

Rounds the encoder (mood-convert --dtype int8) and prints for each layer the cosine between the frames of
both, its least and first percentile over clips from all parts of DATA; and the same when the mean frame of
each clip is taken off, for what all frames have in common says nothing about emotions. With --seeds, trains heads on the
features in float, once per seed, each time on other speakers (mood-train), and gives the unweighted average
recall on the test clips of all seeds, heard through either encoder by the same heads. Exits 1 beyond a bound.

    compare_int8.py [--clips 60] [--seeds 5] [--bound 0.999] DATA ENCODER.h5
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
UAR_BOUND = 0.005  # of the loss
AT_ONCE = 100      # clips of one mood-infer


def run(*command):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{command[0]}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


# ---- frames --------------------------------------------------------------------------------------

def layers(args, encoder, clip, out):
    """Of a clip, each layer's frames."""
    run(args.build / "tools/mood-infer", "--features", out, "--encoder", encoder, clip)
    with h5py.File(out, "r") as file:
        return [file[name][...].astype(float) for name in sorted(file) if name.startswith("layer_")]


def cosines(a, b):
    return (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))


def compare_frames(args, pair, folder):
    """Print the cosines; whether the first percentile of every layer is within the bound."""
    clips = sorted(p for p in args.data.rglob("*") if p.suffix.lower() in (".wav", ".flac", ".mp3"))
    clips = clips[::max(1, len(clips) // args.clips)][:args.clips]
    of_layer, centred = collections.defaultdict(list), collections.defaultdict(list)
    for clip in clips:
        both = [layers(args, e, clip, folder / "features.h5") for e in pair]
        for i, (a, b) in enumerate(zip(*both)):
            of_layer[i].append(cosines(a, b))
            centred[i].append(cosines(a - a.mean(0), b - a.mean(0)))
    print(f"cosine of {sum(map(len, of_layer[0]))} frames of {len(clips)} clips, float and 8 bits")
    print("layer      least   1st percentile      median   less the mean: 1st percentile")
    worst = 1.0
    for i, parts in of_layer.items():
        c = np.concatenate(parts)
        worst = min(worst, np.percentile(c, 1))
        print(f"{i:5}   {c.min():.6f}         {np.percentile(c, 1):.6f}   {np.median(c):.6f}"
              f"                  {np.percentile(np.concatenate(centred[i]), 1):.6f}")
    print(f"lowest first percentile {worst:.5f}, bound {args.bound}", flush=True)
    return worst >= args.bound


# ---- answers -------------------------------------------------------------------------------------

def answers(args, model, encoder, clips):
    """What is heard in each clip."""
    heard = []
    for i in range(0, len(clips), AT_ONCE):
        text = run(args.build / "tools/mood-infer", "-m", model, "--encoder", encoder, "--json", *clips[i:i + AT_ONCE])
        heard += [json.loads(line)["emotion"] for line in text.splitlines()]
    return heard


def recall(labels, heard):
    """Unweighted average."""
    hits = collections.defaultdict(list)
    for label, answer in zip(labels, heard):
        hits[label].append(label == answer)
    return np.mean([np.mean(h) for h in hits.values()])


def compare_answers(args, pair, folder):
    """Print both recalls; whether the loss is within the bound."""
    labels, heard = [], ([], [])
    for seed in range(args.seeds):
        model, report = folder / "model.h5", folder / "report"
        run(args.build / "train/mood-train", "--data", args.data, "--encoder", pair[0], "--cache", folder / "cache",
            "-o", model, "--report", report, "--seed", seed)
        tested = json.loads((report / "metrics.json").read_text())["per_clip"]
        clips = [c["path"] if pathlib.Path(c["path"]).exists() else args.data / c["path"] for c in tested]
        labels += [c["label"] for c in tested]
        for side, encoder in zip(heard, pair):
            side += answers(args, model, encoder, clips)
        print(f"seed {seed}: {len(tested)} test clips", flush=True)
    float_uar, int8_uar = (recall(labels, side) for side in heard)
    other = sum(a != b for a, b in zip(*heard))
    print(f"recall in float {float_uar:.4f}, with 8 bits {int8_uar:.4f}, loss {float_uar - int8_uar:+.4f}, "
          f"bound {UAR_BOUND}; another answer for {other} of {len(labels)} clips")
    return float_uar - int8_uar <= UAR_BOUND


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parents[1] / "build")
    parser.add_argument("--clips", type=int, default=60, help="for the cosines [%(default)s]")
    parser.add_argument("--seeds", type=int, default=0, help="trainings for the recall [%(default)s]")
    parser.add_argument("--bound", type=float, default=0.999, help="of the first percentile [%(default)s]")
    parser.add_argument("data", type=pathlib.Path, metavar="DATA")
    parser.add_argument("encoder", type=pathlib.Path, metavar="ENCODER.h5")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rounded = folder / "rounded.h5"
        run(args.build / "tools/mood-convert", "--dtype", "int8", args.encoder, rounded)
        pair = (args.encoder, rounded)
        good = compare_frames(args, pair, folder)
        if args.seeds:
            good = compare_answers(args, pair, folder) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
