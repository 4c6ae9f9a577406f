/* SPDX-License-Identifier: MIT
 *
 * test_store.c — Files of tensors and texts: what is written comes back bit by bit, and no damage
 * to a file goes unnoticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/store.h"
#include "temp.h"

static const struct mood__format example = {"example", 1, 0};

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

/* `expr` fails with this status, and its detail is exactly `text`. */
#define assert_fails(expr, status, text)                                                           \
    do {                                                                                           \
        assert_int_equal(expr, status);                                                            \
        assert_string_equal(mood_error_detail(), text);                                            \
    } while (0)

/* Bit patterns that a careless copy would change: a signalling NaN with a payload, -0, the smallest
 * denormal, infinity. */
static const uint32_t odd_bits[6] = {0x7fa12345, 0x80000000, 0x00000001,
                                     0xff800000, 0x3f800000, 0xffc00001};
static const int32_t labels[3] = {INT32_MIN, 0, 7};
static const char config[] = "{\"width\": 8, \"name\": \"Tr\xc3\xa4ne\"}";

static mood_tensor tensor_of(const void *data, mood_dtype dtype, int rank, const int64_t *dim)
{
    mood_tensor t;
    assert_ok(mood_tensor_make(&t, (void *)(uintptr_t)data, dtype, rank, dim));
    return t;
}

static mood_tensor odd_tensor(void)
{
    return tensor_of(odd_bits, MOOD_F32, 2, (const int64_t[]){2, 3});
}

/* The file that most tests read. `backwards` adds the same entries in the opposite order. */
static void save_example(const char *path, bool backwards)
{
    struct mood__writer *w;
    mood_tensor odd = odd_tensor(), turned, scalar = tensor_of(odd_bits, MOOD_F32, 0, NULL);
    mood_tensor ints = tensor_of(labels, MOOD_I32, 1, (const int64_t[]){3});
    assert_ok(mood_tensor_transpose(&turned, &odd, (const int[]){1, 0}));
    assert_ok(mood__writer_create(&w, &example));
    for (int i = 0; i < 6; i++) {
        switch (backwards ? 5 - i : i) {
        case 0:
            assert_ok(mood__writer_add_tensor(w, "params/b.odd", &odd));
            break;
        case 1:
            assert_ok(mood__writer_add_tensor(w, "params/a.turned", &turned));
            break;
        case 2:
            assert_ok(mood__writer_add_tensor(w, "scalar", &scalar));
            break;
        case 3:
            assert_ok(mood__writer_add_tensor(w, "labels", &ints));
            break;
        case 4:
            assert_ok(mood__writer_add_text(w, "config", config));
            break;
        default:
            assert_ok(mood__writer_add_text(w, "empty", ""));
        }
    }
    assert_ok(mood__writer_save(w, path));
    mood__writer_destroy(&w);
    assert_null(w);
}

/* Both ways to open a file have to find the same in it, and to say the same of a bad one. */
typedef mood_status open_function(struct mood__reader **out, const char *path,
                                  const struct mood__format *format);
enum { N_WAYS = 2 };
static open_function *const ways[N_WAYS] = {mood__reader_open, mood__reader_map};

static struct mood__reader *open_as(open_function *way, const char *path)
{
    struct mood__reader *r;
    mood_status status = way(&r, path, &example);
    if (status != MOOD_OK)
        print_error("%s\n", mood_error_detail());
    assert_ok(status);
    return r;
}

static struct mood__reader *open_example(const char *path)
{
    return open_as(mood__reader_open, path);
}

