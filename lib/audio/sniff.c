/* SPDX-License-Identifier: MIT
 *
 * sniff.c — Choosing the header reader by a file's first bytes, and naming what is refused. */
#include "audio/sniff.h"

#include "base/bytes.h"
#include "base/error.h"

/* Formats that people do try, and that deserve a better answer than "not audio". */
static const struct {
    size_t at;
    const char *magic, *name;
} refused[] = {
    {4, "ftyp", "MP4/M4A"},
    {0, "\x1a\x45\xdf\xa3", "Matroska/WebM"},
    {0, "RIFX", "RIFX"},
    {0, "BW64", "BW64"},
    {0, "riff\x2e\x91", "Wave64"},
    {0, ".snd", "Sun AU"},
    {0, "caff", "CAF"},
    {0, "#!AMR", "AMR"},
    {0, "\x30\x26\xb2\x75", "WMA/ASF"},
    {0, "MThd", "MIDI"},
    {0, "wvpk", "WavPack"},
    {0, "MAC ", "Monkey's Audio"},
};

size_t mood__coding_bytes(enum mood__coding coding)
{
    static const unsigned char bytes[] = {
        [MOOD__CODING_U8] = 1,  [MOOD__CODING_S8] = 1,  [MOOD__CODING_S16] = 2,
        [MOOD__CODING_S24] = 3, [MOOD__CODING_S32] = 4, [MOOD__CODING_F32] = 4,
        [MOOD__CODING_F64] = 8,
    };
    return bytes[coding];
}

mood_status mood__check_layout(uint64_t channels, uint64_t sample_rate, mood_status status)
{
    if (channels < 1 || channels > MOOD__MAX_CHANNELS)
        return mood__fail(status, "%llu channels; 1 to %d are possible",
                          (unsigned long long)channels, MOOD__MAX_CHANNELS);
    if (sample_rate < MOOD__MIN_RATE || sample_rate > MOOD__MAX_RATE)
        return mood__fail(status, "%llu samples per second; %d to %d are possible",
                          (unsigned long long)sample_rate, MOOD__MIN_RATE, MOOD__MAX_RATE);
    return MOOD_OK;
}

/* Bytes taken by the ID3v2 tags in front of a stream; a tag that runs past the end takes all.
 * (id3.org, "ID3 tag version 2.4.0", section 3.1) */
static size_t id3_bytes(const unsigned char *p, size_t n)
{
    size_t at = 0;
    while (n - at >= 10 && has_tag(p + at, "ID3")) {
        const unsigned char *size = p + at + 6; /* four times seven bits */
        size_t body = (size_t)(size[0] & 127) << 21 | (size_t)(size[1] & 127) << 14 |
                      (size_t)(size[2] & 127) << 7 | (size_t)(size[3] & 127);
        size_t tag = 10 + body + (p[at + 5] & 0x10 ? 10 : 0); /* flag: a footer follows */
        if (tag > n - at)
            return n;
        at += tag;
    }
    return at;
}

static bool is_text(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n && i < 64; i++) {
        if ((p[i] < 32 && !strchr("\t\n\r\f", p[i])) || p[i] == 0 || p[i] == 127)
            return false;
    }
    return true;
}

mood_status mood__sniff(struct mood__sniff *out, const void *data, size_t n)
{
    const unsigned char *p = data;
    if (n == 0)
        return mood__fail(MOOD_E_FORMAT, "not audio: empty");

    size_t skip = id3_bytes(p, n);
    p += skip;
    n -= skip;
    if (n >= 12 && (has_tag(p, "RIFF") || has_tag(p, "RF64")) && has_tag(p + 8, "WAVE"))
        return mood__sniff_wav(out, p, n);
    if (n >= 12 && has_tag(p, "FORM") && has_tag(p + 8, "AIF"))
        return mood__sniff_aiff(out, p, n);
    if (n >= 4 && has_tag(p, "fLaC"))
        return mood__sniff_flac(out, p, n);
    if (n >= 4 && has_tag(p, "OggS"))
        return mood__sniff_ogg(out, p, n);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        size_t end = refused[i].at + strlen(refused[i].magic);
        if (n >= end && has_tag(p + refused[i].at, refused[i].magic))
            return mood__fail(MOOD_E_UNSUPPORTED, "%s is not supported; convert it to WAV or FLAC",
                              refused[i].name);
    }
    if (mood__sniff_mpeg(out, p, n) == MOOD_OK)
        return MOOD_OK;
    if (skip)
        return mood__fail(MOOD_E_FORMAT, "not audio: no MPEG frames behind the ID3 tag");
    return mood__fail(MOOD_E_FORMAT, "not audio: %s",
                      is_text(p, n) ? "this is text" : "no known header");
}
