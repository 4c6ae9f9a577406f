/* SPDX-License-Identifier: MIT
 *
 * test_objective.c — The loss of a training step: parts of a batch give the gradient of the whole,
 * mixed labels the loss of soft ones, and what class weights and proportions are drawn from. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/formula.h"
#include "mood/graph.h"
#include "mood/nn.h"
#include "train/objective.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

enum { BATCH = 7, WIDTH = 5, V = 4 };

static const int32_t labels[BATCH] = {0, 3, 1, 1, 2, 0, 3};
static const float class_weights[V] = {0.5f, 1, 2, 4};

/* Two dense layers over a few rows of the same made-up numbers. */
struct rig {
    mood_graph *graph;
    mood_node *x, *logits;
    struct mood__objective goal;
};

static void make(struct rig *r, mood_weights *w, int size, const struct mood__objective_params *p)
{
    assert_ok(mood_graph_create(&r->graph, &(mood_graph_params){.weights = w, .training = true}));
    r->x = mood_input(r->graph, "x", MOOD_F32, 2, (int64_t[]){size, WIDTH});
    r->logits = mood_nn_dense(mood_tanh(mood_nn_dense(r->x, "in", 6, NULL)), "out", V, NULL);
    mood_node *labels_in = mood_input(r->graph, "labels", MOOD_I32, 1, (int64_t[]){size});
    mood__objective_build(&r->goal, r->logits, labels_in, p);
    assert_ok(mood_graph_compile(r->graph, (mood_node *[]){r->goal.loss, r->logits}, 2));
}

/* Rows first .. first + n - 1. */
static void fill(const struct rig *r, int first, int n)
{
    float all[BATCH * WIDTH];
    formula_values(all, BATCH * WIDTH, "x");
    memcpy(mood_node_value(r->x)->data, all + (ptrdiff_t)first * WIDTH,
           (size_t)n * WIDTH * sizeof(float));
    memcpy(mood_node_value(r->goal.labels)->data, labels + first, (size_t)n * sizeof(int32_t));
}

/* Run both ways; returns the loss, and adds to the weights' gradients. */
static double run(const struct rig *r)
{
    assert_ok(mood_graph_forward(r->graph));
    double loss = (double)*(float *)mood_node_value(r->goal.loss)->data;
    assert_ok(mood_graph_backward(r->graph));
    return loss;
}

/* Three parts of unlike sizes, against all rows at once. */
static void test_parts(void **state)
{
    (void)state;
    static const int parts[] = {3, 3, 1};
    struct mood__objective_params p = {
        .cross_entropy = {.class_weights = class_weights, .label_smoothing = 0.1f}};
    float want[200], got[200];
    mood_weights *w;
    struct rig r;
    assert_ok(mood_weights_create(&w, 1));
    make(&r, w, BATCH, &p);
    fill(&r, 0, BATCH);
    double loss = run(&r), sum = 0, weight = 0, whole = 0;
    mood_graph_destroy(&r.graph);
    int n = 0;
    for (int i = 0; i < mood_weights_count(w); i++)
        for (int64_t k = 0; k < mood_tensor_elements(mood_weights_grad(w, i)); k++)
            want[n++] = ((float *)mood_weights_grad(w, i)->data)[k];
    assert_int_equal(n, 6 * 5 + 6 + 6 * V + V);

    for (int i = 0; i < BATCH; i++)
        whole += (double)class_weights[labels[i]];
    mood_weights_zero_grad(w);
    p.shared = true;
    for (int i = 0, at = 0; i < 3; at += parts[i++]) {
        make(&r, w, parts[i], &p);
        fill(&r, at, parts[i]);
        weight = 0;
        for (int k = 0; k < parts[i]; k++)
            weight += (double)class_weights[labels[at + k]];
        mood__objective_share(&r.goal, weight / whole, 1);
        sum += run(&r);
        mood_graph_destroy(&r.graph);
    }
    double worst = fabs(sum - loss), largest = 0;
    n = 0;
    for (int i = 0; i < mood_weights_count(w); i++)
        for (int64_t k = 0; k < mood_tensor_elements(mood_weights_grad(w, i)); k++, n++) {
            got[n] = ((float *)mood_weights_grad(w, i)->data)[k];
            worst = fmax(worst, fabs((double)got[n] - (double)want[n]));
            largest = fmax(largest, fabs((double)want[n]));
        }
    print_message("three parts of a batch: off by %.1e, gradients up to %.2f\n", worst, largest);
    assert_true(largest > 0.05 && worst <= 3e-7); /* some units in the last place of 1 */
    mood_weights_destroy(&w);
}

