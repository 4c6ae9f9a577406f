# SPDX-License-Identifier: MIT
"""make_ops.py — The truth about every op: values and gradients from PyTorch in float64.

For each case: its inputs in0, in1, ... (float32 values); out; r, by which the output is weighted so
that there is a scalar to differentiate, loss = sum(out * r); and d0, d1, ..., the gradient of the
loss with respect to each input that has one. A batch norm in training adds new3 and new4, its
running statistics afterwards. All in libmood's layouts: (B, T, C), (B, F, T, C), weights (Cin, Cout),
(K, Cin / groups, Cout), (Kf, Kt, Cin, Cout).

What a case means is written twice, here and in tests/ops/cases_layer.c: two people who read the same
definition."""
import math

import numpy as np
import torch
from torch.nn import functional as F

import formula

CASES = []  # (name, inputs, kinds, function)


def case(name, inputs, kinds, function):
    """kinds, a letter per input: d differentiable, s a statistic that the run may change, l labels."""
    CASES.append((name, inputs, kinds, function))


# ---- inputs ------------------------------------------------------------------------------------

def uniform(*shape, scale=1.0):
    """In [-scale, scale)."""
    return lambda name: formula.value(name, shape) * np.float32(scale)


def positive(*shape):
    """In [0.25, 2.25)."""
    return lambda name: formula.value(name, shape) + np.float32(1.25)


def off_zero(*shape):
    """Not within 0.1 of 0: a finite difference does not step over the kink of a ReLU."""
    def make(name):
        v = formula.value(name, shape)
        return v + np.where(v < 0, np.float32(-0.1), np.float32(0.1))
    return make


def distinct(*shape):
    """In random order, 0.05 apart: no ties, and no finite difference that changes a maximum."""
    def make(name):
        n = int(np.prod(shape))
        rank = np.argsort(np.argsort(formula.value(name, (n,)))).reshape(shape)
        return ((rank - n / 2) * 0.05).astype(np.float32)
    return make


def labels(n_classes, *shape):
    return lambda name: formula.label(name, int(np.prod(shape)), n_classes).reshape(shape)


# ---- cases -------------------------------------------------------------------------------------

BROADCASTS = {
    "same": ((3, 5), (3, 5)),
    "row": ((2, 3, 5), (5,)),
    "rowleft": ((5,), (2, 3, 5)),
    "channel": ((2, 3, 4, 5), (3, 1, 5)),
    "both": ((4, 1, 3), (2, 1, 5, 1)),
    "scalar": ((2, 3), ()),
}


def elementwise():
    binary = {"add": torch.add, "sub": torch.sub, "mul": torch.mul}
    for op, f in binary.items():
        for how, (a, b) in BROADCASTS.items():
            case(f"{op}.{how}", [uniform(*a), uniform(*b)], "dd", f)
        case(f"{op}.self", [uniform(3, 7)], "d", lambda x, f=f: f(x, x))
    case("scale", [uniform(7, 9)], "d", lambda x: x * -1.5)
    case("exp", [uniform(5, 37, scale=3)], "d", torch.exp)
    case("log", [positive(5, 37)], "d", torch.log)
    case("tanh", [uniform(5, 37, scale=6)], "d", torch.tanh)
    case("sigmoid", [uniform(5, 37, scale=10)], "d", torch.sigmoid)
    case("relu", [off_zero(5, 7, 3)], "d", torch.relu)
    # Exact form, by erf; torch's own gelu has no float64 difference to it.
    case("gelu", [uniform(5, 37, scale=6)], "d",
         lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2.0))))
    # Of an odd number of distinct values none is within 0.025 of a limit.
    case("clamp", [distinct(5, 7)], "d", lambda x: torch.clamp(x, -0.5, 0.25))


def shapes():
    case("reshape", [uniform(2, 3, 4)], "d", lambda x: x.reshape(4, 6))
    case("reshape.scalar", [uniform(1, 1)], "d", lambda x: x.reshape(()))
    case("transpose.2d", [uniform(5, 7)], "d", lambda x: x.T)
    case("transpose.4d", [uniform(2, 3, 4, 5)], "d", lambda x: x.permute(2, 0, 3, 1))
    case("slice.first", [uniform(5, 3)], "d", lambda x: x[1:4])
    case("slice.middle", [uniform(2, 7, 3)], "d", lambda x: x[:, 2:5])
    case("slice.last", [uniform(2, 3, 7)], "d", lambda x: x[..., 6:7])
    case("concat.first", [uniform(2, 3), uniform(1, 3)], "dd", lambda *x: torch.cat(x, 0))
    case("concat.middle", [uniform(2, 3, 4), uniform(2, 1, 4), uniform(2, 5, 4)], "ddd",
         lambda *x: torch.cat(x, 1))
    case("concat.last", [uniform(2, 3, 4), uniform(2, 3, 1)], "dd", lambda *x: torch.cat(x, -1))
    case("concat.one", [uniform(2, 3)], "d", lambda x: x)


