/* SPDX-License-Identifier: MIT
 *
 * augment.c — Small random changes to training windows. To add a kind: its bit and fields in
 * audio.h; a function, a line in KINDS and the fields' defaults here; the fields in the key of
 * features (train/bank.c) and among the settings of checkpoints (train/settings.c). */
#include "audio/augment.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"

/* The ends of ranges that are not asked for. */
static const float room_min_s = 0.1f, room_min_db = -20, low_pass_max_hz = 7000;

static float uniform(struct mood__rng *r, float low, float high)
{
    return low + (high - low) * mood__rng_float(r);
}

/* Move by up to shift_s either way; what leaves the window is lost. */
static void augment_shift(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r,
                          float *scratch)
{
    (void)scratch;
    float samples = roundf(uniform(r, -p->shift_s, p->shift_s) * MOOD_SAMPLE_RATE);
    size_t by = fabsf(samples) < (float)n ? (size_t)fabsf(samples) : n;
    if (samples > 0) {
        memmove(x + by, x, (n - by) * sizeof(float));
        memset(x, 0, by * sizeof(float));
    } else {
        memmove(x, x + by, (n - by) * sizeof(float));
        memset(x + (n - by), 0, by * sizeof(float));
    }
}

/* Add noise of the window's power divided by a drawn ratio. The sum of four uniform numbers is
 * close enough to a normal one, and all four come out of one hash. */
static void augment_noise(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r,
                          float *scratch)
{
    (void)scratch;
    float snr_db = uniform(r, p->noise_snr_min_db, p->noise_snr_max_db);
    uint64_t key = mood__rng_u64(r);
    double power = 0;
    for (size_t i = 0; i < n; i++)
        power += (double)x[i] * x[i];
    power /= (double)n;

    /* Four numbers uniform on 0 .. 65535: mean 2 * 65535, variance 4 * (65536^2 - 1) / 12. */
    double deviation = sqrt((65536.0 * 65536.0 - 1) / 3);
    float scale = (float)(sqrt(power * pow(10, -snr_db / 10)) / deviation);
    for (size_t i = 0; i < n; i++) {
        uint64_t h = mood__hash64(key, i);
        int sum =
            (int)(h & 65535) + (int)(h >> 16 & 65535) + (int)(h >> 32 & 65535) + (int)(h >> 48);
        x[i] += scale * (float)(sum - 2 * 65535);
    }
}

static void augment_gain(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r,
                         float *scratch)
{
    (void)scratch;
    float gain = powf(10, uniform(r, -p->gain_db, p->gain_db) / 20);
    for (size_t i = 0; i < n; i++)
        x[i] *= gain;
}

static void augment_speed(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r,
                          float *scratch)
{
    mood__effect_speed(x, n, (double)uniform(r, 1 - p->speed, 1 + p->speed), scratch);
}

static void augment_pitch(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r,
                          float *scratch)
{
    mood__effect_pitch(x, n, pow(2, (double)uniform(r, -p->pitch, p->pitch) / 12), scratch);
}

static void augment_room(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r,
                         float *scratch)
{
    double seconds = (double)uniform(r, room_min_s, p->room_s);
    double db = (double)uniform(r, room_min_db, p->room_db);
    mood__effect_room(x, n, seconds, db, r, scratch);
}

static void augment_low_pass(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r,
                             float *scratch)
{
    (void)scratch;
    mood__effect_low_pass(x, n, (double)uniform(r, p->low_pass_hz, low_pass_max_hz));
}

/* ---- planes ---- */

/* Draw a run of 0 to `longest` of `n` places: *first, and its length. */
static int draw_mask(struct mood__rng *r, int n, int longest, int *first)
{
    int length = (int)mood__rng_below(r, (uint64_t)(longest < n ? longest : n) + 1);
    *first = (int)mood__rng_below(r, (uint64_t)(n - length) + 1);
    return length;
}

/* What lies under a mask becomes this: the plane is no louder or softer for it. */
static float mean_of(const float *plane, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)plane[i];
    return (float)(sum / (double)n);
}

static void mask_time(float *plane, int F, int T, const mood_augment_params *p, struct mood__rng *r)
{
    float mean = mean_of(plane, (size_t)F * (size_t)T);
    for (int m = 0; m < p->time_masks; m++) {
        int first, length = draw_mask(r, T, p->time_mask, &first);
        for (int f = 0; f < F; f++)
            for (int t = first; t < first + length; t++)
                plane[(ptrdiff_t)f * T + t] = mean;
    }
}

