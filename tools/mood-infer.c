/* SPDX-License-Identifier: MIT
 *
 * mood-infer.c — Says what mood a voice is in: one answer per sound file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "infer_output.h"

struct options {
    const char *model, *tier;
    bool json;
    int threads;
};

static const struct cli_option options[] = {
    {CLI_STRING_AT(struct options, model), .letter = 'm', .name = "model", .arg = "MODEL.h5",
     .unset = "none: it has to be given", .help = "the model, as mood-train writes it"},
    {CLI_FLAG_AT(struct options, json), .name = "json",
     .help = "print one JSON object per file, each on one line"},
    {CLI_INT_AT(struct options, threads), .name = "threads", .arg = "N", .fallback = "1", .min = 0,
     .max = 256, .help = "threads that work together, 0 for one per core; the answer is the same"},
    {CLI_STRING_AT(struct options, tier), .name = "cpumask", .arg = "TIER",
     .unset = "all that this processor has",
     .help = "use no faster instructions than those of this tier: c, x86-avx2 or x86-avx512"},
};

static const struct cli_example examples[] = {
    {"Label a clip", "mood-infer -m model.h5 clip.wav"},
    {"Label a folder, for another program", "mood-infer -m model.h5 --json clips/*.flac"},
    {"Label what comes through a pipe", "arecord -d 3 | mood-infer -m model.h5 -"},
};

static const struct cli_tool tool = {
    .name = "mood-infer",
    .summary = "say what mood a voice is in",
    .about =
        "Prints the emotion that a model hears in each FILE, how sure it is, and the music that "
        "goes with it. A - stands for standard input. WAV, AIFF, FLAC, Ogg and MP3 are read.\n\n"
        "A recording is heard in windows of 3 seconds, every 1.5 seconds; its answer is the mean "
        "over the windows with speech, and with more than one window a time line follows.\n\n"
        "With --json, times are in seconds, and bytes of a file name that are no UTF-8 are "
        "written as the text \\xNN.",
    .operand = "FILE",
    .min_operands = 1,
    .max_operands = CLI_MANY,
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .examples = examples,
    .n_examples = sizeof(examples) / sizeof(examples[0]),
};

/* ---- input -------------------------------------------------------------------------------- */

/* As mood_audio_read, from standard input: all of it is read first, since a pipe has no size. */
static mood_status read_stdin(mood_audio **out, const char **why)
{
    enum { FIRST = 1 << 20 };
    const size_t most = (size_t)1 << 31; /* what mood_audio_read accepts by default */
    unsigned char *bytes = NULL;
    size_t used = 0, capacity = 0, n;
    mood_status status = MOOD_OK;
    do {
        if (used == capacity) {
            capacity = capacity ? 2 * capacity : FIRST;
            unsigned char *grown = capacity <= most ? realloc(bytes, capacity) : NULL;
            if (!grown) {
                status = MOOD_E_NOMEM;
                *why = capacity <= most ? "out of memory" : "longer than 2 GiB";
                break;
            }
            bytes = grown;
        }
        n = fread(bytes + used, 1, capacity - used, stdin);
        used += n;
    } while (n > 0);
    if (!status && ferror(stdin)) {
        status = MOOD_E_IO;
        *why = strerror(errno);
    }
    if (!status) {
        status = mood_audio_read_memory(out, bytes, used, NULL);
        *why = mood_error_detail();
    }
    free(bytes);
    return status;
}

static mood_status read_audio(mood_audio **out, const char *file, const char **why)
{
    if (strcmp(file, "-") == 0)
        return read_stdin(out, why);
    mood_status status = mood_audio_read(out, file, NULL);
    *why = mood_error_detail();
    return status;
}

/* ---- work --------------------------------------------------------------------------------- */

static void show(const struct cli *c, const struct infer_answer *a, bool first)
{
    const struct options *o = c->options;
    if (o->json) {
        infer_print_json(a);
    } else {
        if (!first)
            printf("\n");
        infer_print_text(c, a);
    }
    fflush(stdout); /* who reads it from a pipe need not wait for the last file */
}

/* Returns whether the file has an answer, which was shown. */
static bool label_file(struct cli *c, const mood_model *model, mood_infer *infer, const char *file,
                       bool first)
{
    const char *name = strcmp(file, "-") == 0 ? "standard input" : file, *why = NULL;
    mood_audio *audio = NULL;
    mood_result result;
    if (read_audio(&audio, file, &why) != MOOD_OK) {
        cli_error(c, name, "%s", why);
        return false;
    }
    bool answered = mood_infer_run(infer, audio, &result) == MOOD_OK;
    if (answered)
        show(c,
             &(struct infer_answer){.file = file,
                                    .duration_s = mood_audio_describe(audio).duration_s,
                                    .model = model,
                                    .result = &result},
             first);
    else
        cli_error(c, name, "%s", mood_error_detail());
    mood_audio_destroy(&audio);
    return answered;
}

static void label_all(struct cli *c, const mood_model *model, mood_infer *infer)
{
    struct cli_progress bar = {0};
    bool first = true;
    bool show = c->n_operands > 1 && !isatty(STDOUT_FILENO); /* else the results are the progress */
    if (show)
        cli_progress_begin(&bar, c, "hearing", c->n_operands, "files");
    for (int i = 0; i < c->n_operands && !cli_stop && !ferror(stdout); i++) {
        if (label_file(c, model, infer, c->operands[i], first))
            first = false;
        if (show)
            cli_progress_at(&bar, i + 1);
    }
    cli_progress_end(&bar);
    if (cli_stop)
        cli_error(c, NULL, "stopped");
}

static bool check_usage(struct cli *c)
{
    const struct options *o = c->options;
    if (!o->model)
        return cli_usage(c, "no model: train one with mood-train, and name it with -m MODEL.h5");
    if (!o->tier)
        return true;
    mood_status status = mood_cpu_limit(o->tier);
    if (status == MOOD_E_INVALID)
        return cli_usage(c, "%s", mood_error_detail());
    if (status != MOOD_OK)
        cli_error(c, "--cpumask", "%s", mood_error_detail());
    return status == MOOD_OK;
}

static void infer(struct cli *c)
{
    const struct options *o = c->options;
    mood_pool *pool = NULL;
    mood_model *model = NULL;
    mood_infer *infer = NULL;
    if (mood_model_load(&model, o->model) != MOOD_OK)
        cli_error(c, o->model, "%s", mood_error_detail());
    else if (mood_pool_create(&pool, o->threads) != MOOD_OK)
        cli_error(c, "--threads", "%s", mood_error_detail());
    else if (mood_infer_create(&infer, model, &(mood_infer_params){.pool = pool}) != MOOD_OK)
        cli_error(c, o->model, "%s", mood_error_detail());
    else
        label_all(c, model, infer);
    mood_infer_destroy(&infer);
    mood_pool_destroy(&pool);
    mood_model_destroy(&model);
}

int main(int argc, char **argv)
{
    struct options o;
    struct cli c;
    if (cli_start(&c, &tool, argc, argv, &o) && check_usage(&c))
        infer(&c);
    return cli_finish(&c);
}
