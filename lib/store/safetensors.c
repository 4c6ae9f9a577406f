/* SPDX-License-Identifier: MIT
 *
 * safetensors.c — What a .safetensors file holds. */
#include "store/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/json.h"

enum {
    LENGTH_BYTES = 8,
    MAX_HEADER_BYTES = 100000000, /* the format's own limit */
    MAX_RANK = 32                 /* of a tensor that is listed */
};

static const struct {
    const char *name;
    size_t bytes; /* of one number */
    enum mood__coding coding;
} types[] = {
    {"F32", 4, MOOD__CODING_F32},       {"F16", 2, MOOD__CODING_F16},
    {"BF16", 2, MOOD__CODING_BF16},     {"BOOL", 1, MOOD__CODING_OTHER},
    {"U8", 1, MOOD__CODING_OTHER},      {"I8", 1, MOOD__CODING_OTHER},
    {"F8_E5M2", 1, MOOD__CODING_OTHER}, {"F8_E4M3", 1, MOOD__CODING_OTHER},
    {"U16", 2, MOOD__CODING_OTHER},     {"I16", 2, MOOD__CODING_OTHER},
    {"U32", 4, MOOD__CODING_OTHER},     {"I32", 4, MOOD__CODING_OTHER},
    {"U64", 8, MOOD__CODING_OTHER},     {"I64", 8, MOOD__CODING_OTHER},
    {"F64", 8, MOOD__CODING_OTHER},     {"C64", 8, MOOD__CODING_OTHER},
};
enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

bool mood__safetensors_begins(const unsigned char *bytes, size_t n_bytes)
{
    return n_bytes > LENGTH_BYTES && bytes[LENGTH_BYTES] == '{';
}

/* One tensor, as the header describes it. */
struct described {
    struct mood__listed item;
    size_t element_bytes; /* 0 until "dtype" was seen */
    uint64_t elements;    /* counts once shape_seen */
    bool shape_seen, range_seen;
    uint64_t begin, end; /* in bytes of the numbers */
};

static mood_status read_dtype(struct mood__json *j, struct described *d)
{
    char type[32];
    MOOD__TRY(mood__json_string(j, type, sizeof(type)));
    for (int i = 0; i < N_TYPES; i++) {
        if (strcmp(type, types[i].name) == 0) {
            d->item.type = types[i].name;
            d->item.coding = types[i].coding;
            d->element_bytes = types[i].bytes;
            return MOOD_OK;
        }
    }
    char shown[MOOD__SHOWN_BYTES];
    return mood__fail(MOOD_E_UNSUPPORTED, "numbers of the unknown type '%s'",
                      mood__show(shown, type, strlen(type)));
}

static mood_status read_shape(struct mood__json *j, struct described *d)
{
    d->elements = 1;
    MOOD__TRY(mood__json_open(j, '['));
    for (bool more;;) {
        uint64_t size = 0;
        MOOD__TRY(mood__json_next(j, ']', &more));
        if (!more)
            break;
        MOOD__TRY(mood__json_whole(j, &size));
        if (d->item.rank == MAX_RANK)
            return mood__fail(MOOD_E_FORMAT, "more than %d dimensions", MAX_RANK);
        if (!mood__listed_add_dim(&d->item, size, &d->elements))
            return mood__fail(MOOD_E_FORMAT, "more elements than can be counted");
    }
    d->shape_seen = true;
    return MOOD_OK;
}

static mood_status read_range(struct mood__json *j, struct described *d)
{
    uint64_t value[2] = {0};
    size_t n = 0;
    MOOD__TRY(mood__json_open(j, '['));
    for (bool more;;) {
        MOOD__TRY(mood__json_next(j, ']', &more));
        if (!more)
            break;
        if (n == 2)
            return mood__fail(MOOD_E_FORMAT, "more than two data_offsets");
        MOOD__TRY(mood__json_whole(j, &value[n++]));
    }
    if (n != 2)
        return mood__fail(MOOD_E_FORMAT, "fewer than two data_offsets");
    d->begin = value[0];
    d->end = value[1];
    d->range_seen = true;
    return MOOD_OK;
}

static mood_status read_fields(struct mood__json *j, struct described *d)
{
    MOOD__TRY(mood__json_open(j, '{'));
    for (bool more;;) {
        char key[32];
        MOOD__TRY(mood__json_next(j, '}', &more));
        if (!more)
            return MOOD_OK;
        MOOD__TRY(mood__json_key(j, key, sizeof(key)));
        if (strcmp(key, "dtype") == 0 && d->element_bytes == 0) {
            MOOD__TRY(read_dtype(j, d));
        } else if (strcmp(key, "shape") == 0 && !d->shape_seen) {
            MOOD__TRY(read_shape(j, d));
        } else if (strcmp(key, "data_offsets") == 0 && !d->range_seen) {
            MOOD__TRY(read_range(j, d));
        } else {
            char shown[MOOD__SHOWN_BYTES];
            return mood__fail(MOOD_E_FORMAT, "an unknown key, or one twice: '%s'",
                              mood__show(shown, key, strlen(key)));
        }
    }
}

