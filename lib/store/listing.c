/* SPDX-License-Identifier: MIT
 *
 * listing.c — Which tensors foreign files hold. */
#include "store/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static bool name_is_possible(const char *name)
{
    size_t n = 0;
    for (; name[n]; n++) {
        if (name[n] <= ' ' || name[n] > '~')
            return false;
    }
    return n > 0 && n < MOOD__LISTED_NAME_BYTES;
}

mood_status mood__listing_add(struct mood__listing *l, const struct mood__listed *item,
                              const char *name)
{
    if (!name_is_possible(name)) {
        char shown[MOOD__SHOWN_BYTES];
        return mood__fail(MOOD_E_FORMAT,
                          "'%s' is no name of a tensor: 1 to %d visible ASCII characters",
                          mood__show(shown, name, strlen(name)), MOOD__LISTED_NAME_BYTES - 1);
    }
    if (l->n == MOOD__LISTED_MAX)
        return mood__fail(MOOD_E_UNSUPPORTED, "has more than %d tensors", MOOD__LISTED_MAX);
    if (!mood__reserve((void **)&l->items, &l->capacity, l->n + 1, sizeof(*item)))
        return mood__nomem();
    struct mood__listed copy = *item;
    copy.name = mood__arena_strdup(l->arena, name);
    if (!copy.name)
        return mood__nomem();
    l->items[l->n++] = copy;
    return MOOD_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct mood__listed *x = a, *y = b;
    return strcmp(x->name, y->name);
}

mood_status mood__listing_sort(struct mood__listing *l)
{
    if (l->n > 1)
        qsort(l->items, l->n, sizeof(*l->items), by_name);
    for (size_t i = 1; i < l->n; i++) {
        if (by_name(&l->items[i - 1], &l->items[i]) == 0)
            return mood__fail(MOOD_E_FORMAT, "there are two tensors '%s'", l->items[i].name);
    }
    return MOOD_OK;
}

const struct mood__listed *mood__listing_find(const struct mood__listing *l, const char *name)
{
    if (l->n == 0)
        return NULL;
    struct mood__listed key = {.name = name};
    return bsearch(&key, l->items, l->n, sizeof(key), by_name);
}

bool mood__listed_add_dim(struct mood__listed *item, uint64_t size, uint64_t *elements)
{
    if (size > INT64_MAX || (size != 0 && *elements > INT64_MAX / size))
        return false;
    *elements *= size;
    if (item->rank < MOOD_MAX_RANK)
        item->dim[item->rank] = (int64_t)size;
    item->rank++;
    return true;
}

void mood__listed_judge(struct mood__listed *item, uint64_t elements)
{
    if (item->coding == MOOD__CODING_OTHER)
        item->refusal = "only 32-bit and 16-bit floating point is read";
    else if (item->rank > MOOD_MAX_RANK)
        item->refusal = "it has more than 6 dimensions";
    else if (elements == 0)
        item->refusal = "it has no elements";
}
_Static_assert(MOOD_MAX_RANK == 6, "the text above says 6");

const char *mood__show(char out[MOOD__SHOWN_BYTES], const void *bytes, size_t n_bytes)
{
    const unsigned char *p = bytes;
    size_t n = n_bytes < MOOD__SHOWN_BYTES - 4 ? n_bytes : MOOD__SHOWN_BYTES - 4;
    for (size_t i = 0; i < n; i++)
        out[i] = p[i] >= ' ' && p[i] <= '~' ? (char)p[i] : '?';
    memcpy(out + n, n < n_bytes ? "..." : "", n < n_bytes ? 4 : 1);
    return out;
}
