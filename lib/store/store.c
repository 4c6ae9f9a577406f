/* SPDX-License-Identifier: MIT
 *
 * store.c — Files of named tensors and texts: what is around the HDF5 part. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/h5.h"
#include "tensor/tensor.h"

enum { MAX_TEXT_BYTES = 1 << 24 };

static const uint64_t MAX_FILE_BYTES = (uint64_t)1 << 33;

static int by_name(const void *a, const void *b)
{
    const struct mood__entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void sort_entries(struct mood__entry *entries, size_t n)
{
    if (n > 1)
        qsort(entries, n, sizeof(*entries), by_name);
}

/* ---- writing ------------------------------------------------------------------------------ */

struct mood__writer {
    struct mood__header header; /* bytes and digest are filled in by save */
    struct mood__arena arena;   /* names and texts */
    struct mood__entry *entries;
    size_t n_entries, capacity;
};

mood_status mood__writer_create(struct mood__writer **out, const struct mood__format *format)
{
    *out = NULL;
    MOOD__TRY(mood__format_check(format));
    struct mood__writer *w = mood__calloc(1, sizeof(*w));
    if (!w)
        return mood__nomem();
    memcpy(w->header.kind, format->kind, strlen(format->kind) + 1);
    w->header.major = format->major;
    w->header.minor = format->minor;
    *out = w;
    return MOOD_OK;
}

void mood__writer_destroy(struct mood__writer **writer)
{
    struct mood__writer *w = *writer;
    *writer = NULL;
    if (!w)
        return;
    mood__arena_free(&w->arena);
    mood__free(w->entries);
    mood__free(w);
}

static mood_status add(struct mood__writer *w, const char *name, struct mood__entry e)
{
    if (!mood__entry_name_is_valid(name))
        return mood__fail(MOOD_E_INVALID, "'%s' is not possible as a name in a file", name);
    for (size_t i = 0; i < w->n_entries; i++) {
        if (mood__entry_names_clash(w->entries[i].name, name))
            return mood__fail(MOOD_E_INVALID, "'%s' and '%s' cannot be in one file",
                              w->entries[i].name, name);
    }
    e.name = mood__arena_strdup(&w->arena, name);
    if (!e.name || !mood__reserve((void **)&w->entries, &w->capacity, w->n_entries + 1, sizeof(e)))
        return mood__nomem();
    w->entries[w->n_entries++] = e;
    return MOOD_OK;
}

mood_status mood__writer_add_tensor(struct mood__writer *w, const char *name, const mood_tensor *t)
{
    mood_dtype stored = t->dtype == MOOD_F32_PANELS ? MOOD_F32 : t->dtype;
    return add(w, name, (struct mood__entry){.tensor = *t, .stored = stored});
}

static mood_status add_rounded(struct mood__writer *w, const char *name, const mood_tensor *t,
                               mood_dtype stored)
{
    if (t->dtype != MOOD_F32 && t->dtype != MOOD_F32_PANELS)
        return mood__fail(MOOD_E_INVALID, "'%s' is %s; only f32 is stored as %s", name,
                          mood_dtype_name(t->dtype), mood_dtype_name(stored));
    return add(w, name, (struct mood__entry){.tensor = *t, .stored = stored});
}

mood_status mood__writer_add_tensor_as_f16(struct mood__writer *w, const char *name,
                                           const mood_tensor *t)
{
    return add_rounded(w, name, t, MOOD_F16);
}

mood_status mood__writer_add_tensor_as_i8(struct mood__writer *w, const char *name,
                                          const mood_tensor *t)
{
    mood_tensor panels;
    MOOD__TRY(mood__tensor_panels(&panels, t));
    return add_rounded(w, name, t, MOOD_I8);
}

mood_status mood__writer_add_text(struct mood__writer *w, const char *name, const char *text)
{
    if (strlen(text) >= MAX_TEXT_BYTES)
        return mood__fail(MOOD_E_INVALID, "'%s' is a text of more than %d bytes", name,
                          MAX_TEXT_BYTES);
    if (!mood__is_utf8(text))
        return mood__fail(MOOD_E_INVALID, "'%s' is not UTF-8", name);
    char *copy = mood__arena_strdup(&w->arena, text);
    if (!copy)
        return mood__nomem();
    return add(w, name, (struct mood__entry){.text = copy});
}

