/* SPDX-License-Identifier: MIT
 *
 * sniff_coded.c — The headers of FLAC and MPEG streams, as far as it takes to know that the decoder
 * for them is the right one and what it will give.
 *
 * Sources: RFC 9639 (FLAC); ISO/IEC 11172-3 section 2.4.2.3 and 13818-3 (MPEG frame headers). */
#include "audio/sniff.h"

#include "base/bytes.h"
#include "base/error.h"

static mood_status whole_stream(struct mood__sniff *out, const struct mood__sniff *s,
                                const unsigned char *p, size_t n)
{
    *out = *s;
    out->bytes = p;
    out->n_bytes = n;
    return MOOD_OK;
}

/* "fLaC", then metadata blocks (flag "last" and type, 24-bit size), STREAMINFO first. */
mood_status mood__sniff_flac(struct mood__sniff *out, const unsigned char *p, size_t n)
{
    enum { STREAMINFO_BYTES = 34 };
    if (n < 8 + STREAMINFO_BYTES)
        return mood__fail(MOOD_E_FORMAT, "truncated: the file ends inside its header");
    if ((p[4] & 0x7f) != 0 || (be32(p + 4) & 0xffffff) != STREAMINFO_BYTES)
        return mood__fail(MOOD_E_FORMAT, "damaged FLAC: no STREAMINFO block");

    /* Rate 20 bits, channels - 1 3 bits, bits - 1 5 bits, frames 36 bits, from byte 10 on. */
    uint64_t fields = be64(p + 8 + 10);
    struct mood__sniff s = {.format = "FLAC", .coding = MOOD__CODING_FLAC};
    unsigned rate = (unsigned)(fields >> 44), channels = (unsigned)(fields >> 41 & 7) + 1;
    MOOD__TRY(mood__check_layout(channels, rate, MOOD_E_UNSUPPORTED));
    s.channels = (int)channels;
    s.sample_rate = (int)rate;
    s.n_frames = fields & 0xfffffffff;

    /* Walk the other blocks: a size that points outside goes no further. */
    size_t at = 4;
    bool last = false;
    while (!last) {
        if (n - at < 4)
            return mood__fail(MOOD_E_FORMAT, "truncated: the file ends inside its header");
        size_t size = be32(p + at) & 0xffffff;
        last = p[at] >> 7;
        at += 4;
        if (size > n - at)
            return mood__fail(MOOD_E_FORMAT, "truncated: the file ends inside its header");
        at += size;
    }
    if (at == n && s.n_frames)
        return mood__fail(MOOD_E_FORMAT, "truncated: the header says %llu frames, the file holds 0",
                          (unsigned long long)s.n_frames);
    if (at == n)
        return mood__fail(MOOD_E_FORMAT, "holds no samples");
    return whole_stream(out, &s, p, n);
}

struct mpeg_frame {
    unsigned version; /* 3: MPEG-1, 2: MPEG-2, 0: "MPEG-2.5" */
    unsigned layer;   /* 1 to 3 */
    unsigned sample_rate, channels;
    size_t bytes; /* the frame's length, header included */
};

/* Read a frame header; false when these four bytes are none that we take ("free" bit rates, which
 * say nothing about the frame's length, are not). */
static bool mpeg_frame(struct mpeg_frame *f, const unsigned char *p)
{
    static const unsigned short kbit[5][15] = {
        {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448}, /* MPEG-1 layer I */
        {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},    /* layer II */
        {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},     /* layer III */
        {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},    /* MPEG-2 layer I */
        {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}, /* layers II and III */
    };
    static const unsigned short rates[3] = {44100, 48000, 32000};

    unsigned version = p[1] >> 3 & 3, layer_code = p[1] >> 1 & 3;
    unsigned rate_code = p[2] >> 4, hz_code = p[2] >> 2 & 3, padding = p[2] >> 1 & 1;
    if (p[0] != 0xff || p[1] >> 5 != 7 || version == 1 || layer_code == 0 || rate_code == 0 ||
        rate_code == 15 || hz_code == 3)
        return false;
    f->version = version;
    f->layer = 4 - layer_code;
    f->sample_rate = rates[hz_code] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    f->channels = p[3] >> 6 == 3 ? 1 : 2;

    unsigned row = version == 3 ? f->layer - 1 : f->layer == 1 ? 3 : 4;
    unsigned bit_rate = kbit[row][rate_code] * 1000u;
    if (f->layer == 1)
        f->bytes = (12 * bit_rate / f->sample_rate + padding) * 4;
    else
        f->bytes = (f->layer == 3 && version != 3 ? 72 : 144) * bit_rate / f->sample_rate + padding;
    return f->bytes > 4;
}

/* Eleven set bits are no evidence, so the second frame has to be where the first one ends. Fails
 * without a detail: the caller has a better one. */
mood_status mood__sniff_mpeg(struct mood__sniff *out, const unsigned char *p, size_t n)
{
    size_t at = 0;
    while (at < n && p[at] == 0) /* some writers leave room between tag and sound */
        at++;

    struct mpeg_frame first, second;
    if (n - at < 4 || !mpeg_frame(&first, p + at))
        return MOOD_E_FORMAT;
    size_t rest = n - at;
    bool alone = rest == first.bytes;
    bool followed = rest >= first.bytes + 4 && mpeg_frame(&second, p + at + first.bytes) &&
                    second.version == first.version && second.layer == first.layer &&
                    second.sample_rate == first.sample_rate;
    if (!alone && !followed)
        return MOOD_E_FORMAT;

    static const char *const format[] = {"MPEG layer 1", "MPEG layer 2", "MP3"};
    struct mood__sniff s = {.format = format[first.layer - 1], .coding = MOOD__CODING_MPEG};
    s.channels = (int)first.channels;
    s.sample_rate = (int)first.sample_rate;
    return whole_stream(out, &s, p + at, rest);
}
