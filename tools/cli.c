/* SPDX-License-Identifier: MIT
 *
 * cli.c — Start and end of a program, its error lines, and a look at its files. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli_internal.h"

enum { LINE_BYTES = 4096 };

volatile sig_atomic_t cli_stop;

static const int stop_signals[] = {SIGINT, SIGTERM};
enum { N_STOP_SIGNALS = sizeof(stop_signals) / sizeof(stop_signals[0]) };

/* From here on either signal ends the program, should it not look at the flag. */
static void on_stop_signal(int signal_number)
{
    (void)signal_number;
    struct sigaction end = {.sa_handler = SIG_DFL};
    for (int i = 0; i < N_STOP_SIGNALS; i++)
        sigaction(stop_signals[i], &end, NULL);
    cli_stop = 1;
}

static void set_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);

    /* SA_RESTART: a half-written file must not fail because of the signal. */
    struct sigaction stop = {.sa_handler = on_stop_signal, .sa_flags = SA_RESTART}, old;
    sigemptyset(&stop.sa_mask);
    for (int i = 0; i < N_STOP_SIGNALS; i++)
        sigaddset(&stop.sa_mask, stop_signals[i]);
    for (int i = 0; i < N_STOP_SIGNALS; i++) {
        /* A shell that starts a program in the background has SIGINT ignored: it stays so. */
        if (sigaction(stop_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(stop_signals[i], &stop, NULL);
    }
}

/* Give a stream that was closed by the caller a descriptor that refuses its use. Otherwise the
 * first file the program opens would get the number, and results or errors be written into it. */
static void reserve_standard_streams(void)
{
    static const int refusing_mode[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/dev/null", refusing_mode[fd]) < 0)
            return;
}

bool cli_start(struct cli *c, const struct cli_tool *tool, int argc, char **argv, void *options)
{
    reserve_standard_streams();
    set_signals();
    *c = (struct cli){.tool = tool, .options = options};
    cli_look_at_terminal(c);

    int asked;
    if (cli_parse(c, argc, argv, &asked))
        return true;
    if (asked == CLI_HELP)
        cli_print_help(tool);
    else if (asked == CLI_VERSION)
        printf("%s %s\n", tool->name, mood_version());
    else if (asked == CLI_HELP_MAN)
        cli_print_man(tool);
    else if (asked == CLI_HELP_COMPLETION)
        cli_print_completion(tool);
    return false;
}

int cli_finish(struct cli *c)
{
    cli_wipe_bar(c);
    cli_free_options(c);
    /* Text that was printed may still wait in the buffer: a full disk or a closed pipe shows only
     * when it is flushed. An earlier failed flush has left the mark that ferror finds. */
    bool failed_before = ferror(stdout);
    bool failed_now = fflush(stdout) != 0;
    if (failed_before || failed_now)
        cli_error(c, "standard output", "%s",
                  failed_now ? strerror(errno) : "not all of it could be written");
    return c->exit_code;
}

/* `name: subject: text` as one write, so that lines of several processes do not mix. */
static void print_line(struct cli *c, const char *subject, const char *suffix, const char *fmt,
                       va_list args)
{
    char text[LINE_BYTES], clean[LINE_BYTES], clean_subject[LINE_BYTES];
    vsnprintf(text, sizeof(text), fmt, args);
    cli_printable(clean, sizeof(clean), text);
    cli_printable(clean_subject, sizeof(clean_subject), subject ? subject : "");

    char line[3 * LINE_BYTES];
    snprintf(line, sizeof(line), "%s: %s%s%s%s\n", c->tool->name, clean_subject,
             subject ? ": " : "", clean, suffix);
    cli_wipe_bar(c);
    fflush(stdout); /* keeps results and errors in order where both go to one terminal */
    fputs(line, stderr);
}

void cli_error(struct cli *c, const char *subject, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_line(c, subject, "", fmt, args);
    va_end(args);
    if (c->exit_code == 0)
        c->exit_code = 1;
}

void cli_warn(struct cli *c, const char *subject, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_line(c, subject, "", fmt, args);
    va_end(args);
}

bool cli_usage(struct cli *c, const char *fmt, ...)
{
    char hint[128];
    snprintf(hint, sizeof(hint), "; try '%s --help'", c->tool->name);
    va_list args;
    va_start(args, fmt);
    print_line(c, NULL, hint, fmt, args);
    va_end(args);
    c->exit_code = 2;
    return false;
}

bool cli_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
