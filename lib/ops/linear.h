/* SPDX-License-Identifier: MIT
 *
 * linear.h — What the ops that end in matrix products share. */
#ifndef MOOD_OPS_LINEAR_H
#define MOOD_OPS_LINEAR_H

#include "graph/node.h"

/* Whether both sizes can be given to BLAS, whose integers have 32 bits. */
bool mood__fits_gemm(int64_t a, int64_t b);

/* x, weight and bias are of f32, but the weight has another type. Errors: E_INVALID. */
mood_status mood__need_weight(mood_node *n, mood_dtype dtype);

/* The shape of x W + bias, x (..., K), W (K, N), bias (N) if there is one: (..., N).
 * Errors: E_SHAPE. */
mood_status mood__set_dense_shape(mood_node *n);

/* Input k, if there is one, has to be (C). */
mood_status mood__check_bias(mood_node *n, int k, int64_t C);

/* Each of `rows` rows of C = bias, or zero for NULL: what a product is then added to. */
void mood__start_rows(float *y, const float *bias, int64_t rows, int64_t C);

#endif
