/* SPDX-License-Identifier: MIT
 *
 * test_run.c — Running a graph: values with several readers, gradients, views, outputs, and runs
 * that fail. Memory planning has test_random.c, weights have test_weights.c, single ops tests/ops.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"
#include "mood/nn.h"
#include "mood/ops.h"
#include "small.h"

/* ---- one value, several readers ---- */

/* Functions of x (3, 4) that read it more than once. */
static mood_node *twice_add(mood_node *x)
{
    return mood_add(x, x);
}

static mood_node *twice_sub(mood_node *x)
{
    return mood_mul(mood_sub(x, mood_scale(x, 3)), x);
}

static mood_node *twice_mul(mood_node *x)
{
    return mood_mul(x, x);
}

static mood_node *twice_concat(mood_node *x)
{
    return mood_tanh(mood_concat((mood_node *[]){x, x, mood_scale(x, 0.5f)}, 3, 1));
}

static mood_node *twice_matmul(mood_node *x)
{
    return mood_tanh(mood_matmul(x, x, &(mood_matmul_params){.transpose_b = true}));
}

static mood_node *twice_attention(mood_node *x)
{
    x = mood_reshape(x, 3, DIMS(1, 3, 4));
    return mood_attention(x, x, x, 2);
}

static mood_node *twice_mse(mood_node *x)
{
    return mood_mse(x, mood_mul(x, x));
}

/* Both inputs of an op lie in one memory under two shapes. */
static mood_node *twice_view(mood_node *x)
{
    mood_node *flat = mood_reshape(x, 1, DIMS(12)), *row = mood_reshape(x, 2, DIMS(1, 12));
    return mood_mul(mood_add(row, flat), flat);
}

/* A view of a view, read beside what it is a view of. */
static mood_node *view_of_view(mood_node *x)
{
    mood_node *flat = mood_reshape(mood_reshape(x, 3, DIMS(2, 3, 2)), 2, DIMS(3, 4));
    return mood_add(mood_mul(flat, x), mood_exp(flat));
}

static mood_node *residual(mood_node *x)
{
    for (int i = 0; i < 4; i++)
        x = mood_add(x, mood_tanh(mood_scale(x, 0.5f)));
    return x;
}

/* Broadcast over rows: the gradient of a sum over columns meets that of the whole. */
static mood_node *with_its_mean(mood_node *x)
{
    return mood_mul(x, mood_sub(x, mood_mean(x, 0)));
}

static mood_node *(*const readers[])(mood_node *) = {
    twice_add, twice_sub,  twice_mul,    twice_concat, twice_matmul, twice_attention,
    twice_mse, twice_view, view_of_view, residual,     with_its_mean};

/* Where x comes from: an input, a weight, a value in between, a view of one. */
enum { INPUT, WEIGHT, VALUE, VIEW, N_SOURCES };

static mood_node *source(mood_graph *g, int kind)
{
    mood_node *x = mood_input(g, "x", MOOD_F32, 2, DIMS(3, 4));
    fill(x);
    if (kind == WEIGHT)
        return mood_weight(g, "w", 2, DIMS(3, 4), (mood_init){MOOD_INIT_UNIFORM, 0.7f, false});
    mood_want_grad(x);
    if (kind == VALUE)
        return mood_sigmoid(x);
    return kind == VIEW ? mood_reshape(mood_tanh(mood_reshape(x, 1, DIMS(-1))), 2, DIMS(3, 4)) : x;
}

/* Finite differences, since a gradient that misses one of its readers is the same wherever it lies.
 * These functions are smooth and gentle: the bound is that of tests/ops. */
static void test_several_readers(void **state)
{
    (void)state;
    const double bound = 1e-2;
    double worst = 0;
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
        for (int kind = 0; kind < N_SOURCES; kind++) {
            mood_weights *w = weights();
            mood_graph *g = graph(w, true);
            double error = 1;
            mood_node *loss = total(readers[i](source(g, kind)));
            assert_ok(mood_graph_compile(g, &loss, 1));
            assert_ok(mood_gradcheck(g, NULL, &error, NULL));
            if (!(error < bound))
                fail_msg("reader %zu, source %d: finite differences are %.1e off", i, kind, error);
            worst = fmax(worst, error);
            mood_graph_destroy(&g);
            mood_weights_destroy(&w);
        }
    print_message("worst difference %.1e, bound %.0e\n", worst, bound);
}

/* ---- gradients ---- */

/* Batches of 3 and 2 rows of small integers, where float sums are exact: the gradients of two
 * graphs add up in the weights to that of one graph over all five rows. */
