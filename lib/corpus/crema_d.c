/* SPDX-License-Identifier: MIT
 *
 * crema_d.c — CREMA-D: 1001_DFA_ANG_XX.wav is actor 1001, sentence DFA, emotion ANG, intensity LO,
 * MD, HI or XX, which is not said (Cao and others, "CREMA-D: Crowd-sourced Emotional Multimodal
 * Actors Dataset", IEEE Transactions on Affective Computing 5(4), 2014). */
#include <stdio.h>
#include <string.h>

#include "corpus/names.h"

/* The place of a word of n letters in a list of such words without gaps; -1: it is none of them. */
static int find(const char *words, size_t n, const char *word)
{
    for (int i = 0; words[(size_t)i * n]; i++)
        if (strncmp(words + (size_t)i * n, word, n) == 0)
            return i;
    return -1;
}

static bool parse(const char *file, struct mood__name *out)
{
    static const int emotions[] = {MOOD__NEUTRAL, MOOD__HAPPY,   MOOD__SAD,
                                   MOOD__ANGRY,   MOOD__FEARFUL, MOOD__DISGUST};
    static const int intensities[] = {1, 1, 2, 0};
    if (!mood__has_form(file, "0000_AAA_AAA_AA"))
        return false;
    int emotion = find("NEUHAPSADANGFEADIS", 3, file + strlen("1001_DFA_"));
    int level = find("LOMDHIXX", 2, file + strlen("1001_DFA_ANG_"));
    if (emotion < 0 || level < 0)
        return false;
    *out = (struct mood__name){
        .emotion = emotions[emotion], .modality = 3, .channel = 1, .intensity = intensities[level]};
    snprintf(out->speaker, sizeof(out->speaker), "crema-d:%.4s", file);
    snprintf(out->take, sizeof(out->take), "%.15s", file);
    return true;
}

const struct mood__rule mood__rule_crema_d = {
    .about = {.name = "CREMA-D",
              .licence = "ODbL 1.0",
              .origin = "https://github.com/CheyneyComputerScience/CREMA-D"},
    .parse = parse,
};
