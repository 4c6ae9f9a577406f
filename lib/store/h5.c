/* SPDX-License-Identifier: MIT
 *
 * h5.c — The only user of HDF5. Images are built and opened with its "core" driver, which keeps a
 * file in memory; the file on the disk is written elsewhere, because HDF5 can report a full disk
 * only when it closes, after the old file is gone.
 *
 * Every id that HDF5 hands out is given back with close_id, on every path. */
#include "store/h5.h"

#include <pthread.h>
#include <string.h>

#include <hdf5.h>

#include "base/error.h"
#include "base/half.h"
#include "base/text.h"
#include "kernel/gemm_i8.h"
#include "store/header.h"
#include "tensor/tensor.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are used in place, as they lie in the file");

enum { CORE_INCREMENT = 1 << 20 };

/* HDF5 as Debian builds it has global state without locks: one thread of ours at a time. (A program
 * that uses HDF5 itself has to keep its own calls apart from libmood's loading and saving.) */
static pthread_mutex_t hdf5_turn = PTHREAD_MUTEX_INITIALIZER;

static void close_id(hid_t id)
{
    if (id >= 0)
        H5Idec_ref(id);
}

/* What is asked for, or a negative id. */
static hid_t close_unless(hid_t id, int ok)
{
    if (id >= 0 && !ok) {
        close_id(id);
        return -1;
    }
    return id;
}

/* A type of numbers, which is the same in the file and in memory. HDF5 1.10 knows no f16: it is
 * made of f32 by saying where its parts are, as h5py does, which reads it as numpy's float16. */
static hid_t number_type(mood_dtype dtype)
{
    if (dtype == MOOD_I32)
        return H5Tcopy(H5T_STD_I32LE);
    if (dtype == MOOD_I8)
        return H5Tcopy(H5T_STD_I8LE);
    hid_t id = H5Tcopy(H5T_IEEE_F32LE);
    if (dtype == MOOD_F32)
        return id;
    return close_unless(id, H5Tset_fields(id, 15, 10, 5, 0, 10) >= 0 && H5Tset_size(id, 2) >= 0 &&
                                H5Tset_ebias(id, 15) >= 0);
}

/* ---- building ----------------------------------------------------------------------------- */

static hid_t access_in_memory(void)
{
    hid_t id = H5Pcreate(H5P_FILE_ACCESS);
    /* Blocks in which HDF5 gathers small things would defeat the alignment: none. */
    return close_unless(id, H5Pset_fapl_core(id, CORE_INCREMENT, 0) >= 0 &&
                                H5Pset_fclose_degree(id, H5F_CLOSE_STRONG) >= 0 &&
                                H5Pset_alignment(id, 1, MOOD__ALIGN) >= 0 &&
                                H5Pset_small_data_block_size(id, 0) >= 0 &&
                                H5Pset_meta_block_size(id, 0) >= 0);
}

static hid_t creation_behind_header(void)
{
    hid_t id = H5Pcreate(H5P_FILE_CREATE);
    return close_unless(id, H5Pset_userblock(id, MOOD__HEADER_BYTES) >= 0);
}

static hid_t links_with_folders(void)
{
    hid_t id = H5Pcreate(H5P_LINK_CREATE);
    return close_unless(id, H5Pset_create_intermediate_group(id, 1) >= 0);
}

static hid_t contiguous_data(void)
{
    hid_t id = H5Pcreate(H5P_DATASET_CREATE);
    return close_unless(id, H5Pset_layout(id, H5D_CONTIGUOUS) >= 0 &&
                                H5Pset_fill_time(id, H5D_FILL_TIME_NEVER) >= 0 &&
                                H5Pset_obj_track_times(id, 0) >= 0);
}

static hid_t text_type(size_t n_bytes)
{
    hid_t id = H5Tcopy(H5T_C_S1);
    return close_unless(id, H5Tset_size(id, n_bytes) >= 0 && H5Tset_cset(id, H5T_CSET_UTF8) >= 0);
}

