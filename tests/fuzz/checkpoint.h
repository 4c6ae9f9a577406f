/* SPDX-License-Identifier: MIT
 *
 * checkpoint.h — What has to hold for any bytes that are opened as a checkpoint: refused in one
 * line, or every tensor is read, or says why not. */
#ifndef MOOD_TESTS_FUZZ_CHECKPOINT_H
#define MOOD_TESTS_FUZZ_CHECKPOINT_H

#include <stdlib.h>
#include <string.h>

#include "store/checkpoint.h"

static inline void require(bool promise)
{
    if (!promise)
        abort();
}

static inline void require_refusal(mood_status status)
{
    require(status == MOOD_E_FORMAT || status == MOOD_E_UNSUPPORTED);
    const char *detail = mood_error_detail();
    require(*detail);
    for (; *detail; detail++)
        require(*detail >= ' ' && *detail <= '~');
}

static inline void check_tensor(const struct mood__checkpoint *c, const struct mood__listed *t,
                                size_t bytes)
{
    mood_tensor dst;
    require(mood__checkpoint_find(c, t->name) == t);
    require(t->n_bytes <= bytes && t->offset <= bytes - t->n_bytes);
    if (t->refusal)
        return;
    require(mood_tensor_make(&dst, NULL, MOOD_F32, t->rank, t->dim) == MOOD_OK);
    size_t numbers = mood_tensor_bytes(&dst);
    require(numbers == t->n_bytes || numbers == 2 * t->n_bytes);
    dst.data = malloc(numbers); /* of just the right size, for the sanitizer */
    require(dst.data && mood__checkpoint_tensor(c, t->name, &dst) == MOOD_OK);
    free(dst.data);
}

static inline void check_checkpoint(const uint8_t *data, size_t bytes)
{
    struct mood__checkpoint *c;
    mood_status status = mood__checkpoint_open_memory(&c, data, bytes);
    if (status != MOOD_OK) {
        require(!c);
        require_refusal(status);
        return;
    }
    /* Small views may be many and share a large storage; some are enough. */
    for (size_t i = 0; i < mood__checkpoint_count(c) && i < 64; i++)
        check_tensor(c, mood__checkpoint_at(c, i), bytes);
    mood__checkpoint_close(&c);
}

#endif
