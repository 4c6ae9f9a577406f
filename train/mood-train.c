/* SPDX-License-Identifier: MIT
 *
 * mood-train.c — Train a network on a folder of clips, and say honestly how good they are. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "findings.h"

static const char *const networks[] = {"heads", "prosody", NULL};

static const struct cli_option options[] = {
    {CLI_LIST_AT(struct options, data), .name = "data", .arg = "DIR|MANIFEST.csv", .required = true,
     .help = "a folder of RAVDESS, EMO-DB or CREMA-D, or a table with the columns path, emotion, "
             "speaker; may be given several times"},
    {CLI_STRING_AT(struct options, out), .letter = 'o', .name = "out", .arg = "MODEL.h5",
     .unset = "model.h5", .help = "where the model goes"},
    {CLI_CHOICE_AT(struct options, network), .name = "network", .arg = "heads|prosody",
     .fallback = "heads", .choices = networks,
     .help =
         "a network over the log-mel and perhaps an encoder, trained in epochs, or a linear one "
         "over numbers of pitch, loudness and voice, computed at once"},
    {CLI_STRING_AT(struct options, ridge), .name = "ridge", .arg = "LIST", .fallback = "1e-5",
     .help = "with --network prosody: how strongly weights are kept small; of several, the best "
             "on the validation speakers"},
    {CLI_STRING_AT(struct options, speed), .name = "speeds", .arg = "LIST",
     .fallback = "0.85,0.9,0.95,1,1.05,1.1,1.16",
     .help = "with --network prosody: hear each training clip at these speeds"},
    {CLI_INT_AT(struct options, centres), .name = "centres", .arg = "N", .fallback = "2800",
     .min = 1, .max = MOOD_MAX_CENTRES,
     .help =
         "with --network prosody: windows that others are compared with; 2 kB each in the file"},
    {CLI_INT_AT(struct options, background), .name = "background", .arg = "N", .fallback = "800",
     .min = 0, .max = MOOD_MAX_BACKGROUND,
     .help = "with --network prosody: made-up sounds that teach it what is no speech; 0: none, and "
             "all that is loud enough is heard as speech"},
    {CLI_STRING_AT(struct options, split), .name = "split", .arg = "speaker|random|FILE.csv",
     .fallback = "speaker",
     .help = "how clips are divided; a file has the columns path and side (train, val, test)"},
    {CLI_STRING_AT(struct options, val_speakers), .name = "val-speakers", .arg = "LIST",
     .unset = "dealt by the seed",
     .help = "speakers that choose the epoch, as in 17,18 or emo-db:*"},
    {CLI_STRING_AT(struct options, test_speakers), .name = "test-speakers", .arg = "LIST",
     .unset = "dealt by the seed", .help = "speakers that the figures are made on"},
    {CLI_INT_AT(struct options, folds), .name = "folds", .arg = "K", .fallback = "0", .min = 0,
     .max = 1000,
     .help = "train K times, each time tested on other speakers, and give the mean; saves no "
             "model, but "
             "with --network prosody and -o one that has learnt from all speakers"},
    {CLI_FLAG_AT(struct options, cross_corpus), .name = "cross-corpus",
     .help = "train once for each corpus, on all the others, and test on the whole of it; saves no "
             "model"},
    {CLI_INT_AT(struct options, epochs), .name = "epochs", .arg = "N", .fallback = "20", .min = 1,
     .max = 100000, .help = "passes over the training clips"},
    {CLI_INT_AT(struct options, batch), .name = "batch", .arg = "N", .fallback = "32", .min = 1,
     .max = 4096, .help = "clips per step"},
    {CLI_DOUBLE_AT(struct options, lr), .name = "lr", .arg = "X", .fallback = "1e-3", .min = 1e-9,
     .max = 10, .help = "learning rate at the start, after warm-up"},
    {CLI_STRING_AT(struct options, optimiser), .name = "optimiser", .arg = "adam|adamw",
     .fallback = "adam", .help = "adamw keeps the decay of weights apart from the gradients"},
    {CLI_DOUBLE_AT(struct options, weight_decay), .name = "weight-decay", .arg = "X",
     .fallback = "0", .min = 0, .max = 10, .help = "pull weights towards 0 in each step"},
    {CLI_STRING_AT(struct options, schedule), .name = "schedule", .arg = "plateau|cosine",
     .fallback = "plateau",
     .help = "halve the rate when the validation accuracy does not rise for more than three "
             "epochs, or lower it in each step, to 0 at the end"},
    {CLI_DOUBLE_AT(struct options, warmup), .name = "warmup", .arg = "EPOCHS", .fallback = "0",
     .min = 0, .max = 100000, .help = "raise the rate over so many epochs at first"},
    {CLI_DOUBLE_AT(struct options, average), .name = "average", .arg = "DECAY", .fallback = "0",
     .min = 0, .max = 0.99999,
     .help = "judge and keep a moving average of the weights (0.99, say); 0 does not"},
    {CLI_STRING_AT(struct options, class_weights), .name = "class-weights", .arg = "none|balanced",
     .fallback = "none", .help = "balanced: rare emotions count as much as frequent ones"},
    {CLI_DOUBLE_AT(struct options, label_smoothing), .name = "label-smoothing", .arg = "P",
     .fallback = "0", .min = 0, .max = 0.99,
     .help = "of each label, give this part to all labels alike"},
    {CLI_DOUBLE_AT(struct options, mixup), .name = "mixup", .arg = "ALPHA", .fallback = "0",
     .min = 0, .max = 100,
     .help = "mix pairs of clips, in proportions drawn from Beta(ALPHA, ALPHA); 0 does not"},
    {CLI_INT_AT(struct options, accumulate), .name = "accumulate", .arg = "K", .fallback = "1",
     .min = 1, .max = 4096, .help = "make one step of K batches, as of one K times as large"},
    {CLI_DOUBLE_AT(struct options, dropout), .name = "dropout", .arg = "P", .fallback = "0.5",
     .min = 0, .max = 0.99, .help = "dropout before the second dense layer"},
    {CLI_DOUBLE_AT(struct options, clip_norm), .name = "clip-norm", .arg = "X", .fallback = "0",
     .min = 0, .max = 1e9, .help = "clip gradients to this norm; 0 does not"},
    {CLI_INT_AT(struct options, early_stop), .name = "early-stop", .arg = "N", .fallback = "0",
     .min = 0, .max = 100000,
     .help = "stop after N epochs without a better validation accuracy; 0 does not"},
    {CLI_INT64_AT(struct options, seed), .name = "seed", .arg = "N", .fallback = "0", .min = 0,
     .max = 9e15, .help = "of weights, order, split and augmentation"},
    {CLI_STRING_AT(struct options, augment), .name = "augment", .arg = "LIST", .unset = "none",
     .help = "change training windows: speed, pitch, room, shift, noise, lowpass, gain, timemask, "
             "freqmask, with commas between them"},
    {CLI_STRING_AT(struct options, encoder), .name = "encoder", .arg = "ENC.h5", .unset = "none",
     .help = "hear the voices through this encoder too (mood-convert makes such files)"},
    {CLI_STRING_AT(struct options, encoder_layer), .name = "encoder-layer", .arg = "auto|N|mix",
     .unset = "auto, with --finetune the last",
     .help = "which of its layers: the cheapest that is as good as any on the validation side, "
             "layer N, or a learned mixture of all"},
    {CLI_INT_AT(struct options, finetune), .name = "finetune", .arg = "N", .fallback = "0",
     .min = 0, .max = MOOD_ENCODER_MAX_LAYERS,
     .help =
         "train the N layers of it up to that one too, and put the encoder into the model file"},
    {CLI_STRING_AT(struct options, encoder_config), .name = "encoder-config",
     .arg = "base|tiny|CONFIG.json", .unset = "none",
     .help = "hear the voices through a new encoder of this form, which is trained from nothing "
             "with the heads, and put into the model file"},
    {CLI_DOUBLE_AT(struct options, encoder_lr), .name = "encoder-lr", .arg = "X", .fallback = "0",
     .min = 0, .max = 10,
     .help = "the learning rate of an encoder that is trained; 0 is a tenth of --lr with "
             "--finetune, and --lr with --encoder-config"},
    {CLI_STRING_AT(struct options, cache), .name = "cache", .arg = "DIR",
     .unset = "~/.cache/libmood/features",
     .help = "keep what the encoder makes of the clips there, for the next training"},
    {CLI_INT_AT(struct options, copies), .name = "copies", .arg = "N", .fallback = "3", .min = 1,
     .max = 100,
     .help = "with --encoder or --network prosody, and --augment: changed copies of each training "
             "clip"},
    {CLI_FLAG_AT(struct options, embed_encoder), .name = "embed-encoder",
     .help = "put the encoder into the model file, which then needs no other"},
    {CLI_INT_AT(struct options, threads), .name = "threads", .arg = "N", .fallback = "0", .min = 0,
     .max = 256, .help = "threads; 0 is one per core. The result does not depend on it"},
    {CLI_STRING_AT(struct options, report), .name = "report", .arg = "DIR", .unset = "none",
     .help = "write report.html, metrics.json and split.csv there"},
    {CLI_STRING_AT(struct options, trace), .name = "trace", .arg = "DIR", .unset = "none",
     .help = "write each step there, and the weights after those of the first epoch, to repeat "
             "the training elsewhere"},
    {CLI_FLAG_AT(struct options, resume), .name = "resume",
     .help = "go on from MODEL.h5.checkpoint, which a training that was stopped or killed leaves "
             "behind; with the same options it ends with the same bytes"},
    {CLI_STRING_AT(struct options, cpumask), .name = "cpumask", .arg = "TIER", .unset = "the best",
     .help = "use no kernels above " CLI_TIERS},
};

static const struct cli_example examples[] = {
    {"Train on a download of RAVDESS", "mood-train --data ravdess -o model.h5 --report report"},
    {"Honest figures: every speaker is tested once", "mood-train --data ravdess --folds 6"},
    {"A small model in a minute", "mood-train --data ravdess --network prosody"},
    {"Tested on corpora that it never heard",
     "mood-train --data ravdess --data emodb --data crema-d --cross-corpus"},
    {"With the features of an encoder", "mood-train --data ravdess --encoder wav2vec2.h5"},
};

static const struct cli_tool tool = {
    .name = "mood-train",
    .summary = "train a network to hear emotions in voices",
    .about =
        "Speakers are kept apart: those the figures are made on are never heard in training, "
        "nor used to choose the epoch. A random split is possible, and its figures are "
        "stamped speaker-dependent, since they say little about new voices.\n\n"
        "The model of the best epoch, by validation accuracy, is saved as soon as it is found. "
        "After each epoch MODEL.h5.checkpoint is written, which --resume goes on from; Ctrl-C "
        "finishes the epoch first.\n\n"
        "With --network prosody there are no epochs: it compares with windows that it heard, and "
        "its weights are "
        "computed at once, from numbers that say how each clip is spoken.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .examples = examples,
    .n_examples = sizeof(examples) / sizeof(examples[0]),
};

/* ---- one training ---- */

