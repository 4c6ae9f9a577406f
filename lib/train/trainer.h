/* SPDX-License-Identifier: MIT
 *
 * trainer.h — What the parts of a training share: trainer.c sets it up and runs the epochs, steps.c
 * makes their steps, prosody.c trains without any, answers.c answers the clips of a side. */
#ifndef MOOD_TRAIN_TRAINER_H
#define MOOD_TRAIN_TRAINER_H

#include <time.h>

#include "mood/infer.h"
#include "mood/train.h"
#include "train/bank.h"
#include "train/dataset.h"
#include "train/objective.h"
#include "train/prosody_bank.h"
#include "train/tuning.h"
#include "train/work.h"

/* Streams of random numbers that belong to one seed. */
enum {
    MOOD__STREAM_ORDER = 1,
    MOOD__STREAM_WINDOW = 2,
    MOOD__STREAM_DROPOUT = 3,
    MOOD__STREAM_MIXUP = 4
};

/* The training graph for one batch size: the usual one, and that of an epoch's last batch. */
struct mood__batch_graph {
    mood_graph *graph;
    mood_node *features, *mel; /* features: hidden states, or samples for an encoder that is
                                * trained from them; NULL without an encoder */
    mood_node *logits;
    struct mood__objective goal;
    int size;
};

struct mood__trainer {
    mood_model *model;
    const mood_corpus *corpus;
    const mood_split *split;
    mood_train_params p;
    mood_training *out;

    struct mood__tuning tuning;   /* of the encoder */
    struct mood__dataset data;    /* the clips, as planes or samples */
    struct mood__bank *bank;      /* the clips, as an encoder, or its frozen part, hears them */
    mood_prosody_bank *prosody;   /* the clips, of a network on prosody; the caller's, or */
    mood_prosody_bank *own;       /* this training's */
    mood_weights *weights, *best; /* of all that is trained: live, and those of the best epoch */
    mood_optimiser *optimiser;
    mood_average *average; /* NULL: none */
    struct mood__batch_graph batch[2];
    mood_infer **infers; /* one per thread, over the live weights */
    int n_infers;

    size_t *train, *other; /* clips of the training side; of the side being answered */
    size_t n_train, n_other;
    int64_t *order;                   /* a permutation of the training clips */
    size_t *batch_clip, *batch_start; /* what is in the batch */
    struct mood__failure *failures;   /* (batch) of filling it */
    float class_weight[MOOD_MAX_LABELS];
    int64_t n_steps, total_steps;             /* batches */
    int64_t n_updates, total_updates, warmup; /* steps of the optimiser */
    double lr;                                /* before warm-up and cosine */
    double best_accuracy;
    mood_early_stop early;
    bool enough;        /* the early stop has come */
    bool ends_epoch;    /* the flag to stop waits for the end of the epoch, and its checkpoint */
    int64_t first_step; /* of this run: n_steps when it was resumed */
    struct timespec began;
};

/* Whether the caller's flag wants an end now. */
bool mood__trainer_flagged(const struct mood__trainer *t);

/* Tell the caller of an event: whether it, or the flag, wants an end. */
bool mood__trainer_tell(const struct mood__trainer *t, mood_train_event e);

/* Tell the caller of clips that were read. `user` is the trainer. */
mood__read_callback mood__trainer_on_read;

/* The error of a training that was stopped. */
mood_status mood__trainer_stopped(void);

/* The clips of one side, in the corpus' order. Returns their number. */
size_t mood__trainer_side(const struct mood__trainer *t, mood_side side, size_t *clips);

/* Whether model and corpus have the same labels. Errors: E_INVALID. */
MOOD_NODISCARD
mood_status mood__trainer_check_labels(const struct mood__trainer *t);

/* Whether what is to be done to training windows can be done. Errors: E_INVALID. */
MOOD_NODISCARD
mood_status mood__trainer_check_augment(const struct mood__trainer *t);

/* Make the recognisers, one per thread. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__trainer_make_infers(struct mood__trainer *t);

/* After training: give the model the best weights, if any epoch is over. Returns `status`, or the
 * error of doing so. */
MOOD_NODISCARD
mood_status mood__trainer_take_best(struct mood__trainer *t, mood_status status);

/* All of a training of a network on prosody but for the test. Errors: as mood_train. */
MOOD_NODISCARD
mood_status mood__trainer_fit_prosody(struct mood__trainer *t);

/* One epoch over the training side: e->epoch says which; its loss, accuracy and rate are filled in.
 * Allocates nothing. Errors: E_NUMERIC, E_IO (the cache), E_STOPPED. */
MOOD_NODISCARD
mood_status mood__trainer_epoch(struct mood__trainer *t, mood_epoch *e);

/* Answer the validation side with the weights as they are: the epoch's figures, and the temperature
 * that fits them. Errors: E_NUMERIC, E_IO (the cache), E_STOPPED, E_NOMEM. */
MOOD_NODISCARD
mood_status mood__trainer_validate(struct mood__trainer *t, mood_epoch *e);

/* Answer the training side: the loss and accuracy of the epoch. Errors: the same. */
MOOD_NODISCARD
mood_status mood__trainer_look_back(struct mood__trainer *t, mood_epoch *e);

/* Answer the test side: t->out has the answers. Errors: the same. */
MOOD_NODISCARD
mood_status mood__trainer_test(struct mood__trainer *t);

#endif
