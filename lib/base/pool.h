/* SPDX-License-Identifier: MIT
 *
 * pool.h — Running numbered tasks on a mood_pool. */
#ifndef MOOD_BASE_POOL_H
#define MOOD_BASE_POOL_H

#include "mood/base.h"

/* One task. `worker` is in [0, mood_pool_threads(pool)) and no two tasks run with the same worker
 * at the same time, so it may index scratch memory; it must not influence a result. */
typedef void mood__task(void *ctx, int64_t task, int worker);

/* Run fn(ctx, 0..n_tasks-1, worker) in any order on the pool's threads and the caller's, and return
 * when all are done. A NULL pool runs them here, in order, as worker 0. Tasks must not call
 * mood__pool_run on the same pool. */
void mood__pool_run(mood_pool *pool, int64_t n_tasks, mood__task *fn, void *ctx);

#endif
