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

#include "audio/mel.h"
#include "base/mem.h"
#include "base/pool.h"

static const double SAME = 0.2;     /* at most this part of the bits may differ */
static const double OVERLAP = 0.6;  /* of the loud frames of the clip that has fewer */
static const double QUIET = 1.0e-3; /* power below the loudest frame's: 30 dB */

/* A print knows another that is 2 % faster or slower. A copy that differs by more is as fast as
 * the recording when the slower of the two is played at one of these. */
static const double SPEEDS[MOOD__PRINT_SPEEDS] = {1, 1.035, 1.07, 1.105};

/* Of the planes that prints are made from. Long frames, so that a copy need not begin on a frame;
 * one band more than there are bits. */
enum { FFT = 4096, HOP = MOOD__PRINT_HOP, BANDS = 33 };

/* ---- one print ---- */

mood_status mood__print_mel(mood_mel **out)
{
    const mood_mel_params p = {.n_fft = FFT, .hop = HOP, .n_mels = BANDS};
    return mood__mel_create_at(out, &p, SPEEDS, MOOD__PRINT_SPEEDS);
}

/* Move the frames of a plane (BANDS, T), in place, to where they would be at the speed. Returns how
 * many there are then. */
static size_t hasten(float *plane, size_t T, double speed)
{
    size_t n = (size_t)((double)(T - 1) / speed) + 1;
    for (size_t b = 0; b < BANDS; b++)
        for (size_t i = 0; i < n; i++) {
            double at = (double)i * speed;
            size_t t = at < (double)(T - 2) ? (size_t)at : T - 2;
            const float *x = plane + b * T + t;
            float part = (float)(at - (double)t);
            plane[b * n + i] = (1 - part) * x[0] + part * x[1];
        }
    return n;
}

/* `plane` is (BANDS, T); `power` is scratch of T. */
static mood_status read_plane(struct mood__print *p, const float *plane, size_t T, double *power)
{
    p->bits = mood__calloc(T, sizeof(*p->bits));
    p->loud = mood__calloc(T, sizeof(*p->loud));
    if (!p->bits || !p->loud)
        return mood__nomem();
    double most = 0;
    for (size_t t = 0; t < T; t++) {
        power[t] = 0;
        for (int b = 0; b < BANDS; b++)
            power[t] += exp((double)plane[(size_t)b * T + t]);
        most = power[t] > most ? power[t] : most;
    }
    for (size_t t = 1; t < T; t++) {
        uint32_t bits = 0;
        for (int b = 0; b + 1 < BANDS; b++) {
            const float *low = plane + (size_t)b * T + t, *high = low + T;
            float now = high[0] - low[0], before = high[-1] - low[-1];
            bits |= (uint32_t)(now > before) << b;
        }
        p->bits[t - 1] = bits;
        p->loud[t - 1] = power[t] > QUIET * most;
    }
    p->n = (uint32_t)T - 1;
    return MOOD_OK;
}

mood_status mood__print_make(struct mood__print *out, mood_mel *mel, const float *x, size_t n)
{
    memset(out, 0, MOOD__PRINT_SPEEDS * sizeof(*out));
    n = n < MOOD__PRINT_MAX_SAMPLES ? n : MOOD__PRINT_MAX_SAMPLES;
    size_t T = mood_mel_frames(mel, n);
    if (T <= MOOD__PRINT_MIN_FRAMES)
        return MOOD_OK;
    float *louder = mood__calloc(n, sizeof(*louder));
    float *planes = mood__calloc(T, MOOD__PRINT_SPEEDS * BANDS * sizeof(*planes));
    double *power = mood__calloc(T, sizeof(*power));
    mood_status status = louder && planes && power ? MOOD_OK : mood__nomem();
    if (!status) {
        memcpy(louder, x, n * sizeof(*x));
        mood_peak_normalise(louder, n);
        status = mood_mel_run(mel, planes, louder, n);
    }
    for (size_t s = 0; s < MOOD__PRINT_SPEEDS && !status; s++) {
        float *plane = planes + s * BANDS * T;
        status = read_plane(&out[s], plane, hasten(plane, T, SPEEDS[s]), power);
    }
    mood__free(louder);
    mood__free(planes);
    mood__free(power);
    for (int s = 0; s < MOOD__PRINT_SPEEDS && status; s++)
        mood__print_free(&out[s]);
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
    uint32_t print, frame;
};

