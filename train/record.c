/* SPDX-License-Identifier: MIT
 *
 * record.c — What a training was: protocol, corpora, recipe. The model file has it as its record,
 * metrics.json at its beginning. */
#include <string.h>

#include "json.h"

json_t *json_text(const char *s)
{
    json_t *t = json_string(s);
    return t ? t : json_string("(not UTF-8)");
}

static json_t *numbers_json(const struct numbers *n)
{
    json_t *a = json_array();
    for (int i = 0; i < n->n; i++)
        json_array_append_new(a, json_real(n->x[i]));
    return a;
}

json_t *labels_json(const mood_corpus *corpus)
{
    json_t *a = json_array();
    for (int i = 0; i < mood_corpus_n_labels(corpus); i++)
        json_array_append_new(a, json_text(mood_corpus_label(corpus, i)));
    return a;
}

json_t *protocol_json(const mood_protocol *p)
{
    json_t *o = json_object();
    json_object_set_new(o, "kind", json_text(p->text));
    json_object_set_new(o, "speaker_disjoint", json_boolean(p->speaker_disjoint));
    json_object_set_new(o, "dealt", json_text(p->dealt));
    json_object_set_new(o, "shared", json_text(p->shared));
    json_object_set_new(o, "twins", json_integer((json_int_t)p->n_twins));
    json_object_set_new(o, "disputed", json_integer((json_int_t)p->n_disputed));
    json_object_set_new(o, "copies", json_integer((json_int_t)p->n_copies));
    for (int s = MOOD_SIDE_TRAIN; s <= MOOD_SIDE_TEST; s++) {
        json_t *side = json_object();
        json_object_set_new(side, "clips", json_integer((json_int_t)p->n_clips[s]));
        json_object_set_new(side, "speakers", json_text(p->speakers[s]));
        json_object_set_new(o, mood_side_name((mood_side)s), side);
    }
    return o;
}

static json_t *sources_json(const mood_corpus *corpus)
{
    json_t *a = json_array();
    for (int i = 0; i < mood_corpus_n_sources(corpus); i++) {
        const mood_corpus_source *s = mood_corpus_source_at(corpus, i);
        json_t *o = json_object();
        json_object_set_new(o, "path", json_text(s->path));
        json_object_set_new(o, "clips", json_integer((json_int_t)s->n_clips));
        json_array_append_new(a, o);
    }
    return a;
}

/* How much of a collection is on one side. */
static json_t *part_json(const struct run *r, int collection, mood_side side)
{
    size_t clips;
    int speakers = run_speakers(r, collection, side, &clips);
    return json_pack("{s:I, s:i}", "clips", (json_int_t)clips, "speakers", speakers);
}

/* What was heard, and how it may be used. */
json_t *corpora_json(const struct run *r, bool sides)
{
    json_t *a = json_array();
    for (int i = 0; i < mood_corpus_n_collections(r->corpus); i++) {
        const mood_collection *k = mood_corpus_collection(r->corpus, i);
        json_t *o = json_object();
        json_object_set_new(o, "name", json_text(k->name));
        json_object_set_new(o, "licence", json_text(k->licence));
        json_object_set_new(o, "origin", json_text(k->origin));
        json_object_set_new(o, "clips", json_integer((json_int_t)k->n_clips));
        json_object_set_new(o, "speakers", json_integer(k->n_speakers));
        for (int s = MOOD_SIDE_TRAIN; s <= MOOD_SIDE_TEST && sides; s++)
            json_object_set_new(o, mood_side_name((mood_side)s), part_json(r, i, (mood_side)s));
        json_array_append_new(a, o);
    }
    return a;
}

static json_t *layer_json(int layer)
{
    return layer == MOOD_LAYER_MIX ? json_string("mix") : json_integer(layer);
}

json_t *encoder_json(const struct run *r)
{
    json_t *o = json_object();
    const mood_encoder_config *e = mood_encoder_get_config(r->encoder);
    bool trained = r->o->finetune || r->o->encoder_config;
    json_object_set_new(o, trained ? "trained_from" : "identity",
                        json_text(mood_encoder_identity(r->encoder)));
    json_object_set_new(o, "layers", json_integer(e->n_layers));
    json_object_set_new(o, "width", json_integer(e->width));
    return o;
}

