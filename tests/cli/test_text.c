/* SPDX-License-Identifier: MIT
 *
 * test_text.c — The two pure text functions of cli.h: printable names and the progress bar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli.h"

static void test_printable(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"plain name.wav", "plain name.wav"},
        {"a\nb\tc\rd", "a\\nb\\tc\\x0dd"},
        {"\x1b[31m\x7f", "\\x1b[31m\\x7f"},
        {"Gr\xc3\xbc\xc3\x9f"
         "e \xe2\x82\xac \xf0\x9f\x8e\xb5",
         "Gr\xc3\xbc\xc3\x9f"
         "e \xe2\x82\xac \xf0\x9f\x8e\xb5"},
        {"\xc2\x80\xc2\x9f\xc2\xa0",
         "\\xc2\\x80\\xc2\\x9f\xc2\xa0"}, /* C1; then a plain character */
        {"\xc3", "\\xc3"},
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xc0\xaf", "\\xc0\\xaf"},
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"\xf8\x88", "\\xf8\\x88"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char out[64];
        assert_string_equal(cli_printable(out, sizeof(out), pairs[i][0]), pairs[i][1]);
    }
}

/* A text is cut between characters, never inside one or inside an escape. */
static void test_printable_is_cut(void **state)
{
    (void)state;
    char out[8];
    assert_string_equal(cli_printable(out, sizeof(out), "1234567890"), "1234567");
    assert_string_equal(cli_printable(out, sizeof(out), "12345\xe2\x82\xac"), "12345");
    assert_string_equal(cli_printable(out, sizeof(out), "1234\x1b"), "1234");
    assert_string_equal(cli_printable(out, sizeof(out), "123\x1b"), "123\\x1b");
    assert_string_equal(cli_printable(out, 1, "123"), "");
}

static void test_progress(void **state)
{
    (void)state;
    char out[256];
    struct cli_progress p = {.label = "epoch 3", .unit = "clips", .done = 30, .total = 120};
    cli_progress_text(out, sizeof(out), &p, 15, 100);
    assert_string_equal(out,
                        "epoch 3 [######..................]  25%  30/120  2.0 clips/s  45s left");
    cli_progress_text(out, sizeof(out), &p, 1500, 100);
    assert_string_equal(out,
                        "epoch 3 [######..................]  25%  30/120  0.0 clips/s  1h15m left");
    p.done = 120;
    cli_progress_text(out, sizeof(out), &p, 6, 100);
    assert_string_equal(out,
                        "epoch 3 [########################] 100%  120/120  20 clips/s  0s left");
    p.done = 0;
    cli_progress_text(out, sizeof(out), &p, 0, 100);
    assert_string_equal(out, "epoch 3 [........................]   0%  0/120");

    /* More than the total is no reason to draw outside; an unknown total shows a count. */
    p.done = 500;
    cli_progress_text(out, sizeof(out), &p, 0, 100);
    assert_string_equal(out, "epoch 3 [########################] 100%  120/120");
    p.total = 0;
    cli_progress_text(out, sizeof(out), &p, 10, 100);
    assert_string_equal(out, "epoch 3  500 clips  50 clips/s");

    /* The last column stays free. */
    cli_progress_text(out, sizeof(out), &p, 10, 10);
    assert_int_equal(strlen(out), 9);
    cli_progress_text(out, sizeof(out), &p, 10, 0);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printable),
        cmocka_unit_test(test_printable_is_cut),
        cmocka_unit_test(test_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
