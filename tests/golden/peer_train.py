#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""peer_train.py — The twin of mood-train in PyTorch, for heads without an encoder. Run by hand.

    peer_train.py trace DIR
        Repeat the first epoch that `mood-train --trace DIR --dropout 0` wrote down: the same initial
        weights, clips, windows and batches; audio, log-mel, network, loss and Adam by other code.
        Once "held", each step beginning with the weights that libmood had there, for its loss and
        its update; and twice "free", from the initial weights alone, in float32 and in float64.
        Free, the losses part however right both are, as PyTorch's own in the two precisions do: a
        max-pool takes another of two near neighbours, and Adam magnifies it. Exits 1 when held
        losses differ by more than 1e-3 relative, or updates by more than 1e-2 of their norm.

    peer_train.py folds K DATA OUT
        Write OUT/fold1.csv to OUT/foldK.csv (path,side) for a folder of RAVDESS names: each speaker
        is in the test side once, the next three in a shuffled order are the validation side.
        `mood-train --split` takes them too.

    peer_train.py protocol DATA FOLD.csv... [--seeds 0,1] [--json FILE]
        Train as the recipe says: Adam(1e-3), batch 32, 20 epochs, dropout 0.5, ReduceLROnPlateau
        (max, patience 3, factor 0.5) on the validation accuracy, whose best epoch counts; PyTorch's
        own initial weights and order. Prints accuracy and UAR of the test side as a table.
"""
import argparse
import csv
import json
import pathlib
import sys
import time

import h5py
import numpy as np
import torch
from torch.nn.functional import cross_entropy

import peer_audio
import twin

LOSS_BOUND = 1e-3
UPDATE_BOUND = 1e-2
N_LABELS = 8


# ---- trace -------------------------------------------------------------------------------------

def read_weights(path):
    with h5py.File(path, "r") as f:
        return {name: values[()] for name, values in f["weights"].items()}


class Repeat:
    """One repetition of the training: a network and its Adam, at one precision."""

    def __init__(self, initial, n_labels, dtype):
        self.dtype = dtype
        self.model = twin.Heads(width=0, n_labels=n_labels, dropout=0.0).to(dtype).train()
        self.model.load(initial)
        self.optimizer = torch.optim.Adam(self.model.parameters())

    def step(self, x, y, rate):
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.zero_grad()
        loss = cross_entropy(self.model(None, x.to(self.dtype)), y)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def largest_update_error(self, before, after):
        """How far the step that was just made is from libmood's, which led from `before` to `after`:
        the norm of the difference relative to the step's, of the worst parameter, and its name.
        Biases in front of a batch norm are left out: their gradient is 0 but for rounding, of which
        Adam makes steps of any sign, and nothing depends on them."""
        worst = (0.0, "")
        for full, name, tensor in self.model.weights():
            if ".conv" in name and name.endswith(".bias"):
                continue
            theirs = after[full].astype(np.float64) - before[full]
            own = self.model.to_mood(name, tensor).astype(np.float64) - before[full]
            worst = max(worst, (np.linalg.norm(theirs - own) / np.linalg.norm(own), full))
        return worst


def trace_batches(record):
    """(planes, labels) of each step."""
    clips = {}
    for step in record["steps"]:
        for i in step["clip"]:
            if i not in clips:
                clips[i] = peer_audio.Clip(record["clips"][i]["path"], record["clips"][i]["label"])
        yield (torch.stack([clips[i].plane_at(s) for i, s in zip(step["clip"], step["start"])]),
               torch.tensor([clips[i].label for i in step["clip"]]))


def trace(args):
    folder = pathlib.Path(args.dir)
    record = json.loads((folder / "steps.json").read_text())
    if record["recipe"]["dropout"] or record["recipe"]["augment"]:
        sys.exit("the trace has dropout or augmentation: nothing to compare")
    weights = read_weights(folder / "initial.h5")
    n_labels = len(record["labels"])
    free, truth = (Repeat(weights, n_labels, t) for t in (torch.float32, torch.float64))
    held = Repeat(weights, n_labels, torch.float32)
    rates = {e["epoch"]: e["lr"] for e in record["epochs"]}
    worst_loss = worst_update = 0.0
    print("| step | libmood | held: loss | apart | update apart | free: loss | apart "
          "| libmood, float64 apart | PyTorch, float64 apart |\n" + "|---" * 9 + "|")
    for number, (step, (x, y)) in enumerate(zip(record["steps"], trace_batches(record)), 1):
        if step["epoch"] > 1:
            break
        held.model.load(weights)
        a, b, c = (r.step(x, y, rates[1]) for r in (held, free, truth))
        after = read_weights(folder / f"step{number}.h5")
        update, _ = held.largest_update_error(weights, after)
        weights = after
        loss = step["loss"]
        worst_loss, worst_update = max(worst_loss, abs(loss - a) / a), max(worst_update, update)
        print(f"| {number} | {loss:.6f} | {a:.6f} | {abs(loss - a) / a:.1e} | {update:.1e} | {b:.6f} "
              f"| {abs(loss - b) / b:.1e} | {abs(loss - c) / c:.1e} | {abs(b - c) / c:.1e} |",
              flush=True)
    print(f"\nheld: worst loss {worst_loss:.1e} of {LOSS_BOUND:.0e}, worst update "
          f"{worst_update:.1e} of {UPDATE_BOUND:.0e}")
    return 0 if worst_loss <= LOSS_BOUND and worst_update <= UPDATE_BOUND else 1


# ---- folds -------------------------------------------------------------------------------------

def ravdess(data):
    """{name below the folder: (label, speaker)} of all RAVDESS names, MM-VC-EM-IN-ST-RP-AC."""
    found = {}
    for path in sorted(pathlib.Path(data).rglob("*")):
        parts = path.stem.split("-")
        if len(parts) == 7 and path.is_file():
            found[str(path.relative_to(data))] = (int(parts[2]) - 1, parts[6])
    return found


def make_folds(args):
    clips = ravdess(args.data)
    speakers = sorted({speaker for _, speaker in clips.values()})
    np.random.RandomState(args.seed).shuffle(speakers)
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    for k, test in enumerate(np.array_split(speakers, args.k)):
        after = speakers.index(test[-1]) + 1
        val = [speakers[(after + i) % len(speakers)] for i in range(args.val)]
        with open(out / f"fold{k + 1}.csv", "w", newline="") as f:
            rows = csv.writer(f, lineterminator="\n")
            rows.writerow(["path", "side"])
            for name, (_, speaker) in clips.items():
                rows.writerow([name, "test" if speaker in test else
                               "val" if speaker in val else "train"])
        print(f"fold {k + 1}: test {','.join(sorted(test))}, val {','.join(sorted(val))}")
    return 0


# ---- protocol ----------------------------------------------------------------------------------

def answers(model, clips):
    """The mean over a clip's windows with speech of the softmax, (n clips, labels)."""
    planes = torch.cat([c.planes[c.speech] for c in clips])
    model.eval()
    with torch.no_grad():
        p = torch.cat([torch.softmax(model(None, x), 1) for x in planes.split(64)])
    return torch.stack([x.mean(0) for x in p.split([len(c.speech) for c in clips])])


