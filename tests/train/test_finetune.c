/* SPDX-License-Identifier: MIT
 *
 * test_finetune.c — An encoder that is trained with the heads: its losses are PyTorch's
 * (tests/golden/make_finetune.py); what is frozen stays; the result does not depend on threads and
 * interruptions; and the model that comes out answers by itself as the training says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../golden/golden.h"
#include "listener.h"
#include "models/encoder.h"
#include "mood/infer.h"
#include "mood/ops.h"
#include "train/tuning.h"

enum { PER_SPEAKER = 6, EPOCHS = 3, BATCH = 4, STEPS = 8, BANDS = 64, MEL_FRAMES = 94 };

static const double LOSS_BOUND = 1e-4;

static struct golden *golden;
static struct toy toy;
static struct tree files;

/* ---- against PyTorch ---- */

/* A tuned encoder and its heads, on batches of the formula. */
struct net {
    mood_model *model;
    struct mood__tuning tuning;
    mood_graph *graph;
    mood_node *input, *mel, *labels, *loss;
    mood_optimiser *optimiser;
};

static void start(struct net *n, const struct encoder_form *form, int finetune)
{
    mood_encoder *e;
    *n = (struct net){0};
    assert_ok(mood_encoder_create(&e, &form->config, &(mood_encoder_params){.seed = 1}));
    encoder_formula(mood_encoder_weights(e));
    mood_encoder_identify(e);
    n->model = listener_model(e, form->config.n_layers);
    formula_weights(mood_model_weights(n->model));
    mood_train_params p = {.encoder = e, .finetune = finetune};
    assert_ok(mood__tuning_begin(&n->tuning, n->model, &p));
    assert_ok(mood_graph_create(
        &n->graph, &(mood_graph_params){.weights = n->tuning.weights, .training = true}));
    n->input =
        mood__encoder_part_input(n->graph, &form->config, n->tuning.part, BATCH, form->n_samples);
    n->mel = mood_input(n->graph, "mel", MOOD_F32, 4, (int64_t[]){BATCH, BANDS, MEL_FRAMES, 1});
    n->labels = mood_input(n->graph, "labels", MOOD_I32, 1, (int64_t[]){BATCH});
    mood_node *features = mood__tuning_features(&n->tuning, n->input);
    n->loss =
        mood_cross_entropy(mood_model_logits(n->model, features, n->mel, -1), n->labels, NULL);
    if (mood_graph_compile(n->graph, &n->loss, 1) != MOOD_OK)
        fail_msg("compile: %s", mood_error_detail());
    assert_ok(mood_optimiser_create(&n->optimiser, n->tuning.weights, NULL));
    mood__tuning_set_rate(&n->tuning, n->optimiser, n->model, &p);
    mood_encoder_destroy(&e);
}

static void stop(struct net *n)
{
    mood_optimiser_destroy(&n->optimiser);
    mood_graph_destroy(&n->graph);
    mood__tuning_free(&n->tuning);
    mood_model_destroy(&n->model);
}

static void feed(const mood_node *input, const char *what, int step)
{
    char name[32];
    const mood_tensor *t = mood_node_value(input);
    snprintf(name, sizeof(name), "%s.%d", what, step);
    formula_values(t->data, mood_tensor_elements(t), name);
}

static float step(struct net *n, int i)
{
    char name[32];
    feed(n->input, "input", i);
    feed(n->mel, "mel", i);
    snprintf(name, sizeof(name), "label.%d", i);
    formula_labels(mood_node_value(n->labels)->data, BATCH, name, MOOD_N_EMOTIONS);
    mood_weights_zero_grad(n->tuning.weights);
    assert_ok(mood_graph_forward(n->graph));
    assert_ok(mood_graph_backward(n->graph));
    mood_optimiser_step(n->optimiser, NULL);
    return *(float *)mood_node_value(n->loss)->data;
}

static void test_losses(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int form, finetune;
    } cases[] = {{"layers", BASE, 2}, {"top", LARGE, 1}, {"all", BASE, MOOD_FINETUNE_ALL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net n;
        float losses[STEPS];
        mood_tensor got;
        start(&n, &encoder_forms[cases[i].form], cases[i].finetune);
        for (int s = 0; s < STEPS; s++)
            losses[s] = step(&n, s);
        assert_ok(mood_tensor_make(&got, losses, MOOD_F32, 1, (int64_t[]){STEPS}));
        double error = golden_error(&got, golden_find(golden, cases[i].name, "losses"), 0);
        print_message("  %-8s %.1e of %.0e\n", cases[i].name, error, LOSS_BOUND);
        assert_true(error <= LOSS_BOUND);
        stop(&n);
    }
}

/* ---- trainings ---- */

/* What is trained, of an encoder of three layers: layer 2 and nothing else; 2 and 3; all. */
static const struct what {
    int layer, finetune;
} whats[] = {{2, 1}, {3, 2}, {3, MOOD_FINETUNE_ALL}};
enum { N_WHATS = sizeof(whats) / sizeof(whats[0]) };

