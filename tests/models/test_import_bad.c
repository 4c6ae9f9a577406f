/* SPDX-License-Identifier: MIT
 *
 * test_import_bad.c — Folders that are not what they should be, each by one change to a good one:
 * refused in one line that names the thing, without memory for what config.json only claims. And
 * the changes that mean the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../fail_alloc.h"
#include "checkpoints.h"
#include "mood/import.h"

struct change {
    const char *old, *new;
    mood_status status;
    const char *says; /* a part of the detail */
};

static void expect_refused(mood_status want, const char *says, const char *what)
{
    mood_imported in;
    long live = alloc_live;
    mood_status status = mood_import(&in, temp_folder);
    if (status != want || !strstr(mood_error_detail(), says))
        fail_msg("%s: %s: %s", what, mood_status_name(status),
                 status ? mood_error_detail() : in.summary);
    assert_null(strchr(mood_error_detail(), '\n'));
    assert_null(in.encoder);
    assert_null(in.model);
    assert_int_equal(alloc_live, live);
    mood_imported_free(&in);
}

static void check_changes(const char *name, const char *file, const struct change *changes,
                          size_t n)
{
    for (size_t i = 0; i < n; i++) {
        copy_checkpoint(name);
        edit(file, changes[i].old, changes[i].new);
        expect_refused(changes[i].status, changes[i].says, changes[i].new);
    }
}

#define CHECK_CHANGES(name, file, changes)                                                         \
    check_changes(name, file, changes, sizeof(changes) / sizeof((changes)[0]))

/* ---- config.json ------------------------------------------------------------------------------
 */

static void test_other_networks(void **state)
{
    (void)state;
    static const char any[] = "\"add_adapter\": false";
    static const struct change changes[] = {
        {"\"feat_proj_layer_norm\": true", "\"feat_proj_layer_norm\": false", MOOD_E_UNSUPPORTED,
         "config.json: 'feat_proj_layer_norm' is false, not true"},
        {any, "\"add_adapter\": true", MOOD_E_UNSUPPORTED, "'add_adapter' is true, not false"},
        {any, "\"conv_pos_batch_norm\": true", MOOD_E_UNSUPPORTED,
         "'conv_pos_batch_norm' is true, not false"},
        {any, "\"adapter_attn_dim\": 16", MOOD_E_UNSUPPORTED, "'adapter_attn_dim' is 16, not null"},
        {any, "\"position_embeddings_type\": \"rotary\"", MOOD_E_UNSUPPORTED,
         "'position_embeddings_type' is \"rotary\""},
        {any, "\"quantization_config\": {\"bits\": 8}", MOOD_E_UNSUPPORTED,
         "'quantization_config' is {\"bits\": 8}"},
        {"\"hidden_act\": \"gelu\"", "\"hidden_act\": \"relu\"", MOOD_E_UNSUPPORTED,
         "'hidden_act' is \"relu\", not \"gelu\""},
        {"\"feat_extract_activation\": \"gelu\"", "\"feat_extract_activation\": \"gelu_new\"",
         MOOD_E_UNSUPPORTED, "'feat_extract_activation' is \"gelu_new\""},
        {"\"feat_extract_norm\": \"group\"", "\"feat_extract_norm\": \"batch\"", MOOD_E_UNSUPPORTED,
         "'feat_extract_norm' is \"batch\", not \"group\" or \"layer\""},
        {"\"model_type\": \"hubert\"", "\"model_type\": \"wavlm\"", MOOD_E_UNSUPPORTED,
         "'model_type' is \"wavlm\", not \"wav2vec2\" or \"hubert\""},
        {"\"model_type\": \"hubert\"", "\"model_type\": \"data2vec-audio\"", MOOD_E_UNSUPPORTED,
         "'model_type' is \"data2vec-audio\""},
        {"\"model_type\": \"hubert\"", "\"model_type\": 7", MOOD_E_UNSUPPORTED,
         "'model_type' is 7"},
        {"\"model_type\": \"hubert\"", "\"model\": \"hubert\"", MOOD_E_UNSUPPORTED,
         "'model_type' is absent"},
        {"\"HubertModel\"", "\"HubertForXVector\"", MOOD_E_UNSUPPORTED, "'HubertForXVector'"},
        {"\"HubertModel\"", "\"HubertForSequenceClassification\"", MOOD_E_MISSING,
         "config.json says HubertForSequenceClassification, but the files have no 'classifier'"},
        {"\"HubertModel\"", "\"A\", \"B\"", MOOD_E_FORMAT, "'architectures' is"},
        {"\"HubertModel\"", "\"A\\\"\\nB\"", MOOD_E_FORMAT, "'architectures' is"},
        {"\"HubertModel\"", "7", MOOD_E_FORMAT, "'architectures' is"},
        {"\"HubertModel\"", "", MOOD_E_FORMAT, "'architectures' is"},
    };
    CHECK_CHANGES("hubert", "config.json", changes);
}

