/* SPDX-License-Identifier: MIT
 *
 * test_model_encoder.c — Models that hear an encoder: how they are made and refused, that files
 * keep all of it, and where the encoder is looked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/half.h"
#include "base/mem.h"
#include "encoder_model.h"
#include "store/temp.h"
#include "tensor/tensor.h"

#define assert_ok(expr)                                                                            \
    do {                                                                                           \
        mood_status assert_ok_status = (expr);                                                     \
        if (assert_ok_status != MOOD_OK)                                                           \
            fail_msg("%s: %s", #expr, mood_error_detail());                                        \
    } while (0)

static void assert_said(const char *text)
{
    if (!strstr(mood_error_detail(), text))
        fail_msg("'%s' does not say '%s'", mood_error_detail(), text);
}

/* ---- making ------------------------------------------------------------------------------- */

static void test_use(void **state)
{
    (void)state;
    mood_encoder *e;
    assert_ok(small_encoder(&e, 1));
    for (int i = 0; i < N_ENCODER_MODEL_KINDS; i++) {
        const struct encoder_model_kind *kind = &encoder_model_kinds[i];
        mood_model *m;
        assert_ok(encoder_model(&m, e, kind, "some/where.h5"));
        const mood_encoder_use *use = mood_model_encoder(m);
        assert_non_null(use);
        assert_string_equal(use->identity, mood_encoder_identity(e));
        assert_int_equal(use->layer, kind->layer);
        assert_int_equal(use->n_layers, 3);
        assert_int_equal(use->width, 16);
        assert_string_equal(use->hint, "some/where.h5");
        assert_null(mood_model_embedded(m));

        const mood_heads_params *heads = mood_model_heads(m);
        const mood_classifier_params *c = mood_model_classifier(m);
        assert_int_equal(mood_model_network(m),
                         kind->classifier ? MOOD_NETWORK_CLASSIFIER : MOOD_NETWORK_HEADS);
        assert_int_equal(heads != NULL, kind->classifier == NULL);
        assert_int_equal(c != NULL, kind->classifier != NULL);
        if (heads)
            assert_int_equal(heads->feature_width, 16);
        if (c) {
            assert_int_equal(c->width, 16);
            assert_int_equal(c->units, kind->classifier->units ? kind->classifier->units : 16);
            assert_int_equal(c->n_labels, MOOD_N_EMOTIONS);
        }
        int mix = mood_weights_find(mood_model_weights(m), "mix.weights");
        assert_int_equal(mix >= 0, kind->layer == MOOD_LAYER_MIX);
        if (mix >= 0)
            assert_int_equal(mood_weights_value(mood_model_weights(m), mix)->dim[0], 4);
        mood_model_destroy(&m);
    }
    mood_encoder_destroy(&e);
}

