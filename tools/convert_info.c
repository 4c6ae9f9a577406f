/* SPDX-License-Identifier: MIT
 *
 * convert_info.c — What a file is, for people: a heading, and one line per fact. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "convert.h"

static void fact(const char *name)
{
    printf("  %-11s ", name);
}

static void text_fact(const char *name, const char *text)
{
    char line[512];
    fact(name);
    printf("%s\n", cli_printable(line, sizeof(line), text));
}

static void numbers_fact(int64_t n, mood_dtype dtype)
{
    fact("parameters");
    if (n >= 1000000)
        printf("%.1f million, %s\n", (double)n / 1e6, mood_dtype_name(dtype));
    else
        printf("%" PRId64 ", %s\n", n, mood_dtype_name(dtype));
}

/* "512", or "512 512 256" where they differ. */
static void print_list(const int *x, int n)
{
    bool same = true;
    for (int i = 1; i < n; i++)
        same = same && x[i] == x[0];
    for (int i = 0; i < (same ? 1 : n); i++)
        printf("%s%d", i ? " " : "", x[i]);
}

/* One member, as it is written; a file cannot steer the terminal. */
static void print_member(const char *begin, const char *end)
{
    begin += strspn(begin, " \t\r\n");
    size_t n = end > begin ? (size_t)(end - begin) : 0,
           room = 4 * n + 1; /* each byte may be \xNN */
    char *member = malloc(n + 1), *shown = malloc(room);
    if (n > 0 && member && shown) {
        memcpy(member, begin, n);
        member[n] = '\0';
        printf("    %s\n", cli_printable(shown, room, member));
    }
    free(member);
    free(shown);
}

/* The members of a JSON object, one per line. The library has checked that the text is one. */
static void json_facts(const char *name, const char *json)
{
    if (strcmp(json, "{}") == 0)
        return;
    printf("  %s\n", name);
    const char *at = strchr(json, '{') + 1, *begin = at;
    bool quoted = false;
    for (int depth = 1; depth > 0; at++) {
        if (quoted && *at == '\\')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && (*at == '{' || *at == '['))
            depth++;
        else if (!quoted && (*at == '}' || *at == ']'))
            depth--;
        if (depth == 0 || (depth == 1 && !quoted && *at == ',')) {
            print_member(begin, at);
            begin = at + 1;
        }
    }
}

static void encoder_facts(const mood_encoder *e)
{
    const mood_encoder_config *c = mood_encoder_get_config(e);
    fact("hears");
    printf("%d convolutions with ", c->n_convs);
    print_list(c->conv_channels, c->n_convs);
    printf(" channels%s, %s norm; %" PRId64 " frames for 3 s\n", c->conv_bias ? " and bias" : "",
           c->conv_norm == MOOD_CONV_NORM_GROUP ? "group" : "layer",
           mood_encoder_frames(c, 3 * MOOD_SAMPLE_RATE));
    fact("understands");
    printf("%d layers of width %d, %d heads, feed-forward %d, norm %s\n", c->n_layers, c->width,
           c->n_heads, c->feed_forward, c->norm_first ? "first" : "last");
    text_fact("clips", c->normalise ? "normalised to mean 0, variance 1" : "taken as they are");
    text_fact("identity", mood_encoder_identity(e));
    json_facts("source", mood_encoder_source(e));
}

static void model_facts(mood_model *m)
{
    fact("labels");
    for (int i = 0; i < mood_model_n_labels(m); i++) {
        char line[4 * MOOD_MAX_LABEL_BYTES + 1];
        printf("%s%s", i ? ", " : "", cli_printable(line, sizeof(line), mood_model_label(m, i)));
    }
    printf("\n");
    fact("network");
    switch (mood_model_network(m)) {
    case MOOD_NETWORK_HEADS:
        printf("the hybrid heads\n");
        break;
    case MOOD_NETWORK_CLASSIFIER:
        printf("a classifier on an encoder\n");
        break;
    case MOOD_NETWORK_PROSODY:
        printf("kernel with %d centres, on %d functionals of prosody, version %d%s\n",
               mood_model_prosody(m)->n_centres, mood_model_prosody(m)->n_functionals,
               MOOD_FUNCTIONALS_VERSION,
               mood_model_prosody(m)->no_gate ? "" : ", with a gate for speech");
        break;
    }
    const mood_encoder_use *use = mood_model_encoder(m);
    if (use) {
        fact("encoder");
        if (use->layer == MOOD_LAYER_MIX)
            printf("a mix of all %d layers, ", use->n_layers);
        else
            printf("layer %d of %d, ", use->layer, use->n_layers);
        printf("width %d, %s\n", use->width,
               mood_model_embedded(m) ? "inside" : "in a file of its own");
        if (!mood_model_embedded(m))
            text_fact("identity", use->identity);
    }
    if (!convert_record(mood_model_record(m)))
        json_facts("record", mood_model_record(m));
}

void convert_info(const struct source *s, const char *path, bool verified)
{
    char shown[512];
    bool file = s->file.kind[0] != '\0';
    printf("%s: ", cli_printable(shown, sizeof(shown), path));
    if (file)
        printf("%s, version %d.%d, undamaged\n", s->file.kind, s->file.major, s->file.minor);
    else
        printf("%s in a Hugging Face folder\n", s->in.model ? "classifier" : "encoder");
    if (s->in.summary[0] != '\0')
        text_fact("is", s->in.summary);
    numbers_fact(file ? s->file.n_numbers
                      : mood_encoder_elements(mood_encoder_get_config(s->in.encoder)),
                 file ? s->file.dtype : MOOD_F32);
    if (s->in.encoder)
        encoder_facts(s->in.encoder);
    if (s->in.model)
        model_facts(s->in.model);
    if (verified && s->in.encoder)
        text_fact("verified", "the weights have this identity");
}
