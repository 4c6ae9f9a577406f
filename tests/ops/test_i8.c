/* SPDX-License-Identifier: MIT
 *
 * test_i8.c — dense and conv1d whose weight is MOOD_I8: that the type of the weight alone decides,
 * what comes out beside the float ops over the same rounded numbers, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "graph/node.h"
#include "kernel/gemm_i8.h"
#include "mood/ops.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

enum { B = 2, T = 23, CIN = 12, COUT = 40, K = 3 };

/* "exact" (float) and "i8" are the same numbers: what is left of random ones after rounding. */
static mood_weights *make(int rank, const int64_t *dim, void **panels, mood_init bias)
{
    mood_weights *w;
    assert_ok(mood_weights_create(&w, 3));
    assert_ok(mood_weights_add(w, "exact", rank, dim, (mood_init){MOOD_INIT_NORMAL, 1.0f, false}));
    assert_ok(mood_weights_add(w, "bias", 1, (int64_t[]){COUT}, bias));
    mood_tensor t = *mood_weights_value(w, 0), as_panels;
    assert_ok(mood__tensor_panels(&as_panels, &t));
    *panels = mood__alloc_aligned(mood_tensor_bytes(&as_panels));
    assert_non_null(*panels);
    int64_t k = mood_tensor_elements(&t) / COUT;
    mood__i8_pack(*panels, mood__f32(&t), k, COUT);
    mood__i8_unpack(mood__f32(&t), *panels, k, COUT);
    t.dtype = MOOD_I8;
    t.data = *panels;
    assert_ok(mood__weights_add_borrowed(w, "i8", &t));
    return w;
}

static void fill(const mood_node *x)
{
    struct mood__rng r = mood__rng_make(4, 0);
    for (int64_t i = 0; i < mood_tensor_elements(mood_node_value(x)); i++)
        mood__f32(mood_node_value(x))[i] = 2.0f * mood__rng_float(&r) - 1.0f;
}

/* The largest error beside the float op. What is left is the rounding of x: half a step of 2 / 255
 * for each of n products with weights around 1, which add up like sqrt(n). */
static double error(const mood_node *y, const mood_node *exact)
{
    double worst = 0;
    for (int64_t i = 0; i < mood_tensor_elements(mood_node_value(y)); i++)
        worst = fmax(worst, fabs((double)mood__f32(mood_node_value(y))[i] -
                                 (double)mood__f32(mood_node_value(exact))[i]));
    return worst;
}

static void compare(mood_graph *g, mood_node *x, mood_node *y, mood_node *exact, int n)
{
    assert_ok(mood_graph_compile(g, (mood_node *[]){y, exact}, 2));
    fill(x);
    assert_ok(mood_graph_forward(g));
    double bound = 4.0 * sqrt(n) * (2.0 / 255) / sqrt(12.0), e = error(y, exact);
    printf("%d products: error %.4f of %.4f\n", n, e, bound);
    assert_true(e > 0 && e < bound);
}

static void test_dense(void **state)
{
    (void)state;
    const int64_t dim[] = {CIN, COUT};
    void *panels;
    mood_graph *g;
    mood_weights *w = make(2, dim, &panels, (mood_init){MOOD_INIT_NORMAL, 1.0f, false});
    assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = w}));
    mood_node *x = mood_input(g, "x", MOOD_F32, 3, (int64_t[]){B, T, CIN});
    mood_node *bias = mood_weight(g, "bias", 1, (int64_t[]){COUT}, (mood_init){0});
    mood_node *y = mood_dense(x, mood_weight(g, "i8", 2, dim, (mood_init){0}), bias);
    mood_node *exact = mood_dense(x, mood_weight(g, "exact", 2, dim, (mood_init){0}), bias);
    compare(g, x, y, exact, CIN);
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
    mood__free(panels);
}

static void test_conv1d(void **state)
{
    (void)state;
    const int64_t dim[] = {K, CIN, COUT};
    for (int stride = 1; stride <= 4; stride++) {
        const mood_conv1d_params p = {.stride = stride};
        void *panels;
        mood_graph *g;
        mood_weights *w = make(3, dim, &panels, (mood_init){0});
        assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = w}));
        mood_node *x = mood_input(g, "x", MOOD_F32, 3, (int64_t[]){B, T, CIN});
        mood_node *y = mood_conv1d(x, mood_weight(g, "i8", 3, dim, (mood_init){0}), NULL, &p);
        mood_node *exact =
            mood_conv1d(x, mood_weight(g, "exact", 3, dim, (mood_init){0}), NULL, &p);
        compare(g, x, y, exact, K * CIN);
        mood_graph_destroy(&g);
        mood_weights_destroy(&w);
        mood__free(panels);
    }
}

