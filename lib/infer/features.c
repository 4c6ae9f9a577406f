/* SPDX-License-Identifier: MIT
 *
 * features.c — An encoder's hidden states, in the form that a model's network was trained on. */
#include "infer/features.h"

#include <string.h>

#include "base/error.h"
#include "base/half.h"
#include "models/model.h"
#include "models/pipeline.h"
#include "tensor/tensor.h"

struct mood__feature_shape mood__feature_shape(const mood_encoder_use *use, int n_frames)
{
    bool mix = use->layer == MOOD_LAYER_MIX;
    return (struct mood__feature_shape){mix ? use->n_layers + 1 : 1, n_frames, use->width};
}

size_t mood__feature_floats(const struct mood__feature_shape *shape)
{
    return (size_t)shape->n_layers * (size_t)shape->n_frames * (size_t)shape->width;
}

int mood__window_frames(const mood_encoder *encoder)
{
    return (int)mood_encoder_frames(mood_encoder_get_config(encoder), MOOD__WINDOW_SAMPLES);
}

mood_status mood__check_window_frames(const mood_encoder *encoder)
{
    int n = mood__window_frames(encoder);
    if (n < MOOD__HEADS_MIN_FRAMES)
        return mood__fail(MOOD_E_INVALID,
                          "the encoder gives %d frames for the %d samples of a window, and the "
                          "heads need %d",
                          n, (int)MOOD__WINDOW_SAMPLES, (int)MOOD__HEADS_MIN_FRAMES);
    return MOOD_OK;
}

struct mood__encoder_part mood__part_heard(const mood_encoder_use *use, int first)
{
    return (struct mood__encoder_part){first,
                                       use->layer == MOOD_LAYER_MIX ? use->n_layers : use->layer};
}

mood_status mood__features_create(mood_frames **out, mood_encoder *encoder,
                                  const mood_encoder_use *use, int first, mood_pool *pool)
{
    return mood__frames_create(out, encoder, MOOD__WINDOW_SAMPLES, mood__part_heard(use, first),
                               use->layer == MOOD_LAYER_MIX, pool);
}

/* Copy what the frames kept of the last run. */
static void take(const mood_frames *frames, const mood_encoder_use *use, bool rounded,
                 float *features)
{
    int last = mood__part_heard(use, 0).last, first = use->layer == MOOD_LAYER_MIX ? 0 : last;
    float *to = features;
    for (int i = first; i <= last; i++) {
        const mood_tensor *layer = mood_frames_layer(frames, i);
        memcpy(to, layer->data, mood_tensor_bytes(layer));
        to += mood_tensor_elements(layer);
    }
    if (rounded)
        mood__round_features(features, (size_t)(to - features));
}

mood_status mood__features_run(mood_frames *frames, const mood_encoder_use *use, bool rounded,
                               const float *x, float *features)
{
    MOOD__TRY(mood_frames_run(frames, x));
    take(frames, use, rounded, features);
    return MOOD_OK;
}

mood_status mood__features_forward(mood_frames *frames, const mood_encoder_use *use, bool rounded,
                                   float *features)
{
    MOOD__TRY(mood__frames_forward(frames));
    take(frames, use, rounded, features);
    return MOOD_OK;
}

/* Training reads features from a cache on disk, which keeps them as f16: half the disk, and at 11
 * bits a rounding of 2^-12 of each number, far below what separates two voices. A head then hears
 * the same numbers again when it answers, and the figures of a training are those of recognition,
 * clip by clip and bit by bit. Writing to the cache by mood__f32_to_f16 and reading by
 * mood__f16_to_f32 is this rule, and nothing else may be. Classifiers were trained by others, on
 * all their bits. */
void mood__round_features(float *x, size_t n)
{
    enum { BLOCK = 1024 };
    uint16_t half[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t count = n - i < BLOCK ? n - i : BLOCK;
        mood__f32_to_f16(half, x + i, count);
        mood__f16_to_f32(x + i, half, count);
    }
}
