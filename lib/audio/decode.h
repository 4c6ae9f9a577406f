/* SPDX-License-Identifier: MIT
 *
 * decode.h — From sniffed bytes to interleaved float samples, block by block. */
#ifndef MOOD_AUDIO_DECODE_H
#define MOOD_AUDIO_DECODE_H

#include "audio/sniff.h"

/* One running decoder: the first member of each kind's own struct. */
struct mood__decoder {
    const char *format;
    int channels, sample_rate; /* of what comes out; within the limits */

    /* Decode up to n_frames frames to out (n_frames, channels) and set *got; 0 is the end.
     * Errors: E_FORMAT (the stream is damaged). */
    mood_status (*read)(struct mood__decoder *d, float *out, size_t n_frames, size_t *got);
    void (*close)(struct mood__decoder *d); /* frees d */
};

/* Choose a decoder for s->coding and start it. `s->bytes` are borrowed until it is closed with
 * (*out)->close.
 * Errors: E_FORMAT, E_UNSUPPORTED, E_NOMEM. */
mood_status mood__decoder_open(struct mood__decoder **out, const struct mood__sniff *s);

/* The kinds: MPEG by libmpg123, everything else by libsndfile. */
mood_status mood__decoder_open_sndfile(struct mood__decoder **out, const struct mood__sniff *s);
mood_status mood__decoder_open_mpg123(struct mood__decoder **out, const struct mood__sniff *s);

/* Bytes read as a file, for the call-backs of both. */
struct mood__memory {
    const unsigned char *bytes;
    size_t n_bytes, at; /* at <= n_bytes */
};

/* As read(2): the number of bytes, 0 at the end. */
size_t mood__memory_read(struct mood__memory *m, void *to, size_t n);

/* As lseek(2), but a place behind the end becomes the end. -1 when it is in front of the first
 * byte. */
int64_t mood__memory_seek(struct mood__memory *m, int64_t offset, int whence);

#endif
