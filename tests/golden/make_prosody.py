# SPDX-License-Identifier: MIT
"""make_prosody.py — The truth about the network on prosody and about the regression that trains it, in
float64.

    net/logits, net/speech, net/loss, net/<weight>, net/functionals
        4 clips of 9 functionals, 5 labels, 7 centres: values, and the gradients of what has one. Weights
        and functionals come from the formula (formula.py), and so the lengths of the centres are not
        those of the centres; the functionals are 64 times as large, so that some of them are clamped. The
        loss is the cross entropy and the mean of speech
    ridge/<lambda>
        the weights (137, 3) for 150 rows, which come from the formula like their targets and weights"""
import numpy as np
import torch

import formula

B, F, V, M = 4, 9, 5, 7
ROWS, IN, OUT = 150, 137, 3
LAMBDAS = ("1", "0.001")


def net(out):
    w = {name: torch.from_numpy(formula.weight(name, shape).copy()).double().requires_grad_()
         for name, shape in (("prosody.mean", (F,)), ("prosody.scale", (F,)),
                             ("prosody.centres.weight", (F, M)), ("prosody.centres.bias", (M,)),
                             ("prosody.out.weight", (M, V)), ("prosody.gate.weight", (M, 1)))}
    x = torch.from_numpy(64 * formula.value("functionals", (B, F))).double().requires_grad_()
    z = torch.clamp((x - w["prosody.mean"]) * w["prosody.scale"], -4, 4)
    if not 0 < int((z.abs() == 4).sum()) < B * F:
        raise ValueError("nothing is clamped, or everything")
    c, half_length = w["prosody.centres.weight"], -w["prosody.centres.bias"]
    k = torch.exp((z @ c - half_length - (z * z).sum(1, keepdim=True) / 2) / F)
    y, speech = k @ w["prosody.out.weight"], k @ w["prosody.gate.weight"]
    loss = torch.nn.functional.cross_entropy(y, torch.from_numpy(formula.label("labels", B, V)))
    loss = loss + speech.mean()
    loss.backward()
    out.add("net/logits", y.detach().numpy())
    out.add("net/speech", speech.detach().numpy())
    out.add("net/loss", loss.item())
    out.add("net/functionals", x.grad.numpy())
    for name in ("prosody.out.weight", "prosody.gate.weight"):
        out.add("net/" + name, w[name].grad.numpy())


def ridge(out):
    z = 2 * formula.value("rows", (ROWS, IN)).astype(np.float64)
    y = formula.value("targets", (ROWS, OUT)).astype(np.float64)
    d = 1.5 + formula.value("weights", (ROWS,)).astype(np.float64)
    for text in LAMBDAS:
        # As least squares of longer rows, which is another way to it than the program's.
        roots = np.sqrt(d / d.sum())[:, None]
        a = np.vstack([roots * z, np.sqrt(float(text)) * np.eye(IN)])
        b = np.vstack([roots * y, np.zeros((IN, OUT))])
        out.add("ridge/" + text, np.linalg.lstsq(a, b, rcond=None)[0])


def make(out):
    net(out)
    ridge(out)