static void test_wrong_values(void **state)
{
    (void)state;
    static const char width[] = "\"hidden_size\": 16", eps[] = "\"layer_norm_eps\": 1e-05";
    static const char not_whole[] = "not a whole number below 2^31";
    static const struct change changes[] = {
        {width, "\"hidden_size\": NaN", MOOD_E_FORMAT, "config.json: is not JSON"},
        {width, "\"hidden_size\": 99999999999999999999", MOOD_E_FORMAT, not_whole},
        {width, "\"hidden_size\": 2147483648", MOOD_E_FORMAT, not_whole},
        {width, "\"hidden_size\": 1e999", MOOD_E_FORMAT, not_whole},
        {width, "\"hidden_size\": \"16\"", MOOD_E_FORMAT, "'hidden_size' is \"16\", not a whole"},
        {width, "\"hidden_size\": -16", MOOD_E_FORMAT, not_whole},
        {width, "\"hidden_size\": 16.0", MOOD_E_FORMAT, not_whole},
        {width, "\"hidden_size\": null", MOOD_E_FORMAT, not_whole},
        {width, "\"hidden_size\": [16\n]", MOOD_E_FORMAT, not_whole},
        {width, "\"hidden_size\": 0", MOOD_E_FORMAT, "width is 0"},
        {width, "\"hidden_size\": 1000000", MOOD_E_FORMAT, "width is 1000000"},
        {width, "\"hidden_size\": 16, \"hidden_size\": 16", MOOD_E_FORMAT,
         "'hidden_size' is there twice"},
        {width, "\"hidden_size\": 32", MOOD_E_SHAPE, "where"},
        {"\"num_attention_heads\": 2", "\"num_attention_heads\": 3", MOOD_E_FORMAT, "n_heads is 3"},
        {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", MOOD_E_MISSING,
         "'encoder.layers.2.attention.q_proj.weight' is not in the file"},
        {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", MOOD_E_MISSING,
         "'encoder.layers.1.attention.k_proj.bias' is in the file, but not in the network"},
        {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 65", MOOD_E_FORMAT, "n_layers is 65"},
        {"\"num_feat_extract_layers\": 7", "\"num_feat_extract_layers\": 6", MOOD_E_FORMAT,
         "'num_feat_extract_layers' is 6, and 'conv_dim' has 7"},
        {"\"conv_stride\": [", "\"conv_stride\": [1,", MOOD_E_FORMAT,
         "'conv_stride' has 8 numbers, and 'conv_dim' 7"},
        {"\"conv_dim\": [", "\"conv_dim\": [1,1,1,1,1,1,1,1,1,1,", MOOD_E_UNSUPPORTED,
         "'conv_dim' has more than 16 numbers"},
        {"\"conv_dim\": [", "\"conv_dim\": [[],", MOOD_E_FORMAT, "not an array of whole numbers"},
        {"\"conv_dim\": [", "\"conv_dim\": 512, \"old\": [", MOOD_E_FORMAT,
         "'conv_dim' is 512, not an array"},
        {"\"conv_bias\": false", "\"conv_bias\": 0", MOOD_E_FORMAT,
         "'conv_bias' is 0, not true or"},
        {"\"conv_bias\": false", "\"conv_bias\": true", MOOD_E_MISSING,
         "'feature_extractor.conv_layers.0.conv.bias' is not in the file"},
        {eps, "\"layer_norm_eps\": NaN", MOOD_E_FORMAT, "config.json: is not JSON"},
        {eps, "\"layer_norm_eps\": \"1e-5\"", MOOD_E_FORMAT, "is \"1e-5\", not a number"},
        {eps, "\"layer_norm_eps\": 1e300", MOOD_E_FORMAT, "is 1e300, not a number"},
        {eps, "\"layer_norm_eps\": 0", MOOD_E_FORMAT, "layer_norm_eps is 0, not between"},
        {eps, "\"x\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", MOOD_E_FORMAT,
         "config.json: has JSON that is more than 32 deep"},
        {"{", "", MOOD_E_FORMAT, "config.json: is not a JSON object"},
        {"{", "{{", MOOD_E_FORMAT, "config.json: is not JSON"},
    };
    CHECK_CHANGES("hubert", "config.json", changes);
}

static void test_preprocessor(void **state)
{
    (void)state;
    static const char rate[] = "\"sampling_rate\": 16000";
    static const struct change changes[] = {
        {rate, "\"sampling_rate\": 8000", MOOD_E_UNSUPPORTED,
         "preprocessor_config.json: 'sampling_rate' is 8000, not 16000"},
        {rate, "\"sampling_rate\": 16000.0", MOOD_E_FORMAT, "'sampling_rate' is 16000.0"},
        {"\"feature_size\": 1", "\"feature_size\": 80", MOOD_E_UNSUPPORTED, "is 80, not 1"},
        {"\"do_normalize\": true", "\"do_normalize\": \"yes\"", MOOD_E_FORMAT,
         "'do_normalize' is \"yes\", not true or false"},
        {"\"Wav2Vec2FeatureExtractor\"", "\"WhisperFeatureExtractor\"", MOOD_E_UNSUPPORTED,
         "is \"WhisperFeatureExtractor\""},
    };
    CHECK_CHANGES("hubert", "preprocessor_config.json", changes);
}

/* ---- the head ---------------------------------------------------------------------------------
 */

static void test_wrong_heads(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"\"Wav2Vec2ForSequenceClassification\"", "\"Wav2Vec2ForCTC\"", MOOD_E_FORMAT,
         "config.json says Wav2Vec2ForCTC, but the files have 'projector' and 'classifier'"},
        {"\"Wav2Vec2ForSequenceClassification\"", "\"Wav2Vec2ForSpeechClassification\"",
         MOOD_E_FORMAT, "config.json says Wav2Vec2ForSpeechClassification, but"},
        {"\"classifier_proj_size\": 12", "\"classifier_proj_size\": 13", MOOD_E_SHAPE,
         "'projector.weight' has shape (12, 16) in the file, where (13, 16) is needed"},
        {"\"classifier_proj_size\": 12", "\"classifier_proj_size\": 0", MOOD_E_FORMAT,
         "'classifier_proj_size' is 0"},
        {"\"classifier_proj_size\": 12,", "", MOOD_E_SHAPE, "where (256, 16) is needed"},
        {"\"add_adapter\": false", "\"problem_type\": \"regression\"", MOOD_E_UNSUPPORTED,
         "config.json: 'problem_type' is \"regression\""},
        {"\"add_adapter\": false", "\"pooling_mode\": \"max\"", MOOD_E_UNSUPPORTED,
         "'pooling_mode' is \"max\", not \"mean\", as is usual with a projector"},
        {"\"use_weighted_layer_sum\": false", "\"use_weighted_layer_sum\": true", MOOD_E_MISSING,
         "'layer_weights' is not in the file"},
    };
    static const struct change tensors[] = {
        {"\"projector.weight\"", "\"projectox.weight\"", MOOD_E_UNSUPPORTED,
         "has a head of an unknown kind: 'classifier.bias'"},
        {"\"classifier.bias\"", "\"classifier.boss\"", MOOD_E_MISSING,
         "'classifier.bias' is not in the file"},
    };
    static const struct change mixed[] = {
        {"\"use_weighted_layer_sum\": true", "\"use_weighted_layer_sum\": false", MOOD_E_MISSING,
         "'layer_weights' is in the file, but not in the network"}};
    static const struct change pooling[] = {
        {"\"pooling_mode\": \"max\"", "\"pooling_mode\": \"attention\"", MOOD_E_UNSUPPORTED,
         "'pooling_mode' is \"attention\", not \"mean\", \"sum\" or \"max\""}};
    CHECK_CHANGES("projector", "config.json", changes);
    CHECK_CHANGES("projector", "model.safetensors", tensors);
    CHECK_CHANGES("superb", "config.json", mixed);
    CHECK_CHANGES("soxan", "config.json", pooling);
}

