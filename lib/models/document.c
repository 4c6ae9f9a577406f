/* SPDX-License-Identifier: MIT
 *
 * document.c — Members of foreign JSON files. Each question walks through the text again: these
 * files have some kilobytes and some forty questions, and a walk needs no memory. */
#include "models/document.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/listing.h"

enum { KEY_BYTES = 256 };

mood_status mood__document_read(struct mood__document *out, const char *path)
{
    struct mood__json j;
    *out = (struct mood__document){0};
    MOOD__TRY(mood__file_read(path, MOOD__DOCUMENT_MAX_BYTES, &out->text, &out->n_bytes));
    MOOD__TRY(mood__json_start(&j, (const char *)out->text, out->n_bytes));
    if (mood__json_peek(&j) != MOOD__JSON_OBJECT)
        return mood__fail(MOOD_E_FORMAT, "is not a JSON object");
    MOOD__TRY(mood__json_skip(&j));
    return mood__json_end(&j);
}

void mood__document_free(struct mood__document *d)
{
    mood__free(d->text);
    *d = (struct mood__document){0};
}

mood_status mood__document_find(const struct mood__document *d, const char *key,
                                struct mood__json *at, bool *found)
{
    struct mood__json j;
    *found = false;
    if (!d->text)
        return MOOD_OK;
    MOOD__TRY(mood__json_start(&j, (const char *)d->text, d->n_bytes));
    MOOD__TRY(mood__json_open(&j, '{'));
    for (bool more;;) {
        char name[KEY_BYTES];
        MOOD__TRY(mood__json_next(&j, '}', &more));
        if (!more)
            return MOOD_OK;
        MOOD__TRY(mood__json_key(&j, name, sizeof(name)));
        if (strcmp(name, key) == 0) {
            if (*found)
                return mood__fail(MOOD_E_FORMAT, "'%s' is there twice", key);
            *found = true;
            *at = j;
        }
        MOOD__TRY(mood__json_skip(&j));
    }
}

mood_status mood__document_refuse(const struct mood__document *d, const char *key,
                                  mood_status status, const char *wanted)
{
    struct mood__json at;
    bool found;
    char shown[MOOD__SHOWN_BYTES];
    MOOD__TRY(mood__document_find(d, key, &at, &found));
    if (!found)
        return mood__fail(status, "'%s' is absent; it has to be %s", key, wanted);
    mood__json_peek(&at); /* over white space */
    const char *value = at.at;
    MOOD__TRY(mood__json_skip(&at));
    return mood__fail(status, "'%s' is %s, not %s", key,
                      mood__show(shown, value, (size_t)(at.at - value)), wanted);
}

/* A whole number of an int, or false. */
static bool read_int(struct mood__json *at, int *out)
{
    uint64_t value;
    if (mood__json_peek(at) != MOOD__JSON_NUMBER || mood__json_whole(at, &value) || value > INT_MAX)
        return false;
    *out = (int)value;
    return true;
}

mood_status mood__document_whole(const struct mood__document *d, const char *key, int *out)
{
    struct mood__json at;
    bool found;
    MOOD__TRY(mood__document_find(d, key, &at, &found));
    if (found && !read_int(&at, out))
        return mood__document_refuse(d, key, MOOD_E_FORMAT, "a whole number below 2^31");
    return MOOD_OK;
}

mood_status mood__document_wholes(const struct mood__document *d, const char *key, int *out,
                                  int room, int *n)
{
    struct mood__json at;
    bool found;
    MOOD__TRY(mood__document_find(d, key, &at, &found));
    if (!found)
        return MOOD_OK;
    if (mood__json_peek(&at) != MOOD__JSON_ARRAY)
        return mood__document_refuse(d, key, MOOD_E_FORMAT, "an array of whole numbers");
    *n = 0;
    MOOD__TRY(mood__json_open(&at, '['));
    for (bool more;;) {
        MOOD__TRY(mood__json_next(&at, ']', &more));
        if (!more)
            return MOOD_OK;
        if (*n == room)
            return mood__fail(MOOD_E_UNSUPPORTED, "'%s' has more than %d numbers", key, room);
        if (!read_int(&at, &out[*n]))
            return mood__document_refuse(d, key, MOOD_E_FORMAT, "an array of whole numbers");
        ++*n;
    }
}

mood_status mood__document_float(const struct mood__document *d, const char *key, float *out)
{
    struct mood__json at;
    bool found;
    double value;
    MOOD__TRY(mood__document_find(d, key, &at, &found));
    if (!found)
        return MOOD_OK;
    if (mood__json_peek(&at) != MOOD__JSON_NUMBER || mood__json_number(&at, &value) ||
        fabs(value) > FLT_MAX)
        return mood__document_refuse(d, key, MOOD_E_FORMAT, "a number");
    *out = (float)value;
    return MOOD_OK;
}

mood_status mood__document_bool(const struct mood__document *d, const char *key, bool *out)
{
    struct mood__json at;
    bool found;
    MOOD__TRY(mood__document_find(d, key, &at, &found));
    if (found && mood__json_bool(&at, out))
        return mood__document_refuse(d, key, MOOD_E_FORMAT, "true or false");
    return MOOD_OK;
}

mood_status mood__document_text(const struct mood__document *d, const char *key, char *out,
                                size_t room)
{
    struct mood__json at;
    bool found;
    MOOD__TRY(mood__document_find(d, key, &at, &found));
    if (!found || mood__json_peek(&at) == MOOD__JSON_NULL)
        return MOOD_OK;
    if (mood__json_peek(&at) != MOOD__JSON_STRING || mood__json_string(&at, out, room))
        return mood__document_refuse(d, key, MOOD_E_FORMAT, "a short string");
    return MOOD_OK;
}

mood_status mood__document_is(struct mood__json *at, const char *written, bool *equal)
{
    mood__json_peek(at);
    const char *value = at->at;
    MOOD__TRY(mood__json_skip(at));
    size_t n = (size_t)(at->at - value);
    *equal = n == strlen(written) && memcmp(value, written, n) == 0;
    return MOOD_OK;
}
