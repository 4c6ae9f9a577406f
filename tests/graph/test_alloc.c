/* SPDX-License-Identifier: MIT
 *
 * test_alloc.c — Memory: each allocation of building and compiling made to fail once; none at all
 * in the training loop; and shapes that no machine can hold, refused before memory is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "fail_alloc.h"
#include "graph/node.h"
#include "mood/mood.h"

#define DIMS(...) ((int64_t[]){__VA_ARGS__})

/* ---- a training graph with everything in it ---- */

struct rig {
    mood_weights *weights;
    mood_graph *graph;
    mood_optimiser *optimiser;
    mood_node *features, *mel, *labels, *loss, *logits;
};

static mood_status make(struct rig *r, mood_pool *pool)
{
    static const float class_weights[5] = {1, 2, 1, 2, 1};
    static const mood_heads_params heads = {.feature_width = 24, .n_labels = 5, .divide = 8};
    *r = (struct rig){0};
    mood_status status = mood_weights_create(&r->weights, 1);
    if (!status)
        status = mood_graph_create(
            &r->graph, &(mood_graph_params){.weights = r->weights, .pool = pool, .training = true});
    if (status)
        return status;
    r->features = mood_want_grad(mood_input(r->graph, "features", MOOD_F32, 3, DIMS(4, 20, 24)));
    r->mel = mood_input(r->graph, "mel", MOOD_F32, 4, DIMS(4, 16, 24, 1));
    r->labels = mood_input(r->graph, "labels", MOOD_I32, 1, DIMS(4));
    mood_node *x = mood_attention(r->features, r->features, r->features, 4);
    r->logits = mood_heads(x, r->mel, &heads);
    r->loss = mood_cross_entropy(
        r->logits, r->labels,
        &(mood_cross_entropy_params){.class_weights = class_weights, .label_smoothing = 0.1f});
    status = mood_graph_compile(r->graph, (mood_node *[]){r->loss, r->logits}, 2);
    if (!status)
        status = mood_optimiser_create(&r->optimiser, r->weights, NULL);
    return status;
}

static void destroy(struct rig *r)
{
    mood_optimiser_destroy(&r->optimiser);
    mood_graph_destroy(&r->graph);
    mood_weights_destroy(&r->weights);
}

static mood_status make_and_destroy(const void *arg)
{
    (void)arg;
    struct rig r;
    mood_status status = make(&r, NULL);
    if (status && r.graph && !mood_graph_bytes(r.graph)) { /* what half exists does not run */
        assert_non_null(strstr(mood_error_detail(), "out of memory"));
        assert_int_equal(mood_graph_forward(r.graph), MOOD_E_INVALID);
        assert_int_equal(mood__nomem(), status); /* and its text: that of forward is there now */
    }
    destroy(&r);
    return status;
}

static mood_status clone(const void *weights)
{
    mood_weights *copy;
    mood_status status = mood_weights_clone(&copy, weights);
    assert_int_equal(copy != NULL, status == MOOD_OK);
    mood_weights_destroy(&copy);
    return status;
}

static mood_status borrow(const void *value)
{
    mood_weights *w;
    mood_status status = mood_weights_create(&w, 1);
    if (!status)
        status = mood__weights_add_borrowed(w, "w", value);
    assert_true(!w || mood_weights_count(w) == (status == MOOD_OK));
    mood_weights_destroy(&w);
    return status;
}

/* The set, its list, the weight and its name; and nothing for the numbers. */
static void test_each_of_borrowing_fails_once(void **state)
{
    (void)state;
    mood_tensor t;
    static _Alignas(MOOD__ALIGN) float numbers[3];
    assert_int_equal(mood_tensor_make(&t, numbers, MOOD_F32, 1, DIMS(3)), MOOD_OK);
    assert_int_equal(fail_each_alloc(borrow, &t), 4);
}

static void test_each_fails_once(void **state)
{
    (void)state;
    assert_true(fail_each_alloc(make_and_destroy, NULL) > 100);
}

/* A clone, made of a set that has gradients. */
static void test_each_of_a_clone_fails_once(void **state)
{
    (void)state;
    struct rig r;
    assert_int_equal(make(&r, NULL), MOOD_OK);
    assert_true(fail_each_alloc(clone, r.weights) > 3 * mood_weights_count(r.weights));
    destroy(&r);
}

