/* SPDX-License-Identifier: MIT
 *
 * objective.c — The loss of a training step.
 *
 * Mixup is that of Zhang et al., arXiv 1710.09412: the loss of a mixed clip is that of both of its
 * labels, in the proportion of the mixture, which for cross entropy is the same as a soft label. */
#include "train/objective.h"

#include <math.h>

#include "tensor/tensor.h"

static mood_node *scalar(mood_graph *g, const char *name)
{
    return mood_input(g, name, MOOD_F32, 0, NULL);
}

void mood__objective_build(struct mood__objective *o, mood_node *logits, mood_node *labels,
                           const struct mood__objective_params *params)
{
    *o = (struct mood__objective){.labels = labels};
    if (!logits) /* the graph has kept the error */
        return;
    mood_graph *g = mood_node_graph(logits);
    const int64_t *batch = mood_node_value(logits)->dim;
    o->loss = mood_cross_entropy(logits, o->labels, &params->cross_entropy);
    if (!params->mixed && !params->shared)
        return;
    o->share = scalar(g, "share");
    o->loss = mood_mul(o->loss, o->share);
    if (!params->mixed)
        return;
    o->other_labels = mood_input(g, "other labels", MOOD_I32, 1, batch);
    o->other_share = scalar(g, "other share");
    mood_node *other = mood_cross_entropy(logits, o->other_labels, &params->cross_entropy);
    o->loss = mood_add(o->loss, mood_mul(other, o->other_share));
}

void mood__objective_share(const struct mood__objective *o, double part, double lambda)
{
    if (o->share)
        *mood__f32(mood_node_value(o->share)) = (float)(part * lambda);
    if (o->other_share)
        *mood__f32(mood_node_value(o->other_share)) = (float)(part * (1 - lambda));
}

void mood__balance_classes(float *weight, const int64_t *count, int V)
{
    int64_t clips = 0, classes = 0;
    for (int v = 0; v < V; v++) {
        clips += count[v];
        classes += count[v] > 0;
    }
    for (int v = 0; v < V; v++)
        weight[v] =
            count[v] > 0 ? (float)((double)clips / ((double)classes * (double)count[v])) : 1.0f;
}

/* The logarithm of a Gamma(alpha, 1) number: for a small alpha the number itself may be too small
 * for a double. Marsaglia and Tsang, "A simple method for generating gamma variables" (2000), with
 * their step for alpha below 1: Gamma(alpha) = Gamma(alpha + 1) u^(1 / alpha). */
static double log_gamma_number(struct mood__rng *rng, double alpha)
{
    double boost = alpha < 1 ? log(1 - mood__rng_double(rng)) / alpha : 0;
    double d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = mood__rng_normal(rng), v = 1 + c * x, u = 1 - mood__rng_double(rng);
        if (v <= 0)
            continue;
        v = v * v * v;
        if (log(u) < x * x / 2 + d - d * v + d * log(v))
            return boost + log(d * v);
    }
}

double mood__draw_beta(struct mood__rng *rng, double alpha)
{
    double a = log_gamma_number(rng, alpha), b = log_gamma_number(rng, alpha);
    return 1 / (1 + exp(b - a));
}
