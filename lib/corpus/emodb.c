/* SPDX-License-Identifier: MIT
 *
 * emodb.c — EMO-DB: 03a01Fa.wav is speaker 03, text a01, emotion F, version a (Burkhardt and
 * others, "A database of German emotional speech", Interspeech 2005). The letters are those of the
 * German words; L is boredom. */
#include <stdio.h>
#include <string.h>

#include "corpus/names.h"

static mood_sex sex_of(const char *number)
{
    static const char men[] = "03 10 11 12 15", women[] = "08 09 13 14 16";
    return strstr(men, number)     ? MOOD_SEX_MALE
           : strstr(women, number) ? MOOD_SEX_FEMALE
                                   : MOOD_SEX_UNKNOWN;
}

static bool parse(const char *file, struct mood__name *out)
{
    static const struct {
        char letter;
        int emotion;
    } letters[] = {{'W', MOOD__ANGRY},   {'L', MOOD__NO_EMOTION}, {'E', MOOD__DISGUST},
                   {'A', MOOD__FEARFUL}, {'F', MOOD__HAPPY},      {'T', MOOD__SAD},
                   {'N', MOOD__NEUTRAL}};
    if (!mood__has_form(file, "00a00Aa"))
        return false;
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
        if (file[5] != letters[i].letter)
            continue;
        const char number[] = {file[0], file[1], '\0'};
        *out = (struct mood__name){
            .emotion = letters[i].emotion, .modality = 3, .channel = 1, .sex = sex_of(number)};
        snprintf(out->speaker, sizeof(out->speaker), "emo-db:%s", number);
        snprintf(out->take, sizeof(out->take), "%.7s", file);
        return true;
    }
    return false;
}

const struct mood__rule mood__rule_emodb = {
    .about = {.name = "EMO-DB",
              .licence = "free to use, no formal licence; copies say CC BY 4.0",
              .origin = "http://emodb.bilderbar.info"},
    .parse = parse,
};
