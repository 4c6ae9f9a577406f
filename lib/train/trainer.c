/* SPDX-License-Identifier: MIT
 *
 * trainer.c — The training loop: epochs of steps, validation, the best epoch kept.
 *
 * Everything random is drawn from the seed and from what it is for (epoch, clip), never from what
 * happened before, so that neither threads nor a callback can change the result. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "infer/features.h"
#include "mood/ops.h"
#include "tensor/tensor.h"
#include "train/resume.h"

enum { MAX_COPIES = 1000, MAX_ACCUMULATE = 65536 };

/* ---- talking to the caller ---- */

static double seconds_since(const struct timespec *t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - t->tv_sec) + 1e-9 * (double)(now.tv_nsec - t->tv_nsec);
}

bool mood__trainer_flagged(const struct mood__trainer *t)
{
    return t->p.stop && *t->p.stop != 0 && !t->ends_epoch;
}

bool mood__trainer_tell(const struct mood__trainer *t, mood_train_event e)
{
    e.seconds_left = -1;
    if (t->n_steps > t->first_step)
        e.seconds_left = seconds_since(&t->began) / (double)(t->n_steps - t->first_step) *
                         (double)(t->total_steps - t->n_steps);
    bool stop = t->p.on_event && t->p.on_event(t->p.user, &e) != 0;
    return stop || mood__trainer_flagged(t);
}

mood_status mood__trainer_stopped(void)
{
    return mood__fail(MOOD_E_STOPPED, "training was stopped");
}

int mood__trainer_on_read(void *user, int64_t done, int64_t total)
{
    return mood__trainer_tell(
        user, (mood_train_event){.phase = MOOD_TRAIN_READ, .done = done, .total = total});
}

/* ---- setting up ---- */

/* Whether the model is one that can be trained, with the encoder that was given. */
static mood_status check_encoder(const struct mood__trainer *t)
{
    const mood_encoder_use *use = mood_model_encoder(t->model);
    if (mood_model_network(t->model) != MOOD_NETWORK_HEADS)
        return mood__fail(MOOD_E_UNSUPPORTED, "training: the model is a classifier of another "
                                              "program, which is not trained any further");
    if (use && !t->p.encoder)
        return mood__fail(MOOD_E_MISSING, "training: the model needs its encoder %.12s...",
                          use->identity);
    if (!use && mood_model_heads(t->model)->feature_width > 0)
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "training: the model needs an encoder, and does not say which");
    if (!use && t->p.encoder)
        return mood__fail(MOOD_E_INVALID, "training: the model was made without an encoder");
    return use ? mood_model_check_encoder(t->model, t->p.encoder) : MOOD_OK;
}

mood_status mood__trainer_check_labels(const struct mood__trainer *t)
{
    int n = mood_corpus_n_labels(t->corpus);
    bool same = n == mood_model_n_labels(t->model);
    for (int i = 0; same && i < n; i++)
        same = strcmp(mood_corpus_label(t->corpus, i), mood_model_label(t->model, i)) == 0;
    return same ? MOOD_OK
                : mood__fail(MOOD_E_INVALID, "training: model and corpus have different labels");
}

mood_status mood__trainer_check_augment(const struct mood__trainer *t)
{
    float probe[1] = {0}; /* are the ranges sound? */
    if (t->p.copies < 0 || t->p.copies > MAX_COPIES)
        return mood__fail(MOOD_E_INVALID, "training: %d copies of a clip; at most %d", t->p.copies,
                          MAX_COPIES);
    return mood_augment_run(probe, 1, &t->p.augment, 0);
}

static mood_status check(const struct mood__trainer *t)
{
    const mood_train_params *p = &t->p;
    if (p->epochs < 0 || p->epochs > 1000000 || p->batch < 0 || p->batch > 65536 ||
        p->early_stop < 0 || !(p->clip_norm >= 0) || !(p->dropout < 1) ||
        !(p->label_smoothing >= 0 && p->label_smoothing < 1))
        return mood__fail(MOOD_E_INVALID, "training: a parameter is out of range");
    if (p->accumulate < 0 || p->accumulate > MAX_ACCUMULATE ||
        !(p->mixup >= 0 && p->mixup <= 100) || !(p->average >= 0 && p->average < 1) ||
        !(p->warmup >= 0 && p->warmup <= 1000000) ||
        (p->schedule != MOOD_SCHEDULE_PLATEAU && p->schedule != MOOD_SCHEDULE_COSINE))
        return mood__fail(MOOD_E_INVALID, "training: a parameter is out of range");
    if (!(p->plateau.factor >= 0 && p->plateau.factor < 1) || !(p->plateau.threshold >= 0) ||
        p->plateau.patience < 0 || p->plateau.cooldown < 0)
        return mood__fail(MOOD_E_INVALID, "training: a parameter of the plateau is out of range");
    MOOD__TRY(mood__trainer_check_labels(t));
    MOOD__TRY(check_encoder(t));
    MOOD__TRY(mood__tuning_check(t->model, p));
    if (p->resume && !p->checkpoint)
        return mood__fail(MOOD_E_INVALID, "training: there is no checkpoint to resume from");
    return mood__trainer_check_augment(t);
}

