/* SPDX-License-Identifier: MIT
 *
 * zip.c — Where the entries of a zip archive lie. Names of fields are those of the APPNOTE, in
 * short. */
#include "store/zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/listing.h"

enum {
    LOCAL_BYTES = 30,     /* a local header, without its name */
    CENTRAL_BYTES = 46,   /* a record of the directory, without its name */
    END_BYTES = 22,       /* end of central directory record, without a comment */
    LOCATOR_BYTES = 20,   /* zip64 end of central directory locator */
    END64_BYTES = 56,     /* zip64 end of central directory record, version 1 */
    MAX_NAME_BYTES = 511, /* PyTorch's are "folder/data/17" */
    MAX_DIRECTORY_BYTES = 1 << 26,
    FLAG_ENCRYPTED = 1,
    ZIP64_EXTRA = 1
};

/* A number of 32 bits that says: look into the zip64 record. */
static const uint32_t SATURATED = UINT32_MAX;

static mood_status damaged(const char *what)
{
    return mood__fail(MOOD_E_FORMAT, "is a damaged zip archive: %s", what);
}

bool mood__zip_begins(const unsigned char *bytes, size_t n_bytes)
{
    return n_bytes >= 4 && has_tag(bytes, "PK\3\4");
}

/* ---- the end: where the directory is ------------------------------------------------------- */

struct directory {
    uint64_t offset, n_bytes, n_entries;
};

/* Replace what the plain record says by what the zip64 record says. The latter stands right before
 * its locator, which stands right before the plain record at `end`. */
static mood_status read_end64(const struct mood__input *in, uint64_t *end, struct directory *d)
{
    unsigned char locator[LOCATOR_BYTES], r[END64_BYTES];
    if (*end < LOCATOR_BYTES)
        return MOOD_OK;
    MOOD__TRY(mood__input_read(in, *end - LOCATOR_BYTES, locator, sizeof(locator)));
    if (!has_tag(locator, "PK\6\7"))
        return MOOD_OK;
    if (*end < LOCATOR_BYTES + END64_BYTES ||
        le64(locator + 8) != *end - LOCATOR_BYTES - END64_BYTES)
        return damaged("the zip64 record is not where it should be");
    *end = le64(locator + 8);
    MOOD__TRY(mood__input_read(in, *end, r, sizeof(r)));
    if (!has_tag(r, "PK\6\6") || le64(r + 4) != END64_BYTES - 12)
        return damaged("no zip64 record");
    if (le32(r + 16) != 0 || le32(r + 20) != 0 || le64(r + 24) != le64(r + 32))
        return mood__fail(MOOD_E_UNSUPPORTED, "is a part of a zip archive");
    if ((d->n_entries != UINT16_MAX && d->n_entries != le64(r + 32)) ||
        (d->n_bytes != SATURATED && d->n_bytes != le64(r + 40)) ||
        (d->offset != SATURATED && d->offset != le64(r + 48)))
        return damaged("its two ends do not agree");
    *d = (struct directory){
        .offset = le64(r + 48), .n_bytes = le64(r + 40), .n_entries = le64(r + 32)};
    return MOOD_OK;
}

static mood_status read_end(const struct mood__input *in, struct directory *out)
{
    unsigned char r[END_BYTES];
    if (in->n_bytes < END_BYTES)
        return damaged("it is cut off");
    uint64_t end = in->n_bytes - END_BYTES;
    MOOD__TRY(mood__input_read(in, end, r, sizeof(r)));
    if (!has_tag(r, "PK\5\6"))
        return damaged("it is cut off, or has bytes behind its end");
    if (le16(r + 20) != 0)
        return damaged("a comment that is not there");
    if (le16(r + 4) != 0 || le16(r + 6) != 0 || le16(r + 8) != le16(r + 10))
        return mood__fail(MOOD_E_UNSUPPORTED, "is a part of a zip archive");
    struct directory d = {
        .offset = le32(r + 16), .n_bytes = le32(r + 12), .n_entries = le16(r + 10)};
    MOOD__TRY(read_end64(in, &end, &d));
    if (d.offset > end || d.n_bytes != end - d.offset)
        return damaged("its directory is not right before its end");
    if (d.n_bytes > MAX_DIRECTORY_BYTES)
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "has a zip directory of %llu bytes; at most %d are read",
                          (unsigned long long)d.n_bytes, MAX_DIRECTORY_BYTES);
    if (d.n_entries > d.n_bytes / CENTRAL_BYTES)
        return damaged("more entries than its directory has room for");
    *out = d;
    return MOOD_OK;
}

/* ---- entries ------------------------------------------------------------------------------ */

/* Whether a name is relative, without "." and ".." and empty parts, and printable. Bytes above 127
 * may be the name of the file that it was saved as. */
static bool name_is_possible(const unsigned char *name, size_t n)
{
    size_t start = 0;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && (name[i] < ' ' || name[i] == 127 || name[i] == '\\'))
            return false;
        if (i < n && name[i] != '/')
            continue;
        size_t part = i - start;
        bool folder = part == 0 && i == n && n > 0; /* "folder/" */
        if (!folder && (part == 0 || (part <= 2 && memcmp(name + start, "..", part) == 0)))
            return false;
        start = i + 1;
    }
    return n <= MAX_NAME_BYTES;
}

