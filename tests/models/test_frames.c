/* SPDX-License-Identifier: MIT
 *
 * test_frames.c — Encoders from files at work: the hidden states are those of torchaudio
 * (tests/golden/make_encoder.py), and only what is asked for is computed, kept and looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../golden/golden.h"
#include "base/half.h"
#include "encoder_forms.h"
#include "store/store.h"
#include "store/temp.h"
#include "tensor/tensor.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

static const double FORWARD_BOUND = 1e-4;
/* Of weights with 11 bits: the largest that was measured is 1.9e-3. */
static const double F16_BOUND = 5e-3;

/* Of weights and inputs with 8 bits: the largest that was measured is 3.4e-2. */
static const double I8_BOUND = 0.1;

static struct golden *golden;

enum { MAX_SAMPLES = 3000 };

static mood_encoder *make(const mood_encoder_config *c)
{
    mood_encoder *e;
    assert_ok(mood_encoder_create(&e, c, NULL));
    encoder_formula(mood_encoder_weights(e));
    mood_encoder_identify(e);
    return e;
}

/* The golden clips are heard as they are. */
static mood_encoder_config not_normalised(int form)
{
    mood_encoder_config c = encoder_forms[form].config;
    c.normalise = false;
    return c;
}

static const float *clip(const char *name, int n)
{
    static float x[MAX_SAMPLES];
    char full[32];
    snprintf(full, sizeof(full), "samples.%s", name);
    formula_values(x, n, full);
    return x;
}

static mood_frames *start(mood_encoder *e, int n_samples, mood_frames_params params)
{
    mood_frames *f;
    if (mood_frames_create(&f, e, (size_t)n_samples, &params) != MOOD_OK)
        fail_msg("create: %s", mood_error_detail());
    return f;
}

/* An encoder that went through a file hears what torchaudio's does. */
static void check_file(int form, mood_dtype dtype, double bound)
{
    const struct encoder_form *x = &encoder_forms[form];
    const mood_encoder_config c = not_normalised(form);
    const char *path = temp_path("encoder");
    mood_encoder *e = make(&c);
    assert_ok(mood_encoder_save(e, path, dtype));
    mood_encoder_destroy(&e);
    assert_ok(mood_encoder_load(&e, path));
    mood_frames *f =
        start(e, x->n_samples, (mood_frames_params){.n_layers = -1, .every_layer = true});
    mood_encoder_destroy(&e); /* the frames have it */
    assert_ok(mood_frames_run(f, clip(x->name, x->n_samples)));
    for (int i = 0; i <= c.n_layers; i++) {
        char part[24];
        snprintf(part, sizeof(part), "layer_%02d", i);
        mood_tensor want;
        const mood_tensor *three = golden_find(golden, x->name, part); /* (1, T, D) */
        assert_ok(mood_tensor_reshape(&want, three, 2, three->dim + 1));
        double error = golden_error(mood_frames_layer(f, i), &want, 0);
        print_message("  %-6s %s %s %.1e of %.0e\n", x->name, mood_dtype_name(dtype), part, error,
                      bound);
        assert_true(error <= bound);
    }
    mood_frames_destroy(&f);
}

static void test_from_files(void **state)
{
    (void)state;
    for (int form = 0; form < N_FORMS; form++) {
        check_file(form, MOOD_F32, FORWARD_BOUND);
        check_file(form, MOOD_F16, F16_BOUND);
        check_file(form, MOOD_I8, I8_BOUND);
    }
}

/* NaN in all weights above transformer layer n - 1, so that nobody can have looked at them. */
static void spoil_above(mood_encoder *e, int n)
{
    mood_weights *w = mood_encoder_weights(e);
    for (int i = 0; i < mood_weights_count(w); i++) {
        const char *layer = strstr(mood_weights_name(w, i), "encoder.layers.");
        if (layer && atoi(layer + strlen("encoder.layers.")) >= n) {
            const mood_tensor *t = mood_weights_value(w, i);
            for (int64_t k = 0; k < mood_tensor_elements(t); k++)
                mood__f32(t)[k] = NAN;
        }
    }
}

