/* SPDX-License-Identifier: MIT
 *
 * train.h — Training: optimisers, learning-rate schedule and early stop as plain state machines,
 * and the trainer that ties them to a corpus. Nothing here depends on a clock, but for the time
 * that the trainer says is left. */
#ifndef MOOD_TRAIN_H
#define MOOD_TRAIN_H

#include "mood/audio.h"
#include "mood/corpus.h"
#include "mood/figures.h"
#include "mood/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- optimisers ------------------------------------------------------------------------------ */

/* Moments for every trainable weight of one set, and the step count. Thread-safety: Unsafe. */
typedef struct mood_optimiser mood_optimiser;

typedef enum mood_optimiser_kind {
    MOOD_ADAM, /* Kingma and Ba, arXiv 1412.6980 */
    MOOD_SGD,  /* with momentum: m = momentum m + g, w -= lr m */
    MOOD_ADAMW /* Adam whose decay is apart from the gradient: Loshchilov and Hutter, 1711.05101 */
} mood_optimiser_kind;

/* Semantics are those of torch.optim.Adam, torch.optim.SGD and torch.optim.AdamW. */
typedef struct mood_optimiser_params {
    mood_optimiser_kind kind;
    double lr;           /* 0: 1e-3 */
    double beta1, beta2; /* Adam; 0: 0.9, 0.999 */
    double eps;          /* Adam, added to the root; 0: 1e-8 */
    double momentum;     /* SGD; 0: none */
    double weight_decay; /* added to the gradient, times the weight; 0: none. AdamW: w is multiplied
                          * by 1 - lr weight_decay before its step instead */
} mood_optimiser_params;

/* `weights` is borrowed for the life of the optimiser and must not grow meanwhile. Owned by the
 * caller; free with mood_optimiser_destroy. Errors: E_INVALID (a parameter is negative, not finite,
 * or a beta is not below 1), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_optimiser_create(mood_optimiser **out, mood_weights *weights,
                                           const mood_optimiser_params *params);
MOOD_API void mood_optimiser_destroy(mood_optimiser **optimiser);

/* Move every weight that has a gradient by one step. `pool` may be NULL; the result does not depend
 * on it. */
MOOD_API void mood_optimiser_step(mood_optimiser *optimiser, mood_pool *pool);

MOOD_API double mood_optimiser_lr(const mood_optimiser *optimiser);
MOOD_API void mood_optimiser_set_lr(mood_optimiser *optimiser, double lr);

/* Scale all gradients down so that their joint Euclidean norm is at most max_norm, as
 * torch.nn.utils.clip_grad_norm_: by max_norm / (norm + 1e-6) if that is below 1. Returns the norm
 * before. */
MOOD_API double mood_clip_gradients(mood_weights *weights, double max_norm);

/* ---- averaged weights ------------------------------------------------------------------------ */

/* An exponential moving average of a set of weights, running statistics of batch norm included: the
 * mean of many late steps, which is often better than any one of them, and steadier. The semantics
 * are those of torch.optim.swa_utils.AveragedModel with use_buffers=True and
 *
 *     average = d average + (1 - d) weight,    d = min(decay, (1 + n) / (10 + n))
 *
 * after n earlier steps, where the first is a copy: an average that began with random weights would
 * need 1 / (1 - decay) steps to forget them. Thread-safety: Unsafe. */
typedef struct mood_average mood_average;

/* `weights` is borrowed for the life of the average and must not grow meanwhile. Owned by the
 * caller; free with mood_average_destroy. Errors: E_INVALID (decay is not in (0, 1)), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_average_create(mood_average **out, mood_weights *weights, double decay);
MOOD_API void mood_average_destroy(mood_average **average);

/* Take the weights as they are now into the average. `pool` may be NULL; the result does not depend
 * on it. */
MOOD_API void mood_average_step(mood_average *average, mood_pool *pool);

/* Exchange average and weights: once to answer with the average, and once more to train on. */
MOOD_API void mood_average_swap(mood_average *average);

/* ---- schedule -------------------------------------------------------------------------------- */

typedef enum mood_goal { MOOD_MAXIMISE, MOOD_MINIMISE } mood_goal;

/* Lower the learning rate when a metric stops getting better: torch's ReduceLROnPlateau with a
 * relative threshold. Plain data: fill the first part (or leave zeros), then step. */
typedef struct mood_plateau {
    mood_goal goal;
    double factor;    /* new lr = factor * old; 0: 0.5 */
    int patience;     /* steps without improvement that are accepted; 0: 3 */
    double threshold; /* better means better by this part; 0: 1e-4 */
    int cooldown;     /* steps after a reduction that do not count */
    double min_lr;

    bool started; /* the state, all zero before the first step */
    double best;
    int n_bad, n_cooldown;
} mood_plateau;

