/* SPDX-License-Identifier: MIT
 *
 * train-voices.c — From a folder of voices to a model: which clips there are, who is kept aside for
 * judging, training, saving. mood-train is this with a command line, a progress bar and a report.
 */
#include <stdio.h>
#include <stdlib.h>

#include <mood/mood.h>

static void must(mood_status status)
{
    if (status != MOOD_OK) {
        fprintf(stderr, "train-voices: %s\n", mood_error_detail());
        exit(1);
    }
}

/* Called now and then. Another answer than 0 would stop the training. */
static int show(void *user, const mood_train_event *event)
{
    (void)user;
    const mood_epoch *e = event->figures; /* of an epoch that is over; else NULL */
    if (e)
        printf("epoch %2d  loss %.4f  validation accuracy %.3f\n", e->epoch, e->train_loss,
               e->val_accuracy);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: train-voices FOLDER EPOCHS MODEL.h5\n");
        return 2;
    }
    mood_corpus *corpus;
    must(mood_corpus_create(&corpus));
    must(mood_corpus_add(corpus, argv[1]));

    /* By speaker: the voices that the model is judged on are never heard in training. */
    mood_split *split;
    must(mood_split_create(&split, corpus, NULL));

    mood_model *model;
    mood_pool *pool;
    mood_training result;
    must(mood_model_create(&model, NULL));
    must(mood_pool_create(&pool, 0)); /* a thread per core; the result does not depend on it */
    mood_train_params params = {.epochs = atoi(argv[2]), .pool = pool, .on_event = show};
    must(mood_train(model, corpus, split, &params, &result));
    must(mood_model_save(model, argv[3]));

    for (size_t i = 0; i < result.n_answers; i++) {
        const mood_answer *a = &result.answers[i];
        printf("%s: %s %.3f\n", mood_corpus_clip(corpus, a->clip)->path,
               mood_model_label(model, a->best), (double)a->prob[a->best]);
    }
    printf("%s: accuracy %.3f of %zu clips\n", mood_split_protocol(split)->text,
           mood_accuracy(&result.test), result.n_answers);

    mood_training_free(&result);
    mood_pool_destroy(&pool);
    mood_model_destroy(&model);
    mood_split_destroy(&split);
    mood_corpus_destroy(&corpus);
    return 0;
}
