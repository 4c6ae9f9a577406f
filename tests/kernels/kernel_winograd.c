/* SPDX-License-Identifier: MIT
 *
 * kernel_winograd.c — The cases of Winograd's maps; see kernel_cases.c, whose form they have. Their
 * matrices are made from the points alone, as in Cook's and Toom's algorithm. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "kernel_cases.h"

enum { N = 6, FINITE = 5, LANES = 16 };

/* Each term goes through at most five roundings, and two constants are rounded themselves. */
static const double BOUND = 8 * 0x1p-24;

/* Strip s, vector i, channel c is at (s * N + i) * width + c. */
static ptrdiff_t channels(const struct kernel_call *c)
{
    return c->C / LANES * LANES;
}

ptrdiff_t kernel_strips_size(const struct kernel_call *c)
{
    return c->rows * N * channels(c);
}

void kernel_run_strips(const struct mood__kernels *k, const struct kernel_call *c)
{
    mood__strip_map *map;
    memcpy(&map, (const char *)k + c->field, sizeof(map));
    ptrdiff_t width = channels(c);
    map(&(struct mood__strips){c->out[0], width, N * width, c->in[0], width, N * width, channels(c),
                               c->rows});
}

static double point(int j)
{
    static const double square[FINITE] = {0, 0.5, 0.5, 2, 2};
    return j % 2 ? sqrt(square[j]) : -sqrt(square[j]);
}

/* Coefficient `power` of the product of x - p over all finite points but number `but`. */
static double coefficient(int but, int power)
{
    double poly[N + 1] = {1};
    int degree = 0;
    for (int j = 0; j < FINITE; j++) {
        if (j == but)
            continue;
        degree++;
        for (int e = degree; e >= 0; e--)
            poly[e] = (e > 0 ? poly[e - 1] : 0) - point(j) * poly[e];
    }
    return poly[power];
}

static double b_transposed(int i, int j)
{
    return coefficient(i, j); /* the last leaves out none */
}

static double a_transposed(int i, int j)
{
    return j == FINITE ? i == 3 : pow(point(j), i);
}

static double g(int i, int j)
{
    if (i == FINITE) /* infinity */
        return j == 2;
    double others = 1;
    for (int l = 0; l < FINITE; l++)
        others *= l == i ? 1 : point(i) - point(l);
    return pow(point(i), j) / others;
}

static double exact(const struct kernel_call *c, ptrdiff_t at, double *bound, int n_out, int n_in,
                    double (*matrix)(int, int), bool transposed)
{
    ptrdiff_t width = channels(c), strip = at / width / N, channel = at % width;
    int i = (int)(at / width % N);
    double y = 0, size = 0;
    *bound = 0;
    if (i >= n_out)
        return (double)c->out[0][at];
    for (int j = 0; j < n_in; j++) {
        double term = (transposed ? matrix(j, i) : matrix(i, j)) *
                      (double)c->in[0][(strip * N + j) * width + channel];
        y += term;
        size += fabs(term);
    }
    *bound = BOUND * size;
    return y;
}

double kernel_exact_wino_input(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    return exact(c, i, bound, 6, 6, b_transposed, false);
}

double kernel_exact_wino_output(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    return exact(c, i, bound, 4, 6, a_transposed, false);
}

double kernel_exact_wino_output_grad(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    return exact(c, i, bound, 6, 4, a_transposed, true);
}

double kernel_exact_wino_weight(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    return exact(c, i, bound, 6, 3, g, false);
}

double kernel_exact_wino_weight_grad(const struct kernel_call *c, int o, ptrdiff_t i, double *bound)
{
    (void)o;
    return exact(c, i, bound, 3, 6, g, true);
}
