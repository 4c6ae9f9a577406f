#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compare_heads_step.py — libmood's training step of the heads beside PyTorch's, in one run.

Alternates the two programs several times, because an absolute time on a shared machine proves
nothing: what counts is the ratio of the medians. Then compares the losses of ten steps from the same
start with dropout off. Exits 1 when the ratio, or a loss, is beyond its bound.

    compare_heads_step.py --bench build/tools/mood-bench
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LOSS_BOUND = 1e-4  # relative; two float32 programs that sum in different orders


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bench", default=str(HERE.parents[1] / "build/tools/mood-bench"))
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=10, help="steps per round [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5, help="[%(default)s]")
    parser.add_argument("--bound", type=float, default=0.5, help="of the ratio [%(default)s]")
    args = parser.parse_args()
    sizes = ["--batch", str(args.batch), "--threads", str(args.threads), "--json"]
    peer = [sys.executable, str(HERE / "peer_heads_step.py"), *sizes]
    ours = [args.bench, "heads-step", *sizes]

    medians = {"pytorch": [], "libmood": []}
    print("round   pytorch ms   libmood ms   ratio   (medians of "
          f"{args.runs} steps, batch {args.batch}, {args.threads} threads)")
    for i in range(args.rounds):
        a = run([*peer, "--runs", str(args.runs)])
        b = run([*ours, "--runs", str(args.runs)])
        medians["pytorch"].append(a["median_ms"])
        medians["libmood"].append(b["median_ms"])
        print(f"{i + 1:5}   {a['median_ms']:10.1f}   {b['median_ms']:10.1f}   "
              f"{b['median_ms'] / a['median_ms']:5.2f}", flush=True)
    theirs, own = (statistics.median(medians[k]) for k in ("pytorch", "libmood"))
    ratio = own / theirs
    print(f"median  {theirs:10.1f}   {own:10.1f}   {ratio:5.2f}   bound {args.bound}")
    print(f"memory: pytorch {a['rss_mb']:.0f} MB, libmood {b['rss_mb']:.0f} MB")

    a, b = run([*peer, "--trace"]), run([*ours, "--trace"])
    print(f"parameters: pytorch {a['params']}, libmood {b['params']}")
    if a["params"] != b["params"]:
        sys.exit("the networks are not the same")
    a, b = a["losses"], b["losses"]
    worst = 0.0
    print("step   pytorch loss   libmood loss   relative difference")
    for step, (x, y) in enumerate(zip(a, b, strict=True)):
        worst = max(worst, abs(x - y) / abs(x))
        print(f"{step:4}   {x:12.6f}   {y:12.6f}   {abs(x - y) / abs(x):.1e}")
    print(f"worst {worst:.1e}, bound {LOSS_BOUND:.0e}")
    sys.exit(0 if ratio <= args.bound and worst <= LOSS_BOUND else 1)


if __name__ == "__main__":
    main()
