/* SPDX-License-Identifier: MIT
 *
 * pitch.c — Pitch by autocorrelation, after P. Boersma, "Accurate short-term analysis of the
 * fundamental frequency and the harmonics-to-noise ratio of a sampled sound", Proceedings of the
 * Institute of Phonetic Sciences, Amsterdam, 17 (1993), 97-110. In three steps:
 *
 * 1. The autocorrelation of a windowed frame, divided by the window's own, is an estimate of the
 *    signal's: 1 at lag 0, and near 1 again at each multiple of the period.
 * 2. The highest of its maxima become candidates, and "unvoiced" always is one: it is the strongest
 *    where no maximum is high, or where the frame is faint.
 * 3. One candidate per frame is chosen so that the sum of their strengths, less what octave jumps
 *    and changes between voiced and unvoiced cost, is the highest (Viterbi's algorithm).
 *
 * Other than there: the maxima are placed by a parabola, and a frame's loudness is its root mean
 * square rather than its peak. */
#include "audio/pitch.h"

#include <math.h>
#include <string.h>

#include "audio/fft.h"
#include "base/mem.h"
#include "mood/audio.h"

enum {
    SHORTEST = MOOD_SAMPLE_RATE / 500, /* lags, samples */
    LONGEST = MOOD_SAMPLE_RATE / 60 + 1,
    N_LAGS = LONGEST + 2,
    N_FFT = 1024,
    MAX_VOICED = 6,              /* candidates per frame */
    MAX_STATES = MAX_VOICED + 1, /* state 0 is "unvoiced", state i is candidate i - 1 */
};

/* A frame and its longest lag fit the transform, so that the autocorrelation does not wrap. */
_Static_assert(MOOD__PITCH_FRAME + N_LAGS <= N_FFT, "the autocorrelation would wrap");

/* Boersma's constants, in his names. */
static const double OCTAVE_COST = 0.01; /* favours the shorter of two periods that fit alike */
static const double VOICING_THRESHOLD = 0.45;
static const double SILENCE_THRESHOLD = 0.03;
static const double VOICED_UNVOICED_COST = 0.14;
static const double OCTAVE_JUMP_COST = 0.35;

struct candidate {
    double octaves;  /* log2 of the period in samples */
    double height;   /* of the autocorrelation, at most 1 */
    double strength; /* the same, less the octave cost */
};

struct frame {
    double level;   /* root of the windowed power */
    double highest; /* the autocorrelation's largest value within the lags, 0 to 1 */
    int n_voiced;
    struct candidate voiced[MAX_VOICED]; /* the strongest first */
};

struct mood__pitch {
    struct mood__fft *fft;
    double window[MOOD__PITCH_FRAME];
    double window_r[N_LAGS]; /* the window's autocorrelation, 1 at lag 0 */
    double r[N_LAGS];        /* scratch: the frame's */
    double power[N_FFT / 2 + 1];
    size_t n_frames;
    struct frame *frame;               /* max_frames */
    unsigned char (*back)[MAX_STATES]; /* max_frames: the best state before each */
};

/* r = the autocorrelation of the samples in the transform's frame. */
static void autocorrelate(struct mood__pitch *p, double *r)
{
    double *x = mood__fft_frame(p->fft);
    memset(x + MOOD__PITCH_FRAME, 0, (N_FFT - MOOD__PITCH_FRAME) * sizeof(*x));
    mood__fft_power(p->fft, p->power);
    mood__fft_autocorrelation(p->fft, p->power, r, N_LAGS);
}

mood_status mood__pitch_create(struct mood__pitch **out, size_t max_frames)
{
    *out = NULL;
    struct mood__pitch *p = mood__calloc(1, sizeof(*p));
    if (!p)
        return mood__nomem();
    p->frame = mood__calloc(max_frames, sizeof(*p->frame));
    p->back = mood__calloc(max_frames, sizeof(*p->back));
    mood_status status = !p->frame || !p->back ? mood__nomem() : mood__fft_create(&p->fft, N_FFT);
    if (status != MOOD_OK) {
        mood__pitch_destroy(&p);
        return status;
    }
    for (int i = 0; i < MOOD__PITCH_FRAME; i++)
        p->window[i] = 0.5 - 0.5 * cos(2 * 3.14159265358979323846 * i / MOOD__PITCH_FRAME);
    memcpy(mood__fft_frame(p->fft), p->window, sizeof(p->window));
    autocorrelate(p, p->window_r);
    for (int l = N_LAGS - 1; l >= 0; l--)
        p->window_r[l] /= p->window_r[0];
    *out = p;
    return MOOD_OK;
}

void mood__pitch_destroy(struct mood__pitch **p)
{
    if (!*p)
        return;
    mood__fft_destroy(&(*p)->fft);
    mood__free((*p)->frame);
    mood__free((*p)->back);
    mood__free(*p);
    *p = NULL;
}

void mood__pitch_begin(struct mood__pitch *p)
{
    p->n_frames = 0;
}

