/* SPDX-License-Identifier: MIT
 *
 * test_encoder_file.c — Encoder files that are wrong: each is refused in one line that names what
 * is wrong, and takes no memory but in proportion to what it really holds. And every allocation
 * made to fail once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "encoder_forms.h"
#include "fail_alloc.h"
#include "kernel/gemm_i8.h"
#include "models/encoder.h"
#include "mood/import.h"
#include "store/temp.h"
#include "tensor/tensor.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

/* The names of 64 layers, which is as many as can be, take about 1 MB; a config of few lines could
 * ask for 16 GB of weights. */
enum { MAX_FILE_BYTES = 1 << 17, MAX_REFUSAL_BYTES = 1 << 21 };

static mood_encoder *make(int form)
{
    mood_encoder *e;
    assert_ok(mood_encoder_create(&e, &encoder_forms[form].config, NULL));
    encoder_formula(mood_encoder_weights(e));
    mood_encoder_identify(e);
    return e;
}

static void assert_refused(const char *path, mood_status status, const char *text)
{
    mood_encoder *e = (mood_encoder *)&e;
    size_t before = alloc_bytes;
    long live = alloc_live;
    mood_status said = mood_encoder_load(&e, path);
    if (said != status || !strstr(mood_error_detail(), text))
        fail_msg("%s: %s, expected %s: %s", mood_status_name(said), mood_error_detail(),
                 mood_status_name(status), text);
    assert_null(e);
    assert_null(strchr(mood_error_detail(), '\n'));
    assert_true(alloc_bytes - before < MAX_REFUSAL_BYTES);
    assert_int_equal(alloc_live, live);
}

/* ---- damage ------------------------------------------------------------------------------- */

static void write_bytes(const char *path, const void *data, size_t n)
{
    assert_ok(mood__file_write_atomic(path, &(struct mood__part){data, n}, 1));
}

static void test_damage(void **state)
{
    (void)state;
    const char *path = temp_path("damaged");
    unsigned char *bytes;
    size_t n;
    mood_encoder *e = make(BASE), *back;
    assert_ok(mood_encoder_save(e, path, MOOD_F32));
    mood_encoder_destroy(&e);
    assert_ok(mood__file_read(path, MAX_FILE_BYTES, &bytes, &n));
    for (size_t i = 0; i < 64; i++) { /* one flipped bit, from the first byte to the last */
        size_t at = i * (n - 1) / 63;
        bytes[at] ^= 1 << i % 8;
        write_bytes(path, bytes, n);
        mood_status status = mood_encoder_load(&back, path);
        assert_true(status == MOOD_E_FORMAT || status == MOOD_E_UNSUPPORTED);
        assert_null(back);
        bytes[at] ^= 1 << i % 8;
    }
    for (size_t i = 0; i < 16; i++) {
        write_bytes(path, bytes, i * (n - 1) / 15);
        assert_refused(path, MOOD_E_FORMAT, "");
    }
    write_bytes(path, bytes, n);
    assert_ok(mood_encoder_load(&back, path));
    mood_encoder_destroy(&back);
    mood__free(bytes);

    write_bytes(path, "{\"model_type\": \"wav2vec2\"}", 26);
    assert_refused(path, MOOD_E_FORMAT, "");
    assert_refused(temp_folder, MOOD_E_IO, "directory");
    assert_refused(temp_path("nowhere"), MOOD_E_IO, "No such file");
}

/* ---- files that another program has written ------------------------------------------------ */

/* The file of the form "base", with changes. */
struct change {
    const char *kind; /* NULL: "encoder" */
    int major, minor;
    const char *from, *to; /* what stands in the config, and what takes its place */
    const char *without;   /* a weight or text that is left out */
    const char *extra;     /* an entry that is added */
    const char *as_text;   /* a weight that is stored as text */
    const char *as_i32;    /* a weight that is stored as whole numbers */
    const char *turned;    /* a weight of rank 2 that is stored with its axes swapped */
    const char *nan;       /* a weight whose last number is not one */
    const char *as_f32;    /* a weight that is stored as f32 where the others are f16 */
    bool f16;
    const char *as_i8;     /* a weight that is stored as i8 */
    const char *panels;    /* one that is stored as i8, one panel short */
    const char *bad_scale; /* one that is stored as i8, with a scale below 0 */
};

static bool is(const char *name, const char *wanted)
{
    return wanted && strcmp(name, wanted) == 0;
}

