/* SPDX-License-Identifier: MIT
 *
 * test_hdf5.c — The store beside plain HDF5: its files open in stock HDF5, HDF5 files that libmood
 * did not write are refused although their digest is right, and a program's own use of HDF5 is left
 * alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <hdf5.h>
#include <pthread.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/store.h"
#include "temp.h"

static const struct mood__format example = {"example", 1, 0};
static const float numbers[6] = {1, -2, 3.5f, 0, 1e-30f, 6};

static void close_file(hid_t file)
{
    assert_true(H5Fclose(file) >= 0);
}

static mood_status save(const char *path)
{
    struct mood__writer *w;
    mood_tensor t;
    mood_status status =
        mood_tensor_make(&t, (void *)(uintptr_t)numbers, MOOD_F32, 2, (const int64_t[]){2, 3});
    if (status == MOOD_OK)
        status = mood__writer_create(&w, &example);
    if (status != MOOD_OK)
        return status;
    status = mood__writer_add_text(w, "config", "{}");
    for (int i = 0; i < 20 && status == MOOD_OK; i++) {
        char name[32];
        snprintf(name, sizeof(name), "params/t%d", i);
        status = mood__writer_add_tensor(w, name, &t);
    }
    if (status == MOOD_OK)
        status = mood__writer_add_tensor_as_f16(w, "half", &t);
    if (status == MOOD_OK)
        status = mood__writer_save(w, path);
    mood__writer_destroy(&w);
    return status;
}

static mood_status open_and_close(const char *path)
{
    struct mood__reader *r;
    mood_status status = mood__reader_open(&r, path, &example);
    mood__reader_close(&r);
    if (status == MOOD_OK)
        status = mood__reader_map(&r, path, &example);
    mood__reader_close(&r);
    return status;
}

static void test_stock_reader(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    assert_int_equal(save(path), MOOD_OK);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    for (int i = 0; i < 20; i++) {
        char name[32];
        float value[6] = {0};
        hsize_t dim[2];
        snprintf(name, sizeof(name), "/params/t%d", i);
        hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set);
        assert_int_equal(H5Sget_simple_extent_dims(space, dim, NULL), 2);
        assert_int_equal(dim[0], 2);
        assert_int_equal(dim[1], 3);
        assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0);
        assert_memory_equal(value, numbers, sizeof(numbers));
        assert_int_equal(H5Dget_offset(set) % MOOD__ALIGN, 0);
        H5Sclose(space);
        H5Dclose(set);
    }
    /* HDF5's own conversion from 16 bits, which knows nothing of ours. */
    float value[6] = {0};
    hid_t set = H5Dopen2(file, "/half", H5P_DEFAULT), type = H5Dget_type(set);
    assert_int_equal(H5Tget_size(type), 2);
    assert_int_equal(H5Tget_class(type), H5T_FLOAT);
    assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0);
    for (int i = 0; i < 6; i++)
        assert_true(value[i] == (numbers[i] == 1e-30f ? 0 : numbers[i]));
    H5Tclose(type);
    H5Dclose(set);
    close_file(file);
    temp_sweep();
}

/* ---- files that libmood would not write ----------------------------------------------------- */

static void put(hid_t file, const char *name, hid_t type, int rank, hid_t creation)
{
    hsize_t dim[8] = {2, 1, 1, 1, 1, 1, 1, 1};
    hid_t space = rank ? H5Screate_simple(rank, dim, NULL) : H5Screate(H5S_SCALAR);
    hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    static const char zeros[1024];
    assert_true(set >= 0);
    assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros) >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static void make_doubles(hid_t file)
{
    put(file, "x", H5T_IEEE_F64LE, 1, H5P_DEFAULT);
}

static void make_big_endian(hid_t file)
{
    put(file, "x", H5T_IEEE_F32BE, 1, H5P_DEFAULT);
}

/* Two bytes of floating point, but bf16. */
static void make_bf16(hid_t file)
{
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(type, 15, 7, 8, 0, 7);
    H5Tset_size(type, 2);
    put(file, "x", type, 1, H5P_DEFAULT);
    H5Tclose(type);
}

static void make_rank_7(hid_t file)
{
    put(file, "x", H5T_IEEE_F32LE, 7, H5P_DEFAULT);
}

