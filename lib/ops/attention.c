/* SPDX-License-Identifier: MIT
 *
 * attention.c — Multi-head scaled dot-product attention as one op. Per sample and head, with P the
 * probabilities (Tq, Tk):
 *     P = softmax(s q k^T),  y = P v,  s = 1 / sqrt(D)
 *     dv = P^T dy,  dP = dy v^T,  dS = s P (dP - rowsum(dP P)),  dq = dS k,  dk = dS^T q
 * P is kept for backward. Heads lie side by side in the channels, so that a head is a matrix with
 * row stride C: nothing is transposed or copied, but for the panels of our own products. */
#include "mood/ops.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/gemm.h"
#include "kernel/product.h"
#include "ops/linear.h"
#include "ops/op_list.h"

struct attention_attr {
    int n_heads;
    int64_t B, Tq, Tk, C, D;
    float scale;
};

static mood_status attention_shape(mood_node *n)
{
    struct attention_attr *a = n->attr;
    const mood_tensor *q = &n->in[0]->value, *k = &n->in[1]->value, *v = &n->in[2]->value;
    MOOD__TRY(mood__need_f32(n));
    if (q->rank != 3 || k->rank != 3 || !mood_tensor_same_shape(k, v) || q->dim[0] != k->dim[0] ||
        q->dim[2] != k->dim[2]) {
        char tq[MOOD__SHAPE_BYTES], tk[MOOD__SHAPE_BYTES], tv[MOOD__SHAPE_BYTES];
        return mood__node_fail(
            n, MOOD_E_SHAPE, "q is %s, k is %s, v is %s", mood__shape_text(tq, q->rank, q->dim),
            mood__shape_text(tk, k->rank, k->dim), mood__shape_text(tv, v->rank, v->dim));
    }
    a->B = q->dim[0], a->Tq = q->dim[1], a->Tk = k->dim[1], a->C = q->dim[2];
    if (a->n_heads < 1 || a->C % a->n_heads != 0 || !mood__fits_gemm(a->C, a->Tq) ||
        !mood__fits_gemm(a->Tk, a->Tk))
        return mood__node_fail(n, MOOD_E_INVALID, "%d heads of %lld channels", a->n_heads,
                               (long long)a->C);
    size_t P = (size_t)a->B; /* the one thing that grows with the square of the length */
    if (!mood__mul_size(P, (size_t)a->n_heads, &P) || !mood__mul_size(P, (size_t)a->Tq, &P) ||
        !mood__mul_size(P, (size_t)a->Tk, &P) || P > (size_t)MOOD__MAX_ELEMENTS)
        return mood__node_fail(n, MOOD_E_SHAPE, "%lld queries of %lld keys are too many",
                               (long long)a->Tq, (long long)a->Tk);
    a->D = a->C / a->n_heads;
    a->scale = 1.0f / sqrtf((float)a->D);
    return mood__set_shape(n, 3, q->dim);
}

static size_t probabilities_bytes(const struct attention_attr *a)
{
    return (size_t)(a->B * a->n_heads * a->Tq * a->Tk) * sizeof(float);
}

/* In training every head's P is kept; otherwise each worker has one. */
static size_t attention_state(const mood_node *n)
{
    return mood__training(n->graph) ? probabilities_bytes(n->attr) : 0;
}

/* Whether the two products of a head are our own, which have no time to lose on so small ones. Not
 * in training, where they are what backward is the gradient of. */
static bool by_products(const mood_node *n)
{
    const struct attention_attr *a = n->attr;
    return !mood__training(n->graph) && mood__product_pays(a->Tq, a->Tk, a->D) &&
           mood__product_pays(a->Tq, a->D, a->Tk);
}

static int64_t whole_panels(int64_t columns)
{
    return (columns + MOOD__PANEL - 1) / MOOD__PANEL * MOOD__PANEL;
}

