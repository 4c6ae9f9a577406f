/* SPDX-License-Identifier: MIT
 *
 * classifier.c — What stands between an encoder's frames and labels in classifiers of others, and
 * the mix of an encoder's layers, which every network can have in front. */
#include "mood/model.h"

#include "graph/node.h"
#include "mood/nn.h"

/* Each clip's layers are a matrix (L, T D), of which the weighted sum over L is wanted: a product
 * with a vector, on the clip's transpose. So nothing is copied, and nothing is as large as x. */
mood_node *mood_mix_layers(mood_node *x)
{
    if (!x)
        return NULL;
    const mood_tensor *t = mood_node_value(x);
    if (t->rank != 4)
        return mood__build_fail(x, "mix_layers", MOOD_E_SHAPE, "rank %d; (B, L, T, D) is needed",
                                t->rank);
    int64_t B = t->dim[0], L = t->dim[1], T = t->dim[2], D = t->dim[3];
    mood_graph *g = mood_node_graph(x);
    mood_graph_enter(g, "mix");
    mood_node *w = mood_softmax(mood_weight(g, "weights", 1, &L, (mood_init){0}));
    mood_graph_leave(g);
    mood_node *y = mood_matmul(mood_reshape(x, 3, (int64_t[]){B, L, T * D}),
                               mood_reshape(w, 2, (int64_t[]){L, 1}),
                               &(mood_matmul_params){.transpose_a = true});
    return mood_reshape(y, 3, (int64_t[]){B, T, D});
}

enum { MAX_POOLED = 255 }; /* by mood_max_pool1d; a window of 3 s has 149 frames */

/* (B, T, C) -> (B, C) */
static mood_node *pool(mood_node *x, mood_pooling pooling)
{
    if (!x)
        return NULL;
    const mood_tensor *t = mood_node_value(x);
    int64_t B = t->dim[0], T = t->dim[1], C = t->dim[2];
    switch (pooling) {
    case MOOD_POOLING_MEAN:
        return mood_mean(x, 1);
    case MOOD_POOLING_SUM:
        return mood_sum(x, 1);
    case MOOD_POOLING_MAX:
        break;
    }
    if (T > MAX_POOLED)
        return mood__build_fail(x, "classifier", MOOD_E_SHAPE,
                                "the largest of %lld frames; at most %d can be compared",
                                (long long)T, MAX_POOLED);
    return mood_reshape(mood_max_pool1d(x, (int)T), 2, (int64_t[]){B, C});
}

static bool is_sound(const mood_classifier_params *p)
{
    bool form = p->form == MOOD_CLASSIFIER_PROJECTOR || p->form == MOOD_CLASSIFIER_TANH;
    bool pooling = p->pooling == MOOD_POOLING_MEAN || p->pooling == MOOD_POOLING_SUM ||
                   p->pooling == MOOD_POOLING_MAX;
    return form && pooling && p->width > 0 && p->units > 0 && p->n_labels >= MOOD_MIN_LABELS &&
           p->n_labels <= MOOD_MAX_LABELS;
}

mood_node *mood_classifier(mood_node *frames, const mood_classifier_params *params)
{
    mood_classifier_params p = *params;
    p.units = p.units ? p.units : p.width;
    p.n_labels = p.n_labels ? p.n_labels : 8;
    if (!frames)
        return NULL;
    if (!is_sound(&p))
        return mood__build_fail(frames, "classifier", MOOD_E_INVALID,
                                "form %d, pooling %d, width %d, %d units, %d labels", (int)p.form,
                                (int)p.pooling, p.width, p.units, p.n_labels);
    const mood_tensor *x = mood_node_value(frames);
    if (x->rank != 3 || x->dim[2] != p.width) {
        char shape[MOOD__SHAPE_BYTES];
        return mood__build_fail(frames, "classifier", MOOD_E_SHAPE,
                                "frames are %s; (B, T, %d) is needed",
                                mood__shape_text(shape, x->rank, x->dim), p.width);
    }
    mood_graph *g = mood_node_graph(frames);
    mood_graph_enter(g, "classifier");
    mood_node *y;
    if (p.form == MOOD_CLASSIFIER_PROJECTOR)
        y = pool(mood_nn_dense(frames, "dense", p.units, NULL), p.pooling);
    else
        y = mood_tanh(mood_nn_dense(pool(frames, p.pooling), "dense", p.units, NULL));
    y = mood_nn_dense(y, "out", p.n_labels, NULL);
    mood_graph_leave(g);
    return y;
}
