/* SPDX-License-Identifier: MIT
 *
 * bench_model.c — The encoders that mood-bench measures. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "bench.h"

static const char *const names[] = {"base", "large", "tiny"};

const char *bench_config_name(int config)
{
    return names[config];
}

static mood_encoder_config config_of(int which)
{
    mood_encoder_config c;
    mood_encoder_defaults(&c);
    if (which == BENCH_LARGE) {
        c.conv_norm = MOOD_CONV_NORM_LAYER;
        c.conv_bias = c.norm_first = true;
        c.width = 1024, c.n_layers = 24, c.n_heads = 16, c.feed_forward = 4096;
    } else if (which == BENCH_TINY) {
        for (int i = 0; i < c.n_convs; i++)
            c.conv_channels[i] = 32;
        c.width = 64, c.n_layers = 4, c.n_heads = 4, c.feed_forward = 128;
    }
    return c;
}

/* Begin to count the peak of memory anew: Linux does that when asked for it here. */
static void forget_peak(void)
{
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "5", 1) != 1)
        perror("mood-bench: /proc/self/clear_refs");
    close(fd);
}

/* Replace the encoder by what its file gives, as programs run it. The file has no name any more
 * when it is measured. */
static mood_status by_file(mood_encoder **encoder, mood_dtype dtype)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/mood-bench-XXXXXX", folder ? folder : "/tmp");
    int fd = n < (int)sizeof(path) ? mkstemp(path) : -1;
    if (fd < 0)
        return mood__fail(MOOD_E_IO, "%s: no temporary file can be made there", path);
    close(fd);
    mood_status status = mood_encoder_save(*encoder, path, dtype);
    mood_encoder_destroy(encoder);
    if (!status)
        status = mood_encoder_load(encoder, path);
    unlink(path);
    return status;
}

mood_status bench_make_encoder(mood_encoder **out, const struct bench_options *o)
{
    mood_encoder_config config = config_of(o->config);
    mood_status status = mood_encoder_create(out, &config, NULL);
    if (!status)
        mood_encoder_identify(*out); /* files and models want one */
    if (!status)
        status = by_file(out, o->dtype == BENCH_INT8 ? MOOD_I8 : MOOD_F32);
    forget_peak();
    return status;
}

int bench_layers(const struct bench_options *o, const mood_encoder *encoder)
{
    return o->layers < 0 ? mood_encoder_get_config(encoder)->n_layers : o->layers;
}
