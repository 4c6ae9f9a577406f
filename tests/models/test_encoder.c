/* SPDX-License-Identifier: MIT
 *
 * test_encoder.c — Encoders as objects and as files: made, identified, saved and loaded as f32 and
 * f16, and what is said of files that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/half.h"
#include "base/mem.h"
#include "encoder_forms.h"
#include "mood/import.h"
#include "store/store.h"
#include "store/temp.h"
#include "tensor/tensor.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

/* What tests/golden/make_identity.py says of two of the forms. */
static const struct {
    int form;
    const char *identity;
} identities[] = {
    {BASE, "3d1e58968a4642dfa1222551921d35fac1479e99732d53f23e405fcd01775260"},
    {LARGE, "9d8cbb2283fd31d5c0c7f73d04007138d8b5c71cc65d0148225a98a55f024f3d"},
};

static mood_encoder *make(int form)
{
    mood_encoder *e;
    assert_ok(mood_encoder_create(&e, &encoder_forms[form].config, NULL));
    encoder_formula(mood_encoder_weights(e));
    mood_encoder_identify(e);
    return e;
}

static const mood_tensor *weight(mood_encoder *e, const char *name)
{
    mood_weights *w = mood_encoder_weights(e);
    int i = mood_weights_find(w, name);
    if (i < 0)
        fail_msg("there is no weight '%s'", name);
    return mood_weights_value(w, i);
}

static void assert_same_weights(mood_encoder *a, mood_encoder *b)
{
    mood_weights *w = mood_encoder_weights(a);
    assert_int_equal(mood_weights_count(w), mood_weights_count(mood_encoder_weights(b)));
    for (int i = 0; i < mood_weights_count(w); i++) {
        const mood_tensor *x = mood_weights_value(w, i), *y = weight(b, mood_weights_name(w, i));
        assert_true(mood_tensor_same_shape(x, y));
        assert_memory_equal(x->data, y->data, mood_tensor_bytes(x));
    }
}

/* Field by field: there is padding between them. */
static void assert_same_config(const mood_encoder_config *a, const mood_encoder_config *b)
{
    assert_int_equal(a->n_convs, b->n_convs);
    assert_memory_equal(a->conv_channels, b->conv_channels, sizeof(a->conv_channels));
    assert_memory_equal(a->conv_kernel, b->conv_kernel, sizeof(a->conv_kernel));
    assert_memory_equal(a->conv_stride, b->conv_stride, sizeof(a->conv_stride));
    assert_int_equal(a->conv_bias, b->conv_bias);
    assert_int_equal(a->conv_norm, b->conv_norm);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->n_layers, b->n_layers);
    assert_int_equal(a->n_heads, b->n_heads);
    assert_int_equal(a->feed_forward, b->feed_forward);
    assert_int_equal(a->pos_kernel, b->pos_kernel);
    assert_int_equal(a->pos_groups, b->pos_groups);
    assert_int_equal(a->norm_first, b->norm_first);
    assert_true(a->layer_norm_eps == b->layer_norm_eps);
    assert_int_equal(a->normalise, b->normalise);
}

/* ---- made --------------------------------------------------------------------------------- */

static mood_encoder *make_random(const mood_encoder_config *c, uint64_t seed, bool trained_like)
{
    mood_encoder *e;
    assert_ok(mood_encoder_create(
        &e, c, &(mood_encoder_params){.seed = seed, .trained_like = trained_like}));
    return e;
}

static void test_random(void **state)
{
    (void)state;
    const mood_encoder_config *c = &encoder_forms[LARGE].config;
    mood_encoder *a = make_random(c, 1, false), *same = make_random(c, 1, false),
                 *other = make_random(c, 2, false), *like = make_random(c, 1, true);
    assert_same_config(mood_encoder_get_config(a), c);
    assert_same_weights(a, same);
    assert_int_equal(strlen(mood_encoder_identity(a)), 64);
    assert_string_equal(mood_encoder_identity(a), mood_encoder_identity(same));
    assert_string_not_equal(mood_encoder_identity(a), mood_encoder_identity(other));
    assert_string_not_equal(mood_encoder_identity(a), mood_encoder_identity(like));
    assert_string_equal(mood_encoder_source(a), "{}");

    mood_encoder *kept = mood_encoder_retain(a);
    mood_encoder_destroy(&a);
    assert_null(a);
    assert_ok(mood_encoder_verify(kept));
    mood_encoder_destroy(&kept);
    mood_encoder_destroy(&same);
    mood_encoder_destroy(&other);
    mood_encoder_destroy(&like);
    assert_null(mood_encoder_retain(NULL));

    mood_encoder_config bad = *c;
    bad.n_heads = 5;
    assert_int_equal(mood_encoder_create(&a, &bad, NULL), MOOD_E_INVALID);
    assert_null(a);
}

