/* SPDX-License-Identifier: MIT
 *
 * json.c — Walking through JSON text. Every look at the text stops at the zero behind it, so there
 * are no bounds to check. */
#include "store/json.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum { MAX_DEPTH = 32 };

static mood_status bad(const struct mood__json *j, const char *wanted)
{
    return mood__fail(MOOD_E_FORMAT, "is not JSON: %s is expected at byte %zu", wanted,
                      (size_t)(j->at - j->text));
}

static void space(struct mood__json *j)
{
    while (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t')
        j->at++;
}

mood_status mood__json_start(struct mood__json *j, const char *text, size_t n_bytes)
{
    *j = (struct mood__json){.text = text, .at = text};
    if (strlen(text) != n_bytes)
        return mood__fail(MOOD_E_FORMAT, "is not JSON: a zero byte at %zu", strlen(text));
    if (!mood__is_utf8(text))
        return mood__fail(MOOD_E_FORMAT, "is not JSON: not UTF-8");
    return MOOD_OK;
}

mood_status mood__json_open(struct mood__json *j, char bracket)
{
    space(j);
    if (*j->at != bracket)
        return bad(j, bracket == '{' ? "an object" : "an array");
    j->at++;
    j->fresh = true;
    return MOOD_OK;
}

mood_status mood__json_next(struct mood__json *j, char closing, bool *more)
{
    bool fresh = j->fresh;
    j->fresh = false;
    space(j);
    *more = *j->at != closing;
    if (!*more) {
        j->at++;
        return MOOD_OK;
    }
    if (fresh)
        return MOOD_OK;
    if (*j->at != ',')
        return bad(j, "a comma or the end");
    j->at++;
    return MOOD_OK;
}

/* ---- strings ------------------------------------------------------------------------------ */

/* The four digits of \uXXXX. */
static bool hex4(struct mood__json *j, unsigned *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, j->at++) {
        char c = *j->at;
        unsigned digit = 0;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (unsigned)(c - 'A') + 10;
        else
            return false;
        *out = *out << 4 | digit;
    }
    return true;
}

/* A code point as UTF-8 (RFC 3629); returns its length. */
static size_t encode(unsigned c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf0u << (4 - n) & 0xffu) | c);
    return n;
}

/* What follows a backslash; `at` is behind that. *n = 0: no such escape. */
static void escape(struct mood__json *j, char out[4], size_t *n)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *known = *j->at ? strchr(letters, *j->at) : NULL;
    unsigned c = 0, low = 0;
    *n = 0;
    if (known) {
        out[0] = meanings[known - letters];
        *n = 1;
        j->at++;
    } else if (*j->at == 'u') {
        j->at++;
        if (!hex4(j, &c) || c == 0 || (c >= 0xdc00 && c < 0xe000))
            return;
        if (c >= 0xd800 && c < 0xdc00) { /* the first half of a pair (UTF-16) */
            if (j->at[0] != '\\' || j->at[1] != 'u')
                return;
            j->at += 2;
            if (!hex4(j, &low) || low < 0xdc00 || low >= 0xe000)
                return;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
        *n = encode(c, out);
    }
}

/* out may be NULL: then the string may have any length. */
static mood_status string(struct mood__json *j, char *out, size_t room)
{
    space(j);
    if (*j->at != '"')
        return bad(j, "a string");
    const char *start = j->at++;
    size_t used = 0;
    while (*j->at != '"') {
        char c[4] = {*j->at};
        size_t n = 1;
        if ((unsigned char)*j->at < ' ')
            return bad(j, "the end of a string");
        if (*j->at++ == '\\')
            escape(j, c, &n);
        if (n == 0)
            return bad(j, "an escape sequence");
        if (out && n > room - 1 - used)
            return mood__fail(MOOD_E_FORMAT, "the string at byte %zu is longer than %zu",
                              (size_t)(start - j->text), room - 1);
        if (out)
            memcpy(out + used, c, n);
        used += n;
    }
    j->at++;
    if (out)
        out[used] = '\0';
    return MOOD_OK;
}

mood_status mood__json_string(struct mood__json *j, char *out, size_t room)
{
    return string(j, out, room);
}

mood_status mood__json_key(struct mood__json *j, char *out, size_t room)
{
    MOOD__TRY(string(j, out, room));
    space(j);
    if (*j->at != ':')
        return bad(j, "a colon");
    j->at++;
    return MOOD_OK;
}

