/* SPDX-License-Identifier: MIT
 *
 * torch_file.c — What a PyTorch file holds: the pickle's views, held against the archive's entries.
 */
#include "store/torch_file.h"

#include <string.h>

#include "base/error.h"
#include "store/pickle.h"
#include "store/zip.h"

enum { PATH_BYTES = 1024 };

bool mood__torch_legacy_begins(const unsigned char *bytes, size_t n_bytes)
{
    return n_bytes >= 2 && bytes[0] == 0x80 && bytes[1] <= 5; /* PROTO */
}

struct archive {
    struct mood__zip zip;
    const struct mood__zip_entry *pickle; /* FOLDER/data.pkl, the only one */
    size_t n_folder;                      /* that many bytes of its name are "FOLDER/" */
};

static mood_status find_pickle(struct archive *a)
{
    for (size_t i = 0; i < a->zip.n; i++) {
        const char *slash = strchr(a->zip.entries[i].name, '/');
        if (!slash || strcmp(slash + 1, "data.pkl") != 0)
            continue;
        if (a->pickle)
            return mood__fail(MOOD_E_FORMAT, "has more than one data.pkl");
        a->pickle = &a->zip.entries[i];
        a->n_folder = (size_t)(slash + 1 - a->zip.entries[i].name);
    }
    if (!a->pickle)
        return mood__fail(MOOD_E_FORMAT, "is a zip archive, but not one of PyTorch: no data.pkl");
    return MOOD_OK;
}

/* The entry FOLDER/PART followed by n bytes more, or NULL. */
static const struct mood__zip_entry *find_beside(const struct archive *a, const char *part,
                                                 const char *more, size_t n)
{
    char path[PATH_BYTES];
    size_t n_part = strlen(part), n_known = a->n_folder + n_part;
    if (n_known >= sizeof(path) || n >= sizeof(path) - n_known || memchr(more, 0, n))
        return NULL;
    memcpy(path, a->pickle->name, a->n_folder);
    memcpy(path + a->n_folder, part, n_part);
    memcpy(path + n_known, more, n);
    path[n_known + n] = '\0';
    return mood__zip_find(&a->zip, path);
}

static mood_status check_byte_order(const struct mood__input *in, const struct mood__zip_entry *e)
{
    char text[6] = "little";
    if (e && e->n_bytes == sizeof(text))
        MOOD__TRY(mood__input_read(in, e->offset, text, sizeof(text)));
    if ((e && e->n_bytes != sizeof(text)) || memcmp(text, "little", sizeof(text)) != 0)
        return mood__fail(MOOD_E_UNSUPPORTED, "its numbers are not little-endian");
    return MOOD_OK;
}

/* Whether the elements lie one behind the other in row-major order. The stride of an axis of size 1
 * says nothing. */
static bool is_contiguous(const struct mood__pickled *t)
{
    int64_t expected = 1;
    for (size_t i = t->rank; i-- > 0;) {
        if (t->size[i] != 1 && t->stride[i] != expected)
            return false;
        expected *= t->size[i]; /* at most the number of elements, which was checked */
    }
    return true;
}

static mood_status describe(const struct mood__pickled *t, const struct mood__zip_entry *storage,
                            struct mood__listed *item)
{
    const struct mood__pickle_storage *s = t->storage;
    uint64_t elements = 1;
    size_t bytes = 0;
    if (!storage)
        return mood__fail(MOOD_E_FORMAT, "its storage is not in the archive");
    if (s->n_elements > SIZE_MAX ||
        !mood__mul_size((size_t)s->n_elements, s->element_bytes, &bytes) ||
        bytes != storage->n_bytes)
        return mood__fail(MOOD_E_FORMAT, "%llu elements in a storage of %llu bytes",
                          (unsigned long long)s->n_elements, (unsigned long long)storage->n_bytes);
    bool fits = t->offset >= 0;
    for (size_t i = 0; i < t->rank && fits; i++)
        fits = t->size[i] >= 0 && mood__listed_add_dim(item, (uint64_t)t->size[i], &elements);
    if (!fits || elements > s->n_elements || (uint64_t)t->offset > s->n_elements - elements)
        return mood__fail(MOOD_E_FORMAT, "it reaches beyond its storage");
    item->type = s->type;
    item->coding = s->coding;
    item->offset = storage->offset + (uint64_t)t->offset * s->element_bytes;
    item->n_bytes = elements * s->element_bytes;
    mood__listed_judge(item, elements);
    if (!item->refusal && !is_contiguous(t))
        item->refusal = "it is not contiguous; call contiguous() before saving";
    return MOOD_OK;
}

static mood_status list(const struct archive *a, const struct mood__pickled *t, size_t file,
                        struct mood__listing *out)
{
    char name[MOOD__LISTED_NAME_BYTES], shown[MOOD__SHOWN_BYTES];
    mood__show(shown, t->name.bytes, t->name.n);
    if (t->name.n >= sizeof(name) || memchr(t->name.bytes, 0, t->name.n))
        return mood__fail(MOOD_E_FORMAT, "'%s' is no name of a tensor", shown);
    memcpy(name, t->name.bytes, t->name.n);
    name[t->name.n] = '\0';

    const struct mood__pickle_text *key = &t->storage->key;
    const struct mood__zip_entry *storage = find_beside(a, "data/", key->bytes, key->n);
    struct mood__listed item = {.file = file};
    for (int i = 0; i < MOOD_MAX_RANK; i++)
        item.dim[i] = 1;
    mood_status status = describe(t, storage, &item);
    if (status != MOOD_OK)
        return mood__fail_in(status, "tensor '%s'", shown);
    return mood__listing_add(out, &item, name);
}

static mood_status list_all(const struct mood__input *in, size_t file, struct mood__arena *scratch,
                            unsigned char **bytes, struct mood__listing *out)
{
    struct archive a = {0};
    struct mood__pickled *tensors = NULL;
    size_t n = 0;
    MOOD__TRY(mood__zip_open(&a.zip, in, scratch));
    MOOD__TRY(find_pickle(&a));
    MOOD__TRY(check_byte_order(in, find_beside(&a, "byteorder", "", 0)));
    if (a.pickle->n_bytes > MOOD__PICKLE_MAX_BYTES)
        return mood__fail(MOOD_E_UNSUPPORTED, "its pickle has %llu bytes; at most %d are read",
                          (unsigned long long)a.pickle->n_bytes, MOOD__PICKLE_MAX_BYTES);
    MOOD__TRY(mood__input_load(in, a.pickle->offset, (size_t)a.pickle->n_bytes, bytes));
    MOOD__TRY(mood__unpickle(*bytes, (size_t)a.pickle->n_bytes, scratch, &tensors, &n));
    for (size_t i = 0; i < n; i++)
        MOOD__TRY(list(&a, &tensors[i], file, out));
    return MOOD_OK;
}

mood_status mood__torch_file_list(const struct mood__input *in, size_t file,
                                  struct mood__listing *out)
{
    struct mood__arena scratch = {0};
    unsigned char *bytes = NULL;
    mood_status status = list_all(in, file, &scratch, &bytes, out);
    mood__arena_free(&scratch);
    mood__free(bytes);
    return status;
}
