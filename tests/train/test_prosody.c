/* SPDX-License-Identifier: MIT
 *
 * test_prosody.c — Training a network on prosody: what it learns, that it is the same on any number
 * of threads and with a bank that knows the clips already, that its answers are those of
 * recognition, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/background.h"
#include "mood/infer.h"
#include "toy.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

enum { PER_SPEAKER = 8 };

static struct toy toy;
static mood_prosody_bank *known; /* what most trainings here find, and do not measure again */
static struct tree files;        /* a folder for what is written */

/* One training with everything that it told and left behind. */
struct fitted {
    mood_status status;
    mood_model *model;
    mood_training out;
    int n_read, n_steps, n_epochs, n_test;
    bool alone;               /* measures everything itself */
    bool gate;                /* of the model */
    mood_train_phase stop_at; /* a phase to stop in */
    bool stops;
};

static int on_event(void *user, const mood_train_event *e)
{
    struct fitted *f = user;
    f->n_read += e->phase == MOOD_TRAIN_READ;
    f->n_steps += e->phase == MOOD_TRAIN_STEP;
    f->n_epochs += e->phase == MOOD_TRAIN_EPOCH;
    f->n_test += e->phase == MOOD_TRAIN_TEST;
    assert_true(e->done > 0 && e->done <= e->total);
    if (e->phase == MOOD_TRAIN_EPOCH)
        assert_true(e->figures->epoch == f->n_epochs && e->figures->ridge > 0);
    return f->stops && e->phase == f->stop_at;
}

/* With a gate, whose background sounds take time, only where a test is about it. */
static mood_model *blank_model(bool gate)
{
    mood_model *m;
    const mood_prosody_net_params net = {.n_centres = gate ? 90 : 60, .no_gate = !gate};
    assert_ok(mood_model_create(&m, &(mood_model_params){.prosody = &net, .seed = 1}));
    return m;
}

/* At two speeds instead of seven, unless the test says which. */
static void fit(struct fitted *f, mood_train_params p)
{
    static const double two[] = {1, 1.1};
    if (!p.prosody.speeds) {
        p.prosody.speeds = two;
        p.prosody.n_speeds = 2;
    }
    if (!p.prosody.bank && !f->alone)
        p.prosody.bank = known;
    f->model = blank_model(f->gate);
    p.on_event = on_event;
    p.user = f;
    f->status = mood_train(f->model, toy.corpus, toy.split, &p, &f->out);
}

static void fitted_free(struct fitted *f)
{
    mood_model_destroy(&f->model);
    mood_training_free(&f->out);
}

static void assert_same_weights(mood_model *a, mood_model *b)
{
    size_t n, m;
    float *x = toy_weights(a, &n), *y = toy_weights(b, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n * sizeof(*x));
    free(x);
    free(y);
}

/* ---- what it learns ---- */

static void test_learns(void **state)
{
    (void)state;
    struct fitted f = {.alone = true};
    fit(&f, (mood_train_params){0});
    assert_ok(f.status);
    assert_true(f.out.n_epochs == 1 && f.out.best_epoch == 1 && f.out.n_answers == PER_SPEAKER);
    const mood_epoch *e = f.out.epochs;
    assert_true(e->ridge == 1e-5 && e->best && e->temperature == mood_model_temperature(f.model));
    print_message("  accuracy %.2f, %.2f, %.2f\n", e->train_accuracy, e->val_accuracy,
                  mood_accuracy(&f.out.test));
    assert_true(e->train_accuracy > 0.9 && e->val_accuracy > 0.9);
    assert_true(mood_accuracy(&f.out.test) > 0.9);
    assert_true(e->train_loss > 0 && e->train_loss < log(MOOD_N_EMOTIONS));
    assert_true(f.n_read > 0 && f.n_steps > 0 && f.n_epochs == 1 && f.n_test > 0);
    fitted_free(&f);
}

/* Mean and scale are those of the windows that were heard, and what does not vary counts nothing.
 */
