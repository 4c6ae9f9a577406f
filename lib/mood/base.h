/* SPDX-License-Identifier: MIT
 *
 * base.h — What every other header of libmood stands on: status codes, the text of an error,
 * the version, and the thread pool.
 *
 * Rules that hold for the whole library and are not repeated elsewhere:
 *
 *   Lifetime    A type with a lifetime is opaque: mood_x_create(&x, ...) makes one,
 *               mood_x_destroy(&x) frees it and sets x to NULL (NULL inside is accepted).
 *               When create fails, x is NULL.
 *   Parameters  A *_params struct may be NULL (all defaults), and a field that is zero has the
 *               default its comment gives. It is only read during the call.
 *   Errors      What can fail returns a mood_status and has to be looked at. Outputs go through
 *               pointers and are untouched on failure. mood_error_detail() then says, for people,
 *               what was wrong with what.
 *   Ownership   "borrowed": valid until the named event, never freed by you. "owned by the
 *               caller": free it with the named function. "not kept": may go after the call.
 *   Threads     Each type says `Thread-safety: Safe` (share it freely) or `Unsafe` (one thread
 *               at a time per object). Different objects never disturb each other.
 *   Manners     The library never prints, never exits, never aborts, never touches the locale.
 */
#ifndef MOOD_BASE_H
#define MOOD_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MOOD_API             __attribute__((visibility("default")))
#define MOOD_NODISCARD       __attribute__((warn_unused_result))
#define MOOD_PRINTF(fmt, at) __attribute__((format(printf, fmt, at)))
#else
#define MOOD_API
#define MOOD_NODISCARD
#define MOOD_PRINTF(fmt, at)
#endif

/* Every status libmood can report. This is the one list: the enum and both functions below are
 * made from it. A value never changes its meaning. */
#define MOOD_STATUS_LIST(X)                                                                        \
    X(OK, 0, "success")                                                                            \
    X(E_INVALID, -1, "invalid argument")                                                           \
    X(E_NOMEM, -2, "out of memory")                                                                \
    X(E_SHAPE, -3, "shapes do not match")                                                          \
    X(E_IO, -4, "file could not be read or written")                                               \
    X(E_FORMAT, -5, "file is damaged or of an unknown format")                                     \
    X(E_MISSING, -6, "a required name is absent")                                                  \
    X(E_UNSUPPORTED, -7, "valid, but not supported by this build")                                 \
    X(E_AGAIN, -8, "not enough input yet")                                                         \
    X(E_NUMERIC, -9, "a value became NaN or infinite")                                             \
    X(E_STOPPED, -10, "stopped on request")

typedef enum mood_status {
#define MOOD_STATUS_ENUM(name, value, text) MOOD_##name = value,
    MOOD_STATUS_LIST(MOOD_STATUS_ENUM)
#undef MOOD_STATUS_ENUM
} mood_status;

/* "MOOD_E_SHAPE" and the like; "unknown" for a value that is not in the list. */
MOOD_API const char *mood_status_name(mood_status status);

/* The general meaning of a status, in English, without a final period. */
MOOD_API const char *mood_status_text(mood_status status);

/* What went wrong in the last call that failed on this thread, in one line that names the thing
 * ("conv1d 'head.conv2': w has 64 input channels, x has 128"). Empty before the first failure.
 * Borrowed until the next failing call on the same thread. */
MOOD_API const char *mood_error_detail(void);

/* The version of the library that is running, "major.minor.patch". */
MOOD_API const char *mood_version(void);

/* A fixed set of threads that work together on one call at a time. Idle threads sleep.
 *
 * Results do not depend on the number of threads: work is divided by shape, never by thread
 * count, so 1 and N threads give the same bytes.
 *
 * Thread-safety: Safe. Callers that share a pool take turns. */
typedef struct mood_pool mood_pool;

/* Make a pool of `n_threads`, the calling thread included; 0 means one per core that this
 * process may run on. Owned by the caller; free with mood_pool_destroy, after everything that
 * borrowed it is gone.
 * Errors: E_INVALID (negative or above 256), E_NOMEM (also: no more threads to be had). */
MOOD_NODISCARD
MOOD_API mood_status mood_pool_create(mood_pool **out, int n_threads);
MOOD_API void mood_pool_destroy(mood_pool **pool);

/* The number of threads that work together, the caller included; 1 for NULL. */
MOOD_API int mood_pool_threads(const mood_pool *pool);

/* The name of the processor tier whose kernels are in use: "c"; on x86-64 "x86-avx2", "x86-avxvnni"
 * or "x86-avx512"; on AArch64 "arm-neon" or "arm-dotprod". */
MOOD_API const char *mood_cpu_tier(void);

/* Use no kernels above the named tier (mood_cpu_tier's names), as the environment variable
 * MOOD_CPU does. For reports and tests: call it before any other work.
 * Errors: E_INVALID (no such name on this architecture), E_UNSUPPORTED (this processor does not
 * have it). */
MOOD_NODISCARD
MOOD_API mood_status mood_cpu_limit(const char *tier);

#ifdef __cplusplus
}
#endif
#endif