/* What the pieces of one image have in common. */
struct build {
    hid_t file, links, data;
};

static mood_status put(const struct build *b, const char *name, hid_t type, hid_t space,
                       const void *content)
{
    hid_t id = H5Dcreate2(b->file, name, type, space, b->links, b->data, H5P_DEFAULT);
    herr_t written = -1;
    if (id >= 0)
        written = H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, content);
    close_id(id);
    if (written < 0)
        return mood__fail(MOOD_E_NOMEM, "'%s' could not be stored in HDF5", name);
    return MOOD_OK;
}

static mood_status put_text(const struct build *b, const char *name, const char *text)
{
    hid_t type = text_type(strlen(text) + 1);
    hid_t space = H5Screate(H5S_SCALAR);
    mood_status status = put(b, name, type, space, text);
    close_id(space);
    close_id(type);
    return status;
}

/* Replace *t by a contiguous copy, its numbers row by row, in memory that *copy is to be freed
 * with. */
static mood_status pack(mood_tensor *t, void **copy)
{
    mood_tensor packed;
    mood_dtype dtype = t->dtype == MOOD_F32_PANELS ? MOOD_F32 : t->dtype;
    MOOD__TRY(mood_tensor_make(&packed, NULL, dtype, t->rank, t->dim));
    *copy = packed.data = mood__alloc_aligned(mood_tensor_bytes(t));
    if (!packed.data)
        return mood__nomem();
    MOOD__TRY(mood__copy_f32(&packed, t));
    *t = packed;
    return MOOD_OK;
}

/* The same, from contiguous f32 to f16. */
static mood_status halve(mood_tensor *t, void **copy)
{
    mood_tensor half;
    MOOD__TRY(mood_tensor_make(&half, NULL, MOOD_F16, t->rank, t->dim));
    *copy = half.data = mood__alloc_aligned(mood_tensor_bytes(&half));
    if (!half.data)
        return mood__nomem();
    mood__f32_to_f16(half.data, mood__f32(t), (size_t)mood_tensor_elements(t));
    *t = half;
    return MOOD_OK;
}

/* The same, from contiguous f32 to the panels of i8. */
static mood_status round_to_i8(mood_tensor *t, void **copy)
{
    mood_tensor panels;
    MOOD__TRY(mood__tensor_panels(&panels, t));
    *copy = panels.data = mood__alloc_aligned(mood_tensor_bytes(&panels));
    if (!panels.data)
        return mood__nomem();
    int64_t n = t->dim[t->rank - 1];
    mood__i8_pack(panels.data, mood__f32(t), mood_tensor_elements(t) / n, n);
    *t = panels;
    return MOOD_OK;
}

static mood_status put_tensor(const struct build *b, const struct mood__entry *e)
{
    mood_tensor t = e->tensor;
    void *packed = NULL, *rounded = NULL;
    mood_status status = MOOD_OK;
    if (!mood_tensor_is_contiguous(&t) || t.dtype == MOOD_F32_PANELS)
        status = pack(&t, &packed);
    if (status == MOOD_OK && t.dtype != e->stored)
        status = e->stored == MOOD_I8 ? round_to_i8(&t, &rounded) : halve(&t, &rounded);
    if (status == MOOD_OK) {
        hsize_t dim[MOOD_MAX_RANK];
        for (int i = 0; i < t.rank; i++)
            dim[i] = (hsize_t)t.dim[i];
        hid_t type = number_type(t.dtype);
        hid_t space = t.rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(t.rank, dim, NULL);
        status = put(b, e->name, type, space, t.data);
        close_id(space);
        close_id(type);
    }
    mood__free(rounded);
    mood__free(packed);
    return status;
}

