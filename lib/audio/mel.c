/* SPDX-License-Identifier: MIT
 *
 * mel.c — The log-mel plane: window, spectrum (fft.c), triangles (triangles.c), logarithm.
 *
 * Everything up to the logarithm is in double. The term under it spans ten orders of magnitude
 * within a frame, and float arithmetic loses the quiet end (fft.c has the figures). */
#include "audio/mel.h"

#include <math.h>

#include "audio/fft.h"
#include "audio/triangles.h"
#include "base/error.h"
#include "base/mem.h"

static const double PI = 3.14159265358979323846;
static const double LOG_OFFSET = 1e-6;

struct mood_mel {
    int n_fft, hop, n_mels;
    struct mood__fft *fft;
    int n_speeds;
    struct mood__triangles *triangles[MOOD__MEL_SPEEDS];
    double *window; /* n_fft */
    double *power;  /* scratch: n_fft / 2 + 1 */
    double *band;   /* scratch: n_speeds * n_mels */
};

static mood_status make_tables(mood_mel *m, const double *speeds)
{
    size_t n_fft = (size_t)m->n_fft, n_bins = n_fft / 2 + 1;
    m->window = mood__calloc(n_fft, sizeof(double));
    m->power = mood__calloc(n_bins, sizeof(double));
    m->band = mood__calloc((size_t)(m->n_speeds * m->n_mels), sizeof(double));
    if (!m->window || !m->power || !m->band)
        return mood__nomem();
    for (size_t i = 0; i < n_fft; i++)
        m->window[i] = 0.5 - 0.5 * cos(2 * PI * (double)i / (double)n_fft);
    /* Played faster, bin k would lie where that of a shorter transform does. */
    for (int s = 0; s < m->n_speeds; s++)
        MOOD__TRY(mood__triangles_create(&m->triangles[s], m->n_mels,
                                         (int)lrint(m->n_fft / speeds[s]), 0,
                                         MOOD_SAMPLE_RATE / 2.0));
    return mood__fft_create(&m->fft, n_fft);
}

mood_status mood_mel_create(mood_mel **out, const mood_mel_params *params)
{
    static const double as_it_is = 1;
    return mood__mel_create_at(out, params, &as_it_is, 1);
}

mood_status mood__mel_create_at(mood_mel **out, const mood_mel_params *params, const double *speeds,
                                int n)
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
    m->n_speeds = n;
    mood_status status = make_tables(m, speeds);
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
    for (int s = 0; s < m->n_speeds; s++)
        mood__triangles_destroy(&m->triangles[s]);
    mood__free(m->window);
    mood__free(m->power);
    mood__free(m->band);
    mood__free(m);
    *mel = NULL;
}

int mood_mel_bands(const mood_mel *mel)
{
    return mel->n_speeds * mel->n_mels;
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
        for (int s = 0; s < mel->n_speeds; s++)
            mood__triangles_run(mel->triangles[s], mel->band + s * mel->n_mels, mel->power);
        for (int f = 0; f < mood_mel_bands(mel); f++)
            out[(size_t)f * n_frames + t] = logf((float)(mel->band[f] + LOG_OFFSET));
    }
    return MOOD_OK;
}
