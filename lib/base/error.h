/* SPDX-License-Identifier: MIT
 *
 * error.h — Writing the thread-local text behind mood_error_detail(). */
#ifndef MOOD_BASE_ERROR_H
#define MOOD_BASE_ERROR_H

#include "mood/base.h"

/* Room for one error line, the final zero included; longer texts are cut. */
enum { MOOD__DETAIL_BYTES = 512 };

/* Both of these keep the detail on one line: a control character becomes '?'. */

/* Record the detail of a failure and return `status`, so that a function fails in one line:
 *     return mood__fail(MOOD_E_SHAPE, "dense '%s': ...", name); */
mood_status mood__fail(mood_status status, const char *fmt, ...) MOOD_PRINTF(2, 3);

/* Put `prefix: ` in front of the current detail and return `status` unchanged: for callers that
 * know the file or the layer that the failing callee did not. */
mood_status mood__fail_in(mood_status status, const char *prefix_fmt, ...) MOOD_PRINTF(2, 3);

/* Return the status of `expr` from the current function when it is not MOOD_OK. */
#define MOOD__TRY(expr)                                                                            \
    do {                                                                                           \
        mood_status try_status_ = (expr);                                                          \
        if (try_status_ != MOOD_OK)                                                                \
            return try_status_;                                                                    \
    } while (0)

#endif
