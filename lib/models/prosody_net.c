/* SPDX-License-Identifier: MIT
 *
 * prosody_net.c — From functionals to labels: what each is away from the mean, weighed. */
#include "mood/model.h"

#include "graph/node.h"
#include "mood/nn.h"

static mood_node *frozen(mood_node *x, const char *name, int64_t size, float value)
{
    return mood_weight(mood_node_graph(x), name, 1, &size,
                       (mood_init){MOOD_INIT_CONSTANT, value, true});
}

/* One weight after the other: as arguments, each compiler would choose their order. */
static mood_node *standardise(mood_node *x, int64_t F)
{
    mood_node *mean = frozen(x, "mean", F, 0), *scale = frozen(x, "scale", F, 1);
    return mood_clamp(mood_mul(mood_sub(x, mean), scale), -MOOD_PROSODY_CLAMP, MOOD_PROSODY_CLAMP);
}

mood_node *mood_prosody_net(mood_node *functionals, const mood_prosody_net_params *params)
{
    mood_prosody_net_params p = params ? *params : (mood_prosody_net_params){0};
    p.n_functionals = p.n_functionals ? p.n_functionals : MOOD_N_FUNCTIONALS;
    p.n_labels = p.n_labels ? p.n_labels : 8;
    if (!functionals)
        return NULL;
    if (p.n_functionals < 0 || p.n_labels < MOOD_MIN_LABELS || p.n_labels > MOOD_MAX_LABELS)
        return mood__build_fail(functionals, "prosody_net", MOOD_E_INVALID,
                                "%d functionals, %d labels", p.n_functionals, p.n_labels);
    const mood_tensor *x = mood_node_value(functionals);
    if (x->rank != 2 || x->dim[1] != p.n_functionals) {
        char shape[MOOD__SHAPE_BYTES];
        return mood__build_fail(functionals, "prosody_net", MOOD_E_SHAPE,
                                "functionals are %s; (B, %d) is needed",
                                mood__shape_text(shape, x->rank, x->dim), p.n_functionals);
    }
    mood_graph *g = mood_node_graph(functionals);
    mood_graph_enter(g, "prosody");
    mood_node *z = standardise(functionals, p.n_functionals);
    mood_node *y = mood_nn_dense(z, "out", p.n_labels, NULL);
    mood_graph_leave(g);
    return y;
}