/* Panels live as long as the test: a writer borrows. */
static void add_i8(struct mood__writer *w, const struct change *c, const char *name,
                   const char *entry, const mood_tensor *value)
{
    static _Alignas(MOOD__ALIGN) char room[1 << 14];
    const int64_t n = value->dim[value->rank - 1];
    mood_tensor panels;
    if (value->rank == 1) { /* no matrix: bytes of as many elements */
        assert_ok(mood_tensor_make(&panels, room, MOOD_I8, 1, &n));
    } else {
        assert_ok(mood__tensor_panels(&panels, value));
        assert_true(mood_tensor_bytes(&panels) <= sizeof(room));
        mood__i8_pack(room, mood__f32(value), mood_tensor_elements(value) / n, n);
        panels.data = room;
    }
    if (is(name, c->panels))
        panels.dim[1]--;
    if (is(name, c->bad_scale))
        ((float *)(void *)room)[1] = -1.0f;
    panels.stride[0] = panels.dim[1];
    assert_ok(mood__writer_add_tensor(w, entry, &panels));
}

static void add_weight(struct mood__writer *w, const struct change *c, const char *name,
                       const mood_tensor *value)
{
    char entry[MOOD__ENTRY_NAME_BYTES];
    mood_tensor t = *value;
    snprintf(entry, sizeof(entry), "weights/%s", name);
    if (is(name, c->without))
        return;
    if (is(name, c->as_text)) {
        assert_ok(mood__writer_add_text(w, entry, "zero"));
        return;
    }
    if (is(name, c->as_i8) || is(name, c->panels) || is(name, c->bad_scale)) {
        add_i8(w, c, name, entry, value);
        return;
    }
    if (is(name, c->as_i32))
        t.dtype = MOOD_I32;
    if (is(name, c->turned))
        assert_ok(mood_tensor_transpose(&t, value, (int[]){1, 0}));
    if (is(name, c->nan))
        mood__f32(&t)[mood_tensor_elements(&t) - 1] = NAN;
    if (c->f16 && t.dtype == MOOD_F32 && !is(name, c->as_f32))
        assert_ok(mood__writer_add_tensor_as_f16(w, entry, &t));
    else
        assert_ok(mood__writer_add_tensor(w, entry, &t));
}

static void add_config(struct mood__writer *w, const struct change *c, const mood_encoder *e)
{
    char *right, changed[4096];
    assert_ok(mood__encoder_print(&right, e));
    snprintf(changed, sizeof(changed), "%s", right);
    if (c->from) {
        const char *at = strstr(right, c->from);
        if (!at)
            fail_msg("'%s' is not in %s", c->from, right);
        snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - right), right, c->to,
                 at + strlen(c->from));
    }
    assert_ok(mood__writer_add_text(w, "config", changed));
    mood__free(right);
}

static void write_changed(const char *path, const struct change *c)
{
    struct mood__writer *w;
    mood_tensor one;
    float zero = 0;
    mood_encoder *e = make(BASE);
    assert_ok(mood_tensor_make(&one, &zero, MOOD_F32, 0, NULL));
    const struct mood__format format = {c->kind ? c->kind : "encoder", c->major ? c->major : 1,
                                        c->minor};
    assert_ok(mood__writer_create(&w, &format));
    if (!is("config", c->without))
        add_config(w, c, e);
    if (c->extra)
        assert_ok(mood__writer_add_tensor(w, c->extra, &one));
    mood_weights *weights = mood_encoder_weights(e);
    for (int i = 0; i < mood_weights_count(weights); i++)
        add_weight(w, c, mood_weights_name(weights, i), mood_weights_value(weights, i));
    assert_ok(mood__writer_save(w, path));
    mood__writer_destroy(&w);
    mood_encoder_destroy(&e);
}

struct verdict {
    struct change change;
    mood_status status;
    const char *text;
};

static void check_verdicts(const struct verdict *verdicts, size_t n)
{
    const char *path = temp_path("changed");
    for (size_t i = 0; i < n; i++) {
        write_changed(path, &verdicts[i].change);
        assert_refused(path, verdicts[i].status, verdicts[i].text);
    }
}

#define QUERY "encoder.layers.1.attention.q_proj.weight"
#define TURN  "encoder.layers.2.feed_forward.intermediate_dense.weight"