/* By what channel i of a weight was multiplied: the same in all rows. */
static float gain_of(mood_encoder *plain, mood_encoder *like, const char *name, int64_t i)
{
    const mood_tensor *x = weight(plain, name), *y = weight(like, name);
    int64_t C = x->dim[x->rank - 1], rows = mood_tensor_elements(x) / C;
    float gain = mood__f32(y)[i] / mood__f32(x)[i];
    for (int64_t r = 1; r < rows; r++) {
        float again = mood__f32(y)[r * C + i] / mood__f32(x)[r * C + i];
        assert_true(fabsf(again - gain) <= 1e-5f * gain);
    }
    return gain;
}

/* The logarithms of gains have mean 0 and deviation 0.5; `loud` receives the channels of more than
 * e^2, which without an outlier is 4 deviations away. */
static void check_gains(mood_encoder *plain, mood_encoder *like, const char *name, int n_loud,
                        int loud[8])
{
    int64_t C = weight(plain, name)->dim[weight(plain, name)->rank - 1];
    double sum = 0, squares = 0;
    int n = 0, found = 0;
    for (int64_t i = 0; i < C; i++) {
        double x = log((double)gain_of(plain, like, name, i));
        if (x > 2.0) {
            assert_true(found < n_loud);
            assert_true(loud[found] < 0 || loud[found] == (int)i);
            loud[found++] = (int)i;
            x -= log(20.0);
        }
        sum += x, squares += x * x, n++;
    }
    assert_int_equal(found, n_loud);
    assert_true(fabs(sum / n) < 0.5 * 4 / sqrt(n));
    assert_true(fabs(sqrt(squares / n) - 0.5) < 0.1);
}

static void test_trained_like(void **state)
{
    (void)state;
    enum { N_LOUD = 4 };
    mood_encoder_config c = encoder_forms[BASE].config;
    c.width = 400;
    c.n_layers = 2;
    mood_encoder *plain = make_random(&c, 5, false), *like = make_random(&c, 5, true);
    static const char *const stream[] = {
        "feature_projection.projection.weight",
        "encoder.pos_conv_embed.conv.weight",
        "encoder.layers.0.attention.out_proj.weight",
        "encoder.layers.0.attention.out_proj.bias",
        "encoder.layers.1.feed_forward.output_dense.weight",
    };
    int loud[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
    for (size_t i = 0; i < sizeof(stream) / sizeof(stream[0]); i++)
        check_gains(plain, like, stream[i], N_LOUD, loud);
    check_gains(plain, like, "encoder.layers.1.final_layer_norm.weight", 0, loud);
    /* A layer's weight and bias have one gain; two layers do not. */
    for (int64_t i = 0; i < c.width; i += 57)
        assert_true(fabsf(gain_of(plain, like, stream[2], i) / gain_of(plain, like, stream[3], i) -
                          1) < 1e-5f);
    assert_true(gain_of(plain, like, stream[2], 0) != gain_of(plain, like, stream[4], 0));
    /* What adds nothing to the stream is as it was. */
    const mood_tensor *q = weight(plain, "encoder.layers.0.attention.q_proj.weight");
    assert_memory_equal(q->data, weight(like, "encoder.layers.0.attention.q_proj.weight")->data,
                        mood_tensor_bytes(q));
    mood_encoder_destroy(&plain);
    mood_encoder_destroy(&like);
}

/* ---- identity ----------------------------------------------------------------------------- */

static void test_identity(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
        mood_encoder *e = make(identities[i].form);
        assert_string_equal(mood_encoder_identity(e), identities[i].identity);
        mood_encoder_destroy(&e);
    }
    /* One bit in the last weight, or the only bit of the config, makes another encoder. */
    mood_encoder *e = make(BASE);
    char before[65];
    snprintf(before, sizeof(before), "%s", mood_encoder_identity(e));
    mood_weights *w = mood_encoder_weights(e);
    const mood_tensor *last = mood_weights_value(w, mood_weights_count(w) - 1);
    mood__f32(last)[mood_tensor_elements(last) - 1] *= 1.0000001f;
    assert_int_equal(mood_encoder_verify(e), MOOD_E_FORMAT);
    assert_string_equal(mood_encoder_identity(e), before);
    mood_encoder_identify(e);
    assert_string_not_equal(mood_encoder_identity(e), before);
    assert_ok(mood_encoder_verify(e));
    mood_encoder_destroy(&e);

    mood_encoder_config c = encoder_forms[BASE].config;
    c.normalise = false;
    assert_ok(mood_encoder_create(&e, &c, NULL));
    encoder_formula(mood_encoder_weights(e));
    mood_encoder_identify(e);
    assert_string_not_equal(mood_encoder_identity(e), before);
    mood_encoder_destroy(&e);
}

/* ---- saved and loaded --------------------------------------------------------------------- */

static void assert_same_files(const char *a, const char *b)
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

