/* SPDX-License-Identifier: MIT
 *
 * text.c — Comparing words and checking UTF-8 without the locale. */
#include "base/text.h"

static int lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

bool mood__same_word(const char *a, const char *b)
{
    while (*a && lower((unsigned char)*a) == lower((unsigned char)*b)) {
        a++;
        b++;
    }
    return lower((unsigned char)*a) == lower((unsigned char)*b);
}

/* Bytes of the sequence at s (1 to 4), or 0 when it is malformed. The second byte's range is what
 * rules out long forms, surrogates and values above U+10FFFF (RFC 3629, section 4). */
static size_t sequence(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    unsigned low = 0x80, high = 0xbf;
    size_t n;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        n = 2;
    else if (s[0] >= 0xe0 && s[0] <= 0xef)
        n = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        n = 4;
    else
        return 0;

    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++) { /* a final zero fails here too, so nothing is read past it */
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    }
    return n;
}

bool mood__is_utf8(const char *s)
{
    const unsigned char *at = (const unsigned char *)s;
    while (*at) {
        size_t n = sequence(at);
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}
