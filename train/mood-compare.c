/* SPDX-License-Identifier: MIT
 *
 * mood-compare.c — Whether one recipe is better than another: the difference of their figures on
 * the same clips, and how far it would move with other speakers. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli.h"
#include "mood/figures.h"

enum { ROUNDS = 10000, MAX_BYTES = 1 << 30 };

struct options {
    bool json;
};

static const struct cli_option options[] = {
    {CLI_FLAG_AT(struct options, json), .name = "json", .help = "print one JSON object"},
};

static const struct cli_example examples[] = {
    {"Two reports of mood-train --folds 5", "mood-compare a/metrics.json b/metrics.json"},
};

static const struct cli_tool tool = {
    .name = "mood-compare",
    .summary = "tell whether one training is better than another",
    .about = "Takes two files metrics.json of mood-train that tested the same clips, and gives the "
             "figures of the second minus those of the first, with an interval of 95 %. For the "
             "interval the speakers are drawn anew, the same ones for both, each with all clips: "
             "what is hard about a speaker is hard for both, so a difference is known better than "
             "the figures are.",
    .synopsis = (const char *const[]){"[OPTION]... A/metrics.json B/metrics.json", NULL},
    .operand = "METRICS.json",
    .min_operands = 2,
    .max_operands = 2,
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .examples = examples,
    .n_examples = sizeof(examples) / sizeof(examples[0]),
};

/* ---- reading ---- */

/* One clip as a report has it. Texts are the report's. */
struct answer {
    const char *path, *label, *speaker;
    const json_t *prob;
};

struct report {
    json_t *root;
    const char *dealt;
    const json_t *labels;
    struct answer *answer; /* (n), by path */
    size_t n;
};

static int by_path(const void *pa, const void *pb)
{
    const struct answer *a = pa, *b = pb;
    return strcmp(a->path, b->path);
}

static mood_status read_answers(struct report *r)
{
    const json_t *clips = json_object_get(r->root, "per_clip");
    r->labels = json_object_get(r->root, "labels");
    r->dealt = json_string_value(json_object_get(json_object_get(r->root, "protocol"), "dealt"));
    r->n = json_array_size(clips);
    size_t V = json_array_size(r->labels);
    if (!r->dealt || r->n == 0 || V < MOOD_MIN_LABELS || V > MOOD_MAX_LABELS)
        return mood__fail(MOOD_E_FORMAT, "is no metrics.json of mood-train");
    r->answer = mood__calloc(r->n, sizeof(*r->answer));
    if (!r->answer)
        return mood__nomem();
    for (size_t i = 0; i < r->n; i++) {
        const json_t *clip = json_array_get(clips, i);
        struct answer *a = &r->answer[i];
        a->path = json_string_value(json_object_get(clip, "path"));
        a->label = json_string_value(json_object_get(clip, "label"));
        a->speaker = json_string_value(json_object_get(clip, "speaker"));
        a->prob = json_object_get(clip, "probabilities");
        if (!a->path || !a->label || !a->speaker || json_object_size(a->prob) != V)
            return mood__fail(MOOD_E_FORMAT, "clip %zu lacks a path, label, speaker or probability",
                              i + 1);
    }
    qsort(r->answer, r->n, sizeof(*r->answer), by_path);
    return MOOD_OK;
}

static mood_status read_report(struct report *r, const char *path)
{
    unsigned char *bytes;
    size_t n;
    json_error_t error;
    MOOD__TRY(mood__file_read(path, MAX_BYTES, &bytes, &n));
    r->root = json_loadb((const char *)bytes, n, 0, &error);
    mood__free(bytes);
    if (!r->root)
        return mood__fail(MOOD_E_FORMAT, "is not JSON: line %d: %s", error.line, error.text);
    return read_answers(r);
}

static void free_report(struct report *r)
{
    mood__free(r->answer);
    json_decref(r->root);
}

/* ---- comparing ---- */

struct pair {
    size_t n;
    int V;
    int *label, *speaker;
    float *prob[2]; /* (n, V) each */
    const char **names;
};

static void free_pair(struct pair *p)
{
    mood__free(p->label);
    mood__free(p->speaker);
    mood__free(p->prob[0]);
    mood__free(p->prob[1]);
    mood__free(p->names);
}

static int find_label(const json_t *labels, const char *name)
{
    for (size_t v = 0; v < json_array_size(labels); v++) {
        const char *label = json_string_value(json_array_get(labels, v));
        if (label && strcmp(label, name) == 0)
            return (int)v;
    }
    return -1;
}

static int by_text(const void *pa, const void *pb)
{
    return strcmp(*(const char *const *)pa, *(const char *const *)pb);
}

/* Number the speakers in the order of their keys. */
static void number_speakers(struct pair *p, const struct report *r)
{
    size_t n_names = 0;
    for (size_t i = 0; i < r->n; i++)
        p->names[i] = r->answer[i].speaker;
    qsort(p->names, r->n, sizeof(*p->names), by_text);
    for (size_t i = 0; i < r->n; i++)
        if (i == 0 || strcmp(p->names[i], p->names[n_names - 1]) != 0)
            p->names[n_names++] = p->names[i];
    for (size_t i = 0; i < r->n; i++) {
        const char **at =
            bsearch(&r->answer[i].speaker, p->names, n_names, sizeof(*p->names), by_text);
        p->speaker[i] = (int)(at - p->names);
    }
}

