/* SPDX-License-Identifier: MIT
 *
 * sniff_bare.c — The headers of WAV and AIFF, both lists of chunks around bare samples.
 *
 * Sources: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0"
 * (1991) for WAV; Microsoft's WAVEFORMATEXTENSIBLE; EBU Tech 3306 for RF64; Apple, "Audio
 * Interchange File Format AIFF-C" (1991). */
#include "audio/sniff.h"

#include "base/bytes.h"
#include "base/error.h"

/* More chunks than any honest file has. */
enum { MAX_CHUNKS = 4096 };

/* A data size that only says "unknown yet". Recorders write 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000 and
 * neighbours of these; a file of such a size is over our limit anyway. */
static bool is_placeholder(uint64_t bytes)
{
    return bytes >= 0x7ffff000 && bytes <= 0xffffffff;
}

static mood_status cut_off(void)
{
    return mood__fail(MOOD_E_FORMAT, "truncated: the file ends inside its header");
}

/* Fill what a bare coding has in common, from the bytes of the samples that the header claims and
 * those that are there. */
static mood_status finish(struct mood__sniff *out, uint64_t claimed, size_t held)
{
    size_t frame = mood__coding_bytes(out->coding) * (size_t)out->channels;
    uint64_t claimed_frames = claimed / frame, held_frames = held / frame;
    if (claimed_frames > held_frames)
        return mood__fail(MOOD_E_FORMAT,
                          "truncated: the header says %llu frames, the file holds %llu",
                          (unsigned long long)claimed_frames, (unsigned long long)held_frames);
    if (claimed_frames == 0)
        return mood__fail(MOOD_E_FORMAT, "holds no samples");
    out->n_frames = claimed_frames;
    out->n_bytes = (size_t)claimed_frames * frame;
    return MOOD_OK;
}

/* --- WAV --- */

enum { TAG_PCM = 1, TAG_FLOAT = 3, TAG_EXTENSIBLE = 0xfffe };

static const char *wav_codec_name(unsigned tag)
{
    switch (tag) {
    case 0x0002:
        return "Microsoft ADPCM";
    case 0x0006:
        return "A-law";
    case 0x0007:
        return "mu-law";
    case 0x0011:
        return "IMA ADPCM";
    case 0x0031:
        return "GSM 6.10";
    case 0x0050:
    case 0x0055:
        return "MPEG inside WAV";
    }
    return "unknown";
}

/* Set the coding from the codec tag and the bytes a sample takes; false when there is none. Samples
 * with fewer bits than their bytes hold are stored in the upper bits, so the bytes decide. */
static bool wav_coding(struct mood__sniff *out, unsigned tag, unsigned sample_bytes)
{
    static const struct {
        unsigned tag, bytes;
        enum mood__coding coding;
        const char *format;
    } known[] = {
        {TAG_PCM, 1, MOOD__CODING_U8, "WAV, 8-bit"},
        {TAG_PCM, 2, MOOD__CODING_S16, "WAV, 16-bit"},
        {TAG_PCM, 3, MOOD__CODING_S24, "WAV, 24-bit"},
        {TAG_PCM, 4, MOOD__CODING_S32, "WAV, 32-bit"},
        {TAG_FLOAT, 4, MOOD__CODING_F32, "WAV, 32-bit float"},
        {TAG_FLOAT, 8, MOOD__CODING_F64, "WAV, 64-bit float"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].tag == tag && known[i].bytes == sample_bytes) {
            out->coding = known[i].coding;
            out->format = known[i].format;
            return true;
        }
    }
    return false;
}

