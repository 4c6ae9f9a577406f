/* SPDX-License-Identifier: MIT
 *
 * work.h — Tasks that can fail: the text of an error belongs to the thread where it happened, and
 * has to be carried to the caller's. And reading clips, which is such tasks. */
#ifndef MOOD_TRAIN_WORK_H
#define MOOD_TRAIN_WORK_H

#include "base/error.h"

struct mood__failure {
    mood_status status;
    char detail[MOOD__DETAIL_BYTES];
};

/* In the task: note its status, with the text when it failed. */
void mood__failure_note(struct mood__failure *f, mood_status status);

/* On the caller's thread: the first failure of n tasks, by number, raised again; MOOD_OK when there
 * is none. */
MOOD_NODISCARD
mood_status mood__failure_raise(const struct mood__failure *f, int64_t n);

/* Told after every few clips; another value than 0 stops. */
typedef int mood__read_callback(void *user, int64_t done, int64_t total);

struct mood__reading {
    const size_t *clips;
    int64_t n_clips;
    mood_status (*read)(void *ctx, size_t clip, int worker); /* one of them */
    void *ctx;
    mood_pool *pool;
    int64_t group;                /* so many, then the caller hears of it and can stop */
    mood__read_callback *on_read; /* or NULL */
    void *user;
};

/* Read the clips on all threads. Errors: that of the first clip in order that has one, among those
 * of its group; E_STOPPED, E_NOMEM. */
MOOD_NODISCARD
mood_status mood__read_clips(const struct mood__reading *r);

#endif
