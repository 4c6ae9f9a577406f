/* SPDX-License-Identifier: MIT
 *
 * test_hostile.c — Checkpoints that somebody made wrong on purpose, and what is said of each; those
 * that are right stand between them. The files are made, and explained, by
 * tests/fuzz/make_checkpoint_corpus.py. Memory stays in proportion to the file: fail_alloc.h counts
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "fail_alloc.h"
#include "store/checkpoint.h"
#include "store/pickle.h"

/* clang-format off */
static const struct verdict {
    const char *file;
    mood_status status;
    const char *detail;
} safetensors[] = {
    {"backwards", MOOD_E_FORMAT, "header: tensor 'a': bytes 24 to 0, where there are 24"},
    {"cut_numbers", MOOD_E_FORMAT, "header: tensor 'a': bytes 0 to 24, where there are 20"},
    {"deep_json", MOOD_E_FORMAT, "header: has JSON that is more than 32 deep"},
    {"escaped", MOOD_OK, NULL},
    {"float_shape", MOOD_E_FORMAT,
     "header: tensor 'a': is not JSON: a whole number is expected at byte 34"},
    {"git_lfs", MOOD_E_FORMAT,
     "is a Git LFS pointer, not the file itself: run 'git lfs pull', or download it again"},
    {"half_pair", MOOD_E_FORMAT, "header: is not JSON: an escape sequence is expected at byte 8"},
    {"hole", MOOD_E_FORMAT, "tensor 'b' begins 4 bytes behind where it should"},
    {"key_twice", MOOD_E_FORMAT, "header: tensor 'a': an unknown key, or one twice: 'dtype'"},
    {"leading_zero", MOOD_E_FORMAT,
     "header: tensor 'a': is not JSON: a whole number is expected at byte 31"},
    {"length_0", MOOD_E_FORMAT, "is neither safetensors nor a file of PyTorch"},
    {"length_2_60", MOOD_E_FORMAT,
     "is damaged: a header of 1152921504606846976 bytes; at most 100000000 are read"},
    {"length_99_mb", MOOD_E_FORMAT, "is cut off: has 97 bytes, where 99000000 are needed from 8"},
    {"length_2_64", MOOD_E_FORMAT,
     "is damaged: a header of 18446744073709551615 bytes; at most 100000000 are read"},
    {"line_break", MOOD_E_FORMAT,
     "header: 'a?mood-convert: all is well' is no name of a tensor: 1 to 255 visible "
     "ASCII characters"},
    {"long_name", MOOD_E_FORMAT, "header: the string at byte 1 is longer than 255"},
    {"metadata_twice", MOOD_E_FORMAT, "header: __metadata__ is there twice"},
    {"more_numbers", MOOD_E_FORMAT, "its last 4 bytes belong to no tensor"},
    {"negative_shape", MOOD_E_FORMAT,
     "header: tensor 'a': is not JSON: a whole number is expected at byte 33"},
    {"no_dtype", MOOD_E_FORMAT, "header: tensor 'a': no dtype, shape or data_offsets"},
    {"not_utf8", MOOD_E_FORMAT, "header: is not JSON: not UTF-8"},
    {"nothing", MOOD_OK, NULL},
    {"offset_2_64", MOOD_E_FORMAT,
     "header: tensor 'a': is not JSON: a smaller number is expected at byte 77"},
    {"one_offset", MOOD_E_FORMAT, "header: tensor 'a': fewer than two data_offsets"},
    {"out_of_range", MOOD_E_FORMAT,
     "header: tensor 'a': bytes 0 to 4611686018427387904, where there are 24"},
    {"overlap", MOOD_E_FORMAT, "tensor 'b' begins 12 bytes before where it should"},
    {"padded", MOOD_OK, NULL},
    {"plain", MOOD_OK, NULL},
    {"rank_100", MOOD_E_FORMAT, "header: tensor 'a': more than 32 dimensions"},
    {"shape_overflow", MOOD_E_FORMAT, "header: tensor 'a': more elements than can be counted"},
    {"shape_wraps", MOOD_E_FORMAT, "header: tensor 'a': more elements than can be counted"},
    {"short", MOOD_E_FORMAT, "is neither safetensors nor a file of PyTorch"},
    {"text_behind", MOOD_E_FORMAT, "header: is not JSON: the end is expected at byte 2"},
    {"trailing_comma", MOOD_E_FORMAT,
     "header: tensor 'a': is not JSON: a whole number is expected at byte 31"},
    {"twice", MOOD_E_FORMAT, "there are two tensors 'a'"},
    {"unknown_key", MOOD_E_FORMAT, "header: tensor 'a': an unknown key, or one twice: 'lazy'"},
    {"unknown_type", MOOD_E_UNSUPPORTED, "header: tensor 'a': numbers of the unknown type 'F?[2J'"},
    {"wrong_shape", MOOD_E_FORMAT, "header: tensor 'a': 8 elements of F32 do not make 24 bytes"},
    {"zero_byte", MOOD_E_FORMAT, "header: is not JSON: a zero byte at 3"},
    {"zero_escape", MOOD_E_FORMAT, "header: is not JSON: an escape sequence is expected at byte 9"},
}, torch[] = {
    {"absolute", MOOD_E_FORMAT, "has the zip entry '/etc/passwd': not a possible name"},
    {"append_dict", MOOD_E_FORMAT,
     "its pickle is damaged before byte 5: items for what is no list"},
    {"backslash", MOOD_E_FORMAT, "has the zip entry 'x\\y': not a possible name"},
    {"bare_pickle_system", MOOD_E_UNSUPPORTED,
     "is in PyTorch's format from before 1.6; in Python, torch.save(torch.load(FILE, "
     "weights_only=True), NEW) converts it"},
    {"behind_stop", MOOD_E_FORMAT, "its pickle is damaged before byte 215: bytes behind its end"},
    {"big_endian", MOOD_E_UNSUPPORTED, "its numbers are not little-endian"},
    {"bomb", MOOD_E_UNSUPPORTED,
     "is compressed (zip entry 'x/data.pkl'); PyTorch does not compress"},
    {"build_tensor", MOOD_E_FORMAT,
     "its pickle is damaged before byte 181: attributes of what is no dictionary"},
    {"by_hand", MOOD_OK, NULL},
    {"byte_order", MOOD_OK, NULL},
    {"call_storage", MOOD_E_FORMAT,
     "its pickle is damaged before byte 35: a call of what cannot be called"},
    {"call_text", MOOD_E_FORMAT,
     "its pickle is damaged before byte 11: a call of what cannot be called"},
    {"comment", MOOD_E_FORMAT,
     "is a damaged zip archive: it is cut off, or has bytes behind its end"},
    {"cut", MOOD_E_FORMAT, "is a damaged zip archive: it is cut off, or has bytes behind its end"},
    {"deep", MOOD_E_UNSUPPORTED, "holds no dictionary of tensors"},
    {"dict_with_arguments", MOOD_E_FORMAT,
     "its pickle is damaged before byte 36: a call of what cannot be called"},
    {"directory_far", MOOD_E_FORMAT,
     "is a damaged zip archive: its directory is not right before its end"},
    {"empty_pickle", MOOD_E_FORMAT, "its pickle is damaged before byte 0: it is cut off"},
    {"empty_stack", MOOD_E_FORMAT, "its pickle is damaged before byte 3: nothing on the stack"},
    {"encrypted", MOOD_E_UNSUPPORTED, "is encrypted: zip entry 'x/data/0'"},
    {"entry_too_long", MOOD_E_FORMAT, "is a damaged zip archive: an entry behind its end"},
    {"extension", MOOD_E_UNSUPPORTED, "its pickle has opcode 0x82 at byte 2: not known here"},
    {"fewer_entries", MOOD_E_FORMAT,
     "is a damaged zip archive: its directory has more entries than it says"},
    {"global_0", MOOD_E_UNSUPPORTED,
     "its pickle asks for 'posix.system', which no weights need: refused"},
    {"global_1", MOOD_E_UNSUPPORTED,
     "its pickle asks for 'builtins.eval', which no weights need: refused"},
    {"global_2", MOOD_E_UNSUPPORTED,
     "its pickle asks for 'os.system?[2J', which no weights need: refused"},
    {"global_3", MOOD_E_UNSUPPORTED,
     "its pickle asks for 'torch._utils._rebuild_tensor', which no weights need: refused"},
    {"global_4", MOOD_E_UNSUPPORTED,
     "its pickle asks for 'torch.load', which no weights need: refused"},
    {"global_5", MOOD_E_UNSUPPORTED,
     "its pickle asks for 'collections.OrderedDict.fromkeys', which no weights need: "
     "refused"},
    {"huge", MOOD_E_FORMAT, "tensor 'a': it reaches beyond its storage"},
    {"huge_offset", MOOD_E_FORMAT, "tensor 'a': it reaches beyond its storage"},
    {"instance", MOOD_E_UNSUPPORTED, "its pickle has opcode 0x69 at byte 3: not known here"},
    {"items_for_none", MOOD_E_FORMAT,
     "its pickle is damaged before byte 12: items for what is no dictionary"},
    {"itself", MOOD_E_UNSUPPORTED,
     "'a' is not a tensor; only what model.state_dict() gives is read"},
    {"key_set_item", MOOD_OK, NULL},
    {"laughs", MOOD_E_UNSUPPORTED,
     "'a' is not a tensor; only what model.state_dict() gives is read"},
    {"legacy", MOOD_E_UNSUPPORTED,
     "is in PyTorch's format from before 1.6; in Python, torch.save(torch.load(FILE, "
     "weights_only=True), NEW) converts it"},
    {"line_break", MOOD_E_FORMAT,
     "'a?b' is no name of a tensor: 1 to 255 visible ASCII characters"},
    {"local_elsewhere", MOOD_E_FORMAT,
     "is a damaged zip archive: an entry that is not what the directory says"},
    {"local_far", MOOD_E_FORMAT, "is a damaged zip archive: an entry behind its end"},
    {"long_number", MOOD_E_FORMAT,
     "its pickle is damaged before byte 20: a number of more than 64 bits"},
    {"long_text", MOOD_E_FORMAT, "its pickle is damaged before byte 7: it is cut off"},
    {"many_entries", MOOD_E_FORMAT,
     "is a damaged zip archive: more entries than its directory has room for"},
    {"many_sizes", MOOD_E_FORMAT,
     "its pickle is damaged before byte 20173: a tensor of more than 32 dimensions"},
    {"mark_only", MOOD_E_FORMAT, "its pickle is damaged before byte 4: nothing on the stack"},
    {"marks", MOOD_E_UNSUPPORTED, "its pickle needs a stack of more than 65536"},
    {"memo_far", MOOD_E_FORMAT, "its pickle is damaged before byte 8: a memo with gaps"},
    {"memo_gap", MOOD_E_FORMAT, "its pickle is damaged before byte 5: a memo with gaps"},
    {"memo_mark", MOOD_E_FORMAT, "its pickle is damaged before byte 5: nothing on the stack"},
    {"memo_missing", MOOD_E_FORMAT,
     "its pickle is damaged before byte 4: nothing in the memo there"},
    {"name_is_number", MOOD_E_FORMAT, "has a tensor whose name is no text"},
    {"negative_offset", MOOD_E_FORMAT, "tensor 'a': it reaches beyond its storage"},
    {"negative_size", MOOD_E_FORMAT, "tensor 'a': it reaches beyond its storage"},
    {"nested", MOOD_E_UNSUPPORTED,
     "'state_dict' is not a tensor; only what model.state_dict() gives is read"},
    {"new_object", MOOD_E_UNSUPPORTED, "its pickle has opcode 0x81 at byte 28: not known here"},
    {"no_mark", MOOD_E_FORMAT, "its pickle is damaged before byte 3: no mark on the stack"},
    {"no_pickle", MOOD_E_FORMAT, "is a zip archive, but not one of PyTorch: no data.pkl"},
    {"no_protocol", MOOD_E_FORMAT,
     "its pickle is damaged before byte 2: no protocol at its beginning"},
    {"no_result", MOOD_E_FORMAT, "its pickle is damaged before byte 3: not exactly one result"},
    {"no_stop", MOOD_E_FORMAT, "its pickle is damaged before byte 3: it is cut off"},
    {"no_storage", MOOD_E_FORMAT, "tensor 'a': its storage is not in the archive"},
    {"no_zip64", MOOD_E_FORMAT, "is a damaged zip archive: an entry without its size"},
    {"not_a_dict", MOOD_E_UNSUPPORTED, "holds no dictionary of tensors"},
    {"odd_items", MOOD_E_FORMAT,
     "its pickle is damaged before byte 11: items for what is no dictionary"},
    {"offset", MOOD_E_FORMAT, "tensor 'a': it reaches beyond its storage"},
    {"only_pickle", MOOD_E_UNSUPPORTED,
     "is in PyTorch's format from before 1.6; in Python, torch.save(torch.load(FILE, "
     "weights_only=True), NEW) converts it"},
    {"overlap", MOOD_E_FORMAT, "is a damaged zip archive: entries that overlap"},
    {"plain", MOOD_OK, NULL},
    {"pop", MOOD_E_UNSUPPORTED, "its pickle has opcode 0x30 at byte 3: not known here"},
    {"protocol_4", MOOD_E_UNSUPPORTED, "its pickle is of protocol 4; PyTorch's is 2"},
    {"same_name", MOOD_E_FORMAT, "has two zip entries 'x/y'"},
    {"shard_1", MOOD_OK, NULL},
    {"shard_2", MOOD_OK, NULL},
    {"stack_global", MOOD_E_UNSUPPORTED, "its pickle has opcode 0x93 at byte 23: not known here"},
    {"storage_4", MOOD_E_FORMAT,
     "its pickle is damaged before byte 57: no storage, where one should be"},
    {"storage_huge", MOOD_E_FORMAT,
     "tensor 'a': 4611686018427387904 elements in a storage of 24 bytes"},
    {"storage_size", MOOD_E_FORMAT, "tensor 'a': 7 elements in a storage of 24 bytes"},
    {"storage_type", MOOD_E_FORMAT, "tensor 'a': 6 elements in a storage of 24 bytes"},
    {"storage_up", MOOD_E_FORMAT, "tensor 'a': its storage is not in the archive"},
    {"stride_0", MOOD_OK, NULL},
    {"strides", MOOD_E_FORMAT,
     "its pickle is damaged before byte 203: a tensor with more strides than sizes, or "
     "fewer"},
    {"too_large", MOOD_E_FORMAT, "tensor 'a': it reaches beyond its storage"},
    {"twice", MOOD_E_FORMAT, "there are two tensors 'a'"},
    {"two_disks", MOOD_E_UNSUPPORTED, "is a part of a zip archive"},
    {"two_pickles", MOOD_E_FORMAT, "has more than one data.pkl"},
    {"two_results", MOOD_E_FORMAT, "its pickle is damaged before byte 5: not exactly one result"},
    {"two_sizes", MOOD_E_FORMAT, "is a damaged zip archive: a stored entry of two sizes"},
    {"unknown_storage", MOOD_E_UNSUPPORTED,
     "its pickle asks for 'torch.DoubleStorage', which no weights need: refused"},
    {"up", MOOD_E_FORMAT, "has the zip entry 'x/../../evil': not a possible name"},
    {"zero_in_name", MOOD_E_FORMAT, "'a?b' is no name of a tensor"},
    {"zip64", MOOD_OK, NULL},
    {"zip64_differs", MOOD_E_FORMAT, "is a damaged zip archive: its two ends do not agree"},
    {"zip64_lost", MOOD_E_FORMAT,
     "is a damaged zip archive: the zip64 record is not where it should be"},
};
/* clang-format on */