static void mask_freq(float *plane, int F, int T, const mood_augment_params *p, struct mood__rng *r)
{
    float mean = mean_of(plane, (size_t)F * (size_t)T);
    for (int m = 0; m < p->freq_masks; m++) {
        int first, length = draw_mask(r, F, p->freq_mask, &first);
        for (ptrdiff_t i = (ptrdiff_t)first * T; i < (ptrdiff_t)(first + length) * T; i++)
            plane[i] = mean;
    }
}

/* Every kind once, in the order they are applied: what a voice does, the room, the microphone. */
#define KINDS(X)                                                                                   \
    X("speed", MOOD_AUGMENT_SPEED, augment_speed, NULL)                                            \
    X("pitch", MOOD_AUGMENT_PITCH, augment_pitch, NULL)                                            \
    X("room", MOOD_AUGMENT_ROOM, augment_room, NULL)                                               \
    X("shift", MOOD_AUGMENT_SHIFT, augment_shift, NULL)                                            \
    X("noise", MOOD_AUGMENT_NOISE, augment_noise, NULL)                                            \
    X("lowpass", MOOD_AUGMENT_LOW_PASS, augment_low_pass, NULL)                                    \
    X("gain", MOOD_AUGMENT_GAIN, augment_gain, NULL)                                               \
    X("timemask", MOOD_AUGMENT_TIME_MASK, NULL, mask_time)                                         \
    X("freqmask", MOOD_AUGMENT_FREQ_MASK, NULL, mask_freq)

static const struct {
    const char *name;
    unsigned bit;
    void (*apply)(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r,
                  float *scratch);
    void (*apply_plane)(float *plane, int F, int T, const mood_augment_params *p,
                        struct mood__rng *r);
} kinds[] = {
#define KIND_ROW(name, bit, apply, apply_plane) {name, bit, apply, apply_plane},
    KINDS(KIND_ROW)
#undef KIND_ROW
};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const char *mood_augment_names(void)
{
#define KIND_NAME(name, bit, apply, apply_plane) "," name
    return &(KINDS(KIND_NAME))[1]; /* without the first comma */
#undef KIND_NAME
}

mood_status mood_augment_parse(mood_augment_params *params, const char *names)
{
    unsigned found = 0;
    for (const char *at = names; *at;) {
        size_t length = strcspn(at, ",");
        size_t k = 0;
        while (k < N_KINDS &&
               (strlen(kinds[k].name) != length || memcmp(kinds[k].name, at, length) != 0))
            k++;
        if (k == N_KINDS)
            return mood__fail(MOOD_E_INVALID, "no augmentation is called '%.*s'; known are %s",
                              length < 64 ? (int)length : 64, at, mood_augment_names());
        found |= kinds[k].bit;
        at += length;
        if (*at == ',' && *++at == '\0')
            return mood__fail(MOOD_E_INVALID,
                              "augmentation '%s' ends in a comma; known names are %s", names,
                              mood_augment_names());
    }
    params->kinds = found;
    return MOOD_OK;
}

static mood_status masks_with_defaults(mood_augment_params *p)
{
    p->time_masks = p->time_masks ? p->time_masks : 2;
    p->time_mask = p->time_mask ? p->time_mask : 16;
    p->freq_masks = p->freq_masks ? p->freq_masks : 2;
    p->freq_mask = p->freq_mask ? p->freq_mask : 10;
    const int values[] = {p->time_masks, p->time_mask, p->freq_masks, p->freq_mask};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (values[i] < 0 || values[i] > 10000)
            return mood__fail(MOOD_E_INVALID, "augmentation: masks of %d", values[i]);
    return MOOD_OK;
}

