/* SPDX-License-Identifier: MIT
 *
 * convert_record.c — What a model was trained on and how well it does, for people: from the record
 * that mood-train puts into the file. A stranger may have written it, so whatever is missing or of
 * another type is passed over, and no text can steer the terminal. */
#include <string.h>

#include <jansson.h>

#include "cli.h"
#include "convert.h"

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static double number_of(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static long long count_of(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

static void line(const char *name, const char *value)
{
    char shown[2048];
    printf("  %-11s %s\n", name, cli_printable(shown, sizeof(shown), value));
}

/* The corpora with what of each was trained on. */
static void print_corpora(const json_t *corpora)
{
    size_t i;
    json_t *o;
    char name[64], licence[256];
    printf("  trained on\n    %-16s %7s %9s  licence\n", "corpus", "clips", "speakers");
    json_array_foreach(corpora, i, o)
    {
        const json_t *train = json_object_get(o, "train");
        printf("    %-16s %7lld %9lld  %s\n", cli_printable(name, sizeof(name), text_of(o, "name")),
               count_of(train, "clips"), count_of(train, "speakers"),
               cli_printable(licence, sizeof(licence), text_of(o, "licence")));
    }
}

/* "0.412, with other speakers 0.380 to 0.447" */
static void print_figure(const char *name, const json_t *record, const char *key)
{
    const json_t *all = json_object_get(record, "intervals"), *i = json_object_get(all, key);
    char value[128];
    int n = snprintf(value, sizeof(value), "%.3f", number_of(record, key));
    if (count_of(all, "speakers") > 1)
        snprintf(value + n, sizeof(value) - (size_t)n, ", with other speakers %.3f to %.3f (95 %%)",
                 json_number_value(json_array_get(i, 0)), json_number_value(json_array_get(i, 1)));
    line(name, value);
}

/* The UAR of each group of one kind, on a line. */
static void print_groups(const json_t *groups, const char *by, const char *name)
{
    size_t i;
    json_t *o;
    char value[1024] = "";
    json_array_foreach(groups, i, o)
    {
        size_t n = strlen(value);
        if (strcmp(text_of(o, "by"), by) == 0)
            snprintf(value + n, sizeof(value) - n, "%s%.60s %.3f", n ? ", " : "",
                     text_of(o, "name"), number_of(o, "uar"));
    }
    if (value[0])
        line(name, value);
}

static void print_figures(const json_t *record)
{
    char value[256];
    const json_t *c = json_object_get(record, "calibration"),
                 *s = json_object_get(record, "confident");
    print_figure("UAR", record, "uar");
    print_groups(json_object_get(record, "groups"), "corpus", "by corpus");
    print_groups(json_object_get(record, "groups"), "sex", "by sex");
    print_figure("accuracy", record, "accuracy");
    snprintf(value, sizeof(value), "%.3f; perfect probabilities would have %.3f",
             number_of(c, "ece"), number_of(c, "ece_of_perfect"));
    line("ECE", value);
    snprintf(value, sizeof(value), "%.3f right, of %.0f %% of the clips", number_of(s, "accuracy"),
             100 * number_of(s, "coverage"));
    char name[32];
    snprintf(name, sizeof(name), "above %.2f", number_of(s, "threshold"));
    line(name, count_of(s, "clips") ? value : "no answer is so sure");
}

/* What is not left at nothing. */
static void print_recipe(const json_t *record)
{
    const char *key;
    json_t *o;
    char value[1024];
    int n = snprintf(value, sizeof(value), "seed %lld", count_of(record, "seed"));
    json_object_foreach(json_object_get(record, "recipe"), key, o)
    {
        size_t room = n < (int)sizeof(value) ? sizeof(value) - (size_t)n : 0;
        if (json_is_string(o) && json_string_length(o) > 0)
            n += snprintf(value + sizeof(value) - room, room, ", %s %s", key, json_string_value(o));
        else if (json_number_value(o) != 0)
            n += snprintf(value + sizeof(value) - room, room, ", %s %g", key, json_number_value(o));
    }
    line("recipe", value);
}

static void print_test(const json_t *protocol, const char *tested)
{
    const json_t *test = json_object_get(protocol, "test");
    char value[2048];
    snprintf(value, sizeof(value), "%s, %s", text_of(protocol, "kind"), text_of(protocol, "dealt"));
    line("protocol", value);
    if (*tested) {
        snprintf(value, sizeof(value), "%.1024s: all speakers, by models that had not heard them",
                 tested);
        line("tested on", value);
        return;
    }
    snprintf(value, sizeof(value), "%lld clips; speakers %.1024s", count_of(test, "clips"),
             text_of(test, "speakers"));
    line("tested on", value);
    if (!json_is_true(json_object_get(protocol, "speaker_disjoint")))
        line("", "These voices were heard in training: the figures say little about new ones.");
}

/* A paragraph, broken between words, under the name of the first line. */
static void print_notice(const char *text)
{
    enum { COLUMNS = 66 };
    const char *name = "notice";
    while (*text) {
        size_t n = strlen(text), fits = n;
        if (n > COLUMNS)
            for (fits = COLUMNS; fits > 0 && text[fits] != ' '; fits--)
                ;
        fits = fits ? fits : n;
        char part[512];
        snprintf(part, sizeof(part), "%.*s", (int)(fits < 500 ? fits : 500), text);
        line(name, part);
        name = "";
        text += fits;
        text += strspn(text, " ");
    }
}

bool convert_record(const char *record)
{
    json_t *o = json_loads(record, JSON_REJECT_DUPLICATES, NULL);
    const json_t *protocol = json_object_get(o, "protocol"),
                 *corpora = json_object_get(o, "corpora");
    bool known = json_is_object(protocol) && json_is_array(corpora);
    if (known) {
        print_corpora(corpora);
        print_recipe(o);
        print_test(protocol, text_of(o, "tested"));
        if (json_is_number(json_object_get(o, "uar")))
            print_figures(o);
        else
            line("figures", "none: the training did not come to its end");
        print_notice(text_of(o, "notice"));
    }
    json_decref(o);
    return known;
}