static void test_wrong_entries(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        {{.kind = "model"}, MOOD_E_FORMAT, "model"},
        {{.major = 2}, MOOD_E_UNSUPPORTED, "2.0"},
        {{.without = "config"}, MOOD_E_MISSING, "'config' is not in the file"},
        {{.without = QUERY}, MOOD_E_MISSING, "'weights/" QUERY "' is not in the file"},
        {{.extra = "weights/masked_spec_embed"}, MOOD_E_MISSING, "'weights/masked_spec_embed'"},
        {{.extra = "weights/x", .minor = 1}, MOOD_E_MISSING, "'weights/x'"},
        {{.extra = "quantizer"}, MOOD_E_MISSING, "'quantizer' is in the file, but no encoder"},
        {{.turned = TURN}, MOOD_E_SHAPE, "'weights/" TURN "' has shape (24, 16) in the file"},
        {{.turned = TURN, .f16 = true}, MOOD_E_SHAPE, "where (16, 24) is needed"},
        {{.as_text = QUERY}, MOOD_E_FORMAT, "'weights/" QUERY "' is text"},
        {{.as_i32 = QUERY}, MOOD_E_FORMAT, "'weights/" QUERY "' has type i32"},
        {{.as_f32 = QUERY, .f16 = true},
         MOOD_E_FORMAT,
         "'weights/" QUERY "' has type f32, and other weights have f16"},
        {{.nan = QUERY}, MOOD_E_NUMERIC, "'" QUERY "' is NaN or infinite at element 255"},
        {{.panels = QUERY}, MOOD_E_SHAPE, "where (1, 768) is needed"},
        {{.bad_scale = QUERY}, MOOD_E_NUMERIC, "has an impossible scale or sum"},
        {{.as_i8 = "encoder.layer_norm.weight"}, MOOD_E_FORMAT, "has type i8 in the file"},
        {{.nan = QUERY, .f16 = true}, MOOD_E_NUMERIC, "is NaN or infinite at element 255"},
    };
    check_verdicts(verdicts, sizeof(verdicts) / sizeof(verdicts[0]));

    /* What may differ: nothing, or what a newer minor version adds. */
    static const struct change fine[] = {
        {0},
        {.minor = 1},
        {.minor = 1, .extra = "calibration"},
        {.f16 = true},
        {.as_i8 = QUERY},
        {.from = "\"encoder\":{", .to = "\"encoder\":{\"new\":[1],"},
        {.from = ",\"source\":{}", .to = ""},
    };
    mood_encoder *e = make(BASE);
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        mood_encoder *back;
        const char *path = temp_path("fine");
        write_changed(path, &fine[i]);
        assert_ok(mood_encoder_load(&back, path));
        assert_string_equal(mood_encoder_identity(back), mood_encoder_identity(e));
        mood_encoder_destroy(&back);
    }
    mood_encoder_destroy(&e);
}

#define CONFIG(from_text, to_text)                                                                 \
    {                                                                                              \
        .from = from_text, .to = to_text                                                           \
    }
#define CHANNELS "\"conv_channels\":[12,12,12,12,12,12,12]"
#define STRIDES  "\"conv_stride\":[5,2,2,2,2,2,2]"
#define KERNELS  "\"conv_kernel\":[10,3,3,3,3,2,2]"

