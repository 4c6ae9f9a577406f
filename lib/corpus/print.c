/* SPDX-License-Identifier: MIT
 *
 * print.c — Making fingerprints, and finding those that are alike without comparing all with all:
 * the halves of a frame's bits are looked up in an index, and only where several agree at one
 * alignment are two clips compared bit by bit. */
#include "corpus/print.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"

static const double SAME = 0.2;     /* at most this part of the bits may differ */
static const double OVERLAP = 0.6;  /* of the loud frames of the clip that has fewer */
static const double QUIET = 1.0e-3; /* power below the loudest frame's: 30 dB */

/* ---- one print ---- */

/* `plane` is (MOOD__PRINT_BANDS, T). */
static void read_plane(struct mood__print *p, const float *plane, size_t T, double *power)
{
    double most = 0;
    for (size_t t = 0; t < T; t++) {
        power[t] = 0;
        for (int b = 0; b < MOOD__PRINT_BANDS; b++)
            power[t] += exp((double)plane[(size_t)b * T + t]);
        most = power[t] > most ? power[t] : most;
    }
    for (size_t t = 1; t < T; t++) {
        uint32_t bits = 0;
        for (int b = 0; b + 1 < MOOD__PRINT_BANDS; b++) {
            const float *low = plane + (size_t)b * T + t, *high = low + T;
            float now = high[0] - low[0], before = high[-1] - low[-1];
            bits |= (uint32_t)(now > before) << b;
        }
        p->bits[t - 1] = bits;
        p->loud[t - 1] = power[t] > QUIET * most;
    }
    p->n = (uint32_t)T - 1;
}

mood_status mood__print_make(struct mood__print *out, mood_mel *mel, const float *x, size_t n)
{
    *out = (struct mood__print){0};
    n = n < MOOD__PRINT_MAX_SAMPLES ? n : MOOD__PRINT_MAX_SAMPLES;
    size_t T = mood_mel_frames(mel, n);
    if (T <= MOOD__PRINT_MIN_FRAMES)
        return MOOD_OK;
    float *louder = mood__calloc(n, sizeof(*louder));
    float *plane = mood__calloc(T, MOOD__PRINT_BANDS * sizeof(*plane));
    double *power = mood__calloc(T, sizeof(*power));
    out->bits = mood__calloc(T, sizeof(*out->bits));
    out->loud = mood__calloc(T, sizeof(*out->loud));
    mood_status status = MOOD_OK;
    if (!louder || !plane || !power || !out->bits || !out->loud)
        status = mood__nomem();
    if (!status) {
        memcpy(louder, x, n * sizeof(*x));
        mood_peak_normalise(louder, n);
        status = mood_mel_run(mel, plane, louder, n);
    }
    if (!status)
        read_plane(out, plane, T, power);
    mood__free(louder);
    mood__free(plane);
    mood__free(power);
    if (status)
        mood__print_free(out);
    return status;
}

void mood__print_free(struct mood__print *print)
{
    mood__free(print->bits);
    mood__free(print->loud);
    *print = (struct mood__print){0};
}

/* ---- two prints ---- */

static uint32_t count_loud(const struct mood__print *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n; i++)
        n += p->loud[i];
    return n;
}

static int count_bits(uint32_t x)
{
    int n = 0;
    for (; x; x &= x - 1)
        n++;
    return n;
}

double mood__print_distance(const struct mood__print *a, const struct mood__print *b,
                            int64_t offset)
{
    uint32_t loud_a = count_loud(a), loud_b = count_loud(b);
    int64_t n_both = 0, n_other = 0;
    for (int64_t i = offset > 0 ? offset : 0; i < a->n && i - offset < b->n; i++) {
        if (a->loud[i] && b->loud[i - offset]) {
            n_both++;
            n_other += count_bits(a->bits[i] ^ b->bits[i - offset]);
        }
    }
    uint32_t fewer = loud_a < loud_b ? loud_a : loud_b;
    if (n_both < MOOD__PRINT_MIN_FRAMES || (double)n_both < OVERLAP * fewer)
        return 1;
    return (double)n_other / (32.0 * (double)n_both);
}

/* ---- all prints ---- */

enum { VALUES = 1 << 16, HALVES = 2 };

/* A frame that has a value in one of its halves. */
struct place {
    uint32_t clip, frame;
};

struct index {
    const struct mood__print *prints;
    uint32_t n;
    uint32_t *start[HALVES];     /* (VALUES + 1): where a value's places begin */
    struct place *place[HALVES]; /* in the order of clips and frames */
    size_t crowd;                /* a value with more places says nothing and is passed over */
    uint32_t *first;
    atomic_bool *no_memory;
};

