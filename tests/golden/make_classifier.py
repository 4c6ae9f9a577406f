# SPDX-License-Identifier: MIT
"""make_classifier.py — The truth about classifiers over an encoder's frames, and about the mix of its
layers, in float64.

For each form and pooling, and with a mix in front: 3 clips of 11 frames, 7 wide, 5 units, 4 labels, of
a mix 6 layers. Weights and frames come from the formula (formula.py) and are not stored; the mix's
weights are 16 times the formula's, else its softmax is nearly flat.

    <form>.<pooling>/logits, .../loss        <form>.<pooling>.mix/...
    <form>.<pooling>/<weight>                the gradient of each weight, libmood's layout
    <form>.<pooling>/frames                  the gradient of the frames

Written as the forward functions of transformers' Wav2Vec2ForSequenceClassification ("projector") and
of github.com/m3hrdadfi/soxan's Wav2Vec2ForSpeechClassification ("tanh") read."""
import torch

import formula

B, L, T, D, UNITS, LABELS = 3, 6, 11, 7, 5, 4
NAMES = {"classifier.dense.weight": (D, UNITS), "classifier.dense.bias": (UNITS,),
         "classifier.out.weight": (UNITS, LABELS), "classifier.out.bias": (LABELS,)}

POOLINGS = {"mean": lambda x: x.mean(dim=1), "sum": lambda x: x.sum(dim=1),
            "max": lambda x: x.max(dim=1)[0]}


def leaf(array):
    return torch.from_numpy(array.copy()).double().requires_grad_()


def linear(x, w, name):
    return x @ w[name + ".weight"] + w[name + ".bias"]


def logits(form, pool, hidden, w):
    if form == "projector":
        return linear(pool(linear(hidden, w, "classifier.dense")), w, "classifier.out")
    x = torch.tanh(linear(pool(hidden), w, "classifier.dense"))
    return linear(x, w, "classifier.out")


def one(out, form, pooling, mix):
    case = f"{form}.{pooling}" + (".mix" if mix else "")
    w = {name: leaf(formula.weight(name, shape)) for name, shape in NAMES.items()}
    hidden = frames = leaf(formula.value("frames", (B, L, T, D) if mix else (B, T, D)))
    if mix:
        w["mix.weights"] = leaf(16 * formula.weight("mix.weights", (L,)))
        norm = torch.softmax(w["mix.weights"], dim=-1)
        hidden = (frames * norm.view(-1, 1, 1)).sum(dim=1)
    y = logits(form, POOLINGS[pooling], hidden, w)
    loss = torch.nn.functional.cross_entropy(
        y, torch.from_numpy(formula.label("labels", B, LABELS)))
    loss.backward()
    out.add(case + "/logits", y.detach().numpy())
    out.add(case + "/loss", loss.item())
    out.add(case + "/frames", frames.grad.numpy())
    for name, tensor in w.items():
        out.add(f"{case}/{name}", tensor.grad.numpy())


def make(out):
    for form in ("projector", "tanh"):
        for pooling in POOLINGS:
            for mix in (False, True):
                one(out, form, pooling, mix)
