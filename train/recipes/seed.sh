#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# seed.sh — The seed recipe on real voices, ours beside PyTorch's, on the same folds: the two tables of
# seed.md. DATA is a folder with RAVDESS names; hours of computing on two cores. Needs python3-torch,
# python3-torchaudio, python3-h5py and python3-soundfile.
#
#     train/recipes/seed.sh DATA OUT
set -euo pipefail

[ $# -eq 2 ] || { echo "usage: seed.sh DATA OUT" >&2; exit 2; }
data=$1 out=$2
top=$(cd "$(dirname "$0")/../.." && pwd)
peer=(/usr/bin/python3 "$top/tests/golden/peer_train.py")
mkdir -p "$out"

# Step by step: the same start, windows and batches, dropout off.
"$top/build/train/mood-train" --data "$data" --epochs 1 --dropout 0 --seed 0 \
    -o "$out/trace.h5" --trace "$out/trace"
"${peer[@]}" trace "$out/trace" | tee "$out/trace.txt"

# Five folds by speaker, two seeds each.
"${peer[@]}" folds 5 "$data" "$out/folds"
for fold in 1 2 3 4 5; do
    for seed in 0 1; do
        "$top/build/train/mood-train" --data "$data" --split "$out/folds/fold$fold.csv" \
            --seed "$seed" -o "$out/model-$fold-$seed.h5" --report "$out/report-$fold-$seed"
    done
done
grep -H -E '"(accuracy|uar|best_epoch)":' "$out"/report-*/metrics.json | tee "$out/ours.txt"
"${peer[@]}" protocol "$data" "$out"/folds/fold?.csv --seeds 0,1 | tee "$out/peer.md"