static mood_status take_clip(struct pair *p, const struct report r[2], size_t i)
{
    const struct answer *a = &r[0].answer[i], *b = &r[1].answer[i];
    int order = strcmp(a->path, b->path);
    if (order != 0)
        return mood__fail(MOOD_E_INVALID,
                          "%s is tested by the %s only: both have to test the same "
                          "clips",
                          order < 0 ? a->path : b->path, order < 0 ? "first" : "second");
    if (strcmp(a->label, b->label) != 0 || strcmp(a->speaker, b->speaker) != 0)
        return mood__fail(MOOD_E_INVALID, "%s has another label or speaker in each", a->path);
    p->label[i] = find_label(r[0].labels, a->label);
    if (p->label[i] < 0)
        return mood__fail(MOOD_E_FORMAT, "%s: '%s' is not among the labels", a->path, a->label);
    for (int k = 0; k < 2; k++)
        for (int v = 0; v < p->V; v++) {
            const char *name = json_string_value(json_array_get(r[0].labels, (size_t)v));
            const json_t *prob = name ? json_object_get(r[k].answer[i].prob, name) : NULL;
            if (!json_is_number(prob))
                return mood__fail(MOOD_E_FORMAT, "%s: a label has no probability", a->path);
            p->prob[k][i * (size_t)p->V + (size_t)v] = (float)json_number_value(prob);
        }
    return MOOD_OK;
}

static mood_status make_pair(struct pair *p, const struct report r[2])
{
    p->n = r[0].n;
    p->V = (int)json_array_size(r[0].labels);
    if (r[0].n != r[1].n)
        return mood__fail(MOOD_E_INVALID,
                          "the first tests %zu clips, the second %zu: both have to "
                          "test the same ones",
                          r[0].n, r[1].n);
    p->label = mood__calloc(p->n, sizeof(int));
    p->speaker = mood__calloc(p->n, sizeof(int));
    p->names = mood__calloc(p->n, sizeof(*p->names));
    for (int k = 0; k < 2; k++)
        p->prob[k] = mood__calloc(p->n, (size_t)p->V * sizeof(float));
    if (!p->label || !p->speaker || !p->names || !p->prob[0] || !p->prob[1])
        return mood__nomem();
    for (size_t i = 0; i < p->n; i++)
        MOOD__TRY(take_clip(p, r, i));
    number_speakers(p, &r[0]);
    return MOOD_OK;
}

/* ---- telling ---- */

struct row {
    const char *name, *key;
    double value[2];
    mood_interval difference;
};

static void print_json(const struct row *rows, int n_rows, const struct pair *p, int n_speakers)
{
    printf("{\"clips\": %zu, \"speakers\": %d, \"level\": 0.95", p->n, n_speakers);
    for (int i = 0; i < n_rows; i++)
        printf(", \"%s\": {\"first\": %.9g, \"second\": %.9g, \"difference\": %.9g, \"interval\": "
               "[%.9g, %.9g]}",
               rows[i].key, rows[i].value[0], rows[i].value[1], rows[i].value[1] - rows[i].value[0],
               rows[i].difference.low, rows[i].difference.high);
    printf("}\n");
}

static void print_text(const struct row *rows, int n_rows, const struct pair *p, int n_speakers)
{
    printf("%zu clips of %d speakers\n            first   second  difference  with other speakers "
           "(95 %%)\n",
           p->n, n_speakers);
    for (int i = 0; i < n_rows; i++) {
        const struct row *r = &rows[i];
        bool apart = r->difference.low > 0 || r->difference.high < 0;
        printf("%-10s %6.4f   %6.4f     %+7.4f  %+.4f to %+.4f%s\n", r->name, r->value[0],
               r->value[1], r->value[1] - r->value[0], r->difference.low, r->difference.high,
               apart ? "" : ", may be chance");
    }
}

static mood_status tell(const struct pair *p, const struct options *o)
{
    const mood_predictions a = {p->n, p->V, p->prob[0], p->label, p->speaker};
    mood_confusion m[2];
    mood_intervals d;
    MOOD__TRY(mood_bootstrap_difference(&d, &a, p->prob[1], ROUNDS, 0));
    for (int k = 0; k < 2; k++) {
        mood_predictions one = a;
        one.prob = p->prob[k];
        mood_confusion_of(&m[k], &one);
    }
    const struct row rows[] = {
        {"UAR", "uar", {mood_uar(&m[0]), mood_uar(&m[1])}, d.uar},
        {"accuracy", "accuracy", {mood_accuracy(&m[0]), mood_accuracy(&m[1])}, d.accuracy},
        {"macro F1", "macro_f1", {mood_macro_f1(&m[0]), mood_macro_f1(&m[1])}, d.macro_f1},
    };
    (o->json ? print_json : print_text)(rows, sizeof(rows) / sizeof(rows[0]), p, d.n_speakers);
    return MOOD_OK;
}

static void compare(struct cli *c, const struct options *o)
{
    struct report r[2] = {{0}};
    struct pair p = {0};
    bool ok = true;
    for (int k = 0; k < 2 && ok; k++) {
        ok = read_report(&r[k], c->operands[k]) == MOOD_OK;
        if (!ok)
            cli_error(c, c->operands[k], "%s", mood_error_detail());
    }
    if (ok && strcmp(r[0].dealt, r[1].dealt) != 0)
        cli_warn(c, NULL, "the splits differ: '%s' and '%s'", r[0].dealt, r[1].dealt);
    if (ok && (make_pair(&p, r) != MOOD_OK || tell(&p, o) != MOOD_OK))
        cli_error(c, NULL, "%s", mood_error_detail());
    free_pair(&p);
    for (int k = 0; k < 2; k++)
        free_report(&r[k]);
}

int main(int argc, char **argv)
{
    struct options o;
    struct cli c;
    if (cli_start(&c, &tool, argc, argv, &o))
        compare(&c, &o);
    return cli_finish(&c);
}
