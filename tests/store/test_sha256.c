/* SPDX-License-Identifier: MIT
 *
 * test_sha256.c — SHA-256 against the example messages of FIPS 180-4 and NIST's long message, at
 * every split of the input, and across every length of padding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_million),
        cmocka_unit_test(test_padding),
    };
    return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
