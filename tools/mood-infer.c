/* SPDX-License-Identifier: MIT
 *
 * mood-infer.c — Says what mood a voice is in: one answer per sound file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "infer_output.h"

enum { MODEL_PATH_BYTES = 4096 };

struct options {
    const char *model, *encoder, *features, *svg, *tier;
    bool json, csv, srt;
    int threads;
};

static const struct cli_option options[] = {
    {CLI_STRING_AT(struct options, model), .letter = 'm', .name = "model", .arg = "MODEL.h5",
     .unset = "$MOOD_MODEL if that is set, else the one that comes with the programs",
     .help = "the model, as mood-train writes it"},
    {CLI_STRING_AT(struct options, encoder), .name = "encoder", .arg = "ENC.h5",
     .unset = "looked for: in the model, then where it was, beside the model, in $MOOD_HOME",
     .help = "the encoder that the model was trained on, as mood-convert writes it"},
    {CLI_STRING_AT(struct options, features), .name = "features", .arg = "OUT.h5", .unset = "none",
     .help = "write what the encoder makes of FILE, layer by layer, and no answer; needs no model"},
    {CLI_FLAG_AT(struct options, json), .name = "json",
     .help = "print one JSON object per file, each on one line"},
    {CLI_FLAG_AT(struct options, csv), .name = "csv",
     .help = "print a table with a row for each window of 3 seconds"},
    {CLI_FLAG_AT(struct options, srt), .name = "srt",
     .help = "print subtitles, one for each stretch of one emotion; one FILE"},
    {CLI_STRING_AT(struct options, svg), .name = "svg", .arg = "OUT.svg", .unset = "none",
     .help = "draw the time line as well; one FILE"},
    {CLI_INT_AT(struct options, threads), .name = "threads", .arg = "N", .fallback = "1", .min = 0,
     .max = 256, .help = "threads that work together, 0 for one per core; the answer is the same"},
    {CLI_STRING_AT(struct options, tier), .name = "cpumask", .arg = "TIER",
     .unset = "all that this processor has",
     .help = "use no faster instructions than those of this tier: " CLI_TIERS},
};

static const struct cli_example examples[] = {
    {"Label a clip", "mood-infer clip.wav"},
    {"Label a folder, for another program", "mood-infer -m model.h5 --json clips/*.flac"},
    {"Label what comes through a pipe", "arecord -d 3 | mood-infer -"},
    {"Draw the course of an hour", "mood-infer --svg talk.svg talk.mp3"},
    {"Show it below a film", "mood-infer --srt film.wav > film.srt"},
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
        "Without -m, the model is the file $MOOD_MODEL; else libmood/mood.h5 in the data folder "
        "that "
        "belongs to the program, or models/mood.h5 in a build tree.\n\n"
        "With --features, the recording is heard as a whole, at its own level, and OUT.h5 gets the "
        "data sets layer_00, layer_01, ..., each (frames, width) of float32: the input of each "
        "layer "
        "of the encoder, and at last its output.\n\n"
        "With --json and --csv, times are in seconds, and bytes of a file name that are no UTF-8 "
        "are written as the text \\xNN. Their windows overlap; in the time line, in subtitles and "
        "in the picture each 1.5 seconds have the mean of the windows over them.",
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

/* What goes on while a model hears recordings. */
struct job {
    struct cli *cli;
    mood_model *model;
    mood_infer *infer;
    bool answered; /* a recording has been, on stdout */
    struct cli_progress files, windows;
};

/* The progress of one recording, where that of many is not shown. */
static int on_window(void *user, size_t done, size_t total)
{
    struct job *j = user;
    if (total == 1 || j->files.cli)
        return 0;
    if (!j->windows.cli)
        cli_progress_begin(&j->windows, j->cli, "hearing", (int64_t)total, "windows");
    cli_progress_at(&j->windows, (int64_t)done);
    return 0;
}

static mood_status print(struct job *j, const struct infer_answer *a)
{
    const struct options *o = j->cli->options;
    if (o->json)
        infer_print_json(a);
    else if (o->csv)
        infer_print_csv(a, !j->answered, j->cli->n_operands > 1);
    else if (o->srt)
        return infer_print_srt(a);
    else {
        if (j->answered)
            printf("\n");
        return infer_print_text(j->cli, a);
    }
    return MOOD_OK;
}

/* Show what was heard in every form that was asked for. */
static void show(struct job *j, const struct infer_answer *a)
{
    const struct options *o = j->cli->options;
    if (print(j, a) != MOOD_OK)
        cli_error(j->cli, infer_file_name(a), "%s", mood_error_detail());
    j->answered = true;
    fflush(stdout); /* who reads it from a pipe need not wait for the last file */
    if (o->svg && infer_write_svg(o->svg, a) != MOOD_OK)
        cli_error(j->cli, o->svg, "%s", mood_error_detail());
}

