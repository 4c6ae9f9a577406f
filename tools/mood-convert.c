/* SPDX-License-Identifier: MIT
 *
 * mood-convert.c — Weights into and out of libmood's files, and what a file is. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "convert.h"

struct options {
    bool info, verify, trained_like, encoder;
    const char *random;
    int dtype;
    int64_t seed;
};

enum { DTYPE_KEEP, DTYPE_F32, DTYPE_F16, DTYPE_INT8 };
static const char *const dtypes[] = {"keep", "f32", "f16", "int8", NULL};

static const struct cli_option options[] = {
    {CLI_CHOICE_AT(struct options, dtype), .name = "dtype", .arg = "keep|f32|f16|int8",
     .fallback = "keep", .choices = dtypes,
     .help = "numbers of the encoder's weights in the file: f16 halves it, int8 quarters it "
             "and computes faster, and the encoder stays the same one for every model; keep is f32 "
             "for a folder or --random"},
    {CLI_FLAG_AT(struct options, encoder), .name = "encoder",
     .help = "of a model with an encoder inside, write the encoder alone"},
    {CLI_FLAG_AT(struct options, info), .name = "info", .help = "say what SOURCE is"},
    {CLI_FLAG_AT(struct options, verify), .name = "verify",
     .help = "with --info: compute an encoder's identity again, from all of its weights"},
    {CLI_STRING_AT(struct options, random), .name = "random", .arg = "base|tiny|CONFIG.json",
     .unset = "convert SOURCE",
     .help = "make an encoder of this form with random weights, for tests and measurements"},
    {CLI_INT64_AT(struct options, seed), .name = "seed", .arg = "N", .fallback = "0", .min = 0,
     .max = 9e15, .help = "with --random: of the weights"},
    {CLI_FLAG_AT(struct options, trained_like), .name = "trained-like",
     .help = "with --random: channels of unequal size, and a few that are far larger, as training "
             "leaves them"},
};

static const char *const synopsis[] = {
    "[--dtype keep|f32|f16|int8] SOURCE OUT.h5",
    "ENCODER.h5 FOLDER/",
    "--encoder [--dtype keep|f32|f16|int8] MODEL.h5 OUT.h5",
    "--random base|tiny|CONFIG.json [--seed N] OUT.h5",
    "--info [--verify] SOURCE",
    NULL,
};

static const struct cli_example examples[] = {
    {"Make an encoder's file from a download",
     "mood-convert wav2vec2-base/ wav2vec2-base.h5 --dtype f16"},
    {"Make a model of a whole emotion classifier, and use it",
     "mood-convert superb-er/ er.h5 && mood-infer -m er.h5 clip.wav"},
    {"Take the encoder out of a model that mood-train made",
     "mood-convert --encoder model.h5 encoder.h5"},
    {"What is this file?", "mood-convert --info model.h5"},
};

static const struct cli_tool tool = {
    .name = "mood-convert",
    .summary = "make libmood's files from Wav2Vec2 and HuBERT weights",
    .about =
        "SOURCE is a Hugging Face folder with config.json and model.safetensors or "
        "pytorch_model.bin, whole or in shards, or a file of libmood. Encoders of Wav2Vec2 and "
        "HuBERT become the ENC.h5 of mood-train --encoder; emotion classifiers on top of them "
        "become models that mood-infer -m runs as they are.\n\n"
        "Nothing in a download is executed. A tensor that is missing or that no such network has "
        "is an error that names it.\n\n"
        "An OUT that is a folder, or ends in a slash, is written as a Hugging Face folder.",
    .synopsis = synopsis,
    .operand = "SOURCE OUT",
    .min_operands = 1,
    .max_operands = 2,
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .examples = examples,
    .n_examples = sizeof(examples) / sizeof(examples[0]),
};

/* ---- what is converted -------------------------------------------------------------------- */

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static bool names_folder(const char *path)
{
    size_t n = strlen(path);
    return (n > 0 && path[n - 1] == '/') || is_folder(path);
}

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && strcmp(path + n - m, ending) == 0;
}

static mood_status make_random(mood_encoder **out, const struct options *o)
{
    mood_encoder_config config;
    mood_status status = cli_encoder_form(&config, o->random);
    if (status)
        return status;
    return mood_encoder_create(
        out, &config,
        &(mood_encoder_params){.seed = (uint64_t)o->seed, .trained_like = o->trained_like});
}

/* What to try when SOURCE cannot be opened: many tools are given the file of weights. */
static const char *advice(const char *path)
{
    bool part = ends_in(path, ".safetensors") || ends_in(path, ".bin") || ends_in(path, ".json");
    return part && !is_folder(path) ? "; of a download, name the folder that it is in" : "";
}