/* The fmt chunk: codec tag, channels, rate, bytes per second, bytes per frame, bits per sample. */
static mood_status wav_fmt(struct mood__sniff *out, const unsigned char *p, size_t n)
{
    static const char guid_tail[] = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71";

    if (n < 16)
        return mood__fail(MOOD_E_FORMAT, "damaged WAV: its fmt chunk has %zu bytes", n);
    unsigned tag = le16(p), channels = le16(p + 2), frame_bytes = le16(p + 12);
    unsigned bits = le16(p + 14);
    if (tag == TAG_EXTENSIBLE) {
        /* The real tag is in front of a GUID that is the same for all of Microsoft's tags. */
        if (n < 40)
            return mood__fail(MOOD_E_FORMAT, "damaged WAV: its extended fmt chunk has %zu bytes",
                              n);
        if (memcmp(p + 26, guid_tail, sizeof(guid_tail) - 1) != 0)
            return mood__fail(MOOD_E_UNSUPPORTED,
                              "WAV with an unknown sub-format is not supported; PCM and float are");
        tag = le16(p + 24);
    }
    if (tag != TAG_PCM && tag != TAG_FLOAT)
        return mood__fail(MOOD_E_UNSUPPORTED,
                          "WAV codec 0x%04x (%s) is not supported; PCM and float are", tag,
                          wav_codec_name(tag));
    MOOD__TRY(mood__check_layout(channels, le32(p + 4), MOOD_E_UNSUPPORTED));
    if (frame_bytes % channels || bits == 0 || (bits + 7) / 8 != frame_bytes / channels)
        return mood__fail(MOOD_E_FORMAT,
                          "damaged WAV: %u channels of %u bits do not make frames of %u bytes",
                          channels, bits, frame_bytes);
    if (!wav_coding(out, tag, frame_bytes / channels))
        return mood__fail(MOOD_E_UNSUPPORTED, "WAV with %u-bit %s samples is not supported", bits,
                          tag == TAG_FLOAT ? "float" : "integer");
    out->channels = (int)channels;
    out->sample_rate = (int)le32(p + 4);
    return MOOD_OK;
}

/* The bytes of samples that the header of a data chunk claims, where `held` bytes follow it. */
static uint64_t wav_claimed(uint64_t size, uint64_t riff_size, size_t data_at, size_t held)
{
    if (is_placeholder(size))
        return held;
    /* A recorder that was killed leaves the sizes of an empty recording, in which nothing follows
     * the data chunk; an empty recording with further chunks has a RIFF size that reaches them. */
    if (size == 0 && (is_placeholder(riff_size) || riff_size + 8 <= data_at))
        return held;
    return size;
}

mood_status mood__sniff_wav(struct mood__sniff *out, const unsigned char *p, size_t n)
{
    bool rf64 = has_tag(p, "RF64"), have_fmt = false;
    uint64_t riff_size = le32(p + 4), ds64_data_size = 0;
    struct mood__sniff s = {0};

    size_t at = 12;
    for (int i = 0; i < MAX_CHUNKS && n - at >= 8; i++) {
        const unsigned char *chunk = p + at;
        uint64_t size = le32(chunk + 4);
        size_t held = n - at - 8;
        if (has_tag(chunk, "data")) {
            if (!have_fmt)
                return mood__fail(MOOD_E_FORMAT, "damaged WAV: no fmt chunk before the samples");
            if (rf64 && size == 0xffffffff && ds64_data_size)
                size = ds64_data_size;
            else
                size = wav_claimed(size, riff_size, at + 8, held);
            s.bytes = chunk + 8;
            MOOD__TRY(finish(&s, size, held));
            *out = s;
            return MOOD_OK;
        }
        if (size > held)
            return cut_off();
        if (has_tag(chunk, "ds64") && rf64 && size >= 24)
            ds64_data_size = le64(chunk + 16); /* behind the RIFF size; the frame count follows */
        if (has_tag(chunk, "fmt ") && !have_fmt) {
            MOOD__TRY(wav_fmt(&s, chunk + 8, (size_t)size));
            have_fmt = true;
        }
        size_t padded = (size_t)size + (size & 1);
        at += 8 + (padded < held ? padded : held);
    }
    return mood__fail(MOOD_E_FORMAT, "damaged WAV: no data chunk");
}

/* --- AIFF --- */

/* An 80-bit IEEE extended number, as the sample rate is stored, to the whole Hz below; 0 for what
 * is negative, below 1 or above 32 bits. */
static uint32_t extended_to_hz(const unsigned char *p)
{
    int exponent = be16(p) - 16383; /* a set sign bit makes it too large */
    if (exponent < 0 || exponent > 31)
        return 0;
    return (uint32_t)(be64(p + 2) >> (63 - exponent));
}

