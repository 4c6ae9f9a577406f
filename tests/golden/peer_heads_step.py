#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""peer_heads_step.py — One training step of the hybrid heads in PyTorch, timed.

The peer of `mood-bench heads-step`. A step is: put a new batch together (32 clips picked from a pool
of cached features: 768-d encoder frames (149 of them for 3 s) and the log-mel plane), zero the
gradients, forward in training mode with dropout 0.5, cross entropy, backward to every parameter,
Adam on all of them. Two steps warm up and are not counted.

    peer_heads_step.py --batch 32 --threads 2 --runs 20 --json

With --trace it trains instead of measuring: dropout off, starting weights and inputs by the formula
of formula.py (inputs "seq.s", "mel.s", "label.s" of step s, weights by their libmood names),
Adam(1e-4), and prints the loss of each step. mood-bench does the same, and the losses agree.
"""
import argparse
import json
import resource
import statistics
import time

import numpy as np
import torch

import twin

WIDTH, FRAMES = 768, 149

# With 1e-3 the first steps from this start overshoot, and the loss of step 4 in float32 differs by 1 %
# from that in float64, in PyTorch itself. With 1e-4 it repeats to 4e-6.
TRACE_LR = 1e-4


def n_parameters(model):
    return sum(p.numel() for p in model.parameters())


def train_step(model, optimizer, seq, mel, labels):
    optimizer.zero_grad(set_to_none=True)
    loss = torch.nn.functional.cross_entropy(model(seq, mel), labels)
    loss.backward()
    optimizer.step()
    return loss


def measure(batch, threads, runs):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = twin.Heads(WIDTH).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    pool = 2 * batch
    seq = torch.randn(pool, WIDTH, FRAMES)
    mel = torch.randn(pool, 1, twin.MEL_BANDS, twin.MEL_FRAMES)
    labels = torch.randint(8, (pool,))
    times = []
    for run in range(-2, runs):
        pick = torch.from_numpy(rng.permutation(pool)[:batch])
        start = time.perf_counter()
        loss = train_step(model, optimizer, seq[pick], mel[pick], labels[pick])
        loss.item()
        if run >= 0:
            times.append(1e3 * (time.perf_counter() - start))
    return {
        "what": "heads-step", "peer": "pytorch", "params": n_parameters(model),
        "threads": threads, "batch": batch,
        "min_ms": round(min(times), 3), "median_ms": round(statistics.median(times), 3),
        "max_ms": round(max(times), 3),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def trace(batch, threads, steps):
    model = twin.Heads(WIDTH, dropout=0.0).train()
    model.start_by_formula()
    optimizer = torch.optim.Adam(model.parameters(), lr=TRACE_LR)
    losses = []
    for step in range(steps):
        losses.append(train_step(model, optimizer,
                                 *twin.formula_batch(step, batch, WIDTH, FRAMES)).item())
    return {"what": "heads-step-trace", "peer": "pytorch", "params": n_parameters(model),
            "threads": threads, "batch": batch, "losses": losses}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--trace", action="store_true", help="print ten losses instead of times")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.trace:
        result = trace(args.batch, args.threads, 10)
    else:
        result = measure(args.batch, args.threads, args.runs)
    if args.json:
        print(json.dumps(result))
    else:
        for name, what in result.items():
            print(f"{name:10} {what}")


if __name__ == "__main__":
    main()
