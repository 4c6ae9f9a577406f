/* SPDX-License-Identifier: MIT
 *
 * test_coded.c — Compressed streams: made here with libsndfile, read back, cut off and damaged. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sndfile.h>

#include "base/pool.h"
#include "bytes_builder.h"
#include "mood/audio.h"

/* --- Writing to memory --- */

struct memory {
    struct builder b;
    size_t at;
};

static sf_count_t memory_length(void *user)
{
    return (sf_count_t)((struct memory *)user)->b.n;
}

static sf_count_t memory_seek(sf_count_t offset, int whence, void *user)
{
    struct memory *m = user;
    size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? m->at : m->b.n;
    m->at = base + (size_t)offset;
    return (sf_count_t)m->at;
}

static sf_count_t memory_read(void *to, sf_count_t n, void *user)
{
    (void)to, (void)n, (void)user;
    return 0;
}

static sf_count_t memory_write(const void *from, sf_count_t n, void *user)
{
    struct memory *m = user;
    size_t inside = m->at < m->b.n ? m->b.n - m->at : 0; /* going back to correct a header */
    if (inside > (size_t)n)
        inside = (size_t)n;
    if (inside)
        memcpy(m->b.p + m->at, from, inside);
    put_bytes(&m->b, (const unsigned char *)from + inside, (size_t)n - inside);
    m->at += (size_t)n;
    return n;
}

static sf_count_t memory_tell(void *user)
{
    return (sf_count_t)((struct memory *)user)->at;
}

/* The samples that are encoded: a tone of 440 Hz, channel c at a half, a third, ... */
static float sample(size_t t, int channel, int rate)
{
    return (float)(sin(2 * M_PI * 440 * (double)t / rate) / (channel + 2));
}

/* false: this libsndfile was built without the encoder. */
static bool encode(struct builder *out, int format, int channels, int rate, size_t n_frames)
{
    struct memory m = {{0}, 0};
    SF_VIRTUAL_IO io = {memory_length, memory_seek, memory_read, memory_write, memory_tell};
    SF_INFO info = {.samplerate = rate, .channels = channels, .format = format};
    SNDFILE *file = sf_open_virtual(&io, SFM_WRITE, &info, &m);
    if (!file)
        return false;
    float *x = calloc(n_frames * (size_t)channels, sizeof(float));
    assert_non_null(x);
    for (size_t t = 0; t < n_frames; t++) {
        for (int c = 0; c < channels; c++)
            x[t * (size_t)channels + (size_t)c] = sample(t, c, rate);
    }
    assert_int_equal(sf_writef_float(file, x, (sf_count_t)n_frames), n_frames);
    free(x);
    assert_int_equal(sf_close(file), 0);
    *out = m.b;
    return true;
}

/* --- Tests --- */

static const struct coded {
    int format, channels, rate;
    const char *name;
    bool lossless;
} coded[] = {
    {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1, 16000, "FLAC", true},
    {SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 2, 48000, "FLAC", true},
    {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 8, 16000, "FLAC", true},
    {SF_FORMAT_OGG | SF_FORMAT_VORBIS, 1, 44100, "Ogg Vorbis", false},
    {SF_FORMAT_OGG | SF_FORMAT_VORBIS, 2, 16000, "Ogg Vorbis", false},
    {SF_FORMAT_OGG | SF_FORMAT_OPUS, 1, 48000, "Ogg Opus", false},
    {SF_FORMAT_OGG | SF_FORMAT_OPUS, 2, 16000, "Ogg Opus", false},
    {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 1, 16000, "MP3", false},
    {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 2, 44100, "MP3", false},
};

enum { N_CODED = sizeof(coded) / sizeof(coded[0]) };

