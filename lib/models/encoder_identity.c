/* SPDX-License-Identifier: MIT
 *
 * encoder_identity.c — Which encoder this is, whatever file it lies in: a SHA-256 of the config and
 * of the weights as float32. docs/file-formats.md says which bytes it is of; they must never
 * change, because models name their encoders by it. */
#include "models/encoder.h"

#include <string.h>

#include "base/error.h"
#include "tensor/tensor.h"

static const char VERSION_1[] = "libmood encoder 1";

static void add_u64(struct mood__sha256 *s, uint64_t x)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(x >> 8 * i);
    mood__sha256_add(s, bytes, sizeof(bytes));
}

static uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static void add_config(struct mood__sha256 *s, const mood_encoder_config *c)
{
    add_u64(s, (uint64_t)c->n_convs);
    for (int i = 0; i < c->n_convs; i++) {
        add_u64(s, (uint64_t)c->conv_channels[i]);
        add_u64(s, (uint64_t)c->conv_kernel[i]);
        add_u64(s, (uint64_t)c->conv_stride[i]);
    }
    const int rest[] = {c->conv_bias,    (int)c->conv_norm, c->width,      c->n_layers,  c->n_heads,
                        c->feed_forward, c->pos_kernel,     c->pos_groups, c->norm_first};
    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
        add_u64(s, (uint64_t)rest[i]);
    add_u64(s, float_bits(c->layer_norm_eps));
    add_u64(s, c->normalise);
}

static void add_numbers(struct mood__sha256 *s, const float *x, int64_t count)
{
    unsigned char bytes[4096];
    size_t n = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits = float_bits(x[i]);
        for (int k = 0; k < 4; k++)
            bytes[n++] = (unsigned char)(bits >> 8 * k);
        if (n == sizeof(bytes)) {
            mood__sha256_add(s, bytes, n);
            n = 0;
        }
    }
    mood__sha256_add(s, bytes, n);
}

/* The name with its zero, the rank, the sizes, the numbers row by row. */
static void add_weight(struct mood__sha256 *s, const char *name, const mood_tensor *t)
{
    mood__sha256_add(s, name, strlen(name) + 1);
    add_u64(s, (uint64_t)t->rank);
    for (int i = 0; i < t->rank; i++)
        add_u64(s, (uint64_t)t->dim[i]);
    if (t->dtype != MOOD_F32_PANELS) {
        add_numbers(s, mood__f32(t), mood_tensor_elements(t));
        return;
    }
    mood_tensor p = mood__f32_panels(t);
    for (int64_t k = 0; k < p.dim[1]; k++)
        for (int64_t i = 0; i < p.dim[0]; i++)
            add_numbers(s, mood__f32(&p) + i * p.stride[0] + k * p.stride[1], p.dim[2]);
}

/* The weight whose name is the first (strcmp) behind `after`, or behind nothing; -1: none. There
 * are a few hundred, and beside their numbers looking for the next takes no time. */
static int next_by_name(const mood_weights *w, const char *after)
{
    int best = -1;
    for (int i = 0; i < mood_weights_count(w); i++) {
        const char *name = mood_weights_name(w, i);
        if ((!after || strcmp(name, after) > 0) &&
            (best < 0 || strcmp(name, mood_weights_name(w, best)) < 0))
            best = i;
    }
    return best;
}

static void compute(char out[MOOD__SHA256_HEX_BYTES], const mood_encoder *e)
{
    struct mood__sha256 s;
    unsigned char digest[MOOD__SHA256_BYTES];
    mood__sha256_start(&s);
    mood__sha256_add(&s, VERSION_1, sizeof(VERSION_1));
    add_config(&s, &e->config);
    for (int i = next_by_name(e->weights, NULL); i >= 0;
         i = next_by_name(e->weights, mood_weights_name(e->weights, i)))
        add_weight(&s, mood_weights_name(e->weights, i), mood_weights_value(e->weights, i));
    mood__sha256_finish(&s, digest);
    mood__sha256_hex(out, digest);
}

void mood_encoder_identify(mood_encoder *encoder)
{
    if (encoder->has_i8) /* what it could be computed from is not there */
        return;
    compute(encoder->identity, encoder);
    encoder->rounded = false;
}

mood_status mood_encoder_verify(const mood_encoder *encoder)
{
    char real[MOOD__SHA256_HEX_BYTES];
    if (encoder->rounded)
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "its weights were rounded to %s, so that they no longer show whether "
                          "its identity is right",
                          mood_dtype_name(encoder->has_i8 ? MOOD_I8 : MOOD_F16));
    compute(real, encoder);
    if (strcmp(real, encoder->identity) != 0)
        return mood__fail(MOOD_E_FORMAT, "its identity should be %s, but is %s", real,
                          encoder->identity);
    return MOOD_OK;
}
