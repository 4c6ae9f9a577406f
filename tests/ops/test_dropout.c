/* SPDX-License-Identifier: MIT
 *
 * test_dropout.c — Dropout has no golden values: what is asked of it are its properties. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mood/ops.h"

enum { N = 100000 };

/* y = dropout(x, p), x all ones, loss = sum y: so y is the mask, and dx has to equal it. */
struct rig {
    mood_graph *g;
    mood_node *x, *y, *z;
};

static void make(struct rig *r, float probability, uint64_t seed, bool training)
{
    assert_int_equal(
        mood_graph_create(&r->g, &(mood_graph_params){.training = training, .seed = seed}),
        MOOD_OK);
    r->x = mood_want_grad(mood_input(r->g, "x", MOOD_F32, 1, (int64_t[]){N}));
    r->y = mood_dropout(r->x, probability);
    r->z = mood_dropout(r->x, probability); /* another one has another mask */
    mood_node *loss = mood_sum(mood_add(r->y, mood_scale(r->z, 0)), MOOD_ALL_AXES);
    assert_int_equal(mood_graph_compile(r->g, (mood_node *[]){loss, r->y, r->z}, 3), MOOD_OK);
    for (int i = 0; i < N; i++)
        ((float *)mood_node_value(r->x)->data)[i] = 1.0f;
}

static const float *values(const mood_node *n)
{
    return mood_node_value(n)->data;
}

static int differing(const float *a, const float *b)
{
    int n = 0;
    for (int i = 0; i < N; i++)
        n += a[i] != b[i];
    return n;
}

static void test_share_and_scale(void **state)
{
    (void)state;
    static const float shares[] = {0.1f, 0.5f, 0.9f};
    for (size_t k = 0; k < sizeof(shares) / sizeof(*shares); k++) {
        struct rig r;
        make(&r, shares[k], 11, true);
        assert_int_equal(mood_graph_forward(r.g), MOOD_OK);
        assert_int_equal(mood_graph_backward(r.g), MOOD_OK);
        double p = (double)shares[k];
        int zeros = 0;
        for (int i = 0; i < N; i++) {
            float y = values(r.y)[i];
            zeros += y == 0;
            assert_true(y == 0 || fabs((double)y * (1 - p) - 1) < 1e-6);
        }
        /* Six standard deviations of a binomial: once in 5e8 for a good generator. */
        assert_true(fabs(zeros - N * p) < 6 * sqrt(N * p * (1 - p)));
        assert_memory_equal(mood_node_grad(r.x)->data, values(r.y), N * sizeof(float));
        mood_graph_destroy(&r.g);
    }
}

/* Neighbours have nothing to do with each other, for distances that loops and vectors have. */
static void test_neighbours_are_independent(void **state)
{
    (void)state;
    static const int distances[] = {1, 2, 3, 4, 7, 8, 16, 64, 1024};
    struct rig r;
    make(&r, 0.5f, 5, true);
    assert_int_equal(mood_graph_forward(r.g), MOOD_OK);
    for (size_t k = 0; k < sizeof(distances) / sizeof(*distances); k++) {
        int d = distances[k], same = 0;
        for (int i = 0; i + d < N; i++)
            same += (values(r.y)[i] == 0) == (values(r.y)[i + d] == 0);
        assert_true(abs(2 * same - (N - d)) < 6 * sqrt((double)N));
    }
    mood_graph_destroy(&r.g);
}

/* The mask belongs to seed, step and node. */
static void test_what_the_mask_depends_on(void **state)
{
    (void)state;
    struct rig a, b, other;
    make(&a, 0.5f, 1, true);
    make(&b, 0.5f, 1, true);
    make(&other, 0.5f, 2, true);
    for (int step = 0; step < 3; step++) {
        assert_int_equal(mood_graph_forward(a.g), MOOD_OK);
        assert_int_equal(mood_graph_forward(b.g), MOOD_OK);
        assert_int_equal(mood_graph_forward(other.g), MOOD_OK);
        assert_int_equal(differing(values(a.y), values(b.y)), 0);
        assert_true(differing(values(a.y), values(other.y)) > N / 3);
        assert_true(differing(values(a.y), values(a.z)) > N / 3);
    }
    /* b is at step 3 now. Back to the step that a made last, and on to another. */
    mood_graph_set_step(b.g, 2);
    assert_int_equal(mood_graph_forward(b.g), MOOD_OK);
    assert_int_equal(differing(values(a.y), values(b.y)), 0);
    assert_int_equal(mood_graph_forward(b.g), MOOD_OK);
    assert_true(differing(values(a.y), values(b.y)) > N / 3);
    mood_graph_destroy(&a.g);
    mood_graph_destroy(&b.g);
    mood_graph_destroy(&other.g);
}

static void test_off(void **state)
{
    (void)state;
    mood_graph *g;
    for (int training = 0; training < 2; training++) {
        assert_int_equal(mood_graph_create(&g, &(mood_graph_params){.training = training}),
                         MOOD_OK);
        mood_node *x = mood_input(g, "x", MOOD_F32, 1, (int64_t[]){N});
        assert_ptr_equal(mood_dropout(x, 0.0f), x);
        assert_true((mood_dropout(x, 0.5f) == x) == !training);
        mood_graph_destroy(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_and_scale),
        cmocka_unit_test(test_neighbours_are_independent),
        cmocka_unit_test(test_what_the_mask_depends_on),
        cmocka_unit_test(test_off),
    };
    return cmocka_run_group_tests_name("dropout", tests, NULL, NULL);
}
