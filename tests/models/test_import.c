/* SPDX-License-Identifier: MIT
 *
 * test_import.c — Small folders as the hub has them, one of each form, against torchaudio and
 * written-out heads in float64 (tests/golden/make_checkpoints.py); and the ways to libmood's files
 * and back to such a folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../tools/formula.h"
#include "../golden/golden.h"
#include "checkpoints.h"
#include "mood/import.h"
#include "mood/ops.h"

#define assert_ok(expr)                                                                            \
    do {                                                                                           \
        if ((expr) != MOOD_OK)                                                                     \
            fail_msg("%s: %s", #expr, mood_error_detail());                                        \
    } while (0)

static const double LAYER_BOUND = 1e-4, PROBABILITY_BOUND = 1e-4, EXPORT_BOUND = 1e-6;

enum { SHORT = 8000, WINDOW = 48000, MAX_LABELS = 8 };

static struct golden *golden;

static const char *const cases[] = {"base",   "xlsr",      "hubert", "hubert_large", "half",
                                    "superb", "projector", "tanh",   "soxan"};
enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

static const struct classifier {
    const char *name;
    int layer;
    const char *labels[MAX_LABELS + 1];
} classifiers[] = {
    {"superb", MOOD_LAYER_MIX, {"neutral", "happy", "angry", "sad"}},
    {"projector", 2, {"angry", "disgust", "fearful", "happy", "neutral", "sad", "other"}},
    {"tanh", 2, {"angry", "calm", "disgust", "fearful", "happy", "neutral", "sad", "surprised"}},
    /* joy and happiness would be one: both stay */
    {"soxan", 2, {"joy", "happiness", "angry", "boredom"}},
};
enum { N_CLASSIFIERS = sizeof(classifiers) / sizeof(classifiers[0]) };

static void expect(const char *name, const char *what, double error, double bound)
{
    print_message("  %-12s %-14s %.1e of %.0e\n", name, what, error, bound);
    if (!(error <= bound))
        fail_msg("%s %s: error %.1e", name, what, error);
}

static mood_imported import(const char *name)
{
    mood_imported in;
    assert_ok(mood_import(&in, checkpoint(name)));
    return in;
}

/* An encoder that has heard "samples.NAME", with all its layers. */
static mood_frames *hear(mood_encoder *e, const char *name, size_t n)
{
    static float x[WINDOW];
    char samples[64];
    mood_frames *f;
    snprintf(samples, sizeof(samples), "samples.%s", name);
    formula_values(x, (int64_t)n, samples);
    assert_ok(
        mood_frames_create(&f, e, n, &(mood_frames_params){.n_layers = -1, .every_layer = true}));
    assert_ok(mood_frames_run(f, x));
    return f;
}

/* ---- against the truth ------------------------------------------------------------------------
 */

static void test_layers(void **state)
{
    (void)state;
    for (int k = 0; k < N_CASES; k++) {
        mood_imported in = import(cases[k]);
        mood_frames *f = hear(in.encoder, cases[k], SHORT);
        int n = mood_encoder_get_config(in.encoder)->n_layers;
        for (int i = 0; i <= n; i++) {
            char part[24];
            snprintf(part, sizeof(part), "layer_%02d", i);
            const mood_tensor *want = golden_find(golden, cases[k], part);
            if (!want)
                fail_msg("%s/%s is not in the golden file", cases[k], part);
            mood_tensor got;
            assert_ok(mood_tensor_reshape(&got, mood_frames_layer(f, i), 3, want->dim));
            expect(cases[k], part, golden_error(&got, want, 0), LAYER_BOUND);
        }
        mood_frames_destroy(&f);
        mood_imported_free(&in);
    }
}

/* All hidden states, or the one that the model hears, into the input of its network. */
static void feed(const mood_node *input, const mood_frames *f, const mood_encoder_use *use)
{
    char *at = mood_node_value(input)->data;
    for (int i = 0; i <= use->n_layers; i++) {
        const mood_tensor *t = mood_frames_layer(f, i);
        if (use->layer != MOOD_LAYER_MIX && i != use->layer)
            continue;
        memcpy(at, t->data, mood_tensor_bytes(t));
        at += mood_tensor_bytes(t);
    }
}

