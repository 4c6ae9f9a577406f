/* SPDX-License-Identifier: MIT
 *
 * mood.h — All of libmood in one include. */
#ifndef MOOD_MOOD_H
#define MOOD_MOOD_H

#include "mood/audio.h"
#include "mood/base.h"
#include "mood/corpus.h"
#include "mood/emotion.h"
#include "mood/encoder.h"
#include "mood/figures.h"
#include "mood/graph.h"
#include "mood/import.h"
#include "mood/infer.h"
#include "mood/inspect.h"
#include "mood/model.h"
#include "mood/nn.h"
#include "mood/ops.h"
#include "mood/prosody.h"
#include "mood/tensor.h"
#include "mood/train.h"

#endif