static mood_status open_source(struct source *s, const char *path)
{
    *s = (struct source){0};
    if (is_folder(path))
        return mood_import(&s->in, path);
    mood_status status = mood_file_inspect(&s->file, path);
    if (!status && strcmp(s->file.kind, "encoder") == 0)
        status = mood_encoder_load(&s->in.encoder, path);
    else if (!status && strcmp(s->file.kind, "model") == 0)
        status = mood_model_load(&s->in.model, path);
    if (!status && s->in.model)
        s->in.encoder = mood_encoder_retain(mood_model_embedded(s->in.model));
    return status;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* The type of the encoder's numbers: what was asked for, or what they have. A folder's are float
 * when they have been read, and so are random ones. */
static mood_dtype wanted(const struct options *o, const struct source *s)
{
    mood_dtype kept = s->file.kind[0] != '\0' ? s->file.dtype : MOOD_F32;
    const mood_dtype asked[] = {kept, MOOD_F32, MOOD_F16, MOOD_I8};
    return asked[o->dtype];
}

/* Whether more exact numbers are asked for than there are. */
static bool was_rounded(const struct options *o, const struct source *s)
{
    return (s->file.dtype == MOOD_F16 && o->dtype == DTYPE_F32) ||
           (s->file.dtype == MOOD_I8 && (o->dtype == DTYPE_F32 || o->dtype == DTYPE_F16));
}

static void write_encoder(struct cli *c, const struct source *s, const char *out)
{
    mood_status status = names_folder(out)
                             ? mood_encoder_export(s->in.encoder, out)
                             : mood_encoder_save(s->in.encoder, out, wanted(c->options, s));
    if (status)
        cli_error(c, out, "%s", mood_error_detail());
    else
        fprintf(stderr, "%s written\n", out);
}

static void write_model(struct cli *c, const struct source *s, const char *out)
{
    mood_status status = mood_model_embed(s->in.model, s->in.encoder, wanted(c->options, s));
    if (!status)
        status = mood_model_save(s->in.model, out);
    if (status)
        cli_error(c, out, "%s", mood_error_detail());
    else
        fprintf(stderr, "%s written\n", out);
}

/* ---- the five forms ----------------------------------------------------------------------- */

static void convert(struct cli *c)
{
    const struct options *o = c->options;
    const char *source = c->operands[0], *out = c->operands[1];
    struct source s;
    if (open_source(&s, source) != MOOD_OK)
        cli_error(c, source, "%s%s", mood_error_detail(), advice(source));
    else if (!s.in.encoder && !s.in.model)
        cli_error(c, source, "holds %s; an encoder or a model is needed", s.file.kind);
    else if (!s.in.encoder)
        cli_error(c, source, "is a model without an encoder inside: there is nothing to convert");
    else if (was_rounded(o, &s))
        cli_error(c, source, "has weights of %d bits, and what was rounded away is not in it",
                  s.file.dtype == MOOD_F16 ? 16 : 8);
    else if (!s.in.model || o->encoder)
        write_encoder(c, &s, out);
    else if (names_folder(out))
        cli_error(c, out, "only an encoder can be written as a folder, and %s is a model", source);
    else
        write_model(c, &s, out);
    mood_imported_free(&s.in);
}

static void convert_random(struct cli *c)
{
    const struct options *o = c->options;
    struct source s = {0};
    if (make_random(&s.in.encoder, o) != MOOD_OK)
        cli_error(c, o->random, "%s", mood_error_detail());
    else
        write_encoder(c, &s, c->operands[0]);
    mood_imported_free(&s.in);
}

static void tell(struct cli *c)
{
    const struct options *o = c->options;
    const char *path = c->operands[0];
    struct source s;
    if (open_source(&s, path) != MOOD_OK ||
        (o->verify && s.in.encoder && mood_encoder_verify(s.in.encoder) != MOOD_OK))
        cli_error(c, path, "%s%s", mood_error_detail(), advice(path));
    else
        convert_info(&s, path, o->verify);
    mood_imported_free(&s.in);
}

/* ---- the whole ---- */

/* What the table cannot say: which options and operands go together. */
static bool check_usage(struct cli *c)
{
    const struct options *o = c->options;
    if (o->info && o->random)
        return cli_usage(c, "--info and --random do not go together");
    if (o->verify && !o->info)
        return cli_usage(c, "--verify belongs to --info");
    if (o->encoder && (o->info || o->random))
        return cli_usage(c, "--encoder takes a model and a file to write");
    if (!o->random && (o->trained_like || o->seed))
        return cli_usage(c, "--seed and --trained-like belong to --random");
    int n = o->info || o->random ? 1 : 2;
    if (c->n_operands != n)
        return cli_usage(c, o->info     ? "--info takes one file or folder"
                            : o->random ? "--random takes one file to write"
                                        : "SOURCE and OUT are needed");
    if (!o->info && ends_in(c->operands[n - 1], ".onnx"))
        return cli_usage(c, "ONNX files cannot be written yet");
    return true;
}

int main(int argc, char **argv)
{
    struct options o;
    struct cli c;
    if (cli_start(&c, &tool, argc, argv, &o) && check_usage(&c)) {
        if (o.info)
            tell(&c);
        else if (o.random)
            convert_random(&c);
        else
            convert(&c);
    }
    return cli_finish(&c);
}
