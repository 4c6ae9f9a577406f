/* SPDX-License-Identifier: MIT
 *
 * conv1d_pairs.c — Convolutions of three taps and stride two, as wav2vec2 has four of them, with
 * five multiplications in place of six. Two outputs that follow each other share an input:
 *
 *     y0 = x0 w0 + x1 w1 + x2 w2
 *     y1 = x2 w0 + x3 w1 + x4 w2
 *
 * and with m = x2 (w0 + w2), which both contain,
 *
 *     y0 = m + (x0 - x2) w0 + x1 w1
 *     y1 = m + x3 w1 + (x4 - x2) w2
 *
 * (Winograd's F(2, 2) on the even inputs; "Arithmetic Complexity of Computations", 1980). Here x
 * are frames, w matrices: three products, over 1, 2 and 2 times Cin instead of 3 and 3. */
#include <string.h>

#include "kernel/product.h"
#include "ops/conv1d_products.h"

enum {
    TASK_PAIRS = 48,   /* most pairs of a task: what they are made from stays in the L2 cache */
    TASK_MULTIPLE = 8, /* as in product.c */
    APART = 16         /* numbers between rows, so that they are not a multiple of 4 KB apart */
};

bool mood__conv1d_pairs_pays(const struct mood__conv *c)
{
    return c->Kt == 3 && c->stride_t == 2 && c->pad_t == 0 && c->groups == 1 && c->Ty >= 32 &&
           mood__product_pays(c->Ty, c->Cout, c->Cin);
}

static int64_t div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t panels(const struct mood__conv *c)
{
    return div_up(c->Cout, MOOD__PANEL);
}

static int64_t pair_tasks(const struct mood__conv *c)
{
    return div_up(div_up(c->Ty / 2, TASK_PAIRS), TASK_MULTIPLE) * TASK_MULTIPLE;
}

/* A panel of w0, w1, w2, then that of w0 + w2. */
static int64_t panel_floats(const struct mood__conv *c)
{
    return 4 * c->Cin * MOOD__PANEL;
}

/* x0 - x2, x1, x2, x3, x4 - x2: what a pair is made from. */
static int64_t pair_floats(const struct mood__conv *c)
{
    return 5 * c->Cin + APART;
}

static int64_t worker_floats(const struct mood__conv *c)
{
    return div_up(c->Ty / 2, pair_tasks(c)) * pair_floats(c);
}

size_t mood__conv1d_pairs_scratch(const struct mood__conv *c, int n_workers)
{
    return (size_t)(panels(c) * panel_floats(c) + n_workers * worker_floats(c)) * sizeof(float);
}

struct job {
    const struct mood__kernels *k;
    const struct mood__conv *c;
    const float *x, *w, *bias; /* of one sample */
    float *y, *panels, *own;
};

static int64_t width(const struct mood__conv *c, int64_t index)
{
    int64_t n = c->Cout - index * MOOD__PANEL;
    return n < MOOD__PANEL ? n : MOOD__PANEL;
}

static void pack_task(void *ctx, int64_t index, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    int64_t rows = 3 * j->c->Cin, size = j->c->Cin * MOOD__PANEL;
    float *panel = j->panels + index * panel_floats(j->c);
    if (width(j->c, index) < MOOD__PANEL) /* the kernel reads all of it */
        memset(panel, 0, (size_t)(3 * size) * sizeof(float));
    j->k->copy_rows(panel, MOOD__PANEL, j->w + index * MOOD__PANEL, j->c->Cout, rows,
                    width(j->c, index));
    j->k->add(panel + 3 * size, panel, panel + 2 * size, size);
}

/* What pair `pair` is made from. */
static void prepare(const struct job *j, float *out, int64_t pair)
{
    int64_t C = j->c->Cin;
    const float *x = j->x + 4 * pair * C;
    j->k->sub(out, x, x + 2 * C, C);
    memcpy(out + C, x + C, (size_t)(3 * C) * sizeof(float));
    j->k->sub(out + 4 * C, x + 4 * C, x + 2 * C, C);
}

static void pairs_task(void *ctx, int64_t task, int worker)
{
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    int64_t tasks = pair_tasks(c), C = c->Cin, ld = pair_floats(c), y_ld = 2 * c->Cout;
    int64_t first = task * (c->Ty / 2) / tasks, n = (task + 1) * (c->Ty / 2) / tasks - first;
    float *made = j->own + worker * worker_floats(c);
    for (int64_t i = 0; i < n; i++)
        prepare(j, made + i * ld, first + i);
    for (int64_t index = 0; index < panels(c); index++) {
        const float *panel = j->panels + index * panel_floats(c);
        int64_t cols = width(c, index), size = C * MOOD__PANEL;
        float *y0 = j->y + first * y_ld + index * MOOD__PANEL, *y1 = y0 + c->Cout;
        if (j->bias)
            j->k->copy_rows(y0, y_ld, j->bias + index * MOOD__PANEL, 0, n, cols);
        j->k->product(y0, y_ld, made + 2 * C, ld, panel + 3 * size, n, cols, C, j->bias != NULL,
                      NULL);
        j->k->copy_rows(y1, y_ld, y0, y_ld, n, cols);
        j->k->product(y0, y_ld, made, ld, panel, n, cols, 2 * C, true, NULL);
        j->k->product(y1, y_ld, made + 3 * C, ld, panel + size, n, cols, 2 * C, true, NULL);
    }
}

/* The last of an odd number of outputs, the plain way. */
static void last_output(const struct job *j)
{
    const struct mood__conv *c = j->c;
    float *y = j->y + (c->Ty - 1) * c->Cout;
    if (j->bias)
        memcpy(y, j->bias, (size_t)c->Cout * sizeof(float));
    for (int64_t index = 0; index < panels(c); index++)
        j->k->product(y + index * MOOD__PANEL, c->Cout, j->x + 2 * (c->Ty - 1) * c->Cin, 0,
                      j->panels + index * panel_floats(c), 1, width(c, index), 3 * c->Cin,
                      j->bias != NULL, NULL);
}

void mood__conv1d_pairs(struct mood__run *r, mood_node *n, const struct mood__conv *c)
{
    float *scratch = n->scratch;
    struct job j = {.k = r->k,
                    .c = c,
                    .w = mood__in(n, 1),
                    .bias = n->n_in > 2 ? mood__in(n, 2) : NULL,
                    .panels = scratch,
                    .own = scratch + panels(c) * panel_floats(c)};
    mood__pool_run(r->pool, panels(c), pack_task, &j);
    for (int64_t b = 0; b < c->B; b++) {
        j.x = mood__in(n, 0) + b * c->T * c->Cin;
        j.y = mood__out(n) + b * c->Ty * c->Cout;
        mood__pool_run(r->pool, pair_tasks(c), pairs_task, &j);
        if (c->Ty % 2)
            last_output(&j);
    }
}
