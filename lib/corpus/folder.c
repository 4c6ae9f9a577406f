/* SPDX-License-Identifier: MIT
 *
 * folder.c — A folder of clips whose names say everything as a source of a corpus.
 *
 * Links to folders are followed, but never to a folder that the walk is inside of. Several paths to
 * one clip are no problem: takes are told apart by their names, and one of each is kept. That
 * also takes care of the copy of itself that a widespread RAVDESS archive holds in a subfolder;
 * with such twins in training and test, a random split would look splendid. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "corpus/names.h"
#include "corpus/source.h"

/* A folder that is being read, and those above it. */
struct level {
    const struct level *up;
    const char *path;
    int depth;
    dev_t device;
    ino_t inode;
};

struct walk {
    struct mood__source *source;
    size_t name_at;        /* where the name within the source begins in a path */
    size_t n_seen;         /* entries looked at */
    bool has_about;        /* the folder says itself what it is */
    mood_collection about; /* then this; else names tell */
};

/* True for names with an extension of a format that libsndfile reads and that people keep voice
 * clips in. Only a first sieve: the decoder looks at the bytes. */
static bool has_audio_extension(const char *name)
{
    static const char *const extensions[] = {"aif", "aifc", "aiff", "flac", "mp3",
                                             "oga", "ogg",  "opus", "wav",  "wave"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof(extensions) / sizeof(*extensions); i++) {
        if (mood__same_word(dot + 1, extensions[i]))
            return true;
    }
    return false;
}

static char *join(struct mood__arena *arena, const char *folder, const char *name)
{
    size_t a = strlen(folder), b = strlen(name);
    char *path = mood__arena_alloc(arena, a + b + 2);
    if (path) {
        memcpy(path, folder, a);
        if (a > 0 && folder[a - 1] != '/')
            path[a++] = '/';
        memcpy(path + a, name, b + 1);
    }
    return path;
}

/* Count a file that is left out, and keep the first of them by name: the order of readdir is not to
 * be seen. */
static void leave_out(struct walk *w, const char *path)
{
    mood_corpus_source *pub = &w->source->pub;
    pub->n_other++;
    if (!pub->other || strcmp(path + w->name_at, pub->other) < 0)
        pub->other = path + w->name_at;
}

static mood_status take_file(struct walk *w, const char *path, const struct stat *st)
{
    struct mood__source *s = w->source;
    const char *file = strrchr(path, '/') + 1;
    struct mood__name n;
    const struct mood__rule *rule = mood__name_parse(file, &n);
    if (!rule) {
        if (strcmp(path + w->name_at, MOOD__COLLECTION_FILE) != 0)
            leave_out(w, path);
        return MOOD_OK;
    }
    if (n.modality == 2) {
        s->pub.n_no_sound++;
        return MOOD_OK;
    }
    if (!has_audio_extension(file)) {
        leave_out(w, path);
        return MOOD_OK;
    }
    if (n.emotion == MOOD__NO_EMOTION) {
        s->pub.n_no_label++;
        return MOOD_OK;
    }
    struct mood__clip clip = {
        .pub = {.path = path,
                .name = path + w->name_at,
                .label = n.emotion,
                .channel = n.channel,
                .intensity = n.intensity,
                .statement = n.statement,
                .repetition = n.repetition,
                .sex = n.sex},
        .speaker = mood__arena_strdup(&s->arena, n.speaker),
        .take = mood__arena_strdup(&s->arena, n.take),
        .device = (uint64_t)st->st_dev,
        .inode = (uint64_t)st->st_ino,
        .modality = n.modality,
    };
    MOOD__TRY(mood__collection_number(&s->collections, w->has_about ? &w->about : &rule->about,
                                      &clip.pub.collection));
    return clip.speaker && clip.take ? mood__source_append(s, &clip) : mood__nomem();
}

static bool is_inside(const struct level *level, const struct stat *st)
{
    for (; level; level = level->up) {
        if (level->device == st->st_dev && level->inode == st->st_ino)
            return true;
    }
    return false;
}

