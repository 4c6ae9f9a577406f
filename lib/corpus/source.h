/* SPDX-License-Identifier: MIT
 *
 * source.h — Inside a corpus: one source while it is read (folder.c, manifest.c), and the corpus it
 * becomes part of (corpus.c). */
#ifndef MOOD_CORPUS_SOURCE_H
#define MOOD_CORPUS_SOURCE_H

#include "corpus/collection.h"

enum {
    MOOD__MAX_CLIPS = 1 << 20,    /* of a corpus; also the files looked at in one folder source */
    MOOD__MAX_FOLDER_DEPTH = 16,  /* folders below the source's own */
    MOOD__MAX_SPEAKER_BYTES = 64, /* of a speaker key, without the final zero */
};

/* A clip with what the public struct does not show. */
struct mood__clip {
    mood_clip pub;          /* label and collection count in the source's lists until the source
                             * joins a corpus */
    const char *speaker;    /* key */
    uint64_t device, inode; /* which file it is, whatever path leads to it */
    const char *take;       /* folders: what the name says, without modality and extension */
    int modality;           /* folders: 1 or 3 */
    size_t line;            /* manifests: where it stands, from 1 */
};

/* Zero-initialised but for pub.path, it is empty and may be read into or freed. */
struct mood__source {
    mood_corpus_source pub;
    struct mood__arena arena; /* every string of the source */
    struct mood__clip *clips;
    size_t n_clips, capacity;
    const char *labels[MOOD_MAX_LABELS];
    int n_labels;
    struct mood__collections collections;
};

struct mood_corpus {
    struct mood__source *sources; /* their `clips` have moved to the corpus */
    size_t n_sources, sources_capacity;
    struct mood__clip *clips;
    size_t n_clips;
    const char **speakers; /* in speaker order, one text for each person */
    int n_speakers;
    struct mood__collections collections; /* in order of first appearance; texts are the sources' */
};

/* Read the source at s->pub.path: fill clips (sorted by name), labels and counts. After a failure
 * the source can only be freed. */
mood_status mood__folder_read(struct mood__source *s);
mood_status mood__manifest_read(struct mood__source *s);

/* The part of mood__manifest_read that works on text, which it overwrites; text[bytes] is 0. The
 * files named are not looked at and the clips stay in the order of their rows. */
mood_status mood__manifest_parse(struct mood__source *s, char *text, size_t bytes);

mood_status mood__source_append(struct mood__source *s, const struct mood__clip *clip);
void mood__source_sort(struct mood__source *s); /* clips by name, bytewise */
void mood__source_free(struct mood__source *s);

/* `name` as seen from the folder that `file` lies in; NULL when there is no memory. */
char *mood__path_beside(struct mood__arena *arena, const char *file, const char *name);

/* Give the source the eight emotions as its labels. */
void mood__source_use_emotions(struct mood__source *s);

/* The order of speaker keys, and 0 when two keys are the same person (corpus.h). */
int mood__speaker_compare(const char *a, const char *b);

#endif