struct run {
    mood_status status;
    mood_model *model;
    mood_training out;
    int stop_after; /* epochs; 0: never */
    volatile int flag;
};

static int on_event(void *user, const mood_train_event *e)
{
    struct run *r = user;
    if (r->stop_after > 0 && e->phase == MOOD_TRAIN_STEP && e->epoch == r->stop_after)
        r->flag = 1;
    return 0;
}

/* All that may matter beside what is trained. */
static mood_train_params params(const struct what *w, mood_encoder *e)
{
    return (mood_train_params){
        .epochs = EPOCHS,
        .batch = 5,
        .accumulate = 2,
        .mixup = 0.2f,
        .average = 0.5f,
        .seed = 3,
        .augment = {.kinds = MOOD_AUGMENT_NOISE | MOOD_AUGMENT_SHIFT},
        .copies = 1,
        .encoder = e,
        .cache = files.root,
        .finetune = w->finetune,
    };
}

static void train(struct run *r, const struct what *w, mood_train_params p)
{
    p.on_event = on_event;
    p.user = r;
    p.stop = &r->flag;
    r->model = listener_model(p.encoder, w->layer);
    r->status = mood_train(r->model, toy.corpus, toy.split, &p, &r->out);
}

static void run_free(struct run *r)
{
    mood_model_destroy(&r->model);
    mood_training_free(&r->out);
}

static void assert_same_weights(const mood_weights *a, const mood_weights *b)
{
    assert_int_equal(mood_weights_count(a), mood_weights_count(b));
    for (int i = 0; i < mood_weights_count(a); i++) {
        const mood_tensor *x = mood_weights_value(a, i), *y = mood_weights_value(b, i);
        assert_memory_equal(x->data, y->data, mood_tensor_bytes(x));
    }
}

static void assert_same(const struct run *a, const struct run *b)
{
    assert_ok(a->status);
    assert_ok(b->status);
    assert_same_weights(mood_model_weights(a->model), mood_model_weights(b->model));
    mood_encoder *x = mood_model_embedded(a->model), *y = mood_model_embedded(b->model);
    assert_same_weights(mood_encoder_weights(x), mood_encoder_weights(y));
    assert_string_equal(mood_encoder_identity(x), mood_encoder_identity(y));
    assert_int_equal(a->out.n_answers, PER_SPEAKER);
    assert_memory_equal(a->out.prob, b->out.prob,
                        a->out.n_answers * MOOD_N_EMOTIONS * sizeof(float));
}

static bool same_value(mood_encoder *a, mood_encoder *b, const char *name)
{
    const mood_weights *x = mood_encoder_weights(a), *y = mood_encoder_weights(b);
    const mood_tensor *t = mood_weights_value(x, mood_weights_find(x, name));
    return memcmp(t->data, mood_weights_value(y, mood_weights_find(y, name))->data,
                  mood_tensor_bytes(t)) == 0;
}

static void test_what_moves(void **state)
{
    (void)state;
    static const char *const names[] = {
        "feature_extractor.conv_layers.0.conv.weight", "encoder.pos_conv_embed.conv.bias",
        "encoder.layers.0.attention.v_proj.weight", "encoder.layers.1.attention.v_proj.weight",
        "encoder.layers.2.attention.v_proj.weight"};
    static const bool moves[N_WHATS][5] = {
        {[3] = true}, {[3] = true, [4] = true}, {true, true, true, true, true}};
    mood_encoder *e = listener_encoder(7), *before = listener_encoder(7);
    for (int i = 0; i < N_WHATS; i++) {
        struct run r = {0};
        train(&r, &whats[i], params(&whats[i], e));
        assert_ok(r.status);
        mood_encoder *tuned = mood_model_embedded(r.model);
        for (int k = 0; k < 5; k++) {
            assert_true(same_value(e, before, names[k])); /* the caller's is left alone */
            assert_int_equal(same_value(tuned, before, names[k]), !moves[i][k]);
        }
        assert_string_not_equal(mood_encoder_identity(tuned), mood_encoder_identity(e));
        assert_ok(mood_encoder_verify(tuned));
        assert_ok(mood_model_check_encoder(r.model, tuned));
        assert_int_equal(mood_model_check_encoder(r.model, e), MOOD_E_INVALID);
        run_free(&r);
    }
    mood_encoder_destroy(&before);
    mood_encoder_destroy(&e);
}

static void test_threads(void **state)
{
    (void)state;
    mood_pool *pool;
    mood_encoder *e = listener_encoder(7);
    assert_ok(mood_pool_create(&pool, 3));
    for (int i = 0; i < N_WHATS; i++) {
        struct run one = {0}, three = {0};
        mood_train_params p = params(&whats[i], e);
        train(&one, &whats[i], p);
        p.pool = pool;
        train(&three, &whats[i], p);
        assert_same(&one, &three);
        run_free(&one);
        run_free(&three);
    }
    mood_encoder_destroy(&e);
    mood_pool_destroy(&pool);
}

