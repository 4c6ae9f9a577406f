/* SPDX-License-Identifier: MIT
 *
 * import_labels.c — The labels of a classifier, out of config.json:
 *
 *     "id2label": {"0": "neu", "1": "hap", ...}         what transformers answers with; comes first
 *     "label2id": {"neu": 0, "hap": 1, ...}             numbers may be strings
 *
 * and, with neither, LABEL_0 and so on, as transformers has them. */
#include "models/import.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* A decimal number below `n`, without anything else. */
static bool read_id(const char *text, int n, int *out)
{
    size_t digits = strspn(text, "0123456789");
    *out = 0;
    for (size_t i = 0; i < digits && *out < n; i++)
        *out = *out * 10 + (text[i] - '0');
    return digits > 0 && text[digits] == '\0' && *out < n;
}

static mood_status read_value_id(struct mood__json *at, int n, int *id, bool *good)
{
    char text[16];
    uint64_t whole;
    if (mood__json_peek(at) == MOOD__JSON_STRING) {
        MOOD__TRY(mood__json_string(at, text, sizeof(text)));
        *good = read_id(text, n, id);
        return MOOD_OK;
    }
    *good = mood__json_whole(at, &whole) == MOOD_OK && whole < (uint64_t)n;
    *id = *good ? (int)whole : 0;
    return MOOD_OK;
}

/* One member of either object; *id below n if *good. */
static mood_status read_pair(struct mood__json *at, bool by_label, int n, int *id, char *label,
                             bool *good)
{
    char text[MOOD_MAX_LABEL_BYTES + 1];
    MOOD__TRY(mood__json_key(at, text, sizeof(text)));
    if (by_label) {
        memcpy(label, text, sizeof(text));
        return read_value_id(at, n, id, good);
    }
    *good = read_id(text, n, id);
    if (mood__json_peek(at) != MOOD__JSON_STRING)
        return mood__fail(MOOD_E_FORMAT, "the label of '%s' is not a string", text);
    return mood__json_string(at, label, MOOD_MAX_LABEL_BYTES + 1);
}

/* Fill in the labels from one of the two objects, or leave *found false. */
static mood_status read_object(struct mood__import_labels *out, const struct mood__document *config,
                               const char *key, bool by_label, bool *found)
{
    struct mood__json at;
    bool seen[MOOD_MAX_LABELS] = {0};
    MOOD__TRY(mood__document_find(config, key, &at, found));
    *found = *found && mood__json_peek(&at) != MOOD__JSON_NULL;
    if (!*found)
        return MOOD_OK;
    MOOD__TRY(mood__json_open(&at, '{'));
    int n = 0;
    for (bool more;; n++) {
        int id;
        bool good;
        char label[MOOD_MAX_LABEL_BYTES + 1];
        MOOD__TRY(mood__json_next(&at, '}', &more));
        if (!more)
            break;
        MOOD__TRY(read_pair(&at, by_label, out->n, &id, label, &good));
        if (!good || seen[id])
            return mood__fail(MOOD_E_FORMAT,
                              "the label '%s' is not numbered from 0 to %d, once each", label,
                              out->n - 1);
        seen[id] = true;
        memcpy(out->original[id], label, sizeof(label));
    }
    if (n != out->n)
        return mood__fail(MOOD_E_FORMAT, "it has %d labels, and the classifier %d outputs", n,
                          out->n);
    return MOOD_OK;
}

/* Whether another label stands for the same emotion. */
static bool is_shared(const struct mood__import_labels *labels, int i, int emotion)
{
    for (int k = 0; k < labels->n; k++) {
        if (k != i && mood_emotion_of_word(labels->original[k]) == emotion)
            return true;
    }
    return false;
}

/* "ang" -> "angry"; but "joy" and "happiness" in one model stay what they are. */
static void use_emotions(struct mood__import_labels *out)
{
    memcpy(out->text, out->original, sizeof(out->text));
    for (int i = 0; i < out->n; i++) {
        int emotion = mood_emotion_of_word(out->original[i]);
        if (emotion >= 0 && !is_shared(out, i, emotion))
            snprintf(out->text[i], sizeof(out->text[i]), "%s", mood_emotion_at(emotion)->name);
    }
}

mood_status mood__import_read_labels(struct mood__import_labels *out,
                                     const struct mood__document *config, int n)
{
    bool found = false;
    int said = n;
    *out = (struct mood__import_labels){.n = n};
    MOOD__TRY(mood__document_whole(config, "num_labels", &said));
    if (said != n)
        return mood__fail(MOOD_E_FORMAT, "'num_labels' is %d, and the classifier has %d outputs",
                          said, n);
    mood_status status = read_object(out, config, "id2label", false, &found);
    if (status)
        return mood__fail_in(status, "'id2label'");
    if (!found)
        status = read_object(out, config, "label2id", true, &found);
    if (status)
        return mood__fail_in(status, "'label2id'");
    for (int i = 0; !found && i < n; i++)
        snprintf(out->original[i], sizeof(out->original[i]), "LABEL_%d", i);
    use_emotions(out);
    return MOOD_OK;
}
