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
    const char *model, *encoder, *features, *tier;
    bool json;
    int threads;
};

static const struct cli_option options[] = {
    {CLI_STRING_AT(struct options, model), .letter = 'm', .name = "model", .arg = "MODEL.h5",
     .unset = "none: it has to be given, but for --features",
     .help = "the model, as mood-train writes it"},
    {CLI_STRING_AT(struct options, encoder), .name = "encoder", .arg = "ENC.h5",
     .unset = "looked for: in the model, then where it was, beside the model, in $MOOD_HOME",
     .help = "the encoder that the model was trained on, as mood-convert writes it"},
    {CLI_STRING_AT(struct options, features), .name = "features", .arg = "OUT.h5", .unset = "none",
     .help = "write what the encoder makes of FILE, layer by layer, and no answer; needs no model"},
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
    {"Keep an encoder's features", "mood-infer --features out.h5 --encoder base.h5 clip.wav"},
};

static const struct cli_tool tool = {
    .name = "mood-infer",
    .summary = "say what mood a voice is in",
    .about =
        "Prints the emotion that a model hears in each FILE, how sure it is, and the music that "
        "goes with it. A - stands for standard input. WAV, AIFF, FLAC, Ogg and MP3 are read.\n\n"
        "A recording is heard in windows of 3 seconds, every 1.5 seconds; its answer is the mean "
        "over the windows with speech, and with more than one window a time line follows.\n\n"
        "With --features, the recording is heard as a whole, at its own level, and OUT.h5 gets the "
        "data sets layer_00, layer_01, ..., each (frames, width) of float32: the input of each "
        "layer "
        "of the encoder, and at last its output.\n\n"
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

/* ---- features ----------------------------------------------------------------------------- */

static void write_features(struct cli *c, const char *name, mood_encoder *encoder, mood_pool *pool,
                           const mood_audio *audio)
{
    const struct options *o = c->options;
    mood_frames *frames;
    const mood_frames_params params = {.n_layers = -1, .every_layer = true, .pool = pool};
    mood_status status = mood_frames_create(&frames, encoder, mood_audio_length(audio), &params);
    if (!status)
        status = mood_frames_run(frames, mood_audio_samples(audio));
    if (status != MOOD_OK)
        cli_error(c, name, "%s", mood_error_detail());
    else if (mood_frames_save(frames, o->features) != MOOD_OK)
        cli_error(c, o->features, "%s", mood_error_detail());
    mood_frames_destroy(&frames);
}

static void keep_features(struct cli *c, mood_pool *pool)
{
    const struct options *o = c->options;
    const char *file = c->operands[0], *name = strcmp(file, "-") == 0 ? "standard input" : file;
    const char *why = NULL;
    mood_encoder *encoder = NULL;
    mood_audio *audio = NULL;
    if (cli_same_file(o->features, file) || cli_same_file(o->features, o->encoder))
        cli_error(c, o->features, "is an input, and the features would replace it");
    else if (mood_encoder_load(&encoder, o->encoder) != MOOD_OK)
        cli_error(c, o->encoder, "%s", mood_error_detail());
    else if (read_audio(&audio, file, &why) != MOOD_OK)
        cli_error(c, name, "%s", why);
    else
        write_features(c, name, encoder, pool, audio);
    mood_audio_destroy(&audio);
    mood_encoder_destroy(&encoder);
}

/* ---- the program -------------------------------------------------------------------------- */

static bool check_words(struct cli *c)
{
    const struct options *o = c->options;
    if (!o->features)
        return o->model ? true
                        : cli_usage(c, "no model: train one with mood-train, and name it with "
                                       "-m MODEL.h5");
    if (!o->encoder)
        return cli_usage(c, "--features: no encoder; name it with --encoder ENC.h5");
    if (o->model || o->json)
        return cli_usage(c, "--features gives no answers: leave %s out",
                         o->model ? "the model" : "--json");
    if (c->n_operands != 1)
        return cli_usage(c, "--features: one file at a time");
    return true;
}

static bool check_usage(struct cli *c)
{
    const struct options *o = c->options;
    if (!check_words(c))
        return false;
    if (!o->tier)
        return true;
    mood_status status = mood_cpu_limit(o->tier);
    if (status == MOOD_E_INVALID)
        return cli_usage(c, "%s", mood_error_detail());
    if (status != MOOD_OK)
        cli_error(c, "--cpumask", "%s", mood_error_detail());
    return status == MOOD_OK;
}

static bool find_encoder(struct cli *c, const mood_model *model, mood_encoder **encoder)
{
    const struct options *o = c->options;
    mood_status status = mood_model_find_encoder(encoder, model, o->model, o->encoder);
    if (status == MOOD_OK)
        return true;
    cli_error(c, o->encoder ? o->encoder : o->model, "%s%s", mood_error_detail(),
              status == MOOD_E_MISSING && !o->encoder ? "; name it with --encoder" : "");
    return false;
}

static void label(struct cli *c, mood_pool *pool)
{
    const struct options *o = c->options;
    mood_model *model = NULL;
    mood_encoder *encoder = NULL;
    mood_infer *infer = NULL;
    if (mood_model_load(&model, o->model) != MOOD_OK)
        cli_error(c, o->model, "%s", mood_error_detail());
    else if (find_encoder(c, model, &encoder)) {
        const mood_infer_params params = {.pool = pool, .encoder = encoder};
        if (mood_infer_create(&infer, model, &params) != MOOD_OK)
            cli_error(c, o->model, "%s", mood_error_detail());
        else
            label_all(c, model, infer);
    }
    mood_infer_destroy(&infer);
    mood_encoder_destroy(&encoder);
    mood_model_destroy(&model);
}

static void work(struct cli *c)
{
    const struct options *o = c->options;
    mood_pool *pool = NULL;
    if (mood_pool_create(&pool, o->threads) != MOOD_OK)
        cli_error(c, "--threads", "%s", mood_error_detail());
    else if (o->features)
        keep_features(c, pool);
    else
        label(c, pool);
    mood_pool_destroy(&pool);
}

int main(int argc, char **argv)
{
    struct options o;
    struct cli c;
    if (cli_start(&c, &tool, argc, argv, &o) && check_usage(&c))
        work(&c);
    return cli_finish(&c);
}