/* ---- what is refused ---- */

static mood_node *wrong(mood_graph *g, int i, const char **said)
{
    const int64_t dim[] = {K, CIN, COUT};
    mood_node *x = mood_input(g, "x", MOOD_F32, 3, (int64_t[]){B, T, CIN});
    mood_node *narrow = mood_input(g, "narrow", MOOD_F32, 3, (int64_t[]){B, T, 5});
    mood_node *few = mood_input(g, "few", MOOD_F32, 3, (int64_t[]){B, 2, CIN});
    mood_node *whole = mood_input(g, "whole", MOOD_I32, 3, (int64_t[]){B, T, CIN});
    mood_node *short_bias = mood_input(g, "bias5", MOOD_F32, 1, (int64_t[]){5});
    mood_node *w = mood_weight(g, "i8", 3, dim, (mood_init){0});
    switch (i) {
    case 0:
        *said = "padding";
        return mood_conv1d(x, w, NULL, &(mood_conv1d_params){.padding = 1});
    case 1:
        *said = "groups";
        return mood_conv1d(x, w, NULL, &(mood_conv1d_params){.groups = 2});
    case 2:
        *said = "(B, T, Cin)";
        return mood_conv1d(narrow, w, NULL, NULL);
    case 3:
        *said = "(B, T, Cin)";
        return mood_conv1d(few, w, NULL, NULL);
    case 4:
        *said = "input 0 is i32";
        return mood_conv1d(whole, w, NULL, NULL);
    case 5:
        *said = "bias is (5)";
        return mood_conv1d(x, w, short_bias, NULL);
    case 6:
        *said = "x is (2, 23, 12), w is (3, 12, 40)";
        return mood_dense(x, w, NULL);
    case 7:
        *said = "input 1 is i8; f32 is needed";
        return mood_matmul(x, w, NULL);
    case 8:
        *said = "i8 is for storage";
        return mood_input(g, "bytes", MOOD_I8, 1, (int64_t[]){5});
    default:
        return x;
    }
}

static void test_refusals(void **state)
{
    (void)state;
    void *panels;
    mood_weights *w = make(3, (int64_t[]){K, CIN, COUT}, &panels, (mood_init){0}), *copy;
    mood_node *y = NULL;
    for (int i = 0; !y; i++) {
        const char *said = "";
        mood_graph *g;
        assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = w}));
        y = wrong(g, i, &said);
        if (!y) {
            assert_int_not_equal(mood_graph_compile(g, &y, 1), MOOD_OK);
            if (!strstr(mood_error_detail(), said))
                fail_msg("call %d: %s", i, mood_error_detail());
        } else {
            assert_int_equal(i, 9);
        }
        mood_graph_destroy(&g);
    }
    assert_int_equal(mood_weights_clone(&copy, w), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "'i8' is i8"));
    mood_weights_destroy(&w);
    mood__free(panels);
}

/* Nothing can be learned through rounded weights; what is above them can be learned. */
static void test_training(void **state)
{
    (void)state;
    const int64_t dim[] = {CIN, COUT};
    for (int above = 0; above < 2; above++) {
        void *panels;
        mood_graph *g;
        mood_weights *w = make(2, dim, &panels, (mood_init){.value = 0.5f, .frozen = above});
        assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = w, .training = true}));
        mood_node *x = mood_input(g, "x", MOOD_F32, 2, (int64_t[]){T, CIN});
        mood_node *bias = mood_weight(g, "bias", 1, (int64_t[]){COUT}, (mood_init){0});
        mood_node *y = mood_dense(x, mood_weight(g, "i8", 2, dim, (mood_init){0}), bias);
        y = mood_dense(y, mood_weight(g, "top", 2, (int64_t[]){COUT, 1}, (mood_init){0}), NULL);
        mood_node *loss = mood_mean(mood_reshape(y, 1, (int64_t[]){T}), 0);
        mood_status status = mood_graph_compile(g, &loss, 1);
        if (above) {
            assert_ok(status);
            fill(x);
            assert_ok(mood_graph_forward(g));
            assert_ok(mood_graph_backward(g));
        } else {
            assert_int_equal(status, MOOD_E_INVALID);
            assert_non_null(strstr(mood_error_detail(), "dense_i8 'i8': this op is not differ"));
        }
        mood_graph_destroy(&g);
        mood_weights_destroy(&w);
        mood__free(panels);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_conv1d),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
