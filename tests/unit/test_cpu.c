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

#ifdef MOOD_HAVE_ARM_TIERS
static const char *const tiers[MOOD__N_TIERS] = {"c", "arm-neon", "arm-dotprod"};
static const char *const elsewhere = "x86-avx2";
#else
static const char *const tiers[MOOD__N_TIERS] = {"c", "x86-avx2", "x86-avxvnni", "x86-avx512"};
static const char *const elsewhere = "arm-neon";
#endif

/* The highest tier that this processor has, of those up to `limit`. */
static int highest_of(int limit)
{
    while (!mood__cpu_has((enum mood__tier)limit))
        limit--;
    return limit;
}

/* In this order: once mood_cpu_limit was called, the environment no longer counts. */
static void test_environment_lowers_the_tier(void **state)
{
    (void)state;
    unsetenv("MOOD_CPU");
    enum mood__tier highest = mood__cpu_tier();
    assert_int_equal(highest, highest_of(MOOD__N_TIERS - 1));
    for (int i = 0; i < MOOD__N_TIERS; i++) {
        assert_int_equal(setenv("MOOD_CPU", tiers[i], 1), 0);
        assert_int_equal(mood__cpu_tier(), highest_of(i));
        for (int other = 0; other < MOOD__N_TIERS; other++)
            assert_int_equal(mood__cpu_may_use((enum mood__tier)other),
                             other <= i && mood__cpu_has((enum mood__tier)other));
    }
    /* A tier nobody knows is no reason to run with less than there is, nor is another machine's. */
    assert_int_equal(setenv("MOOD_CPU", "x87", 1), 0);
    assert_int_equal(mood__cpu_tier(), highest);
    assert_int_equal(setenv("MOOD_CPU", elsewhere, 1), 0);
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
    for (int i = 0; i < MOOD__N_TIERS; i++)
        assert_non_null(strstr(mood_error_detail(), tiers[i]));
    assert_int_equal(mood_cpu_limit(elsewhere), MOOD_E_INVALID);
    assert_int_equal(mood__cpu_tier(), highest);

    assert_int_equal(setenv("MOOD_CPU", tiers[highest], 1), 0);
    assert_int_equal(mood_cpu_limit("c"), MOOD_OK);
    assert_string_equal(mood_cpu_tier(), "c");
    for (int i = 0; i < MOOD__N_TIERS; i++) {
        int before = (int)mood__cpu_tier();
        bool there = mood__cpu_has((enum mood__tier)i);
        assert_int_equal(mood_cpu_limit(tiers[i]), there ? MOOD_OK : MOOD_E_UNSUPPORTED);
        assert_int_equal(mood__cpu_tier(), there ? i : before);
    }
}

/* The processor may have what belongs to no tier; a limit to portable C means that it is not used.
 */
static void test_c_is_portable(void **state)
{
    (void)state;
    assert_int_equal(mood_cpu_limit("c"), MOOD_OK);
    assert_false(mood__cpu_has_sha());
    assert_false(mood__cpu_has_vnni());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environment_lowers_the_tier),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_c_is_portable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
