/* SPDX-License-Identifier: MIT
 *
 * prosody_bank.c — Measuring clips on all threads, each form of each clip once. */
#include "train/prosody_bank.h"

#include <string.h>

#include "audio/background.h"
#include "audio/resample.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"

enum { STREAM_COPY = 0x636f7079 };

/* All clips of the corpus in one form. */
struct shelf {
    struct mood__form form;
    struct mood__measured *clips;
};

/* What decides what a copy is. */
struct recipe {
    uint64_t seed;
    mood_augment_params augment;
    double speeds[MOOD_MAX_SPEEDS];
    int n_speeds;
};

struct mood_prosody_bank {
    const mood_corpus *corpus;
    struct shelf *shelves;
    int n_shelves;
    float *background; /* (n_background, MOOD_N_FUNCTIONALS), of `seed` */
    int n_background;
    uint64_t seed;
    struct recipe recipe; /* of the copies that are there */
};

mood_status mood_prosody_bank_create(mood_prosody_bank **out, const mood_corpus *corpus)
{
    mood_prosody_bank *b = mood__calloc(1, sizeof(*b));
    if (b)
        b->corpus = corpus;
    *out = b;
    return b ? MOOD_OK : mood__nomem();
}

static void shelf_free(const mood_prosody_bank *b, struct shelf *s)
{
    for (size_t i = 0; i < mood_corpus_n_clips(b->corpus); i++) {
        mood__heard_free(&s->clips[i].heard);
        mood__free(s->clips[i].functionals);
    }
    mood__free(s->clips);
}

void mood_prosody_bank_destroy(mood_prosody_bank **bank)
{
    mood_prosody_bank *b = *bank;
    *bank = NULL;
    if (!b)
        return;
    for (int s = 0; s < b->n_shelves; s++)
        shelf_free(b, &b->shelves[s]);
    mood__free(b->shelves);
    mood__free(b->background);
    mood__free(b);
}

bool mood__prosody_bank_is_of(const mood_prosody_bank *b, const mood_corpus *corpus)
{
    return b->corpus == corpus;
}

static struct shelf *shelf_of(const mood_prosody_bank *b, struct mood__form form)
{
    for (int s = 0; s < b->n_shelves; s++) {
        const struct mood__form *have = &b->shelves[s].form;
        if (have->copy == form.copy && (form.copy > 0 || have->speed == form.speed))
            return &b->shelves[s];
    }
    return NULL;
}

const struct mood__measured *mood__prosody_bank_find(const mood_prosody_bank *b, size_t clip,
                                                     struct mood__form form)
{
    const struct shelf *shelf = shelf_of(b, form);
    return shelf && shelf->clips[clip].heard.n_windows > 0 ? &shelf->clips[clip] : NULL;
}

static mood_status add_shelf(mood_prosody_bank *b, struct mood__form form)
{
    if (shelf_of(b, form))
        return MOOD_OK;
    struct shelf *shelves =
        mood__realloc(b->shelves, (size_t)b->n_shelves + 1, sizeof(*b->shelves));
    if (!shelves)
        return mood__nomem();
    b->shelves = shelves;
    struct mood__measured *clips =
        mood__calloc(mood_corpus_n_clips(b->corpus), sizeof(*b->shelves->clips));
    if (!clips)
        return mood__nomem();
    b->shelves[b->n_shelves++] = (struct shelf){form, clips};
    return MOOD_OK;
}

/* ---- measuring ---- */

static mood_status take_windows(struct mood__measured *m, size_t n_samples, size_t n_windows)
{
    m->heard.n_samples = n_samples;
    m->heard.start = mood__calloc(n_windows, sizeof(*m->heard.start));
    m->heard.speech = mood__calloc(n_windows, sizeof(*m->heard.speech));
    m->functionals = mood__calloc(n_windows, MOOD_N_FUNCTIONALS * sizeof(*m->functionals));
    return m->heard.start && m->heard.speech && m->functionals ? MOOD_OK : mood__nomem();
}

/* Each of the kinds with probability one half, but one of them at least. */
static unsigned draw_kinds(unsigned all, struct mood__rng *r)
{
    unsigned some;
    do
        some = all & (unsigned)mood__rng_u64(r);
    while (some == 0);
    return some;
}

