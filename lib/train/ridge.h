/* SPDX-License-Identifier: MIT
 *
 * ridge.h — Ridge regression with weighted rows, in closed form and in double (Hoerl and Kennard,
 * Technometrics 12(1), 1970). It knows nothing of what rows are.
 *
 *     for each block of rows: mood__ridge_add(&r, n, z, y, weight);
 *     for each lambda: mood__ridge_solve(&r, lambda, NULL, w);
 *
 * gives the w (F, V) that minimises
 *
 *     sum over rows of weight |z w - y|^2 / (sum of the weights) + lambda w' P w
 *
 * which is (Z' D Z / s + lambda P)^-1 Z' D Y / s, D the weights and s their sum. P is the identity,
 * or the similarities of a kernel's centres. There is no intercept: one that is wanted is a column
 * of ones. */
#ifndef MOOD_TRAIN_RIDGE_H
#define MOOD_TRAIN_RIDGE_H

#include "mood/base.h"

/* What is kept of all rows, however many they are. */
struct mood__ridge {
    int64_t n_in, n_out; /* F, V */
    double *gram;        /* (F, F): Z' D Z, its upper triangle */
    double *moment;      /* (F, V): Z' D Y */
    double weight;       /* s */
    double *factor;      /* (F, F), and PANEL rows of F: scratch memory of solve */
    mood_pool *pool;
};

/* Free with mood__ridge_free, also after an error. `pool` is borrowed, and may be NULL.
 * Errors: E_NOMEM. */
MOOD_NODISCARD
mood_status mood__ridge_create(struct mood__ridge *r, int64_t n_in, int64_t n_out, mood_pool *pool);
void mood__ridge_free(struct mood__ridge *r);

/* Take n rows in: z (n, F), y (n, V), weight (n) >= 0. z and y are multiplied by the root of their
 * row's weight, in place. The bytes of the result depend on how the rows are divided into blocks,
 * not on the threads. */
void mood__ridge_add(struct mood__ridge *r, int64_t n, double *z, double *y, const double *weight);

/* w (F, V) for lambda >= 0 and the penalty P (F, F), of which the upper triangle counts; NULL is
 * the identity. Errors: E_NUMERIC (the matrix is not positive definite: lambda is too small for
 * rows that are not independent, or a number is not finite). */
MOOD_NODISCARD
mood_status mood__ridge_solve(const struct mood__ridge *r, double lambda, const double *penalty,
                              double *w);

#endif
