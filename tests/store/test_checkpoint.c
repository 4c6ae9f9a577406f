/* SPDX-License-Identifier: MIT
 *
 * test_checkpoint.c — Reading what others wrote: values, folders, shards, and every allocation made
 * to fail once. The files are the inputs of the fuzz targets
 * (tests/fuzz/make_checkpoint_corpus.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "fail_alloc.h"
#include "store/checkpoint.h"
#include "temp.h"

#define CORPUS TEST_DATA "/../fuzz/corpus/"

/* The tensors of both "plain" files begin with -1, -0.5, 0, ... in steps of a half, from `first`.
 */
static void expect(const struct mood__checkpoint *c, const char *name, const char *type, int rank,
                   const int64_t *dim, float first)
{
    const struct mood__listed *t = mood__checkpoint_find(c, name);
    assert_non_null(t);
    assert_string_equal(t->name, name);
    assert_string_equal(t->type, type);
    assert_null(t->refusal);
    assert_int_equal(t->rank, rank);

    float numbers[16];
    mood_tensor dst;
    assert_int_equal(mood_tensor_make(&dst, numbers, MOOD_F32, rank, dim), MOOD_OK);
    size_t n = (size_t)mood_tensor_elements(&dst);
    assert_in_range(n, 1, 15);
    numbers[n] = 77;
    assert_int_equal(mood__checkpoint_tensor(c, name, &dst), MOOD_OK);
    for (size_t i = 0; i < n; i++)
        assert_true(numbers[i] == first + 0.5f * (float)i);
    assert_true(numbers[n] == 77);
}

static void expect_refusal(const struct mood__checkpoint *c, const char *name, const char *detail)
{
    float numbers[16];
    mood_tensor dst;
    assert_int_equal(mood_tensor_make(&dst, numbers, MOOD_F32, 1, (const int64_t[]){1}), MOOD_OK);
    assert_non_null(mood__checkpoint_find(c, name));
    assert_int_equal(mood__checkpoint_tensor(c, name, &dst), MOOD_E_UNSUPPORTED);
    assert_non_null(strstr(mood_error_detail(), name));
    assert_non_null(strstr(mood_error_detail(), detail));
}

static void test_safetensors(void **state)
{
    (void)state;
    struct mood__checkpoint *c;
    assert_int_equal(mood__checkpoint_open(&c, CORPUS "safetensors/plain"), MOOD_OK);
    assert_int_equal(mood__checkpoint_count(c), 7);
    assert_string_equal(mood__checkpoint_at(c, 0)->name, "a");
    assert_string_equal(mood__checkpoint_at(c, 6)->name, "scalar");
    expect(c, "a", "F32", 2, (const int64_t[]){2, 3}, -1);
    expect(c, "b.half", "F16", 1, (const int64_t[]){5}, -1);
    expect(c, "c.brain", "BF16", 3, (const int64_t[]){1, 3, 1}, -1);
    expect(c, "scalar", "F32", 0, NULL, -1);
    expect_refusal(c, "ids", "I64");
    expect_refusal(c, "empty", "no elements");
    expect_refusal(c, "deep", "6 dimensions");
    assert_null(mood__checkpoint_find(c, "b"));
    mood__checkpoint_close(&c);
    assert_null(c);

    assert_int_equal(mood__checkpoint_open(&c, CORPUS "safetensors/escaped"), MOOD_OK);
    expect(c, "a/.", "F32", 1, (const int64_t[]){6}, -1);
    mood__checkpoint_close(&c);
}

