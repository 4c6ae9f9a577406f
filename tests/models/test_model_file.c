/* SPDX-License-Identifier: MIT
 *
 * test_model_file.c — Model files: what is saved comes back, whatever is wrong with a file is said
 * in words and never costs the older file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/mem.h"
#include "formula_model.h"
#include "store/store.h"
#include "store/temp.h"
#include "tensor/tensor.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

static void assert_refused(const char *path, mood_status status, const char *text)
{
    mood_model *m = (mood_model *)&m;
    mood_status said = mood_model_load(&m, path);
    if (said != status || !strstr(mood_error_detail(), text))
        print_error("%s, expected %s: %s\n", mood_error_detail(), mood_status_name(status), text);
    assert_int_equal(said, status);
    assert_non_null(strstr(mood_error_detail(), text));
    assert_null(m);
}

/* ---- round trips -------------------------------------------------------------------------- */

static void assert_same(mood_model *a, mood_model *b)
{
    assert_int_equal(mood_model_n_labels(a), mood_model_n_labels(b));
    for (int i = 0; i < mood_model_n_labels(a); i++)
        assert_string_equal(mood_model_label(a, i), mood_model_label(b, i));
    assert_string_equal(mood_model_record(a), mood_model_record(b));
    assert_true(mood_model_temperature(a) == mood_model_temperature(b));
    assert_int_equal(mood_model_heads(a)->feature_width, mood_model_heads(b)->feature_width);
    assert_int_equal(mood_model_heads(a)->divide, mood_model_heads(b)->divide);
    mood_weights *wa = mood_model_weights(a), *wb = mood_model_weights(b);
    assert_int_equal(mood_weights_count(wa), mood_weights_count(wb));
    for (int i = 0; i < mood_weights_count(wa); i++) {
        const mood_tensor *x = mood_weights_value(wa, i);
        int j = mood_weights_find(wb, mood_weights_name(wa, i));
        assert_true(j >= 0 && mood_tensor_same_shape(x, mood_weights_value(wb, j)));
        assert_memory_equal(x->data, mood_weights_value(wb, j)->data, mood_tensor_bytes(x));
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    const mood_model_params *const params[] = {&formula_params_small, &formula_params_v1};
    for (int i = 0; i < 2; i++) {
        const char *path = temp_path("model"), *again = temp_path("again");
        unsigned char *bytes[2];
        size_t n[2];
        mood_model *m, *back;
        assert_ok(formula_model(&m, params[i]));
        assert_ok(mood_model_set_record(m, "{\"name\": \"Tr\xc3\xa4ne\", \"n\": [1, 2.5e-3]}"));
        assert_ok(mood_model_set_temperature(m, i ? 1 : 1.0 / 3));
        assert_ok(mood_model_save(m, path));
        assert_ok(mood_model_load(&back, path));
        assert_same(m, back);
        assert_ok(mood_model_save(back, again));
        assert_ok(mood__file_read(path, 1 << 20, &bytes[0], &n[0]));
        assert_ok(mood__file_read(again, 1 << 20, &bytes[1], &n[1]));
        assert_int_equal(n[0], n[1]);
        assert_memory_equal(bytes[0], bytes[1], n[0]);
        mood__free(bytes[0]);
        mood__free(bytes[1]);
        mood_model_destroy(&m);
        mood_model_destroy(&back);
    }
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
    assert_ok(mood__file_read(TEST_DATA "/v1.h5", 1 << 20, &bytes, &n));
    for (size_t i = 0; i < 64; i++) { /* one flipped bit, from the first byte to the last */
        size_t at = i * (n - 1) / 63;
        bytes[at] ^= 1 << i % 8;
        write_bytes(path, bytes, n);
        mood_model *m;
        mood_status status = mood_model_load(&m, path);
        assert_true(status == MOOD_E_FORMAT || status == MOOD_E_UNSUPPORTED);
        assert_null(m);
        bytes[at] ^= 1 << i % 8;
    }
    for (size_t i = 0; i < 16; i++) {
        write_bytes(path, bytes, i * (n - 1) / 15);
        mood_model *m;
        assert_int_equal(mood_model_load(&m, path), MOOD_E_FORMAT);
    }
    write_bytes(path, bytes, n);
    mood_model *m;
    assert_ok(mood_model_load(&m, path));
    mood_model_destroy(&m);
    mood__free(bytes);

    write_bytes(path, "RIFF....WAVE", 12);
    assert_refused(path, MOOD_E_FORMAT, "");
    assert_refused(temp_folder, MOOD_E_IO, "directory");
    assert_refused(temp_path("nowhere"), MOOD_E_IO, "No such file");
}

/* ---- files that another program has written ------------------------------------------------ */

/* A small model's file, with changes. */
struct change {
    int major, minor;
    const char *config;  /* NULL: the right one */
    const char *record;  /* NULL: "{}" */
    const char *without; /* a weight or text that is left out */
    const char *extra;   /* an entry that is added */
    const char *as_text; /* a weight that is stored as text */
    const char *as_i32;  /* a weight that is stored as whole numbers */
    const char *turned;  /* a weight of rank 2 that is stored with its axes swapped */
};

static const char right_config[] =
    "{\"labels\": [\"a\", \"b\"], "
    "\"heads\": {\"feature_width\": 0, \"divide\": 8, \"flatten\": \"FTC\"}, "
    "\"audio\": {\"sample_rate\": 16000, \"window\": 48000, \"hop\": 24000, "
    "\"n_fft\": 1024, \"mel_hop\": 512, \"n_mels\": 64}}";

static bool is(const char *name, const char *wanted)
{
    return wanted && strcmp(name, wanted) == 0;
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
    if (is(name, c->as_i32))
        t.dtype = MOOD_I32;
    if (is(name, c->turned))
        assert_ok(mood_tensor_transpose(&t, value, (int[]){1, 0}));
    assert_ok(mood__writer_add_tensor(w, entry, &t));
}

static void write_changed(const char *path, const mood_model *m, mood_weights *weights,
                          const struct change *c)
{
    (void)m;
    struct mood__writer *w;
    mood_tensor one;
    float zero = 0;
    assert_ok(mood_tensor_make(&one, &zero, MOOD_F32, 0, NULL));
    const struct mood__format format = {"model", c->major ? c->major : 1, c->minor};
    assert_ok(mood__writer_create(&w, &format));
    if (!is("config", c->without))
        assert_ok(mood__writer_add_text(w, "config", c->config ? c->config : right_config));
    if (!is("record", c->without))
        assert_ok(mood__writer_add_text(w, "record", c->record ? c->record : "{}"));
    if (c->extra)
        assert_ok(mood__writer_add_tensor(w, c->extra, &one));
    for (int i = 0; i < mood_weights_count(weights); i++)
        add_weight(w, c, mood_weights_name(weights, i), mood_weights_value(weights, i));
    assert_ok(mood__writer_save(w, path));
    mood__writer_destroy(&w);
}

static const char *const two_labels[] = {"a", "b"};
static const mood_model_params two = {.heads = {.divide = 8}, .labels = two_labels, .n_labels = 2};

static void test_foreign_files(void **state)
{
    (void)state;
    static const struct {
        struct change change;
        mood_status status;
        const char *text;
    } cases[] = {
        {{.major = 2}, MOOD_E_UNSUPPORTED, "2.0 is newer than 1."},
        {{.without = "config"}, MOOD_E_MISSING, "'config'"},
        {{.without = "record"}, MOOD_E_MISSING, "'record'"},
        {{.without = "heads.fc2.bias"}, MOOD_E_MISSING, "'weights/heads.fc2.bias'"},
        {{.without = "heads.mel.norm3.running_var"}, MOOD_E_MISSING, "norm3.running_var'"},
        {{.extra = "weights/heads.fc4.bias"}, MOOD_E_MISSING, "'weights/heads.fc4.bias'"},
        {{.extra = "weights/heads.fc4.bias", .minor = 2}, MOOD_E_MISSING, "fc4.bias'"},
        {{.extra = "calibration"}, MOOD_E_MISSING, "'calibration'"},
        {{.extra = "calibration/temperature"}, MOOD_E_MISSING, "'calibration/temperature'"},
        {{.extra = "encoder/encoder.layer_norm.bias"}, MOOD_E_MISSING, "layer_norm.bias'"},
        {{.extra = "encoder-config"}, MOOD_E_FORMAT, "its encoder: 'encoder-config'"},
        {{.turned = "heads.fc2.weight"}, MOOD_E_SHAPE, "(16, 32)"},
        {{.as_text = "heads.fc2.bias"}, MOOD_E_FORMAT, "heads.fc2.bias"},
        {{.as_i32 = "heads.fc2.bias"}, MOOD_E_FORMAT, "heads.fc2.bias"},
        {{.record = "[]"}, MOOD_E_FORMAT, "its record: is JSON, but not an object"},
        {{.record = "{,}"}, MOOD_E_FORMAT, "its record: is not JSON: line 1"},
    };
    const char *path = temp_path("changed");
    mood_model *m, *back;
    assert_ok(formula_model(&m, &two));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_changed(path, m, mood_model_weights(m), &cases[i].change);
        assert_refused(path, cases[i].status, cases[i].text);
    }
    /* What may differ: nothing, or what a newer minor version adds. */
    static const struct change fine[] = {{0}, {.minor = 1}, {.minor = 2, .extra = "calibration"}};
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        write_changed(path, m, mood_model_weights(m), &fine[i]);
        assert_ok(mood_model_load(&back, path));
        assert_same(m, back);
        mood_model_destroy(&back);
    }
    mood_model_destroy(&m);
}