/* All windows of a recording, as mood_infer_run hears them; with `r`, each of them changed. */
static mood_status measure(struct mood__measured *out, struct mood__ear *ear, const float *pcm,
                           size_t n_samples, const mood_augment_params *augment,
                           struct mood__rng *r)
{
    mood_windows w;
    MOOD__TRY(mood__plan_windows(&w, n_samples));
    struct mood__measured m = {0};
    mood_status status = take_windows(&m, n_samples, w.count);
    for (size_t i = 0; i < w.count && !status; i++) {
        m.heard.start[i] = mood_windows_start(&w, i);
        mood_augment_params change = *augment;
        uint64_t seed = 0;
        if (r) {
            seed = mood__rng_u64(r);
            change.kinds = draw_kinds(augment->kinds, r);
        }
        status = mood__ear_window(ear, NULL, &m.heard.speech[i], pcm, n_samples, m.heard.start[i],
                                  r ? &change : NULL, seed);
        if (!status)
            status = mood__ear_functionals(ear, m.functionals + i * MOOD_N_FUNCTIONALS);
    }
    if (status) {
        mood__heard_free(&m.heard);
        mood__free(m.functionals);
        return status;
    }
    m.heard.n_windows = w.count;
    *out = m;
    return MOOD_OK;
}

/* The whole recording is made faster or slower, and then cut: windows have 3 s wherever there are
 * so many. */
static mood_status measure_form(struct mood__measured *out, struct mood__form form, size_t clip,
                                const struct recipe *recipe, struct mood__ear *ear,
                                const mood_audio *audio)
{
    const float *pcm = mood_audio_samples(audio);
    size_t n_samples = mood_audio_length(audio), n;
    float *changed;
    uint64_t key = mood__hash64(recipe->seed, STREAM_COPY);
    struct mood__rng own = mood__rng_make(mood__hash64(key, clip), (uint64_t)form.copy), *r = NULL;
    if (form.copy > 0) {
        r = &own;
        form.speed = recipe->speeds[mood__rng_below(r, (uint64_t)recipe->n_speeds)];
    }
    if (form.speed == 1)
        return measure(out, ear, pcm, n_samples, &recipe->augment, r);
    MOOD__TRY(mood__resample_speed(&changed, &n, pcm, n_samples, form.speed));
    mood_status status = measure(out, ear, changed, n, &recipe->augment, r);
    mood__free(changed);
    return status;
}

struct filling {
    mood_prosody_bank *b;
    const struct mood__bank_filling *f;
    struct mood__ear **ears; /* one per thread */
    int n_ears;
    size_t *clips; /* those that lack something */
    int64_t n_clips;
};

/* Whether this filling wants what is learnt from in that form. */
static bool is_learnt_from(const struct mood__bank_filling *f, struct mood__form form)
{
    if (form.copy > 0)
        return form.copy <= f->n_copies;
    bool found = false;
    for (int i = 0; i < f->n_speeds; i++)
        found = found || f->speeds[i] == form.speed;
    return found;
}

static bool is_wanted(const struct filling *s, size_t clip, struct mood__form form)
{
    mood_side side = mood_split_side(s->f->split, clip);
    bool learnt = side == MOOD_SIDE_TRAIN || side == MOOD_SIDE_VAL;
    bool heard = form.copy == 0 && form.speed == 1 && side != MOOD_SIDE_UNUSED;
    return (heard || (learnt && is_learnt_from(s->f, form))) &&
           !mood__prosody_bank_find(s->b, clip, form);
}

static mood_status fill_clip(void *ctx, size_t clip, int worker)
{
    const struct filling *s = ctx;
    const char *path = mood_corpus_clip(s->b->corpus, clip)->path;
    mood_audio *audio = NULL;
    mood_status status = mood_audio_read(&audio, path, NULL);
    for (int i = 0; i < s->b->n_shelves && !status; i++) {
        struct shelf *shelf = &s->b->shelves[i];
        if (is_wanted(s, clip, shelf->form))
            status = measure_form(&shelf->clips[clip], shelf->form, clip, &s->b->recipe,
                                  s->ears[worker], audio);
    }
    mood_audio_destroy(&audio);
    return status ? mood__fail_in(status, "%s", path) : MOOD_OK;
}

static mood_status find_missing(struct filling *s)
{
    size_t n = mood_corpus_n_clips(s->b->corpus);
    s->clips = mood__calloc(n, sizeof(*s->clips));
    if (!s->clips)
        return mood__nomem();
    for (size_t i = 0; i < n; i++) {
        bool wanted = false;
        for (int k = 0; k < s->b->n_shelves; k++)
            wanted = wanted || is_wanted(s, i, s->b->shelves[k].form);
        if (wanted)
            s->clips[s->n_clips++] = i;
    }
    return MOOD_OK;
}