/* Written by PyTorch itself. */
static void test_torch(void **state)
{
    (void)state;
    struct mood__checkpoint *c;
    assert_int_equal(mood__checkpoint_open(&c, CORPUS "torch/plain"), MOOD_OK);
    assert_int_equal(mood__checkpoint_count(c), 10);
    expect(c, "a", "torch.FloatStorage", 2, (const int64_t[]){2, 3}, 0);
    expect(c, "view", "torch.FloatStorage", 1, (const int64_t[]){6}, 1);
    expect(c, "tied", "torch.FloatStorage", 1, (const int64_t[]){12}, -1);
    expect(c, "half", "torch.HalfStorage", 1, (const int64_t[]){5}, -1);
    expect(c, "brain", "torch.BFloat16Storage", 3, (const int64_t[]){1, 3, 1}, -1);
    expect(c, "scalar", "torch.FloatStorage", 0, NULL, -1);
    expect(c, "negative", "torch.FloatStorage", 2, (const int64_t[]){1, 1}, -1);
    expect_refusal(c, "steps", "torch.LongStorage");
    expect_refusal(c, "empty", "no elements");
    expect_refusal(c, "turned", "contiguous");
    mood__checkpoint_close(&c);

    assert_int_equal(mood__checkpoint_open(&c, CORPUS "torch/zip64"), MOOD_OK);
    expect(c, "a", "torch.FloatStorage", 2, (const int64_t[]){2, 3}, -1);
    mood__checkpoint_close(&c);
}

/* All 65536 halves, against what the format says of them, in double precision. */
static void test_half(void **state)
{
    (void)state;
    static const char header[] =
        "{\"x\":{\"dtype\":\"F16\",\"shape\":[65536],\"data_offsets\":[0,131072]}}";
    static unsigned char file[8 + sizeof(header) - 1 + 131072];
    static float numbers[65536];
    size_t n = sizeof(header) - 1;
    file[0] = (unsigned char)n;
    memcpy(file + 8, header, n);
    for (unsigned i = 0; i < 65536; i++) {
        file[8 + n + 2 * i] = i & 255;
        file[8 + n + 2 * i + 1] = (unsigned char)(i >> 8);
    }
    struct mood__checkpoint *c;
    mood_tensor dst;
    assert_int_equal(mood__checkpoint_open_memory(&c, file, sizeof(file)), MOOD_OK);
    assert_int_equal(mood_tensor_make(&dst, numbers, MOOD_F32, 1, (const int64_t[]){65536}),
                     MOOD_OK);
    assert_int_equal(mood__checkpoint_tensor(c, "x", &dst), MOOD_OK);
    mood__checkpoint_close(&c);
    for (int i = 0; i < 65536; i++) {
        int exponent = i >> 10 & 31, fraction = i & 1023;
        double value = exponent ? 1024 + fraction : fraction, sign = i & 0x8000 ? -1 : 1;
        for (int e = 25; e > (exponent ? exponent : 1); e--)
            value /= 2;
        for (int e = 25; e < exponent; e++)
            value *= 2;
        if (exponent == 31 && fraction)
            assert_true(isnan(numbers[i]));
        else if (exponent == 31)
            assert_true(isinf(numbers[i]) && (numbers[i] > 0) == (sign > 0));
        else
            assert_true((double)numbers[i] == sign * value);
        if (i == 0x8000)
            assert_true(signbit(numbers[i]));
    }
}

static void test_wrong_use(void **state)
{
    (void)state;
    struct mood__checkpoint *c;
    float numbers[6];
    mood_tensor t, turned;
    assert_int_equal(mood__checkpoint_open(&c, CORPUS "safetensors/plain"), MOOD_OK);
    assert_int_equal(mood_tensor_make(&t, numbers, MOOD_F32, 2, (const int64_t[]){3, 2}), MOOD_OK);
    assert_int_equal(mood__checkpoint_tensor(c, "a", &t), MOOD_E_SHAPE);
    assert_non_null(strstr(mood_error_detail(), "(2, 3)"));
    assert_non_null(strstr(mood_error_detail(), "(3, 2)"));
    assert_int_equal(mood_tensor_transpose(&turned, &t, (const int[]){1, 0}), MOOD_OK);
    assert_int_equal(mood__checkpoint_tensor(c, "a", &turned), MOOD_E_INVALID);
    t.dtype = MOOD_I32;
    assert_int_equal(mood__checkpoint_tensor(c, "a", &t), MOOD_E_INVALID);
    assert_int_equal(mood__checkpoint_tensor(c, "nothing", &t), MOOD_E_MISSING);
    mood__checkpoint_close(&c);

    assert_int_equal(mood__checkpoint_open(&c, temp_path("absent")), MOOD_E_IO);
    assert_null(c);
    mood__checkpoint_close(&c);
}

/* ---- folders ------------------------------------------------------------------------------ */

