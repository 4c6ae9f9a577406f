/* SPDX-License-Identifier: MIT
 *
 * test_calibration.c — Reliability, temperature, thresholds and bootstrap intervals against numpy's
 * (tests/golden/make_figures.py), and where they end: no answers, one speaker, confidences of 1. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../golden/golden.h"
#include "mood/figures.h"

/* Those of make_figures.py. */
enum { ROUNDS = 200, SEED = 7, MAX_CLIPS = 300 };

/* The truth is in float32. */
#define BOUND 3e-7

static struct golden *golden;

struct given {
    const char *name;
    int label[MAX_CLIPS], speaker[MAX_CLIPS];
    size_t windows[MAX_CLIPS];
    mood_predictions p;
};

static const float *part(const char *name, const char *what)
{
    const mood_tensor *t = golden_find(golden, name, what);
    assert_non_null(t);
    return t->data;
}

static void get(struct given *g, const char *name)
{
    const mood_tensor *answers = golden_find(golden, name, "answers");
    assert_non_null(answers);
    *g = (struct given){.name = name};
    g->p = (mood_predictions){.n = (size_t)answers->dim[0],
                              .n_labels = (int)answers->dim[1],
                              .prob = answers->data,
                              .label = g->label,
                              .speaker = g->speaker};
    assert_true(g->p.n <= MAX_CLIPS);
    for (size_t i = 0; i < g->p.n; i++) {
        g->label[i] = (int)part(name, "label")[i];
        g->speaker[i] = (int)part(name, "speaker")[i];
        g->windows[i] = (size_t)part(name, "windows")[i];
    }
}

static void assert_near(const char *name, const char *what, double got, double want)
{
    if (!(fabs(got - want) <= BOUND * fmax(1, fabs(want))))
        fail_msg("%s, %s: %.9g is not %.9g", name, what, got, want);
}

static const char *const cases[] = {"too_sure", "too_shy", "all_right", "hopeless", "one_clip"};
enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

static void test_against_numpy(void **state)
{
    (void)state;
    for (int c = 0; c < N_CASES; c++) {
        struct given g;
        mood_reliability r;
        get(&g, cases[c]);
        mood_reliability_of(&r, &g.p);
        assert_int_equal(r.n, g.p.n);
        const float *bins = part(g.name, "bins"), *scalars = part(g.name, "scalars");
        for (int b = 0; b < MOOD_N_BINS; b++) {
            assert_int_equal(r.bin[b].n, (int)bins[3 * b]);
            assert_near(g.name, "confidence", r.bin[b].confidence, (double)bins[3 * b + 1]);
            assert_near(g.name, "accuracy", r.bin[b].accuracy, (double)bins[3 * b + 2]);
        }
        assert_near(g.name, "ECE", r.ece, (double)scalars[0]);
        assert_near(g.name, "NLL", r.nll, (double)scalars[1]);
        assert_near(g.name, "ECE of the perfect", mood_ece_of_perfect(&g.p, ROUNDS, SEED),
                    (double)scalars[2]);
        for (int k = 0; k < 6; k++) {
            const float *s = part(g.name, "selected") + (ptrdiff_t)4 * k;
            mood_selected got;
            mood_select(&got, &g.p, (double)s[0]);
            assert_true(got.threshold == (double)s[0]);
            assert_int_equal(got.n, (int)s[1]);
            assert_int_equal(got.n_right, (int)s[2]);
            assert_near(g.name, "coverage", got.coverage, (double)s[1] / (double)g.p.n);
            assert_near(g.name, "selective accuracy", got.accuracy, (double)s[3]);
        }
    }
}

static void test_temperature(void **state)
{
    (void)state;
    for (int c = 0; c < N_CASES; c++) {
        struct given g;
        get(&g, cases[c]);
        double want = (double)part(g.name, "scalars")[3];
        double got =
            mood_fit_temperature(part(g.name, "prob"), g.windows, g.label, g.p.n, g.p.n_labels);
        print_message("%-10s temperature %.6f\n", g.name, got);
        if (!(fabs(got / want - 1) < 1e-6)) /* flat around the minimum: half of the digits */
            fail_msg("%s: temperature %.9g is not %.9g", g.name, got, want);
        if (c == 0) { /* one window each */
            double alone =
                mood_fit_temperature(part(g.name, "prob"), NULL, g.label, g.p.n, g.p.n_labels);
            assert_true(alone == got);
        }
    }
    assert_true(mood_fit_temperature(NULL, NULL, NULL, 0, 8) == 1);
    /* Probabilities that vanish, at the true label too, leave it within its bounds. */
    static const float hard[] = {1, 0, 0, 1, 0, 1};
    static const int label[] = {0, 0, 1}, wrong[] = {1, 0, 0};
    double sure = mood_fit_temperature(hard, NULL, label, 3, 2);
    double hot = mood_fit_temperature(hard, NULL, wrong, 3, 2);
    assert_true(sure >= 0.05 && sure <= 20 && hot > 10 && hot <= 20.0001);
}

