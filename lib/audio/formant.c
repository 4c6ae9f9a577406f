/* SPDX-License-Identifier: MIT
 *
 * formant.c — Formants as peaks of a linear prediction envelope.
 *
 * The all-pole model is fitted to the spectrum up to 5500 Hz only, where a voice has five formants
 * and so ten poles: Makhoul's selective linear prediction ("Linear prediction: a tutorial review",
 * Proceedings of the IEEE 63, 1975, section IV). Its autocorrelation is the inverse transform of
 * these bins, which saves resampling. The highest peak of the envelope within a range is that
 * range's formant (after McCandless, IEEE Transactions on Acoustics, Speech and Signal Processing
 * 22, 1974): the ranges overlap where formants do, and no track is lost, as it is when roots of the
 * polynomial are sorted by frequency and one is missing. */
#include "audio/formant.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "mood/audio.h"

enum {
    ORDER = 10,
    GRID = 257 /* points of the envelope, from 0 Hz to BAND_HZ */
};

static const double PI = 3.14159265358979323846;
static const double BAND_HZ = 5500;
static const double PRE_EMPHASIS = 0.97;
static const double RANGE_HZ[MOOD__N_FORMANTS][2] = {{200, 1000}, {800, 2600}, {1900, 3800}};

struct mood__formants {
    size_t n_bins;         /* of the band */
    double *lag_cos;       /* (ORDER + 1, n_bins): from the power in a bin to autocorrelation */
    double envelope[GRID]; /* scratch: 1 / |A|^2 */
    double grid_cos[ORDER + 1][GRID];
};

/* Pre-emphasis x[i] - 0.97 x[i - 1] is a weight on the power too, and each bin but the outer two
 * stands for itself and its mirror image below zero. */
static void make_tables(struct mood__formants *f)
{
    size_t last = f->n_bins - 1;
    for (size_t k = 0; k <= last; k++) {
        double w = PI * (double)k / (double)last;
        double weight = 1 + PRE_EMPHASIS * PRE_EMPHASIS - 2 * PRE_EMPHASIS * cos(w);
        weight *= (k == 0 || k == last ? 0.5 : 1.0) / (double)last;
        for (int l = 0; l <= ORDER; l++)
            f->lag_cos[(size_t)l * f->n_bins + k] = weight * cos(w * l);
    }
    for (int l = 0; l <= ORDER; l++) {
        for (int i = 0; i < GRID; i++)
            f->grid_cos[l][i] = cos(PI * i * l / (GRID - 1));
    }
}

mood_status mood__formants_create(struct mood__formants **out, size_t n_fft)
{
    *out = NULL;
    struct mood__formants *f = mood__calloc(1, sizeof(*f));
    if (!f)
        return mood__nomem();
    f->n_bins = (size_t)(BAND_HZ * (double)n_fft / MOOD_SAMPLE_RATE) + 1;
    f->lag_cos = mood__calloc((ORDER + 1) * f->n_bins, sizeof(*f->lag_cos));
    if (!f->lag_cos) {
        mood__formants_destroy(&f);
        return mood__nomem();
    }
    make_tables(f);
    *out = f;
    return MOOD_OK;
}

void mood__formants_destroy(struct mood__formants **f)
{
    if (!*f)
        return;
    mood__free((*f)->lag_cos);
    mood__free(*f);
    *f = NULL;
}

/* Levinson and Durbin's recursion: a[0] = 1, and the a that minimise the power of
 * sum over l of a[l] x[i - l], for a signal of autocorrelation r. Returns that power. */
static double predict(double *a, const double *r)
{
    /* A little white noise, 40 dB below, keeps the recursion stable. */
    double error = r[0] * 1.0001 + 1e-12;
    a[0] = 1;
    for (int i = 1; i <= ORDER; i++) {
        double sum = r[i];
        for (int l = 1; l < i; l++)
            sum += a[l] * r[i - l];
        double reflection = -sum / error;
        for (int l = 1; l <= i / 2; l++) {
            double front = a[l], back = a[i - l];
            a[l] = front + reflection * back;
            a[i - l] = back + reflection * front;
        }
        a[i] = reflection;
        error *= 1 - reflection * reflection;
    }
    return error;
}

/* The envelope is 1 / |A|^2, and |A|^2 the transform of the coefficients' autocorrelation. */
static void make_envelope(struct mood__formants *f, const double *a)
{
    double *e = f->envelope;
    for (int l = 0; l <= ORDER; l++) {
        double r = 0;
        for (int i = 0; i + l <= ORDER; i++)
            r += a[i] * a[i + l];
        for (int i = 0; i < GRID; i++)
            e[i] = l == 0 ? r : e[i] + 2 * r * f->grid_cos[l][i];
    }
    for (int i = 0; i < GRID; i++)
        e[i] = 1 / fmax(e[i], 1e-9);
}

/* The grid point of the highest peak within a range; where it has none, of the largest value. */
static int find_peak(const double *e, const double range_hz[2])
{
    int first = (int)ceil(range_hz[0] / BAND_HZ * (GRID - 1));
    int end = (int)ceil(range_hz[1] / BAND_HZ * (GRID - 1)), peak = -1, top = first;
    for (int i = first; i < end; i++) {
        bool is_peak = e[i] > e[i - 1] && e[i] >= e[i + 1];
        if (is_peak && (peak < 0 || e[i] > e[peak]))
            peak = i;
        if (e[i] > e[top])
            top = i;
    }
    return peak >= 0 ? peak : top;
}

void mood__formants_find(struct mood__formants *f, struct mood__formant out[MOOD__N_FORMANTS],
                         const double *power)
{
    double r[ORDER + 1], a[ORDER + 1];
    for (int l = 0; l <= ORDER; l++) {
        const double *c = f->lag_cos + (size_t)l * f->n_bins;
        r[l] = 0;
        for (size_t k = 0; k < f->n_bins; k++)
            r[l] += c[k] * power[k];
    }
    double error = predict(a, r);
    make_envelope(f, a);
    for (int i = 0; i < MOOD__N_FORMANTS; i++) {
        int peak = find_peak(f->envelope, RANGE_HZ[i]);
        out[i].hz = BAND_HZ * peak / (GRID - 1);
        out[i].db = 10 * log10(error * f->envelope[peak] + 1e-9);
    }
}
