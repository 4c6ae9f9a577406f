/* SPDX-License-Identifier: MIT
 *
 * text.h — Small questions about strings, answered the same in every locale. */
#ifndef MOOD_BASE_TEXT_H
#define MOOD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether two strings are equal when A-Z and a-z count as the same. Bytes above 127 have to match
 * exactly. (strcasecmp would follow the locale.) */
bool mood__same_word(const char *a, const char *b);

/* Whether a byte is a control character of ASCII: in text of one line there is none. */
static inline bool mood__is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Whether a string is well-formed UTF-8 (RFC 3629: shortest form, no surrogates, at most U+10FFFF):
 * what may go into JSON and into a model file. */
bool mood__is_utf8(const char *s);

#endif