static void label_file(struct job *j, const char *file)
{
    char warning[MOOD_WARNING_BYTES];
    const char *why = NULL;
    mood_audio *audio = NULL;
    mood_result result;
    struct infer_answer a = {.file = file, .model = j->model, .result = &result};
    if (read_audio(&audio, file, &why) != MOOD_OK) {
        cli_error(j->cli, infer_file_name(&a), "%s", why);
        return;
    }
    mood_status status = mood_infer_run(j->infer, audio, &result);
    if (!status)
        status = mood_infer_warning(warning, sizeof(warning), audio, &result);
    cli_progress_end(&j->windows);
    a.duration_s = mood_audio_describe(audio).duration_s;
    a.warning = warning[0] ? warning : NULL;
    if (!status)
        show(j, &a);
    else if (status != MOOD_E_STOPPED)
        cli_error(j->cli, infer_file_name(&a), "%s", mood_error_detail());
    mood_audio_destroy(&audio);
}

static void label_all(struct job *j)
{
    struct cli *c = j->cli;
    if (c->n_operands > 1 && !isatty(STDOUT_FILENO)) /* else the results are the progress */
        cli_progress_begin(&j->files, c, "hearing", c->n_operands, "files");
    for (int i = 0; i < c->n_operands && !cli_stop && !ferror(stdout); i++) {
        label_file(j, c->operands[i]);
        cli_progress_at(&j->files, i + 1);
    }
    cli_progress_end(&j->files);
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

/* The option that says how answers are shown, or NULL; *n: how many of them there are. */
static const char *form(const struct options *o, int *n)
{
    *n = o->json + o->csv + o->srt;
    return o->json ? "--json" : o->csv ? "--csv" : o->srt ? "--srt" : NULL;
}

static bool check_words(struct cli *c)
{
    const struct options *o = c->options;
    int n_forms;
    const char *shown = form(o, &n_forms);
    if (n_forms > 1)
        return cli_usage(c, "--json, --csv and --srt exclude one another");
    if (!o->features && (o->srt || o->svg) && c->n_operands != 1)
        return cli_usage(c, "%s: one file at a time", o->srt ? "--srt" : "--svg");
    if (!o->features)
        return true;
    if (!o->encoder)
        return cli_usage(c, "--features: no encoder; name it with --encoder ENC.h5");
    if (o->model || shown || o->svg)
        return cli_usage(c, "--features gives no answers: leave %s out",
                         o->model ? "the model"
                         : shown  ? shown
                                  : "--svg");
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

/* Whether the picture can be drawn when all is heard, which may be much later. */
static bool check_picture(struct cli *c)
{
    const struct options *o = c->options;
    if (!o->svg)
        return true;
    if (cli_same_file(o->svg, c->operands[0]) || cli_same_file(o->svg, o->model) ||
        (o->encoder && cli_same_file(o->svg, o->encoder)))
        cli_error(c, o->svg, "is an input, and the picture would replace it");
    else if (mood__file_check_writable(o->svg) != MOOD_OK)
        cli_error(c, o->svg, "%s", mood_error_detail());
    return c->exit_code == 0;
}

static void label(struct cli *c, mood_pool *pool)
{
    const struct options *o = c->options;
    struct job j = {.cli = c};
    mood_encoder *encoder = NULL;
    if (mood_model_load(&j.model, o->model) != MOOD_OK)
        cli_error(c, o->model, "%s", mood_error_detail());
    else if (find_encoder(c, j.model, &encoder)) {
        const mood_infer_params params = {.pool = pool,
                                          .encoder = encoder,
                                          .on_progress = on_window,
                                          .user = &j,
                                          .stop = &cli_stop};
        if (mood_infer_create(&j.infer, j.model, &params) != MOOD_OK)
            cli_error(c, o->model, "%s", mood_error_detail());
        else
            label_all(&j);
    }
    mood_infer_destroy(&j.infer);
    mood_encoder_destroy(&encoder);
    mood_model_destroy(&j.model);
}

static void work(struct cli *c)
{
    struct options *o = c->options;
    char found[MODEL_PATH_BYTES];
    mood_pool *pool = NULL;
    if (!o->features && !o->model) {
        if (mood_model_find_default(found, sizeof(found)) != MOOD_OK) {
            cli_error(c, NULL, "%s; name one with -m", mood_error_detail());
            return;
        }
        o->model = found;
    }
    if (!check_picture(c))
        return;
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