static void test_wrong_configs(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        {CONFIG("{", "["), MOOD_E_FORMAT, "its config: is not JSON: line 1"},
        {CONFIG("{", "{\"encoder\":1,"), MOOD_E_FORMAT, "its config: is not JSON: line 1"},
        {CONFIG("\"encoder\"", "\"decoder\""), MOOD_E_FORMAT, "'encoder' is not an object"},
        {CONFIG("\"identity\":\"3d", "\"identity\":\""), MOOD_E_FORMAT, "'identity' is not 64"},
        {CONFIG("\"identity\":\"3d", "\"identity\":\"3D"), MOOD_E_FORMAT, "'identity' is not 64"},
        {CONFIG("\"identity\":\"3d", "\"identity\":\"3d3d"), MOOD_E_FORMAT, "'identity' is not"},
        {CONFIG("\"identity\":", "\"id\":"), MOOD_E_FORMAT, "'identity' is not 64"},
        {CONFIG("\"source\":{}", "\"source\":[]"), MOOD_E_FORMAT, "'source' is not an object"},
        {CONFIG(CHANNELS, "\"conv_channels\":[]"), MOOD_E_FORMAT, "'conv_channels' is no array"},
        {CONFIG(CHANNELS, "\"conv_channels\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"), MOOD_E_FORMAT,
         "'conv_channels' is no array of 1 to 16 numbers"},
        {CONFIG(CHANNELS, "\"conv_channels\":{\"a\":12}"), MOOD_E_FORMAT, "'conv_channels' is no"},
        {CONFIG(CHANNELS, "\"conv_channels\":[12,12,12,12,12,12,12.5]"), MOOD_E_FORMAT,
         "'conv_channels' has a number that is not whole"},
        {CONFIG(CHANNELS, "\"conv_channels\":[12,12,12,12,12,12,2147483648]"), MOOD_E_FORMAT,
         "'conv_channels' has a number that is not whole"},
        {CONFIG(CHANNELS, "\"conv_channels\":[12,12,12,12,12,12,9000]"), MOOD_E_FORMAT,
         "conv_channels is 9000, not from 1 to 8192"},
        {CONFIG(CHANNELS, "\"conv_channels\":[12,12,12,12,12,12,13]"), MOOD_E_SHAPE,
         "conv_layers.6.conv.weight' has shape (2, 12, 12)"},
        {CONFIG(STRIDES, "\"conv_stride\":[5,2,2]"), MOOD_E_FORMAT,
         "'conv_stride' has 3 numbers, where 7 are needed"},
        {CONFIG(STRIDES, "\"conv_stride\":[16000,2,1,1,1,1,1]"), MOOD_E_FORMAT,
         "conv_stride is 2, not from 1 to 1"},
        {CONFIG(KERNELS "," STRIDES, "\"conv_kernel\":[1024,1024,1024,1024,1024,1024,1024],"
                                     "\"conv_stride\":[5,5,4,4,4,4,2]"),
         MOOD_E_FORMAT, "samples at once"},
        {CONFIG("\"conv_bias\":false", "\"conv_bias\":0"), MOOD_E_FORMAT, "'conv_bias' is neither"},
        {CONFIG("\"conv_bias\":false", "\"conv_bias\":true"), MOOD_E_MISSING, "conv.bias'"},
        {CONFIG("\"group\"", "\"batch\""), MOOD_E_UNSUPPORTED, "'conv_norm' is 'batch'"},
        {CONFIG("\"group\"", "null"), MOOD_E_FORMAT, "'conv_norm' is not a string"},
        {CONFIG("\"width\":16", "\"width\":-16"), MOOD_E_FORMAT, "'width' is not a whole number"},
        {CONFIG("\"width\":16", "\"width\":\"16\""), MOOD_E_FORMAT, "'width' is not a whole"},
        {CONFIG("\"width\":16", "\"width\":4294967312"), MOOD_E_FORMAT, "'width' is not a whole"},
        {CONFIG("\"width\":16", "\"width\":0"), MOOD_E_FORMAT, "width is 0"},
        {CONFIG("\"width\":16", "\"width\":20"), MOOD_E_SHAPE, "(12, 20) is needed"},
        {CONFIG("\"width\":16", "\"width\":8192"), MOOD_E_SHAPE, "(12, 8192) is needed"},
        {CONFIG("\"n_layers\":3", "\"n_layers\":64"), MOOD_E_MISSING, "'weights/encoder.layers.3."},
        {CONFIG("\"n_layers\":3", "\"n_layers\":2"), MOOD_E_MISSING,
         "'weights/encoder.layers.2.attention.k_proj.bias' is in the file, but no encoder has it"},
        {CONFIG("\"n_layers\":3", "\"n_layers\":65"), MOOD_E_FORMAT, "n_layers is 65"},
        {CONFIG("\"width\":16,\"n_layers\":3,\"n_heads\":2,\"feed_forward\":24",
                "\"width\":8192,\"n_layers\":64,\"n_heads\":64,\"feed_forward\":65536"),
         MOOD_E_FORMAT, "weights; the limit is"},
        {CONFIG("\"n_heads\":2", "\"n_heads\":3"), MOOD_E_FORMAT, "n_heads is 3, which does not"},
        {CONFIG("\"pos_groups\":4", "\"pos_groups\":8"), MOOD_E_SHAPE, "pos_conv_embed.conv"},
        {CONFIG("\"layer_norm_eps\":", "\"layer_norm_eps\":1e300,\"x\":"), MOOD_E_FORMAT,
         "'layer_norm_eps' is not a number between 0 and 1"},
        {CONFIG("\"layer_norm_eps\":", "\"layer_norm_eps\":1e-300,\"x\":"), MOOD_E_FORMAT,
         "layer_norm_eps is 0"},
        {CONFIG("\"layer_norm_eps\":", "\"layer_norm_eps\":\"1e-5\",\"x\":"), MOOD_E_FORMAT,
         "'layer_norm_eps' is not a number"},
        {CONFIG("\"normalise\":true", "\"normalize\":true"), MOOD_E_FORMAT, "'normalise' is"},
    };
    check_verdicts(verdicts, sizeof(verdicts) / sizeof(verdicts[0]));
}