def reductions():
    for op, f in (("sum", torch.sum), ("mean", torch.mean)):
        case(f"{op}.first", [uniform(5, 3, 2)], "d", lambda x, f=f: f(x, 0))
        case(f"{op}.middle", [uniform(4, 5, 3)], "d", lambda x, f=f: f(x, 1))
        case(f"{op}.last", [uniform(4, 3, 19)], "d", lambda x, f=f: f(x, -1))
        case(f"{op}.vector", [uniform(11)], "d", lambda x, f=f: f(x, 0))
        case(f"{op}.all", [uniform(3, 4, 5)], "d", lambda x, f=f: f(x))
    case("global_avg_pool.1d", [uniform(2, 7, 3)], "d", lambda x: x.mean(1))
    case("global_avg_pool.2d", [uniform(2, 3, 5, 4)], "d", lambda x: x.mean((1, 2)))


def linear():
    def t(x):
        return x.transpose(-1, -2)
    case("matmul", [uniform(5, 7), uniform(7, 3)], "dd", torch.matmul)
    case("matmul.batch", [uniform(2, 3, 4, 5), uniform(2, 3, 5, 6)], "dd", torch.matmul)
    case("matmul.shared", [uniform(2, 3, 4, 5), uniform(5, 6)], "dd", torch.matmul)
    case("matmul.ta", [uniform(2, 7, 5), uniform(2, 7, 3)], "dd", lambda a, b: t(a) @ b)
    case("matmul.tb", [uniform(2, 5, 7), uniform(3, 7)], "dd", lambda a, b: a @ t(b))
    case("matmul.tab", [uniform(2, 7, 5), uniform(2, 3, 7)], "dd", lambda a, b: t(a) @ t(b))
    case("matmul.row", [uniform(1, 19), uniform(19, 1)], "dd", torch.matmul)

    def dense(x, w, b=None):
        return x @ w + (0 if b is None else b)
    case("dense", [uniform(3, 5, 7), uniform(7, 11), uniform(11)], "ddd", dense)
    case("dense.nobias", [uniform(4, 9), uniform(9, 2)], "dd", dense)
    case("dense.tails", [uniform(37, 65), uniform(65, 33), uniform(33)], "ddd", dense)


def conv1d(x, w, b=None, **how):
    """x (B, T, Cin), w (K, Cin / groups, Cout)"""
    return F.conv1d(x.transpose(1, 2), w.permute(2, 1, 0), b, **how).transpose(1, 2)


def conv2d(x, w, b=None, **how):
    """x (B, F, T, Cin), w (Kf, Kt, Cin, Cout)"""
    return F.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1), b, **how).permute(0, 2, 3, 1)


