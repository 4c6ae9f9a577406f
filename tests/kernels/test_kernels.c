/* SPDX-License-Identifier: MIT
 *
 * test_kernels.c — Every kernel of every tier that this processor has, against the tier "c" byte by
 * byte, and that one against exact results; and kernels that are wrong, each of which has to be
 * found out. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "check.h"
#include "judge.h"

/* ---- the tiers ---- */

static int every; /* one call in so many is tried */

/* The table has as many entries as there are cases, and no two cases are of one. */
static void test_every_kernel_has_a_case(void)
{
    const size_t size = sizeof(void (*)(void));
    check(sizeof(struct mood__kernels) / size == (size_t)n_kernel_cases);
    for (int i = 0; i < n_kernel_cases; i++)
        for (int j = 0; j < i; j++)
            check(kernel_cases[i].field != kernel_cases[j].field);
    for (int tier = 0; tier < MOOD__N_TIERS; tier++) {
        const char *table = (const char *)mood__kernels_of(tier);
        static const char hole[sizeof(void (*)(void))];
        for (size_t at = 0; table && at < sizeof(struct mood__kernels); at += size)
            check(memcmp(table + at, hole, size) != 0);
    }
    check(mood__kernels_of(MOOD__N_TIERS) == NULL);
}

static void test_tiers_agree(void)
{
    const struct mood__kernels *c = mood__kernels_of(MOOD__TIER_C), *last = NULL;
    for (int tier = 0; tier < MOOD__N_TIERS; tier++) {
        const char *name = mood__cpu_name((enum mood__tier)tier);
        const struct mood__kernels *k = mood__kernels_of(tier);
        if (!mood__cpu_may_use((enum mood__tier)tier) || !k || k == last)
            continue; /* tiers that differ in 8-bit products only have one table */
        uint64_t n = judge(c, k, name);
        printf("%s: %llu calls\n", name, (unsigned long long)n);
        check(n > 10000 / (uint64_t)every);
        last = k;
    }
}

/* ---- against what is true ---- */

/* The largest part of its bound that an error of each case took. */
static double worst[64];

/* The position that was saved is one of the window's largest; compare() of the tiers sees that it
 * is the first. */
static void check_positions(const struct scene *s)
{
    const struct kernel_call *c = &s->call;
    for (ptrdiff_t i = 0; i < kernel_size(c, 'n'); i++) {
        int p = s->bytes[0][i];
        ptrdiff_t first = i / c->C * c->wt * c->C + i % c->C;
        for (int q = 0; q <= p && q < c->wf * c->wt; q++) {
            float x = c->in[0][first + q / c->wt * c->row_stride + q % c->wt * c->C];
            check(q < p ? x < s->out[0][0][i] : x == s->out[0][0][i]);
        }
        check(p < c->wf * c->wt);
    }
}

static void visit_exact(struct scene *s, void *ctx)
{
    uint64_t seed = (*(uint64_t *)ctx)++;
    scene_set(s, seed % 2 ? CANCELLING : UNIFORM, 0, seed);
    scene_use(s, 0);
    s->k->run(mood__kernels_of(MOOD__TIER_C), &s->call);
    scene_use(s, 1); /* what the outputs held before */
    if (s->k->bytes == 'o')
        check_positions(s);
    for (int o = 0; s->k->out[o]; o++)
        for (ptrdiff_t i = 0; i < kernel_size(&s->call, s->k->out[o]); i++) {
            double bound = 0, got = (double)s->out[0][o][i];
            double exact = s->k->exact(&s->call, o, i, &bound), error = fabs(got - exact);
            if (got == exact)
                continue;
            if (!(error <= bound))
                fail("%s: output %d[%td] is %.9g, exactly it is %.12g; off by %.2e, bound %.2e",
                     scene_text(s), o, i, got, exact, error, bound);
            double *w = &worst[s->k - kernel_cases];
            *w = fmax(*w, error / bound);
        }
}

static void test_exact(void)
{
    uint64_t seed = 0;
    check(n_kernel_cases <= 64);
    printf("worst error as a part of its bound:\n");
    for (int i = 0; i < n_kernel_cases; i++) {
        each_scene(&kernel_cases[i], visit_exact, &seed);
        printf("  %-18s %.2f\n", kernel_cases[i].name, worst[i]);
    }
}

