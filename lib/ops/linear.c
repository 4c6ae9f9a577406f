/* SPDX-License-Identifier: MIT
 *
 * linear.c — Matrix products: matmul of two tensors, dense with weights and bias. */
#include "mood/ops.h"

#include <string.h>

#include "kernel/gemm.h"
#include "kernel/product.h"
#include "ops/i8.h"
#include "ops/linear.h"
#include "ops/op_list.h"

bool mood__fits_gemm(int64_t a, int64_t b)
{
    return a <= INT32_MAX && b <= INT32_MAX;
}

/* ---- bias ---- */

struct bias_job {
    float *y;
    const float *bias;
    int64_t C;
};

static void bias_rows(void *ctx, int64_t begin, int64_t end)
{
    const struct bias_job *j = ctx;
    for (int64_t row = begin; row < end; row++)
        if (j->bias)
            memcpy(j->y + row * j->C, j->bias, (size_t)j->C * sizeof(float));
        else
            memset(j->y + row * j->C, 0, (size_t)j->C * sizeof(float));
}

void mood__start_rows(float *y, const float *bias, int64_t rows, int64_t C)
{
    struct bias_job j = {y, bias, C};
    bias_rows(&j, 0, rows);
}

/* ---- matmul ---- */

struct matmul_attr {
    mood_matmul_params p;
    int64_t batch, M, N, K;
    bool shared_b; /* one (K, N) for the whole batch */
};

static mood_status matmul_shape(mood_node *n)
{
    struct matmul_attr *s = n->attr;
    const mood_tensor *a = &n->in[0]->value, *b = &n->in[1]->value;
    MOOD__TRY(mood__need_f32(n));
    char ta[MOOD__SHAPE_BYTES], tb[MOOD__SHAPE_BYTES];
    bool fits = a->rank >= 2 && b->rank >= 2 && (b->rank == 2 || b->rank == a->rank);
    for (int i = 0; fits && b->rank > 2 && i < a->rank - 2; i++)
        fits = a->dim[i] == b->dim[i];
    if (fits) {
        const int64_t *da = a->dim + a->rank - 2, *db = b->dim + b->rank - 2;
        s->M = da[s->p.transpose_a ? 1 : 0];
        s->K = da[s->p.transpose_a ? 0 : 1];
        s->N = db[s->p.transpose_b ? 0 : 1];
        fits = s->K == db[s->p.transpose_b ? 1 : 0];
    }
    if (!fits || !mood__fits_gemm(s->M, s->N) || !mood__fits_gemm(s->K, s->K))
        return mood__node_fail(n, MOOD_E_SHAPE, "%s%s times %s%s",
                               mood__shape_text(ta, a->rank, a->dim), s->p.transpose_a ? "^T" : "",
                               mood__shape_text(tb, b->rank, b->dim), s->p.transpose_b ? "^T" : "");
    s->shared_b = b->rank == 2;
    s->batch = mood_tensor_elements(a) / (s->M * s->K);
    int64_t dim[MOOD_MAX_RANK];
    memcpy(dim, a->dim, sizeof(dim));
    dim[a->rank - 2] = s->M;
    dim[a->rank - 1] = s->N;
    return mood__set_shape(n, a->rank, dim);
}

/* Matrix i of a stack of row-major (rows, cols) matrices. */
static struct mood__mat matrix(const float *data, int64_t i, int64_t rows, int64_t cols,
                               bool transposed)
{
    return (struct mood__mat){data + i * rows * cols, transposed ? rows : cols, transposed};
}

/* The operands as they lie in memory: A is stored (K, M) when transposed, so its row length is M.
 */
static struct mood__mat operand_a(const struct matmul_attr *s, const float *a, int64_t i)
{
    return (struct mood__mat){a + i * s->M * s->K, s->p.transpose_a ? s->M : s->K,
                              s->p.transpose_a};
}

static struct mood__mat operand_b(const struct matmul_attr *s, const float *b, int64_t i)
{
    return (struct mood__mat){b + (s->shared_b ? 0 : i * s->K * s->N),
                              s->p.transpose_b ? s->K : s->N, s->p.transpose_b};
}

static struct mood__mat flip(struct mood__mat m)
{
    m.transposed = !m.transposed;
    return m;
}

static void matmul_forward(struct mood__run *r, mood_node *n)
{
    const struct matmul_attr *s = n->attr;
    for (int64_t i = 0; i < s->batch; i++)
        mood__gemm_parallel(r->pool, s->M, s->N, s->K, operand_a(s, mood__in(n, 0), i),
                            operand_b(s, mood__in(n, 1), i), mood__out(n) + i * s->M * s->N, s->N,
                            false);
}

