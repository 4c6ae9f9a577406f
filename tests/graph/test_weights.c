/* SPDX-License-Identifier: MIT
 *
 * test_weights.c — Named weights: how they begin, how they are found, copied and sealed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mood/nn.h"
#include "mood/ops.h"
#include "small.h"

static const mood_init uniform = {MOOD_INIT_UNIFORM, 0.5f, false};

static mood_weights *make(uint64_t seed)
{
    mood_weights *w;
    assert_ok(mood_weights_create(&w, seed));
    return w;
}

static const float *value(const mood_weights *w, const char *name)
{
    int i = mood_weights_find(w, name);
    assert_true(i >= 0);
    return mood_weights_value(w, i)->data;
}

/* Seed and name decide; the order and what else there is do not. */
static void test_initial_values(void **state)
{
    (void)state;
    mood_weights *a = make(1), *b = make(1), *c = make(2);
    enum { N = 1000 };
    assert_ok(mood_weights_add(a, "first", 1, DIMS(N), uniform));
    assert_ok(mood_weights_add(a, "second", 2, DIMS(N / 10, 10), uniform));
    assert_ok(mood_weights_add(b, "second", 1, DIMS(N), uniform));
    assert_ok(mood_weights_add(b, "between", 1, DIMS(7), uniform));
    assert_ok(mood_weights_add(b, "first", 1, DIMS(N), uniform));
    assert_ok(mood_weights_add(c, "first", 1, DIMS(N), uniform));
    assert_memory_equal(value(a, "first"), value(b, "first"), N * sizeof(float));
    assert_memory_equal(value(a, "second"), value(b, "second"), N * sizeof(float));
    int same_name = 0, same_seed = 0;
    for (int i = 0; i < N; i++) {
        same_name += value(a, "first")[i] == value(c, "first")[i];
        same_seed += value(a, "first")[i] == value(a, "second")[i];
    }
    assert_true(same_name < 5 && same_seed < 5); /* of 1000, each with 24 random bits */
    mood_weights_destroy(&a);
    mood_weights_destroy(&b);
    mood_weights_destroy(&c);
    assert_null(a);
    mood_weights_destroy(&a);
}

/* Mean and deviation of 10000 draws, within five standard errors. */
static void test_distributions(void **state)
{
    (void)state;
    enum { N = 10000 };
    static const struct {
        mood_init init;
        double deviation, most;
    } cases[] = {
        {{MOOD_INIT_CONSTANT, -3, false}, 0, 3},
        {{MOOD_INIT_UNIFORM, 0.5f, false}, 0.2886751, 0.5},
        {{MOOD_INIT_NORMAL, 2, false}, 2, 12},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        mood_weights *w = make(3);
        assert_ok(mood_weights_add(w, "w", 1, DIMS(N), cases[k].init));
        double sum = 0, squares = 0, most = 0, centre = k == 0 ? -3 : 0;
        for (int i = 0; i < N; i++) {
            double x = (double)value(w, "w")[i];
            sum += x - centre;
            squares += (x - centre) * (x - centre);
            most = fmax(most, fabs(x));
        }
        assert_true(fabs(sum / N) <= 5 * cases[k].deviation / sqrt(N));
        assert_true(fabs(sqrt(squares / N) - cases[k].deviation) <= 0.05 * cases[k].deviation);
        assert_true(most <= cases[k].most && most > 0.9 * cases[k].deviation);
        mood_weights_destroy(&w);
    }
}

static void test_adding(void **state)
{
    (void)state;
    mood_weights *w = make(1);
    char name[300];
    memset(name, 'n', sizeof(name));
    name[255] = '\0';
    assert_ok(mood_weights_add(w, name, 1, DIMS(1), uniform)); /* 255 bytes */
    name[255] = 'n', name[256] = '\0';
    assert_int_equal(mood_weights_add(w, name, 1, DIMS(1), uniform), MOOD_E_INVALID);
    assert_int_equal(mood_weights_add(w, "", 1, DIMS(1), uniform), MOOD_E_INVALID);
    assert_int_equal(mood_weights_add(w, "w", 1, DIMS(0), uniform), MOOD_E_SHAPE);
    assert_int_equal(mood_weights_add(w, "w", 7, DIMS(1, 1, 1, 1, 1, 1, 1), uniform),
                     MOOD_E_INVALID);
    assert_int_equal(mood_weights_add(w, "w", 3, DIMS(INT64_MAX, 2, 2), uniform), MOOD_E_SHAPE);
    assert_ok(mood_weights_add(w, "w", 2, DIMS(2, 3), uniform));
    assert_int_equal(mood_weights_add(w, "w", 2, DIMS(2, 3), uniform), MOOD_E_INVALID);
    assert_ok(mood_weights_add(w, "running", 1, DIMS(5), (mood_init){.frozen = true}));
    assert_int_equal(mood_weights_count(w), 3);
    assert_int_equal(mood_weights_find(w, "running"), 2);
    assert_int_equal(mood_weights_find(w, "runnin"), -1);
    assert_true(mood_weights_trainable(w, 1) && !mood_weights_trainable(w, 2));
    assert_int_equal(mood_weights_trainable_elements(w), 1 + 6);
    mood_weights_seal(w);
    assert_int_equal(mood_weights_add(w, "late", 1, DIMS(1), uniform), MOOD_E_INVALID);
    mood_weights_destroy(&w);
}

