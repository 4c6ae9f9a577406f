/* SPDX-License-Identifier: MIT
 *
 * test_build.c — Building a graph: the first error is kept and says where it is, calls come in the
 * right order, and everything has its name. Wrong calls of single ops are in tests/ops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mood/nn.h"
#include "mood/ops.h"
#include "small.h"

static void test_first_error_is_kept(void **state)
{
    (void)state;
    mood_weights *w = weights();
    mood_graph *g = graph(w, true);
    mood_node *x = mood_input(g, "x", MOOD_F32, 2, DIMS(4, 3));
    mood_graph_enter(g, "heads");
    mood_node *h = mood_nn_dense(x, "fc1", 5, NULL);
    assert_non_null(h);
    mood_graph_enter(g, "mel");
    /* A convolution over a matrix: the text says what is wrong where. */
    mood_node *bad = mood_nn_conv1d(h, "conv1", 8, 3, NULL);
    assert_null(bad);
    mood_graph_leave(g);
    mood_graph_leave(g);

    /* NULL goes through every builder, and a second mistake changes nothing. */
    bad = mood_nn_batch_norm(mood_relu(mood_add(bad, h)), "norm", NULL);
    bad = mood_concat((mood_node *[]){h, bad}, 2, 1);
    bad = mood_reshape(mood_nn_dense(bad, "fc2", 3, NULL), 1, DIMS(-1));
    bad = mood_cross_entropy(mood_attention(h, bad, h, 1), NULL, NULL);
    assert_null(bad);
    assert_null(mood_dense(h, NULL, NULL));
    assert_null(mood_add(h, mood_input(g, "y", MOOD_F32, 1, DIMS(77))));
    assert_int_equal(mood_graph_compile(g, &bad, 1), MOOD_E_SHAPE);
    assert_string_equal(mood_error_detail(), "conv1d 'heads.fc1.weight': layer 'conv1' is given "
                                             "rank 2");
    /* Nor does asking again, with a sound output. */
    assert_int_equal(mood_graph_compile(g, &h, 1), MOOD_E_SHAPE);
    assert_non_null(strstr(mood_error_detail(), "conv1"));
    assert_int_equal(mood_graph_forward(g), MOOD_E_INVALID);
    mood_graph_destroy(&g);
    assert_null(g);
    mood_weights_destroy(&w);
}

/* Each mistake in a graph of its own. */
struct scene {
    mood_graph *g, *other;
    mood_node *x, *labels, *elsewhere; /* x (4, 3); of `other`: (4, 3) */
};

static mood_node *wrong_shape(struct scene *s)
{
    return mood_nn_dense(mood_reshape(s->x, 2, DIMS(5, 3)), "fc", 2, NULL);
}

static mood_node *two_graphs(struct scene *s)
{
    return mood_add(s->x, s->elsewhere);
}

static mood_node *weight_of_another_shape(struct scene *s)
{
    mood_nn_dense(s->x, "fc", 5, NULL);
    return mood_nn_dense(s->x, "fc", 6, NULL);
}

static mood_node *too_deep(struct scene *s)
{
    for (int i = 0; i < 9; i++)
        mood_graph_enter(s->g, "a");
    return s->x;
}

static mood_node *name_too_long(struct scene *s)
{
    char name[300];
    memset(name, 'n', sizeof(name));
    name[299] = '\0';
    return mood_nn_dense(s->x, name, 2, NULL);
}

static mood_node *gradient_of_labels(struct scene *s)
{
    return mood_want_grad(s->labels);
}

static mood_node *gradient_of_the_middle(struct scene *s)
{
    return mood_want_grad(mood_relu(s->x));
}

static mood_node *empty_axis(struct scene *s)
{
    return mood_input(s->g, "empty", MOOD_F32, 2, DIMS(3, 0));
}

static mood_node *too_many_axes(struct scene *s)
{
    return mood_input(s->g, "deep", MOOD_F32, 7, DIMS(1, 1, 1, 1, 1, 1, 1));
}

