/* SPDX-License-Identifier: MIT
 *
 * mood-synth.c — Write a corpus of made-up emotional voices, named as RAVDESS names its files:
 *
 *     OUT_DIR/Actor_12/03-01-05-02-01-01-12.wav
 *
 * beside a corpus.csv that says what it is.
 * The voices themselves are made in synth/; here is the command line and the writing of files. A
 * clip appears under its name only when it is complete. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "mood/emotion.h"
#include "synth/voice.h"

struct options {
    int speakers, per_emotion;
    int64_t seed;
};

/* The defaults are what the demo needs: enough voices to learn from in a minute. */
static const struct cli_option options[] = {
    {CLI_INT_AT(struct options, speakers), .name = "speakers", .arg = "N", .fallback = "24",
     .min = 1, .max = VOICE_MAX_SPEAKER, .help = "how many speakers"},
    {CLI_INT_AT(struct options, per_emotion), .name = "per-emotion", .arg = "N", .fallback = "5",
     .min = 1, .max = VOICE_MAX_TAKES, .help = "clips of each emotion by each speaker"},
    {CLI_INT64_AT(struct options, seed), .name = "seed", .arg = "N", .fallback = "0", .min = 0,
     .max = 9007199254740992.0, .help = "another seed has other speakers"},
};

static const struct cli_example examples[] = {
    {"Make a corpus and train on it", "mood-synth voices && mood-train --data voices"},
};

static const struct cli_tool tool = {
    .name = "mood-synth",
    .summary = "make up emotional voices to train and test on",
    .about = "Writes clips of 2.5 to 4 s, 16 kHz, as OUT_DIR/Actor_NN/03-01-EM-IN-ST-RP-NN.wav, in "
             "the way RAVDESS names its files. The same options make the same clips.\n\n"
             "The voices are synthetic and the emotions are caricatures: they show that training "
             "works, and a network that has learnt them knows nothing of people.",
    .operand = "OUT_DIR",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .examples = examples,
    .n_examples = sizeof(examples) / sizeof(examples[0]),
};

static void put_le(unsigned char *p, size_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++)
        p[i] = (unsigned char)(value >> 8 * i);
}

/* The 44 bytes in front of n samples of 16 bits, one channel (RIFF WAVE, PCM). */
enum { WAV_HEADER = 44 };

static void wav_header(unsigned char h[WAV_HEADER], size_t n)
{
    memcpy(h, "RIFF....WAVEfmt ....", 20);
    put_le(h + 4, WAV_HEADER - 8 + 2 * n, 4);
    put_le(h + 16, 16, 4);             /* bytes of the format that follow */
    put_le(h + 20, 1, 2);              /* PCM */
    put_le(h + 22, 1, 2);              /* channels */
    put_le(h + 24, VOICE_RATE, 4);     /* frames per second */
    put_le(h + 28, 2 * VOICE_RATE, 4); /* bytes per second */
    put_le(h + 32, 2, 2);              /* bytes per frame */
    put_le(h + 34, 16, 2);             /* bits per sample */
    memcpy(h + 36, "data....", 8);
    put_le(h + 40, 2 * n, 4);
}

static bool write_samples(FILE *f, const float *pcm, size_t n)
{
    unsigned char bytes[WAV_HEADER];
    wav_header(bytes, n);
    if (fwrite(bytes, 1, WAV_HEADER, f) != WAV_HEADER)
        return false;
    for (size_t i = 0; i < n; i++) {
        put_le(bytes, (size_t)lrintf(pcm[i] * 32768.0f), 2); /* exact: see voice_render */
        if (fwrite(bytes, 2, 1, f) != 1)
            return false;
    }
    return true;
}

/* So that nobody takes the folder for what it is named after. */
static const char about[] = "corpus,licence,origin\n"
                            "made-up voices,none needed: nobody speaks,mood-synth\n";

/* Write a clip, or without samples what the folder is, to `temporary`; then let it replace `path`.
 */
