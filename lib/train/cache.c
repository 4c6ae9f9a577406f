/* SPDX-License-Identifier: MIT
 *
 * cache.c — A folder of shards: taking stock, finding rows, adding shards.
 *
 * Who uses a folder holds a shared lock on the file `lock` in it; the kernel drops the lock of a
 * process that is killed. Only somebody who holds it alone removes anything, so that nobody loses a
 * file that he is writing or reading. Without locks (some network file systems have none) nothing
 * is removed. */
#include "train/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "train/shard.h"
#include "train/work.h"

struct mood__cache {
    char *folder, *key;
    struct mood__cache_layout layout; /* its key is the one above */
    int dir, lock;                    /* descriptors; lock -1: there are no locks here */
    bool alone;
    struct mood__shard *shards; /* their pieces are moved to the list below */
    size_t n_shards, shard_capacity;
    struct mood__piece *pieces; /* sorted by digest, copy, first window */
    size_t n_pieces, piece_capacity;
    int n_bad;
    char first_bad[MOOD__DETAIL_BYTES];
};

static mood_status io_error(const char *folder, const char *what)
{
    return mood__fail(MOOD_E_IO, "%s: %s: %s", folder, what, mood__errno_text(errno));
}

/* ---- what is where ------------------------------------------------------------------------ */

static int by_window(const void *a, const void *b)
{
    const struct mood__piece *x = a, *y = b;
    int order = memcmp(x->digest, y->digest, sizeof(x->digest));
    if (order == 0)
        order = (x->copy > y->copy) - (x->copy < y->copy);
    if (order == 0)
        order = (x->first > y->first) - (x->first < y->first);
    return order ? order : (x->shard > y->shard) - (x->shard < y->shard);
}

