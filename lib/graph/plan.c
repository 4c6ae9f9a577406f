/* SPDX-License-Identifier: MIT
 *
 * plan.c — The memory of a graph, decided once. Time is counted in steps: node i runs forward at
 * step i and backward at step 2N-1-i. Every value, gradient, state and scratch lives from one step
 * to another; two that do not live at the same time may lie in the same place. Places are given
 * greedily, largest first, each at the lowest offset that is free during its life: near the optimum
 * in practice, and simple.
 *
 * Before that, some nodes are found to need no place of their own: a view lies in its input, and an
 * op that works in place overwrites its input where nobody reads the old value later. */
#include <string.h>

#include "graph/graph.h"

/* A piece of memory and its life. */
struct block {
    size_t bytes, offset;
    int first, last; /* steps, inclusive */
};

/* What the planner knows of one value or of one gradient: a chain of `into` leads from a node to
 * the one in whose memory it lies; the rest is valid at the end of the chain. */
struct storage {
    int into;      /* node id; its own id at the end of a chain */
    int readers;   /* gradients: how many inputs of other nodes lead here (writers, in backward) */
    int last_read; /* values: step of the last reader, in backward too; 2N: the caller */
    int top;       /* gradients: the latest node that writes it */
    int block;     /* -1: none */
};

struct planner {
    mood_graph *g;
    int n; /* nodes */
    struct storage *value, *grad;
    struct block *blocks;
    size_t n_blocks, blocks_capacity;
    bool failed;
};

static int find(const struct storage *s, int id)
{
    while (s[id].into != id)
        id = s[id].into;
    return id;
}

static int backward_step(const struct planner *p, int id)
{
    return 2 * p->n - 1 - id;
}

static bool is_view(const mood_node *n)
{
    return n->op && (n->op->flags & MOOD__VIEW);
}

/* ---- which nodes take part ---- */

static void mark_needed(mood_graph *g)
{
    for (int i = 0; i < g->n_outputs; i++)
        g->outputs[i]->plan->needed = true;
    for (size_t i = g->n_nodes; i-- > 0;) {
        mood_node *n = g->nodes[i];
        for (int k = 0; n->plan->needed && k < n->n_in; k++)
            n->in[k]->plan->needed = true;
    }
}

static mood_status mark_differentiated(mood_graph *g)
{
    mood_node *loss = g->outputs[0];
    if (!g->training)
        return MOOD_OK;
    if (mood_tensor_elements(&loss->value) != 1 || loss->value.dtype != MOOD_F32)
        return mood__fail(MOOD_E_SHAPE,
                          "compile: the first output of a training graph is the loss, "
                          "one number");
    loss->plan->differentiated = loss->wants_grad;
    for (size_t i = g->n_nodes; i-- > 0;) {
        mood_node *n = g->nodes[i];
        if (!n->plan->differentiated || !n->op)
            continue;
        if (!n->op->backward && !is_view(n))
            return mood__node_fail(n, MOOD_E_INVALID, "this op is not differentiable");
        for (int k = 0; k < n->n_in; k++)
            if (n->in[k]->wants_grad)
                n->in[k]->plan->differentiated = true;
    }
    return MOOD_OK;
}

/* ---- values ---- */

/* The value of node `id` is read at `step`. */
static void read_at(struct planner *p, int id, int step)
{
    struct storage *s = &p->value[find(p->value, id)];
    if (step > s->last_read)
        s->last_read = step;
}

/* ... by the backward pass of node n. */
static void read_in_backward(struct planner *p, const mood_node *n, mood_node *value)
{
    read_at(p, value->id, backward_step(p, n->id));
    value->plan->dead_after_forward = false;
}

static void note_value_readers(struct planner *p)
{
    for (int i = 0; i < p->n; i++) {
        mood_node *n = p->g->nodes[i];
        if (!n->plan->needed || !n->op)
            continue;
        for (int k = 0; k < n->n_in; k++) {
            if (!is_view(n))
                read_at(p, n->in[k]->id, i);
            if (n->plan->differentiated && (n->op->saves & MOOD__SAVE_IN(k)) != 0)
                read_in_backward(p, n, n->in[k]);
        }
        if (n->plan->differentiated && (n->op->saves & MOOD__SAVE_OUT))
            read_in_backward(p, n, n);
    }
}

