/* SPDX-License-Identifier: MIT
 *
 * ravdess.c — RAVDESS: 03-01-05-02-01-01-12.wav is modality, channel, emotion, intensity,
 * statement, repetition and actor (Livingstone and Russo, "The Ryerson Audio-Visual Database of
 * Emotional Speech and Song", PLoS ONE 13(5), 2018).
 *
 * Statement, repetition and actor may go beyond the 2, 2 and 24 of RAVDESS itself: other corpora
 * and made-up voices borrow the form. */
#include <stdio.h>
#include <string.h>

#include "corpus/names.h"

enum { MODALITY, CHANNEL, EMOTION, INTENSITY, STATEMENT, REPETITION, ACTOR, N_CODES };

static bool parse(const char *file, struct mood__name *out)
{
    static const int highest[N_CODES] = {3, 2, 8, 2, 99, 99, 99};
    int code[N_CODES];
    if (!mood__has_form(file, "00-00-00-00-00-00-00"))
        return false;
    for (int i = 0; i < N_CODES; i++) {
        code[i] = 10 * (file[3 * i] - '0') + (file[3 * i + 1] - '0');
        if (code[i] < 1 || code[i] > highest[i])
            return false;
    }
    *out = (struct mood__name){.emotion = code[EMOTION] - 1,
                               .modality = code[MODALITY],
                               .channel = code[CHANNEL],
                               .intensity = code[INTENSITY],
                               .statement = code[STATEMENT],
                               .repetition = code[REPETITION],
                               .sex = code[ACTOR] % 2 ? MOOD_SEX_MALE : MOOD_SEX_FEMALE};
    snprintf(out->speaker, sizeof(out->speaker), "%02d", code[ACTOR]);
    snprintf(out->take, sizeof(out->take), "%.17s", file + strlen("MM-"));
    return true;
}

const struct mood__rule mood__rule_ravdess = {
    .about = {.name = "RAVDESS",
              .licence = "CC BY-NC-SA 4.0",
              .origin = "https://zenodo.org/records/1188976"},
    .parse = parse,
};
