/* SPDX-License-Identifier: MIT
 *
 * kernel_cases.h — Every kernel, in one form that a loop can call: numbered inputs and outputs,
 * whose sizes are given by letters.
 *
 * To test a new kernel: in kernel_cases.c, a function that calls it with the buffers of a
 * kernel_call, one that computes an element of what it should give in double precision, with the
 * bound that its error has (to be said in kernels.h too), and a row of the table. All else is done
 * with every row, for every tier: sizes, placements, fillings (judge.h). test_kernels finds that a
 * row is missing, and says the worst error of each as a part of its bound. */
#ifndef MOOD_TESTS_KERNELS_KERNEL_CASES_H
#define MOOD_TESTS_KERNELS_KERNEL_CASES_H

#include "kernel/kernels.h"

enum {
    CASE_MAX_IN = 8,
    CASE_MAX_OUT = 3,
    KERNEL_GAP = 3 /* numbers between rows that are not contiguous */
};

/* One call. A vector of n numbers is one row of C = n. */
struct kernel_call {
    ptrdiff_t rows, C;
    int wf, wt;           /* of pooling windows, rows is then the number of outputs; of products,
                           * wt columns */
    ptrdiff_t row_stride; /* likewise */
    bool a, b;            /* the kernel's flags: add, relu, first */
    const float *in[CASE_MAX_IN];
    float *out[CASE_MAX_OUT];
    uint8_t *bytes; /* which, of pooling */
    size_t field;   /* of the case */
};

/* Sizes of buffers, a letter each:
 *   n  rows * C numbers      c  C numbers      1  one number
 *   s  rows of C with gaps between them      p  what the pooling windows cover
 *   k  a panel of C rows      t  rows of wt with gaps between them
 *   w  strips of Winograd's maps, a row each, of whole vectors out of C */
struct kernel_case {
    const char *name;
    size_t field; /* where in struct mood__kernels it is */
    const char *in, *out;
    char bytes; /* 0: none; 'i', 'o': in or out, rows * C */
    char form;  /* 'v': one row; 'r': rows of channels; 'p': pooling; 't': tiles of products */
    int flags;  /* how many of a and b it has */
    /* Input k may lie in output 0 when all flags named in `not_with` are off; -1: none may. */
    int in_place, not_with;
    void (*run)(const struct mood__kernels *k, const struct kernel_call *c);
    /* The exact result of output `o`, element `i`, and how far a float result may be off. Outputs
     * hold here what they held before. */
    double (*exact)(const struct kernel_call *c, int o, ptrdiff_t i, double *bound);
};

extern const struct kernel_case kernel_cases[];
extern const int n_kernel_cases;

/* The size of a buffer by its letter. */
ptrdiff_t kernel_size(const struct kernel_call *c, char letter);

/* Of kernel_network.c. */
void kernel_run_copy_rows(const struct mood__kernels *k, const struct kernel_call *c);
double kernel_exact_copy_rows(const struct kernel_call *c, int o, ptrdiff_t i, double *bound);
void kernel_run_softmax(const struct mood__kernels *k, const struct kernel_call *c);
double kernel_exact_softmax(const struct kernel_call *c, int o, ptrdiff_t i, double *bound);
void kernel_run_product(const struct mood__kernels *k, const struct kernel_call *c);
double kernel_exact_product(const struct kernel_call *c, int o, ptrdiff_t i, double *bound);
void kernel_run_product_t(const struct mood__kernels *k, const struct kernel_call *c);
double kernel_exact_product_t(const struct kernel_call *c, int o, ptrdiff_t i, double *bound);

/* Of kernel_winograd.c. */
ptrdiff_t kernel_strips_size(const struct kernel_call *c);
void kernel_run_strips(const struct mood__kernels *k, const struct kernel_call *c);
double kernel_exact_wino_input(const struct kernel_call *c, int o, ptrdiff_t i, double *bound);
double kernel_exact_wino_output(const struct kernel_call *c, int o, ptrdiff_t i, double *bound);
double kernel_exact_wino_output_grad(const struct kernel_call *c, int o, ptrdiff_t i,
                                     double *bound);
double kernel_exact_wino_weight(const struct kernel_call *c, int o, ptrdiff_t i, double *bound);
double kernel_exact_wino_weight_grad(const struct kernel_call *c, int o, ptrdiff_t i,
                                     double *bound);

/* What exp is off by, relative to itself. */
#define KERNEL_EXP (1.4 * 0x1p-24)

/* The constants that the cases pass beside their buffers. */
extern const struct mood__adam_step kernel_adam;

#endif