/* The model's network on the hidden states of a window, against NAME/PART. */
static void check_answer(const mood_model *m, const mood_frames *f, const char *name,
                         const char *part)
{
    const mood_encoder_use *use = mood_model_encoder(m);
    const mood_tensor *last = mood_frames_layer(f, use->n_layers);
    bool mix = use->layer == MOOD_LAYER_MIX;
    int64_t T = last->dim[0], D = last->dim[1];
    mood_graph *g;
    assert_ok(mood_graph_create(
        &g, &(mood_graph_params){.weights = mood_model_weights((mood_model *)m)}));
    mood_node *x = mood_input(g, "frames", MOOD_F32, mix ? 4 : 3,
                              mix ? (int64_t[]){1, use->n_layers + 1, T, D} : (int64_t[]){1, T, D});
    mood_node *p = mood_softmax(mood_model_logits(m, x, NULL, 0));
    assert_ok(mood_graph_compile(g, &p, 1));
    feed(x, f, use);
    assert_ok(mood_graph_forward(g));
    expect(name, part, golden_error(mood_node_value(p), golden_find(golden, name, part), 1),
           PROBABILITY_BOUND);
    mood_graph_destroy(&g);
}

static void test_probabilities(void **state)
{
    (void)state;
    for (int k = 0; k < N_CLASSIFIERS; k++) {
        const char *name = classifiers[k].name;
        mood_imported in = import(name);
        assert_int_equal(mood_model_network(in.model), MOOD_NETWORK_CLASSIFIER);
        mood_frames *f = hear(mood_model_embedded(in.model), name, WINDOW);
        check_answer(in.model, f, name, "probabilities");
        mood_frames_destroy(&f);
        mood_imported_free(&in);
    }
}

/* The same checkpoint, were its frames summed. */
static void test_pooling(void **state)
{
    (void)state;
    mood_imported in;
    copy_checkpoint("soxan");
    edit("config.json", "\"pooling_mode\": \"max\"", "\"pooling_mode\": \"sum\"");
    assert_ok(mood_import(&in, temp_folder));
    mood_frames *f = hear(in.encoder, "soxan", WINDOW);
    check_answer(in.model, f, "soxan", "sum");
    mood_frames_destroy(&f);
    mood_imported_free(&in);
    edit("config.json", "\"pooling_mode\": \"sum\",", "");
    assert_ok(mood_import(&in, temp_folder));
    assert_int_equal(mood_model_classifier(in.model)->pooling, MOOD_POOLING_MEAN);
    mood_imported_free(&in);
}

/* ---- what is said about it --------------------------------------------------------------------
 */

static void test_labels(void **state)
{
    (void)state;
    for (int k = 0; k < N_CLASSIFIERS; k++) {
        const struct classifier *c = &classifiers[k];
        mood_imported in = import(c->name);
        assert_int_equal(mood_model_encoder(in.model)->layer, c->layer);
        for (int i = 0; i < mood_model_n_labels(in.model); i++)
            assert_string_equal(mood_model_label(in.model, i), c->labels[i]);
        assert_null(c->labels[mood_model_n_labels(in.model)]);
        mood_imported_free(&in);
    }
}

static void test_origin(void **state)
{
    (void)state;
    mood_imported in = import("superb");
    assert_string_equal(in.summary,
                        "Wav2Vec2ForSequenceClassification (wav2vec2), 2 layers of width 16, "
                        "4 labels");
    assert_non_null(strstr(mood_model_record(in.model), "Wav2Vec2ForSequenceClassification"));
    assert_non_null(strstr(mood_model_record(in.model), "\"neu\""));
    assert_non_null(strstr(mood_model_record(in.model), "\"files\":[\"pytorch_model.bin\"]"));
    assert_non_null(strstr(mood_encoder_source(in.encoder), "\"model_type\":\"wav2vec2\""));
    assert_string_equal(mood_encoder_identity(in.encoder), mood_model_encoder(in.model)->identity);
    mood_imported_free(&in);

    in = import("xlsr");
    assert_non_null(strstr(mood_encoder_source(in.encoder), "model-00001-of-00002.safetensors"));
    assert_non_null(strstr(mood_encoder_source(in.encoder), "model-00002-of-00002.safetensors"));
    mood_imported_free(&in);

    in = import("half");
    assert_null(in.model);
    assert_string_equal(in.summary, "an encoder (wav2vec2), 2 layers of width 16");
    mood_imported_free(&in);
}

/* ---- and back ---------------------------------------------------------------------------------
 */

/* The largest difference between two encoders' hidden states, by the largest value of each. */
static double compare(mood_encoder *a, mood_encoder *b, const char *name)
{
    mood_frames *f = hear(a, name, SHORT), *g = hear(b, name, SHORT);
    double worst = 0;
    for (int i = 0; i <= mood_encoder_get_config(a)->n_layers; i++) {
        double error = golden_error(mood_frames_layer(f, i), mood_frames_layer(g, i), 0);
        worst = error > worst ? error : worst;
    }
    mood_frames_destroy(&f);
    mood_frames_destroy(&g);
    return worst;
}

