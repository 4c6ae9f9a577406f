/* SPDX-License-Identifier: MIT
 *
 * test_figures.c — Accuracy, recall, precision, F1 and their means against values computed by hand,
 * and the early stop. (ReduceLROnPlateau is compared with PyTorch in tests/heads.) */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mood/train.h"

/* A few roundings of double. */
static void assert_near(double got, double want)
{
    if (!(fabs(got - want) < 1e-15))
        fail_msg("%.17g is not %.17g", got, want);
}

static void test_by_hand(void **state)
{
    (void)state;
    /* rows: true a b c d; d never occurs but is answered once, c is never answered */
    static const int counts[4][4] = {{6, 1, 0, 1}, {2, 3, 0, 0}, {1, 1, 0, 0}, {0, 0, 0, 0}};
    mood_confusion c = {.n_labels = 4};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            for (int n = 0; n < counts[i][j]; n++)
                mood_confusion_add(&c, i, j);
    assert_int_equal(mood_confusion_total(&c), 15);
    assert_near(mood_accuracy(&c), 9.0 / 15);
    /* recalls 6/8, 3/5, 0/2 */
    assert_near(mood_uar(&c), (0.75 + 0.6 + 0) / 3);
    /* a: precision 6/9, recall 6/8; b: 3/5, 3/5; c: none */
    double a = 2 * (6.0 / 9) * (6.0 / 8) / (6.0 / 9 + 6.0 / 8);
    assert_near(mood_macro_f1(&c), (a + 0.6 + 0) / 3);
    assert_near(mood_recall(&c, 0), 0.75);
    assert_near(mood_precision(&c, 0), 6.0 / 9);
    assert_near(mood_f1(&c, 0), a);
    assert_true(mood_confusion_occurs(&c, 0) == 8 && mood_confusion_answered(&c, 0) == 9);
    assert_true(mood_precision(&c, 2) == 0 && mood_recall(&c, 3) == 0 && mood_f1(&c, 3) == 0);
    mood_confusion_join(&c, &c);
    assert_int_equal(mood_confusion_total(&c), 30);
    assert_near(mood_accuracy(&c), 9.0 / 15);
}

static void test_extremes(void **state)
{
    (void)state;
    mood_confusion c = {.n_labels = 3};
    assert_true(mood_confusion_total(&c) == 0 && mood_accuracy(&c) == 0 && mood_uar(&c) == 0 &&
                mood_macro_f1(&c) == 0);
    mood_confusion_add(&c, 1, 1); /* one label, always right */
    assert_true(mood_accuracy(&c) == 1 && mood_uar(&c) == 1 && mood_macro_f1(&c) == 1);
    mood_confusion_add(&c, 2, 0); /* another, always wrong */
    assert_true(mood_accuracy(&c) == 0.5 && mood_uar(&c) == 0.5 && mood_macro_f1(&c) == 0.5);
    mood_confusion_add(&c, 2, 1);
    assert_near(mood_accuracy(&c), 1.0 / 3);
    assert_near(mood_uar(&c), 0.5);
    assert_near(mood_macro_f1(&c), (2.0 / 3) / 2);

    /* As many labels as there may be. */
    mood_confusion all = {.n_labels = MOOD_MAX_LABELS};
    for (int i = 0; i < MOOD_MAX_LABELS; i++)
        mood_confusion_add(&all, i, i);
    assert_true(mood_accuracy(&all) == 1 && mood_uar(&all) == 1 && mood_macro_f1(&all) == 1);
}

static void test_early_stop(void **state)
{
    (void)state;
    static const double metrics[] = {0.2, 0.3, 0.3, 0.3, 0.4, NAN, 0.39, 0.4};
    static const bool stops[] = {0, 0, 0, 0, 0, 0, 0, 1}; /* the third bad one in a row */
    mood_early_stop s = {.patience = 3};
    for (int i = 0; i < 8; i++)
        assert_true(mood_early_stop_step(&s, metrics[i]) == stops[i]);

    mood_early_stop never = {.patience = 0};
    for (int i = 0; i < 100; i++)
        assert_false(mood_early_stop_step(&never, 0));

    mood_early_stop loss = {.goal = MOOD_MINIMISE, .patience = 1};
    assert_false(mood_early_stop_step(&loss, 2));
    assert_false(mood_early_stop_step(&loss, 1));
    assert_true(mood_early_stop_step(&loss, 1));

    mood_early_stop first = {.patience = 1}; /* no number at all is not good */
    assert_true(mood_early_stop_step(&first, NAN));
}

/* A NaN is not an improvement for the schedule either, nor does it become the best. */
static void test_plateau_nan(void **state)
{
    (void)state;
    mood_plateau p = {.patience = 1};
    double lr = mood_plateau_step(&p, 0.5, 1.0);
    lr = mood_plateau_step(&p, NAN, lr);
    assert_true(lr == 1.0);
    lr = mood_plateau_step(&p, NAN, lr);
    assert_true(lr == 0.5);
    lr = mood_plateau_step(&p, 0.6, lr);
    assert_true(lr == 0.5 && p.best == 0.6 && p.n_bad == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_early_stop),
        cmocka_unit_test(test_plateau_nan),
    };
    return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
