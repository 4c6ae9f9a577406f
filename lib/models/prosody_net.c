/* SPDX-License-Identifier: MIT
 *
 * prosody_net.c — From functionals to labels, by likeness to recordings that were heard. */
#include "mood/model.h"

#include "graph/node.h"
#include "models/model.h"
#include "mood/ops.h"

static mood_prosody_net_params completed(const mood_prosody_net_params *params)
{
    mood_prosody_net_params p = params ? *params : (mood_prosody_net_params){0};
    p.n_functionals = p.n_functionals ? p.n_functionals : MOOD_N_FUNCTIONALS;
    p.n_labels = p.n_labels ? p.n_labels : 8;
    p.n_centres = p.n_centres ? p.n_centres : MOOD__DEFAULT_CENTRES;
    return p;
}

/* Whether a graph can be built on x; if not, it has failed. */
static bool fits(mood_node *x, const mood_prosody_net_params *p)
{
    if (p->n_functionals < 0 || p->n_labels < MOOD_MIN_LABELS || p->n_labels > MOOD_MAX_LABELS ||
        p->n_centres < 0 || p->n_centres > MOOD_MAX_CENTRES) {
        mood__build_fail(x, "prosody_net", MOOD_E_INVALID, "%d functionals, %d labels, %d centres",
                         p->n_functionals, p->n_labels, p->n_centres);
        return false;
    }
    const mood_tensor *value = mood_node_value(x);
    if (value->rank == 2 && value->dim[1] == p->n_functionals)
        return true;
    char shape[MOOD__SHAPE_BYTES];
    mood__build_fail(x, "prosody_net", MOOD_E_SHAPE, "functionals are %s; (B, %d) is needed",
                     mood__shape_text(shape, value->rank, value->dim), p->n_functionals);
    return false;
}

static mood_node *frozen(mood_node *x, const char *name, float value, int rank, int64_t a,
                         int64_t b)
{
    return mood_weight(mood_node_graph(x), name, rank, (int64_t[]){a, b},
                       (mood_init){MOOD_INIT_CONSTANT, value, true});
}

static mood_node *standardise(mood_node *x, int64_t F)
{
    /* One weight after the other: as arguments, each compiler would choose their order. */
    mood_node *mean = frozen(x, "mean", 0, 1, F, 0), *scale = frozen(x, "scale", 1, 1, F, 0);
    return mood_clamp(mood_mul(mood_sub(x, mean), scale), -MOOD_PROSODY_CLAMP, MOOD_PROSODY_CLAMP);
}

/* exp(z c - |c|^2 / 2 - |z|^2 / 2) with each product divided by F: one matrix product for all
 * distances. Rounding can make it 1 + 1e-5, not more, since |z|^2 <= 16 F. */
static mood_node *similarity(mood_node *x, const mood_prosody_net_params *p)
{
    int64_t F = p->n_functionals, M = p->n_centres;
    mood_node *z = standardise(x, F);
    mood_node *c = frozen(x, "centres.weight", 0, 2, F, M);
    mood_node *b = frozen(x, "centres.bias", 0, 1, M, 0);
    mood_node *length = mood_reshape(mood_sum(mood_mul(z, z), 1), 2, (int64_t[]){-1, 1});
    mood_node *near = mood_sub(mood_dense(z, c, b), mood_scale(length, 0.5f));
    return mood_exp(mood_scale(near, 1.0f / (float)F));
}

static mood_node *weighed(mood_node *k, const char *name, int64_t M, int64_t n)
{
    mood_init init = {.kind = MOOD_INIT_CONSTANT};
    return mood_dense(k, mood_weight(mood_node_graph(k), name, 2, (int64_t[]){M, n}, init), NULL);
}

mood_node *mood_prosody_similarity(mood_node *functionals, const mood_prosody_net_params *params)
{
    mood_prosody_net_params p = completed(params);
    if (!functionals || !fits(functionals, &p))
        return NULL;
    mood_graph *g = mood_node_graph(functionals);
    mood_graph_enter(g, "prosody");
    mood_node *k = similarity(functionals, &p);
    mood_graph_leave(g);
    return k;
}

mood_node *mood_prosody_net(mood_node *functionals, const mood_prosody_net_params *params,
                            mood_node **speech)
{
    mood_prosody_net_params p = completed(params);
    mood_node *gate = NULL, *logits = NULL;
    mood_node *k = mood_prosody_similarity(functionals, params);
    if (k) {
        mood_graph *g = mood_node_graph(k);
        mood_graph_enter(g, "prosody");
        logits = weighed(k, "out.weight", p.n_centres, p.n_labels);
        if (!p.no_gate)
            gate = weighed(k, "gate.weight", p.n_centres, 1);
        mood_graph_leave(g);
    }
    if (speech)
        *speech = gate;
    return logits;
}