/* The COMM chunk: channels, frames, bits per sample, rate; in AIFF-C also the coding's name. */
static mood_status aiff_comm(struct mood__sniff *out, const unsigned char *p, size_t n, bool aifc)
{
    static const struct {
        char name[5];
        bool little_endian, is_float;
        unsigned bits; /* 0: as the chunk says */
    } known[] = {
        {"NONE", false, false, 0}, {"twos", false, false, 0}, {"sowt", true, false, 0},
        {"fl32", false, true, 32}, {"FL32", false, true, 32}, {"fl64", false, true, 64},
        {"FL64", false, true, 64},
    };
    static const enum mood__coding by_bytes[] = {MOOD__CODING_S8, MOOD__CODING_S16,
                                                 MOOD__CODING_S24, MOOD__CODING_S32};
    static const char *const format[] = {"AIFF, 8-bit", "AIFF, 16-bit", "AIFF, 24-bit",
                                         "AIFF, 32-bit"};

    if (n < (aifc ? 22u : 18u))
        return mood__fail(MOOD_E_FORMAT, "damaged AIFF: its COMM chunk has %zu bytes", n);
    unsigned bits = be16(p + 6);
    size_t k = 0;
    if (aifc) {
        while (k < sizeof(known) / sizeof(known[0]) && !has_tag(p + 18, known[k].name))
            k++;
        if (k == sizeof(known) / sizeof(known[0]))
            return mood__fail(MOOD_E_UNSUPPORTED,
                              "AIFF-C compression is not supported; plain integers and floats are");
        if (known[k].bits)
            bits = known[k].bits;
    }
    MOOD__TRY(mood__check_layout(be16(p), extended_to_hz(p + 8), MOOD_E_UNSUPPORTED));
    if (known[k].is_float) {
        out->coding = bits == 32 ? MOOD__CODING_F32 : MOOD__CODING_F64;
        out->format = bits == 32 ? "AIFF, 32-bit float" : "AIFF, 64-bit float";
    } else {
        if (bits < 1 || bits > 32)
            return mood__fail(MOOD_E_FORMAT, "damaged AIFF: samples of %u bits", bits);
        out->coding = by_bytes[(bits - 1) / 8];
        out->format = format[(bits - 1) / 8];
    }
    out->big_endian = !known[k].little_endian;
    out->channels = be16(p);
    out->n_frames = be32(p + 2);
    out->sample_rate = (int)extended_to_hz(p + 8);
    return MOOD_OK;
}

mood_status mood__sniff_aiff(struct mood__sniff *out, const unsigned char *p, size_t n)
{
    bool aifc = p[11] == 'C', have_comm = false;
    if (!aifc && p[11] != 'F')
        return mood__fail(MOOD_E_FORMAT, "not audio: no known header");
    struct mood__sniff s = {0};
    const unsigned char *samples = NULL;
    size_t held = 0;

    size_t at = 12; /* the two chunks that matter may come in any order */
    for (int i = 0; i < MAX_CHUNKS && n - at >= 8 && !(have_comm && samples); i++) {
        const unsigned char *chunk = p + at;
        uint64_t size = be32(chunk + 4);
        size_t rest = n - at - 8;
        if (has_tag(chunk, "SSND")) {
            /* Eight bytes in front of the samples: how many bytes to skip, and a block size. */
            if (size < 8 || rest < 8)
                return cut_off();
            uint64_t skip = be32(chunk + 8), inside = (size < rest ? size : rest) - 8;
            if (skip > inside)
                return mood__fail(MOOD_E_FORMAT, "damaged AIFF: its samples start behind its end");
            samples = chunk + 16 + skip;
            held = (size_t)(inside - skip);
        } else if (size > rest) {
            return cut_off();
        } else if (has_tag(chunk, "COMM") && !have_comm) {
            MOOD__TRY(aiff_comm(&s, chunk + 8, (size_t)size, aifc));
            have_comm = true;
        }
        uint64_t padded = size + (size & 1);
        at += 8 + (padded < rest ? (size_t)padded : rest);
    }
    if (!have_comm || !samples)
        return mood__fail(MOOD_E_FORMAT, "damaged AIFF: no %s chunk", have_comm ? "SSND" : "COMM");
    s.bytes = samples;
    size_t frame = mood__coding_bytes(s.coding) * (size_t)s.channels;
    MOOD__TRY(finish(&s, s.n_frames * frame, held));
    *out = s;
    return MOOD_OK;
}
