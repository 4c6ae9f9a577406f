/* SPDX-License-Identifier: MIT
 *
 * mem.c — Checked arithmetic, aligned allocation, arena. */
#include "base/mem.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"

struct mood__arena_block {
    struct mood__arena_block *next;
    size_t used, capacity;
    alignas(max_align_t) unsigned char data[];
};

bool mood__mul_size(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

bool mood__add_size(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

void *mood__calloc(size_t n, size_t size)
{
    size_t bytes;
    if (!mood__mul_size(n, size, &bytes))
        return NULL;
    return calloc(1, bytes ? bytes : 1);
}

void *mood__realloc(void *p, size_t n, size_t size)
{
    size_t bytes;
    if (!mood__mul_size(n, size, &bytes))
        return NULL;
    return realloc(p, bytes ? bytes : 1);
}

enum { HUGE_PAGE = 2 << 20 };

/* Large buffers in pages of 2 MB, where the system has them to give: products walk down columns of
 * weights, a row in another small page each time, and looking those up took a tenth of the
 * encoder's time. What is left at the end beyond whole pages stays in small ones; C asks for a size
 * in whole pages all the same, and what nobody touches takes no memory. */
static void *alloc_huge(size_t bytes)
{
    size_t whole;
    if (!mood__add_size(bytes, HUGE_PAGE - 1, &whole))
        return NULL;
    void *p = aligned_alloc(HUGE_PAGE, whole - whole % HUGE_PAGE);
#ifdef MADV_HUGEPAGE
    if (p) /* advice: if it cannot be taken, nothing is lost */
        madvise(p, bytes - bytes % HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return p;
}

void *mood__alloc_aligned(size_t bytes)
{
    size_t rounded;
    if (!mood__add_size(bytes, MOOD__ALIGN - 1, &rounded))
        return NULL;
    rounded -= rounded % MOOD__ALIGN;
    if (rounded >= HUGE_PAGE)
        return alloc_huge(rounded);
    return aligned_alloc(MOOD__ALIGN, rounded ? rounded : MOOD__ALIGN);
}

char *mood__strdup(const char *s)
{
    size_t bytes = strlen(s) + 1;
    char *copy = mood__calloc(bytes, 1);
    if (copy)
        memcpy(copy, s, bytes);
    return copy;
}

void mood__free(void *p)
{
    free(p);
}

mood_status mood__nomem(void)
{
    return mood__fail(MOOD_E_NOMEM, "out of memory");
}

void *mood__arena_alloc(struct mood__arena *a, size_t bytes)
{
    size_t rounded;
    if (!mood__add_size(bytes, alignof(max_align_t) - 1, &rounded))
        return NULL;
    rounded -= rounded % alignof(max_align_t);

    struct mood__arena_block *b = a->head;
    if (!b || b->capacity - b->used < rounded) {
        size_t capacity = rounded > 16384 ? rounded : 16384, total;
        if (!mood__add_size(sizeof(*b), capacity, &total))
            return NULL;
        b = mood__calloc(1, total);
        if (!b)
            return NULL;
        b->capacity = capacity;
        b->next = a->head;
        a->head = b;
    }
    void *p = b->data + b->used;
    b->used += rounded;
    return p;
}

char *mood__arena_strdup(struct mood__arena *a, const char *s)
{
    size_t bytes = strlen(s) + 1;
    char *copy = mood__arena_alloc(a, bytes);
    if (copy)
        memcpy(copy, s, bytes);
    return copy;
}

void mood__arena_free(struct mood__arena *a)
{
    while (a->head) {
        struct mood__arena_block *b = a->head;
        a->head = b->next;
        mood__free(b);
    }
}

bool mood__reserve(void **array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity)
        return true;
    size_t grown = *capacity ? *capacity : 8;
    while (grown < need) {
        if (!mood__mul_size(grown, 2, &grown))
            return false;
    }
    void *p = mood__realloc(*array, grown, size);
    if (!p)
        return false;
    *array = p;
    *capacity = grown;
    return true;
}
