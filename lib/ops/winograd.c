/* SPDX-License-Identifier: MIT
 *
 * winograd.c — What is transformed when, and where it lies meanwhile.
 *
 * The outputs of a sample are cut into tiles of 4 x 4 (in 1-D, of 4), numbered through the batch. A
 * tile is made from 6 x 6 (6) inputs, which become 36 (6) components: rows first, over all of their
 * length, then along time. A component of all tiles in a block is a matrix (tiles, Cin), and of the
 * weights one (Cin, Cout); their product is one of the outputs' components.
 *
 * The gradient of the inputs is a convolution too, of dy by the weights turned around. That of the
 * weights is a product per component again, of the inputs' transposed and those of dy, summed over
 * all tiles. Tasks are blocks of tiles, or fixed shards of all blocks. */
#include "ops/winograd.h"

#include <string.h>

#include "kernel/product.h"

enum {
    OUT = 4, /* outputs of a tile along an axis */
    IN = 6,  /* inputs, and components */
    BLOCK_TILES = 48,
    FEWEST_TILES = 3, /* of a sample: the weights have to be transformed too */
    MAX_SHARDS = 4,   /* partial sums of dw */
    LANES = 16,       /* channels come in multiples of it */
    APART = 16 /* numbers between components, so that they are not a multiple of 4 KB apart */
};

/* ---- sizes ---- */

static int64_t div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Rows of a tile: of its inputs (and components), and of its outputs. */
static int64_t rows_in(const struct mood__conv *c)
{
    return c->Kf == 3 ? IN : 1;
}

static int64_t rows_out(const struct mood__conv *c)
{
    return c->Kf == 3 ? OUT : 1;
}

static int64_t components(const struct mood__conv *c)
{
    return rows_in(c) * IN;
}

static int64_t tiles_t(const struct mood__conv *c)
{
    return div_up(c->Ty, OUT);
}

static int64_t tiles(const struct mood__conv *c)
{
    return c->B * div_up(c->Fy, rows_out(c)) * tiles_t(c);
}

static int64_t blocks(const struct mood__conv *c)
{
    return div_up(tiles(c), BLOCK_TILES);
}

static int64_t shards(const struct mood__conv *c)
{
    return least(blocks(c), MAX_SHARDS);
}

static int64_t panels(int64_t C)
{
    return div_up(C, MOOD__PANEL);
}

static int64_t panel_width(int64_t C, int64_t panel)
{
    return least(C - panel * MOOD__PANEL, MOOD__PANEL);
}

bool mood__winograd_pays(const struct mood__conv *c)
{
    bool kernel = c->Kt == 3 && c->stride_t == 1 && c->pad_t <= 2 && c->groups == 1;
    bool rows = c->Kf == 1 ? c->F == 1 && c->pad_f == 0
                           : c->Kf == 3 && c->stride_f == 1 && c->pad_f <= 2 && c->Fy >= OUT;
    return kernel && rows && c->Ty >= OUT && tiles(c) >= FEWEST_TILES * c->B &&
           c->Cin % LANES == 0 && c->Cout % LANES == 0 &&
           mood__product_pays(BLOCK_TILES, c->Cout, c->Cin);
}

/* The components of a block, C channels each. */
static int64_t component_floats(int64_t C)
{
    return BLOCK_TILES * C + APART;
}

/* The rows that a run of tiles is made from, or makes. */
static int64_t strip_floats(const struct mood__conv *c, int64_t C)
{
    return rows_in(c) * (OUT * least(tiles_t(c), BLOCK_TILES) + IN - OUT) * C;
}

/* All weights, as components (panels, components, Cin, MOOD__PANEL). */
static int64_t weight_floats(const struct mood__conv *c)
{
    return panels(c->Cout) * components(c) * c->Cin * MOOD__PANEL;
}

static int64_t largest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Forward: components of the inputs and of a panel of outputs, then rows of either. */
static int64_t worker_floats(const struct mood__conv *c)
{
    return components(c) * (component_floats(c->Cin) + component_floats(MOOD__PANEL)) +
           strip_floats(c, largest(c->Cin, MOOD__PANEL));
}