/* dA = dY B^T and dB = A^T dY; of a transposed operand, the transpose of that. */
static void matmul_backward(struct mood__run *r, mood_node *n)
{
    const struct matmul_attr *s = n->attr;
    for (int64_t i = 0; i < s->batch; i++) {
        struct mood__mat dy = matrix(mood__dout(n), i, s->M, s->N, false);
        struct mood__mat a = operand_a(s, mood__in(n, 0), i), b = operand_b(s, mood__in(n, 1), i);
        if (mood__wants(n, 0)) {
            float *da = mood__din(n, 0) + i * s->M * s->K;
            if (s->p.transpose_a)
                mood__gemm_parallel(r->pool, s->K, s->M, s->N, b, flip(dy), da, s->M,
                                    mood__adds(n, 0));
            else
                mood__gemm_parallel(r->pool, s->M, s->K, s->N, dy, flip(b), da, s->K,
                                    mood__adds(n, 0));
        }
        if (mood__wants(n, 1)) {
            bool add = mood__adds(n, 1) || (s->shared_b && i > 0);
            float *db = mood__din(n, 1) + (s->shared_b ? 0 : i * s->K * s->N);
            if (s->p.transpose_b)
                mood__gemm_parallel(r->pool, s->N, s->K, s->M, flip(dy), a, db, s->K, add);
            else
                mood__gemm_parallel(r->pool, s->K, s->N, s->M, flip(a), dy, db, s->N, add);
        }
    }
}

const struct mood__op mood__op_matmul = {
    .name = "matmul",
    .saves = MOOD__SAVE_IN(0) | MOOD__SAVE_IN(1),
    .flags = MOOD__STORES,
    .shape = matmul_shape,
    .forward = matmul_forward,
    .backward = matmul_backward,
};

mood_node *mood_matmul(mood_node *a, mood_node *b, const mood_matmul_params *params)
{
    struct matmul_attr s = {.batch = 1};
    if (params)
        s.p = *params;
    return mood__node(&mood__op_matmul, (mood_node *[]){a, b}, 2, &s, sizeof(s));
}

/* ---- dense ---- */

mood_status mood__set_dense_shape(mood_node *n)
{
    const mood_tensor *x = &n->in[0]->value, *w = &n->in[1]->value;
    char tx[MOOD__SHAPE_BYTES], tw[MOOD__SHAPE_BYTES];
    if (x->rank < 1 || w->rank != 2 || x->dim[x->rank - 1] != w->dim[0] ||
        !mood__fits_gemm(w->dim[0], w->dim[1]) ||
        !mood__fits_gemm(mood_tensor_elements(x) / x->dim[x->rank - 1], 1))
        return mood__node_fail(n, MOOD_E_SHAPE, "x is %s, w is %s",
                               mood__shape_text(tx, x->rank, x->dim),
                               mood__shape_text(tw, w->rank, w->dim));
    MOOD__TRY(mood__check_bias(n, 2, w->dim[1]));
    int64_t dim[MOOD_MAX_RANK];
    memcpy(dim, x->dim, sizeof(dim));
    dim[x->rank - 1] = w->dim[1];
    return mood__set_shape(n, x->rank, dim);
}

static mood_status dense_shape(mood_node *n)
{
    MOOD__TRY(mood__need_f32(n));
    return mood__set_dense_shape(n);
}

mood_status mood__need_weight(mood_node *n, mood_dtype dtype)
{
    for (int k = 0; k < n->n_in; k++) {
        mood_dtype wanted = k == 1 ? dtype : MOOD_F32;
        if (n->in[k]->value.dtype != wanted)
            return mood__node_fail(n, MOOD_E_INVALID, "input %d is %s; %s is needed", k,
                                   mood_dtype_name(n->in[k]->value.dtype), mood_dtype_name(wanted));
    }
    return MOOD_OK;
}

mood_status mood__check_bias(mood_node *n, int k, int64_t C)
{
    if (n->n_in > k && (n->in[k]->value.rank != 1 || n->in[k]->value.dim[0] != C)) {
        char text[MOOD__SHAPE_BYTES];
        const mood_tensor *b = &n->in[k]->value;
        return mood__node_fail(n, MOOD_E_SHAPE, "bias is %s, (%lld) is needed",
                               mood__shape_text(text, b->rank, b->dim), (long long)C);
    }
    return MOOD_OK;
}

static size_t dense_scratch(const mood_node *n, int n_workers, bool backward)
{
    const mood_tensor *w = &n->in[1]->value;
    int64_t K = w->dim[0], N = w->dim[1], M = mood__count(n) / N;
    return !backward && mood__product_pays(M, N, K) ? mood__product_scratch(M, N, K, n_workers) : 0;
}

