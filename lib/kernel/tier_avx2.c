/* SPDX-License-Identifier: MIT
 *
 * tier_avx2.c — The kernels compiled for AVX2. */
#ifndef __AVX2__
#error "tier_avx2.c has to be compiled with -mavx2"
#endif
#define TIER_TABLE mood__kernels_avx2
#include "kernel/loops.h"
