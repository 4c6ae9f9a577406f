/* SPDX-License-Identifier: MIT
 *
 * test_random.c — Memory planning against no planning: some hundred random graphs, each built as
 * usual, and once more so that no memory is shared and that every value backward did not ask for
 * turns into NaN (poison). Losses, outputs, gradients and running statistics have to be the same
 * bytes; so have they with another number of threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dag.h"
#include "graph/graph.h"
#include "ops/op_list.h"

enum { N_SEEDS = 400 };

/* What the graphs of all seeds held together. */
static struct {
    int ops[128];
    int in_place;             /* values that lie in the memory of their input */
    int grads_in_place;       /* likewise gradients */
    size_t planned, poisoned; /* bytes */
} seen;

/* A few steps, with a second forward that no backward follows. */
static void run(struct dag *d)
{
    for (int step = 0; step < 3; step++) {
        if (step != 1)
            mood_weights_zero_grad(d->weights);
        if (mood_graph_forward(d->graph) != MOOD_OK)
            fail_msg("forward: %s", mood_error_detail());
        if (d->graph->training && step != 0)
            assert_int_equal(mood_graph_backward(d->graph), MOOD_OK);
    }
}

static void compare(uint64_t seed, const struct dag *a, const struct dag *b, const char *which)
{
    size_t n, m;
    float *x = dag_results(a, &n), *y = dag_results(b, &m);
    assert_int_equal(n, m);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            fail_msg("seed %llu: number %zu of %zu is %g", (unsigned long long)seed, i, n,
                     (double)x[i]);
        if (memcmp(x + i, y + i, sizeof(*x)) != 0)
            fail_msg("seed %llu: number %zu of %zu is %.9g, %s it is %.9g",
                     (unsigned long long)seed, i, n, (double)x[i], which, (double)y[i]);
    }
    free(x);
    free(y);
}

static void take_note(const struct dag *d)
{
    for (int i = 0; i < mood_graph_nodes(d->graph); i++) {
        const mood_node *n = d->graph->nodes[i];
        if (!n->op || (n->op->flags & MOOD__VIEW))
            continue;
        seen.in_place += n->value.data && n->value.data == n->in[0]->value.data;
        seen.grads_in_place += n->grad.data && n->grad.data == n->in[0]->grad.data;
    }
    for (int i = 0; i < mood_graph_nodes(d->graph); i++)
        for (int k = 0; k < mood__n_ops; k++)
            seen.ops[k] += d->graph->nodes[i]->op == mood__ops[k];
}

static void one_seed(uint64_t seed, bool training, mood_pool *pool)
{
    struct dag planned, poisoned, threads;
    dag_make(&planned, &(struct dag_params){.seed = seed, .training = training});
    dag_make(&poisoned, &(struct dag_params){.seed = seed, .training = training, .poison = true});
    dag_make(&threads, &(struct dag_params){.seed = seed, .training = training, .pool = pool});
    run(&planned);
    run(&poisoned);
    run(&threads);
    compare(seed, &planned, &poisoned, "without sharing");
    compare(seed, &planned, &threads, "on three threads");
    take_note(&planned);
    seen.planned += mood_graph_bytes(planned.graph);
    seen.poisoned += mood_graph_bytes(poisoned.graph);
    dag_free(&planned);
    dag_free(&poisoned);
    dag_free(&threads);
}

static void test_same_bytes(void **state)
{
    (void)state;
    mood_pool *pool;
    assert_int_equal(mood_pool_create(&pool, 3), MOOD_OK);
    for (uint64_t seed = 0; seed < N_SEEDS; seed++)
        one_seed(seed, seed % 4 != 3, pool);
    mood_pool_destroy(&pool);

    /* The comparison is worth something only if there was something to go wrong. */
    for (int k = 0; k < mood__n_ops; k++)
        if (seen.ops[k] < 20)
            fail_msg("op '%s' came up %d times only", mood__ops[k]->name, seen.ops[k]);
    assert_true(seen.in_place > 200 && seen.grads_in_place > 200);
    assert_true(seen.planned < seen.poisoned / 2);
    print_message("%d values and %d gradients in place; %zu of %zu KB\n", seen.in_place,
                  seen.grads_in_place, seen.planned / 1024, seen.poisoned / 1024);
}

/* ---- does the comparison see what it is there for? ---- */

/* loss = mean(exp(op(x / 2))); the gradients of x, planned and poisoned. */
static void grads_of(const struct mood__op *op, float planned[4], float poisoned[4])
{
    for (int poison = 0; poison < 2; poison++) {
        mood_graph *g;
        assert_int_equal(mood_graph_create(&g, &(mood_graph_params){.training = true}), MOOD_OK);
        mood_node *x = mood_want_grad(mood_input(g, "x", MOOD_F32, 1, (int64_t[]){4}));
        mood_node *h = mood_scale(x, 0.5f), *y = mood__node(op, &h, 1, NULL, 0);
        mood_node *loss = mood_mean(mood_exp(y), MOOD_ALL_AXES);
        if (poison)
            mood__graph_poison(g);
        assert_int_equal(mood_graph_compile(g, &loss, 1), MOOD_OK);
        for (int i = 0; i < 4; i++)
            ((float *)mood_node_value(x)->data)[i] = (float)(i + 1) / 4;
        assert_int_equal(mood_graph_forward(g), MOOD_OK);
        assert_int_equal(mood_graph_backward(g), MOOD_OK);
        memcpy(poison ? poisoned : planned, mood_node_grad(x)->data, 4 * sizeof(float));
        mood_graph_destroy(&g);
    }
}

/* y[i] = x[n - 1 - i]: no op that may lie in the memory of its input. */
static void reverse_forward(struct mood__run *r, mood_node *n)
{
    (void)r;
    for (int64_t i = 0; i < mood__count(n); i++)
        mood__out(n)[i] = mood__in(n, 0)[mood__count(n) - 1 - i];
}

static void reverse_backward(struct mood__run *r, mood_node *n)
{
    (void)r;
    for (int64_t i = 0; i < mood__count(n); i++)
        mood__din(n, 0)[mood__count(n) - 1 - i] = mood__dout(n)[i];
}

static mood_status same_shape(mood_node *n)
{
    return mood__set_shape(n, n->in[0]->value.rank, n->in[0]->value.dim);
}

static void test_sees_a_liar(void **state)
{
    (void)state;
    float planned[4], poisoned[4];
    grads_of(&mood__op_gelu, planned, poisoned);
    assert_memory_equal(planned, poisoned, sizeof(planned));

    /* An op that reads in backward what it did not save. */
    struct mood__op liar = mood__op_gelu;
    liar.saves = 0;
    grads_of(&liar, planned, poisoned);
    assert_true(isnan(poisoned[0]));

    /* One that is not fit for working in place, but says so. */
    const struct mood__op reverse = {.name = "reverse",
                                     .flags = MOOD__STORES,
                                     .shape = same_shape,
                                     .forward = reverse_forward,
                                     .backward = reverse_backward};
    grads_of(&reverse, planned, poisoned);
    assert_memory_equal(planned, poisoned, sizeof(planned));
    struct mood__op in_place = reverse;
    in_place.flags = MOOD__IN_PLACE;
    grads_of(&in_place, planned, poisoned);
    assert_memory_not_equal(planned, poisoned, sizeof(planned));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_sees_a_liar),
    };
    return cmocka_run_group_tests_name("graph-random", tests, NULL, NULL);
}
