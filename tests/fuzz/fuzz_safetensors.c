/* SPDX-License-Identifier: MIT
 *
 * fuzz_safetensors.c — Any bytes as a .safetensors file, as they are and with a length of the
 * header made right. */
#include "base/bytes.h"
#include "checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    check_checkpoint(data, bytes);

    /* The header ends where its last brace is, and up to 255 bytes of numbers follow. */
    size_t end = bytes;
    while (end > 8 && bytes - end < 256 && data[end - 1] != '}')
        end--;
    if (end <= 8 || data[8] != '{' || data[end - 1] != '}' || le64(data) == end - 8)
        return 0;
    uint8_t *copy = malloc(bytes);
    require(copy != NULL);
    memcpy(copy, data, bytes);
    for (int i = 0; i < 8; i++)
        copy[i] = (uint8_t)((uint64_t)(end - 8) >> 8 * i);
    check_checkpoint(copy, bytes);
    free(copy);
    return 0;
}
