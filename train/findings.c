/* SPDX-License-Identifier: MIT
 *
 * findings.c — From the answers of one or several trainings to all figures about them. */
#include "findings.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

static const mood_corpus *corpus_of(const struct findings *f)
{
    return f->runs[0].corpus;
}

double run_temperature(const struct run *r)
{
    int best = r->result.best_epoch;
    return best > 0 ? r->result.epochs[best - 1].temperature : 1;
}

int run_speakers(const struct run *r, int collection, mood_side side, size_t *n_clips)
{
    int n = 0;
    size_t clips = 0;
    bool *heard = mood__calloc((size_t)mood_corpus_n_speakers(r->corpus), sizeof(*heard));
    for (size_t i = 0; heard && i < mood_corpus_n_clips(r->corpus); i++) {
        const mood_clip *clip = mood_corpus_clip(r->corpus, i);
        if (clip->collection == collection && mood_split_side(r->split, i) == side) {
            clips++;
            n += !heard[clip->speaker];
            heard[clip->speaker] = true;
        }
    }
    mood__free(heard);
    if (n_clips)
        *n_clips = clips;
    return n;
}

/* ---- the answers ---- */

static mood_status collect(struct findings *f)
{
    size_t V = (size_t)mood_corpus_n_labels(corpus_of(f));
    for (int i = 0; i < f->n_runs; i++)
        f->n += f->runs[i].result.n_answers;
    f->answer = mood__calloc(f->n, sizeof(const mood_answer *));
    f->label = mood__calloc(f->n, sizeof(int));
    f->speaker = mood__calloc(f->n, sizeof(int));
    f->prob = mood__calloc(f->n, V * sizeof(float));
    f->raw = mood__calloc(f->n, V * sizeof(float));
    if (!f->answer || !f->label || !f->speaker || !f->prob || !f->raw)
        return mood__nomem();
    f->confusion.n_labels = (int)V;
    size_t n = 0;
    for (int i = 0; i < f->n_runs; i++) {
        const mood_training *t = &f->runs[i].result;
        mood_confusion_join(&f->confusion, &t->test);
        for (size_t k = 0; k < t->n_answers; k++, n++) {
            const mood_answer *a = &t->answers[k];
            f->answer[n] = a;
            f->label[n] = a->label;
            f->speaker[n] = mood_corpus_clip(corpus_of(f), a->clip)->speaker;
            memcpy(f->prob + n * V, a->prob, V * sizeof(float));
            memcpy(f->raw + n * V, a->raw, V * sizeof(float));
        }
    }
    return MOOD_OK;
}

/* ---- groups ---- */

enum by { BY_CORPUS, BY_SEX, BY_INTENSITY, BY_CHANNEL, BY_SPEAKER, N_BY };

static const char *const by_names[N_BY] = {"corpus", "sex", "intensity", "channel", "speaker"};

/* The number of a clip's group, from 0; negative where it is not known. */
static int group_of(const mood_clip *c, enum by by)
{
    switch (by) {
    case BY_CORPUS:
        return c->collection;
    case BY_SEX:
        return (int)c->sex - 1;
    case BY_INTENSITY:
        return c->intensity - 1;
    case BY_CHANNEL:
        return c->channel - 1;
    case BY_SPEAKER:
        return c->speaker;
    default:
        return -1;
    }
}

static int count_of(const mood_corpus *c, enum by by)
{
    switch (by) {
    case BY_CORPUS:
        return mood_corpus_n_collections(c);
    case BY_SPEAKER: {
        int n = mood_corpus_n_speakers(c);
        return n > FINDINGS_MAX_SPEAKERS ? 0 : n;
    }
    default:
        return 2;
    }
}

static const char *name_of(const mood_corpus *c, enum by by, int group)
{
    static const char *const words[N_BY][2] = {[BY_SEX] = {"women", "men"},
                                               [BY_INTENSITY] = {"normal", "strong"},
                                               [BY_CHANNEL] = {"speech", "song"}};
    if (by == BY_CORPUS)
        return mood_corpus_collection(c, group)->name;
    return by == BY_SPEAKER ? mood_corpus_speaker(c, group) : words[by][group];
}

