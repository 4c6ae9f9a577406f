/* SPDX-License-Identifier: MIT
 *
 * cli_options.c — Reading the command line into a program's options struct, by its table.
 *
 * Accepted: --name value, --name=value, -n value, -nvalue, -abc for flags, options after operands,
 * and -- before operands that begin with a dash. A lone - is an operand. Long names are not
 * abbreviated: an abbreviation that works today would become ambiguous with a later option. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli_internal.h"

const struct cli_option cli_common[CLI_N_COMMON] = {
    [CLI_HELP] = {.kind = CLI_FLAG, .letter = 'h', .name = "help", .help = "print this and exit"},
    [CLI_VERSION] = {.kind = CLI_FLAG, .name = "version", .help = "print the version and exit"},
    [CLI_HELP_MAN] = {.kind = CLI_FLAG, .name = "help-man"},
    [CLI_HELP_COMPLETION] = {.kind = CLI_FLAG, .name = "help-completion"},
};

struct parser {
    struct cli *c;
    char **argv;
    int argc, next; /* argv[next] is the first word that was not looked at */
    int asked;
};

static void *value_of(const struct cli *c, const struct cli_option *o)
{
    return (char *)c->options + o->offset;
}

bool cli_is_common(const struct cli_option *o)
{
    for (int i = 0; i < CLI_N_COMMON; i++)
        if (o == &cli_common[i])
            return true;
    return false;
}

static const struct cli_option *find(const struct cli_tool *t, const char *name, size_t length,
                                     char letter)
{
    for (size_t i = 0; i < t->n_options + CLI_N_COMMON; i++) {
        const struct cli_option *o =
            i < t->n_options ? &t->options[i] : &cli_common[i - t->n_options];
        if (name ? strlen(o->name) == length && memcmp(o->name, name, length) == 0
                 : o->letter == letter)
            return o;
    }
    return NULL;
}

/* Whether a and b differ in at most one place: a letter more, less or other, or two swapped. */
static bool nearly_equal(const char *a, size_t a_length, const char *b)
{
    size_t b_length = strlen(b), head = 0, tail = 0;
    while (head < a_length && head < b_length && a[head] == b[head])
        head++;
    while (tail < a_length - head && tail < b_length - head &&
           a[a_length - 1 - tail] == b[b_length - 1 - tail])
        tail++;
    size_t a_rest = a_length - head - tail, b_rest = b_length - head - tail;
    return (a_rest <= 1 && b_rest <= 1) ||
           (a_rest == 2 && b_rest == 2 && a[head] == b[head + 1] && a[head + 1] == b[head]);
}

static bool unknown_option(struct parser *p, const char *name, size_t length)
{
    const struct cli_tool *t = p->c->tool;
    for (size_t i = 0; i < t->n_options + CLI_N_SHOWN; i++) {
        const char *known =
            i < t->n_options ? t->options[i].name : cli_common[i - t->n_options].name;
        bool beginning = length >= 2 && strncmp(known, name, length) == 0;
        if (beginning || nearly_equal(name, length, known))
            return cli_usage(p->c, "unknown option '--%.*s' (did you mean --%s?)", (int)length,
                             name, known);
    }
    return cli_usage(p->c, "unknown option '--%.*s'", (int)length, name);
}

/* The words that a wrong number is refused with. */
static bool bad_number(struct cli *c, const struct cli_option *o, const char *text,
                       const char *what)
{
    if (o->min == o->max)
        return cli_usage(c, "--%s: '%s' is not %s", o->name, text, what);
    return cli_usage(c, "--%s: '%s' is not %s from %.16g to %.16g", o->name, text, what, o->min,
                     o->max);
}

static bool in_range(const struct cli_option *o, double x)
{
    return o->min == o->max || (x >= o->min && x <= o->max);
}

static bool set_integer(struct cli *c, const struct cli_option *o, const char *text)
{
    char *end;
    errno = 0;
    long long x = strtoll(text, &end, 10);
    long long limit = o->kind == CLI_INT ? INT32_MAX : (long long)1 << 53;
    /* strtoll would skip leading blanks and take a plus sign; a value with them is a mistake. */
    bool digits = text[strspn(text, "-0123456789")] == '\0' && end != text && *end == '\0';
    if (!digits || errno != 0 || x > limit || x < -limit || !in_range(o, (double)x))
        return bad_number(c, o, text, "a whole number");
    if (o->kind == CLI_INT)
        *(int *)value_of(c, o) = (int)x;
    else
        *(int64_t *)value_of(c, o) = x;
    return true;
}

static bool set_double(struct cli *c, const struct cli_option *o, const char *text)
{
    char *end;
    errno = 0;
    double x = strtod(text, &end);
    /* Decimal only: "nan", "inf" and hexadecimal are refused by their letters. Underflow to zero
     * or a denormal is accepted. */
    bool decimal = text[strspn(text, "+-.eE0123456789")] == '\0' && end != text && *end == '\0';
    bool overflow = errno == ERANGE && (x > 1 || x < -1);
    if (!decimal || overflow || !in_range(o, x))
        return bad_number(c, o, text, "a number");
    *(double *)value_of(c, o) = x;
    return true;
}

static bool set_choice(struct cli *c, const struct cli_option *o, const char *text)
{
    char all[512] = "";
    for (int i = 0; o->choices[i]; i++) {
        if (strcmp(o->choices[i], text) == 0) {
            *(int *)value_of(c, o) = i;
            return true;
        }
        size_t used = strlen(all);
        snprintf(all + used, sizeof(all) - used, "%s%s", i > 0 ? ", " : "", o->choices[i]);
    }
    return cli_usage(c, "--%s: '%s' is not one of %s", o->name, text, all);
}

