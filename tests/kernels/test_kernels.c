/* SPDX-License-Identifier: MIT
 *
 * test_kernels.c — Every kernel of every tier that this processor has, against the tier "c" byte by
 * byte, and that one against exact results. Buffers end, or begin, at a page that must not be
 * touched, at every offset; what lies beside an output has to stay as it was. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "kernel_cases.h"

/* ---- buffers between guard pages ---- */

enum { MAX_FLOATS = 16384, N_SLOTS = CASE_MAX_IN + 2 * CASE_MAX_OUT + 2 };

static struct {
    char *begin, *end; /* the readable pages */
} slots[N_SLOTS];

static int make_slots(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = (MAX_FLOATS * sizeof(float) + 2 * page - 1) / page * page;
    for (int i = 0; i < N_SLOTS; i++) {
        char *p = mmap(NULL, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED || mprotect(p + page, bytes, PROT_READ | PROT_WRITE) != 0)
            return -1;
        slots[i].begin = p + page;
        slots[i].end = p + page + bytes;
    }
    return 0;
}

/* Room for n objects of `size` bytes: flush with the end (place 0), or `place` - 1 objects after
 * the beginning. */
static void *room(int slot, ptrdiff_t n, size_t size, int place)
{
    assert_true((size_t)n * size + 64 <= MAX_FLOATS * sizeof(float));
    return place == 0 ? slots[slot].end - (size_t)n * size
                      : slots[slot].begin + (size_t)(place - 1) * size;
}

/* ---- numbers ---- */

enum filling { UNIFORM, WIDE, SPECIAL, EQUAL, TINY, N_FILLINGS };

