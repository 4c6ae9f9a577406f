/* SPDX-License-Identifier: MIT
 *
 * bank.c — Which features a training needs, which of them the caches have, and reading them. */
#include "train/bank.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/half.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "infer/features.h"
#include "models/encoder.h"
#include "train/extract.h"
#include "train/work.h"

enum {
    KEY_BYTES = 1024,
    LAYER_BYTES = 32,
    FOLDER_BYTES = 128,    /* of a cache within the folder of all */
    SHARD_OVERHEAD = 16384 /* bytes of a file that are not rows; somewhat more than there are */
};

struct clip {
    unsigned char digest[MOOD__SHA256_BYTES];
    int32_t n_samples; /* 0: nobody knows yet */
};

struct mood__bank {
    struct mood__bank_params p;
    struct mood__cache_layout layout;
    /* [0] has the clips as they were recorded, for every training; [1] their changed copies, for
     * trainings that change them alike. */
    struct mood__cache *cache[2];
    struct clip *clips;          /* one per clip of the corpus; those on no side stay empty */
    struct mood__wanted *wanted; /* what the caches lack: of copy 0, then of the others */
    size_t n_wanted[2];
    uint16_t *row; /* (threads, features of a window): scratch memory */
    size_t row_elements;
    int64_t done, total, cached; /* windows */
    struct timespec began;
};

static int n_copies(const struct mood__bank *b, size_t clip)
{
    bool train = mood_split_side(b->p.split, clip) == MOOD_SIDE_TRAIN;
    return b->cache[1] && train ? 1 + b->p.copies : 1;
}

static bool is_used(const struct mood__bank *b, size_t clip)
{
    mood_side side = mood_split_side(b->p.split, clip);
    return side != MOOD_SIDE_UNUSED && (b->p.layer != MOOD__LAYER_MEANS || side != MOOD_SIDE_TEST);
}

static const struct mood__piece *find(const struct mood__bank *b, size_t clip, int copy)
{
    return mood__cache_find(b->cache[copy > 0], b->clips[clip].digest, copy);
}

/* Whether the caller, or the flag, wants an end. */
static bool tell(const struct mood__bank *b, const mood_train_event *e)
{
    bool stop = b->p.on_event && b->p.on_event(b->p.user, e) != 0;
    return stop || (b->p.stop && *b->p.stop != 0);
}

/* ---- opening the caches ------------------------------------------------------------------- */

/* The name of a layer's cache, and of the layer in its key. */
static void name_layer(char name[LAYER_BYTES], const struct mood__bank_params *p)
{
    if (p->layer >= 0)
        snprintf(name, LAYER_BYTES, "layer-%02d%s", p->layer, p->exact ? "-exact" : "");
    else
        snprintf(name, LAYER_BYTES, "%s", p->layer == MOOD_LAYER_MIX ? "mix" : "means");
}

/* Everything that the numbers of a row depend on. */
static void write_key(const struct mood__bank *b, bool copies, char key[KEY_BYTES])
{
    const struct mood__bank_params *p = &b->p;
    char layer[LAYER_BYTES];
    name_layer(layer, p);
    int n = snprintf(
        key, KEY_BYTES, "encoder %s\n%s\nwindow %d hop %d\nmel %d hop %d bands %d\nhearing %d\n",
        mood_encoder_identity(p->encoder), layer, MOOD__WINDOW_SAMPLES, MOOD__WINDOW_HOP,
        MOOD__MEL_FFT, MOOD__MEL_HOP, MOOD__MEL_BANDS, MOOD__HEARING);
    if (p->encoder->has_i8) /* has the identity of the encoder before it was rounded */
        n += snprintf(key + n, KEY_BYTES - (size_t)n, "weights i8\n");
    if (!copies)
        return;
    const mood_augment_params *a = p->augment;
    n += snprintf(key + n, KEY_BYTES - (size_t)n, "augment %u noise %a %a gain %a shift %a\n",
                  a->kinds, (double)a->noise_snr_min_db, (double)a->noise_snr_max_db,
                  (double)a->gain_db, (double)a->shift_s);
    snprintf(key + n, KEY_BYTES - (size_t)n,
             "speed %a pitch %a room %a %a lowpass %a masks %d %d %d %d\n", (double)a->speed,
             (double)a->pitch, (double)a->room_s, (double)a->room_db, (double)a->low_pass_hz,
             a->time_masks, a->time_mask, a->freq_masks, a->freq_mask);
}

