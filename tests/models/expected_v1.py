# SPDX-License-Identifier: MIT
"""expected_v1.py — The probabilities that test_v1.c expects, by PyTorch in float64.

    python3 expected_v1.py v1.h5

Reads the weights from the file with h5py, compares them with the formula of formula_model.h, runs
the twin of the network on the inputs of formula.py's step 0, and prints C. Run by hand."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import h5py
import numpy as np
import torch

import formula
import twin


def by_formula(name, shape):
    v = formula.value(name, shape)
    if len(shape) >= 2:
        return v * np.float32(2 / np.sqrt(np.prod(shape[:-1])))
    if name.endswith(".running_var"):
        return 1 + v * np.float32(0.25)
    return (1 if name.endswith(".weight") else 0) + v * np.float32(0.125)


def main():
    with h5py.File(sys.argv[1], "r") as f:
        weights = {name: np.array(value) for name, value in f["weights"].items()}
    for name, value in weights.items():
        assert np.array_equal(value, by_formula(name, value.shape).astype(np.float32)), name
    torch.set_default_dtype(torch.float64)
    heads = twin.Heads(width=16, n_labels=3, divisor=8).eval()
    with torch.no_grad():
        heads.load({name: value.astype(np.float64) for name, value in weights.items()})
        seq, mel, _ = twin.formula_batch(0, 1, 16, dtype=torch.float64)
        print(", ".join("%.9f" % p for p in torch.softmax(heads(seq, mel), 1)[0]))


if __name__ == "__main__":
    main()
