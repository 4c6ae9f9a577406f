#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make.py — Makes ops.golden, heads.golden, classifier.golden, prosody.golden and optim.golden, the
numbers that the C code has to reach.

    make.py [DIRECTORY]                     default: the folder of this script

Everything is computed in float64 and stored as float32 (golden.py says how). Made with PyTorch 1.13.1;
run it again after a change to one of the make_*.py that it imports, and commit what it writes. (The
log-mel has its own: make_mel.py.)"""
import pathlib
import sys

import torch

import golden
import make_classifier
import make_heads
import make_ops
import make_optim
import make_prosody


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    folder = folder if folder.is_dir() else folder.parent
    torch.set_num_threads(1)
    for name, part in (("ops", make_ops), ("heads", make_heads),
                       ("classifier", make_classifier), ("prosody", make_prosody),
                       ("optim", make_optim)):
        out = golden.Writer()
        part.make(out)
        path = folder / f"{name}.golden"
        out.write(path)
        print(f"{path.name}: {len(out.tensors)} tensors, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
