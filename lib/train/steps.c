/* SPDX-License-Identifier: MIT
 *
 * steps.c — One epoch of training: batches drawn, mixed, run, and steps of the optimiser. */
#include "base/error.h"
#include "base/pool.h"
#include "base/rng.h"
#include "infer/features.h"
#include "tensor/tensor.h"
#include "train/trainer.h"

/* ---- a batch ---- */

struct fill {
    struct mood__trainer *t;
    const struct mood__batch_graph *b;
    uint64_t key; /* of this epoch */
    float lambda; /* what stays of each clip when two are mixed */
};

/* Window i of the batch. Features are read here, on all threads, so that the disk is not waited for
 * twice. */
static void fill_task(void *ctx, int64_t i, int worker)
{
    const struct fill *f = ctx;
    struct mood__trainer *t = f->t;
    size_t clip = t->batch_clip[i];
    uint64_t key = mood__hash64(f->key, clip);
    float *plane = mood__f32(mood_node_value(f->b->mel)) + i * MOOD__PLANE;
    mood__i32(mood_node_value(f->b->goal.labels))[i] = mood_corpus_clip(t->corpus, clip)->label;
    t->failures[i].status = MOOD_OK;
    const mood_tensor *all = mood_node_value(f->b->features);
    float *features = all ? mood__f32(all) + i * all->stride[0] : NULL;
    if (!t->bank) {
        t->batch_start[i] =
            mood__dataset_draw(&t->data, clip, key, &t->p.augment, worker, features, plane);
        if (features) /* they are samples */
            mood_encoder_prepare(mood_encoder_get_config(t->tuning.encoder), features,
                                 MOOD__WINDOW_SAMPLES);
        return;
    }
    mood__failure_note(&t->failures[i], mood__bank_draw(t->bank, clip, key, worker, features, plane,
                                                        &t->batch_start[i]));
}

/* x and y become mixtures of both, each mostly, or less so, itself. */
static void mix(float *x, float *y, int64_t n, float lambda)
{
    for (int64_t i = 0; i < n; i++) {
        float a = x[i], b = y[i];
        x[i] = lambda * a + (1 - lambda) * b;
        y[i] = lambda * b + (1 - lambda) * a;
    }
}

/* Mix clip i of the batch and the one as far from its end. The order of the clips is random, so
 * this pairs them at random, and needs no second copy of the batch. */
static void mix_task(void *ctx, int64_t i, int worker)
{
    (void)worker;
    const struct fill *f = ctx;
    const mood_node *inputs[] = {f->b->mel, f->b->features};
    for (int k = 0; k < 2 && inputs[k]; k++) {
        const mood_tensor *all = mood_node_value(inputs[k]);
        float *x = mood__f32(all) + i * all->stride[0];
        mix(x, mood__f32(all) + (f->b->size - 1 - i) * all->stride[0], all->stride[0], f->lambda);
    }
}

static mood_status fill_batch(struct mood__trainer *t, const struct mood__batch_graph *b,
                              struct fill f)
{
    mood__pool_run(t->p.pool, b->size, fill_task, &f);
    MOOD__TRY(mood__failure_raise(t->failures, b->size));
    if (!b->goal.other_labels)
        return MOOD_OK;
    mood__pool_run(t->p.pool, b->size / 2, mix_task, &f);
    const int32_t *labels = mood__i32(mood_node_value(b->goal.labels));
    for (int i = 0; i < b->size; i++)
        mood__i32(mood_node_value(b->goal.other_labels))[i] = labels[b->size - 1 - i];
    return MOOD_OK;
}

/* What n clips count in the loss, from place `at` of the epoch's order on. */
static double weight_of(const struct mood__trainer *t, size_t at, size_t n)
{
    double sum = 0;
    for (size_t i = at; i < at + n && i < t->n_train; i++)
        sum += (double)t->class_weight[mood_corpus_clip(t->corpus, t->train[t->order[i]])->label];
    return sum;
}

/* A batch whose loss and accuracy count. */
struct outcome {
    double loss, n_right;
};

static struct outcome outcome_of(const struct mood__batch_graph *b, double part, double lambda)
{
    const mood_tensor *logits = mood_node_value(b->logits);
    const int32_t *labels = mood__i32(mood_node_value(b->goal.labels));
    const mood_node *other = b->goal.other_labels;
    const int32_t *others = other ? mood__i32(mood_node_value(other)) : labels;
    int V = (int)logits->dim[1];
    struct outcome o = {.loss = (double)*mood__f32(mood_node_value(b->goal.loss)) / part};
    for (int i = 0; i < b->size; i++) {
        int best = mood__argmax(mood__f32(logits) + (ptrdiff_t)i * V, V);
        o.n_right += lambda * (best == labels[i]) + (1 - lambda) * (best == others[i]);
    }
    return o;
}