static mood_status make_ears(struct filling *s)
{
    s->n_ears = mood_pool_threads(s->f->pool);
    s->ears = mood__calloc((size_t)s->n_ears, sizeof(struct mood__ear *));
    if (!s->ears)
        return mood__nomem();
    for (int i = 0; i < s->n_ears; i++)
        MOOD__TRY(mood__ear_create(&s->ears[i], MOOD__EAR_PROSODY));
    return MOOD_OK;
}

/* ---- background ---- */

static void background_task(void *ctx, int64_t task, int worker)
{
    const struct filling *s = ctx;
    const mood_prosody_bank *b = s->b;
    float pcm[MOOD__WINDOW_SAMPLES];
    mood__background_make(pcm, MOOD__WINDOW_SAMPLES, b->seed, (uint64_t)task);
    mood_status status =
        mood__ear_window(s->ears[worker], NULL, NULL, pcm, MOOD__WINDOW_SAMPLES, 0, NULL, 0);
    if (!status)
        status = mood__ear_functionals(s->ears[worker], b->background + task * MOOD_N_FUNCTIONALS);
    (void)status; /* neither of the two fails without augmentation */
}

/* As many as are wanted, anew when there were others. */
static mood_status fill_background(struct filling *s)
{
    mood_prosody_bank *b = s->b;
    int n = s->f->n_background;
    if (n <= b->n_background && (s->f->seed == b->seed || n == 0))
        return MOOD_OK;
    mood__free(b->background);
    b->n_background = 0;
    b->seed = s->f->seed;
    b->background = mood__calloc((size_t)n, MOOD_N_FUNCTIONALS * sizeof(float));
    if (!b->background)
        return mood__nomem();
    mood__pool_run(s->f->pool, n, background_task, s);
    b->n_background = n;
    return MOOD_OK;
}

const float *mood__prosody_bank_background(const mood_prosody_bank *b, int i)
{
    return b->background + (size_t)i * MOOD_N_FUNCTIONALS;
}

/* Take over what copies are to be; those that are something else go. */
static void set_recipe(mood_prosody_bank *b, const struct mood__bank_filling *f)
{
    struct recipe r;
    memset(&r, 0, sizeof(r)); /* it is compared as bytes */
    r.seed = f->seed;
    r.augment = *f->augment;
    r.n_speeds = f->n_speeds;
    memcpy(r.speeds, f->speeds, (size_t)f->n_speeds * sizeof(*f->speeds));
    if (f->n_copies == 0 || memcmp(&r, &b->recipe, sizeof(r)) == 0)
        return;
    b->recipe = r;
    int kept = 0;
    for (int s = 0; s < b->n_shelves; s++) {
        if (b->shelves[s].form.copy > 0)
            shelf_free(b, &b->shelves[s]);
        else
            b->shelves[kept++] = b->shelves[s];
    }
    b->n_shelves = kept;
}

static mood_status add_shelves(mood_prosody_bank *b, const struct mood__bank_filling *f)
{
    MOOD__TRY(add_shelf(b, mood__as_it_is));
    for (int i = 0; i < f->n_speeds; i++)
        MOOD__TRY(add_shelf(b, (struct mood__form){.speed = f->speeds[i]}));
    for (int i = 1; i <= f->n_copies; i++)
        MOOD__TRY(add_shelf(b, (struct mood__form){.copy = i}));
    return MOOD_OK;
}

mood_status mood__prosody_bank_fill(mood_prosody_bank *b, const struct mood__bank_filling *f)
{
    struct filling s = {.b = b, .f = f};
    set_recipe(b, f);
    MOOD__TRY(add_shelves(b, f));
    mood_status status = find_missing(&s);
    if (!status)
        status = make_ears(&s);
    if (!status)
        status = mood__read_clips(&(struct mood__reading){.clips = s.clips,
                                                          .n_clips = s.n_clips,
                                                          .read = fill_clip,
                                                          .ctx = &s,
                                                          .pool = f->pool,
                                                          .group = 4 * (int64_t)s.n_ears,
                                                          .on_read = f->on_read,
                                                          .user = f->user});
    if (!status)
        status = fill_background(&s);
    for (int i = 0; s.ears && i < s.n_ears; i++)
        mood__ear_destroy(&s.ears[i]);
    mood__free(s.ears);
    mood__free(s.clips);
    return status;
}