/* Take note of a metric; returns the learning rate to go on with, given the present one. A NaN is
 * not an improvement. */
MOOD_API double mood_plateau_step(mood_plateau *plateau, double metric, double lr);

/* What the learning rate of step `step`, counted from 0, is multiplied by: it rises linearly over
 * `warmup` steps, to 1 in the last of them; then it stays, or falls along half a cosine, which
 * would be 0 after `total` steps. torch's LinearLR(1 / warmup, total_iters=warmup - 1), followed by
 * CosineAnnealingLR(total - warmup). From step `total` on the cosine is 0. */
MOOD_API double mood_warmup(int64_t step, int64_t warmup);
MOOD_API double mood_warmup_cosine(int64_t step, int64_t warmup, int64_t total);

/* Stop when a metric has not got better for `patience` steps in a row. Plain data, as above. */
typedef struct mood_early_stop {
    mood_goal goal;
    int patience; /* 0: never stop */

    bool started;
    double best;
    int n_bad;
} mood_early_stop;

/* True when it is time to stop. */
MOOD_API bool mood_early_stop_step(mood_early_stop *stop, double metric);

/* ---- the trainer ----------------------------------------------------------------------------- */

typedef enum mood_train_phase {
    MOOD_TRAIN_READ,     /* a clip was read: done of total */
    MOOD_TRAIN_FEATURES, /* windows went through the encoder: done of total; the first of them, with
                          * done 0, says what is going to happen: `plan` */
    MOOD_TRAIN_LAYERS,   /* a layer was judged (mood_choose_layer): done of total */
    MOOD_TRAIN_STEP,     /* a batch was trained on: done of total, of all epochs */
    MOOD_TRAIN_EPOCH,    /* an epoch is over, validation included: `figures` */
    MOOD_TRAIN_TEST,     /* a clip of the test side was answered: done of total */
    MOOD_TRAIN_RESUME    /* a checkpoint was read: done of total epochs are over; `figures` of the
                          * last */
} mood_train_phase;

/* What the cache of features has, and what it will take. */
typedef struct mood_cache_plan {
    const char *folder;
    int64_t n_cached;           /* windows that are there already */
    uint64_t bytes, bytes_free; /* that the missing ones will take on its disk; that it has */
    int n_bad;                  /* files that are damaged or not the cache's: passed over */
    const char *bad;            /* the first of them, and why: "NAME: reason" */
} mood_cache_plan;

/* One epoch; of a network on prosody, one of the lambdas that were tried. Losses are means over
 * clips (validation: of -ln of the probability of the true label).
 */
typedef struct mood_epoch {
    int epoch; /* from 1 */
    double lr; /* of its last step */
    double train_loss, train_accuracy;
    double val_loss, val_accuracy, val_uar;
    double ridge;       /* of a network on prosody: lambda; lr is then 0 */
    double temperature; /* fitted on the validation clips after this epoch (figures.h); the other
                         * figures are those before it */
    bool best;          /* the best so far, by validation accuracy, on prosody by UAR; the first of
                         * equals */
} mood_epoch;

/* What happened. Borrowed, like all it points to, for the length of the call. */
typedef struct mood_train_event {
    mood_train_phase phase;
    int64_t done, total;
    double seconds_left; /* FEATURES: until they are there; later: of the whole training; negative:
                          * not known yet */
    int epoch;           /* from 1; 0 before the first */
    double loss;         /* STEP: of this batch */
    int batch_size; /* STEP: what was in it: clips of the corpus, and the first sample of each */
    const size_t *batch_clip, *batch_start; /* one's window */
    const mood_epoch *figures;              /* EPOCH, RESUME */
    const mood_cache_plan *plan;            /* FEATURES with done 0; else NULL */
} mood_train_event;

/* Called from the thread that called mood_train. Another value than 0 stops the training
 * (E_STOPPED). At an EPOCH with figures->best the model's weights and temperature are the best so
 * far: the moment to save it. */
typedef int mood_train_callback(void *user, const mood_train_event *event);

typedef enum mood_schedule {
    MOOD_SCHEDULE_PLATEAU, /* mood_plateau_step after each epoch */
    MOOD_SCHEDULE_COSINE   /* mood_warmup_cosine in each step */
} mood_schedule;

/* The functionals of a corpus' windows, which take most of the time of a training on prosody. What
 * one training has measured the next one finds, of other folds, say. Thread-safety: Unsafe: one
 * training at a time. */
typedef struct mood_prosody_bank mood_prosody_bank;

