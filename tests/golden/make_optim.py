# SPDX-License-Identifier: MIT
"""make_optim.py — The truth about optimisers: weights after eight steps, as PyTorch makes them in
float64.

Two weights, a (3, 5) and b (7), start as the formula says (formula.py): value("a", i), value("b", i).
The gradients of step s are value("a.s", i) and value("b.s", i), times the setting `size`.

    optim.<i>/settings    1 for Adam or 0 for SGD, learning rate, beta1, beta2, eps, momentum, weight
                          decay, norm to clip to (0: none), size
    optim.<i>/a, b        the weights after the last step
    optim.<i>/norms       what clip_grad_norm_ returned in each step (where gradients are clipped)
"""
import numpy as np
import torch

import formula

STEPS = 8
SHAPES = {"a": (3, 5), "b": (7,)}

# Numbers are exact in float32, or C's default (0.9, 0.999, 1e-8, 1e-3), which it has in double.
CASES = [
    # adam, lr, beta1, beta2, eps, momentum, decay, clip, size
    (1, 1e-3, 0.9, 0.999, 1e-8, 0, 0, 0, 1),
    (1, 0.125, 0.5, 0.75, 0.0625, 0, 0, 0, 1),
    (1, 0.03125, 0.9, 0.999, 1e-8, 0, 0.25, 0, 1),
    (1, 0.03125, 0.9, 0.999, 1e-8, 0, 0, 0, 2.0**-20),  # eps counts
    (0, 0.0625, 0, 0, 0, 0, 0, 0, 1),
    (0, 0.0625, 0, 0, 0, 0.875, 0, 0, 1),
    (0, 0.0625, 0, 0, 0, 0.875, 0.125, 0, 1),
    (0, 0.0625, 0, 0, 0, 0.875, 0, 1, 1),   # a norm of about 2.7: clipped
    (0, 0.0625, 0, 0, 0, 0, 0, 2.75, 1),    # sometimes
    (1, 0.03125, 0.9, 0.999, 1e-8, 0, 0.25, 0.5, 1),
]


def _tensor(name, shape):
    return torch.from_numpy(formula.value(name, shape).astype(np.float64))


def make(out):
    for i, case in enumerate(CASES):
        adam, lr, beta1, beta2, eps, momentum, decay, clip, size = case
        weights = {n: torch.nn.Parameter(_tensor(n, s)) for n, s in SHAPES.items()}
        if adam:
            optimizer = torch.optim.Adam(weights.values(), lr, (beta1, beta2), eps, decay)
        else:
            optimizer = torch.optim.SGD(weights.values(), lr, momentum, weight_decay=decay)
        norms = []
        for step in range(STEPS):
            for n, w in weights.items():
                w.grad = _tensor(f"{n}.{step}", w.shape) * size
            if clip:
                norms.append(torch.nn.utils.clip_grad_norm_(weights.values(), clip).item())
            optimizer.step()
        out.add(f"optim.{i}/settings", case)
        for n, w in weights.items():
            out.add(f"optim.{i}/{n}", w.detach().numpy())
        if clip:
            out.add(f"optim.{i}/norms", norms)