/* Read one description, and hold it against itself and against the size of the file. */
static mood_status read_tensor(struct mood__json *j, uint64_t data_bytes, struct described *d)
{
    MOOD__TRY(read_fields(j, d));
    if (d->element_bytes == 0 || !d->shape_seen || !d->range_seen)
        return mood__fail(MOOD_E_FORMAT, "no dtype, shape or data_offsets");
    if (d->begin > d->end || d->end > data_bytes)
        return mood__fail(MOOD_E_FORMAT, "bytes %llu to %llu, where there are %llu",
                          (unsigned long long)d->begin, (unsigned long long)d->end,
                          (unsigned long long)data_bytes);
    size_t bytes = 0;
    if (d->elements > SIZE_MAX || !mood__mul_size((size_t)d->elements, d->element_bytes, &bytes) ||
        bytes != d->end - d->begin)
        return mood__fail(MOOD_E_FORMAT, "%llu elements of %s do not make %llu bytes",
                          (unsigned long long)d->elements, d->item.type,
                          (unsigned long long)(d->end - d->begin));
    mood__listed_judge(&d->item, d->elements);
    return MOOD_OK;
}

static mood_status read_header(const char *text, size_t n_bytes, uint64_t data_bytes,
                               struct described d, struct mood__listing *out)
{
    struct mood__json j;
    const struct described blank = d;
    bool metadata = false;
    MOOD__TRY(mood__json_start(&j, text, n_bytes));
    MOOD__TRY(mood__json_open(&j, '{'));
    for (bool more;;) {
        char name[MOOD__LISTED_NAME_BYTES], shown[MOOD__SHOWN_BYTES];
        MOOD__TRY(mood__json_next(&j, '}', &more));
        if (!more)
            return mood__json_end(&j);
        MOOD__TRY(mood__json_key(&j, name, sizeof(name)));
        if (strcmp(name, "__metadata__") == 0) {
            if (metadata)
                return mood__fail(MOOD_E_FORMAT, "__metadata__ is there twice");
            metadata = true;
            MOOD__TRY(mood__json_skip(&j));
            continue;
        }
        d = blank;
        mood_status status = read_tensor(&j, data_bytes, &d);
        if (status != MOOD_OK)
            return mood__fail_in(status, "tensor '%s'", mood__show(shown, name, strlen(name)));
        d.item.offset += d.begin;
        d.item.n_bytes = d.end - d.begin;
        MOOD__TRY(mood__listing_add(out, &d.item, name));
    }
}

static int by_place(const void *a, const void *b)
{
    const struct mood__listed *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x->n_bytes > y->n_bytes) - (x->n_bytes < y->n_bytes);
}

/* From `begin` to `end` of the file, each tensor has to begin where the one before it ends. */
static mood_status check_tiling(struct mood__listed *items, size_t n, uint64_t begin, uint64_t end)
{
    if (n > 1)
        qsort(items, n, sizeof(*items), by_place);
    uint64_t at = begin;
    for (size_t i = 0; i < n; i++) {
        if (items[i].offset != at)
            return mood__fail(MOOD_E_FORMAT, "tensor '%s' begins %llu bytes %s where it should",
                              items[i].name,
                              (unsigned long long)(items[i].offset < at ? at - items[i].offset
                                                                        : items[i].offset - at),
                              items[i].offset < at ? "before" : "behind");
        at += items[i].n_bytes;
    }
    if (at != end)
        return mood__fail(MOOD_E_FORMAT, "its last %llu bytes belong to no tensor",
                          (unsigned long long)(end - at));
    return MOOD_OK;
}

mood_status mood__safetensors_list(const struct mood__input *in, size_t file,
                                   struct mood__listing *out)
{
    unsigned char length[LENGTH_BYTES], *header = NULL;
    MOOD__TRY(mood__input_read(in, 0, length, sizeof(length)));
    uint64_t n = le64(length);
    if (n > MAX_HEADER_BYTES)
        return mood__fail(MOOD_E_FORMAT, "is damaged: a header of %llu bytes; at most %d are read",
                          (unsigned long long)n, MAX_HEADER_BYTES);
    MOOD__TRY(mood__input_load(in, LENGTH_BYTES, (size_t)n, &header));

    uint64_t begin = LENGTH_BYTES + n;
    struct described blank = {.item = {.file = file, .offset = begin}};
    for (int i = 0; i < MOOD_MAX_RANK; i++)
        blank.item.dim[i] = 1;
    size_t first = out->n;
    mood_status status =
        header[0] == '{'
            ? read_header((const char *)header, (size_t)n, in->n_bytes - begin, blank, out)
            : mood__fail(MOOD_E_FORMAT, "is not JSON: an object is expected at byte 0");
    mood__free(header);
    if (status != MOOD_OK)
        return mood__fail_in(status, "header");
    bool none = out->n == first; /* and perhaps no array yet */
    return check_tiling(none ? NULL : out->items + first, out->n - first, begin, in->n_bytes);
}
