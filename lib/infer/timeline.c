/* SPDX-License-Identifier: MIT
 *
 * timeline.c — From overlapping windows to a time line: slots that do not overlap, and spans of
 * slots that say the same. */
#include "base/error.h"
#include "base/mem.h"
#include "infer/hear.h"
#include "tensor/tensor.h"

static const double hop_s = (double)MOOD__WINDOW_HOP / MOOD_SAMPLE_RATE;

struct mood_timeline {
    int n_labels; /* V */
    size_t n_slots, n_spans;
    mood_segment *slots; /* (n_slots) */
    mood_segment *spans; /* (n_slots), of which n_spans are used */
    float *prob;         /* (2 n_slots, V): of the slots, then of the spans */
};

/* Probabilities, weighted by time. */
struct sum {
    double prob[MOOD_MAX_LABELS], seconds;
};

static void add(struct sum *sum, const float *prob, int V, double seconds)
{
    for (int v = 0; v < V; v++)
        sum->prob[v] += seconds * (double)prob[v];
    sum->seconds += seconds;
}

static void conclude(mood_segment *out, float *prob, const struct sum *sum, int V)
{
    for (int v = 0; v < V; v++)
        prob[v] = (float)(sum->prob[v] / sum->seconds);
    out->prob = prob;
    out->best = mood__argmax(prob, V);
    out->confidence = prob[out->best];
}

/* ---- slots -------------------------------------------------------------------------------- */

/* The windows of a result, and the first of them that is not behind us. */
struct windows {
    const mood_result *result;
    size_t at;
    double duration_s;
    size_t n_slots; /* of one hop */
};

static struct windows windows_of(const mood_result *r)
{
    double duration = r->segments[r->n_segments - 1].end_s;
    size_t n = (size_t)(duration / hop_s + 0.5);
    return (struct windows){.result = r, .duration_s = duration, .n_slots = n > 0 ? n : 1};
}

/* Slot i of one hop: what is heard in it is written to *sum. Returns whether it has speech. To be
 * called in time order. */
static bool hear_slot(struct windows *w, size_t i, double *start_s, double *end_s, struct sum *sum)
{
    const mood_result *r = w->result;
    bool speech = true;
    *start_s = hop_s * (double)i;
    *end_s = i + 1 < w->n_slots ? hop_s * (double)(i + 1) : w->duration_s;
    *sum = (struct sum){0};
    while (r->segments[w->at].end_s <= *start_s)
        w->at++;
    for (size_t k = w->at; k < r->n_segments && r->segments[k].start_s < *end_s; k++) {
        const mood_segment *s = &r->segments[k];
        double from = s->start_s > *start_s ? s->start_s : *start_s;
        double to = s->end_s < *end_s ? s->end_s : *end_s;
        add(sum, s->prob, r->n_labels, to - from);
        speech = speech && s->speech;
    }
    return speech;
}

/* Join the slots [first, end) of one hop. */
static void join(mood_segment *out, float *prob, struct windows *w, size_t first, size_t end)
{
    struct sum with = {{0}, 0}, without = {{0}, 0}, one;
    for (size_t i = first; i < end; i++) {
        double from, to;
        struct sum *sum = hear_slot(w, i, &from, &to, &one) ? &with : &without;
        for (int v = 0; v < w->result->n_labels; v++)
            sum->prob[v] += one.prob[v] / one.seconds * (to - from);
        sum->seconds += to - from;
        if (i == first)
            out->start_s = from;
        out->end_s = to;
    }
    out->speech = with.seconds >= without.seconds;
    conclude(out, prob, out->speech ? &with : &without, w->result->n_labels);
}

/* ---- spans -------------------------------------------------------------------------------- */

static bool same_answer(const mood_segment *a, const mood_segment *b)
{
    return a->speech == b->speech && (!a->speech || a->best == b->best);
}

static void make_spans(mood_timeline *t)
{
    const mood_segment *slots = t->slots;
    float *prob = t->prob + t->n_slots * (size_t)t->n_labels;
    for (size_t first = 0, end; first < t->n_slots; first = end) {
        struct sum sum = {{0}, 0};
        for (end = first; end < t->n_slots && same_answer(&slots[first], &slots[end]); end++)
            add(&sum, slots[end].prob, t->n_labels, slots[end].end_s - slots[end].start_s);
        mood_segment *span = &t->spans[t->n_spans];
        *span = (mood_segment){.start_s = slots[first].start_s,
                               .end_s = slots[end - 1].end_s,
                               .speech = slots[first].speech};
        conclude(span, prob + t->n_spans * (size_t)t->n_labels, &sum, t->n_labels);
        t->n_spans++;
    }
}

/* ---- life --------------------------------------------------------------------------------- */

mood_status mood_timeline_create(mood_timeline **out, const mood_result *result,
                                 const mood_timeline_params *params)
{
    struct windows w = windows_of(result);
    size_t max_slots = params && params->max_slots > 0 ? params->max_slots : w.n_slots;
    size_t each = (w.n_slots + max_slots - 1) / max_slots, n = (w.n_slots + each - 1) / each;
    size_t V = (size_t)result->n_labels, floats;
    *out = NULL;
    if (!mood__mul_size(n, 2 * V, &floats))
        return mood__nomem();
    mood_timeline *t = mood__calloc(1, sizeof(*t));
    if (!t)
        return mood__nomem();
    *t = (mood_timeline){.n_labels = result->n_labels, .n_slots = n};
    t->slots = mood__calloc(n, sizeof(*t->slots));
    t->spans = mood__calloc(n, sizeof(*t->spans));
    t->prob = mood__calloc(floats, sizeof(*t->prob));
    if (!t->slots || !t->spans || !t->prob) {
        mood_timeline_destroy(&t);
        return mood__nomem();
    }
    for (size_t i = 0; i < n; i++) {
        size_t end = (i + 1) * each < w.n_slots ? (i + 1) * each : w.n_slots;
        join(&t->slots[i], t->prob + i * V, &w, i * each, end);
    }
    make_spans(t);
    *out = t;
    return MOOD_OK;
}

void mood_timeline_destroy(mood_timeline **timeline)
{
    if (*timeline) {
        mood__free((*timeline)->slots);
        mood__free((*timeline)->spans);
        mood__free((*timeline)->prob);
        mood__free(*timeline);
    }
    *timeline = NULL;
}

const mood_segment *mood_timeline_slots(const mood_timeline *timeline, size_t *n)
{
    *n = timeline->n_slots;
    return timeline->slots;
}

const mood_segment *mood_timeline_spans(const mood_timeline *timeline, size_t *n)
{
    *n = timeline->n_spans;
    return timeline->spans;
}
