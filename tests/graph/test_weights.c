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

#include <sys/mman.h>

#include "graph/node.h"
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

/* ---- borrowed ------------------------------------------------------------------------------- */

/* Numbers in memory that cannot be written to. */
static mood_tensor read_only_tensor(int rank, const int64_t *dim)
{
    mood_tensor t;
    assert_ok(mood_tensor_make(&t, NULL, MOOD_F32, rank, dim));
    t.data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(t.data, MAP_FAILED);
    for (int64_t i = 0; i < mood_tensor_elements(&t); i++)
        ((float *)t.data)[i] = (float)(i + 1) / 4;
    assert_int_equal(mprotect(t.data, 4096, PROT_READ), 0);
    return t;
}

static void give_back(mood_tensor *t)
{
    assert_int_equal(munmap(t->data, 4096), 0);
}

/* The sum of squares of x W V, W from `w` and V trained. Its value, and the gradients of x and V.
 */
static void loss_and_gradients(mood_weights *w, float *loss, float dx[3], float dv[2])
{
    mood_graph *g = graph(w, true);
    mood_node *x = mood_want_grad(mood_input(g, "x", MOOD_F32, 2, DIMS(1, 3)));
    mood_node *h = mood_matmul(x, mood_weight(g, "W", 2, DIMS(3, 2), uniform), NULL);
    mood_node *v = mood_weight(g, "V", 2, DIMS(2, 1), (mood_init){.value = 0.5f});
    mood_node *y = mood_matmul(h, v, NULL), *out = total(mood_mul(y, y));
    assert_ok(mood_graph_compile(g, &out, 1));
    fill(x);
    mood_weights_zero_grad(w);
    assert_ok(mood_graph_forward(g));
    *loss = data(out)[0];
    assert_ok(mood_graph_backward(g));
    memcpy(dx, mood_node_grad(x)->data, 3 * sizeof(float));
    memcpy(dv, mood_node_grad(v)->data, 2 * sizeof(float));
    mood_graph_destroy(&g);
}

/* A borrowed weight is read where it lies, and gives what an owned one gives; nothing writes to it,
 * or the test would not get through. */
static void test_borrowed(void **state)
{
    (void)state;
    mood_tensor t = read_only_tensor(2, DIMS(3, 2));
    mood_weights *w = make(1), *own;
    assert_ok(mood__weights_add_borrowed(w, "W", &t));
    assert_ptr_equal(mood_weights_value(w, 0)->data, t.data);
    assert_false(mood_weights_trainable(w, 0));
    assert_int_equal(mood_weights_trainable_elements(w), 0);

    assert_ok(mood_weights_clone(&own, w));
    assert_ptr_not_equal(mood_weights_value(own, 0)->data, t.data);
    ((float *)mood_weights_value(own, 0)->data)[0] = 1.0f / 4;
    assert_memory_equal(value(own, "W"), t.data, 24);

    float loss[2], dx[2][3], dv[2][2];
    loss_and_gradients(w, &loss[0], dx[0], dv[0]);
    loss_and_gradients(own, &loss[1], dx[1], dv[1]);
    assert_true(loss[0] != 0 && loss[0] == loss[1]);
    assert_memory_equal(dx[0], dx[1], sizeof(dx[0]));
    assert_memory_equal(dv[0], dv[1], sizeof(dv[0]));
    assert_null(mood_weights_grad(w, 0)->data);
    assert_int_equal(mood_weights_trainable_elements(w), 2); /* V */

    /* Into it nothing is copied, and then nothing else either; out of it, all. */
    float before = value(w, "V")[0];
    ((float *)mood_weights_value(own, 1)->data)[0] = before + 1;
    assert_int_equal(mood_weights_copy(w, own), MOOD_E_INVALID);
    assert_string_equal(mood_error_detail(), "copy of weights: 'W' is read-only");
    assert_true(value(w, "V")[0] == before);
    assert_ok(mood_weights_copy(own, w));
    mood_weights_destroy(&own);
    mood_weights_destroy(&w);
    assert_true(((float *)t.data)[0] == 1.0f / 4); /* still there */
    give_back(&t);
}

/* A set over another's numbers: what moves one moves the other; gradients, and what was borrowed,
 * are not shared. */
