/* SPDX-License-Identifier: MIT
 *
 * ridge.c — Sums of products, and a Cholesky factorisation. */
#include "train/ridge.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pool.h"
#include "kernel/gemm.h"

enum { PANEL = 64 }; /* rows of the factor that are finished before the others hear of them */

mood_status mood__ridge_create(struct mood__ridge *r, int64_t n_in, int64_t n_out, mood_pool *pool)
{
    size_t F = (size_t)n_in, V = (size_t)n_out, most;
    *r = (struct mood__ridge){.n_in = n_in, .n_out = n_out, .pool = pool};
    if (!mood__mul_size(F + PANEL, F * sizeof(double), &most))
        return mood__nomem();
    r->gram = mood__calloc(F * F, sizeof(double));
    r->factor = mood__calloc((F + PANEL) * F, sizeof(double));
    r->moment = mood__calloc(F, V * sizeof(double));
    return r->gram && r->factor && r->moment ? MOOD_OK : mood__nomem();
}

void mood__ridge_free(struct mood__ridge *r)
{
    mood__free(r->gram);
    mood__free(r->factor);
    mood__free(r->moment);
    *r = (struct mood__ridge){0};
}

/* ---- rows ---- */

enum { TILE = 128 }; /* columns: small enough to divide the work, large enough for a product */

struct adding {
    struct mood__ridge *r;
    int64_t n_rows, n_tiles;
    const double *z, *y;
};

static int64_t at_most_tile(int64_t rest)
{
    return rest < TILE ? rest : TILE;
}

/* Tiles of the upper triangle, and behind them those of the moment. */
static void add_tile(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct adding *a = ctx;
    int64_t F = a->r->n_in, V = a->r->n_out, row = 0;
    int64_t n_upper = a->n_tiles * (a->n_tiles + 1) / 2;
    if (task >= n_upper) {
        int64_t i = (task - n_upper) * TILE;
        mood__gemm_f64_tn(at_most_tile(F - i), V, a->n_rows, a->z + i, F, a->y, V,
                          a->r->moment + i * V, V);
        return;
    }
    for (; task >= a->n_tiles - row; row++)
        task -= a->n_tiles - row;
    int64_t i = row * TILE, j = (row + task) * TILE;
    mood__gemm_f64_tn(at_most_tile(F - i), at_most_tile(F - j), a->n_rows, a->z + i, F, a->z + j, F,
                      a->r->gram + i * F + j, F);
}

void mood__ridge_add(struct mood__ridge *r, int64_t n, double *z, double *y, const double *weight)
{
    for (int64_t i = 0; i < n; i++) {
        double root = sqrt(weight[i]);
        for (int64_t k = 0; k < r->n_in; k++)
            z[i * r->n_in + k] *= root;
        for (int64_t k = 0; k < r->n_out; k++)
            y[i * r->n_out + k] *= root;
        r->weight += weight[i];
    }
    struct adding a = {r, n, (r->n_in + TILE - 1) / TILE, z, y};
    mood__blas_begin();
    mood__pool_run(r->pool, a.n_tiles * (a.n_tiles + 1) / 2 + a.n_tiles, add_tile, &a);
    mood__blas_end();
}

/* ---- solution ---- */

/* A pivot that lost this much to the columns before is nothing but rounding. */
static const double SMALLEST_PIVOT = 1e-12;

/* Rows first to first + n of U' U = a, which rows above have been taken from. */
static mood_status factorise_panel(const struct mood__ridge *r, int64_t first, int64_t n,
                                   const double *diagonal)
{
    int64_t F = r->n_in;
    double *a = r->factor;
    for (int64_t k = first; k < first + n; k++) {
        double *row = a + k * F;
        if (!(row[k] > SMALLEST_PIVOT * diagonal[k]) || !isfinite(row[k]))
            return mood__fail(MOOD_E_NUMERIC,
                              "ridge: the matrix is not positive definite at column %lld; a larger "
                              "lambda makes it so",
                              (long long)k);
        double pivot = sqrt(row[k]);
        for (int64_t j = k; j < F; j++)
            row[j] /= pivot;
        for (int64_t i = k + 1; i < first + n; i++)
            for (int64_t j = i; j < F; j++)
                a[i * F + j] -= row[i] * row[j];
    }
    return MOOD_OK;
}

