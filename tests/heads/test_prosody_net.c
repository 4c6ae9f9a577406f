/* SPDX-License-Identifier: MIT
 *
 * test_prosody_net.c — The network on prosody against PyTorch in float64
 * (tests/golden/make_prosody.py): logits, loss, gradients; and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/formula.h"
#include "../golden/golden.h"
#include "mood/model.h"
#include "mood/ops.h"

enum { BATCH = 4, FUNCTIONALS = 9, LABELS = 5, CENTRES = 7 };

static const double BOUND = 1e-6;

static struct golden *golden;

static void expect(const char *part, const mood_tensor *got)
{
    const mood_tensor *want = golden_find(golden, "net", part);
    if (!want)
        fail_msg("net/%s: not in the golden file", part);
    double error = golden_error(got, want, 0);
    print_message("  %-20s %.1e of %.0e\n", part, error, BOUND);
    if (!(error <= BOUND))
        fail_msg("net/%s: error %.1e", part, error);
}

static void test_truth(void **state)
{
    (void)state;
    mood_weights *w;
    mood_graph *g;
    assert_int_equal(mood_weights_create(&w, 1), MOOD_OK);
    assert_int_equal(mood_graph_create(&g, &(mood_graph_params){.weights = w, .training = true}),
                     MOOD_OK);
    mood_node *x =
        mood_want_grad(mood_input(g, "functionals", MOOD_F32, 2, (int64_t[]){BATCH, FUNCTIONALS}));
    mood_node *labels = mood_input(g, "labels", MOOD_I32, 1, (int64_t[]){BATCH});
    mood_node *speech;
    mood_node *logits = mood_prosody_net(x,
                                         &(mood_prosody_net_params){.n_functionals = FUNCTIONALS,
                                                                    .n_labels = LABELS,
                                                                    .n_centres = CENTRES},
                                         &speech);
    mood_node *both =
        mood_add(mood_cross_entropy(logits, labels, NULL), mood_mean(speech, MOOD_ALL_AXES));
    assert_int_equal(mood_graph_compile(g, (mood_node *[]){both, logits, speech}, 3), MOOD_OK);

    formula_weights(w);
    float *in = mood_node_value(x)->data;
    formula_values(in, BATCH * FUNCTIONALS, "functionals");
    for (int i = 0; i < BATCH * FUNCTIONALS; i++)
        in[i] *= 64;
    formula_labels(mood_node_value(labels)->data, BATCH, "labels", LABELS);
    assert_int_equal(mood_graph_forward(g), MOOD_OK);
    assert_int_equal(mood_graph_backward(g), MOOD_OK);
    expect("logits", mood_node_value(logits));
    expect("loss", mood_node_value(both));
    expect("speech", mood_node_value(speech));
    expect("functionals", mood_node_grad(x));
    assert_int_equal(mood_weights_count(w), 6);
    for (int i = 0; i < 6; i++) {
        const char *name = mood_weights_name(w, i);
        bool frozen = !strstr(name, "out.") && !strstr(name, "gate.");
        assert_int_equal(frozen, !mood_weights_trainable(w, i));
        if (!frozen)
            expect(name, mood_weights_grad(w, i));
    }
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

static void expect_refused(mood_status status, int rank, const int64_t *dim,
                           const mood_prosody_net_params *p)
{
    mood_weights *w;
    mood_graph *g;
    assert_int_equal(mood_weights_create(&w, 1), MOOD_OK);
    assert_int_equal(mood_graph_create(&g, &(mood_graph_params){.weights = w}), MOOD_OK);
    mood_node *y = mood_prosody_net(mood_input(g, "x", MOOD_F32, rank, dim), p, NULL);
    assert_null(y);
    assert_int_equal(mood_graph_compile(g, &y, 1), status);
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

static void test_refused(void **state)
{
    (void)state;
    const int64_t dim[] = {2, FUNCTIONALS, 1};
    mood_prosody_net_params p = {.n_functionals = FUNCTIONALS, .n_labels = LABELS};
    expect_refused(MOOD_E_SHAPE, 3, dim, &p);
    expect_refused(MOOD_E_SHAPE, 1, dim, &p);
    p.n_functionals++;
    expect_refused(MOOD_E_SHAPE, 2, dim, &p);
    expect_refused(MOOD_E_SHAPE, 2, dim, NULL); /* all functionals */
    p = (mood_prosody_net_params){.n_functionals = -1};
    expect_refused(MOOD_E_INVALID, 2, dim, &p);
    p = (mood_prosody_net_params){.n_functionals = FUNCTIONALS, .n_labels = 1};
    expect_refused(MOOD_E_INVALID, 2, dim, &p);
    p.n_labels = MOOD_MAX_LABELS + 1;
    expect_refused(MOOD_E_INVALID, 2, dim, &p);
    p = (mood_prosody_net_params){.n_functionals = FUNCTIONALS, .n_centres = -1};
    expect_refused(MOOD_E_INVALID, 2, dim, &p);
    p.n_centres = MOOD_MAX_CENTRES + 1;
    expect_refused(MOOD_E_INVALID, 2, dim, &p);
    assert_null(mood_prosody_net(NULL, NULL, NULL));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truth),
        cmocka_unit_test(test_refused),
    };
    golden = argc > 1 ? golden_open(argv[1]) : NULL;
    if (!golden)
        return 1;
    int failed = cmocka_run_group_tests_name("prosody-net", tests, NULL, NULL);
    golden_close(&golden);
    return failed;
}