/* The clips of one side, in the corpus' order. */
size_t mood__trainer_side(const struct mood__trainer *t, mood_side side, size_t *clips)
{
    size_t n = 0;
    for (size_t i = 0; i < mood_corpus_n_clips(t->corpus); i++)
        if (mood_split_side(t->split, i) == side)
            clips[n++] = i;
    return n;
}

/* The features of a batch, as the encoder's layer or all layers give them, or what the part that
 * is trained makes them of; NULL without an encoder. */
static mood_node *feature_input(const struct mood__trainer *t, mood_graph *g, int size)
{
    if (t->tuning.encoder)
        return mood__tuning_input(&t->tuning, g, size);
    if (!t->bank)
        return NULL;
    int64_t dim[1 + MOOD_MAX_RANK] = {size};
    int rank = mood__bank_shape(t->bank, dim + 1);
    return mood_input(g, "features", MOOD_F32, 1 + rank, dim);
}

static mood_status build_graph(struct mood__trainer *t, struct mood__batch_graph *b, int size)
{
    mood_graph_params gp = {
        .weights = t->weights,
        .pool = t->p.pool,
        .training = true,
        .seed = mood__hash64(t->p.seed, MOOD__STREAM_DROPOUT),
    };
    b->size = size;
    MOOD__TRY(mood_graph_create(&b->graph, &gp));
    b->features = feature_input(t, b->graph, size);
    b->mel = mood_input(b->graph, "mel", MOOD_F32, 4,
                        (int64_t[]){size, MOOD__MEL_BANDS, MOOD__MEL_FRAMES, 1});
    /* Before the network: dropout draws by the number of its node, and seeds keep their meaning. */
    mood_node *labels = mood_input(b->graph, "labels", MOOD_I32, 1, (int64_t[]){size});
    mood_node *features = mood__tuning_features(&t->tuning, b->features);
    b->logits = mood_model_logits(t->model, features, b->mel, t->p.dropout);
    struct mood__objective_params op = {
        .cross_entropy = {.label_smoothing = t->p.label_smoothing},
        .mixed = t->p.mixup > 0,
        .shared = t->p.accumulate > 1,
    };
    if (t->p.balance_classes)
        op.cross_entropy.class_weights = t->class_weight;
    mood__objective_build(&b->goal, b->logits, labels, &op);
    return mood_graph_compile(b->graph, (mood_node *[]){b->goal.loss, b->logits}, 2);
}

static mood_status build_graphs(struct mood__trainer *t)
{
    int full = t->p.batch < (int)t->n_train ? t->p.batch : (int)t->n_train;
    int rest = (int)(t->n_train % (size_t)full);
    MOOD__TRY(build_graph(t, &t->batch[0], full));
    return rest ? build_graph(t, &t->batch[1], rest) : MOOD_OK;
}

static mood_status take_memory(struct mood__trainer *t)
{
    size_t n = mood_corpus_n_clips(t->corpus);
    t->train = mood__calloc(n, sizeof(*t->train));
    t->other = mood__calloc(n, sizeof(*t->other));
    t->order = mood__calloc(n, sizeof(*t->order));
    t->batch_clip = mood__calloc((size_t)t->p.batch, sizeof(*t->batch_clip));
    t->batch_start = mood__calloc((size_t)t->p.batch, sizeof(*t->batch_start));
    t->failures = mood__calloc((size_t)t->p.batch, sizeof(*t->failures));
    t->out->epochs = mood__calloc((size_t)t->p.epochs, sizeof(*t->out->epochs));
    if (!t->train || !t->other || !t->order || !t->batch_clip || !t->batch_start || !t->failures ||
        !t->out->epochs)
        return mood__nomem();
    return MOOD_OK;
}