enum {
    N_SAFETENSORS = sizeof(safetensors) / sizeof(safetensors[0]),
    N_TORCH = sizeof(torch) / sizeof(torch[0])
};

/* ---- memory ------------------------------------------------------------------------------- */

/* A one-byte opcode needs a value on a stack that doubles, or a tuple. */
static void check_memory(size_t file_bytes)
{
    assert_in_range(alloc_bytes, 1, 65536 + 64 * file_bytes);
}

/* ---- files -------------------------------------------------------------------------------- */

static void judge(const char *folder, const struct verdict *v)
{
    char path[4096];
    unsigned char *bytes;
    size_t n = 0;
    snprintf(path, sizeof(path), "%s/../fuzz/corpus/%s/%s", TEST_DATA, folder, v->file);
    assert_int_equal(mood__file_read(path, 1 << 20, &bytes, &n), MOOD_OK);
    for (int from_memory = 0; from_memory < 2; from_memory++) {
        struct mood__checkpoint *c;
        alloc_bytes = 0;
        mood_status status = from_memory ? mood__checkpoint_open_memory(&c, bytes, n)
                                         : mood__checkpoint_open(&c, path);
        if (status != v->status)
            fail_msg("%s/%s: %s (%s)", folder, v->file, mood_status_name(status),
                     mood_error_detail());
        if (status != MOOD_OK)
            assert_string_equal(mood_error_detail(), v->detail);
        assert_true((c != NULL) == (status == MOOD_OK));
        check_memory(n);
        mood__checkpoint_close(&c);
    }
    mood__free(bytes);
}