/* Of a worker: P, and for our own products the panels of k^T, then those of v. */
static int64_t worker_floats(const mood_node *n)
{
    const struct attention_attr *a = n->attr;
    int64_t P = a->Tq * a->Tk;
    return by_products(n) ? P + whole_panels(a->Tk) * a->D + whole_panels(a->D) * a->Tk : P;
}

static size_t attention_scratch(const mood_node *n, int n_workers, bool backward)
{
    if (!backward && mood__training(n->graph))
        return 0;
    return (size_t)worker_floats(n) * (size_t)n_workers * sizeof(float);
}

struct job {
    struct mood__run *r;
    mood_node *n;
    const struct attention_attr *a;
};

/* Head h of sample b of a (B, T, C) tensor, as a (T, D) matrix. */
static struct mood__mat head(const struct attention_attr *a, const float *x, int64_t T, int64_t b,
                             int64_t h, bool transposed)
{
    return (struct mood__mat){x + b * T * a->C + h * a->D, a->C, transposed};
}

static float *probabilities(const struct job *j, int64_t task, int worker)
{
    return j->r->training ? (float *)j->n->state + task * j->a->Tq * j->a->Tk
                          : (float *)j->n->scratch + worker * worker_floats(j->n);
}

static void softmax_rows(const struct job *j, float *P)
{
    for (int64_t t = 0; t < j->a->Tq; t++)
        j->r->k->softmax(P + t * j->a->Tk, P + t * j->a->Tk, j->a->Tk, j->a->scale);
}

/* y (M, N) = a (M, K) times panels. */
static void multiply(const struct mood__kernels *k, float *y, int64_t y_ld, const float *a,
                     int64_t a_ld, const float *panels, int64_t M, int64_t N, int64_t K)
{
    for (int64_t c = 0; c < N; c += MOOD__PANEL)
        k->product(y + c, y_ld, a, a_ld, panels + c * K, M,
                   N - c < MOOD__PANEL ? N - c : MOOD__PANEL, K, false, NULL);
}

/* Panels of the transpose of x (T, D): row d of a panel is one channel of its frames. */
static void pack_transpose(float *panels, const float *x, int64_t ld, int64_t T, int64_t D)
{
    for (int64_t first = 0; first < T; first += MOOD__PANEL, panels += D * MOOD__PANEL) {
        int64_t n = T - first < MOOD__PANEL ? T - first : MOOD__PANEL;
        for (int64_t d = 0; d < D; d++)
            for (int64_t t = 0; t < MOOD__PANEL; t++)
                panels[d * MOOD__PANEL + t] = t < n ? x[(first + t) * ld + d] : 0;
    }
}

static void pack(const struct mood__kernels *k, float *panels, const float *x, int64_t ld,
                 int64_t T, int64_t D)
{
    memset(panels, 0, (size_t)(whole_panels(D) * T) * sizeof(float));
    for (int64_t c = 0; c < D; c += MOOD__PANEL)
        k->copy_rows(panels + c * T, MOOD__PANEL, x + c, ld, T,
                     D - c < MOOD__PANEL ? D - c : MOOD__PANEL);
}

static void head_by_products(const struct job *j, float *P, int64_t at_q, int64_t at_k)
{
    const struct attention_attr *a = j->a;
    float *keys = P + a->Tq * a->Tk, *values = keys + whole_panels(a->Tk) * a->D;
    pack_transpose(keys, mood__in(j->n, 1) + at_k, a->C, a->Tk, a->D);
    pack(j->r->k, values, mood__in(j->n, 2) + at_k, a->C, a->Tk, a->D);
    multiply(j->r->k, P, a->Tk, mood__in(j->n, 0) + at_q, a->C, keys, a->Tq, a->Tk, a->D);
    softmax_rows(j, P);
    multiply(j->r->k, mood__out(j->n) + at_q, a->C, P, a->Tk, values, a->Tq, a->D, a->Tk);
}