static void write_file(const char *name, const void *bytes, size_t n_bytes)
{
    struct mood__part part = {bytes, n_bytes};
    assert_int_equal(mood__file_write_atomic(temp_path(name), &part, 1), MOOD_OK);
}

static void copy_file(const char *from, const char *name)
{
    unsigned char *bytes;
    size_t n = 0;
    assert_int_equal(mood__file_read(from, 1 << 20, &bytes, &n), MOOD_OK);
    write_file(name, bytes, n);
    mood__free(bytes);
}

/* A shard with one tensor of one number. */
static void write_shard(const char *file, const char *tensor)
{
    char bytes[200] = {0};
    int n = snprintf(bytes + 8, sizeof(bytes) - 8,
                     "{\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", tensor);
    bytes[0] = (char)n;
    memcpy(bytes + 8 + n, "\0\0\x80\xbf", 4); /* -1 */
    write_file(file, bytes, 8 + (size_t)n + 4);
}

static mood_status open_folder(struct mood__checkpoint **c)
{
    return mood__checkpoint_open(c, temp_folder);
}

static void test_folder(void **state)
{
    (void)state;
    struct mood__checkpoint *c;
    assert_int_equal(open_folder(&c), MOOD_E_MISSING);
    assert_non_null(strstr(mood_error_detail(), "model.safetensors"));

    copy_file(CORPUS "torch/plain", "pytorch_model.bin");
    assert_int_equal(open_folder(&c), MOOD_OK);
    assert_non_null(mood__checkpoint_find(c, "view"));
    mood__checkpoint_close(&c);

    /* A link to nowhere is no reason to take other weights. */
    assert_int_equal(symlink("nowhere", temp_path("model.safetensors")), 0);
    assert_int_equal(open_folder(&c), MOOD_E_IO);
    assert_non_null(strstr(mood_error_detail(), "model.safetensors: cannot be opened"));
    assert_int_equal(unlink(temp_path("model.safetensors")), 0);

    copy_file(CORPUS "safetensors/plain", "model.safetensors"); /* comes first */
    assert_int_equal(open_folder(&c), MOOD_OK);
    assert_non_null(mood__checkpoint_find(c, "b.half"));
    mood__checkpoint_close(&c);

    copy_file(CORPUS "safetensors/hole", "model.safetensors");
    assert_int_equal(open_folder(&c), MOOD_E_FORMAT);
    assert_int_equal(strncmp(mood_error_detail(), "model.safetensors: ", 19), 0);
    temp_sweep();
}

/* Both kinds of shards are held to the same rules. In the texts below, '@' is how the names of its
 * shards end, and '%' those of the other kind. */
static const struct kind {
    const char *index, *ending, *other, *type;
} kinds[] = {
    {"model.safetensors.index.json", ".safetensors", ".bin", "F32"},
    {"pytorch_model.bin.index.json", ".bin", ".safetensors", "torch.FloatStorage"},
};
enum { N_KINDS = sizeof(kinds) / sizeof(*kinds), TEXT_BYTES = 1000 };

static const char *spell(char out[TEXT_BYTES], const char *text, const struct kind *kind)
{
    size_t n = 0;
    for (; *text; text++) {
        const char piece[2] = {*text, 0};
        const char *more = *text == '@' ? kind->ending : *text == '%' ? kind->other : piece;
        assert_true(n + strlen(more) < TEXT_BYTES);
        memcpy(out + n, more, strlen(more) + 1);
        n += strlen(more);
    }
    out[n] = '\0';
    return out;
}

/* "1.safetensors" and "1.bin" with the tensor a, "2...." with b. */
static void write_shards(void)
{
    write_shard("1.safetensors", "a");
    write_shard("2.safetensors", "b");
    copy_file(CORPUS "torch/shard_1", "1.bin");
    copy_file(CORPUS "torch/shard_2", "2.bin");
}

static void write_index(const struct kind *kind, const char *text)
{
    char out[TEXT_BYTES];
    spell(out, text, kind);
    write_file(kind->index, out, strlen(out));
}

