/* SPDX-License-Identifier: MIT
 *
 * mem.h — Memory: checked size arithmetic, aligned allocation, and an arena.
 *
 * Everything the library allocates comes through here, so that a test can make each allocation
 * fail in turn (tests/fail_alloc.h). */
#ifndef MOOD_BASE_MEM_H
#define MOOD_BASE_MEM_H

#include <stdbool.h>

#include "mood/base.h"

/* Alignment of numeric buffers: a cache line, and the widest vector register. */
enum { MOOD__ALIGN = 64 };

/* *out = a * b or a + b; false, and *out untouched, when that does not fit in size_t. */
bool mood__mul_size(size_t a, size_t b, size_t *out);
bool mood__add_size(size_t a, size_t b, size_t *out);

/* Zeroed memory for n objects of `size` bytes; NULL when there is none or the product overflows.
 * Free with mood__free. Zero bytes give a valid pointer. */
void *mood__calloc(size_t n, size_t size);

/* As realloc for an array of n objects: on failure NULL, and the old block stays. */
void *mood__realloc(void *p, size_t n, size_t size);

/* Memory on a MOOD__ALIGN boundary, not zeroed. Free with mood__free. */
void *mood__alloc_aligned(size_t bytes);

/* A copy of a string. Free with mood__free. */
char *mood__strdup(const char *s);

void mood__free(void *p);

/* The one detail text for a failed allocation. Returns MOOD_E_NOMEM. */
mood_status mood__nomem(void);

/* Many small objects that die together. Zero-initialised is empty and valid. */
struct mood__arena {
    struct mood__arena_block *head;
};

/* Zeroed memory that lives until mood__arena_free; NULL when there is none. */
void *mood__arena_alloc(struct mood__arena *a, size_t bytes);
char *mood__arena_strdup(struct mood__arena *a, const char *s);
void mood__arena_free(struct mood__arena *a);

/* Grow *array to hold at least `need` elements of `size` bytes, doubling. False when out of memory,
 * and then nothing has changed. */
bool mood__reserve(void **array, size_t *capacity, size_t need, size_t size);

#endif