/* For dw: components of the inputs and of all outputs, then rows of either. */
static int64_t grad_worker_floats(const struct mood__conv *c)
{
    return components(c) *
               (component_floats(c->Cin) + panels(c->Cout) * component_floats(MOOD__PANEL)) +
           strip_floats(c, largest(c->Cin, c->Cout));
}

/* The convolution that makes dx of dy. */
static struct mood__conv turned(const struct mood__conv *c)
{
    struct mood__conv t = *c;
    t.F = c->Fy, t.T = c->Ty, t.Cin = c->Cout;
    t.Fy = c->F, t.Ty = c->T, t.Cout = c->Cin;
    t.pad_f = c->Kf - 1 - c->pad_f;
    t.pad_t = c->Kt - 1 - c->pad_t;
    return t;
}

size_t mood__winograd_scratch(const struct mood__conv *c, int n_workers, bool backward)
{
    struct mood__conv t = turned(c);
    int64_t ahead = weight_floats(c) + n_workers * worker_floats(c);
    if (!backward)
        return (size_t)ahead * sizeof(float);
    int64_t dx = weight_floats(&t) + n_workers * worker_floats(&t);
    int64_t dw = shards(c) * (weight_floats(c) + c->Cout) + n_workers * grad_worker_floats(c);
    return (size_t)largest(dx, dw) * sizeof(float);
}

/* ---- runs of tiles ---- */

/* Tiles of a block that lie in one row of tiles: `n` of them from tile `at` of the block on, for
 * the outputs of sample b from row f and time t on. */
struct run {
    int64_t at, n, b, f, t;
};

/* The run that begins with tile `first` of all; the block ends before `stop`. */
static struct run run_at(const struct mood__conv *c, int64_t begin, int64_t first, int64_t stop)
{
    int64_t per_row = tiles_t(c), rows = div_up(c->Fy, rows_out(c));
    int64_t row = first / per_row, t = first % per_row;
    return (struct run){.at = first - begin,
                        .n = least(per_row - t, stop - first),
                        .b = row / rows,
                        .f = row % rows * rows_out(c),
                        .t = t * OUT};
}

/* Rows [f, f + n_rows) and times [t, t + n) of one sample x (F, T, C), with zeros where it ends. */
static void gather(float *strip, const float *x, int64_t F, int64_t T, int64_t C, int64_t f,
                   int64_t n_rows, int64_t t, int64_t n)
{
    int64_t left = t < 0 ? -t : 0, right = t + n > T ? t + n - T : 0;
    for (int64_t i = 0; i < n_rows; i++, strip += n * C) {
        if (f + i < 0 || f + i >= F || left + right >= n) {
            memset(strip, 0, (size_t)(n * C) * sizeof(float));
            continue;
        }
        memset(strip, 0, (size_t)(left * C) * sizeof(float));
        memcpy(strip + left * C, x + ((f + i) * T + t + left) * C,
               (size_t)((n - left - right) * C) * sizeof(float));
        memset(strip + (n - right) * C, 0, (size_t)(right * C) * sizeof(float));
    }
}

/* The components of a run's inputs, to `v`. */
static void input_components(const struct mood__conv *c, const struct mood__kernels *k, float *v,
                             float *strip, const float *x, const struct run *r)
{
    int64_t C = c->Cin, n = OUT * r->n + IN - OUT, rows = rows_in(c);
    gather(strip, x + r->b * c->F * c->T * C, c->F, c->T, C, r->f - c->pad_f, rows, r->t - c->pad_t,
           n);
    if (rows > 1)
        k->wino_input(&(struct mood__strips){strip, n * C, 0, strip, n * C, 0, n * C, 1});
    for (int64_t i = 0; i < rows; i++)
        k->wino_input(&(struct mood__strips){v + i * IN * component_floats(C) + r->at * C,
                                             component_floats(C), C, strip + i * n * C, C, OUT * C,
                                             C, r->n});
}