static bool fail(struct run *r, const char *subject)
{
    show_bar_end(r);
    cli_error(r->cli, subject, "%s", mood_error_detail());
    return false;
}

static int on_event(void *user, const mood_train_event *e)
{
    struct run *r = user;
    show_event(r, e);
    if (r->trace && e->phase == MOOD_TRAIN_STEP && trace_step(r, e) != MOOD_OK) {
        r->save_failed = !fail(r, r->o->trace);
        return 1;
    }
    if (e->phase == MOOD_TRAIN_EPOCH && e->figures->best && !r->n_folds &&
        (report_record(r, NULL) != MOOD_OK || mood_model_save(r->model, r->o->out) != MOOD_OK)) {
        r->save_failed = !fail(r, r->o->out);
        return 1;
    }
    return 0;
}

static mood_train_params params_of(struct run *r, mood_pool *pool)
{
    const struct options *o = r->o;
    mood_train_params p = {
        .augment = o->augmentation,
        .pool = pool,
        .on_event = on_event,
        .user = r,
        .stop = &cli_stop,
    };
    recipe_fill(&p, o);
    p.prosody = prosody_params(r);
    encoder_fill(&p, r);
    if (r->checkpoint[0])
        p.checkpoint = r->checkpoint;
    p.resume = o->resume;
    return p;
}