static bool write_file(const char *path, const char *temporary, const float *pcm, size_t n)
{
    FILE *f = fopen(temporary, "wb");
    if (!f)
        return false;
    bool written = pcm ? write_samples(f, pcm, n) : fputs(about, f) >= 0;
    int why = errno;
    if (fclose(f) != 0 && written) {
        written = false;
        why = errno;
    }
    if (written && rename(temporary, path) == 0)
        return true;
    if (written)
        why = errno;
    unlink(temporary);
    errno = why;
    return false;
}

static bool make_folder(struct cli *c, const char *path)
{
    struct stat st;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return true;
    cli_error(c, path, "folder cannot be made: %s", strerror(errno));
    return false;
}

static bool make_clip(struct cli *c, const char *folder, const struct voice_take *take)
{
    char name[VOICE_NAME_BYTES], path[PATH_MAX], temporary[PATH_MAX];
    voice_name(take, name);
    if (snprintf(path, sizeof path, "%s/%s.wav", folder, name) >= (int)sizeof path ||
        snprintf(temporary, sizeof temporary, "%s/.%s.tmp", folder, name) >=
            (int)sizeof temporary) {
        cli_error(c, folder, "%s", strerror(ENAMETOOLONG));
        return false;
    }
    float *pcm = NULL;
    size_t n = 0;
    if (voice_render(take, &pcm, &n) != MOOD_OK) {
        cli_error(c, path, "%s", mood_error_detail());
        return false;
    }
    bool ok = write_file(path, temporary, pcm, n);
    if (!ok)
        cli_error(c, path, "cannot be written: %s", strerror(errno));
    voice_free(&pcm);
    return ok;
}

static bool make_about(struct cli *c, const char *folder)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/corpus.csv", folder) >= (int)sizeof path ||
        snprintf(temporary, sizeof temporary, "%s/.corpus.tmp", folder) >= (int)sizeof temporary)
        errno = ENAMETOOLONG;
    else if (write_file(path, temporary, NULL, 0))
        return true;
    cli_error(c, folder, "corpus.csv cannot be written: %s", strerror(errno));
    return false;
}

static bool make_speaker(struct cli *c, const struct options *o, int speaker,
                         struct cli_progress *progress)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s/Actor_%02d", c->operands[0], speaker) >=
        (int)sizeof folder) {
        cli_error(c, c->operands[0], "%s", strerror(ENAMETOOLONG));
        return false;
    }
    if (!make_folder(c, folder))
        return false;
    for (int emotion = 0; emotion < MOOD_N_EMOTIONS; emotion++) {
        for (int i = 0; i < o->per_emotion; i++) {
            struct voice_take take = voice_nth_take((uint64_t)o->seed, speaker, emotion, i);
            if (cli_stop || !make_clip(c, folder, &take))
                return false;
            cli_progress_at(progress, progress->done + 1);
        }
    }
    return true;
}

static void make_corpus(struct cli *c, const struct options *o)
{
    const char *dir = c->operands[0];
    struct cli_progress progress = {0};
    int n_clips = o->speakers * MOOD_N_EMOTIONS * o->per_emotion;
    if (!make_folder(c, dir) || !make_about(c, dir))
        return;
    cli_progress_begin(&progress, c, "voices", n_clips, "clips");
    bool ok = true;
    for (int speaker = 1; ok && speaker <= o->speakers; speaker++)
        ok = make_speaker(c, o, speaker, &progress);
    cli_progress_end(&progress);
    if (ok)
        printf("%s: %d clips of %d speakers\n", dir, n_clips, o->speakers);
    else if (cli_stop)
        cli_error(c, dir, "stopped");
}

int main(int argc, char **argv)
{
    struct options o;
    struct cli c;
    if (cli_start(&c, &tool, argc, argv, &o))
        make_corpus(&c, &o);
    return cli_finish(&c);
}
