/* SPDX-License-Identifier: MIT
 *
 * sayings.h — What the network said of the single windows of some clips: the temperature is fitted
 * on that, since it is applied window by window. */
#ifndef MOOD_TRAIN_SAYINGS_H
#define MOOD_TRAIN_SAYINGS_H

#include "mood/infer.h"

struct mood__sayings {
    size_t n; /* clips */
    int V;
    int *label;      /* (n) the truth: for the caller to fill */
    size_t *windows; /* (n) how many of each clip count */
    float **prob;    /* (n) of (windows, V) */
};

/* Free in any case, also after a failure. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__sayings_begin(struct mood__sayings *s, size_t n, int n_labels);
void mood__sayings_free(struct mood__sayings *s);

/* Keep the windows that an answer to clip i is the mean of. Safe among threads for different i.
 * Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__sayings_keep(struct mood__sayings *s, size_t i, const mood_result *r);

/* mood_fit_temperature on all of them. Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__sayings_fit(const struct mood__sayings *s, double *temperature);

#endif