/* What the formulas say of the numbers that are none. */
static void check_special(const struct mood__kernels *k)
{
    float x[40], y[40];
    uint8_t which[20];
    for (int i = 0; i < 40; i++)
        x[i] = -1.0f;
    check(k->max(x, 0) == -INFINITY && k->sum(x, 0) == 0 && k->dot(x, x, 0) == 0);
    for (int at = 0; at < 40; at++) { /* a NaN is found anywhere, and stays */
        x[at] = NAN;
        check(isnan(k->max(x, 40)) && isnan(k->sum(x, 40)) && isnan(k->dot(x, x, 40)));
        k->relu(y, x, 40);
        for (int i = 0; i < 40; i++)
            check(i == at ? isnan(y[i]) : y[i] == 0);
        k->max_pool_row(y, which, x, 20, 1, 1, 2, 40);
        for (int i = 0; i < 20; i++)
            check(i == at / 2 ? isnan(y[i]) && which[i] == at % 2 : y[i] == -1 && which[i] == 0);
        k->softmax(y, x, 40, 1.0f);
        for (int i = 0; i < 40; i++)
            check(isnan(y[i]));
        x[at] = -1.0f;
    }
    x[3] = -INFINITY;
    k->exp(y, x, 8);
    check(y[3] == 0);
    k->sigmoid(y, x, 8);
    check(y[3] == 0);
    x[3] = INFINITY;
    k->sigmoid(y, x, 8);
    check(y[3] == 1 && k->max(x, 40) == INFINITY && k->sum(x, 40) == INFINITY);
    k->tanh(y, x, 8);
    check(y[3] == 1);
    k->exp(y, x, 8);
    check(y[3] == INFINITY);
    k->gelu(y, x, 8);
    check(y[3] == INFINITY);
}

static void test_special(void)
{
    for (int tier = 0; tier < MOOD__N_TIERS; tier++)
        if (mood__cpu_may_use((enum mood__tier)tier) && mood__kernels_of(tier))
            check_special(mood__kernels_of(tier));
}

/* exp and gelu where they have something to do, a float in a thousand. */
static void test_range(void)
{
    static const double U = 0x1p-24;
    enum { STEP = 997 };
    const struct mood__kernels *k = mood__kernels_of(MOOD__TIER_C);
    double worst_exp = 0, worst_gelu = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += (uint64_t)(STEP * every)) {
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
    printf("exp is off by %.2f U of itself, Phi by %.2f U\n", worst_exp, worst_gelu);
    check(worst_exp > 0.5 && worst_exp < 1.4);
    check(worst_gelu > 0.5 && worst_gelu < 1.2);
}

/* ---- kernels that are wrong ---- */

static const struct mood__kernels *right(void)
{
    return mood__kernels_of(MOOD__TIER_C);
}

static void add_right(float *y, const float *a, const float *b, ptrdiff_t n)
{
    right()->add(y, a, b, n);
}

static void add_off_by_a_bit(float *y, const float *a, const float *b, ptrdiff_t n)
{
    right()->add(y, a, b, n);
    if (n == 67)
        y[66] = nextafterf(y[66], INFINITY);
}

static void add_reads_on(float *y, const float *a, const float *b, ptrdiff_t n)
{
    right()->add(y, a, b, n);
    (void)((const volatile float *)b)[n];
}

static void add_reads_before(float *y, const float *a, const float *b, ptrdiff_t n)
{
    right()->add(y, a, b, n);
    (void)((const volatile float *)a)[-1];
}

static void add_writes_on(float *y, const float *a, const float *b, ptrdiff_t n)
{
    right()->add(y, a, b, n);
    if (n % 16 == 3)
        y[n] = 0;
}

static void add_wants_alignment(float *y, const float *a, const float *b, ptrdiff_t n)
{
    right()->add(y, a, b, (uintptr_t)a % 16 ? n - n % 2 : n);
}

static void add_not_in_place(float *y, const float *a, const float *b, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = 0;
    right()->add(y, a, b, n);
}