static mood_status make_model(struct run *r)
{
    const char *labels[MOOD_MAX_LABELS];
    int n = mood_corpus_n_labels(r->corpus);
    for (int i = 0; i < n; i++)
        labels[i] = mood_corpus_label(r->corpus, i);
    const mood_prosody_net_params net = {.n_centres = r->o->centres,
                                         .no_gate = r->o->background == 0};
    mood_model_params p = {.labels = labels,
                           .n_labels = n,
                           .seed = (uint64_t)r->o->seed,
                           .encoder = r->encoder,
                           .encoder_layer = r->layer,
                           .encoder_hint = r->o->encoder,
                           .prosody = is_prosody(r) ? &net : NULL};
    return mood_model_create(&r->model, &p);
}

/* Whether work went well; if not, say why. */
static bool ended_well(struct run *r, mood_status status)
{
    show_bar_end(r);
    if (r->save_failed)
        return false;
    if (status == MOOD_E_STOPPED) {
        if (r->result.best_epoch > 0 && !r->n_folds && is_prosody(r))
            cli_error(r->cli, NULL, "stopped; %s holds the model of ridge %g", r->o->out,
                      prosody_ridge(r));
        else if (r->result.best_epoch > 0 && !r->n_folds)
            cli_error(r->cli, NULL, "stopped after epoch %d; %s holds the model of epoch %d",
                      r->result.n_epochs, r->o->out, r->result.best_epoch);
        else
            cli_error(r->cli, NULL, "stopped; no model was written");
        return false;
    }
    return status == MOOD_OK || fail(r, NULL);
}