struct taking {
    const struct mood__ridge *r;
    int64_t first, n, begin; /* the panel; the row below it */
    int64_t n_tiles;
    const double *negative; /* (n, F): the panel with the other sign */
};

/* One tile of the triangle below the panel loses what the panel explains of it. */
static void take_tile(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct taking *t = ctx;
    int64_t F = t->r->n_in, row = 0;
    for (; task >= t->n_tiles - row; row++)
        task -= t->n_tiles - row;
    int64_t i = t->begin + row * TILE, j = t->begin + (row + task) * TILE;
    mood__gemm_f64_tn(at_most_tile(F - i), at_most_tile(F - j), t->n, t->negative + i, F,
                      t->r->factor + t->first * F + j, F, t->r->factor + i * F + j, F);
}

/* U' U = the upper triangle of `factor`, in its place: Cholesky, a panel of rows at a time, so that
 * most of the work is matrix products. */
static mood_status factorise(const struct mood__ridge *r, const double *diagonal)
{
    int64_t F = r->n_in;
    double *negative = r->factor + F * F;
    for (int64_t first = 0; first < F; first += PANEL) {
        int64_t n = F - first < PANEL ? F - first : PANEL, begin = first + n;
        MOOD__TRY(factorise_panel(r, first, n, diagonal));
        for (int64_t i = 0; i < n * F; i++)
            negative[i] = -r->factor[first * F + i];
        struct taking t = {r, first, n, begin, (F - begin + TILE - 1) / TILE, negative};
        mood__pool_run(r->pool, t.n_tiles * (t.n_tiles + 1) / 2, take_tile, &t);
    }
    return MOOD_OK;
}

/* Solve U' U x = b for the m columns of b (n, m), in its place. */
static void substitute(const double *u, int64_t n, double *b, int64_t m)
{
    for (int64_t k = 0; k < n; k++) {
        for (int64_t v = 0; v < m; v++)
            b[k * m + v] /= u[k * n + k];
        for (int64_t i = k + 1; i < n; i++)
            for (int64_t v = 0; v < m; v++)
                b[i * m + v] -= u[k * n + i] * b[k * m + v];
    }
    for (int64_t k = n - 1; k >= 0; k--) {
        for (int64_t i = k + 1; i < n; i++)
            for (int64_t v = 0; v < m; v++)
                b[k * m + v] -= u[k * n + i] * b[i * m + v];
        for (int64_t v = 0; v < m; v++)
            b[k * m + v] /= u[k * n + k];
    }
}

mood_status mood__ridge_solve(const struct mood__ridge *r, double lambda, const double *penalty,
                              double *w)
{
    int64_t F = r->n_in, V = r->n_out;
    if (!(r->weight > 0))
        return mood__fail(MOOD_E_NUMERIC, "ridge: there are no rows, or none with a weight");
    for (int64_t i = 0; i < F * F; i++)
        r->factor[i] = r->gram[i] / r->weight + (penalty ? lambda * penalty[i] : 0);
    for (int64_t i = 0; i < F && !penalty; i++)
        r->factor[i * F + i] += lambda;
    for (int64_t i = 0; i < F * V; i++)
        w[i] = r->moment[i] / r->weight;
    double *diagonal = mood__calloc((size_t)F, sizeof(*diagonal));
    if (!diagonal)
        return mood__nomem();
    for (int64_t i = 0; i < F; i++)
        diagonal[i] = r->factor[i * F + i];
    mood__blas_begin();
    mood_status status = factorise(r, diagonal);
    mood__blas_end();
    mood__free(diagonal);
    if (!status)
        substitute(r->factor, F, w, V);
    return status;
}
