/* SPDX-License-Identifier: MIT
 *
 * split.c — Dividing a corpus into training, validation and test.
 *
 * Speakers are dealt from their sorted list by a generator that belongs to the seed alone, so a
 * split depends on who is in the corpus, not on the order of sources or files. */
#include "corpus/split.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/text.h"

enum {
    MIN_SPEAKERS = 3, /* one for each side */
    /* Streams of the seed; a fold adds its number. */
    STREAM_DEAL = 0x6465616c,
    STREAM_FOLD_VAL = 0x666f6c64,
};

/* What the dealing of speakers works on. */
struct deal {
    const mood_corpus *corpus;
    int n;               /* speakers */
    unsigned char *side; /* of each speaker */
    int *home;           /* of each speaker: the collection of the first clip */
    int64_t *order;      /* the speakers, shuffled; those of a collection together */
};

const char *mood_side_name(mood_side side)
{
    static const char *const names[MOOD_N_SIDES] = {"unused", "train", "val", "test"};
    return (int)side >= 0 && (int)side < MOOD_N_SIDES ? names[side] : "unknown";
}

/* 15 % of n, rounded, and at least one. */
static size_t share(size_t n)
{
    size_t part = (n * 15 + 50) / 100;
    return part ? part : 1;
}

static mood_status need_speakers(const mood_corpus *c)
{
    int n = mood_corpus_n_speakers(c);
    if (n >= MIN_SPEAKERS)
        return MOOD_OK;
    if (n == 1)
        return mood__fail(MOOD_E_INVALID,
                          "all %zu clips are of one speaker (%s): a split by speaker needs %d",
                          mood_corpus_n_clips(c), mood_corpus_speaker(c, 0), MIN_SPEAKERS);
    return mood__fail(
        MOOD_E_INVALID, "all %zu clips are of two speakers (%s, %s): a split by speaker needs %d",
        mood_corpus_n_clips(c), mood_corpus_speaker(c, 0), mood_corpus_speaker(c, 1), MIN_SPEAKERS);
}

static mood_status put_speaker(struct deal *d, int s, mood_side side)
{
    if (d->side[s] != MOOD_SIDE_UNUSED && d->side[s] != side)
        return mood__fail(MOOD_E_INVALID, "speaker %s is listed both for validation and for test",
                          mood_corpus_speaker(d->corpus, s));
    d->side[s] = (unsigned char)side;
    return MOOD_OK;
}

/* Put all speakers whose keys begin with `prefix` on a side. */
static mood_status name_all(struct deal *d, const char *prefix, mood_side side)
{
    int n = 0;
    for (int s = 0; s < d->n; s++) {
        if (strncmp(mood_corpus_speaker(d->corpus, s), prefix, strlen(prefix)) == 0) {
            MOOD__TRY(put_speaker(d, s, side));
            n++;
        }
    }
    return n > 0 ? MOOD_OK : mood__fail(MOOD_E_INVALID, "no speaker '%s*' in the corpus", prefix);
}

/* Put the speaker with the key that begins at `key` on a side. */
static mood_status name_speaker(struct deal *d, const char *key, size_t bytes, mood_side side)
{
    char copy[128]; /* twice the longest key: what does not fit is no speaker's */
    snprintf(copy, sizeof(copy), "%.*s", (int)(bytes < sizeof(copy) ? bytes : sizeof(copy)), key);
    if (bytes > 0 && bytes < sizeof(copy) && copy[bytes - 1] == '*') {
        copy[bytes - 1] = '\0';
        return name_all(d, copy, side);
    }
    int s = mood_corpus_find_speaker(d->corpus, copy);
    if (s < 0)
        return mood__fail(MOOD_E_INVALID, "no speaker '%s' in the corpus (%d speakers, %s to %s)",
                          copy, d->n, mood_corpus_speaker(d->corpus, 0),
                          mood_corpus_speaker(d->corpus, d->n - 1));
    return put_speaker(d, s, side);
}

/* Put the speakers of a list on a side. */
static mood_status name_speakers(struct deal *d, const char *list, mood_side side)
{
    if (!list || !*list)
        return MOOD_OK;
    for (const char *at = list;;) {
        at += strspn(at, " \t");
        size_t field = strcspn(at, ","), bytes = field;
        while (bytes > 0 && (at[bytes - 1] == ' ' || at[bytes - 1] == '\t'))
            bytes--;
        if (bytes == 0)
            return mood__fail(MOOD_E_INVALID, "an empty place in the list of speakers '%s'", list);
        MOOD__TRY(name_speaker(d, at, bytes, side));
        if (!at[field])
            return MOOD_OK;
        at += field + 1;
    }
}