/* Whether node n may overwrite the value of its input 0. */
static bool may_overwrite(const struct planner *p, const mood_node *n)
{
    if (!n->op || !(n->op->flags & MOOD__IN_PLACE) || p->g->poison)
        return false;
    const mood_node *x = n->in[0];
    int root = find(p->value, x->id);
    const struct storage *s = &p->value[root];
    return p->g->nodes[root]->op && s->last_read == n->id &&
           mood_tensor_same_shape(&x->value, &n->value);
}

static void plan_values(struct planner *p)
{
    for (int i = 0; i < p->n; i++) {
        mood_node *n = p->g->nodes[i];
        p->value[i].into = is_view(n) ? n->in[0]->id : i;
        p->value[i].last_read = i;
        n->plan->dead_after_forward = true;
    }
    for (int i = 0; i < p->g->n_outputs; i++) {
        struct storage *s = &p->value[find(p->value, p->g->outputs[i]->id)];
        s->last_read = 2 * p->n;
        p->g->outputs[i]->plan->dead_after_forward = false;
    }
    note_value_readers(p);
    for (int i = 0; i < p->n; i++) {
        mood_node *n = p->g->nodes[i];
        if (n->plan->needed && may_overwrite(p, n)) {
            /* The input's memory takes over the life of this node's value. */
            struct storage *from = &p->value[find(p->value, n->in[0]->id)];
            from->last_read = p->value[i].last_read;
            p->value[i].into = n->in[0]->id;
        }
    }
}

/* ---- gradients ---- */

static bool has_grad_edge(const mood_node *n, int k)
{
    return n->op && n->plan->differentiated && n->in[k]->plan->differentiated;
}

static void count_grad_writers(struct planner *p)
{
    for (int i = 0; i < p->n; i++) {
        mood_node *n = p->g->nodes[i];
        for (int k = 0; k < n->n_in; k++)
            if (has_grad_edge(n, k) && !is_view(n)) {
                struct storage *s = &p->grad[find(p->grad, n->in[k]->id)];
                s->readers++;
                s->top = i;
            }
    }
}

/* Whether the gradient of n's input 0 may overwrite n's own gradient. */
static bool may_overwrite_grad(const struct planner *p, const mood_node *n)
{
    if (!n->op || !(n->op->flags & MOOD__IN_PLACE) || p->g->poison || !has_grad_edge(n, 0))
        return false;
    int from = find(p->grad, n->in[0]->id);
    const mood_node *root = p->g->nodes[from];
    return root->op && p->grad[from].readers == 1 &&
           mood_tensor_same_shape(&n->in[0]->value, &n->value);
}

/* Whether input k's gradient is that of another input as well: the op cannot store both. */
static bool is_twice(const struct planner *p, const mood_node *n, int k)
{
    for (int j = 0; j < n->n_in; j++)
        if (j != k && has_grad_edge(n, j) &&
            find(p->grad, n->in[j]->id) == find(p->grad, n->in[k]->id))
            return true;
    return false;
}

/* For each input of each node: does its gradient exist before, and if so is it added to? */
static void plan_grad_writes(struct planner *p, const bool *overwrites)
{
    bool *written = mood__calloc((size_t)p->n, sizeof(*written));
    if (!written) {
        p->failed = true;
        return;
    }
    for (int i = p->n - 1; i >= 0; i--) {
        mood_node *n = p->g->nodes[i];
        bool stores = n->op && (n->op->flags & (MOOD__STORES | MOOD__IN_PLACE)) != 0;
        for (int k = 0; k < n->n_in; k++) {
            if (!has_grad_edge(n, k) || is_view(n))
                continue;
            int root = find(p->grad, n->in[k]->id);
            bool twice = is_twice(p, n, k);
            bool is_weight = p->g->nodes[root]->weight >= 0;
            bool first = !written[root] && !is_weight;
            if (k == 0 && overwrites[i])
                first = true, twice = false;
            if (first && stores && !twice) {
                n->adds &= ~(1u << k);
            } else {
                n->adds |= 1u << k;
                if (first)
                    n->plan->clear |= 1u << k;
            }
            written[root] = true;
        }
    }
    mood__free(written);
}