/* Figures for one group; false when nothing of it was tested. */
static bool find_group(const struct findings *f, struct finding *out, enum by by, int group)
{
    const mood_corpus *c = corpus_of(f);
    *out = (struct finding){.by = by_names[by],
                            .name = name_of(c, by, group),
                            .confusion = {.n_labels = f->confusion.n_labels}};
    for (size_t i = 0; i < f->n; i++)
        if (group_of(mood_corpus_clip(c, f->answer[i]->clip), by) == group)
            mood_confusion_add(&out->confusion, f->label[i], f->answer[i]->best);
    /* Speakers in the order of their numbers: those that have a clip in the group. */
    for (int s = 0; s < mood_corpus_n_speakers(c); s++)
        for (size_t i = 0; i < f->n; i++)
            if (f->speaker[i] == s &&
                group_of(mood_corpus_clip(c, f->answer[i]->clip), by) == group) {
                out->n_speakers++;
                break;
            }
    return mood_confusion_total(&out->confusion) > 0;
}

static mood_status find_groups(struct findings *f)
{
    const mood_corpus *c = corpus_of(f);
    size_t room = 0;
    for (enum by by = 0; by < N_BY; by++)
        room += (size_t)count_of(c, by);
    f->groups = mood__calloc(room, sizeof(*f->groups));
    if (!f->groups)
        return mood__nomem();
    for (enum by by = 0; by < N_BY; by++) {
        size_t first = f->n_groups;
        for (int g = 0; g < count_of(c, by); g++)
            f->n_groups += find_group(f, &f->groups[f->n_groups], by, g);
        if (f->n_groups == first + 1) /* a single group says what the whole says */
            f->n_groups = first;
    }
    return MOOD_OK;
}

static mood_status find_crossings(struct findings *f)
{
    f->crossings = mood__calloc((size_t)f->n_runs, sizeof(*f->crossings));
    mood_status status = f->crossings ? MOOD_OK : mood__nomem();
    for (int i = 0; i < f->n_runs && !status; i++)
        status = crossing_make(&f->crossings[i], &f->runs[i]);
    return status;
}

/* ---- the whole ---- */

mood_status findings_make(struct findings *f, const struct run *runs, int n_runs)
{
    *f = (struct findings){.runs = runs, .n_runs = n_runs};
    mood_status status = collect(f);
    if (status)
        return status;
    const mood_predictions p = {.n = f->n,
                                .n_labels = f->confusion.n_labels,
                                .prob = f->prob,
                                .label = f->label,
                                .speaker = f->speaker};
    mood_predictions raw = p;
    raw.prob = f->raw;
    mood_reliability_of(&f->after, &p);
    mood_reliability_of(&f->before, &raw);
    f->ece_of_perfect = mood_ece_of_perfect(&p, FINDINGS_PERFECT, 0);
    for (int i = 0; i < FINDINGS_CURVE; i++)
        mood_select(&f->curve[i], &p, i / 100.0);
    mood_select(&f->confident, &p, (double)MOOD_CONFIDENT);
    MOOD__TRY(mood_bootstrap(&f->intervals, &p, FINDINGS_ROUNDS, 0));
    MOOD__TRY(find_groups(f));
    return runs[0].o->cross_corpus && n_runs > 1 ? find_crossings(f) : MOOD_OK;
}

void findings_dealt(const struct findings *f, char *out, size_t capacity)
{
    const struct run *r = &f->runs[0];
    long long seed = r->o->seed;
    if (f->n_runs == 1)
        snprintf(out, capacity, "%s", mood_split_protocol(r->split)->dealt);
    else if (f->crossings)
        snprintf(out, capacity, "each of %d corpora by a network trained on the others, seed %lld",
                 f->n_runs, seed);
    else
        snprintf(out, capacity, "%d folds by speaker, seed %lld", f->n_runs, seed);
}

void findings_free(struct findings *f)
{
    mood__free(f->answer);
    mood__free(f->label);
    mood__free(f->speaker);
    mood__free(f->prob);
    mood__free(f->raw);
    mood__free(f->groups);
    mood__free(f->crossings);
    *f = (struct findings){0};
}
