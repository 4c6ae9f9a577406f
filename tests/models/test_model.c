/* SPDX-License-Identifier: MIT
 *
 * test_model.c — Making, sharing and freeing models; what they refuse. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "formula_model.h"
#include "models/model.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

static void test_defaults(void **state)
{
    (void)state;
    mood_model *m;
    assert_ok(mood_model_create(&m, NULL));
    assert_int_equal(mood_model_n_labels(m), MOOD_N_EMOTIONS);
    for (int i = 0; i < MOOD_N_EMOTIONS; i++)
        assert_string_equal(mood_model_label(m, i), mood_emotion_at(i)->name);
    assert_int_equal(mood_model_heads(m)->divide, 1);
    assert_string_equal(mood_model_record(m), "{}");

    /* 2D branch, its norms, and the three dense layers over 128 x 8 x 11 + 0 inputs. */
    int64_t expected = (9 * 1 * 32 + 32) + (9 * 32 * 64 + 64) + (9 * 64 * 128 + 128) +
                       2 * (32 + 64 + 128) + (11264 * 256 + 256) + (256 * 128 + 128) +
                       (128 * 8 + 8);
    assert_int_equal(mood_weights_trainable_elements(mood_model_weights(m)), expected);
    /* Nothing can be added: what a network lacks is then found missing, and not made up. */
    assert_int_equal(mood_weights_add(mood_model_weights(m), "more", 0, NULL, (mood_init){0}),
                     MOOD_E_INVALID);
    mood_model_destroy(&m);
    assert_null(m);
    mood_model_destroy(&m);
}

static void test_seed(void **state)
{
    (void)state;
    mood_model *m[3];
    const mood_tensor *w[3];
    for (int i = 0; i < 3; i++) {
        const mood_model_params p = {.heads = {.divide = 8}, .seed = i == 2};
        assert_ok(mood_model_create(&m[i], &p));
        mood_weights *all = mood_model_weights(m[i]);
        w[i] = mood_weights_value(all, mood_weights_find(all, "heads.fc1.weight"));
    }
    assert_memory_equal(w[0]->data, w[1]->data, mood_tensor_bytes(w[0]));
    assert_memory_not_equal(w[0]->data, w[2]->data, mood_tensor_bytes(w[0]));
    for (int i = 0; i < 3; i++)
        mood_model_destroy(&m[i]);
}

/* For files: the same weights as in any other model, but nothing is drawn. */
static void test_blank(void **state)
{
    (void)state;
    const mood_model_params p = {.heads = {.divide = 8}};
    mood_model *drawn, *blank;
    assert_ok(mood_model_create(&drawn, &p));
    const struct mood__config c = drawn->config;
    assert_ok(mood__model_create(&blank, &c, MOOD__START_BLANK, 0));
    mood_weights *a = mood_model_weights(drawn), *b = mood_model_weights(blank);
    assert_int_equal(mood_weights_count(a), mood_weights_count(b));
    for (int i = 0; i < mood_weights_count(b); i++) {
        const mood_tensor *value = mood_weights_value(b, i);
        assert_string_equal(mood_weights_name(a, i), mood_weights_name(b, i));
        assert_int_equal(mood_weights_trainable(a, i), mood_weights_trainable(b, i));
        assert_true(mood_tensor_same_shape(mood_weights_value(a, i), value));
        for (int64_t j = 0; j < mood_tensor_elements(value); j++)
            assert_true(((const float *)value->data)[j] == 0);
    }
    mood_model_destroy(&drawn);
    mood_model_destroy(&blank);
}

static void test_owners(void **state)
{
    (void)state;
    mood_model *m, *second;
    assert_ok(formula_model(&m, &formula_params_small));
    second = mood_model_retain(m);
    assert_ptr_equal(second, m);
    mood_model_destroy(&m);
    assert_null(m);
    assert_string_equal(mood_model_label(second, 0), "neutral"); /* not freed: ASan would tell */
    mood_model_destroy(&second);
    assert_null(mood_model_retain(NULL));
}