/* -sum of q log p, q between two labels, in double from the logits. */
static double soft_loss(const float *x, int a, int b, double lambda)
{
    double sum = 0, loss = 0;
    for (int v = 0; v < V; v++)
        sum += exp((double)x[v]);
    for (int v = 0; v < V; v++)
        loss -= (lambda * (v == a) + (1 - lambda) * (v == b)) * ((double)x[v] - log(sum));
    return loss;
}

static void test_mixed(void **state)
{
    (void)state;
    static const double lambdas[] = {1, 0.75, 0.5, 0.125, 0};
    mood_weights *w;
    struct rig r;
    assert_ok(mood_weights_create(&w, 1));
    make(&r, w, BATCH, &(struct mood__objective_params){.mixed = true});
    fill(&r, 0, BATCH);
    for (int i = 0; i < BATCH; i++)
        ((int32_t *)mood_node_value(r.goal.other_labels)->data)[i] = labels[BATCH - 1 - i];
    for (size_t k = 0; k < sizeof(lambdas) / sizeof(lambdas[0]); k++) {
        mood__objective_share(&r.goal, 1, lambdas[k]);
        double got = run(&r), want = 0;
        const float *x = mood_node_value(r.logits)->data;
        for (int i = 0; i < BATCH; i++)
            want += soft_loss(x + (ptrdiff_t)i * V, labels[i], labels[BATCH - 1 - i], lambdas[k]) /
                    BATCH;
        assert_true(fabs(got - want) <= 1e-6 * want);
    }
    mood_graph_destroy(&r.graph);
    mood_weights_destroy(&w);
}

static void test_balance(void **state)
{
    (void)state;
    float w[5];
    mood__balance_classes(w, (const int64_t[]){6, 2, 0, 1, 3}, 5);
    static const double want[] = {12.0 / (4 * 6), 12.0 / (4 * 2), 1, 12.0 / 4, 12.0 / (4 * 3)};
    for (int v = 0; v < 5; v++)
        assert_true(w[v] == (float)want[v]);
    mood__balance_classes(w, (const int64_t[]){7, 7, 7}, 3);
    assert_true(w[0] == 1 && w[1] == 1 && w[2] == 1);
}

/* Mean 1/2 and variance 1 / (4 (2 alpha + 1)), within 5 of their standard errors. */
static void test_beta(void **state)
{
    (void)state;
    enum { N = 20000 };
    static const double alphas[] = {0.01, 0.2, 0.5, 1, 2, 100};
    for (size_t k = 0; k < sizeof(alphas) / sizeof(alphas[0]); k++) {
        struct mood__rng rng = mood__rng_make(1, k);
        double sum = 0, squares = 0, fourth = 0, variance = 1 / (4 * (2 * alphas[k] + 1));
        for (int i = 0; i < N; i++) {
            double x = mood__draw_beta(&rng, alphas[k]), d = x - 0.5;
            assert_true(x >= 0 && x <= 1);
            sum += d;
            squares += d * d;
            fourth += d * d * d * d;
        }
        double error = sqrt(fmax(fourth / N - squares / N * squares / N, 0) / N);
        print_message("Beta(%g): mean %+.4f, variance %.5f of %.5f\n", alphas[k], sum / N,
                      squares / N, variance);
        assert_true(fabs(sum / N) <= 5 * sqrt(variance / N));
        assert_true(fabs(squares / N - variance) <= 5 * error + 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_beta),
    };
    return cmocka_run_group_tests_name("objective", tests, NULL, NULL);
}