/* ---- forward, and the gradient of the inputs ---- */

struct job {
    const struct mood__conv *c;
    const struct mood__kernels *k;
    const float *x, *w, *bias, *dy;
    float *y;
    bool turn, add;       /* the weights are those of the convolution before it was turned; to y */
    float *weights, *own; /* the parts of the scratch */
};

static float *worker_memory(const struct job *j, int worker)
{
    return j->own + worker * worker_floats(j->c);
}

/* One panel of the weights (Cout, Cin) of one tap, of a convolution that is turned. */
static void turn_tap(const struct mood__conv *c, float *out, const float *w, int64_t col,
                     int64_t width)
{
    for (int64_t o = 0; o < width; o++)
        for (int64_t i = 0; i < c->Cin; i++)
            out[i * MOOD__PANEL + o] = w[(col + o) * c->Cin + i];
}

static void weights_task(void *ctx, int64_t panel, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    int64_t size = c->Cin * MOOD__PANEL, col = panel * MOOD__PANEL, taps = c->Kf * c->Kt;
    int64_t width = panel_width(c->Cout, panel);
    float *u = j->weights + panel * components(c) * size;
    for (int64_t tap = 0; tap < taps; tap++) {
        float *to = u + (tap / c->Kt * IN + tap % c->Kt) * size;
        if (width < MOOD__PANEL) /* the product reads all of it */
            memset(to, 0, (size_t)size * sizeof(float));
        if (j->turn)
            turn_tap(c, to, j->w + (taps - 1 - tap) * c->Cin * c->Cout, col, width);
        else
            j->k->copy_rows(to, MOOD__PANEL, j->w + tap * c->Cin * c->Cout + col, c->Cout, c->Cin,
                            width);
    }
    j->k->wino_weight(&(struct mood__strips){u, size, IN * size, u, size, IN * size, size, c->Kf});
    if (c->Kf > 1)
        j->k->wino_weight(&(struct mood__strips){u, IN * size, 0, u, IN * size, 0, IN * size, 1});
}

/* The outputs of a run, `width` channels from `col` on, from their components `m`. */
static void output_rows(const struct job *j, float *strip, const float *m, const struct run *r,
                        int64_t col, int64_t width)
{
    const struct mood__conv *c = j->c;
    int64_t n = OUT * r->n * MOOD__PANEL, rows = rows_in(c);
    for (int64_t i = 0; i < rows; i++)
        j->k->wino_output(
            &(struct mood__strips){strip + i * n, MOOD__PANEL, OUT * MOOD__PANEL,
                                   m + i * IN * component_floats(MOOD__PANEL) + r->at * MOOD__PANEL,
                                   component_floats(MOOD__PANEL), MOOD__PANEL, MOOD__PANEL, r->n});
    if (rows > 1)
        j->k->wino_output(&(struct mood__strips){strip, n, 0, strip, n, 0, n, 1});
    int64_t n_t = least(c->Ty - r->t, OUT * r->n), n_f = least(c->Fy - r->f, rows_out(c));
    for (int64_t f = 0; f < n_f; f++) {
        float *y = j->y + (((r->b * c->Fy + r->f + f) * c->Ty) + r->t) * c->Cout + col;
        const float *from = strip + f * n;
        if (!j->bias && !j->add)
            j->k->copy_rows(y, c->Cout, from, MOOD__PANEL, n_t, width);
        for (int64_t t = 0; t < n_t && (j->bias || j->add); t++)
            j->k->add(y + t * c->Cout, from + t * MOOD__PANEL,
                      j->bias ? j->bias + col : y + t * c->Cout, width);
    }
}