static bool make_split(struct run *r)
{
    const struct options *o = r->o;
    mood_split_params p = {.seed = (uint64_t)o->seed,
                           .val_speakers = o->val_speakers,
                           .test_speakers = o->test_speakers};
    if (o->cross_corpus) {
        p.kind = MOOD_SPLIT_COLLECTION;
        p.collection = r->fold;
    } else if (r->n_folds) {
        p.kind = MOOD_SPLIT_FOLD;
        p.fold = r->fold;
        p.n_folds = r->n_folds;
    } else if (strcmp(o->split, "random") == 0) {
        p.kind = MOOD_SPLIT_RANDOM;
    } else if (strcmp(o->split, "speaker") != 0) {
        p.kind = MOOD_SPLIT_FILE;
        p.file = o->split;
    }
    return mood_split_create(&r->split, r->corpus, &p) == MOOD_OK || fail(r, NULL);
}

/* The directory DIR, or DIR/fold-K among folds, DIR/corpus-K across corpora. */
static const char *folder_of(const struct run *r, const char *dir, char *buf, size_t size)
{
    if (r->n_folds)
        snprintf(buf, size, "%s/%s-%d", dir, r->o->cross_corpus ? "corpus" : "fold", r->fold + 1);
    else
        snprintf(buf, size, "%s", dir);
    return buf;
}

/* Say what was found: to the reader, in the model, in the report. */
static bool tell(struct run *r, const struct findings *f)
{
    char dir[4096];
    show_result(f);
    if (!r->n_folds &&
        (report_record(r, f) != MOOD_OK || mood_model_save(r->model, r->o->out) != MOOD_OK))
        return fail(r, r->o->out);
    if (r->o->report && report_write(f, folder_of(r, r->o->report, dir, sizeof(dir))) != MOOD_OK)
        return fail(r, dir);
    return true;
}

/* The network that learns from everybody in the end. What the folds chose, each for itself, it
 * takes the middle of; its figures are theirs. */
static bool train_last(struct run *runs, int n, const struct findings *f, mood_pool *pool)
{
    struct run r = runs[0];
    r.n_folds = 0;
    r.split = NULL;
    r.model = NULL;
    r.result = (mood_training){0};
    double ridge, temperature;
    prosody_middle(runs, n, &ridge, &temperature);
    mood_train_params p = params_of(&r, pool);
    p.user = &r;
    p.prosody.ridges = &ridge;
    p.prosody.n_ridges = 1;
    const mood_split_params all = {.kind = MOOD_SPLIT_NONE};
    bool ok = mood_split_create(&r.split, r.corpus, &all) == MOOD_OK && make_model(&r) == MOOD_OK;
    ok =
        ok ? ended_well(&r, mood_train(r.model, r.corpus, r.split, &p, &r.result)) : fail(&r, NULL);
    if (ok && (mood_model_set_temperature(r.model, temperature) != MOOD_OK ||
               report_record(&r, f) != MOOD_OK || mood_model_save(r.model, r.o->out) != MOOD_OK))
        ok = fail(&r, r.o->out);
    if (ok)
        fprintf(stderr, "%s written: all speakers, ridge %g, temperature %.3f\n", r.o->out, ridge,
                temperature);
    mood_training_free(&r.result);
    mood_model_destroy(&r.model);
    mood_split_destroy(&r.split);
    return ok;
}

