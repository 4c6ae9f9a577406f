#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compare_encoder.py — libmood's encoder beside ONNX Runtime's, in one run, in float32 and in int8.

Alternates the two programs several times, because an absolute time on a shared machine proves
nothing: what counts is the ratio. It is given three times: of the medians of all runs, of the fastest runs
(what is left when nobody disturbs), and of the rounds one by one. Exits 1 when a first one is beyond its
bound. What each part of libmood's encoder takes, and its share of what the processor can do, follows.

    compare_encoder.py --bench build/tools/mood-bench --peer build/peer

The first time, the model is exported (export_encoder.py), rounded in every form that ONNX Runtime may be
fast with (quantise_encoder.py), and the peer installed into --peer by npm, without its scripts. libmood is
held against the form that is fastest here.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

from quantise_encoder import FORMS

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "onnxruntime-node@1.30"
BOUNDS = {"f32": 0.9, "int8": 0.6}


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def make(path, script, *args):
    """A file that a script beside this one writes, unless it is there: under another name until it is whole."""
    if not path.exists():
        part = path.with_suffix(".part")
        subprocess.run(["/usr/bin/python3", str(HERE / script), str(part), *args], check=True)
        part.rename(path)
    return path


def exported(folder, seconds):
    """The float32 model's path; makes it, and installs the peer, where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node_modules/onnxruntime-node").exists():
        (folder / "package.json").write_text("{}\n")
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent",
                        "--prefix", str(folder), PACKAGE], check=True)
    return make(folder / f"base-{seconds:g}s.onnx", "export_encoder.py", "--seconds", f"{seconds:g}")


class Comparison:
    def __init__(self, args):
        self.args = args
        self.sizes = [f"{args.seconds:g}", str(args.threads), str(args.runs)]

    def peer(self, model):
        return run(["node", str(HERE / "peer_encoder.js"), str(self.args.peer), str(model), *self.sizes])

    def own_command(self, dtype):
        return [self.args.bench, "encoder", "--dtype", dtype, "--seconds", self.sizes[0], "--threads",
                self.sizes[1], "--runs", self.sizes[2]]

    def fastest_form(self, model):
        """Of the 8-bit models, the one that the peer is fastest with."""
        times = {}
        for form in FORMS:
            path = model.with_name(f"{model.stem}-{form}.onnx")
            make(path, "quantise_encoder.py", str(model), "--form", form)
            times[path] = min(self.peer(path)["min_ms"] for _ in range(2))
            print(f"onnxruntime with 8 bits, {form}: {times[path]:.1f} ms", flush=True)
        return min(times, key=times.get)

    def compare(self, dtype, model):
        """Print the table; whether the ratio is within its bound."""
        rounds = []
        print(f"\n{dtype}: medians of {self.args.runs} runs, {self.args.seconds:g} s, {self.args.threads} threads; "
              f"{model.name}\nround   onnxruntime ms   libmood ms   ratio")
        for i in range(self.args.rounds):
            a, b = self.peer(model), run([*self.own_command(dtype), "--json"])
            rounds.append((a, b))
            print(f"{i + 1:5}   {a['median_ms']:14.1f}   {b['median_ms']:10.1f}   "
                  f"{b['median_ms'] / a['median_ms']:5.2f}", flush=True)
        theirs, own = (statistics.median(r[k]["median_ms"] for r in rounds) for k in (0, 1))
        best = [min(r[k]["min_ms"] for r in rounds) for k in (0, 1)]
        print(f"median  {theirs:14.1f}   {own:10.1f}   {own / theirs:5.2f}   bound {BOUNDS[dtype]}")
        print(f"fastest {best[0]:14.1f}   {best[1]:10.1f}   {best[1] / best[0]:5.2f}")
        print(f"memory: {a['peer']} {a['rss_mb']:.0f} MB, libmood {b['rss_mb']:.0f} MB")
        subprocess.run([*self.own_command(dtype), "--parts"], check=True)
        return own / theirs <= BOUNDS[dtype]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bench", default=str(HERE.parents[1] / "build/tools/mood-bench"))
    parser.add_argument("--peer", type=pathlib.Path, default=HERE.parents[1] / "build/peer")
    parser.add_argument("--dtype", choices=[*BOUNDS, "both"], default="both", help="[%(default)s]")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5, help="per round [%(default)s]")
    parser.add_argument("--rounds", type=int, default=7, help="[%(default)s]")
    args = parser.parse_args()
    comparison, model, good = Comparison(args), exported(args.peer, args.seconds), True
    if args.dtype != "int8":
        good = comparison.compare("f32", model)
    if args.dtype != "f32":
        good = comparison.compare("int8", comparison.fastest_form(model)) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