static void assert_example_as(open_function *way, const char *path)
{
    struct mood__reader *r = open_as(way, path);
    static const char *const names[] = {"config",          "empty",        "labels",
                                        "params/a.turned", "params/b.odd", "scalar"};
    assert_int_equal(mood__reader_count(r), 6);
    for (size_t i = 0; i < 6; i++) {
        const struct mood__entry *e = mood__reader_at(r, i);
        assert_string_equal(e->name, names[i]);
        assert_ptr_equal(e, mood__reader_find(r, names[i]));
        if (!e->text) {
            assert_true(mood_tensor_is_contiguous(&e->tensor));
            assert_int_equal((uintptr_t)e->tensor.data % MOOD__ALIGN, 0);
        }
    }
    uint32_t bits[6];
    int32_t ints[3];
    static const int turned_at[6] = {0, 3, 1, 4, 2, 5};
    const mood_tensor odd = tensor_of(bits, MOOD_F32, 2, (const int64_t[]){2, 3}),
                      turned = tensor_of(bits, MOOD_F32, 2, (const int64_t[]){3, 2}),
                      scalar = tensor_of(bits, MOOD_F32, 0, NULL),
                      three = tensor_of(ints, MOOD_I32, 1, (const int64_t[]){3});
    assert_ok(mood__reader_tensor(r, "params/b.odd", &odd));
    assert_memory_equal(bits, odd_bits, sizeof(bits));
    assert_ok(mood__reader_tensor(r, "params/a.turned", &turned));
    for (int i = 0; i < 6; i++)
        assert_int_equal(bits[i], odd_bits[turned_at[i]]);
    bits[0] = 1;
    assert_ok(mood__reader_tensor(r, "scalar", &scalar));
    assert_int_equal(bits[0], odd_bits[0]);
    assert_ok(mood__reader_tensor(r, "labels", &three));
    assert_memory_equal(ints, labels, sizeof(labels));

    const char *text;
    assert_ok(mood__reader_text(r, "config", &text));
    assert_string_equal(text, config);
    assert_ok(mood__reader_text(r, "empty", &text));
    assert_string_equal(text, "");
    assert_string_equal(mood__reader_header(r)->kind, "example");
    mood__reader_close(&r);
    assert_null(r);
}

static void assert_example(const char *path)
{
    for (int i = 0; i < N_WAYS; i++)
        assert_example_as(ways[i], path);
}

static void test_round_trip(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    save_example(path, false);
    assert_example(path);
    temp_sweep();
}

/* A file of version 1.0 as the first libmood wrote it: readable for ever. */
static void test_version_1(void **state)
{
    (void)state;
    assert_example(TEST_DATA "/v1.h5");
}

static void test_same_bytes(void **state)
{
    (void)state;
    unsigned char *a, *b;
    size_t n_a, n_b;
    save_example(temp_path("a"), false);
    save_example(temp_path("b"), true);
    assert_ok(mood__file_read(temp_path("a"), 1 << 20, &a, &n_a));
    assert_ok(mood__file_read(temp_path("b"), 1 << 20, &b, &n_b));
    assert_int_equal(n_a, n_b);
    assert_memory_equal(a, b, n_a);
    mood__free(a);
    mood__free(b);
    temp_sweep();
}

static void test_many_entries(void **state)
{
    (void)state;
    enum { N = 500 };
    static float value[N];
    struct mood__writer *w;
    char name[32];
    assert_ok(mood__writer_create(&w, &example));
    for (int i = 0; i < N; i++) {
        value[i] = (float)i;
        mood_tensor t = tensor_of(&value[i], MOOD_F32, 1, (const int64_t[]){1});
        snprintf(name, sizeof(name), "params/layer%d.weight", i);
        assert_ok(mood__writer_add_tensor(w, name, &t));
    }
    assert_ok(mood__writer_save(w, temp_path("many")));
    mood__writer_destroy(&w);
    struct mood__reader *r = open_example(temp_path("many"));
    assert_int_equal(mood__reader_count(r), N);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof(name), "params/layer%d.weight", i);
        const struct mood__entry *e = mood__reader_find(r, name);
        assert_non_null(e);
        assert_true(*(const float *)e->tensor.data == (float)i);
    }
    mood__reader_close(&r);
    temp_sweep();
}

static void test_nothing(void **state)
{
    (void)state;
    struct mood__writer *w;
    assert_ok(mood__writer_create(&w, &example));
    assert_ok(mood__writer_save(w, temp_path("none")));
    mood__writer_destroy(&w);
    struct mood__reader *r = open_example(temp_path("none"));
    assert_int_equal(mood__reader_count(r), 0);
    assert_null(mood__reader_find(r, "x"));
    mood__reader_close(&r);
    temp_sweep();
}

