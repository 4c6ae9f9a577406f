/* SPDX-License-Identifier: MIT
 *
 * import_config.c — config.json and preprocessor_config.json as transformers writes them, for its
 * classes Wav2Vec2Config, HubertConfig and Wav2Vec2FeatureExtractor.
 *
 * A key that is absent has the default of those classes. Settings that only matter in a training
 * (dropout, masking, losses) are passed over; those that make another network are refused. */
#include "models/import.h"

#include <string.h>

#include "base/error.h"
#include "mood/audio.h"
#include "mood/import.h"

/* ---- what is refused ------------------------------------------------------------------------ */

/* Keys of which one value is modelled, written as in JSON; another, if it is there, makes a network
 * that wav2vec2.c does not build. */
static const struct setting {
    const char *key, *modelled;
} settings[] = {
    {"hidden_act", "\"gelu\""}, /* "gelu_new" would be the one by tanh */
    {"feat_extract_activation", "\"gelu\""},
    {"feat_proj_layer_norm", "true"},     /* HuBERT: a norm before the projection */
    {"conv_pos_batch_norm", "false"},     /* HuBERT: in place of the weight norm */
    {"add_adapter", "false"},             /* convolutions behind the last layer */
    {"adapter_attn_dim", "null"},         /* small layers inside the large ones (MMS) */
    {"position_embeddings_type", "null"}, /* of the conformer */
    {"quantization_config", "null"},
};

static mood_status check_settings(const struct mood__document *config)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        struct mood__json at;
        bool found, equal = true;
        MOOD__TRY(mood__document_find(config, settings[i].key, &at, &found));
        if (found)
            MOOD__TRY(mood__document_is(&at, settings[i].modelled, &equal));
        if (!equal)
            return mood__document_refuse(config, settings[i].key, MOOD_E_UNSUPPORTED,
                                         settings[i].modelled);
    }
    return MOOD_OK;
}

/* ---- what it is ----------------------------------------------------------------------------- */

static mood_status read_model_type(struct mood__import_config *out,
                                   const struct mood__document *config)
{
    static const char key[] = "model_type", wanted[] = "\"wav2vec2\" or \"hubert\"";
    if (mood__document_text(config, key, out->model_type, sizeof(out->model_type)) ||
        (strcmp(out->model_type, "wav2vec2") != 0 && strcmp(out->model_type, "hubert") != 0))
        return mood__document_refuse(config, key, MOOD_E_UNSUPPORTED, wanted);
    return MOOD_OK;
}

/* "architectures": ["Wav2Vec2Model"] */
static mood_status read_architecture(struct mood__import_config *out,
                                     const struct mood__document *config)
{
    static const char key[] = "architectures";
    struct mood__json at;
    bool found, more = false;
    MOOD__TRY(mood__document_find(config, key, &at, &found));
    if (!found || mood__json_peek(&at) == MOOD__JSON_NULL)
        return MOOD_OK;
    if (mood__json_open(&at, '[') || mood__json_next(&at, ']', &more) || !more ||
        mood__json_string(&at, out->architecture, sizeof(out->architecture)) ||
        mood__json_next(&at, ']', &more) || more)
        return mood__document_refuse(config, key, MOOD_E_FORMAT, "an array of one short name");
    for (const char *c = out->architecture; *c; c++) {
        if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\') /* it is shown, and written to JSON */
            return mood__document_refuse(config, key, MOOD_E_FORMAT, "the name of a class");
    }
    return MOOD_OK;
}

/* ---- the network ---------------------------------------------------------------------------- */

static mood_status read_convs(mood_encoder_config *c, const struct mood__document *config)
{
    const struct {
        const char *key;
        int *values;
    } lists[] = {{"conv_dim", c->conv_channels},
                 {"conv_kernel", c->conv_kernel},
                 {"conv_stride", c->conv_stride}};
    int n[3] = {c->n_convs, c->n_convs, c->n_convs}, said = -1;
    for (int i = 0; i < 3; i++)
        MOOD__TRY(mood__document_wholes(config, lists[i].key, lists[i].values,
                                        MOOD_ENCODER_MAX_CONVS, &n[i]));
    for (int i = 1; i < 3; i++) {
        if (n[i] != n[0])
            return mood__fail(MOOD_E_FORMAT, "'%s' has %d numbers, and 'conv_dim' %d", lists[i].key,
                              n[i], n[0]);
    }
    MOOD__TRY(mood__document_whole(config, "num_feat_extract_layers", &said));
    if (said >= 0 && said != n[0])
        return mood__fail(MOOD_E_FORMAT, "'num_feat_extract_layers' is %d, and 'conv_dim' has %d",
                          said, n[0]);
    c->n_convs = n[0];
    return MOOD_OK;
}

