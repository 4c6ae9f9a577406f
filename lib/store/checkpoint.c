/* SPDX-License-Identifier: MIT
 *
 * checkpoint.c — Which files a checkpoint is made of, and numbers out of them. */
#include "store/checkpoint.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "store/input.h"
#include "store/json.h"
#include "store/safetensors.h"
#include "store/torch_file.h"
#include "store/zip.h"
#include "tensor/tensor.h"

enum {
    MAX_SHARDS = 256,
    MAX_INDEX_BYTES = 16 << 20,
    FILE_NAME_BYTES = 256,
    PIECE = 8192 /* 16-bit numbers are read and converted in pieces of so many */
};

struct mood__checkpoint {
    struct mood__arena arena;
    struct mood__listing listing;
    struct mood__input *files;
    const char **file_names; /* within the folder, if it is one */
    size_t n_files, files_capacity, names_capacity;
};

/* ---- one file ----------------------------------------------------------------------------- */

/* What people have in place of a checkpoint, and deserve to be told. */
static mood_status refuse(const unsigned char *head, size_t n)
{
    static const char lfs[] = "version https://git-lfs";
    if (mood__torch_legacy_begins(head, n))
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "is in PyTorch's format from before 1.6; in Python, "
                          "torch.save(torch.load(FILE, weights_only=True), NEW) converts it");
    if (n >= strlen(lfs) && memcmp(head, lfs, strlen(lfs)) == 0)
        return mood__fail(MOOD_E_FORMAT, "is a Git LFS pointer, not the file itself: run "
                                         "'git lfs pull', or download it again");
    return mood__fail(MOOD_E_FORMAT, "is neither safetensors nor a file of PyTorch");
}

static mood_status list_file(struct mood__checkpoint *c, size_t file)
{
    unsigned char head[32];
    const struct mood__input *in = &c->files[file];
    size_t n = in->n_bytes < sizeof(head) ? in->n_bytes : sizeof(head);
    MOOD__TRY(mood__input_read(in, 0, head, n));
    if (mood__zip_begins(head, n))
        return mood__torch_file_list(in, file, &c->listing);
    if (mood__safetensors_begins(head, n))
        return mood__safetensors_list(in, file, &c->listing);
    return refuse(head, n);
}

static mood_status add_input(struct mood__checkpoint *c, struct mood__input in)
{
    if (!mood__reserve((void **)&c->files, &c->files_capacity, c->n_files + 1, sizeof(in))) {
        mood__input_close(&in);
        return mood__nomem();
    }
    c->files[c->n_files++] = in;
    return list_file(c, c->n_files - 1);
}

static mood_status add_file(struct mood__checkpoint *c, const char *path)
{
    struct mood__input in;
    MOOD__TRY(mood__input_open(&in, path));
    return add_input(c, in);
}

/* ---- a folder ----------------------------------------------------------------------------- */

static char *join(struct mood__checkpoint *c, const char *folder, const char *name)
{
    size_t n_folder = strlen(folder), bytes = n_folder + strlen(name) + 2;
    char *path = mood__arena_alloc(&c->arena, bytes);
    if (path)
        snprintf(path, bytes, "%s%s%s", folder,
                 n_folder > 0 && folder[n_folder - 1] == '/' ? "" : "/", name);
    return path;
}

/* What an index says: which tensor is in which shard. */
struct index {
    const char *ending; /* of a shard's name: ".safetensors" */
    struct mood__listing tensors;
    size_t n_shards; /* of which checkpoint.file_names has the names */
};

/* Whether the index may name this file: a plain name in the same folder. */
static bool shard_name_is_possible(const char *name, const char *ending)
{
    size_t n = strlen(name), n_ending = strlen(ending);
    for (size_t i = 0; i < n; i++) {
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '/' || name[i] == '\\')
            return false;
    }
    return n > n_ending && name[0] != '.' && strcmp(name + n - n_ending, ending) == 0;
}

/* The number of a shard, in the order in which the index first names them. */
static mood_status number_shard(struct mood__checkpoint *c, struct index *index, const char *name,
                                size_t *out)
{
    for (*out = 0; *out < index->n_shards; ++*out) {
        if (strcmp(c->file_names[*out], name) == 0)
            return MOOD_OK;
    }
    char shown[MOOD__SHOWN_BYTES];
    if (!shard_name_is_possible(name, index->ending))
        return mood__fail(MOOD_E_FORMAT, "'%s' is not the name of a shard",
                          mood__show(shown, name, strlen(name)));
    if (index->n_shards == MAX_SHARDS)
        return mood__fail(MOOD_E_UNSUPPORTED, "more than %d shards", MAX_SHARDS);
    const char *copy = mood__arena_strdup(&c->arena, name);
    if (!copy || !mood__reserve((void **)&c->file_names, &c->names_capacity, index->n_shards + 1,
                                sizeof(copy)))
        return mood__nomem();
    c->file_names[index->n_shards++] = copy;
    return MOOD_OK;
}