/* Frames that stop early give the same bytes, keep nothing else, and need no later weights. */
static void test_stopping_early(void **state)
{
    (void)state;
    for (int form = BASE; form <= LARGE; form++) {
        const mood_encoder_config *c = &encoder_forms[form].config;
        int S = encoder_forms[form].n_samples;
        const float *x = clip("early", S);
        mood_encoder *whole = make(c), *spoilt = make(c);
        mood_frames *all =
            start(whole, S, (mood_frames_params){.n_layers = -1, .every_layer = true});
        assert_ok(mood_frames_run(all, x));
        for (int n = c->n_layers - 1; n >= 0; n--) {
            spoil_above(spoilt, n);
            mood_frames *few = start(spoilt, S, (mood_frames_params){.n_layers = n});
            assert_null(mood_frames_layer(few, n + 1));
            assert_ok(mood_frames_run(few, x));
            const mood_tensor *a = mood_frames_layer(all, n), *b = mood_frames_layer(few, n);
            assert_true(mood_tensor_same_shape(a, b));
            assert_int_equal(a->rank, 2);
            assert_int_equal(a->dim[0], mood_encoder_frames(c, S));
            assert_int_equal(a->dim[1], c->width);
            assert_memory_equal(a->data, b->data, mood_tensor_bytes(a));
            for (int i = 0; i < n; i++)
                assert_null(mood_frames_layer(few, i));
            mood_frames_destroy(&few);
        }
        assert_null(mood_frames_layer(all, -1));
        assert_null(mood_frames_layer(all, c->n_layers + 1));
        mood_frames_destroy(&all);
        mood_encoder_destroy(&whole);
        mood_encoder_destroy(&spoilt);
    }
}

/* The clip is prepared inside, and the caller's stays what it was. */
static void test_prepares(void **state)
{
    (void)state;
    enum { S = 1000 };
    const mood_encoder_config c = not_normalised(BASE);
    const int last = c.n_layers;
    mood_encoder *plain = make(&c), *preparing = make(&encoder_forms[BASE].config);
    mood_frames *a = start(plain, S, (mood_frames_params){.n_layers = -1}), *b;
    assert_ok(mood_frames_create(&b, preparing, S, NULL));
    float quiet[S], kept[S];
    for (int i = 0; i < S; i++)
        kept[i] = quiet[i] = clip("quiet", S)[i] / 64 + 0.5f;
    assert_ok(mood_frames_run(b, quiet));
    assert_memory_equal(quiet, kept, sizeof(quiet));
    mood_encoder_prepare(&encoder_forms[BASE].config, quiet, S);
    assert_ok(mood_frames_run(a, quiet));
    const mood_tensor *y = mood_frames_layer(a, last);
    assert_memory_equal(y->data, mood_frames_layer(b, last)->data, mood_tensor_bytes(y));
    mood_frames_destroy(&a);
    mood_frames_destroy(&b);
    mood_encoder_destroy(&plain);
    mood_encoder_destroy(&preparing);
}

/* The same bytes after another clip, and on three threads. */
static void test_same_bytes(void **state)
{
    (void)state;
    enum { S = 2000 };
    mood_pool *pool;
    assert_ok(mood_pool_create(&pool, 3));
    const mood_encoder_config *c = &encoder_forms[LARGE].config;
    mood_encoder *e = make(c);
    mood_frames *one = start(e, S, (mood_frames_params){.n_layers = -1}),
                *three = start(e, S, (mood_frames_params){.n_layers = -1, .pool = pool});
    assert_ok(mood_frames_run(one, clip("first", S)));
    assert_ok(mood_frames_run(one, clip("second", S)));
    assert_ok(mood_frames_run(three, clip("second", S)));
    const mood_tensor *y = mood_frames_layer(one, c->n_layers);
    assert_memory_equal(y->data, mood_frames_layer(three, c->n_layers)->data, mood_tensor_bytes(y));
    mood_frames_destroy(&one);
    mood_frames_destroy(&three);
    mood_encoder_destroy(&e);
    mood_pool_destroy(&pool);
}

