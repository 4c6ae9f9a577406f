/* SPDX-License-Identifier: MIT
 *
 * test_sha256.c — SHA-256 against the example messages of FIPS 180-4 and NIST's long message, at
 * every split of the input, and across every length of padding: with the instructions of this
 * processor, and again in C. Then both against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "base/sha256.h"

static const char *hex_of(const void *data, size_t bytes, size_t piece)
{
    static char hex[MOOD__SHA256_HEX_BYTES];
    unsigned char digest[MOOD__SHA256_BYTES];
    struct mood__sha256 s;
    mood__sha256_start(&s);
    for (size_t at = 0; at < bytes; at += piece)
        mood__sha256_add(&s, (const char *)data + at, bytes - at < piece ? bytes - at : piece);
    mood__sha256_finish(&s, digest);
    return mood__sha256_hex(hex, digest);
}

static void test_examples(void **state)
{
    (void)state;
    static const struct {
        const char *message, *digest;
    } examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        size_t n = strlen(examples[i].message);
        for (size_t piece = 1; piece <= n + 1; piece++)
            assert_string_equal(hex_of(examples[i].message, n, piece), examples[i].digest);
    }
}

static void test_million(void **state)
{
    (void)state;
    static char a[1000000];
    memset(a, 'a', sizeof(a));
    const char *want = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    assert_string_equal(hex_of(a, sizeof(a), sizeof(a)), want);
    assert_string_equal(hex_of(a, sizeof(a), 997), want);
}

/* One digest over the digests of 0, 1, ... 300 zero bytes: each way in which padding can fall. The
 * value is that of Python's hashlib. */
static void test_padding(void **state)
{
    (void)state;
    static const unsigned char zeros[300];
    unsigned char digest[MOOD__SHA256_BYTES];
    char hex[MOOD__SHA256_HEX_BYTES];
    struct mood__sha256 all;
    mood__sha256_start(&all);
    for (size_t n = 0; n <= sizeof(zeros); n++) {
        mood__sha256_of(n ? zeros : NULL, n, digest);
        mood__sha256_add(&all, digest, sizeof(digest));
    }
    mood__sha256_finish(&all, digest);
    assert_string_equal(mood__sha256_hex(hex, digest),
                        "21ca6b0414077d01ad81ff2cd5ac9dfceaa3dd757d8d93e865935929b573c501");
}

static int use_c(void **state)
{
    (void)state;
    return setenv("MOOD_CPU", "c", 1);
}

static int use_best(void **state)
{
    (void)state;
    return unsetenv("MOOD_CPU");
}

/* Texts of any length, at any address, in up to four pieces. */
static void test_c_and_instructions_agree(void **state)
{
    enum { ROUNDS = 3000, MAX_BYTES = 1000 };
    assert_int_equal(use_best(state), 0);
    if (!mood__cpu_has_sha()) {
        print_message("this processor has no SHA instructions\n");
        skip();
    }
    static unsigned char text[MAX_BYTES + 64];
    struct mood__rng rng = mood__rng_make(1, 0);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (unsigned char)mood__rng_u64(&rng);
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = (size_t)mood__rng_below(&rng, MAX_BYTES + 1), at = 0;
        const unsigned char *p = text + mood__rng_below(&rng, 64);
        struct mood__sha256 fast, c;
        assert_int_equal(use_best(state), 0);
        mood__sha256_start(&fast);
        assert_int_equal(use_c(state), 0);
        mood__sha256_start(&c);
        assert_true(fast.take != c.take);
        for (int piece = 0; piece < 4; piece++) {
            size_t bytes = piece < 3 ? (size_t)mood__rng_below(&rng, n - at + 1) : n - at;
            mood__sha256_add(&fast, p + at, bytes);
            mood__sha256_add(&c, p + at, bytes);
            at += bytes;
        }
        unsigned char digest[2][MOOD__SHA256_BYTES];
        mood__sha256_finish(&fast, digest[0]);
        mood__sha256_finish(&c, digest[1]);
        assert_memory_equal(digest[0], digest[1], MOOD__SHA256_BYTES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_million),
        cmocka_unit_test(test_padding),
    };
    const struct CMUnitTest both[] = {cmocka_unit_test(test_c_and_instructions_agree)};
    return cmocka_run_group_tests_name("sha256", tests, use_best, NULL) +
           cmocka_run_group_tests_name("sha256 in C", tests, use_c, NULL) +
           cmocka_run_group_tests_name("sha256, both", both, NULL, NULL);
}