/* The same for all folds together. */
static bool tell_folds(struct run *runs, int n, mood_pool *pool)
{
    struct findings f;
    bool ok = findings_make(&f, runs, n) == MOOD_OK || fail(&runs[0], NULL);
    if (ok)
        show_folds(&f);
    const struct options *o = runs[0].o;
    if (ok && o->report && report_write(&f, o->report) != MOOD_OK)
        ok = fail(&runs[0], o->report);
    if (ok && o->last)
        ok = train_last(runs, n, &f, pool);
    findings_free(&f);
    return ok;
}

/* Where the training can be resumed from; a single one with epochs only, and not one that is
 * traced, since its trace would begin in the middle. */
static bool name_checkpoint(struct run *r)
{
    if (r->n_folds || r->o->trace || is_prosody(r))
        return true;
    size_t room = sizeof(r->checkpoint);
    if ((size_t)snprintf(r->checkpoint, room, "%s.checkpoint", r->o->out) < room)
        return true;
    cli_error(r->cli, r->o->out, "is too long a name");
    return false;
}

static bool run_one(struct run *r, mood_pool *pool)
{
    char dir[4096];
    if (!make_split(r))
        return false;
    show_split(r);
    /* What cannot be written later is said now, and what should not be. */
    if (!r->n_folds && r->o->encoder && cli_same_file(r->o->out, r->o->encoder)) {
        cli_error(r->cli, r->o->out, "is the encoder, and the model would replace it");
        return false;
    }
    if (!r->n_folds && mood__file_check_writable(r->o->out) != MOOD_OK)
        return fail(r, r->o->out);
    if (r->o->report && mood__folder_make(folder_of(r, r->o->report, dir, sizeof(dir))) != MOOD_OK)
        return fail(r, dir);
    if (!name_checkpoint(r))
        return false;
    mood_train_params p = params_of(r, pool);
    if (!ended_well(r, encoder_choose(r, &p)))
        return false;
    if (make_model(r) != MOOD_OK)
        return fail(r, NULL);
    if (r->o->trace && trace_begin(r, folder_of(r, r->o->trace, dir, sizeof(dir))) != MOOD_OK)
        return fail(r, dir);
    if (!ended_well(r, mood_train(r->model, r->corpus, r->split, &p, &r->result)))
        return false;
    if (r->o->embed_encoder && !r->n_folds &&
        mood_model_embed(r->model, r->encoder, MOOD_F32) != MOOD_OK)
        return fail(r, NULL);
    if (r->trace && trace_end(r) != MOOD_OK)
        return fail(r, r->o->trace);
    struct findings f;
    bool ok = findings_make(&f, r, 1) == MOOD_OK ? tell(r, &f) : fail(r, NULL);
    findings_free(&f);
    if (ok && r->checkpoint[0])
        remove(r->checkpoint);
    return ok;
}

/* ---- the whole ---- */

static bool run_all(struct cli *c, const struct options *o, const mood_corpus *corpus,
                    mood_encoder *encoder, mood_pool *pool)
{
    int n_folds = o->cross_corpus ? mood_corpus_n_collections(corpus) : o->folds;
    int n = n_folds ? n_folds : 1;
    struct run *runs = calloc((size_t)n, sizeof(*runs));
    mood_prosody_bank *bank = NULL;
    bool ok = runs &&
              (o->network != NETWORK_PROSODY || mood_prosody_bank_create(&bank, corpus) == MOOD_OK);
    if (!ok)
        cli_error(c, NULL, "out of memory");
    for (int i = 0; i < n && ok; i++) {
        runs[i] = (struct run){.cli = c,
                               .o = o,
                               .corpus = corpus,
                               .encoder = encoder,
                               .bank = bank,
                               .fold = i,
                               .n_folds = n_folds};
        if (i == 0)
            show_corpus(&runs[i]);
        ok = run_one(&runs[i], pool);
        mood_model_destroy(&runs[i].model);
        trace_free(&runs[i]);
    }
    if (ok && n_folds)
        ok = tell_folds(runs, n, pool);
    else if (ok)
        fprintf(stderr, "%s written\n", o->out);
    for (int i = 0; i < n && runs; i++) {
        mood_training_free(&runs[i].result);
        mood_split_destroy(&runs[i].split);
    }
    mood_prosody_bank_destroy(&bank);
    free(runs);
    return ok;
}