static void test_shards(void **state)
{
    (void)state;
    static const char right[] = "{\"metadata\": {\"total_size\": 8}, \"weight_map\": "
                                "{\"b\": \"2@\", \"a\": \"1@\"}}";
    write_shards();
    for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
        struct mood__checkpoint *c;
        write_index(kind, right);
        assert_int_equal(open_folder(&c), MOOD_OK);
        assert_int_equal(mood__checkpoint_count(c), 2);
        expect(c, "a", kind->type, 1, (const int64_t[]){1}, -1);
        expect(c, "b", kind->type, 1, (const int64_t[]){1}, -1);
        mood__checkpoint_close(&c);
        write_index(kind, "{\"weight_map\":{\"a\":\"1@\"}}"); /* without the other shard */
        assert_int_equal(open_folder(&c), MOOD_OK);
        assert_int_equal(mood__checkpoint_count(c), 1);
        mood__checkpoint_close(&c);
        assert_int_equal(unlink(temp_path(kind->index)), 0);
    }

    /* Safetensors come before PyTorch, and a whole file before shards. */
    static const char *const order[] = {"pytorch_model.bin.index.json", "pytorch_model.bin",
                                        "model.safetensors.index.json", "model.safetensors"};
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        struct mood__checkpoint *c;
        write_file(order[i], "no", 2);
        assert_int_equal(open_folder(&c), MOOD_E_FORMAT);
        assert_int_equal(strncmp(mood_error_detail(), order[i], strlen(order[i])), 0);
        assert_int_equal(mood_error_detail()[strlen(order[i])], ':');
    }
    temp_sweep();
}

static const struct {
    const char *index, *detail;
} wrong_indexes[] = {
    {"{\"weight_map\":{\"a\":\"2@\",\"b\":\"2@\"}}", "'a' is not in 2@, where the index has it"},
    {"{\"weight_map\":{\"a\":\"2@\",\"b\":\"1@\"}}", "'a' is not in 2@, where the index has it"},
    {"{\"weight_map\":{\"a\":\"1@\",\"c\":\"1@\"}}", "'c' is not in 1@, where the index has it"},
    {"{\"weight_map\":{\"a\":\"1@\",\"a\":\"1@\"}}", "there are two tensors 'a'"},
    {"{\"weight_map\":{\"a\":\"1@\",\"b\":\"also1@\"}}", "there are two tensors 'a'"},
    {"{\"weight_map\":{\"a\":\"more@\"}}", "' in more@ is not in the index"},
    {"{\"weight_map\":{\"a\":\"3@\"}}", "3@: cannot be opened: No such file or directory"},
    {"{\"weight_map\":{\"a\":\"folder@\"}}", "folder@: is a directory"},
    {"{\"weight_map\":{\"a\":\"pipe@\"}}", "pipe@: is not a regular file"},
    {"{\"weight_map\":{\"a\":\"cut@\"}}", "cut@: "},
    {"{\"weight_map\":{\"a\":\"../1@\"}}", "'../1@' is not the name of a shard"},
    {"{\"weight_map\":{\"a\":\"..@\"}}", "'..@' is not the name of a shard"},
    {"{\"weight_map\":{\"a\":\"..\\\\1@\"}}", "'..\\1@' is not the name of a shard"},
    {"{\"weight_map\":{\"a\":\"/1@\"}}", "'/1@' is not the name of a shard"},
    {"{\"weight_map\":{\"a\":\"@\"}}", "'@' is not the name of a shard"},
    {"{\"weight_map\":{\"a\":\"1@/\"}}", "'1@/' is not the name of a shard"},
    {"{\"weight_map\":{\"a\":\"1%\"}}", "'1%' is not the name of a shard"},
    {"{\"weight_map\":{\"a\":\"1\\u001b[2J@\"}}", "'1?[2J@' is not the name of a shard"},
    {"{\"weight_map\":{},\"weight_map\":{}}", "weight_map is there twice"},
    {"{\"weight_map\":{}}", "no weight_map, or an empty one"},
    {"{}", "no weight_map, or an empty one"},
    {"{\"weight_map\":[]}", "an object is expected"},
    {"{\"weight_map\":{\"a\":7}}", "a string is expected"},
    {"{\"weight_map\":{\"a\":\"1@\"}", "is expected"},
    {"{\"metadata\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "more than 32 deep"},
    {"{} {}", "the end is expected"},
    {"", "an object is expected"},
};

static void test_wrong_shards(void **state)
{
    (void)state;
    write_shards();
    copy_file(CORPUS "safetensors/plain", "more.safetensors");
    copy_file(CORPUS "torch/plain", "more.bin");
    copy_file(CORPUS "safetensors/cut_numbers", "cut.safetensors");
    copy_file(CORPUS "torch/cut", "cut.bin");
    for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
        char from[TEXT_BYTES], to[TEXT_BYTES], detail[TEXT_BYTES];
        spell(from, "1@", kind);
        assert_int_equal(symlink(from, temp_path(spell(to, "also1@", kind))), 0);
        assert_int_equal(mkdir(temp_path(spell(to, "folder@", kind)), 0700), 0);
        assert_int_equal(mkfifo(temp_path(spell(to, "pipe@", kind)), 0600), 0);
        for (size_t i = 0; i < sizeof(wrong_indexes) / sizeof(wrong_indexes[0]); i++) {
            struct mood__checkpoint *c;
            write_index(kind, wrong_indexes[i].index);
            alloc_bytes = 0;
            assert_int_not_equal(open_folder(&c), MOOD_OK);
            assert_null(c);
            if (!strstr(mood_error_detail(), spell(detail, wrong_indexes[i].detail, kind)))
                fail_msg("'%s' instead of '%s'", mood_error_detail(), detail);
            assert_int_equal(strncmp(mood_error_detail(), kind->index, strlen(kind->index)), 0);
            assert_in_range(alloc_bytes, 1, 100000);
        }
        assert_int_equal(unlink(temp_path(kind->index)), 0);
    }
    temp_sweep();
}

