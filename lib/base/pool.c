/* SPDX-License-Identifier: MIT
 *
 * pool.c — The thread pool. Workers sleep on a condition variable between calls; within a call
 * tasks are handed out by one atomic counter.
 *
 * A network is hundreds of calls in a row with next to nothing in between, and to be woken takes a
 * thread longer than many of them last. So whoever waits looks out for a moment before it sleeps,
 * if there is a core for each thread. Nobody spins for longer than that moment: not while the pool
 * is idle, and not while one thread has long work to finish. */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

enum {
    MAX_THREADS = 256,
    LOOKS = 10000 /* before sleeping: some 0.2 to 0.4 ms */
};

struct worker {
    mood_pool *pool;
    pthread_t thread;
    int index;
};

struct mood_pool {
    int n_threads;         /* workers + the caller */
    int looks;             /* LOOKS, or 0 */
    pthread_mutex_t turn;  /* held by the caller whose tasks are running */
    pthread_mutex_t mutex; /* guards what follows, but for next_task */
    pthread_cond_t wake;   /* a new job, or quit */
    pthread_cond_t done;   /* n_busy fell to zero */
    _Atomic uint64_t job;  /* counts jobs, so that a worker sees each once */
    _Atomic int n_busy;    /* workers that have tasks of the current job */
    bool quit;
    mood__task *fn;
    void *ctx;
    int64_t n_tasks;
    _Atomic int64_t next_task;
    struct worker workers[];
};

/* Tell the processor that this is a loop that waits. */
static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* What follows only saves sleep: who has looked in vain, or seen something, asks again under the
 * mutex. */
static void look_for_job(mood_pool *p, uint64_t seen)
{
    for (int i = 0; i < p->looks && atomic_load(&p->job) == seen; i++)
        pause_briefly();
}

static void look_for_end(mood_pool *p)
{
    for (int i = 0; i < p->looks && atomic_load(&p->n_busy) > 0; i++)
        pause_briefly();
}

static void work(mood_pool *p, int worker)
{
    int64_t i;
    while ((i = atomic_fetch_add_explicit(&p->next_task, 1, memory_order_relaxed)) < p->n_tasks)
        p->fn(p->ctx, i, worker);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    mood_pool *p = w->pool;
    uint64_t seen = 0;
    for (;;) {
        look_for_job(p, seen);
        pthread_mutex_lock(&p->mutex);
        while (!p->quit && p->job == seen)
            pthread_cond_wait(&p->wake, &p->mutex);
        seen = p->job;
        bool quit = p->quit, late = p->next_task >= p->n_tasks;
        if (!quit && !late)
            p->n_busy++;
        pthread_mutex_unlock(&p->mutex);
        if (quit)
            return NULL;
        if (late)
            continue;
        work(p, w->index);
        pthread_mutex_lock(&p->mutex);
        if (--p->n_busy == 0)
            pthread_cond_signal(&p->done);
        pthread_mutex_unlock(&p->mutex);
    }
}

static int usable_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        int n = CPU_COUNT(&set);
        return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : n;
    }
    return 1;
}

mood_status mood_pool_create(mood_pool **out, int n_threads)
{
    *out = NULL;
    if (n_threads < 0 || n_threads > MAX_THREADS)
        return mood__fail(MOOD_E_INVALID, "pool: %d threads; 0 to %d are possible", n_threads,
                          MAX_THREADS);
    if (n_threads == 0)
        n_threads = usable_cores();

    mood_pool *p = mood__calloc(1, sizeof(*p) + (size_t)n_threads * sizeof(struct worker));
    if (!p)
        return mood__nomem();
    pthread_mutex_init(&p->turn, NULL);
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    p->n_threads = 1;
    p->looks = n_threads <= usable_cores() ? LOOKS : 0;
    for (int i = 1; i < n_threads; i++) {
        struct worker *w = &p->workers[i];
        *w = (struct worker){.pool = p, .index = i};
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
            mood_pool_destroy(&p);
            return mood__fail(MOOD_E_NOMEM, "pool: thread %d of %d could not be started", i + 1,
                              n_threads);
        }
        p->n_threads = i + 1;
    }
    *out = p;
    return MOOD_OK;
}

void mood_pool_destroy(mood_pool **pool)
{
    mood_pool *p = *pool;
    *pool = NULL;
    if (!p)
        return;
    pthread_mutex_lock(&p->mutex);
    p->quit = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    for (int i = 1; i < p->n_threads; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mutex);
    pthread_mutex_destroy(&p->turn);
    mood__free(p);
}

int mood_pool_threads(const mood_pool *pool)
{
    return pool ? pool->n_threads : 1;
}

void mood__pool_run(mood_pool *pool, int64_t n_tasks, mood__task *fn, void *ctx)
{
    if (!pool || pool->n_threads == 1 || n_tasks <= 1) {
        for (int64_t i = 0; i < n_tasks; i++)
            fn(ctx, i, 0);
        return;
    }
    pthread_mutex_lock(&pool->turn);
    pthread_mutex_lock(&pool->mutex);
    pool->fn = fn;
    pool->ctx = ctx;
    pool->n_tasks = n_tasks;
    atomic_store_explicit(&pool->next_task, 0, memory_order_relaxed);
    pool->job++;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);

    work(pool, 0);

    look_for_end(pool);
    pthread_mutex_lock(&pool->mutex);
    while (pool->n_busy > 0)
        pthread_cond_wait(&pool->done, &pool->mutex);
    pool->n_tasks = 0; /* a worker that wakes only now finds nothing, and is not waited for */
    pthread_mutex_unlock(&pool->mutex);
    pthread_mutex_unlock(&pool->turn);
}