/* Hear the clips, or look up what the encoder made of them. */
static mood_status read_clips(struct mood__trainer *t)
{
    const mood_encoder_use *use = mood_model_encoder(t->model);
    bool all = mood__tunes_all(&t->tuning);
    if (!use || all) {
        enum mood__keep keep = t->p.augment.kinds ? MOOD__KEEP_BOTH : MOOD__KEEP_PLANES;
        return mood__dataset_read(&t->data, t->corpus, t->split, all ? MOOD__KEEP_SAMPLES : keep,
                                  t->p.pool, mood__trainer_on_read, t);
    }
    bool part = t->tuning.encoder != NULL;
    struct mood__bank_params bp =
        mood__bank_params_of(&t->p, t->corpus, t->split, part ? t->tuning.part.first : use->layer);
    bp.exact = part;
    return mood__bank_make(&t->bank, &bp);
}

mood_status mood__trainer_make_infers(struct mood__trainer *t)
{
    t->n_infers = mood_pool_threads(t->p.pool);
    t->infers = mood__calloc((size_t)t->n_infers, sizeof(mood_infer *));
    if (!t->infers)
        return mood__nomem();
    int n_frames = t->p.encoder ? mood__window_frames(t->p.encoder) : 0;
    int hidden = t->tuning.encoder ? t->tuning.part.first : MOOD__FED_FEATURES;
    for (int i = 0; i < t->n_infers; i++)
        MOOD__TRY(mood__tunes_all(&t->tuning)
                      ? mood_infer_create(&t->infers[i], t->model, NULL)
                      : mood__infer_create_fed(&t->infers[i], t->model, n_frames, hidden));
    return MOOD_OK;
}

static void weigh_classes(struct mood__trainer *t)
{
    int64_t count[MOOD_MAX_LABELS] = {0};
    int V = mood_model_n_labels(t->model);
    for (size_t i = 0; i < t->n_train; i++)
        count[mood_corpus_clip(t->corpus, t->train[i])->label]++;
    mood__balance_classes(t->class_weight, count, V);
    for (int v = 0; v < V && !t->p.balance_classes; v++)
        t->class_weight[v] = 1;
}

/* How many batches and steps there will be, and at which rate they begin. */
static void count_steps(struct mood__trainer *t)
{
    size_t batches = (t->n_train + (size_t)t->p.batch - 1) / (size_t)t->p.batch;
    size_t updates = (batches + (size_t)t->p.accumulate - 1) / (size_t)t->p.accumulate;
    t->total_steps = (int64_t)batches * t->p.epochs;
    t->total_updates = (int64_t)updates * t->p.epochs;
    double warmup = t->p.warmup * (double)updates;
    t->warmup = warmup < (double)t->total_updates ? llround(warmup) : t->total_updates;
    t->lr = mood_optimiser_lr(t->optimiser);
}

static mood_status resume(struct mood__trainer *t)
{
    MOOD__TRY(mood__checkpoint_load(t));
    int n = t->out->n_epochs;
    mood_train_event event = {.phase = MOOD_TRAIN_RESUME,
                              .done = n,
                              .total = t->p.epochs,
                              .epoch = n,
                              .figures = &t->out->epochs[n - 1]};
    return mood__trainer_tell(t, event) ? mood__trainer_stopped() : MOOD_OK;
}

static mood_status set_up(struct mood__trainer *t)
{
    MOOD__TRY(check(t));
    MOOD__TRY(mood_model_set_temperature(t->model, 1));
    t->p.epochs = t->p.epochs ? t->p.epochs : 20;
    t->p.batch = t->p.batch ? t->p.batch : 32;
    t->p.accumulate = t->p.accumulate ? t->p.accumulate : 1;
    MOOD__TRY(take_memory(t));
    t->n_train = mood__trainer_side(t, MOOD_SIDE_TRAIN, t->train);
    if (t->n_train == 0)
        return mood__fail(MOOD_E_INVALID, "training: no clips to train on");
    MOOD__TRY(mood__tuning_begin(&t->tuning, t->model, &t->p));
    t->weights = t->tuning.encoder ? t->tuning.weights : mood_model_weights(t->model);
    MOOD__TRY(mood_weights_clone(&t->best, t->weights));
    MOOD__TRY(mood_optimiser_create(&t->optimiser, t->weights, &t->p.optimiser));
    mood__tuning_set_rate(&t->tuning, t->optimiser, t->model, &t->p);
    if (t->p.average > 0)
        MOOD__TRY(mood_average_create(&t->average, t->weights, (double)t->p.average));
    weigh_classes(t);
    count_steps(t);
    MOOD__TRY(read_clips(t)); /* first, while there is all the memory for it */
    MOOD__TRY(build_graphs(t));
    MOOD__TRY(mood__trainer_make_infers(t));
    t->best_accuracy = -1;
    t->early = (mood_early_stop){.goal = MOOD_MAXIMISE, .patience = t->p.early_stop};
    if (t->p.resume)
        MOOD__TRY(resume(t));
    clock_gettime(CLOCK_MONOTONIC, &t->began);
    return MOOD_OK;
}

