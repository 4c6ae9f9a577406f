/* SPDX-License-Identifier: MIT
 *
 * extract.c — From clips to shards: decode, cut windows, run the encoder, one window per task.
 *
 * A window is computed by itself on one thread, so its bytes depend neither on its company nor on
 * the number of threads. In memory are one shard, and the samples of the clips that are being
 * worked on. */
#include "train/extract.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "infer/features.h"
#include "tensor/tensor.h"
#include "train/work.h"

/* A shard is kept in memory until it is written, which takes as much again. */
enum { MAX_SHARD_BYTES = 32 << 20 };

static const size_t MAX_CLIP_BYTES = (size_t)1 << 31; /* mood_audio_params.max_bytes */

/* What one thread needs. */
struct worker {
    struct mood__ear *ear;
    mood_frames *frames;
    float *features; /* of one window, as float */
};

struct work {
    const struct mood__extract *e;
    mood_encoder_use use;
    struct worker *workers;
    int n_workers;
    struct mood__failure *failures; /* one per task */

    /* The shard that is being filled. */
    struct mood__piece pieces[MOOD__SHARD_MAX_PIECES];
    const struct mood__wanted *from[MOOD__SHARD_MAX_PIECES];
    int slot[MOOD__SHARD_MAX_PIECES]; /* pieces of one clip share its samples */
    int n_pieces, n_slots;
    mood_audio *audio[MOOD__SHARD_MAX_PIECES]; /* by slot */
    int64_t max_rows, n_rows;
    int *piece_of; /* by row */
    char *features;
    float *planes;
    int32_t *speech;

    int64_t first; /* row, or slot, of task 0 */
};

/* ---- clips -------------------------------------------------------------------------------- */

mood_status mood__clip_read(const char *path, unsigned char digest[MOOD__SHA256_BYTES],
                            mood_audio **audio)
{
    unsigned char *bytes = NULL;
    size_t n = 0;
    mood_status status = mood__file_read(path, MAX_CLIP_BYTES, &bytes, &n);
    if (!status) {
        mood__sha256_of(bytes, n, digest);
        if (audio)
            status = mood_audio_read_memory(audio, bytes, n, NULL);
    }
    mood__free(bytes);
    return status ? mood__fail_in(status, "%s", path) : MOOD_OK;
}

uint64_t mood__copy_seed(const unsigned char digest[MOOD__SHA256_BYTES], int copy)
{
    uint64_t key;
    memcpy(&key, digest, sizeof(key));
    return mood__hash64(key, (uint64_t)copy);
}

static const char *path_of(const struct work *w, const struct mood__wanted *from)
{
    return mood_corpus_clip(w->e->p->corpus, from->clip)->path;
}

static void decode_task(void *ctx, int64_t task, int worker)
{
    struct work *w = ctx;
    int slot = (int)(w->first + task), piece = 0;
    (void)worker;
    while (w->slot[piece] != slot)
        piece++;
    const struct mood__wanted *from = w->from[piece];
    unsigned char digest[MOOD__SHA256_BYTES];
    mood_status status = mood__clip_read(path_of(w, from), digest, &w->audio[slot]);
    if (!status && memcmp(digest, from->digest, sizeof(digest)) != 0)
        status = mood__fail(MOOD_E_IO, "%s: changed while it was being used", path_of(w, from));
    mood__failure_note(&w->failures[task], status);
}

static void forget_audio(struct work *w, int first, int stop)
{
    for (int i = first; i < stop; i++)
        mood_audio_destroy(&w->audio[i]);
}

/* ---- windows ------------------------------------------------------------------------------ */

static mood_status hear(const struct work *w, const struct mood__wanted *from, int worker,
                        const mood_audio *audio, size_t window, float *plane, bool *speech)
{
    size_t n = mood_audio_length(audio);
    mood_windows plan;
    MOOD__TRY(mood__plan_windows(&plan, n));
    return mood__ear_window(w->workers[worker].ear, plane, speech, mood_audio_samples(audio), n,
                            mood_windows_start(&plan, window),
                            from->copy > 0 ? w->e->p->augment : NULL,
                            mood__hash64(mood__copy_seed(from->digest, from->copy), window));
}

/* The mean over time of each layer (T, D): (L, D). */
static void put_means(const struct worker *k, int n_layers, float *mean)
{
    for (int i = 0; i <= n_layers; i++) {
        const mood_tensor *layer = mood_frames_layer(k->frames, i);
        int64_t T = layer->dim[0], D = layer->dim[1];
        for (int64_t d = 0; d < D; d++) {
            double sum = 0;
            for (int64_t t = 0; t < T; t++)
                sum += (double)mood__f32(layer)[t * D + d];
            *mean++ = (float)(sum / (double)T);
        }
    }
}

