/* SPDX-License-Identifier: MIT
 *
 * pickle.c — A pickle as data: a stack, a memo, and one small function per opcode.
 *
 * Values are copied by their handle, what they point to lives in the arena. Nothing here recurses,
 * so that no nesting is too deep, and a dictionary may contain itself. Lists and sets of what is
 * not needed are consumed and forgotten. */
#include "store/pickle.h"

#include <string.h>

#include "base/error.h"

enum kind {
    MARK,  /* where the arguments of an opcode begin; no value */
    OTHER, /* None, a truth value, a float, a list: nothing that a tensor is made of */
    INT,
    TEXT,
    TUPLE,
    DICT,
    GLOBAL, /* an index into globals[] */
    STORAGE,
    TENSOR
};

struct value {
    enum kind kind;
    union {
        int64_t i;
        const struct mood__pickle_text *text;
        const struct tuple *tuple;
        struct dict *dict;
        const struct mood__pickle_storage *storage;
        const struct mood__pickled *tensor;
    };
};

struct tuple {
    size_t n;
    struct value item[];
};

struct pair {
    struct pair *next;
    struct value key, value;
};

struct dict {
    struct pair *first, *last;
    size_t n;
};

struct machine {
    const unsigned char *bytes, *at, *end;
    struct mood__arena *arena;
    struct value *stack, *memo;
    size_t n_stack, stack_capacity, n_memo, memo_capacity;
    bool stopped;
};

enum { MAX_RANK = 32 };

enum { ORDERED_DICT, REBUILD_TENSOR, FIRST_STORAGE };

static const struct {
    const char *module, *name, *shown;
    enum mood__coding coding; /* of a storage */
    size_t element_bytes;
} globals[] = {
    [ORDERED_DICT] = {"collections", "OrderedDict", "", MOOD__CODING_OTHER, 0},
    [REBUILD_TENSOR] = {"torch._utils", "_rebuild_tensor_v2", "", MOOD__CODING_OTHER, 0},
    [FIRST_STORAGE] = {"torch", "FloatStorage", "torch.FloatStorage", MOOD__CODING_F32, 4},
    {"torch", "HalfStorage", "torch.HalfStorage", MOOD__CODING_F16, 2},
    {"torch", "BFloat16Storage", "torch.BFloat16Storage", MOOD__CODING_BF16, 2},
    {"torch", "LongStorage", "torch.LongStorage", MOOD__CODING_OTHER, 8},
};
enum { N_GLOBALS = sizeof(globals) / sizeof(globals[0]) };

static mood_status damaged(const struct machine *m, const char *what)
{
    return mood__fail(MOOD_E_FORMAT, "its pickle is damaged before byte %zu: %s",
                      (size_t)(m->at - m->bytes), what);
}

/* ---- stack, memo, operands ------------------------------------------------------------------ */

static mood_status push(struct machine *m, struct value v)
{
    if (m->n_stack == MOOD__PICKLE_MAX_STACK)
        return mood__fail(MOOD_E_UNSUPPORTED, "its pickle needs a stack of more than %d",
                          MOOD__PICKLE_MAX_STACK);
    if (!mood__reserve((void **)&m->stack, &m->stack_capacity, m->n_stack + 1, sizeof(v)))
        return mood__nomem();
    m->stack[m->n_stack++] = v;
    return MOOD_OK;
}

static mood_status pop(struct machine *m, struct value *out)
{
    if (m->n_stack == 0 || m->stack[m->n_stack - 1].kind == MARK)
        return damaged(m, "nothing on the stack");
    *out = m->stack[--m->n_stack];
    return MOOD_OK;
}

/* The value on top, which stays there. */
static mood_status top(struct machine *m, struct value *out)
{
    MOOD__TRY(pop(m, out));
    m->n_stack++;
    return MOOD_OK;
}

/* Take everything above the last mark, and the mark. The values stay readable until the next push.
 */
static mood_status pop_mark(struct machine *m, const struct value **items, size_t *n)
{
    for (size_t i = m->n_stack; i > 0; i--) {
        if (m->stack[i - 1].kind == MARK) {
            *items = m->stack + i;
            *n = m->n_stack - i;
            m->n_stack = i - 1;
            return MOOD_OK;
        }
    }
    return damaged(m, "no mark on the stack");
}

