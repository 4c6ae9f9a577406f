/* SPDX-License-Identifier: MIT
 *
 * ravdess.h — The file names of RAVDESS (Livingstone and Russo, "The Ryerson Audio-Visual Database
 * of Emotional Speech and Song", PLoS ONE 13(5), 2018). */
#ifndef MOOD_CORPUS_RAVDESS_H
#define MOOD_CORPUS_RAVDESS_H

#include <stdbool.h>

/* The seven numbers in the order of the name. */
struct mood__ravdess {
    int modality;   /* 1 video with sound, 2 video only, 3 sound only */
    int channel;    /* 1 speech, 2 song */
    int emotion;    /* 1 to 8, in the order of mood_emotion_at */
    int intensity;  /* 1 normal, 2 strong */
    int statement;  /* 1 to 99 */
    int repetition; /* 1 to 99 */
    int actor;      /* 1 to 99; odd is male */
};

/* Read "MM-VC-EM-IN-ST-RP-AC.ext" (no folders in front; any extension). False, and *out untouched,
 * when the name has another form or a number is out of its range. */
bool mood__ravdess_parse(const char *name, struct mood__ravdess *out);

#endif
