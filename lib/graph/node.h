/* SPDX-License-Identifier: MIT
 *
 * node.h — What an op is, what a node is, and what an op sees while it runs. This is all that a
 * file in ops/ needs from the graph. */
#ifndef MOOD_GRAPH_NODE_H
#define MOOD_GRAPH_NODE_H

#include "base/error.h"
#include "base/pool.h"
#include "kernel/kernels.h"
#include "mood/graph.h"
#include "tensor/tensor.h"

enum { MOOD__MAX_INPUTS = 8 };

/* Bits of mood__op.saves: the values that backward reads. */
#define MOOD__SAVE_OUT   0x1u
#define MOOD__SAVE_IN(k) (0x2u << (k))

/* Bits of mood__op.flags. */
enum {
    /* Element i of the output needs no other element of input 0 than i, in forward, and element i
     * of input 0's gradient no other element of the output's gradient than i, in backward: the
     * planner may put them into one memory, where it finds that nobody else needs the older value.
     * The shapes must then be equal too, which the planner checks. Implies STORES. */
    MOOD__IN_PLACE = 1,
    /* Backward looks at mood__adds and stores rather than adds where it says so. Without this flag
     * the engine clears a gradient before its first writer, and backward always adds. */
    MOOD__STORES = 2,
    /* The output is input 0 under another shape: no forward, no backward, no memory. */
    MOOD__VIEW = 4
};

struct mood__run;

/* Everything libmood knows about an op. A node points to one of these; there is no op enum, so
 * nothing anywhere can switch over ops. */
struct mood__op {
    const char *name; /* also the name in descriptions and tests */
    unsigned saves;
    unsigned flags;
    /* Check the inputs and set the output's shape by mood__set_shape, or fail by mood__node_fail.
     */
    mood_status (*shape)(mood_node *n);
    /* Bytes kept from forward to backward, and bytes of scratch memory for one call; NULL: none. */
    size_t (*state_bytes)(const mood_node *n);
    size_t (*scratch_bytes)(const mood_node *n, int n_workers, bool backward);
    void (*forward)(struct mood__run *r, mood_node *n);
    /* The gradients of the inputs that mood__wants one, from that of the output. NULL: not
     * differentiable; a training graph that needs it fails to compile. */
    void (*backward)(struct mood__run *r, mood_node *n);
};

struct mood_node {
    const struct mood__op *op; /* NULL: a leaf (input or weight) */
    mood_graph *graph;
    int id; /* position in the order of execution */
    int n_in;
    mood_node *in[MOOD__MAX_INPUTS];
    const char
        *label; /* of a leaf: its name; of others: that of the weight or input they hang on */
    void *attr; /* the op's parameters, a copy owned by the graph */
    mood_tensor value;
    mood_tensor grad; /* data is NULL when nobody wants it */
    void *state;
    void *scratch;
    unsigned adds;   /* bit k: the gradient of input k is added to, not set */
    int weight;      /* index into the weights; -1: not a weight */
    bool wants_grad; /* a weight, a wanted input, or behind one */
    struct mood__plan *plan;
};

/* One pass over a graph. */
struct mood__run {
    mood_pool *pool;
    int n_workers;
    const struct mood__kernels *k;
    bool training;
    uint64_t key; /* of this step's random numbers */
    mood_status status;
};

/* ---- for builders ---- */

/* Add a node: copies `attr`, calls op->shape. NULL when an input is NULL, on an error (kept by the
 * graph), or when the inputs are of different graphs. */
mood_node *mood__node(const struct mood__op *op, mood_node *const *in, int n_in, const void *attr,
                      size_t attr_bytes);

/* Keep an error that a builder found before it had a node: "op 'label': ...". Returns NULL. */
mood_node *mood__build_fail(mood_node *x, const char *op, mood_status status, const char *fmt, ...)
    MOOD_PRINTF(4, 5);

/* "op 'label': " + the text. Returns status. */
mood_status mood__node_fail(const mood_node *n, mood_status status, const char *fmt, ...)
    MOOD_PRINTF(3, 4);

