/* SPDX-License-Identifier: MIT
 *
 * source.c — What folders and manifests share while they are read. */
#include "corpus/source.h"

#include <stdlib.h>
#include <string.h>

mood_status mood__source_append(struct mood__source *s, const struct mood__clip *clip)
{
    if (!mood__reserve((void **)&s->clips, &s->capacity, s->n_clips + 1, sizeof(*s->clips)))
        return mood__nomem();
    s->clips[s->n_clips++] = *clip;
    return MOOD_OK;
}

/* A manifest may name a file twice, so the line decides where names are equal: qsort is not stable.
 */
static int by_name(const void *pa, const void *pb)
{
    const struct mood__clip *a = pa, *b = pb;
    int order = strcmp(a->pub.name, b->pub.name);
    return order ? order : (a->line > b->line) - (a->line < b->line);
}

void mood__source_sort(struct mood__source *s)
{
    qsort(s->clips, s->n_clips, sizeof(*s->clips), by_name);
}

void mood__source_use_emotions(struct mood__source *s)
{
    s->n_labels = MOOD_N_EMOTIONS;
    for (int i = 0; i < MOOD_N_EMOTIONS; i++)
        s->labels[i] = mood_emotion_at(i)->name;
}

void mood__source_free(struct mood__source *s)
{
    mood__free(s->clips);
    mood__free(s->collections.item);
    mood__arena_free(&s->arena);
    *s = (struct mood__source){0};
}

char *mood__path_beside(struct mood__arena *arena, const char *file, const char *name)
{
    const char *slash = strrchr(file, '/');
    size_t folder = slash && name[0] != '/' ? (size_t)(slash - file) + 1 : 0, bytes = strlen(name);
    char *path = mood__arena_alloc(arena, folder + bytes + 1);
    if (path) {
        memcpy(path, file, folder);
        memcpy(path + folder, name, bytes + 1);
    }
    return path;
}
