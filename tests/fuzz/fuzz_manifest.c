/* SPDX-License-Identifier: MIT
 *
 * fuzz_manifest.c — Any bytes as a manifest: either a corpus that keeps its promises, or an error
 * in one line. The files it names are not looked at. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "corpus/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool promise)
{
    if (!promise)
        abort();
}

static bool is_clean(const char *text)
{
    for (; *text; text++) {
        if (*text == '\n' || *text == '\r')
            return false;
    }
    return true;
}

static void check_source(const struct mood__source *s)
{
    require(s->n_clips > 0 && s->pub.n_clips == s->n_clips);
    require(s->n_labels >= MOOD_MIN_LABELS && s->n_labels <= MOOD_MAX_LABELS);
    for (int i = 0; i < s->n_labels; i++) {
        require(*s->labels[i] && mood__is_utf8(s->labels[i]) && is_clean(s->labels[i]));
        require(strlen(s->labels[i]) <= MOOD_MAX_LABEL_BYTES);
        for (int j = 0; j < i; j++)
            require(!mood__same_word(s->labels[i], s->labels[j]));
    }
    for (size_t i = 0; i < s->n_clips; i++) {
        const struct mood__clip *c = &s->clips[i];
        require(c->pub.label >= 0 && c->pub.label < s->n_labels);
        require(*c->pub.name && is_clean(c->pub.name));
        require(strcmp(c->pub.path + strlen(c->pub.path) - strlen(c->pub.name), c->pub.name) == 0);
        require(*c->speaker && strlen(c->speaker) <= MOOD__MAX_SPEAKER_BYTES);
        require(mood__is_utf8(c->speaker) && !strchr(c->speaker, ','));
        require(mood__speaker_compare(c->speaker, c->speaker) == 0);
        require(c->line > 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *text = malloc(bytes + 1);
    require(text != NULL);
    memcpy(text, data, bytes);
    text[bytes] = 0;

    struct mood__source s = {.pub.path = "data/m.csv"};
    mood_status status = mood__manifest_parse(&s, text, bytes);
    if (status == MOOD_OK) {
        check_source(&s);
    } else {
        const char *detail = mood_error_detail();
        require(status == MOOD_E_FORMAT || status == MOOD_E_UNSUPPORTED);
        require(strncmp(detail, "data/m.csv: ", 12) == 0 && is_clean(detail));
    }
    mood__source_free(&s);
    free(text);
    return 0;
}