/* No value has more elements: far above any machine's memory, and low enough that small multiples
 * of a value's size, as ops compute for their state, cannot overflow. */
#define MOOD__MAX_ELEMENTS (INT64_C(1) << 44)

/* Set the shape of the output. Errors: E_SHAPE (too many elements). */
mood_status mood__set_shape(mood_node *n, int rank, const int64_t *dim);

/* E_INVALID unless input k is float32. */
mood_status mood__need_f32(mood_node *n);

/* Whether a node is a weight that may not be written to: see mood__weights_add_borrowed. */
bool mood__is_read_only(const mood_node *n);

/* axis, counted from the end if negative; -1 when it is outside the rank. */
int mood__axis(int axis, int rank);

bool mood__training(const mood_graph *g);

/* Zeroed memory that lives as long as the graph; NULL, and the error kept, when there is none. */
void *mood__graph_memory(mood_graph *g, size_t bytes);

/* ---- for what fills weights from a file ---- */

/* Every weight that is made from now on starts as zeros, whatever its init says: drawing numbers
 * takes longer than reading those that replace them. */
void mood__weights_start_blank(mood_weights *w);

/* Weights that are made from now on have a name and a shape, but no numbers: value.data is NULL.
 * A graph that is built over them, and never compiled to read one, tells what a network needs
 * before memory is taken for it. */
void mood__weights_start_outline(mood_weights *w);

/* Add a weight whose numbers lie in memory of somebody else, which is only read and has to outlive
 * w: a mapped file. It is frozen and has no gradient; mood_weights_copy into w fails, and a clone
 * owns its numbers, like any other; of panels there are none.
 * Errors: as mood_weights_add, and E_INVALID (`value` is not contiguous f32, or the
 * panels of a matrix, on a MOOD__ALIGN boundary). */
MOOD_NODISCARD
mood_status mood__weights_add_borrowed(mood_weights *w, const char *name, const mood_tensor *value);

/* The weight that was added last is frozen, and its numbers are going to be MOOD_F32_PANELS. */
void mood__weights_are_panels(mood_weights *w);

/* ---- for what trains several sets as one ---- */

/* Add every weight of `src` but those that were borrowed. Both sets then have the same numbers, in
 * the memory of src, which has to outlive w; a gradient belongs to one set only.
 * Errors: as mood_weights_add. */
MOOD_NODISCARD
mood_status mood__weights_share(mood_weights *w, const mood_weights *src);

/* ---- for forward and backward ---- */

static inline float *mood__out(const mood_node *n)
{
    return mood__f32(&n->value);
}

static inline const float *mood__in(const mood_node *n, int k)
{
    return mood__f32(&n->in[k]->value);
}

static inline const float *mood__dout(const mood_node *n)
{
    return mood__f32(&n->grad);
}

static inline float *mood__din(const mood_node *n, int k)
{
    return mood__f32(&n->in[k]->grad);
}

static inline bool mood__wants(const mood_node *n, int k)
{
    return k < n->n_in && n->in[k]->grad.data != NULL;
}

static inline bool mood__adds(const mood_node *n, int k)
{
    return (n->adds >> k & 1u) != 0;
}

static inline int64_t mood__count(const mood_node *n)
{
    return mood_tensor_elements(&n->value);
}

/* Report that the run cannot give a result; the first report is kept. Not for use inside tasks. */
void mood__run_fail(struct mood__run *r, const mood_node *n, mood_status status, const char *fmt,
                    ...) MOOD_PRINTF(4, 5);

/* fn(ctx, begin, end) over [0, n) in pieces of `grain`, shared among the threads. */
typedef void mood__range(void *ctx, int64_t begin, int64_t end);
void mood__each_range(struct mood__run *r, int64_t n, int64_t grain, mood__range *fn, void *ctx);

/* Pieces of an element-by-element loop: long against handing out a task, within the L2 cache. */
enum { MOOD__GRAIN = 16384 };

#endif