static void test_two_graphs_one_set_of_weights(void **state)
{
    (void)state;
    float all[5 * 4];
    for (int i = 0; i < 20; i++)
        all[i] = (float)(i * 5 % 7 - 3);
    float grads[2][4 * 3];
    for (int split = 0; split < 2; split++) {
        mood_weights *w = weights();
        const int first = split ? 3 : 5;
        for (int at = 0; at < 5; at += first) {
            int rows = 5 - at < first ? 5 - at : first;
            mood_graph *g = graph(w, true);
            mood_node *x = mood_input(g, "x", MOOD_F32, 2, DIMS(rows, 4));
            mood_node *y =
                mood_dense(x, mood_weight(g, "w", 2, DIMS(4, 3), (mood_init){.value = 2}), NULL);
            mood_node *loss = total(mood_mul(y, y));
            assert_ok(mood_graph_compile(g, &loss, 1));
            memcpy(data(x), all + at * 4, sizeof(float) * 4 * (size_t)rows);
            if (at == 0)
                mood_weights_zero_grad(w);
            assert_ok(mood_graph_forward(g));
            assert_ok(mood_graph_backward(g));
            mood_graph_destroy(&g);
        }
        memcpy(grads[split], mood_weights_grad(w, 0)->data, sizeof(grads[0]));
        mood_weights_destroy(&w);
    }
    assert_memory_equal(grads[0], grads[1], sizeof(grads[0]));
    assert_true(grads[0][0] != 0);
}

