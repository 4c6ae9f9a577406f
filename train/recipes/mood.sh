#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mood.sh — The model that comes with the program, models/mood.h5, and all figures of its card
# (docs/model-card.md): five folds by speaker, then a last network that learns from everybody.
#
#   mood.sh RAVDESS EMO-DB CREMA-D        three folders, as their corpora are downloaded
#
# In the folder where it is called it writes mood.h5, report/, cross/ and, for the comparison with the
# seed recipe on RAVDESS alone, ravdess/ and seed/.
set -eu
[ $# = 3 ] || { sed -n 's/^# \{0,1\}//; 3,11p' "$0"; exit 2; }
train=${MOOD_TRAIN:-mood-train}

# One changed copy of each clip, for recordings that are no studio's.
prosody() { # OPTION...
    "$train" --network prosody --augment noise,room,lowpass --copies 1 "$@"
}

prosody --data "$1" --data "$2" --data "$3" --folds 5 -o mood.h5 --report report
prosody --data "$1" --data "$2" --data "$3" --cross-corpus --report cross

# lambda is chosen in each fold by its validation speakers: a nested figure.
prosody --data "$1" --folds 5 --ridge 3e-6,1e-5,3e-5,1e-4 --report ravdess
"$train" --data "$1" --folds 5 --report seed
