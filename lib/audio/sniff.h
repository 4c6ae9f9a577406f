/* SPDX-License-Identifier: MIT
 *
 * sniff.h — What a file is, read from its header by our own code before any decoder sees it.
 *
 * Decoders for old and rare codings are where the memory errors of audio libraries live, and a
 * library that guesses the format runs them before its caller can object. So nothing is guessed:
 * a file is on the list, or it goes nowhere. The headers of WAV and AIFF are read here completely,
 * and only their bare samples are handed on. */
#ifndef MOOD_AUDIO_SNIFF_H
#define MOOD_AUDIO_SNIFF_H

#include <stdbool.h>

#include "mood/base.h"

/* What libmood accepts, for any source. */
enum { MOOD__MAX_CHANNELS = 8, MOOD__MIN_RATE = 8000, MOOD__MAX_RATE = 192000 };

/* How the bytes have to be decoded. */
enum mood__coding {
    MOOD__CODING_U8, /* bare interleaved samples: unsigned 8-bit, */
    MOOD__CODING_S8, /* signed integers, */
    MOOD__CODING_S16,
    MOOD__CODING_S24,
    MOOD__CODING_S32,
    MOOD__CODING_F32, /* IEEE floats */
    MOOD__CODING_F64,
    MOOD__CODING_FLAC, /* from here on: a whole stream with its own headers */
    MOOD__CODING_VORBIS,
    MOOD__CODING_OPUS,
    MOOD__CODING_MPEG
};

struct mood__sniff {
    const char *format; /* for mood_audio_info */
    enum mood__coding coding;
    bool big_endian;            /* of bare samples */
    const unsigned char *bytes; /* what to decode, inside the caller's data */
    size_t n_bytes;
    int channels;      /* within the limits */
    int sample_rate;   /* Hz, within the limits */
    uint64_t n_frames; /* as the header says; 0: it does not */
};

/* Whether there are bare samples behind `coding`, whose number is then known and checked. */
static inline bool mood__coding_is_bare(enum mood__coding coding)
{
    return coding <= MOOD__CODING_F64;
}

/* Bytes of one sample of a bare coding. */
size_t mood__coding_bytes(enum mood__coding coding);

/* Find out what `data` is.
 * Errors: E_FORMAT (no audio file, or its header is damaged, or it is cut off), E_UNSUPPORTED. */
mood_status mood__sniff(struct mood__sniff *out, const void *data, size_t n_bytes);

/* The readers behind it, one per family; each is called when the first bytes match. */
mood_status mood__sniff_wav(struct mood__sniff *out, const unsigned char *p, size_t n);
mood_status mood__sniff_aiff(struct mood__sniff *out, const unsigned char *p, size_t n);
mood_status mood__sniff_flac(struct mood__sniff *out, const unsigned char *p, size_t n);
mood_status mood__sniff_ogg(struct mood__sniff *out, const unsigned char *p, size_t n);
mood_status mood__sniff_mpeg(struct mood__sniff *out, const unsigned char *p, size_t n);

/* Check both against the limits above; the detail names the one that is outside. */
mood_status mood__check_layout(uint64_t channels, uint64_t sample_rate, mood_status status);

#endif
