/* SPDX-License-Identifier: MIT
 *
 * test_ops.c — Every op of the registry, over the cases of cases_*.c: against float64, against
 * finite differences, with any number of threads, and in every place of a graph. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../golden/golden.h"
#include "graph/graph.h"
#include "ops/op_list.h"
#include "rig.h"

/* Relative to the largest value of each tensor. Float32 has 6e-8; a sum of n terms loses some
 * sqrt(n) of it, a gradient goes through two or three. */
static const double FORWARD_BOUND = 1e-5, GRADIENT_BOUND = 1e-4;

/* mood_gradcheck's own measure, at its default step 1e-2: curvature and rounding of a float32 loss
 * leave less than this, a wrong gradient about 1. */
static const double DIFFERENCE_BOUND = 1e-2;

/* The largest error of each op in the order of the registry. */
enum { MAX_OPS = 128 };
struct worst {
    double forward, gradient, difference;
};
static struct worst worst[MAX_OPS];
static struct golden *golden;

static int op_index(const char *name)
{
    for (int i = 0; i < mood__n_ops; i++)
        if (strcmp(mood__ops[i]->name, name) == 0)
            return i;
    return -1;
}

static void note(double *largest, double error)
{
    if (!(error <= *largest))
        *largest = error;
}

/* ---- the tests ---- */

static void test_every_op_has_a_case(void **state)
{
    (void)state;
    assert_true(mood__n_ops <= MAX_OPS);
    int missing = 0;
    for (int i = 0; i < mood__n_ops; i++) {
        int n = 0;
        for (int k = 0; k < op_case_count(); k++)
            n += strcmp(op_case_at(k)->op, mood__ops[i]->name) == 0;
        if (n == 0)
            print_error("op '%s' has no case\n", mood__ops[i]->name);
        missing += n == 0;
    }
    for (int k = 0; k < op_case_count(); k++)
        if (op_index(op_case_at(k)->op) < 0)
            fail_msg("case of an op '%s' that is not in the registry", op_case_at(k)->op);
    assert_int_equal(missing, 0);
}

/* Errors of one run against the golden values into `w`; returns whether all are in bounds. */
static bool compare(const struct rig *rig, struct worst *w)
{
    const mood_tensor *want = golden_find(golden, rig->c->golden, "out");
    double forward = golden_error(mood_node_value(rig->out), want, 0), gradient = 0;
    for (int i = 0; i < rig->n_in; i++) {
        const mood_tensor *d = rig_golden(rig, "d", i), *new = rig_golden(rig, "new", i);
        if (rig->graph->training && d)
            note(&gradient, golden_error(mood_node_grad(rig->in[i]), d, 0));
        if (new)
            note(&forward, golden_error(mood_node_value(rig->in[i]), new, 0));
    }
    note(&w->forward, forward);
    note(&w->gradient, gradient);
    if (forward <= FORWARD_BOUND && gradient <= GRADIENT_BOUND)
        return true;
    print_error("%s: forward %.1e, gradient %.1e\n", rig->c->golden, forward, gradient);
    return false;
}

/* Training and inference plan their memory differently, so both are compared. */
static void test_golden(void **state)
{
    (void)state;
    int bad = 0;
    for (int k = 0; k < op_case_count(); k++) {
        const struct op_case *c = op_case_at(k);
        if (!c->golden)
            continue;
        for (int inference = 0; inference < 2; inference++) {
            struct rig rig;
            if (c->mode == (inference ? TRAINING : INFERENCE))
                continue;
            rig_make(&rig, c, &(struct rig_params){.golden = golden, .inference = inference});
            rig_run(&rig);
            bad += !compare(&rig, &worst[op_index(c->op)]);
            rig_free(&rig);
        }
    }
    assert_int_equal(bad, 0);
}