static void test_standardised(void **state)
{
    (void)state;
    struct fitted f = {0};
    fit(&f, (mood_train_params){.prosody = {.speeds = (double[]){1}, .n_speeds = 1}});
    assert_ok(f.status);
    mood_weights *w = mood_model_weights(f.model);
    const float *scale = mood_weights_value(w, mood_weights_find(w, "prosody.scale"))->data;
    const mood_tensor *centres =
        mood_weights_value(w, mood_weights_find(w, "prosody.centres.weight"));
    const float *bias = mood_weights_value(w, mood_weights_find(w, "prosody.centres.bias"))->data;
    const float *c = centres->data;
    int64_t M = centres->dim[1];
    int n_constant = 0;
    for (int i = 0; i < MOOD_N_FUNCTIONALS; i++) {
        assert_true(scale[i] >= 0 && isfinite(scale[i]));
        double size = 0;
        for (int64_t m = 0; m < M; m++)
            size += fabs((double)c[i * M + m]);
        assert_int_equal(scale[i] == 0, size == 0);
        n_constant += scale[i] == 0;
    }
    print_message("  %d functionals do not vary\n", n_constant);
    assert_true(n_constant < MOOD_N_FUNCTIONALS / 10);
    for (int64_t m = 0; m < M; m++) {
        double length = 0;
        for (int i = 0; i < MOOD_N_FUNCTIONALS; i++)
            length += (double)c[i * M + m] * (double)c[i * M + m];
        assert_true(fabs((double)bias[m] + length / 2) <= 1e-6 * length);
    }
    fitted_free(&f);
}

/* Of several lambdas the best on the validation side, the larger of equals; and the model is that
 * of a training with this one alone. */
static void test_ridges(void **state)
{
    (void)state;
    static const double ridges[] = {1e-4, 1e8, 1e-5, 3e8};
    struct fitted all = {0}, one = {0};
    fit(&all, (mood_train_params){.prosody = {.ridges = ridges, .n_ridges = 4}});
    assert_ok(all.status);
    assert_int_equal(all.out.n_epochs, 4);
    const mood_epoch *e = all.out.epochs;
    assert_true(e[0].ridge == 3e8 && e[1].ridge == 1e8 && e[2].ridge == 1e-4 && e[3].ridge == 1e-5);
    assert_true(e[0].best && e[0].val_uar == e[1].val_uar && !e[1].best);
    const mood_epoch *best = &e[all.out.best_epoch - 1];
    for (int i = 0; i < 4; i++)
        assert_true(e[i].val_uar <= best->val_uar);
    assert_true(best->best && mood_model_temperature(all.model) == best->temperature);

    fit(&one, (mood_train_params){.prosody = {.ridges = &best->ridge, .n_ridges = 1}});
    assert_same_weights(all.model, one.model);
    assert_memory_equal(all.out.prob, one.out.prob, PER_SPEAKER * MOOD_N_EMOTIONS * sizeof(float));
    fitted_free(&all);
    fitted_free(&one);
}

static void test_speeds(void **state)
{
    (void)state;
    struct fitted plain = {0}, fast = {0};
    fit(&plain, (mood_train_params){.prosody = {.speeds = (double[]){1}, .n_speeds = 1}});
    fit(&fast, (mood_train_params){.prosody = {.speeds = (double[]){1.3}, .n_speeds = 1}});
    assert_ok(fast.status);
    /* Tones 1.3 times as high. */
    mood_weights *a = mood_model_weights(plain.model), *b = mood_model_weights(fast.model);
    int i = mood_weights_find(a, "prosody.mean"), k = 0;
    char name[MOOD_FUNCTIONAL_NAME] = "";
    for (; k < MOOD_N_FUNCTIONALS && strcmp(name, "overall.centroid.mean") != 0; k++)
        mood_functional_name(name, k);
    double x = (double)((float *)mood_weights_value(a, i)->data)[k - 1];
    double y = (double)((float *)mood_weights_value(b, i)->data)[k - 1];
    print_message("  centroid %.3f kHz, faster %.3f kHz\n", x, y);
    assert_true(k < MOOD_N_FUNCTIONALS && y > 1.2 * x && y < 1.4 * x);
    fitted_free(&plain);
    fitted_free(&fast);
}

static void test_defaults(void **state)
{
    (void)state;
    struct fitted named = {0};
    mood_model *m = blank_model(false);
    mood_training out;
    fit(&named,
        (mood_train_params){.prosody = {.ridges = (double[]){1e-5},
                                        .n_ridges = 1,
                                        .speeds = (double[]){0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.16},
                                        .n_speeds = 7}});
    assert_ok(mood_train(m, toy.corpus, toy.split, NULL, &out));
    assert_same_weights(m, named.model);
    mood_training_free(&out);
    mood_model_destroy(&m);
    fitted_free(&named);
}

/* Made-up sounds that it was not taught are no speech, and the clips of a speaker that it was not
 * taught are. What is no speech has no emotion either. */
