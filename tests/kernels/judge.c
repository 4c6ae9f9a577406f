/* SPDX-License-Identifier: MIT
 *
 * judge.c — Buffers, numbers, sizes, and the comparison. */
#include "judge.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "check.h"

/* ---- buffers ---- */

enum {
    MAX_FLOATS = 96 * 1024,
    BESIDE = 128, /* bytes for places and margins */
    N_SLOTS = CASE_MAX_IN + 2 * CASE_MAX_OUT + 2,
    N_PLACES = 17 /* at the end, and 0 to 15 numbers after the beginning */
};

/* Room for n objects of `size` bytes. */
static void *room(int slot, ptrdiff_t n, size_t size, int place)
{
    static char *slots[N_SLOTS];
    size_t bytes = MAX_FLOATS * sizeof(float);
    if (!slots[slot])
        slots[slot] = take_at_begin(bytes); /* whole pages, so it is at their end too */
    check((size_t)n * size + BESIDE <= bytes);
    return place == 0 ? slots[slot] + bytes - (size_t)n * size
                      : slots[slot] + (size_t)(place - 1) * size;
}

/* ---- numbers ---- */

static float number(struct mood__rng *r, enum filling f, ptrdiff_t i)
{
    static const float special[] = {NAN,      INFINITY, -INFINITY, 0.0f,     -0.0f,
                                    1.0f,     -1.0f,    FLT_MAX,   -FLT_MAX, FLT_MIN,
                                    -FLT_MIN, 1e-42f,   88.8f,     -104.0f,  -95.0f};
    float x = 2.0f * mood__rng_float(r) - 1.0f;
    switch (f) {
    case UNIFORM:
        return 3.0f * x;
    case CANCELLING:
        return (i % 2 ? 2.0f : -2.0f) + x * 0x1p-16f;
    case WIDE:
        return ldexpf(x, (int)mood__rng_below(r, 100) - 50);
    case SPECIAL:
        return mood__rng_below(r, 3)
                   ? x
                   : special[mood__rng_below(r, sizeof(special) / sizeof(special[0]))];
    case EQUAL:
        return 0.1f;
    default:
        return x * 1e-39f; /* denormal */
    }
}

/* n numbers out of a row of many that is made once: most of the time would go there. */
static void fill(float *x, ptrdiff_t n, enum filling f, struct mood__rng *r)
{
    enum { MANY = 1 << 16 };
    static float many[N_FILLINGS][MANY];
    static bool made[N_FILLINGS];
    if (!made[f]) {
        struct mood__rng own = mood__rng_make(2, (uint64_t)f);
        for (ptrdiff_t i = 0; i < MANY; i++)
            many[f][i] = number(&own, f, i);
        made[f] = true;
    }
    size_t from = mood__rng_below(r, MANY);
    for (ptrdiff_t i = 0; i < n; i++)
        x[i] = many[f][(from + (size_t)i) % MANY];
}

static void make_positive(float *x, ptrdiff_t n, float least)
{
    for (ptrdiff_t i = 0; i < n; i++)
        x[i] = fabsf(x[i]) + least;
}

/* Both sets alike. Second moments are not negative, and saved windows are such as there are. */
static void fill_outputs(const struct scene *s, enum filling f, struct mood__rng *r)
{
    for (int o = 0; s->k->out[o]; o++) {
        ptrdiff_t n = kernel_size(&s->call, s->k->out[o]);
        fill(s->out[0][o], n, f, r);
        if (o == 2)
            make_positive(s->out[0][o], n, 0);
        memcpy(s->out[1][o], s->out[0][o], (size_t)n * sizeof(float));
    }
    ptrdiff_t n = s->k->bytes ? kernel_size(&s->call, 'n') : 0;
    for (ptrdiff_t i = 0; i < n; i++)
        s->bytes[0][i] = (uint8_t)mood__rng_below(r, (uint64_t)(s->call.wf * s->call.wt));
    memcpy(s->bytes[1], s->bytes[0], (size_t)n);
}

void scene_set(struct scene *s, enum filling f, int place, uint64_t seed)
{
    struct mood__rng r = mood__rng_make(seed, 1);
    int slot = 0;
    s->call.field = s->k->field;
    for (int i = 0; s->k->in[i]; i++, slot++) {
        ptrdiff_t n = kernel_size(&s->call, s->k->in[i]);
        float *x = room(slot, n, sizeof(*x), place ? place + i : 0);
        fill(x, n, f, &r);
        if (f <= CANCELLING && strcmp(s->k->name, "log") == 0)
            make_positive(x, n, 1e-3f);
        s->call.in[i] = x;
    }
    for (int which = 0; which < 2; which++) {
        for (int o = 0; s->k->out[o]; o++, slot++)
            s->out[which][o] =
                room(slot, kernel_size(&s->call, s->k->out[o]), sizeof(float), place);
        s->bytes[which] = room(slot++, kernel_size(&s->call, 'n'), 1, place);
    }
    fill_outputs(s, f, &r);
}

