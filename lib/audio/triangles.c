/* SPDX-License-Identifier: MIT
 *
 * triangles.c — Triangles on the mel scale. Only the bins inside each are kept and visited. */
#include "audio/triangles.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "mood/audio.h"

/* One triangle: it weighs bins first .. first + n - 1. */
struct band {
    int first, n;
    const double *weight; /* inside triangles->weight */
};

struct mood__triangles {
    int n, n_bins;
    struct band *band; /* n */
    double *weight;    /* all triangles, one after another */
};

static double hz_to_mel(double hz)
{
    return 2595.0 * log10(1.0 + hz / 700.0);
}

static double mel_to_hz(double mel)
{
    return 700.0 * (pow(10.0, mel / 2595.0) - 1.0);
}

/* Triangle f rises over the mel points f to f + 1 and falls to f + 2. Each bin is inside two at
 * most, so twice the bins is room enough for the weights. */
static void lay_out(struct mood__triangles *t, double bin_hz, double low, double high)
{
    double origin = hz_to_mel(low), step = (hz_to_mel(high) - origin) / (t->n + 1);
    double *weight = t->weight;
    for (int f = 0; f < t->n; f++) {
        double left = mel_to_hz(origin + f * step), centre = mel_to_hz(origin + (f + 1) * step);
        double right = mel_to_hz(origin + (f + 2) * step);
        struct band *b = &t->band[f];
        b->weight = weight;
        for (int k = 0; k < t->n_bins; k++) {
            double hz = k * bin_hz;
            double w = fmin((hz - left) / (centre - left), (right - hz) / (right - centre));
            if (w <= 0)
                continue;
            if (b->n == 0)
                b->first = k;
            b->n++;
            *weight++ = w;
        }
    }
}

mood_status mood__triangles_create(struct mood__triangles **out, int n, int n_fft, double low,
                                   double high)
{
    *out = NULL;
    struct mood__triangles *t = mood__calloc(1, sizeof(*t));
    if (!t)
        return mood__nomem();
    t->n = n;
    t->n_bins = n_fft / 2 + 1;
    t->band = mood__calloc((size_t)n, sizeof(*t->band));
    t->weight = mood__calloc(2 * (size_t)t->n_bins, sizeof(*t->weight));
    if (!t->band || !t->weight) {
        mood__triangles_destroy(&t);
        return mood__nomem();
    }
    lay_out(t, (double)MOOD_SAMPLE_RATE / n_fft, low, high);
    *out = t;
    return MOOD_OK;
}

void mood__triangles_destroy(struct mood__triangles **t)
{
    if (!*t)
        return;
    mood__free((*t)->band);
    mood__free((*t)->weight);
    mood__free(*t);
    *t = NULL;
}

void mood__triangles_run(const struct mood__triangles *t, double *out, const double *power)
{
    for (int f = 0; f < t->n; f++) {
        const struct band *b = &t->band[f];
        double sum = 0;
        for (int k = 0; k < b->n; k++)
            sum += b->weight[k] * power[b->first + k];
        out[f] = sum;
    }
}
