/* SPDX-License-Identifier: MIT
 *
 * tensor/tensor.h — Tensor helpers that only the library itself needs. */
#ifndef MOOD_TENSOR_TENSOR_H
#define MOOD_TENSOR_TENSOR_H

#include "mood/tensor.h"

/* Room for a shape as text, the final zero included. */
enum { MOOD__SHAPE_BYTES = 22 * MOOD_MAX_RANK + 4 };

/* "(32, 64, 94, 1)" into buf; returns buf, so that it can stand in an argument list. */
const char *mood__shape_text(char buf[MOOD__SHAPE_BYTES], int rank, const int64_t *dim);

/* Whether all numbers of a contiguous float tensor are finite. Errors: E_NUMERIC (the detail has
 * the name that the caller knows it by, and the first place). */
MOOD_NODISCARD
mood_status mood__check_finite(const mood_tensor *t, const char *name);

static inline float *mood__f32(const mood_tensor *t)
{
    return (float *)t->data;
}

static inline int32_t *mood__i32(const mood_tensor *t)
{
    return (int32_t *)t->data;
}

/* The place of the largest of n >= 1 numbers, the first of equals. */
static inline int mood__argmax(const float *x, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

/* The panels (kernel/gemm_i8.h) of a matrix: `t` with its last axis as columns and all others as
 * rows. As plain bytes, i8 of shape (panels, bytes of each), at t's data where t is i8.
 * Errors: E_SHAPE (rank below 2, or too many rows). */
MOOD_NODISCARD
mood_status mood__tensor_panels(mood_tensor *out, const mood_tensor *t);

/* Whether a float matrix can be MOOD_F32_PANELS. */
bool mood__can_be_f32_panels(const mood_tensor *t);

/* The panels of such a matrix as f32 (N / 32, K, 32), a view: strided where the matrix is f32,
 * contiguous where it is MOOD_F32_PANELS. So that a copy of one view to another makes the one of
 * the other. */
mood_tensor mood__f32_panels(const mood_tensor *t);

/* Copy f32, or a matrix that lies in its panels, into f32. Errors: as mood_tensor_copy. */
MOOD_NODISCARD
mood_status mood__copy_f32(const mood_tensor *dst, const mood_tensor *src);

#endif
