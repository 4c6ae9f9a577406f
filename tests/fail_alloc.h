/* SPDX-License-Identifier: MIT
 *
 * fail_alloc.h — Makes each allocation of the library fail once. A test program that includes it is
 * linked with fail_alloc_dep (meson.build), which sends the calls in base/mem.c here by the
 * linker's
 * --wrap; those of other libraries are not reached. For one source file of a program, after
 * cmocka.h. */
#ifndef MOOD_TESTS_FAIL_ALLOC_H
#define MOOD_TESTS_FAIL_ALLOC_H

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "mood/base.h"

void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void __real_free(void *p);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void __wrap_free(void *p);

/* Atomic, because threads of a pool allocate too. */
static _Atomic long alloc_countdown = -1; /* allocations until one fails; negative: none will */
static _Atomic long alloc_live;           /* blocks allocated and not freed */
static _Atomic long alloc_calls;          /* allocations asked for */
static _Atomic size_t alloc_largest;      /* the bytes of the largest of them */
static _Atomic size_t alloc_bytes;        /* and of all, given back or not */
static _Atomic bool alloc_shrink_failed;  /* what failed would have given memory back */

/* More bytes than this always fail: tests of huge sizes are not for filling memory. */
static const size_t alloc_room = (size_t)1 << 30;

static inline bool alloc_fails(size_t bytes)
{
    atomic_fetch_add(&alloc_calls, 1);
    atomic_fetch_add(&alloc_bytes, bytes);
    if (bytes > alloc_largest) /* two threads at once may leave the smaller: no test looks then */
        alloc_largest = bytes;
    if (bytes > alloc_room)
        return true;
    return alloc_countdown >= 0 && atomic_fetch_sub(&alloc_countdown, 1) == 0;
}

static inline void *alloc_counted(void *p)
{
    if (p)
        atomic_fetch_add(&alloc_live, 1);
    return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return alloc_fails(n * size) ? NULL : alloc_counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t bytes)
{
    if (alloc_fails(bytes)) {
        alloc_shrink_failed = p && malloc_usable_size(p) >= bytes;
        return NULL;
    }
    void *q = __real_realloc(p, bytes);
    return p ? q : alloc_counted(q);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return alloc_fails(bytes) ? NULL : alloc_counted(__real_aligned_alloc(alignment, bytes));
}

void __wrap_free(void *p)
{
    if (p)
        atomic_fetch_sub(&alloc_live, 1);
    __real_free(p);
}

/* Run a scenario with its first allocation failing, then its second, and so on, until it gets
 * through without a failure, when it has to succeed. Every failure has to be answered by E_NOMEM
 * and its one text, but where memory could not be given back: then the scenario may go on with a
 * block that is too large. No block may be lost. A scenario leaves nothing behind; what has to hold
 * after a failure it asserts itself. Returns how many were answered by E_NOMEM. */
static inline int fail_each_alloc(mood_status (*scenario)(const void *arg), const void *arg)
{
    int n_failed = 0, n_passed = 0;
    for (bool through = false; !through;) {
        long live = alloc_live;
        int at = n_failed + n_passed;
        alloc_shrink_failed = false;
        alloc_countdown = at;
        mood_status status = scenario(arg);
        through = alloc_countdown >= 0;
        alloc_countdown = -1;
        if (alloc_live != live)
            fail_msg("allocation %d failed, and %ld blocks were lost", at + 1, alloc_live - live);
        if (through && status != MOOD_OK)
            fail_msg("no allocation failed, but: %s", mood_error_detail());
        if (!through && status == MOOD_OK && alloc_shrink_failed)
            n_passed++;
        else if (!through && status == MOOD_E_NOMEM && strstr(mood_error_detail(), "out of memory"))
            n_failed++;
        else if (!through && status == MOOD_OK)
            fail_msg("allocation %d failed, and nobody saw it", at + 1);
        else if (!through)
            fail_msg("allocation %d failed, and the answer was %s: %s", at + 1,
                     mood_status_name(status), mood_error_detail());
    }
    print_message("%d allocations failed\n", n_failed);
    return n_failed;
}

#endif
