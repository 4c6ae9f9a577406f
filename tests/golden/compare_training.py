#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compare_training.py — A whole training of the hybrid heads on cached features, beside PyTorch.

Makes voices, an encoder of width 768 with random weights, one layer and narrow convolutions (for how
the features were made costs nothing afterwards), and trains once to fill the cache. Then mood-train and
the same training in PyTorch alternate: as many clips on each side, the same network, batch, optimiser
and epochs, all validation clips answered after each epoch, the test clips at the end.

What differs favours PyTorch: it has random features in memory, one window of each clip, and its start
is not counted, while mood-train's time is that of the process: it reads sound, cache and checkpoints.
Exits 1 when the ratio of the medians is beyond its bound.

    compare_training.py --bench build/tools/mood-bench [--speakers 30] [--epochs 20] [--rounds 3]
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import torch

import twin

HERE = pathlib.Path(__file__).resolve().parent
WIDTH, FRAMES = 768, 149
EMOTIONS = 8
ENCODER = {"model_type": "wav2vec2", "hidden_size": WIDTH, "num_hidden_layers": 1,
           "num_attention_heads": 12, "intermediate_size": 64, "conv_dim": [16] * 7,
           "conv_kernel": [10, 3, 3, 3, 3, 2, 2], "conv_stride": [5, 2, 2, 2, 2, 2, 2]}


# ---- PyTorch -------------------------------------------------------------------------------------

class Side:
    """Clips that are in memory."""

    def __init__(self, n):
        self.seq = torch.randn(n, WIDTH, FRAMES)
        self.mel = torch.randn(n, 1, twin.MEL_BANDS, twin.MEL_FRAMES)
        self.labels = torch.randint(EMOTIONS, (n,))


def answer(model, side, batch):
    model.eval()
    with torch.no_grad():
        for pick in torch.arange(len(side.labels)).split(batch):
            torch.softmax(model(side.seq[pick], side.mel[pick]), 1)


def peer(args):
    """Train, and print the seconds that it took."""
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    n_train, n_other = (int(n) for n in args.peer.split(","))
    train, val, test = Side(n_train), Side(n_other), Side(n_other)
    model = twin.Heads(WIDTH)
    start = time.monotonic()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(args.epochs):
        model.train()
        for pick in torch.randperm(n_train).split(args.batch):
            optimizer.zero_grad(set_to_none=True)
            logits = model(train.seq[pick], train.mel[pick])
            torch.nn.functional.cross_entropy(logits, train.labels[pick]).backward()
            optimizer.step()
        answer(model, val, args.batch)
    answer(model, test, args.batch)
    print(time.monotonic() - start)


# ---- both ----------------------------------------------------------------------------------------

def prepare(args, folder):
    """The command of mood-train, with a cache that is filled."""
    build = args.bench.resolve().parents[1]
    subprocess.run([build / "datasets/mood-synth", folder / "voices", "--speakers",
                    str(args.speakers)], check=True, stdout=subprocess.DEVNULL)
    (folder / "config.json").write_text(json.dumps(ENCODER))
    subprocess.run([build / "tools/mood-convert", "--random", folder / "config.json",
                    folder / "encoder.h5"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    others = args.speakers // 6
    sides = [",".join(f"{s:02}" for s in range(first, first + others))
             for first in (1, 1 + others)]
    command = [build / "train/mood-train", "--data", folder / "voices", "--encoder",
               folder / "encoder.h5", "--encoder-layer", "1", "--cache", folder / "cache",
               "--val-speakers", sides[0], "--test-speakers", sides[1], "--threads",
               str(args.threads), "--batch", str(args.batch), "-o", folder / "model.h5"]
    subprocess.run([*command, "--epochs", "1"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return command


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bench", type=pathlib.Path, default=HERE.parents[1] / "build/tools/mood-bench",
                        help="the other programs of its build are taken [%(default)s]")
    parser.add_argument("--speakers", type=int, default=30, help="of 40 clips [%(default)s]")
    parser.add_argument("--epochs", type=int, default=20, help="[%(default)s]")
    parser.add_argument("--batch", type=int, default=32, help="[%(default)s]")
    parser.add_argument("--threads", type=int, default=2, help="[%(default)s]")
    parser.add_argument("--rounds", type=int, default=3, help="[%(default)s]")
    parser.add_argument("--bound", type=float, default=0.5, help="of the ratio [%(default)s]")
    parser.add_argument("--peer", metavar="TRAIN,OTHER", help="only PyTorch's part")
    args = parser.parse_args()
    if args.peer:
        peer(args)
        return
    others = args.speakers // 6 * 40
    sizes = f"{args.speakers * 40 - 2 * others},{others}"
    theirs = [sys.executable, __file__, "--peer", sizes, "--epochs", str(args.epochs),
              "--batch", str(args.batch), "--threads", str(args.threads)]
    with tempfile.TemporaryDirectory() as name:
        ours = [*prepare(args, pathlib.Path(name)), "--epochs", str(args.epochs)]
        times = []
        print("round   pytorch s   libmood s   ratio")
        for i in range(args.rounds):
            a = float(subprocess.run(theirs, check=True, stdout=subprocess.PIPE, text=True).stdout)
            start = time.monotonic()
            subprocess.run(ours, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            b = time.monotonic() - start
            times.append((a, b))
            print(f"{i + 1:5}   {a:9.1f}   {b:9.1f}   {b / a:5.2f}", flush=True)
    a, b = (statistics.median(t) for t in zip(*times))
    print(f"median  {a:9.1f}   {b:9.1f}   {b / a:5.2f}   bound {args.bound}")
    sys.exit(0 if b / a <= args.bound else 1)


if __name__ == "__main__":
    main()
