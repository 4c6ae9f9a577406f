/* SPDX-License-Identifier: MIT
 *
 * resample.c — soxr. The only file that includes <soxr.h>. */
#include "audio/resample.h"

#include <soxr.h>

#include "base/error.h"
#include "base/mem.h"

struct mood__resampler {
    soxr_t soxr;
    int from_hz, to_hz;
};

mood_status mood__resampler_create(struct mood__resampler **out, int from_hz, int to_hz)
{
    *out = NULL;
    struct mood__resampler *r = mood__calloc(1, sizeof(*r));
    if (!r)
        return mood__nomem();
    r->from_hz = from_hz;
    r->to_hz = to_hz;

    soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    soxr_runtime_spec_t runtime = soxr_runtime_spec(1); /* one thread: the same bytes everywhere */
    soxr_error_t error;
    r->soxr = soxr_create(from_hz, to_hz, 1, &error, &io, &quality, &runtime);
    if (!r->soxr || error) {
        mood__resampler_destroy(&r);
        return mood__fail(MOOD_E_NOMEM, "no resampler from %d to %d Hz", from_hz, to_hz);
    }
    *out = r;
    return MOOD_OK;
}

void mood__resampler_destroy(struct mood__resampler **r)
{
    if (!*r)
        return;
    if ((*r)->soxr)
        soxr_delete((*r)->soxr);
    mood__free(*r);
    *r = NULL;
}

mood_status mood__resampler_run(struct mood__resampler *r, const float *in, size_t n_in,
                                size_t *used, float *out, size_t n_out, size_t *made)
{
    size_t taken = 0;
    soxr_error_t error = soxr_process(r->soxr, in, n_in, &taken, out, n_out, made);
    *used = taken;
    if (error)
        return mood__fail(MOOD_E_NOMEM, "resampling from %d to %d Hz: %s", r->from_hz, r->to_hz,
                          error);
    return MOOD_OK;
}