static void block_task(void *ctx, int64_t block, int worker)
{
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    int64_t begin = block * BLOCK_TILES, stop = least(begin + BLOCK_TILES, tiles(c));
    float *v = worker_memory(j, worker), *m = v + components(c) * component_floats(c->Cin);
    float *strip = m + components(c) * component_floats(MOOD__PANEL);
    struct run r;
    for (int64_t g = begin; g < stop; g += r.n) {
        r = run_at(c, begin, g, stop);
        input_components(c, j->k, v, strip, j->x, &r);
    }
    for (int64_t panel = 0; panel < panels(c->Cout); panel++) {
        int64_t size = c->Cin * MOOD__PANEL;
        const float *u = j->weights + panel * components(c) * size;
        for (int64_t i = 0; i < components(c); i++)
            j->k->product(m + i * component_floats(MOOD__PANEL), MOOD__PANEL,
                          v + i * component_floats(c->Cin), c->Cin, u + i * size, stop - begin,
                          MOOD__PANEL, c->Cin, false, NULL);
        for (int64_t g = begin; g < stop; g += r.n) {
            r = run_at(c, begin, g, stop);
            output_rows(j, strip, m, &r, panel * MOOD__PANEL, panel_width(c->Cout, panel));
        }
    }
}

static void convolve(struct mood__run *r, struct job *j)
{
    mood__pool_run(r->pool, panels(j->c->Cout), weights_task, j);
    mood__pool_run(r->pool, blocks(j->c), block_task, j);
}

void mood__winograd_forward(struct mood__run *r, mood_node *n, const struct mood__conv *c)
{
    float *scratch = n->scratch;
    struct job j = {.c = c,
                    .k = r->k,
                    .x = mood__in(n, 0),
                    .w = mood__in(n, 1),
                    .bias = n->n_in > 2 ? mood__in(n, 2) : NULL,
                    .y = mood__out(n),
                    .weights = scratch,
                    .own = scratch + weight_floats(c)};
    convolve(r, &j);
}

static void input_grad(struct mood__run *r, mood_node *n, const struct mood__conv *c)
{
    float *scratch = n->scratch;
    struct mood__conv t = turned(c);
    struct job j = {.c = &t,
                    .k = r->k,
                    .x = mood__dout(n),
                    .w = mood__in(n, 1),
                    .y = mood__din(n, 0),
                    .turn = true,
                    .add = mood__adds(n, 0),
                    .weights = scratch,
                    .own = scratch + weight_floats(&t)};
    convolve(r, &j);
}

/* ---- the gradient of the weights ---- */

/* A shard's sums: of the weights' components, then of the bias. */
static float *partial(const struct job *j, int64_t shard)
{
    return j->weights + shard * (weight_floats(j->c) + j->c->Cout);
}

/* The gradients of a run's outputs, as rows that are transformed to components but for time; what
 * they add to the bias. */
static void output_grad_rows(const struct job *j, float *strip, float *dbias, const struct run *r)
{
    const struct mood__conv *c = j->c;
    int64_t C = c->Cout, n = OUT * r->n;
    gather(strip, j->dy + r->b * c->Fy * c->Ty * C, c->Fy, c->Ty, C, r->f, rows_out(c), r->t, n);
    j->k->col_sum(dbias, strip, rows_out(c) * n, C, true);
    if (c->Kf > 1)
        j->k->wino_output_grad(&(struct mood__strips){strip, n * C, 0, strip, n * C, 0, n * C, 1});
}

/* The same as components, to `z` (panels, components, tiles, MOOD__PANEL). */
static void output_grad_components(const struct job *j, float *z, const float *strip,
                                   const struct run *r)
{
    const struct mood__conv *c = j->c;
    int64_t C = c->Cout, size = component_floats(MOOD__PANEL);
    for (int64_t panel = 0; panel < panels(C); panel++, z += components(c) * size)
        for (int64_t i = 0; i < rows_in(c); i++)
            j->k->wino_output_grad(
                &(struct mood__strips){z + i * IN * size + r->at * MOOD__PANEL, size, MOOD__PANEL,
                                       strip + i * OUT * r->n * C + panel * MOOD__PANEL, C, OUT * C,
                                       panel_width(C, panel), r->n});
}

