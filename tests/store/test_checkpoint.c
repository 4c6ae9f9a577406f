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

    copy_file(CORPUS "safetensors/plain", "model.safetensors"); /* comes first */
    assert_int_equal(open_folder(&c), MOOD_OK);
    assert_non_null(mood__checkpoint_find(c, "b.half"));
    mood__checkpoint_close(&c);

    copy_file(CORPUS "safetensors/hole", "model.safetensors");
    assert_int_equal(open_folder(&c), MOOD_E_FORMAT);
    assert_int_equal(strncmp(mood_error_detail(), "model.safetensors: ", 19), 0);
    temp_sweep();
}

static void test_shards(void **state)
{
    (void)state;
    static const struct {
        const char *index, *detail; /* NULL: it is right */
    } cases[] = {
        {"{\"metadata\": {\"total_size\": 8}, \"weight_map\": {\"b\": \"2.safetensors\", "
         "\"a\": \"1.safetensors\"}}",
         NULL},
        {"{\"weight_map\":{\"a\":\"1.safetensors\"}}", NULL}, /* without the other shard */
        {"{\"weight_map\":{\"a\":\"2.safetensors\",\"b\":\"2.safetensors\"}}", "'a' is not in 2"},
        {"{\"weight_map\":{\"a\":\"1.safetensors\",\"c\":\"1.safetensors\"}}", "'c' is not in 1"},
        {"{\"weight_map\":{\"a\":\"1.safetensors\",\"a\":\"1.safetensors\"}}", "two tensors 'a'"},
        {"{\"weight_map\":{\"a\":\"3.safetensors\"}}", "3.safetensors: cannot be opened"},
        {"{\"weight_map\":{\"a\":\"../1.safetensors\"}}", "'../1.safetensors' is not the name"},
        {"{\"weight_map\":{\"a\":\"/1.safetensors\"}}", "'/1.safetensors' is not the name"},
        {"{\"weight_map\":{\"a\":\".safetensors\"}}", "'.safetensors' is not the name"},
        {"{\"weight_map\":{\"a\":\"1.bin\"}}", "'1.bin' is not the name"},
        {"{\"weight_map\":{},\"weight_map\":{}}", "weight_map is there twice"},
        {"{\"weight_map\":{}}", "no weight_map"},
        {"{}", "no weight_map"},
        {"{\"weight_map\":[]}", "an object is expected"},
        {"{\"weight_map\":{\"a\":7}}", "a string is expected"},
        {"{} {}", "the end is expected"},
        {"", "an object is expected"},
    };
    write_shard("1.safetensors", "a");
    write_shard("2.safetensors", "b");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mood__checkpoint *c;
        write_file("model.safetensors.index.json", cases[i].index, strlen(cases[i].index));
        mood_status status = open_folder(&c);
        if (cases[i].detail) {
            assert_int_not_equal(status, MOOD_OK);
            if (!strstr(mood_error_detail(), cases[i].detail))
                fail_msg("'%s' instead of '%s'", mood_error_detail(), cases[i].detail);
            continue;
        }
        assert_int_equal(status, MOOD_OK);
        expect(c, "a", "F32", 1, (const int64_t[]){1}, -1);
        mood__checkpoint_close(&c);
    }

    struct mood__checkpoint *c;
    copy_file(CORPUS "safetensors/plain", "1.safetensors");
    static const char partial[] = "{\"weight_map\":{\"a\":\"1.safetensors\"}}";
    write_file("model.safetensors.index.json", partial, strlen(partial));
    assert_int_equal(open_folder(&c), MOOD_E_FORMAT);
    assert_non_null(strstr(mood_error_detail(), "'b.half' in 1.safetensors is not in the index"));
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
    static const char index[] =
        "{\"weight_map\":{\"b\":\"2.safetensors\",\"a\":\"1.safetensors\"}}";
    write_shard("1.safetensors", "a");
    write_shard("2.safetensors", "b");
    write_file("model.safetensors.index.json", index, strlen(index));
    assert_in_range(fail_each_alloc(open_and_read, CORPUS "safetensors/plain"), 4, 100);
    assert_in_range(fail_each_alloc(open_and_read, CORPUS "torch/plain"), 8, 100);
    assert_in_range(fail_each_alloc(open_and_read, temp_folder), 8, 100);
    temp_sweep();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safetensors), cmocka_unit_test(test_torch),
        cmocka_unit_test(test_half),        cmocka_unit_test(test_wrong_use),
        cmocka_unit_test(test_folder),      cmocka_unit_test(test_shards),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, temp_setup, temp_teardown);
}