static void tear_down(struct mood__trainer *t)
{
    for (int i = 0; t->infers && i < t->n_infers; i++)
        mood_infer_destroy(&t->infers[i]);
    mood__free(t->infers);
    for (int i = 0; i < 2; i++)
        mood_graph_destroy(&t->batch[i].graph);
    mood_optimiser_destroy(&t->optimiser);
    mood_average_destroy(&t->average);
    mood_weights_destroy(&t->best);
    mood__tuning_free(&t->tuning);
    mood__dataset_free(&t->data);
    mood__bank_free(&t->bank);
    mood_prosody_bank_destroy(&t->own);
    mood__free(t->failures);
    mood__free(t->train);
    mood__free(t->other);
    mood__free(t->order);
    mood__free(t->batch_clip);
    mood__free(t->batch_start);
}

/* ---- the whole ---- */

/* Judge the epoch by the validation side, with the averaged weights if there are any, and tell of
 * it while the model has those. */
static mood_status judge(struct mood__trainer *t, mood_epoch *e)
{
    MOOD__TRY(mood__trainer_validate(t, e));
    e->best = e->val_accuracy > t->best_accuracy;
    if (e->best) {
        t->best_accuracy = e->val_accuracy;
        t->out->best_epoch = e->epoch;
        MOOD__TRY(mood_weights_copy(t->best, t->weights));
        MOOD__TRY(mood_model_set_temperature(t->model, e->temperature));
        MOOD__TRY(mood__tuning_settle(&t->tuning, t->model));
    }
    t->out->epochs[t->out->n_epochs++] = *e;
    mood_train_event event = {.phase = MOOD_TRAIN_EPOCH,
                              .done = e->epoch,
                              .total = t->p.epochs,
                              .epoch = e->epoch,
                              .figures = e};
    return mood__trainer_tell(t, event) ? mood__trainer_stopped() : MOOD_OK;
}

static mood_status run_epochs(struct mood__trainer *t)
{
    while (t->out->n_epochs < t->p.epochs && !t->enough) {
        mood_epoch e = {.epoch = t->out->n_epochs + 1};
        t->ends_epoch = t->p.checkpoint != NULL;
        MOOD__TRY(mood__trainer_epoch(t, &e));
        if (t->average)
            mood_average_swap(t->average);
        MOOD__TRY(judge(t, &e));
        if (t->average)
            mood_average_swap(t->average);
        if (t->p.schedule == MOOD_SCHEDULE_PLATEAU)
            t->lr = mood_plateau_step(&t->p.plateau, e.val_accuracy, t->lr);
        t->enough = mood_early_stop_step(&t->early, e.val_accuracy);
        t->ends_epoch = false;
        if (t->p.checkpoint) {
            MOOD__TRY(mood__checkpoint_save(t));
            if (mood__trainer_flagged(t))
                return mood__trainer_stopped();
        }
    }
    return MOOD_OK;
}

mood_status mood__trainer_take_best(struct mood__trainer *t, mood_status status)
{
    if (t->out->best_epoch == 0)
        return status;
    mood_status copied = mood_weights_copy(t->weights, t->best);
    if (!copied)
        copied = mood__tuning_settle(&t->tuning, t->model);
    return status ? status : copied;
}

static mood_status train_heads(struct mood__trainer *t)
{
    MOOD__TRY(set_up(t));
    return mood__trainer_take_best(t, run_epochs(t));
}

mood_status mood_train(mood_model *model, const mood_corpus *corpus, const mood_split *split,
                       const mood_train_params *params, mood_training *out)
{
    static const mood_train_params defaults = {0};
    struct mood__trainer t = {
        .model = model,
        .corpus = corpus,
        .split = split,
        .p = params ? *params : defaults,
        .out = out,
    };
    *out = (mood_training){.test = {.n_labels = mood_model_n_labels(model)}};
    bool prosody = mood_model_network(model) == MOOD_NETWORK_PROSODY;
    mood_status status = prosody ? mood__trainer_fit_prosody(&t) : train_heads(&t);
    if (!status)
        status = mood__trainer_test(&t);
    tear_down(&t);
    return status;
}

void mood_training_free(mood_training *training)
{
    mood__free(training->epochs);
    mood__free(training->answers);
    mood__free(training->prob);
    mood__free(training->raw);
    *training = (mood_training){0};
}
