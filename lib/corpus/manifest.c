/* SPDX-License-Identifier: MIT
 *
 * manifest.c — A CSV file that names clips, emotions and speakers, as a source of a corpus. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "corpus/csv.h"
#include "corpus/source.h"

enum { PATH, EMOTION, SPEAKER, N_NEEDED, CORPUS = N_NEEDED, LICENCE, N_COLUMNS };
static const char *const columns[N_COLUMNS] = {"path", "emotion", "speaker", "corpus", "licence"};

/* The number of a label in the source's own list, to which a new one is added. */
static mood_status own_label(struct mood__source *s, const struct mood__csv *csv, int *label)
{
    const char *emotion = csv->value[EMOTION];
    for (int i = 0; i < s->n_labels; i++) {
        if (mood__same_word(s->labels[i], emotion)) {
            *label = i;
            return MOOD_OK;
        }
    }
    if (strlen(emotion) > MOOD_MAX_LABEL_BYTES)
        return mood__csv_fail(csv, MOOD_E_FORMAT, "an emotion of more than %d bytes",
                              MOOD_MAX_LABEL_BYTES);
    if (s->n_labels == MOOD_MAX_LABELS)
        return mood__csv_fail(csv, MOOD_E_FORMAT, "'%s' is one emotion too many: at most %d",
                              emotion, MOOD_MAX_LABELS);
    char *copy = mood__arena_strdup(&s->arena, emotion);
    if (!copy)
        return mood__nomem();
    *label = s->n_labels;
    s->labels[s->n_labels++] = copy;
    return MOOD_OK;
}

/* The number of the clip's collection. Without the column the table itself is one. */
static mood_status own_collection(struct mood__source *s, const struct mood__csv *csv, int *number)
{
    const char *slash = strrchr(s->pub.path, '/'), *file = slash ? slash + 1 : s->pub.path;
    mood_collection about = {.name = csv->value[CORPUS] ? csv->value[CORPUS] : file,
                             .licence = csv->value[LICENCE] ? csv->value[LICENCE] : "unknown",
                             .origin = ""};
    size_t n = s->collections.n;
    mood_status status = mood__collection_number(&s->collections, &about, number);
    if (status == MOOD_E_UNSUPPORTED)
        return mood__csv_fail(csv, status, "more than %d corpora", MOOD__MAX_COLLECTIONS);
    if (status || s->collections.n == n)
        return status;
    mood_collection *mine = &s->collections.item[n]; /* new: the row's texts do not last */
    mine->name = mood__arena_strdup(&s->arena, about.name);
    mine->licence = mood__arena_strdup(&s->arena, about.licence);
    return mine->name && mine->licence ? MOOD_OK : mood__nomem();
}

static mood_status take_row(struct mood__source *s, const struct mood__csv *csv)
{
    const char *speaker = csv->value[SPEAKER];
    if (strlen(speaker) > MOOD__MAX_SPEAKER_BYTES)
        return mood__csv_fail(csv, MOOD_E_FORMAT, "a speaker of more than %d bytes",
                              MOOD__MAX_SPEAKER_BYTES);
    if (strchr(speaker, ',')) /* nobody could name this speaker in a list */
        return mood__csv_fail(csv, MOOD_E_FORMAT, "a comma in speaker '%s'", speaker);
    if (s->n_clips == MOOD__MAX_CLIPS)
        return mood__csv_fail(csv, MOOD_E_UNSUPPORTED, "more than %d clips", MOOD__MAX_CLIPS);

    struct mood__clip clip = {.line = csv->line};
    MOOD__TRY(own_label(s, csv, &clip.pub.label));
    MOOD__TRY(own_collection(s, csv, &clip.pub.collection));
    clip.pub.name = mood__arena_strdup(&s->arena, csv->value[PATH]);
    clip.pub.path = mood__path_beside(&s->arena, s->pub.path, csv->value[PATH]);
    clip.speaker = mood__arena_strdup(&s->arena, speaker);
    if (!clip.pub.name || !clip.pub.path || !clip.speaker)
        return mood__nomem();
    return mood__source_append(s, &clip);
}

/* When all labels are among the eight emotions, number the clips by those instead. */
static void prefer_emotions(struct mood__source *s)
{
    int emotion[MOOD_MAX_LABELS];
    for (int i = 0; i < s->n_labels; i++) {
        emotion[i] = mood_emotion_find(s->labels[i]);
        if (emotion[i] < 0)
            return;
    }
    for (size_t i = 0; i < s->n_clips; i++)
        s->clips[i].pub.label = emotion[s->clips[i].pub.label];
    mood__source_use_emotions(s);
}

mood_status mood__manifest_parse(struct mood__source *s, char *text, size_t bytes)
{
    struct mood__csv csv;
    MOOD__TRY(mood__csv_begin(&csv, s->pub.path, text, bytes, columns, N_COLUMNS, N_NEEDED));
    for (bool more;;) {
        MOOD__TRY(mood__csv_next(&csv, &more));
        if (!more)
            break;
        MOOD__TRY(take_row(s, &csv));
    }
    if (s->n_clips == 0)
        return mood__fail(MOOD_E_FORMAT, "%s: no clip below the first line", s->pub.path);
    prefer_emotions(s);
    if (s->n_labels < MOOD_MIN_LABELS)
        return mood__fail(MOOD_E_FORMAT, "%s: '%s' is the only emotion: nothing to tell apart",
                          s->pub.path, s->labels[0]);
    s->pub.manifest = true;
    s->pub.n_clips = s->n_clips;
    return MOOD_OK;
}

/* Every file has to be there, now: not an hour later, in the middle of training. */
static mood_status look_at_files(struct mood__source *s)
{
    for (size_t i = 0; i < s->n_clips; i++) {
        struct mood__clip *c = &s->clips[i];
        struct stat st;
        int error = stat(c->pub.path, &st) != 0 ? errno : 0;
        if (error || !S_ISREG(st.st_mode))
            return mood__fail(MOOD_E_IO, "%s: line %zu: %s: %s", s->pub.path, c->line, c->pub.path,
                              error ? mood__errno_text(error) : "not a file");
        c->device = (uint64_t)st.st_dev;
        c->inode = (uint64_t)st.st_ino;
    }
    return MOOD_OK;
}

mood_status mood__manifest_read(struct mood__source *s)
{
    char *text;
    size_t bytes;
    MOOD__TRY(mood__csv_load(s->pub.path, &text, &bytes));
    mood_status status = mood__manifest_parse(s, text, bytes);
    mood__free(text);
    MOOD__TRY(status);
    MOOD__TRY(look_at_files(s));
    mood__source_sort(s);
    return MOOD_OK;
}