static void test_safetensors(void **state)
{
    (void)state;
    for (int i = 0; i < N_SAFETENSORS; i++)
        judge("safetensors", &safetensors[i]);
}

static void test_torch(void **state)
{
    (void)state;
    for (int i = 0; i < N_TORCH; i++)
        judge("torch", &torch[i]);
}

/* ---- what would be too large to keep as files ------------------------------------------------ */

/* Unpickle the program: too many opcodes, and no more memory than its length allows. */
static void refuse_program(const unsigned char *p, size_t n)
{
    struct mood__arena arena = {0};
    struct mood__pickled *tensors;
    size_t n_tensors;
    alloc_bytes = 0;
    assert_int_equal(mood__unpickle(p, n, &arena, &tensors, &n_tensors), MOOD_E_UNSUPPORTED);
    assert_string_equal(mood_error_detail(), "its pickle has more than 1048576 opcodes");
    check_memory(n);
    mood__arena_free(&arena);
}

/* A list to which the same is appended again and again, without ever filling the stack. */
static void test_many_opcodes(void **state)
{
    (void)state;
    static const char *const appended[] = {"Na",
                                           "}a",
                                           ")a",
                                           "]a",
                                           "N\x85"
                                           "a",
                                           "NN\x86"
                                           "a"};
    enum { N = 3 * MOOD__PICKLE_MAX_OPCODES };
    unsigned char *p = mood__calloc(N, 1);
    assert_non_null(p);
    memcpy(p, "\x80\x02]", 3);
    for (size_t k = 0; k < sizeof(appended) / sizeof(*appended); k++) {
        size_t length = strlen(appended[k]);
        for (size_t i = 3; i < N; i++)
            p[i] = (unsigned char)appended[k][(i - 3) % length];
        refuse_program(p, MOOD__PICKLE_MAX_OPCODES + 16);
    }

    struct mood__arena arena = {0};
    struct mood__pickled *tensors;
    size_t n;
    alloc_bytes = 0;
    assert_int_equal(mood__unpickle(p, MOOD__PICKLE_MAX_BYTES + 1, &arena, &tensors, &n),
                     MOOD_E_UNSUPPORTED); /* before a byte is read */
    assert_int_equal(alloc_bytes, 0);
    mood__free(p);
}