static mood_status open_cache(struct mood__bank *b, const char *root, bool copies)
{
    char key[KEY_BYTES], layer[LAYER_BYTES], hex[MOOD__SHA256_HEX_BYTES], more[24] = "";
    unsigned char digest[MOOD__SHA256_BYTES];
    write_key(b, copies, key);
    name_layer(layer, &b->p);
    if (copies) {
        mood__sha256_of(key, strlen(key), digest);
        snprintf(more, sizeof(more), "-changed-%.8s", mood__sha256_hex(hex, digest));
    }
    size_t n = strlen(root) + FOLDER_BYTES;
    char *folder = mood__calloc(n, 1);
    if (!folder)
        return mood__nomem();
    snprintf(folder, n, "%s/%.16s%s/%s%s", root, mood_encoder_identity(b->p.encoder),
             b->p.encoder->has_i8 ? "-i8" : "", layer, more);
    struct mood__cache_params cp = {
        .folder = folder, .layout = b->layout, .pool = b->p.pool, .stop = b->p.stop};
    cp.layout.key = key;
    mood_status status = mood__cache_open(&b->cache[copies], &cp);
    mood__free(folder);
    return status;
}

static mood_status open_caches(struct mood__bank *b)
{
    const mood_encoder_config *c = mood_encoder_get_config(b->p.encoder);
    int64_t T = mood_encoder_frames(c, MOOD__WINDOW_SAMPLES), L = c->n_layers + 1, D = c->width;
    bool means = b->p.layer == MOOD__LAYER_MEANS;
    b->layout = (struct mood__cache_layout){.dtype = means || b->p.exact ? MOOD_F32 : MOOD_F16,
                                            .plane = means ? 0 : MOOD__PLANE};
    if (b->p.layer < 0)
        b->layout.dim[b->layout.rank++] = L;
    if (!means)
        b->layout.dim[b->layout.rank++] = T;
    b->layout.dim[b->layout.rank++] = D;

    char *standard = NULL;
    if (b->p.folder && !b->p.folder[0])
        return mood__fail(MOOD_E_INVALID, "the folder for the cache has no name");
    if (!b->p.folder)
        MOOD__TRY(mood__cache_default_folder(&standard));
    const char *root = b->p.folder ? b->p.folder : standard;
    mood_status status = open_cache(b, root, false);
    if (!status && b->p.copies > 0)
        status = open_cache(b, root, true);
    mood__free(standard);
    return status;
}

/* ---- taking stock of the clips ------------------------------------------------------------- */

/* Windows of a copy, as the cache counts them. */
static mood_status count_windows(const struct mood__bank *b, size_t clip, int32_t *n)
{
    mood_windows plan = {.count = 1};
    if (b->p.layer != MOOD__LAYER_MEANS)
        MOOD__TRY(mood__plan_windows(&plan, (size_t)b->clips[clip].n_samples));
    *n = (int32_t)plan.count;
    return MOOD_OK;
}

/* A shard says both how long a clip is and how many windows it has; only a file that was made by
 * hand contradicts itself, and the windows would not be where they are looked for. */
static mood_status check_piece(const struct mood__bank *b, size_t clip, const struct mood__piece *p)
{
    int32_t n;
    MOOD__TRY(count_windows(b, clip, &n));
    if (n != p->n_windows)
        return mood__fail(MOOD_E_FORMAT,
                          "%s: is damaged: %d windows of a clip of %d samples, which has %d",
                          mood__cache_folder(b->cache[p->copy > 0]), (int)p->n_windows,
                          (int)p->n_samples, (int)n);
    return MOOD_OK;
}