static mood_status take(struct machine *m, size_t n, const unsigned char **out)
{
    if (n > (size_t)(m->end - m->at))
        return damaged(m, "it is cut off");
    *out = m->at;
    m->at += n;
    return MOOD_OK;
}

/* An unsigned number of n bytes, at most 4. */
static mood_status take_whole(struct machine *m, size_t n, uint32_t *out)
{
    const unsigned char *p = NULL;
    MOOD__TRY(take(m, n, &p));
    for (*out = 0; n-- > 0;)
        *out = *out << 8 | p[n];
    return MOOD_OK;
}

static mood_status push_int(struct machine *m, int64_t i)
{
    return push(m, (struct value){.kind = INT, .i = i});
}

static mood_status push_text(struct machine *m, size_t n)
{
    const unsigned char *bytes = NULL;
    MOOD__TRY(take(m, n, &bytes));
    struct mood__pickle_text *text = mood__arena_alloc(m->arena, sizeof(*text));
    if (!text)
        return mood__nomem();
    *text = (struct mood__pickle_text){(const char *)bytes, n};
    return push(m, (struct value){.kind = TEXT, .text = text});
}

static mood_status push_tuple(struct machine *m, const struct value *items, size_t n)
{
    struct tuple *tuple = mood__arena_alloc(m->arena, sizeof(*tuple) + n * sizeof(*items));
    if (!tuple)
        return mood__nomem();
    tuple->n = n;
    if (n > 0)
        memcpy(tuple->item, items, n * sizeof(*items));
    return push(m, (struct value){.kind = TUPLE, .tuple = tuple});
}

static mood_status push_dict(struct machine *m)
{
    struct dict *dict = mood__arena_alloc(m->arena, sizeof(*dict));
    if (!dict)
        return mood__nomem();
    return push(m, (struct value){.kind = DICT, .dict = dict});
}

/* ---- opcodes that only move values ----------------------------------------------------------- */

static mood_status op_mark(struct machine *m, unsigned char code)
{
    (void)code;
    return push(m, (struct value){.kind = MARK});
}

static mood_status op_other(struct machine *m, unsigned char code)
{
    const unsigned char *p = NULL;
    if (code == 'G') /* a float: eight bytes */
        MOOD__TRY(take(m, 8, &p));
    return push(m, (struct value){.kind = OTHER});
}

static mood_status op_int(struct machine *m, unsigned char code)
{
    uint32_t i = 0;
    MOOD__TRY(take_whole(m, code == 'J' ? 4 : code == 'M' ? 2 : 1, &i));
    return push_int(m, code == 'J' ? (int32_t)i : (int64_t)i);
}

/* LONG1: a length, then two's complement of that many bytes. */
static mood_status op_long(struct machine *m, unsigned char code)
{
    (void)code;
    const unsigned char *p = NULL;
    uint32_t n = 0;
    MOOD__TRY(take_whole(m, 1, &n));
    MOOD__TRY(take(m, n, &p));
    if (n > 8)
        return damaged(m, "a number of more than 64 bits");
    uint64_t bits = n > 0 && p[n - 1] > 127 ? UINT64_MAX : 0;
    for (size_t i = n; i-- > 0;)
        bits = bits << 8 | p[i];
    return push_int(m, (int64_t)bits);
}

static mood_status op_text(struct machine *m, unsigned char code)
{
    uint32_t n = 0;
    MOOD__TRY(take_whole(m, code == 'X' ? 4 : 1, &n));
    return push_text(m, n);
}

/* Python numbers its memo without gaps; whoever does not wants a table larger than the pickle. */
static mood_status op_put(struct machine *m, unsigned char code)
{
    struct value v = {0};
    uint32_t i = 0;
    MOOD__TRY(take_whole(m, code == 'r' ? 4 : 1, &i));
    MOOD__TRY(top(m, &v));
    if (i > m->n_memo)
        return damaged(m, "a memo with gaps");
    if (!mood__reserve((void **)&m->memo, &m->memo_capacity, (size_t)i + 1, sizeof(v)))
        return mood__nomem();
    m->memo[i] = v;
    m->n_memo += i == m->n_memo;
    return MOOD_OK;
}

