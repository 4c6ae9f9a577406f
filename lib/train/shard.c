/* SPDX-License-Identifier: MIT
 *
 * shard.c — Writing a shard, and finding the rows in one.
 *
 * Entries (store.h): `key`, the text of the layout; `clips` (pieces, 13), whose rows these are, in
 * order; `speech` (rows); `features` (rows, ...); and, with planes, `mel` (rows, floats). */
#include "train/shard.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"
#include "tensor/tensor.h"

static const struct mood__format format = {.kind = "features-cache", .major = 1, .minor = 0};

/* A row of `clips`. */
enum {
    COLUMN_DIGEST = 0, /* 32 bytes in 8 numbers */
    COLUMN_COPY = MOOD__SHA256_BYTES / 4,
    COLUMN_SAMPLES,
    COLUMN_WINDOWS,
    COLUMN_FIRST,
    COLUMN_COUNT,
    N_COLUMNS
};

enum { NAME_DIGITS = 16 };

bool mood__shard_is_name(const char *name)
{
    return strspn(name, "0123456789abcdef") == NAME_DIGITS &&
           strcmp(name + NAME_DIGITS, ".h5") == 0;
}

static mood_status path_of(char path[PATH_MAX], const char *folder, const char *name)
{
    if ((size_t)snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        return mood__fail(MOOD_E_INVALID, "%s: the path is too long", folder);
    return MOOD_OK;
}

/* ---- writing ------------------------------------------------------------------------------ */

static void pack_piece(int32_t *row, const struct mood__piece *p)
{
    memcpy(row + COLUMN_DIGEST, p->digest, MOOD__SHA256_BYTES);
    row[COLUMN_COPY] = p->copy;
    row[COLUMN_SAMPLES] = p->n_samples;
    row[COLUMN_WINDOWS] = p->n_windows;
    row[COLUMN_FIRST] = p->first;
    row[COLUMN_COUNT] = p->count;
}

static mood_status add_tensor(struct mood__writer *w, const char *name, void *data,
                              mood_dtype dtype, int rank, const int64_t *dim)
{
    mood_tensor t;
    MOOD__TRY(mood_tensor_make(&t, data, dtype, rank, dim));
    return mood__writer_add_tensor(w, name, &t);
}

static mood_status gather(struct mood__writer *w, const struct mood__cache_layout *layout,
                          const struct mood__shard_content *content, int32_t *clips)
{
    int64_t rows = content->n_rows, dim[MOOD_MAX_RANK] = {rows};
    memcpy(dim + 1, layout->dim, (size_t)layout->rank * sizeof(*dim));
    MOOD__TRY(mood__writer_add_text(w, "key", layout->key));
    MOOD__TRY(
        add_tensor(w, "clips", clips, MOOD_I32, 2, (int64_t[]){content->n_pieces, N_COLUMNS}));
    MOOD__TRY(add_tensor(w, "speech", content->speech, MOOD_I32, 1, &rows));
    MOOD__TRY(add_tensor(w, "features", content->features, layout->dtype, layout->rank + 1, dim));
    if (layout->plane > 0)
        MOOD__TRY(add_tensor(w, "mel", content->planes, MOOD_F32, 2,
                             (int64_t[]){rows, (int64_t)layout->plane}));
    return MOOD_OK;
}

mood_status mood__shard_write(char name[MOOD__SHARD_NAME_BYTES], const char *folder,
                              const struct mood__cache_layout *layout,
                              const struct mood__shard_content *content)
{
    int32_t clips[MOOD__SHARD_MAX_PIECES * N_COLUMNS];
    for (int i = 0; i < content->n_pieces; i++)
        pack_piece(clips + i * N_COLUMNS, &content->pieces[i]);
    unsigned char digest[MOOD__SHA256_BYTES];
    char hex[MOOD__SHA256_HEX_BYTES], path[PATH_MAX];
    mood__sha256_of(clips, (size_t)content->n_pieces * N_COLUMNS * sizeof(*clips), digest);
    snprintf(name, MOOD__SHARD_NAME_BYTES, "%.*s.h5", NAME_DIGITS, mood__sha256_hex(hex, digest));
    MOOD__TRY(path_of(path, folder, name));

    struct mood__writer *w;
    MOOD__TRY(mood__writer_create(&w, &format));
    mood_status status = gather(w, layout, content, clips);
    if (!status)
        status = mood__writer_save(w, path);
    mood__writer_destroy(&w);
    return status ? mood__fail_in(status, "%s", path) : MOOD_OK;
}

/* ---- reading ------------------------------------------------------------------------------ */

static mood_status not_a_shard(const char *what)
{
    return mood__fail(MOOD_E_FORMAT, "is damaged: '%s' is not what a shard has", what);
}

/* The tensor `name` with `rows` rows of the given shape. */
static mood_status find_rows(const struct mood__reader *r, const char *name, int64_t rows,
                             mood_dtype dtype, int rank, const int64_t *dim,
                             const struct mood__entry **out)
{
    const struct mood__entry *e = mood__reader_find(r, name);
    bool same = e && !e->text && e->tensor.dtype == dtype && e->tensor.rank == rank + 1 &&
                (rows < 0 || e->tensor.dim[0] == rows);
    for (int i = 0; same && i < rank; i++)
        same = e->tensor.dim[i + 1] == dim[i];
    *out = e;
    return same ? MOOD_OK : not_a_shard(name);
}

static bool unpack_piece(struct mood__piece *p, const int32_t *row)
{
    memcpy(p->digest, row + COLUMN_DIGEST, MOOD__SHA256_BYTES);
    p->copy = row[COLUMN_COPY];
    p->n_samples = row[COLUMN_SAMPLES];
    p->n_windows = row[COLUMN_WINDOWS];
    p->first = row[COLUMN_FIRST];
    p->count = row[COLUMN_COUNT];
    return p->copy >= 0 && p->n_samples > 0 && p->n_windows > 0 && p->first >= 0 && p->count > 0 &&
           p->first < p->n_windows && p->count <= p->n_windows - p->first;
}

static mood_status take_pieces(struct mood__shard *s, const struct mood__reader *r, int64_t *rows)
{
    const struct mood__entry *clips, *speech;
    MOOD__TRY(find_rows(r, "clips", -1, MOOD_I32, 1, (int64_t[]){N_COLUMNS}, &clips));
    if (clips->tensor.dim[0] > MOOD__SHARD_MAX_PIECES)
        return not_a_shard("clips");
    s->n_pieces = (int)clips->tensor.dim[0];
    s->pieces = mood__calloc((size_t)s->n_pieces, sizeof(*s->pieces));
    if (!s->pieces)
        return mood__nomem();
    *rows = 0;
    for (int i = 0; i < s->n_pieces; i++) {
        struct mood__piece *p = &s->pieces[i];
        if (!unpack_piece(p, mood__i32(&clips->tensor) + i * N_COLUMNS) ||
            p->count > INT32_MAX - *rows)
            return not_a_shard("clips");
        p->row = (int32_t)*rows;
        *rows += p->count;
    }
    MOOD__TRY(find_rows(r, "speech", *rows, MOOD_I32, 0, NULL, &speech));
    s->speech = mood__calloc((size_t)*rows, sizeof(*s->speech));
    if (!s->speech)
        return mood__nomem();
    memcpy(s->speech, speech->tensor.data, (size_t)*rows * sizeof(*s->speech));
    for (int i = 0; i < s->n_pieces; i++)
        s->pieces[i].speech = s->speech + s->pieces[i].row;
    return MOOD_OK;
}

static mood_status take_stock(struct mood__shard *s, const struct mood__reader *r,
                              const struct mood__cache_layout *layout)
{
    const char *key;
    const struct mood__entry *e;
    int64_t rows = 0;
    MOOD__TRY(mood__reader_text(r, "key", &key));
    if (strcmp(key, layout->key) != 0)
        return mood__fail(MOOD_E_INVALID, "belongs to another cache");
    MOOD__TRY(take_pieces(s, r, &rows));
    MOOD__TRY(find_rows(r, "features", rows, layout->dtype, layout->rank, layout->dim, &e));
    s->features = mood__reader_offset(r, e);
    if (layout->plane > 0) {
        MOOD__TRY(find_rows(r, "mel", rows, MOOD_F32, 1, (int64_t[]){(int64_t)layout->plane}, &e));
        s->planes = mood__reader_offset(r, e);
    }
    return MOOD_OK;
}

mood_status mood__shard_open(struct mood__shard *out, const char *folder, const char *name,
                             const struct mood__cache_layout *layout)
{
    char path[PATH_MAX];
    struct mood__reader *r;
    *out = (struct mood__shard){.n_pieces = 0};
    memcpy(out->name, name, MOOD__SHARD_NAME_BYTES);
    MOOD__TRY(path_of(path, folder, name));
    MOOD__TRY(mood__reader_map(&r, path, &format));
    mood_status status = take_stock(out, r, layout);
    mood__reader_close(&r);
    if (status)
        mood__shard_free(out);
    return status;
}

void mood__shard_free(struct mood__shard *shard)
{
    mood__free(shard->pieces);
    mood__free(shard->speech);
    shard->pieces = NULL;
    shard->speech = NULL;
    shard->n_pieces = 0;
}