/* The comparison above has to see an error of twice its bound in a single element. */
static void test_golden_can_fail(void **state)
{
    (void)state;
    const struct op_case *c = op_case_at(0);
    struct rig rig;
    struct worst w = {0};
    rig_make(&rig, c, &(struct rig_params){.golden = golden});
    rig_run(&rig);
    assert_true(compare(&rig, &w));
    float *out = mood_node_value(rig.out)->data, *grad = mood_node_grad(rig.in[0])->data;
    float out_was = *out, grad_was = *grad;
    print_message("two complaints about %s follow, on purpose:\n", c->golden);
    *out += (float)(2 * FORWARD_BOUND * golden_largest(mood_node_value(rig.out)));
    assert_false(compare(&rig, &w));
    *out = out_was;
    *grad += (float)(2 * GRADIENT_BOUND * golden_largest(mood_node_grad(rig.in[0])));
    assert_false(compare(&rig, &w));
    *grad = grad_was;
    assert_true(compare(&rig, &w));
    *out = NAN;
    assert_true(isinf(golden_error(mood_node_value(rig.out), mood_node_value(rig.out), 0)));
    rig_free(&rig);
}

static void test_finite_differences(void **state)
{
    (void)state;
    int bad = 0;
    for (int k = 0; k < op_case_count(); k++) {
        const struct op_case *c = op_case_at(k);
        struct rig rig;
        double error = 1;
        const char *name = "";
        if (c->mode == INFERENCE)
            continue;
        rig_make(&rig, c, &(struct rig_params){.golden = golden});
        bool small = mood_tensor_elements(mood_node_value(rig.in[0])) < 4096;
        if (small) {
            mood_gradcheck_params p = {.seed = (uint64_t)k};
            assert_int_equal(mood_gradcheck(rig.graph, &p, &error, &name), MOOD_OK);
            note(&worst[op_index(c->op)].difference, error);
            if (!(error <= DIFFERENCE_BOUND)) {
                print_error("%s: finite differences of '%s' are %.1e off\n", rig_name(c), name,
                            error);
                bad++;
            }
        }
        rig_free(&rig);
    }
    assert_int_equal(bad, 0);
}

/* A second run adds to the gradients of weights, and sets those of inputs. Not to the bit: a
 * sum that starts at the old gradient rounds at other places than one that starts at zero. */
static void test_backward_accumulates(void **state)
{
    (void)state;
    for (int k = 0; k < op_case_count(); k++) {
        const struct op_case *c = op_case_at(k);
        struct rig rig;
        if (c->mode == INFERENCE)
            continue;
        rig_make(&rig, c, &(struct rig_params){.golden = golden});
        rig_run(&rig);
        size_t n = 0, m = 0;
        float *once = rig_results(&rig, &n);
        rig_fill(&rig); /* running statistics have moved */
        mood_graph_set_step(rig.graph, 0);
        assert_int_equal(mood_graph_forward(rig.graph), MOOD_OK);
        assert_int_equal(mood_graph_backward(rig.graph), MOOD_OK);
        float *twice = rig_results(&rig, &m);
        assert_int_equal(n, m);
        size_t at = (size_t)mood_tensor_elements(mood_node_value(rig.out));
        for (int i = 0; i < rig.n_in; i++) {
            size_t size = (size_t)mood_tensor_elements(mood_node_value(rig.in[i]));
            double largest = 0, off = 0, factor = c->leaves[i] == 'w' ? 2 : 1;
            if (c->leaves[i] == 'l')
                continue;
            for (size_t e = at; e < at + size; e++) {
                largest = fmax(largest, fabs((double)once[e]));
                off = fmax(off, fabs(factor * (double)once[e] - (double)twice[e]));
            }
            if (!(off <= FORWARD_BOUND * factor * largest))
                fail_msg("%s: in%d: second run is off by %.1e", rig_name(c), i, off);
            at += size;
        }
        free(once);
        free(twice);
        rig_free(&rig);
    }
}

/* A run changes no leaf but running statistics, and those only in training. */
static void test_leaves_unchanged(void **state)
{
    (void)state;
    for (int k = 0; k < op_case_count(); k++) {
        const struct op_case *c = op_case_at(k);
        for (int inference = 0; inference < 2; inference++) {
            struct rig rig, fresh;
            if (c->mode == (inference ? TRAINING : INFERENCE))
                continue;
            rig_make(&rig, c, &(struct rig_params){.golden = golden, .inference = inference});
            rig_make(&fresh, c, &(struct rig_params){.golden = golden, .inference = inference});
            rig_run(&rig);
            for (int i = 0; i < rig.n_in; i++) {
                const mood_tensor *t = mood_node_value(rig.in[i]);
                if (c->leaves[i] == 's' && !inference)
                    continue;
                if (memcmp(t->data, mood_node_value(fresh.in[i])->data, mood_tensor_bytes(t)) != 0)
                    fail_msg("%s: in%d was changed by a run", rig_name(c), i);
            }
            rig_free(&rig);
            rig_free(&fresh);
        }
    }
}

