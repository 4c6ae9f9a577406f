/* SPDX-License-Identifier: MIT
 *
 * cli_help.c — The three texts that are made from a program's table: --help, the man page (roff,
 * man(7) macros) and the completion for bash. */
#include <stdio.h>
#include <string.h>

#include "cli_internal.h"

enum { HELP_COLUMNS = 80, HELP_INDENT = 28 };

static size_t n_shown(const struct cli_tool *t)
{
    return t->n_options + CLI_N_SHOWN;
}

/* The i-th option that help shows: the program's own, then the common ones. */
static const struct cli_option *shown(const struct cli_tool *t, size_t i)
{
    return i < t->n_options ? &t->options[i] : &cli_common[i - t->n_options];
}

const char *cli_default_text(const struct cli_option *o)
{
    if (o->required)
        return "required";
    if (o->fallback)
        return o->fallback;
    if (o->unset)
        return o->unset;
    return o->kind == CLI_FLAG ? "off" : "none";
}

/* The forms of the command line after the name; the i-th, or NULL. `made` is room for the one that
 * is made here when the program lists none. */
static const char *synopsis(const struct cli_tool *t, size_t i, char *made, size_t capacity)
{
    if (t->synopsis)
        return t->synopsis[i];
    if (i > 0)
        return NULL;
    bool optional = t->min_operands == 0;
    snprintf(made, capacity, "[OPTION]...%s%s%s%s%s", t->operand ? " " : "",
             t->operand && optional ? "[" : "", t->operand ? t->operand : "",
             t->operand && optional ? "]" : "", t->operand && t->max_operands > 1 ? "..." : "");
    return made;
}

/* --- help ----------------------------------------------------------------------------------- */

static int width_of(const char *s, size_t bytes)
{
    int width = 0;
    for (size_t i = 0; i < bytes; i++)
        width += ((unsigned char)s[i] & 0xc0) != 0x80; /* UTF-8: one per first byte */
    return width;
}

/* Print the words of `text` from column `at` on, going to column `indent` of the next line where
 * they would pass the right edge. Empty lines in the text stay. Returns the column reached. */
static int print_wrapped(const char *text, int at, int indent)
{
    bool line_begins = true;
    while (*text) {
        if (text[0] == '\n' && text[1] == '\n') {
            printf("\n\n%*s", indent, "");
            at = indent;
            line_begins = true;
        }
        text += strspn(text, " \n");
        size_t length = strcspn(text, " \n");
        if (length == 0)
            break;
        int width = width_of(text, length);
        if (!line_begins && at + 1 + width > HELP_COLUMNS) {
            printf("\n%*s", indent, "");
            at = indent;
        } else if (!line_begins) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)length, text);
        at += width;
        text += length;
        line_begins = false;
    }
    return at;
}

static void print_option(const struct cli_option *o)
{
    char left[128], text[1024];
    char letter[] = "    ";
    if (o->letter)
        memcpy(letter, (char[]){'-', o->letter, ',', ' '}, 4);
    int width = snprintf(left, sizeof(left), "  %s--%s%s%s", letter, o->name, o->arg ? " " : "",
                         o->arg ? o->arg : "");
    if (cli_is_common(o))
        snprintf(text, sizeof(text), "%s", o->help);
    else
        snprintf(text, sizeof(text), "%s [%s]", o->help, cli_default_text(o));

    if (width + 2 <= HELP_INDENT)
        printf("%-*s", HELP_INDENT, left);
    else
        printf("%s\n%*s", left, HELP_INDENT, "");
    print_wrapped(text, HELP_INDENT, HELP_INDENT);
    putchar('\n');
}

void cli_print_help(const struct cli_tool *t)
{
    char made[256];
    const char *form;
    for (size_t i = 0; (form = synopsis(t, i, made, sizeof(made))) != NULL; i++) {
        int at = printf("%s %s ", i == 0 ? "Usage:" : "      ", t->name);
        print_wrapped(form, at, at);
        putchar('\n');
    }
    printf("\n%s: ", t->name);
    print_wrapped(t->summary, (int)strlen(t->name) + 2, 0);
    printf("\n");
    if (t->about) {
        printf("\n");
        print_wrapped(t->about, 0, 0);
        printf("\n");
    }
    printf("\nOptions, with their defaults in brackets:\n");
    for (size_t i = 0; i < n_shown(t); i++)
        print_option(shown(t, i));
    if (t->n_examples > 0)
        printf("\nExamples:\n");
    for (size_t i = 0; i < t->n_examples; i++)
        printf("  %s:\n    %s\n", t->examples[i].what, t->examples[i].command);
    printf("\nExit status: 0 done, 1 it failed, 2 wrong usage.\n");
}

/* --- man page ------------------------------------------------------------------------------- */