/* What a block adds to the sums of its shard. */
static void add_block(const struct job *j, float *du, int64_t block, float *memory)
{
    const struct mood__conv *c = j->c;
    int64_t begin = block * BLOCK_TILES, stop = least(begin + BLOCK_TILES, tiles(c));
    int64_t size = c->Cin * MOOD__PANEL, of_v = component_floats(c->Cin);
    int64_t of_z = component_floats(MOOD__PANEL);
    float *v = memory, *z = v + components(c) * of_v;
    float *strip = z + panels(c->Cout) * components(c) * of_z;
    struct run r;
    for (int64_t g = begin; g < stop; g += r.n) {
        r = run_at(c, begin, g, stop);
        input_components(c, j->k, v, strip, j->x, &r);
        output_grad_rows(j, strip, du + weight_floats(c), &r);
        output_grad_components(j, z, strip, &r);
    }
    for (int64_t i = 0; i < panels(c->Cout) * components(c); i++)
        j->k->product_t(du + i * size, MOOD__PANEL, v + i % components(c) * of_v, c->Cin,
                        z + i * of_z, c->Cin, panel_width(c->Cout, i / components(c)), stop - begin,
                        true);
}

static void shard_task(void *ctx, int64_t shard, int worker)
{
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    float *du = partial(j, shard);
    memset(du, 0, (size_t)(weight_floats(c) + c->Cout) * sizeof(float));
    for (int64_t block = shard; block < blocks(c); block += shards(c))
        add_block(j, du, block, j->own + worker * grad_worker_floats(c));
}

/* dw of one panel of outputs, from all shards' sums. */
static void join_task(void *ctx, int64_t panel, int worker)
{
    (void)worker;
    const struct job *j = ctx;
    const struct mood__conv *c = j->c;
    int64_t size = c->Cin * MOOD__PANEL, all = components(c) * size, col = panel * MOOD__PANEL;
    int64_t width = panel_width(c->Cout, panel);
    float *du = partial(j, 0) + panel * all;
    for (int64_t s = 1; s < shards(c); s++)
        j->k->add(du, du, partial(j, s) + panel * all, all);
    if (c->Kf > 1)
        j->k->wino_weight_grad(
            &(struct mood__strips){du, IN * size, 0, du, IN * size, 0, IN * size, 1});
    j->k->wino_weight_grad(
        &(struct mood__strips){du, size, IN * size, du, size, IN * size, size, c->Kf});
    for (int64_t tap = 0; tap < c->Kf * c->Kt; tap++)
        for (int64_t i = 0; i < c->Cin; i++)
            j->k->scale(j->y + (tap * c->Cin + i) * c->Cout + col, 1.0f,
                        du + (tap / c->Kt * IN + tap % c->Kt) * size + i * MOOD__PANEL, width,
                        j->add);
}

static void weight_grad(struct mood__run *r, mood_node *n, const struct mood__conv *c)
{
    float *scratch = n->scratch;
    struct job j = {.c = c,
                    .k = r->k,
                    .x = mood__in(n, 0),
                    .dy = mood__dout(n),
                    .weights = scratch,
                    .own = scratch + shards(c) * (weight_floats(c) + c->Cout)};
    mood__pool_run(r->pool, shards(c), shard_task, &j);
    for (int64_t s = 0; s < shards(c) && mood__wants(n, 2); s++)
        r->k->scale(mood__din(n, 2), 1.0f, partial(&j, s) + weight_floats(c), c->Cout,
                    s > 0 || mood__adds(n, 2));
    if (!mood__wants(n, 1))
        return;
    j.y = mood__din(n, 1);
    j.add = mood__adds(n, 1);
    mood__pool_run(r->pool, panels(c->Cout), join_task, &j);
}

void mood__winograd_backward(struct mood__run *r, mood_node *n, const struct mood__conv *c)
{
    if (mood__wants(n, 1) || mood__wants(n, 2))
        weight_grad(r, n, c);
    if (mood__wants(n, 0))
        input_grad(r, n, c);
}
