/* SPDX-License-Identifier: MIT
 *
 * prosody_fit.h — Fitting a network on prosody to rows of functionals, in closed form: kernel ridge
 * regression on a part of the rows, the centres (Nystroem's method: Williams and Seeger, NIPS 2000;
 * Rudi, Camoriano and Rosasco, NIPS 2015).
 *
 *     mood__prosody_fit_begin(&fit, &params);
 *     for each lambda: mood__prosody_fit_solve(&fit, lambda);     (the weights are those of lambda)
 *     mood__prosody_fit_free(&fit);
 *
 * It knows nothing of clips and sides. With k the similarities of a row to the centres, the weights
 * A minimise
 *
 *     sum over rows of weight |k A - y|^2 / (sum of the weights) + lambda trace(A' C A)
 *
 * where C are the similarities of the centres to each other. y is 1 - 1/V for the row's label and
 * -1/V for the others, so that what is like nothing that is known gets no answer rather than the
 * most frequent one; and 1 for the gate. A background row has -1 there, and zeros everywhere else:
 * of what is like neither voices nor background, the gate says which it is less unlike. */
#ifndef MOOD_TRAIN_PROSODY_FIT_H
#define MOOD_TRAIN_PROSODY_FIT_H

#include "mood/model.h"
#include "train/ridge.h"

enum { MOOD__BACKGROUND = -1 };

struct mood__fit_row {
    const float *x; /* (F) functionals, borrowed */
    int label;      /* or MOOD__BACKGROUND */
    double weight;
    bool plain; /* as it was recorded: may become a centre, as any background row may */
};

struct mood__prosody_fit_params {
    mood_weights *weights; /* of the network, borrowed; they are written */
    const mood_prosody_net_params *net;
    const struct mood__fit_row *rows; /* borrowed; those of the background last */
    size_t n_rows;
    uint64_t seed; /* of the choice of centres */
    mood_pool *pool;
    /* Told after each block; another value than 0 stops. */
    int (*on_block)(void *user, int64_t done, int64_t total);
    void *user;
};

struct mood__prosody_fit {
    struct mood__prosody_fit_params p;
    mood_graph *graph;
    mood_node *in, *similarity; /* (BLOCK, F), (BLOCK, M) */
    size_t *centres;            /* rows */
    int64_t n_centres;          /* at most M; the other centres count nothing */
    int n_out;                  /* V, and one for the gate */
    struct mood__ridge ridge;
    double *penalty;        /* (n_centres, n_centres): C */
    double *k, *y, *weight; /* a block */
    double *solution;       /* (n_centres, n_out) */
};

/* Standardise, choose the centres, and take all rows in. Free the fit in any case.
 * Errors: E_STOPPED, E_NOMEM. */
MOOD_NODISCARD
mood_status mood__prosody_fit_begin(struct mood__prosody_fit *fit,
                                    const struct mood__prosody_fit_params *params);

/* Errors: E_NUMERIC. */
MOOD_NODISCARD
mood_status mood__prosody_fit_solve(struct mood__prosody_fit *fit, double lambda);

void mood__prosody_fit_free(struct mood__prosody_fit *fit);

#endif
