/* SPDX-License-Identifier: MIT
 *
 * optimiser.c — Adam, AdamW and SGD over a set of weights, and gradient clipping. */
#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pool.h"
#include "kernel/kernels.h"
#include "mood/train.h"
#include "tensor/tensor.h"
#include "train/optimiser.h"

enum { PIECE = 16384 }; /* elements in one task */

/* A run of at most PIECE elements of one weight, and where its moments lie. */
struct piece {
    int weight;
    int64_t begin, end, moment;
};

struct mood_optimiser {
    mood_weights *weights;
    mood_optimiser_params p;
    int64_t n_steps;
    float *moments; /* first moments of all weights, then second ones (Adam) */
    int64_t n_elements;
    struct piece *pieces;
    int64_t n_pieces;
    double *factor; /* (weights) of the learning rate */
};

static mood_status check(const mood_optimiser_params *p)
{
    const double values[] = {p->lr, p->beta1, p->beta2, p->eps, p->momentum, p->weight_decay};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (!(values[i] >= 0) || !isfinite(values[i]))
            return mood__fail(MOOD_E_INVALID, "optimiser: a parameter is negative or not finite");
    if (p->beta1 >= 1 || p->beta2 >= 1)
        return mood__fail(MOOD_E_INVALID, "optimiser: a beta is not below 1");
    return MOOD_OK;
}

static void cut_pieces(mood_optimiser *o)
{
    int64_t moment = 0;
    o->n_pieces = 0;
    for (int i = 0; i < mood_weights_count(o->weights); i++) {
        if (!mood_weights_trainable(o->weights, i))
            continue;
        int64_t n = mood_tensor_elements(mood_weights_value(o->weights, i));
        for (int64_t at = 0; at < n; at += PIECE) {
            if (o->pieces)
                o->pieces[o->n_pieces] =
                    (struct piece){i, at, at + PIECE < n ? at + PIECE : n, moment + at};
            o->n_pieces++;
        }
        moment += n;
    }
}

mood_status mood_optimiser_create(mood_optimiser **out, mood_weights *weights,
                                  const mood_optimiser_params *params)
{
    *out = NULL;
    mood_optimiser_params p = params ? *params : (mood_optimiser_params){0};
    MOOD__TRY(check(&p));
    p.lr = p.lr > 0 ? p.lr : 1e-3;
    p.beta1 = p.beta1 > 0 ? p.beta1 : 0.9;
    p.beta2 = p.beta2 > 0 ? p.beta2 : 0.999;
    p.eps = p.eps > 0 ? p.eps : 1e-8;

    mood_optimiser *o = mood__calloc(1, sizeof(*o));
    if (!o)
        return mood__nomem();
    o->weights = weights;
    o->p = p;
    o->n_elements = mood_weights_trainable_elements(weights);
    cut_pieces(o); /* counts, then fills */
    o->pieces = mood__calloc((size_t)o->n_pieces, sizeof(*o->pieces));
    o->moments = mood__calloc((size_t)o->n_elements, (p.kind == MOOD_SGD ? 1 : 2) * sizeof(float));
    o->factor = mood__calloc((size_t)mood_weights_count(weights), sizeof(*o->factor));
    if (!o->pieces || !o->moments || !o->factor) {
        mood_optimiser_destroy(&o);
        return mood__nomem();
    }
    for (int i = 0; i < mood_weights_count(weights); i++)
        o->factor[i] = 1;
    cut_pieces(o);
    *out = o;
    return MOOD_OK;
}

void mood_optimiser_destroy(mood_optimiser **optimiser)
{
    if (*optimiser) {
        mood__free((*optimiser)->pieces);
        mood__free((*optimiser)->moments);
        mood__free((*optimiser)->factor);
        mood__free(*optimiser);
    }
    *optimiser = NULL;
}

struct step {
    const mood_optimiser *o;
    const struct mood__kernels *k;
    struct mood__adam_step adam; /* but for its lr */
    double adam_lr;              /* with the correction of the first moment's bias */
};

