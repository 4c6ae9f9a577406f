/* SPDX-License-Identifier: MIT
 *
 * test_classifier.c — Classifiers over an encoder's frames, and the mix of its layers, against
 * PyTorch in float64 (tests/golden/make_classifier.py): logits, loss, every gradient; and what is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/formula.h"
#include "../golden/golden.h"
#include "mood/model.h"
#include "mood/ops.h"

enum { BATCH = 3, LAYERS = 6, FRAMES = 11, WIDTH = 7, UNITS = 5, LABELS = 4 };

static const double FORWARD_BOUND = 1e-6, GRADIENT_BOUND = 1e-5;

static struct golden *golden;

static const char *const form_names[] = {"projector", "tanh"};
static const char *const pooling_names[] = {"mean", "sum", "max"};

/* The network over weights by the formula. */
struct net {
    mood_weights *weights;
    mood_graph *graph;
    mood_node *frames, *labels, *logits, *loss;
};

static void start(struct net *n, const mood_classifier_params *p, bool mix)
{
    assert_int_equal(mood_weights_create(&n->weights, 1), MOOD_OK);
    assert_int_equal(
        mood_graph_create(&n->graph, &(mood_graph_params){.weights = n->weights, .training = true}),
        MOOD_OK);
    n->frames =
        mix ? mood_input(n->graph, "frames", MOOD_F32, 4, (int64_t[]){BATCH, LAYERS, FRAMES, WIDTH})
            : mood_input(n->graph, "frames", MOOD_F32, 3, (int64_t[]){BATCH, FRAMES, WIDTH});
    n->frames = mood_want_grad(n->frames);
    n->labels = mood_input(n->graph, "labels", MOOD_I32, 1, (int64_t[]){BATCH});
    n->logits = mood_classifier(mix ? mood_mix_layers(n->frames) : n->frames, p);
    n->loss = mood_cross_entropy(n->logits, n->labels, NULL);
    if (mood_graph_compile(n->graph, (mood_node *[]){n->loss, n->logits}, 2) != MOOD_OK)
        fail_msg("compile: %s", mood_error_detail());

    formula_weights(n->weights);
    int i = mood_weights_find(n->weights, "mix.weights");
    assert_int_equal(i >= 0, mix);
    for (int l = 0; mix && l < LAYERS; l++)
        ((float *)mood_weights_value(n->weights, i)->data)[l] *= 16;
    const mood_tensor *x = mood_node_value(n->frames);
    formula_values(x->data, mood_tensor_elements(x), "frames");
    formula_labels(mood_node_value(n->labels)->data, BATCH, "labels", LABELS);
}

static void stop(struct net *n)
{
    mood_graph_destroy(&n->graph);
    mood_weights_destroy(&n->weights);
}

static void expect(const char *case_name, const char *part, const mood_tensor *got, double bound)
{
    const mood_tensor *want = golden_find(golden, case_name, part);
    if (!want)
        fail_msg("%s/%s: not in the golden file", case_name, part);
    double error = golden_error(got, want, 0);
    print_message("  %-20s %-26s %.1e of %.0e\n", case_name, part, error, bound);
    if (!(error <= bound))
        fail_msg("%s/%s: error %.1e", case_name, part, error);
}

static void check(const mood_classifier_params *p, bool mix)
{
    struct net n;
    char name[32];
    snprintf(name, sizeof(name), "%s.%s%s", form_names[p->form], pooling_names[p->pooling],
             mix ? ".mix" : "");
    start(&n, p, mix);
    assert_int_equal(mood_graph_forward(n.graph), MOOD_OK);
    assert_int_equal(mood_graph_backward(n.graph), MOOD_OK);
    expect(name, "logits", mood_node_value(n.logits), FORWARD_BOUND);
    expect(name, "loss", mood_node_value(n.loss), FORWARD_BOUND);
    expect(name, "frames", mood_node_grad(n.frames), GRADIENT_BOUND);
    for (int i = 0; i < mood_weights_count(n.weights); i++)
        expect(name, mood_weights_name(n.weights, i), mood_weights_grad(n.weights, i),
               GRADIENT_BOUND);
    assert_int_equal(mood_weights_count(n.weights), mix ? 5 : 4);
    stop(&n);
}

static void test_truth(void **state)
{
    (void)state;
    for (int form = 0; form < 2; form++)
        for (int pooling = 0; pooling < 3; pooling++)
            for (int mix = 0; mix < 2; mix++)
                check(&(mood_classifier_params){.width = WIDTH,
                                                .units = UNITS,
                                                .n_labels = LABELS,
                                                .form = (mood_classifier_form)form,
                                                .pooling = (mood_pooling)pooling},
                      mix);
}