json_t *heard_json(const struct run *r)
{
    json_t *o = encoder_json(r);
    json_object_set_new(o, "layer", layer_json(r->layer));
    json_object_set_new(o, "chosen", json_boolean(r->layers.n > 0));
    json_t *table = json_array();
    for (int i = 0; i < r->layers.n; i++)
        json_array_append_new(table, json_pack("{s:i, s:f, s:f}", "layer", i, "val_accuracy",
                                               r->layers.accuracy[i], "val_uar", r->layers.uar[i]));
    if (r->layers.n > 0)
        json_object_set_new(o, "table", table);
    else
        json_decref(table);
    return o;
}

/* Why a model must not be used for everything: the law, and the licences of what it heard. */
static json_t *notice_json(const mood_corpus *corpus)
{
    char notice[2048];
    int n = snprintf(notice, sizeof(notice),
                     "Not for inferring the emotions of people at work or in education, which the "
                     "EU AI Act prohibits (Article 5(1)(f)). Whoever is exposed to it has to be "
                     "told (Article 50(3)). Acted emotions were learnt, not felt ones.");
    for (int i = 0; i < mood_corpus_n_collections(corpus) && n < (int)sizeof(notice); i++) {
        const mood_collection *k = mood_corpus_collection(corpus, i);
        if (strstr(k->licence, "NC"))
            n += snprintf(notice + n, sizeof(notice) - (size_t)n,
                          " Not for commercial use: %s is under %s.", k->name, k->licence);
    }
    return json_text(notice);
}

static void put_augmentation(json_t *recipe, const struct options *o)
{
    json_object_set_new(recipe, "augment", json_text(o->augment ? o->augment : ""));
    if ((o->encoder || o->network == NETWORK_PROSODY) && o->augment)
        json_object_set_new(recipe, "copies", json_integer(o->copies));
}

/* What to ask for to get the same training again. */
static json_t *recipe_json(const struct run *r)
{
    const struct options *p = r->o;
    json_t *recipe = json_object();
    if (is_prosody(r)) {
        json_object_set_new(recipe, "network", json_text("prosody"));
        json_object_set_new(recipe, "ridge", numbers_json(&p->ridges));
        json_object_set_new(recipe, "speeds", numbers_json(&p->speeds));
        json_object_set_new(recipe, "centres", json_integer(p->centres));
        json_object_set_new(recipe, "background", json_integer(p->background));
        put_augmentation(recipe, p);
        return recipe;
    }
    json_object_set_new(recipe, "epochs", json_integer(p->epochs));
    json_object_set_new(recipe, "batch", json_integer(p->batch));
    json_object_set_new(recipe, "lr", json_real(p->lr));
    json_object_set_new(recipe, "dropout", json_real(p->dropout));
    json_object_set_new(recipe, "clip_norm", json_real(p->clip_norm));
    json_object_set_new(recipe, "early_stop", json_integer(p->early_stop));
    put_augmentation(recipe, p);
    struct recipe_extra extras[RECIPE_MAX_EXTRAS];
    for (int i = 0, n = recipe_extras(extras, p); i < n; i++)
        json_object_set_new(recipe, extras[i].name,
                            extras[i].text ? json_text(extras[i].text)
                                           : json_real(extras[i].number));
    return recipe;
}

void add_choice(json_t *o, const struct run *r)
{
    if (is_prosody(r))
        json_object_set_new(o, "ridge", json_real(prosody_ridge(r)));
    else
        json_object_set_new(o, "best_epoch", json_integer(r->result.best_epoch));
}

json_t *training_json(const struct run *r)
{
    const struct options *p = r->o;
    json_t *o = json_object();
    json_object_set_new(o, "libmood", json_text(mood_version()));
    json_object_set_new(o, "protocol", protocol_json(mood_split_protocol(r->split)));
    json_object_set_new(o, "corpora", corpora_json(r, true));
    json_object_set_new(o, "sources", sources_json(r->corpus));
    json_object_set_new(o, "notice", notice_json(r->corpus));
    json_object_set_new(o, "seed", json_integer(p->seed));
    json_object_set_new(o, "recipe", recipe_json(r));
    if (r->encoder)
        json_object_set_new(o, "encoder", heard_json(r));
    return o;
}