static void step_piece(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct step *s = ctx;
    const mood_optimiser *o = s->o;
    const struct piece *p = &o->pieces[task];
    const mood_tensor *grad = mood_weights_grad(o->weights, p->weight);
    if (!grad->data)
        return;
    float *w = mood__f32(mood_weights_value(o->weights, p->weight)) + p->begin;
    const float *g = mood__f32(grad) + p->begin;
    float *m = o->moments + p->moment;
    ptrdiff_t n = p->end - p->begin;
    double factor = o->factor[p->weight];
    if (o->p.kind == MOOD_SGD) {
        s->k->sgd(w, g, m, n, (float)(o->p.lr * factor), (float)o->p.momentum,
                  (float)o->p.weight_decay, o->n_steps == 1);
        return;
    }
    float shrink = 1; /* of AdamW: what is left of a weight before the step */
    if (o->p.kind == MOOD_ADAMW)
        shrink = (float)(1 - o->p.lr * factor * o->p.weight_decay);
    if (shrink < 1) /* the piece is in the cache for the next line */
        s->k->scale(w, shrink, w, n, false);
    struct mood__adam_step adam = s->adam;
    adam.lr = (float)(s->adam_lr * factor);
    s->k->adam(w, g, m, m + o->n_elements, n, &adam);
}

void mood_optimiser_step(mood_optimiser *o, mood_pool *pool)
{
    o->n_steps++;
    double n = (double)o->n_steps;
    bool apart = o->p.kind == MOOD_ADAMW;
    struct step s = {.o = o, .k = mood__kernels(), .adam_lr = o->p.lr / (1 - pow(o->p.beta1, n))};
    s.adam = (struct mood__adam_step){
        .beta1 = (float)o->p.beta1,
        .beta2 = (float)o->p.beta2,
        .one_minus_beta1 = (float)(1 - o->p.beta1),
        .one_minus_beta2 = (float)(1 - o->p.beta2),
        .eps = (float)o->p.eps,
        .inv_sqrt_bc2 = (float)(1 / sqrt(1 - pow(o->p.beta2, n))),
        .weight_decay = apart ? 0 : (float)o->p.weight_decay,
    };
    mood__pool_run(pool, o->n_pieces, step_piece, &s);
}

double mood_optimiser_lr(const mood_optimiser *o)
{
    return o->p.lr;
}

void mood_optimiser_set_lr(mood_optimiser *o, double lr)
{
    o->p.lr = lr;
}

void mood__optimiser_set_factor(mood_optimiser *o, int weight, double factor)
{
    o->factor[weight] = factor;
}

mood_tensor mood__optimiser_moments(const mood_optimiser *o)
{
    mood_tensor t;
    int64_t dim[] = {o->p.kind == MOOD_SGD ? 1 : 2, o->n_elements};
    mood_status status = mood_tensor_make(&t, o->moments, MOOD_F32, 2, dim);
    (void)status; /* there is memory of this size */
    return t;
}

int64_t mood__optimiser_steps(const mood_optimiser *o)
{
    return o->n_steps;
}

void mood__optimiser_set_steps(mood_optimiser *o, int64_t n_steps)
{
    o->n_steps = n_steps;
}

double mood_clip_gradients(mood_weights *weights, double max_norm)
{
    const struct mood__kernels *k = mood__kernels();
    double sum = 0;
    for (int i = 0; i < mood_weights_count(weights); i++) {
        const mood_tensor *g = mood_weights_grad(weights, i);
        int64_t n = g->data ? mood_tensor_elements(g) : 0;
        for (int64_t at = 0; at < n; at += PIECE) {
            int64_t part = n - at < PIECE ? n - at : PIECE;
            sum += (double)k->dot(mood__f32(g) + at, mood__f32(g) + at, part);
        }
    }
    double norm = sqrt(sum), factor = max_norm / (norm + 1e-6);
    for (int i = 0; factor < 1 && i < mood_weights_count(weights); i++) {
        const mood_tensor *g = mood_weights_grad(weights, i);
        if (g->data)
            k->scale(mood__f32(g), (float)factor, mood__f32(g), mood_tensor_elements(g), false);
    }
    return norm;
}