/* ---- memory ------------------------------------------------------------------------------- */

/* Float32 stays in the file: loading takes memory for names, not for numbers. */
static void test_not_copied(void **state)
{
    (void)state;
    const char *path = temp_path("large");
    mood_encoder_config c = encoder_forms[BASE].config;
    c.width = 256;
    c.feed_forward = 512;
    size_t weights = (size_t)mood_encoder_elements(&c) * sizeof(float);
    mood_encoder *e;
    assert_ok(mood_encoder_create(&e, &c, &(mood_encoder_params){.seed = 1}));
    for (int i = 0; i < 2; i++) {
        assert_ok(mood_encoder_save(e, path, i == 0 ? MOOD_F32 : MOOD_F16));
        mood_encoder_destroy(&e);
        size_t before = alloc_bytes;
        assert_ok(mood_encoder_load(&e, path));
        size_t taken = alloc_bytes - before;
        print_message("%s: %zu bytes for %zu of weights\n", i == 0 ? "f32" : "f16", taken, weights);
        assert_true(i == 0 ? taken < weights / 10 : taken < weights + weights / 10);
        /* What is loaded can be saved over the file that it lies in. */
        if (i == 0)
            assert_ok(mood_encoder_save(e, path, MOOD_F32));
        assert_true(i == 1 || mood_encoder_verify(e) == MOOD_OK);
    }
    mood_encoder_destroy(&e);
}

/* ---- order -------------------------------------------------------------------------------- */

#define INNER "encoder.layers.1.feed_forward.intermediate_dense.weight"

static const mood_tensor *value_of(mood_encoder *e, const char *name)
{
    mood_weights *w = mood_encoder_weights(e);
    return mood_weights_value(w, mood_weights_find(w, name));
}

/* The encoder `e` as every file that can be made of it: their bytes, one after the other. */
static unsigned char *all_forms(const mood_encoder *e, size_t *n_bytes)
{
    static const mood_dtype dtypes[] = {MOOD_F32, MOOD_F16, MOOD_I8};
    const char *names[] = {"f32", "f16", "i8", "model.safetensors"};
    unsigned char *all = NULL;
    *n_bytes = 0;
    assert_ok(mood_encoder_export(e, temp_folder));
    for (int i = 0; i < 4; i++) {
        unsigned char *bytes;
        size_t n;
        if (i < 3)
            assert_ok(mood_encoder_save(e, temp_path(names[i]), dtypes[i]));
        assert_ok(mood__file_read(temp_path(names[i]), MAX_FILE_BYTES, &bytes, &n));
        all = realloc(all, *n_bytes + n);
        assert_non_null(all);
        memcpy(all + *n_bytes, bytes, n);
        *n_bytes += n;
        mood__free(bytes);
    }
    return all;
}

static void check_same_forms(const mood_encoder *a, const mood_encoder *b)
{
    size_t n_a, n_b;
    unsigned char *of_a = all_forms(a, &n_a), *of_b = all_forms(b, &n_b);
    assert_int_equal(n_a, n_b);
    assert_memory_equal(of_a, of_b, n_a);
    free(of_a);
    free(of_b);
}

/* An encoder file whose matrices lie row by row, as older programs and others write it. */
static void save_plain(mood_encoder *e, const char *path, bool f16)
{
    const struct change none = {.f16 = f16};
    struct mood__writer *w;
    assert_ok(mood__writer_create(&w, &(struct mood__format){"encoder", 1, 0}));
    add_config(w, &none, e);
    mood_weights *weights = mood_encoder_weights(e);
    for (int i = 0; i < mood_weights_count(weights); i++)
        add_weight(w, &none, mood_weights_name(weights, i), mood_weights_value(weights, i));
    assert_ok(mood__writer_save(w, path));
    mood__writer_destroy(&w);
}