static mood_node *halves(struct scene *s)
{
    return mood_input(s->g, "half", MOOD_F16, 1, DIMS(2));
}

static mood_node *no_type(struct scene *s)
{
    return mood_input(s->g, "odd", (mood_dtype)99, 1, DIMS(2));
}

static mood_node *no_groups(struct scene *s)
{
    return mood_nn_conv1d(mood_reshape(s->x, 3, DIMS(1, 4, 3)), "c", 4, 2,
                          &(mood_nn_conv1d_params){.groups = 2});
}

static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        mood_node *(*make)(struct scene *);
        mood_status status;
        const char *detail; /* a part of it */
    } mistakes[] = {
        {wrong_shape, MOOD_E_SHAPE, "reshape 'x': (4, 3) does not fit into (5, 3)"},
        {two_graphs, MOOD_E_INVALID, "add 'x': its inputs are of different graphs"},
        {weight_of_another_shape, MOOD_E_SHAPE,
         "weight 'fc.weight' has shape (3, 5), wanted is (3, 6)"},
        {too_deep, MOOD_E_INVALID, "enter 'a': names nest too deep"},
        {name_too_long, MOOD_E_INVALID, "nnn"},
        {gradient_of_labels, MOOD_E_INVALID, "'labels' is not a float32 input"},
        {gradient_of_the_middle, MOOD_E_INVALID, "'x' is not a float32 input"},
        {empty_axis, MOOD_E_SHAPE, "input 'empty': "},
        {too_many_axes, MOOD_E_INVALID, "input 'deep': "},
        {halves, MOOD_E_INVALID, "input 'half': f16 is for storage; graphs compute with f32"},
        {no_type, MOOD_E_INVALID, "input 'odd': tensor: 99 is no type of numbers"},
        {no_groups, MOOD_E_INVALID, "2 groups of 3 channels"},
    };
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        mood_weights *w = weights();
        struct scene s = {.g = graph(w, true), .other = graph(w, true)};
        s.x = mood_input(s.g, "x", MOOD_F32, 2, DIMS(4, 3));
        s.labels = mood_input(s.g, "labels", MOOD_I32, 1, DIMS(4));
        s.elsewhere = mood_input(s.other, "z", MOOD_F32, 2, DIMS(4, 3));
        mood_node *made = mistakes[i].make(&s), *loss = total(s.x);
        assert_true(made == NULL || mistakes[i].make == too_deep);
        assert_int_equal(mood_graph_compile(s.g, &loss, 1), mistakes[i].status);
        if (!strstr(mood_error_detail(), mistakes[i].detail))
            fail_msg("mistake %zu says '%s'", i, mood_error_detail());
        mood_graph_destroy(&s.g);
        mood_graph_destroy(&s.other);
        mood_weights_destroy(&w);
    }
}

static void test_compile_and_run_in_order(void **state)
{
    (void)state;
    mood_weights *w = weights();
    mood_graph *g = graph(w, true), *other = graph(w, false);
    mood_node *x = mood_input(g, "x", MOOD_F32, 2, DIMS(4, 3)), *loss = total(x), *none = NULL;
    mood_node *z = mood_input(other, "z", MOOD_F32, 1, DIMS(2));
    assert_int_equal(mood_graph_forward(g), MOOD_E_INVALID);
    assert_int_equal(mood_graph_backward(g), MOOD_E_INVALID);
    assert_int_equal(mood_graph_compile(g, &none, 1), MOOD_E_INVALID);
    assert_int_equal(mood_graph_compile(g, &loss, 0), MOOD_E_INVALID);
    assert_int_equal(mood_graph_compile(g, &z, 1), MOOD_E_INVALID);
    assert_ok(mood_graph_compile(g, &loss, 1));
    assert_int_equal(mood_graph_compile(g, &loss, 1), MOOD_E_INVALID);
    assert_int_equal(mood_graph_backward(g), MOOD_E_INVALID); /* nothing was run */
    assert_null(mood_relu(x));                                /* too late */
    assert_ok(mood_graph_forward(g));
    assert_ok(mood_graph_backward(g));

    assert_ok(mood_graph_compile(other, &z, 1));
    assert_ok(mood_graph_forward(other));
    assert_int_equal(mood_graph_backward(other), MOOD_E_INVALID); /* not for training */
    mood_graph_destroy(&g);
    mood_graph_destroy(&other);

    g = graph(NULL, true); /* the loss is one number; and without weights there are none */
    x = mood_input(g, "x", MOOD_F32, 1, DIMS(2));
    assert_int_equal(mood_graph_compile(g, &x, 1), MOOD_E_SHAPE);
    mood_graph_destroy(&g);
    g = graph(NULL, true);
    x = mood_nn_dense(mood_input(g, "x", MOOD_F32, 1, DIMS(2)), "fc", 2, NULL);
    assert_int_equal(mood_graph_compile(g, &x, 1), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "'fc.weight'"));
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