mood_status mood__writer_save(struct mood__writer *w, const char *path)
{
    unsigned char *image = NULL, header[MOOD__HEADER_BYTES];
    size_t n_bytes = 0;
    sort_entries(w->entries, w->n_entries);
    MOOD__TRY(mood__h5_build(w->entries, w->n_entries, &image, &n_bytes));
    w->header.n_bytes = n_bytes;
    mood__sha256_of(image, n_bytes, w->header.sha256);
    mood__header_write(header, &w->header);

    const struct mood__part parts[] = {{header, sizeof(header)}, {image, n_bytes}};
    mood_status status = mood__file_write_atomic(path, parts, 2);
    mood__free(image);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------ */

struct mood__reader {
    struct mood__header header;
    const unsigned char *file; /* the whole of it; entries point into it */
    size_t n_bytes;
    bool mapped;
    struct mood__arena arena;
    struct mood__entry *entries;
    size_t n_entries;
};

static mood_status check_content(const struct mood__header *h, const unsigned char *content,
                                 size_t n_bytes)
{
    if (n_bytes < h->n_bytes)
        return mood__fail(MOOD_E_FORMAT, "is cut off: %zu of %llu bytes follow its header", n_bytes,
                          (unsigned long long)h->n_bytes);
    if (n_bytes > h->n_bytes)
        return mood__fail(MOOD_E_FORMAT, "is damaged: %llu bytes too many at its end",
                          (unsigned long long)(n_bytes - h->n_bytes));
    unsigned char digest[MOOD__SHA256_BYTES];
    mood__sha256_of(content, n_bytes, digest);
    if (memcmp(digest, h->sha256, sizeof(digest)) != 0)
        return mood__fail(MOOD_E_FORMAT, "is damaged: its content does not match its SHA-256");
    return MOOD_OK;
}

/* Everything but the file's bytes, from them. */
static mood_status look_through(struct mood__reader *r, const struct mood__format *format)
{
    MOOD__TRY(mood__header_read(&r->header, r->file, r->n_bytes, format));
    MOOD__TRY(
        check_content(&r->header, r->file + MOOD__HEADER_BYTES, r->n_bytes - MOOD__HEADER_BYTES));
    MOOD__TRY(mood__h5_list(r->file, r->n_bytes, &r->arena, &r->entries, &r->n_entries));
    sort_entries(r->entries, r->n_entries);
    return MOOD_OK;
}

static mood_status take_file(struct mood__reader *r, const char *path,
                             const struct mood__format *format)
{
    size_t n = 0, max = MAX_FILE_BYTES < SIZE_MAX ? (size_t)MAX_FILE_BYTES : SIZE_MAX;
    if (r->mapped)
        return mood__file_map(path, max, &r->file, &r->n_bytes);

    /* The header alone first: what is not ours is refused before it is all read. By the second
     * reading the name may stand for another file, so nothing is taken over from the first. */
    unsigned char head[MOOD__HEADER_BYTES], *bytes = NULL;
    MOOD__TRY(mood__file_peek(path, head, sizeof(head), &n));
    MOOD__TRY(mood__header_read(&r->header, head, n, format));
    MOOD__TRY(mood__file_read(path, max, &bytes, &r->n_bytes));
    r->file = bytes;
    return MOOD_OK;
}

static mood_status open_reader(struct mood__reader **out, const char *path,
                               const struct mood__format *format, bool mapped)
{
    *out = NULL;
    struct mood__reader *r = mood__calloc(1, sizeof(*r));
    if (!r)
        return mood__nomem();
    r->mapped = mapped;
    mood_status status = take_file(r, path, format);
    if (status == MOOD_OK)
        status = look_through(r, format);
    if (status != MOOD_OK) {
        mood__reader_close(&r);
        return status;
    }
    *out = r;
    return MOOD_OK;
}

mood_status mood__reader_open(struct mood__reader **out, const char *path,
                              const struct mood__format *format)
{
    return open_reader(out, path, format, false);
}

mood_status mood__reader_map(struct mood__reader **out, const char *path,
                             const struct mood__format *format)
{
    return open_reader(out, path, format, true);
}

void mood__reader_close(struct mood__reader **reader)
{
    struct mood__reader *r = *reader;
    *reader = NULL;
    if (!r)
        return;
    mood__arena_free(&r->arena);
    if (r->mapped)
        mood__file_unmap(r->file, r->n_bytes);
    else
        mood__free((void *)(uintptr_t)r->file);
    mood__free(r);
}

const struct mood__header *mood__reader_header(const struct mood__reader *r)
{
    return &r->header;
}

size_t mood__reader_count(const struct mood__reader *r)
{
    return r->n_entries;
}

const struct mood__entry *mood__reader_at(const struct mood__reader *r, size_t i)
{
    return &r->entries[i];
}

const struct mood__entry *mood__reader_find(const struct mood__reader *r, const char *name)
{
    if (r->n_entries == 0)
        return NULL;
    struct mood__entry key = {.name = name};
    return bsearch(&key, r->entries, r->n_entries, sizeof(key), by_name);
}

uint64_t mood__reader_offset(const struct mood__reader *r, const struct mood__entry *e)
{
    return (uint64_t)((const unsigned char *)e->tensor.data - r->file);
}

static mood_status need(const struct mood__reader *r, const char *name,
                        const struct mood__entry **out)
{
    *out = mood__reader_find(r, name);
    return *out ? MOOD_OK : mood__fail(MOOD_E_MISSING, "'%s' is not in the file", name);
}

/* The entry of that name, if it can be copied to `dst`. */
static mood_status need_tensor(const struct mood__reader *r, const char *name,
                               const mood_tensor *dst, const struct mood__entry **out)
{
    MOOD__TRY(need(r, name, out));
    const struct mood__entry *e = *out;
    if (e->text)
        return mood__fail(MOOD_E_FORMAT, "'%s' is text, where numbers are needed", name);
    if (!mood_tensor_same_shape(&e->tensor, dst)) {
        char there[MOOD__SHAPE_BYTES], here[MOOD__SHAPE_BYTES];
        return mood__fail(MOOD_E_SHAPE, "'%s' has shape %s in the file, where %s is needed", name,
                          mood__shape_text(there, e->tensor.rank, e->tensor.dim),
                          mood__shape_text(here, dst->rank, dst->dim));
    }
    bool expands = e->tensor.dtype == MOOD_F16 && dst->dtype == MOOD_F32;
    if (e->tensor.dtype != dst->dtype && !(expands && mood_tensor_is_contiguous(dst)))
        return mood__fail(MOOD_E_FORMAT, "'%s' has type %s in the file, where %s is needed", name,
                          mood_dtype_name(e->tensor.dtype), mood_dtype_name(dst->dtype));
    return MOOD_OK;
}

mood_status mood__reader_check(const struct mood__reader *r, const char *name,
                               const mood_tensor *shape)
{
    const struct mood__entry *e;
    return need_tensor(r, name, shape, &e);
}

mood_status mood__reader_tensor(const struct mood__reader *r, const char *name,
                                const mood_tensor *dst)
{
    const struct mood__entry *e;
    MOOD__TRY(need_tensor(r, name, dst, &e));
    if (e->tensor.dtype == dst->dtype)
        return mood_tensor_copy(dst, &e->tensor);
    mood__f16_to_f32(mood__f32(dst), e->tensor.data, (size_t)mood_tensor_elements(dst));
    return MOOD_OK;
}

mood_status mood__reader_text(const struct mood__reader *r, const char *name, const char **text)
{
    const struct mood__entry *e;
    MOOD__TRY(need(r, name, &e));
    if (!e->text)
        return mood__fail(MOOD_E_FORMAT, "'%s' is numbers, where text is needed", name);
    *text = e->text;
    return MOOD_OK;
}