/* Sizes and place of an entry whose record has 32 bits too few for them. */
static mood_status read_extra64(const unsigned char *extra, size_t n, uint64_t *value[3])
{
    for (size_t at = 0; at + 4 <= n;) {
        size_t size = le16(extra + at + 2), used = 0;
        if (size > n - at - 4)
            break;
        if (le16(extra + at) != ZIP64_EXTRA) {
            at += 4 + size;
            continue;
        }
        for (int i = 0; i < 3; i++) {
            if (*value[i] != SATURATED)
                continue;
            if (used + 8 > size)
                return damaged("an entry without its size");
            *value[i] = le64(extra + at + 4 + used);
            used += 8;
        }
        return MOOD_OK;
    }
    return damaged("an entry without its size");
}

/* The header before the entry's content, which says where that begins. */
static mood_status read_local(const struct mood__input *in, uint64_t end, struct mood__zip_entry *e)
{
    unsigned char h[LOCAL_BYTES + MAX_NAME_BYTES];
    size_t n_name = strlen(e->name);
    if (e->header > end || LOCAL_BYTES + n_name > end - e->header)
        return damaged("an entry behind its end");
    MOOD__TRY(mood__input_read(in, e->header, h, LOCAL_BYTES + n_name));
    if (!has_tag(h, "PK\3\4") || le16(h + 8) != 0 || le16(h + 26) != n_name ||
        memcmp(h + LOCAL_BYTES, e->name, n_name) != 0)
        return damaged("an entry that is not what the directory says");
    e->offset = e->header + LOCAL_BYTES + n_name + le16(h + 28);
    if (e->offset > end || e->n_bytes > end - e->offset)
        return damaged("an entry behind its end");
    return MOOD_OK;
}

/* One record of the directory; *used is its length. */
static mood_status read_central(const unsigned char *r, size_t room, struct mood__arena *arena,
                                struct mood__zip_entry *out, size_t *used)
{
    char shown[MOOD__SHOWN_BYTES];
    if (room < CENTRAL_BYTES || !has_tag(r, "PK\1\2"))
        return damaged("its directory");
    size_t n_name = le16(r + 28), n_extra = le16(r + 30);
    *used = CENTRAL_BYTES + n_name + n_extra + le16(r + 32);
    if (*used > room)
        return damaged("its directory");
    const unsigned char *name = r + CENTRAL_BYTES;
    mood__show(shown, name, n_name);
    if (!name_is_possible(name, n_name))
        return mood__fail(MOOD_E_FORMAT, "has the zip entry '%s': not a possible name", shown);
    if (le16(r + 8) & FLAG_ENCRYPTED)
        return mood__fail(MOOD_E_UNSUPPORTED, "is encrypted: zip entry '%s'", shown);
    if (le16(r + 10) != 0)
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "is compressed (zip entry '%s'); PyTorch does not compress", shown);

    uint64_t full = le32(r + 24), packed = le32(r + 20), header = le32(r + 42);
    if (full == SATURATED || packed == SATURATED || header == SATURATED)
        MOOD__TRY(read_extra64(name + n_name, n_extra, (uint64_t *[]){&full, &packed, &header}));
    if (full != packed)
        return damaged("a stored entry of two sizes");
    char *copy = mood__arena_alloc(arena, n_name + 1);
    if (!copy)
        return mood__nomem();
    memcpy(copy, name, n_name);
    *out = (struct mood__zip_entry){.name = copy, .header = header, .n_bytes = full};
    return MOOD_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct mood__zip_entry *x = a, *y = b;
    return (x->header > y->header) - (x->header < y->header);
}

static int by_name(const void *a, const void *b)
{
    const struct mood__zip_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Leaves the entries sorted by name. */
static mood_status check_entries(struct mood__zip_entry *e, size_t n)
{
    char shown[MOOD__SHOWN_BYTES];
    if (n > 1)
        qsort(e, n, sizeof(*e), by_place);
    for (size_t i = 1; i < n; i++) {
        if (e[i].header < e[i - 1].offset + e[i - 1].n_bytes)
            return damaged("entries that overlap");
    }
    if (n > 1)
        qsort(e, n, sizeof(*e), by_name);
    for (size_t i = 1; i < n; i++) {
        if (by_name(&e[i - 1], &e[i]) == 0)
            return mood__fail(MOOD_E_FORMAT, "has two zip entries '%s'",
                              mood__show(shown, e[i].name, strlen(e[i].name)));
    }
    return MOOD_OK;
}

mood_status mood__zip_open(struct mood__zip *out, const struct mood__input *in,
                           struct mood__arena *arena)
{
    struct directory d = {0};
    MOOD__TRY(read_end(in, &d));
    unsigned char *bytes = NULL;
    size_t n_bytes = (size_t)d.n_bytes, at = 0, n_entries = (size_t)d.n_entries, used = 0;
    struct mood__zip_entry *entries = mood__arena_alloc(arena, n_entries * sizeof(*entries));
    if (!entries)
        return mood__nomem();
    MOOD__TRY(mood__input_load(in, d.offset, n_bytes, &bytes));
    mood_status status = MOOD_OK;
    for (size_t i = 0; i < n_entries && status == MOOD_OK; i++, at += used) {
        status = read_central(bytes + at, n_bytes - at, arena, &entries[i], &used);
        if (status == MOOD_OK)
            status = read_local(in, d.offset, &entries[i]);
    }
    mood__free(bytes);
    if (status != MOOD_OK)
        return status;
    if (at != n_bytes)
        return damaged("its directory has more entries than it says");
    MOOD__TRY(check_entries(entries, n_entries));
    *out = (struct mood__zip){.entries = entries, .n = n_entries};
    return MOOD_OK;
}

const struct mood__zip_entry *mood__zip_find(const struct mood__zip *zip, const char *name)
{
    struct mood__zip_entry key = {.name = name};
    return zip->n ? bsearch(&key, zip->entries, zip->n, sizeof(key), by_name) : NULL;
}