static void test_save(void **state)
{
    (void)state;
    enum { S = 1000 };
    const char *path = temp_path("features");
    const mood_encoder_config *c = &encoder_forms[LARGE].config;
    mood_encoder *e = make(c);
    mood_frames *f = start(e, S, (mood_frames_params){.n_layers = -1, .every_layer = true});
    assert_int_equal(mood_frames_save(f, path), MOOD_E_INVALID); /* nothing was heard */
    assert_ok(mood_frames_run(f, clip("saved", S)));
    assert_ok(mood_frames_save(f, path));

    struct mood__reader *r;
    assert_ok(mood__reader_open(
        &r, path, &(struct mood__format){.kind = "features", .major = 1, .minor = 0}));
    assert_int_equal(mood__reader_count(r), c->n_layers + 1);
    for (int i = 0; i <= c->n_layers; i++) {
        char name[24];
        snprintf(name, sizeof(name), "layer_%02d", i);
        const struct mood__entry *entry = mood__reader_find(r, name);
        assert_non_null(entry);
        const mood_tensor *y = mood_frames_layer(f, i);
        assert_true(mood_tensor_same_shape(&entry->tensor, y));
        assert_memory_equal(entry->tensor.data, y->data, mood_tensor_bytes(y));
    }
    mood__reader_close(&r);
    mood_frames_destroy(&f);

    f = start(e, S, (mood_frames_params){.n_layers = 1});
    assert_ok(mood_frames_run(f, clip("saved", S)));
    assert_int_equal(mood_frames_save(f, path), MOOD_E_INVALID);
    mood_frames_destroy(&f);
    mood_encoder_destroy(&e);
}

static void expect_refused(mood_encoder *e, size_t n_samples, int n_layers, mood_status wanted,
                           const char *text)
{
    mood_frames *f = (mood_frames *)&f;
    assert_int_equal(
        mood_frames_create(&f, e, n_samples, &(mood_frames_params){.n_layers = n_layers}), wanted);
    assert_null(f);
    if (!strstr(mood_error_detail(), text))
        fail_msg("'%s' does not say '%s'", mood_error_detail(), text);
}

static void test_refused(void **state)
{
    (void)state;
    mood_encoder *e = make(&encoder_forms[BASE].config);
    expect_refused(e, 399, 1, MOOD_E_SHAPE, "399 samples; the encoder needs 400");
    expect_refused(e, 0, 1, MOOD_E_SHAPE, "0 samples");
    expect_refused(e, 400, 4, MOOD_E_INVALID, "hidden state 4 is wanted; the encoder's last is 3");
    /* 50000 frames: the probabilities of one head would have 10 GB. */
    expect_refused(e, 16000000, 1, MOOD_E_UNSUPPORTED, "16000000 samples is too long");
    expect_refused(e, (size_t)1 << 40, 1, MOOD_E_UNSUPPORTED, "is too long");
    expect_refused(e, SIZE_MAX, 1, MOOD_E_UNSUPPORTED, "is too long");

    float x[400] = {0};
    mood_frames *f = start(e, 400, (mood_frames_params){.n_layers = 0, .every_layer = true});
    x[17] = NAN;
    assert_int_equal(mood_frames_run(f, x), MOOD_E_NUMERIC);
    assert_int_equal(mood_frames_save(f, temp_path("never")), MOOD_E_INVALID);
    x[17] = 0;
    assert_ok(mood_frames_run(f, x));
    mood_frames_destroy(&f);
    mood_encoder_destroy(&e);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_files), cmocka_unit_test(test_stopping_early),
        cmocka_unit_test(test_prepares),   cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_save),       cmocka_unit_test(test_refused),
    };
    golden = argc > 1 ? golden_open(argv[1]) : NULL;
    if (!golden)
        return 2;
    int failed = cmocka_run_group_tests_name("frames", tests, temp_setup, temp_teardown);
    golden_close(&golden);
    return failed;
}