/* An index of 257 shards, and one that is larger than any, which is refused by its size. */
static void test_large_index(void **state)
{
    (void)state;
    for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
        struct mood__checkpoint *c;
        static char text[257 * 40];
        size_t n = (size_t)snprintf(text, sizeof(text), "{\"weight_map\":{");
        for (int i = 0; i < 257; i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"t%d\":\"s%d%s\"", i ? "," : "",
                                  i, i, kind->ending);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "}}");
        write_file(kind->index, text, n);
        assert_int_equal(open_folder(&c), MOOD_E_UNSUPPORTED);
        assert_non_null(strstr(mood_error_detail(), "more than 256 shards"));

        assert_int_equal(truncate(temp_path(kind->index), (16 << 20) + 1), 0);
        alloc_bytes = 0;
        assert_int_equal(open_folder(&c), MOOD_E_UNSUPPORTED);
        assert_in_range(alloc_bytes, 1, 65536);
        assert_int_equal(unlink(temp_path(kind->index)), 0);
    }
    temp_sweep();
}

/* ---- memory ------------------------------------------------------------------------------- */

static mood_status open_and_read(const void *path)
{
    struct mood__checkpoint *c;
    float number;
    mood_tensor t;
    mood_status status = mood_tensor_make(&t, &number, MOOD_F32, 0, NULL);
    if (status == MOOD_OK)
        status = mood__checkpoint_open(&c, path);
    if (status != MOOD_OK)
        return status;
    if (mood__checkpoint_find(c, "scalar"))
        status = mood__checkpoint_tensor(c, "scalar", &t);
    mood__checkpoint_close(&c);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_in_range(fail_each_alloc(open_and_read, CORPUS "safetensors/plain"), 4, 100);
    assert_in_range(fail_each_alloc(open_and_read, CORPUS "torch/plain"), 8, 100);
    write_shards();
    for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
        write_index(kind, "{\"weight_map\":{\"b\":\"2@\",\"a\":\"1@\"}}");
        assert_in_range(fail_each_alloc(open_and_read, temp_folder), 8, 100);
        assert_int_equal(unlink(temp_path(kind->index)), 0);
    }
    temp_sweep();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safetensors),  cmocka_unit_test(test_torch),
        cmocka_unit_test(test_half),         cmocka_unit_test(test_wrong_use),
        cmocka_unit_test(test_folder),       cmocka_unit_test(test_shards),
        cmocka_unit_test(test_wrong_shards), cmocka_unit_test(test_large_index),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, temp_setup, temp_teardown);
}
