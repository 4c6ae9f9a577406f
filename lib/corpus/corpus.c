/* SPDX-License-Identifier: MIT
 *
 * corpus.c — The corpus: sources joined into one list of clips, labels and speakers.
 *
 * Adding is all or nothing: a source is read on its own (folder.c, manifest.c), everything the
 * larger corpus needs is then made beside the old, and only then exchanged. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "corpus/source.h"

mood_status mood_corpus_create(mood_corpus **out)
{
    *out = mood__calloc(1, sizeof(**out));
    return *out ? MOOD_OK : mood__nomem();
}

void mood_corpus_destroy(mood_corpus **corpus)
{
    mood_corpus *c = *corpus;
    if (!c)
        return;
    for (size_t i = 0; i < c->n_sources; i++)
        mood__source_free(&c->sources[i]);
    mood__free(c->sources);
    mood__free(c->clips);
    mood__free(c->speakers);
    mood__free(c->collections.item);
    mood__free(c);
    *corpus = NULL;
}

static int find_label(const struct mood__source *s, const char *label)
{
    for (int i = 0; i < s->n_labels; i++) {
        if (mood__same_word(s->labels[i], label))
            return i;
    }
    return -1;
}

/* Number the clips of `s` by the labels of the corpus, which are those of its first source. */
static mood_status join_labels(const mood_corpus *c, struct mood__source *s)
{
    if (c->n_sources == 0)
        return MOOD_OK;
    const struct mood__source *first = &c->sources[0];
    int moved[MOOD_MAX_LABELS];
    for (int i = 0; i < s->n_labels; i++) {
        moved[i] = find_label(first, s->labels[i]);
        if (moved[i] < 0)
            return mood__fail(MOOD_E_INVALID,
                              "%s has the label '%s', which %s has not: all sources "
                              "need the same labels",
                              s->pub.path, s->labels[i], first->pub.path);
    }
    for (int i = 0; i < first->n_labels; i++) {
        if (find_label(s, first->labels[i]) < 0)
            return mood__fail(MOOD_E_INVALID,
                              "%s has the label '%s', which %s has not: all sources "
                              "need the same labels",
                              first->pub.path, first->labels[i], s->pub.path);
    }
    for (size_t i = 0; i < s->n_clips; i++)
        s->clips[i].pub.label = moved[s->clips[i].pub.label];
    return MOOD_OK;
}

/* Same files together, in the order in which they came. */
static int by_file(const void *pa, const void *pb)
{
    const struct mood__clip *a = *(const struct mood__clip *const *)pa;
    const struct mood__clip *b = *(const struct mood__clip *const *)pb;
    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    if (a->inode != b->inode)
        return a->inode < b->inode ? -1 : 1;
    return (a > b) - (a < b); /* both point into one array */
}

/* A clip that is there twice would be heard in training and in test. */
static mood_status check_distinct(const struct mood__clip *clips, size_t n, const char *source)
{
    const struct mood__clip **order = mood__calloc(n, sizeof(*order));
    if (!order)
        return mood__nomem();
    for (size_t i = 0; i < n; i++)
        order[i] = &clips[i];
    qsort(order, n, sizeof(*order), by_file);

    /* Of several, the first in the corpus: the numbers of files are not to be seen. */
    const struct mood__clip *a = NULL, *b = NULL;
    for (size_t i = 1; i < n; i++) {
        const struct mood__clip *x = order[i - 1], *y = order[i];
        if (x->device == y->device && x->inode == y->inode && (!b || y < b)) {
            a = x;
            b = y;
        }
    }
    mood_status status = MOOD_OK;
    if (b) {
        if (b->line && a->pub.source == b->pub.source)
            status = mood__fail(MOOD_E_INVALID, "%s: line %zu: the file of line %zu once more",
                                source, b->line > a->line ? b->line : a->line,
                                b->line > a->line ? a->line : b->line);
        else
            status = mood__fail(MOOD_E_INVALID, "%s: %s is already in the corpus as %s", source,
                                b->pub.path, a->pub.path);
    }
    mood__free(order);
    return status;
}

static int by_key(const void *pa, const void *pb)
{
    const char *a = *(const char *const *)pa, *b = *(const char *const *)pb;
    int order = mood__speaker_compare(a, b);
    return order ? order : strcmp(a, b); /* of "01" and "1", the first is the text that is shown */
}

static int find_speaker(const char *const *speakers, int n, const char *key)
{
    int low = 0, high = n - 1;
    while (low <= high) {
        int middle = low + (high - low) / 2;
        int order = mood__speaker_compare(key, speakers[middle]);
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle - 1;
        else
            low = middle + 1;
    }
    return -1;
}

/* Make the list of speakers and number the clips by it. */
static mood_status join_speakers(struct mood__clip *clips, size_t n, const char ***out, int *n_out)
{
    const char **keys = mood__calloc(n, sizeof(*keys));
    if (!keys)
        return mood__nomem();
    for (size_t i = 0; i < n; i++)
        keys[i] = clips[i].speaker;
    qsort(keys, n, sizeof(*keys), by_key);
    int n_keys = 1;
    for (size_t i = 1; i < n; i++) {
        if (mood__speaker_compare(keys[i], keys[n_keys - 1]) != 0)
            keys[n_keys++] = keys[i];
    }
    for (size_t i = 0; i < n; i++)
        clips[i].pub.speaker = find_speaker(keys, n_keys, clips[i].speaker);
    *out = keys;
    *n_out = n_keys;
    return MOOD_OK;
}

