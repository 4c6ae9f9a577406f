/* SPDX-License-Identifier: MIT
 *
 * names.h — What the name of a clip's file says, for the corpora whose names say everything. Each
 * of them is one rule, in a file of its own: the form of its names, and what is known of the corpus
 * itself. To add a corpus, write its rule and list it in names.c. A name fits one of the rules or
 * none. */
#ifndef MOOD_CORPUS_NAMES_H
#define MOOD_CORPUS_NAMES_H

#include "mood/corpus.h"

enum { MOOD__NO_EMOTION = -1 };

/* The eight in their order. */
enum mood__emotion_number {
    MOOD__NEUTRAL,
    MOOD__CALM,
    MOOD__HAPPY,
    MOOD__SAD,
    MOOD__ANGRY,
    MOOD__FEARFUL,
    MOOD__DISGUST,
    MOOD__SURPRISED
};

/* Zero where the name does not tell. */
struct mood__name {
    char speaker[16]; /* key; but for RAVDESS' it begins with the corpus, so that nobody else has it
                       */
    char take[24];    /* two names with the same take are the same recording in another form */
    int emotion;      /* among the eight, or MOOD__NO_EMOTION: the corpus has one more */
    int modality;     /* 1 video with sound, 2 video only, 3 sound only */
    int channel, intensity, statement, repetition; /* as in mood_clip */
    mood_sex sex;
};

/* One corpus. */
struct mood__rule {
    mood_collection about; /* without the counts */
    /* Read a file's name, without folders, with any extension. False, and *out untouched, when it
     * is not of this corpus. */
    bool (*parse)(const char *file, struct mood__name *out);
};

extern const struct mood__rule mood__rule_ravdess, mood__rule_emodb, mood__rule_crema_d;

/* Read a file's name by the rule that it fits, which is returned; NULL, and *out untouched, when no
 * corpus has such names. */
const struct mood__rule *mood__name_parse(const char *file, struct mood__name *out);

/* True when `name` has this form and then a dot: in the form, 0 stands for any digit, a for any
 * small letter, A for any capital, and the rest for itself. */
bool mood__has_form(const char *name, const char *form);

#endif