static void test_bad_params(void **state)
{
    (void)state;
    mood_encoder *e, *nameless;
    assert_ok(small_encoder(&e, 1));
    assert_ok(mood_encoder_create(&nameless, &encoder_forms[BASE].config, NULL));
    const mood_classifier_params wide = {.units = 1 << 20}, formless = {.form = 7};
    const struct {
        mood_model_params params;
        const char *text;
    } cases[] = {
        {{.encoder = e, .encoder_layer = 4}, "layer 4 is outside 0 to 3"},
        {{.encoder = e, .encoder_layer = -2}, "layer -2 is outside 0 to 3"},
        {{.encoder = e, .heads = {.feature_width = 17}},
         "feature width 17, but an encoder of width 16"},
        {{.classifier = &classifier_tanh}, "a classifier without an encoder"},
        {{.encoder = e, .classifier = &wide}, "1048576 units"},
        {{.encoder = e, .classifier = &formless}, "form 7"},
        {{.encoder = nameless}, "identity"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mood_model *m = (mood_model *)&m;
        assert_int_equal(mood_model_create(&m, &cases[i].params), MOOD_E_INVALID);
        assert_null(m);
        assert_said(cases[i].text);
    }
    /* A path that a text cannot hold is not kept. */
    mood_model *m;
    assert_ok(encoder_model(&m, e, &encoder_model_kinds[0], "caf\xe9.h5"));
    assert_string_equal(mood_model_encoder(m)->hint, "");
    mood_model_destroy(&m);
    mood_encoder_destroy(&e);
    mood_encoder_destroy(&nameless);
}

/* ---- files -------------------------------------------------------------------------------- */

static void assert_same_weights(mood_weights *a, mood_weights *b)
{
    assert_int_equal(mood_weights_count(a), mood_weights_count(b));
    for (int i = 0; i < mood_weights_count(a); i++) {
        const mood_tensor *x = mood_weights_value(a, i);
        int j = mood_weights_find(b, mood_weights_name(a, i));
        assert_true(j >= 0 && mood_tensor_same_shape(x, mood_weights_value(b, j)));
        assert_memory_equal(x->data, mood_weights_value(b, j)->data, mood_tensor_bytes(x));
    }
}

static void assert_same_file(const char *a, const char *b)
{
    unsigned char *bytes[2];
    size_t n[2];
    assert_ok(mood__file_read(a, 1 << 22, &bytes[0], &n[0]));
    assert_ok(mood__file_read(b, 1 << 22, &bytes[1], &n[1]));
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
    mood__free(bytes[0]);
    mood__free(bytes[1]);
}

static void assert_same(mood_model *a, mood_model *b)
{
    const mood_encoder_use *u = mood_model_encoder(a), *v = mood_model_encoder(b);
    assert_string_equal(u->identity, v->identity);
    assert_string_equal(u->hint, v->hint);
    assert_int_equal(u->layer, v->layer);
    assert_int_equal(u->n_layers, v->n_layers);
    assert_int_equal(u->width, v->width);
    assert_int_equal(mood_model_network(a), mood_model_network(b));
    const mood_classifier_params *c = mood_model_classifier(a), *d = mood_model_classifier(b);
    if (c) {
        assert_int_equal(c->units, d->units);
        assert_int_equal(c->form, d->form);
        assert_int_equal(c->pooling, d->pooling);
    }
    assert_same_weights(mood_model_weights(a), mood_model_weights(b));
}

static void test_round_trip(void **state)
{
    (void)state;
    const char *path = temp_path("model"), *again = temp_path("again");
    mood_encoder *e;
    assert_ok(small_encoder(&e, 1));
    for (int i = 0; i < N_ENCODER_MODEL_KINDS; i++) {
        mood_model *m, *back;
        assert_ok(encoder_model(&m, e, &encoder_model_kinds[i], "tr\xc3\xa4ne.h5"));
        assert_ok(mood_model_save(m, path));
        assert_ok(mood_model_load(&back, path));
        assert_same(m, back);
        assert_null(mood_model_embedded(back));
        assert_ok(mood_model_save(back, again));
        assert_same_file(path, again);
        mood_model_destroy(&m);
        mood_model_destroy(&back);
    }
    mood_encoder_destroy(&e);
}

/* What half precision leaves of the weights. */
static void round_weights(mood_weights *w)
{
    for (int i = 0; i < mood_weights_count(w); i++) {
        float *x = mood_weights_value(w, i)->data;
        for (int64_t k = 0; k < mood_tensor_elements(mood_weights_value(w, i)); k++) {
            uint16_t half;
            mood__f32_to_f16(&half, &x[k], 1);
            mood__f16_to_f32(&x[k], &half, 1);
        }
    }
}

static void test_embedded(void **state)
{
    (void)state;
    const char *path = temp_path("model"), *again = temp_path("again");
    size_t bytes[2];
    for (int f16 = 0; f16 < 2; f16++) {
        mood_encoder *e, *found;
        mood_model *m, *back;
        assert_ok(small_encoder(&e, 1));
        assert_ok(encoder_model(&m, e, &encoder_model_kinds[3], NULL));
        assert_ok(mood_model_embed(m, e, MOOD_F32)); /* the second counts */
        assert_ok(mood_model_embed(m, e, f16 ? MOOD_F16 : MOOD_F32));
        assert_ptr_equal(mood_model_embedded(m), e);
        assert_ok(mood_model_save(m, path));
        assert_ok(mood_model_load(&back, path));
        assert_same(m, back);
        assert_non_null(mood_model_embedded(back));
        assert_string_equal(mood_encoder_identity(mood_model_embedded(back)),
                            mood_encoder_identity(e));
        assert_ok(mood_model_find_encoder(&found, back, path, NULL));
        assert_ptr_equal(found, mood_model_embedded(back));

        /* Asking for more bits does not bring them back. */
        assert_ok(mood_model_embed(back, found, MOOD_F32));
        assert_ok(mood_model_save(back, again));
        assert_same_file(path, again);
        unsigned char *content;
        assert_ok(mood__file_read(path, 1 << 22, &content, &bytes[f16]));
        mood__free(content);

        if (f16)
            round_weights(mood_encoder_weights(e));
        mood_model_destroy(&back); /* found has an owner of its own */
        assert_same_weights(mood_encoder_weights(e), mood_encoder_weights(found));
        mood_encoder_destroy(&found);
        mood_encoder_destroy(&e);
        mood_model_destroy(&m);
    }
    assert_true(bytes[1] < bytes[0]);
}

static void test_embed_refusals(void **state)
{
    (void)state;
    mood_encoder *e, *other;
    mood_model *m, *plain;
    char both[200];
    assert_ok(small_encoder(&e, 1));
    assert_ok(small_encoder(&other, 2));
    assert_ok(encoder_model(&m, e, &encoder_model_kinds[0], NULL));
    assert_ok(formula_model(&plain, &formula_params_small));
    assert_int_equal(mood_model_embed(m, other, MOOD_F32), MOOD_E_INVALID);
    snprintf(both, sizeof(both), "its identity is %s, the model's encoder has %s",
             mood_encoder_identity(other), mood_encoder_identity(e));
    assert_said(both);
    assert_int_equal(mood_model_embed(m, e, MOOD_I32), MOOD_E_INVALID);
    assert_said("not as i32");
    assert_int_equal(mood_model_embed(plain, e, MOOD_F32), MOOD_E_INVALID);
    assert_said("the model has no encoder");
    assert_null(mood_model_embedded(m));
    mood_model_destroy(&m);
    mood_model_destroy(&plain);
    mood_encoder_destroy(&e);
    mood_encoder_destroy(&other);
}

/* ---- finding ------------------------------------------------------------------------------ */

/* Encoder 1 is the model's; encoder 2 is another. */
struct finding {
    mood_encoder *e[2];
    mood_model *m;
};

static void save_as(const struct finding *f, int which, const char *path)
{
    assert_ok(mood_encoder_save(f->e[which], path, MOOD_F32));
}

static void start_finding(struct finding *f, const char *hint)
{
    assert_ok(small_encoder(&f->e[0], 1));
    assert_ok(small_encoder(&f->e[1], 2));
    assert_ok(encoder_model(&f->m, f->e[0], &encoder_model_kinds[0], hint));
}

static void stop_finding(struct finding *f)
{
    mood_model_destroy(&f->m);
    mood_encoder_destroy(&f->e[0]);
    mood_encoder_destroy(&f->e[1]);
    unsetenv("MOOD_HOME");
    temp_sweep();
}

static void assert_found(const struct finding *f, const char *model_path, const char *given)
{
    mood_encoder *found;
    assert_ok(mood_model_find_encoder(&found, f->m, model_path, given));
    assert_string_equal(mood_encoder_identity(found), mood_encoder_identity(f->e[0]));
    mood_encoder_destroy(&found);
}

static void assert_not_found(const struct finding *f, const char *model_path, const char *given,
                             mood_status status)
{
    mood_encoder *found = f->e[0];
    assert_int_equal(mood_model_find_encoder(&found, f->m, model_path, given), status);
    assert_null(found);
}

static void test_given(void **state)
{
    (void)state;
    struct finding f;
    const char *right = temp_path("right.h5"), *wrong = temp_path("wrong.h5");
    start_finding(&f, right);
    save_as(&f, 0, right);
    save_as(&f, 1, wrong);
    assert_found(&f, NULL, right);
    /* Though the hint is good: who names a file means it. */
    assert_not_found(&f, NULL, wrong, MOOD_E_INVALID);
    assert_said(mood_encoder_identity(f.e[0]));
    assert_said(mood_encoder_identity(f.e[1]));
    assert_not_found(&f, NULL, temp_path("nowhere.h5"), MOOD_E_IO);

    mood_model *plain;
    mood_encoder *found;
    assert_ok(formula_model(&plain, &formula_params_small));
    assert_ok(mood_model_find_encoder(&found, plain, NULL, NULL));
    assert_null(found);
    assert_int_equal(mood_model_find_encoder(&found, plain, NULL, right), MOOD_E_INVALID);
    mood_model_destroy(&plain);
    stop_finding(&f);
}

static void test_places(void **state)
{
    (void)state;
    struct finding f;
    const char *model = temp_path("model.h5"), *there = temp_path("enc.h5");
    char home[PATH_MAX + 300];
    start_finding(&f, "/nonexistent/enc.h5");
    assert_not_found(&f, model, NULL, MOOD_E_MISSING);
    assert_said("/nonexistent/enc.h5");
    assert_said(there);

    save_as(&f, 0, there); /* beside the model */
    assert_found(&f, model, NULL);
    assert_not_found(&f, NULL, NULL, MOOD_E_MISSING);
    assert_not_found(&f, "/model.h5", NULL, MOOD_E_MISSING);

    snprintf(home, sizeof(home), "%s/home", temp_folder);
    assert_int_equal(mkdir(home, 0700), 0);
    assert_int_equal(setenv("MOOD_HOME", home, 1), 0);
    assert_not_found(&f, NULL, NULL, MOOD_E_MISSING);
    assert_said("/home/enc.h5");
    snprintf(home, sizeof(home), "%s/home/enc.h5", temp_folder);
    save_as(&f, 1, there); /* another one is passed over */
    save_as(&f, 0, home);
    assert_found(&f, model, NULL);
    save_as(&f, 1, home);
    assert_not_found(&f, model, NULL, MOOD_E_MISSING);
    assert_said("another encoder");
    assert_ok(mood__file_write_atomic(home, &(struct mood__part){"damaged", 7}, 1));
    assert_not_found(&f, model, NULL, MOOD_E_MISSING);
    assert_said("is not a libmood file");
    unlink(home);
    stop_finding(&f);
}

static void test_hints(void **state)
{
    (void)state;
    struct finding f;
    const char *hint = temp_path("enc.h5");
    start_finding(&f, hint);
    save_as(&f, 0, hint);
    assert_found(&f, "/elsewhere/model.h5", NULL);
    stop_finding(&f);

    start_finding(&f, NULL);
    assert_not_found(&f, temp_path("model.h5"), NULL, MOOD_E_MISSING);
    assert_said("does not say where");
    stop_finding(&f);

    char long_hint[3000]; /* the message is cut, and nothing else happens */
    memset(long_hint, 'x', sizeof(long_hint) - 1);
    long_hint[0] = '/';
    long_hint[sizeof(long_hint) - 1] = '\0';
    start_finding(&f, long_hint);
    setenv("MOOD_HOME", long_hint, 1);
    assert_not_found(&f, long_hint, NULL, MOOD_E_MISSING);
    assert_said("was not found");
    stop_finding(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_use),        cmocka_unit_test(test_bad_params),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_embedded),
        cmocka_unit_test(test_given),      cmocka_unit_test(test_embed_refusals),
        cmocka_unit_test(test_places),     cmocka_unit_test(test_hints),
    };
    unsetenv("MOOD_HOME");
    return cmocka_run_group_tests_name("model-encoder", tests, temp_setup, temp_teardown);
}