/* A memo of a million places, and one place written a million times. */
static void test_large_memo(void **state)
{
    (void)state;
    enum { N = 4 + 5 * MOOD__PICKLE_MAX_OPCODES };
    unsigned char *p = mood__calloc(N, 1);
    assert_non_null(p);
    memcpy(p, "\x80\x02N", 3);
    for (int once = 0; once < 2; once++) {
        for (uint32_t i = 0; i < MOOD__PICKLE_MAX_OPCODES; i++) {
            unsigned char *put = p + 3 + 5 * (size_t)i;
            uint32_t place = once ? 0 : i;
            *put = 'r';
            for (int k = 0; k < 4; k++)
                put[1 + k] = (unsigned char)(place >> 8 * k);
        }
        refuse_program(p, N);
    }
    mood__free(p);
}

static void test_many_tensors(void **state)
{
    (void)state;
    static char file[8 + 70 * (MOOD__LISTED_MAX + 1)];
    char *p = file + 8, *end = file + sizeof(file);
    for (int i = 0; i <= MOOD__LISTED_MAX; i++)
        p += snprintf(p, (size_t)(end - p),
                      "%c\"%d\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}",
                      i ? ',' : '{', i);
    *p++ = '}';
    size_t n = (size_t)(p - file - 8);
    for (int i = 0; i < 8; i++)
        file[i] = (char)(n >> 8 * i);
    struct mood__checkpoint *c;
    alloc_bytes = 0;
    assert_int_equal(mood__checkpoint_open_memory(&c, file, n + 8), MOOD_E_UNSUPPORTED);
    check_memory(n);
    assert_string_equal(mood_error_detail(), "header: has more than 65536 tensors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safetensors),  cmocka_unit_test(test_torch),
        cmocka_unit_test(test_many_opcodes), cmocka_unit_test(test_large_memo),
        cmocka_unit_test(test_many_tensors),
    };
    return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
