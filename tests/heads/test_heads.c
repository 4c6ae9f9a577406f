/* SPDX-License-Identifier: MIT
 *
 * test_heads.c — The hybrid heads as a whole, and how they are trained, against PyTorch in float64
 * (tests/golden/make_heads.py): logits, loss, every gradient, ten losses of Adam, and the steps of
 * ReduceLROnPlateau. The network is the narrow one, with all channels divided by 8. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/formula.h"
#include "../golden/golden.h"
#include "mood/ops.h"
#include "mood/train.h"

enum { WIDTH = 96, FRAMES = 149, BANDS = 64, MEL_FRAMES = 94, BATCH = 4, STEPS = 10, LABELS = 8 };

static const double FORWARD_BOUND = 1e-5, GRADIENT_BOUND = 1e-4, LOSS_BOUND = 1e-4;

static struct golden *golden;

/* The network over a set of weights. */
struct net {
    mood_weights *weights;
    mood_graph *graph;
    mood_node *seq, *mel, *labels, *logits, *loss;
};

static void build(struct net *n, bool training, mood_pool *pool)
{
    assert_int_equal(mood_graph_create(&n->graph, &(mood_graph_params){.weights = n->weights,
                                                                       .pool = pool,
                                                                       .training = training}),
                     MOOD_OK);
    n->seq = mood_input(n->graph, "seq", MOOD_F32, 3, (int64_t[]){BATCH, FRAMES, WIDTH});
    n->mel = mood_input(n->graph, "mel", MOOD_F32, 4, (int64_t[]){BATCH, BANDS, MEL_FRAMES, 1});
    n->labels = mood_input(n->graph, "labels", MOOD_I32, 1, (int64_t[]){BATCH});
    n->logits =
        mood_heads(n->seq, n->mel,
                   &(mood_heads_params){
                       .feature_width = WIDTH, .n_labels = LABELS, .dropout = -1, .divide = 8});
    n->loss = mood_cross_entropy(n->logits, n->labels, NULL);
    if (mood_graph_compile(n->graph, (mood_node *[]){n->loss, n->logits}, 2) != MOOD_OK)
        fail_msg("compile: %s", mood_error_detail());
}

static void start(struct net *n, mood_pool *pool)
{
    assert_int_equal(mood_weights_create(&n->weights, 1), MOOD_OK);
    build(n, true, pool);
    formula_weights(n->weights);
}

static void stop(struct net *n)
{
    mood_graph_destroy(&n->graph);
    mood_weights_destroy(&n->weights);
}

/* The inputs of one step. */
static void feed(const struct net *n, int step)
{
    const mood_tensor *seq = mood_node_value(n->seq), *mel = mood_node_value(n->mel);
    char name[32];
    snprintf(name, sizeof(name), "seq.%d", step);
    formula_values(seq->data, mood_tensor_elements(seq), name);
    snprintf(name, sizeof(name), "mel.%d", step);
    formula_values(mel->data, mood_tensor_elements(mel), name);
    snprintf(name, sizeof(name), "label.%d", step);
    formula_labels(mood_node_value(n->labels)->data, BATCH, name, LABELS);
}

static float run(const struct net *n, int step)
{
    feed(n, step);
    mood_weights_zero_grad(n->weights);
    assert_int_equal(mood_graph_forward(n->graph), MOOD_OK);
    assert_int_equal(mood_graph_backward(n->graph), MOOD_OK);
    return *(float *)mood_node_value(n->loss)->data;
}

static void expect(const char *what, double error, double bound)
{
    print_message("  %-32s %.1e of %.0e\n", what, error, bound);
    if (!(error <= bound))
        fail_msg("%s: error %.1e", what, error);
}

static void test_forward(void **state)
{
    (void)state;
    struct net n;
    start(&n, NULL);
    run(&n, 0);
    expect("logits, training",
           golden_error(mood_node_value(n.logits), golden_find(golden, "heads", "logits"), 0),
           FORWARD_BOUND);
    expect("loss", golden_error(mood_node_value(n.loss), golden_find(golden, "heads", "loss"), 0),
           FORWARD_BOUND);

    /* The running statistics of that one step, in use. */
    struct net answers = {.weights = n.weights};
    build(&answers, false, NULL);
    feed(&answers, 0);
    assert_int_equal(mood_graph_forward(answers.graph), MOOD_OK);
    expect("logits, inference",
           golden_error(mood_node_value(answers.logits),
                        golden_find(golden, "heads", "infer/logits"), 0),
           FORWARD_BOUND);
    mood_graph_destroy(&answers.graph);
    stop(&n);
}

