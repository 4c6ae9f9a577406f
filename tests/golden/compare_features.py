#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compare_features.py — An encoder of full size, on a clip, beside torchaudio.

Writes a random checkpoint as large as wav2vec2-base under the names of the Hugging Face hub, lets mood-convert
read it and mood-infer compute the features of the clip, and prints for each layer the largest error
relative to the layer's largest value. Exits 1 when one is beyond the bound. Takes 1 GB of disk and a minute.

    compare_features.py [--build build] [--form base|large] CLIP.wav

The clip has to be mono and 16 kHz, so that both hear the same samples.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import soundfile
import torch

import make_checkpoints
import make_encoder

HERE = pathlib.Path(__file__).resolve().parent
BOUND = 1e-3
PUBLISHED = dict(pos_kernel=128, pos_groups=16)
CONVS = [(512, k, s) for k, s in make_encoder.REAL_CONVS]
FORMS = {
    "base": dict(convs=CONVS, norm="group_norm", bias=False, width=768, layers=12, heads=12,
                 feed_forward=3072, norm_first=False, **PUBLISHED),
    "large": dict(convs=CONVS, norm="layer_norm", bias=True, width=1024, layers=24, heads=16,
                  feed_forward=4096, norm_first=True, **PUBLISHED),
}


def write_checkpoint(folder, form):
    """The network of the checkpoint, in float64."""
    case = dict(form=form, type="wav2vec2", architecture="Wav2Vec2Model", prefix="wav2vec2.",
                split=make_checkpoints.SPLIT, write=make_checkpoints.write_bin)
    model = make_encoder.network(**form)
    tensors = make_checkpoints.encoder_tensors("full", model, np.float32)
    make_checkpoints.load(model, tensors)
    named = make_checkpoints.names_in_file("full", case, tensors, {})
    make_checkpoints.write_bin(folder / "pytorch_model.bin", named)
    make_checkpoints.write_json(folder / "config.json", make_checkpoints.config_of(case))
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parents[1] / "build")
    parser.add_argument("--form", choices=sorted(FORMS), default="base")
    parser.add_argument("clip", metavar="CLIP.wav")
    args = parser.parse_args()
    x, rate = soundfile.read(args.clip)
    if rate != 16000 or x.ndim != 1:
        sys.exit(f"{args.clip}: {rate} Hz, shape {x.shape}; mono and 16000 Hz are needed")
    x = torch.from_numpy(x)[None]
    x = (x - x.mean()) / torch.sqrt(x.var(unbiased=False) + 1e-7)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = write_checkpoint(folder, FORMS[args.form])
        encoder, features = folder / "encoder.h5", folder / "features.h5"
        tools = args.build / "tools"
        subprocess.run([tools / "mood-convert", folder, encoder], check=True)
        subprocess.run([tools / "mood-infer", "--features", features, "--encoder", encoder, args.clip],
                       check=True)
        with torch.no_grad():
            states = make_encoder.hidden_states(model, x)[1]
        worst = 0.0
        with h5py.File(features, "r") as file:
            for i, state in enumerate(states):
                want, got = state.numpy()[0], file[f"layer_{i:02d}"][...]
                if got.shape != want.shape:
                    sys.exit(f"layer {i}: {got.shape}, and torchaudio has {want.shape}")
                error = np.abs(got - want).max() / np.abs(want).max()
                worst = max(worst, error)
                print(f"layer {i:2}  {error:.1e}")
    print(f"worst {worst:.1e}, bound {BOUND:.0e}")
    sys.exit(0 if worst <= BOUND else 1)


if __name__ == "__main__":
    main()
