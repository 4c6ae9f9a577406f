/* SPDX-License-Identifier: MIT
 *
 * kernel_network.c — The cases of copies, products and softmax; see kernel_cases.c, whose form they
 * have. */
#include <math.h>

#include "kernel_cases.h"

static const double U = 0x1p-24, SECOND_ORDER = 1.01;
static const float FACTOR = 0.25f; /* of softmax */

static double in(const struct kernel_call *c, int k, ptrdiff_t i)
{
    return (double)c->in[k][i];
}

void kernel_run_copy_rows(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->copy_rows(c->out[0], c->C + KERNEL_GAP, c->in[0], c->C, c->rows, c->C);
}

double kernel_exact_copy_rows(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    ptrdiff_t row = i / (c->C + KERNEL_GAP), column = i % (c->C + KERNEL_GAP);
    *bound = 0;
    return column < c->C ? in(c, 0, row * c->C + column) : (double)c->out[0][i];
}

/* a (rows, C) b (C, wt): rows of a are as far apart as they are long, or with flag b half of that,
 * overlapping. Meanwhile the panel in input 2 is copied to output 1, all of it or wt columns. */
static ptrdiff_t row_of_a(const struct kernel_call *c, ptrdiff_t row)
{
    return row * (c->b ? c->C / 2 : c->C);
}

void kernel_run_product(const struct mood__kernels *k, const struct kernel_call *c)
{
    struct mood__pack next = {.panel = c->out[1],
                              .from = c->in[2],
                              .ld = MOOD__PANEL,
                              .rows = c->C,
                              .width = c->a ? c->wt : MOOD__PANEL};
    k->product(c->out[0], c->wt + KERNEL_GAP, c->in[0], row_of_a(c, 1), c->in[1], c->rows, c->wt,
               c->C, c->a, &next);
}

/* The same of the transpose of a (C, rows). */
void kernel_run_product_t(const struct mood__kernels *k, const struct kernel_call *c)
{
    k->product_t(c->out[0], c->wt + KERNEL_GAP, c->in[0], c->rows, c->in[1], c->rows, c->wt, c->C,
                 c->a);
}

/* Element i of c, where number e of its row of a is at a_row + e * a_step. A chain of C fused
 * multiply-adds rounds C times, what it starts from included. */
static double exact_product(const struct kernel_call *c, ptrdiff_t i, ptrdiff_t a_row,
                            ptrdiff_t a_step, double *bound)
{
    ptrdiff_t column = i % (c->wt + KERNEL_GAP);
    *bound = 0;
    if (column >= c->wt)
        return (double)c->out[0][i];
    double y = c->a ? (double)c->out[0][i] : 0, size = fabs(y);
    for (ptrdiff_t e = 0; e < c->C; e++) {
        double term =
            (double)c->in[0][a_row + e * a_step] * (double)c->in[1][e * MOOD__PANEL + column];
        y += term;
        size += fabs(term);
    }
    *bound = (double)c->C * U * size * SECOND_ORDER;
    return y;
}

double kernel_exact_product(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    *bound = 0;
    if (o == 1)
        return c->a && i % MOOD__PANEL >= c->wt ? (double)c->out[1][i] : in(c, 2, i);
    return exact_product(c, i, row_of_a(c, i / (c->wt + KERNEL_GAP)), 1, bound);
}

double kernel_exact_product_t(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    return exact_product(c, i, i / (c->wt + KERNEL_GAP), c->rows, bound);
}

void kernel_run_softmax(const struct mood__kernels *k, const struct kernel_call *c)
{
    if (c->C > 0)
        k->softmax(c->out[0], c->in[0], c->C, FACTOR);
}

/* The exponent, a difference and a product, is off by 2 U of itself, which e^ sees as it is; the
 * sum as in exact_sum; a reciprocal and a product. */
double kernel_exact_softmax(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    double top = -INFINITY, sum = 0, off = 0, s = (double)FACTOR;
    for (ptrdiff_t e = 0; e < c->C; e++)
        top = fmax(top, in(c, 0, e));
    for (ptrdiff_t e = 0; e < c->C; e++) {
        double q = (in(c, 0, e) - top) * s;
        sum += exp(q);
        off += exp(q) * (2 * U * fabs(q) + KERNEL_EXP);
    }
    double q = (in(c, 0, i) - top) * s, y = exp(q) / sum;
    *bound = y * (2 * U * fabs(q) + KERNEL_EXP + off / sum + ((double)c->C + 2) * U) * SECOND_ORDER;
    return y;
}
