/* SPDX-License-Identifier: MIT
 *
 * fail_alloc.h — Lets a test make the n-th allocation of the library fail. The test is linked with
 * -Wl,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc, which sends the calls in base/mem.c here;
 * those of other libraries are not reached. For one source file of a test program. */
#ifndef MOOD_TESTS_FAIL_ALLOC_H
#define MOOD_TESTS_FAIL_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

/* Allocations until one fails; negative: none will. */
static long alloc_countdown = -1;

static inline bool alloc_fails(void)
{
    return alloc_countdown >= 0 && alloc_countdown-- == 0;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return alloc_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t bytes)
{
    return alloc_fails() ? NULL : __real_realloc(p, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return alloc_fails() ? NULL : __real_aligned_alloc(alignment, bytes);
}

#endif