static void test_none_in_the_loop(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        mood_pool *pool;
        struct rig r;
        assert_int_equal(mood_pool_create(&pool, threads), MOOD_OK);
        assert_int_equal(make(&r, pool), MOOD_OK);
        assert_true(alloc_calls > 0);
        alloc_calls = 0;
        for (int step = 0; step < 3; step++) {
            mood_weights_zero_grad(r.weights);
            assert_int_equal(mood_graph_forward(r.graph), MOOD_OK);
            assert_int_equal(mood_graph_backward(r.graph), MOOD_OK);
            assert_true(mood_clip_gradients(r.weights, 1) >= 0);
            mood_optimiser_step(r.optimiser, pool);
        }
        assert_int_equal(alloc_calls, 0);
        destroy(&r);
        mood_pool_destroy(&pool);
    }
}

/* ---- shapes that nobody can have ---- */

/* A value of n * n * n elements out of three axes of n: nothing is allocated for it but at compile.
 */
static mood_node *cube(mood_graph *g, int64_t n)
{
    mood_node *a = mood_input(g, "a", MOOD_F32, 3, DIMS(n, 1, 1));
    mood_node *b = mood_input(g, "b", MOOD_F32, 3, DIMS(1, n, 1));
    mood_node *c = mood_input(g, "c", MOOD_F32, 3, DIMS(1, 1, n));
    return mood_add(mood_add(a, b), c);
}

static void expect(mood_graph *g, mood_node *x, mood_status status, const char *detail)
{
    mood_node *loss = mood_sum(x, MOOD_ALL_AXES);
    assert_int_equal(mood_graph_compile(g, &loss, 1), status);
    assert_non_null(strstr(mood_error_detail(), detail));
    assert_int_equal(mood_graph_forward(g), MOOD_E_INVALID);
}

static void test_huge_shapes(void **state)
{
    (void)state;
    for (int which = 0; which < 7; which++) {
        mood_graph *g;
        mood_weights *w;
        assert_int_equal(mood_weights_create(&w, 1), MOOD_OK);
        assert_int_equal(
            mood_graph_create(&g, &(mood_graph_params){.weights = w, .training = true}), MOOD_OK);
        alloc_largest = 0;
        mood_node *x = NULL;
        switch (which) {
        case 0: /* more bytes than there are addresses */
            x = mood_input(g, "x", MOOD_F32, 3, DIMS(INT64_MAX, INT64_MAX, 3));
            expect(g, x, MOOD_E_SHAPE, "input 'x': tensor: too many elements");
            break;
        case 1: /* elements, but not bytes, fit into 63 bits */
            x = mood_input(g, "x", MOOD_F32, 1, DIMS(INT64_MAX / 2));
            expect(g, x, MOOD_E_SHAPE, "too many elements");
            break;
        case 2:
            x = mood_weight(g, "w", 2, DIMS(INT64_C(1) << 40, INT64_C(1) << 40), (mood_init){0});
            expect(g, x, MOOD_E_SHAPE, "weight 'w': tensor: too many elements");
            break;
        case 3: /* 2^48 elements: a limit of our own */
            expect(g, cube(g, 1 << 16), MOOD_E_SHAPE, "would have shape (65536, 65536, 65536)");
            break;
        case 4: /* 2^30 positions: the square of it is too much */
            x = mood_reshape(cube(g, 1 << 10), 3, DIMS(1, -1, 1));
            x = mood_attention(x, x, x, 1);
            expect(g, x, MOOD_E_SHAPE, "attention");
            break;
        case 5: /* 2^42 elements: possible in principle, so the memory is asked for, once */
            x = mood_tanh(cube(g, 1 << 14));
            mood_node *loss = mood_sum(x, MOOD_ALL_AXES);
            assert_int_equal(mood_graph_compile(g, &loss, 1), MOOD_E_NOMEM);
            assert_true(alloc_largest > (size_t)1 << 44);
            alloc_largest = 0;
            break;
        default: /* eight times 2^42 */
            x = cube(g, 1 << 14);
            x = mood_concat((mood_node *[]){x, x, x, x, x, x, x, x}, 8, 0);
            expect(g, x, MOOD_E_SHAPE, "concat");
        }
        assert_true(alloc_largest < 4 << 20);
        mood_graph_destroy(&g);
        mood_weights_destroy(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_fails_once),
        cmocka_unit_test(test_each_of_borrowing_fails_once),
        cmocka_unit_test(test_each_of_a_clone_fails_once),
        cmocka_unit_test(test_none_in_the_loop),
        cmocka_unit_test(test_huge_shapes),
    };
    return cmocka_run_group_tests_name("graph-alloc", tests, NULL, NULL);
}
