/* SPDX-License-Identifier: MIT
 *
 * names.h — What the name of a clip's file says, for the corpora whose names say everything. Each
 * of them has one rule; a name fits one of the rules or none. */
#ifndef MOOD_CORPUS_NAMES_H
#define MOOD_CORPUS_NAMES_H

#include "mood/corpus.h"

enum { MOOD__NO_EMOTION = -1 };

/* Zero where the name does not tell. */
struct mood__name {
    char speaker[16]; /* key; but for RAVDESS' it begins with the corpus, so that nobody else has it
                       */
    char take[24];    /* two names with the same take are the same recording in another form */
    int emotion;      /* among the eight, or MOOD__NO_EMOTION: the corpus has one more */
    int modality;     /* as in ravdess.h; sound only in the others */
    int channel, intensity, statement, repetition; /* as in mood_clip */
    mood_sex sex;
};

/* Read a file's name, without folders, with any extension. False, and *out untouched, when no
 * corpus has such names. */
bool mood__name_parse(const char *file, struct mood__name *out);

#endif