/* What a graph asks for has to be there once the set is sealed. */
static void test_sealed(void **state)
{
    (void)state;
    mood_weights *w = make(1);
    assert_ok(mood_weights_add(w, "fc.weight", 2, DIMS(3, 2), uniform));
    mood_weights_seal(w);
    mood_graph *g;
    assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = w}));
    mood_node *y = mood_nn_dense(mood_input(g, "x", MOOD_F32, 1, DIMS(3)), "fc", 2, NULL);
    assert_null(y);
    assert_int_equal(mood_graph_compile(g, &y, 1), MOOD_E_MISSING);
    assert_string_equal(mood_error_detail(), "there is no weight 'fc.bias'");
    assert_int_equal(mood_weights_count(w), 1);
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

/* Two sets of the same names in another order. */
static void two_sets(mood_weights **a, mood_weights **b)
{
    *a = make(1);
    *b = make(2);
    assert_ok(mood_weights_add(*a, "x", 2, DIMS(2, 3), uniform));
    assert_ok(mood_weights_add(*a, "y", 1, DIMS(4), (mood_init){.value = 7, .frozen = true}));
    assert_ok(mood_weights_add(*b, "y", 1, DIMS(4), uniform));
    assert_ok(mood_weights_add(*b, "x", 2, DIMS(2, 3), uniform));
}

static void test_copy(void **state)
{
    (void)state;
    mood_weights *a, *b;
    two_sets(&a, &b);
    assert_memory_not_equal(value(a, "x"), value(b, "x"), 24);
    assert_ok(mood_weights_copy(b, a));
    assert_memory_equal(value(a, "x"), value(b, "x"), 24);
    assert_memory_equal(value(a, "y"), value(b, "y"), 16);
    mood_weights_destroy(&b);

    /* One name more on either side, another shape: an error, and nothing changes. */
    mood_weights *before = NULL, *sets[2];
    for (int wrong = 0; wrong < 3; wrong++) {
        mood_weights_destroy(&a);
        two_sets(&a, &b);
        assert_ok(mood_weights_clone(&before, b));
        sets[0] = a, sets[1] = b;
        if (wrong < 2)
            assert_ok(mood_weights_add(sets[wrong], "extra", 1, DIMS(1), uniform));
        else {
            mood_weights_destroy(&a);
            a = make(1);
            assert_ok(mood_weights_add(a, "y", 1, DIMS(4), uniform));
            assert_ok(mood_weights_add(a, "x", 2, DIMS(3, 2), uniform));
        }
        assert_int_equal(mood_weights_copy(b, a), wrong < 2 ? MOOD_E_MISSING : MOOD_E_SHAPE);
        assert_non_null(strstr(mood_error_detail(), wrong < 2 ? "'extra'" : "'x'"));
        assert_memory_equal(value(before, "x"), value(b, "x"), 24);
        assert_memory_equal(value(before, "y"), value(b, "y"), 16);
        mood_weights_destroy(&before);
        mood_weights_destroy(&b);
    }
    mood_weights_destroy(&a);
}

static void test_clone(void **state)
{
    (void)state;
    mood_weights *a, *b, *copy;
    two_sets(&a, &b);
    mood_graph *g;
    assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = a, .training = true}));
    mood_node *x = mood_weight(g, "x", 2, DIMS(2, 3), uniform);
    mood_node *loss = mood_sum(mood_mul(x, x), MOOD_ALL_AXES);
    assert_ok(mood_graph_compile(g, &loss, 1));
    assert_non_null(mood_weights_grad(a, 0)->data);

    assert_ok(mood_weights_clone(&copy, a));
    assert_int_equal(mood_weights_count(copy), 2);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(mood_weights_name(copy, i), mood_weights_name(a, i));
        assert_true(mood_weights_trainable(copy, i) == mood_weights_trainable(a, i));
        assert_null(mood_weights_grad(copy, i)->data);
    }
    assert_memory_equal(value(a, "x"), value(copy, "x"), 24);
    ((float *)mood_weights_value(a, 0)->data)[0] += 1; /* they share nothing */
    assert_memory_not_equal(value(a, "x"), value(copy, "x"), 24);
    mood_graph_destroy(&g);
    mood_weights_destroy(&a);
    mood_weights_destroy(&b);
    mood_weights_destroy(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_initial_values), cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_adding),         cmocka_unit_test(test_sealed),
        cmocka_unit_test(test_copy),           cmocka_unit_test(test_clone),
    };
    return cmocka_run_group_tests_name("weights", tests, NULL, NULL);
}