/* A clip's digest; and its length, when the caches do not know it, for which it is decoded. */
static mood_status read_clip(void *ctx, size_t i, int worker)
{
    struct mood__bank *b = ctx;
    (void)worker;
    struct clip *clip = &b->clips[i];
    const char *path = mood_corpus_clip(b->p.corpus, i)->path;
    MOOD__TRY(mood__clip_read(path, clip->digest, NULL));
    bool complete = true;
    for (int copy = 0; copy < n_copies(b, i); copy++) {
        const struct mood__piece *p = find(b, i, copy);
        complete = complete && p;
        if (!p)
            continue;
        clip->n_samples = p->n_samples;
        MOOD__TRY(check_piece(b, i, p));
    }
    if (complete || clip->n_samples > 0)
        return MOOD_OK;
    mood_audio *audio = NULL;
    MOOD__TRY(mood__clip_read(path, clip->digest, &audio));
    clip->n_samples = (int32_t)mood_audio_length(audio); /* at most four hours: 2.3e8 */
    mood_audio_destroy(&audio);
    return MOOD_OK;
}

static int on_read(void *user, int64_t done, int64_t total)
{
    mood_train_event e = {
        .phase = MOOD_TRAIN_READ, .done = done, .total = total, .seconds_left = -1};
    return tell(user, &e);
}

static mood_status read_clips(struct mood__bank *b)
{
    size_t n_clips = mood_corpus_n_clips(b->p.corpus);
    b->clips = mood__calloc(n_clips, sizeof(*b->clips));
    size_t *clips = mood__calloc(n_clips, sizeof(*clips));
    int64_t total = 0;
    for (size_t i = 0; clips && i < n_clips; i++)
        if (is_used(b, i))
            clips[total++] = i;
    const struct mood__reading r = {.clips = clips,
                                    .n_clips = total,
                                    .read = read_clip,
                                    .ctx = b,
                                    .pool = b->p.pool,
                                    .group = 8 * (int64_t)mood_pool_threads(b->p.pool),
                                    .on_read = on_read,
                                    .user = b};
    mood_status status = clips && b->clips ? mood__read_clips(&r) : mood__nomem();
    mood__free(clips);
    return status;
}

/* ---- computing what is missing ------------------------------------------------------------- */

/* Put what is missing of one cache on the list, and count the windows of both kinds. */
static mood_status list_wanted(struct mood__bank *b, size_t *capacity, size_t *n, bool copies)
{
    for (size_t i = 0; i < mood_corpus_n_clips(b->p.corpus); i++) {
        int first = copies ? 1 : 0, stop = copies ? n_copies(b, i) : 1;
        for (int copy = first; copy < stop && is_used(b, i); copy++) {
            struct mood__wanted w = {.clip = i, .copy = copy, .n_samples = b->clips[i].n_samples};
            MOOD__TRY(count_windows(b, i, &w.n_windows));
            if (find(b, i, copy)) {
                b->cached += w.n_windows;
                continue;
            }
            memcpy(w.digest, b->clips[i].digest, sizeof(w.digest));
            if (!mood__reserve((void **)&b->wanted, capacity, *n + 1, sizeof(w)))
                return mood__nomem();
            b->wanted[(*n)++] = w;
            b->total += w.n_windows;
        }
    }
    return MOOD_OK;
}

static mood_status list_all_wanted(struct mood__bank *b)
{
    size_t capacity = 0, n = 0;
    MOOD__TRY(list_wanted(b, &capacity, &n, false));
    b->n_wanted[0] = n;
    MOOD__TRY(list_wanted(b, &capacity, &n, true));
    b->n_wanted[1] = n - b->n_wanted[0];
    return MOOD_OK;
}

static int tell_features(struct mood__bank *b, const mood_cache_plan *plan)
{
    mood_train_event e = {.phase = MOOD_TRAIN_FEATURES,
                          .done = b->done,
                          .total = b->total,
                          .seconds_left = -1,
                          .plan = plan};
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double passed =
        (double)(now.tv_sec - b->began.tv_sec) + 1e-9 * (double)(now.tv_nsec - b->began.tv_nsec);
    if (b->done > 0)
        e.seconds_left = passed / (double)b->done * (double)(b->total - b->done);
    return tell(b, &e);
}

