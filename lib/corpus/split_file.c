/* SPDX-License-Identifier: MIT
 *
 * split_file.c — A split that was made elsewhere: a CSV file with the columns path and side. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"
#include "corpus/csv.h"
#include "corpus/source.h"
#include "corpus/split.h"

enum { PATH, SIDE, N_COLUMNS };
static const char *const columns[N_COLUMNS] = {"path", "side"};

/* The clips of the corpus, to be found by file and by name. */
struct index {
    const struct mood__clip **by_file, **by_name;
    size_t n;
};

static int compare_files(const struct mood__clip *a, const struct mood__clip *b)
{
    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return (a->inode > b->inode) - (a->inode < b->inode);
}

static int by_file(const void *a, const void *b)
{
    return compare_files(*(const struct mood__clip *const *)a,
                         *(const struct mood__clip *const *)b);
}

static int by_name(const void *pa, const void *pb)
{
    const struct mood__clip *a = *(const struct mood__clip *const *)pa;
    const struct mood__clip *b = *(const struct mood__clip *const *)pb;
    return strcmp(a->pub.name, b->pub.name);
}

static void free_index(struct index *x)
{
    mood__free(x->by_file);
    mood__free(x->by_name);
}

static mood_status make_index(struct index *x, const mood_corpus *c)
{
    x->n = c->n_clips;
    x->by_file = mood__calloc(x->n, sizeof(*x->by_file));
    x->by_name = mood__calloc(x->n, sizeof(*x->by_name));
    if (!x->by_file || !x->by_name)
        return mood__nomem();
    for (size_t i = 0; i < x->n; i++)
        x->by_file[i] = x->by_name[i] = &c->clips[i];
    qsort(x->by_file, x->n, sizeof(*x->by_file), by_file);
    qsort(x->by_name, x->n, sizeof(*x->by_name), by_name);
    return MOOD_OK;
}

static const struct mood__clip *find_file(const struct index *x, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return NULL;
    const struct mood__clip probe = {.device = (uint64_t)st.st_dev, .inode = (uint64_t)st.st_ino};
    const struct mood__clip *key = &probe;
    const struct mood__clip **at = bsearch(&key, x->by_file, x->n, sizeof(*x->by_file), by_file);
    return at ? *at : NULL;
}

/* The clip whose name in its source is `name`; *ambiguous when two sources have such a clip. */
static const struct mood__clip *find_name(const struct index *x, const char *name, bool *ambiguous)
{
    const struct mood__clip probe = {.pub = {.name = name}};
    const struct mood__clip *key = &probe;
    const struct mood__clip **at = bsearch(&key, x->by_name, x->n, sizeof(*x->by_name), by_name);
    if (!at)
        return NULL;
    *ambiguous = (at > x->by_name && by_name(at - 1, at) == 0) ||
                 (at + 1 < x->by_name + x->n && by_name(at + 1, at) == 0);
    return *at;
}

static mood_status take_row(const struct index *x, const struct mood__csv *csv,
                            const struct mood__clip *clips, unsigned char *sides)
{
    const char *path = csv->value[PATH];
    struct mood__arena arena = {0};
    const char *beside = mood__path_beside(&arena, csv->file, path);
    if (!beside)
        return mood__nomem();
    const struct mood__clip *clip = find_file(x, beside);
    mood__arena_free(&arena);

    bool ambiguous = false;
    if (!clip)
        clip = find_file(x, path);
    if (!clip)
        clip = find_name(x, path, &ambiguous);
    if (!clip)
        return mood__csv_fail(csv, MOOD_E_INVALID, "no clip of the corpus is '%s'", path);
    if (ambiguous)
        return mood__csv_fail(csv, MOOD_E_INVALID, "several sources have a clip '%s'", path);

    int side = MOOD_SIDE_TRAIN;
    while (side < MOOD_N_SIDES && !mood__same_word(csv->value[SIDE], mood_side_name(side)))
        side++;
    if (side == MOOD_N_SIDES)
        return mood__csv_fail(csv, MOOD_E_FORMAT, "the side '%s' is none of train, val and test",
                              csv->value[SIDE]);
    unsigned char *mine = &sides[clip - clips];
    if (*mine != MOOD_SIDE_UNUSED)
        return mood__csv_fail(csv, MOOD_E_INVALID, "'%s' is listed twice", path);
    *mine = (unsigned char)side;
    return MOOD_OK;
}

static mood_status take_rows(const struct index *x, struct mood__csv *csv, const mood_corpus *c,
                             unsigned char *sides)
{
    for (bool more;;) {
        MOOD__TRY(mood__csv_next(csv, &more));
        if (!more)
            return MOOD_OK;
        MOOD__TRY(take_row(x, csv, c->clips, sides));
    }
}

mood_status mood__split_from_file(const mood_corpus *c, const char *file, unsigned char *side)
{
    char *text;
    size_t bytes;
    MOOD__TRY(mood__csv_load(file, &text, &bytes));
    struct index x = {0};
    struct mood__csv csv;
    mood_status status = mood__csv_begin(&csv, file, text, bytes, columns, N_COLUMNS, N_COLUMNS);
    if (status == MOOD_OK)
        status = make_index(&x, c);
    if (status == MOOD_OK)
        status = take_rows(&x, &csv, c, side);
    free_index(&x);
    mood__free(text);
    return status;
}