/* Before anything is learned, a mix is the mean; and it takes no memory of its input's size. */
static void test_mix_starts_as_mean(void **state)
{
    (void)state;
    mood_weights *w;
    mood_graph *g;
    assert_int_equal(mood_weights_create(&w, 1), MOOD_OK);
    assert_int_equal(mood_graph_create(&g, &(mood_graph_params){.weights = w, .training = true}),
                     MOOD_OK);
    mood_node *x = mood_input(g, "x", MOOD_F32, 4, (int64_t[]){4, 13, 149, 32});
    mood_node *y = mood_mix_layers(x);
    mood_node *error = mood_mse(y, mood_mean(x, 1));
    assert_int_equal(mood_graph_compile(g, (mood_node *[]){error, y}, 2), MOOD_OK);
    const mood_tensor *t = mood_node_value(x);
    formula_values(t->data, mood_tensor_elements(t), "x");
    assert_int_equal(mood_graph_forward(g), MOOD_OK);
    /* Sums of 13 numbers below 1, in two orders: each addition is off by 2^-24 at most. */
    assert_true(*(float *)mood_node_value(error)->data <= 13 * 13 * 0x1p-48f);
    /* A few values and gradients of y's size, a 13th of x's; the input's own memory is not in it.
     */
    assert_true(mood_graph_bytes(g) < 6 * mood_tensor_bytes(t) / 13);
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

/* A clip's answer does not depend on its company. */
static void test_rows_are_alone(void **state)
{
    (void)state;
    const mood_classifier_params p = {.width = WIDTH, .n_labels = LABELS};
    struct net n;
    float first[LABELS];
    start(&n, &p, true);
    float *x = mood_node_value(n.frames)->data, *y = mood_node_value(n.logits)->data;
    const size_t clip = (size_t)LAYERS * FRAMES * WIDTH;
    assert_int_equal(mood_graph_forward(n.graph), MOOD_OK);
    memcpy(first, y, sizeof(first));
    formula_values(x + clip, (int64_t)(2 * clip), "company");
    assert_int_equal(mood_graph_forward(n.graph), MOOD_OK);
    assert_memory_equal(first, y, sizeof(first));
    stop(&n);
}

static void refuse(const mood_classifier_params *p, int rank, const int64_t *dim, bool mix,
                   mood_status status, const char *text)
{
    mood_weights *w;
    mood_graph *g;
    assert_int_equal(mood_weights_create(&w, 1), MOOD_OK);
    assert_int_equal(mood_graph_create(&g, &(mood_graph_params){.weights = w}), MOOD_OK);
    mood_node *x = mood_input(g, "x", MOOD_F32, rank, dim);
    mood_node *y = mood_classifier(mix ? mood_mix_layers(x) : x, p);
    assert_null(y);
    assert_int_equal(mood_graph_compile(g, &y, 1), status);
    if (!strstr(mood_error_detail(), text))
        fail_msg("%s: does not say '%s'", mood_error_detail(), text);
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

static void test_refusals(void **state)
{
    (void)state;
    const mood_classifier_params fine = {.width = WIDTH};
    mood_classifier_params p = fine;
    int64_t dim[] = {1, FRAMES, WIDTH, 1};
    p.n_labels = 1;
    refuse(&p, 3, dim, false, MOOD_E_INVALID, "1 labels");
    p = fine, p.units = -1;
    refuse(&p, 3, dim, false, MOOD_E_INVALID, "-1 units");
    p = fine, p.form = (mood_classifier_form)2;
    refuse(&p, 3, dim, false, MOOD_E_INVALID, "form 2");
    p = fine, p.pooling = (mood_pooling)3;
    refuse(&p, 3, dim, false, MOOD_E_INVALID, "pooling 3");
    p = fine, p.width = WIDTH + 1;
    refuse(&p, 3, dim, false, MOOD_E_SHAPE, "(B, T, 8) is needed");
    refuse(&fine, 4, dim, false, MOOD_E_SHAPE, "frames are (1, 11, 7, 1)");
    refuse(&fine, 3, dim, true, MOOD_E_SHAPE, "(B, L, T, D) is needed");
    dim[1] = 256;
    p = fine, p.pooling = MOOD_POOLING_MAX;
    refuse(&p, 3, dim, false, MOOD_E_SHAPE, "the largest of 256 frames");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truth),
        cmocka_unit_test(test_mix_starts_as_mean),
        cmocka_unit_test(test_rows_are_alone),
        cmocka_unit_test(test_refusals),
    };
    golden = argc > 1 ? golden_open(argv[1]) : NULL;
    if (!golden)
        return 2;
    int failed = cmocka_run_group_tests_name("classifier", tests, NULL, NULL);
    golden_close(&golden);
    return failed;
}