static void test_wrong_labels(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"\"0\": \"neu\"", "\"4\": \"neu\"", MOOD_E_FORMAT,
         "config.json: 'id2label': the label 'neu' is not numbered from 0 to 3"},
        {"\"0\": \"neu\"", "\"1\": \"neu\"", MOOD_E_FORMAT, "is not numbered from 0 to 3"},
        {"\"0\": \"neu\"", "\"-0\": \"neu\"", MOOD_E_FORMAT, "is not numbered from 0 to 3"},
        {"\"0\": \"neu\"", "\"99999999999999999999\": \"neu\"", MOOD_E_FORMAT, "is not numbered"},
        {"\"0\": \"neu\",", "", MOOD_E_FORMAT, "it has 3 labels, and the classifier 4 outputs"},
        {"\"0\": \"neu\"", "\"0\": 5", MOOD_E_FORMAT,
         "'id2label': the label of '0' is not a string"},
        {"\"0\": \"neu\"", "\"0\": \"HAP\"", MOOD_E_FORMAT, "config.json: "},
        {"\"0\": \"neu\"", "\"0\": \"\"", MOOD_E_FORMAT, "config.json: "},
        {"\"id2label\": {", "\"id2label\": [], \"x\": {", MOOD_E_FORMAT, "'id2label'"},
        {"\"id2label\": {", "\"num_labels\": 5, \"id2label\": {", MOOD_E_FORMAT,
         "'num_labels' is 5, and the classifier has 4 outputs"},
    };
    CHECK_CHANGES("superb", "config.json", changes);
}

