/* SPDX-License-Identifier: MIT
 *
 * autograd.c — A curve fitted from scratch: a graph, its gradients, and gradient descent by hand.
 *
 * The model is a network with one hidden layer of H units,
 *
 *     y(x) = sum over h of w2[h] tanh(w1[h] x + b1[h]) + b2
 *
 * and it is to become the sine on [-pi, pi]. Layers and optimisers that would do this in fewer
 * lines are in train-net.c; here is what they do. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <mood/mood.h>

enum { POINTS = 64, H = 16, STEPS = 8000 };

static const double pi = 3.14159265358979;
static const float learning_rate = 0.05f;

static void must(mood_status status)
{
    if (status != MOOD_OK) {
        fprintf(stderr, "autograd: %s\n", mood_error_detail());
        exit(1);
    }
}

/* The formula above for all points at once. Each call adds a node to x's graph; nothing is computed
 * yet. An operand with fewer axes is repeated along the others: b1 is added to each row. */
static mood_node *model(mood_node *x)
{
    mood_graph *g = mood_node_graph(x);
    mood_init wide = {.kind = MOOD_INIT_NORMAL, .value = 1.0f};
    mood_init narrow = {.kind = MOOD_INIT_NORMAL, .value = 0.3f};
    mood_node *w1 = mood_weight(g, "w1", 2, (int64_t[]){1, H}, wide);
    mood_node *b1 = mood_weight(g, "b1", 1, (int64_t[]){H}, wide);
    mood_node *w2 = mood_weight(g, "w2", 2, (int64_t[]){H, 1}, narrow);
    mood_node *b2 = mood_weight(g, "b2", 1, (int64_t[]){1}, narrow);
    mood_node *hidden = mood_tanh(mood_add(mood_matmul(x, w1, NULL), b1));
    return mood_add(mood_matmul(hidden, w2, NULL), b2);
}

/* Downhill: each number moves against its gradient, w -= rate dL/dw. */
static void descend(mood_weights *weights)
{
    for (int i = 0; i < mood_weights_count(weights); i++) {
        const mood_tensor *value = mood_weights_value(weights, i);
        const float *dw = mood_weights_grad(weights, i)->data;
        float *w = value->data;
        for (int64_t k = 0; k < mood_tensor_elements(value); k++)
            w[k] -= learning_rate * dw[k];
    }
}

int main(void)
{
    mood_weights *weights; /* what is learned; it outlives any graph */
    mood_graph *g;
    must(mood_weights_create(&weights, 1));
    must(mood_graph_create(&g, &(mood_graph_params){.weights = weights, .training = true}));

    mood_node *x = mood_input(g, "x", MOOD_F32, 2, (int64_t[]){POINTS, 1});
    mood_node *target = mood_input(g, "target", MOOD_F32, 2, (int64_t[]){POINTS, 1});
    mood_node *y = model(x);
    mood_node *loss = mood_mse(y, target);
    must(mood_graph_compile(g, (mood_node *[]){loss, y}, 2)); /* a mistake above is told here */

    float *px = mood_node_value(x)->data, *ptarget = mood_node_value(target)->data;
    for (int i = 0; i < POINTS; i++) {
        px[i] = (float)(pi * (2.0 * i / (POINTS - 1) - 1.0));
        ptarget[i] = sinf(px[i]);
    }

    /* Are the gradients right? Move all weights a little and see whether the loss changes as they
     * say. A wrong formula gives an error near 1. */
    double error;
    const char *worst;
    must(mood_gradcheck(g, NULL, &error, &worst));
    printf("gradient check: error %.1e, in %s\n", error, worst);

    const float *ploss = mood_node_value(loss)->data;
    for (int step = 0; step <= STEPS; step++) {
        mood_weights_zero_grad(weights); /* backward adds to what is there */
        must(mood_graph_forward(g));
        must(mood_graph_backward(g));
        if (step % 1000 == 0)
            printf("step %4d  loss %.6f\n", step, (double)*ploss);
        descend(weights);
    }

    const float *py = mood_node_value(y)->data;
    for (int i = 0; i < POINTS; i += 9)
        printf("x %6.3f  sin %6.3f  fitted %6.3f\n", (double)px[i], (double)ptarget[i],
               (double)py[i]);

    int learned = *ploss < 1e-3f && error < 1e-2;
    mood_graph_destroy(&g);
    mood_weights_destroy(&weights);
    return learned ? 0 : 1;
}