/* {"weight_map": {"NAME": "SHARD", ...}, ...} */
static mood_status read_weight_map(struct mood__checkpoint *c, struct mood__json *j,
                                   struct index *index)
{
    MOOD__TRY(mood__json_open(j, '{'));
    for (bool more;;) {
        char name[MOOD__LISTED_NAME_BYTES], shard[FILE_NAME_BYTES];
        struct mood__listed item = {0};
        MOOD__TRY(mood__json_next(j, '}', &more));
        if (!more)
            return MOOD_OK;
        MOOD__TRY(mood__json_key(j, name, sizeof(name)));
        MOOD__TRY(mood__json_string(j, shard, sizeof(shard)));
        MOOD__TRY(number_shard(c, index, shard, &item.file));
        MOOD__TRY(mood__listing_add(&index->tensors, &item, name));
    }
}

static mood_status read_index(struct mood__checkpoint *c, const char *text, size_t n_bytes,
                              struct index *index)
{
    struct mood__json j;
    bool seen = false;
    MOOD__TRY(mood__json_start(&j, text, n_bytes));
    MOOD__TRY(mood__json_open(&j, '{'));
    for (bool more;;) {
        char key[MOOD__LISTED_NAME_BYTES];
        MOOD__TRY(mood__json_next(&j, '}', &more));
        if (!more)
            break;
        MOOD__TRY(mood__json_key(&j, key, sizeof(key)));
        if (strcmp(key, "weight_map") != 0) {
            MOOD__TRY(mood__json_skip(&j));
            continue;
        }
        if (seen)
            return mood__fail(MOOD_E_FORMAT, "weight_map is there twice");
        seen = true;
        MOOD__TRY(read_weight_map(c, &j, index));
    }
    MOOD__TRY(mood__json_end(&j));
    if (index->tensors.n == 0)
        return mood__fail(MOOD_E_FORMAT, "no weight_map, or an empty one");
    return mood__listing_sort(&index->tensors);
}

/* Index and shards have to speak of the same tensors; both listings are sorted. */
static mood_status compare_with_index(const struct mood__checkpoint *c, const struct index *index)
{
    for (size_t i = 0; i < index->tensors.n; i++) {
        const struct mood__listed *e = &index->tensors.items[i], *t;
        t = mood__listing_find(&c->listing, e->name);
        if (!t || t->file != e->file)
            return mood__fail(MOOD_E_FORMAT, "'%s' is not in %s, where the index has it", e->name,
                              c->file_names[e->file]);
    }
    for (size_t i = 0; i < c->listing.n; i++) {
        const struct mood__listed *t = &c->listing.items[i];
        if (!mood__listing_find(&index->tensors, t->name))
            return mood__fail(MOOD_E_FORMAT, "'%s' in %s is not in the index", t->name,
                              c->file_names[t->file]);
    }
    return MOOD_OK;
}

static mood_status open_shards(struct mood__checkpoint *c, const char *folder,
                               const char *index_path, struct index *index)
{
    unsigned char *text = NULL;
    size_t n_bytes = 0;
    MOOD__TRY(mood__file_read(index_path, MAX_INDEX_BYTES, &text, &n_bytes));
    mood_status status = read_index(c, (const char *)text, n_bytes, index);
    mood__free(text);
    if (status != MOOD_OK)
        return status;
    for (size_t i = 0; i < index->n_shards; i++) {
        const char *path = join(c, folder, c->file_names[i]);
        if (!path)
            return mood__nomem();
        status = add_file(c, path);
        if (status != MOOD_OK)
            return mood__fail_in(status, "%s", c->file_names[i]);
    }
    MOOD__TRY(mood__listing_sort(&c->listing));
    return compare_with_index(c, index);
}

static mood_status open_single(struct mood__checkpoint *c, const char *path, const char *name)
{
    if (!mood__reserve((void **)&c->file_names, &c->names_capacity, 1, sizeof(name)))
        return mood__nomem();
    c->file_names[0] = name;
    return add_file(c, path);
}