static mood_status take_image(hid_t file, unsigned char **image, size_t *n_bytes)
{
    ssize_t n = -1;
    if (H5Fflush(file, H5F_SCOPE_LOCAL) >= 0)
        n = H5Fget_file_image(file, NULL, 0);
    unsigned char *bytes = n > 0 ? mood__alloc_aligned((size_t)n) : NULL;
    if (!bytes || H5Fget_file_image(file, bytes, (size_t)n) != n) {
        mood__free(bytes);
        return mood__nomem();
    }
    *image = bytes;
    *n_bytes = (size_t)n;
    return MOOD_OK;
}

static mood_status build(const struct mood__entry *entries, size_t n_entries, unsigned char **image,
                         size_t *n_bytes)
{
    hid_t access = access_in_memory(), creation = creation_behind_header();
    struct build b = {.links = links_with_folders(), .data = contiguous_data()};
    b.file = H5Fcreate("libmood image", H5F_ACC_TRUNC, creation, access);

    mood_status status = MOOD_OK;
    if (access < 0 || creation < 0 || b.links < 0 || b.data < 0 || b.file < 0)
        status = mood__fail(MOOD_E_NOMEM, "HDF5 could not begin a file");
    for (size_t i = 0; i < n_entries && status == MOOD_OK; i++) {
        const struct mood__entry *e = &entries[i];
        status = e->text ? put_text(&b, e->name, e->text) : put_tensor(&b, e);
    }
    if (status == MOOD_OK)
        status = take_image(b.file, image, n_bytes);
    close_id(b.file);
    close_id(b.data);
    close_id(b.links);
    close_id(creation);
    close_id(access);
    return status;
}

mood_status mood__h5_build(const struct mood__entry *entries, size_t n_entries,
                           unsigned char **image, size_t *n_bytes)
{
    mood_status status;
    pthread_mutex_lock(&hdf5_turn);
    H5E_BEGIN_TRY /* no talk on stderr; afterwards the program's own choice again */
    {
        status = build(entries, n_entries, image, n_bytes);
    }
    H5E_END_TRY
    pthread_mutex_unlock(&hdf5_turn);
    return status;
}

/* ---- listing ------------------------------------------------------------------------------ */

/* HDF5 would copy the image twice. These callbacks, called where it would allocate, copy and free,
 * lend it the caller's memory instead; it is opened read-only, so nothing is ever written there. */

struct loan {
    const unsigned char *bytes;
    size_t n_bytes;
};

static void *loan_malloc(size_t size, H5FD_file_image_op_t op, void *ctx)
{
    const struct loan *l = ctx;
    (void)op;
    return size == l->n_bytes ? (void *)(uintptr_t)l->bytes : NULL;
}

static void *loan_memcpy(void *dst, const void *src, size_t size, H5FD_file_image_op_t op,
                         void *ctx)
{
    (void)size;
    (void)op;
    (void)ctx;
    return dst == src ? dst : NULL;
}

static void *loan_realloc(void *p, size_t size, H5FD_file_image_op_t op, void *ctx)
{
    (void)p;
    (void)size;
    (void)op;
    (void)ctx;
    return NULL;
}

static herr_t loan_free(void *p, H5FD_file_image_op_t op, void *ctx)
{
    (void)p;
    (void)op;
    (void)ctx;
    return 0;
}

static void *loan_copy_ctx(void *ctx)
{
    return ctx;
}

static herr_t loan_free_ctx(void *ctx)
{
    (void)ctx;
    return 0;
}

static hid_t open_image(struct loan *l)
{
    H5FD_file_image_callbacks_t callbacks = {
        loan_malloc, loan_memcpy, loan_realloc, loan_free, loan_copy_ctx, loan_free_ctx, l};
    hid_t access = access_in_memory(), file = -1;
    if (access >= 0 && H5Pset_file_image_callbacks(access, &callbacks) >= 0 &&
        H5Pset_file_image(access, (void *)(uintptr_t)l->bytes, l->n_bytes) >= 0)
        file = H5Fopen("libmood image", H5F_ACC_RDONLY, access);
    close_id(access);
    return file;
}

