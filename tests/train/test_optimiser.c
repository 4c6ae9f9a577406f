/* SPDX-License-Identifier: MIT
 *
 * test_optimiser.c — Adam, AdamW, SGD with momentum, weight decay, clipping, averaged weights and
 * the learning rate of each step against PyTorch in float64 (tests/golden/make_optim.py), and what
 * an optimiser leaves alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/formula.h"
#include "../golden/golden.h"
#include "mood/ops.h"
#include "mood/train.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

enum { STEPS = 8, N_CASES = 12 };

/* Relative to the largest weight, which is about 1. The weight itself is rounded in each of the 8
 * steps, to 6e-8; a step is at most 0.25 (rate and momentum) and off by a few times that. */
static const double WEIGHT_BOUND = 1e-6;
/* 22 squares, added up in float. */
static const double NORM_BOUND = 1e-6;

static struct golden *golden;

/* The graph whose gradients are what one writes into its inputs: loss = sum of w x. */
struct rig {
    mood_weights *weights;
    mood_graph *graph;
    mood_node *x[2];
};

static const char *const names[] = {"a", "b"};
static const int ranks[] = {2, 1};
static const int64_t dims[][2] = {{3, 5}, {7, 0}};

static void make(struct rig *r)
{
    mood_node *loss = NULL;
    assert_ok(mood_weights_create(&r->weights, 1));
    assert_ok(mood_weights_add(r->weights, "running", 1, (int64_t[]){4},
                               (mood_init){.value = 2, .frozen = true}));
    assert_ok(mood_weights_add(r->weights, "unused", 1, (int64_t[]){4}, (mood_init){.value = 3}));
    assert_ok(mood_graph_create(&r->graph,
                                &(mood_graph_params){.weights = r->weights, .training = true}));
    for (int i = 0; i < 2; i++) {
        mood_node *w = mood_weight(r->graph, names[i], ranks[i], dims[i], (mood_init){0});
        r->x[i] = mood_input(r->graph, "x", MOOD_F32, ranks[i], dims[i]);
        mood_node *part = mood_sum(mood_mul(w, r->x[i]), MOOD_ALL_AXES);
        loss = loss ? mood_add(loss, part) : part;
        formula_values(mood_node_value(w)->data, mood_tensor_elements(mood_node_value(w)),
                       names[i]);
    }
    assert_ok(mood_graph_compile(r->graph, &loss, 1));
}

static void release(struct rig *r)
{
    mood_graph_destroy(&r->graph);
    mood_weights_destroy(&r->weights);
}

static void take_gradients(const struct rig *r, int step, float size)
{
    for (int i = 0; i < 2; i++) {
        char name[16];
        const mood_tensor *x = mood_node_value(r->x[i]);
        snprintf(name, sizeof(name), "%s.%d", names[i], step);
        formula_values(x->data, mood_tensor_elements(x), name);
        for (int64_t e = 0; e < mood_tensor_elements(x); e++)
            ((float *)x->data)[e] *= size;
    }
    mood_weights_zero_grad(r->weights);
    assert_ok(mood_graph_forward(r->graph));
    assert_ok(mood_graph_backward(r->graph));
}

static const mood_tensor *weight(const struct rig *r, const char *name)
{
    return mood_weights_value(r->weights, mood_weights_find(r->weights, name));
}

/* A case's settings; what C has as a default in double is asked for with 0. */
static mood_optimiser_params params_of(const float *s)
{
    mood_optimiser_params p = {.kind = s[0] > 1   ? MOOD_ADAMW
                                       : s[0] > 0 ? MOOD_ADAM
                                                  : MOOD_SGD,
                               .lr = (double)s[1],
                               .beta1 = (double)s[2],
                               .beta2 = (double)s[3],
                               .eps = (double)s[4],
                               .momentum = (double)s[5],
                               .weight_decay = (double)s[6]};
    p.lr = s[1] == 1e-3f ? 0 : p.lr;
    p.beta1 = s[2] == 0.9f ? 0 : p.beta1;
    p.beta2 = s[3] == 0.999f ? 0 : p.beta2;
    p.eps = s[4] == 1e-8f ? 0 : p.eps;
    return p;
}

