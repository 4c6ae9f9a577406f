/* SPDX-License-Identifier: MIT
 *
 * run.c — Compiling, and the two loops: forward up, backward down. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "graph/graph.h"
#include "kernel/gemm.h"

mood_status mood_graph_compile(mood_graph *g, mood_node *const *outputs, int n_outputs)
{
    if (g->status)
        return mood__fail(g->status, "%s", g->detail);
    if (g->compiled)
        return mood__fail(MOOD_E_INVALID, "compile: the graph is compiled already");
    if (n_outputs < 1)
        return mood__fail(MOOD_E_INVALID, "compile: no outputs");
    for (int i = 0; i < n_outputs; i++)
        if (!outputs[i] || outputs[i]->graph != g)
            return mood__fail(MOOD_E_INVALID, "compile: output %d is no node of this graph", i);

    g->outputs = mood__arena_alloc(&g->arena, (size_t)n_outputs * sizeof(*g->outputs));
    if (!g->outputs)
        return mood__nomem();
    memcpy(g->outputs, outputs, (size_t)n_outputs * sizeof(*outputs));
    g->n_outputs = n_outputs;
    mood_status status = mood__plan_memory(g);
    if (status) { /* nothing of a half-made plan may run */
        mood__graph_fail(g, status);
        return status;
    }
    g->compiled = true;
    return MOOD_OK;
}

void mood__run_fail(struct mood__run *r, const mood_node *n, mood_status status, const char *fmt,
                    ...)
{
    if (r->status)
        return;
    char text[MOOD__DETAIL_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    r->status = mood__node_fail(n, status, "%s", text);
}

/* ---- pieces of a loop ---- */

struct ranges {
    mood__range *fn;
    void *ctx;
    int64_t n, grain;
};

static void run_range(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct ranges *s = ctx;
    int64_t begin = task * s->grain, end = begin + s->grain;
    s->fn(s->ctx, begin, end < s->n ? end : s->n);
}

void mood__each_range(struct mood__run *r, int64_t n, int64_t grain, mood__range *fn, void *ctx)
{
    struct ranges s = {fn, ctx, n, grain};
    mood__pool_run(r->pool, (n + grain - 1) / grain, run_range, &s);
}

/* ---- numbers that are none ---- */

/* Whether all of x is finite: x - x is 0 for a finite number, and NaN otherwise. */
static bool all_finite(const float *x, int64_t n)
{
    float bad = 0.0f;
    for (int64_t i = 0; i < n; i++)
        bad += x[i] - x[i];
    return bad == 0.0f;
}

static void check_finite(struct mood__run *r, const mood_node *n, const mood_tensor *t,
                         const char *what)
{
    if (t->data && t->dtype == MOOD_F32 && !all_finite(mood__f32(t), mood_tensor_elements(t)))
        r->status = mood__fail(MOOD_E_NUMERIC, "%s '%s': its %s is NaN or infinite",
                               mood__kind_name(n), n->label, what);
}

/* ---- the loops ---- */

static struct mood__run start_run(const mood_graph *g, uint64_t step)
{
    return (struct mood__run){
        .pool = g->pool,
        .n_workers = mood_pool_threads(g->pool),
        .k = mood__kernels(),
        .training = g->training,
        .key = mood__hash64(mood__mix64(g->seed), step),
    };
}

static void poison_after_forward(const mood_graph *g)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        const mood_node *n = g->nodes[i];
        bool shared = n->op && (n->op->flags & MOOD__VIEW);
        if (!n->op || !n->plan->needed || shared || !n->plan->dead_after_forward)
            continue;
        bool viewed = false; /* a view of it may be what backward reads */
        for (size_t j = i + 1; j < g->n_nodes; j++)
            viewed = viewed || (g->nodes[j]->value.data == n->value.data &&
                                !g->nodes[j]->plan->dead_after_forward);
        if (!viewed)
            for (int64_t e = 0; e < mood__count(n); e++)
                mood__out(n)[e] = NAN;
    }
}

mood_status mood_graph_forward(mood_graph *g)
{
    if (!g->compiled)
        return mood__fail(MOOD_E_INVALID, "forward: the graph is not compiled");
    struct mood__run r = start_run(g, g->step);
    mood__blas_begin();
    for (size_t i = 0; i < g->n_nodes && !r.status; i++) {
        mood_node *n = g->nodes[i];
        if (!n->plan->needed || !n->op || (n->op->flags & MOOD__VIEW))
            continue;
        n->op->forward(&r, n);
        if (g->watcher)
            g->watcher(g->watcher_ctx, n->id);
        if (g->check_finite && !r.status)
            check_finite(&r, n, &n->value, "value");
    }
    mood__blas_end();
    for (int i = 0; i < g->n_outputs && !r.status; i++)
        check_finite(&r, g->outputs[i], &g->outputs[i]->value, "value");
    if (g->poison)
        poison_after_forward(g);
    g->ran = r.status == MOOD_OK;
    g->ran_step = g->step;
    if (g->training && g->ran)
        g->step++;
    return r.status;
}

void mood_graph_watch(mood_graph *g, mood_graph_watcher *fn, void *ctx)
{
    g->watcher = fn;
    g->watcher_ctx = ctx;
}

static void clear_grads(mood_node *n)
{
    for (int k = 0; k < n->n_in; k++)
        if (n->plan->clear >> k & 1u)
            memset(n->in[k]->grad.data, 0, mood_tensor_bytes(&n->in[k]->grad));
}

mood_status mood_graph_backward(mood_graph *g)
{
    if (!g->training || !g->ran)
        return mood__fail(MOOD_E_INVALID, g->training ? "backward: no forward run came before"
                                                      : "backward: the graph was not made for "
                                                        "training");
    g->ran =
        false; /* gradients overwrite what forward had kept: a second pass has nothing to read */
    struct mood__run r = start_run(g, g->ran_step);
    mood_node *loss = g->outputs[0];
    if (!loss->plan->differentiated)
        return MOOD_OK; /* the loss depends on nothing that is learned */
    *mood__f32(&loss->grad) = 1.0f;
    mood__blas_begin();
    for (size_t i = g->n_nodes; i-- > 0 && !r.status;) {
        mood_node *n = g->nodes[i];
        if (!n->plan->differentiated || (n->op && (n->op->flags & MOOD__VIEW)))
            continue;
        if (g->check_finite) /* all who add to it come after the node, and so were run before */
            check_finite(&r, n, &n->grad, "gradient");
        if (!n->op || r.status)
            continue;
        void *forward_scratch = n->scratch;
        n->scratch = n->plan->backward_scratch;
        clear_grads(n);
        n->op->backward(&r, n);
        n->scratch = forward_scratch;
    }
    mood__blas_end();
    return r.status;
}
