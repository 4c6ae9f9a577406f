/* SPDX-License-Identifier: MIT
 *
 * kernel_product.c — The case of the product kernel; see kernel_cases.c. */
#include <math.h>

#include "kernel_cases.h"

/* a (rows, C) b (C, wt): rows of a are as far apart as they are long, or with flag b half of that,
 * overlapping. Meanwhile the panel in input 2 is copied to output 1, all of it or wt columns. */
static ptrdiff_t row_of_a(const struct kernel_call *c, ptrdiff_t row)
{
    return row * (c->b ? c->C / 2 : c->C);
}

void kernel_run_product(const struct mood__kernels *k, const struct kernel_call *c)
{
    struct mood__pack next = {c->out[1], c->in[2], MOOD__PANEL, c->C, c->a ? c->wt : MOOD__PANEL};
    k->product(c->out[0], c->wt + KERNEL_GAP, c->in[0], row_of_a(c, 1), c->in[1], c->rows, c->wt,
               c->C, c->a, &next);
}

/* A chain of C fused multiply-adds rounds C times, what it starts from included. */
double kernel_exact_product(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    *bound = 0;
    if (o == 1)
        return c->a && i % MOOD__PANEL >= c->wt ? (double)c->out[1][i] : (double)c->in[2][i];
    ptrdiff_t row = i / (c->wt + KERNEL_GAP), column = i % (c->wt + KERNEL_GAP);
    if (column >= c->wt)
        return (double)c->out[0][i];
    double y = c->a ? (double)c->out[0][i] : 0, size = fabs(y);
    for (ptrdiff_t e = 0; e < c->C; e++) {
        double term =
            (double)c->in[0][row_of_a(c, row) + e] * (double)c->in[1][e * MOOD__PANEL + column];
        y += term;
        size += fabs(term);
    }
    *bound = (double)c->C * 0x1p-24 * size * 1.01;
    return y;
}