static void expect(const char *what, int i, double error, double bound)
{
    print_message("  %d %-8s %.1e of %.0e\n", i, what, error, bound);
    if (!(error <= bound))
        fail_msg("case %d: %s is off by %.1e", i, what, error);
}

static void one_case(int i, mood_pool *pool)
{
    char name[16];
    snprintf(name, sizeof(name), "optim.%d", i);
    const float *s = golden_find(golden, name, "settings")->data;
    const mood_tensor *norms = golden_find(golden, name, "norms");
    mood_optimiser_params p = params_of(s);
    mood_optimiser *o;
    struct rig r;
    double worst_norm = 0;
    make(&r);
    assert_ok(mood_optimiser_create(&o, r.weights, &p));
    for (int step = 0; step < STEPS; step++) {
        take_gradients(&r, step, s[8]);
        if (norms) {
            double norm = mood_clip_gradients(r.weights, (double)s[7]);
            double want = (double)((float *)norms->data)[step];
            worst_norm = fmax(worst_norm, fabs(norm - want) / want);
        }
        mood_optimiser_step(o, pool);
    }
    for (int k = 0; k < 2; k++)
        expect(names[k], i,
               golden_error(weight(&r, names[k]), golden_find(golden, name, names[k]), 0),
               WEIGHT_BOUND);
    if (norms)
        expect("norms", i, worst_norm, NORM_BOUND);
    /* Not to be moved: a running statistic, and a weight that no graph has. */
    for (int e = 0; e < 4; e++) {
        assert_true(((float *)weight(&r, "running")->data)[e] == 2);
        assert_true(((float *)weight(&r, "unused")->data)[e] == 3);
    }
    mood_optimiser_destroy(&o);
    release(&r);
}

static void test_against_pytorch(void **state)
{
    (void)state;
    mood_pool *pool;
    assert_ok(mood_pool_create(&pool, 3));
    for (int i = 0; i < N_CASES; i++)
        one_case(i, i % 2 ? pool : NULL);
    assert_null(golden_find(golden, "optim.12", "settings"));
    mood_pool_destroy(&pool);
}

static void test_rate(void **state)
{
    (void)state;
    struct rig r;
    mood_optimiser *o;
    make(&r);
    assert_ok(mood_optimiser_create(&o, r.weights, &(mood_optimiser_params){.kind = MOOD_SGD}));
    assert_true(mood_optimiser_lr(o) == 1e-3);
    mood_optimiser_set_lr(o, 0.5);
    assert_true(mood_optimiser_lr(o) == 0.5);
    float before = *(float *)weight(&r, "a")->data;
    take_gradients(&r, 0, 1);
    float grad = *(float *)mood_node_value(r.x[0])->data;
    mood_optimiser_step(o, NULL);
    assert_true(*(float *)weight(&r, "a")->data == before - 0.5f * grad);
    mood_optimiser_destroy(&o);
    assert_null(o);
    mood_optimiser_destroy(&o);
    release(&r);
}

/* A norm below the limit changes nothing; one above is what it says, and no gradient is no norm. */
static void test_clipping(void **state)
{
    (void)state;
    struct rig r;
    make(&r);
    assert_true(mood_clip_gradients(r.weights, 1) == 0);
    take_gradients(&r, 0, 1);
    float before = *(float *)mood_weights_grad(r.weights, 2)->data;
    double norm = mood_clip_gradients(r.weights, 1000);
    assert_true(norm > 1 && *(float *)mood_weights_grad(r.weights, 2)->data == before);
    assert_true(fabs(mood_clip_gradients(r.weights, 0.5) - norm) == 0);
    assert_true(fabs(mood_clip_gradients(r.weights, 1000) - 0.5) < 1e-6);
    release(&r);
}

