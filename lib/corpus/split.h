/* SPDX-License-Identifier: MIT
 *
 * split.h — Inside a split: the sides by a file (split_file.c), and the stamp (protocol.c). */
#ifndef MOOD_CORPUS_SPLIT_H
#define MOOD_CORPUS_SPLIT_H

#include "base/mem.h"
#include "mood/corpus.h"

struct mood_split {
    struct mood__arena arena; /* the texts of the protocol */
    unsigned char *side;      /* n_clips of enum mood_side */
    size_t n_clips;
    mood_protocol protocol;
};

/* Fill side[0..n_clips) from a CSV file; it comes zeroed. */
MOOD_NODISCARD
mood_status mood__split_from_file(const mood_corpus *corpus, const char *file, unsigned char *side);

/* Fill split->protocol, but for `dealt`, from the finished sides. */
MOOD_NODISCARD
mood_status mood__protocol_describe(struct mood_split *split, const mood_corpus *corpus);

#endif
