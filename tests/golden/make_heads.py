# SPDX-License-Identifier: MIT
"""make_heads.py — The truth about the whole network, narrow, and about how it is trained.

The hybrid heads with every channel count divided by 8, an encoder width of 96, a batch of 4 and
dropout off, in float64. Weights and inputs come from the formula (formula.py) and are not stored:

    heads/logits, heads/loss          forward in training mode on the inputs of step 0
    heads/grad/<weight>               the gradient of each parameter, libmood's layout
    heads/infer/logits                forward in inference mode, after step 0's running statistics
    heads/losses                      of ten steps of Adam(1e-3) from the start, new inputs in each

and ReduceLROnPlateau, as PyTorch does it:

    plateau.<i>/settings              start lr, 1 for mode max or 0 for min, factor, patience,
                                      threshold (relative), cooldown, least lr
    plateau.<i>/metrics               what is reported to it, one per epoch
    plateau.<i>/lr                    the learning rate after each
"""
import numpy as np
import torch

import formula
import twin

WIDTH, DIVISOR, BATCH, STEPS = 96, 8, 4, 10


def _start(dtype):
    model = twin.Heads(WIDTH, divisor=DIVISOR, dropout=0.0).to(dtype).train()
    model.start_by_formula()
    return model


def _loss(model, step):
    seq, mel, labels = twin.formula_batch(step, BATCH, WIDTH, dtype=torch.float64)
    logits = model(seq, mel)
    return logits, torch.nn.functional.cross_entropy(logits, labels)


def network(out):
    model = _start(torch.float64)
    logits, loss = _loss(model, 0)
    loss.backward()
    out.add("heads/logits", logits.detach().numpy())
    out.add("heads/loss", loss.item())
    for name, parameter in model.named_parameters():
        out.add(f"heads/grad/heads.{name}", model.to_mood(name, parameter.grad))
    out.add("heads/infer/logits", _loss(model.eval(), 0)[0].detach().numpy())

    model = _start(torch.float64)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = _loss(model, step)[1]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    out.add("heads/losses", losses)


# A slow climb with noise, as validation accuracies go; a fall; and steps around the threshold: an
# improvement by less than 1e-4 of the best is none.
_CLIMB = [0.2, 0.3, 0.28, 0.35, 0.34, 0.35, 0.33, 0.36, 0.3, 0.31, 0.32, 0.33, 0.34, 0.35, 0.36, 0.36,
          0.37, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]
_EDGE = [0.5, 0.50004, 0.50006, 0.50003, 0.5002, 0.50024, 0.50026, 0.5003, 0.5003, 0.5003, 0.5003,
         0.5003, 0.5003, 0.5003]
_FALL = [2.0, 1.5, 1.4, 1.39995, 1.3999, 1.399, 1.4, 1.4, 1.4, 1.4, 1.2, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3]
_ZERO = [0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.1, 0.1, 0.1, 0.1]

# mode, factor (exact in float32), patience, cooldown, least lr, metrics
PLATEAUS = [
    ("max", 0.5, 3, 0, 0.0, _CLIMB),
    ("max", 0.5, 3, 0, 0.0, _EDGE),
    ("max", 0.125, 1, 0, 0.0, _CLIMB),
    ("max", 0.5, 1, 2, 0.0, _CLIMB),
    ("max", 0.5, 1, 0, 2e-4, _CLIMB),
    ("min", 0.5, 3, 0, 0.0, _FALL),
    ("min", 0.25, 2, 1, 0.0, _FALL),
    ("max", 0.5, 3, 0, 0.0, _ZERO),
]


def plateaus(out):
    for i, (mode, factor, patience, cooldown, least, metrics) in enumerate(PLATEAUS):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1e-3)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode, factor, patience, threshold=1e-4, threshold_mode="rel",
            cooldown=cooldown, min_lr=least)
        rates = []
        for metric in np.float32(metrics):  # as stored: the decision is about the same numbers
            scheduler.step(float(metric))
            rates.append(optimizer.param_groups[0]["lr"])
        out.add(f"plateau.{i}/settings",
                [1e-3, mode == "max", factor, patience, 1e-4, cooldown, least])
        out.add(f"plateau.{i}/metrics", metrics)
        out.add(f"plateau.{i}/lr", rates)


def make(out):
    network(out)
    plateaus(out)
