/* SPDX-License-Identifier: MIT
 *
 * listen.c — Which clips of a corpus are the same recording, told by their sound. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/pool.h"
#include "base/sha256.h"
#include "corpus/print.h"
#include "corpus/source.h"

/* What is kept of one clip's sound. */
struct heard {
    size_t clip;
    bool known; /* it could be decoded, and is not silent */
    bool no_memory;
    unsigned char digest[MOOD__SHA256_BYTES];
};

struct listening {
    mood_corpus *corpus;
    struct heard *heard;        /* one per clip */
    struct mood__print *prints; /* MOOD__PRINT_SPEEDS per clip */
    uint32_t *twin;             /* of each clip: one before it with the same sound, or itself */
    mood_mel **mel;             /* one per thread */
    int n_threads;
    int64_t first; /* of the group that is being heard */
};

/* A sample as 16 bits: what most corpora were recorded with, so that each format of one recording
 * gives the same numbers. */
static int sample_16(float x)
{
    float scaled = x * 32768.0f;
    return scaled > 32767 ? 32767 : scaled < -32768 ? -32768 : (int)lrintf(scaled);
}

/* The digest of the samples between the first and the last that is not 0; false when all are. */
static bool digest_of(unsigned char *digest, const float *x, size_t n)
{
    enum { AT_ONCE = 4096 };
    unsigned char bytes[2 * AT_ONCE];
    size_t first = 0, end = n;
    while (end > 0 && sample_16(x[end - 1]) == 0)
        end--;
    while (first < end && sample_16(x[first]) == 0)
        first++;
    struct mood__sha256 sha;
    mood__sha256_start(&sha);
    for (size_t at = first; at < end; at += AT_ONCE) {
        size_t count = end - at < AT_ONCE ? end - at : AT_ONCE;
        for (size_t i = 0; i < count; i++) {
            unsigned s = (unsigned)sample_16(x[at + i]);
            bytes[2 * i] = s & 255;
            bytes[2 * i + 1] = s >> 8 & 255;
        }
        mood__sha256_add(&sha, bytes, 2 * count);
    }
    mood__sha256_finish(&sha, digest);
    return first < end;
}

static void hear_task(void *ctx, int64_t task, int worker)
{
    const struct listening *l = ctx;
    size_t i = (size_t)(l->first + task);
    struct heard *h = &l->heard[i];
    mood_audio *audio;
    h->clip = i;
    mood_status status = mood_audio_read(&audio, l->corpus->clips[i].pub.path, NULL);
    h->no_memory = status == MOOD_E_NOMEM;
    if (status)
        return; /* who needs the clip will say so */
    const float *x = mood_audio_samples(audio);
    size_t n = mood_audio_length(audio);
    h->known = digest_of(h->digest, x, n);
    if (h->known)
        h->no_memory = mood__print_make(&l->prints[i * MOOD__PRINT_SPEEDS], l->mel[worker], x, n) ==
                       MOOD_E_NOMEM;
    mood_audio_destroy(&audio);
}

/* In groups, so that the caller hears of the progress and can stop. */
static mood_status hear_all(struct listening *l, const mood_listen_params *p)
{
    int64_t total = (int64_t)l->corpus->n_clips, group = 8 * (int64_t)mood_pool_threads(p->pool);
    for (l->first = 0; l->first < total; l->first += group) {
        int64_t n = total - l->first < group ? total - l->first : group;
        mood__pool_run(p->pool, n, hear_task, l);
        for (int64_t i = 0; i < n; i++)
            if (l->heard[l->first + i].no_memory)
                return mood__nomem();
        if (p->on_progress && p->on_progress(p->user, l->first + n, total))
            return mood__fail(MOOD_E_STOPPED, "stopped while comparing clips");
    }
    return MOOD_OK;
}

/* The same sound together, in the corpus' order; what is not known at the end. */
static int by_sound(const void *pa, const void *pb)
{
    const struct heard *a = pa, *b = pb;
    if (a->known != b->known)
        return a->known ? -1 : 1;
    int order = a->known ? memcmp(a->digest, b->digest, sizeof(a->digest)) : 0;
    return order ? order : (a->clip > b->clip) - (a->clip < b->clip);
}

static void match_digests(struct listening *l, size_t n)
{
    qsort(l->heard, n, sizeof(*l->heard), by_sound);
    for (size_t i = 1; i < n; i++) {
        const struct heard *a = &l->heard[i - 1], *b = &l->heard[i];
        if (b->known && memcmp(a->digest, b->digest, sizeof(a->digest)) == 0)
            l->twin[b->clip] = (uint32_t)a->clip;
    }
}

/* Give each clip the first of its kind, and note who has two labels. `twin` leads backwards, so one
 * pass is enough. */
static void conclude(const struct listening *l, size_t n)
{
    struct mood__clip *clips = l->corpus->clips;
    for (size_t i = 0; i < n; i++) {
        mood_clip *clip = &clips[i].pub;
        clip->recording = l->twin[i] == i ? i : clips[l->twin[i]].pub.recording;
        clip->disputed = false;
        mood_clip *first = &clips[clip->recording].pub;
        first->disputed = first->disputed || first->label != clip->label;
    }
    for (size_t i = 0; i < n; i++)
        clips[i].pub.disputed = clips[clips[i].pub.recording].pub.disputed;
}

static mood_status begin(struct listening *l, mood_pool *pool)
{
    size_t n = l->corpus->n_clips;
    l->n_threads = mood_pool_threads(pool);
    l->heard = mood__calloc(n, sizeof(*l->heard));
    l->prints = mood__calloc(n, MOOD__PRINT_SPEEDS * sizeof(*l->prints));
    l->twin = mood__calloc(n, sizeof(*l->twin));
    l->mel = mood__calloc((size_t)l->n_threads, sizeof(mood_mel *));
    if (!l->heard || !l->prints || !l->twin || !l->mel)
        return mood__nomem();
    for (int i = 0; i < l->n_threads; i++)
        MOOD__TRY(mood__print_mel(&l->mel[i]));
    return MOOD_OK;
}

static void end(struct listening *l)
{
    for (size_t i = 0; l->prints && i < MOOD__PRINT_SPEEDS * l->corpus->n_clips; i++)
        mood__print_free(&l->prints[i]);
    for (int i = 0; l->mel && i < l->n_threads; i++)
        mood_mel_destroy(&l->mel[i]);
    mood__free(l->heard);
    mood__free(l->prints);
    mood__free(l->twin);
    mood__free(l->mel);
}

mood_status mood_corpus_listen(mood_corpus *corpus, const mood_listen_params *params)
{
    static const mood_listen_params defaults = {0};
    const mood_listen_params *p = params ? params : &defaults;
    struct listening l = {.corpus = corpus};
    mood_status status = begin(&l, p->pool);
    if (!status)
        status = hear_all(&l, p);
    if (!status)
        status = mood__print_match(l.twin, l.prints, (uint32_t)corpus->n_clips, p->pool);
    if (!status) {
        match_digests(&l, corpus->n_clips);
        conclude(&l, corpus->n_clips);
    }
    end(&l);
    return status;
}