struct index {
    const struct mood__print *prints; /* MOOD__PRINT_SPEEDS of each clip */
    uint32_t n;                       /* prints */
    uint32_t *start[HALVES];          /* (VALUES + 1): where a value's places begin */
    struct place *place[HALVES];      /* in the order of prints and frames */
    size_t crowd;                     /* a value with more places says nothing and is passed over */
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
    for (uint32_t p = 0; p < x->n; p++)
        for (uint32_t i = 0; i < x->prints[p].n; i++)
            if (x->prints[p].loud[i])
                start[half_of(x->prints[p].bits[i], half) + 1]++;
    for (int v = 0; v < VALUES; v++)
        start[v + 1] += start[v];
    /* Filling moves each beginning to its end, which is the next one's beginning. */
    for (uint32_t p = 0; p < x->n; p++)
        for (uint32_t i = 0; i < x->prints[p].n; i++)
            if (x->prints[p].loud[i])
                x->place[half][start[half_of(x->prints[p].bits[i], half)]++] = (struct place){p, i};
    memmove(start + 1, start, VALUES * sizeof(*start));
    start[0] = 0;
    return MOOD_OK;
}

/* A print and an alignment that one half of one frame speaks for, as one number that sorts. */
static uint64_t vote(uint32_t print, int64_t offset)
{
    return (uint64_t)print << 32 | (uint32_t)(offset + INT32_MAX);
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

/* All votes of print q for those of clips before its own; one of the two is as fast as it was. */
static bool collect(const struct index *x, uint32_t q, struct votes *votes)
{
    const struct mood__print *p = &x->prints[q];
    uint32_t own = q - q % MOOD__PRINT_SPEEDS;
    votes->n = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        for (int half = 0; half < HALVES && p->loud[i]; half++) {
            uint32_t value = half_of(p->bits[i], half);
            size_t at = x->start[half][value], end = x->start[half][value + 1];
            if (end - at > x->crowd)
                continue;
            for (; at < end && x->place[half][at].print < own; at++) {
                const struct place *place = &x->place[half][at];
                if (q != own && place->print % MOOD__PRINT_SPEEDS != 0)
                    continue;
                if (!mood__reserve((void **)&votes->item, &votes->capacity, votes->n + 1,
                                   sizeof(*votes->item)))
                    return false;
                votes->item[votes->n++] = vote(place->print, (int64_t)place->frame - i);
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

/* The first clip that print q is a copy of, or `first`, which is no later than its own. */
static uint32_t first_of(const struct index *x, uint32_t q, uint32_t first,
                         const struct votes *votes)
{
    enum { NEEDED = 2 };
    for (size_t i = 0; i < votes->n;) {
        size_t begin = i;
        while (i < votes->n && votes->item[i] == votes->item[begin])
            i++;
        uint32_t print = (uint32_t)(votes->item[begin] >> 32);
        int64_t offset = (int64_t)(uint32_t)votes->item[begin] - INT32_MAX;
        if (print / MOOD__PRINT_SPEEDS >= first)
            break;
        if (i - begin >= NEEDED && alike(&x->prints[print], &x->prints[q], offset))
            return print / MOOD__PRINT_SPEEDS;
    }
    return first;
}

static void match_task(void *ctx, int64_t task, int worker)
{
    (void)worker;
    const struct index *x = ctx;
    uint32_t clip = (uint32_t)task;
    struct votes votes = {0};
    for (uint32_t s = 0; s < MOOD__PRINT_SPEEDS; s++) {
        uint32_t q = clip * MOOD__PRINT_SPEEDS + s;
        if (!collect(x, q, &votes))
            atomic_store(x->no_memory, true);
        else if (votes.n > 0)
            qsort(votes.item, votes.n, sizeof(*votes.item), by_number);
        x->first[clip] = first_of(x, q, x->first[clip], &votes);
    }
    mood__free(votes.item);
}

mood_status mood__print_match(uint32_t *first, const struct mood__print *prints, uint32_t n,
                              mood_pool *pool)
{
    atomic_bool no_memory = false;
    struct index x = {
        .prints = prints, .n = n * MOOD__PRINT_SPEEDS, .first = first, .no_memory = &no_memory};
    size_t n_places = 0;
    for (uint32_t c = 0; c < n; c++)
        first[c] = c;
    for (uint32_t p = 0; p < x.n; p++)
        n_places += count_loud(&prints[p]);
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
