/* SPDX-License-Identifier: MIT
 *
 * settings.c — What decides the result of a training, as a checkpoint remembers it. */
#include <string.h>

#include "train/resume.h"

struct list {
    struct mood__setting *at;
    int n;
};

static void put(struct list *l, const char *name, double value)
{
    l->at[l->n++] = (struct mood__setting){name, value};
}

static void put_augment(struct list *l, const mood_augment_params *a)
{
    put(l, "kinds of augmentation", a->kinds);
    put(l, "least noise ratio", (double)a->noise_snr_min_db);
    put(l, "largest noise ratio", (double)a->noise_snr_max_db);
    put(l, "gain", (double)a->gain_db);
    put(l, "shift", (double)a->shift_s);
    put(l, "speed", (double)a->speed);
    put(l, "pitch", (double)a->pitch);
    put(l, "length of the room", (double)a->room_s);
    put(l, "level of the room", (double)a->room_db);
    put(l, "low-pass", (double)a->low_pass_hz);
    put(l, "masks in time", a->time_masks);
    put(l, "frames of a mask", a->time_mask);
    put(l, "masks in frequency", a->freq_masks);
    put(l, "bands of a mask", a->freq_mask);
}

static void put_rates(struct list *l, const mood_train_params *p)
{
    const mood_optimiser_params *o = &p->optimiser;
    put(l, "optimiser", o->kind);
    put(l, "learning rate", o->lr);
    put(l, "beta1", o->beta1);
    put(l, "beta2", o->beta2);
    put(l, "eps", o->eps);
    put(l, "momentum", o->momentum);
    put(l, "weight decay", o->weight_decay);
    put(l, "schedule", p->schedule);
    put(l, "warm-up", p->warmup);
    put(l, "plateau's goal", p->plateau.goal);
    put(l, "plateau's factor", p->plateau.factor);
    put(l, "plateau's patience", p->plateau.patience);
    put(l, "plateau's threshold", p->plateau.threshold);
    put(l, "plateau's cooldown", p->plateau.cooldown);
    put(l, "plateau's least rate", p->plateau.min_lr);
}

int mood__settings_of(const struct mood__trainer *t, struct mood__setting out[MOOD__MAX_SETTINGS])
{
    const mood_train_params *p = &t->p;
    struct list l = {out, 0};
    put(&l, "seed", (double)(p->seed & UINT32_MAX));
    put(&l, "seed, upper half", (double)(p->seed >> 32));
    put(&l, "epochs", p->epochs);
    put(&l, "batch", p->batch);
    put(&l, "accumulate", p->accumulate);
    put(&l, "dropout", (double)p->dropout);
    put(&l, "label smoothing", (double)p->label_smoothing);
    put(&l, "mixup", (double)p->mixup);
    put(&l, "balanced classes", p->balance_classes);
    put(&l, "clip norm", (double)p->clip_norm);
    put(&l, "early stop", p->early_stop);
    put(&l, "average", (double)p->average);
    put_rates(&l, p);
    const mood_encoder_use *use = mood_model_encoder(t->model);
    put(&l, "encoder's layer", use ? use->layer : 0);
    put(&l, "copies", use && p->augment.kinds ? p->copies : 0);
    put_augment(&l, &p->augment);
    put(&l, "trained layers of the encoder", p->finetune);
    put(&l, "encoder's rate", p->encoder_rate);
    return l.n;
}

/* With its zero, so that two texts are not one. */
static void add_text(struct mood__sha256 *s, const char *text)
{
    mood__sha256_add(s, text, strlen(text) + 1);
}

void mood__settings_clips(const struct mood__trainer *t, char hex[MOOD__SHA256_HEX_BYTES])
{
    struct mood__sha256 s;
    unsigned char digest[MOOD__SHA256_BYTES];
    mood__sha256_start(&s);
    for (int v = 0; v < mood_corpus_n_labels(t->corpus); v++)
        add_text(&s, mood_corpus_label(t->corpus, v));
    for (size_t i = 0; i < mood_corpus_n_clips(t->corpus); i++) {
        const mood_clip *clip = mood_corpus_clip(t->corpus, i);
        unsigned char what[2] = {(unsigned char)clip->label,
                                 (unsigned char)mood_split_side(t->split, i)};
        add_text(&s, clip->path);
        mood__sha256_add(&s, what, sizeof(what));
    }
    mood__sha256_finish(&s, digest);
    mood__sha256_hex(hex, digest);
}