/* Halves: as they are, made from floats while saving (strided ones too), and read as floats. */
static void test_f16(void **state)
{
    (void)state;
    static const float x[6] = {1.0f / 3, -65519, 1e9f, 0x1p-24f, -0.0f, 2049};
    static const uint16_t rounded[6] = {0x3555, 0xfbff, 0x7bff, 0x0001, 0x8000, 0x6800};
    static const int turned_at[6] = {0, 3, 1, 4, 2, 5};
    uint16_t half[6];
    float y[7] = {0, 0, 0, 0, 0, 0, 77};
    struct mood__writer *w;
    mood_tensor t = tensor_of(x, MOOD_F32, 2, (const int64_t[]){2, 3}), turned;
    const mood_tensor raw = tensor_of(rounded, MOOD_F16, 1, (const int64_t[]){6});
    assert_ok(mood_tensor_transpose(&turned, &t, (const int[]){1, 0}));
    assert_ok(mood__writer_create(&w, &example));
    assert_ok(mood__writer_add_tensor(w, "raw", &raw));
    assert_ok(mood__writer_add_tensor_as_f16(w, "params/t", &t));
    assert_ok(mood__writer_add_tensor_as_f16(w, "params/turned", &turned));
    t.dtype = MOOD_I32;
    assert_fails(mood__writer_add_tensor_as_f16(w, "ints", &t), MOOD_E_INVALID,
                 "'ints' is i32; only f32 is stored as f16");
    assert_ok(mood__writer_save(w, temp_path("file")));
    assert_ok(mood__writer_save(w, temp_path("again"))); /* the floats are as they were */
    mood__writer_destroy(&w);

    struct mood__reader *r = open_example(temp_path("again"));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(mood__reader_at(r, i)->tensor.dtype, MOOD_F16);
        assert_int_equal((uintptr_t)mood__reader_at(r, i)->tensor.data % MOOD__ALIGN, 0);
    }
    const mood_tensor halves = tensor_of(half, MOOD_F16, 2, (const int64_t[]){2, 3}),
                      floats = tensor_of(y, MOOD_F32, 2, (const int64_t[]){3, 2}),
                      ints = tensor_of(y, MOOD_I32, 1, (const int64_t[]){6});
    assert_ok(mood__reader_tensor(r, "params/t", &halves));
    assert_memory_equal(half, rounded, sizeof(half));
    assert_memory_equal(mood__reader_at(r, 2)->tensor.data, rounded, sizeof(half));
    assert_ok(mood__reader_tensor(r, "params/turned", &floats));
    static const float back[6] = {0x1.554p-2f, -65504, 65504, 0x1p-24f, -0.0f, 2048};
    for (int i = 0; i < 6; i++)
        assert_memory_equal(&y[i], &back[turned_at[i]], sizeof(float));
    assert_true(y[6] == 77);
    assert_fails(mood__reader_tensor(r, "raw", &ints), MOOD_E_FORMAT,
                 "'raw' has type f16 in the file, where i32 is needed");
    mood__reader_close(&r);
    temp_sweep();
}

static void test_wrong_questions(void **state)
{
    (void)state;
    save_example(temp_path("file"), false);
    struct mood__reader *r = open_example(temp_path("file"));
    uint32_t bits[6] = {1, 2, 3, 4, 5, 6}, before[6];
    memcpy(before, bits, sizeof(bits));
    mood_tensor wide = tensor_of(bits, MOOD_F32, 2, (const int64_t[]){3, 2}),
                ints = tensor_of(bits, MOOD_I32, 2, (const int64_t[]){2, 3}),
                one = tensor_of(bits, MOOD_F32, 1, (const int64_t[]){1});
    const char *text = "before";
    assert_fails(mood__reader_tensor(r, "params/c", &wide), MOOD_E_MISSING,
                 "'params/c' is not in the file");
    assert_fails(mood__reader_tensor(r, "params/b.odd", &wide), MOOD_E_SHAPE,
                 "'params/b.odd' has shape (2, 3) in the file, where (3, 2) is needed");
    assert_fails(mood__reader_tensor(r, "scalar", &one), MOOD_E_SHAPE,
                 "'scalar' has shape () in the file, where (1) is needed");
    assert_fails(mood__reader_tensor(r, "params/b.odd", &ints), MOOD_E_FORMAT,
                 "'params/b.odd' has type f32 in the file, where i32 is needed");
    assert_fails(mood__reader_tensor(r, "config", &one), MOOD_E_FORMAT,
                 "'config' is text, where numbers are needed");
    assert_fails(mood__reader_text(r, "scalar", &text), MOOD_E_FORMAT,
                 "'scalar' is numbers, where text is needed");
    assert_fails(mood__reader_text(r, "nothing", &text), MOOD_E_MISSING,
                 "'nothing' is not in the file");
    assert_memory_equal(bits, before, sizeof(bits));
    assert_string_equal(text, "before");
    mood__reader_close(&r);
    temp_sweep();
}

