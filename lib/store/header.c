/* SPDX-License-Identifier: MIT
 *
 * header.c — Writing and checking the header of libmood's files. */
#include "store/header.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const char magic[] = "libmood\n";
static const char last_key[] = "header-sha256 ";
static const char hdf5_magic[] = "\x89HDF\r\n\x1a\n";

enum { MAX_VERSION = 999, HEX_DIGITS = MOOD__SHA256_HEX_BYTES - 1 };

static const char *hex_of(char hex[MOOD__SHA256_HEX_BYTES], const char *text, size_t n)
{
    unsigned char digest[MOOD__SHA256_BYTES];
    mood__sha256_of(text, n, digest);
    return mood__sha256_hex(hex, digest);
}

void mood__header_write(unsigned char out[MOOD__HEADER_BYTES], const struct mood__header *h)
{
    char text[MOOD__HEADER_BYTES] = {0}, hex[MOOD__SHA256_HEX_BYTES];
    int n =
        snprintf(text, sizeof(text), "%skind %s\nversion %d.%d\nbytes %" PRIu64 "\nsha256 %s\n",
                 magic, h->kind, h->major, h->minor, h->n_bytes, mood__sha256_hex(hex, h->sha256));
    /* Some 240 bytes at most, so nothing is ever cut. */
    snprintf(text + n, sizeof(text) - (size_t)n, "%s%s\n", last_key, hex_of(hex, text, (size_t)n));
    memcpy(out, text, sizeof(text));
}

/* Whether the last line is there and agrees with those above. */
static bool sum_agrees(const char *text)
{
    const char *last = strstr(text, last_key);
    if (!last)
        return false;
    char hex[MOOD__SHA256_HEX_BYTES];
    hex_of(hex, text, (size_t)(last - text));
    last += strlen(last_key);
    return strncmp(last, hex, HEX_DIGITS) == 0 && strcmp(last + HEX_DIGITS, "\n") == 0;
}

/* The parsers below are lenient: what they read is written again and compared at the end. Each
 * moves *at behind what it took. */

static bool take(const char **at, const char *text)
{
    size_t n = strlen(text);
    if (strncmp(*at, text, n) != 0)
        return false;
    *at += n;
    return true;
}

static bool take_number(const char **at, uint64_t max, uint64_t *out)
{
    const char *start = *at;
    uint64_t n = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        unsigned digit = (unsigned)(**at - '0');
        if (n > (max - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return *at > start;
}

static bool take_kind(const char **at, char kind[MOOD__KIND_BYTES])
{
    size_t n = strspn(*at, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (n == 0 || n >= MOOD__KIND_BYTES)
        return false;
    memcpy(kind, *at, n);
    kind[n] = '\0';
    *at += n;
    return true;
}

static bool take_digest(const char **at, unsigned char digest[MOOD__SHA256_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    if (strspn(*at, digits) != HEX_DIGITS)
        return false;
    for (int i = 0; i < MOOD__SHA256_BYTES; i++, *at += 2)
        digest[i] = (unsigned char)((strchr(digits, (*at)[0]) - digits) << 4 |
                                    (strchr(digits, (*at)[1]) - digits));
    return true;
}

static bool take_version(const char **at, struct mood__header *h)
{
    uint64_t major, minor;
    if (!take_number(at, MAX_VERSION, &major) || !take(at, ".") ||
        !take_number(at, MAX_VERSION, &minor) || major == 0)
        return false;
    h->major = (int)major;
    h->minor = (int)minor;
    return true;
}

mood_status mood__format_check(const struct mood__format *format)
{
    char kind[MOOD__KIND_BYTES];
    const char *at = format->kind;
    if (!take_kind(&at, kind) || *at)
        return mood__fail(MOOD_E_INVALID, "'%s' is not possible as a kind of file", format->kind);
    if (format->major < 1 || format->major > MAX_VERSION || format->minor < 0 ||
        format->minor > MAX_VERSION)
        return mood__fail(MOOD_E_INVALID, "%d.%d is not possible as a format version",
                          format->major, format->minor);
    return MOOD_OK;
}

static mood_status damaged(void)
{
    return mood__fail(MOOD_E_FORMAT, "is damaged: its header contradicts itself");
}

static mood_status not_ours(const unsigned char *bytes, size_t n_bytes)
{
    if (n_bytes == 0)
        return mood__fail(MOOD_E_FORMAT, "is empty");
    if (n_bytes >= 8 && memcmp(bytes, hdf5_magic, 8) == 0)
        return mood__fail(MOOD_E_FORMAT, "is an HDF5 file, but none that libmood wrote");
    return mood__fail(MOOD_E_FORMAT, "is not a libmood file");
}

mood_status mood__header_read(struct mood__header *out, const unsigned char *bytes, size_t n_bytes,
                              const struct mood__format *want)
{
    size_t n_magic = strlen(magic);
    if (n_bytes < n_magic || memcmp(bytes, magic, n_magic) != 0)
        return not_ours(bytes, n_bytes);
    if (n_bytes < MOOD__HEADER_BYTES)
        return mood__fail(MOOD_E_FORMAT, "is cut off within its header");

    char text[MOOD__HEADER_BYTES + 1];
    memcpy(text, bytes, MOOD__HEADER_BYTES);
    text[MOOD__HEADER_BYTES] = '\0';
    if (!sum_agrees(text))
        return damaged();

    struct mood__header h = {0};
    const char *at = text + n_magic;
    if (!take(&at, "kind ") || !take_kind(&at, h.kind) || !take(&at, "\nversion ") ||
        !take_version(&at, &h))
        return damaged();
    if (want && strcmp(h.kind, want->kind) != 0)
        return mood__fail(MOOD_E_FORMAT, "is a file of kind '%s', where '%s' is needed", h.kind,
                          want->kind);
    if (want && h.major > want->major)
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "format version %d.%d is newer than %d.x, which this version of libmood "
                          "reads",
                          h.major, h.minor, want->major);

    unsigned char again[MOOD__HEADER_BYTES];
    if (!take(&at, "\nbytes ") || !take_number(&at, UINT64_MAX, &h.n_bytes) ||
        !take(&at, "\nsha256 ") || !take_digest(&at, h.sha256))
        return damaged();
    mood__header_write(again, &h);
    if (memcmp(again, bytes, MOOD__HEADER_BYTES) != 0)
        return damaged();
    *out = h;
    return MOOD_OK;
}
