/* SPDX-License-Identifier: MIT
 *
 * work.h — Tasks that can fail: the text of an error belongs to the thread where it happened, and
 * has to be carried to the caller's. */
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

#endif