struct listing {
    const unsigned char *file;
    size_t n_bytes;
    struct mood__arena *arena;
    const char *folder; /* whose entries are being listed; "" at the top */
    struct mood__entry *entries;
    size_t n_entries, capacity;
    mood_status status;
};

/* The ids that describe one data set, all open or none usable. */
struct data_set {
    hid_t id, creation, type, space;
};

/* Where the content of a data set lies in the file; NULL when it is not `n_bytes` contiguous and
 * aligned bytes there. */
static const unsigned char *find_content(const struct listing *l, const struct data_set *d,
                                         size_t n_bytes)
{
    if (H5Pget_layout(d->creation) != H5D_CONTIGUOUS || H5Pget_external_count(d->creation) != 0)
        return NULL;
    haddr_t at = H5Dget_offset(d->id);
    if (at == HADDR_UNDEF || at % MOOD__ALIGN != 0 || at > l->n_bytes || n_bytes > l->n_bytes - at)
        return NULL;
    return l->file + at;
}

static mood_status describe_text(const struct listing *l, const struct data_set *d,
                                 struct mood__entry *e)
{
    size_t n_bytes = H5Tget_size(d->type);
    const char *text = NULL;
    if (n_bytes > 0 && H5Tis_variable_str(d->type) == 0 &&
        H5Sget_simple_extent_type(d->space) == H5S_SCALAR)
        text = (const char *)find_content(l, d, n_bytes);
    if (!text || memchr(text, 0, n_bytes) != text + n_bytes - 1 || !mood__is_utf8(text))
        return mood__fail(MOOD_E_FORMAT, "'%s' is not text as libmood writes it", e->name);
    e->text = text;
    return MOOD_OK;
}

static bool find_dtype(hid_t type, mood_dtype *out)
{
    static const mood_dtype known[] = {MOOD_F32, MOOD_I32, MOOD_F16, MOOD_I8};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        hid_t id = number_type(known[i]);
        bool equal = id >= 0 && H5Tequal(type, id) > 0;
        close_id(id);
        if (equal) {
            *out = known[i];
            return true;
        }
    }
    return false;
}

static mood_status describe_tensor(const struct listing *l, const struct data_set *d,
                                   struct mood__entry *e)
{
    mood_dtype dtype;
    if (!find_dtype(d->type, &dtype))
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "'%s' has numbers of a type that this version of libmood does not read",
                          e->name);
    hsize_t dim[H5S_MAX_RANK];
    int64_t size[MOOD_MAX_RANK];
    H5S_class_t space = H5Sget_simple_extent_type(d->space);
    int rank = H5Sget_simple_extent_dims(d->space, dim, NULL);
    if ((space != H5S_SCALAR && space != H5S_SIMPLE) || rank < 0 || rank > MOOD_MAX_RANK)
        return mood__fail(MOOD_E_FORMAT, "'%s' is not an array of rank 0 to %d", e->name,
                          MOOD_MAX_RANK);
    for (int i = 0; i < rank; i++)
        size[i] = dim[i] <= INT64_MAX ? (int64_t)dim[i] : -1;

    mood_tensor t;
    if (mood_tensor_make(&t, NULL, dtype, rank, size) != MOOD_OK)
        return mood__fail_in(MOOD_E_FORMAT, "'%s'", e->name);
    t.data = (void *)(uintptr_t)find_content(l, d, mood_tensor_bytes(&t));
    if (!t.data)
        return mood__fail(MOOD_E_FORMAT, "'%s' does not lie in the file as libmood writes it",
                          e->name);
    e->tensor = t;
    e->stored = dtype;
    return MOOD_OK;
}

