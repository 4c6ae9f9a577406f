/* SPDX-License-Identifier: MIT
 *
 * driver.c — A program with one option of each kind, for test_cli.py: it prints what it understood,
 * and does on request what programs do on bad days. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

struct options {
    bool flag, quiet;
    int count, mode;
    int64_t seed;
    double rate;
    const char *output, *needed;
    struct cli_list data;
};

static const char *const modes[] = {"slow", "fast", "odd", NULL};

static const struct cli_option options[] = {
    {CLI_FLAG_AT(struct options, flag), .letter = 'f', .name = "flag", .help = "a flag"},
    {CLI_FLAG_AT(struct options, quiet), .letter = 'q', .name = "quiet", .help = "another flag"},
    {CLI_INT_AT(struct options, count), .letter = 'n', .name = "count", .arg = "N",
     .fallback = "20", .min = 1, .max = 99, .help = "a whole number with a range"},
    {CLI_INT64_AT(struct options, seed), .name = "seed", .arg = "N", .fallback = "-5",
     .help = "a whole number of any size"},
    {CLI_DOUBLE_AT(struct options, rate), .name = "rate", .arg = "R", .fallback = "1e-3", .min = 0,
     .max = 2, .help = "a number with a range"},
    {CLI_STRING_AT(struct options, output), .letter = 'o', .name = "output", .arg = "FILE",
     .unset = "standard output",
     .help = "a text whose help is so long that it has to be wrapped "
             "at least once, and which has no default"},
    {CLI_LIST_AT(struct options, data), .letter = 'd', .name = "data", .arg = "DIR|MANIFEST.csv",
     .help = "may be given many times"},
    {CLI_CHOICE_AT(struct options, mode), .name = "mode", .arg = "MODE", .fallback = "fast",
     .choices = modes, .help = "slow, fast or odd"},
    {CLI_STRING_AT(struct options, needed), .name = "needed", .arg = "X", .required = true,
     .help = "has to be there"},
};

static const struct cli_example examples[] = {{"Do it", "cli-driver --needed x go"}};

static const struct cli_tool tool = {
    .name = "cli-driver",
    .summary = "show what was understood",
    .about = "A back\\slash, a first paragraph.\n\n.A line that begins with a point.",
    .operand = "ACTION",
    .max_operands = 3,
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .examples = examples,
    .n_examples = 1,
};

static void show(const struct cli *c, const struct options *o)
{
    printf("flag=%d quiet=%d count=%d seed=%lld rate=%.17g output=%s needed=%s mode=%s\n", o->flag,
           o->quiet, o->count, (long long)o->seed, o->rate, o->output ? o->output : "(null)",
           o->needed, modes[o->mode]);
    for (int i = 0; i < o->data.n; i++)
        printf("data=%s\n", o->data.items[i]);
    for (int i = 0; i < c->n_operands; i++)
        printf("operand=%s\n", c->operands[i]);
}

static void write_much(struct cli *c, const char *path)
{
    static const char block[4096];
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL;
    for (int i = 0; ok && i < 64; i++)
        ok = fwrite(block, 1, sizeof(block), f) == sizeof(block);
    if (f)
        ok = fclose(f) == 0 && ok;
    if (!ok)
        cli_error(c, path, "no room");
}

/* Waits `count` seconds at most. */
static void wait_for_stop(struct cli *c, const struct options *o)
{
    bool heed = !o->flag;
    printf("waiting\n");
    fflush(stdout);
    for (int i = 0; i < 100 * o->count && !(heed && cli_stop); i++)
        usleep(10000);
    if (cli_stop)
        cli_error(c, NULL, "stopped");
}

static void draw_bar(struct cli *c)
{
    struct cli_progress p;
    cli_progress_begin(&p, c, "clips", 10, "clips");
    for (int i = 1; i <= 10; i++) {
        cli_progress_at(&p, i);
        if (i == 5)
            cli_warn(c, NULL, "half\033[2Jway");
    }
    cli_progress_end(&p);
}

int main(int argc, char **argv)
{
    struct options o;
    struct cli c;
    if (!cli_start(&c, &tool, argc, argv, &o))
        return cli_finish(&c);
    const char *action = c.n_operands > 0 ? c.operands[0] : "";
    char colour[CLI_COLOUR_BYTES];
    if (strcmp(action, "much") == 0)
        write_much(&c, o.output);
    else if (strcmp(action, "wait") == 0)
        wait_for_stop(&c, &o);
    else if (strcmp(action, "bar") == 0)
        draw_bar(&c);
    else if (strcmp(action, "error") == 0)
        cli_error(&c, o.needed, "cannot be %s", "done");
    else if (strcmp(action, "colour") == 0)
        printf("%sbold%s %sred%s\n", cli_bold(&c), cli_plain(&c), cli_colour(&c, 0xEF4444, colour),
               cli_plain(&c));
    else
        show(&c, &o);
    return cli_finish(&c);
}
