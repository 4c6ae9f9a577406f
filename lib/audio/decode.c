/* SPDX-License-Identifier: MIT
 *
 * decode.c — libsndfile, over bytes in memory. The only file that includes <sndfile.h>.
 *
 * Bare samples are given to it as a headerless file of known layout, so that none of its own header
 * readers runs on them; it then only converts numbers. For streams with headers it is told nothing,
 * and what it found is compared with what our own reader found. */
#include "audio/decode.h"

#include <sndfile.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

struct mood__decoder {
    SNDFILE *file;
    SF_INFO info;
    const char *format;
    const unsigned char *bytes;
    sf_count_t n_bytes, at;
    uint64_t n_read; /* frames */
};

/* --- A file in memory, as SF_VIRTUAL_IO wants it --- */

static sf_count_t memory_length(void *user)
{
    const struct mood__decoder *d = user;
    return d->n_bytes;
}

static sf_count_t memory_seek(sf_count_t offset, int whence, void *user)
{
    struct mood__decoder *d = user;
    sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? d->at : d->n_bytes;
    if (offset < -base) /* in front of the first byte; `base` is never negative */
        return -1;
    d->at = offset > d->n_bytes - base ? d->n_bytes : base + offset;
    return d->at;
}

static sf_count_t memory_read(void *to, sf_count_t n, void *user)
{
    struct mood__decoder *d = user;
    if (n > d->n_bytes - d->at)
        n = d->n_bytes - d->at;
    if (n <= 0)
        return 0;
    memcpy(to, d->bytes + d->at, (size_t)n);
    d->at += n;
    return n;
}

static sf_count_t memory_write(const void *from, sf_count_t n, void *user)
{
    (void)from, (void)n, (void)user;
    return 0;
}

static sf_count_t memory_tell(void *user)
{
    const struct mood__decoder *d = user;
    return d->at;
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
        [MOOD__CODING_MPEG] = SF_FORMAT_MPEG,
    };
    return format[coding];
}

/* Whether libsndfile reads the stream as what we know it to be. FLAC and MPEG have one decoder for
 * all their sub-formats. */
static bool agrees(enum mood__coding coding, int found)
{
    int mask = coding == MOOD__CODING_FLAC || coding == MOOD__CODING_MPEG
                   ? SF_FORMAT_TYPEMASK
                   : SF_FORMAT_TYPEMASK | SF_FORMAT_SUBMASK;
    return (found & mask) == expected_format(coding);
}

static mood_status open_file(struct mood__decoder *d, const struct mood__sniff *s)
{
    SF_VIRTUAL_IO io = {memory_length, memory_seek, memory_read, memory_write, memory_tell};
    if (mood__coding_is_bare(s->coding)) {
        d->info.format =
            expected_format(s->coding) | (s->big_endian ? SF_ENDIAN_BIG : SF_ENDIAN_LITTLE);
        d->info.channels = s->channels;
        d->info.samplerate = s->sample_rate;
    }
    d->file = sf_open_virtual(&io, SFM_READ, &d->info, d);
    if (!d->file)
        return mood__fail(MOOD_E_FORMAT, "damaged %s: its header cannot be decoded", s->format);
    if (!agrees(s->coding, d->info.format))
        return mood__fail(MOOD_E_FORMAT, "damaged %s: the header and the stream differ", s->format);
    if (d->info.channels < 1 || d->info.samplerate < 1)
        return mood__fail(MOOD_E_FORMAT, "damaged %s: no channels or no rate", s->format);
    return mood__check_layout((uint64_t)d->info.channels, (uint64_t)d->info.samplerate,
                              MOOD_E_UNSUPPORTED);
}

mood_status mood__decoder_open(struct mood__decoder **out, const struct mood__sniff *s)
{
    *out = NULL;
    struct mood__decoder *d = mood__calloc(1, sizeof(*d));
    if (!d)
        return mood__nomem();
    d->format = s->format;
    d->bytes = s->bytes;
    d->n_bytes = (sf_count_t)s->n_bytes;

    mood_status status = open_file(d, s);
    if (status != MOOD_OK)
        mood__decoder_close(&d);
    *out = d;
    return status;
}

void mood__decoder_close(struct mood__decoder **d)
{
    if (!*d)
        return;
    if ((*d)->file)
        sf_close((*d)->file);
    mood__free(*d);
    *d = NULL;
}

int mood__decoder_channels(const struct mood__decoder *d)
{
    return d->info.channels;
}

int mood__decoder_rate(const struct mood__decoder *d)
{
    return d->info.samplerate;
}

mood_status mood__decoder_read(struct mood__decoder *d, float *out, size_t n_frames, size_t *got)
{
    sf_count_t n = sf_readf_float(d->file, out, (sf_count_t)n_frames);
    if (n < 0 || (n < (sf_count_t)n_frames && sf_error(d->file) != SF_ERR_NO_ERROR))
        return mood__fail(MOOD_E_FORMAT, "damaged %s: decoding stops after %.2f s", d->format,
                          (double)(d->n_read + (uint64_t)(n > 0 ? n : 0)) / d->info.samplerate);
    d->n_read += (uint64_t)n;
    *got = (size_t)n;
    return MOOD_OK;
}