static float number(struct mood__rng *r, enum filling f)
{
    static const float special[] = {NAN,      INFINITY, -INFINITY, 0.0f,     -0.0f,
                                    1.0f,     -1.0f,    FLT_MAX,   -FLT_MAX, FLT_MIN,
                                    -FLT_MIN, 1e-42f,   88.8f,     -104.0f,  3.0f};
    float x = 2.0f * mood__rng_float(r) - 1.0f;
    switch (f) {
    case UNIFORM:
        return 3.0f * x;
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

/* ---- one call ---- */

/* A call and two sets of its outputs, for two tables. */
struct scene {
    const struct kernel_case *k;
    struct kernel_call call;
    float *out[2][CASE_MAX_OUT];
    uint8_t *bytes[2];
};

/* Second moments are not negative, and saved windows are such as there are. */
static void fill_outputs(const struct scene *s, int which, enum filling f, uint64_t seed)
{
    struct mood__rng r = mood__rng_make(seed, 2);
    for (int o = 0; s->k->out[o]; o++)
        for (ptrdiff_t i = 0; i < kernel_size(&s->call, s->k->out[o]); i++) {
            float x = number(&r, f);
            s->out[which][o][i] = o == 2 ? fabsf(x) : x;
        }
    for (ptrdiff_t i = 0; s->k->bytes && i < kernel_size(&s->call, 'n'); i++)
        s->bytes[which][i] = (uint8_t)mood__rng_below(&r, (uint64_t)(s->call.wf * s->call.wt));
}

static void set_scene(struct scene *s, enum filling f, int place, uint64_t seed)
{
    struct mood__rng r = mood__rng_make(seed, 1);
    int slot = 0;
    for (int i = 0; s->k->in[i]; i++, slot++) {
        ptrdiff_t n = kernel_size(&s->call, s->k->in[i]);
        float *x = room(slot, n, sizeof(*x), place ? place + i : 0);
        for (ptrdiff_t e = 0; e < n; e++)
            x[e] = number(&r, f);
        if (strcmp(s->k->name, "log") == 0 && f == UNIFORM)
            for (ptrdiff_t e = 0; e < n; e++)
                x[e] = fabsf(x[e]) + 1e-3f;
        s->call.in[i] = x;
    }
    for (int which = 0; which < 2; which++) {
        for (int o = 0; s->k->out[o]; o++, slot++)
            s->out[which][o] =
                room(slot, kernel_size(&s->call, s->k->out[o]), sizeof(float), place);
        s->bytes[which] = room(slot++, kernel_size(&s->call, 'n'), 1, place);
        fill_outputs(s, which, f, seed);
    }
}

static void use(struct scene *s, int which)
{
    memcpy(s->call.out, s->out[which], sizeof(s->call.out));
    s->call.bytes = s->bytes[which];
}

static void run(struct scene *s, int which, const struct mood__kernels *table)
{
    use(s, which);
    s->k->run(table, &s->call);
}

static const char *describe(const struct scene *s)
{
    static char text[160];
    const struct kernel_call *c = &s->call;
    snprintf(text, sizeof(text), "%s, rows %td, C %td, window %d x %d, flags %d %d", s->k->name,
             c->rows, c->C, c->wf, c->wt, c->a, c->b);
    return text;
}

/* NaN is NaN: which of two a sum keeps is the compiler's choice. */
static bool same(float a, float b)
{
    return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

static void compare(const struct scene *s, const char *tier)
{
    for (int o = 0; s->k->out[o]; o++)
        for (ptrdiff_t i = 0; i < kernel_size(&s->call, s->k->out[o]); i++)
            if (!same(s->out[0][o][i], s->out[1][o][i]))
                fail_msg("%s: output %d[%td] is %.9g with c, %.9g with %s", describe(s), o, i,
                         (double)s->out[0][o][i], (double)s->out[1][o][i], tier);
    if (s->k->bytes == 'o' && kernel_size(&s->call, 'n') > 0)
        assert_memory_equal(s->bytes[0], s->bytes[1], (size_t)kernel_size(&s->call, 'n'));
}

/* ---- what is beside the outputs ---- */

enum { MARGIN = 64, MARK = 0x5a };

/* Mark the bytes beside the outputs (set), or look whether they are still marked. Outputs are flush
 * with one side of their pages, so the other side is looked at. */
static void margins(const struct scene *s, int which, int place, bool set)
{
    for (int o = 0; s->k->out[o]; o++) {
        char *p = (char *)s->out[which][o];
        size_t bytes = (size_t)kernel_size(&s->call, s->k->out[o]) * sizeof(float);
        char *margin = place == 0 ? p - MARGIN : p + bytes;
        for (int i = 0; i < MARGIN; i++) {
            if (set)
                margin[i] = MARK;
            else if (margin[i] != MARK)
                fail_msg("%s: a byte %s output %d was written", describe(s),
                         place == 0 ? "before" : "after", o);
        }
    }
}

/* ---- all calls ---- */

typedef void visit(struct scene *s, void *ctx);

static void visit_flags(struct scene *s, visit *fn, void *ctx)
{
    for (int flags = 0; flags < 1 << s->k->flags; flags++) {
        s->call.a = flags & 1;
        s->call.b = flags & 2;
        fn(s, ctx);
    }
}

/* Products: every number of rows in a tile and beyond it, every width of vectors and between. */
static void visit_tiles(struct scene *s, visit *fn, void *ctx)
{
    static const ptrdiff_t depths[] = {0, 1, 2, 7, 33, 64};
    static const int widths[] = {1, 3, 8, 11, 16, 17, 24, 31, MOOD__PANEL};
    for (int d = 0; d < 6; d++)
        for (int w = 0; w < 9; w++)
            for (ptrdiff_t rows = (d + w) % 2; rows <= 26; rows += 2) {
                s->call =
                    (struct kernel_call){.rows = rows, .C = depths[d], .wf = 1, .wt = widths[w]};
                visit_flags(s, fn, ctx);
            }
}

/* Every case with every size, form and flags. */
static void for_all(visit *fn, void *ctx)
{
    static const ptrdiff_t large[] = {127, 128, 129, 255, 1000, 4099};
    static const ptrdiff_t rows[] = {0, 1, 2, 17};
    static const struct {
        int wf, wt, skipped; /* columns of the plane beyond the last window */
    } windows[] = {{1, 2, 0}, {2, 2, 1}, {3, 1, 0}, {1, 255, 0}};
    for (int i = 0; i < n_kernel_cases; i++) {
        const size_t field = kernel_cases[i].field;
        struct scene s = {.k = &kernel_cases[i],
                          .call = {.rows = 1, .wf = 1, .wt = 1, .field = field}};
        if (s.k->form == 't')
            visit_tiles(&s, fn, ctx);
        for (ptrdiff_t C = 0; C <= 70; C++) {
            s.call.C = C;
            if (s.k->form == 'v')
                visit_flags(&s, fn, ctx);
            for (int r = 0; s.k->form == 'r' && r < 4; r++) {
                s.call.rows = rows[r];
                visit_flags(&s, fn, ctx);
            }
            for (int w = 0; s.k->form == 'p' && w < 4; w++)
                for (ptrdiff_t n_out = C % 2; n_out <= (windows[w].wt > 2 ? 0 : 5); n_out += 2) {
                    s.call.rows = n_out;
                    s.call.wf = windows[w].wf;
                    s.call.wt = windows[w].wt;
                    s.call.row_stride = (n_out * windows[w].wt + windows[w].skipped) * C;
                    visit_flags(&s, fn, ctx);
                }
        }
        for (int n = 0; s.k->form == 'v' && n < 6; n++) {
            s.call.C = large[n];
            visit_flags(&s, fn, ctx);
        }
        if (s.k->form == 'p') { /* the largest window there is */
            s.call = (struct kernel_call){
                .rows = 1, .C = 37, .wf = 1, .wt = 255, .row_stride = 255 * 37};
            visit_flags(&s, fn, ctx);
        }
    }
}

/* ---- the tests ---- */

/* The table has as many entries as there are cases: none was forgotten. */
static void test_every_kernel_has_a_case(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct mood__kernels) / sizeof(void (*)(void)), n_kernel_cases);
    for (int tier = 0; tier < MOOD__N_TIERS; tier++) {
        const unsigned char *table = (const unsigned char *)mood__kernels_of(tier);
        static const unsigned char hole[sizeof(void (*)(void))];
        for (size_t at = 0; table && at < sizeof(struct mood__kernels); at += sizeof(hole))
            assert_memory_not_equal(table + at, hole, sizeof(hole));
    }
    assert_null(mood__kernels_of(MOOD__N_TIERS));
}

struct tiers {
    const struct mood__kernels *table;
    const char *name;
    uint64_t n_calls;
};

static void visit_tiers(struct scene *s, void *ctx)
{
    struct tiers *t = ctx;
    for (int f = 0; f < N_FILLINGS; f++) {
        int place = (int)(t->n_calls % 17); /* 0: at the end; else 0 to 15 floats after the
                                             * beginning */
        set_scene(s, (enum filling)f, place, t->n_calls++);
        margins(s, 1, place, true);
        run(s, 0, mood__kernels_of(MOOD__TIER_C));
        run(s, 1, t->table);
        margins(s, 1, place, false);
        compare(s, t->name);

        /* In place: the same as beside. */
        bool flagged = s->k->not_with && s->call.a;
        if (s->k->in_place < 0 || flagged)
            continue;
        const float *beside = s->call.in[s->k->in_place];
        fill_outputs(s, 1, (enum filling)f, t->n_calls - 1);
        if (!s->call.a || s->k->form == 'r') {
            ptrdiff_t n = kernel_size(&s->call, s->k->in[s->k->in_place]);
            memcpy(s->out[1][0], beside, (size_t)n * sizeof(float));
            s->call.in[s->k->in_place] = s->out[1][0];
            run(s, 1, t->table);
            s->call.in[s->k->in_place] = beside;
            compare(s, "the same, in place,");
        }
    }
}

static void test_tiers_agree(void **state)
{
    (void)state;
    static const char *const names[] = {"c", "avx2", "avx512"};
    for (int tier = 0; tier <= (int)mood__cpu_tier(); tier++) {
        struct tiers t = {mood__kernels_of(tier), names[tier], 0};
        if (!t.table)
            continue;
        for_all(visit_tiers, &t);
        print_message("%s: %llu calls\n", names[tier], (unsigned long long)t.n_calls);
        assert_true(t.n_calls > 10000);
    }
}

/* The largest part of its bound that an error of each case took. */
static double worst[64];

static void visit_exact(struct scene *s, void *ctx)
{
    uint64_t *seed = ctx;
    set_scene(s, UNIFORM, 0, (*seed)++);
    run(s, 0, mood__kernels_of(MOOD__TIER_C));
    use(s, 1); /* what the outputs held before */
    if (s->k->bytes == 'o') {
        /* the window's first of the largest */
        for (ptrdiff_t i = 0; i < kernel_size(&s->call, 'n'); i++) {
            int p = s->bytes[0][i];
            ptrdiff_t at = p / s->call.wt * s->call.row_stride +
                           (i / s->call.C * s->call.wt + p % s->call.wt) * s->call.C +
                           i % s->call.C;
            assert_true(p < s->call.wf * s->call.wt && s->call.in[0][at] == s->out[0][0][i]);
        }
    }
    for (int o = 0; s->k->out[o]; o++)
        for (ptrdiff_t i = 0; i < kernel_size(&s->call, s->k->out[o]); i++) {
            double bound = 0, got = (double)s->out[0][o][i];
            double exact = s->k->exact(&s->call, o, i, &bound), error = fabs(got - exact);
            if (got == exact)
                continue;
            if (!(error <= bound))
                fail_msg("%s: output %d[%td] is %.9g, exactly it is %.12g; off by %.2e, bound %.2e",
                         describe(s), o, i, got, exact, error, bound);
            double *w = &worst[s->k - kernel_cases];
            *w = fmax(*w, error / bound);
        }
}

static void test_exact(void **state)
{
    (void)state;
    uint64_t seed = 0;
    assert_true(n_kernel_cases <= 64);
    for_all(visit_exact, &seed);
    print_message("worst error as a part of its bound:\n");
    for (int i = 0; i < n_kernel_cases; i++)
        print_message("  %-18s %.2f\n", kernel_cases[i].name, worst[i]);
}

/* What the formulas say of the numbers that are none. */
static void test_special(void **state)
{
    (void)state;
    for (int tier = 0; tier <= (int)mood__cpu_tier(); tier++) {
        const struct mood__kernels *k = mood__kernels_of(tier);
        float x[40], y[40];
        uint8_t which[20];
        if (!k)
            continue;
        for (int i = 0; i < 40; i++)
            x[i] = -1.0f;
        assert_true(k->max(x, 0) == -INFINITY && k->sum(x, 0) == 0 && k->dot(x, x, 0) == 0);
        for (int at = 0; at < 40; at++) { /* a NaN is found anywhere, and stays */
            x[at] = NAN;
            assert_true(isnan(k->max(x, 40)) && isnan(k->sum(x, 40)) && isnan(k->dot(x, x, 40)));
            k->relu(y, x, 40);
            for (int i = 0; i < 40; i++)
                assert_true(i == at ? isnan(y[i]) : y[i] == 0);
            k->max_pool_row(y, which, x, 20, 1, 1, 2, 40);
            for (int i = 0; i < 20; i++)
                assert_true(i == at / 2 ? isnan(y[i]) && which[i] == at % 2
                                        : y[i] == -1 && which[i] == 0);
            x[at] = -1.0f;
        }
        x[3] = -INFINITY;
        k->exp(y, x, 8);
        assert_true(y[3] == 0);
        k->sigmoid(y, x, 8);
        assert_true(y[3] == 0);
        x[3] = INFINITY;
        k->sigmoid(y, x, 8);
        assert_true(y[3] == 1 && k->max(x, 40) == INFINITY && k->sum(x, 40) == INFINITY);
        k->tanh(y, x, 8);
        assert_true(y[3] == 1);
        k->exp(y, x, 8);
        assert_true(y[3] == INFINITY);
        k->gelu(y, x, 8);
        assert_true(y[3] == INFINITY);
    }
}

/* exp and gelu where they have something to do, a float in a thousand. */
static void test_range(void **state)
{
    (void)state;
    static const double U = 0x1p-24;
    enum { STEP = 997 };
    const struct mood__kernels *k = mood__kernels_of(MOOD__TIER_C);
    double worst_exp = 0, worst_gelu = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += STEP) {
        uint32_t low = (uint32_t)bits;
        float x, y;
        memcpy(&x, &low, sizeof(x));
        if (fabsf(x) < 104.0f) {
            double exact = exp((double)x);
            k->exp(&y, &x, 1);
            double off = exact <= (double)FLT_MAX ? fabs((double)y - exact) : y < INFINITY;
            worst_exp = fmax(worst_exp, off / (exact < (double)FLT_MIN ? 0x1p-149 : exact * U));
        }
        if (fabsf(x) < 1e6f) { /* far out GELU is x, or nothing */
            double Phi = erfc(-(double)x / sqrt(2)) / 2, exact = (double)x * Phi;
            k->gelu(&y, &x, 1);
            double off = fmax(fabs((double)y - exact) - U * fabs(exact) - 0x1p-149, 0);
            worst_gelu = fmax(worst_gelu, off / (fmax(fabs((double)x), 1e-30) * U));
        }
    }
    print_message("exp is off by %.2f U of itself, Phi by %.2f U\n", worst_exp, worst_gelu);
    assert_true(worst_exp > 0.5 && worst_exp < 1.4);
    assert_true(worst_gelu > 0.5 && worst_gelu < 1.2);
}

/* Would the comparison see one bit? */
static void test_can_fail(void **state)
{
    (void)state;
    assert_true(same(NAN, -NAN) && same(1.0f, 1.0f));
    assert_false(same(0.0f, -0.0f) || same(1.0f, 1.0000001f) || same(NAN, 1.0f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kernel_has_a_case),
        cmocka_unit_test(test_tiers_agree),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_special),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_can_fail),
    };
    return cmocka_run_group_tests_name("kernels", tests, make_slots, NULL);
}
