/* SPDX-License-Identifier: MIT
 *
 * cli_internal.h — Between the files of the shared command-line code; programs include cli.h. */
#ifndef MOOD_TOOLS_CLI_INTERNAL_H
#define MOOD_TOOLS_CLI_INTERNAL_H

#include "cli.h"

/* The options that every program has besides its own. */
enum cli_common { CLI_HELP, CLI_VERSION, CLI_HELP_MAN, CLI_HELP_COMPLETION, CLI_N_COMMON };
enum { CLI_N_SHOWN = CLI_HELP_MAN }; /* those before this one stand in the help */
extern const struct cli_option cli_common[CLI_N_COMMON];
bool cli_is_common(const struct cli_option *o);

/* The option's default as the help shows it: its fallback, or the words for its absence. */
const char *cli_default_text(const struct cli_option *o);

/* Set c's options from their defaults and argv. Returns true to go on; false after a wrong usage,
 * or when *asked is the common option to be answered (-1: none). cli_options.c */
bool cli_parse(struct cli *c, int argc, char **argv, int *asked);
void cli_free_options(struct cli *c);

/* Answers on stdout. cli_help.c */
void cli_print_help(const struct cli_tool *tool);
void cli_print_man(const struct cli_tool *tool);
void cli_print_completion(const struct cli_tool *tool);

/* Look at the streams and the environment; wipe the bar away, if there is one. cli_term.c */
void cli_look_at_terminal(struct cli *c);
void cli_wipe_bar(struct cli *c);

#endif