/* The features of the window that was heard last. As f16 they are what mood__round_features makes
 * of them: a recogniser hears the same numbers. As f32 they are what it computes on the way to
 * them. */
static mood_status encode(const struct work *w, int worker, void *to)
{
    const struct worker *k = &w->workers[worker];
    const float *x = mood__ear_samples(k->ear);
    if (w->e->p->layer == MOOD__LAYER_MEANS) {
        MOOD__TRY(mood_frames_run(k->frames, x));
        put_means(k, w->use.n_layers, to);
        return MOOD_OK;
    }
    if (w->e->layout.dtype == MOOD_F32)
        return mood__features_run(k->frames, &w->use, false, x, to);
    MOOD__TRY(mood__features_run(k->frames, &w->use, false, x, k->features));
    mood__f32_to_f16(to, k->features, mood__cache_row_elements(&w->e->layout));
    return MOOD_OK;
}

/* The window that stands for the clip: the first with speech, or the first. */
static mood_status hear_typical(const struct work *w, const struct mood__wanted *from, int worker,
                                const mood_audio *audio, bool *speech)
{
    mood_windows plan;
    MOOD__TRY(mood__plan_windows(&plan, mood_audio_length(audio)));
    for (size_t i = 0; i < plan.count; i++) {
        MOOD__TRY(hear(w, from, worker, audio, i, NULL, speech));
        if (*speech)
            return MOOD_OK;
    }
    return hear(w, from, worker, audio, 0, NULL, speech);
}

static mood_status make_row(struct work *w, int64_t row, int worker)
{
    const struct mood__cache_layout *layout = &w->e->layout;
    size_t bytes = mood__cache_row_bytes(layout) - layout->plane * sizeof(float);
    int piece = w->piece_of[row];
    const struct mood__wanted *from = w->from[piece];
    const mood_audio *audio = w->audio[w->slot[piece]];
    int64_t before = 0; /* rows of the pieces before this one */
    for (int i = 0; i < piece; i++)
        before += w->pieces[i].count;
    size_t window = (size_t)(w->pieces[piece].first + row - before);
    bool speech = false;
    mood_status status;
    if (layout->plane > 0)
        status =
            hear(w, from, worker, audio, window, w->planes + (size_t)row * layout->plane, &speech);
    else
        status = hear_typical(w, from, worker, audio, &speech);
    if (!status)
        status = encode(w, worker, w->features + (size_t)row * bytes);
    w->speech[row] = speech;
    return status ? mood__fail_in(status, "%s", path_of(w, from)) : MOOD_OK;
}

static bool told_to_stop(const struct work *w)
{
    return w->e->p->stop && *w->e->p->stop != 0;
}

static mood_status stopped(void)
{
    return mood__fail(MOOD_E_STOPPED, "stopped while computing features");
}

static void row_task(void *ctx, int64_t task, int worker)
{
    struct work *w = ctx;
    mood_status status = told_to_stop(w) ? stopped() : make_row(w, w->first + task, worker);
    mood__failure_note(&w->failures[task], status);
}

/* ---- shards ------------------------------------------------------------------------------- */

/* Rows [a, b), at most one per thread: their clips are decoded if they are not yet. */
static mood_status make_rows(struct work *w, int64_t a, int64_t b)
{
    int from = w->slot[w->piece_of[a]], to = w->slot[w->piece_of[b - 1]] + 1;
    forget_audio(w, 0, from);
    while (from < to && w->audio[from])
        from++;
    w->first = from;
    mood__pool_run(w->e->p->pool, to - from, decode_task, w);
    MOOD__TRY(mood__failure_raise(w->failures, to - from));
    w->first = a;
    mood__pool_run(w->e->p->pool, b - a, row_task, w);
    return mood__failure_raise(w->failures, b - a);
}

static mood_status fill_shard(struct work *w)
{
    w->n_rows = 0;
    w->n_slots = 0;
    for (int i = 0; i < w->n_pieces; i++) {
        bool same = i > 0 && w->from[i]->clip == w->from[i - 1]->clip;
        w->slot[i] = same ? w->n_slots - 1 : w->n_slots++;
        for (int k = 0; k < w->pieces[i].count; k++)
            w->piece_of[w->n_rows++] = i;
    }
    for (int64_t a = 0; a < w->n_rows;) {
        int64_t b = w->n_rows - a < w->n_workers ? w->n_rows : a + w->n_workers;
        MOOD__TRY(make_rows(w, a, b));
        if (w->e->on_done(w->e->user, b - a))
            return stopped();
        a = b;
    }
    struct mood__shard_content content = {
        .pieces = w->pieces,
        .n_pieces = w->n_pieces,
        .n_rows = w->n_rows,
        .features = w->features,
        .planes = w->planes,
        .speech = w->speech,
    };
    return mood__cache_add(w->e->cache, &content);
}

