#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make_encoder.py — Makes encoder.golden: the truth about wav2vec 2.0 in its forms, narrow.

    make_encoder.py [DIRECTORY]                default: the folder of this script

torchaudio.models.wav2vec2 in float64, with tiny configurations. Weights and inputs come from the
formula (formula.py), under libmood's names, and are not stored; convolutions of the feature encoder and
the two projections that attention compares, q and k, are 4 times what the formula says, or next to
nothing would be left of the samples behind seven convolutions, and every frame would attend to all alike.
Made with torchaudio 0.13.1.

    <form>/latent                     (B, T, C) out of the last convolution
    <form>/layer_00 ... layer_NN      (B, T, D) as transformers' hidden_states
    <form>/grad/<weight>              of the mean of (layer_NN - target)^2, in libmood's layout
    short/...                         the form "base" on 400 samples, which give one frame
    prepare/x                         what do_normalize makes of the samples of "base" / 8 + 0.25
"""
import pathlib
import sys

import numpy as np
import torch
from torchaudio.models.wav2vec2 import model as w2v

import formula
import golden

REAL_CONVS = list(zip((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)))  # kernel, stride

# tests/models/encoder_forms.h has the same table.
FORMS = {
    # wav2vec2-base, hubert-base
    "base": dict(convs=[(12, k, s) for k, s in REAL_CONVS], norm="group_norm", bias=False, width=16,
                 layers=3, heads=2, feed_forward=24, pos_kernel=16, pos_groups=4, norm_first=False),
    # XLSR, hubert-large
    "large": dict(convs=[(12, k, s) for k, s in REAL_CONVS], norm="layer_norm", bias=True, width=24,
                  layers=2, heads=3, feed_forward=32, pos_kernel=128, pos_groups=8, norm_first=True),
    # none that was published: an odd positional kernel, widths that differ
    "odd": dict(convs=[(8, 10, 5), (12, 3, 2), (10, 2, 2)], norm="group_norm", bias=True, width=12,
                layers=1, heads=3, feed_forward=20, pos_kernel=5, pos_groups=2, norm_first=False),
}
SAMPLES = {"base": 3000, "large": 2700, "odd": 300}
SHORTEST = 400


def mood_name(name):
    """torchaudio's name of a weight -> transformers', which is libmood's."""
    for old, new in (("encoder.feature_projection.", "feature_projection."),
                     ("encoder.transformer.", "encoder.")):
        if name.startswith(old):
            return new + name[len(old):]
    return name


def to_mood(tensor):
    """(Cout, Cin, K) -> (K, Cin, Cout), (Cout, Cin) -> (Cin, Cout)."""
    return np.ascontiguousarray(tensor.detach().numpy().transpose())


def gain(name):
    louder = ("feature_extractor" in name and name.endswith("conv.weight")) or \
        name.endswith(("q_proj.weight", "k_proj.weight"))
    return np.float32(4 if louder else 1)


def network(convs, norm, bias, width, layers, heads, feed_forward, pos_kernel, pos_groups, norm_first):
    """The network in inference mode, float64, with PyTorch's random weights."""
    return w2v.wav2vec2_model(
        extractor_mode=norm, extractor_conv_layer_config=convs, extractor_conv_bias=bias,
        encoder_embed_dim=width, encoder_projection_dropout=0.0, encoder_pos_conv_kernel=pos_kernel,
        encoder_pos_conv_groups=pos_groups, encoder_num_layers=layers, encoder_num_heads=heads,
        encoder_attention_dropout=0.0, encoder_ff_interm_features=feed_forward,
        encoder_ff_interm_dropout=0.0, encoder_dropout=0.0, encoder_layer_norm_first=norm_first,
        encoder_layer_drop=0.0, aux_num_out=None).double().eval()


def build(**form):
    """The network with the weights of the formula, and without weight norm."""
    model = network(**form)
    torch.nn.utils.remove_weight_norm(model.encoder.transformer.pos_conv_embed.conv)
    with torch.no_grad():
        for name, p in model.named_parameters():
            full = mood_name(name)
            w = formula.weight(full, tuple(reversed(p.shape))) * gain(full)
            p.copy_(torch.from_numpy(np.ascontiguousarray(w.transpose())))
    return model


def hidden_states(model, samples):
    """(latent, [layer_00 ... layer_NN]) for samples (B, S)."""
    latent, _ = model.feature_extractor(samples, None)
    t = model.encoder.transformer
    # torchaudio builds the two norms "first" of the large form the other way round: its transformer
    # is layer_norm_first where the layers are not.
    x = t._preprocess(model.encoder.feature_projection(latent))
    states = [x]
    for layer in t.layers:
        states.append(layer(states[-1]))
    if not t.layer_norm_first:
        states[-1] = t.layer_norm(states[-1])
    return latent, states


def samples_of(name, n):
    return torch.from_numpy(formula.value("samples." + name, (1, n)).astype(np.float64))


def add_states(out, case, model, samples):
    latent, states = hidden_states(model, samples)
    # The other way to the same numbers, by torchaudio alone.
    assert torch.equal(states[-1], model(samples)[0])
    out.add(f"{case}/latent", latent.detach().numpy())
    for i, state in enumerate(states):
        out.add(f"{case}/layer_{i:02d}", state.detach().numpy())
    return states


def make(out):
    for name, form in FORMS.items():
        model = build(**form)
        last = add_states(out, name, model, samples_of(name, SAMPLES[name]))[-1]
        if name == "base":
            add_states(out, "short", model, samples_of("short", SHORTEST))
        if name != "odd":
            target = formula.value("target." + name, tuple(last.shape)).astype(np.float64)
            torch.nn.functional.mse_loss(last, torch.from_numpy(target)).backward()
            for weight, p in model.named_parameters():
                out.add(f"{name}/grad/{mood_name(weight)}", to_mood(p.grad))
    x = samples_of("base", SAMPLES["base"]).numpy()[0] / 8 + 0.25
    out.add("prepare/x", (x - x.mean()) / np.sqrt(x.var() + 1e-7))


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    folder = folder if folder.is_dir() else folder.parent
    torch.set_num_threads(1)
    out = golden.Writer()
    make(out)
    path = folder / "encoder.golden"
    out.write(path)
    print(f"{path.name}: {len(out.tensors)} tensors, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