static void test_shared(void **state)
{
    (void)state;
    mood_tensor t = read_only_tensor(2, DIMS(3, 2));
    mood_weights *a = make(1), *b = make(2);
    assert_ok(mood__weights_add_borrowed(a, "W", &t));
    assert_ok(mood_weights_add(a, "V", 2, DIMS(2, 1), uniform));
    assert_ok(mood_weights_add(a, "mean", 1, DIMS(2), (mood_init){.frozen = true}));
    mood_weights_seal(a);
    assert_ok(mood__weights_share(b, a));
    assert_int_equal(mood_weights_count(b), 2);
    int v = mood_weights_find(b, "V"), mean = mood_weights_find(b, "mean");
    assert_true(mood_weights_trainable(b, v) && !mood_weights_trainable(b, mean));
    assert_ptr_equal(mood_weights_value(b, v)->data, mood_weights_value(a, 1)->data);

    mood_weights *copy;
    assert_ok(mood_weights_clone(&copy, b));
    ((float *)mood_weights_value(copy, v)->data)[0] = 42;
    assert_ok(mood_weights_copy(b, copy));
    assert_true(((float *)mood_weights_value(a, 1)->data)[0] == 42);

    mood_graph *g = graph(b, true);
    mood_node *y = total(mood_weight(g, "V", 2, DIMS(2, 1), uniform));
    assert_ok(mood_graph_compile(g, &y, 1));
    assert_non_null(mood_weights_grad(b, v)->data);
    assert_null(mood_weights_grad(a, 1)->data);
    mood_graph_destroy(&g);

    assert_int_equal(mood__weights_share(b, a), MOOD_E_INVALID); /* the names are there already */
    mood_weights_destroy(&copy);
    mood_weights_destroy(&b);
    mood_weights_destroy(&a);
    give_back(&t);
}

static void test_borrowing_refused(void **state)
{
    (void)state;
    mood_tensor t = read_only_tensor(2, DIMS(3, 2)), bad = t;
    mood_weights *w = make(1);
    bad.data = (float *)t.data + 1;
    assert_int_equal(mood__weights_add_borrowed(w, "W", &bad), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "'W'"));
    bad.data = NULL;
    assert_int_equal(mood__weights_add_borrowed(w, "W", &bad), MOOD_E_INVALID);
    assert_ok(mood_tensor_transpose(&bad, &t, (const int[]){1, 0}));
    assert_int_equal(mood__weights_add_borrowed(w, "W", &bad), MOOD_E_INVALID);
    bad = t;
    bad.dtype = MOOD_F16;
    assert_int_equal(mood__weights_add_borrowed(w, "W", &bad), MOOD_E_INVALID);
    assert_int_equal(mood__weights_add_borrowed(w, "", &t), MOOD_E_INVALID);
    assert_ok(mood__weights_add_borrowed(w, "W", &t));
    assert_int_equal(mood__weights_add_borrowed(w, "W", &t), MOOD_E_INVALID);
    assert_string_equal(mood_error_detail(), "weight 'W' is there already");
    mood_weights_seal(w);
    assert_int_equal(mood__weights_add_borrowed(w, "late", &t), MOOD_E_INVALID);
    assert_int_equal(mood_weights_count(w), 1);
    mood_weights_destroy(&w);
    give_back(&t);
}

/* Frozen is not enough where an op writes: running statistics move in training. */
static void test_borrowed_statistics(void **state)
{
    (void)state;
    mood_tensor t = read_only_tensor(1, DIMS(2));
    for (int training = 0; training < 2; training++) {
        mood_weights *w = make(1);
        assert_ok(mood__weights_add_borrowed(w, "bn.running_mean", &t));
        assert_ok(mood__weights_add_borrowed(w, "bn.running_var", &t));
        mood_graph *g = graph(w, training);
        mood_node *x = mood_input(g, "x", MOOD_F32, 2, DIMS(3, 2));
        mood_node *y = total(mood_nn_batch_norm(x, "bn", NULL));
        if (training) {
            assert_int_equal(mood_graph_compile(g, &y, 1), MOOD_E_INVALID);
            assert_non_null(strstr(mood_error_detail(), "the running statistics are read-only"));
        } else {
            assert_ok(mood_graph_compile(g, &y, 1));
            assert_ok(mood_graph_forward(g));
        }
        mood_graph_destroy(&g);
        mood_weights_destroy(&w);
    }
    give_back(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_initial_values),
        cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_adding),
        cmocka_unit_test(test_sealed),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_clone),
        cmocka_unit_test(test_borrowed),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_borrowing_refused),
        cmocka_unit_test(test_borrowed_statistics),
    };
    return cmocka_run_group_tests_name("weights", tests, NULL, NULL);
}