double *mood__pitch_frame(struct mood__pitch *p)
{
    return mood__fft_frame(p->fft);
}

/* Put c among the strongest of the frame, if it is one of them. */
static void offer(struct frame *f, struct candidate c)
{
    int at = f->n_voiced;
    while (at > 0 && f->voiced[at - 1].strength < c.strength)
        at--;
    if (at == MAX_VOICED)
        return;
    if (f->n_voiced < MAX_VOICED)
        f->n_voiced++;
    for (int i = f->n_voiced - 1; i > at; i--)
        f->voiced[i] = f->voiced[i - 1];
    f->voiced[at] = c;
}

/* Fill in a frame from its autocorrelation, which is 1 at lag 0. */
static void find_candidates(struct frame *f, const double *r)
{
    f->n_voiced = 0;
    f->highest = 0;
    for (int l = SHORTEST; l <= LONGEST; l++) {
        f->highest = fmax(f->highest, fmin(r[l], 1));
        if (r[l] <= r[l - 1] || r[l] < r[l + 1])
            continue;
        /* The top of the parabola through the three; it is within half a lag of l. */
        double rise = r[l + 1] - r[l - 1], bend = 2 * r[l] - r[l - 1] - r[l + 1];
        double octaves = log2(l + 0.5 * rise / bend);
        double height = fmin(r[l] + 0.125 * rise * rise / bend, 1);
        double strength = height - OCTAVE_COST * (octaves - log2(SHORTEST));
        offer(f, (struct candidate){octaves, height, strength});
    }
}

void mood__pitch_add(struct mood__pitch *p)
{
    double *x = mood__fft_frame(p->fft), mean = 0;
    for (int i = 0; i < MOOD__PITCH_FRAME; i++)
        mean += x[i];
    mean /= MOOD__PITCH_FRAME;
    for (int i = 0; i < MOOD__PITCH_FRAME; i++)
        x[i] = (x[i] - mean) * p->window[i];
    autocorrelate(p, p->r);

    struct frame *f = &p->frame[p->n_frames++];
    double power = p->r[0];
    f->level = sqrt(power);
    for (int l = 0; l < N_LAGS; l++)
        p->r[l] /= p->window_r[l] * (power + 1e-12); /* silence: zeros */
    find_candidates(f, p->r);
}

/* What it costs to go from state i of one frame to state j of the next. */
static double transition(const struct frame *from, int i, const struct frame *to, int j)
{
    if (i == 0 || j == 0)
        return i == j ? 0 : VOICED_UNVOICED_COST;
    return OCTAVE_JUMP_COST * fabs(from->voiced[i - 1].octaves - to->voiced[j - 1].octaves);
}

static double strength(const struct frame *f, int state, double loudest)
{
    if (state > 0)
        return f->voiced[state - 1].strength;
    double level = loudest > 0 ? f->level / loudest : 0;
    return VOICING_THRESHOLD + fmax(0, 2 - level * (1 + VOICING_THRESHOLD) / SILENCE_THRESHOLD);
}

/* The index of the largest of n, the first of equals. */
static int largest(const double *x, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++) {
        if (x[i] > x[best])
            best = i;
    }
    return best;
}

/* The last frame's state on the best path; p->back leads from there to the first. */
static int search(struct mood__pitch *p)
{
    double loudest = 0, best[MAX_STATES], sum[MAX_STATES], next[MAX_STATES];
    for (size_t t = 0; t < p->n_frames; t++)
        loudest = fmax(loudest, p->frame[t].level);
    for (int j = 0; j <= p->frame[0].n_voiced; j++)
        best[j] = strength(&p->frame[0], j, loudest);
    for (size_t t = 1; t < p->n_frames; t++) {
        const struct frame *from = &p->frame[t - 1], *to = &p->frame[t];
        for (int j = 0; j <= to->n_voiced; j++) {
            for (int i = 0; i <= from->n_voiced; i++)
                sum[i] = best[i] - transition(from, i, to, j);
            int i = largest(sum, from->n_voiced + 1);
            p->back[t][j] = (unsigned char)i;
            next[j] = sum[i] + strength(to, j, loudest);
        }
        memcpy(best, next, sizeof(best));
    }
    return largest(best, p->frame[p->n_frames - 1].n_voiced + 1);
}

void mood__pitch_finish(struct mood__pitch *p, double *hz, double *periodicity)
{
    if (p->n_frames == 0)
        return;
    int state = search(p);
    for (size_t t = p->n_frames; t-- > 0;) {
        const struct frame *f = &p->frame[t];
        const struct candidate *c = state > 0 ? &f->voiced[state - 1] : NULL;
        hz[t] = c ? MOOD_SAMPLE_RATE / exp2(c->octaves) : 0;
        periodicity[t] = c ? fmax(c->height, 0) : f->highest;
        state = p->back[t][state]; /* of the first frame: zeros, and not used */
    }
}
