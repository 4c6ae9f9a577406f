/* SPDX-License-Identifier: MIT
 *
 * listen.c — Which clips of a corpus are the same recording, told by their sound. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/pool.h"
#include "base/sha256.h"
#include "corpus/source.h"
#include "mood/audio.h"

/* What is kept of one clip's sound. */
struct heard {
    size_t clip;
    bool known; /* it could be decoded, and is not silent */
    bool no_memory;
    unsigned char digest[MOOD__SHA256_BYTES];
};

struct listening {
    const mood_corpus *corpus;
    struct heard *heard; /* one per clip */
    int64_t first;       /* of the group that is being heard */
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
    (void)worker;
    const struct listening *l = ctx;
    size_t i = (size_t)(l->first + task);
    struct heard *h = &l->heard[i];
    mood_audio *audio;
    h->clip = i;
    mood_status status = mood_audio_read(&audio, l->corpus->clips[i].pub.path, NULL);
    h->no_memory = status == MOOD_E_NOMEM;
    if (status)
        return; /* who needs the clip will say so */
    h->known = digest_of(h->digest, mood_audio_samples(audio), mood_audio_length(audio));
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

/* Note of the clips heard[0..n), which sound the same. */
static void join_twins(mood_corpus *c, const struct heard *heard, size_t n)
{
    const mood_clip *first = &c->clips[heard[0].clip].pub;
    bool disputed = false;
    for (size_t i = 1; i < n; i++)
        disputed = disputed || c->clips[heard[i].clip].pub.label != first->label;
    for (size_t i = 0; i < n; i++) {
        c->clips[heard[i].clip].pub.recording = heard[0].clip;
        c->clips[heard[i].clip].pub.disputed = disputed;
    }
}

mood_status mood_corpus_listen(mood_corpus *corpus, const mood_listen_params *params)
{
    static const mood_listen_params defaults = {0};
    size_t n = corpus->n_clips;
    struct listening l = {.corpus = corpus, .heard = mood__calloc(n, sizeof(struct heard))};
    if (!l.heard)
        return mood__nomem();
    mood_status status = hear_all(&l, params ? params : &defaults);
    if (!status) {
        qsort(l.heard, n, sizeof(*l.heard), by_sound);
        for (size_t i = 0; i < n;) {
            size_t first = i++;
            while (l.heard[first].known && i < n && l.heard[i].known &&
                   memcmp(l.heard[i].digest, l.heard[first].digest, MOOD__SHA256_BYTES) == 0)
                i++;
            join_twins(corpus, &l.heard[first], i - first);
        }
    }
    mood__free(l.heard);
    return status;
}
