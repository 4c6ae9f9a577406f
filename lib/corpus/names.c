/* SPDX-License-Identifier: MIT
 *
 * names.c — The rules of file names: RAVDESS (whose numbers ravdess.c reads), EMO-DB, CREMA-D. */
#include "corpus/names.h"

#include <stdio.h>
#include <string.h>

#include "corpus/ravdess.h"

/* The eight in their order. */
enum { NEUTRAL, CALM, HAPPY, SAD, ANGRY, FEARFUL, DISGUST };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* True when `name` has this form and then an extension: in the form, 0 stands for any digit, a for
 * any small letter, A for any capital, and the rest for itself. */
static bool has_form(const char *name, const char *form)
{
    for (; *form; form++, name++) {
        bool fits = *form == '0'   ? is_digit(*name)
                    : *form == 'a' ? *name >= 'a' && *name <= 'z'
                    : *form == 'A' ? *name >= 'A' && *name <= 'Z'
                                   : *name == *form;
        if (!fits)
            return false;
    }
    return *name == '.';
}

static bool parse_ravdess(const char *file, struct mood__name *out)
{
    struct mood__ravdess r;
    if (!mood__ravdess_parse(file, &r))
        return false;
    *out = (struct mood__name){.emotion = r.emotion - 1,
                               .modality = r.modality,
                               .channel = r.channel,
                               .intensity = r.intensity,
                               .statement = r.statement,
                               .repetition = r.repetition,
                               .sex = r.actor % 2 ? MOOD_SEX_MALE : MOOD_SEX_FEMALE};
    snprintf(out->speaker, sizeof(out->speaker), "%02d", r.actor);
    snprintf(out->take, sizeof(out->take), "%.17s", file + strlen("MM-"));
    return true;
}

/* 03a01Fa.wav: speaker 03, text a01, emotion F, version a (Burkhardt and others, "A database of
 * German emotional speech", Interspeech 2005). The letters are those of the German words; L is
 * boredom. */
static bool parse_emodb(const char *file, struct mood__name *out)
{
    static const struct {
        char letter;
        int emotion;
    } letters[] = {
        {'W', ANGRY}, {'L', MOOD__NO_EMOTION}, {'E', DISGUST}, {'A', FEARFUL}, {'F', HAPPY},
        {'T', SAD},   {'N', NEUTRAL}};
    static const char men[] = "03 10 11 12 15", women[] = "08 09 13 14 16";
    if (!has_form(file, "00a00Aa"))
        return false;
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
        if (file[5] != letters[i].letter)
            continue;
        *out = (struct mood__name){.emotion = letters[i].emotion, .modality = 3, .channel = 1};
        const char number[] = {file[0], file[1], '\0'};
        snprintf(out->speaker, sizeof(out->speaker), "emo-db:%s", number);
        snprintf(out->take, sizeof(out->take), "%.7s", file);
        out->sex = strstr(men, number)     ? MOOD_SEX_MALE
                   : strstr(women, number) ? MOOD_SEX_FEMALE
                                           : MOOD_SEX_UNKNOWN;
        return true;
    }
    return false;
}

/* 1001_DFA_ANG_XX.wav: actor 1001, sentence DFA, emotion ANG, intensity LO, MD, HI or XX, which is
 * not said (Cao and others, "CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset", IEEE
 * Transactions on Affective Computing 5(4), 2014). */
static bool parse_crema_d(const char *file, struct mood__name *out)
{
    static const struct {
        const char *word;
        int emotion;
    } words[] = {{"NEU", NEUTRAL}, {"HAP", HAPPY},   {"SAD", SAD},
                 {"ANG", ANGRY},   {"FEA", FEARFUL}, {"DIS", DISGUST}};
    const char *level = file + strlen("1001_DFA_ANG_");
    if (!has_form(file, "0000_AAA_AAA_AA") || (strncmp(level, "LO", 2) && strncmp(level, "MD", 2) &&
                                               strncmp(level, "HI", 2) && strncmp(level, "XX", 2)))
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strncmp(file + 9, words[i].word, 3) != 0)
            continue;
        *out = (struct mood__name){.emotion = words[i].emotion, .modality = 3, .channel = 1};
        snprintf(out->speaker, sizeof(out->speaker), "crema-d:%.4s", file);
        snprintf(out->take, sizeof(out->take), "%.15s", file);
        out->intensity = strncmp(level, "HI", 2) == 0 ? 2 : strncmp(level, "XX", 2) != 0;
        return true;
    }
    return false;
}

bool mood__name_parse(const char *file, struct mood__name *out)
{
    return parse_ravdess(file, out) || parse_emodb(file, out) || parse_crema_d(file, out);
}
