/* SPDX-License-Identifier: MIT
 *
 * formula.h — The numbers of tests/golden/formula.py (which defines them), in C: values, starting
 * weights and labels that belong to a name, so that they need not be stored. */
#ifndef MOOD_TOOLS_FORMULA_H
#define MOOD_TOOLS_FORMULA_H

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "mood/graph.h"

static inline uint64_t formula_key(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return mood__mix64(h);
}

/* x[0..n) = values in [-1, 1). */
static inline void formula_values(float *x, int64_t n, const char *name)
{
    uint64_t key = formula_key(name);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(mood__hash64(key, (uint64_t)i) >> 40) * 0x1p-23f - 1.0f;
}

static inline void formula_labels(int32_t *y, int64_t n, const char *name, int n_classes)
{
    uint64_t key = formula_key(name);
    for (int64_t i = 0; i < n; i++)
        y[i] = (int32_t)(mood__hash64(key, (uint64_t)i) % (uint64_t)n_classes);
}

static inline bool formula_ends(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* The starting value of one weight. */
static inline void formula_weight(const mood_tensor *w, const char *name)
{
    float *x = (float *)w->data, scale = 0.125f, offset = 0.0f;
    int64_t n = mood_tensor_elements(w);
    formula_values(x, n, name);
    if (formula_ends(name, ".running_mean") || formula_ends(name, ".running_var")) {
        scale = 0.0f;
        offset = formula_ends(name, "_var") ? 1.0f : 0.0f;
    } else if (w->rank >= 2) {
        scale = (float)(1.0 / sqrt((double)(n / w->dim[w->rank - 1])));
    } else if (formula_ends(name, ".weight")) {
        offset = 1.0f;
    }
    for (int64_t i = 0; i < n; i++)
        x[i] = offset + x[i] * scale;
}

static inline void formula_weights(mood_weights *w)
{
    for (int i = 0; i < mood_weights_count(w); i++)
        formula_weight(mood_weights_value(w, i), mood_weights_name(w, i));
}

#endif