/* Print text that roff shall show as it is: no escapes, no requests, hyphens that can be copied. */
static void print_roff(const char *text)
{
    bool line_begins = true;
    for (; *text; text++) {
        if (line_begins && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (text[0] == '\n' && text[1] == '\n') {
            fputs("\n.PP\n", stdout);
            text++;
            line_begins = true;
            continue;
        }
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
        line_begins = *text == '\n';
    }
}

static void print_man_option(const struct cli_option *o)
{
    printf(".TP\n");
    if (o->letter)
        printf("\\fB\\-%c\\fR, ", o->letter);
    printf("\\fB\\-\\-");
    print_roff(o->name);
    printf("\\fR");
    if (o->arg) {
        printf(" \\fI");
        print_roff(o->arg);
        printf("\\fR");
    }
    printf("\n");
    print_roff(o->help);
    if (o->required) {
        printf(".\nRequired");
    } else if (!cli_is_common(o)) {
        printf(".\nDefault: ");
        print_roff(cli_default_text(o));
    }
    printf(".\n");
}

void cli_print_man(const struct cli_tool *t)
{
    char made[256];
    const char *form;
    printf(".TH \"%s\" 1 \"\" \"libmood %s\" \"libmood\"\n.SH NAME\n", t->name, mood_version());
    print_roff(t->name);
    printf(" \\- ");
    print_roff(t->summary);
    printf("\n.SH SYNOPSIS\n.nf\n");
    for (size_t i = 0; (form = synopsis(t, i, made, sizeof(made))) != NULL; i++) {
        printf("\\fB");
        print_roff(t->name);
        printf("\\fR ");
        print_roff(form);
        printf("\n");
    }
    printf(".fi\n");
    if (t->about) {
        printf(".SH DESCRIPTION\n");
        print_roff(t->about);
        printf("\n");
    }
    printf(".SH OPTIONS\n");
    for (size_t i = 0; i < n_shown(t); i++)
        print_man_option(shown(t, i));
    if (t->n_examples > 0)
        printf(".SH EXAMPLES\n");
    for (size_t i = 0; i < t->n_examples; i++) {
        printf(".PP\n");
        print_roff(t->examples[i].what);
        printf(":\n.RS 4\n.nf\n");
        print_roff(t->examples[i].command);
        printf("\n.fi\n.RE\n");
    }
    printf(".SH \"EXIT STATUS\"\n0: done; 1: it failed, and the reason is on standard error;\n"
           "2: the command line was wrong.\n"
           ".SH ENVIRONMENT\n"
           ".TP\nNO_COLOR\nWhen set and not empty, nothing is coloured.\n"
           ".TP\nMOOD_CPU\nUse no processor instructions above this tier: ");
    print_roff(CLI_TIERS);
    printf(".\n");
}

/* --- completion ----------------------------------------------------------------------------- */

/* Print one branch of the case over the word before the cursor. */
static void print_completion_case(const struct cli_option *o)
{
    printf("    ");
    if (o->letter)
        printf("-%c | ", o->letter);
    printf("--%s)\n", o->name);
    if (o->kind == CLI_CHOICE) {
        printf("        mapfile -t COMPREPLY < <(compgen -W \"");
        for (int i = 0; o->choices[i]; i++)
            printf("%s%s", i > 0 ? " " : "", o->choices[i]);
        printf("\" -- \"$cur\")\n");
    } else if (o->kind == CLI_STRING || o->kind == CLI_LIST) {
        printf("        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n");
    }
    printf("        return\n        ;;\n");
}

void cli_print_completion(const struct cli_tool *t)
{
    char function[64];
    snprintf(function, sizeof(function), "_%s", t->name);
    for (char *s = function; *s; s++)
        if (*s == '-')
            *s = '_';

    /* bash splits --name=value into three words at the equals sign. */
    printf("# bash completion for %s; made by '%s --help-completion'\n"
           "%s() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    COMPREPLY=()\n"
           "    if [[ $cur == = ]]; then\n"
           "        cur=\n"
           "    elif [[ $prev == = ]]; then\n"
           "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
           "    fi\n"
           "    case $prev in\n",
           t->name, t->name, function);
    for (size_t i = 0; i < t->n_options; i++)
        if (t->options[i].kind != CLI_FLAG)
            print_completion_case(&t->options[i]);
    printf("    esac\n"
           "    if [[ $cur == -* ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"");
    for (size_t i = 0; i < n_shown(t); i++)
        printf("%s--%s", i > 0 ? " " : "", shown(t, i)->name);
    printf("\" -- \"$cur\")\n");
    if (t->operand)
        printf("    else\n"
               "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n");
    printf("    fi\n"
           "}\n"
           "complete -o filenames -F %s %s\n",
           function, t->name);
}
