/* SPDX-License-Identifier: MIT
 *
 * average.c — An exponential moving average of weights. Running statistics are averaged like
 * weights: they belong to the weights of the same steps, and those of the latest weights alone
 * would fit the averaged ones worse. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pool.h"
#include "kernel/kernels.h"
#include "tensor/tensor.h"
#include "train/average.h"

enum { PIECE = 16384 }; /* elements in one task */

/* A run of at most PIECE elements of one weight: of the weight, and of its average. */
struct piece {
    float *live, *average;
    ptrdiff_t n;
};

struct mood_average {
    mood_weights *values;
    double decay;
    int64_t n_steps;
    struct piece *pieces;
    int64_t n_pieces;
};

/* Without memory for the pieces, count them. */
static void cut_pieces(mood_average *a, const mood_weights *weights)
{
    a->n_pieces = 0;
    for (int i = 0; i < mood_weights_count(weights); i++) {
        float *live = mood__f32(mood_weights_value(weights, i));
        float *average = mood__f32(mood_weights_value(a->values, i));
        int64_t n = mood_tensor_elements(mood_weights_value(weights, i));
        for (int64_t at = 0; at < n; at += PIECE) {
            if (a->pieces)
                a->pieces[a->n_pieces] =
                    (struct piece){live + at, average + at, n - at < PIECE ? n - at : PIECE};
            a->n_pieces++;
        }
    }
}

mood_status mood_average_create(mood_average **out, mood_weights *weights, double decay)
{
    *out = NULL;
    if (!(decay > 0 && decay < 1)) /* NaN fails too */
        return mood__fail(MOOD_E_INVALID, "average of weights: a decay of %g is not in (0, 1)",
                          decay);
    mood_average *a = mood__calloc(1, sizeof(*a));
    if (!a)
        return mood__nomem();
    a->decay = decay;
    mood_status status = mood_weights_clone(&a->values, weights);
    if (!status) {
        cut_pieces(a, weights);
        a->pieces = mood__calloc((size_t)a->n_pieces, sizeof(*a->pieces));
        status = a->pieces ? MOOD_OK : mood__nomem();
    }
    if (status) {
        mood_average_destroy(&a);
        return status;
    }
    cut_pieces(a, weights);
    *out = a;
    return MOOD_OK;
}

void mood_average_destroy(mood_average **average)
{
    if (*average) {
        mood_weights_destroy(&(*average)->values);
        mood__free((*average)->pieces);
        mood__free(*average);
    }
    *average = NULL;
}

/* ---- a step ---- */

struct blend {
    const mood_average *a;
    const struct mood__kernels *k;
    float keep, take; /* of the average, of the weight */
};

static void blend_piece(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct blend *b = ctx;
    const struct piece *p = &b->a->pieces[task];
    b->k->scale(p->average, b->keep, p->average, p->n, false);
    b->k->scale(p->average, b->take, p->live, p->n, true);
}

static void copy_piece(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct blend *b = ctx;
    const struct piece *p = &b->a->pieces[task];
    memcpy(p->average, p->live, (size_t)p->n * sizeof(float));
}

void mood_average_step(mood_average *a, mood_pool *pool)
{
    double n = (double)a->n_steps, d = fmin(a->decay, (1 + n) / (10 + n));
    struct blend b = {a, mood__kernels(), (float)d, (float)(1 - d)};
    mood__pool_run(pool, a->n_pieces, a->n_steps > 0 ? blend_piece : copy_piece, &b);
    a->n_steps++;
}

void mood_average_swap(mood_average *a)
{
    for (int64_t i = 0; i < a->n_pieces; i++) {
        const struct piece *p = &a->pieces[i];
        for (ptrdiff_t k = 0; k < p->n; k++) {
            float live = p->live[k];
            p->live[k] = p->average[k];
            p->average[k] = live;
        }
    }
}

/* ---- for checkpoints ---- */

mood_weights *mood__average_values(mood_average *a)
{
    return a->values;
}

int64_t mood__average_steps(const mood_average *a)
{
    return a->n_steps;
}

void mood__average_set_steps(mood_average *a, int64_t n_steps)
{
    a->n_steps = n_steps;
}
