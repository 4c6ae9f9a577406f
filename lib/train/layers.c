/* SPDX-License-Identifier: MIT
 *
 * layers.c — Which layer of an encoder to listen to: a small classifier on each of them is asked.
 *
 * A clip is the mean over time of one of its windows, a number per channel. On these, put to mean 0
 * and deviation 1 on the training side, a softmax regression is fitted by gradient descent on the
 * whole side at once, and judged on the validation side. That is far weaker than the heads, but it
 * ranks layers much as they would, in seconds and not in trainings. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pool.h"
#include "mood/nn.h"
#include "mood/ops.h"
#include "mood/train.h"
#include "tensor/tensor.h"
#include "train/bank.h"
#include "train/work.h"

/* How the regression is fitted. The weight decay keeps it from learning the training clips by
 * heart: there are about as many channels as clips. */
enum { STEPS = 200 };
static const double RATE = 0.02, DECAY = 0.01;

/* A layer that comes within this of the best is as good, and a lower one is cheaper. */
static const double MARGIN = 0.01;

struct judging {
    mood_layer_table *out;
    struct mood__bank *bank;
    const mood_corpus *corpus;
    const mood_train_params *p;
    size_t *clips; /* those for training, then those for validation */
    int64_t n_train, n_val;
    int64_t L, D;
    float *rows;                    /* (threads, L, D): a clip's means */
    struct mood__failure *failures; /* one per thread */
    int first;                      /* the layer of task 0 */
};

/* ---- one layer ---- */

/* The channels of layer `l` of clips [first, first + n) -> x (n, D). */
static mood_status gather(struct judging *j, int l, int worker, int64_t first, int64_t n, float *x)
{
    float *row = j->rows + (int64_t)worker * j->L * j->D;
    for (int64_t i = 0; i < n; i++) {
        MOOD__TRY(mood__bank_read(j->bank, j->clips[first + i], 0, worker, row, NULL));
        memcpy(x + i * j->D, row + l * j->D, (size_t)j->D * sizeof(float));
    }
    return MOOD_OK;
}

/* Shift and scale the columns of both by what makes those of x have mean 0 and deviation 1; a
 * channel that never changes becomes 0. */
static void standardise(float *x, int64_t n, float *y, int64_t m, int64_t D)
{
    for (int64_t d = 0; d < D; d++) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < n; i++)
            sum += (double)x[i * D + d];
        double mean = sum / (double)n;
        for (int64_t i = 0; i < n; i++)
            squares += pow((double)x[i * D + d] - mean, 2);
        double deviation = sqrt(squares / (double)n);
        double scale = deviation > 1e-12 ? 1 / deviation : 0;
        for (int64_t i = 0; i < n; i++)
            x[i * D + d] = (float)(((double)x[i * D + d] - mean) * scale);
        for (int64_t i = 0; i < m; i++)
            y[i * D + d] = (float)(((double)y[i * D + d] - mean) * scale);
    }
}

/* A regression over one set of clips. Graphs over the same weights share what was learned. */
struct regression {
    mood_graph *graph;
    mood_node *x, *labels, *logits, *loss;
};

static mood_status build(struct regression *r, const struct judging *j, mood_weights *weights,
                         int64_t first, int64_t n, bool training)
{
    mood_graph_params gp = {.weights = weights, .training = training};
    MOOD__TRY(mood_graph_create(&r->graph, &gp));
    r->x = mood_input(r->graph, "x", MOOD_F32, 2, (int64_t[]){n, j->D});
    r->labels = mood_input(r->graph, "labels", MOOD_I32, 1, &n);
    r->logits = mood_nn_dense(r->x, "layer", mood_corpus_n_labels(j->corpus), NULL);
    r->loss = mood_cross_entropy(r->logits, r->labels, NULL);
    MOOD__TRY(mood_graph_compile(r->graph, (mood_node *[]){r->loss, r->logits}, 2));
    for (int64_t i = 0; i < n; i++)
        mood__i32(mood_node_value(r->labels))[i] =
            mood_corpus_clip(j->corpus, j->clips[first + i])->label;
    return MOOD_OK;
}

static bool told_to_stop(const struct judging *j)
{
    return j->p->stop && *j->p->stop != 0;
}

static mood_status stopped(void)
{
    return mood__fail(MOOD_E_STOPPED, "stopped while choosing a layer");
}

static mood_status fit(const struct judging *j, struct regression *r, mood_weights *weights)
{
    mood_optimiser *optimiser;
    mood_optimiser_params op = {.lr = RATE, .weight_decay = DECAY};
    MOOD__TRY(mood_optimiser_create(&optimiser, weights, &op));
    mood_status status = MOOD_OK;
    for (int i = 0; i < STEPS && !status; i++) {
        mood_weights_zero_grad(weights);
        status = told_to_stop(j) ? stopped() : mood_graph_forward(r->graph);
        if (!status)
            status = mood_graph_backward(r->graph);
        if (!status)
            mood_optimiser_step(optimiser, NULL);
    }
    mood_optimiser_destroy(&optimiser);
    return status;
}

