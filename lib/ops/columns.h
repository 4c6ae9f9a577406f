/* SPDX-License-Identifier: MIT
 *
 * columns.h — Convolution as a matrix product with explicit columns (im2col), tile by tile so that
 * the columns stay in the cache. Serves conv2d, and those conv1d that cannot use overlapping rows.
 * A 1-D convolution is one with F = Kf = 1. */
#ifndef MOOD_OPS_COLUMNS_H
#define MOOD_OPS_COLUMNS_H

#include "graph/node.h"

/* x (B, F, T, Cin), w (Kf, Kt, Cin / groups, Cout), y (B, Fy, Ty, Cout). */
struct mood__conv {
    int64_t B, F, T, Cin;
    int64_t Kf, Kt, Cout;
    int64_t Fy, Ty;
    int64_t stride_f, stride_t, pad_f, pad_t;
    int64_t groups;
};

/* Output size along one axis; 0 when the kernel does not fit. */
int64_t mood__conv_size(int64_t size, int64_t kernel, int64_t stride, int64_t pad);

/* Scratch memory for either pass. */
size_t mood__columns_scratch(const struct mood__conv *c, int n_workers, bool backward);

/* Inputs of n: x, w, and a bias if there are three. */
void mood__columns_forward(struct mood__run *r, mood_node *n, const struct mood__conv *c);
void mood__columns_backward(struct mood__run *r, mood_node *n, const struct mood__conv *c);

#endif
