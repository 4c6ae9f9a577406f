# SPDX-License-Identifier: MIT
"""make_optim.py — The truth about optimisers: weights after eight steps, as PyTorch makes them in
float64; and about what stands beside them, the learning rate of each step and averaged weights.

Two weights, a (3, 5) and b (7), start as the formula says (formula.py): value("a", i), value("b", i).
The gradients of step s are value("a.s", i) and value("b.s", i), times the setting `size`.

    optim.<i>/settings    0 for SGD, 1 for Adam, 2 for AdamW; learning rate, beta1, beta2, eps, momentum, weight
                          decay, norm to clip to (0: none), size
    optim.<i>/a, b        the weights after the last step
    optim.<i>/norms       what clip_grad_norm_ returned in each step (where gradients are clipped)

    rate.<i>/settings     steps of warm-up, steps in all
    rate.<i>/factors      what the learning rate is multiplied by in each step
    average.<i>/settings  decay
    average.<i>/a, b      the average of the weights that SGD at 0.25 made in eight steps of those
                          gradients
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
    (2, 0.03125, 0.9, 0.999, 1e-8, 0, 0.25, 0, 1),
    (2, 0.125, 0.5, 0.75, 0.0625, 0, 1, 0.5, 1),
]

RATES = [(0, 7), (1, 7), (3, 12), (10, 40)]  # warm-up, all

AVERAGES = [0.5, 0.96875]  # with 0.5 the decay reaches its limit in the eighth step


def _tensor(name, shape):
    return torch.from_numpy(formula.value(name, shape).astype(np.float64))


def make(out):
    _optimisers(out)
    _rates(out)
    _averages(out)


def _optimisers(out):
    for i, case in enumerate(CASES):
        adam, lr, beta1, beta2, eps, momentum, decay, clip, size = case
        weights = {n: torch.nn.Parameter(_tensor(n, s)) for n, s in SHAPES.items()}
        if adam:
            kind = torch.optim.AdamW if adam == 2 else torch.optim.Adam
            optimizer = kind(weights.values(), lr, (beta1, beta2), eps, decay)
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


def _rates(out):
    """LinearLR, then CosineAnnealingLR, as SequentialLR joins them."""
    from torch.optim import lr_scheduler as lr
    for i, (warmup, total) in enumerate(RATES):
        sgd = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
        if warmup > 1:
            up = lr.LinearLR(sgd, 1 / warmup, total_iters=warmup - 1)
            down = lr.CosineAnnealingLR(sgd, total - warmup)
            schedule = lr.SequentialLR(sgd, [up, down], [warmup])
        else:  # one step of warm-up is at the full rate already: the cosine is only later by it
            schedule = lr.CosineAnnealingLR(sgd, total - warmup)
        factors = [1.0] if warmup == 1 else []
        while len(factors) < total:
            factors.append(sgd.param_groups[0]["lr"])
            sgd.step()
            schedule.step()
        out.add(f"rate.{i}/settings", (warmup, total))
        out.add(f"rate.{i}/factors", factors)


def _averages(out):
    """AveragedModel, whose first update is a copy; n is the number of those before."""
    from torch.optim.swa_utils import AveragedModel
    for i, decay in enumerate(AVERAGES):
        model = torch.nn.ParameterDict({n: torch.nn.Parameter(_tensor(n, s))
                                        for n, s in SHAPES.items()})

        def blend(average, weight, n):
            d = min(decay, (1 + n.item()) / (10 + n.item()))
            return d * average + (1 - d) * weight

        averaged = AveragedModel(model, avg_fn=blend)
        sgd = torch.optim.SGD(model.parameters(), 0.25)
        for step in range(STEPS):
            for n, w in model.items():
                w.grad = _tensor(f"{n}.{step}", w.shape)
            sgd.step()
            averaged.update_parameters(model)
        out.add(f"average.{i}/settings", (decay,))
        for n, w in averaged.module.items():
            out.add(f"average.{i}/{n}", w.detach().numpy())
