/* SPDX-License-Identifier: MIT
 *
 * cli.h — What every program of libmood shares: its command line, its errors, its progress bar,
 * its end. Public headers of libmood and the C library only.
 *
 * One const table of options per program makes its parsing, its --help, its man page and its
 * shell completion, so the four cannot disagree. A program looks like this:
 *
 *     struct options { const char *model; int epochs; bool json; };
 *
 *     static const struct cli_option options[] = {
 *         {CLI_STRING_AT(struct options, model), .letter = 'm', .name = "model", .arg = "FILE",
 *          .unset = "the one in $MOOD_HOME", .help = "model to use"},
 *         {CLI_INT_AT(struct options, epochs), .name = "epochs", .arg = "N", .fallback = "20",
 *          .min = 1, .max = 10000, .help = "passes over the training clips"},
 *         {CLI_FLAG_AT(struct options, json), .name = "json", .help = "one object per line"},
 *     };
 *     static const struct cli_tool tool = {
 *         .name = "mood-x", .summary = "do x", .operand = "FILE", .min_operands = 1,
 *         .max_operands = CLI_MANY, .options = options,
 *         .n_options = sizeof(options) / sizeof(options[0])};
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct options o;
 *         struct cli c;
 *         if (cli_start(&c, &tool, argc, argv, &o))
 *             for (int i = 0; i < c.n_operands && !cli_stop; i++)
 *                 if (do_x(c.operands[i]) != MOOD_OK)
 *                     cli_error(&c, c.operands[i], "%s", mood_error_detail());
 *         return cli_finish(&c);
 *     }
 *
 * Results go to stdout, talk and progress to stderr. Exit codes: 0 done, 1 it failed, 2 usage.
 *
 * Thread-safety: Unsafe; one thread prints. */
#ifndef MOOD_TOOLS_CLI_H
#define MOOD_TOOLS_CLI_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "mood/encoder.h"

/* --- the table ------------------------------------------------------------------------------ */

enum cli_kind {
    CLI_FLAG,   /* bool: true when given */
    CLI_INT,    /* int */
    CLI_INT64,  /* int64_t, up to 2^53 in size */
    CLI_DOUBLE, /* double, decimal notation with a point in every locale */
    CLI_STRING, /* const char *: points into argv or at the default; NULL when unset */
    CLI_LIST,   /* struct cli_list: may be given many times */
    CLI_CHOICE  /* int: index into `choices` */
};

/* For the help of --cpumask: the names that mood_cpu_limit knows. */
#define CLI_TIERS "c, x86-avx2, x86-avxvnni or x86-avx512; on ARM c, arm-neon or arm-dotprod"

/* The values of an option that may be given many times, in order. */
struct cli_list {
    const char **items; /* owned by struct cli */
    int n;
};

struct cli_option {
    enum cli_kind kind;         /* kind and offset come from one of the CLI_..._AT macros */
    size_t offset;              /* of the value in the program's options struct */
    char letter;                /* 'm' for -m; 0: none */
    const char *name;           /* "model" for --model; never NULL */
    const char *arg;            /* what its value is called in the help; NULL for a flag */
    const char *fallback;       /* the default, as a user would type it; NULL: none (always so for
                                 * CLI_FLAG and CLI_LIST) */
    const char *unset;          /* without a default: what happens then, in a few words */
    const char *help;           /* one sentence without its final period, or more */
    double min, max;            /* the range of a number, ends included; 0, 0: any */
    const char *const *choices; /* of CLI_CHOICE, ended by NULL */
    bool required;              /* to be given by the user */
};

/* Kind and place of a value. A field of another type than the kind writes does not compile. */
#define CLI_AT(cli_kind_, c_type, type, field)                                                     \
    .kind = (cli_kind_),                                                                           \
    .offset = offsetof(type, field) + 0 * sizeof(&((type *)0)->field == (c_type *)0)
#define CLI_FLAG_AT(type, field)   CLI_AT(CLI_FLAG, bool, type, field)
#define CLI_INT_AT(type, field)    CLI_AT(CLI_INT, int, type, field)
#define CLI_INT64_AT(type, field)  CLI_AT(CLI_INT64, int64_t, type, field)
#define CLI_DOUBLE_AT(type, field) CLI_AT(CLI_DOUBLE, double, type, field)
#define CLI_STRING_AT(type, field) CLI_AT(CLI_STRING, const char *, type, field)
#define CLI_LIST_AT(type, field)   CLI_AT(CLI_LIST, struct cli_list, type, field)
#define CLI_CHOICE_AT(type, field) CLI_AT(CLI_CHOICE, int, type, field)

enum { CLI_MANY = 1 << 30 }; /* max_operands: no limit */

struct cli_example {
    const char *what, *command;
};

struct cli_tool {
    const char *name;            /* "mood-infer" */
    const char *summary;         /* what it does, as it stands after the name in a man page */
    const char *about;           /* paragraphs with an empty line between; NULL: none */
    const char *const *synopsis; /* its forms, ended by NULL; NULL: made from the operands */
    const char *operand;         /* what an operand is called; NULL when it takes none */
    int min_operands, max_operands;
    const struct cli_option *options;
    size_t n_options;
    const struct cli_example *examples; /* NULL: none */
    size_t n_examples;
};