static void test_bootstrap(void **state)
{
    (void)state;
    for (int c = 0; c < N_CASES; c++) {
        struct given g;
        mood_intervals got, again;
        get(&g, cases[c]);
        assert_int_equal(mood_bootstrap(&got, &g.p, ROUNDS, SEED), MOOD_OK);
        const float *want = part(g.name, "intervals");
        const mood_interval *const three[] = {&got.accuracy, &got.uar, &got.macro_f1};
        for (int k = 0; k < 3; k++) {
            assert_near(g.name, "low end", three[k]->low, (double)want[2 * k]);
            assert_near(g.name, "high end", three[k]->high, (double)want[2 * k + 1]);
        }
        assert_int_equal(mood_bootstrap(&again, &g.p, ROUNDS, SEED), MOOD_OK);
        assert_true(got.uar.low == again.uar.low && got.uar.high == again.uar.high);
        if (c == 0) {
            assert_int_equal(got.n_speakers, 11);
            assert_int_equal(mood_bootstrap(&again, &g.p, ROUNDS, SEED + 1), MOOD_OK);
            assert_true(got.uar.low != again.uar.low || got.uar.high != again.uar.high);
        }
    }
    mood_intervals none;
    assert_int_equal(mood_bootstrap(&none, &(mood_predictions){.n_labels = 3}, 10, 0), MOOD_OK);
    assert_true(none.n_speakers == 0 && none.uar.low == 0 && none.uar.high == 1);
    assert_int_equal(mood_bootstrap(&none, &(mood_predictions){.n_labels = 3}, 0, 0),
                     MOOD_E_INVALID);
}

/* Speaker 0 is heard right by the second only, speaker 1 by both: of two drawn speakers none, one
 * or both make the difference. */
static void test_difference(void **state)
{
    (void)state;
    static const float first[] = {0, 1, 1, 0, 1, 0, 0, 1}, second[] = {1, 0, 0, 1, 1, 0, 0, 1};
    static const int label[] = {0, 1, 0, 1}, speaker[] = {0, 0, 1, 1};
    const mood_predictions p = {4, 2, first, label, speaker};
    mood_intervals d, back;
    assert_int_equal(mood_bootstrap_difference(&d, &p, second, ROUNDS, SEED), MOOD_OK);
    assert_true(d.n_speakers == 2 && d.uar.low == 0 && d.uar.high == 1);
    assert_true(d.accuracy.low == 0 && d.accuracy.high == 1);
    assert_int_equal(mood_bootstrap_difference(&d, &p, first, ROUNDS, SEED), MOOD_OK);
    assert_true(d.uar.low == 0 && d.uar.high == 0 && d.macro_f1.high == 0);
    const mood_predictions better = {4, 2, second, label, speaker};
    assert_int_equal(mood_bootstrap_difference(&back, &better, first, ROUNDS, SEED), MOOD_OK);
    assert_true(back.uar.low == -1 && back.uar.high == 0);

    const mood_predictions one = {2, 2, first, label, speaker};
    assert_int_equal(mood_bootstrap_difference(&d, &one, second, ROUNDS, SEED), MOOD_OK);
    assert_true(d.n_speakers == 1 && d.uar.low == -1 && d.uar.high == 1);
    assert_int_equal(mood_bootstrap_difference(&d, &p, second, 0, SEED), MOOD_E_INVALID);

    mood_confusion c;
    mood_confusion_of(&c, &p);
    assert_true(c.count[0][1] == 1 && c.count[1][0] == 1 && c.count[0][0] == 1 &&
                c.count[1][1] == 1);
}

/* At the ends: confidences of exactly 1 and 1 / V, nothing at all. */
static void test_extremes(void **state)
{
    (void)state;
    static const float prob[] = {1, 0, 0.5f, 0.5f, 0, 1};
    static const int label[] = {0, 1, 1};
    const mood_predictions p = {.n = 3, .n_labels = 2, .prob = prob, .label = label};
    mood_reliability r;
    mood_reliability_of(&r, &p);
    assert_int_equal(r.bin[MOOD_N_BINS - 1].n, 2);
    assert_int_equal(r.bin[7].n, 1); /* (7/15, 8/15] */
    assert_true(fabs(r.ece - 0.5 / 3) < 1e-15);
    assert_true(fabs(r.nll - log(2) / 3) < 1e-15);

    const mood_predictions none = {.n_labels = 2};
    mood_reliability_of(&r, &none);
    assert_true(r.n == 0 && r.ece == 0 && r.nll == 0);
    assert_true(mood_ece_of_perfect(&none, 10, 0) == 0);
    mood_selected s;
    mood_select(&s, &none, 0.7);
    assert_true(s.n == 0 && s.coverage == 0 && s.accuracy == 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_numpy), cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_bootstrap),     cmocka_unit_test(test_difference),
        cmocka_unit_test(test_extremes),
    };
    golden = argc > 1 ? golden_open(argv[1]) : NULL;
    if (!golden)
        return 2;
    int failed = cmocka_run_group_tests_name("calibration", tests, NULL, NULL);
    golden_close(&golden);
    return failed;
}