static void plan_grads(struct planner *p)
{
    bool *overwrites = mood__calloc((size_t)p->n, sizeof(*overwrites));
    if (!overwrites) {
        p->failed = true;
        return;
    }
    for (int i = 0; i < p->n; i++) {
        mood_node *n = p->g->nodes[i];
        p->grad[i].into = is_view(n) ? n->in[0]->id : i;
        p->grad[i].top = i;
    }
    count_grad_writers(p);
    for (int i = p->n - 1; i >= 0; i--) {
        if (!may_overwrite_grad(p, p->g->nodes[i]))
            continue;
        int from = find(p->grad, p->g->nodes[i]->in[0]->id), own = find(p->grad, i);
        overwrites[i] = true;
        /* One memory from the first write of n's gradient to the last use of the input's. */
        p->grad[from].top = p->grad[own].top;
        p->grad[own].into = from;
    }
    plan_grad_writes(p, overwrites);
    mood__free(overwrites);
}

/* ---- places ---- */

static int add_block(struct planner *p, size_t bytes, int first, int last)
{
    if (bytes == 0)
        return -1;
    if (!mood__reserve((void **)&p->blocks, &p->blocks_capacity, p->n_blocks + 1,
                       sizeof(*p->blocks)) ||
        !mood__add_size(bytes, MOOD__ALIGN - 1, &bytes)) {
        p->failed = true;
        return -1;
    }
    bytes -= bytes % MOOD__ALIGN;
    if (p->g->poison)
        first = 0, last = 2 * p->n;
    p->blocks[p->n_blocks] = (struct block){bytes, 0, first, last};
    return (int)p->n_blocks++;
}

static void add_value_and_grad_blocks(struct planner *p)
{
    for (int i = 0; i < p->n; i++) {
        mood_node *n = p->g->nodes[i];
        p->value[i].block = p->grad[i].block = -1;
        if (!n->plan->needed || !n->op)
            continue;
        size_t bytes = mood_tensor_bytes(&n->value);
        if (p->value[i].into == i)
            p->value[i].block = add_block(p, bytes, i, p->value[i].last_read);
        if (n->plan->differentiated && p->grad[i].into == i)
            p->grad[i].block =
                add_block(p, bytes, backward_step(p, p->grad[i].top), backward_step(p, i));
    }
}