static void forward_head(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    const struct attention_attr *a = j->a;
    int64_t b = task / a->n_heads, h = task % a->n_heads;
    float *P = probabilities(j, task, worker);
    if (by_products(j->n)) {
        head_by_products(j, P, b * a->Tq * a->C + h * a->D, b * a->Tk * a->C + h * a->D);
        return;
    }
    mood__gemm(a->Tq, a->Tk, a->D, head(a, mood__in(j->n, 0), a->Tq, b, h, false),
               head(a, mood__in(j->n, 1), a->Tk, b, h, true), P, a->Tk, false);
    softmax_rows(j, P);
    mood__gemm(a->Tq, a->D, a->Tk, (struct mood__mat){P, a->Tk, false},
               head(a, mood__in(j->n, 2), a->Tk, b, h, false),
               mood__out(j->n) + b * a->Tq * a->C + h * a->D, a->C, false);
}

static void attention_forward(struct mood__run *r, mood_node *n)
{
    struct job j = {r, n, n->attr};
    mood__pool_run(r->pool, j.a->B * j.a->n_heads, forward_head, &j);
}

static void backward_head(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    const struct attention_attr *a = j->a;
    int64_t b = task / a->n_heads, h = task % a->n_heads, at_q = b * a->Tq * a->C + h * a->D,
            at_k = b * a->Tk * a->C + h * a->D;
    const float *P = probabilities(j, task, worker);
    float *dS = (float *)j->n->scratch + worker * a->Tq * a->Tk;
    struct mood__mat dy = head(a, mood__dout(j->n), a->Tq, b, h, false);
    if (mood__wants(j->n, 2))
        mood__gemm(a->Tk, a->D, a->Tq, (struct mood__mat){P, a->Tk, true}, dy,
                   mood__din(j->n, 2) + at_k, a->C, mood__adds(j->n, 2));
    mood__gemm(a->Tq, a->Tk, a->D, dy, head(a, mood__in(j->n, 2), a->Tk, b, h, true), dS, a->Tk,
               false);
    for (int64_t t = 0; t < a->Tq; t++) {
        float *d = dS + t * a->Tk;
        const float *p = P + t * a->Tk;
        float dot = j->r->k->dot(d, p, a->Tk);
        for (int64_t i = 0; i < a->Tk; i++)
            d[i] = a->scale * p[i] * (d[i] - dot);
    }
    if (mood__wants(j->n, 0))
        mood__gemm(a->Tq, a->D, a->Tk, (struct mood__mat){dS, a->Tk, false},
                   head(a, mood__in(j->n, 1), a->Tk, b, h, false), mood__din(j->n, 0) + at_q, a->C,
                   mood__adds(j->n, 0));
    if (mood__wants(j->n, 1))
        mood__gemm(a->Tk, a->D, a->Tq, (struct mood__mat){dS, a->Tk, true},
                   head(a, mood__in(j->n, 0), a->Tq, b, h, false), mood__din(j->n, 1) + at_k, a->C,
                   mood__adds(j->n, 1));
}

static void attention_backward(struct mood__run *r, mood_node *n)
{
    struct job j = {r, n, n->attr};
    mood__pool_run(r->pool, j.a->B * j.a->n_heads, backward_head, &j);
}

const struct mood__op mood__op_attention = {
    .name = "attention",
    .saves = MOOD__SAVE_IN(0) | MOOD__SAVE_IN(1) | MOOD__SAVE_IN(2),
    .flags = MOOD__STORES,
    .shape = attention_shape,
    .state_bytes = attention_state,
    .scratch_bytes = attention_scratch,
    .forward = attention_forward,
    .backward = attention_backward,
};

mood_node *mood_attention(mood_node *q, mood_node *k, mood_node *v, int n_heads)
{
    struct attention_attr a = {.n_heads = n_heads};
    return mood__node(&mood__op_attention, (mood_node *[]){q, k, v}, 3, &a, sizeof(a));
}