/* A graph of two buffers of 400 bytes, rounded up to cache lines, within a limit and above it. */
static void test_limited_memory(void **state)
{
    (void)state;
    size_t needed = 0;
    for (int i = 0; i < 3; i++) {
        mood_graph *g;
        assert_ok(mood_graph_create(
            &g, &(mood_graph_params){.max_bytes = i == 0 ? 0 : needed - (size_t)(i == 2)}));
        mood_node *x = mood_input(g, "x", MOOD_F32, 1, (int64_t[]){100});
        mood_node *y = mood_softmax(mood_reshape(x, 2, (int64_t[]){10, 10}));
        mood_node *both[] = {y, mood_softmax(y)};
        assert_int_equal(mood_graph_compile(g, both, 2), i == 2 ? MOOD_E_UNSUPPORTED : MOOD_OK);
        if (i < 2) {
            needed = mood_graph_bytes(g);
            assert_int_equal(needed, 2 * 448);
        } else {
            assert_string_equal(mood_error_detail(),
                                "compile: 896 bytes are needed; the limit is 895");
        }
        mood_graph_destroy(&g);
    }
}

static void test_names(void **state)
{
    (void)state;
    mood_weights *w = weights();
    mood_graph *g = graph(w, false);
    char text[100];
    mood_node *x = mood_input(g, "x", MOOD_F32, 2, DIMS(4, 3));
    mood_graph_leave(g); /* one too many is nothing */
    mood_graph_enter(g, "encoder");
    mood_graph_enter(g, "layers.3");
    mood_node *y = mood_nn_dense(x, "q_proj", 5, NULL);
    mood_graph_leave(g);
    y = mood_nn_layer_norm(y, "norm", 0);
    mood_graph_leave(g);
    y = mood_nn_dense(y, "out", 2, NULL);
    assert_ok(mood_graph_compile(g, &y, 1));
    static const char *const names[] = {"encoder.layers.3.q_proj.weight",
                                        "encoder.layers.3.q_proj.bias",
                                        "encoder.norm.weight",
                                        "encoder.norm.bias",
                                        "out.weight",
                                        "out.bias"};
    assert_int_equal(mood_weights_count(w), 6);
    for (int i = 0; i < 6; i++)
        assert_string_equal(mood_weights_name(w, i), names[i]);
    assert_int_equal(mood_graph_nodes(g), 10);
    assert_string_equal(mood_graph_describe(g, 0, text, sizeof(text)), "0 input 'x' (4, 3)");
    assert_string_equal(mood_graph_describe(g, 3, text, sizeof(text)),
                        "3 dense 'encoder.layers.3.q_proj.weight' (4, 5)");
    assert_string_equal(mood_graph_describe(g, 7, text, 12), "7 weight 'o");
    assert_ptr_equal(mood_node_graph(y), g);
    assert_null(mood_node_graph(NULL));
    assert_null(mood_node_value(NULL));
    assert_null(mood_node_grad(NULL));
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_error_is_kept),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_compile_and_run_in_order),
        cmocka_unit_test(test_limited_memory),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("graph-build", tests, NULL, NULL);
}
