/* SPDX-License-Identifier: MIT
 *
 * test_headers.c — What a file's header says decides: every accepted layout gives the right
 * samples, everything else the right status and a line that says why. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bytes_builder.h"
#include "expect.h"

/* --- WAV --- */

static void test_wav_integers(void **state)
{
    (void)state;
    /* -0.5, 0.25 and nearly 1 in each width; 8-bit WAV is unsigned. */
    static const struct {
        unsigned bits;
        uint64_t sample[3];
        const char *format;
    } cases[] = {
        {8, {0x40, 0xa0, 0xff}, "WAV, 8-bit"},
        {16, {0xc000, 0x2000, 0x7fff}, "WAV, 16-bit"},
        {24, {0xc00000, 0x200000, 0x7fffff}, "WAV, 24-bit"},
        {32, {0xc0000000, 0x20000000, 0x7fffffff}, "WAV, 32-bit"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct builder b = {0};
        put_wav_header(&b,
                       (struct wav){.bits = cases[i].bits, .data_bytes = 3 * cases[i].bits / 8});
        for (int s = 0; s < 3; s++)
            put_le(&b, cases[i].sample[s], (int)cases[i].bits / 8);
        mood_audio *a = read_ok(&b);
        mood_audio_info info = mood_audio_describe(a);
        assert_string_equal(info.format, cases[i].format);
        assert_int_equal(info.channels, 1);
        assert_int_equal(info.sample_rate, 16000);
        assert_int_equal(info.n_frames, 3);
        assert_int_equal(mood_audio_length(a), 3);
        const float *x = mood_audio_samples(a);
        assert_true(x[0] == -0.5f && x[1] == 0.25f);
        assert_near(x[2], 1 - ldexp(1, 1 - (int)cases[i].bits), 1e-7);
        mood_audio_destroy(&a);
        assert_null(a);
    }
}

static void test_wav_floats(void **state)
{
    (void)state;
    struct builder b = {0};
    put_wav_header(&b, (struct wav){.tag = 3, .bits = 32, .data_bytes = 8});
    put_float(&b, 0.3f);
    put_float(&b, -1.5f); /* above full scale is kept */
    mood_audio *a = read_ok(&b);
    assert_true(mood_audio_samples(a)[0] == 0.3f && mood_audio_samples(a)[1] == -1.5f);
    mood_audio_destroy(&a);

    put_wav_header(&b, (struct wav){.tag = 3, .bits = 64, .data_bytes = 16});
    put_double(&b, 0.3);
    put_double(&b, -1.5);
    a = read_ok(&b);
    assert_true(mood_audio_samples(a)[0] == 0.3f && mood_audio_samples(a)[1] == -1.5f);
    assert_string_equal(mood_audio_describe(a).format, "WAV, 64-bit float");
    mood_audio_destroy(&a);
}

/* WAVEFORMATEXTENSIBLE around 16-bit samples; `guid_end` is the last byte of the sub-format. */
static void put_extensible(struct builder *b, unsigned tag, unsigned char guid_end)
{
    put_tag(b, "RIFF");
    put_le(b, 0, 4);
    put_tag(b, "WAVEJUNK"); /* chunks before fmt, of odd length: a byte of padding follows */
    put_le(b, 3, 4);
    put_tag(b, "xxx");
    put_le(b, 0, 1);
    put_tag(b, "fmt ");
    put_le(b, 40, 4);
    put_le(b, 0xfffe, 2);
    put_le(b, 1, 2);
    put_le(b, 16000, 4);
    put_le(b, 32000, 4);
    put_le(b, 2, 2);
    put_le(b, 16, 2);
    put_le(b, 22, 2); /* bytes of the extension: valid bits, speaker mask, GUID */
    put_le(b, 16, 2);
    put_le(b, 4, 4);
    put_le(b, tag, 2);
    put_bytes(b, "\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b", 13);
    put_le(b, guid_end, 1);
    put_tag(b, "data");
    put_le(b, 2, 4);
    put_le(b, 0x4000, 2);
}

static void test_wav_extensible(void **state)
{
    (void)state;
    struct builder b = {0};
    put_extensible(&b, 1, 0x71);
    mood_audio *a = read_ok(&b);
    assert_int_equal(mood_audio_length(a), 1);
    assert_true(mood_audio_samples(a)[0] == 0.5f);
    mood_audio_destroy(&a);

    put_extensible(&b, 1, 0x72);
    refused(&b, MOOD_E_UNSUPPORTED, "sub-format");
    put_extensible(&b, 2, 0x71);
    refused(&b, MOOD_E_UNSUPPORTED, "Microsoft ADPCM");
}

static void test_rf64(void **state)
{
    (void)state;
    struct builder b = {0};
    put_tag(&b, "RF64");
    put_le(&b, 0xffffffff, 4);
    put_tag(&b, "WAVEds64");
    put_le(&b, 28, 4);
    put_le(&b, 76, 8); /* RIFF, data, frames, length of a table */
    put_le(&b, 4, 8);
    put_le(&b, 2, 8);
    put_le(&b, 0, 4);
    put_tag(&b, "fmt ");
    put_le(&b, 16, 4);
    put_le(&b, 1, 2);
    put_le(&b, 1, 2);
    put_le(&b, 16000, 4);
    put_le(&b, 32000, 4);
    put_le(&b, 2, 2);
    put_le(&b, 16, 2);
    put_tag(&b, "data");
    put_le(&b, 0xffffffff, 4);
    put_le(&b, 0x4000, 2);
    put_le(&b, 0xc000, 2);
    put_tag(&b, "LIST"); /* not sound: the ds64 chunk says where that ends */
    put_le(&b, 0, 4);
    mood_audio *a = read_ok(&b);
    assert_int_equal(mood_audio_length(a), 2);
    assert_true(mood_audio_samples(a)[1] == -0.5f);
    mood_audio_destroy(&a);
}

static void test_wav_sizes(void **state)
{
    (void)state;
    static const unsigned char samples[8] = {0, 0x10, 0, 0x20, 0, 0x30, 0, 0x40};
    /* Placeholders of recorders that could not seek back, or were killed. */
    static const struct wav placeholder[] = {
        {.data_bytes = 0xffffffff, .riff_bytes = 0xffffffff},
        {.data_bytes = 0x7ffff000, .riff_bytes = 0x7ffff024},
        {.data_bytes = 0, .riff_bytes = 36},
        {.data_bytes = 0, .riff_bytes = 0},
        {.data_bytes = 0, .riff_bytes = 0xffffffff},
    };
    for (size_t i = 0; i < sizeof(placeholder) / sizeof(placeholder[0]); i++) {
        struct builder b = {0};
        put_wav_header(&b, placeholder[i]);
        put_bytes(&b, samples, 8);
        mood_audio *a = read_ok(&b);
        assert_int_equal(mood_audio_length(a), 4);
        assert_true(mood_audio_samples(a)[3] == 0.5f);
        mood_audio_destroy(&a);
    }

    struct builder b = {0};
    put_wav_header(&b, (struct wav){.data_bytes = 2000, .riff_bytes = 2036});
    put_bytes(&b, samples, 8);
    refused(&b, MOOD_E_FORMAT, "truncated: the header says 1000 frames, the file holds 4");
    put_wav_header(&b, (struct wav){.data_bytes = 0x70000000, .riff_bytes = 0x70000024});
    put_bytes(&b, samples, 8);
    refused(&b, MOOD_E_FORMAT, "truncated: the header says 939524096 frames, the file holds 4");
    /* An empty recording, with something else behind its data chunk. */
    put_wav_header(&b, (struct wav){.data_bytes = 0, .riff_bytes = 44});
    put_tag(&b, "LIST");
    put_le(&b, 0, 4);
    refused(&b, MOOD_E_FORMAT, "holds no samples");
    put_wav_header(&b, (struct wav){.data_bytes = 0, .riff_bytes = 36});
    refused(&b, MOOD_E_FORMAT, "holds no samples");
}

static void test_wav_refused(void **state)
{
    (void)state;
    static const struct {
        struct wav w;
        mood_status status;
        const char *words;
    } cases[] = {
        {{.tag = 2, .bits = 16}, MOOD_E_UNSUPPORTED, "0x0002 (Microsoft ADPCM)"},
        {{.tag = 0x11, .bits = 16}, MOOD_E_UNSUPPORTED, "0x0011 (IMA ADPCM)"},
        {{.tag = 7, .bits = 8}, MOOD_E_UNSUPPORTED, "mu-law"},
        {{.tag = 0x1234}, MOOD_E_UNSUPPORTED, "unknown"},
        {{.channels = 9}, MOOD_E_UNSUPPORTED, "9 channels; 1 to 8"},
        {{.channels = 65535}, MOOD_E_UNSUPPORTED, "65535 channels"},
        {{.rate = 7999}, MOOD_E_UNSUPPORTED, "7999 samples per second; 8000 to 192000"},
        {{.rate = 192001}, MOOD_E_UNSUPPORTED, "192001"},
        {{.rate = 0xffffffff}, MOOD_E_UNSUPPORTED, "4294967295"},
        {{.bits = 12}, MOOD_E_FORMAT, "12 bits do not make frames of 1 bytes"},
        {{.bits = 40}, MOOD_E_UNSUPPORTED, "40-bit integer"},
        {{.tag = 3, .bits = 16}, MOOD_E_UNSUPPORTED, "16-bit float"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct builder b = {0};
        struct wav w = cases[i].w;
        w.data_bytes = 1024;
        put_wav_header(&b, w);
        static const unsigned char zeros[1024];
        put_bytes(&b, zeros, sizeof(zeros));
        refused(&b, cases[i].status, cases[i].words);
    }
}

static void test_wav_damaged(void **state)
{
    (void)state;
    struct builder whole = {0};
    put_wav(&whole, 1, 16000, 4, 1000);
    /* Cut at every place: never read, always one of these. */
    for (size_t n = 0; n < whole.n; n++) {
        struct builder b = {0};
        put_bytes(&b, whole.p, n);
        refused(&b, MOOD_E_FORMAT,
                n < 12   ? "not audio"
                : n < 36 ? (n < 20 ? "no data chunk" : "truncated")
                : n < 44 ? "no data chunk"
                         : "truncated: the header says 4 frames");
    }
    memcpy(whole.p + 12, "tmf ", 4);
    refused(&whole, MOOD_E_FORMAT, "no fmt chunk");
}

/* --- Other kinds of file --- */

static void put_extended_rate(struct builder *b, unsigned hz)
{
    int exponent = 31; /* of the leading bit; the mantissa's first bit is that one */
    while (!(hz >> exponent))
        exponent--;
    put_be(b, (uint64_t)(16383 + exponent), 2);
    put_be(b, (uint64_t)hz << (63 - exponent), 8);
}

/* An AIFF (compression NULL) or AIFF-C with two samples; the sound comes before the COMM chunk if
 * sound_first. */
static void put_aiff(struct builder *b, const char *compression, unsigned bits, const void *samples,
                     size_t n, bool sound_first)
{
    put_tag(b, "FORM");
    put_be(b, 0, 4);
    put_tag(b, compression ? "AIFC" : "AIFF");
    for (int i = 0; i < 2; i++) {
        if ((i == 0) == sound_first) {
            put_tag(b, "SSND");
            put_be(b, 8 + 4 + n, 4);
            put_be(b, 4, 4); /* skip four bytes */
            put_be(b, 0, 4);
            put_tag(b, "skip");
            put_bytes(b, samples, n);
            if (n % 2)
                put_le(b, 0, 1);
        } else {
            put_tag(b, "COMM");
            put_be(b, compression ? 24 : 18, 4);
            put_be(b, 1, 2);
            put_be(b, 2, 4);
            put_be(b, bits, 2);
            put_extended_rate(b, 16000);
            if (compression) {
                put_tag(b, compression);
                put_be(b, 0, 2);
            }
        }
    }
}

static void test_aiff(void **state)
{
    (void)state;
    static const struct {
        const char *compression;
        unsigned bits;
        const char *samples; /* 0.5 and -0.25 */
        size_t n;
        const char *format;
    } cases[] = {
        {NULL, 8, "\x40\xe0", 2, "AIFF, 8-bit"},
        {NULL, 16, "\x40\0\xe0\0", 4, "AIFF, 16-bit"},
        {NULL, 24, "\x40\0\0\xe0\0\0", 6, "AIFF, 24-bit"},
        {NULL, 32, "\x40\0\0\0\xe0\0\0\0", 8, "AIFF, 32-bit"},
        {"NONE", 16, "\x40\0\xe0\0", 4, "AIFF, 16-bit"},
        {"sowt", 16, "\0\x40\0\xe0", 4, "AIFF, 16-bit"},
        {"fl32", 32, "\x3f\0\0\0\xbe\x80\0\0", 8, "AIFF, 32-bit float"},
        {"fl64", 64, "\x3f\xe0\0\0\0\0\0\0\xbf\xd0\0\0\0\0\0\0", 16, "AIFF, 64-bit float"},
    };
    struct builder b = {0};
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        size_t k = i / 2;
        put_aiff(&b, cases[k].compression, cases[k].bits, cases[k].samples, cases[k].n, i % 2);
        mood_audio *a = read_ok(&b);
        assert_string_equal(mood_audio_describe(a).format, cases[k].format);
        assert_int_equal(mood_audio_describe(a).sample_rate, 16000);
        assert_int_equal(mood_audio_length(a), 2);
        assert_true(mood_audio_samples(a)[0] == 0.5f && mood_audio_samples(a)[1] == -0.25f);
        mood_audio_destroy(&a);
    }
    put_aiff(&b, "ima4", 16, "\x40\0\xe0\0", 4, false);
    refused(&b, MOOD_E_UNSUPPORTED, "AIFF-C compression");
    put_aiff(&b, NULL, 16, "\x40\0", 2, false);
    refused(&b, MOOD_E_FORMAT, "truncated: the header says 2 frames, the file holds 1");
    put_aiff(&b, NULL, 33, "\x40\0\xe0\0", 4, false);
    refused(&b, MOOD_E_FORMAT, "33 bits");
}

static void test_not_audio(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        mood_status status;
        const char *words;
    } cases[] = {
        {"", 0, MOOD_E_FORMAT, "not audio: empty"},
        {"hello, I am called clip.wav\n", 28, MOOD_E_FORMAT, "not audio: this is text"},
        {"\0\1\2\3", 4, MOOD_E_FORMAT, "not audio: no known header"},
        {"\0\0\0\0\0\0\0\0", 8, MOOD_E_FORMAT, "not audio"},
        {"\xff\xfb\x90\x64 a frame header alone", 25, MOOD_E_FORMAT, "not audio"},
        {"ID3\4\0\0\0\0\0\4....junk", 18, MOOD_E_FORMAT, "behind the ID3 tag"},
        {"\0\0\0\x1c"
         "ftypM4A ",
         12, MOOD_E_UNSUPPORTED, "MP4/M4A is not supported; convert"},
        {"RIFX\0\0\0\0WAVE", 12, MOOD_E_UNSUPPORTED, "RIFX"},
        {"RIFF\0\0\0\0AVI ", 12, MOOD_E_FORMAT, "not audio"},
        {"fLaC", 4, MOOD_E_FORMAT, "truncated"},
        {"OggS", 4, MOOD_E_FORMAT, "damaged Ogg: its first page"},
        {"FORM\0\0\0\0AIFX", 12, MOOD_E_FORMAT, "not audio"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct builder b = {0};
        put_bytes(&b, cases[i].bytes, cases[i].n);
        refused(&b, cases[i].status, cases[i].words);
    }
}

/* A page with one packet, shorter than 255 bytes. */
static void put_ogg_page(struct builder *b, int flags, uint32_t sequence, const char *packet,
                         size_t n)
{
    size_t start = b->n;
    put_tag(b, "OggS");
    put_le(b, (uint64_t)flags << 8, 2); /* version 0, flags */
    put_le(b, 0, 8);                    /* position */
    put_le(b, 7, 4);                    /* serial number */
    put_le(b, sequence, 4);
    put_le(b, 0, 4); /* sum, see below */
    put_le(b, 1, 1);
    put_le(b, n, 1);
    put_bytes(b, packet, n);

    uint32_t sum = 0; /* long division, bit by bit */
    for (size_t i = 0; i < 8 * (b->n - start); i++) {
        unsigned bit = b->p[start + i / 8] >> (7 - i % 8) & 1;
        sum = sum << 1 ^ ((sum >> 31 ^ bit) ? 0x04c11db7 : 0);
    }
    for (int i = 0; i < 4; i++)
        b->p[start + 22 + (size_t)i] = (unsigned char)(sum >> 8 * i);
}

#define OPUS_HEAD "OpusHead\1\1\0\0\x80\xbb\0\0\0\0\0"
#define VORBIS_ID "\1vorbis\0\0\0\0\1\x80\x3e\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xb8\1"

/* What libsndfile must not see: it leaks on some of these. */
static void test_ogg_refused(void **state)
{
    (void)state;
    struct builder b = {0};
    put_ogg_page(&b, 2, 0, "Speex   and much more", 21);
    refused(&b, MOOD_E_UNSUPPORTED, "inside Ogg");
    put_ogg_page(&b, 0, 0, OPUS_HEAD, 19);
    refused(&b, MOOD_E_FORMAT, "first page is not whole"); /* does not begin a stream */
    put_ogg_page(&b, 2, 0, OPUS_HEAD, 19);
    b.p[40] ^= 1;
    refused(&b, MOOD_E_FORMAT, "first page is not whole"); /* the sum is wrong */
    put_ogg_page(&b, 2, 0, OPUS_HEAD, 19);
    refused(&b, MOOD_E_FORMAT, "damaged Ogg Opus: its headers are not whole");
    put_ogg_page(&b, 2, 0, OPUS_HEAD, 19);
    put_ogg_page(&b, 0, 2, "OpusTags", 8);
    refused(&b, MOOD_E_FORMAT, "headers are not whole"); /* page 1 is missing */
    put_ogg_page(&b, 2, 0, OPUS_HEAD, 19);
    put_ogg_page(&b, 1, 1, "OpusTags", 8);
    refused(&b, MOOD_E_FORMAT, "headers are not whole"); /* continues nothing */

    put_ogg_page(&b, 2, 0, VORBIS_ID, 30);
    put_ogg_page(&b, 0, 1, "\3vorbis", 7);
    refused(&b, MOOD_E_FORMAT, "damaged Ogg Vorbis: its headers are not whole");
    put_ogg_page(&b, 2, 0, VORBIS_ID, 29);
    refused(&b, MOOD_E_FORMAT, "first header is not valid");
    put_ogg_page(&b, 2, 0, VORBIS_ID, 30); /* whole, but two of the three are empty */
    put_ogg_page(&b, 0, 1, "\3vorbis", 7);
    put_ogg_page(&b, 0, 2, "\5vorbis", 7);
    refused(&b, MOOD_E_FORMAT, ""); /* said by us or by the decoder */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wav_integers),   cmocka_unit_test(test_wav_floats),
        cmocka_unit_test(test_wav_extensible), cmocka_unit_test(test_rf64),
        cmocka_unit_test(test_wav_sizes),      cmocka_unit_test(test_wav_refused),
        cmocka_unit_test(test_wav_damaged),    cmocka_unit_test(test_aiff),
        cmocka_unit_test(test_not_audio),      cmocka_unit_test(test_ogg_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
