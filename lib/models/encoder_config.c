/* SPDX-License-Identifier: MIT
 *
 * encoder_config.c — What can be said about an encoder without having one: which configurations
 * there are, how many frames and weights they give, and how a clip is prepared. The network itself
 * is in wav2vec2.c. */
#include "mood/encoder.h"

#include <math.h>

#include "base/error.h"

/* Far above every published encoder (the largest, XLS-R 2B: width 1920, 48 layers, feed-forward
 * 7680, 2.2e9 weights), and low enough that no product of theirs overflows 64 bits. */
enum {
    MAX_CHANNELS = 8192,
    MAX_KERNEL = 1024,
    MAX_HOP = 16000,             /* samples from one frame to the next: 1 s */
    MAX_FRAME_SAMPLES = 1 << 20, /* samples that one frame sees: 66 s */
    MAX_FEED_FORWARD = 65536
};
static const int64_t MAX_ELEMENTS = INT64_C(1) << 32;

void mood_encoder_defaults(mood_encoder_config *config)
{
    *config = (mood_encoder_config){
        .n_convs = 7,
        .conv_channels = {512, 512, 512, 512, 512, 512, 512},
        .conv_kernel = {10, 3, 3, 3, 3, 2, 2},
        .conv_stride = {5, 2, 2, 2, 2, 2, 2},
        .conv_norm = MOOD_CONV_NORM_GROUP,
        .width = 768,
        .n_layers = 12,
        .n_heads = 12,
        .feed_forward = 3072,
        .pos_kernel = 128,
        .pos_groups = 16,
        .layer_norm_eps = 1e-5f,
        .normalise = true,
    };
}

static mood_status check_range(const char *field, int value, int max)
{
    if (value < 1 || value > max)
        return mood__fail(MOOD_E_INVALID, "the encoder's %s is %d, not from 1 to %d", field, value,
                          max);
    return MOOD_OK;
}

static mood_status check_divides(const char *field, int value, int width)
{
    if (value < 1 || width % value != 0)
        return mood__fail(MOOD_E_INVALID,
                          "the encoder's %s is %d, which does not divide the width %d", field,
                          value, width);
    return MOOD_OK;
}

static mood_status check_convs(const mood_encoder_config *c)
{
    int hop = 1;
    MOOD__TRY(check_range("n_convs", c->n_convs, MOOD_ENCODER_MAX_CONVS));
    for (int i = 0; i < c->n_convs; i++) {
        MOOD__TRY(check_range("conv_channels", c->conv_channels[i], MAX_CHANNELS));
        MOOD__TRY(check_range("conv_kernel", c->conv_kernel[i], MAX_KERNEL));
        MOOD__TRY(check_range("conv_stride", c->conv_stride[i], MAX_HOP / hop));
        hop *= c->conv_stride[i];
    }
    if (mood_encoder_min_samples(c) > MAX_FRAME_SAMPLES)
        return mood__fail(MOOD_E_INVALID,
                          "the encoder's convolutions see %lld samples at once; the limit is %d",
                          (long long)mood_encoder_min_samples(c), (int)MAX_FRAME_SAMPLES);
    if (c->conv_norm != MOOD_CONV_NORM_GROUP && c->conv_norm != MOOD_CONV_NORM_LAYER)
        return mood__fail(MOOD_E_INVALID, "the encoder's conv_norm is %d", (int)c->conv_norm);
    return MOOD_OK;
}

mood_status mood_encoder_check(const mood_encoder_config *c)
{
    MOOD__TRY(check_convs(c));
    MOOD__TRY(check_range("width", c->width, MAX_CHANNELS));
    MOOD__TRY(check_range("n_layers", c->n_layers, MOOD_ENCODER_MAX_LAYERS));
    MOOD__TRY(check_range("feed_forward", c->feed_forward, MAX_FEED_FORWARD));
    MOOD__TRY(check_range("pos_kernel", c->pos_kernel, MAX_KERNEL));
    MOOD__TRY(check_divides("n_heads", c->n_heads, c->width));
    MOOD__TRY(check_divides("pos_groups", c->pos_groups, c->width));
    if (!(c->layer_norm_eps > 0.0f && c->layer_norm_eps < 1.0f))
        return mood__fail(MOOD_E_INVALID, "the encoder's layer_norm_eps is %g, not between 0 and 1",
                          (double)c->layer_norm_eps);
    if (mood_encoder_elements(c) > MAX_ELEMENTS)
        return mood__fail(MOOD_E_INVALID, "an encoder of %lld weights; the limit is %lld",
                          (long long)mood_encoder_elements(c), (long long)MAX_ELEMENTS);
    return MOOD_OK;
}

int64_t mood_encoder_min_samples(const mood_encoder_config *config)
{
    int64_t n = 1;
    for (int i = config->n_convs; i-- > 0;)
        n = (n - 1) * config->conv_stride[i] + config->conv_kernel[i];
    return n;
}

int64_t mood_encoder_frames(const mood_encoder_config *config, int64_t n_samples)
{
    int64_t n = n_samples;
    for (int i = 0; i < config->n_convs; i++) {
        if (n < config->conv_kernel[i])
            return 0;
        n = (n - config->conv_kernel[i]) / config->conv_stride[i] + 1;
    }
    return n;
}

static int64_t dense_elements(int64_t in, int64_t out)
{
    return in * out + out;
}

int64_t mood_encoder_elements(const mood_encoder_config *c)
{
    int64_t total = 0, channels = 1, D = c->width;
    for (int i = 0; i < c->n_convs; i++) {
        int64_t in = channels, norm = c->conv_norm == MOOD_CONV_NORM_LAYER || i == 0 ? 2 : 0;
        channels = c->conv_channels[i];
        total += channels * (in * c->conv_kernel[i] + (c->conv_bias ? 1 : 0) + norm);
    }
    total += 2 * channels + dense_elements(channels, D); /* norm and projection */
    total += dense_elements(c->pos_kernel * (D / c->pos_groups), D) + 2 * D; /* position, norm */
    total += c->n_layers * (4 * dense_elements(D, D) + dense_elements(D, c->feed_forward) +
                            dense_elements(c->feed_forward, D) + 4 * D);
    return total;
}

void mood_encoder_prepare(const mood_encoder_config *config, float *x, size_t n)
{
    double sum = 0, squares = 0;
    if (!config->normalise || n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    double factor = 1.0 / sqrt(squares / (double)n + 1e-7);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((x[i] - mean) * factor);
}