/* What the table cannot say: which options go together. */
static bool check_usage(struct cli *c, struct options *o)
{
    if (o->cpumask && mood_cpu_limit(o->cpumask) != MOOD_OK)
        return cli_usage(c, "--cpumask: %s", mood_error_detail());
    if (o->augment && mood_augment_parse(&o->augmentation, o->augment) != MOOD_OK)
        return cli_usage(c, "--augment: %s", mood_error_detail());
    if (o->folds == 1)
        return cli_usage(c, "--folds: at least 2");
    if (o->folds && (strcmp(o->split, "speaker") != 0 || o->val_speakers || o->test_speakers))
        return cli_usage(c, "--folds deals the speakers: leave --split, --val-speakers and "
                            "--test-speakers out");
    if (o->cross_corpus && (o->folds || strcmp(o->split, "speaker") != 0 || o->val_speakers ||
                            o->test_speakers || o->resume))
        return cli_usage(c, "--cross-corpus tests whole corpora: leave --folds, --split, "
                            "--val-speakers, --test-speakers and --resume out");
    if (!prosody_check(c, o) || !recipe_check(c, o) || !encoder_check(c, o))
        return false;
    o->last = o->folds && o->out && o->network == NETWORK_PROSODY;
    if ((o->folds || o->cross_corpus) && o->out && !o->last)
        cli_warn(c, o->out, "is not written: %s saves no model",
                 o->folds ? "--folds" : "--cross-corpus");
    return true;
}

static int on_compare(void *user, int64_t done, int64_t total)
{
    (void)total;
    cli_progress_at(user, done);
    return cli_stop;
}

/* Before anything is divided: names do not tell which clips are the same recording. */
static bool compare(struct cli *c, mood_corpus *corpus, mood_pool *pool)
{
    struct cli_progress bar;
    const mood_listen_params p = {.pool = pool, .on_progress = on_compare, .user = &bar};
    cli_progress_begin(&bar, c, "comparing", (int64_t)mood_corpus_n_clips(corpus), "clips");
    mood_status status = mood_corpus_listen(corpus, &p);
    cli_progress_end(&bar);
    if (status == MOOD_E_STOPPED)
        cli_error(c, NULL, "stopped; no model was written");
    else if (status != MOOD_OK)
        cli_error(c, NULL, "%s", mood_error_detail());
    return status == MOOD_OK;
}

static void work(struct cli *c, struct options *o)
{
    mood_corpus *corpus = NULL;
    mood_pool *pool = NULL;
    mood_encoder *encoder = NULL;
    bool ok = check_usage(c, o);
    o->out = o->out ? o->out : "model.h5";
    if (ok && (mood_pool_create(&pool, o->threads) != MOOD_OK ||
               mood_corpus_create(&corpus) != MOOD_OK)) {
        cli_error(c, NULL, "%s", mood_error_detail());
        ok = false;
    }
    for (int i = 0; i < o->data.n && ok; i++)
        if (mood_corpus_add(corpus, o->data.items[i]) != MOOD_OK) {
            cli_error(c, NULL, "%s", mood_error_detail()); /* begins with the path */
            ok = false;
        }
    if (ok && o->cross_corpus && mood_corpus_n_collections(corpus) < 2) {
        cli_error(c, NULL, "--cross-corpus: %s is the only corpus: give --data of another",
                  mood_corpus_collection(corpus, 0)->name);
        ok = false;
    }
    if (ok && encoder_load(c, o, &encoder) && compare(c, corpus, pool))
        run_all(c, o, corpus, encoder, pool);
    mood_encoder_destroy(&encoder);
    mood_corpus_destroy(&corpus);
    mood_pool_destroy(&pool);
}

int main(int argc, char **argv)
{
    struct options o = {0};
    struct cli c;
    if (cli_start(&c, &tool, argc, argv, &o))
        work(&c, &o);
    return cli_finish(&c);
}
