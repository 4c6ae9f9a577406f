/* SPDX-License-Identifier: MIT
 *
 * test_header.c — The header of libmood's files: exactly one spelling, no undetected change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "store/header.h"

static const struct mood__format model = {"model", 1, 3};

static struct mood__header example(void)
{
    struct mood__header h = {.kind = "model", .major = 1, .minor = 2, .n_bytes = 13012345};
    for (int i = 0; i < MOOD__SHA256_BYTES; i++)
        h.sha256[i] = (unsigned char)(i * 8 + 1);
    return h;
}

/* A header with these lines and the right check sum behind them. */
static void make(unsigned char out[MOOD__HEADER_BYTES], const char *lines)
{
    unsigned char digest[MOOD__SHA256_BYTES];
    char hex[MOOD__SHA256_HEX_BYTES], text[MOOD__HEADER_BYTES] = {0};
    mood__sha256_of(lines, strlen(lines), digest);
    int n =
        snprintf(text, sizeof(text), "%sheader-sha256 %s\n", lines, mood__sha256_hex(hex, digest));
    assert_true(n > 0 && n < MOOD__HEADER_BYTES);
    memcpy(out, text, sizeof(text));
}

/* The parser sees a buffer of exactly n bytes, so that a sanitizer notices one byte too many. */
static mood_status read_exact(struct mood__header *out, const unsigned char *bytes, size_t n,
                              const struct mood__format *want)
{
    unsigned char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    mood_status status = mood__header_read(out, copy, n, want);
    free(copy);
    return status;
}

#define DIGEST "0109111921293139414951596169717981899199a1a9b1b9c1c9d1d9e1e9f1f9"
#define LINES  "libmood\nkind model\nversion 1.2\nbytes 13012345\nsha256 " DIGEST "\n"

static void test_spelling(void **state)
{
    (void)state;
    unsigned char bytes[MOOD__HEADER_BYTES], want[MOOD__HEADER_BYTES];
    struct mood__header h = example(), back;
    mood__header_write(bytes, &h);
    make(want, LINES);
    assert_memory_equal(bytes, want, sizeof(want));

    assert_int_equal(read_exact(&back, bytes, sizeof(bytes), &model), MOOD_OK);
    assert_string_equal(back.kind, "model");
    assert_int_equal(back.major, 1);
    assert_int_equal(back.minor, 2);
    assert_int_equal(back.n_bytes, 13012345);
    assert_memory_equal(back.sha256, h.sha256, sizeof(h.sha256));

    h.n_bytes = UINT64_MAX; /* the longest header of all */
    h.major = h.minor = 999;
    memset(h.kind, 'x', sizeof(h.kind) - 1);
    mood__header_write(bytes, &h);
    assert_int_equal(read_exact(&back, bytes, sizeof(bytes), NULL), MOOD_OK);
    assert_true(back.n_bytes == UINT64_MAX);
}