/* Count the clips and the speakers of each collection. */
static mood_status count_collections(struct mood__collections *list, const struct mood__clip *clips,
                                     size_t n, int n_speakers)
{
    unsigned char *heard = mood__calloc((size_t)n_speakers, list->n); /* speaker by collection */
    if (!heard)
        return mood__nomem();
    for (size_t i = 0; i < list->n; i++)
        list->item[i].n_clips = list->item[i].n_speakers = 0;
    for (size_t i = 0; i < n; i++) {
        const mood_clip *clip = &clips[i].pub;
        mood_collection *mine = &list->item[clip->collection];
        unsigned char *here = &heard[(size_t)clip->speaker * list->n + (size_t)clip->collection];
        mine->n_clips++;
        mine->n_speakers += !*here;
        *here = 1;
    }
    mood__free(heard);
    return MOOD_OK;
}

/* Make the list of collections, number the clips from `first` on by it instead of by that of `s`,
 * and count. */
static mood_status join_collections(const mood_corpus *c, const struct mood__source *s,
                                    struct mood__clip *clips, size_t first, size_t n,
                                    int n_speakers, struct mood__collections *out)
{
    int unused;
    for (size_t i = 0; i < c->collections.n; i++)
        MOOD__TRY(mood__collection_number(out, &c->collections.item[i], &unused));
    for (size_t i = first; i < n; i++) {
        int *number = &clips[i].pub.collection;
        MOOD__TRY(mood__collection_number(out, &s->collections.item[*number], number));
    }
    return count_collections(out, clips, n, n_speakers);
}

/* Make `s` the last source of the corpus. On success the corpus owns what it held. */
static mood_status join(mood_corpus *c, struct mood__source *s)
{
    MOOD__TRY(join_labels(c, s));
    size_t n = c->n_clips + s->n_clips;
    if (n > MOOD__MAX_CLIPS)
        return mood__fail(MOOD_E_UNSUPPORTED, "%s: more than %d clips in one corpus", s->pub.path,
                          MOOD__MAX_CLIPS);
    if (!mood__reserve((void **)&c->sources, &c->sources_capacity, c->n_sources + 1,
                       sizeof(*c->sources)))
        return mood__nomem();
    struct mood__clip *clips = mood__calloc(n, sizeof(*clips));
    if (!clips)
        return mood__nomem();
    if (c->n_clips)
        memcpy(clips, c->clips, c->n_clips * sizeof(*clips));
    memcpy(clips + c->n_clips, s->clips, s->n_clips * sizeof(*clips));
    for (size_t i = c->n_clips; i < n; i++)
        clips[i].pub.source = (int)c->n_sources;
    for (size_t i = c->n_clips; i < n; i++)
        clips[i].pub.recording = i;

    const char **speakers = NULL;
    int n_speakers = 0;
    struct mood__collections collections = {0};
    mood_status status = check_distinct(clips, n, s->pub.path);
    if (status == MOOD_OK)
        status = join_speakers(clips, n, &speakers, &n_speakers);
    if (status == MOOD_OK)
        status = join_collections(c, s, clips, c->n_clips, n, n_speakers, &collections);
    if (status != MOOD_OK) {
        mood__free(clips);
        mood__free(speakers);
        mood__free(collections.item);
        return status;
    }

    mood__free(c->clips);
    mood__free(c->speakers);
    mood__free(c->collections.item);
    c->collections = collections;
    c->clips = clips;
    c->n_clips = n;
    c->speakers = speakers;
    c->n_speakers = n_speakers;
    mood__free(s->clips);
    s->clips = NULL;
    c->sources[c->n_sources++] = *s;
    return MOOD_OK;
}

mood_status mood_corpus_add(mood_corpus *c, const char *path)
{
    struct stat st;
    if (!*path)
        return mood__fail(MOOD_E_INVALID, "the path of a corpus is empty");
    if (stat(path, &st) != 0)
        return mood__fail(MOOD_E_IO, "%s: %s", path, mood__errno_text(errno));

    struct mood__source s = {0};
    mood_status status;
    s.pub.path = mood__arena_strdup(&s.arena, path);
    if (!s.pub.path)
        status = mood__nomem();
    else if (S_ISDIR(st.st_mode))
        status = mood__folder_read(&s);
    else
        status = mood__manifest_read(&s);
    if (status == MOOD_OK)
        status = join(c, &s);
    if (status != MOOD_OK)
        mood__source_free(&s);
    return status;
}

size_t mood_corpus_n_clips(const mood_corpus *c)
{
    return c->n_clips;
}

const mood_clip *mood_corpus_clip(const mood_corpus *c, size_t i)
{
    return i < c->n_clips ? &c->clips[i].pub : NULL;
}

int mood_corpus_n_labels(const mood_corpus *c)
{
    return c->n_sources ? c->sources[0].n_labels : 0;
}

const char *mood_corpus_label(const mood_corpus *c, int i)
{
    return i >= 0 && i < mood_corpus_n_labels(c) ? c->sources[0].labels[i] : NULL;
}

int mood_corpus_n_speakers(const mood_corpus *c)
{
    return c->n_speakers;
}

const char *mood_corpus_speaker(const mood_corpus *c, int i)
{
    return i >= 0 && i < c->n_speakers ? c->speakers[i] : NULL;
}

int mood_corpus_find_speaker(const mood_corpus *c, const char *key)
{
    return find_speaker(c->speakers, c->n_speakers, key);
}

int mood_corpus_n_sources(const mood_corpus *c)
{
    return (int)c->n_sources;
}

const mood_corpus_source *mood_corpus_source_at(const mood_corpus *c, int i)
{
    return i >= 0 && (size_t)i < c->n_sources ? &c->sources[i].pub : NULL;
}

int mood_corpus_n_collections(const mood_corpus *c)
{
    return (int)c->collections.n;
}

const mood_collection *mood_corpus_collection(const mood_corpus *c, int i)
{
    return i >= 0 && (size_t)i < c->collections.n ? &c->collections.item[i] : NULL;
}