/* Run a case somewhere, and expect the bytes that the plain run on one thread gives. */
static void expect_same(const struct op_case *c, const struct rig_params *p, const char *where)
{
    struct rig plain, other;
    size_t n = 0, m = 0;
    rig_make(&plain, c, &(struct rig_params){.golden = golden, .inference = p->inference});
    rig_make(&other, c, p);
    rig_run(&plain);
    rig_run(&other);
    float *a = rig_results(&plain, &n), *b = rig_results(&other, &m);
    assert_int_equal(n, m);
    size_t i = 0;
    while (i < n && memcmp(a + i, b + i, sizeof(*a)) == 0)
        i++;
    if (i < n)
        fail_msg("%s %s: number %zu of %zu is %.9g, was %.9g", rig_name(c), where, i, n,
                 (double)b[i], (double)a[i]);
    free(a);
    free(b);
    rig_free(&plain);
    rig_free(&other);
}

static void test_same_bytes_on_threads(void **state)
{
    (void)state;
    static const int counts[] = {1, 3};
    for (size_t t = 0; t < sizeof(counts) / sizeof(*counts); t++) {
        mood_pool *pool;
        assert_int_equal(mood_pool_create(&pool, counts[t]), MOOD_OK);
        for (int k = 0; k < op_case_count(); k++)
            for (int inference = 0; inference < 2; inference++)
                if (op_case_at(k)->mode != (inference ? TRAINING : INFERENCE))
                    expect_same(op_case_at(k),
                                &(struct rig_params){
                                    .golden = golden, .pool = pool, .inference = inference},
                                counts[t] == 1 ? "with a pool of 1" : "with a pool of 3");
        mood_pool_destroy(&pool);
    }
}

/* Memory: an op may write over a value that nobody reads afterwards, and only then; and it may read
 * in backward only what it said it would. */
static void test_same_bytes_in_every_place(void **state)
{
    (void)state;
    static const char *const where[] = {"", "between other ops", "beside another reader",
                                        "with poisoned memory"};
    for (int k = 0; k < op_case_count(); k++)
        for (int inference = 0; inference < 2; inference++)
            for (int place = RIG_BEHIND; place <= RIG_POISON; place++) {
                /* Each dropout node has a mask of its own. */
                bool other = strcmp(op_case_at(k)->op, "dropout") == 0;
                if (!other && op_case_at(k)->mode != (inference ? TRAINING : INFERENCE))
                    expect_same(op_case_at(k),
                                &(struct rig_params){.golden = golden,
                                                     .place = (enum rig_place)place,
                                                     .inference = inference},
                                where[place]);
            }
}

static int print_worst(void **state)
{
    (void)state;
    print_message(
        "worst relative errors    forward (%.0e)   gradient (%.0e)   differences (%.0e)\n",
        FORWARD_BOUND, GRADIENT_BOUND, DIFFERENCE_BOUND);
    for (int i = 0; i < mood__n_ops && i < MAX_OPS; i++)
        print_message("  %-22s %13.1e   %16.1e   %19.1e\n", mood__ops[i]->name, worst[i].forward,
                      worst[i].gradient, worst[i].difference);
    golden_close(&golden);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_op_has_a_case),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_golden_can_fail),
        cmocka_unit_test(test_finite_differences),
        cmocka_unit_test(test_backward_accumulates),
        cmocka_unit_test(test_leaves_unchanged),
        cmocka_unit_test(test_same_bytes_on_threads),
        cmocka_unit_test(test_same_bytes_in_every_place),
    };
    golden = argc > 1 ? golden_open(argv[1]) : NULL;
    if (!golden)
        return 2;
    return cmocka_run_group_tests_name("ops", tests, NULL, print_worst);
}