static mood_status op_get(struct machine *m, unsigned char code)
{
    uint32_t i = 0;
    MOOD__TRY(take_whole(m, code == 'j' ? 4 : 1, &i));
    if (i >= m->n_memo)
        return damaged(m, "nothing in the memo there");
    return push(m, m->memo[i]);
}

static mood_status op_stop(struct machine *m, unsigned char code)
{
    (void)code;
    m->stopped = true;
    if (m->at != m->end)
        return damaged(m, "bytes behind its end");
    return m->n_stack == 1 ? MOOD_OK : damaged(m, "not exactly one result");
}

/* ---- containers --------------------------------------------------------------------------- */

static mood_status op_tuple(struct machine *m, unsigned char code)
{
    const struct value *items = NULL;
    struct value three[3];
    size_t n = 0;
    if (code == 't') {
        MOOD__TRY(pop_mark(m, &items, &n));
    } else if (code != ')') {
        n = (size_t)(code - 0x85) + 1; /* TUPLE1, TUPLE2, TUPLE3 */
        items = three;
        for (size_t i = n; i-- > 0;)
            MOOD__TRY(pop(m, &three[i]));
    }
    return push_tuple(m, items, n);
}

static mood_status op_dict(struct machine *m, unsigned char code)
{
    (void)code;
    return push_dict(m);
}

/* Keys and values in turn, into the dictionary on top. */
static mood_status set_items(struct machine *m, const struct value *items, size_t n)
{
    struct value target = {0};
    MOOD__TRY(top(m, &target));
    if (target.kind != DICT || n % 2 != 0)
        return damaged(m, "items for what is no dictionary");
    struct dict *dict = target.dict;
    for (size_t i = 0; i < n; i += 2) {
        struct pair *pair = mood__arena_alloc(m->arena, sizeof(*pair));
        if (!pair)
            return mood__nomem();
        *pair = (struct pair){.key = items[i], .value = items[i + 1]};
        *(dict->last ? &dict->last->next : &dict->first) = pair;
        dict->last = pair;
        dict->n++;
    }
    return MOOD_OK;
}

static mood_status op_set_item(struct machine *m, unsigned char code)
{
    const struct value *items = NULL;
    struct value two[2];
    size_t n = 2;
    if (code == 'u') {
        MOOD__TRY(pop_mark(m, &items, &n));
        return set_items(m, items, n);
    }
    MOOD__TRY(pop(m, &two[1]));
    MOOD__TRY(pop(m, &two[0]));
    return set_items(m, two, n);
}

/* Into a list, where nothing is ever looked at. */
static mood_status op_append(struct machine *m, unsigned char code)
{
    const struct value *items = NULL;
    struct value v = {0};
    size_t n = 0;
    if (code == 'e')
        MOOD__TRY(pop_mark(m, &items, &n));
    else
        MOOD__TRY(pop(m, &v));
    MOOD__TRY(top(m, &v));
    return v.kind == OTHER ? MOOD_OK : damaged(m, "items for what is no list");
}

/* ---- what Python would call ------------------------------------------------------------------ */

/* A line of the pickle, without its newline. */
static mood_status take_line(struct machine *m, const char **line, size_t *n)
{
    size_t left = (size_t)(m->end - m->at);
    const unsigned char *newline = left ? memchr(m->at, '\n', left) : NULL;
    if (!newline)
        return damaged(m, "it is cut off");
    *n = (size_t)(newline - m->at);
    *line = (const char *)m->at;
    m->at = newline + 1;
    return MOOD_OK;
}

static bool is(const char *text, const char *bytes, size_t n)
{
    return strlen(text) == n && memcmp(text, bytes, n) == 0;
}

static mood_status op_global(struct machine *m, unsigned char code)
{
    (void)code;
    const char *module = NULL, *name = NULL;
    size_t n_module = 0, n_name = 0;
    char a[MOOD__SHOWN_BYTES], b[MOOD__SHOWN_BYTES];
    MOOD__TRY(take_line(m, &module, &n_module));
    MOOD__TRY(take_line(m, &name, &n_name));
    for (int i = 0; i < N_GLOBALS; i++) {
        if (is(globals[i].module, module, n_module) && is(globals[i].name, name, n_name))
            return push(m, (struct value){.kind = GLOBAL, .i = i});
    }
    return mood__fail(MOOD_E_UNSUPPORTED,
                      "its pickle asks for '%s.%s', which no weights need: refused",
                      mood__show(a, module, n_module), mood__show(b, name, n_name));
}