static void test_what_has_a_gradient(void **state)
{
    (void)state;
    mood_weights *w = weights();
    mood_graph *g = graph(w, true);
    mood_node *x = mood_want_grad(mood_input(g, "x", MOOD_F32, 1, DIMS(3)));
    mood_node *plain = mood_input(g, "plain", MOOD_F32, 1, DIMS(3));
    mood_node *unread = mood_want_grad(mood_input(g, "unread", MOOD_F32, 1, DIMS(3)));
    mood_node *used = mood_weight(g, "used", 1, DIMS(3), (mood_init){.value = 2});
    mood_node *dead = mood_mul(unread, mood_weight(g, "dead", 1, DIMS(3), (mood_init){.value = 1}));
    mood_node *frozen =
        mood_weight(g, "frozen", 1, DIMS(3), (mood_init){.value = 3, .frozen = true});
    mood_node *again = mood_weight(g, "used", 1, DIMS(3), (mood_init){.value = 9});
    /* loss = sum(x used frozen + used + plain): the weight is two nodes, one memory */
    mood_node *y = mood_mul(mood_mul(x, used), frozen);
    mood_node *loss = total(mood_add(mood_add(y, again), plain));
    assert_ok(mood_graph_compile(g, (mood_node *[]){loss, y}, 2));
    assert_non_null(dead);
    fill(x);
    fill(plain);
    for (int run = 1; run <= 2; run++) {
        assert_ok(mood_graph_forward(g));
        assert_ok(mood_graph_backward(g));
        const float *dx = mood_node_grad(x)->data, *dw = mood_node_grad(used)->data;
        for (int i = 0; i < 3; i++) {
            assert_true(dx[i] == 6);                                               /* set */
            assert_true(fabsf(dw[i] - (float)run * (3 * data(x)[i] + 1)) < 1e-5f); /* added to */
        }
    }
    assert_ptr_equal(mood_node_grad(used)->data, mood_node_grad(again)->data);
    assert_ptr_equal(mood_node_grad(used)->data, mood_weights_grad(w, 0)->data);
    assert_null(mood_node_grad(plain));
    assert_null(mood_node_grad(unread));
    assert_null(mood_node_grad(frozen));
    assert_null(mood_node_grad(y));
    assert_null(mood_weights_grad(w, mood_weights_find(w, "dead"))->data);
    assert_null(mood_weights_grad(w, mood_weights_find(w, "frozen"))->data);
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

/* A loss that nothing learned leads to: backward has nothing to do. */
static void test_nothing_to_learn(void **state)
{
    (void)state;
    mood_graph *g = graph(NULL, true);
    mood_node *loss = total(mood_input(g, "x", MOOD_F32, 1, DIMS(3)));
    assert_ok(mood_graph_compile(g, &loss, 1));
    assert_ok(mood_graph_forward(g));
    assert_ok(mood_graph_backward(g));
    mood_graph_destroy(&g);
}

static void copy_forward(struct mood__run *r, mood_node *n)
{
    (void)r;
    memcpy(mood__out(n), mood__in(n, 0), mood_tensor_bytes(&n->value));
}

static mood_status copy_shape(mood_node *n)
{
    return mood__set_shape(n, n->in[0]->value.rank, n->in[0]->value.dim);
}

/* An op without backward may stand anywhere but between the loss and what is learned. */
static void test_not_differentiable(void **state)
{
    (void)state;
    static const struct mood__op copy = {
        .name = "copy", .shape = copy_shape, .forward = copy_forward};
    for (int between = 0; between < 2; between++) {
        mood_weights *w = weights();
        mood_graph *g = graph(w, true);
        mood_node *x = mood_input(g, "x", MOOD_F32, 2, DIMS(2, 3));
        x = between ? mood_nn_dense(x, "fc", 4, NULL) : x;
        x = mood__node(&copy, &x, 1, NULL, 0);
        x = total(mood_nn_dense(x, "out", 2, NULL));
        assert_int_equal(mood_graph_compile(g, &x, 1), between ? MOOD_E_INVALID : MOOD_OK);
        if (between)
            assert_string_equal(mood_error_detail(),
                                "copy 'fc.weight': this op is not differentiable");
        mood_graph_destroy(&g);
        mood_weights_destroy(&w);
    }
}

/* ---- views and outputs ---- */

static void test_views_and_outputs(void **state)
{
    (void)state;
    mood_weights *w = weights();
    mood_graph *g = graph(w, true);
    mood_node *x = mood_want_grad(mood_input(g, "x", MOOD_F32, 2, DIMS(2, 3)));
    mood_node *weight = mood_weight(g, "w", 1, DIMS(6), (mood_init){MOOD_INIT_UNIFORM, 1, false});
    mood_node *seen = mood_reshape(x, 1, DIMS(6)), *square = mood_reshape(weight, 2, DIMS(2, 3));
    mood_node *y = mood_relu(mood_add(mood_mul(x, square), square));
    mood_node *flat = mood_reshape(y, 1, DIMS(6));
    mood_node *loss = mood_reshape(mood_sum(flat, 0), 2, DIMS(1, 1)); /* a view is the loss */
    mood_node *outputs[] = {loss, seen, square, flat, y, mood_scale(y, -1)};
    assert_ok(mood_graph_compile(g, outputs, 6));
    /* No memory of their own: */
    assert_ptr_equal(data(seen), data(x));
    assert_ptr_equal(data(square), mood_weights_value(w, 0)->data);
    assert_ptr_equal(data(flat), data(y));
    fill(x);
    assert_ok(mood_graph_forward(g));
    assert_ok(mood_graph_backward(g));
    float sum = 0;
    const float *dx = mood_node_grad(x)->data, *dw = mood_node_grad(weight)->data;
    for (int i = 0; i < 6; i++) {
        float v = data(weight)[i], want = data(x)[i] * v + v;
        want = want > 0 ? want : 0;
        assert_true(data(y)[i] == want && data(outputs[5])[i] == -want);
        assert_true(dx[i] == (want > 0 ? v : 0));
        assert_true(fabsf(dw[i] - (want > 0 ? data(x)[i] + 1 : 0)) < 1e-6f);
        sum += want;
    }
    assert_true(fabsf(data(loss)[0] - sum) < 1e-6f);
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

/* What no output needs is neither computed nor given memory. */
static void test_dead_branches(void **state)
{
    (void)state;
    size_t bytes[2];
    for (int with = 0; with < 2; with++) {
        mood_graph *g = graph(NULL, false);
        mood_node *x = mood_input(g, "x", MOOD_F32, 2, DIMS(50, 30)), *y = mood_tanh(x);
        if (with) {
            mood_node *dead = mood_log(mood_sub(y, y)); /* -infinity, if somebody looked */
            assert_non_null(mood_matmul(dead, dead, &(mood_matmul_params){.transpose_a = true}));
        }
        mood_node *loss = total(y);
        assert_ok(mood_graph_compile(g, &loss, 1));
        assert_ok(mood_graph_forward(g));
        bytes[with] = mood_graph_bytes(g);
        mood_graph_destroy(&g);
    }
    assert_int_equal(bytes[0], bytes[1]);
}

/* ---- runs that fail ---- */

static void test_not_finite(void **state)
{
    (void)state;
    for (int check = 0; check < 2; check++) {
        mood_graph *g;
        assert_ok(mood_graph_create(
            &g, &(mood_graph_params){.training = true, .check_finite = check != 0}));
        mood_node *x = mood_want_grad(mood_input(g, "x", MOOD_F32, 1, DIMS(3)));
        /* sigmoid hides the infinity of log 0 in the value, but not its slope */
        mood_node *loss = total(mood_sigmoid(mood_log(x)));
        assert_ok(mood_graph_compile(g, &loss, 1));
        static const float start[] = {1, 2, 0};
        memcpy(data(x), start, sizeof(start));
        mood_status status = mood_graph_forward(g);
        if (check) {
            assert_int_equal(status, MOOD_E_NUMERIC);
            assert_string_equal(mood_error_detail(), "log 'x': its value is NaN or infinite");
            assert_int_equal(mood_graph_backward(g), MOOD_E_INVALID); /* of what? */
        } else {
            assert_ok(status);
        }
        data(x)[2] = -1; /* NaN, which reaches the output */
        assert_int_equal(mood_graph_forward(g), MOOD_E_NUMERIC);
        assert_non_null(strstr(mood_error_detail(), check ? "log 'x'" : "sum 'x'"));
        data(x)[2] = 1; /* and the graph goes on */
        assert_ok(mood_graph_forward(g));
        assert_ok(mood_graph_backward(g));
        assert_true(data(loss)[0] > 1.6f && isfinite(((float *)mood_node_grad(x)->data)[2]));
        mood_graph_destroy(&g);
    }
}

/* Finite values, an infinite gradient: d loss / d log = 1e30, times the slope 1 / 1e-30. */
static void test_gradient_not_finite(void **state)
{
    (void)state;
    static const char *const texts[] = {"scale 'w': its gradient is NaN or infinite",
                                        "weight 'w': its gradient is NaN or infinite"};
    for (int which = 0; which < 4; which++) {
        bool check = which & 1, leaf = which & 2;
        mood_weights *w = weights();
        mood_graph *g;
        assert_ok(mood_graph_create(
            &g, &(mood_graph_params){.weights = w, .training = true, .check_finite = check}));
        mood_node *x = mood_weight(g, "w", 0, NULL, (mood_init){.value = leaf ? 1e-30f : 1});
        mood_node *small = leaf ? x : mood_scale(x, 1e-30f);
        mood_node *loss = total(mood_scale(mood_log(small), 1e30f));
        assert_ok(mood_graph_compile(g, &loss, 1));
        assert_ok(mood_graph_forward(g));
        assert_int_equal(mood_graph_backward(g), check ? MOOD_E_NUMERIC : MOOD_OK);
        if (check)
            assert_string_equal(mood_error_detail(), texts[leaf]);
        mood_graph_destroy(&g);
        mood_weights_destroy(&w);
    }
}

/* After a label out of range there is nothing to go backward from, and then all is as before. */
static void test_usable_after_a_bad_label(void **state)
{
    (void)state;
    mood_weights *w = weights();
    mood_graph *g = graph(w, true);
    mood_node *x = mood_input(g, "x", MOOD_F32, 2, DIMS(4, 3));
    mood_node *labels = mood_input(g, "labels", MOOD_I32, 1, DIMS(4));
    mood_node *loss = mood_cross_entropy(mood_nn_dense(x, "fc", 5, NULL), labels, NULL);
    assert_ok(mood_graph_compile(g, &loss, 1));
    fill(x);
    assert_ok(mood_graph_forward(g));
    assert_ok(mood_graph_backward(g));
    float before = data(loss)[0], grad[15];
    memcpy(grad, mood_weights_grad(w, 0)->data, sizeof(grad));

    ((int32_t *)mood_node_value(labels)->data)[1] = 5;
    assert_int_equal(mood_graph_forward(g), MOOD_E_INVALID);
    assert_string_equal(mood_error_detail(),
                        "cross_entropy 'fc.weight': label 5 of row 1 is not in [0, 5)");
    assert_int_equal(mood_graph_backward(g), MOOD_E_INVALID);
    assert_memory_equal(grad, mood_weights_grad(w, 0)->data, sizeof(grad));

    ((int32_t *)mood_node_value(labels)->data)[1] = 0;
    mood_weights_zero_grad(w);
    assert_ok(mood_graph_forward(g));
    assert_ok(mood_graph_backward(g));
    assert_true(data(loss)[0] == before);
    assert_memory_equal(grad, mood_weights_grad(w, 0)->data, sizeof(grad));
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_several_readers),
        cmocka_unit_test(test_two_graphs_one_set_of_weights),
        cmocka_unit_test(test_what_has_a_gradient),
        cmocka_unit_test(test_nothing_to_learn),
        cmocka_unit_test(test_not_differentiable),
        cmocka_unit_test(test_views_and_outputs),
        cmocka_unit_test(test_dead_branches),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_gradient_not_finite),
        cmocka_unit_test(test_usable_after_a_bad_label),
    };
    return cmocka_run_group_tests_name("graph-run", tests, NULL, NULL);
}