/* An empty one; `corpus` is borrowed for its life. It grows by 4 kB for each window and speed
 * or copy.
 * Owned by the caller; free with mood_prosody_bank_destroy. Errors: E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_prosody_bank_create(mood_prosody_bank **out, const mood_corpus *corpus);
MOOD_API void mood_prosody_bank_destroy(mood_prosody_bank **bank);

enum { MOOD_MAX_RIDGES = 16, MOOD_MAX_SPEEDS = 16, MOOD_MAX_BACKGROUND = 100000 };

/* How a network on prosody is trained. */
typedef struct mood_prosody_params {
    const double *ridges; /* the lambdas to try, above 0; NULL: 1e-5 */
    int n_ridges;         /* at most MOOD_MAX_RIDGES */
    const double *speeds; /* at which training windows are heard, 0.5 to 2; NULL: 0.85, 0.9, 0.95,
                           * 1, 1.05, 1.1 and 1.16 */
    int n_speeds;         /* at most MOOD_MAX_SPEEDS */
    int n_background; /* made-up sounds that are no speech, for the model's gate; 0: 800. A model
                       * without a gate hears none */
    bool keep_apart;  /* do not learn from the validation side in the end */
    mood_prosody_bank *bank; /* borrowed; NULL: one for this training */
} mood_prosody_params;

/* In place of a number of layers: all of the encoder that the model hears, from the samples on. */
#define MOOD_FINETUNE_ALL (-1)

typedef struct mood_train_params {
    int epochs;      /* 0: 20 */
    int batch;       /* clips, the last one of an epoch may have fewer; 0: 32 */
    uint64_t seed;   /* of the order of clips, their windows, dropout and augmentation */
    float dropout;   /* as in mood_heads_params */
    float clip_norm; /* clip gradients to this joint norm; 0: do not */
    float label_smoothing;
    float mixup; /* mix pairs of clips and their labels, in proportions drawn from Beta(mixup,
                  * mixup), one for each batch (Zhang et al., 1710.09412); 0: do not */
    bool balance_classes; /* weigh clips so that each class counts alike in the loss */
    int accumulate;       /* batches whose gradients make one step, as if they were one batch, but
                           * for batch norm, mixup and dropout; 0: 1 */
    int early_stop; /* epochs without a better validation accuracy before stopping; 0: never */
    mood_optimiser_params optimiser;
    mood_schedule schedule;
    mood_plateau plateau;        /* on validation accuracy */
    double warmup;               /* epochs over which the rate rises, in either schedule; 0: none */
    float average;               /* decay of mood_average: epochs are judged, and the model answers,
                                  * with averaged weights; 0: with those of the last step */
    mood_augment_params augment; /* of training windows; kinds 0: none */
    mood_pool *pool;             /* borrowed; NULL: only the calling thread works */
    mood_train_callback *on_event;
    void *user;
    const volatile int *stop; /* set to non-zero (by a signal handler, say) to stop: at once, or
                               * with a checkpoint after the epoch that runs; may be NULL */
    const char *checkpoint;   /* a file that is written after each epoch; NULL: none. It stays when
                               * the training ends */
    bool resume;              /* go on from the checkpoint */

    /* For a model that hears an encoder: */
    mood_encoder *encoder; /* borrowed; the one that the model was made for */
    int finetune; /* train a copy of it too: so many transformer layers, the last of which gives the
                   * hidden state that the model hears; or MOOD_FINETUNE_ALL. 0: it stays as it is
                   */
    double encoder_rate; /* the learning rate of the copy, as a part of the optimiser's; 0: 0.1,
                          * and 1 with MOOD_FINETUNE_ALL */
    const char *cache;   /* the folder for features; NULL: $XDG_CACHE_HOME/libmood/features, or
                          * ~/.cache/libmood/features */

    /* For one of an encoder that is not trained, or on prosody: */
    int copies; /* with augmentation: changed copies of each training clip; 0: 3 */

    /* For a model on prosody: what there is beside it is augment, copies, seed, pool, on_event,
     * user and stop. */
    mood_prosody_params prosody;
} mood_train_params;

/* The answer for one clip of the test side. */
typedef struct mood_answer {
    size_t clip;       /* of the corpus */
    int label, best;   /* true, answered */
    const float *prob; /* V, at the model's temperature: what mood_infer_run says */
    const float *raw;  /* V, at temperature 1 */
} mood_answer;

/* What came out. */
typedef struct mood_training {
    mood_epoch *epochs;       /* those that were run */
    int n_epochs, best_epoch; /* best_epoch counts from 1; 0: no epoch was finished */
    mood_confusion test;
    mood_answer *answers; /* one per clip of the test side, in the corpus' order */
    size_t n_answers;
    float *prob, *raw; /* where the answers' probabilities lie: (n_answers, V) each */
} mood_training;

