/* SPDX-License-Identifier: MIT
 *
 * decode_mpg123.c — MPEG audio by libmpg123. The only file that includes <mpg123.h>.
 *
 * libsndfile can decode MPEG as well, by the same library, but it lets it print warnings to
 * standard error, and it ends a stream of variable bit rate where an estimate of its length says.
 */
#include "audio/decode.h"

#include <mpg123.h>

#include "base/error.h"
#include "base/mem.h"

struct mpg123_decoder {
    struct mood__decoder base;
    mpg123_handle *handle;
    struct mood__memory memory;
    uint64_t n_read; /* frames */
};

static mpg123_ssize_t io_read(void *user, void *to, size_t n)
{
    return (mpg123_ssize_t)mood__memory_read(user, to, n);
}

static off_t io_seek(void *user, off_t offset, int whence)
{
    return (off_t)mood__memory_seek(user, offset, whence);
}

static mood_status mpeg_read(struct mood__decoder *base, float *out, size_t n_frames, size_t *got)
{
    struct mpg123_decoder *d = (struct mpg123_decoder *)base;
    size_t frame_bytes = sizeof(float) * (size_t)base->channels, n_bytes = 0;
    int result = mpg123_read(d->handle, out, n_frames * frame_bytes, &n_bytes);
    d->n_read += n_bytes / frame_bytes;
    if (result != MPG123_OK && result != MPG123_DONE)
        return mood__fail(MOOD_E_FORMAT, "damaged %s: decoding stops after %.2f s", base->format,
                          (double)d->n_read / base->sample_rate);
    *got = n_bytes / frame_bytes;
    return MOOD_OK;
}

static void mpeg_close(struct mood__decoder *base)
{
    struct mpg123_decoder *d = (struct mpg123_decoder *)base;
    if (d->handle)
        mpg123_delete(d->handle);
    mood__free(d);
}

/* Ask for floats at the stream's own rate, silence on standard error, and no end of patience with
 * what lies between the frames: tags, or a damaged place. */
static bool configure(mpg123_handle *h)
{
    long flags = MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_SKIP_ID3V2 |
                 MPG123_NO_PEEK_END | MPG123_NO_FRANKENSTEIN;
    return mpg123_param(h, MPG123_ADD_FLAGS, flags, 0) == MPG123_OK &&
           mpg123_param(h, MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0) == MPG123_OK &&
           mpg123_param(h, MPG123_RESYNC_LIMIT, -1, 0) == MPG123_OK &&
           mpg123_replace_reader_handle(h, io_read, io_seek, NULL) == MPG123_OK;
}

static mood_status open_stream(struct mpg123_decoder *d)
{
    mpg123_init(); /* does nothing since 1.27; before that, fills constant tables */
    d->handle = mpg123_new(NULL, NULL);
    if (!d->handle || !configure(d->handle))
        return mood__nomem();
    long rate = 0;
    int channels = 0, encoding = 0;
    if (mpg123_open_handle(d->handle, &d->memory) != MPG123_OK ||
        mpg123_getformat(d->handle, &rate, &channels, &encoding) != MPG123_OK ||
        encoding != MPG123_ENC_FLOAT_32 || rate > MOOD__MAX_RATE)
        return mood__fail(MOOD_E_FORMAT, "damaged %s: its header cannot be decoded",
                          d->base.format);
    /* From here on the format stays: another one in mid-stream is an error of mpg123_read. */
    mpg123_format_none(d->handle);
    if (mpg123_format(d->handle, rate, channels == 1 ? MPG123_MONO : MPG123_STEREO, encoding) !=
        MPG123_OK)
        return mood__fail(MOOD_E_FORMAT, "damaged %s: its header cannot be decoded",
                          d->base.format);
    d->base.channels = channels;
    d->base.sample_rate = (int)rate;
    return MOOD_OK;
}

mood_status mood__decoder_open_mpg123(struct mood__decoder **out, const struct mood__sniff *s)
{
    struct mpg123_decoder *d = mood__calloc(1, sizeof(*d));
    if (!d)
        return mood__nomem();
    d->base.format = s->format;
    d->base.read = mpeg_read;
    d->base.close = mpeg_close;
    d->memory = (struct mood__memory){s->bytes, s->n_bytes, 0};

    mood_status status = open_stream(d);
    if (status == MOOD_OK)
        *out = &d->base;
    else
        mpeg_close(&d->base);
    return status;
}