static mood_status read_conv_norm(mood_conv_norm *out, const struct mood__document *config)
{
    static const char key[] = "feat_extract_norm";
    char norm[8] = "group";
    MOOD__TRY(mood__document_text(config, key, norm, sizeof(norm)));
    if (strcmp(norm, "group") != 0 && strcmp(norm, "layer") != 0)
        return mood__document_refuse(config, key, MOOD_E_UNSUPPORTED, "\"group\" or \"layer\"");
    *out = strcmp(norm, "layer") == 0 ? MOOD_CONV_NORM_LAYER : MOOD_CONV_NORM_GROUP;
    return MOOD_OK;
}

static mood_status read_encoder(mood_encoder_config *c, const struct mood__document *config)
{
    const struct {
        const char *key;
        int *value;
    } wholes[] = {
        {"hidden_size", &c->width},
        {"num_hidden_layers", &c->n_layers},
        {"num_attention_heads", &c->n_heads},
        {"intermediate_size", &c->feed_forward},
        {"num_conv_pos_embeddings", &c->pos_kernel},
        {"num_conv_pos_embedding_groups", &c->pos_groups},
    };
    mood_encoder_defaults(c);
    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++)
        MOOD__TRY(mood__document_whole(config, wholes[i].key, wholes[i].value));
    MOOD__TRY(read_convs(c, config));
    MOOD__TRY(read_conv_norm(&c->conv_norm, config));
    MOOD__TRY(mood__document_bool(config, "conv_bias", &c->conv_bias));
    MOOD__TRY(mood__document_bool(config, "do_stable_layer_norm", &c->norm_first));
    MOOD__TRY(mood__document_float(config, "layer_norm_eps", &c->layer_norm_eps));
    /* What it calls an invalid argument is here the file's mistake. */
    return mood_encoder_check(c) == MOOD_OK ? MOOD_OK : MOOD_E_FORMAT;
}

mood_status mood__import_read_config(struct mood__import_config *out,
                                     const struct mood__document *config)
{
    *out = (struct mood__import_config){0};
    MOOD__TRY(read_model_type(out, config));
    MOOD__TRY(read_architecture(out, config));
    MOOD__TRY(check_settings(config));
    return read_encoder(&out->encoder, config);
}

mood_status mood_import_config(mood_encoder_config *out, const char *path)
{
    struct mood__document config;
    struct mood__import_config read;
    mood_status status = mood__document_read(&config, path);
    if (!status)
        status = mood__import_read_config(&read, &config);
    if (!status)
        *out = read.encoder;
    mood__document_free(&config);
    return status;
}

/* ---- the clip ------------------------------------------------------------------------------- */

mood_status mood__import_read_preprocessor(mood_encoder_config *out,
                                           const struct mood__document *preprocessor)
{
    static const char class_key[] = "feature_extractor_type";
    char class[64] = "Wav2Vec2FeatureExtractor";
    int rate = MOOD_SAMPLE_RATE, features = 1;
    if (mood__document_text(preprocessor, class_key, class, sizeof(class)) ||
        strcmp(class, "Wav2Vec2FeatureExtractor") != 0)
        return mood__document_refuse(preprocessor, class_key, MOOD_E_UNSUPPORTED,
                                     "\"Wav2Vec2FeatureExtractor\"");
    MOOD__TRY(mood__document_whole(preprocessor, "sampling_rate", &rate));
    if (rate != MOOD_SAMPLE_RATE)
        return mood__document_refuse(preprocessor, "sampling_rate", MOOD_E_UNSUPPORTED, "16000");
    MOOD__TRY(mood__document_whole(preprocessor, "feature_size", &features));
    if (features != 1)
        return mood__document_refuse(preprocessor, "feature_size", MOOD_E_UNSUPPORTED, "1");
    out->normalise = true;
    return mood__document_bool(preprocessor, "do_normalize", &out->normalise);
}
