/* SPDX-License-Identifier: MIT
 *
 * watch.h — One training of a toy, and everything that it told and left behind. Include it after
 * <cmocka.h>. */
#ifndef MOOD_TESTS_TRAIN_WATCH_H
#define MOOD_TESTS_TRAIN_WATCH_H

#include "toy.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

enum { PER_SPEAKER = 6, N_TRAIN = 2 * PER_SPEAKER, MAX_STEPS = 200 };

struct log {
    int n_read, n_steps, n_epochs, n_test;
    double loss[MAX_STEPS];
    int size[MAX_STEPS], epoch[MAX_STEPS];
    size_t clip[MAX_STEPS][N_TRAIN], start[MAX_STEPS][N_TRAIN];
    int64_t steps_total;
    int first_step; /* where the log goes on when the training is resumed */
    /* Stop when this many events of this phase have come; 0: do not. */
    mood_train_phase stop_phase;
    int stop_count;
    volatile int *flag; /* set this instead of answering with 1 */
    /* The weights when the best epoch was told of. */
    mood_model *model;
    float *best;
    size_t n_best;
};

/* One training with everything that it left behind. */
struct run {
    mood_status status;
    mood_model *model;
    mood_training out;
    struct log log;
    float *weights;
    size_t n_weights;
};

/* Train a model of that seed. Free with run_free. */
void run_on(struct run *r, const struct toy *t, uint64_t model_seed,
            const mood_train_params *params);
void run_free(struct run *r);

/* Two epochs in batches of 5; the same with all kinds of augmentation. */
mood_train_params run_small(void);
mood_train_params run_augmented(void);

/* The toy that most tests use: PER_SPEAKER clips of each speaker, two of them long. Group fixtures,
 * and a training of it from the model seed 1. */
extern struct toy run_toy;
int run_make_toy(void **state);
int run_free_toy(void **state);
void run(struct run *r, const mood_train_params *params);

#endif
