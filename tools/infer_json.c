/* SPDX-License-Identifier: MIT
 *
 * infer_json.c — Results as JSON. Probabilities have nine digits, which name a float exactly, so
 * that two programs that print the same number print the same text. */
#include <stdio.h>

#include "infer_output.h"

static void print_text_or_null(const char *text)
{
    if (text)
        cli_json_text(stdout, text);
    else
        printf("null");
}

static void print_segments(const struct infer_answer *a)
{
    for (size_t i = 0; i < a->result->n_segments; i++) {
        const mood_segment *s = &a->result->segments[i];
        printf("%s{\"start\": %.9g, \"end\": %.9g, \"emotion\": ", i ? ", " : "", s->start_s,
               s->end_s);
        cli_json_text(stdout, mood_model_label(a->model, s->best));
        printf(", \"confidence\": %.9g}", (double)s->confidence);
    }
}

void infer_print_json(const struct infer_answer *a)
{
    const mood_result *r = a->result;
    const char *emotion = mood_model_label(a->model, r->best);

    printf("{\"file\": ");
    cli_json_text(stdout, a->file);
    printf(", \"emotion\": ");
    cli_json_text(stdout, emotion);
    printf(", \"confidence\": %.9g, \"music_mood\": ", (double)r->confidence);
    print_text_or_null(mood_emotion_music_mood(emotion));
    printf(", \"all_probabilities\": {");
    for (int i = 0; i < r->n_labels; i++) {
        printf("%s", i ? ", " : "");
        cli_json_text(stdout, mood_model_label(a->model, i));
        printf(": %.9g", (double)r->prob[i]);
    }
    printf("}, \"status\": \"%s\", \"warning\": ", mood_verdict_name(r->verdict));
    print_text_or_null(a->warning);
    if (r->n_segments > 1) {
        printf(", \"segments\": [");
        print_segments(a);
        printf("]");
    }
    printf("}\n");
}
