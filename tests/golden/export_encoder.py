#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""export_encoder.py — Writes wav2vec2-base with random weights as ONNX, for peer_encoder.js to run.

    export_encoder.py OUT.onnx [--seconds 3]

torchaudio's model, float32, weight norm multiplied out, exported by torch.onnx for one length. Speed does
not depend on what the weights are. Made for torchaudio 0.13.1.
"""
import argparse
import warnings

import torch
import torchaudio

SAMPLE_RATE = 16000


class Frames(torch.nn.Module):
    """(1, S) samples -> (1, T, 768): the last hidden state."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, samples):
        return self.model.extract_features(samples)[0][-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("--seconds", type=float, default=3)
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # of branches on shapes, which are constants here
    torch.manual_seed(0)
    model = torchaudio.models.wav2vec2_base().eval()
    torch.nn.utils.remove_weight_norm(model.encoder.transformer.pos_conv_embed.conv)
    samples = torch.randn(1, int(args.seconds * SAMPLE_RATE))
    with torch.no_grad():
        torch.onnx.export(Frames(model).eval(), samples, args.out, opset_version=17,
                          input_names=["samples"], output_names=["frames"])


if __name__ == "__main__":
    main()