static void test_not_finite(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    const char *path = temp_path("bad");
    mood_model *m;
    assert_ok(formula_model(&m, &two));
    mood_weights *w = mood_model_weights(m);
    const mood_tensor *t = mood_weights_value(w, mood_weights_find(w, "heads.fc1.weight"));
    int64_t last = mood_tensor_elements(t) - 1;
    float kept = mood__f32(t)[last];
    for (int i = 0; i < 3; i++) {
        mood__f32(t)[last] = bad[i];
        assert_ok(mood_model_save(m, path));
        assert_refused(path, MOOD_E_NUMERIC, "'heads.fc1.weight' is NaN or infinite at element");
    }
    mood__f32(t)[last] = kept;
    assert_ok(mood_model_save(m, path));
    mood_model *back;
    assert_ok(mood_model_load(&back, path));
    mood_model_destroy(&back);
    mood_model_destroy(&m);
}

/* ---- configs ------------------------------------------------------------------------------ */

#define HEADS "\"heads\": {\"feature_width\": 0, \"divide\": 8, \"flatten\": \"FTC\"}"
#define AUDIO(rate, window, hop, fft, mel_hop, mels)                                               \
    "\"audio\": {\"sample_rate\": " rate ", \"window\": " window ", \"hop\": " hop                 \
    ", \"n_fft\": " fft ", \"mel_hop\": " mel_hop ", \"n_mels\": " mels "}"