static mood_status read_level(struct walk *w, const struct level *level);

static mood_status take_entry(struct walk *w, const struct level *level, const char *name)
{
    if (name[0] == '.') {
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            w->source->pub.n_hidden++;
        return MOOD_OK;
    }
    if (++w->n_seen > MOOD__MAX_CLIPS)
        return mood__fail(MOOD_E_UNSUPPORTED, "%s: more than %d files", w->source->pub.path,
                          MOOD__MAX_CLIPS);
    const char *path = join(&w->source->arena, level->path, name);
    if (!path)
        return mood__nomem();

    struct stat st;
    if (stat(path, &st) != 0) {
        if (errno != ENOENT && errno != ELOOP) /* these two: a link that leads nowhere */
            return mood__fail(MOOD_E_IO, "%s: %s", path, mood__errno_text(errno));
        leave_out(w, path);
        return MOOD_OK;
    }
    if (S_ISREG(st.st_mode))
        return take_file(w, path, &st);
    if (!S_ISDIR(st.st_mode) || is_inside(level, &st)) {
        leave_out(w, path);
        return MOOD_OK;
    }
    if (level->depth == MOOD__MAX_FOLDER_DEPTH)
        return mood__fail(MOOD_E_UNSUPPORTED, "%s: more than %d folders deep", path,
                          MOOD__MAX_FOLDER_DEPTH);
    const struct level below = {level, path, level->depth + 1, st.st_dev, st.st_ino};
    return read_level(w, &below);
}

static mood_status read_level(struct walk *w, const struct level *level)
{
    DIR *dir = opendir(level->path);
    if (!dir)
        return mood__fail(MOOD_E_IO, "%s: %s", level->path, mood__errno_text(errno));
    mood_status status = MOOD_OK;
    while (status == MOOD_OK) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            if (errno != 0)
                status = mood__fail(MOOD_E_IO, "%s: %s", level->path, mood__errno_text(errno));
            break;
        }
        status = take_entry(w, level, entry->d_name);
    }
    closedir(dir);
    return status;
}

/* Same takes together, the one to keep first. */
static int by_take(const void *pa, const void *pb)
{
    const struct mood__clip *a = pa, *b = pb;
    int order = strcmp(a->take, b->take);
    if (order)
        return order;
    if (a->modality != b->modality)
        return b->modality - a->modality;
    return strcmp(a->pub.name, b->pub.name);
}

static void drop_duplicates(struct mood__source *s)
{
    qsort(s->clips, s->n_clips, sizeof(*s->clips), by_take);
    size_t n = 1;
    for (size_t i = 1; i < s->n_clips; i++) {
        if (strcmp(s->clips[i].take, s->clips[n - 1].take) != 0)
            s->clips[n++] = s->clips[i];
    }
    s->pub.n_duplicates = s->n_clips - n;
    s->n_clips = n;
}

mood_status mood__folder_read(struct mood__source *s)
{
    const char *path = s->pub.path;
    struct stat st;
    if (stat(path, &st) != 0)
        return mood__fail(MOOD_E_IO, "%s: %s", path, mood__errno_text(errno));

    size_t length = strlen(path);
    struct walk w = {.source = s, .name_at = length + (path[length - 1] != '/')};
    const struct level top = {NULL, path, 0, st.st_dev, st.st_ino};
    MOOD__TRY(mood__collection_read(&w.about, &w.has_about, &s->arena, path));
    MOOD__TRY(read_level(&w, &top));

    mood__source_use_emotions(s);
    if (w.n_seen == 0)
        return mood__fail(MOOD_E_FORMAT, "%s: an empty folder", path);
    if (s->n_clips == 0)
        return mood__fail(MOOD_E_FORMAT,
                          "%s: no clip found; their names have the form MM-VC-EM-IN-ST-RP-AC.wav, "
                          "as in 03-01-05-02-01-01-12.wav, or are those of EMO-DB or CREMA-D",
                          path);
    drop_duplicates(s);
    mood__source_sort(s);
    s->pub.n_clips = s->n_clips;
    return MOOD_OK;
}
