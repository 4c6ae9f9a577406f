/* SPDX-License-Identifier: MIT
 *
 * work.c — Errors on their way from a thread of the pool to the caller. */
#include "train/work.h"

#include <stdio.h>

void mood__failure_note(struct mood__failure *f, mood_status status)
{
    f->status = status;
    if (status)
        snprintf(f->detail, sizeof(f->detail), "%s", mood_error_detail());
}

mood_status mood__failure_raise(const struct mood__failure *f, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (f[i].status)
            return mood__fail(f[i].status, "%s", f[i].detail);
    return MOOD_OK;
}
