/* SPDX-License-Identifier: MIT
 *
 * ravdess.c — Reading RAVDESS file names.
 *
 * Statement, repetition and actor may go beyond the 2, 2 and 24 of RAVDESS itself: other corpora
 * and made-up voices borrow the form. */
#include "corpus/ravdess.h"

enum { N_CODES = 7 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool mood__ravdess_parse(const char *name, struct mood__ravdess *out)
{
    static const int highest[N_CODES] = {3, 2, 8, 2, 99, 99, 99};
    int code[N_CODES];
    for (int i = 0; i < N_CODES; i++, name += 3) {
        /* Character by character, so that a short name ends the test at its final zero. */
        if (!is_digit(name[0]) || !is_digit(name[1]) || name[2] != (i < N_CODES - 1 ? '-' : '.'))
            return false;
        code[i] = 10 * (name[0] - '0') + (name[1] - '0');
        if (code[i] < 1 || code[i] > highest[i])
            return false;
    }
    *out = (struct mood__ravdess){code[0], code[1], code[2], code[3], code[4], code[5], code[6]};
    return true;
}
