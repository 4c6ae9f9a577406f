/* SPDX-License-Identifier: MIT
 *
 * sayings.c — Keeping windows' probabilities, clip by clip, from many threads. */
#include "train/sayings.h"

#include <string.h>

#include "base/mem.h"
#include "mood/figures.h"

mood_status mood__sayings_begin(struct mood__sayings *s, size_t n, int n_labels)
{
    *s = (struct mood__sayings){.n = n, .V = n_labels};
    s->label = mood__calloc(n, sizeof(*s->label));
    s->windows = mood__calloc(n, sizeof(*s->windows));
    s->prob = mood__calloc(n, sizeof(float *));
    return s->label && s->windows && s->prob ? MOOD_OK : mood__nomem();
}

void mood__sayings_free(struct mood__sayings *s)
{
    for (size_t i = 0; s->prob && i < s->n; i++)
        mood__free(s->prob[i]);
    mood__free(s->label);
    mood__free(s->windows);
    mood__free(s->prob);
    *s = (struct mood__sayings){0};
}

mood_status mood__sayings_keep(struct mood__sayings *s, size_t i, const mood_result *r)
{
    size_t row = (size_t)s->V * sizeof(float), n = 0;
    s->prob[i] = mood__calloc(r->n_segments, row);
    if (!s->prob[i])
        return mood__nomem();
    for (size_t w = 0; w < r->n_segments; w++)
        if (r->segments[w].speech || r->verdict == MOOD_VERDICT_NO_SPEECH)
            memcpy(s->prob[i] + n++ * (size_t)s->V, r->segments[w].prob, row);
    s->windows[i] = n;
    return MOOD_OK;
}

mood_status mood__sayings_fit(const struct mood__sayings *s, double *temperature)
{
    size_t rows = 0, at = 0;
    for (size_t i = 0; i < s->n; i++)
        rows += s->windows[i];
    float *all = mood__calloc(rows, (size_t)s->V * sizeof(float));
    if (!all)
        return mood__nomem();
    for (size_t i = 0; i < s->n; i++) {
        size_t n = s->windows[i] * (size_t)s->V;
        memcpy(all + at, s->prob[i], n * sizeof(float));
        at += n;
    }
    *temperature = mood_fit_temperature(all, s->windows, s->label, s->n, s->V);
    mood__free(all);
    return MOOD_OK;
}