/* ("storage", type, key, device, number of elements) becomes a storage. */
static mood_status op_persistent(struct machine *m, unsigned char code)
{
    (void)code;
    struct value v = {0};
    MOOD__TRY(pop(m, &v));
    const struct value *item = v.kind == TUPLE ? v.tuple->item : NULL;
    if (!item || v.tuple->n != 5 || item[0].kind != TEXT ||
        !is("storage", item[0].text->bytes, item[0].text->n) || item[1].kind != GLOBAL ||
        item[1].i < FIRST_STORAGE || item[2].kind != TEXT || item[4].kind != INT || item[4].i < 0)
        return damaged(m, "no storage, where one should be");
    struct mood__pickle_storage *s = mood__arena_alloc(m->arena, sizeof(*s));
    if (!s)
        return mood__nomem();
    *s = (struct mood__pickle_storage){.type = globals[item[1].i].shown,
                                       .coding = globals[item[1].i].coding,
                                       .element_bytes = globals[item[1].i].element_bytes,
                                       .key = *item[2].text,
                                       .n_elements = (uint64_t)item[4].i};
    return push(m, (struct value){.kind = STORAGE, .storage = s});
}

/* A tuple of numbers as an array. Few of them: one tuple may serve many tensors, and each copies
 * it. */
static mood_status numbers(struct machine *m, const struct value *v, const int64_t **out)
{
    if (v->kind != TUPLE)
        return damaged(m, "no sizes, where they should be");
    if (v->tuple->n > MAX_RANK)
        return damaged(m, "a tensor of more than 32 dimensions");
    int64_t *copy = mood__arena_alloc(m->arena, v->tuple->n * sizeof(*copy));
    if (!copy)
        return mood__nomem();
    for (size_t i = 0; i < v->tuple->n; i++) {
        if (v->tuple->item[i].kind != INT)
            return damaged(m, "no sizes, where they should be");
        copy[i] = v->tuple->item[i].i;
    }
    *out = copy;
    return MOOD_OK;
}

/* (storage, offset, sizes, strides, requires_grad, hooks) becomes a tensor. A seventh argument
 * would say that the numbers are not meant as they stand (negated, conjugated). */
static mood_status rebuild_tensor(struct machine *m, const struct tuple *args)
{
    const struct value *item = args->item;
    if (args->n != 6 || item[0].kind != STORAGE || item[1].kind != INT)
        return damaged(m, "no tensor, where one should be");
    struct mood__pickled *t = mood__arena_alloc(m->arena, sizeof(*t));
    if (!t)
        return mood__nomem();
    t->storage = item[0].storage;
    t->offset = item[1].i;
    MOOD__TRY(numbers(m, &item[2], &t->size));
    MOOD__TRY(numbers(m, &item[3], &t->stride));
    t->rank = item[2].tuple->n;
    if (item[3].tuple->n != t->rank)
        return damaged(m, "a tensor with more strides than sizes, or fewer");
    return push(m, (struct value){.kind = TENSOR, .tensor = t});
}

static mood_status op_reduce(struct machine *m, unsigned char code)
{
    (void)code;
    struct value args = {0}, function = {0};
    MOOD__TRY(pop(m, &args));
    MOOD__TRY(pop(m, &function));
    if (function.kind != GLOBAL || args.kind != TUPLE)
        return damaged(m, "a call of what cannot be called");
    if (function.i == REBUILD_TENSOR)
        return rebuild_tensor(m, args.tuple);
    if (function.i == ORDERED_DICT && args.tuple->n == 0)
        return push_dict(m);
    return damaged(m, "a call of what cannot be called");
}

/* Attributes of the dictionary (PyTorch's _metadata): passed over. */
static mood_status op_build(struct machine *m, unsigned char code)
{
    (void)code;
    struct value v = {0};
    MOOD__TRY(pop(m, &v));
    MOOD__TRY(top(m, &v));
    return v.kind == DICT ? MOOD_OK : damaged(m, "attributes of what is no dictionary");
}