static bool append(struct cli *c, const struct cli_option *o, const char *text)
{
    struct cli_list *list = value_of(c, o);
    const char **items = realloc(list->items, ((size_t)list->n + 1) * sizeof(*items));
    if (!items) {
        cli_error(c, NULL, "out of memory");
        return false;
    }
    list->items = items;
    list->items[list->n++] = text;
    return true;
}

static bool set(struct cli *c, const struct cli_option *o, const char *text)
{
    switch (o->kind) {
    case CLI_FLAG:
        *(bool *)value_of(c, o) = true;
        return true;
    case CLI_INT:
    case CLI_INT64:
        return set_integer(c, o, text);
    case CLI_DOUBLE:
        return set_double(c, o, text);
    case CLI_CHOICE:
        return set_choice(c, o, text);
    case CLI_LIST:
        return append(c, o, text);
    case CLI_STRING:
        break;
    }
    *(const char **)value_of(c, o) = text;
    return true;
}

static void clear(struct cli *c, const struct cli_option *o)
{
    void *value = value_of(c, o);
    switch (o->kind) {
    case CLI_FLAG:
        *(bool *)value = false;
        break;
    case CLI_INT:
    case CLI_CHOICE:
        *(int *)value = 0;
        break;
    case CLI_INT64:
        *(int64_t *)value = 0;
        break;
    case CLI_DOUBLE:
        *(double *)value = 0;
        break;
    case CLI_STRING:
        *(const char **)value = NULL;
        break;
    case CLI_LIST:
        *(struct cli_list *)value = (struct cli_list){NULL, 0};
        break;
    }
}

/* The defaults go through the same code as what the user types, so that the help cannot show one
 * that the program would refuse. */
static bool set_defaults(struct cli *c)
{
    const struct cli_tool *t = c->tool;
    for (size_t i = 0; i < t->n_options; i++)
        clear(c, &t->options[i]);
    for (size_t i = 0; i < t->n_options; i++)
        if (t->options[i].fallback && !set(c, &t->options[i], t->options[i].fallback))
            return false;
    return true;
}

/* Handle option `o`, met as `--name` or `-n`; `attached` is the value written with it, or NULL. */
static bool met(struct parser *p, const struct cli_option *o, const char *attached)
{
    if (cli_is_common(o)) {
        p->asked = (int)(o - cli_common);
        return false;
    }
    if (o->kind == CLI_FLAG && attached)
        return cli_usage(p->c, "--%s takes no value", o->name);
    if (o->kind != CLI_FLAG && !attached) {
        if (p->next == p->argc)
            return cli_usage(p->c, "--%s needs a value: %s", o->name, o->arg);
        attached = p->argv[p->next++];
    }
    p->c->given[o - p->c->tool->options] = true;
    return set(p->c, o, attached);
}

static bool long_option(struct parser *p, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const struct cli_option *o = find(p->c->tool, word, length, 0);
    if (!o)
        return unknown_option(p, word, length);
    return met(p, o, equals ? equals + 1 : NULL);
}

static bool short_options(struct parser *p, const char *word)
{
    for (const char *s = word; *s; s++) {
        const struct cli_option *o = find(p->c->tool, NULL, 0, *s);
        if (!o)
            return cli_usage(p->c, "unknown option '-%s'", s);
        bool flag = o->kind == CLI_FLAG;
        if (!met(p, o, !flag && s[1] ? s + 1 : NULL))
            return false;
        if (!flag)
            break;
    }
    return true;
}

static bool check_operands(struct cli *c)
{
    const struct cli_tool *t = c->tool;
    if (c->n_operands < t->min_operands)
        return cli_usage(c, "%s is missing", t->operand);
    if (c->n_operands > t->max_operands)
        return cli_usage(c, "'%s' is one %s too many", c->operands[t->max_operands],
                         t->operand ? t->operand : "word");
    return true;
}

static bool parse_words(struct parser *p)
{
    struct cli *c = p->c;
    bool only_operands = false;
    while (p->next < p->argc) {
        char *word = p->argv[p->next++];
        if (only_operands || word[0] != '-' || word[1] == '\0')
            c->operands[c->n_operands++] = word; /* never ahead of p->next */
        else if (strcmp(word, "--") == 0)
            only_operands = true;
        else if (!(word[1] == '-' ? long_option(p, word + 2) : short_options(p, word + 1)))
            return false;
    }
    return true;
}

bool cli_parse(struct cli *c, int argc, char **argv, int *asked)
{
    const struct cli_tool *t = c->tool;
    struct parser p = {.c = c, .argv = argv, .argc = argc, .next = argc > 0, .asked = -1};
    c->operands = argv + p.next;
    *asked = -1;

    if (!set_defaults(c))
        return false;
    c->given = calloc(t->n_options + 1, sizeof(*c->given));
    if (!c->given) {
        cli_error(c, NULL, "out of memory");
        return false;
    }
    bool ok = parse_words(&p) && check_operands(c);
    for (size_t i = 0; ok && i < t->n_options; i++)
        if (t->options[i].required && !c->given[i])
            ok = cli_usage(c, "--%s %s is missing", t->options[i].name, t->options[i].arg);
    *asked = p.asked;
    return ok;
}

bool cli_given(const struct cli *c, const char *name)
{
    const struct cli_option *o = find(c->tool, name, strlen(name), 0);
    return o && !cli_is_common(o) && c->given[o - c->tool->options];
}

void cli_free_options(struct cli *c)
{
    free(c->given);
    c->given = NULL;
    for (size_t i = 0; i < c->tool->n_options; i++) {
        const struct cli_option *o = &c->tool->options[i];
        if (o->kind == CLI_LIST) {
            struct cli_list *list = value_of(c, o);
            free(list->items);
            *list = (struct cli_list){NULL, 0};
        }
    }
}