static void test_writer_refuses(void **state)
{
    (void)state;
    struct mood__writer *w = NULL;
    static const struct mood__format bad[] = {{"Model", 1, 0},  {"", 1, 0},
                                              {"a b", 1, 0},    {"model", 0, 1},
                                              {"model", 1, -1}, {"model", 1000, 0}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(mood__writer_create(&w, &bad[i]), MOOD_E_INVALID);
    assert_ok(mood__writer_create(&w, &example));

    char long_name[300];
    memset(long_name, 'n', 256);
    long_name[256] = '\0';
    const char *const names[] = {"",    "/",  "/a",  "a/",       "a/b/c", ".",
                                 "a/.", "..", "a b", "\xc3\xa4", "a\nb",  long_name};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_int_equal(mood__writer_add_text(w, names[i], "x"), MOOD_E_INVALID);
    long_name[255] = '\0';
    assert_ok(mood__writer_add_text(w, long_name, "x"));

    assert_ok(mood__writer_add_text(w, "a/b", "x"));
    assert_ok(mood__writer_add_text(w, "ab", "x"));
    assert_fails(mood__writer_add_text(w, "a/b", "x"), MOOD_E_INVALID,
                 "'a/b' and 'a/b' cannot be in one file");
    assert_fails(mood__writer_add_text(w, "a", "x"), MOOD_E_INVALID,
                 "'a/b' and 'a' cannot be in one file");
    assert_fails(mood__writer_add_text(w, "ab/c", "x"), MOOD_E_INVALID,
                 "'ab' and 'ab/c' cannot be in one file");
    assert_fails(mood__writer_add_text(w, "t", "\xff"), MOOD_E_INVALID, "'t' is not UTF-8");

    /* None of this has spoilt the writer. */
    assert_ok(mood__writer_save(w, temp_path("file")));
    mood__writer_destroy(&w);
    struct mood__reader *r = open_example(temp_path("file"));
    assert_int_equal(mood__reader_count(r), 3);
    mood__reader_close(&r);
    temp_sweep();
}

/* ---- damage -------------------------------------------------------------------------------- */

static void assert_refused(const char *path, mood_status status)
{
    char said[N_WAYS][512];
    for (int i = 0; i < N_WAYS; i++) {
        struct mood__reader *r;
        assert_int_equal(ways[i](&r, path, &example), status);
        assert_null(r);
        snprintf(said[i], sizeof(said[i]), "%s", mood_error_detail());
        assert_true(*said[i] && !strchr(said[i], '\n'));
    }
    assert_string_equal(said[0], said[1]);
}

/* One bit of every byte. */
static void test_flips(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    save_example(path, false);
    int fd = open(path, O_RDWR);
    off_t n = lseek(fd, 0, SEEK_END);
    assert_true(n > 1000);
    for (off_t at = 0; at < n; at++) {
        unsigned char c, flipped;
        assert_int_equal(pread(fd, &c, 1, at), 1);
        flipped = c ^ (unsigned char)(1 << at % 8);
        assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
        assert_refused(path, MOOD_E_FORMAT);
        assert_int_equal(pwrite(fd, &c, 1, at), 1);
    }
    close(fd);
    assert_example(path);
    temp_sweep();
}

/* Every shorter length, and some longer ones. */
static void test_lengths(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    struct stat st;
    save_example(path, false);
    assert_int_equal(stat(path, &st), 0);
    for (off_t more = 1; more <= 4096; more *= 8) {
        assert_int_equal(truncate(path, st.st_size + more), 0);
        assert_refused(path, MOOD_E_FORMAT);
    }
    assert_int_equal(truncate(path, st.st_size), 0);
    assert_example(path);
    for (off_t n = st.st_size - 1; n >= 0; n--) {
        assert_int_equal(truncate(path, n), 0);
        assert_refused(path, MOOD_E_FORMAT);
    }
    temp_sweep();
}

static void save_as(const char *path, const struct mood__format *format)
{
    struct mood__writer *w;
    assert_ok(mood__writer_create(&w, format));
    assert_ok(mood__writer_add_text(w, "config", config));
    assert_ok(mood__writer_save(w, path));
    mood__writer_destroy(&w);
}

/* The file is refused, and this is why. */
static void assert_refused_for(const char *path, mood_status status, const char *text)
{
    assert_refused(path, status);
    assert_string_equal(mood_error_detail(), text);
}

static void test_other_files(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    struct mood__reader *r;
    save_as(path, &(struct mood__format){"example", 2, 1});
    assert_refused_for(path, MOOD_E_UNSUPPORTED,
                       "format version 2.1 is newer than 1.x, which this version of libmood reads");
    save_as(path, &(struct mood__format){"other", 1, 0});
    assert_refused_for(path, MOOD_E_FORMAT, "is a file of kind 'other', where 'example' is needed");
    save_as(path, &(struct mood__format){"example", 1, 7});
    assert_ok(mood__reader_open(&r, path, &example));
    assert_int_equal(mood__reader_header(r)->minor, 7);
    mood__reader_close(&r);

    /* HDF5 without our header. */
    unsigned char *bytes;
    size_t n;
    assert_ok(mood__file_read(path, 1 << 20, &bytes, &n));
    const struct mood__part hdf5 = {bytes + MOOD__HEADER_BYTES, n - MOOD__HEADER_BYTES};
    assert_ok(mood__file_write_atomic(path, &hdf5, 1));
    mood__free(bytes);
    assert_refused_for(path, MOOD_E_FORMAT, "is an HDF5 file, but none that libmood wrote");
    assert_refused_for(temp_path("none"), MOOD_E_IO, "cannot be opened: No such file or directory");
    assert_refused_for(temp_folder, MOOD_E_IO, "is a directory");
    const char *fifo = temp_path("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_refused_for(fifo, MOOD_E_IO, "is not a regular file");
    assert_refused_for("/dev/zero", MOOD_E_IO, "is not a regular file");
    const struct mood__part nothing = {"", 0};
    assert_ok(mood__file_write_atomic(temp_path("empty"), &nothing, 1));
    assert_refused_for(temp_path("empty"), MOOD_E_FORMAT, "is empty");
    temp_sweep();
}

/* A mapped file may be replaced or removed: what was opened stays. */
static void test_map_stays(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    save_example(path, false);
    struct mood__reader *r = open_as(mood__reader_map, path);
    const struct mood__entry *e = mood__reader_find(r, "params/b.odd");
    assert_non_null(e);
    save_as(path, &example);
    assert_memory_equal(e->tensor.data, odd_bits, sizeof(odd_bits));
    assert_int_equal(unlink(path), 0);
    assert_memory_equal(e->tensor.data, odd_bits, sizeof(odd_bits));
    mood__reader_close(&r);
    temp_sweep();
}

/* A file size limit that leaves no room for a second file. */
static int child_limited(const char *path)
{
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){1024, 1024});
    struct mood__writer *w;
    if (mood__writer_create(&w, &example) != MOOD_OK)
        return 2;
    mood_status status = mood__writer_add_text(w, "config", "new");
    if (status == MOOD_OK)
        status = mood__writer_save(w, path);
    mood__writer_destroy(&w);
    return status == MOOD_E_IO ? 0 : 1;
}

static void test_no_room(void **state)
{
    (void)state;
    const char *path = temp_path("file");
    save_example(path, false);
    assert_int_equal(in_child(child_limited, path), 0);
    assert_example(path);
    assert_int_equal(temp_sweep(), 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) { /* how v1.h5 was made: test_store FILE */
        save_example(argv[1], false);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_same_bytes),     cmocka_unit_test(test_many_entries),
        cmocka_unit_test(test_nothing),        cmocka_unit_test(test_wrong_questions),
        cmocka_unit_test(test_writer_refuses), cmocka_unit_test(test_flips),
        cmocka_unit_test(test_lengths),        cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_no_room),        cmocka_unit_test(test_f16),
        cmocka_unit_test(test_map_stays),
    };
    return cmocka_run_group_tests_name("store", tests, temp_setup, temp_teardown);
}