static mood_status effects_with_defaults(mood_augment_params *p)
{
    p->speed = p->speed != 0 ? p->speed : 0.1f;
    p->pitch = p->pitch != 0 ? p->pitch : 2;
    p->room_s = p->room_s != 0 ? p->room_s : 0.5f;
    p->room_db = p->room_db != 0 ? p->room_db : -3;
    p->low_pass_hz = p->low_pass_hz != 0 ? p->low_pass_hz : 2000;
    if (!(p->speed > 0 && p->speed <= 0.5f))
        return mood__fail(MOOD_E_INVALID, "augmentation: a speed of 1 +- %g", (double)p->speed);
    if (!(p->pitch > 0 && p->pitch <= 12))
        return mood__fail(MOOD_E_INVALID, "augmentation: +-%g semitones", (double)p->pitch);
    if (!(p->room_s >= room_min_s && p->room_s <= 10))
        return mood__fail(MOOD_E_INVALID, "augmentation: a room of %g s", (double)p->room_s);
    if (!(p->room_db >= room_min_db && p->room_db <= 20))
        return mood__fail(MOOD_E_INVALID, "augmentation: a room of %g dB", (double)p->room_db);
    if (!(p->low_pass_hz >= 50 && p->low_pass_hz <= low_pass_max_hz))
        return mood__fail(MOOD_E_INVALID, "augmentation: a low-pass at %g Hz",
                          (double)p->low_pass_hz);
    return masks_with_defaults(p);
}

static mood_status with_defaults(mood_augment_params *out, const mood_augment_params *params)
{
    mood_augment_params p = *params;
    p.noise_snr_min_db = p.noise_snr_min_db != 0 ? p.noise_snr_min_db : 10;
    p.noise_snr_max_db = p.noise_snr_max_db != 0 ? p.noise_snr_max_db : 40;
    p.gain_db = p.gain_db != 0 ? p.gain_db : 6;
    p.shift_s = p.shift_s != 0 ? p.shift_s : 0.2f;

    /* The comparisons are written so that NaN fails them. */
    if (!(p.noise_snr_min_db >= -100 && p.noise_snr_min_db <= p.noise_snr_max_db &&
          p.noise_snr_max_db <= 200))
        return mood__fail(MOOD_E_INVALID, "augmentation: a signal-to-noise ratio of %g to %g dB",
                          (double)p.noise_snr_min_db, (double)p.noise_snr_max_db);
    if (!(p.gain_db > 0 && p.gain_db <= 100))
        return mood__fail(MOOD_E_INVALID, "augmentation: a gain of +-%g dB", (double)p.gain_db);
    if (!(p.shift_s > 0 && p.shift_s <= 60))
        return mood__fail(MOOD_E_INVALID, "augmentation: a shift of +-%g s", (double)p.shift_s);
    MOOD__TRY(effects_with_defaults(&p));
    *out = p;
    return MOOD_OK;
}

mood_status mood__augment_run(float *x, size_t n, const mood_augment_params *params, uint64_t seed,
                              float *scratch)
{
    if (!params || params->kinds == 0 || n == 0)
        return MOOD_OK;
    mood_augment_params p;
    MOOD__TRY(with_defaults(&p, params));
    for (size_t k = 0; k < N_KINDS; k++) {
        struct mood__rng r = mood__rng_make(seed, kinds[k].bit);
        if (p.kinds & kinds[k].bit && kinds[k].apply)
            kinds[k].apply(x, n, &p, &r, scratch);
    }
    return MOOD_OK;
}

mood_status mood_augment_run(float *x, size_t n, const mood_augment_params *params, uint64_t seed)
{
    if (!params || params->kinds == 0 || n == 0)
        return MOOD_OK;
    float *scratch = mood__calloc(mood__effect_scratch(n), sizeof(*scratch));
    if (!scratch)
        return mood__nomem();
    mood_status status = mood__augment_run(x, n, params, seed, scratch);
    mood__free(scratch);
    return status;
}

mood_status mood_augment_plane(float *plane, int F, size_t T, const mood_augment_params *params,
                               uint64_t seed)
{
    if (!params || params->kinds == 0 || F <= 0 || T == 0)
        return MOOD_OK;
    mood_augment_params p;
    MOOD__TRY(with_defaults(&p, params));
    if (T > INT_MAX)
        return mood__fail(MOOD_E_INVALID, "augmentation: a plane of %zu frames", T);
    for (size_t k = 0; k < N_KINDS; k++) {
        struct mood__rng r = mood__rng_make(seed, kinds[k].bit);
        if (p.kinds & kinds[k].bit && kinds[k].apply_plane)
            kinds[k].apply_plane(plane, F, (int)T, &p, &r);
    }
    return MOOD_OK;
}