void scene_use(struct scene *s, int which)
{
    memcpy(s->call.out, s->out[which], sizeof(s->call.out));
    s->call.bytes = s->bytes[which];
}

const char *scene_text(const struct scene *s)
{
    static char text[160];
    const struct kernel_call *c = &s->call;
    snprintf(text, sizeof(text), "%s, rows %td, C %td, window %d x %d, flags %d %d", s->k->name,
             c->rows, c->C, c->wf, c->wt, c->a, c->b);
    return text;
}

/* ---- sizes ---- */

typedef void visit(struct scene *s, void *ctx);

static int every = 1;

void each_scene_in(int n)
{
    every = n;
}

/* Some kernels have larger buffers than others for the same size, and do without the largest. */
static bool fits(const struct scene *s)
{
    const ptrdiff_t most = MAX_FLOATS - BESIDE / (ptrdiff_t)sizeof(float);
    for (const char *letter = s->k->in; *letter; letter++)
        if (kernel_size(&s->call, *letter) > most)
            return false;
    for (const char *letter = s->k->out; *letter; letter++)
        if (kernel_size(&s->call, *letter) > most)
            return false;
    return true;
}

static void visit_size(struct scene *s, ptrdiff_t rows, ptrdiff_t C, visit *fn, void *ctx)
{
    static unsigned count;
    s->call.rows = rows;
    s->call.C = C;
    if (!fits(s))
        return;
    for (int flags = 0; flags < 1 << s->k->flags; flags++) {
        s->call.a = flags & 1;
        s->call.b = flags & 2;
        if (count++ % (unsigned)every == 0)
            fn(s, ctx);
    }
}

/* 70 is more than 3 * 16 + 3, and than twice the 32 channels that some loops take at once. */
enum { SMALL = 70, N_RANDOM = 8 };

static void visit_vectors(struct scene *s, visit *fn, void *ctx)
{
    static const ptrdiff_t large[] = {127, 128, 129, 255, 320, 512, 768, 1000, 3072, 4099};
    struct mood__rng r = mood__rng_make(3, 0);
    for (ptrdiff_t n = 0; n <= SMALL; n++)
        visit_size(s, 1, n, fn, ctx);
    for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++)
        visit_size(s, 1, large[i], fn, ctx);
    for (int i = 0; i < N_RANDOM; i++)
        visit_size(s, 1, SMALL + (ptrdiff_t)mood__rng_below(&r, 4096 - SMALL), fn, ctx);
}

static void visit_rows(struct scene *s, visit *fn, void *ctx)
{
    static const ptrdiff_t rows[] = {0, 1, 2, 17};
    static const ptrdiff_t real[][2] = {{187, 32}, {187, 64}, {94, 128}, {149, 512}, {49, 768}};
    struct mood__rng r = mood__rng_make(4, 0);
    for (ptrdiff_t C = 0; C <= SMALL; C++)
        for (int i = 0; i < 4; i++)
            visit_size(s, rows[i], C, fn, ctx);
    for (int i = 0; i < 5; i++)
        visit_size(s, real[i][0], real[i][1], fn, ctx);
    for (int i = 0; i < N_RANDOM; i++)
        visit_size(s, (ptrdiff_t)mood__rng_below(&r, 100), (ptrdiff_t)mood__rng_below(&r, 200), fn,
                   ctx);
}

static void visit_windows(struct scene *s, visit *fn, void *ctx)
{
    static const struct {
        int wf, wt, skipped; /* columns of the plane beyond the last window */
    } windows[] = {{1, 2, 0}, {2, 2, 1}, {3, 1, 0}};
    for (ptrdiff_t C = 0; C <= SMALL; C++)
        for (int w = 0; w < 3; w++)
            for (ptrdiff_t n_out = C % 2; n_out <= 5; n_out += 2) {
                s->call.wf = windows[w].wf;
                s->call.wt = windows[w].wt;
                s->call.row_stride = (n_out * s->call.wt + windows[w].skipped) * C;
                visit_size(s, n_out, C, fn, ctx);
            }
    s->call = (struct kernel_call){.wf = 2, .wt = 2, .row_stride = (ptrdiff_t)94 * 128};
    visit_size(s, 47, 128, fn, ctx); /* of the heads */
    s->call = (struct kernel_call){.wf = 1, .wt = 255, .row_stride = (ptrdiff_t)255 * 37};
    visit_size(s, 1, 37, fn, ctx); /* the largest window there is */
}