/* The next piece: of a copy, its windows from `first` on, as many as there is room for. */
static int32_t add_piece(struct work *w, const struct mood__wanted *from, int32_t first,
                         int64_t room)
{
    struct mood__piece *p = &w->pieces[w->n_pieces];
    int32_t left = from->n_windows - first;
    *p = (struct mood__piece){
        .copy = from->copy,
        .n_samples = from->n_samples,
        .n_windows = from->n_windows,
        .first = first,
        .count = left < room ? left : (int32_t)room,
    };
    memcpy(p->digest, from->digest, sizeof(p->digest));
    w->from[w->n_pieces++] = from;
    return p->count;
}

static mood_status fill_all(struct work *w)
{
    size_t i = 0;
    int32_t first = 0; /* window of wanted[i] */
    while (i < w->e->n_wanted) {
        int64_t room = w->max_rows;
        w->n_pieces = 0;
        while (i < w->e->n_wanted && room > 0 && w->n_pieces < MOOD__SHARD_MAX_PIECES) {
            int32_t n = add_piece(w, &w->e->wanted[i], first, room);
            room -= n;
            first += n;
            if (first == w->e->wanted[i].n_windows) {
                first = 0;
                i++;
            }
        }
        mood_status status = fill_shard(w);
        forget_audio(w, 0, MOOD__SHARD_MAX_PIECES);
        MOOD__TRY(status);
    }
    return MOOD_OK;
}

/* ---- the whole ---------------------------------------------------------------------------- */

int64_t mood__shard_rows(const struct mood__cache_layout *layout)
{
    size_t row = mood__cache_row_bytes(layout);
    return row < MAX_SHARD_BYTES ? (int64_t)(MAX_SHARD_BYTES / row) : 1;
}

static mood_status make_worker(const struct work *w, struct worker *k)
{
    mood_encoder *encoder = w->e->p->encoder;
    size_t n = mood__cache_row_elements(&w->e->layout);
    if (!mood__mul_size(n, sizeof(float), &n) || !(k->features = mood__alloc_aligned(n)))
        return mood__nomem();
    MOOD__TRY(mood__ear_create(&k->ear, MOOD__EAR_MEL));
    if (w->use.layer != MOOD__LAYER_MEANS)
        return mood__features_create(&k->frames, encoder, &w->use, MOOD__FROM_SAMPLES, NULL);
    return mood_frames_create(&k->frames, encoder, MOOD__WINDOW_SAMPLES,
                              &(mood_frames_params){.n_layers = -1, .every_layer = true});
}

static mood_status set_up(struct work *w)
{
    const struct mood__cache_layout *layout = &w->e->layout;
    const struct mood__bank_params *p = w->e->p;
    size_t row = mood__cache_row_bytes(layout), mel = layout->plane * sizeof(float);
    w->max_rows = mood__shard_rows(layout);
    size_t rows = (size_t)w->max_rows;
    w->n_workers = mood_pool_threads(p->pool);
    w->workers = mood__calloc((size_t)w->n_workers, sizeof(*w->workers));
    w->failures = mood__calloc((size_t)w->n_workers, sizeof(*w->failures));
    w->piece_of = mood__calloc(rows, sizeof(*w->piece_of));
    w->speech = mood__calloc(rows, sizeof(*w->speech));
    w->features = mood__alloc_aligned(rows * (row - mel));
    w->planes = mood__alloc_aligned(rows * mel);
    if (!w->workers || !w->failures || !w->piece_of || !w->speech || !w->features || !w->planes)
        return mood__nomem();
    w->use = (mood_encoder_use){.layer = p->layer,
                                .n_layers = mood_encoder_get_config(p->encoder)->n_layers};
    for (int i = 0; i < w->n_workers; i++)
        MOOD__TRY(make_worker(w, &w->workers[i]));
    return MOOD_OK;
}

static void tear_down(struct work *w)
{
    forget_audio(w, 0, MOOD__SHARD_MAX_PIECES);
    for (int i = 0; w->workers && i < w->n_workers; i++) {
        mood__ear_destroy(&w->workers[i].ear);
        mood_frames_destroy(&w->workers[i].frames);
        mood__free(w->workers[i].features);
    }
    mood__free(w->workers);
    mood__free(w->failures);
    mood__free(w->piece_of);
    mood__free(w->speech);
    mood__free(w->features);
    mood__free(w->planes);
    mood__free(w);
}

mood_status mood__extract_run(const struct mood__extract *e)
{
    struct work *w = mood__calloc(1, sizeof(*w));
    if (!w)
        return mood__nomem();
    w->e = e;
    mood_status status = set_up(w);
    if (!status)
        status = fill_all(w);
    tear_down(w);
    return status;
}
