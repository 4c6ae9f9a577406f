/* SPDX-License-Identifier: MIT
 *
 * work.c — Errors on their way from a thread of the pool to the caller, and clips in groups. */
#include "train/work.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/pool.h"

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

/* A group of clips. */
struct group {
    const struct mood__reading *r;
    int64_t first;
    struct mood__failure *failures; /* one per task */
};

static void read_task(void *ctx, int64_t task, int worker)
{
    const struct group *g = ctx;
    mood__failure_note(&g->failures[task],
                       g->r->read(g->r->ctx, g->r->clips[g->first + task], worker));
}

mood_status mood__read_clips(const struct mood__reading *r)
{
    struct group g = {.r = r, .failures = mood__calloc((size_t)r->group, sizeof(*g.failures))};
    mood_status status = g.failures ? MOOD_OK : mood__nomem();
    for (; g.first < r->n_clips && !status; g.first += r->group) {
        int64_t n = r->n_clips - g.first < r->group ? r->n_clips - g.first : r->group;
        mood__pool_run(r->pool, n, read_task, &g);
        status = mood__failure_raise(g.failures, n);
        if (!status && r->on_read && r->on_read(r->user, g.first + n, r->n_clips))
            status = mood__fail(MOOD_E_STOPPED, "stopped while reading clips");
    }
    mood__free(g.failures);
    return status;
}