static void test_gate(void **state)
{
    (void)state;
    enum { SOUNDS = 40, TAUGHT = 60 };
    static float pcm[3 * MOOD_SAMPLE_RATE];
    struct fitted f = {.gate = true};
    mood_infer *infer;
    int passed = 0, sure = 0, heard = 0;
    fit(&f, (mood_train_params){.seed = 3, .prosody = {.n_background = TAUGHT}});
    assert_ok(f.status);
    assert_ok(mood_infer_create(&infer, f.model, NULL));
    for (uint64_t i = 0; i < SOUNDS; i++) {
        mood_audio *audio;
        mood_result r;
        mood__background_make(pcm, 3 * MOOD_SAMPLE_RATE, 3, TAUGHT + i);
        assert_ok(
            mood_audio_from_samples(&audio, pcm, 3 * MOOD_SAMPLE_RATE, 1, MOOD_SAMPLE_RATE, NULL));
        assert_ok(mood_infer_run(infer, audio, &r));
        passed += r.verdict != MOOD_VERDICT_NO_SPEECH;
        sure += r.confidence >= MOOD_CONFIDENT;
        mood_audio_destroy(&audio);
    }
    for (size_t i = 0; i < f.out.n_answers; i++) {
        mood_audio *audio;
        mood_result r;
        size_t clip = f.out.answers[i].clip;
        assert_ok(mood_audio_read(&audio, mood_corpus_clip(toy.corpus, clip)->path, NULL));
        assert_ok(mood_infer_run(infer, audio, &r));
        heard += r.verdict != MOOD_VERDICT_NO_SPEECH;
        mood_audio_destroy(&audio);
    }
    print_message("  %d of %d sounds passed, %d with confidence; %d of %zu clips\n", passed, SOUNDS,
                  sure, heard, f.out.n_answers);
    assert_true(passed <= SOUNDS / 10 && sure <= SOUNDS / 10);
    assert_int_equal(heard, f.out.n_answers);
    mood_infer_destroy(&infer);
    fitted_free(&f);
}

/* The validation side is learnt from in the end, unless it is kept apart. */
static void test_validation_side(void **state)
{
    (void)state;
    struct fitted both = {0}, apart = {0};
    fit(&both, (mood_train_params){0});
    fit(&apart, (mood_train_params){.prosody = {.keep_apart = true}});
    assert_ok(both.status);
    assert_ok(apart.status);
    assert_true(both.n_steps == 2 * apart.n_steps || both.n_steps == 2 * apart.n_steps + 1);
    assert_true(mood_model_temperature(both.model) == mood_model_temperature(apart.model));
    mood_weights *a = mood_model_weights(both.model), *b = mood_model_weights(apart.model);
    int i = mood_weights_find(a, "prosody.mean");
    assert_memory_not_equal(mood_weights_value(a, i)->data, mood_weights_value(b, i)->data,
                            MOOD_N_FUNCTIONALS * sizeof(float));
    fitted_free(&both);
    fitted_free(&apart);
}

/* ---- the same bytes ---- */

static void test_same_bytes(void **state)
{
    (void)state;
    struct fitted one = {.alone = true, .gate = true}, three = {.alone = true, .gate = true};
    mood_pool *pool;
    assert_ok(mood_pool_create(&pool, 3));
    mood_train_params p = {.copies = 1, .prosody = {.n_background = 9}};
    assert_ok(mood_augment_parse(&p.augment, "noise,room,lowpass"));
    fit(&one, p);
    p.pool = pool;
    fit(&three, p);
    assert_ok(one.status);
    assert_ok(three.status);
    assert_same_weights(one.model, three.model);
    assert_memory_equal(one.out.raw, three.out.raw, PER_SPEAKER * MOOD_N_EMOTIONS * sizeof(float));
    assert_memory_equal(one.out.prob, three.out.prob,
                        PER_SPEAKER * MOOD_N_EMOTIONS * sizeof(float));
    fitted_free(&one);
    fitted_free(&three);
    mood_pool_destroy(&pool);
}

