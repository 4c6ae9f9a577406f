/* SPDX-License-Identifier: MIT
 *
 * corpus.h — Labelled voice clips on disk: which files there are, who speaks in them and with which
 * emotion; which are the same recording; and how they are divided into training, validation and
 * test.
 *
 * A figure is worth something only for voices the network never heard. So a split is by speaker
 * unless something else is asked for, and whether it really keeps speakers apart is computed from
 * the clips, never taken from what was asked for. */
#ifndef MOOD_CORPUS_H
#define MOOD_CORPUS_H

#include <stdbool.h>

#include "mood/base.h"
#include "mood/emotion.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A list of clips from one or more sources, with one list of labels for all of them.
 *
 * Order      Sources in the order they were added; within one, clips by the bytes of their path
 *            below it. The order does not depend on where the data lie nor on the file system.
 * Speakers   A speaker is a text key. Two keys are the same person when their bytes are equal or
 *            when both are numbers of one value ("01" and "1"), also across sources: the speech and
 *            the song recordings of a corpus share their actors. Keys from EMO-DB's and CREMA-D's
 *            names begin with the corpus, and are nobody else's; those of a manifest are as it
 *            gives them. Where two corpora happen to use one key for two people, they merely stay
 *            together in a split; the other way round, a voice would leak from training into test.
 *            Speakers are ordered numbers first, by value, then by bytes.
 *
 * Thread-safety: Unsafe while clips are added, Safe from then on. */
typedef struct mood_corpus mood_corpus;

/* Voices whose sex the file name tells. */
typedef enum mood_sex { MOOD_SEX_UNKNOWN, MOOD_SEX_FEMALE, MOOD_SEX_MALE } mood_sex;

/* What somebody has published under one name, as far as it is known here.
 *
 * Of a folder, the names of the files tell which it is, unless it holds a file corpus.csv: one row
 * under the columns corpus, licence and origin, of which only the first is needed. A manifest may
 * have the columns corpus and licence; without them it is a collection of its own, named as its
 * file. Sources of one name and licence are one collection. */
typedef struct mood_collection {
    const char *name;    /* "RAVDESS" */
    const char *licence; /* of its clips: "CC BY-NC-SA 4.0"; "unknown" */
    const char *origin;  /* where it is to be had; "": not told */
    size_t n_clips;      /* of it, in the corpus */
    int n_speakers;      /* who have clips in it */
} mood_collection;

/* One clip. Its numbers are 0 where the source does not tell. */
typedef struct mood_clip {
    const char
        *path; /* to open it: the source's folder, "/", name; or as absolute as it was given */
    const char *name; /* within its source: below the folder, or as the manifest writes it */
    int label;        /* see mood_corpus_label */
    int speaker;      /* see mood_corpus_speaker */
    int source;       /* see mood_corpus_source_at */
    int collection;   /* see mood_corpus_collection */
    int channel;      /* 1 speech, 2 song */
    int intensity;    /* 1 normal, 2 strong */
    int statement;    /* which sentence is spoken, from 1 */
    int repetition;   /* which take of the same, from 1 */
    mood_sex sex;
    /* What mood_corpus_listen finds out: */
    size_t recording; /* the number of the first clip of the corpus with the same sound: its own
                       * where there is none before it */
    bool disputed;    /* the same sound has another label too, so that one of them is wrong: on no
                       * side of any split */
} mood_clip;

/* What was found in one source, and what was left out. */
typedef struct mood_corpus_source {
    const char *path; /* as given to mood_corpus_add */
    bool manifest;    /* a CSV file; else a folder */
    size_t n_clips;
    size_t n_hidden;     /* left out: file and folder names that begin with a dot */
    size_t n_other;      /* left out: no audio file, or a name of another form */
    size_t n_no_label;   /* left out: an emotion that is none of the eight (EMO-DB's boredom) */
    size_t n_no_sound;   /* left out: RAVDESS modality 02, video without sound */
    size_t n_duplicates; /* left out: the same take once more (another folder, form or modality) */
    const char *other;   /* the first of n_other by name, as an example; NULL when there are none */
} mood_corpus_source;

