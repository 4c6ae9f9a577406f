/* SPDX-License-Identifier: MIT
 *
 * cli_encoder.c — The forms of encoders that programs make: by name, or of a config.json. */
#include <string.h>

#include "cli.h"
#include "mood/import.h"

/* Big for a test, and small for an encoder: 0.1 s of computing for a minute of sound. */
static void tiny(mood_encoder_config *c)
{
    mood_encoder_defaults(c);
    for (int i = 0; i < c->n_convs; i++)
        c->conv_channels[i] = 32;
    c->width = 64;
    c->n_layers = 4;
    c->n_heads = 4;
    c->feed_forward = 128;
    c->pos_kernel = 32;
    c->pos_groups = 4;
}

mood_status cli_encoder_form(mood_encoder_config *out, const char *name)
{
    if (strcmp(name, "base") != 0 && strcmp(name, "tiny") != 0)
        return mood_import_config(out, name);
    mood_encoder_defaults(out);
    if (strcmp(name, "tiny") == 0)
        tiny(out);
    return MOOD_OK;
}
