/* SPDX-License-Identifier: MIT
 *
 * fuzz_torch.c — Any bytes as a file of PyTorch; and what is no archive as the pickle within one.
 */
#include "checkpoint.h"
#include "store/pickle.h"
#include "store/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_pickle(const uint8_t *data, size_t bytes)
{
    struct mood__arena arena = {0};
    struct mood__pickled *tensors;
    size_t n = 0;
    mood_status status = mood__unpickle(data, bytes, &arena, &tensors, &n);
    if (status != MOOD_OK)
        require_refusal(status);
    for (size_t i = 0; i < n; i++) { /* everything that a tensor points to is there */
        uint64_t sum = tensors[i].storage->n_elements + tensors[i].storage->key.n;
        for (size_t d = 0; d < tensors[i].rank; d++)
            sum ^= (uint64_t)(tensors[i].size[d] ^ tensors[i].stride[d]);
        for (size_t b = 0; b < tensors[i].name.n; b++)
            sum += (unsigned char)tensors[i].name.bytes[b];
        require(sum != UINT64_MAX || n > 0);
    }
    mood__arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (mood__zip_begins(data, bytes))
        check_checkpoint(data, bytes);
    else
        check_pickle(data, bytes);
    return 0;
}