#define RIGHT_AUDIO AUDIO("16000", "48000", "24000", "1024", "512", "64")
#define WIDE_HEADS  "\"heads\": {\"feature_width\": 9, \"divide\": 8, \"flatten\": \"FTC\"}"
#define CLASSIFIER(form, pooling)                                                                  \
    "\"network\": \"classifier\", \"classifier\": {\"units\": 8, \"form\": " form                  \
    ", \"pooling\": " pooling "}"
#define PROSODY(functionals, version)                                                              \
    "\"network\": \"prosody\", \"prosody\": {\"functionals\": " functionals                        \
    ", \"version\": " version ", \"centres\": 40, \"gate\": true}"
#define CENTRES(rest)                                                                              \
    "\"network\": \"prosody\", \"prosody\": {\"functionals\": 991, \"version\": 1" rest "}"
#define ENCODER(identity, layer, n_layers, width, hint)                                            \
    "\"encoder\": {\"identity\": \"" identity "\", \"layer\": " layer ", \"n_layers\": " n_layers  \
    ", \"width\": " width ", \"hint\": \"" hint "\"}"
#define ID     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LABELS "\"labels\": [\"a\", \"b\"]"

static const struct {
    const char *config;
    mood_status status;
    const char *text;
} config_cases[] = {
    {"", MOOD_E_FORMAT, "its config: is not JSON"},
    {"{}", MOOD_E_FORMAT, "'sample_rate'"},
    {"{" LABELS ", " HEADS "}", MOOD_E_FORMAT, "'sample_rate'"},
    {"{" LABELS ", " RIGHT_AUDIO "}", MOOD_E_FORMAT, "'feature_width'"},
    {"{" HEADS ", " RIGHT_AUDIO "}", MOOD_E_FORMAT, "0 labels"},
    {"{" HEADS ", " RIGHT_AUDIO ", \"labels\": {\"a\": 1, \"b\": 2}}", MOOD_E_FORMAT, "0 labels"},
    {"{" HEADS ", " RIGHT_AUDIO ", \"labels\": [\"a\"]}", MOOD_E_FORMAT, "1 labels"},
    {"{" HEADS ", " RIGHT_AUDIO ", \"labels\": [\"a\", 1]}", MOOD_E_FORMAT,
     "label 1 is not a string"},
    {"{" HEADS ", " RIGHT_AUDIO ", \"labels\": [\"a\", \"A\"]}", MOOD_E_FORMAT,
     "labels 0 and 1 are both"},
    {"{" HEADS ", " RIGHT_AUDIO ", \"labels\": [\"a\", \"\"]}", MOOD_E_FORMAT, "is empty"},
    {"{" HEADS ", " RIGHT_AUDIO ", \"labels\": [\"a\", \"\\u0000\"]}", MOOD_E_FORMAT, "not JSON"},
    {"{" HEADS ", " RIGHT_AUDIO ", \"labels\": [\"a\", \"\\u001b[2J\"]}", MOOD_E_FORMAT,
     "one line"},
    {"{" LABELS ", " HEADS ", " RIGHT_AUDIO ", \"temperature\": \"warm\"}", MOOD_E_FORMAT,
     "'temperature' is not a number"},
    {"{" LABELS ", " HEADS ", " RIGHT_AUDIO ", \"temperature\": 0}", MOOD_E_FORMAT,
     "its config: temperature 0 is outside 0.01 to 100"},
    {"{" LABELS ", " HEADS ", " AUDIO("8000", "48000", "24000", "1024", "512", "64") "}",
     MOOD_E_UNSUPPORTED, "sample_rate 8000; this version hears with 16000"},
    {"{" LABELS ", " HEADS ", " AUDIO("16000", "32000", "24000", "1024", "512", "64") "}",
     MOOD_E_UNSUPPORTED, "window 32000"},
    {"{" LABELS ", " HEADS ", " AUDIO("16000", "48000", "48000", "1024", "512", "64") "}",
     MOOD_E_UNSUPPORTED, " hop 48000"},
    {"{" LABELS ", " HEADS ", " AUDIO("16000", "48000", "24000", "512", "512", "64") "}",
     MOOD_E_UNSUPPORTED, "n_fft 512"},
    {"{" LABELS ", " HEADS ", " AUDIO("16000", "48000", "24000", "1024", "160", "64") "}",
     MOOD_E_UNSUPPORTED, "mel_hop 160"},
    {"{" LABELS ", " HEADS ", " AUDIO("16000", "48000", "24000", "1024", "512", "80") "}",
     MOOD_E_UNSUPPORTED, "n_mels 80"},
    {"{" LABELS ", " HEADS ", " AUDIO("1.6e4", "48000", "24000", "1024", "512", "64") "}",
     MOOD_E_FORMAT, "'sample_rate' is not a whole number"},
    {"{" LABELS ", " RIGHT_AUDIO
     ", \"heads\": {\"feature_width\": 0, \"divide\": 8, \"flatten\": \"CFT\"}}",
     MOOD_E_UNSUPPORTED, "'flatten' is 'CFT'"},
    {"{" LABELS ", " RIGHT_AUDIO
     ", \"heads\": {\"feature_width\": 0, \"divide\": 3, \"flatten\": \"FTC\"}}",
     MOOD_E_FORMAT, "divide 3"},
    {"{" LABELS ", " RIGHT_AUDIO
     ", \"heads\": {\"feature_width\": 4294967296, \"divide\": 8, \"flatten\": \"FTC\"}}",
     MOOD_E_FORMAT, "'feature_width'"},
    {"{" LABELS ", " RIGHT_AUDIO
     ", \"heads\": {\"feature_width\": -1, \"divide\": 8, \"flatten\": \"FTC\"}}",
     MOOD_E_FORMAT, "'feature_width'"},
    {"{" LABELS ", " RIGHT_AUDIO ", \"network\": \"transformer\"}", MOOD_E_UNSUPPORTED,
     "'network' is 'transformer', which this version does not know"},
    {"{" LABELS ", " RIGHT_AUDIO ", \"network\": 1}", MOOD_E_FORMAT, "'network' is not a string"},
    {"{" LABELS ", " RIGHT_AUDIO ", \"network\": \"classifier\", " HEADS "}", MOOD_E_FORMAT,
     "'units'"},
    {"{" LABELS ", " RIGHT_AUDIO ", " CLASSIFIER("\"conv\"", "\"mean\"") "}", MOOD_E_UNSUPPORTED,
     "'form' is 'conv'"},
    {"{" LABELS ", " RIGHT_AUDIO ", " CLASSIFIER("\"tanh\"", "\"median\"") "}", MOOD_E_UNSUPPORTED,
     "'pooling' is 'median'"},
    {"{" LABELS ", " RIGHT_AUDIO ", " CLASSIFIER("\"tanh\"", "0") "}", MOOD_E_FORMAT,
     "'pooling' is not a string"},
    {"{" LABELS ", " RIGHT_AUDIO ", " CLASSIFIER("\"tanh\"", "\"max\"") "}", MOOD_E_FORMAT,
     "a classifier without an encoder"},
    {"{" LABELS ", " RIGHT_AUDIO ", \"network\": \"prosody\"}", MOOD_E_FORMAT, "'functionals'"},
    {"{" LABELS ", " RIGHT_AUDIO ", " PROSODY("991", "\"1\"") "}", MOOD_E_FORMAT, "'version'"},
    {"{" LABELS ", " RIGHT_AUDIO ", " PROSODY("991", "2") "}", MOOD_E_UNSUPPORTED,
     "trained on 991 functionals, version 2; this libmood measures 991, version 1"},
    {"{" LABELS ", " RIGHT_AUDIO ", " PROSODY("990", "1") "}", MOOD_E_UNSUPPORTED,
     "trained on 990 functionals"},
    {"{" LABELS ", " RIGHT_AUDIO ", " PROSODY("991", "1") ", " ENCODER(ID, "6", "12", "9", "") "}",
     MOOD_E_FORMAT, "prosody with an encoder"},
    {"{" LABELS ", " RIGHT_AUDIO ", " PROSODY("991", "1") "}", MOOD_E_MISSING,
     "'weights/prosody.mean'"},
    {"{" LABELS ", " RIGHT_AUDIO ", " CENTRES(", \"centres\": 40") "}", MOOD_E_FORMAT,
     "'gate' is not true or false"},
    {"{" LABELS ", " RIGHT_AUDIO ", " CENTRES(", \"gate\": false") "}", MOOD_E_FORMAT,
     "'centres' is not a whole number"},
    {"{" LABELS ", " RIGHT_AUDIO ", " CENTRES(", \"gate\": true, \"centres\": 65537") "}",
     MOOD_E_FORMAT, "'centres' is not a whole number from 0 to 65536"},
    {"{" LABELS ", " RIGHT_AUDIO ", " CENTRES(", \"gate\": true, \"centres\": 0") "}",
     MOOD_E_FORMAT, "no centres"},
    {"{" LABELS ", " RIGHT_AUDIO ", " WIDE_HEADS ", \"encoder\": []}", MOOD_E_FORMAT, "'identity'"},
    {"{" LABELS ", " RIGHT_AUDIO ", " WIDE_HEADS ", " ENCODER("abc", "6", "12", "9", "x.h5") "}",
     MOOD_E_FORMAT, "not 64 hexadecimal digits"},
    {"{" LABELS ", " RIGHT_AUDIO ", " WIDE_HEADS ", " ENCODER(ID, "13", "12", "9", "x.h5") "}",
     MOOD_E_FORMAT, "encoder layer 13 is outside 0 to 12"},
    {"{" LABELS ", " RIGHT_AUDIO ", " WIDE_HEADS ", " ENCODER(ID, "-1", "12", "9", "x.h5") "}",
     MOOD_E_FORMAT, "'layer' is not a whole number"},
    {"{" LABELS ", " RIGHT_AUDIO ", " WIDE_HEADS ", " ENCODER(ID, "\"all\"", "12", "9", "x.h5") "}",
     MOOD_E_FORMAT, "'layer' is 'all'"},
    {"{" LABELS ", " RIGHT_AUDIO ", " WIDE_HEADS ", " ENCODER(ID, "6", "65", "9", "x.h5") "}",
     MOOD_E_FORMAT, "'n_layers'"},
    {"{" LABELS ", " RIGHT_AUDIO ", " WIDE_HEADS ", " ENCODER(ID, "0", "0", "9", "x.h5") "}",
     MOOD_E_FORMAT, "an encoder of 0 layers"},
    {"{" LABELS ", " RIGHT_AUDIO ", " WIDE_HEADS ", " ENCODER(ID, "6", "12", "0", "x.h5") "}",
     MOOD_E_FORMAT, "width 0"},
    {"{" LABELS ", " RIGHT_AUDIO ", " WIDE_HEADS ", " ENCODER(ID, "6", "12", "9", "\\u001b") "}",
     MOOD_E_FORMAT, "no text of one line"},
    {"{" LABELS ", " RIGHT_AUDIO ", " HEADS ", " ENCODER(ID, "6", "12", "9", "x.h5") "}",
     MOOD_E_FORMAT, "feature width 0, but an encoder of width 9"},
    /* right, but for other weights than the file has */
    {"{" LABELS ", " RIGHT_AUDIO ", " WIDE_HEADS ", " ENCODER(ID, "\"mix\"", "64", "9", "") "}",
     MOOD_E_MISSING, "'weights/mix.weights'"},
    {"{" LABELS ", " RIGHT_AUDIO
     ", " CLASSIFIER("\"tanh\"", "\"max\"") ", " ENCODER(ID, "6", "12", "9", "x.h5") "}",
     MOOD_E_MISSING, "'weights/classifier.dense.weight'"},
    {"{" LABELS ", " RIGHT_AUDIO
     ", \"heads\": {\"feature_width\": 0, \"divide\": 4, \"flatten\": \"FTC\"}}",
     MOOD_E_SHAPE, "weights/heads."},
    {"{" LABELS ", " RIGHT_AUDIO
     ", \"heads\": {\"feature_width\": 9, \"divide\": 8, \"flatten\": \"FTC\"}}",
     MOOD_E_MISSING, "'weights/heads.seq.conv1.weight'"},
    {"{" HEADS ", " RIGHT_AUDIO ", \"labels\": [\"a\", \"b\", \"c\"]}", MOOD_E_SHAPE,
     "weights/heads.out."},
};

