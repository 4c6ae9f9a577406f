/* SPDX-License-Identifier: MIT
 *
 * conv1d_products.h — The forward pass of conv1d by the products of kernel/product.h. */
#ifndef MOOD_OPS_CONV1D_PRODUCTS_H
#define MOOD_OPS_CONV1D_PRODUCTS_H

#include "ops/columns.h"

/* Bytes of scratch; 0: this convolution, or this processor, is better served otherwise. */
size_t mood__conv1d_products_scratch(const struct mood__conv *c, int n_workers);

/* The same bytes on any number of threads. */
void mood__conv1d_products(struct mood__run *r, mood_node *n, const struct mood__conv *c);

/* The case of conv1d_pairs.c, which the above take where it pays. */
bool mood__conv1d_pairs_pays(const struct mood__conv *c);
size_t mood__conv1d_pairs_scratch(const struct mood__conv *c, int n_workers);
void mood__conv1d_pairs(struct mood__run *r, mood_node *n, const struct mood__conv *c);

#endif
