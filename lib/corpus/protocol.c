/* SPDX-License-Identifier: MIT
 *
 * protocol.c — What a split turned out to be: who is on which side, and whether anyone is on two.
 * Computed from the clips alone, whatever way they were dealt. */
#include <string.h>

#include "corpus/split.h"

/* The keys of the speakers that have `bit` in mask, with commas between them; NULL: no memory. */
static char *join_keys(struct mood__arena *arena, const mood_corpus *c, const unsigned char *mask,
                       unsigned bit)
{
    size_t bytes = 1;
    for (int s = 0; s < mood_corpus_n_speakers(c); s++) {
        if (mask[s] & bit)
            bytes += strlen(mood_corpus_speaker(c, s)) + 1;
    }
    char *text = mood__arena_alloc(arena, bytes), *at = text;
    for (int s = 0; text && s < mood_corpus_n_speakers(c); s++) {
        if (!(mask[s] & bit))
            continue;
        if (at > text)
            *at++ = ',';
        size_t n = strlen(mood_corpus_speaker(c, s));
        memcpy(at, mood_corpus_speaker(c, s), n);
        at += n;
    }
    return text;
}

/* How many clips share their recording with one on another side. */
static mood_status count_twins(struct mood_split *split, const mood_corpus *c)
{
    unsigned char *sides = mood__calloc(split->n_clips, 1); /* of each recording, bit 1 << side */
    if (!sides)
        return mood__nomem();
    for (size_t i = 0; i < split->n_clips; i++)
        if (split->side[i] != MOOD_SIDE_UNUSED)
            sides[mood_corpus_clip(c, i)->recording] |= (unsigned char)(1u << split->side[i]);
    for (size_t i = 0; i < split->n_clips; i++) {
        unsigned char there = sides[mood_corpus_clip(c, i)->recording];
        if (split->side[i] != MOOD_SIDE_UNUSED && there & (there - 1)) /* two bits or more */
            split->protocol.n_twins++;
    }
    mood__free(sides);
    return MOOD_OK;
}

mood_status mood__protocol_describe(struct mood_split *split, const mood_corpus *c)
{
    mood_protocol *p = &split->protocol;
    int n_speakers = mood_corpus_n_speakers(c);
    enum { SHARED = 1u << MOOD_N_SIDES };
    unsigned char *mask = mood__calloc((size_t)n_speakers, 1); /* bit 1 << side, and SHARED */
    if (!mask)
        return mood__nomem();
    for (size_t i = 0; i < split->n_clips; i++) {
        p->n_clips[split->side[i]]++;
        mask[mood_corpus_clip(c, i)->speaker] |= (unsigned char)(1u << split->side[i]);
    }

    for (int s = 0; s < n_speakers; s++) {
        int n_used = 0;
        for (int side = 0; side < MOOD_N_SIDES; side++) {
            int there = mask[s] >> side & 1;
            p->n_speakers[side] += there;
            n_used += side == MOOD_SIDE_UNUSED ? 0 : there;
        }
        if (n_used > 1) {
            mask[s] |= SHARED;
            p->n_shared++;
        }
    }
    p->speaker_disjoint = p->n_shared == 0;
    p->text = p->speaker_disjoint ? "speaker-disjoint" : "speaker-dependent";

    mood_status status = MOOD_OK;
    for (int side = 0; side < MOOD_N_SIDES; side++) {
        p->speakers[side] = join_keys(&split->arena, c, mask, 1u << side);
        if (!p->speakers[side])
            status = mood__nomem();
    }
    p->shared = join_keys(&split->arena, c, mask, SHARED);
    if (!p->shared)
        status = mood__nomem();
    mood__free(mask);
    return status ? status : count_twins(split, c);
}