/* What the error of a gradient is measured by: its own largest value. The bias of a convolution in
 * front of a batch norm has none (the norm takes it away again): there it is the largest value of
 * the weight beside it. */
static double yardstick(const char *name)
{
    char beside[64];
    size_t stem = strlen(name) - strlen(".bias");
    if (!strstr(name, "conv") || !formula_ends(name, ".bias"))
        return 0;
    snprintf(beside, sizeof(beside), "%.*s.weight", (int)stem, name);
    return golden_largest(golden_find(golden, "heads/grad", beside));
}

static void test_gradients(void **state)
{
    (void)state;
    struct net n;
    int seen = 0;
    start(&n, NULL);
    run(&n, 0);
    for (int i = 0; i < mood_weights_count(n.weights); i++) {
        const char *name = mood_weights_name(n.weights, i);
        const mood_tensor *want = golden_find(golden, "heads/grad", name);
        if (!mood_weights_trainable(n.weights, i))
            continue;
        if (!want)
            fail_msg("%s: not in the golden file", name);
        expect(name, golden_error(mood_weights_grad(n.weights, i), want, yardstick(name)),
               GRADIENT_BOUND);
        seen++;
    }
    /* Five convolutions, five norms, three dense layers, two weights each. */
    assert_int_equal(seen, 26);
    stop(&n);
}

static void train(mood_pool *pool, float *losses)
{
    struct net n;
    mood_optimiser *adam;
    start(&n, pool);
    assert_int_equal(mood_optimiser_create(&adam, n.weights, NULL), MOOD_OK);
    for (int step = 0; step < STEPS; step++) {
        losses[step] = run(&n, step);
        mood_optimiser_step(adam, pool);
    }
    mood_optimiser_destroy(&adam);
    stop(&n);
}

static void test_ten_losses(void **state)
{
    (void)state;
    const mood_tensor *want = golden_find(golden, "heads", "losses");
    float losses[STEPS];
    double worst = 0;
    assert_int_equal(mood_tensor_elements(want), STEPS);
    train(NULL, losses);
    for (int i = 0; i < STEPS; i++) {
        double truth = ((float *)want->data)[i];
        worst = fmax(worst, fabs((double)losses[i] - truth) / truth);
    }
    expect("ten losses of Adam", worst, LOSS_BOUND);
}

static void test_same_bytes_on_threads(void **state)
{
    (void)state;
    float alone[STEPS], shared[STEPS];
    mood_pool *pool;
    assert_int_equal(mood_pool_create(&pool, 3), MOOD_OK);
    train(NULL, alone);
    train(pool, shared);
    mood_pool_destroy(&pool);
    assert_memory_equal(alone, shared, sizeof(alone));
}

/* Decisions, not sums: these have to be exact. */
static void test_plateau(void **state)
{
    (void)state;
    int n_cases = 0;
    for (;; n_cases++) {
        char name[32];
        snprintf(name, sizeof(name), "plateau.%d", n_cases);
        const mood_tensor *settings = golden_find(golden, name, "settings");
        const mood_tensor *metrics = golden_find(golden, name, "metrics");
        const mood_tensor *rates = golden_find(golden, name, "lr");
        if (!settings)
            break;
        const float *s = settings->data;
        mood_plateau p = {.goal = s[1] > 0 ? MOOD_MAXIMISE : MOOD_MINIMISE,
                          .factor = (double)s[2],
                          .patience = (int)s[3],
                          .threshold = 1e-4,
                          .cooldown = (int)s[5],
                          .min_lr = (double)s[6]};
        double lr = 1e-3;
        for (int64_t i = 0; i < mood_tensor_elements(metrics); i++) {
            lr = mood_plateau_step(&p, (double)((float *)metrics->data)[i], lr);
            if ((float)lr != ((float *)rates->data)[i])
                fail_msg("%s: after metric %d the rate is %g, wanted is %g", name, (int)i, lr,
                         (double)((float *)rates->data)[i]);
        }
    }
    assert_int_equal(n_cases, 8);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),    cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_ten_losses), cmocka_unit_test(test_same_bytes_on_threads),
        cmocka_unit_test(test_plateau),
    };
    golden = argc > 1 ? golden_open(argv[1]) : NULL;
    if (!golden)
        return 2;
    int failed = cmocka_run_group_tests_name("heads", tests, NULL, NULL);
    golden_close(&golden);
    return failed;
}