def convolutions():
    for name, x, w, how in (
            ("same", (2, 9, 5), (3, 5, 7), dict(padding=1)),
            ("point", (2, 6, 5), (1, 5, 4), {}),
            ("stride", (2, 12, 3), (5, 3, 4), dict(stride=2, padding=2)),
            ("wave", (2, 53, 1), (10, 1, 6), dict(stride=5)),
            ("gaps", (1, 11, 3), (2, 3, 4), dict(stride=3)),
            ("groups", (2, 9, 6), (3, 3, 8), dict(padding=1, groups=2)),
            ("positional", (1, 9, 8), (4, 2, 8), dict(padding=2, groups=4)),
            ("depthwise", (2, 8, 4), (3, 1, 4), dict(padding=1, groups=4)),
            ("groupstride", (2, 10, 4), (3, 2, 6), dict(stride=2, padding=1, groups=2)),
            ("wide", (1, 2, 3), (5, 3, 2), dict(padding=3))):
        case(f"conv1d.{name}", [uniform(*x), uniform(*w), uniform(w[-1])], "ddd",
             lambda x, w, b, how=how: conv1d(x, w, b, **how))
    case("conv1d.winograd", [uniform(2, 9, 16), uniform(3, 16, 48), uniform(48)], "ddd",
         lambda x, w, b: conv1d(x, w, b, padding=1))
    case("conv1d.nobias", [uniform(2, 7, 3), uniform(3, 3, 4)], "dd", conv1d)
    for name, x, w, how in (
            ("same", (2, 5, 6, 3), (3, 3, 3, 4), dict(padding=1)),
            ("one", (2, 6, 5, 1), (3, 3, 1, 4), dict(padding=1)),
            ("winograd", (2, 6, 7, 16), (3, 3, 16, 16), dict(padding=1)),
            ("point", (2, 3, 4, 3), (1, 1, 3, 5), {}),
            ("oblong", (1, 7, 8, 2), (2, 3, 2, 3), dict(stride=(2, 1), padding=(1, 0))),
            ("gaps", (2, 7, 7, 2), (2, 1, 2, 3), dict(stride=(3, 2), padding=(0, 2)))):
        case(f"conv2d.{name}", [uniform(*x), uniform(*w), uniform(w[-1])], "ddd",
             lambda x, w, b, how=how: conv2d(x, w, b, **how))
    case("conv2d.nobias", [uniform(1, 4, 5, 2), uniform(3, 3, 2, 3)], "dd", conv2d)


def pooling():
    def pool1d(x, window):
        return F.max_pool1d(x.transpose(1, 2), window).transpose(1, 2)

    def pool2d(x, f, t):
        return F.max_pool2d(x.permute(0, 3, 1, 2), (f, t)).permute(0, 2, 3, 1)
    case("max_pool1d.2", [distinct(2, 9, 3)], "d", lambda x: pool1d(x, 2))
    case("max_pool1d.3", [distinct(2, 11, 5)], "d", lambda x: pool1d(x, 3))
    case("max_pool2d.2x2", [distinct(2, 5, 7, 3)], "d", lambda x: pool2d(x, 2, 2))
    case("max_pool2d.1x3", [distinct(1, 3, 7, 9)], "d", lambda x: pool2d(x, 1, 3))


def batch_norm(x, gamma, beta, mean, var, training, eps=1e-5, momentum=0.1, relu=False):
    """mean and var, (C), are updated in place in training."""
    y = F.batch_norm(x.movedim(-1, 1), mean, var, gamma, beta, training, momentum, eps)
    y = y.movedim(1, -1)
    return torch.relu(y) if relu else y


def clear_of_kinks(name, shape, c):
    """The first of several inputs whose normalised, scaled values stay 0.1 away from 0."""
    gamma, beta = formula.value(name + "/in1", (c,)), formula.value(name + "/in2", (c,))
    for attempt in range(100000):
        x = formula.value(f"{name}/in0.{attempt}", shape)
        rows = x.reshape(-1, c).astype(np.float64)
        y = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-5) * gamma + beta
        if np.abs(y).min() > 0.1 and (y < 0).any() and (y > 0).any():
            return lambda _: x
    raise RuntimeError(name)


def norms():
    def leaves(*shape):
        c = shape[-1]
        return [uniform(*shape), uniform(c), uniform(c), uniform(c), positive(c)]
    for name, shape, how in (("train", (4, 5, 3), {}),
                             ("plane", (3, 4, 5, 2), {}),
                             ("settings", (9, 4), dict(eps=1e-2, momentum=0.3))):
        case(f"batch_norm.{name}", leaves(*shape), "dddss",
             lambda *x, how=how: batch_norm(*x, True, **how))
    relu = leaves(5, 2)
    relu[0] = clear_of_kinks("batch_norm.relu", (5, 2), 2)
    case("batch_norm.relu", relu, "dddss", lambda *x: batch_norm(*x, True, relu=True))
    case("batch_norm.infer", leaves(4, 5, 3), "nnnss", lambda *x: batch_norm(*x, False))
    case("batch_norm.infer_relu", leaves(2, 3, 4, 3), "nnnss",
         lambda *x: batch_norm(*x, False, eps=1e-3, relu=True))

    case("layer_norm", [uniform(3, 5, 8), uniform(8), uniform(8)], "ddd",
         lambda x, g, b: F.layer_norm(x, (8,), g, b))
    case("layer_norm.eps", [uniform(4, 37), uniform(37), uniform(37)], "ddd",
         lambda x, g, b: F.layer_norm(x, (37,), g, b, 1e-2))

    def group_norm(groups, eps=1e-5):
        return lambda x, g, b: F.group_norm(x.movedim(-1, 1), groups, g, b, eps).movedim(1, -1)
    for name, shape, groups in (("1d", (2, 7, 6), 3), ("2d", (2, 3, 4, 6), 2), ("one", (3, 5, 4), 1),
                                ("channel", (2, 9, 5), 5)):
        case(f"group_norm.{name}", [uniform(*shape), uniform(shape[-1]), uniform(shape[-1])], "ddd",
             group_norm(groups))
    case("group_norm.eps", [uniform(2, 4, 4), uniform(4), uniform(4)], "ddd", group_norm(2, 1e-2))


