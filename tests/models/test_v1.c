/* SPDX-License-Identifier: MIT
 *
 * test_v1.c — A model file of format version 1.0, written once and never changed: every later
 * version of libmood has to read it and give the same answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "formula_model.h"
#include "mood/ops.h"
#include "tensor/tensor.h"

/* By PyTorch in float64 (expected_v1.py). */
static const double expected[3] = {0.160141762, 0.635819517, 0.204038721};

/* Sums of at most 1500 products in float32, through seven layers that keep the scale: the bound of
 * the golden test of the heads, relative to the largest. */
static const double bound = 1e-5;

static void test_content(void **state)
{
    mood_model *m = *state;
    assert_int_equal(mood_model_n_labels(m), 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(mood_model_label(m, i), formula_labels_v1[i]);
    assert_null(mood_model_label(m, 3));
    assert_null(mood_model_label(m, -1));
    assert_int_equal(mood_model_heads(m)->feature_width, 16);
    assert_int_equal(mood_model_heads(m)->divide, 8);
    assert_int_equal(mood_model_heads(m)->n_labels, 3);
    assert_string_equal(mood_model_record(m),
                        "{\"protocol\": \"none: the weights are a formula\"}");
}

static void test_weights(void **state)
{
    mood_model *made, *m = *state;
    assert_int_equal(formula_model(&made, &formula_params_v1), MOOD_OK);
    mood_weights *want = mood_model_weights(made), *have = mood_model_weights(m);
    assert_int_equal(mood_weights_count(have), mood_weights_count(want));
    for (int i = 0; i < mood_weights_count(want); i++) {
        int j = mood_weights_find(have, mood_weights_name(want, i));
        assert_true(j >= 0);
        const mood_tensor *a = mood_weights_value(want, i), *b = mood_weights_value(have, j);
        assert_true(mood_tensor_same_shape(a, b));
        assert_memory_equal(a->data, b->data, mood_tensor_bytes(a));
        assert_int_equal(mood_weights_trainable(want, i), mood_weights_trainable(have, j));
    }
    mood_model_destroy(&made);
}

static void test_answer(void **state)
{
    mood_model *m = *state;
    mood_graph *g;
    assert_int_equal(mood_graph_create(&g, &(mood_graph_params){.weights = mood_model_weights(m)}),
                     MOOD_OK);
    mood_node *seq = mood_input(g, "seq", MOOD_F32, 3, (int64_t[]){1, 149, 16});
    mood_node *mel = mood_input(g, "mel", MOOD_F32, 4, (int64_t[]){1, 64, 94, 1});
    mood_node *prob = mood_softmax(mood_heads(seq, mel, mood_model_heads(m)));
    assert_int_equal(mood_graph_compile(g, &prob, 1), MOOD_OK);
    formula_values(mood__f32(mood_node_value(seq)), 149 * 16, "seq.0");
    formula_values(mood__f32(mood_node_value(mel)), 64 * 94, "mel.0");
    assert_int_equal(mood_graph_forward(g), MOOD_OK);

    double worst = 0;
    for (int i = 0; i < 3; i++) {
        double p = (double)mood__f32(mood_node_value(prob))[i];
        worst = fmax(worst, fabs(p - expected[i]));
        print_message("%s %.9f, expected %.9f\n", mood_model_label(m, i), p, expected[i]);
    }
    print_message("worst difference %.2g, bound %.2g\n", worst, bound);
    assert_true(worst <= bound);
    mood_graph_destroy(&g);
}

static int load(void **state)
{
    return mood_model_load((mood_model **)state, TEST_DATA "/v1.h5");
}

static int unload(void **state)
{
    mood_model_destroy((mood_model **)state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_answer),
    };
    return cmocka_run_group_tests_name("v1", tests, load, unload);
}
