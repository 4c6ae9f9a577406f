/* SPDX-License-Identifier: MIT
 *
 * test_gradients.c — One backward per forward, and a gradient check that no NaN gets past. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"
#include "small.h"

/* Several layers of one size, so that gradients come to lie where saved values were. */
static mood_node *deep_loss(mood_graph *g, mood_node **x)
{
    mood_node *h = *x = mood_input(g, "x", MOOD_F32, 2, DIMS(4, 4));
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof(name), "w%d", i);
        h = mood_dense(
            h, mood_weight(g, name, 2, DIMS(4, 4), (mood_init){MOOD_INIT_NORMAL, 0.5f, false}),
            NULL);
    }
    return total(mood_mul(h, h));
}

static void test_backward_once_per_forward(void **state)
{
    (void)state;
    mood_weights *w = weights();
    mood_graph *g = graph(w, true);
    mood_node *x, *loss = deep_loss(g, &x);
    float once[4][16];
    assert_ok(mood_graph_compile(g, &loss, 1));
    fill(x);
    assert_ok(mood_graph_forward(g));
    assert_ok(mood_graph_backward(g));
    for (int i = 0; i < 4; i++)
        memcpy(once[i], mood_weights_grad(w, i)->data, sizeof(once[i]));

    /* Refused, and nothing is added from memory that now holds gradients. */
    assert_int_equal(mood_graph_backward(g), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "no forward run"));
    for (int i = 0; i < 4; i++)
        assert_memory_equal(once[i], mood_weights_grad(w, i)->data, sizeof(once[i]));

    assert_ok(mood_graph_forward(g));
    assert_ok(mood_graph_backward(g));
    for (int i = 0; i < 4; i++)
        for (int e = 0; e < 16; e++)
            assert_true(((float *)mood_weights_grad(w, i)->data)[e] == 2 * once[i][e]);
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

static mood_status same_shape(mood_node *n)
{
    return mood__set_shape(n, n->in[0]->value.rank, n->in[0]->value.dim);
}

static void copy(struct mood__run *r, mood_node *n)
{
    (void)r;
    memcpy(mood__out(n), mood__in(n, 0), mood_tensor_bytes(&n->value));
}

static void no_number(struct mood__run *r, mood_node *n)
{
    (void)r;
    for (int64_t i = 0; i < mood__count(n); i++)
        mood__din(n, 0)[i] = NAN;
}

static void test_gradcheck_sees_nan(void **state)
{
    (void)state;
    static const struct mood__op op = {
        .name = "broken", .shape = same_shape, .forward = copy, .backward = no_number};
    mood_weights *w = weights();
    mood_graph *g = graph(w, true);
    mood_node *bad = mood_weight(g, "bad", 1, DIMS(3), (mood_init){.value = 1});
    mood_node *good = mood_weight(g, "good", 1, DIMS(3), (mood_init){.value = 1});
    mood_node *loss = total(mood_mul(mood__node(&op, &bad, 1, NULL, 0), good));
    assert_ok(mood_graph_compile(g, &loss, 1));
    double worst = 0;
    const char *name = NULL;
    assert_ok(mood_gradcheck(g, NULL, &worst, &name));
    assert_true(worst > 1);
    assert_string_equal(name, "bad");
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backward_once_per_forward),
        cmocka_unit_test(test_gradcheck_sees_nan),
    };
    return cmocka_run_group_tests_name("graph-gradients", tests, NULL, NULL);
}
