/* SPDX-License-Identifier: MIT
 *
 * bootstrap.c — How far figures would move with other speakers: the bootstrap. */
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "mood/figures.h"
#include "tensor/tensor.h"

struct bootstrap {
    const mood_predictions *p;
    const float *other; /* NULL: p's own figures, no differences */
    int *answer[2];     /* (n) of p, of `other` */
    int *speaker;       /* (n) as numbers from 0 to n_speakers - 1 */
    int *numbers;       /* the caller's number of each, sorted */
    int *times;         /* (n_speakers) how often each is drawn */
    double *drawn;      /* (3, rounds): accuracy, UAR, macro F1 */
    int n_speakers;
};

static int by_number(const void *pa, const void *pb)
{
    int a = *(const int *)pa, b = *(const int *)pb;
    return (a > b) - (a < b);
}

static int by_value(const void *pa, const void *pb)
{
    double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

static mood_status begin(struct bootstrap *b, int rounds)
{
    const mood_predictions *p = b->p;
    b->answer[0] = mood__calloc(p->n, sizeof(int));
    b->answer[1] = mood__calloc(p->n, sizeof(int));
    b->speaker = mood__calloc(p->n, sizeof(int));
    b->numbers = mood__calloc(p->n, sizeof(int));
    b->times = mood__calloc(p->n, sizeof(int));
    b->drawn = mood__calloc((size_t)rounds, 3 * sizeof(double));
    if (!b->answer[0] || !b->answer[1] || !b->speaker || !b->numbers || !b->times || !b->drawn)
        return mood__nomem();
    for (size_t i = 0; i < p->n; i++) {
        size_t row = i * (size_t)p->n_labels;
        b->answer[0][i] = mood__argmax(p->prob + row, p->n_labels);
        if (b->other)
            b->answer[1][i] = mood__argmax(b->other + row, p->n_labels);
        b->numbers[i] = p->speaker[i];
    }
    qsort(b->numbers, p->n, sizeof(int), by_number);
    for (size_t i = 0; i < p->n; i++)
        if (i == 0 || b->numbers[i] != b->numbers[b->n_speakers - 1])
            b->numbers[b->n_speakers++] = b->numbers[i];
    for (size_t i = 0; i < p->n; i++) {
        const int *at =
            bsearch(&p->speaker[i], b->numbers, (size_t)b->n_speakers, sizeof(int), by_number);
        b->speaker[i] = (int)(at - b->numbers);
    }
    return MOOD_OK;
}

/* The figures of the drawn speakers, added `sign` times to round r. */
static void add_figures(struct bootstrap *b, const int *answer, double sign, int r, int rounds)
{
    mood_confusion c = {.n_labels = b->p->n_labels};
    for (size_t i = 0; i < b->p->n; i++)
        c.count[b->p->label[i]][answer[i]] += b->times[b->speaker[i]];
    b->drawn[r] += sign * mood_accuracy(&c);
    b->drawn[rounds + r] += sign * mood_uar(&c);
    b->drawn[2 * rounds + r] += sign * mood_macro_f1(&c);
}

static void draw(struct bootstrap *b, int rounds, uint64_t seed)
{
    struct mood__rng rng = mood__rng_make(seed, 0);
    for (int r = 0; r < rounds; r++) {
        for (int s = 0; s < b->n_speakers; s++)
            b->times[s] = 0;
        for (int s = 0; s < b->n_speakers; s++)
            b->times[mood__rng_below(&rng, (uint64_t)b->n_speakers)]++;
        add_figures(b, b->answer[0], b->other ? -1 : 1, r, rounds);
        if (b->other)
            add_figures(b, b->answer[1], 1, r, rounds);
    }
}

/* Between the two values around place q of the sorted list, in proportion. */
static double percentile(const double *sorted, int n, double q)
{
    double place = q * (n - 1);
    int below = (int)place, above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

static mood_interval middle_95(double *drawn, int rounds)
{
    qsort(drawn, (size_t)rounds, sizeof(*drawn), by_value);
    return (mood_interval){percentile(drawn, rounds, 0.025), percentile(drawn, rounds, 0.975)};
}

static mood_status run(mood_intervals *out, const mood_predictions *p, const float *other,
                       int rounds, uint64_t seed)
{
    const mood_interval unknown = {other ? -1 : 0, 1};
    *out = (mood_intervals){0, unknown, unknown, unknown};
    if (rounds < 1)
        return mood__fail(MOOD_E_INVALID, "bootstrap: %d rounds", rounds);
    struct bootstrap b = {.p = p, .other = other};
    mood_status status = begin(&b, rounds);
    if (!status) {
        out->n_speakers = b.n_speakers;
        if (b.n_speakers > 1) {
            draw(&b, rounds, seed);
            out->accuracy = middle_95(b.drawn, rounds);
            out->uar = middle_95(b.drawn + rounds, rounds);
            out->macro_f1 = middle_95(b.drawn + 2 * (ptrdiff_t)rounds, rounds);
        }
    }
    mood__free(b.answer[0]);
    mood__free(b.answer[1]);
    mood__free(b.speaker);
    mood__free(b.numbers);
    mood__free(b.times);
    mood__free(b.drawn);
    return status;
}

mood_status mood_bootstrap(mood_intervals *out, const mood_predictions *p, int rounds,
                           uint64_t seed)
{
    return run(out, p, NULL, rounds, seed);
}

mood_status mood_bootstrap_difference(mood_intervals *out, const mood_predictions *p,
                                      const float *other, int rounds, uint64_t seed)
{
    return run(out, p, other, rounds, seed);
}
