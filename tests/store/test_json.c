/* SPDX-License-Identifier: MIT
 *
 * test_json.c — Numbers, words and kinds in JSON text. (Objects and strings are tested with the
 * formats that are made of them.) */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "store/json.h"

static mood_status number(const char *text, double *out)
{
    struct mood__json j;
    assert_int_equal(mood__json_start(&j, text, strlen(text)), MOOD_OK);
    mood_status status = mood__json_number(&j, out);
    return status == MOOD_OK ? mood__json_end(&j) : status;
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"1e-05", 1e-5},
        {"1e-5", 1e-5},
        {" 0.00001", 1e-5},
        {"1.0E+2", 100},
        {"-12.5e1", -125},
        {"0e99999", 0},
        {"1e-99999", 0},
        {"2.5e22", 2.5e22},
        {"123456789", 123456789},
        {"0.1", 0.1},
        {"100000e-10", 1e-5},
    };
    static const char *const bad[] = {"",
                                      "NaN",
                                      "Infinity",
                                      "-",
                                      "1e999",
                                      "-1e999",
                                      ".5",
                                      "1.",
                                      "0x10",
                                      "01",
                                      "1e",
                                      "1e+",
                                      "+1",
                                      "true",
                                      "1,5",
                                      "\"1\"",
                                      "1e99999999999999999999"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        double x = -1;
        if (number(good[i].text, &x) != MOOD_OK || x != good[i].value)
            fail_msg("%s: %.17g, %s", good[i].text, x, mood_error_detail());
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        double x;
        if (number(bad[i], &x) != MOOD_E_FORMAT)
            fail_msg("'%s' was taken for a number", bad[i]);
    }
}

/* More digits than are wanted are refused before they overflow. */
static void test_long_numbers(void **state)
{
    (void)state;
    char text[400];
    double x;
    memset(text, '9', sizeof(text));
    text[300] = '\0';
    assert_int_equal(number(text, &x), MOOD_OK);
    text[300] = '9';
    text[301] = '\0';
    assert_int_equal(number(text, &x), MOOD_E_FORMAT);
}

/* In German a number has a comma; in JSON it has a point wherever it is read. */
static void test_locale(void **state)
{
    (void)state;
    double x;
    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        skip();
    assert_int_equal(number("0.5", &x), MOOD_OK);
    assert_true(x == 0.5);
    setlocale(LC_ALL, "C");
}

static void test_kinds(void **state)
{
    (void)state;
    static const char text[] = " [ {}, \"s\", -1, 2, true, false, null, nul";
    static const enum mood__json_kind kinds[] = {
        MOOD__JSON_OBJECT, MOOD__JSON_STRING, MOOD__JSON_NUMBER, MOOD__JSON_NUMBER,
        MOOD__JSON_BOOL,   MOOD__JSON_BOOL,   MOOD__JSON_NULL};
    struct mood__json j;
    assert_int_equal(mood__json_start(&j, text, strlen(text)), MOOD_OK);
    assert_int_equal(mood__json_peek(&j), MOOD__JSON_ARRAY);
    assert_int_equal(mood__json_open(&j, '['), MOOD_OK);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        bool more, value;
        assert_int_equal(mood__json_next(&j, ']', &more), MOOD_OK);
        assert_true(more);
        assert_int_equal(mood__json_peek(&j), kinds[i]);
        if (kinds[i] == MOOD__JSON_BOOL) {
            assert_int_equal(mood__json_bool(&j, &value), MOOD_OK);
            assert_int_equal(value, i == 4);
        } else {
            assert_int_equal(mood__json_skip(&j), MOOD_OK);
        }
    }
    bool more, value;
    assert_int_equal(mood__json_next(&j, ']', &more), MOOD_OK);
    assert_int_equal(mood__json_bool(&j, &value), MOOD_E_FORMAT);
    assert_int_equal(mood__json_skip(&j), MOOD_E_FORMAT);
    assert_int_equal(mood__json_start(&j, "?", 1), MOOD_OK);
    assert_int_equal(mood__json_peek(&j), MOOD__JSON_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_long_numbers),
        cmocka_unit_test(test_locale),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