static void test_round_trip(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_CODED; k++) {
        const struct coded *k_ = &coded[k];
        size_t n_frames = (size_t)k_->rate; /* one second */
        struct builder b;
        if (!encode(&b, k_->format, k_->channels, k_->rate, n_frames)) {
            print_message("%s: no encoder here, not tested\n", k_->name);
            continue;
        }
        mood_audio *a;
        if (mood_audio_read_memory(&a, b.p, b.n, NULL) != MOOD_OK)
            fail_msg("%s: %s", k_->name, mood_error_detail());
        builder_free(&b);
        mood_audio_info info = mood_audio_describe(a);
        assert_string_equal(info.format, k_->name);
        assert_int_equal(info.channels, k_->channels);

        double mean = 0; /* of the channels' amplitudes */
        for (int c = 0; c < k_->channels; c++)
            mean += 1.0 / (c + 2) / k_->channels;
        double power = 0;
        for (size_t i = 4000; i < 12000; i++)
            power += 2.0 / 8000 * mood_audio_samples(a)[i] * mood_audio_samples(a)[i];
        double amplitude = sqrt(power);
        print_message("%-10s %d x %5d Hz: %5zu samples, amplitude %.4f of %.4f\n", k_->name,
                      k_->channels, k_->rate, mood_audio_length(a), amplitude, mean);
        assert_true(fabs(amplitude / mean - 1) < (k_->lossless ? 1e-3 : 0.05));
        if (k_->lossless) {
            assert_int_equal(info.n_frames, n_frames);
            assert_int_equal(mood_audio_length(a), 16000);
        } else { /* these begin or end with some padding: a tenth of a second at the most */
            assert_true(fabs(info.duration_s - 1) <= 0.1);
        }
        mood_audio_destroy(&a);
    }
}

/* Cut anywhere: an error with a reason, or the part that is there; never more than there was. */
static void test_cut_off(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_CODED; k++) {
        struct builder b;
        if (!encode(&b, coded[k].format, coded[k].channels, coded[k].rate, 8000))
            continue;
        mood_audio *whole, *a;
        assert_int_equal(mood_audio_read_memory(&whole, b.p, b.n, NULL), MOOD_OK);
        for (size_t n = 1; n < b.n; n += 1 + n / 20) {
            mood_status status = mood_audio_read_memory(&a, b.p, n, NULL);
            if (status != MOOD_OK) {
                assert_int_equal(status, MOOD_E_FORMAT);
                assert_true(mood_error_detail()[0] != 0);
                assert_null(a);
                continue;
            }
            assert_false(coded[k].lossless); /* FLAC says how long it is */
            assert_true(mood_audio_length(a) <= mood_audio_length(whole));
            mood_audio_destroy(&a);
        }
        mood_audio_destroy(&whole);
        builder_free(&b);
    }
}

/* Whole, cut and damaged streams: the decoders behind the library print nothing. */
static void test_prints_nothing(void **state)
{
    (void)state;
    FILE *printed = tmpfile();
    assert_non_null(printed);
    fflush(stdout);
    fflush(stderr);
    int out = dup(1), err = dup(2);
    assert_true(out >= 0 && err >= 0);
    assert_true(dup2(fileno(printed), 1) >= 0 && dup2(fileno(printed), 2) >= 0);
    for (size_t k = 0; k < N_CODED; k++) { /* no assertion may fail in here: it would not be seen */
        struct builder b;
        if (!encode(&b, coded[k].format, coded[k].channels, coded[k].rate, 8000))
            continue;
        mood_audio *a;
        for (int turn = 0; turn < 3; turn++) {
            if (mood_audio_read_memory(&a, b.p, turn == 1 ? b.n / 2 : b.n, NULL) == MOOD_OK)
                mood_audio_destroy(&a);
            for (size_t i = 600; turn == 1 && i < b.n; i += 37)
                b.p[i] ^= (unsigned char)i;
        }
        builder_free(&b);
    }
    fflush(stdout);
    fflush(stderr);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    assert_int_equal(lseek(fileno(printed), 0, SEEK_END), 0);
    fclose(printed);
}