/* Matrices lie in the file as products read them, and nobody notices: what is loaded becomes the
 * same files as what was saved, has its identity, and gives the same copy to train; as does what
 * lies row by row. */
static void test_order(void **state)
{
    (void)state;
    const char *path = temp_path("ordered");
    mood_encoder *e = make(LARGE), *back, *tunable;
    const mood_tensor *plain = value_of(e, INNER);
    assert_int_equal(plain->dtype, MOOD_F32);
    for (int i = 0; i < 3; i++) {
        if (i < 2)
            assert_ok(mood_encoder_save(e, path, i == 0 ? MOOD_F32 : MOOD_F16));
        else
            save_plain(e, path, false);
        assert_ok(mood_encoder_load(&back, path));
        assert_int_equal(value_of(back, INNER)->dtype, i < 2 ? MOOD_F32_PANELS : MOOD_F32);
        assert_true(mood_tensor_same_shape(value_of(back, INNER), plain));
        if (i != 1) {
            assert_ok(mood_encoder_verify(back));
            check_same_forms(e, back);
        }
        assert_ok(mood__encoder_tunable(&tunable, back, (struct mood__encoder_part){1, 2}));
        const mood_tensor *copy = value_of(tunable, INNER);
        assert_int_equal(copy->dtype, MOOD_F32);
        for (int64_t k = 0; k < mood_tensor_elements(plain); k++)
            assert_float_equal(mood__f32(copy)[k], mood__f32(plain)[k], i == 1 ? 1e-3 : 0);
        mood_encoder_destroy(&tunable);
        mood_encoder_destroy(&back);
    }
    /* Rounded row by row or in panels, it is the same. */
    mood_encoder *other;
    assert_ok(mood_encoder_save(e, path, MOOD_F16));
    assert_ok(mood_encoder_load(&back, path));
    save_plain(e, temp_path("plain"), true);
    assert_ok(mood_encoder_load(&other, temp_path("plain")));
    check_same_forms(back, other);
    mood_encoder_destroy(&other);
    mood_encoder_destroy(&back);
    mood_encoder_destroy(&e);
}

/* ---- every allocation --------------------------------------------------------------------- */

static mood_status make_and_save(const void *arg)
{
    mood_encoder *e;
    mood_status status = mood_encoder_create(
        &e, &encoder_forms[ODD].config, &(mood_encoder_params){.seed = 1, .trained_like = true});
    if (!status)
        status = mood_encoder_set_source(e, "{\"model_type\": \"hubert\"}");
    if (!status)
        status = mood_encoder_save(e, arg, MOOD_F16);
    mood_encoder_destroy(&e);
    return status;
}

static mood_status load_and_run(const void *arg)
{
    static float x[300];
    mood_encoder *e;
    mood_frames *f = NULL;
    mood_status status = mood_encoder_load(&e, arg);
    if (!status)
        status = mood_frames_create(&f, e, 300,
                                    &(mood_frames_params){.n_layers = -1, .every_layer = true});
    if (!status)
        status = mood_frames_run(f, x);
    if (!status)
        status = mood_frames_save(f, temp_path("features"));
    mood_frames_destroy(&f);
    mood_encoder_destroy(&e);
    return status;
}

static void test_each_allocation(void **state)
{
    (void)state;
    char half[PATH_MAX], full[PATH_MAX];
    snprintf(half, sizeof(half), "%s", temp_path("half"));
    snprintf(full, sizeof(full), "%s", temp_path("full"));
    assert_true(fail_each_alloc(make_and_save, half) >= 100); /* 33 weights: itself, name, value */
    assert_true(fail_each_alloc(load_and_run, half) >= 100);
    mood_encoder *e = make(ODD);
    assert_ok(mood_encoder_save(e, full, MOOD_F32));
    mood_encoder_destroy(&e);
    assert_true(fail_each_alloc(load_and_run, full) >= 70);
    assert_int_equal(temp_sweep(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damage),        cmocka_unit_test(test_wrong_entries),
        cmocka_unit_test(test_wrong_configs), cmocka_unit_test(test_not_copied),
        cmocka_unit_test(test_order),         cmocka_unit_test(test_each_allocation),
    };
    return cmocka_run_group_tests_name("encoder-file", tests, temp_setup, temp_teardown);
}
