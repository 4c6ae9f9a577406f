#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make_finetune.py — Makes finetune.golden: the losses of an encoder that is trained with the heads.

    make_finetune.py [DIRECTORY]               default: the folder of this script

The encoders of make_encoder.py and the narrow heads of make_heads.py, in float64 and without dropout,
weights by the formula. Adam moves the heads at 1e-3, and what is trained of the encoder at a part of
that. Each step has new inputs: mel and labels as in make_heads.py, and the samples or the hidden state.
Made with PyTorch 1.13.1 and torchaudio 0.13.1.

    layers/losses    form "base", layers 2 and 3 of 3, on hidden state 1; the encoder at 0.1
    top/losses       form "large", layer 2 of 2 and the norm behind it, on hidden state 1; at 0.1
    all/losses       form "base", all of it, on samples; at 1
"""
import pathlib
import sys

import numpy as np
import torch

import formula
import golden
import make_encoder
import twin

BATCH, STEPS, DIVISOR = 4, 8, 8
CASES = {"layers": ("base", 1, 0.1), "top": ("large", 1, 0.1), "all": ("base", None, 1.0)}


def upper(model, x, first):
    """Hidden state `first` (B, T, D) -> the last."""
    t = model.encoder.transformer
    for layer in t.layers[first:]:
        x = layer(x)
    return x if t.layer_norm_first else t.layer_norm(x)


def losses(form, first, rate):
    encoder = make_encoder.build(**make_encoder.FORMS[form]).train()
    width = make_encoder.FORMS[form]["width"]
    heads = twin.Heads(width, divisor=DIVISOR, dropout=0.0).double().train()
    heads.start_by_formula()
    t = encoder.encoder.transformer
    if first is None:
        trained = list(encoder.parameters())
    else:
        trained = [p for layer in t.layers[first:] for p in layer.parameters()]
        if not t.layer_norm_first:
            trained += list(t.layer_norm.parameters())
    optimizer = torch.optim.Adam([{"params": heads.parameters()},
                                  {"params": trained, "lr": 1e-3 * rate}], lr=1e-3)
    n = make_encoder.SAMPLES[form]
    with torch.no_grad():
        frames = encoder.feature_extractor(torch.zeros(1, n, dtype=torch.float64), None)[0].shape[1]
    result = []
    for step in range(STEPS):
        shape = (BATCH, n) if first is None else (BATCH, frames, width)
        x = torch.from_numpy(formula.value(f"input.{step}", shape).astype(np.float64))
        _, mel, labels = twin.formula_batch(step, BATCH, 0, dtype=torch.float64)
        if first is None:
            x = make_encoder.hidden_states(encoder, x)[1][-1]
        else:
            x = upper(encoder, x, first)
        loss = torch.nn.functional.cross_entropy(heads(x.transpose(1, 2), mel), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        result.append(loss.item())
    return result


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    folder = folder if folder.is_dir() else folder.parent
    torch.set_num_threads(1)
    out = golden.Writer()
    for case, settings in CASES.items():
        out.add(f"{case}/losses", losses(*settings))
    path = folder / "finetune.golden"
    out.write(path)
    print(f"{path.name}: {len(out.tensors)} tensors, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