/* ---- tensors ----------------------------------------------------------------------------------
 */

static const char position[] = "encoder.pos_conv_embed.conv.parametrizations.weight.original1";

/* Set the numbers of a tensor in the scratch folder's model.safetensors. */
static void overwrite(const char *name, uint32_t bits)
{
    static unsigned char bytes[CHECKPOINT_FILE_BYTES + 1];
    size_t n = read_bytes(temp_path("model.safetensors"), bytes), begin = 0, end = 0;
    const char *at = memmem(bytes, n, name, strlen(name));
    assert_non_null(at);
    at = strstr(at, "data_offsets");
    assert_int_equal(sscanf(at, "data_offsets\":[%zu,%zu]", &begin, &end), 2);
    size_t data = 8 + (size_t)bytes[0] + ((size_t)bytes[1] << 8);
    for (size_t i = begin; i < end; i += sizeof(bits))
        memcpy(bytes + data + i, &bits, sizeof(bits));
    write_bytes(temp_path("model.safetensors"), bytes, n);
}

static void test_wrong_tensors(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"\"encoder.layer_norm.bias\"", "\"encoder.layer_norm.boss\"", MOOD_E_MISSING,
         "'encoder.layer_norm.bias' is not in the file"},
        {"weight.original0\"", "weight.original2\"", MOOD_E_MISSING,
         "'encoder.pos_conv_embed.conv.parametrizations.weight.original0' is not in the file"},
        {"\"shape\":[24,16]", "\"shape\":[16,24]", MOOD_E_SHAPE,
         "has shape (16, 24) in the file, where (24, 16) is needed"},
        {"\"shape\":[1,1,16]", "\"shape\":[16,1,1]", MOOD_E_SHAPE,
         "has shape (16, 1, 1) in the file, where (1, 1, 16) is needed"},
        {"\"feature_projection.projection.bias\"", "\"hubert.xxxxxxxxxxx.projection.bias\"",
         MOOD_E_FORMAT, "tensors of two encoders"},
    };
    CHECK_CHANGES("hubert", "model.safetensors", changes);
    copy_checkpoint("hubert");
    overwrite("encoder.layer_norm.bias", 0x7fc00000); /* NaN */
    expect_refused(MOOD_E_NUMERIC, "'encoder.layer_norm.bias' is NaN", "NaN");
    copy_checkpoint("hubert");
    overwrite(position, 0);
    expect_refused(MOOD_E_NUMERIC, "is zero at tap 0", "zero");
}

static void test_no_folder(void **state)
{
    (void)state;
    mood_imported in;
    assert_int_equal(mood_import(&in, temp_path("nothing")), MOOD_E_IO);
    assert_non_null(strstr(mood_error_detail(), "config.json: "));
    temp_sweep();
    expect_refused(MOOD_E_IO, "config.json: ", "an empty folder");
    copy_checkpoint("hubert");
    assert_int_equal(unlink(temp_path("model.safetensors")), 0);
    expect_refused(MOOD_E_MISSING, "model.safetensors", "no weights");
    /* As in a copy of the hub's cache without its blobs: absent would mean the defaults. */
    copy_checkpoint("hubert");
    assert_int_equal(unlink(temp_path("preprocessor_config.json")), 0);
    assert_int_equal(symlink("nowhere", temp_path("preprocessor_config.json")), 0);
    expect_refused(MOOD_E_IO, "preprocessor_config.json: cannot be opened", "a link to nowhere");
    copy_checkpoint("hubert");
    write_bytes(temp_path("config.json"), "", 0);
    expect_refused(MOOD_E_FORMAT, "config.json: is not a JSON object", "an empty file");
}

/* ---- memory -----------------------------------------------------------------------------------
 */

/* A network of 2 GB in config.json, over a file of 30 kB. */
static void test_claims(void **state)
{
    (void)state;
    copy_checkpoint("hubert");
    edit("config.json", "\"hidden_size\": 16", "\"hidden_size\": 4096");
    edit("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 20");
    alloc_bytes = 0;
    expect_refused(MOOD_E_SHAPE, "where", "hidden_size");
    assert_in_range(alloc_bytes, 1, 1 << 20);
}