static uint32_t half_of(uint32_t bits, int half)
{
    return half ? bits >> 16 : bits & 0xffff;
}

static mood_status build_half(struct index *x, int half, size_t n_places)
{
    x->start[half] = mood__calloc(VALUES + 1, sizeof(uint32_t));
    x->place[half] = mood__calloc(n_places, sizeof(struct place));
    if (!x->start[half] || !x->place[half])
        return mood__nomem();
    uint32_t *start = x->start[half];
    for (uint32_t c = 0; c < x->n; c++)
        for (uint32_t i = 0; i < x->prints[c].n; i++)
            if (x->prints[c].loud[i])
                start[half_of(x->prints[c].bits[i], half) + 1]++;
    for (int v = 0; v < VALUES; v++)
        start[v + 1] += start[v];
    /* Filling moves each beginning to its end, which is the next one's beginning. */
    for (uint32_t c = 0; c < x->n; c++)
        for (uint32_t i = 0; i < x->prints[c].n; i++)
            if (x->prints[c].loud[i])
                x->place[half][start[half_of(x->prints[c].bits[i], half)]++] = (struct place){c, i};
    memmove(start + 1, start, VALUES * sizeof(*start));
    start[0] = 0;
    return MOOD_OK;
}

/* A clip and an alignment that one half of one frame speaks for, as one number that sorts. */
static uint64_t vote(uint32_t clip, int64_t offset)
{
    return (uint64_t)clip << 32 | (uint32_t)(offset + INT32_MAX);
}

static int by_number(const void *pa, const void *pb)
{
    uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;
    return (a > b) - (a < b);
}

struct votes {
    uint64_t *item;
    size_t n, capacity;
};

/* All votes for clips before q. */
static bool collect(const struct index *x, uint32_t q, struct votes *votes)
{
    const struct mood__print *p = &x->prints[q];
    for (uint32_t i = 0; i < p->n; i++) {
        for (int half = 0; half < HALVES && p->loud[i]; half++) {
            uint32_t value = half_of(p->bits[i], half);
            size_t at = x->start[half][value], end = x->start[half][value + 1];
            if (end - at > x->crowd)
                continue;
            for (; at < end && x->place[half][at].clip < q; at++) {
                const struct place *place = &x->place[half][at];
                if (!mood__reserve((void **)&votes->item, &votes->capacity, votes->n + 1,
                                   sizeof(*votes->item)))
                    return false;
                votes->item[votes->n++] = vote(place->clip, (int64_t)place->frame - i);
            }
        }
    }
    return true;
}

static bool alike(const struct mood__print *a, const struct mood__print *b, int64_t offset)
{
    for (int64_t by = -1; by <= 1; by++) /* its beginning may lie between two frames */
        if (mood__print_distance(a, b, offset + by) <= SAME)
            return true;
    return false;
}

static void match_task(void *ctx, int64_t task, int worker)
{
    (void)worker;
    enum { NEEDED = 2 };
    const struct index *x = ctx;
    uint32_t q = (uint32_t)task;
    struct votes votes = {0};
    if (!collect(x, q, &votes))
        atomic_store(x->no_memory, true);
    else if (votes.n > 0)
        qsort(votes.item, votes.n, sizeof(*votes.item), by_number);
    for (size_t i = 0; i < votes.n && x->first[q] == q;) {
        size_t begin = i;
        while (i < votes.n && votes.item[i] == votes.item[begin])
            i++;
        uint32_t clip = (uint32_t)(votes.item[begin] >> 32);
        int64_t offset = (int64_t)(uint32_t)votes.item[begin] - INT32_MAX;
        if (i - begin >= NEEDED && alike(&x->prints[clip], &x->prints[q], offset))
            x->first[q] = clip;
    }
    mood__free(votes.item);
}

mood_status mood__print_match(uint32_t *first, const struct mood__print *prints, uint32_t n,
                              mood_pool *pool)
{
    atomic_bool no_memory = false;
    struct index x = {.prints = prints, .n = n, .first = first, .no_memory = &no_memory};
    size_t n_places = 0;
    for (uint32_t c = 0; c < n; c++) {
        first[c] = c;
        n_places += count_loud(&prints[c]);
    }
    x.crowd = 64 + 32 * (n_places / VALUES);
    mood_status status = MOOD_OK;
    if (n_places > UINT32_MAX)
        status = mood__nomem();
    for (int half = 0; half < HALVES && !status; half++)
        status = build_half(&x, half, n_places);
    if (!status)
        mood__pool_run(pool, n, match_task, &x);
    if (!status && atomic_load(&no_memory))
        status = mood__nomem();
    for (int half = 0; half < HALVES; half++) {
        mood__free(x.start[half]);
        mood__free(x.place[half]);
    }
    return status;
}
