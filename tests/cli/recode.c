/* SPDX-License-Identifier: MIT
 *
 * recode.c — A sound file once more, in another coding, for tests of what knows it again.
 *
 *     recode IN OUT flac|vorbis|opus|mp3 [LEVEL]
 *
 * LEVEL is from 0, the best, to 1, the smallest. Exit status 3: this libsndfile was built without
 * the encoder. */
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_ENCODER = 3 };

static const struct {
    const char *name;
    int format;
} codings[] = {{"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
               {"vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
               {"opus", SF_FORMAT_OGG | SF_FORMAT_OPUS},
               {"mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}};

static void die(const char *path, SNDFILE *file)
{
    fprintf(stderr, "recode: %s: %s\n", path, sf_strerror(file));
    exit(1);
}

static int format_of(const char *name)
{
    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
        if (strcmp(name, codings[i].name) == 0)
            return codings[i].format;
    fprintf(stderr, "recode: no coding is called '%s'\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: recode IN OUT CODING [LEVEL]\n");
        return 2;
    }
    SF_INFO info = {0};
    SNDFILE *in = sf_open(argv[1], SFM_READ, &info);
    if (!in)
        die(argv[1], NULL);
    info.format = format_of(argv[3]);
    if (!sf_format_check(&info))
        return NO_ENCODER;
    SNDFILE *out = sf_open(argv[2], SFM_WRITE, &info);
    if (!out)
        die(argv[2], NULL);
    double level = argc == 5 ? atof(argv[4]) : -1;
    if (level >= 0 && !sf_command(out, SFC_SET_COMPRESSION_LEVEL, &level, sizeof(level)))
        die(argv[2], out);
    short x[4096]; /* whole frames of up to 8 channels */
    sf_count_t most = 4096 / info.channels, n;
    while ((n = sf_readf_short(in, x, most)) > 0)
        if (sf_writef_short(out, x, n) != n)
            die(argv[2], out);
    sf_close(in);
    if (sf_close(out) != 0)
        die(argv[2], NULL);
    return 0;
}
