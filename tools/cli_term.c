/* SPDX-License-Identifier: MIT
 *
 * cli_term.c — What only a person at a terminal sees: colours and the progress bar. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli_internal.h"

enum { MAX_COLUMNS = 512, BAR_COLUMNS = 24 };

static const double redraw_s = 0.1;

static bool environment_has(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] != '\0';
}

void cli_look_at_terminal(struct cli *c)
{
    const char *term = getenv("TERM");
    bool able = term && strcmp(term, "dumb") != 0;
    c->talk = able && isatty(STDERR_FILENO);
    c->colour = able && isatty(STDOUT_FILENO) && !environment_has("NO_COLOR");
}

/* --- colour --------------------------------------------------------------------------------- */

const char *cli_colour(const struct cli *c, unsigned rgb, char buf[CLI_COLOUR_BYTES])
{
    unsigned r = rgb >> 16 & 0xff, g = rgb >> 8 & 0xff, b = rgb & 0xff;
    const char *depth = getenv("COLORTERM");
    buf[0] = '\0';
    if (!c->colour)
        return buf;
    if (depth && (strcmp(depth, "truecolor") == 0 || strcmp(depth, "24bit") == 0))
        snprintf(buf, CLI_COLOUR_BYTES, "\033[38;2;%u;%u;%um", r, g, b);
    else /* the nearest corner of the 6 x 6 x 6 cube that starts at entry 16 of 256 */
        snprintf(buf, CLI_COLOUR_BYTES, "\033[38;5;%um",
                 16 + 36 * ((r * 5 + 127) / 255) + 6 * ((g * 5 + 127) / 255) + (b * 5 + 127) / 255);
    return buf;
}

const char *cli_bold(const struct cli *c)
{
    return c->colour ? "\033[1m" : "";
}

const char *cli_plain(const struct cli *c)
{
    return c->colour ? "\033[0m" : "";
}

/* --- progress ------------------------------------------------------------------------------- */

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col < MAX_COLUMNS ? size.ws_col : MAX_COLUMNS;
    return 80;
}

/* A duration as 7s, 4m05s or 2h03m. */
static void print_duration(char *out, size_t capacity, double seconds)
{
    long s = seconds < 0 ? 0 : seconds > 359999 ? 359999 : (long)(seconds + 0.5);
    if (s < 60)
        snprintf(out, capacity, "%lds", s);
    else if (s < 3600)
        snprintf(out, capacity, "%ldm%02lds", s / 60, s % 60);
    else
        snprintf(out, capacity, "%ldh%02ldm", s / 3600, s % 3600 / 60);
}

void cli_progress_text(char *out, size_t capacity, const struct cli_progress *p, double elapsed_s,
                       int columns)
{
    double rate = elapsed_s > 0 ? (double)p->done / elapsed_s : 0;
    char rate_text[64] = "", time_text[32] = "", bar[BAR_COLUMNS + 1] = "";
    if (rate > 0)
        snprintf(rate_text, sizeof(rate_text), "  %.*f %s/s", rate < 10 ? 1 : 0, rate, p->unit);

    char line[MAX_COLUMNS];
    if (p->total <= 0) {
        snprintf(line, sizeof(line), "%s  %lld %s%s", p->label, (long long)p->done, p->unit,
                 rate_text);
    } else {
        int64_t done = p->done < p->total ? p->done : p->total;
        double share = (double)done / (double)p->total;
        int filled = (int)(share * BAR_COLUMNS);
        memset(bar, '.', BAR_COLUMNS);
        memset(bar, '#', (size_t)filled);
        if (rate > 0) {
            char left[24];
            print_duration(left, sizeof(left), (double)(p->total - done) / rate);
            snprintf(time_text, sizeof(time_text), "  %s left", left);
        }
        snprintf(line, sizeof(line), "%s [%s] %3d%%  %lld/%lld%s%s", p->label, bar,
                 (int)(share * 100), (long long)done, (long long)p->total, rate_text, time_text);
    }
    /* The last column stays free: writing there makes some terminals go to the next line, and then
     * \r would no longer lead back. */
    int room = columns - 1;
    if (room < 0)
        room = 0;
    snprintf(out, capacity, "%.*s", room, line);
}

static void draw(struct cli_progress *p, double now)
{
    char text[MAX_COLUMNS];
    cli_progress_text(text, sizeof(text), p, now - p->start_s, terminal_columns());
    fprintf(stderr, "\r\033[K%s", text);
    fflush(stderr);
    p->drawn_s = now;
    p->cli->bar_shown = true;
}

void cli_progress_begin(struct cli_progress *p, struct cli *c, const char *label, int64_t total,
                        const char *unit)
{
    double now = now_s();
    *p = (struct cli_progress){
        .cli = c, .label = label, .unit = unit, .total = total, .start_s = now, .drawn_s = now};
    if (c->talk)
        draw(p, now);
}

void cli_progress_at(struct cli_progress *p, int64_t done)
{
    p->done = done;
    if (!p->cli || !p->cli->talk)
        return;
    double now = now_s();
    if (now - p->drawn_s >= redraw_s || !p->cli->bar_shown)
        draw(p, now);
}

void cli_progress_end(struct cli_progress *p)
{
    if (p->cli)
        cli_wipe_bar(p->cli);
    p->cli = NULL;
}

void cli_wipe_bar(struct cli *c)
{
    if (c->bar_shown)
        fputs("\r\033[K", stderr);
    c->bar_shown = false;
}