/* Make an empty corpus. Owned by the caller; free with mood_corpus_destroy.
 * Errors: E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_corpus_create(mood_corpus **out);
MOOD_API void mood_corpus_destroy(mood_corpus **corpus);

/* Add a source. On failure the corpus is as it was before.
 *
 * A folder holds, in any subfolders, clips with the names that one of these corpora gives them:
 *
 *     MM-VC-EM-IN-ST-RP-AC.ext    RAVDESS: two digits each, as in 03-01-05-02-01-01-12.wav
 *
 *   MM  modality: 01 with video, 02 video only (left out), 03 sound only
 *   VC  01 speech, 02 song             EM  01 to 08: the eight emotions in their order
 *   IN  01 normal, 02 strong           ST, RP  statement, repetition, 01 to 99
 *   AC  actor = speaker key, 01 to 99; odd actors are male
 *
 *     SStttEv.ext                 EMO-DB: as in 03a01Fa.wav; speaker key "emo-db:03"
 *
 *   SS  speaker    ttt  text    E  W angry, E disgust, A fearful, F happy, T sad, N neutral;
 *   v   version                    L boredom (left out)
 *
 *     AAAA_SSS_EEE_LL.ext         CREMA-D: as in 1001_DFA_ANG_XX.wav; speaker key "crema-d:1001"
 *
 *   AAAA  actor    SSS  sentence    EEE  NEU, HAP, SAD, ANG, FEA, DIS
 *   LL    level: LO and MD normal, HI strong, XX not said
 *
 * A new corpus is a rule in lib/corpus/, see names.h there.
 *
 * Extensions: aif aifc aiff flac mp3 oga ogg opus wav wave, in any case. Files that do not fit are
 * left out and counted. Of several files with the same take, that is the same name but for modality
 * and extension, one is kept, sound only before the others.
 *
 * Anything else is a manifest: CSV (RFC 4180) in UTF-8 whose first line names at least the columns
 * path, emotion and speaker, in any order, and perhaps corpus and licence (mood_collection);
 * further columns are passed over. Paths are relative to
 * the manifest's folder. Spaces around fields and empty lines do not count. When every emotion is
 * one of the eight, the labels are the eight; else they are the manifest's own in order of first
 * appearance, MOOD_MIN_LABELS to MOOD_MAX_LABELS of them, case not regarded, first spelling kept.
 *
 * Every source of a corpus has to have the same set of labels.
 *
 * Errors: E_IO (missing or unreadable; also a file that a manifest names), E_FORMAT (a folder
 * without a clip; a manifest with a bad row: the detail names the line), E_INVALID (another set of
 * labels; a file that another source already holds), E_UNSUPPORTED (folders nested too deep, too
 * many files), E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_corpus_add(mood_corpus *corpus, const char *path);

/* Told after every few clips; another value than 0 stops. */
typedef int mood_listen_callback(void *user, int64_t done, int64_t total);

typedef struct mood_listen_params {
    mood_pool *pool; /* borrowed; NULL: only the calling thread works. The result does not depend on
                      * it */
    mood_listen_callback *on_progress; /* may be NULL */
    void *user;
} mood_listen_params;

/* Decode every clip, and find out which are the same recording. A twin in the test is no test, and
 * names do not tell. Two clips are one recording
 *
 *   - sample by sample, at 16 bits and MOOD_SAMPLE_RATE, whatever the format of the files, and
 *     without the digital silence at their ends;
 *   - or by an acoustic fingerprint, which sees through other loudness, cuts and shifts, filters,
 *     coding, noise (20 dB below the voice: in 9 of 10), and a speed of 0.9 to 1.1 that moves the
 *     pitch along, but not through another pitch alone, nor in less than a second of sound. So
 *     copies are found that were augmented before anybody divided them; other takes of a sentence
 *     are not taken for copies.
 *
 * Fills `recording` and `disputed` of the clips, for the splits made from then on. Clips that
 * cannot be decoded, or hold nothing but digital silence, are nobody's twins. To add a source later
 * is possible, and then this has to be called again.
 *
 * Errors: E_STOPPED, E_NOMEM: then the clips are as they were. */
MOOD_NODISCARD
MOOD_API mood_status mood_corpus_listen(mood_corpus *corpus, const mood_listen_params *params);

/* Clips, labels, speakers, sources and collections are numbered from 0. What is behind a number
 * that is out of range is NULL. All of it is borrowed until the next mood_corpus_add or
 * mood_corpus_destroy, and the numbers themselves of clips and speakers hold until then. */
MOOD_API size_t mood_corpus_n_clips(const mood_corpus *corpus);
MOOD_API const mood_clip *mood_corpus_clip(const mood_corpus *corpus, size_t i);

MOOD_API int mood_corpus_n_labels(const mood_corpus *corpus);
MOOD_API const char *mood_corpus_label(const mood_corpus *corpus, int i);

MOOD_API int mood_corpus_n_speakers(const mood_corpus *corpus);
MOOD_API const char *mood_corpus_speaker(const mood_corpus *corpus, int i);

/* The speaker with a key, compared as above ("1" finds "01"); -1 when there is none. */
MOOD_API int mood_corpus_find_speaker(const mood_corpus *corpus, const char *key);

MOOD_API int mood_corpus_n_sources(const mood_corpus *corpus);
MOOD_API const mood_corpus_source *mood_corpus_source_at(const mood_corpus *corpus, int i);

/* In the order of their first clips. */
MOOD_API int mood_corpus_n_collections(const mood_corpus *corpus);
MOOD_API const mood_collection *mood_corpus_collection(const mood_corpus *corpus, int i);

/* What a clip is used for. */
typedef enum mood_side {
    MOOD_SIDE_UNUSED, /* a split from a file may leave clips out */
    MOOD_SIDE_TRAIN,
    MOOD_SIDE_VAL, /* chooses the epoch and the learning rate */
    MOOD_SIDE_TEST
} mood_side;