static void make_compact(hid_t file)
{
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(creation, H5D_COMPACT);
    put(file, "x", H5T_IEEE_F32LE, 1, creation);
    H5Pclose(creation);
}

static void make_chunked(hid_t file)
{
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 1, (const hsize_t[]){1});
    put(file, "x", H5T_IEEE_F32LE, 1, creation);
    H5Pclose(creation);
}

static void make_external(hid_t file)
{
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(creation, temp_path("outside"), 0, 64);
    put(file, "x", H5T_IEEE_F32LE, 1, creation);
    H5Pclose(creation);
}

static void make_unaligned(hid_t file)
{
    put(file, "x", H5T_IEEE_F32LE, 1, H5P_DEFAULT);
    put(file, "y", H5T_IEEE_F32LE, 1, H5P_DEFAULT);
}

static void make_unterminated(hid_t file)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, 4);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    hid_t set = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, "four") >= 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Tclose(type);
}

static void make_variable_text(hid_t file)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    hid_t set = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(set);
    H5Sclose(space);
    H5Tclose(type);
}

static void make_soft_link(hid_t file)
{
    assert_true(H5Lcreate_soft("/y", file, "x", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void make_external_link(hid_t file)
{
    assert_true(H5Lcreate_external("other.h5", "/y", file, "x", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void make_deep(hid_t file)
{
    hid_t outer = H5Gcreate2(file, "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(H5Gcreate2(outer, "y", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Gclose(outer);
}

static void make_cycle(hid_t file)
{
    hid_t group = H5Gcreate2(file, "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Lcreate_hard(file, "/", group, "y", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    H5Gclose(group);
}

static void make_type(hid_t file)
{
    hid_t type = H5Tcopy(H5T_NATIVE_INT);
    assert_true(H5Tcommit2(file, "x", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    H5Tclose(type);
}

static void make_control_name(hid_t file)
{
    put(file, "x\x1b[31m", H5T_IEEE_F32LE, 1, H5P_DEFAULT);
}

static const struct {
    const char *detail;
    void (*make)(hid_t file);
} foreign[] = {
    {"'x' has numbers of a type that this version of libmood does not read", make_doubles},
    {"'x' has numbers of a type that this version of libmood does not read", make_big_endian},
    {"'x' has numbers of a type that this version of libmood does not read", make_bf16},
    {"'x' is not an array of rank 0 to 6", make_rank_7},
    {"'x' does not lie in the file as libmood writes it", make_compact},
    {"'x' does not lie in the file as libmood writes it", make_chunked},
    {"'x' does not lie in the file as libmood writes it", make_external},
    {"'y' does not lie in the file as libmood writes it", make_unaligned},
    {"'x' is not text as libmood writes it", make_unterminated},
    {"'x' is not text as libmood writes it", make_variable_text},
    {"'x' is a link", make_soft_link},
    {"'x' is a link", make_external_link},
    {"'x/y' is no data set that libmood could have written", make_deep},
    {"'x/y' is no data set that libmood could have written", make_cycle},
    {"'x' is no data set that libmood could have written", make_type},
    {"a name in it is not one that libmood gives", make_control_name},
};

/* Put a header with the right digest in front of the user block's place. */
static void adopt(const char *path)
{
    unsigned char *bytes;
    size_t n;
    assert_int_equal(mood__file_read(path, 1 << 20, &bytes, &n), MOOD_OK);
    struct mood__header h = {.kind = "example", .major = 1, .n_bytes = n - MOOD__HEADER_BYTES};
    mood__sha256_of(bytes + MOOD__HEADER_BYTES, h.n_bytes, h.sha256);
    mood__header_write(bytes, &h);
    assert_int_equal(mood__file_write_atomic(path, &(struct mood__part){bytes, n}, 1), MOOD_OK);
    mood__free(bytes);
}

static void test_foreign(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
        hid_t creation = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
        H5Pset_userblock(creation, MOOD__HEADER_BYTES);
        if (foreign[i].make != make_unaligned)
            H5Pset_alignment(access, 1, MOOD__ALIGN);
        H5Pset_small_data_block_size(access, 0);
        hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
        assert_true(file >= 0);
        foreign[i].make(file);
        close_file(file);
        H5Pclose(access);
        H5Pclose(creation);
        adopt(path);

        struct mood__reader *r;
        for (int mapped = 0; mapped < 2; mapped++) {
            mood_status status = mapped ? mood__reader_map(&r, path, &example)
                                        : mood__reader_open(&r, path, &example);
            assert_int_not_equal(status, MOOD_OK);
            assert_null(r);
            assert_string_equal(mood_error_detail(), foreign[i].detail);
        }
        assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
    }

    /* And bytes that are no HDF5 at all. */
    char noise[2000];
    memset(noise, 'n', sizeof(noise));
    assert_int_equal(mood__file_write_atomic(path, &(struct mood__part){noise, sizeof(noise)}, 1),
                     MOOD_OK);
    adopt(path);
    assert_int_equal(open_and_close(path), MOOD_E_FORMAT);
    assert_string_equal(mood_error_detail(), "its content is no HDF5 file");
    assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
    temp_sweep();
}

/* ---- manners -------------------------------------------------------------------------------- */

static herr_t count_errors(hid_t stack, void *n)
{
    (void)stack;
    ++*(int *)n;
    return 0;
}

/* A program's own error handler does not hear of libmood's failures, and is still there later. */
static void test_error_handler(void **state)
{
    (void)state;
    int n = 0;
    H5E_auto2_t old;
    void *old_ctx;
    const char *path = temp_path("file");
    assert_true(H5Eget_auto2(H5E_DEFAULT, &old, &old_ctx) >= 0);
    assert_true(H5Eset_auto2(H5E_DEFAULT, count_errors, &n) >= 0);

    char noise[2000] = {0};
    assert_int_equal(mood__file_write_atomic(path, &(struct mood__part){noise, sizeof(noise)}, 1),
                     MOOD_OK);
    adopt(path);
    assert_int_equal(open_and_close(path), MOOD_E_FORMAT);
    assert_int_equal(save(path), MOOD_OK);
    assert_int_equal(open_and_close(path), MOOD_OK);
    assert_int_equal(n, 0);

    assert_true(H5Fopen(temp_path("none"), H5F_ACC_RDONLY, H5P_DEFAULT) < 0);
    assert_true(n > 0);
    H5Eset_auto2(H5E_DEFAULT, old, old_ctx);
    temp_sweep();
}

static hid_t new_space(void)
{
    return H5Screate(H5S_SCALAR);
}

static hid_t new_list(void)
{
    return H5Pcreate(H5P_FILE_ACCESS);
}

static hid_t new_type(void)
{
    return H5Tcopy(H5T_C_S1);
}

/* Files and data sets are counted by HDF5. For spaces, lists and types it has no such function, but
 * gives ids in rising order: none may be alive between one made before and one made after. */
static void test_nothing_left_open(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    hid_t (*const make[])(void) = {new_space, new_list, new_type};
    enum { N = sizeof(make) / sizeof(*make) };
    hid_t before[N];
    for (int i = 0; i < N; i++)
        before[i] = make[i]();
    for (int round = 0; round < 3; round++) {
        assert_int_equal(save(path), MOOD_OK);
        assert_int_equal(open_and_close(path), MOOD_OK);
    }
    for (int i = 0; i < N; i++) {
        hid_t after = make[i]();
        assert_in_range(after - before[i], 2, 100000); /* so some ids were given in between */
        for (hid_t id = before[i] + 1; id < after; id++)
            assert_true(H5Iis_valid(id) <= 0);
        H5Idec_ref(after);
        H5Idec_ref(before[i]);
    }
    assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
    temp_sweep();
}

static void *save_and_open(void *path)
{
    for (int i = 0; i < 20; i++) {
        if (save(path) != MOOD_OK || open_and_close(path) != MOOD_OK)
            return path;
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    enum { N = 4 };
    static char path[N][PATH_MAX + 256];
    pthread_t thread[N];
    for (int i = 0; i < N; i++) {
        char name[] = "file0";
        name[4] = (char)('0' + i / 2); /* two threads share each file */
        strcpy(path[i], temp_path(name));
        assert_int_equal(pthread_create(&thread[i], NULL, save_and_open, path[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        void *failed;
        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(temp_sweep(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stock_reader),  cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_error_handler), cmocka_unit_test(test_nothing_left_open),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests_name("hdf5", tests, temp_setup, temp_teardown);
}