def figures(model, clips):
    """Accuracy, and the mean recall over the labels that occur."""
    best = answers(model, clips).argmax(1).numpy()
    truth = np.array([c.label for c in clips])
    recalls = [(best[truth == v] == v).mean() for v in np.unique(truth)]
    return float((best == truth).mean()), float(np.mean(recalls))


def train_epoch(model, optimizer, clips, batch, rng):
    model.train()
    for pick in torch.randperm(len(clips)).split(batch):
        chosen = [clips[i] for i in pick]
        x = torch.stack([c.planes[c.speech[rng.randint(len(c.speech))]] for c in chosen])
        y = torch.tensor([c.label for c in chosen])
        optimizer.zero_grad()
        cross_entropy(model(None, x), y).backward()
        optimizer.step()


def train_once(sides, seed, epochs):
    torch.manual_seed(seed)
    rng = np.random.RandomState(seed)
    model = twin.Heads(width=0, n_labels=N_LABELS)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "max", factor=0.5, patience=3)
    best, best_epoch, best_state = -1.0, 0, None
    for epoch in range(1, epochs + 1):
        train_epoch(model, optimizer, sides["train"], 32, rng)
        accuracy, _ = figures(model, sides["val"])
        schedule.step(accuracy)
        if accuracy > best:
            best, best_epoch = accuracy, epoch
            best_state = {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(best_state)
    accuracy, uar = figures(model, sides["test"])
    return {"seed": seed, "best_epoch": best_epoch, "val_accuracy": best, "accuracy": accuracy,
            "uar": uar}


def read_sides(path, clips):
    sides = {"train": [], "val": [], "test": []}
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            sides[row["side"]].append(clips[row["path"]])
    return sides


def print_table(results):
    print("| fold | seed | best epoch | accuracy | UAR |\n|---|---|---|---|---|")
    for r in results:
        print(f"| {r['fold']} | {r['seed']} | {r['best_epoch']} | {r['accuracy']:.4f} "
              f"| {r['uar']:.4f} |")
    mean = {k: np.mean([r[k] for r in results]) for k in ("accuracy", "uar")}
    spread = {k: np.std([r[k] for r in results]) for k in ("accuracy", "uar")}
    print(f"| mean | | | {mean['accuracy']:.4f} ± {spread['accuracy']:.4f} "
          f"| {mean['uar']:.4f} ± {spread['uar']:.4f} |")


def protocol(args):
    found, results = ravdess(args.data), []
    print(f"reading {len(found)} clips", file=sys.stderr)
    clips = {name: peer_audio.Clip(pathlib.Path(args.data) / name, label)
             for name, (label, _) in found.items()}
    for path in args.fold:
        sides = read_sides(path, clips)
        for seed in (int(s) for s in args.seeds.split(",")):
            start = time.monotonic()
            result = train_once(sides, seed, args.epochs)
            results.append({"fold": pathlib.Path(path).stem, **result})
            print(f"{results[-1]} {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
            if args.json:  # after each: a long run that is cut short has not been for nothing
                pathlib.Path(args.json).write_text(json.dumps(results, indent=1) + "\n")
    print_table(results)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2, help="[%(default)s]")
    commands = parser.add_subparsers(required=True)

    p = commands.add_parser("trace", help="repeat a training of mood-train step by step")
    p.add_argument("dir")
    p.set_defaults(run=trace)

    p = commands.add_parser("folds", help="write speaker folds")
    p.add_argument("k", type=int)
    p.add_argument("data")
    p.add_argument("out")
    p.add_argument("--val", type=int, default=3, help="validation speakers [%(default)s]")
    p.add_argument("--seed", type=int, default=0, help="of the order of speakers [%(default)s]")
    p.set_defaults(run=make_folds)

    p = commands.add_parser("protocol", help="train on folds, print the table")
    p.add_argument("data")
    p.add_argument("fold", nargs="+")
    p.add_argument("--seeds", default="0,1", help="[%(default)s]")
    p.add_argument("--epochs", type=int, default=20, help="[%(default)s]")
    p.add_argument("--json", help="write the results there too")
    p.set_defaults(run=protocol)

    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    sys.exit(args.run(args))


if __name__ == "__main__":
    main()
