/* SPDX-License-Identifier: MIT
 *
 * decode_sndfile.c — libsndfile, over bytes in memory. The only file that includes <sndfile.h>.
 *
 * Bare samples are given to it as a headerless file of known layout, so that none of its own header
 * readers runs on them; it then only converts numbers. For streams with headers it is told nothing,
 * and what it found is compared with what our own reader found. */
#include "audio/decode.h"

#include <sndfile.h>

#include "base/error.h"
#include "base/mem.h"

struct sndfile_decoder {
    struct mood__decoder base;
    SNDFILE *file;
    struct mood__memory memory;
    uint64_t n_read; /* frames */
};

/* --- SF_VIRTUAL_IO --- */

static sf_count_t io_length(void *user)
{
    return (sf_count_t)((struct mood__memory *)user)->n_bytes;
}

static sf_count_t io_seek(sf_count_t offset, int whence, void *user)
{
    return mood__memory_seek(user, offset, whence);
}

static sf_count_t io_read(void *to, sf_count_t n, void *user)
{
    return n > 0 ? (sf_count_t)mood__memory_read(user, to, (size_t)n) : 0;
}

static sf_count_t io_write(const void *from, sf_count_t n, void *user)
{
    (void)from, (void)n, (void)user;
    return 0;
}

static sf_count_t io_tell(void *user)
{
    return (sf_count_t)((struct mood__memory *)user)->at;
}

/* --- The decoder --- */

/* How libsndfile calls a coding. */
static int expected_format(enum mood__coding coding)
{
    static const int format[] = {
        [MOOD__CODING_U8] = SF_FORMAT_RAW | SF_FORMAT_PCM_U8,
        [MOOD__CODING_S8] = SF_FORMAT_RAW | SF_FORMAT_PCM_S8,
        [MOOD__CODING_S16] = SF_FORMAT_RAW | SF_FORMAT_PCM_16,
        [MOOD__CODING_S24] = SF_FORMAT_RAW | SF_FORMAT_PCM_24,
        [MOOD__CODING_S32] = SF_FORMAT_RAW | SF_FORMAT_PCM_32,
        [MOOD__CODING_F32] = SF_FORMAT_RAW | SF_FORMAT_FLOAT,
        [MOOD__CODING_F64] = SF_FORMAT_RAW | SF_FORMAT_DOUBLE,
        [MOOD__CODING_FLAC] = SF_FORMAT_FLAC,
        [MOOD__CODING_VORBIS] = SF_FORMAT_OGG | SF_FORMAT_VORBIS,
        [MOOD__CODING_OPUS] = SF_FORMAT_OGG | SF_FORMAT_OPUS,
    };
    return format[coding];
}

/* Whether libsndfile reads the stream as what we know it to be. FLAC has several sub-formats, which
 * its one decoder tells apart. */
static bool agrees(enum mood__coding coding, int found)
{
    int mask = SF_FORMAT_TYPEMASK | (coding == MOOD__CODING_FLAC ? 0 : SF_FORMAT_SUBMASK);
    return (found & mask) == expected_format(coding);
}

static mood_status sndfile_read(struct mood__decoder *base, float *out, size_t n_frames,
                                size_t *got)
{
    struct sndfile_decoder *d = (struct sndfile_decoder *)base;
    sf_count_t n = sf_readf_float(d->file, out, (sf_count_t)n_frames);
    d->n_read += (uint64_t)(n > 0 ? n : 0);
    if (n < 0 || (n < (sf_count_t)n_frames && sf_error(d->file) != SF_ERR_NO_ERROR))
        return mood__fail(MOOD_E_FORMAT, "damaged %s: decoding stops after %.2f s", base->format,
                          (double)d->n_read / base->sample_rate);
    *got = (size_t)n;
    return MOOD_OK;
}

static void sndfile_close(struct mood__decoder *base)
{
    struct sndfile_decoder *d = (struct sndfile_decoder *)base;
    if (d->file)
        sf_close(d->file);
    mood__free(d);
}

static mood_status open_file(struct sndfile_decoder *d, const struct mood__sniff *s)
{
    SF_VIRTUAL_IO io = {io_length, io_seek, io_read, io_write, io_tell};
    SF_INFO info = {0};
    if (mood__coding_is_bare(s->coding)) {
        info.format =
            expected_format(s->coding) | (s->big_endian ? SF_ENDIAN_BIG : SF_ENDIAN_LITTLE);
        info.channels = s->channels;
        info.samplerate = s->sample_rate;
    }
    d->file = sf_open_virtual(&io, SFM_READ, &info, &d->memory);
    if (!d->file)
        return mood__fail(MOOD_E_FORMAT, "damaged %s: its header cannot be decoded", s->format);
    if (!agrees(s->coding, info.format))
        return mood__fail(MOOD_E_FORMAT, "damaged %s: the header and the stream differ", s->format);
    d->base.channels = info.channels;
    d->base.sample_rate = info.samplerate;
    return MOOD_OK;
}

mood_status mood__decoder_open_sndfile(struct mood__decoder **out, const struct mood__sniff *s)
{
    struct sndfile_decoder *d = mood__calloc(1, sizeof(*d));
    if (!d)
        return mood__nomem();
    d->base.format = s->format;
    d->base.read = sndfile_read;
    d->base.close = sndfile_close;
    d->memory = (struct mood__memory){s->bytes, s->n_bytes, 0};

    mood_status status = open_file(d, s);
    if (status == MOOD_OK)
        *out = &d->base;
    else
        sndfile_close(&d->base);
    return status;
}
