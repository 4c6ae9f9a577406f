/* SPDX-License-Identifier: MIT
 *
 * fuzz_header.c — Any bytes as the header of a file, as they are and with a check sum made right:
 * refused in one line, or accepted and then written back the same. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool promise)
{
    if (!promise)
        abort();
}

static void check(const uint8_t *data, size_t bytes)
{
    static const struct mood__format model = {"model", 1, 0};
    struct mood__header h;
    unsigned char again[MOOD__HEADER_BYTES];
    mood_status status = mood__header_read(&h, data, bytes, &model);
    if (status == MOOD_OK) {
        mood__header_write(again, &h);
        require(memcmp(again, data, sizeof(again)) == 0);
        require(strcmp(h.kind, model.kind) == 0 && h.major == 1);
    } else {
        require(status == MOOD_E_FORMAT || status == MOOD_E_UNSUPPORTED);
        for (const char *c = mood_error_detail(); *c; c++)
            require(*c >= ' ' && *c <= '~');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    check(data, bytes);

    /* The same lines, up to the last one of a whole header, with the right last line. */
    static const char last_key[] = "header-sha256 ";
    unsigned char digest[MOOD__SHA256_BYTES];
    char hex[MOOD__SHA256_HEX_BYTES], whole[MOOD__HEADER_BYTES + 1] = {0};
    if (bytes > MOOD__HEADER_BYTES - strlen(last_key) - sizeof(hex))
        bytes = MOOD__HEADER_BYTES - strlen(last_key) - sizeof(hex);
    if (bytes > 0)
        memcpy(whole, data, bytes);
    char *last = strstr(whole, last_key);
    size_t n = last ? (size_t)(last - whole) : strlen(whole);
    memset(whole + n, 0, sizeof(whole) - n);
    mood__sha256_of(whole, n, digest);
    snprintf(whole + n, sizeof(whole) - n, "%s%s\n", last_key, mood__sha256_hex(hex, digest));
    check((const uint8_t *)whole, MOOD__HEADER_BYTES);
    return 0;
}