/* The batch at place `at` of the order, drawn and run both ways. `whole` is the weight of all clips
 * of its step. */
static mood_status run_batch(struct mood__trainer *t, const struct mood__batch_graph *b, size_t at,
                             uint64_t epoch_key, double whole, struct outcome *out)
{
    for (int i = 0; i < b->size; i++)
        t->batch_clip[i] = t->train[t->order[at + (size_t)i]];
    double lambda = 1, part = t->p.accumulate > 1 ? weight_of(t, at, (size_t)b->size) / whole : 1;
    if (b->goal.other_labels) {
        struct mood__rng rng =
            mood__rng_make(mood__hash64(t->p.seed, MOOD__STREAM_MIXUP), (uint64_t)t->n_steps);
        lambda = mood__draw_beta(&rng, (double)t->p.mixup);
    }
    MOOD__TRY(fill_batch(t, b, (struct fill){t, b, epoch_key, (float)lambda}));
    mood__objective_share(&b->goal, part, lambda);
    mood_graph_set_step(b->graph, (uint64_t)t->n_steps);
    MOOD__TRY(mood_graph_forward(b->graph));
    MOOD__TRY(mood_graph_backward(b->graph));
    t->n_steps++;
    *out = outcome_of(b, part, lambda);
    return MOOD_OK;
}

/* ---- a step ---- */

/* Move the weights by the gradients that were added up. Returns the learning rate. */
static double update(struct mood__trainer *t)
{
    double lr = t->lr * (t->p.schedule == MOOD_SCHEDULE_COSINE
                             ? mood_warmup_cosine(t->n_updates, t->warmup, t->total_updates)
                             : mood_warmup(t->n_updates, t->warmup));
    if (t->p.clip_norm > 0)
        mood_clip_gradients(t->weights, (double)t->p.clip_norm);
    mood_optimiser_set_lr(t->optimiser, lr);
    mood_optimiser_step(t->optimiser, t->p.pool);
    if (t->average)
        mood_average_step(t->average, t->p.pool);
    t->n_updates++;
    return lr;
}

static bool tell_step(const struct mood__trainer *t, const struct mood__batch_graph *b, int epoch,
                      double loss)
{
    return mood__trainer_tell(t, (mood_train_event){
                                     .phase = MOOD_TRAIN_STEP,
                                     .done = t->n_steps,
                                     .total = t->total_steps,
                                     .epoch = epoch,
                                     .loss = loss,
                                     .batch_size = b->size,
                                     .batch_clip = t->batch_clip,
                                     .batch_start = t->batch_start,
                                 });
}

/* ---- an epoch ---- */

static uint64_t shuffle(struct mood__trainer *t, uint64_t epoch)
{
    struct mood__rng rng = mood__rng_make(mood__hash64(t->p.seed, MOOD__STREAM_ORDER), epoch);
    for (size_t i = 0; i < t->n_train; i++)
        t->order[i] = (int64_t)i;
    mood__rng_shuffle(&rng, t->order, (int64_t)t->n_train);
    return mood__hash64(mood__hash64(t->p.seed, MOOD__STREAM_WINDOW), epoch);
}

mood_status mood__trainer_epoch(struct mood__trainer *t, mood_epoch *e)
{
    uint64_t key = shuffle(t, (uint64_t)e->epoch);
    size_t full = (size_t)t->batch[0].size, group = full * (size_t)t->p.accumulate, end = 0;
    double whole = 0;
    for (size_t at = 0; at < t->n_train;) {
        const struct mood__batch_graph *b = &t->batch[t->n_train - at < full];
        if (at == end) { /* a step begins */
            end = t->n_train - at < group ? t->n_train : at + group;
            whole = weight_of(t, at, end - at);
            mood_weights_zero_grad(t->weights);
        }
        struct outcome o;
        MOOD__TRY(run_batch(t, b, at, key, whole, &o));
        e->train_loss += o.loss * b->size;
        e->train_accuracy += o.n_right;
        at += (size_t)b->size;
        if (at == end)
            e->lr = update(t);
        if (tell_step(t, b, e->epoch, o.loss))
            return mood__trainer_stopped();
    }
    e->train_loss /= (double)t->n_train;
    e->train_accuracy /= (double)t->n_train;
    return MOOD_OK;
}