static bool intersect(const struct block *a, const struct block *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Give blocks their offsets; order[] holds them from the largest down. */
static void place(struct planner *p, const int *order)
{
    for (size_t i = 0; i < p->n_blocks; i++) {
        struct block *b = &p->blocks[order[i]];
        size_t at = 0;
        for (bool moved = true; moved;) { /* up, past every placed block that is in the way */
            moved = false;
            for (size_t j = 0; j < i; j++) {
                const struct block *o = &p->blocks[order[j]];
                if (intersect(b, o) && at < o->offset + o->bytes && o->offset < at + b->bytes) {
                    at = o->offset + o->bytes;
                    moved = true;
                }
            }
        }
        b->offset = at;
        if (at + b->bytes > p->g->memory_bytes)
            p->g->memory_bytes = at + b->bytes;
    }
}

static void place_all(struct planner *p)
{
    int *order = mood__calloc(p->n_blocks + 1, sizeof(*order));
    if (!order) {
        p->failed = true;
        return;
    }
    size_t total = 0;
    for (size_t i = 0; i < p->n_blocks; i++) {
        size_t j = i; /* insertion sort, stable: the order, and so the plan, is deterministic */
        for (; j > 0 && p->blocks[order[j - 1]].bytes < p->blocks[i].bytes; j--)
            order[j] = order[j - 1];
        order[j] = (int)i;
        if (!mood__add_size(total, p->blocks[i].bytes, &total) || total > PTRDIFF_MAX)
            p->failed = true;
    }
    if (!p->failed)
        place(p, order);
    mood__free(order);
}

static void *at(const struct planner *p, int block)
{
    return block < 0 ? NULL : (char *)p->g->memory + p->blocks[block].offset;
}

/* ---- all together ---- */

/* State and scratch blocks of node i, in the order in which hand_out reads them. */
static void add_working_blocks(struct planner *p, int i, int blocks[3])
{
    mood_node *n = p->g->nodes[i];
    int workers = mood_pool_threads(p->g->pool), back = backward_step(p, i);
    bool differentiated = n->plan->differentiated;
    blocks[0] = blocks[1] = blocks[2] = -1;
    if (!n->plan->needed || !n->op)
        return;
    if (n->op->state_bytes)
        blocks[0] = add_block(p, n->op->state_bytes(n), i, differentiated ? back : i);
    if (n->op->scratch_bytes) {
        blocks[1] = add_block(p, n->op->scratch_bytes(n, workers, false), i, i);
        if (differentiated)
            blocks[2] = add_block(p, n->op->scratch_bytes(n, workers, true), back, back);
    }
}

static void hand_out(struct planner *p, int i, const int blocks[3])
{
    mood_node *n = p->g->nodes[i];
    if (!n->op || !n->plan->needed)
        return;
    mood_node *root = p->g->nodes[find(p->value, i)];
    n->value.data = root->op ? at(p, p->value[root->id].block) : root->value.data;
    if (n->plan->differentiated) {
        root = p->g->nodes[find(p->grad, i)];
        n->grad.data = root->op ? at(p, p->grad[root->id].block) : root->grad.data;
    }
    n->state = at(p, blocks[0]);
    n->scratch = at(p, blocks[1]);
    n->plan->backward_scratch = at(p, blocks[2]);
}

static mood_status take_leaf_grads(mood_graph *g)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        mood_node *n = g->nodes[i];
        if (n->op || !n->plan->differentiated)
            continue;
        if (n->weight >= 0) {
            MOOD__TRY(mood__weights_need_grad(g->weights, n->weight));
            n->grad = *mood_weights_grad(g->weights, n->weight);
        } else {
            n->grad.data = mood__alloc_aligned(mood_tensor_bytes(&n->grad));
            if (!n->grad.data)
                return mood__nomem();
            memset(n->grad.data, 0, mood_tensor_bytes(&n->grad));
        }
    }
    return MOOD_OK;
}

static mood_status plan_with(struct planner *p, int (*working)[3])
{
    plan_values(p);
    plan_grads(p);
    add_value_and_grad_blocks(p);
    for (int i = 0; i < p->n; i++)
        add_working_blocks(p, i, working[i]);
    if (!p->failed)
        place_all(p);
    if (!p->failed && p->g->max_bytes > 0 && p->g->memory_bytes > p->g->max_bytes)
        return mood__fail(MOOD_E_UNSUPPORTED, "compile: %zu bytes are needed; the limit is %zu",
                          p->g->memory_bytes, p->g->max_bytes);
    if (!p->failed)
        p->g->memory = mood__alloc_aligned(p->g->memory_bytes);
    if (p->failed || !p->g->memory)
        return mood__nomem();
    for (int i = 0; i < p->n; i++)
        hand_out(p, i, working[i]);
    return MOOD_OK;
}

mood_status mood__plan_memory(mood_graph *g)
{
    mark_needed(g);
    MOOD__TRY(mark_differentiated(g));
    MOOD__TRY(take_leaf_grads(g));

    struct planner p = {.g = g, .n = (int)g->n_nodes};
    p.value = mood__calloc(g->n_nodes, sizeof(*p.value));
    p.grad = mood__calloc(g->n_nodes, sizeof(*p.grad));
    int(*working)[3] = mood__calloc(g->n_nodes, sizeof(*working));
    mood_status status = p.value && p.grad && working ? plan_with(&p, working) : mood__nomem();
    mood__free(p.value);
    mood__free(p.grad);
    mood__free(p.blocks);
    mood__free(working);
    return status;
}