static mood_status add_data_set(struct listing *l, hid_t id, const char *name)
{
    if (l->n_entries == l->capacity) {
        /* The old array stays in the arena: doubling keeps the sum below twice the last. */
        size_t capacity = l->capacity ? 2 * l->capacity : 64, bytes;
        struct mood__entry *grown = NULL;
        if (mood__mul_size(capacity, sizeof(*grown), &bytes))
            grown = mood__arena_alloc(l->arena, bytes);
        if (!grown)
            return mood__nomem();
        if (l->n_entries)
            memcpy(grown, l->entries, l->n_entries * sizeof(*grown));
        l->entries = grown;
        l->capacity = capacity;
    }
    struct mood__entry e = {.name = mood__arena_strdup(l->arena, name)};
    if (!e.name)
        return mood__nomem();

    struct data_set d = {id, H5Dget_create_plist(id), H5Dget_type(id), H5Dget_space(id)};
    mood_status status;
    if (d.creation < 0 || d.type < 0 || d.space < 0)
        status = mood__fail(MOOD_E_FORMAT, "'%s' cannot be read by HDF5", name);
    else if (H5Tget_class(d.type) == H5T_STRING)
        status = describe_text(l, &d, &e);
    else
        status = describe_tensor(l, &d, &e);
    close_id(d.space);
    close_id(d.type);
    close_id(d.creation);
    if (status == MOOD_OK)
        l->entries[l->n_entries++] = e;
    return status;
}

static mood_status list_folder(struct listing *l, hid_t group, const char *folder);

static mood_status add_object(struct listing *l, hid_t group, const char *part, H5L_type_t link)
{
    char name[MOOD__ENTRY_NAME_BYTES];
    if (!mood__entry_part_is_valid(part))
        return mood__fail(MOOD_E_FORMAT, "a name in it is not one that libmood gives");
    snprintf(name, sizeof(name), "%s%s%s", l->folder, *l->folder ? "/" : "", part);
    if (link != H5L_TYPE_HARD) /* soft and external links could lead out of the checked bytes */
        return mood__fail(MOOD_E_FORMAT, "'%s' is a link", name);

    hid_t id = H5Oopen(group, part, H5P_DEFAULT);
    mood_status status;
    if (id >= 0 && H5Iget_type(id) == H5I_DATASET)
        status = add_data_set(l, id, name);
    else if (id >= 0 && H5Iget_type(id) == H5I_GROUP && !*l->folder)
        status = list_folder(l, id, part);
    else
        status =
            mood__fail(MOOD_E_FORMAT, "'%s' is no data set that libmood could have written", name);
    close_id(id);
    return status;
}

static herr_t visit(hid_t group, const char *part, const H5L_info_t *info, void *ctx)
{
    struct listing *l = ctx;
    l->status = add_object(l, group, part, info->type);
    return l->status == MOOD_OK ? 0 : 1; /* 1: go no further */
}

static mood_status list_folder(struct listing *l, hid_t group, const char *folder)
{
    const char *outer = l->folder;
    l->folder = folder;
    herr_t n = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, l);
    l->folder = outer;
    if (n < 0 && l->status == MOOD_OK)
        return mood__fail(MOOD_E_FORMAT, "HDF5 cannot list what is in it");
    return l->status;
}

mood_status mood__h5_list(const unsigned char *file, size_t n_bytes, struct mood__arena *arena,
                          struct mood__entry **entries, size_t *n_entries)
{
    struct listing l = {.file = file, .n_bytes = n_bytes, .arena = arena, .folder = ""};
    struct loan loan = {file, n_bytes};
    pthread_mutex_lock(&hdf5_turn);
    H5E_BEGIN_TRY
    {
        hid_t id = open_image(&loan);
        if (id < 0)
            l.status = mood__fail(MOOD_E_FORMAT, "its content is no HDF5 file");
        else
            l.status = list_folder(&l, id, "");
        close_id(id);
    }
    H5E_END_TRY
    pthread_mutex_unlock(&hdf5_turn);
    if (l.status != MOOD_OK)
        return l.status;
    *entries = l.entries;
    *n_entries = l.n_entries;
    return MOOD_OK;
}
