/* SPDX-License-Identifier: MIT
 *
 * augment.c — Small random changes to training windows. To add a kind: its bit and fields in
 * audio.h; a function, a line in KINDS and the fields' defaults here. */
#include "mood/audio.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"

static float uniform(struct mood__rng *r, float low, float high)
{
    return low + (high - low) * mood__rng_float(r);
}

/* Move by up to shift_s either way; what leaves the window is lost. */
static void augment_shift(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r)
{
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
static void augment_noise(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r)
{
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

static void augment_gain(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r)
{
    float gain = powf(10, uniform(r, -p->gain_db, p->gain_db) / 20);
    for (size_t i = 0; i < n; i++)
        x[i] *= gain;
}

/* Every kind once, in the order they are applied. */
#define KINDS(X)                                                                                   \
    X("shift", MOOD_AUGMENT_SHIFT, augment_shift)                                                  \
    X("noise", MOOD_AUGMENT_NOISE, augment_noise)                                                  \
    X("gain", MOOD_AUGMENT_GAIN, augment_gain)

static const struct {
    const char *name;
    unsigned bit;
    void (*apply)(float *x, size_t n, const mood_augment_params *p, struct mood__rng *r);
} kinds[] = {
#define KIND_ROW(name, bit, apply) {name, bit, apply},
    KINDS(KIND_ROW)
#undef KIND_ROW
};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const char *mood_augment_names(void)
{
#define KIND_NAME(name, bit, apply) "," name
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
    *out = p;
    return MOOD_OK;
}

mood_status mood_augment_run(float *x, size_t n, const mood_augment_params *params, uint64_t seed)
{
    if (!params || params->kinds == 0 || n == 0)
        return MOOD_OK;
    mood_augment_params p;
    MOOD__TRY(with_defaults(&p, params));
    for (size_t k = 0; k < N_KINDS; k++) {
        struct mood__rng r = mood__rng_make(seed, kinds[k].bit);
        if (p.kinds & kinds[k].bit)
            kinds[k].apply(x, n, &p, &r);
    }
    return MOOD_OK;
}
