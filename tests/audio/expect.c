/* SPDX-License-Identifier: MIT
 *
 * expect.c — Reading what was built, one way or the other. */
#include "expect.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

mood_audio *read_ok(struct builder *b)
{
    mood_audio *a;
    mood_status status = mood_audio_read_memory(&a, b->p, b->n, NULL);
    if (status != MOOD_OK)
        fail_msg("%s: %s", mood_status_name(status), mood_error_detail());
    assert_non_null(a);
    builder_free(b);
    return a;
}

void refused(struct builder *b, mood_status want, const char *words)
{
    mood_audio *a = (mood_audio *)1;
    mood_status status = mood_audio_read_memory(&a, b->p, b->n, NULL);
    if (status != want || !strstr(mood_error_detail(), words))
        fail_msg("%s '%s', not %s '%s'", mood_status_name(status), mood_error_detail(),
                 mood_status_name(want), words);
    assert_null(a);
    assert_null(strchr(mood_error_detail(), '\n'));
    builder_free(b);
}

void assert_near(double got, double want, double bound)
{
    if (!(fabs(got - want) <= bound))
        fail_msg("%.9g, not %.9g within %g", got, want, bound);
}
