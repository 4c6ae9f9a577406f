/* SPDX-License-Identifier: MIT
 *
 * tier_avx512.c — The kernels compiled for AVX-512 (F CD BW DQ VL). */
#ifndef __AVX512VL__
#error "tier_avx512.c has to be compiled with -mavx512f ... -mavx512vl"
#endif
#define TIER_TABLE mood__kernels_avx512
#include "kernel/loops.h"