static void relu_without_nan(float *y, const float *x, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

static void exp_without_denormals(float *y, const float *x, ptrdiff_t n)
{
    right()->exp(y, x, n);
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = fabsf(y[i]) < FLT_MIN ? 0.0f : y[i];
}

static float sum_in_order(const float *x, ptrdiff_t n)
{
    float s = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        s += x[i];
    return s;
}

static void copy_fills_gaps(float *y, ptrdiff_t y_ld, const float *x, ptrdiff_t x_ld,
                            ptrdiff_t n_rows, ptrdiff_t width)
{
    right()->copy_rows(y, y_ld, x, x_ld, n_rows, width);
    for (ptrdiff_t r = 0; r + 1 < n_rows; r++)
        y[r * y_ld + width] = 0;
}

static void pool_takes_the_last(float *y, uint8_t *which, const float *x, ptrdiff_t n_out,
                                ptrdiff_t C, int wf, int wt, ptrdiff_t row_stride)
{
    right()->max_pool_row(y, which, x, n_out, C, wf, wt, row_stride);
    const float *last = x + (wf - 1) * row_stride + (ptrdiff_t)(wt - 1) * C;
    if (n_out > 0 && C > 0 && last[0] == y[0])
        which[0] = (uint8_t)(wf * wt - 1);
}

static void product_without_packing(float *c, ptrdiff_t c_ld, const float *a, ptrdiff_t a_ld,
                                    const float *b, ptrdiff_t M, ptrdiff_t n, ptrdiff_t K, bool add,
                                    const struct mood__pack *next)
{
    (void)next;
    right()->product(c, c_ld, a, a_ld, b, M, n, K, add, NULL);
}

static void product_drops_the_last(float *c, ptrdiff_t c_ld, const float *a, ptrdiff_t a_ld,
                                   const float *b, ptrdiff_t M, ptrdiff_t n, ptrdiff_t K, bool add,
                                   const struct mood__pack *next)
{
    right()->product(c, c_ld, a, a_ld, b, M, n, K > 64 && K % 2 ? K - 1 : K, add, next);
}

/* Tables of the right kernels, but for the one that is named. */
static const struct {
    const char *what;
    struct mood__kernels instead;
} wrong[] = {
    {"one bit", {.add = add_off_by_a_bit}},
    {"a read after the end", {.add = add_reads_on}},
    {"a read before the beginning", {.add = add_reads_before}},
    {"a write after the end", {.add = add_writes_on}},
    {"an address", {.add = add_wants_alignment}},
    {"in place", {.add = add_not_in_place}},
    {"NaN", {.relu = relu_without_nan}},
    {"denormals", {.exp = exp_without_denormals}},
    {"the order of a sum", {.sum = sum_in_order}},
    {"gaps", {.copy_rows = copy_fills_gaps}},
    {"which of two", {.max_pool_row = pool_takes_the_last}},
    {"the next panel", {.product = product_without_packing}},
    {"the last step", {.product = product_drops_the_last}},
};

static struct mood__kernels changed(const struct mood__kernels *instead)
{
    struct mood__kernels table = *right();
    static const char hole[sizeof(void (*)(void))];
    for (size_t at = 0; at < sizeof(table); at += sizeof(hole))
        if (memcmp((const char *)instead + at, hole, sizeof(hole)) != 0)
            memcpy((char *)&table + at, (const char *)instead + at, sizeof(hole));
    return table;
}

static void judge_changed(void *instead)
{
    struct mood__kernels table = changed(instead);
    check(judge(right(), &table, "a changed table") > 100);
}

static void test_can_fail(void)
{
    check(same_number(NAN, -NAN) && same_number(1.0f, 1.0f));
    check(!same_number(0.0f, -0.0f) && !same_number(1.0f, 1.0000001f) && !same_number(NAN, 1.0f));
    struct mood__kernels fine = {.add = add_right}, none = changed(&fine);
    none.add = right()->add;
    check(judge(right(), &none, "") == 0);
    check(!fails(judge_changed, &fine));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct mood__kernels instead = wrong[i].instead;
        if (!fails(judge_changed, &instead))
            fail("a wrong kernel was let pass: %s", wrong[i].what);
    }
}

int main(int argc, char **argv)
{
    every = one_in(argc, argv);
    each_scene_in(every);
    test_every_kernel_has_a_case();
    if (every == 1)
        test_can_fail();
    test_tiers_agree();
    test_exact();
    test_special();
    test_range();
    return 0;
}
