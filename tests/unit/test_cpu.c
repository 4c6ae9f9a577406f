/* SPDX-License-Identifier: MIT
 *
 * test_cpu.c — The processor tier and its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "mood/base.h"

static const char *const tiers[] = {"c", "x86-avx2", "x86-avx512"};

/* In this order: once mood_cpu_limit was called, the environment no longer counts. */
static void test_environment_lowers_the_tier(void **state)
{
    (void)state;
    unsetenv("MOOD_CPU");
    enum mood__tier highest = mood__cpu_tier();
    assert_in_range(highest, 0, MOOD__N_TIERS - 1);
    for (int i = 0; i < MOOD__N_TIERS; i++) {
        assert_int_equal(setenv("MOOD_CPU", tiers[i], 1), 0);
        assert_int_equal(mood__cpu_tier(), i < (int)highest ? i : (int)highest);
    }
    /* A tier nobody knows is no reason to run with less than there is. */
    assert_int_equal(setenv("MOOD_CPU", "x87", 1), 0);
    assert_int_equal(mood__cpu_tier(), highest);
    unsetenv("MOOD_CPU");
    assert_string_equal(mood_cpu_tier(), tiers[highest]);
}

static void test_limit(void **state)
{
    (void)state;
    enum mood__tier highest = mood__cpu_tier();
    assert_int_equal(mood_cpu_limit("x87"), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "'x87'"));
    assert_int_equal(mood__cpu_tier(), highest);

    assert_int_equal(setenv("MOOD_CPU", tiers[highest], 1), 0);
    assert_int_equal(mood_cpu_limit("c"), MOOD_OK);
    assert_string_equal(mood_cpu_tier(), "c");
    for (int i = 0; i < MOOD__N_TIERS; i++) {
        bool there = i <= (int)highest;
        assert_int_equal(mood_cpu_limit(tiers[i]), there ? MOOD_OK : MOOD_E_UNSUPPORTED);
        assert_int_equal(mood__cpu_tier(), there ? i : (int)highest);
    }
}

/* The processor may have them or not; a limit to portable C means that they are not used. */
static void test_no_sha_instructions_in_c(void **state)
{
    (void)state;
    assert_int_equal(mood_cpu_limit("c"), MOOD_OK);
    assert_false(mood__cpu_has_sha());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environment_lowers_the_tier),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_no_sha_instructions_in_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