static void test_configs(void **state)
{
    (void)state;
    const char *path = temp_path("config");
    mood_model *m;
    assert_ok(formula_model(&m, &two));
    for (size_t i = 0; i < sizeof(config_cases) / sizeof(config_cases[0]); i++) {
        write_changed(path, m, mood_model_weights(m),
                      &(struct change){.config = config_cases[i].config});
        assert_refused(path, config_cases[i].status, config_cases[i].text);
    }
    mood_model_destroy(&m);
}

/* ---- saving ------------------------------------------------------------------------------- */

/* Leaves 0 when the save fails and says why. */
static int child_save_without_room(const char *path)
{
    mood_model *m;
    if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){65536, 65536}) != 0 ||
        formula_model(&m, &formula_params_small) != MOOD_OK)
        return 2;
    int result = mood_model_save(m, path) == MOOD_E_IO &&
                         strcmp(mood_error_detail(), "cannot be written: File too large") == 0
                     ? 0
                     : 1;
    mood_model_destroy(&m);
    return result;
}

static void test_old_file_is_kept(void **state)
{
    (void)state;
    const char *path = temp_path("kept");
    mood_model *old, *back;
    assert_ok(formula_model(&old, &two));
    assert_ok(mood_model_save(old, path));
    assert_int_equal(in_child(child_save_without_room, path), 0);
    assert_ok(mood_model_load(&back, path));
    assert_same(old, back);
    mood_model_destroy(&back);

    assert_int_equal(mood_model_save(old, temp_path("no/such/folder")), MOOD_E_IO);
    mood_model_destroy(&old);
    assert_int_equal(temp_sweep(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_damage),
        cmocka_unit_test(test_foreign_files), cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_configs),       cmocka_unit_test(test_old_file_is_kept),
    };
    return cmocka_run_group_tests_name("model-file", tests, temp_setup, temp_teardown);
}