/* Noise makes voices brighter; of two kinds each is in some copies only. */
static void test_copies(void **state)
{
    (void)state;
    static const char *const kinds[] = {"noise", "noise,lowpass"};
    struct fitted plain = {0}, changed[2] = {{0}};
    float mean[3];
    int k = 0;
    char name[MOOD_FUNCTIONAL_NAME] = "";
    for (; k < MOOD_N_FUNCTIONALS && strcmp(name, "overall.centroid.mean") != 0; k++)
        mood_functional_name(name, k);
    mood_train_params p = {.prosody = {.speeds = (double[]){1}, .n_speeds = 1}};
    p.augment.noise_snr_min_db = p.augment.noise_snr_max_db = 10;
    fit(&plain, p);
    p.copies = 2;
    for (int i = 0; i < 2; i++) {
        assert_ok(mood_augment_parse(&p.augment, kinds[i]));
        fit(&changed[i], p);
        assert_ok(changed[i].status);
    }
    const struct fitted *all[] = {&plain, &changed[0], &changed[1]};
    for (int i = 0; i < 3; i++) {
        mood_weights *w = mood_model_weights(all[i]->model);
        const mood_tensor *t = mood_weights_value(w, mood_weights_find(w, "prosody.mean"));
        mean[i] = ((const float *)t->data)[k - 1];
    }
    print_message("  centroid %.2f kHz, with noise %.2f, and low-pass %.2f\n", (double)mean[0],
                  (double)mean[1], (double)mean[2]);
    assert_true(mean[1] > mean[0] * 1.2f && mean[2] < mean[1] && mean[2] > mean[0] * 0.8f);
    fitted_free(&plain);
    fitted_free(&changed[0]);
    fitted_free(&changed[1]);
}

/* Copies are measured once too, and again when they are to be others. */
static void test_bank_of_copies(void **state)
{
    (void)state;
    mood_prosody_bank *bank;
    assert_ok(mood_prosody_bank_create(&bank, toy.corpus));
    mood_train_params p = {.copies = 2,
                           .prosody = {.bank = bank, .speeds = (double[]){1, 1.1}, .n_speeds = 2}};
    for (int i = 0; i < 6; i++) {
        struct fitted f = {0}, alone = {.alone = true};
        assert_ok(mood_augment_parse(&p.augment, i < 4 ? "noise" : "noise,room"));
        p.copies = i == 2 ? 1 : 2;
        p.seed = i < 3 ? 0 : 1;
        fit(&f, p);
        assert_ok(f.status);
        assert_int_equal(f.n_read > 0, i == 0 || i == 3 || i == 4);
        mood_train_params own = p;
        own.prosody.bank = NULL;
        fit(&alone, own);
        assert_same_weights(f.model, alone.model);
        fitted_free(&f);
        fitted_free(&alone);
    }
    mood_prosody_bank_destroy(&bank);
}

static void test_bank(void **state)
{
    (void)state;
    struct fitted first = {0}, second = {0}, third = {0}, alone = {.alone = true};
    mood_prosody_bank *bank;
    assert_ok(mood_prosody_bank_create(&bank, toy.corpus));
    mood_train_params p = {.prosody = {.bank = bank, .speeds = (double[]){1, 1.1}, .n_speeds = 2}};
    fit(&first, p);
    fit(&second, p);
    assert_true(first.n_read > 0 && second.n_read == 0);
    assert_same_weights(first.model, second.model);
    p.prosody.speeds = (double[]){0.9, 1.1};
    fit(&third, p);
    p.prosody.bank = NULL;
    fit(&alone, p);
    assert_ok(third.status);
    assert_true(third.n_read > 0);
    assert_same_weights(third.model, alone.model);
    fitted_free(&first);
    fitted_free(&second);
    fitted_free(&third);
    fitted_free(&alone);
    mood_prosody_bank_destroy(&bank);
    assert_null(bank);
    mood_prosody_bank_destroy(&bank);
}

/* ---- the model ---- */

/* From the file: mood_infer_run gives what the training said of each test clip, bit by bit. */
static void test_answers(void **state)
{
    (void)state;
    struct fitted f = {0};
    mood_model *back;
    mood_infer *infer;
    const char *path = tree_path(&files, "prosody.h5");
    fit(&f, (mood_train_params){0});
    assert_ok(mood_model_save(f.model, path));
    assert_ok(mood_model_load(&back, path));
    assert_int_equal(mood_model_network(back), MOOD_NETWORK_PROSODY);
    assert_int_equal(mood_model_prosody(back)->n_functionals, MOOD_N_FUNCTIONALS);
    assert_true(!mood_model_heads(back) && !mood_model_classifier(back) &&
                !mood_model_encoder(back));
    assert_same_weights(f.model, back);
    assert_ok(mood_infer_create(&infer, back, NULL));
    for (size_t i = 0; i < f.out.n_answers; i++) {
        const mood_answer *a = &f.out.answers[i];
        mood_audio *audio;
        mood_result r;
        assert_ok(mood_audio_read(&audio, mood_corpus_clip(toy.corpus, a->clip)->path, NULL));
        assert_ok(mood_infer_run(infer, audio, &r));
        assert_memory_equal(r.prob, a->prob, MOOD_N_EMOTIONS * sizeof(float));
        assert_int_equal(r.best, a->best);
        mood_audio_destroy(&audio);
    }
    mood_infer_destroy(&infer);
    mood_model_destroy(&back);
    fitted_free(&f);
}

