/* SPDX-License-Identifier: MIT
 *
 * train-net.c — A small network of layers, trained by an optimiser, judged on points it has not
 * seen.
 *
 * The task: two spirals, wound into each other; of a point in the plane, tell which spiral it is
 * on. No straight line separates them, so a network has to bend the plane first. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <mood/mood.h>

enum { N = 200, STEPS = 600 }; /* points, both spirals together; steps of the optimiser */

static void must(mood_status status)
{
    if (status != MOOD_OK) {
        fprintf(stderr, "train-net: %s\n", mood_error_detail());
        exit(1);
    }
}

/* A graph is made for one number of points and one purpose, and costs next to nothing; what is
 * learned is kept in the weights. So there is one to train and one to judge, both over the same
 * weights. */
struct net {
    mood_graph *graph;
    mood_node *points; /* (N, 2) */
    mood_node *labels; /* (N) */
    mood_node *logits; /* (N, 2), the larger one is the answer */
    mood_node *loss;
};

static struct net make_net(mood_weights *weights, bool training)
{
    struct net n = {0};
    must(mood_graph_create(
        &n.graph, &(mood_graph_params){.weights = weights, .training = training, .seed = 1}));
    n.points = mood_input(n.graph, "points", MOOD_F32, 2, (int64_t[]){N, 2});
    n.labels = mood_input(n.graph, "labels", MOOD_I32, 1, (int64_t[]){N});
    mood_node *h = mood_relu(mood_nn_dense(n.points, "hidden1", 48, NULL));
    h = mood_dropout(h,
                     0.05f); /* passes everything through in the graph that is not for training */
    h = mood_relu(mood_nn_dense(h, "hidden2", 48, NULL));
    n.logits = mood_nn_dense(h, "out", 2, NULL);
    n.loss = mood_cross_entropy(n.logits, n.labels, NULL);
    must(mood_graph_compile(n.graph, (mood_node *[]){n.loss, n.logits}, 2));
    return n;
}

/* Points along the spirals, in turn from one and the other. `shift` 0.5 gives points in the middle
 * between those that 0 gives. */
static void fill(const struct net *n, double shift)
{
    float *xy = mood_node_value(n->points)->data;
    int32_t *label = mood_node_value(n->labels)->data;
    for (int i = 0; i < N; i++) {
        double t = (i / 2 + shift) / (N / 2), angle = 9.0 * t + 3.14159265 * (i % 2);
        xy[2 * i] = (float)((0.2 + t) * cos(angle));
        xy[2 * i + 1] = (float)((0.2 + t) * sin(angle));
        label[i] = i % 2;
    }
}

/* The part of the points that is told right. */
static double accuracy(const struct net *n)
{
    must(mood_graph_forward(n->graph));
    const float *logit = mood_node_value(n->logits)->data;
    const int32_t *label = mood_node_value(n->labels)->data;
    int right = 0;
    for (int i = 0; i < N; i++)
        right += (logit[2 * i + 1] > logit[2 * i]) == label[i];
    return (double)right / N;
}

int main(void)
{
    mood_weights *weights;
    mood_optimiser *adam;
    must(mood_weights_create(&weights, 1));
    struct net train = make_net(weights, true), judge = make_net(weights, false);
    must(mood_optimiser_create(&adam, weights, &(mood_optimiser_params){.lr = 0.01}));
    printf("%lld numbers to learn\n", (long long)mood_weights_trainable_elements(weights));

    fill(&train, 0.0);
    fill(&judge, 0.5);
    for (int step = 1; step <= STEPS; step++) {
        mood_weights_zero_grad(weights);
        must(mood_graph_forward(train.graph));
        must(mood_graph_backward(train.graph));
        mood_optimiser_step(adam, NULL);
        if (step == 1 || step % 100 == 0)
            printf("step %4d  loss %.4f  accuracy on new points %.3f\n", step,
                   (double)*(float *)mood_node_value(train.loss)->data, accuracy(&judge));
    }

    bool learned = accuracy(&judge) >= 0.95;
    mood_optimiser_destroy(&adam);
    mood_graph_destroy(&train.graph);
    mood_graph_destroy(&judge.graph);
    mood_weights_destroy(&weights);
    return learned ? 0 : 1;
}
