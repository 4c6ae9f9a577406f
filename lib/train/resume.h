/* SPDX-License-Identifier: MIT
 *
 * resume.h — Checkpoints of a training: all that the next epoch depends on, in a file. */
#ifndef MOOD_TRAIN_RESUME_H
#define MOOD_TRAIN_RESUME_H

#include "base/sha256.h"
#include "train/trainer.h"

/* Write t->p.checkpoint, after an epoch. Errors: E_IO, E_NOMEM. */
MOOD_NODISCARD
mood_status mood__checkpoint_save(struct mood__trainer *t);

/* Put the trainer, which has just been set up, where the one was that wrote t->p.checkpoint.
 * Errors: E_IO, E_FORMAT, E_UNSUPPORTED, E_MISSING, E_SHAPE (the file is not there, damaged, or of
 * another model), E_INVALID (it is of other settings; detail names the first), E_NOMEM. After an
 * error the trainer is of no use. */
MOOD_NODISCARD
mood_status mood__checkpoint_load(struct mood__trainer *t);

/* ---- settings.c ---- */

/* What decides the result of a training, but for its clips and its weights. */
struct mood__setting {
    const char *name;
    double value;
};
enum { MOOD__MAX_SETTINGS = 64 };

/* In a fixed order; returns their number. A new one goes to the end, where older checkpoints have
 * none. */
int mood__settings_of(const struct mood__trainer *t, struct mood__setting out[MOOD__MAX_SETTINGS]);

/* A digest of the labels, and of the clips with their labels and sides: 64 hexadecimal digits. */
void mood__settings_clips(const struct mood__trainer *t, char hex[MOOD__SHA256_HEX_BYTES]);

#endif