static void test_wrong_parameters(void **state)
{
    (void)state;
    static const mood_optimiser_params wrong[] = {
        {.lr = -1},        {.lr = INFINITY},       {.lr = NAN}, {.beta1 = 1},
        {.beta2 = 1.5},    {.beta1 = -0.1},        {.eps = -1}, {.momentum = -1},
        {.momentum = NAN}, {.weight_decay = -1e-9}};
    struct rig r;
    make(&r);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        mood_optimiser *o = (mood_optimiser *)&r;
        assert_int_equal(mood_optimiser_create(&o, r.weights, &wrong[i]), MOOD_E_INVALID);
        assert_null(o);
    }
    release(&r);
}

/* ---- beside the optimiser ---- */

static void test_rates(void **state)
{
    (void)state;
    char name[16] = "rate.0";
    for (int i = 0; golden_find(golden, name, "settings"); snprintf(name, 16, "rate.%d", ++i)) {
        const float *s = golden_find(golden, name, "settings")->data;
        const float *want = golden_find(golden, name, "factors")->data;
        int64_t warmup = (int64_t)s[0], total = (int64_t)s[1];
        double worst = 0;
        for (int64_t step = 0; step < total; step++) {
            double f = mood_warmup_cosine(step, warmup, total);
            worst = fmax(worst, fabs(f - (double)want[step]));
            assert_true(mood_warmup(step, warmup) == (step < warmup ? f : 1));
        }
        expect("rate", i, worst, 1e-7); /* PyTorch goes from step to step, and rounds in each */
        assert_true(mood_warmup_cosine(total, warmup, total) == 0);
        assert_true(mood_warmup_cosine(total + 5, warmup, total) == 0);
    }
    assert_string_equal(name, "rate.4");
    assert_true(mood_warmup_cosine(7, 7, 7) == 0 && mood_warmup_cosine(6, 7, 7) == 1);
}

static void one_average(int i, mood_pool *pool)
{
    char name[16];
    struct rig r;
    mood_optimiser *o;
    mood_average *average;
    snprintf(name, sizeof(name), "average.%d", i);
    const float *s = golden_find(golden, name, "settings")->data;
    make(&r);
    assert_ok(mood_optimiser_create(&o, r.weights,
                                    &(mood_optimiser_params){.kind = MOOD_SGD, .lr = 0.25}));
    assert_ok(mood_average_create(&average, r.weights, (double)s[0]));
    for (int step = 0; step < STEPS; step++) {
        take_gradients(&r, step, 1);
        mood_optimiser_step(o, pool);
        /* A running statistic, which no optimiser moves, is averaged too. */
        ((float *)weight(&r, "running")->data)[0] = (float)step;
        mood_average_step(average, pool);
    }
    float live = *(float *)weight(&r, "a")->data;
    mood_average_swap(average);
    for (int k = 0; k < 2; k++)
        expect(names[k], i,
               golden_error(weight(&r, names[k]), golden_find(golden, name, names[k]), 0),
               WEIGHT_BOUND);
    float running = *(float *)weight(&r, "running")->data;
    assert_true(running > 2 && running < STEPS - 1);
    mood_average_swap(average);
    assert_true(*(float *)weight(&r, "a")->data == live);
    assert_true(*(float *)weight(&r, "running")->data == STEPS - 1);
    mood_average_destroy(&average);
    assert_null(average);
    mood_average_destroy(&average);
    mood_optimiser_destroy(&o);
    release(&r);
}

static void test_averages(void **state)
{
    (void)state;
    mood_pool *pool;
    struct rig r;
    mood_average *average;
    assert_ok(mood_pool_create(&pool, 3));
    one_average(0, NULL);
    one_average(1, pool);
    assert_null(golden_find(golden, "average.2", "settings"));
    mood_pool_destroy(&pool);

    static const double wrong[] = {0, 1, -0.5, 1.5, NAN};
    make(&r);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(mood_average_create(&average, r.weights, wrong[i]), MOOD_E_INVALID);
        assert_null(average);
    }
    release(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_pytorch), cmocka_unit_test(test_rate),
        cmocka_unit_test(test_clipping),        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_averages),        cmocka_unit_test(test_wrong_parameters),
    };
    golden = argc > 1 ? golden_open(argv[1]) : NULL;
    if (!golden)
        return 2;
    int failed = cmocka_run_group_tests_name("optimiser", tests, NULL, NULL);
    golden_close(&golden);
    return failed;
}
