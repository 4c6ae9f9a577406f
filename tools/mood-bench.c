/* SPDX-License-Identifier: MIT
 *
 * mood-bench.c — How long things take: the encoder, one training step of the hybrid heads, an
 * answer. `tools/run bench` runs both beside their peers. */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "cli.h"

static const char *const configs[] = {"base", "large", "tiny", NULL};
static const char *const dtypes[] = {"f32", "int8", NULL};

static const struct cli_option options[] = {
    {CLI_CHOICE_AT(struct bench_options, config), .name = "config", .arg = "NAME",
     .fallback = "base", .choices = configs,
     .help = "encoder, infer: which encoder, with random weights"},
    {CLI_CHOICE_AT(struct bench_options, dtype), .name = "dtype", .arg = "f32|int8",
     .fallback = "f32", .choices = dtypes, .help = "encoder, infer: numbers of its weights"},
    {CLI_INT_AT(struct bench_options, layers), .name = "layers", .arg = "N", .fallback = "-1",
     .min = -1, .max = 64, .help = "encoder, infer: transformer layers that are run; -1 is all"},
    {CLI_DOUBLE_AT(struct bench_options, seconds), .name = "seconds", .arg = "S", .fallback = "3",
     .min = 0.1, .max = 60, .help = "encoder, infer: of sound"},
    {CLI_FLAG_AT(struct bench_options, parts), .name = "parts",
     .help = "encoder: also the time of each part, and its share of what the processor can do"},
    {CLI_INT_AT(struct bench_options, batch), .name = "batch", .arg = "N", .fallback = "32",
     .min = 2, .max = 4096, .help = "heads-step: clips in a step"},
    {CLI_INT_AT(struct bench_options, width), .name = "width", .arg = "D", .fallback = "768",
     .min = 0, .max = 4096,
     .help = "heads-step: of the encoder's frames; 0 leaves the 1D branch out"},
    {CLI_FLAG_AT(struct bench_options, trace), .name = "trace",
     .help = "heads-step: print the losses of ten steps from a fixed start, dropout off, instead "
             "of times"},
    {CLI_INT_AT(struct bench_options, threads), .name = "threads", .arg = "N", .fallback = "0",
     .min = 0, .max = 256, .help = "threads; 0 is one per core"},
    {CLI_INT_AT(struct bench_options, runs), .name = "runs", .arg = "N", .fallback = "20", .min = 1,
     .max = 100000, .help = "runs that are timed, after two that are not"},
    {CLI_FLAG_AT(struct bench_options, json), .name = "json", .help = "one JSON object"},
    {CLI_STRING_AT(struct bench_options, cpumask), .name = "cpumask", .arg = "TIER",
     .unset = "the best", .help = "use no kernels above " CLI_TIERS},
};

static const char *const synopsis[] = {"encoder [OPTION]...", "infer [OPTION]...",
                                       "heads-step [OPTION]...", NULL};

static const struct cli_tool tool = {
    .name = "mood-bench",
    .summary = "measure how long libmood takes",
    .about =
        "encoder: one clip through a network of wav2vec2's form with random weights, from samples "
        "to frames.\n\n"
        "infer: from the bytes of a WAV file to the answer of a model whose heads hear such an "
        "encoder, all of it loaded before.\n\n"
        "heads-step: one step of training the heads on features in memory: a new batch is put "
        "together, gradients are cleared, forward in training mode with dropout, loss, backward "
        "to every parameter, Adam on all of them.",
    .synopsis = synopsis,
    .operand = "WHAT",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
};

typedef mood_status measurement(const struct bench_options *o);

static const struct {
    const char *name;
    measurement *run;
} measurements[] = {
    {"encoder", bench_encoder}, {"infer", bench_infer}, {"heads-step", bench_heads_step}};

static measurement *find(const char *name)
{
    for (size_t i = 0; i < sizeof(measurements) / sizeof(measurements[0]); i++)
        if (strcmp(name, measurements[i].name) == 0)
            return measurements[i].run;
    return NULL;
}

int main(int argc, char **argv)
{
    struct bench_options o;
    struct cli c;
    if (cli_start(&c, &tool, argc, argv, &o)) {
        measurement *run = find(c.operands[0]);
        if (!run)
            cli_usage(&c, "'%s' is nothing to measure; there are encoder, infer and heads-step",
                      c.operands[0]);
        else if (o.cpumask && mood_cpu_limit(o.cpumask) != MOOD_OK)
            cli_usage(&c, "--cpumask: %s", mood_error_detail());
        else if (run(&o) != MOOD_OK)
            cli_error(&c, NULL, "%s", mood_error_detail());
    }
    return cli_finish(&c);
}
