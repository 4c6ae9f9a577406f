/* SPDX-License-Identifier: MIT
 *
 * test_edges.c — What golden values do not reach: NaN through max pooling, and negative axes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mood/ops.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

/* 40 channels: a whole block of the kernel and a part of one. */
enum { C = 40, POSITIONS = 4 };

/* Wherever in its window a NaN stands, it is what comes out, and the run says so. */
static void test_max_pool_keeps_nan(void **state)
{
    (void)state;
    for (int flat = 0; flat < 2; flat++) {
        mood_graph *g;
        assert_ok(mood_graph_create(&g, NULL));
        mood_node *x = flat ? mood_input(g, "x", MOOD_F32, 3, (int64_t[]){1, POSITIONS, C})
                            : mood_input(g, "x", MOOD_F32, 4, (int64_t[]){1, 2, 2, C});
        mood_node *y = flat ? mood_max_pool1d(x, POSITIONS) : mood_max_pool2d(x, 2, 2);
        assert_ok(mood_graph_compile(g, &y, 1));
        float *in = mood_node_value(x)->data, *out = mood_node_value(y)->data;
        for (int at = 0; at < POSITIONS * C; at++) {
            for (int i = 0; i < POSITIONS * C; i++)
                in[i] = i == at ? NAN : (float)i;
            assert_int_equal(mood_graph_forward(g), MOOD_E_NUMERIC);
            for (int c = 0; c < C; c++)
                assert_true(c == at % C ? isnan(out[c]) : out[c] == (float)(c + 3 * C));
        }
        mood_graph_destroy(&g);
    }
}

static void test_transpose_counts_from_the_end(void **state)
{
    (void)state;
    mood_graph *g;
    assert_ok(mood_graph_create(&g, NULL));
    mood_node *x = mood_input(g, "x", MOOD_F32, 3, (int64_t[]){2, 3, 4});
    mood_node *y[] = {mood_transpose(x, (int[]){0, 2, 1}), mood_transpose(x, (int[]){0, -1, -2})};
    assert_ok(mood_graph_compile(g, y, 2));
    for (int i = 0; i < 24; i++)
        ((float *)mood_node_value(x)->data)[i] = (float)i;
    assert_ok(mood_graph_forward(g));
    assert_true(mood_tensor_same_shape(mood_node_value(y[0]), mood_node_value(y[1])));
    assert_memory_equal(mood_node_value(y[0])->data, mood_node_value(y[1])->data,
                        24 * sizeof(float));
    assert_null(mood_transpose(x, (int[]){0, -4, 1}));
    mood_graph_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_max_pool_keeps_nan),
        cmocka_unit_test(test_transpose_counts_from_the_end),
    };
    return cmocka_run_group_tests_name("ops-edges", tests, NULL, NULL);
}