/* --- start and end -------------------------------------------------------------------------- */

struct cli {
    const struct cli_tool *tool;
    char **operands; /* borrowed from argv, whose order it changes: operands come first */
    int n_operands;
    int exit_code;  /* what cli_finish will return, unless stdout fails */
    bool talk;      /* stderr is a terminal: a progress bar may be drawn */
    bool colour;    /* stdout may be coloured (a terminal, and NO_COLOR is empty) */
    void *options;  /* the program's own struct */
    bool *given;    /* of each option of the tool: the user gave it */
    bool bar_shown; /* a progress bar stands on the last line of stderr */
};

/* Set when the user (SIGINT) or the system (SIGTERM) asks the program to stop; the second such
 * signal ends it at once. Hand its address to the library's long work. */
extern volatile sig_atomic_t cli_stop;

/* Begin: fill *options with the defaults, then with the command line; make a closed pipe and a
 * full disk errors instead of signals; catch SIGINT and SIGTERM. False when there is nothing more
 * to do, because --help and the like were answered or the usage was wrong: then go straight to
 * cli_finish. */
bool cli_start(struct cli *c, const struct cli_tool *tool, int argc, char **argv, void *options);

/* Whether the user gave the option: also when it is its default. */
bool cli_given(const struct cli *c, const char *name);

/* End: free what cli_start took, and look whether all of stdout was really written. Returns the
 * exit code of the program. */
int cli_finish(struct cli *c);

/* --- errors --------------------------------------------------------------------------------- */

/* Print one line on stderr, `mood-infer: clip.wav: not audio: ...`, and let the program exit 1.
 * `subject` is the file or thing it is about, or NULL. The program may go on with the next. */
void cli_error(struct cli *c, const char *subject, const char *fmt, ...) MOOD_PRINTF(3, 4);

/* As cli_error, for what does not make the program fail. */
void cli_warn(struct cli *c, const char *subject, const char *fmt, ...) MOOD_PRINTF(3, 4);

/* Print why the command line is wrong, with a hint at --help, and let the program exit 2.
 * Returns false, so that a check can end with it. */
bool cli_usage(struct cli *c, const char *fmt, ...) MOOD_PRINTF(2, 3);

/* --- files ---------------------------------------------------------------------------------- */

/* Whether both names lead to one file that is there: an input that is about to be replaced. */
bool cli_same_file(const char *a, const char *b);

/* --- text ----------------------------------------------------------------------------------- */

/* The bytes of the well-formed UTF-8 character at s (RFC 3629), 1 to 4; 0 when there is none. */
int cli_character(const char *s);

/* Write `text` as a JSON string, quotes included. Bytes that are no UTF-8, as file names may have,
 * become the text \xNN: JSON has no place for them. */
void cli_json_text(FILE *f, const char *text);

/* Copy `text` to out so that it fits on one line of a terminal and cannot steer it: control
 * characters, Unicode's included, and bytes that are no UTF-8 become \n, \t or \xNN. Cut to
 * `capacity` bytes, the final zero included. Returns out. */
char *cli_printable(char *out, size_t capacity, const char *text);

/* --- terminal ------------------------------------------------------------------------------- */

enum { CLI_COLOUR_BYTES = 24 };

/* The escape sequence that begins text of colour 0xRRGGBB on stdout, or "" where colour is not
 * wanted; written to buf, which is returned. */
const char *cli_colour(const struct cli *c, unsigned rgb, char buf[CLI_COLOUR_BYTES]);
const char *cli_bold(const struct cli *c);
const char *cli_plain(const struct cli *c); /* ends bold and colour */

/* A bar on stderr, drawn only where `c->talk`. Zero-initialised, it draws nothing. */
struct cli_progress {
    struct cli *cli;
    const char *label; /* borrowed */
    const char *unit;  /* borrowed; "clips", for the rate */
    int64_t done, total;
    double start_s, drawn_s; /* on the monotonic clock */
};

/* Begin a bar of `total` steps; 0: the total is not known, and only a count is shown. */
void cli_progress_begin(struct cli_progress *p, struct cli *c, const char *label, int64_t total,
                        const char *unit);
void cli_progress_at(struct cli_progress *p, int64_t done); /* draws at most ten times a second */
void cli_progress_end(struct cli_progress *p);              /* wipes the bar away */

/* The text of a bar that fits into `columns` (without the \r), as pure function of its numbers. */
void cli_progress_text(char *out, size_t capacity, const struct cli_progress *p, double elapsed_s,
                       int columns);

/* ---- encoders ---- */

/* The form that an option names: base, tiny, or the path of a config.json.
 * Errors: as mood_import_config. */
MOOD_NODISCARD
mood_status cli_encoder_form(mood_encoder_config *out, const char *name);

#endif