static void test_every_bit(void **state)
{
    (void)state;
    unsigned char bytes[MOOD__HEADER_BYTES];
    struct mood__header h = example(), back;
    mood__header_write(bytes, &h);
    for (size_t i = 0; i < sizeof(bytes) * 8; i++) {
        bytes[i / 8] ^= (unsigned char)(1 << i % 8);
        assert_int_equal(read_exact(&back, bytes, sizeof(bytes), NULL), MOOD_E_FORMAT);
        bytes[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    for (size_t n = 0; n < sizeof(bytes); n++)
        assert_int_equal(read_exact(&back, bytes, n, NULL), MOOD_E_FORMAT);
}

static void assert_refused(const char *lines, mood_status status, const char *text)
{
    unsigned char bytes[MOOD__HEADER_BYTES];
    struct mood__header h;
    make(bytes, lines);
    assert_int_equal(read_exact(&h, bytes, sizeof(bytes), &model), status);
    assert_string_equal(mood_error_detail(), text);
}

/* Headers whose check sum is right, and which are still not to be had. */
static void test_other_files(void **state)
{
    (void)state;
    static const char contradicts[] = "is damaged: its header contradicts itself";
    static const char rest[] = "\nbytes 5\nsha256 " DIGEST "\n";
    static const char *const spellings[] = {
        "kind model\nversion 01.2",
        "kind model\nversion 1.02",
        "kind model\nversion  1.2",
        "kind model\nversion +1.2",
        "kind model\nversion 0.9",
        "kind model\nversion 1",
        "kind model\nversion 1000.0",
        "kind mo\x1b[31mdel\nversion 1.2",
        "kind \nversion 1.2",
        "version 1.2\nkind model",
        "kind model-model-model-model-model-mo\nversion 1.2",
        "kind model\nversion 99999999999999999999.0",
    };
    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
        char lines[400];
        snprintf(lines, sizeof(lines), "libmood\n%s%s", spellings[i], rest);
        assert_refused(lines, MOOD_E_FORMAT, contradicts);
    }
    assert_refused("libmood\nkind model\nversion 1.2\nbytes 18446744073709551616\nsha256 " DIGEST
                   "\n",
                   MOOD_E_FORMAT, contradicts);
    assert_refused("libmood\nkind model\nversion 1.2\nbytes 5\nsha256 " DIGEST "0\n", MOOD_E_FORMAT,
                   contradicts);
    assert_refused("libmood\nkind model\nversion 1.2\nbytes 5\nsha256 " DIGEST "\nmore\n",
                   MOOD_E_FORMAT, contradicts);

    assert_refused("libmood\nkind encoder\nversion 1.0\nbytes 5\nsha256 " DIGEST "\n",
                   MOOD_E_FORMAT, "is a file of kind 'encoder', where 'model' is needed");
    /* A version from the future keeps the first and the last lines only. */
    assert_refused("libmood\nkind model\nversion 2.0\nzstd yes\n", MOOD_E_UNSUPPORTED,
                   "format version 2.0 is newer than 1.x, which this version of libmood reads");
}

static void assert_not_ours(const void *bytes, size_t n, const char *text)
{
    struct mood__header h;
    assert_int_equal(read_exact(&h, bytes, n, &model), MOOD_E_FORMAT);
    assert_string_equal(mood_error_detail(), text);
}

static void test_not_ours(void **state)
{
    (void)state;
    assert_not_ours("", 0, "is empty");
    assert_not_ours("RIFF....WAVE", 12, "is not a libmood file");
    assert_not_ours("libmood", 7, "is not a libmood file");
    assert_not_ours("libmood\nkind model\n", 19, "is cut off within its header");
    assert_not_ours("\x89HDF\r\n\x1a\n", 8, "is an HDF5 file, but none that libmood wrote");
}

/* A newer minor version is readable, and so is an older major one (its reader decides). */
static void test_versions(void **state)
{
    (void)state;
    static const struct mood__format second = {"model", 2, 0};
    unsigned char bytes[MOOD__HEADER_BYTES];
    struct mood__header h = example(), back;
    h.minor = 999;
    mood__header_write(bytes, &h);
    assert_int_equal(read_exact(&back, bytes, sizeof(bytes), &model), MOOD_OK);
    assert_int_equal(read_exact(&back, bytes, sizeof(bytes), &second), MOOD_OK);
    assert_int_equal(back.minor, 999);
}

/* Random changes to the lines, with the check sum made right again: whatever is accepted is
 * written back as it was. */
static void test_mutations(void **state)
{
    (void)state;
    struct mood__rng rng = mood__rng_make(1, 0);
    int accepted = 0;
    for (int round = 0; round < 20000; round++) {
        char lines[] = LINES;
        unsigned char bytes[MOOD__HEADER_BYTES], again[MOOD__HEADER_BYTES];
        struct mood__header h;
        for (uint64_t n = mood__rng_below(&rng, 3); n < 3; n++)
            lines[8 + mood__rng_below(&rng, sizeof(lines) - 9)] =
                (char)(round % 2 ? '0' + mood__rng_below(&rng, 10) : mood__rng_below(&rng, 256));
        make(bytes, lines);
        if (read_exact(&h, bytes, sizeof(bytes), NULL) == MOOD_OK) {
            mood__header_write(again, &h);
            assert_memory_equal(again, bytes, sizeof(bytes));
            accepted++;
        }
    }
    assert_in_range(accepted, 100, 19000); /* digits in the digest or length are fine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spelling),    cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_other_files), cmocka_unit_test(test_not_ours),
        cmocka_unit_test(test_versions),    cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