enum { ANY_HOME = -1 };

static int count_at(const struct deal *d, mood_side side, int home)
{
    int n = 0;
    for (int s = 0; s < d->n; s++)
        n += d->side[s] == side && (home == ANY_HOME || d->home[s] == home);
    return n;
}

static int count(const struct deal *d, mood_side side)
{
    return count_at(d, side, ANY_HOME);
}

/* Give the first n speakers of the order that are on no side yet to `side`. */
static void give(struct deal *d, mood_side side, int n, int home)
{
    for (int i = 0; i < d->n && n > 0; i++) {
        int64_t s = d->order[i];
        if (d->side[s] == MOOD_SIDE_UNUSED && (home == ANY_HOME || d->home[s] == home)) {
            d->side[s] = (unsigned char)side;
            n--;
        }
    }
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Give a side its share of each collection's speakers, so that all are heard and judged there; but
 * never the last one that is on no side, and `keep` of all stay there. At least one is given. */
static void give_shares(struct deal *d, mood_side side, int keep)
{
    int before = count(d, side);
    for (int home = 0; home < mood_corpus_n_collections(d->corpus); home++) {
        int n_left = count_at(d, MOOD_SIDE_UNUSED, home), n_home = 0;
        for (int s = 0; s < d->n; s++)
            n_home += d->home[s] == home;
        int most = smaller(n_left - 1, count(d, MOOD_SIDE_UNUSED) - keep);
        give(d, side, smaller((int)share((size_t)n_home), most), home);
    }
    if (count(d, side) == before)
        give(d, side, 1, ANY_HOME);
}

static void shuffle(struct deal *d, uint64_t seed, uint64_t stream)
{
    struct mood__rng rng = mood__rng_make(seed, stream);
    int64_t *all = d->order + d->n; /* the second half of it */
    for (int s = 0; s < d->n; s++)
        all[s] = s;
    mood__rng_shuffle(&rng, all, d->n);
    int n = 0;
    for (int home = 0; home < mood_corpus_n_collections(d->corpus); home++)
        for (int i = 0; i < d->n; i++)
            if (d->home[all[i]] == home)
                d->order[n++] = all[i];
}

static mood_status deal_speakers(struct deal *d, const mood_split_params *p)
{
    MOOD__TRY(need_speakers(d->corpus));
    MOOD__TRY(name_speakers(d, p->test_speakers, MOOD_SIDE_TEST));
    MOOD__TRY(name_speakers(d, p->val_speakers, MOOD_SIDE_VAL));

    bool deal_test = count(d, MOOD_SIDE_TEST) == 0, deal_val = count(d, MOOD_SIDE_VAL) == 0;
    int free_speakers = count(d, MOOD_SIDE_UNUSED), needed = 1 + deal_test + deal_val;
    if (free_speakers < needed)
        return mood__fail(MOOD_E_INVALID,
                          "the lists leave %d of %d speakers for training%s: %d needed",
                          free_speakers, d->n,
                          deal_test  ? " and test"
                          : deal_val ? " and validation"
                                     : "",
                          needed);

    shuffle(d, p->seed, STREAM_DEAL);
    if (deal_test)
        give_shares(d, MOOD_SIDE_TEST, 1 + deal_val);
    if (deal_val)
        give_shares(d, MOOD_SIDE_VAL, 1);
    give(d, MOOD_SIDE_TRAIN, d->n, ANY_HOME);
    return MOOD_OK;
}

static mood_status deal_fold(struct deal *d, const mood_split_params *p)
{
    MOOD__TRY(need_speakers(d->corpus));
    if (p->n_folds < 2 || p->n_folds > d->n)
        return mood__fail(MOOD_E_INVALID, "%d folds: from 2 to the %d speakers are possible",
                          p->n_folds, d->n);
    if (p->fold < 0 || p->fold >= p->n_folds)
        return mood__fail(MOOD_E_INVALID, "fold %d is outside 0 to %d", p->fold, p->n_folds - 1);

    shuffle(d, p->seed, STREAM_DEAL);
    for (int i = p->fold; i < d->n; i += p->n_folds)
        d->side[d->order[i]] = MOOD_SIDE_TEST;
    int rest = count(d, MOOD_SIDE_UNUSED);
    if (rest < 2)
        return mood__fail(MOOD_E_INVALID,
                          "%d folds leave %d of %d speakers for training and validation: 2 needed",
                          p->n_folds, rest, d->n);

    /* Another shuffle for each fold: no speaker chooses the epoch in fold after fold. */
    shuffle(d, p->seed, STREAM_FOLD_VAL + (uint64_t)p->fold);
    give_shares(d, MOOD_SIDE_VAL, 1);
    give(d, MOOD_SIDE_TRAIN, d->n, ANY_HOME);
    return MOOD_OK;
}

/* Who speaks in the collection is for the test; who else there is, for training. */
static mood_status deal_collection(struct deal *d, const mood_split_params *p)
{
    const mood_collection *tested = mood_corpus_collection(d->corpus, p->collection);
    if (!tested)
        return mood__fail(MOOD_E_INVALID, "the corpus has no collection number %d", p->collection);
    for (size_t i = 0; i < mood_corpus_n_clips(d->corpus); i++) {
        const mood_clip *clip = mood_corpus_clip(d->corpus, i);
        if (clip->collection == p->collection)
            d->side[clip->speaker] = MOOD_SIDE_TEST;
    }
    int rest = count(d, MOOD_SIDE_UNUSED);
    if (rest < 2)
        return mood__fail(MOOD_E_INVALID,
                          "a test on all of %s leaves %d speaker%s for training and validation: 2 "
                          "needed",
                          tested->name, rest, rest == 1 ? "" : "s");
    shuffle(d, p->seed, STREAM_DEAL);
    give_shares(d, MOOD_SIDE_VAL, 1);
    give(d, MOOD_SIDE_TRAIN, d->n, ANY_HOME);
    return MOOD_OK;
}

static mood_status by_speaker(mood_split *split, const mood_corpus *c, const mood_split_params *p)
{
    struct deal d = {.corpus = c, .n = mood_corpus_n_speakers(c)};
    d.side = mood__calloc((size_t)d.n, sizeof(*d.side));
    d.home = mood__calloc((size_t)d.n, sizeof(*d.home));
    d.order = mood__calloc((size_t)d.n, 2 * sizeof(*d.order));
    mood_status status = MOOD_OK;
    if (!d.side || !d.home || !d.order)
        status = mood__nomem();
    for (size_t i = split->n_clips; i-- > 0 && !status;)
        d.home[mood_corpus_clip(c, i)->speaker] = mood_corpus_clip(c, i)->collection;
    if (!status)
        status = p->kind == MOOD_SPLIT_FOLD         ? deal_fold(&d, p)
                 : p->kind == MOOD_SPLIT_COLLECTION ? deal_collection(&d, p)
                                                    : deal_speakers(&d, p);
    for (size_t i = 0; i < split->n_clips && status == MOOD_OK; i++) {
        const mood_clip *clip = mood_corpus_clip(c, i);
        split->side[i] = d.side[clip->speaker];
        /* Who speaks in the tested collection and elsewhere too is heard there only. */
        if (p->kind == MOOD_SPLIT_COLLECTION && split->side[i] == MOOD_SIDE_TEST &&
            clip->collection != p->collection)
            split->side[i] = MOOD_SIDE_UNUSED;
    }
    mood__free(d.side);
    mood__free(d.home);
    mood__free(d.order);
    return status;
}

static mood_status by_clip(mood_split *split, const mood_corpus *c, uint64_t seed)
{
    int64_t *order = mood__calloc(split->n_clips, sizeof(*order));
    if (!order)
        return mood__nomem();
    struct mood__rng rng = mood__rng_make(seed, STREAM_DEAL);
    for (int label = 0; label < mood_corpus_n_labels(c); label++) {
        size_t n = 0;
        for (size_t i = 0; i < split->n_clips; i++) {
            if (mood_corpus_clip(c, i)->label == label)
                order[n++] = (int64_t)i;
        }
        mood__rng_shuffle(&rng, order, (int64_t)n);
        size_t part = n < 3 ? 0 : share(n);
        for (size_t i = 0; i < n; i++)
            split->side[order[i]] = i < part       ? MOOD_SIDE_TEST
                                    : i < 2 * part ? MOOD_SIDE_VAL
                                                   : MOOD_SIDE_TRAIN;
    }
    mood__free(order);
    return MOOD_OK;
}

/* How many labels have clips on a side, or in the whole corpus for MOOD_N_SIDES; *one is one of
 * them. */
static int count_labels(const mood_split *split, const mood_corpus *c, int side, const char **one)
{
    bool seen[MOOD_MAX_LABELS] = {false};
    int n = 0;
    for (size_t i = 0; i < split->n_clips; i++) {
        int label = mood_corpus_clip(c, i)->label;
        if ((side == MOOD_N_SIDES || split->side[i] == side) && !seen[label]) {
            seen[label] = true;
            *one = mood_corpus_label(c, label);
            n++;
        }
    }
    return n;
}

static mood_status check_corpus(const mood_split *split, const mood_corpus *c)
{
    const char *label = NULL;
    int n = count_labels(split, c, MOOD_N_SIDES, &label);
    if (n == 0)
        return mood__fail(MOOD_E_INVALID, "a corpus without clips cannot be split");
    if (n == 1)
        return mood__fail(MOOD_E_INVALID,
                          "all %zu clips have one label (%s): nothing to tell apart",
                          split->n_clips, label);
    return MOOD_OK;
}

static mood_status check_sides(const mood_split *split, const mood_corpus *c)
{
    static const char *const words[MOOD_N_SIDES] = {"", "training", "validation", "test"};
    const char *label = NULL;
    for (int side = MOOD_SIDE_TRAIN; side < MOOD_N_SIDES; side++) {
        int n = count_labels(split, c, side, &label);
        if (n == 0)
            return mood__fail(MOOD_E_INVALID, "the split leaves no clip for %s", words[side]);
        if (n == 1 && side == MOOD_SIDE_TRAIN)
            return mood__fail(MOOD_E_INVALID,
                              "all clips for training have one label (%s): nothing to tell apart",
                              label);
    }
    return MOOD_OK;
}

static void leave_out_disputed(mood_split *split, const mood_corpus *c)
{
    for (size_t i = 0; i < split->n_clips; i++) {
        if (mood_corpus_clip(c, i)->disputed && split->side[i] != MOOD_SIDE_UNUSED) {
            split->side[i] = MOOD_SIDE_UNUSED;
            split->protocol.n_disputed++;
        }
    }
}

/* Of copies that would be on one side anyway, the first is enough: the others would count it twice.
 */
static void leave_out_copies(mood_split *split, const mood_corpus *c)
{
    for (size_t i = 0; i < split->n_clips; i++) {
        const mood_clip *b = mood_corpus_clip(c, i), *a = mood_corpus_clip(c, b->recording);
        if (b->recording != i && a->speaker == b->speaker && split->side[i] != MOOD_SIDE_UNUSED &&
            split->side[i] == split->side[b->recording]) {
            split->side[i] = MOOD_SIDE_UNUSED;
            split->protocol.n_copies++;
        }
    }
}

/* A twin under another speaker's name makes the stamp a lie. */
static mood_status check_twins(const mood_split *split, const mood_corpus *c)
{
    if (!split->protocol.speaker_disjoint || split->protocol.n_twins == 0)
        return MOOD_OK;
    for (size_t i = 0; i < split->n_clips; i++) {
        const mood_clip *b = mood_corpus_clip(c, i), *a = mood_corpus_clip(c, b->recording);
        mood_side x = (mood_side)split->side[b->recording], y = (mood_side)split->side[i];
        if (x != y && x != MOOD_SIDE_UNUSED && y != MOOD_SIDE_UNUSED)
            return mood__fail(MOOD_E_INVALID,
                              "%s (speaker %s, %s) and %s (speaker %s, %s) are the same recording: "
                              "%zu clips have a twin on another side",
                              a->path, mood_corpus_speaker(c, a->speaker), mood_side_name(x),
                              b->path, mood_corpus_speaker(c, b->speaker), mood_side_name(y),
                              split->protocol.n_twins);
    }
    return MOOD_OK;
}

/* The text of protocol.dealt; NULL when there is no memory. */
static char *describe_dealing(struct mood__arena *arena, const mood_corpus *c,
                              const mood_split_params *p)
{
    bool to_one = p->kind == MOOD_SPLIT_COLLECTION;
    const char *tested = to_one ? mood_corpus_collection(c, p->collection)->name : "";
    bool val = p->val_speakers && *p->val_speakers, test = p->test_speakers && *p->test_speakers;
    unsigned long long seed = p->seed;
    size_t bytes = 128 + (p->file ? strlen(p->file) : 0) + strlen(tested);
    char *text = mood__arena_alloc(arena, bytes);
    if (!text)
        return NULL;
    if (p->kind == MOOD_SPLIT_FILE)
        snprintf(text, bytes, "from %s", p->file);
    else if (p->kind == MOOD_SPLIT_RANDOM)
        snprintf(text, bytes, "by clip, seed %llu", seed);
    else if (p->kind == MOOD_SPLIT_FOLD)
        snprintf(text, bytes, "fold %d of %d by speaker, seed %llu", p->fold + 1, p->n_folds, seed);
    else if (p->kind == MOOD_SPLIT_NONE)
        snprintf(text, bytes, "all for training");
    else if (to_one)
        snprintf(text, bytes, "all of %s for the test, seed %llu", tested, seed);
    else if (val && test)
        snprintf(text, bytes, "by speaker, as listed");
    else if (val || test)
        snprintf(text, bytes, "by speaker, %s as listed, seed %llu", val ? "validation" : "test",
                 seed);
    else
        snprintf(text, bytes, "by speaker, seed %llu", seed);
    return text;
}

static mood_status divide(mood_split *split, const mood_corpus *c, const mood_split_params *p)
{
    if (p->kind != MOOD_SPLIT_SPEAKER &&
        ((p->val_speakers && *p->val_speakers) || (p->test_speakers && *p->test_speakers)))
        return mood__fail(MOOD_E_INVALID,
                          "lists of speakers go only with a plain split by speaker");
    if ((p->kind == MOOD_SPLIT_FILE) != (p->file != NULL))
        return mood__fail(MOOD_E_INVALID,
                          "a file goes with a split from a file, and only with that");

    split->n_clips = mood_corpus_n_clips(c);
    split->side = mood__calloc(split->n_clips, sizeof(*split->side));
    if (!split->side)
        return mood__nomem();
    MOOD__TRY(check_corpus(split, c));
    switch (p->kind) {
    case MOOD_SPLIT_SPEAKER:
    case MOOD_SPLIT_FOLD:
    case MOOD_SPLIT_COLLECTION:
        MOOD__TRY(by_speaker(split, c, p));
        break;
    case MOOD_SPLIT_RANDOM:
        MOOD__TRY(by_clip(split, c, p->seed));
        break;
    case MOOD_SPLIT_FILE:
        MOOD__TRY(mood__split_from_file(c, p->file, split->side));
        break;
    case MOOD_SPLIT_NONE:
        memset(split->side, MOOD_SIDE_TRAIN, split->n_clips * sizeof(*split->side));
        break;
    default:
        return mood__fail(MOOD_E_INVALID, "no kind of split has the number %d", (int)p->kind);
    }
    leave_out_disputed(split, c);
    if (p->kind != MOOD_SPLIT_FILE)
        leave_out_copies(split, c);
    if (p->kind != MOOD_SPLIT_NONE)
        MOOD__TRY(check_sides(split, c));
    split->protocol.dealt = describe_dealing(&split->arena, c, p);
    if (!split->protocol.dealt)
        return mood__nomem();
    MOOD__TRY(mood__protocol_describe(split, c));
    return check_twins(split, c);
}

mood_status mood_split_create(mood_split **out, const mood_corpus *corpus,
                              const mood_split_params *params)
{
    static const mood_split_params defaults = {.kind = MOOD_SPLIT_SPEAKER};
    *out = NULL;
    mood_split *split = mood__calloc(1, sizeof(*split));
    if (!split)
        return mood__nomem();
    mood_status status = divide(split, corpus, params ? params : &defaults);
    if (status == MOOD_OK)
        *out = split;
    else
        mood_split_destroy(&split);
    return status;
}

void mood_split_destroy(mood_split **split)
{
    if (!*split)
        return;
    mood__arena_free(&(*split)->arena);
    mood__free((*split)->side);
    mood__free(*split);
    *split = NULL;
}

mood_side mood_split_side(const mood_split *split, size_t i)
{
    return i < split->n_clips ? (mood_side)split->side[i] : MOOD_SIDE_UNUSED;
}

const mood_protocol *mood_split_protocol(const mood_split *split)
{
    return &split->protocol;
}
