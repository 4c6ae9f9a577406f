/* SPDX-License-Identifier: MIT
 *
 * encoder.c — The encoder of a training: which one, which of its layers, and what is said of it. */
#include <stdlib.h>
#include <string.h>

#include "train.h"

/* ---- options ---- */

/* "9" as a number that is not negative; -1 when it is none. */
static int layer_number(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n <= 4 && strspn(text, "0123456789") == n ? atoi(text) : -1;
}

bool encoder_check(struct cli *c, const struct options *o)
{
    const char *layer = o->encoder_layer, *form = o->encoder_config;
    if (form && (o->encoder || layer || o->cache || o->finetune))
        return cli_usage(
            c, "--encoder-config makes an encoder that is trained as a whole: leave %s out",
            o->encoder ? "--encoder"
            : layer    ? "--encoder-layer"
            : o->cache ? "--cache"
                       : "--finetune");
    if (!o->encoder && (layer || o->cache || o->finetune || (o->embed_encoder && !form)))
        return cli_usage(c, "%s needs --encoder",
                         layer         ? "--encoder-layer"
                         : o->cache    ? "--cache"
                         : o->finetune ? "--finetune"
                                       : "--embed-encoder");
    if (o->encoder_lr > 0 && !o->finetune && !form)
        return cli_usage(c, "--encoder-lr needs --finetune or --encoder-config");
    if (o->finetune && layer && strcmp(layer, "mix") == 0)
        return cli_usage(c,
                         "--finetune trains the layers below one: --encoder-layer mix hears all");
    if (layer && strcmp(layer, "auto") != 0 && strcmp(layer, "mix") != 0 && layer_number(layer) < 0)
        return cli_usage(c, "--encoder-layer: '%s' is neither a number nor auto nor mix", layer);
    if ((o->encoder || form) && o->trace)
        return cli_usage(c, "--trace says nothing of features: leave it or %s out",
                         form ? "--encoder-config" : "--encoder");
    return true;
}

static mood_status make_encoder(const struct options *o, mood_encoder **encoder)
{
    mood_encoder_config config;
    mood_status status = cli_encoder_form(&config, o->encoder_config);
    if (status)
        return status;
    return mood_encoder_create(encoder, &config, &(mood_encoder_params){.seed = (uint64_t)o->seed});
}

bool encoder_load(struct cli *c, const struct options *o, mood_encoder **encoder)
{
    const char *from = o->encoder ? o->encoder : o->encoder_config;
    *encoder = NULL;
    if (!from)
        return true;
    mood_status status = o->encoder ? mood_encoder_load(encoder, from) : make_encoder(o, encoder);
    if (status) {
        cli_error(c, from, "%s", mood_error_detail());
        return false;
    }
    const mood_encoder_config *e = mood_encoder_get_config(*encoder);
    int layer = o->encoder_layer ? layer_number(o->encoder_layer) : -1;
    if (layer > e->n_layers) {
        cli_error(c, from, "has layers 0 to %d; --encoder-layer %d is not one of them", e->n_layers,
                  layer);
        return false;
    }
    fprintf(stderr, "%s: encoder %.12s..., %d layers, width %d\n", from,
            mood_encoder_identity(*encoder), e->n_layers, e->width);
    return true;
}

void encoder_fill(mood_train_params *p, const struct run *r)
{
    const struct options *o = r->o;
    p->encoder = r->encoder;
    p->cache = o->cache;
    p->copies = o->copies;
    p->finetune = o->encoder_config ? MOOD_FINETUNE_ALL : o->finetune;
    p->encoder_rate = o->encoder_lr / o->lr;
}

/* ---- the layer ---- */

static void show_table(const struct run *r)
{
    const mood_layer_table *t = &r->layers;
    if (!r->n_folds)
        printf("layer  accuracy     UAR   on time-averaged layers, validation side\n");
    for (int i = 0; i < t->n && !r->n_folds; i++)
        printf("%5d     %.3f   %.3f%s%s\n", i, t->accuracy[i], t->uar[i],
               i == t->best ? "  best" : "", i == t->chosen ? "  chosen" : "");
    if (r->n_folds)
        printf("fold %d of %d, layer %d chosen (%.3f; best is layer %d with %.3f)\n", r->fold + 1,
               r->n_folds, t->chosen, t->accuracy[t->chosen], t->best, t->accuracy[t->best]);
    fflush(stdout);
}

mood_status encoder_choose(struct run *r, const mood_train_params *params)
{
    const char *layer = r->o->encoder_layer;
    if (!r->encoder)
        return MOOD_OK;
    if (layer && strcmp(layer, "mix") == 0) {
        r->layer = MOOD_LAYER_MIX;
        return MOOD_OK;
    }
    if (layer && strcmp(layer, "auto") != 0) {
        r->layer = layer_number(layer);
        return MOOD_OK;
    }
    if (params->finetune && !layer) { /* all of what there is can adapt */
        r->layer = mood_encoder_get_config(r->encoder)->n_layers;
        return MOOD_OK;
    }
    mood_status status = mood_choose_layer(&r->layers, r->corpus, r->split, params);
    show_bar_end(r);
    if (status)
        return status;
    r->layer = r->layers.chosen;
    show_table(r);
    return MOOD_OK;
}

/* ---- what is said ---- */

static void put_bytes(char *buf, size_t size, uint64_t bytes)
{
    double mb = (double)bytes / 1e6;
    snprintf(buf, size, mb < 1000 ? "%.1f MB" : "%.1f GB", mb < 1000 ? mb : mb / 1000);
}

void encoder_plan(struct run *r, const mood_train_event *e)
{
    const mood_cache_plan *p = e->plan;
    char need[32], room[32];
    show_bar_end(r);
    put_bytes(need, sizeof(need), p->bytes);
    put_bytes(room, sizeof(room), p->bytes_free);
    if (p->n_bad > 0)
        cli_warn(r->cli, p->folder, "%d file%s passed over; %s", p->n_bad, p->n_bad == 1 ? "" : "s",
                 p->bad);
    fprintf(stderr, "features: %lld windows in %s", (long long)p->n_cached, p->folder);
    if (e->total > 0)
        fprintf(stderr, ", %lld to compute: %s of %s that are free", (long long)e->total, need,
                room);
    fputc('\n', stderr);
    clock_gettime(CLOCK_MONOTONIC, &r->features_start);
}

void encoder_done(struct run *r, const mood_train_event *e)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    show_bar_end(r);
    fprintf(stderr, "features: %lld windows computed in %.1f s\n", (long long)e->total,
            (double)(now.tv_sec - r->features_start.tv_sec) +
                1e-9 * (double)(now.tv_nsec - r->features_start.tv_nsec));
}
