/* SPDX-License-Identifier: MIT
 *
 * toy.h — A corpus on disk that is quickly made and quickly learnt: each emotion is a tone of its
 * own in some noise. Speakers 1 to 4, named as RAVDESS names its files. Include it after
 * <cmocka.h>. */
#ifndef MOOD_TESTS_TRAIN_TOY_H
#define MOOD_TESTS_TRAIN_TOY_H

#include "corpus/tree.h"
#include "mood/train.h"

enum { TOY_SPEAKERS = 4 };

struct toy_params {
    int per_speaker; /* clips of each speaker; emotions take turns */
    bool long_clips; /* every third has several windows, with a pause in it */
};

struct toy {
    struct tree tree;
    mood_corpus *corpus;
    mood_split *split; /* speakers 1 and 2 to train, 3 to validate, 4 to test */
};

/* A cmocka failure when something does not work. Free with toy_free. */
void toy_make(struct toy *t, const struct toy_params *p);
void toy_free(struct toy *t);

/* A model with an eighth of the channels, which learns a toy in a few dozen steps. */
mood_model *toy_model(uint64_t seed);

/* All weights, one number after the other. Owned by the caller: free(). */
float *toy_weights(mood_model *m, size_t *n);

#endif