static mood_status score(const struct judging *j, int l, const struct regression *r)
{
    MOOD__TRY(mood_graph_forward(r->graph));
    int V = mood_corpus_n_labels(j->corpus);
    mood_confusion c = {.n_labels = V};
    for (int64_t i = 0; i < j->n_val; i++)
        mood_confusion_add(&c, mood__i32(mood_node_value(r->labels))[i],
                           mood__argmax(mood__f32(mood_node_value(r->logits)) + i * V, V));
    j->out->accuracy[l] = mood_accuracy(&c);
    j->out->uar[l] = mood_uar(&c);
    return MOOD_OK;
}

static mood_status judge(struct judging *j, int l, int worker)
{
    struct regression train = {.graph = NULL}, val = {.graph = NULL};
    mood_weights *weights;
    MOOD__TRY(mood_weights_create(&weights, 0));
    mood_status status = build(&train, j, weights, 0, j->n_train, true);
    if (!status)
        status = build(&val, j, weights, j->n_train, j->n_val, false);
    if (!status) {
        float *x = mood__f32(mood_node_value(train.x)), *y = mood__f32(mood_node_value(val.x));
        status = gather(j, l, worker, 0, j->n_train, x);
        if (!status)
            status = gather(j, l, worker, j->n_train, j->n_val, y);
        if (!status) {
            standardise(x, j->n_train, y, j->n_val, j->D);
            status = fit(j, &train, weights);
        }
    }
    if (!status)
        status = score(j, l, &val);
    mood_graph_destroy(&train.graph);
    mood_graph_destroy(&val.graph);
    mood_weights_destroy(&weights);
    return status;
}

static void judge_task(void *ctx, int64_t task, int worker)
{
    struct judging *j = ctx;
    mood__failure_note(&j->failures[task], judge(j, j->first + (int)task, worker));
}

/* ---- all layers ---- */

static mood_status judge_all(struct judging *j)
{
    const mood_train_params *p = j->p;
    int group = mood_pool_threads(p->pool);
    for (j->first = 0; j->first < j->L; j->first += group) {
        int n = (int)j->L - j->first < group ? (int)j->L - j->first : group;
        mood__pool_run(p->pool, n, judge_task, j);
        MOOD__TRY(mood__failure_raise(j->failures, n));
        mood_train_event e = {
            .phase = MOOD_TRAIN_LAYERS, .done = j->first + n, .total = j->L, .seconds_left = -1};
        if ((p->on_event && p->on_event(p->user, &e)) || told_to_stop(j))
            return stopped();
    }
    return MOOD_OK;
}

static int64_t add_side(struct judging *j, const mood_split *split, mood_side side, int64_t n)
{
    for (size_t i = 0; i < mood_corpus_n_clips(j->corpus); i++)
        if (mood_split_side(split, i) == side)
            j->clips[n++] = i;
    return n;
}

static mood_status set_up(struct judging *j, const mood_split *split)
{
    int64_t dim[MOOD_MAX_RANK], row;
    mood__bank_shape(j->bank, dim);
    j->L = dim[0];
    j->D = dim[1];
    row = j->L * j->D;
    size_t threads = (size_t)mood_pool_threads(j->p->pool);
    j->clips = mood__calloc(mood_corpus_n_clips(j->corpus), sizeof(*j->clips));
    j->rows = mood__calloc(threads, (size_t)row * sizeof(*j->rows));
    j->failures = mood__calloc(threads, sizeof(*j->failures));
    if (!j->clips || !j->rows || !j->failures)
        return mood__nomem();
    j->n_train = add_side(j, split, MOOD_SIDE_TRAIN, 0);
    j->n_val = add_side(j, split, MOOD_SIDE_VAL, j->n_train) - j->n_train;
    return MOOD_OK;
}

static void choose(mood_layer_table *t)
{
    for (int l = 0; l < t->n; l++)
        if (t->accuracy[l] > t->accuracy[t->best])
            t->best = l;
    while (t->accuracy[t->chosen] < t->accuracy[t->best] - MARGIN - 1e-9)
        t->chosen++;
}

mood_status mood_choose_layer(mood_layer_table *out, const mood_corpus *corpus,
                              const mood_split *split, const mood_train_params *params)
{
    *out = (mood_layer_table){.n = 0};
    if (!params->encoder)
        return mood__fail(MOOD_E_INVALID, "there is no encoder to choose a layer of");
    struct judging j = {.out = out, .corpus = corpus, .p = params};
    struct mood__bank_params bp = mood__bank_params_of(params, corpus, split, MOOD__LAYER_MEANS);
    mood_status status = mood__bank_make(&j.bank, &bp);
    if (!status)
        status = set_up(&j, split);
    if (!status)
        status = judge_all(&j);
    if (!status) {
        out->n = (int)j.L;
        choose(out);
    }
    mood__free(j.clips);
    mood__free(j.rows);
    mood__free(j.failures);
    mood__bank_free(&j.bank);
    return status;
}