static mood_status import_scratch(const void *unused)
{
    mood_imported in;
    (void)unused;
    mood_status status = mood_import(&in, temp_folder);
    mood_imported_free(&in);
    return status;
}

static mood_status export_scratch(const void *encoder)
{
    return mood_encoder_export(encoder, temp_folder);
}

static void test_alloc(void **state)
{
    (void)state;
    static const char *const cases[] = {"superb", "xlsr"};
    for (int i = 0; i < 2; i++) {
        copy_checkpoint(cases[i]);
        assert_in_range(fail_each_alloc(import_scratch, NULL), 50, 2000);
    }
    mood_imported in;
    assert_int_equal(mood_import(&in, temp_folder), MOOD_OK);
    temp_sweep();
    assert_in_range(fail_each_alloc(export_scratch, in.encoder), 10, 2000);
    assert_int_equal(temp_sweep(), 0);
    mood_imported_free(&in);
}

/* ---- changes that are none --------------------------------------------------------------------
 */

static mood_imported import_changed(const char *name, const char *file, const char *old,
                                    const char *new)
{
    mood_imported in;
    copy_checkpoint(name);
    edit(file, old, new);
    if (mood_import(&in, temp_folder) != MOOD_OK)
        fail_msg("%s: %s", new, mood_error_detail());
    return in;
}

static void test_defaults(void **state)
{
    (void)state;
    mood_imported in = import_changed("hubert", "preprocessor_config.json",
                                      "\"do_normalize\": true", "\"do_normalize\": false");
    assert_false(mood_encoder_get_config(in.encoder)->normalise);
    mood_imported_free(&in);
    in = import_changed("hubert", "preprocessor_config.json", "\"do_normalize\"", "\"other\"");
    assert_true(mood_encoder_get_config(in.encoder)->normalise);
    mood_imported_free(&in);

    mood_encoder_config base, read;
    memset(&read, 0, sizeof(read));
    mood_encoder_defaults(&base);
    write_bytes(temp_path("config.json"), "{\"model_type\": \"wav2vec2\"}", 26);
    assert_int_equal(mood_import_config(&read, temp_path("config.json")), MOOD_OK);
    assert_memory_equal(&read, &base, sizeof(base));
    assert_int_equal(mood_import_config(&read, temp_path("none.json")), MOOD_E_IO);
}

static void expect_labels(mood_imported in, const char *const labels[4])
{
    assert_int_equal(mood_model_n_labels(in.model), 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(mood_model_label(in.model, i), labels[i]);
    mood_imported_free(&in);
}

static void test_labels(void **state)
{
    (void)state;
    const char *const usual[] = {"neutral", "happy", "angry", "sad"};
    expect_labels(import_changed("superb", "config.json", "\"id2label\"", "\"other\""), usual);
    expect_labels(import_changed("superb", "config.json", "\"id2label\": {",
                                 "\"id2label\": null, \"other\": {"),
                  usual);
    copy_checkpoint("superb");
    edit("config.json", "\"id2label\"", "\"other\"");
    mood_imported in;
    edit("config.json", "\"ang\": 2", "\"ang\": \"2\"");
    assert_int_equal(mood_import(&in, temp_folder), MOOD_OK);
    expect_labels(in, usual);
    edit("config.json", "\"label2id\"", "\"also other\"");
    assert_int_equal(mood_import(&in, temp_folder), MOOD_OK);
    expect_labels(in, (const char *const[]){"LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"});
    /* Two of one emotion stay as they are, and so does what is no word for one. */
    expect_labels(import_changed("superb", "config.json", "\"1\": \"hap\"", "\"1\": \"ANGER\""),
                  (const char *const[]){"neutral", "ANGER", "ang", "sad"});
    expect_labels(import_changed("superb", "config.json", "\"1\": \"hap\"", "\"1\": \"excited\""),
                  (const char *const[]){"neutral", "excited", "angry", "sad"});
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_networks), cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_preprocessor),   cmocka_unit_test(test_wrong_heads),
        cmocka_unit_test(test_wrong_labels),   cmocka_unit_test(test_wrong_tensors),
        cmocka_unit_test(test_no_folder),      cmocka_unit_test(test_claims),
        cmocka_unit_test(test_alloc),          cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_labels),
    };
    if (argc != 2)
        return 2;
    checkpoints_folder = argv[1];
    return cmocka_run_group_tests_name("import-bad", tests, temp_setup, temp_teardown);
}