static int on_done(void *user, int64_t n_windows)
{
    struct mood__bank *b = user;
    b->done += n_windows;
    return tell_features(b, NULL);
}

/* Say what is going to happen, before it does: it may take hours, and fill a disk. */
static mood_status announce(struct mood__bank *b)
{
    uint64_t row = mood__cache_row_bytes(&b->layout), bytes = (uint64_t)b->total * row;
    uint64_t shards = (b->n_wanted[0] + b->n_wanted[1]) / MOOD__SHARD_MAX_PIECES +
                      (uint64_t)b->total / (uint64_t)mood__shard_rows(&b->layout) + 2;
    mood_cache_plan plan = {.folder = mood__cache_folder(b->cache[0]), .n_cached = b->cached};
    if (b->total > 0)
        plan.bytes = bytes + shards * SHARD_OVERHEAD;
    MOOD__TRY(mood__cache_room(b->cache[0], &plan.bytes_free));
    for (int i = 0; i < 2 && b->cache[i]; i++) {
        if (mood__cache_n_bad(b->cache[i]) > 0 && plan.n_bad == 0)
            plan.bad = mood__cache_first_bad(b->cache[i]);
        plan.n_bad += mood__cache_n_bad(b->cache[i]);
    }
    if (tell_features(b, &plan))
        return mood__fail(MOOD_E_STOPPED, "stopped before computing features");
    if (plan.bytes > plan.bytes_free)
        return mood__fail(MOOD_E_IO, "%s: the features need %.1f MB, and its disk has %.1f MB left",
                          plan.folder, (double)plan.bytes / 1e6, (double)plan.bytes_free / 1e6);
    for (int i = 0; i < 2; i++)
        if (b->n_wanted[i] > 0)
            MOOD__TRY(mood__cache_check_writable(b->cache[i]));
    return MOOD_OK;
}

static mood_status compute(struct mood__bank *b)
{
    MOOD__TRY(list_all_wanted(b));
    MOOD__TRY(announce(b));
    clock_gettime(CLOCK_MONOTONIC, &b->began);
    for (int i = 0; i < 2; i++) {
        if (b->n_wanted[i] == 0)
            continue;
        struct mood__extract e = {.p = &b->p,
                                  .layout = b->layout,
                                  .cache = b->cache[i],
                                  .wanted = b->wanted + (i ? b->n_wanted[0] : 0),
                                  .n_wanted = b->n_wanted[i],
                                  .on_done = on_done,
                                  .user = b};
        MOOD__TRY(mood__extract_run(&e));
    }
    return MOOD_OK;
}

static mood_status make(struct mood__bank *b)
{
    MOOD__TRY(mood__check_window_frames(b->p.encoder)); /* before hours are spent */
    MOOD__TRY(open_caches(b));
    b->row_elements = mood__cache_row_elements(&b->layout);
    b->row = mood__calloc((size_t)mood_pool_threads(b->p.pool) * b->row_elements, sizeof(*b->row));
    if (!b->row)
        return mood__nomem();
    MOOD__TRY(read_clips(b));
    MOOD__TRY(compute(b));
    mood__free(b->wanted);
    b->wanted = NULL;
    return MOOD_OK;
}

int mood__copies_of(const mood_train_params *params)
{
    enum { COPIES = 3 };
    return params->augment.kinds == 0 ? 0 : params->copies ? params->copies : COPIES;
}

struct mood__bank_params mood__bank_params_of(const mood_train_params *params,
                                              const mood_corpus *corpus, const mood_split *split,
                                              int layer)
{
    return (struct mood__bank_params){
        .corpus = corpus,
        .split = split,
        .encoder = params->encoder,
        .layer = layer,
        .folder = params->cache,
        .augment = &params->augment,
        .copies = layer == MOOD__LAYER_MEANS ? 0 : mood__copies_of(params),
        .pool = params->pool,
        .stop = params->stop,
        .on_event = params->on_event,
        .user = params->user,
    };
}