static void test_flac_truncated(void **state)
{
    (void)state;
    struct builder b;
    assert_true(encode(&b, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1, 16000, 40000));
    mood_audio *a;
    assert_int_equal(mood_audio_read_memory(&a, b.p, b.n / 2, NULL), MOOD_E_FORMAT);
    print_message("half a FLAC file: %s\n", mood_error_detail());
    assert_true(strstr(mood_error_detail(), "truncated") || strstr(mood_error_detail(), "damaged"));

    /* A header that promises 2^36 - 1 frames is over the limit of four hours, and needs no memory.
     */
    memset(b.p + 22, 0xff, 4);
    b.p[21] |= 0x0f;
    assert_int_equal(mood_audio_read_memory(&a, b.p, b.n, NULL), MOOD_E_UNSUPPORTED);
    assert_string_equal(mood_error_detail(), "longer than the limit of 14400 s");
    builder_free(&b);
}

/* One recording, read by many threads at once: libsndfile, libmpg123 and soxr share no state. */
struct shared {
    struct builder b;
    const mood_audio *want;
    bool same[32];
};

static void read_shared(void *ctx, int64_t task, int worker)
{
    (void)worker;
    struct shared *s = ctx;
    mood_audio *a;
    if (mood_audio_read_memory(&a, s->b.p, s->b.n, NULL) != MOOD_OK)
        return;
    size_t bytes = mood_audio_length(a) * sizeof(float);
    s->same[task] = mood_audio_length(a) == mood_audio_length(s->want) &&
                    memcmp(mood_audio_samples(a), mood_audio_samples(s->want), bytes) == 0;
    mood_audio_destroy(&a);
}

static void test_threads(void **state)
{
    (void)state;
    mood_pool *pool;
    assert_int_equal(mood_pool_create(&pool, 4), MOOD_OK);
    for (size_t k = 0; k < N_CODED; k++) {
        struct shared s = {{0}, NULL, {false}};
        mood_audio *want;
        if (!encode(&s.b, coded[k].format, coded[k].channels, coded[k].rate, 8000))
            continue;
        assert_int_equal(mood_audio_read_memory(&want, s.b.p, s.b.n, NULL), MOOD_OK);
        s.want = want;
        mood__pool_run(pool, 32, read_shared, &s);
        for (int i = 0; i < 32; i++)
            assert_true(s.same[i]);
        mood_audio_destroy(&want);
        builder_free(&s.b);
    }
    mood_pool_destroy(&pool);
}

/* Tags in front of and behind an MP3 are no sound. */
static void test_mp3_tags(void **state)
{
    (void)state;
    struct builder mp3, tagged = {0};
    if (!encode(&mp3, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 1, 16000, 16000))
        skip();
    put_tag(&tagged, "ID3\x04");
    put_bytes(&tagged, "\0\0\0\0\1\x48", 6); /* 128 + 72 bytes of tag */
    for (int i = 0; i < 25; i++)
        put_tag(&tagged, "\xff\xfb\x90\x64....");
    put_bytes(&tagged, mp3.p, mp3.n);
    put_tag(&tagged, "TAG");
    for (int i = 0; i < 25; i++)
        put_tag(&tagged, "title");
    mood_audio *plain, *a;
    assert_int_equal(mood_audio_read_memory(&plain, mp3.p, mp3.n, NULL), MOOD_OK);
    if (mood_audio_read_memory(&a, tagged.p, tagged.n, NULL) != MOOD_OK)
        fail_msg("%s", mood_error_detail());
    assert_int_equal(mood_audio_length(a), mood_audio_length(plain));
    assert_memory_equal(mood_audio_samples(a), mood_audio_samples(plain),
                        mood_audio_length(a) * sizeof(float));
    mood_audio_destroy(&plain);
    mood_audio_destroy(&a);
    builder_free(&mp3);
    builder_free(&tagged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_prints_nothing), cmocka_unit_test(test_flac_truncated),
        cmocka_unit_test(test_threads),        cmocka_unit_test(test_mp3_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