static struct mood__product dense_product(const mood_node *n)
{
    const mood_tensor *w = &n->in[1]->value;
    int64_t K = w->dim[0], N = w->dim[1];
    return (struct mood__product){.M = mood__count(n) / N,
                                  .N = N,
                                  .K = K,
                                  .a = mood__in(n, 0),
                                  .a_ld = K,
                                  .b = mood__in(n, 1),
                                  .b_ld = N,
                                  .bias = n->n_in > 2 ? mood__in(n, 2) : NULL,
                                  .c = mood__out(n),
                                  .c_ld = N};
}

static void dense_forward(struct mood__run *r, mood_node *n)
{
    struct mood__product p = dense_product(n);
    if (mood__product_pays(p.M, p.N, p.K)) {
        mood__product_run(&p, r->k, r->pool, r->n_workers, n->scratch);
        return;
    }
    struct bias_job j = {p.c, p.bias, p.N};
    if (j.bias)
        mood__each_range(r, p.M, 1 + MOOD__GRAIN / p.N, bias_rows, &j);
    mood__gemm_parallel(r->pool, p.M, p.N, p.K, (struct mood__mat){p.a, p.K, false},
                        (struct mood__mat){p.b, p.N, false}, p.c, p.N, j.bias != NULL);
}

static void dense_backward(struct mood__run *r, mood_node *n)
{
    const mood_tensor *w = &n->in[1]->value;
    int64_t K = w->dim[0], N = w->dim[1], M = mood__count(n) / N;
    struct mood__mat x = {mood__in(n, 0), K, false}, dy = {mood__dout(n), N, false};
    struct mood__mat wm = {mood__in(n, 1), N, false};
    if (mood__wants(n, 1))
        mood__gemm_parallel(r->pool, K, N, M, flip(x), dy, mood__din(n, 1), N, mood__adds(n, 1));
    if (mood__wants(n, 2))
        r->k->col_sum(mood__din(n, 2), mood__dout(n), M, N, mood__adds(n, 2));
    if (mood__wants(n, 0))
        mood__gemm_parallel(r->pool, M, K, N, dy, flip(wm), mood__din(n, 0), K, mood__adds(n, 0));
}

const struct mood__op mood__op_dense = {
    .name = "dense",
    .saves = MOOD__SAVE_IN(0) | MOOD__SAVE_IN(1),
    .flags = MOOD__STORES,
    .shape = dense_shape,
    .scratch_bytes = dense_scratch,
    .forward = dense_forward,
    .backward = dense_backward,
};

/* ---- dense, the weight in panels ----
 *
 * Not in op_list.h, like those of i8.c: no gradient goes through a weight that lies in a file. */

static mood_status dense_panels_shape(mood_node *n)
{
    MOOD__TRY(mood__need_weight(n, MOOD_F32_PANELS));
    return mood__set_dense_shape(n);
}

static size_t dense_panels_scratch(const mood_node *n, int n_workers, bool backward)
{
    (void)n_workers;
    const mood_tensor *w = &n->in[1]->value;
    int64_t K = w->dim[0], N = w->dim[1], M = mood__count(n) / N;
    return !backward && mood__product_pays(M, N, K) ? mood__product_scratch_panels(M, K) : 0;
}

/* A panel is a matrix of its own. */
static void panel_task(void *ctx, int64_t i, int worker)
{
    (void)worker;
    const struct mood__product *p = ctx;
    float *c = p->c + i * MOOD__PANEL;
    if (p->bias)
        mood__kernels()->copy_rows(c, p->c_ld, p->bias + i * MOOD__PANEL, 0, p->M, MOOD__PANEL);
    mood__gemm(p->M, MOOD__PANEL, p->K, (struct mood__mat){p->a, p->a_ld, false},
               (struct mood__mat){p->b + i * p->K * MOOD__PANEL, MOOD__PANEL, false}, c, p->c_ld,
               p->bias != NULL);
}

static void dense_panels_forward(struct mood__run *r, mood_node *n)
{
    struct mood__product p = dense_product(n);
    p.b_in_panels = true;
    if (mood__product_pays(p.M, p.N, p.K))
        mood__product_run(&p, r->k, r->pool, r->n_workers, n->scratch);
    else
        mood__pool_run(r->pool, p.N / MOOD__PANEL, panel_task, &p);
}

static const struct mood__op dense_panels = {
    .name = "dense_panels",
    .shape = dense_panels_shape,
    .scratch_bytes = dense_panels_scratch,
    .forward = dense_panels_forward,
};

mood_node *mood_dense(mood_node *x, mood_node *w, mood_node *bias)
{
    if (w && w->value.dtype == MOOD_I8)
        return mood__dense_i8(x, w, bias);
    if (w && w->value.dtype == MOOD_F32_PANELS)
        return mood__node(&dense_panels, (mood_node *[]){x, w, bias}, bias ? 3 : 2, NULL, 0);
    return mood__node(&mood__op_dense, (mood_node *[]){x, w, bias}, bias ? 3 : 2, NULL, 0);
}
