/* SPDX-License-Identifier: MIT
 *
 * test_panels.c — dense whose weight is MOOD_F32_PANELS, beside the same numbers row by row: what
 * comes out, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "graph/node.h"
#include "kernel/product.h"
#include "mood/ops.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

enum { CIN = 40, COUT = 96 };

static const int64_t dim[] = {CIN, COUT};

/* "plain" and "panels" are the same matrix. */
static mood_weights *make(void)
{
    mood_weights *w;
    assert_ok(mood_weights_create(&w, 3));
    assert_ok(mood_weights_add(w, "plain", 2, dim, (mood_init){MOOD_INIT_NORMAL, 1.0f, false}));
    assert_ok(mood_weights_add(w, "bias", 1, dim + 1, (mood_init){MOOD_INIT_NORMAL, 1.0f, false}));
    assert_ok(mood_weights_add(w, "panels", 2, dim, (mood_init){.frozen = true}));
    mood__weights_are_panels(w);
    const mood_tensor *plain = mood_weights_value(w, 0), *panels = mood_weights_value(w, 2);
    for (int64_t k = 0; k < CIN; k++)
        for (int64_t n = 0; n < COUT; n++)
            mood__f32(panels)[(n / 32 * CIN + k) * 32 + n % 32] = mood__f32(plain)[k * COUT + n];
    return w;
}

static void fill(const mood_node *x)
{
    struct mood__rng r = mood__rng_make(4, 0);
    for (int64_t i = 0; i < mood_tensor_elements(mood_node_value(x)); i++)
        mood__f32(mood_node_value(x))[i] = 2.0f * mood__rng_float(&r) - 1.0f;
}

/* The same bytes where both are products of our own; else one is OpenBLAS' of a whole matrix, and
 * the other of its panels, and sums may have another order. */
static void check_rows(mood_pool *pool, int64_t rows, bool with_bias)
{
    mood_graph *g;
    mood_weights *w = make();
    assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = w, .pool = pool}));
    mood_node *x = mood_input(g, "x", MOOD_F32, 2, (int64_t[]){rows, CIN}), *y[2];
    mood_node *bias = with_bias ? mood_weight(g, "bias", 1, dim + 1, (mood_init){0}) : NULL;
    y[0] = mood_dense(x, mood_weight(g, "plain", 2, dim, (mood_init){0}), bias);
    y[1] = mood_dense(x, mood_weight(g, "panels", 2, dim, (mood_init){0}), bias);
    assert_ok(mood_graph_compile(g, y, 2));
    fill(x);
    assert_ok(mood_graph_forward(g));
    const mood_tensor *a = mood_node_value(y[0]), *b = mood_node_value(y[1]);
    assert_true(mood_tensor_same_shape(a, b));
    for (int64_t i = 0; i < rows * COUT; i++) {
        float p = mood__f32(a)[i], q = mood__f32(b)[i];
        if (!(fabsf(p - q) <= (mood__product_pays(rows, COUT, CIN) ? 0 : 4e-6f)))
            fail_msg("%lld rows, number %lld: %.9g and %.9g", (long long)rows, (long long)i,
                     (double)p, (double)q);
    }
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

static void test_same(void **state)
{
    (void)state;
    static const int64_t rows[] = {1, 7, 8, 149, 600};
    mood_pool *pools[2] = {NULL};
    assert_ok(mood_pool_create(&pools[1], 3));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int bias = 0; bias < 2; bias++)
            for (int p = 0; p < 2; p++)
                check_rows(pools[p], rows[i], bias);
    mood_pool_destroy(&pools[1]);
}

/* Shapes are checked as those of other weights, other types are refused, and nothing is learned
 * through a weight that lies in panels. */
static void test_refusals(void **state)
{
    (void)state;
    for (int what = 0; what < 3; what++) {
        static const char *const texts[] = {"x is (5, 41), w is (40, 96)", "bias is (40)",
                                            "dense_panels 'panels': this op is not differ"};
        mood_graph *g;
        mood_weights *w = make();
        assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = w, .training = true}));
        mood_node *x = mood_input(g, "x", MOOD_F32, 2, (int64_t[]){5, CIN + (what == 0)});
        mood_node *bias =
            mood_weight(g, what == 1 ? "other" : "bias", 1, dim + (what != 1), (mood_init){0});
        if (what == 2)
            mood_want_grad(x);
        mood_node *y = mood_dense(x, mood_weight(g, "panels", 2, dim, (mood_init){0}), bias);
        if (y)
            y = mood_mean(mood_reshape(y, 1, (int64_t[]){5 * COUT}), 0);
        assert_int_equal(mood_graph_compile(g, &y, 1), what == 2 ? MOOD_E_INVALID : MOOD_E_SHAPE);
        if (!strstr(mood_error_detail(), texts[what]))
            fail_msg("%s", mood_error_detail());
        mood_graph_destroy(&g);
        mood_weights_destroy(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
