/* SPDX-License-Identifier: MIT
 *
 * make_model.c — Writes the model files that tests read:  make_model KIND OUT.h5
 *
 *     v1       tests/models/v1.h5: features and log-mel, three labels of its own
 *     small    log-mel only, the eight emotions; sure of nothing
 *     sure     the same, but it answers happy to everything
 *     labels   log-mel only, labels that are hard to print
 *     newer    what a libmood of the next major version might write
 *     encoder  no model, but a small encoder; "other" is another one
 *     hybrid   log-mel and that encoder's layer 2; the encoder is said to be in enc.h5
 *     whole    a classifier with that encoder in it, as f16 */
#include <stdio.h>
#include <string.h>

#include "encoder_model.h"
#include "store/store.h"

static mood_status save_newer(const char *path)
{
    struct mood__writer *w;
    mood_status status =
        mood__writer_create(&w, &(struct mood__format){.kind = "model", .major = 2, .minor = 7});
    if (!status)
        status = mood__writer_add_text(w, "config", "{\"from\": \"the future\"}");
    if (!status)
        status = mood__writer_save(w, path);
    mood__writer_destroy(&w);
    return status;
}

static mood_status save_encoder(const char *path, uint64_t seed)
{
    mood_encoder *e;
    mood_status status = small_encoder(&e, seed);
    if (!status)
        status = mood_encoder_save(e, path, MOOD_F32);
    mood_encoder_destroy(&e);
    return status;
}

static mood_status save_hearing(const char *path, bool whole)
{
    mood_encoder *e;
    mood_model *m = NULL;
    mood_status status = small_encoder(&e, 1);
    if (!status)
        status = encoder_model(&m, e, &encoder_model_kinds[whole ? 3 : 0], "enc.h5");
    if (!status && whole)
        status = mood_model_embed(m, e, MOOD_F16);
    if (!status)
        status = mood_model_save(m, path);
    mood_model_destroy(&m);
    mood_encoder_destroy(&e);
    return status;
}

static mood_status make(const char *kind, const char *path)
{
    static const char *const odd_labels[] = {"\"quoted\\\"", "tr\xc3\xa4nen\xf0\x9f\x98\xa2",
                                             "Happy", "\302\23331m"};
    const mood_model_params labels = {.heads = {.divide = 8}, .labels = odd_labels, .n_labels = 4};
    if (strcmp(kind, "newer") == 0)
        return save_newer(path);
    if (strcmp(kind, "encoder") == 0 || strcmp(kind, "other") == 0)
        return save_encoder(path, strcmp(kind, "other") == 0 ? 2 : 1);
    if (strcmp(kind, "hybrid") == 0 || strcmp(kind, "whole") == 0)
        return save_hearing(path, strcmp(kind, "whole") == 0);
    mood_model *m;
    mood_status status = formula_model(&m, strcmp(kind, "v1") == 0       ? &formula_params_v1
                                           : strcmp(kind, "labels") == 0 ? &labels
                                                                         : &formula_params_small);
    if (!status && (strcmp(kind, "small") == 0 || strcmp(kind, "sure") == 0))
        formula_flatten(m, mood_emotion_find("happy"), strcmp(kind, "sure") == 0 ? 5 : 0);
    if (!status)
        status = mood_model_set_record(m, "{\"protocol\": \"none: the weights are a formula\"}");
    if (!status)
        status = mood_model_save(m, path);
    mood_model_destroy(&m);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "make_model: KIND and OUT.h5, please\n");
        return 2;
    }
    if (make(argv[1], argv[2]) != MOOD_OK) {
        fprintf(stderr, "make_model: %s: %s\n", argv[2], mood_error_detail());
        return 1;
    }
    return 0;
}
