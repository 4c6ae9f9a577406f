/* SPDX-License-Identifier: MIT
 *
 * i8_kernels.h — The two inner loops of gemm_i8.c, one table per set of instructions.
 *
 * Sums are integers, and what is float is written once, in i8_loops.h: all tables give the same
 * bytes. */
#ifndef MOOD_KERNEL_I8_KERNELS_H
#define MOOD_KERNEL_I8_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/gemm_i8.h"

/* A row of A as integers: a = scale * (q - zero). */
struct mood__i8_row {
    float scale;
    int32_t zero;
};

struct mood__i8_kernels {
    const char *name;
    int rows;       /* rows of A that `tile` works on at once */
    int step_bytes; /* of MOOD__I8_STEP rounded values of A, in the form that `tile` wants */

    /* Round a row of k floats into ceil(k / MOOD__I8_STEP) steps. */
    struct mood__i8_row (*round_row)(void *q, const float *x, int64_t k);

    /* Rows [0, m) times one panel, of which only the first n columns are written. Row i of A begins
     * at q + i * row_bytes. bias may be NULL. */
    void (*tile)(float *y, int64_t ldy, int64_t m, int n, const char *q, int64_t row_bytes,
                 const struct mood__i8_row *row, const char *panel, int64_t k, const float *bias);
};

/* Table i, or NULL when this build or this processor has not got it, or it is above the limit; and
 * the best one that is not. */
enum { MOOD__N_I8_KERNELS = 6 };
const struct mood__i8_kernels *mood__i8_kernels_of(int i);
const struct mood__i8_kernels *mood__i8_kernels(void);

#endif
