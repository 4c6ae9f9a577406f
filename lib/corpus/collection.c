/* SPDX-License-Identifier: MIT
 *
 * collection.c — Which collections the clips of a corpus come from. */
#include "corpus/collection.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "corpus/csv.h"

mood_status mood__collection_number(struct mood__collections *list, const mood_collection *about,
                                    int *number)
{
    for (size_t i = list->n; i-- > 0;) { /* neighbours mostly come from one */
        *number = (int)i;
        if (strcmp(list->item[i].name, about->name) == 0 &&
            strcmp(list->item[i].licence, about->licence) == 0)
            return MOOD_OK;
    }
    if (list->n == MOOD__MAX_COLLECTIONS)
        return mood__fail(MOOD_E_UNSUPPORTED, "'%s' is one corpus too many: at most %d",
                          about->name, MOOD__MAX_COLLECTIONS);
    if (!mood__reserve((void **)&list->item, &list->capacity, list->n + 1, sizeof(*list->item)))
        return mood__nomem();
    *number = (int)list->n;
    list->item[list->n++] = *about;
    return MOOD_OK;
}

static mood_status read_row(mood_collection *about, struct mood__arena *arena, const char *path,
                            char *text, size_t bytes)
{
    enum { NAME, LICENCE, ORIGIN, N_COLUMNS };
    static const char *const columns[N_COLUMNS] = {"corpus", "licence", "origin"};
    struct mood__csv csv;
    bool more;
    MOOD__TRY(mood__csv_begin(&csv, path, text, bytes, columns, N_COLUMNS, LICENCE));
    MOOD__TRY(mood__csv_next(&csv, &more));
    if (!more)
        return mood__fail(MOOD_E_FORMAT, "%s: no row below the first line", path);
    about->name = mood__arena_strdup(arena, csv.value[NAME]);
    about->licence = csv.value[LICENCE] ? mood__arena_strdup(arena, csv.value[LICENCE]) : "unknown";
    about->origin = csv.value[ORIGIN] ? mood__arena_strdup(arena, csv.value[ORIGIN]) : "";
    if (!about->name || !about->licence || !about->origin)
        return mood__nomem();
    MOOD__TRY(mood__csv_next(&csv, &more));
    return more ? mood__csv_fail(&csv, MOOD_E_FORMAT, "a second row: a folder is one corpus")
                : MOOD_OK;
}

mood_status mood__collection_read(mood_collection *about, bool *found, struct mood__arena *arena,
                                  const char *folder)
{
    size_t length = strlen(folder), room = length + sizeof("/" MOOD__COLLECTION_FILE), bytes;
    char *path = mood__arena_alloc(arena, room), *text;
    if (!path)
        return mood__nomem();
    bool slash = length > 0 && folder[length - 1] == '/';
    snprintf(path, room, "%s%s" MOOD__COLLECTION_FILE, folder, slash ? "" : "/");
    *found = mood__file_exists(path);
    if (!*found)
        return MOOD_OK;
    MOOD__TRY(mood__csv_load(path, &text, &bytes));
    mood_status status = read_row(about, arena, path, text, bytes);
    mood__free(text);
    return status;
}