static void refuse(const mood_model_params *params, const char *text)
{
    mood_model *m = (mood_model *)&m;
    assert_int_equal(mood_model_create(&m, params), MOOD_E_INVALID);
    assert_null(m);
    assert_non_null(strstr(mood_error_detail(), text));
}

static void test_bad_labels(void **state)
{
    (void)state;
    static char longest[MOOD_MAX_LABEL_BYTES + 2];
    const char *many[MOOD_MAX_LABELS + 1];
    static char names[MOOD_MAX_LABELS + 1][4];
    memset(longest, 'a', sizeof(longest) - 1);
    for (int i = 0; i <= MOOD_MAX_LABELS; i++) {
        names[i][0] = (char)('a' + i / 10);
        names[i][1] = (char)('0' + i % 10);
        many[i] = names[i];
    }
    static const char *const pairs[][2] = {{"a", ""},   {"a", NULL},       {"a", "b\xff"},
                                           {"a", "\n"}, {"a", "\x1b[31m"}, {"happy", "Happy"}};
    static const char *const texts[] = {
        "label 1 is empty", "label 1 is empty", "label 1 is no UTF-8",
        "one line",         "one line",         "are both 'Happy'"};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        refuse(&(mood_model_params){.heads = {.divide = 8}, .labels = pairs[i], .n_labels = 2},
               texts[i]);

    const char *too_long[] = {"a", longest};
    mood_model_params p = {.heads = {.divide = 8}, .labels = too_long, .n_labels = 2};
    refuse(&p, "longer than 64 bytes");
    longest[MOOD_MAX_LABEL_BYTES] = '\0';
    mood_model *m;
    assert_ok(mood_model_create(&m, &p));
    mood_model_destroy(&m);

    p.labels = many;
    p.n_labels = MOOD_MAX_LABELS + 1;
    refuse(&p, "65 labels; a model has 2 to 64");
    p.n_labels = 1;
    refuse(&p, "1 labels");
    p.n_labels = MOOD_MAX_LABELS;
    assert_ok(mood_model_create(&m, &p));
    mood_model_destroy(&m);
    refuse(&(mood_model_params){.n_labels = 3}, "no names");
}

static void test_bad_heads(void **state)
{
    (void)state;
    refuse(&(mood_model_params){.heads = {.divide = 3}}, "divide 3");
    refuse(&(mood_model_params){.heads = {.divide = -1}}, "divide -1");
    refuse(&(mood_model_params){.heads = {.feature_width = -1}}, "feature width -1");
    refuse(&(mood_model_params){.heads = {.feature_width = 1 << 30}}, "feature width 1073741824");
}

static void test_temperature(void **state)
{
    (void)state;
    static const double bad[] = {0, -1, 0.009, 101, NAN, INFINITY};
    mood_model *m;
    assert_ok(formula_model(&m, &formula_params_small));
    assert_true(mood_model_temperature(m) == 1);
    assert_ok(mood_model_set_temperature(m, 1.7));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(mood_model_set_temperature(m, bad[i]), MOOD_E_INVALID);
    assert_true(mood_model_temperature(m) == 1.7);
    mood_model_destroy(&m);
}

static void test_record(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "[]", "1", "{", "{\"a\": 1} x", "{\"a\": 1, \"a\": 2}", "{\"a\": \"\xff\"}"};
    mood_model *m;
    assert_ok(formula_model(&m, &formula_params_small));
    assert_ok(mood_model_set_record(m, "{\"uar\": 0.5}"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(mood_model_set_record(m, bad[i]), MOOD_E_INVALID);
        assert_string_equal(mood_model_record(m), "{\"uar\": 0.5}");
    }
    assert_ok(mood_model_set_record(m, mood_model_record(m))); /* its own text */
    assert_string_equal(mood_model_record(m), "{\"uar\": 0.5}");
    mood_model_destroy(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),    cmocka_unit_test(test_seed),
        cmocka_unit_test(test_blank),       cmocka_unit_test(test_owners),
        cmocka_unit_test(test_bad_labels),  cmocka_unit_test(test_bad_heads),
        cmocka_unit_test(test_temperature), cmocka_unit_test(test_record),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