/* ---- numbers, and everything else ----------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

mood_status mood__json_whole(struct mood__json *j, uint64_t *out)
{
    space(j);
    uint64_t value = 0;
    const char *start = j->at;
    while (is_digit(*j->at)) {
        uint64_t digit = (uint64_t)(*j->at++ - '0');
        if (value > (INT64_MAX - digit) / 10)
            return bad(j, "a smaller number");
        value = value * 10 + digit;
    }
    size_t n = (size_t)(j->at - start);
    if (n == 0 || (n > 1 && *start == '0') || (*j->at && strchr(".eE", *j->at)))
        return bad(j, "a whole number");
    *out = value;
    return MOOD_OK;
}

/* Returns how many. */
static size_t skip_digits(struct mood__json *j)
{
    const char *start = j->at;
    while (is_digit(*j->at))
        j->at++;
    return (size_t)(j->at - start);
}

static mood_status skip_number(struct mood__json *j)
{
    j->at += *j->at == '-';
    bool zero = *j->at == '0';
    size_t n = skip_digits(j);
    bool ok = zero ? n == 1 : n > 0;
    if (ok && *j->at == '.') {
        j->at++;
        ok = skip_digits(j) > 0;
    }
    if (ok && (*j->at == 'e' || *j->at == 'E')) {
        j->at++;
        j->at += *j->at == '-' || *j->at == '+';
        ok = skip_digits(j) > 0;
    }
    return ok ? MOOD_OK : bad(j, "a value");
}

/* The digits of [*at, end), appended to *value; returns how many. */
static int read_digits(const char **at, const char *end, double *value)
{
    const char *start = *at;
    for (; *at < end && is_digit(**at); ++*at)
        *value = *value * 10.0 + (**at - '0');
    return (int)(*at - start);
}

/* Not by strtod, whose decimal point follows the locale. */
mood_status mood__json_number(struct mood__json *j, double *out)
{
    enum { MAX_NUMBER_BYTES = 300 }; /* so that the digits alone fit into a double */
    space(j);
    const char *at = j->at;
    MOOD__TRY(skip_number(j));
    if (j->at - at > MAX_NUMBER_BYTES)
        return bad(j, "a shorter number");
    double value = 0, exponent = 0;
    bool negative = *at == '-';
    at += negative;
    read_digits(&at, j->at, &value);
    int n_behind_point = 0;
    if (at < j->at && *at == '.') {
        at++;
        n_behind_point = read_digits(&at, j->at, &value);
    }
    if (at < j->at) { /* "e", a sign or none, digits */
        bool small = at[1] == '-';
        at += small || at[1] == '+' ? 2 : 1;
        read_digits(&at, j->at, &exponent);
        exponent = small ? -exponent : exponent;
    }
    exponent -= n_behind_point;
    if (value != 0) /* 0e999 is 0 */
        value = exponent < 0 ? value / pow(10, -exponent) : value * pow(10, exponent);
    if (!isfinite(value))
        return bad(j, "a smaller number");
    *out = negative ? -value : value;
    return MOOD_OK;
}

/* Step over one of these words, or nothing. */
static bool take_word(struct mood__json *j, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(j->at, word, n) != 0)
        return false;
    j->at += n;
    return true;
}

mood_status mood__json_bool(struct mood__json *j, bool *out)
{
    space(j);
    *out = take_word(j, "true");
    return *out || take_word(j, "false") ? MOOD_OK : bad(j, "true or false");
}

enum mood__json_kind mood__json_peek(struct mood__json *j)
{
    space(j);
    switch (*j->at) {
    case '{':
        return MOOD__JSON_OBJECT;
    case '[':
        return MOOD__JSON_ARRAY;
    case '"':
        return MOOD__JSON_STRING;
    case 't':
    case 'f':
        return MOOD__JSON_BOOL;
    case 'n':
        return MOOD__JSON_NULL;
    default:
        return *j->at == '-' || is_digit(*j->at) ? MOOD__JSON_NUMBER : MOOD__JSON_NOTHING;
    }
}

static mood_status skip(struct mood__json *j, int depth)
{
    space(j);
    if (*j->at == '"')
        return string(j, NULL, 0);
    if (*j->at != '{' && *j->at != '[') {
        if (take_word(j, "true") || take_word(j, "false") || take_word(j, "null"))
            return MOOD_OK;
        return skip_number(j);
    }
    if (depth == MAX_DEPTH)
        return mood__fail(MOOD_E_FORMAT, "has JSON that is more than %d deep", MAX_DEPTH);
    char opening = *j->at, closing = opening == '{' ? '}' : ']';
    MOOD__TRY(mood__json_open(j, opening));
    for (bool more;;) {
        MOOD__TRY(mood__json_next(j, closing, &more));
        if (!more)
            return MOOD_OK;
        if (opening == '{')
            MOOD__TRY(mood__json_key(j, NULL, 0));
        MOOD__TRY(skip(j, depth + 1));
    }
}

mood_status mood__json_skip(struct mood__json *j)
{
    return skip(j, 0);
}

mood_status mood__json_end(struct mood__json *j)
{
    space(j);
    return *j->at == '\0' ? MOOD_OK : bad(j, "the end");
}
