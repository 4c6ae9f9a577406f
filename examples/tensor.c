/* SPDX-License-Identifier: MIT
 *
 * tensor.c — Tensors: numbers in memory that somebody owns, and a way to read them.
 *
 * A mood_tensor is plain data: a pointer to the first number, the sizes of its axes, and for each
 * axis how far apart two neighbours lie in memory (its stride). Slicing, transposing and reshaping
 * only write another such description of the same numbers; nothing is copied until you ask for it.
 */
#include <stdio.h>
#include <stdlib.h>

#include <mood/mood.h>

/* A program of this size may simply end where a library never would: with the reason. */
static void must(mood_status status)
{
    if (status != MOOD_OK) {
        fprintf(stderr, "tensor: %s\n", mood_error_detail());
        exit(1);
    }
}

/* Print a matrix. Element (i, j) lies i strides of axis 0 and j strides of axis 1 from the first
 * one, and that is true of every view. */
static void print(const char *what, const mood_tensor *t)
{
    const float *x = t->data;
    printf("%s: %lld x %lld, strides %lld, %lld%s\n", what, (long long)t->dim[0],
           (long long)t->dim[1], (long long)t->stride[0], (long long)t->stride[1],
           mood_tensor_is_contiguous(t) ? "" : ", not contiguous");
    for (int64_t i = 0; i < t->dim[0]; i++) {
        for (int64_t j = 0; j < t->dim[1]; j++)
            printf(" %3g", (double)x[i * t->stride[0] + j * t->stride[1]]);
        printf("\n");
    }
}

int main(void)
{
    /* The numbers are ours: here an array, elsewhere a file in memory or what a graph has computed.
     */
    float numbers[12], copied[12];
    for (int i = 0; i < 12; i++)
        numbers[i] = (float)i;

    mood_tensor a, columns, turned, reshaped, copy;
    must(mood_tensor_make(&a, numbers, MOOD_F32, 2, (int64_t[]){3, 4}));
    print("a", &a);

    must(mood_tensor_slice(&columns, &a, 1, 1, 3)); /* along axis 1, from 1 to before 3 */
    print("columns 1 and 2", &columns);

    must(mood_tensor_transpose(&turned, &columns, (int[]){1, 0}));
    print("transposed", &turned);

    /* All of these are one memory: who writes through one view, writes into all. */
    ((float *)columns.data)[0] = 100;
    print("transposed, after a write into the slice", &turned);

    /* Rows of another length can only be read from numbers that lie in one piece ... */
    if (mood_tensor_reshape(&reshaped, &turned, 2, (int64_t[]){3, 2}) != MOOD_OK)
        printf("reshape refused: %s\n", mood_error_detail());

    /* ... so copy them into one. */
    must(mood_tensor_make(&copy, copied, MOOD_F32, 2, (int64_t[]){2, 3}));
    must(mood_tensor_copy(&copy, &turned));
    must(mood_tensor_reshape(&reshaped, &copy, 2, (int64_t[]){3, 2}));
    print("copied and reshaped", &reshaped);
    return 0;
}
