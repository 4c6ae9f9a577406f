/* SPDX-License-Identifier: MIT
 *
 * test_linear.c — The made-up voices are not too easy: a linear softmax on the mean and deviation
 * of each clip's log-mel bands, the best that averages can tell, stays far below what the heads
 * reach on the same corpus (tools/run demo). Trained with our own library. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mood/nn.h"
#include "mood/ops.h"
#include "mood/train.h"
#include "synth/voice.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

/* What mood-synth makes when it is not told otherwise. The demo tests on 4 of the speakers; here it
 * is 8, so that the figure says more. */
enum { SPEAKERS = 24, PER_EMOTION = 5, TEST_SPEAKERS = 8 };

enum {
    V = MOOD_N_EMOTIONS,
    PER_SPEAKER = V * PER_EMOTION,
    N = SPEAKERS * PER_SPEAKER,
    N_TEST = TEST_SPEAKERS * PER_SPEAKER,
    N_TRAIN = N - N_TEST,
    BANDS = 64,
    D = 2 * BANDS
};

static const double MOST = 0.70; /* held-out accuracy: issue and README promise this */

static float features[N][D];
static int32_t labels[N];

static void describe(float out[D], mood_mel *mel, float *pcm, size_t n)
{
    size_t T = mood_mel_frames(mel, n);
    float *plane = malloc(BANDS * T * sizeof(*plane));
    assert_non_null(plane);
    mood_peak_normalise(pcm, n);
    assert_ok(mood_mel_run(mel, plane, pcm, n));
    for (int f = 0; f < BANDS; f++) {
        double sum = 0, squares = 0;
        for (size_t t = 0; t < T; t++)
            sum += (double)plane[(size_t)f * T + t];
        for (size_t t = 0; t < T; t++)
            squares += pow((double)plane[(size_t)f * T + t] - sum / (double)T, 2);
        out[f] = (float)(sum / (double)T);
        out[BANDS + f] = (float)sqrt(squares / (double)T);
    }
    free(plane);
}

/* Each feature with mean 0 and deviation 1 over the training clips. */
static void standardise(void)
{
    for (int d = 0; d < D; d++) {
        double mean = 0, squares = 0;
        for (int i = 0; i < N_TRAIN; i++)
            mean += (double)features[i][d] / N_TRAIN;
        for (int i = 0; i < N_TRAIN; i++)
            squares += pow((double)features[i][d] - mean, 2) / N_TRAIN;
        for (int i = 0; i < N; i++)
            features[i][d] = (float)(((double)features[i][d] - mean) / sqrt(squares + 1e-12));
    }
}

static int make_features(void **state)
{
    (void)state;
    mood_mel *mel;
    int i = 0;
    assert_ok(mood_mel_create(&mel, NULL));
    assert_int_equal(mood_mel_bands(mel), BANDS);
    for (int speaker = 1; speaker <= SPEAKERS; speaker++)
        for (int emotion = 0; emotion < V; emotion++)
            for (int k = 0; k < PER_EMOTION; k++, i++) {
                struct voice_take take = voice_nth_take(0, speaker, emotion, k);
                float *pcm = NULL;
                size_t n = 0;
                assert_ok(voice_render(&take, &pcm, &n));
                describe(features[i], mel, pcm, n);
                labels[i] = emotion;
                voice_free(&pcm);
            }
    mood_mel_destroy(&mel);
    standardise();
    return 0;
}

/* A graph over `n` of the clips. */
struct net {
    mood_graph *graph;
    mood_node *logits, *loss;
};

static void build(struct net *net, mood_weights *w, int first, int n, bool training)
{
    assert_ok(
        mood_graph_create(&net->graph, &(mood_graph_params){.weights = w, .training = training}));
    mood_node *x = mood_input(net->graph, "x", MOOD_F32, 2, (int64_t[]){n, D});
    mood_node *y = mood_input(net->graph, "y", MOOD_I32, 1, (int64_t[]){n});
    net->logits = mood_nn_dense(x, "softmax", V, NULL);
    net->loss = mood_cross_entropy(net->logits, y, NULL);
    assert_ok(mood_graph_compile(net->graph, (mood_node *[]){net->loss, net->logits}, 2));
    memcpy(mood_node_value(x)->data, features[first], (size_t)n * sizeof(features[0]));
    memcpy(mood_node_value(y)->data, labels + first, (size_t)n * sizeof(labels[0]));
}

static double accuracy(const struct net *net, int first, int n)
{
    int right = 0;
    assert_ok(mood_graph_forward(net->graph));
    for (int i = 0; i < n; i++) {
        const float *x = (const float *)mood_node_value(net->logits)->data + (size_t)i * V;
        int best = 0;
        for (int v = 1; v < V; v++)
            best = x[v] > x[best] ? v : best;
        right += best == labels[first + i];
    }
    return (double)right / n;
}

/* Train, and return the best accuracy on the other speakers that was passed on the way: more than
 * anybody could have chosen without knowing them. */
static double best_held_out(double *trained)
{
    enum { STEPS = 300, LOOK_EVERY = 10 };
    mood_weights *w;
    mood_optimiser *adam;
    struct net train, test;
    double best = 0;
    assert_ok(mood_weights_create(&w, 1));
    build(&train, w, 0, N_TRAIN, true);
    build(&test, w, N_TRAIN, N_TEST, false);
    assert_ok(mood_optimiser_create(&adam, w, &(mood_optimiser_params){.lr = 0.02}));
    for (int step = 1; step <= STEPS; step++) {
        mood_weights_zero_grad(w);
        assert_ok(mood_graph_forward(train.graph));
        assert_ok(mood_graph_backward(train.graph));
        mood_optimiser_step(adam, NULL);
        if (step % LOOK_EVERY == 0)
            best = fmax(best, accuracy(&test, N_TRAIN, N_TEST));
    }
    *trained = accuracy(&train, 0, N_TRAIN);
    mood_optimiser_destroy(&adam);
    mood_graph_destroy(&train.graph);
    mood_graph_destroy(&test.graph);
    mood_weights_destroy(&w);
    return best;
}

static void test_averages_are_not_enough(void **state)
{
    (void)state;
    double trained, held_out = best_held_out(&trained);
    print_message(
        "linear softmax: %.3f on its own clips, at best %.3f on new voices, %.2f allowed\n",
        trained, held_out, MOST);
    assert_true(held_out <= MOST);
    /* Averages do tell something: else the training, not the voices, would have failed here. */
    assert_true(held_out > 0.25 && trained > held_out);
}

/* The same training sees what is there to be seen: one feature more or less that tells the label.
 */
static void test_training_works(void **state)
{
    (void)state;
    double trained;
    for (int i = 0; i < N; i++)
        for (int v = 0; v < V; v++)
            features[i][v] += labels[i] == v ? 3.0f : 0.0f;
    double held_out = best_held_out(&trained);
    print_message("with the labels among the features: %.3f\n", held_out);
    assert_true(held_out > 0.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_averages_are_not_enough),
        cmocka_unit_test(test_training_works),
    };
    return cmocka_run_group_tests_name("linear", tests, make_features, NULL);
}