/* Products: every number of rows in a tile and beyond it, every width of vectors and between. */
static void visit_tiles(struct scene *s, visit *fn, void *ctx)
{
    static const ptrdiff_t depths[] = {0, 1, 2, 7, 33, 64};
    static const int widths[] = {1, 3, 4, 8, 11, 16, 17, 24, 31, MOOD__PANEL};
    struct mood__rng r = mood__rng_make(5, 0);
    s->call.wf = 1;
    for (int d = 0; d < 6; d++)
        for (int w = 0; w < 10; w++)
            for (ptrdiff_t rows = (d + w) % 2; rows <= 26; rows += 2) {
                s->call.wt = widths[w];
                visit_size(s, rows, depths[d], fn, ctx);
            }
    for (int i = 0; i < N_RANDOM; i++) {
        s->call.wt = 1 + (int)mood__rng_below(&r, MOOD__PANEL);
        visit_size(s, (ptrdiff_t)mood__rng_below(&r, 60), (ptrdiff_t)mood__rng_below(&r, 200), fn,
                   ctx);
    }
    s->call.wt = MOOD__PANEL;
    visit_size(s, 13, 768, fn, ctx); /* of the transformer, but with fewer rows */
}

void each_scene(const struct kernel_case *k, visit *fn, void *ctx)
{
    struct scene s = {.k = k, .call = {.rows = 1, .wf = 1, .wt = 1}};
    switch (k->form) {
    case 'v':
        visit_vectors(&s, fn, ctx);
        break;
    case 'r':
        visit_rows(&s, fn, ctx);
        break;
    case 'p':
        visit_windows(&s, fn, ctx);
        break;
    default:
        visit_tiles(&s, fn, ctx);
    }
}

/* ---- the comparison ---- */

bool same_number(float a, float b)
{
    return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

static void compare(const struct scene *s, const char *name)
{
    for (int o = 0; s->k->out[o]; o++)
        for (ptrdiff_t i = 0; i < kernel_size(&s->call, s->k->out[o]); i++)
            if (!same_number(s->out[0][o][i], s->out[1][o][i]))
                fail("%s: output %d[%td] should be %.9g, is %.9g with %s", scene_text(s), o, i,
                     (double)s->out[0][o][i], (double)s->out[1][o][i], name);
    if (s->k->bytes == 'o' &&
        memcmp(s->bytes[0], s->bytes[1], (size_t)kernel_size(&s->call, 'n')) != 0)
        fail("%s: other positions with %s", scene_text(s), name);
}

enum { MARGIN = 64, MARK = 0x5a };

/* Mark the bytes beside a buffer (set), or look whether they are still marked. One side of it is at
 * the end of its pages, so the other is looked at. */
static void margin(const struct scene *s, void *buffer, size_t bytes, int place, bool set)
{
    unsigned char *beside =
        (unsigned char *)buffer + (place == 0 ? -(ptrdiff_t)MARGIN : (ptrdiff_t)bytes);
    if (set)
        memset(beside, MARK, MARGIN);
    for (int i = 0; i < MARGIN; i++)
        if (beside[i] != MARK)
            fail("%s: a byte %s an output was written", scene_text(s),
                 place == 0 ? "before" : "after");
}

static void margins(const struct scene *s, int place, bool set)
{
    for (int o = 0; s->k->out[o]; o++)
        margin(s, s->out[1][o], (size_t)kernel_size(&s->call, s->k->out[o]) * sizeof(float), place,
               set);
    if (s->k->bytes == 'o')
        margin(s, s->bytes[1], (size_t)kernel_size(&s->call, 'n'), place, set);
}

struct tables {
    const struct mood__kernels *reference, *judged;
    const char *name;
    uint64_t n_calls;
};

/* In place: the same as beside. */
static void visit_in_place(struct scene *s, const struct tables *t)
{
    bool adds = s->call.a && s->k->form != 'r';
    if (s->k->in_place < 0 || adds || (s->k->not_with && s->call.a))
        return;
    const float *beside = s->call.in[s->k->in_place];
    memcpy(s->out[1][0], beside,
           (size_t)kernel_size(&s->call, s->k->in[s->k->in_place]) * sizeof(float));
    s->call.in[s->k->in_place] = s->out[1][0];
    s->k->run(t->judged, &s->call);
    s->call.in[s->k->in_place] = beside;
    compare(s, t->name);
}

static void visit_tables(struct scene *s, void *ctx)
{
    struct tables *t = ctx;
    for (int f = 0; f < N_FILLINGS; f++) {
        uint64_t seed = t->n_calls++;
        int place = (int)(seed % N_PLACES);
        if (f == UNIFORM) /* once for each size, whatever its turn */
            place = 0;
        scene_set(s, (enum filling)f, place, seed);
        margins(s, place, true);
        scene_use(s, 0);
        s->k->run(t->reference, &s->call);
        scene_use(s, 1);
        s->k->run(t->judged, &s->call);
        margins(s, place, false);
        compare(s, t->name);
        visit_in_place(s, t);
    }
}

uint64_t judge(const struct mood__kernels *reference, const struct mood__kernels *table,
               const char *name)
{
    struct tables t = {reference, table, name, 0};
    for (int i = 0; i < n_kernel_cases; i++) {
        size_t field = kernel_cases[i].field;
        if (table == reference ||
            memcmp((const char *)table + field, (const char *)reference + field,
                   sizeof(void (*)(void))) != 0)
            each_scene(&kernel_cases[i], visit_tables, &t);
    }
    return t.n_calls;
}