static void test_round_trip(void **state)
{
    (void)state;
    for (int form = 0; form < N_FORMS; form++) {
        const char *path = temp_path("encoder"), *again = temp_path("again");
        mood_encoder *e = make(form), *back;
        assert_ok(mood_encoder_set_source(e, "{\"model_type\":\"hubert\",\"n\":[1,2.5]}"));
        assert_ok(mood_encoder_save(e, path, MOOD_F32));
        assert_ok(mood_encoder_load(&back, path));
        assert_same_config(mood_encoder_get_config(e), mood_encoder_get_config(back));
        assert_same_weights(e, back);
        assert_string_equal(mood_encoder_identity(e), mood_encoder_identity(back));
        assert_string_equal(mood_encoder_source(e), mood_encoder_source(back));
        assert_ok(mood_encoder_verify(back));
        assert_ok(mood_encoder_save(back, again, MOOD_F32));
        assert_same_files(path, again);
        mood_encoder_destroy(&e);
        mood_encoder_destroy(&back);
    }
}

static void test_round_trip_f16(void **state)
{
    (void)state;
    const char *path = temp_path("half"), *again = temp_path("again");
    mood_encoder *e = make(BASE), *back;
    assert_ok(mood_encoder_save(e, path, MOOD_F16));
    assert_ok(mood_encoder_load(&back, path));
    assert_string_equal(mood_encoder_identity(e), mood_encoder_identity(back));
    mood_weights *w = mood_encoder_weights(e);
    for (int i = 0; i < mood_weights_count(w); i++) {
        const mood_tensor *x = mood_weights_value(w, i), *y = weight(back, mood_weights_name(w, i));
        for (int64_t k = 0; k < mood_tensor_elements(x); k++) {
            uint16_t half;
            float rounded;
            mood__f32_to_f16(&half, mood__f32(x) + k, 1);
            mood__f16_to_f32(&rounded, &half, 1);
            assert_true(mood__f32(y)[k] == rounded);
        }
    }
    assert_int_equal(mood_encoder_verify(back), MOOD_E_UNSUPPORTED);
    assert_ok(mood_encoder_save(back, again, MOOD_F16));
    assert_same_files(path, again);
    assert_ok(mood_encoder_save(back, again, MOOD_F32)); /* which would say what is not so */
    assert_same_files(path, again);
    mood_encoder_destroy(&e);
    mood_encoder_destroy(&back);
}

/* Rounded once more, i8 stays what it is; and what is too exact for it stays float32. */
static void test_round_trip_i8(void **state)
{
    (void)state;
    const char *path = temp_path("bytes"), *again = temp_path("again");
    const mood_dtype dtypes[] = {MOOD_F32, MOOD_F16, MOOD_I8};
    mood_encoder *e = make(BASE), *back;
    assert_ok(mood_encoder_save(e, path, MOOD_I8));
    assert_ok(mood_encoder_load(&back, path));
    assert_string_equal(mood_encoder_identity(e), mood_encoder_identity(back));
    mood_weights *w = mood_encoder_weights(e);
    int n_i8 = 0;
    for (int i = 0; i < mood_weights_count(w); i++) {
        const mood_tensor *x = mood_weights_value(w, i), *y = weight(back, mood_weights_name(w, i));
        assert_true(mood_tensor_same_shape(x, y));
        n_i8 += y->dtype == MOOD_I8;
        if (y->dtype != MOOD_I8)
            assert_memory_equal(x->data, y->data, mood_tensor_bytes(x));
    }
    assert_int_equal(n_i8, 6 + 1 + 3 * 6); /* convolutions but the first, projection, layers */
    assert_int_equal(mood_encoder_verify(back), MOOD_E_UNSUPPORTED);
    assert_int_equal(mood_encoder_export(back, temp_path("folder")), MOOD_E_UNSUPPORTED);
    mood_encoder_identify(back);
    assert_string_equal(mood_encoder_identity(e), mood_encoder_identity(back));
    for (int i = 0; i < 3; i++) {
        assert_ok(mood_encoder_save(back, again, dtypes[i]));
        assert_same_files(path, again);
    }
    mood_encoder_destroy(&e);
    mood_encoder_destroy(&back);
}

static void test_wrong_calls(void **state)
{
    (void)state;
    mood_encoder *e;
    const char *path = temp_path("never");
    assert_ok(mood_encoder_create(&e, &encoder_forms[ODD].config, NULL));
    assert_string_equal(mood_encoder_identity(e), "");
    assert_int_equal(mood_encoder_save(e, path, MOOD_F32), MOOD_E_INVALID);
    mood_encoder_identify(e);
    assert_int_equal(mood_encoder_save(e, path, MOOD_I32), MOOD_E_INVALID);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(mood_encoder_set_source(e, "[1]"), MOOD_E_INVALID);
    assert_string_equal(mood_encoder_source(e), "{}");
    mood_encoder_destroy(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),         cmocka_unit_test(test_trained_like),
        cmocka_unit_test(test_identity),       cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_round_trip_f16), cmocka_unit_test(test_round_trip_i8),
        cmocka_unit_test(test_wrong_calls),
    };
    return cmocka_run_group_tests_name("encoder", tests, temp_setup, temp_teardown);
}