static mood_status open_folder(struct mood__checkpoint *c, const char *folder)
{
    static const struct {
        const char *name;
        const char *shards; /* how their names end, if this is an index */
    } files[] = {
        {"model.safetensors", NULL},
        {"model.safetensors.index.json", ".safetensors"},
        {"pytorch_model.bin", NULL},
        {"pytorch_model.bin.index.json", ".bin"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        const char *path = join(c, folder, files[i].name);
        if (!path)
            return mood__nomem();
        if (!mood__file_exists(path))
            continue;
        mood_status status;
        if (files[i].shards) {
            struct index index = {.ending = files[i].shards, .tensors.arena = &c->arena};
            status = open_shards(c, folder, path, &index);
            mood__free(index.tensors.items);
        } else {
            status = open_single(c, path, files[i].name);
        }
        return status == MOOD_OK ? status : mood__fail_in(status, "%s", files[i].name);
    }
    return mood__fail(MOOD_E_MISSING,
                      "is a folder with neither model.safetensors nor pytorch_model.bin, and "
                      "without an index of shards of either");
}

/* ---- opening and asking --------------------------------------------------------------------- */

static mood_status make(struct mood__checkpoint **out)
{
    *out = mood__calloc(1, sizeof(**out));
    if (!*out)
        return mood__nomem();
    (*out)->listing.arena = &(*out)->arena;
    return MOOD_OK;
}

static mood_status finish(struct mood__checkpoint **c, mood_status status)
{
    if (status == MOOD_OK)
        status = mood__listing_sort(&(*c)->listing);
    if (status != MOOD_OK)
        mood__checkpoint_close(c);
    return status;
}

mood_status mood__checkpoint_open(struct mood__checkpoint **out, const char *path)
{
    struct stat st;
    MOOD__TRY(make(out));
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    return finish(out, folder ? open_folder(*out, path) : add_file(*out, path));
}

mood_status mood__checkpoint_open_memory(struct mood__checkpoint **out, const void *bytes,
                                         size_t n_bytes)
{
    MOOD__TRY(make(out));
    return finish(out, add_input(*out, mood__input_of(bytes, n_bytes)));
}

void mood__checkpoint_close(struct mood__checkpoint **checkpoint)
{
    struct mood__checkpoint *c = *checkpoint;
    *checkpoint = NULL;
    if (!c)
        return;
    for (size_t i = 0; i < c->n_files; i++)
        mood__input_close(&c->files[i]);
    mood__free(c->files);
    mood__free(c->file_names);
    mood__free(c->listing.items);
    mood__arena_free(&c->arena);
    mood__free(c);
}

const char *mood__checkpoint_file(const struct mood__checkpoint *c, size_t i)
{
    return c->file_names && i < c->n_files ? c->file_names[i] : NULL;
}

size_t mood__checkpoint_count(const struct mood__checkpoint *c)
{
    return c->listing.n;
}

const struct mood__listed *mood__checkpoint_at(const struct mood__checkpoint *c, size_t i)
{
    return &c->listing.items[i];
}

const struct mood__listed *mood__checkpoint_find(const struct mood__checkpoint *c, const char *name)
{
    return mood__listing_find(&c->listing, name);
}

/* ---- numbers ------------------------------------------------------------------------------ */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are used as they lie in files");

static mood_status read_numbers(const struct mood__input *in, const struct mood__listed *t,
                                float *y, size_t n)
{
    if (t->coding == MOOD__CODING_F32)
        return mood__input_read(in, t->offset, y, n * sizeof(*y));
    uint16_t piece[PIECE];
    for (size_t i = 0; i < n; i += PIECE) {
        size_t count = n - i < PIECE ? n - i : PIECE;
        MOOD__TRY(
            mood__input_read(in, t->offset + i * sizeof(*piece), piece, count * sizeof(*piece)));
        if (t->coding == MOOD__CODING_F16)
            mood__f16_to_f32(y + i, piece, count);
        else
            mood__bf16_to_f32(y + i, piece, count);
    }
    return MOOD_OK;
}

mood_status mood__checkpoint_tensor(const struct mood__checkpoint *c, const char *name,
                                    const mood_tensor *dst)
{
    const struct mood__listed *t = mood__checkpoint_find(c, name);
    if (!t)
        return mood__fail(MOOD_E_MISSING, "'%s' is not in the file", name);
    if (t->refusal)
        return mood__fail(MOOD_E_UNSUPPORTED, "'%s' (%s) cannot be read: %s", name, t->type,
                          t->refusal);
    if (dst->dtype != MOOD_F32 || !mood_tensor_is_contiguous(dst))
        return mood__fail(MOOD_E_INVALID, "'%s' is read into contiguous floats only", name);
    if (t->rank != dst->rank || memcmp(t->dim, dst->dim, sizeof(t->dim)) != 0) {
        char there[MOOD__SHAPE_BYTES], here[MOOD__SHAPE_BYTES];
        return mood__fail(MOOD_E_SHAPE, "'%s' has shape %s in the file, where %s is needed", name,
                          mood__shape_text(there, t->rank, t->dim),
                          mood__shape_text(here, dst->rank, dst->dim));
    }
    return read_numbers(&c->files[t->file], t, mood__f32(dst), (size_t)mood_tensor_elements(dst));
}
