/* SPDX-License-Identifier: MIT
 *
 * encoder_part.c — Parts of an encoder: run by themselves, on a hidden state that was kept, and
 * trained while the rest stays as it is. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "graph/node.h"
#include "models/encoder.h"
#include "tensor/tensor.h"

mood_node *mood__encoder_part_input(mood_graph *g, const mood_encoder_config *config,
                                    struct mood__encoder_part part, int64_t batch,
                                    int64_t n_samples)
{
    if (part.first == MOOD__FROM_SAMPLES)
        return mood_input(g, "samples", MOOD_F32, 3, (int64_t[]){batch, n_samples, 1});
    int64_t T = mood_encoder_frames(config, n_samples);
    return mood_input(g, "hidden", MOOD_F32, 3, (int64_t[]){batch, T, config->width});
}

mood_node *mood__encoder_part_build(mood_node *input, const mood_encoder_config *config,
                                    struct mood__encoder_part part, mood_encoder_nodes *nodes)
{
    return part.first == MOOD__FROM_SAMPLES
               ? mood_wav2vec2(input, config, part.last, nodes)
               : mood_wav2vec2_layers(input, config, part.first, part.last, nodes);
}

/* ---- a part that can be trained ----------------------------------------------------------- */

/* Names and shapes of the weights of a part: a graph of it asks for them. */
static mood_status outline_of(mood_weights *outline, const mood_encoder_config *c,
                              struct mood__encoder_part part)
{
    mood_graph *g;
    MOOD__TRY(mood_graph_create(&g, &(mood_graph_params){.weights = outline}));
    mood_node *input = mood__encoder_part_input(g, c, part, 1, mood_encoder_min_samples(c));
    mood__encoder_part_build(input, c, part, NULL);
    mood_status status = mood_graph_compile(g, &input, 1);
    mood_graph_destroy(&g);
    return status;
}

/* The weights of `base`: copies of those that are in the outline, views of the others. */
static mood_status take_weights(mood_encoder *e, const mood_weights *base,
                                const mood_weights *outline)
{
    MOOD__TRY(mood_weights_create(&e->weights, 0));
    for (int i = 0; i < mood_weights_count(base); i++) {
        const mood_tensor *t = mood_weights_value(base, i);
        const char *name = mood_weights_name(base, i);
        if (mood_weights_find(outline, name) < 0) {
            MOOD__TRY(mood__weights_add_borrowed(e->weights, name, t));
            continue;
        }
        MOOD__TRY(mood_weights_add(e->weights, name, t->rank, t->dim, (mood_init){0}));
        MOOD__TRY(mood__copy_f32(mood_weights_value(e->weights, i), t));
    }
    mood_weights_seal(e->weights);
    return MOOD_OK;
}

static mood_status tell_source(mood_encoder *e, struct mood__encoder_part part)
{
    char text[192], what[48] = "all, from the samples on";
    if (part.first != MOOD__FROM_SAMPLES)
        snprintf(what, sizeof(what), "transformer layers %d to %d", part.first + 1, part.last);
    snprintf(text, sizeof(text), "{\"trained\": \"%s\", \"trained_from\": \"%s\"}", what,
             mood_encoder_identity(e->base));
    return mood_encoder_set_source(e, text);
}

static mood_status fill(mood_encoder *e, struct mood__encoder_part part)
{
    mood_weights *outline;
    MOOD__TRY(mood_weights_create(&outline, 0));
    mood__weights_start_outline(outline);
    mood_status status = outline_of(outline, &e->config, part);
    if (!status)
        status = take_weights(e, e->base->weights, outline);
    mood_weights_destroy(&outline);
    return status ? status : tell_source(e, part);
}

mood_status mood__encoder_tunable(mood_encoder **out, mood_encoder *base,
                                  struct mood__encoder_part part)
{
    *out = NULL;
    mood_encoder *e;
    if (base->has_i8)
        return mood__fail(MOOD_E_UNSUPPORTED, "an encoder with weights of 8 bits cannot be "
                                              "trained: its f32 or f16 file is needed");
    MOOD__TRY(mood__encoder_create_bare(&e, &base->config));
    e->base = mood_encoder_retain(base);
    mood_status status = fill(e, part);
    if (status)
        mood_encoder_destroy(&e);
    *out = e;
    return status;
}
