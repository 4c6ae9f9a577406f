/* SPDX-License-Identifier: MIT
 *
 * emotion.h — The eight emotions, and for each the music mood and the colour that go with it.
 *
 * A model or a corpus carries its own list of labels; these eight, in this order, are the list it
 * has when nothing else is said. Labels are compared without regard to ASCII case: a list of its
 * own that says "Happy" still finds the music mood of "happy". */
#ifndef MOOD_EMOTION_H
#define MOOD_EMOTION_H

#include "mood/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    MOOD_N_EMOTIONS = 8,
    /* Limits of any list of labels. */
    MOOD_MIN_LABELS = 2,
    MOOD_MAX_LABELS = 64,
    MOOD_MAX_LABEL_BYTES = 64 /* of one label, UTF-8, without the final zero */
};

typedef struct mood_emotion {
    const char *name;       /* "happy" */
    const char *music_mood; /* "upbeat" */
    const char *colour;     /* "#FBBF24", sRGB */
} mood_emotion;

/* Emotion `i` of the eight; NULL when i is outside [0, MOOD_N_EMOTIONS). Static. */
MOOD_API const mood_emotion *mood_emotion_at(int i);

/* The place of a label among the eight, or -1 (also for NULL). */
MOOD_API int mood_emotion_find(const char *label);

/* The place among the eight of a word that corpora and other programs' models use for one of them:
 * "ang", "anger" and "angry" are 4, "ps" (TESS's pleasant surprise) is 7. -1 for any other word
 * (also for NULL), and for words that are near to one but not it, as "excited". */
MOOD_API int mood_emotion_of_word(const char *word);

/* The music mood or the colour of a label; NULL when it is none of the eight. Static. */
MOOD_API const char *mood_emotion_music_mood(const char *label);
MOOD_API const char *mood_emotion_colour(const char *label);

#ifdef __cplusplus
}
#endif
#endif