/* ---- the end of it ---- */

static void test_stops(void **state)
{
    (void)state;
    static const mood_train_phase phases[] = {MOOD_TRAIN_READ, MOOD_TRAIN_STEP, MOOD_TRAIN_EPOCH,
                                              MOOD_TRAIN_TEST};
    for (int i = 0; i < 4; i++) {
        struct fitted f = {.alone = i == 0, .stops = true, .stop_at = phases[i]};
        fit(&f, (mood_train_params){0});
        assert_int_equal(f.status, MOOD_E_STOPPED);
        assert_int_equal(f.out.n_epochs, i >= 2);
        fitted_free(&f);
    }
    static const volatile int flag = 1;
    struct fitted f = {.alone = true};
    fit(&f, (mood_train_params){.stop = &flag});
    assert_int_equal(f.status, MOOD_E_STOPPED);
    fitted_free(&f);
}

static void expect_refused(mood_train_params p, const char *text)
{
    struct fitted f = {0};
    fit(&f, p);
    assert_int_equal(f.status, MOOD_E_INVALID);
    if (!strstr(mood_error_detail(), text))
        fail_msg("'%s' is not in '%s'", text, mood_error_detail());
    assert_true(f.n_read == 0 && f.out.n_answers == 0);
    fitted_free(&f);
}

static void test_refused(void **state)
{
    (void)state;
    static const double many[MOOD_MAX_RIDGES + 1] = {1};
    static const double wrong[] = {0, -1, NAN, INFINITY, 1e10};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect_refused((mood_train_params){.prosody = {.ridges = &wrong[i], .n_ridges = 1}},
                       "out of range");
        expect_refused((mood_train_params){.prosody = {.speeds = &wrong[i], .n_speeds = 1}},
                       "out of range");
    }
    expect_refused(
        (mood_train_params){.prosody = {.ridges = many, .n_ridges = MOOD_MAX_RIDGES + 1}},
        "out of range");
    expect_refused((mood_train_params){.prosody = {.speeds = many, .n_speeds = -1}},
                   "out of range");
    expect_refused((mood_train_params){.prosody = {.n_background = -1}}, "background");
    expect_refused((mood_train_params){.copies = -1}, "copies");
    mood_train_params p = {.augment = {.kinds = MOOD_AUGMENT_TIME_MASK}};
    expect_refused(p, "hears no log-mel");
    p.augment = (mood_augment_params){.kinds = MOOD_AUGMENT_ROOM, .room_s = -1};
    expect_refused(p, "room");
    expect_refused((mood_train_params){.checkpoint = "x"}, "no checkpoints");
    expect_refused((mood_train_params){.resume = true}, "no checkpoints");

    mood_corpus *other;
    mood_prosody_bank *bank;
    assert_ok(mood_corpus_create(&other));
    assert_ok(mood_prosody_bank_create(&bank, other));
    expect_refused((mood_train_params){.prosody = {.bank = bank}}, "another corpus");
    mood_prosody_bank_destroy(&bank);
    mood_corpus_destroy(&other);
}

static int setup(void **state)
{
    (void)state;
    toy_make(&toy, &(struct toy_params){.per_speaker = PER_SPEAKER, .long_clips = true});
    tree_make(&files);
    return mood_prosody_bank_create(&known, toy.corpus) == MOOD_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    mood_prosody_bank_destroy(&known);
    toy_free(&toy);
    tree_remove(&files);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gate),           cmocka_unit_test(test_validation_side),
        cmocka_unit_test(test_learns),         cmocka_unit_test(test_standardised),
        cmocka_unit_test(test_ridges),         cmocka_unit_test(test_speeds),
        cmocka_unit_test(test_defaults),       cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_bank),           cmocka_unit_test(test_copies),
        cmocka_unit_test(test_bank_of_copies), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_stops),          cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests_name("train-prosody", tests, setup, teardown);
}
