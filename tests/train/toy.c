/* SPDX-License-Identifier: MIT
 *
 * toy.c — Tones, written as 16-bit WAV. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "toy.h"

enum { RATE = MOOD_SAMPLE_RATE };

static void put(FILE *f, uint32_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++)
        fputc((int)(value >> (8 * i) & 255), f);
}

static void write_wav(const char *path, const float *x, uint32_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs("RIFF", f);
    put(f, 36 + 2 * n, 4);
    fputs("WAVEfmt ", f);
    put(f, 16, 4); /* bytes of the format that follow */
    put(f, 1, 2);  /* PCM */
    put(f, 1, 2);  /* channels */
    put(f, RATE, 4);
    put(f, 2 * RATE, 4);
    put(f, 2, 2);
    put(f, 16, 2);
    fputs("data", f);
    put(f, 2 * n, 4);
    for (uint32_t i = 0; i < n; i++)
        put(f, (uint32_t)lrintf(x[i] * 32767.0f) & 0xffff, 2);
    assert_int_equal(fclose(f), 0);
}

/* The tone of an emotion, a little higher or lower for each speaker, with silence from 3 to 6.5 s
 * in long clips. */
static void make_clip(struct toy *t, int speaker, int i, bool is_long)
{
    enum { MAX = 8 * RATE };
    static float x[MAX];
    int emotion = i % MOOD_N_EMOTIONS, take = i / MOOD_N_EMOTIONS;
    uint32_t n = is_long ? MAX - 1000 : RATE / 2 + (uint32_t)(i * 731 % 2000);
    struct mood__rng r = mood__rng_make((uint64_t)speaker, (uint64_t)i);
    double hz = 200.0 * pow(1.4, emotion) * (1 + 0.03 * speaker);
    for (uint32_t k = 0; k < n; k++) {
        bool pause = is_long && k > 3 * RATE && k < 13 * RATE / 2;
        double tone = sin(2 * acos(-1.0) * hz * k / RATE) * (1 + 0.3 * sin(20.0 * k / RATE));
        x[k] = pause ? 0 : (float)(0.3 * tone + 0.05 * (mood__rng_double(&r) - 0.5));
    }
    char name[64];
    snprintf(name, sizeof(name), "Actor_%02d/03-01-%02d-01-01-%02d-%02d.wav", speaker, emotion + 1,
             take + 1, speaker);
    tree_file(&t->tree, name, "");
    write_wav(tree_path(&t->tree, name), x, n);
}

void toy_make(struct toy *t, const struct toy_params *p)
{
    tree_make(&t->tree);
    for (int speaker = 1; speaker <= TOY_SPEAKERS; speaker++)
        for (int i = 0; i < p->per_speaker; i++)
            make_clip(t, speaker, i, p->long_clips && i % 3 == 1);
    assert_int_equal(mood_corpus_create(&t->corpus), MOOD_OK);
    assert_int_equal(mood_corpus_add(t->corpus, t->tree.root), MOOD_OK);
    mood_split_params sp = {.val_speakers = "3", .test_speakers = "4"};
    assert_int_equal(mood_split_create(&t->split, t->corpus, &sp), MOOD_OK);
}

void toy_free(struct toy *t)
{
    mood_split_destroy(&t->split);
    mood_corpus_destroy(&t->corpus);
    tree_remove(&t->tree);
}

mood_model *toy_model(uint64_t seed)
{
    mood_model *m;
    assert_int_equal(
        mood_model_create(&m, &(mood_model_params){.heads = {.divide = 8}, .seed = seed}), MOOD_OK);
    return m;
}

float *toy_weights(mood_model *m, size_t *n)
{
    mood_weights *w = mood_model_weights(m);
    float *all = NULL;
    *n = 0;
    for (int i = 0; i < mood_weights_count(w); i++) {
        const mood_tensor *t = mood_weights_value(w, i);
        size_t more = (size_t)mood_tensor_elements(t);
        float *grown = realloc(all, (*n + more) * sizeof(*all));
        assert_non_null(grown);
        memcpy(grown + *n, t->data, more * sizeof(*all));
        all = grown;
        *n += more;
    }
    return all;
}
