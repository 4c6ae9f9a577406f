# SPDX-License-Identifier: MIT
"""twin.py — The hybrid heads of libmood, written in PyTorch.

1D branch on encoder frames, 2D branch on the log-mel plane, three dense layers. Submodules carry
libmood's names, so "seq.conv1.weight" here is "heads.seq.conv1.weight" there; `load` and `store`
translate the layouts:

    dense    libmood (Cin, Cout)             PyTorch (Cout, Cin)
    conv1d   libmood (K, Cin, Cout)          PyTorch (Cout, Cin, K)
    conv2d   libmood (Kf, Kt, Cin, Cout)     PyTorch (Cout, Cin, Kf, Kt)

libmood flattens the 2D branch as (F, T, C), PyTorch as (C, F, T): the rows of fc1 that read it are
permuted here, once, not in every step.
"""
import numpy as np
import torch
from torch import nn

import formula

MEL_BANDS, MEL_FRAMES = 64, 94


class _Seq(nn.Module):
    """(B, D, T) -> (B, C2): two blocks of convolution, norm, ReLU, pool; then the mean over time."""

    def __init__(self, width, c1, c2):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv1d(width, c1, 3, padding=1), nn.BatchNorm1d(c1)
        self.conv2, self.norm2 = nn.Conv1d(c1, c2, 3, padding=1), nn.BatchNorm1d(c2)

    def forward(self, x):
        x = nn.functional.max_pool1d(torch.relu(self.norm1(self.conv1(x))), 2)
        x = nn.functional.max_pool1d(torch.relu(self.norm2(self.conv2(x))), 2)
        return x.mean(2)


class _Mel(nn.Module):
    """(B, 1, 64, 94) -> (B, C3 * 8 * 11), flattened as (C, F, T)."""

    def __init__(self, c1, c2, c3):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, c1, 3, padding=1), nn.BatchNorm2d(c1)
        self.conv2, self.norm2 = nn.Conv2d(c1, c2, 3, padding=1), nn.BatchNorm2d(c2)
        self.conv3, self.norm3 = nn.Conv2d(c2, c3, 3, padding=1), nn.BatchNorm2d(c3)

    def forward(self, x):
        for conv, norm in ((self.conv1, self.norm1), (self.conv2, self.norm2),
                           (self.conv3, self.norm3)):
            x = nn.functional.max_pool2d(torch.relu(norm(conv(x))), 2)
        return x.flatten(1)


class Heads(nn.Module):
    """Logits (B, n_labels) from seq (B, D, T), or None, and mel (B, 1, 64, 94).

    width      D of the encoder; 0: no 1D branch (mel only)
    divisor    every channel count of the full network is divided by it
    """

    def __init__(self, width=768, n_labels=8, divisor=1, dropout=0.5):
        super().__init__()
        d = divisor
        self.n_seq = 64 // d if width else 0
        self.plane = (128 // d, MEL_BANDS // 8, MEL_FRAMES // 8)  # (C, F, T)
        if width:
            self.seq = _Seq(width, 128 // d, 64 // d)
        self.mel = _Mel(32 // d, 64 // d, 128 // d)
        self.fc1 = nn.Linear(self.n_seq + int(np.prod(self.plane)), 256 // d)
        self.fc2 = nn.Linear(256 // d, 128 // d)
        self.out = nn.Linear(128 // d, n_labels)
        self.dropout = dropout

    def forward(self, seq, mel):
        x = self.mel(mel)
        if self.n_seq:
            x = torch.cat((self.seq(seq), x), 1)
        x = torch.relu(self.fc1(x))
        x = nn.functional.dropout(x, self.dropout, self.training)
        return self.out(torch.relu(self.fc2(x)))

    def _flatten_order(self):
        """For each input of libmood's fc1, the place of the same input in PyTorch's."""
        c, f, t = self.plane
        plane = np.arange(c * f * t).reshape(c, f, t).transpose(1, 2, 0).ravel()
        return np.concatenate((np.arange(self.n_seq), self.n_seq + plane))

    def to_mood(self, name, tensor):
        """A weight, or its gradient, as libmood lays it out (a NumPy array)."""
        a = tensor.detach().numpy()
        if a.ndim >= 2:  # (Cout, Cin, K...) -> (K..., Cin, Cout)
            a = a.transpose(*range(2, a.ndim), 1, 0)
        if name == "fc1.weight":
            a = a[self._flatten_order()]
        return np.ascontiguousarray(a)

    def from_mood(self, name, array):
        """The inverse of to_mood."""
        a = np.asarray(array)
        if name == "fc1.weight":
            b = np.empty_like(a)
            b[self._flatten_order()] = a
            a = b
        if a.ndim >= 2:
            a = a.transpose(a.ndim - 1, a.ndim - 2, *range(a.ndim - 2))
        return torch.from_numpy(np.ascontiguousarray(a))

    def weights(self):
        """(libmood's name, own name, tensor) of each parameter and running statistic."""
        for name, tensor in self.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                yield "heads." + name, name, tensor

    def start_by_formula(self):
        for full, name, tensor in self.weights():
            shape = self.to_mood(name, tensor).shape
            tensor.copy_(self.from_mood(name, formula.weight(full, shape)))

    def load(self, arrays):
        """Take all weights from a mapping of libmood's names to arrays."""
        names = {full for full, _, _ in self.weights()}
        if names != set(arrays):
            raise KeyError(f"weights differ: {sorted(names ^ set(arrays))}")
        for full, name, tensor in self.weights():
            t = self.from_mood(name, arrays[full])
            if t.shape != tensor.shape:
                raise ValueError(f"{full}: shape {tuple(np.shape(arrays[full]))}")
            tensor.copy_(t)


def formula_batch(step, batch, width, frames=149, dtype=torch.float32):
    """Inputs and labels of one step by the formula, in PyTorch's layout."""
    mel = formula.value(f"mel.{step}", (batch, MEL_BANDS, MEL_FRAMES, 1)).transpose(0, 3, 1, 2)
    seq = None
    if width:
        seq = formula.value(f"seq.{step}", (batch, frames, width)).transpose(0, 2, 1)
        seq = torch.from_numpy(np.ascontiguousarray(seq)).to(dtype)
    mel = torch.from_numpy(np.ascontiguousarray(mel)).to(dtype)
    return seq, mel, torch.from_numpy(formula.label(f"label.{step}", batch))