static bool same_copy(const struct mood__piece *a, const struct mood__piece *b)
{
    return a->copy == b->copy && memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

static void sort_pieces(struct mood__cache *c)
{
    if (c->n_pieces > 1)
        qsort(c->pieces, c->n_pieces, sizeof(*c->pieces), by_window);
}

const struct mood__piece *mood__cache_find(const struct mood__cache *c,
                                           const unsigned char digest[MOOD__SHA256_BYTES], int copy)
{
    struct mood__piece key = {.copy = copy, .first = 0, .shard = -1};
    memcpy(key.digest, digest, sizeof(key.digest));
    size_t low = 0, high = c->n_pieces;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_window(&c->pieces[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    /* Two processes may have cut the same clip at different windows. */
    int32_t next = 0;
    for (size_t i = low; i < c->n_pieces && same_copy(&c->pieces[i], &key); i++) {
        const struct mood__piece *p = &c->pieces[i];
        if (p->first <= next && p->first + p->count > next)
            next = p->first + p->count;
        if (next == c->pieces[low].n_windows)
            return &c->pieces[low];
    }
    return NULL;
}

const struct mood__piece *mood__cache_piece(const struct mood__piece *first, int64_t window)
{
    while (window < first->first || window - first->first >= first->count)
        first++;
    return first;
}

/* Take over a shard and its pieces. */
static mood_status take(struct mood__cache *c, struct mood__shard *s)
{
    size_t n = c->n_pieces + (size_t)s->n_pieces;
    if (!mood__reserve((void **)&c->shards, &c->shard_capacity, c->n_shards + 1,
                       sizeof(*c->shards)) ||
        !mood__reserve((void **)&c->pieces, &c->piece_capacity, n, sizeof(*c->pieces))) {
        mood__shard_free(s);
        return mood__nomem();
    }
    for (int i = 0; i < s->n_pieces; i++) {
        s->pieces[i].shard = (int)c->n_shards;
        c->pieces[c->n_pieces++] = s->pieces[i];
    }
    mood__free(s->pieces);
    s->pieces = NULL;
    c->shards[c->n_shards++] = *s;
    return MOOD_OK;
}

/* ---- opening ------------------------------------------------------------------------------ */

static bool told_to_stop(const struct mood__cache_params *p)
{
    return p->stop && *p->stop != 0;
}

/* Hold the lock: alone when nobody else does, else with the others. Whoever is alone is soon done
 * with it. */
static mood_status take_lock(struct mood__cache *c, const struct mood__cache_params *p)
{
    c->lock = openat(c->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (c->lock < 0)
        return MOOD_OK; /* read-only: what is there can still be used */
    c->alone = flock(c->lock, LOCK_EX | LOCK_NB) == 0;
    while (!c->alone && flock(c->lock, LOCK_SH | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return MOOD_OK;
        if (told_to_stop(p))
            return mood__fail(MOOD_E_STOPPED, "stopped while waiting for the cache");
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return MOOD_OK;
}

static void share_lock(struct mood__cache *c)
{
    if (c->alone)
        flock(c->lock, LOCK_SH);
    c->alone = false;
}

static bool is_left_over(const char *name)
{
    size_t n = strlen(name);
    return strncmp(name, ".libmood-", 9) == 0 && n > 13 && strcmp(name + n - 4, ".tmp") == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct mood__shard *)a)->name, ((const struct mood__shard *)b)->name);
}

/* The names of all shards, in order, as shards that are otherwise empty. */
static mood_status list_shards(struct mood__cache *c, struct mood__shard **out, size_t *n)
{
    DIR *d = opendir(c->folder);
    if (!d)
        return io_error(c->folder, "cannot be read");
    size_t capacity = 0;
    mood_status status = MOOD_OK;
    for (struct dirent *e; !status && (e = readdir(d));) {
        if (c->alone && is_left_over(e->d_name))
            unlinkat(c->dir, e->d_name, 0);
        if (!mood__shard_is_name(e->d_name))
            continue;
        if (!mood__reserve((void **)out, &capacity, *n + 1, sizeof(**out))) {
            status = mood__nomem();
            continue;
        }
        struct mood__shard *s = &(*out)[(*n)++];
        *s = (struct mood__shard){.n_pieces = 0};
        memcpy(s->name, e->d_name, sizeof(s->name));
    }
    closedir(d);
    if (*n > 1)
        qsort(*out, *n, sizeof(**out), by_name);
    return status;
}

struct stock {
    struct mood__cache *c;
    struct mood__shard *shards;
    struct mood__failure *failures;
    const struct mood__cache_params *p;
};

static void open_task(void *ctx, int64_t i, int worker)
{
    struct stock *s = ctx;
    (void)worker;
    mood_status status = MOOD_E_STOPPED;
    char name[MOOD__SHARD_NAME_BYTES];
    memcpy(name, s->shards[i].name, sizeof(name));
    if (!told_to_stop(s->p))
        status = mood__shard_open(&s->shards[i], s->c->folder, name, &s->c->layout);
    mood__failure_note(&s->failures[i], status);
}

/* A shard that cannot be used: count it, and remove it if it is worthless to everybody. */
static void pass_over(struct mood__cache *c, const char *name, const struct mood__failure *f)
{
    if (c->n_bad++ == 0)
        snprintf(c->first_bad, sizeof(c->first_bad), "%s: %.*s", name,
                 (int)sizeof(c->first_bad) - MOOD__SHARD_NAME_BYTES - 2, f->detail);
    if (c->alone && f->status == MOOD_E_FORMAT)
        unlinkat(c->dir, name, 0);
}

/* Read all shards, on all threads: most of the time goes into their digests. */
static mood_status take_stock(struct mood__cache *c, const struct mood__cache_params *p)
{
    struct stock s = {.c = c, .p = p};
    size_t n = 0;
    mood_status status = list_shards(c, &s.shards, &n);
    s.failures = mood__calloc(n, sizeof(*s.failures));
    if (!status && !s.failures)
        status = mood__nomem();
    if (!status)
        mood__pool_run(p->pool, (int64_t)n, open_task, &s);
    for (size_t i = 0; i < n; i++) {
        struct mood__failure *f = s.failures ? &s.failures[i] : NULL;
        if (status || f->status == MOOD_E_STOPPED || f->status == MOOD_E_NOMEM) {
            if (!status)
                status = f->status == MOOD_E_NOMEM
                             ? mood__nomem()
                             : mood__fail(MOOD_E_STOPPED, "stopped while reading the cache");
            mood__shard_free(&s.shards[i]);
        } else if (f->status) {
            pass_over(c, s.shards[i].name, f);
        } else {
            status = take(c, &s.shards[i]);
        }
    }
    mood__free(s.failures);
    mood__free(s.shards);
    sort_pieces(c);
    return status;
}

static mood_status open_folder(struct mood__cache *c, const struct mood__cache_params *p)
{
    c->dir = c->lock = -1;
    c->folder = mood__strdup(p->folder);
    c->key = mood__strdup(p->layout.key);
    if (!c->folder || !c->key)
        return mood__nomem();
    c->layout = p->layout;
    c->layout.key = c->key;
    mood_status status = mood__folder_make(c->folder);
    if (status)
        return mood__fail_in(status, "%s", c->folder);
    c->dir = open(c->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->dir < 0)
        return io_error(c->folder, "cannot be opened");
    MOOD__TRY(take_lock(c, p));
    MOOD__TRY(take_stock(c, p));
    share_lock(c);
    return MOOD_OK;
}

mood_status mood__cache_open(struct mood__cache **out, const struct mood__cache_params *params)
{
    *out = NULL;
    struct mood__cache *c = mood__calloc(1, sizeof(*c));
    if (!c)
        return mood__nomem();
    mood_status status = open_folder(c, params);
    if (status)
        mood__cache_close(&c);
    *out = c;
    return status;
}

void mood__cache_close(struct mood__cache **cache)
{
    struct mood__cache *c = *cache;
    *cache = NULL;
    if (!c)
        return;
    for (size_t i = 0; i < c->n_shards; i++)
        mood__shard_free(&c->shards[i]);
    mood__free(c->shards);
    mood__free(c->pieces);
    mood__free(c->folder);
    mood__free(c->key);
    if (c->lock >= 0)
        close(c->lock);
    if (c->dir >= 0)
        close(c->dir);
    mood__free(c);
}

const char *mood__cache_folder(const struct mood__cache *c)
{
    return c->folder;
}

int mood__cache_n_bad(const struct mood__cache *c)
{
    return c->n_bad;
}

const char *mood__cache_first_bad(const struct mood__cache *c)
{
    return c->first_bad;
}

/* ---- rows --------------------------------------------------------------------------------- */

size_t mood__cache_row_elements(const struct mood__cache_layout *layout)
{
    size_t n = 1;
    for (int i = 0; i < layout->rank; i++)
        n *= (size_t)layout->dim[i];
    return n;
}

static size_t feature_bytes(const struct mood__cache_layout *layout)
{
    return mood__cache_row_elements(layout) * mood_dtype_bytes(layout->dtype);
}

size_t mood__cache_row_bytes(const struct mood__cache_layout *layout)
{
    return feature_bytes(layout) + layout->plane * sizeof(float);
}

/* The file is opened anew for each row: it takes a hundredth of the time of reading one, and a
 * large corpus has more shards than a process may have open files. */
mood_status mood__cache_read(const struct mood__cache *c, const struct mood__piece *first,
                             int64_t window, void *features, float *plane)
{
    const struct mood__piece *p = mood__cache_piece(first, window);
    const struct mood__shard *s = &c->shards[p->shard];
    uint64_t row = (uint64_t)p->row + (uint64_t)(window - p->first);
    size_t feature = feature_bytes(&c->layout), mel = c->layout.plane * sizeof(*plane);
    int fd = openat(c->dir, s->name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return mood__fail(MOOD_E_IO, "%s/%s: cannot be opened any more: %s", c->folder, s->name,
                          mood__errno_text(errno));
    mood_status status = MOOD_OK;
    if (features)
        status = mood__file_read_at(fd, s->features + row * feature, features, feature);
    if (plane && !status)
        status = mood__file_read_at(fd, s->planes + row * mel, plane, mel);
    close(fd);
    return status ? mood__fail_in(status, "%s/%s", c->folder, s->name) : MOOD_OK;
}

mood_status mood__cache_add(struct mood__cache *c, const struct mood__shard_content *content)
{
    char name[MOOD__SHARD_NAME_BYTES];
    struct mood__shard s;
    MOOD__TRY(mood__shard_write(name, c->folder, &c->layout, content));
    mood_status status = mood__shard_open(&s, c->folder, name, &c->layout);
    if (status)
        return mood__fail_in(status, "%s/%s", c->folder, name);
    MOOD__TRY(take(c, &s));
    sort_pieces(c);
    return MOOD_OK;
}

mood_status mood__cache_room(const struct mood__cache *c, uint64_t *bytes)
{
    struct statvfs st;
    if (fstatvfs(c->dir, &st) != 0)
        return io_error(c->folder, "its free space cannot be asked for");
    *bytes = (uint64_t)st.f_bavail * st.f_frsize;
    return MOOD_OK;
}

mood_status mood__cache_check_writable(const struct mood__cache *c)
{
    char path[MOOD__DETAIL_BYTES * 8];
    snprintf(path, sizeof(path), "%s/shard", c->folder);
    mood_status status = mood__file_check_writable(path);
    return status ? mood__fail_in(status, "%s", c->folder) : MOOD_OK;
}

mood_status mood__cache_default_folder(char **out)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    bool xdg = cache && cache[0] == '/'; /* a relative one is to be ignored, says the standard */
    if (!xdg && !(home && *home))
        return mood__fail(MOOD_E_INVALID,
                          "no folder for the cache: neither XDG_CACHE_HOME nor HOME is set");
    const char *base = xdg ? cache : home, *rest = xdg ? "" : "/.cache";
    size_t n = strlen(base) + strlen(rest) + sizeof("/libmood/features");
    *out = mood__calloc(n, 1);
    if (!*out)
        return mood__nomem();
    snprintf(*out, n, "%s%s/libmood/features", base, rest);
    return MOOD_OK;
}
