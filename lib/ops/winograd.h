/* SPDX-License-Identifier: MIT
 *
 * winograd.h — Convolutions of three taps, or 3 x 3, with stride one, in half or a quarter of the
 * multiplications (kernel/winograd.h). */
#ifndef MOOD_OPS_WINOGRAD_H
#define MOOD_OPS_WINOGRAD_H

#include "ops/columns.h"

/* Whether it is such a convolution, with channels enough, on a processor with products of our own.
 * Of the shape of one sample alone, so that batches of any size give a sample the same bytes. */
bool mood__winograd_pays(const struct mood__conv *c);

/* Bytes of scratch for either pass. */
size_t mood__winograd_scratch(const struct mood__conv *c, int n_workers, bool backward);

/* Inputs of n: x, w, and a bias if there are three. The same bytes on any number of threads. */
void mood__winograd_forward(struct mood__run *r, mood_node *n, const struct mood__conv *c);
void mood__winograd_backward(struct mood__run *r, mood_node *n, const struct mood__conv *c);

#endif