def attention(heads):
    """q (B, Tq, C), k and v (B, Tk, C); head h has channels h C / heads and following."""
    def split(x):
        b, t, c = x.shape
        return x.reshape(b, t, heads, c // heads).transpose(1, 2)

    def run(q, k, v):
        q, k, v = split(q), split(k), split(v)
        p = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)
        return (p @ v).transpose(1, 2).flatten(2)
    return run


def probabilities():
    for op, f in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
        case(f"{op}", [uniform(3, 5, 7)], "d", lambda x, f=f: f(x, -1))
        case(f"{op}.far", [uniform(4, 33, scale=60)], "d", lambda x, f=f: f(x, -1))
    case("attention", [uniform(2, 5, 8) for _ in range(3)], "ddd", attention(2))
    case("attention.one", [uniform(2, 4, 6) for _ in range(3)], "ddd", attention(1))
    case("attention.cross", [uniform(2, 3, 12), uniform(2, 7, 12), uniform(2, 7, 12)], "ddd",
         attention(3))
    case("attention.long", [uniform(1, 37, 10), uniform(1, 67, 10), uniform(1, 67, 10)], "ddd",
         attention(2))
    case("attention.sharp", [uniform(1, 5, 4, scale=6)] * 2 + [uniform(1, 5, 4)], "ddd", attention(2))


CLASS_WEIGHTS = [1.0, 2.0, 0.5, 0.25, 3.0]  # as in tests/ops/cases_layer.c


def losses():
    case("mse", [uniform(3, 4, 5), uniform(3, 4, 5)], "dd", F.mse_loss)

    def cross_entropy(**how):
        def run(x, y):
            weight = torch.tensor(CLASS_WEIGHTS) if how.get("weight") else None
            return F.cross_entropy(x.reshape(-1, x.shape[-1]), y.reshape(-1), weight,
                                   label_smoothing=how.get("smooth", 0.0))
        return run
    for name, how in (("", {}), (".weights", dict(weight=True)), (".smooth", dict(smooth=0.1)),
                      (".both", dict(weight=True, smooth=0.25))):
        case("cross_entropy" + name, [uniform(7, 5, scale=2), labels(5, 7)], "dl",
             cross_entropy(**how))
    case("cross_entropy.rows", [uniform(2, 3, 4), labels(4, 2, 3)], "dl", cross_entropy())
    case("cross_entropy.far", [uniform(6, 8, scale=40), labels(8, 6)], "dl", cross_entropy())


# ---- the file ----------------------------------------------------------------------------------

def compute(out, name, makers, kinds, function):
    arrays = [make(f"{name}/in{i}") for i, make in enumerate(makers)]
    tensors = []
    for i, (a, kind) in enumerate(zip(arrays, kinds, strict=True)):
        out.add(f"{name}/in{i}", a)
        t = torch.from_numpy(np.array(a))
        tensors.append(t if kind == "l" else t.double().requires_grad_(kind == "d"))
    y = function(*tensors)
    out.add(f"{name}/out", y.detach().numpy())
    if "d" in kinds:
        r = formula.value(f"{name}/r", tuple(y.shape))
        out.add(f"{name}/r", r)
        (y * torch.from_numpy(np.array(r)).double()).sum().backward()
    for i, (t, kind) in enumerate(zip(tensors, kinds)):
        if kind == "d":
            out.add(f"{name}/d{i}", t.grad.numpy())
        if kind == "s":
            out.add(f"{name}/new{i}", t.numpy())


def make(out):
    torch.set_default_dtype(torch.float64)
    for family in (elementwise, shapes, reductions, linear, convolutions, pooling, norms,
                   probabilities, losses):
        family()
    for name, makers, kinds, function in CASES:
        compute(out, name, makers, kinds, function)
