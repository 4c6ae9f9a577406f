/* SPDX-License-Identifier: MIT
 *
 * mel.c — The log-mel plane: window, spectrum (fft.c), triangles, logarithm.
 *
 * Everything up to the logarithm is in double. The term under it spans ten orders of magnitude
 * within a frame, and float arithmetic loses the quiet end (fft.c has the figures). */
#include "mood/audio.h"

#include <math.h>

#include "audio/fft.h"
#include "base/error.h"
#include "base/mem.h"

static const double PI = 3.14159265358979323846;
static const double LOG_OFFSET = 1e-6;

/* One triangle: it weighs bins first .. first + n - 1. */
struct band {
    int first, n;
    const double *weight; /* inside mel->weight */
};

struct mood_mel {
    int n_fft, hop, n_mels;
    struct mood__fft *fft;
    struct band *band; /* n_mels */
    double *weight;    /* all triangles, one after another */
    double *window;    /* n_fft */
    double *power;     /* scratch: n_fft / 2 + 1 */
};

static double hz_to_mel(double hz)
{
    return 2595.0 * log10(1.0 + hz / 700.0);
}

static double mel_to_hz(double mel)
{
    return 700.0 * (pow(10.0, mel / 2595.0) - 1.0);
}

/* Lay out the triangles: band f rises over the mel points f to f + 1 and falls to f + 2. Each bin
 * is inside two bands at most, so twice the bins is room enough for the weights. */
static void make_bands(mood_mel *m)
{
    double step = hz_to_mel(MOOD_SAMPLE_RATE / 2.0) / (m->n_mels + 1);
    double *weight = m->weight;
    for (int f = 0; f < m->n_mels; f++) {
        double left = mel_to_hz(f * step), centre = mel_to_hz((f + 1) * step);
        double right = mel_to_hz((f + 2) * step);
        struct band *b = &m->band[f];
        b->weight = weight;
        for (int k = 0; k <= m->n_fft / 2; k++) {
            double hz = (double)k * MOOD_SAMPLE_RATE / m->n_fft;
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

static mood_status make_tables(mood_mel *m)
{
    size_t n_fft = (size_t)m->n_fft, n_bins = n_fft / 2 + 1;
    m->band = mood__calloc((size_t)m->n_mels, sizeof(*m->band));
    m->weight = mood__calloc(2 * n_bins, sizeof(double));
    m->window = mood__calloc(n_fft, sizeof(double));
    m->power = mood__calloc(n_bins, sizeof(double));
    if (!m->band || !m->weight || !m->window || !m->power)
        return mood__nomem();
    make_bands(m);
    for (size_t i = 0; i < n_fft; i++)
        m->window[i] = 0.5 - 0.5 * cos(2 * PI * (double)i / (double)n_fft);
    return mood__fft_create(&m->fft, n_fft);
}

mood_status mood_mel_create(mood_mel **out, const mood_mel_params *params)
{
    *out = NULL;
    mood_mel_params p = params ? *params : (mood_mel_params){0};
    p.n_fft = p.n_fft ? p.n_fft : 1024;
    p.hop = p.hop ? p.hop : 512;
    p.n_mels = p.n_mels ? p.n_mels : 64;
    if (p.n_fft < 16 || p.n_fft > 65536 || p.n_fft & (p.n_fft - 1) || p.hop < 1 ||
        p.hop > p.n_fft || p.n_mels < 1 || p.n_mels > 1024)
        return mood__fail(MOOD_E_INVALID, "log-mel: n_fft %d, hop %d, n_mels %d is not possible",
                          p.n_fft, p.hop, p.n_mels);

    mood_mel *m = mood__calloc(1, sizeof(*m));
    if (!m)
        return mood__nomem();
    m->n_fft = p.n_fft;
    m->hop = p.hop;
    m->n_mels = p.n_mels;
    mood_status status = make_tables(m);
    if (status != MOOD_OK)
        mood_mel_destroy(&m);
    *out = m;
    return status;
}

void mood_mel_destroy(mood_mel **mel)
{
    mood_mel *m = *mel;
    if (!m)
        return;
    mood__fft_destroy(&m->fft);
    mood__free(m->band);
    mood__free(m->weight);
    mood__free(m->window);
    mood__free(m->power);
    mood__free(m);
    *mel = NULL;
}

int mood_mel_bands(const mood_mel *mel)
{
    return mel->n_mels;
}

size_t mood_mel_frames(const mood_mel *mel, size_t n_samples)
{
    return 1 + n_samples / (size_t)mel->hop;
}

/* frame = window * the n_fft samples around `centre`, mirrored at both ends without repeating the
 * sample at the edge. n > n_fft / 2. */
static void take_frame(const mood_mel *m, double *frame, const float *pcm, size_t n, size_t centre)
{
    ptrdiff_t start = (ptrdiff_t)centre - m->n_fft / 2, last = (ptrdiff_t)n - 1;
    for (int i = 0; i < m->n_fft; i++) {
        ptrdiff_t at = start + i;
        at = at < 0 ? -at : at;
        at = at > last ? 2 * last - at : at;
        frame[i] = m->window[i] * pcm[at];
    }
}

mood_status mood_mel_run(mood_mel *mel, float *out, const float *pcm, size_t n_samples)
{
    size_t half = (size_t)mel->n_fft / 2;
    if (n_samples <= half)
        return mood__fail(MOOD_E_INVALID, "log-mel: %zu samples, at least %zu are needed",
                          n_samples, half + 1);
    size_t n_frames = mood_mel_frames(mel, n_samples);
    for (size_t t = 0; t < n_frames; t++) {
        take_frame(mel, mood__fft_frame(mel->fft), pcm, n_samples, t * (size_t)mel->hop);
        mood__fft_power(mel->fft, mel->power);
        for (int f = 0; f < mel->n_mels; f++) {
            const struct band *b = &mel->band[f];
            double sum = LOG_OFFSET;
            for (int k = 0; k < b->n; k++)
                sum += b->weight[k] * mel->power[b->first + k];
            out[(size_t)f * n_frames + t] = logf((float)sum);
        }
    }
    return MOOD_OK;
}
