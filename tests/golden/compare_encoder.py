#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compare_encoder.py — libmood's encoder beside ONNX Runtime's, in one run.

Alternates the two programs several times, because an absolute time on a shared machine proves
nothing: what counts is the ratio. It is given three times: of the medians of all runs, of the fastest runs
(what is left when nobody disturbs), and of the rounds one by one. Exits 1 when the first is beyond its bound.

    compare_encoder.py --bench build/tools/mood-bench --peer build/peer

The first time, the model is exported (export_encoder.py) and the peer installed into --peer by npm, without
its scripts.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "onnxruntime-node@1.30"


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def provide(folder, seconds):
    """The exported model's path; makes it, and installs the peer, where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node_modules/onnxruntime-node").exists():
        (folder / "package.json").write_text("{}\n")
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent",
                        "--prefix", str(folder), PACKAGE], check=True)
    model = folder / f"base-{seconds:g}s.onnx"
    if not model.exists():
        part = model.with_suffix(".part")
        subprocess.run(["/usr/bin/python3", str(HERE / "export_encoder.py"), str(part),
                        "--seconds", f"{seconds:g}"], check=True)
        part.rename(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bench", default=str(HERE.parents[1] / "build/tools/mood-bench"))
    parser.add_argument("--peer", type=pathlib.Path, default=HERE.parents[1] / "build/peer")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5, help="per round [%(default)s]")
    parser.add_argument("--rounds", type=int, default=7, help="[%(default)s]")
    parser.add_argument("--bound", type=float, default=0.9, help="of the ratio [%(default)s]")
    args = parser.parse_args()
    model = provide(args.peer, args.seconds)
    sizes = [f"{args.seconds:g}", str(args.threads), str(args.runs)]
    peer = ["node", str(HERE / "peer_encoder.js"), str(args.peer), str(model), *sizes]
    ours = [args.bench, "encoder", "--json", "--seconds", sizes[0], "--threads", sizes[1],
            "--runs", sizes[2]]

    rounds = []
    print(f"round   onnxruntime ms   libmood ms   ratio   (medians of {args.runs} runs, "
          f"{args.seconds:g} s, {args.threads} threads)")
    for i in range(args.rounds):
        a, b = run(peer), run(ours)
        rounds.append((a, b))
        print(f"{i + 1:5}   {a['median_ms']:14.1f}   {b['median_ms']:10.1f}   "
              f"{b['median_ms'] / a['median_ms']:5.2f}", flush=True)
    theirs, own = (statistics.median(r[k]["median_ms"] for r in rounds) for k in (0, 1))
    best = [min(r[k]["min_ms"] for r in rounds) for k in (0, 1)]
    ratio = own / theirs
    print(f"median  {theirs:14.1f}   {own:10.1f}   {ratio:5.2f}   bound {args.bound}")
    print(f"fastest {best[0]:14.1f}   {best[1]:10.1f}   {best[1] / best[0]:5.2f}")
    print(f"memory: {a['peer']} {a['rss_mb']:.0f} MB, libmood {b['rss_mb']:.0f} MB")
    sys.exit(0 if ratio <= args.bound else 1)


if __name__ == "__main__":
    main()