static void test_save(void **state)
{
    (void)state;
    for (int k = 0; k < N_CASES; k++) {
        mood_imported in = import(cases[k]);
        mood_encoder *back;
        assert_ok(mood_encoder_save(in.encoder, temp_path("encoder.h5"), MOOD_F32));
        assert_ok(mood_encoder_load(&back, temp_path("encoder.h5")));
        assert_string_equal(mood_encoder_identity(back), mood_encoder_identity(in.encoder));
        assert_string_equal(mood_encoder_source(back), mood_encoder_source(in.encoder));
        expect(cases[k], "saved", compare(back, in.encoder, cases[k]), 0);
        mood_encoder_destroy(&back);
        mood_imported_free(&in);
    }
    temp_sweep();
}

static void test_save_model(void **state)
{
    (void)state;
    mood_imported in = import("superb");
    mood_model *back;
    assert_ok(mood_model_save(in.model, temp_path("model.h5")));
    assert_ok(mood_model_load(&back, temp_path("model.h5")));
    mood_frames *f = hear(mood_model_embedded(back), "superb", WINDOW);
    check_answer(back, f, "superb", "probabilities");
    assert_string_equal(mood_model_record(back), mood_model_record(in.model));
    mood_frames_destroy(&f);
    mood_model_destroy(&back);
    mood_imported_free(&in);
    temp_sweep();
}

/* Without these words transformers takes a file for one that is none of its own. */
static void expect_signed(void)
{
    static unsigned char bytes[CHECKPOINT_FILE_BYTES];
    static const char words[] = "{\"__metadata__\":{\"format\":\"pt\"},";
    assert_true(read_bytes(temp_path("model.safetensors"), bytes) > 8 + sizeof(words));
    assert_memory_equal(bytes + 8, words, sizeof(words) - 1);
}

static void test_export(void **state)
{
    (void)state;
    for (int k = 0; k < N_CASES; k++) {
        mood_imported in = import(cases[k]), back;
        assert_ok(mood_encoder_export(in.encoder, temp_folder));
        expect_signed();
        assert_ok(mood_import(&back, temp_folder));
        assert_null(back.model);
        const mood_encoder_config *a = mood_encoder_get_config(in.encoder);
        const mood_encoder_config *b = mood_encoder_get_config(back.encoder);
        assert_memory_equal(a, b, sizeof(*a));
        expect(cases[k], "exported", compare(back.encoder, in.encoder, cases[k]), EXPORT_BOUND);
        mood_imported_free(&back);
        mood_imported_free(&in);
    }
    temp_sweep();
}

/* What is not as the published ones are: another eps, no preparation, taps without a weight. */
static void test_export_config(void **state)
{
    (void)state;
    mood_encoder_config c;
    mood_encoder *e;
    mood_imported back;
    assert_ok(mood_import_config(&c, checkpoint("base/config.json")));
    c.normalise = false;
    c.layer_norm_eps = 1.2345678e-7f;
    assert_ok(mood_encoder_create(&e, &c, NULL));
    assert_ok(mood_encoder_export(e, temp_folder));
    assert_ok(mood_import(&back, temp_folder));
    assert_memory_equal(mood_encoder_get_config(back.encoder), &c, sizeof(c));
    for (int i = 0; i < mood_weights_count(mood_encoder_weights(e)); i++) {
        const mood_tensor *zeros = mood_weights_value(mood_encoder_weights(e), i);
        assert_memory_equal(mood_weights_value(mood_encoder_weights(back.encoder), i)->data,
                            zeros->data, mood_tensor_bytes(zeros));
    }
    mood_imported_free(&back);
    mood_encoder_destroy(&e);
    temp_sweep();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),        cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_pooling),       cmocka_unit_test(test_labels),
        cmocka_unit_test(test_origin),        cmocka_unit_test(test_save),
        cmocka_unit_test(test_save_model),    cmocka_unit_test(test_export),
        cmocka_unit_test(test_export_config),
    };
    char path[PATH_MAX];
    if (argc != 2)
        return 2;
    checkpoints_folder = argv[1];
    snprintf(path, sizeof(path), "%s.golden", argv[1]);
    golden = golden_open(path);
    if (!golden)
        return 2;
    int failed = cmocka_run_group_tests_name("import", tests, temp_setup, temp_teardown);
    golden_close(&golden);
    return failed;
}
