/* SPDX-License-Identifier: MIT
 *
 * program.c — A user's program, which test_link.py compiles outside the tree against an install: it
 * trains a network of its own, trains a model on a folder of voices, and labels a clip with it.
 *
 *     program VOICES CLIP MODEL.h5      (writes MODEL.h5) */
#include <mood/mood.h>

#include <stdio.h>
#include <stdlib.h>

static void must(mood_status status)
{
    if (status != MOOD_OK) {
        fprintf(stderr, "program: %s: %s\n", mood_status_name(status), mood_error_detail());
        exit(1);
    }
}

/* Exclusive or, by two layers: the smallest task that one layer cannot do. Returns the last loss.
 */
static double learn_xor(void)
{
    static const float points[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    mood_weights *weights;
    mood_graph *graph;
    mood_optimiser *adam;
    must(mood_weights_create(&weights, 1));
    mood_graph_params params = {.weights = weights, .training = true};
    must(mood_graph_create(&graph, &params));
    mood_node *x = mood_input(graph, "x", MOOD_F32, 2, (int64_t[]){4, 2});
    mood_node *label = mood_input(graph, "label", MOOD_I32, 1, (int64_t[]){4});
    mood_node *h = mood_tanh(mood_nn_dense(x, "hidden", 8, NULL));
    mood_node *loss = mood_cross_entropy(mood_nn_dense(h, "out", 2, NULL), label, NULL);
    must(mood_graph_compile(graph, &loss, 1));
    must(mood_optimiser_create(&adam, weights, &(mood_optimiser_params){.lr = 0.05}));
    float *px = mood_node_value(x)->data;
    int32_t *plabel = mood_node_value(label)->data;
    for (int i = 0; i < 4; i++) {
        px[2 * i] = points[i][0];
        px[2 * i + 1] = points[i][1];
        plabel[i] = points[i][0] != points[i][1];
    }
    for (int step = 0; step < 200; step++) {
        mood_weights_zero_grad(weights);
        must(mood_graph_forward(graph));
        must(mood_graph_backward(graph));
        mood_optimiser_step(adam, NULL);
    }
    double last = *(const float *)mood_node_value(loss)->data;
    mood_optimiser_destroy(&adam);
    mood_graph_destroy(&graph);
    mood_weights_destroy(&weights);
    return last;
}

/* An eighth of the usual width: here it matters that training works, not how well. */
static void train_on(const char *voices, const char *model_path)
{
    mood_corpus *corpus;
    mood_split *split;
    mood_model *model;
    mood_training result;
    must(mood_corpus_create(&corpus));
    must(mood_corpus_add(corpus, voices));
    must(mood_split_create(&split, corpus, NULL));
    must(mood_model_create(&model, &(mood_model_params){.heads = {.divide = 8}}));
    must(mood_train(model, corpus, split, &(mood_train_params){.epochs = 2, .batch = 8}, &result));
    must(mood_model_save(model, model_path));
    printf("%d epochs, best %d\n", result.n_epochs, result.best_epoch);
    mood_training_free(&result);
    mood_model_destroy(&model);
    mood_split_destroy(&split);
    mood_corpus_destroy(&corpus);
}

static void label(const char *model_path, const char *clip)
{
    mood_model *model;
    mood_infer *infer;
    mood_audio *audio;
    mood_result r;
    must(mood_model_load(&model, model_path));
    must(mood_infer_create(&infer, model, NULL));
    must(mood_audio_read(&audio, clip, NULL));
    must(mood_infer_run(infer, audio, &r));
    printf("%s %.6f\n", mood_model_label(model, r.best), (double)r.confidence);
    mood_audio_destroy(&audio);
    mood_infer_destroy(&infer);
    mood_model_destroy(&model);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    printf("libmood %s\n", mood_version());
    printf("xor %.4f\n", learn_xor());
    train_on(argv[1], argv[3]);
    label(argv[3], argv[2]);
    return 0;
}