mood_status mood__bank_make(struct mood__bank **out, const struct mood__bank_params *params)
{
    *out = NULL;
    struct mood__bank *b = mood__calloc(1, sizeof(*b));
    if (!b)
        return mood__nomem();
    b->p = *params;
    mood_status status = make(b);
    if (status)
        mood__bank_free(&b);
    *out = b;
    return status;
}

void mood__bank_free(struct mood__bank **bank)
{
    struct mood__bank *b = *bank;
    *bank = NULL;
    if (!b)
        return;
    mood__cache_close(&b->cache[0]);
    mood__cache_close(&b->cache[1]);
    mood__free(b->clips);
    mood__free(b->wanted);
    mood__free(b->row);
    mood__free(b);
}

/* ---- reading ------------------------------------------------------------------------------- */

int mood__bank_shape(const struct mood__bank *b, int64_t dim[MOOD_MAX_RANK])
{
    memcpy(dim, b->layout.dim, sizeof(b->layout.dim));
    return b->layout.rank;
}

static bool has_speech(const struct mood__piece *first, int64_t window)
{
    const struct mood__piece *p = mood__cache_piece(first, window);
    return p->speech[window - p->first] != 0;
}

mood_status mood__bank_heard(const struct mood__bank *b, size_t clip, struct mood__heard *out)
{
    const struct mood__piece *first = find(b, clip, 0);
    mood_windows plan;
    MOOD__TRY(mood__plan_windows(&plan, (size_t)first->n_samples));
    *out = (struct mood__heard){.n_samples = plan.n_samples, .n_windows = plan.count};
    out->start = mood__calloc(plan.count, sizeof(*out->start));
    out->speech = mood__calloc(plan.count, sizeof(*out->speech));
    if (!out->start || !out->speech) {
        mood__heard_free(out);
        return mood__nomem();
    }
    for (size_t i = 0; i < plan.count; i++) {
        out->start[i] = mood_windows_start(&plan, i);
        out->speech[i] = has_speech(first, (int64_t)i);
    }
    return MOOD_OK;
}

static mood_status read_row(struct mood__bank *b, const struct mood__piece *first, int64_t window,
                            int worker, float *features, float *plane)
{
    const struct mood__cache *c = b->cache[first->copy > 0];
    if (!features || b->layout.dtype == MOOD_F32)
        return mood__cache_read(c, first, window, features, plane);
    uint16_t *row = b->row + (size_t)worker * b->row_elements;
    MOOD__TRY(mood__cache_read(c, first, window, row, plane));
    mood__f16_to_f32(features, row, b->row_elements);
    return MOOD_OK;
}

mood_status mood__bank_read(struct mood__bank *b, size_t clip, size_t window, int worker,
                            float *features, float *plane)
{
    return read_row(b, find(b, clip, 0), (int64_t)window, worker, features, plane);
}

mood_status mood__bank_draw(struct mood__bank *b, size_t clip, uint64_t key, int worker,
                            float *features, float *plane, size_t *start)
{
    struct mood__rng rng = mood__rng_make(key, 0);
    int copy = (int)mood__rng_below(&rng, (uint64_t)n_copies(b, clip));
    const struct mood__piece *first = find(b, clip, copy);
    uint64_t n_speech = 0;
    for (int64_t i = 0; i < first->n_windows; i++)
        n_speech += has_speech(first, i);
    uint64_t pick = mood__rng_below(&rng, n_speech ? n_speech : (uint64_t)first->n_windows);
    int64_t window = 0;
    while ((n_speech > 0 && !has_speech(first, window)) || pick-- > 0)
        window++;
    mood_windows plan;
    MOOD__TRY(mood__plan_windows(&plan, (size_t)first->n_samples));
    *start = mood_windows_start(&plan, (size_t)window);
    return read_row(b, first, window, worker, features, plane);
}