/* Train `model` on the training side of `split`, choose the epoch on the validation side, and
 * answer the clips of the test side with it. Clips are decoded once and kept as log-mel planes (24
 * KB per window), and as samples too (2 bytes each) when there is augmentation.
 *
 * Each epoch takes one window of every training clip, in random order: one of those with speech,
 * drawn anew each time; with augmentation any place in the recording.
 *
 * With an encoder, which is not trained, each window goes through it once: what comes out, and the
 * plane, is kept on the disk (docs/file-formats.md, "Features"), found there by the next training,
 * and read from there in each step. Augmentation then makes `copies` of each training clip, changed
 * once and for all, and a window is drawn from one of them or from the clip itself. Interrupted, a
 * training that is started again goes on with the features that there are.
 *
 * With `finetune` a part of the encoder is trained as well, without dropout. Below it everything is
 * as above: the hidden state that it begins with is kept on the disk, as float32, and each step
 * runs the part and the heads. With MOOD_FINETUNE_ALL nothing is on the disk: each step hears the
 * samples of its windows, changed anew by augmentation, and those of the training clips stay in
 * memory, 2 bytes each; other clips are decoded whenever they are answered. Either way a copy of
 * the encoder is trained, and the model has it inside from then on, with the identity of its
 * weights: params->encoder is no longer the model's.
 *
 * Answers come from the same
 * code as mood_infer_run's. The model ends with the weights of the best epoch, and the temperature
 * that was fitted on its validation answers; while it is being trained the temperature is 1.
 *
 * A model on prosody is trained by ridge regression in closed form (docs/training.md), on the
 * windows with speech of all training clips at all speeds; it has no epochs. Augmentation adds
 * `copies` of each training clip, at a speed that is drawn from them, each window of which is
 * changed by some of the kinds, which are drawn too. Of
 * several lambdas the one with the best validation UAR is taken, the larger of equals: `epochs` has
 * one entry for each, from the largest to the smallest.
 *
 * Same model, corpus, params and machine: the same bytes, whatever the number of threads.
 *
 * A training that is resumed from its checkpoint ends with the same bytes as one that was never
 * interrupted. What decides the result has to be as it was: params, labels, clips and their sides;
 * the model is of the same form, its weights do not matter. (Paths are compared, not what the files
 * hold.) A checkpoint is written like a model: whatever happens, there is a complete one.
 *
 * On failure after the first finished epoch the model has the weights of the best epoch too, and
 * *out holds the epochs that were run. Free *out with mood_training_free in any case. Errors:
 * E_INVALID (params; labels of model and corpus differ; the encoder is not the model's, or cannot
 * be trained as `finetune` says; the bank is another corpus'; a checkpoint of a model on prosody),
 * those of mood_audio_read (detail begins with the clip's path), E_IO (the cache cannot be written;
 * too little room for it; the checkpoint cannot be read or written), E_FORMAT and E_SHAPE (the
 * checkpoint), E_MISSING (no encoder, but the model needs one), E_UNSUPPORTED (the model is
 * a classifier, or the encoder that is to be trained has weights of i8), E_NUMERIC (the loss became
 * NaN or infinite; lambda is too small), E_STOPPED, E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_train(mood_model *model, const mood_corpus *corpus,
                                const mood_split *split, const mood_train_params *params,
                                mood_training *out);
MOOD_API void mood_training_free(mood_training *training);

/* ---- layers -----------------------------------------------------------------------------------
 */

/* How well the hidden states of an encoder tell the labels of a corpus apart. */
typedef struct mood_layer_table {
    int n;      /* hidden states: the encoder's layers, and one */
    int best;   /* the first of those with the highest accuracy */
    int chosen; /* the first within one point (0.01) of it: the cheapest that is as good */
    double accuracy[MOOD_ENCODER_MAX_LAYERS + 1]; /* on the validation side */
    double uar[MOOD_ENCODER_MAX_LAYERS + 1];
} mood_layer_table;

/* Judge all layers of params->encoder: one window of each clip on the training and validation sides
 * goes through it, and a softmax regression on the means over time of each layer, fitted on the
 * training side, answers the validation side. The means are kept in the cache as well. Of `params`
 * counts what says how to run: cache, pool, on_event, user, stop.
 * Errors: as mood_train. */
MOOD_NODISCARD
MOOD_API mood_status mood_choose_layer(mood_layer_table *out, const mood_corpus *corpus,
                                       const mood_split *split, const mood_train_params *params);

#ifdef __cplusplus
}
#endif
#endif
