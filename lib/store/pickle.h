/* SPDX-License-Identifier: MIT
 *
 * pickle.h — The tensors that a pickle of PyTorch's torch.save(model.state_dict()) describes.
 *
 * A pickle is a program for a stack machine, and Python's machine calls whatever the program names.
 * This one has nothing to call. It knows collections.OrderedDict and
 * torch._utils._rebuild_tensor_v2, which become data, and the names of four types of storage:
 * FloatStorage, HalfStorage, BFloat16Storage, LongStorage. Any other name ends it. Opcodes are
 * those of protocol 2 that PyTorch writes. Source: Python's pickletools.py. */
#ifndef MOOD_STORE_PICKLE_H
#define MOOD_STORE_PICKLE_H

#include "base/mem.h"
#include "store/listing.h"

enum {
    MOOD__PICKLE_MAX_BYTES = 64 << 20,
    MOOD__PICKLE_MAX_OPCODES = 1 << 20,
    MOOD__PICKLE_MAX_STACK = 1 << 16
};

/* Text inside the pickle: any bytes, and no zero at the end. */
struct mood__pickle_text {
    const char *bytes;
    size_t n;
};

/* A storage: n_elements numbers in a file of the archive. */
struct mood__pickle_storage {
    const char *type; /* "torch.FloatStorage" */
    enum mood__coding coding;
    size_t element_bytes;
    struct mood__pickle_text key; /* the file's name, without its folder */
    uint64_t n_elements;
};

/* A tensor: a view of a storage. Numbers are as the pickle has them, negative or absurd ones too.
 */
struct mood__pickled {
    struct mood__pickle_text name;
    const struct mood__pickle_storage *storage;
    int64_t offset; /* of its first element */
    size_t rank;
    const int64_t *size, *stride; /* in elements */
};

/* Run the pickle, which has to give a dictionary from names to tensors. The tensors live in the
 * arena, and their texts in `bytes`. Takes memory in proportion to n_bytes.
 * Errors: E_FORMAT (damaged, or abuse of stack or memo), E_UNSUPPORTED (another name, opcode or
 * protocol; more than the limits above; something in the dictionary is no tensor), E_NOMEM. */
MOOD_NODISCARD
mood_status mood__unpickle(const unsigned char *bytes, size_t n_bytes, struct mood__arena *arena,
                           struct mood__pickled **out, size_t *n_out);

#endif