enum { MOOD_N_SIDES = 4 };

/* "unused", "train", "val", "test". */
MOOD_API const char *mood_side_name(mood_side side);

/* How clips are divided. */
typedef enum mood_split_kind {
    /* Whole speakers, dealt from a shuffled pack: 15 % to test, 15 % to validation (rounded, at
     * least one each), the rest to training. Of several collections, 15 % of each, but the last
     * speaker of one is for training. Sex is not balanced. Needs 3 speakers. */
    MOOD_SPLIT_SPEAKER,
    /* Single clips, 15 % of each label to test and to validation: speaker-dependent figures. Of a
     * label with fewer than 3 clips, all are for training. */
    MOOD_SPLIT_RANDOM,
    /* A CSV file with the columns path and side (train, val or test). A path is looked up relative
     * to the file's folder, then to the working folder, then as the name of a clip in its source.
     * Clips that are not listed are unused. */
    MOOD_SPLIT_FILE,
    /* Fold `fold` of `n_folds` by speaker: the shuffled speakers, collection after collection, are
     * dealt in turn to the folds, one fold is the test side, and validation is dealt from the rest
     * as for MOOD_SPLIT_SPEAKER. Over all folds of one seed every speaker is tested exactly once,
     * and each fold has as many of each collection, give or take one. */
    MOOD_SPLIT_FOLD,
    /* All clips of one collection are the test side, and training and validation hear the others:
     * how a model fares with recordings of another kind. What its speakers have elsewhere is
     * unused. */
    MOOD_SPLIT_COLLECTION,
    /* All clips are for training: a last model, of which nothing is measured. */
    MOOD_SPLIT_NONE
} mood_split_kind;

typedef struct mood_split_params {
    mood_split_kind kind; /* default: by speaker */
    uint64_t seed;        /* one corpus and one seed give one split, on every machine */
    /* MOOD_SPLIT_SPEAKER: the speakers of a side, keys with commas between them ("17,18");
     * "crema-d:*" names all whose keys begin so. NULL or "": dealt, from those that the other list
     * does not name. Not kept. */
    const char *val_speakers;
    const char *test_speakers;
    const char *file; /* MOOD_SPLIT_FILE: the CSV file. Not kept. */
    int fold;         /* MOOD_SPLIT_FOLD: 0 to n_folds - 1 */
    int n_folds;      /* MOOD_SPLIT_FOLD: 2 to the number of speakers */
    int collection;   /* MOOD_SPLIT_COLLECTION: the one to be tested */
} mood_split_params;

/* What the figures of a split are stamped with. */
typedef struct mood_protocol {
    bool speaker_disjoint; /* no speaker has clips on two sides; computed from the clips */
    const char *text;      /* "speaker-disjoint" or "speaker-dependent" */
    const char *dealt;     /* "by speaker, seed 0"; "fold 2 of 5 by speaker, seed 0"; ... */
    int n_shared;          /* speakers that have clips on two sides or more */
    const char *shared;    /* their keys, with commas between them; "" for none */
    size_t n_twins;        /* clips whose recording is on another side too (mood_corpus_listen) */
    size_t n_disputed;     /* clips left out for their two labels */
    size_t n_copies;       /* clips left out since the same recording is on their side already */
    /* By side: */
    size_t n_clips[MOOD_N_SIDES];
    int n_speakers[MOOD_N_SIDES];
    const char *speakers[MOOD_N_SIDES]; /* their keys, with commas between them; "" for none */
} mood_protocol;

/* A finished division of a corpus. It stands alone: the corpus may go.
 *
 * Thread-safety: Safe. */
typedef struct mood_split mood_split;

/* Divide the clips of a corpus. Train, validation and test each get at least one clip, and training
 * gets two labels or more, or the call fails. Owned by the caller; free with mood_split_destroy.
 *
 * Disputed clips (mood_clip) are on no side. Of copies of one recording by one speaker on one side,
 * all but the first are left out, unless a file says where they belong. Where speakers are kept
 * apart but one recording is on two sides all the same, somebody has two names, and the call fails;
 * where they are not, the twins are counted.
 *
 * Errors: E_INVALID (too few speakers or folds, an unknown speaker, a speaker, a clip or a
 * recording on two sides, a side without clips, one label only), E_IO and E_FORMAT (the file),
 * E_NOMEM. */
MOOD_NODISCARD
MOOD_API mood_status mood_split_create(mood_split **out, const mood_corpus *corpus,
                                       const mood_split_params *params);
MOOD_API void mood_split_destroy(mood_split **split);

/* The side of clip `i` of the corpus; MOOD_SIDE_UNUSED when i is out of range. */
MOOD_API mood_side mood_split_side(const mood_split *split, size_t i);

/* Borrowed until mood_split_destroy. */
MOOD_API const mood_protocol *mood_split_protocol(const mood_split *split);

#ifdef __cplusplus
}
#endif
#endif
