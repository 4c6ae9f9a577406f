/* SPDX-License-Identifier: MIT
 *
 * make_encoder.c — Write a small encoder with random weights, for tests of the programs.
 *
 *     make_encoder OUT.h5 SEED */
#include <stdio.h>
#include <stdlib.h>

#include "models/encoder_forms.h"

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    mood_encoder *e;
    mood_encoder_params p = {.seed = strtoull(argv[2], NULL, 10)};
    mood_status status = mood_encoder_create(&e, &encoder_forms[BASE].config, &p);
    if (!status)
        status = mood_encoder_save(e, argv[1], MOOD_F32);
    if (status)
        fprintf(stderr, "make_encoder: %s\n", mood_error_detail());
    mood_encoder_destroy(&e);
    return status != MOOD_OK;
}