/* ---- the machine -------------------------------------------------------------------------- */

static const struct {
    unsigned char code;
    mood_status (*run)(struct machine *m, unsigned char code);
} opcodes[] = {
    {'h', op_get},        {'q', op_put},      {'X', op_text},   {'K', op_int},
    {'(', op_mark},       {'t', op_tuple},    {'R', op_reduce}, {')', op_tuple},
    {0x85, op_tuple},     {0x86, op_tuple},   {0x87, op_tuple}, {'c', op_global},
    {'Q', op_persistent}, {0x89, op_other},   {0x88, op_other}, {'N', op_other},
    {'M', op_int},        {'J', op_int},      {0x8a, op_long},  {'G', op_other},
    {'r', op_put},        {'j', op_get},      {'U', op_text},   {'}', op_dict},
    {'s', op_set_item},   {'u', op_set_item}, {']', op_other},  {'a', op_append},
    {'e', op_append},     {'b', op_build},    {'.', op_stop},
};
enum { N_OPCODES = sizeof(opcodes) / sizeof(opcodes[0]) };

static mood_status step(struct machine *m)
{
    const unsigned char *code = NULL;
    MOOD__TRY(take(m, 1, &code));
    for (int i = 0; i < N_OPCODES; i++) {
        if (opcodes[i].code == *code)
            return opcodes[i].run(m, *code);
    }
    return mood__fail(MOOD_E_UNSUPPORTED,
                      "its pickle has opcode 0x%02x at byte %zu: not known here", *code,
                      (size_t)(code - m->bytes));
}

static mood_status run(struct machine *m)
{
    const unsigned char *protocol = NULL;
    MOOD__TRY(take(m, 2, &protocol));
    if (protocol[0] != 0x80)
        return damaged(m, "no protocol at its beginning");
    if (protocol[1] != 2)
        return mood__fail(MOOD_E_UNSUPPORTED, "its pickle is of protocol %d; PyTorch's is 2",
                          protocol[1]);
    for (int n = 0; !m->stopped; n++) {
        if (n == MOOD__PICKLE_MAX_OPCODES)
            return mood__fail(MOOD_E_UNSUPPORTED, "its pickle has more than %d opcodes",
                              MOOD__PICKLE_MAX_OPCODES);
        MOOD__TRY(step(m));
    }
    return MOOD_OK;
}

/* The result as an array of named tensors. */
static mood_status collect(const struct machine *m, struct mood__pickled **out, size_t *n_out)
{
    if (m->stack[0].kind != DICT)
        return mood__fail(MOOD_E_UNSUPPORTED, "holds no dictionary of tensors");
    const struct dict *dict = m->stack[0].dict;
    struct mood__pickled *all = mood__arena_alloc(m->arena, dict->n * sizeof(*all)), *t = all;
    if (!all)
        return mood__nomem();
    for (const struct pair *p = dict->first; p; p = p->next, t++) {
        char shown[MOOD__SHOWN_BYTES];
        if (p->key.kind != TEXT)
            return mood__fail(MOOD_E_FORMAT, "has a tensor whose name is no text");
        if (p->value.kind != TENSOR)
            return mood__fail(MOOD_E_UNSUPPORTED,
                              "'%s' is not a tensor; only what model.state_dict() gives is read",
                              mood__show(shown, p->key.text->bytes, p->key.text->n));
        *t = *p->value.tensor;
        t->name = *p->key.text;
    }
    *out = all;
    *n_out = dict->n;
    return MOOD_OK;
}

mood_status mood__unpickle(const unsigned char *bytes, size_t n_bytes, struct mood__arena *arena,
                           struct mood__pickled **out, size_t *n_out)
{
    struct machine m = {.bytes = bytes, .at = bytes, .end = bytes + n_bytes, .arena = arena};
    if (n_bytes > MOOD__PICKLE_MAX_BYTES)
        return mood__fail(MOOD_E_UNSUPPORTED, "its pickle has %zu bytes; at most %d are read",
                          n_bytes, MOOD__PICKLE_MAX_BYTES);
    mood_status status = run(&m);
    if (status == MOOD_OK)
        status = collect(&m, out, n_out);
    mood__free(m.stack);
    mood__free(m.memo);
    return status;
}
