/* SPDX-License-Identifier: MIT
 *
 * emotion.c — The one table of the eight emotions. It lies in base because models, corpora and
 * inference all need it and none of them may include another. */
#include "mood/emotion.h"

#include "base/text.h"

static const mood_emotion emotions[MOOD_N_EMOTIONS] = {
    {"neutral", "chill", "#94A3B8"},   {"calm", "relaxing", "#60A5FA"},
    {"happy", "upbeat", "#FBBF24"},    {"sad", "uplifting", "#3B82F6"},
    {"angry", "energetic", "#EF4444"}, {"fearful", "calming", "#8B5CF6"},
    {"disgust", "neutral", "#10B981"}, {"surprised", "exciting", "#F97316"},
};

const mood_emotion *mood_emotion_at(int i)
{
    return i >= 0 && i < MOOD_N_EMOTIONS ? &emotions[i] : NULL;
}

int mood_emotion_find(const char *label)
{
    if (!label)
        return -1;
    for (int i = 0; i < MOOD_N_EMOTIONS; i++) {
        if (mood__same_word(emotions[i].name, label))
            return i;
    }
    return -1;
}

/* The codes of IEMOCAP, CREMA-D and SAVEE, the nouns, and what is common on the Hugging Face hub.
 */
static const struct {
    const char *word, *emotion;
} words[] = {
    {"neu", "neutral"},
    {"calmness", "calm"},
    {"hap", "happy"},
    {"happiness", "happy"},
    {"joy", "happy"},
    {"joyful", "happy"},
    {"sadness", "sad"},
    {"ang", "angry"},
    {"anger", "angry"},
    {"fea", "fearful"},
    {"fear", "fearful"},
    {"dis", "disgust"},
    {"disgusted", "disgust"},
    {"sur", "surprised"},
    {"surprise", "surprised"},
    {"ps", "surprised"},
    {"pleasant_surprise", "surprised"},
    {"pleasant_surprised", "surprised"},
};

int mood_emotion_of_word(const char *word)
{
    for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++) {
        if (mood__same_word(words[i].word, word))
            return mood_emotion_find(words[i].emotion);
    }
    return mood_emotion_find(word);
}

const char *mood_emotion_music_mood(const char *label)
{
    int i = mood_emotion_find(label);
    return i < 0 ? NULL : emotions[i].music_mood;
}

const char *mood_emotion_colour(const char *label)
{
    int i = mood_emotion_find(label);
    return i < 0 ? NULL : emotions[i].colour;
}