/* The model's file, alone, gives the answers of the training. */
static void test_answers(void **state)
{
    (void)state;
    mood_encoder *e = listener_encoder(7);
    const char *path = tree_path(&files, "model.h5");
    for (int i = 0; i < N_WHATS; i++) {
        struct run r = {0};
        mood_model *m;
        mood_infer *infer;
        train(&r, &whats[i], params(&whats[i], e));
        assert_ok(r.status);
        assert_ok(mood_model_save(r.model, path));
        assert_ok(mood_model_load(&m, path));
        assert_ok(mood_infer_create(&infer, m, NULL));
        for (size_t k = 0; k < r.out.n_answers; k++) {
            mood_audio *audio;
            mood_result result;
            assert_ok(mood_audio_read(
                &audio, mood_corpus_clip(toy.corpus, r.out.answers[k].clip)->path, NULL));
            assert_ok(mood_infer_run(infer, audio, &result));
            assert_memory_equal(result.prob, r.out.answers[k].prob,
                                MOOD_N_EMOTIONS * sizeof(float));
            mood_audio_destroy(&audio);
        }
        mood_infer_destroy(&infer);
        mood_model_destroy(&m);
        run_free(&r);
    }
    mood_encoder_destroy(&e);
}

static void test_resume(void **state)
{
    (void)state;
    mood_encoder *e = listener_encoder(7), *other = listener_encoder(8);
    char path[600];
    snprintf(path, sizeof(path), "%s", tree_path(&files, "model.h5.checkpoint"));
    for (int i = 0; i < N_WHATS; i++) {
        struct run whole = {0}, part = {.stop_after = 1}, rest = {0}, wrong = {0};
        mood_train_params p = params(&whats[i], e);
        train(&whole, &whats[i], p);
        p.checkpoint = path;
        train(&part, &whats[i], p);
        assert_int_equal(part.status, MOOD_E_STOPPED);
        assert_int_equal(part.out.n_epochs, 1);
        p.resume = true;
        p.encoder_rate = 0.5;
        train(&wrong, &whats[i], p);
        assert_int_equal(wrong.status, MOOD_E_INVALID);
        assert_non_null(strstr(mood_error_detail(), "encoder's rate"));
        run_free(&wrong);
        p.encoder_rate = 0;
        p.encoder = other;
        train(&wrong, &whats[i], p);
        assert_int_equal(wrong.status, MOOD_E_INVALID);
        assert_non_null(strstr(mood_error_detail(), "another encoder"));
        run_free(&wrong);
        p.encoder = e;
        train(&rest, &whats[i], p);
        assert_same(&whole, &rest);
        run_free(&whole);
        run_free(&part);
        run_free(&rest);
    }
    mood_encoder_destroy(&other);
    mood_encoder_destroy(&e);
}

static void assert_refused(const mood_train_params *p, int layer, mood_status status,
                           const char *said)
{
    struct run r = {0};
    r.model = listener_model(p->encoder, layer);
    assert_int_equal(mood_train(r.model, toy.corpus, toy.split, p, &r.out), status);
    if (!strstr(mood_error_detail(), said))
        fail_msg("'%s' does not say '%s'", mood_error_detail(), said);
    run_free(&r);
}

static void test_refused(void **state)
{
    (void)state;
    mood_encoder *e = listener_encoder(7), *rounded;
    mood_train_params p = params(&whats[1], e);
    assert_refused(&p, 1, MOOD_E_INVALID, "hears layer 1, which has 1 below");
    assert_refused(&p, MOOD_LAYER_MIX, MOOD_E_INVALID, "a mixture");
    p.finetune = -2;
    assert_refused(&p, 3, MOOD_E_INVALID, "-2 layers");
    p.finetune = 1;
    p.encoder_rate = -1;
    assert_refused(&p, 3, MOOD_E_INVALID, "rate");
    p.encoder_rate = 0;
    const char *path = tree_path(&files, "i8.h5");
    assert_ok(mood_encoder_save(e, path, MOOD_I8));
    assert_ok(mood_encoder_load(&rounded, path));
    p.encoder = rounded;
    assert_refused(&p, 3, MOOD_E_UNSUPPORTED, "8 bits cannot be trained");
    mood_encoder_destroy(&rounded);
    mood_encoder_destroy(&e);

    mood_model *deaf = toy_model(1);
    mood_training out;
    mood_train_params none = {.finetune = 1};
    assert_int_equal(mood_train(deaf, toy.corpus, toy.split, &none, &out), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "no encoder to be trained"));
    mood_training_free(&out);
    mood_model_destroy(&deaf);
}

static int setup(void **state)
{
    (void)state;
    toy_make(&toy, &(struct toy_params){.per_speaker = PER_SPEAKER, .long_clips = true});
    tree_make(&files);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tree_remove(&files);
    toy_free(&toy);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_losses),  cmocka_unit_test(test_what_moves),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_resume),  cmocka_unit_test(test_refused),
    };
    golden = argc > 1 ? golden_open(argv[1]) : NULL;
    if (!golden)
        return 1;
    int failed = cmocka_run_group_tests(tests, setup, teardown);
    golden_close(&golden);
    return failed;
}
