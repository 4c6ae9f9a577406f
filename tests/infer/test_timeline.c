/* SPDX-License-Identifier: MIT
 *
 * test_timeline.c — From overlapping windows to slots and spans: where they lie, and whose
 * probabilities they have. Results are written here by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fail_alloc.h"
#include "mood/infer.h"

enum { V = 3, MOST = 64 };

/* A result of a recording, whose windows are sure of label[i] ('0' to '2'), or without speech ('
 * '); what a window without speech would say is label 0. */
struct made {
    mood_segment segments[MOST];
    float prob[MOST][V];
    mood_result result;
};

static const mood_result *make(struct made *m, double duration_s, const char *labels)
{
    size_t n = strlen(labels);
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++) {
        bool speech = labels[i] != ' ';
        int label = speech ? labels[i] - '0' : 0;
        double start = i + 1 < n || n == 1 ? 1.5 * (double)i : duration_s - 3;
        for (int v = 0; v < V; v++)
            m->prob[i][v] = v == label ? 0.75f : 0.125f;
        m->segments[i] = (mood_segment){.start_s = start,
                                        .end_s = fmin(start + 3, duration_s),
                                        .speech = speech,
                                        .best = label,
                                        .confidence = 0.75f,
                                        .prob = m->prob[i]};
    }
    m->result = (mood_result){.n_labels = V, .segments = m->segments, .n_segments = n};
    return &m->result;
}

/* One after the other from 0 to the end, and each with a distribution. */
static void assert_line(const mood_segment *s, size_t n, double duration_s)
{
    assert_true(n >= 1);
    assert_true(s[0].start_s == 0 && s[n - 1].end_s == duration_s);
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        assert_true(s[i].end_s > s[i].start_s);
        assert_true(i == 0 || s[i].start_s == s[i - 1].end_s);
        assert_true(s[i].confidence == s[i].prob[s[i].best]);
        for (int v = 0; v < V; v++) {
            sum += (double)s[i].prob[v];
            assert_true(s[i].prob[v] <= s[i].confidence);
        }
        assert_true(fabs(sum - 1) < 1e-6);
    }
}

/* The labels of the slots or spans, as in make. */
static const char *word(char out[MOST + 1], const mood_segment *s, size_t n)
{
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(s[i].speech ? '0' + s[i].best : ' ');
    out[n] = '\0';
    return out;
}

static void test_cases(void **state)
{
    (void)state;
    static const struct {
        double duration_s;
        const char *windows, *slots, *spans;
    } cases[] = {
        {0.1, "1", "1", "1"},
        {2.2, "1", "1", "1"},
        {3, "1", "11", "1"},
        {4.5, "11", "111", "1"},
        {3.01, "12", "12", "12"},   /* windows 0.01 s apart: each has a little more of one half */
        {5.2, "112", "112", "12"},  /* 0.7 s at the end are less than half a slot */
        {5.3, "112", "1112", "12"}, /* 0.8 s are one, of which two windows have 0.8 and 0.1 */
        {9, "11222", "111222", "12"},
        {9, "11  2", "11   2", "1 2"},
        {9, "     ", "      ", " "},
        {15, "1111   22", "1111    22", "1 2"}, /* as of six seconds of sound, six of none, three */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made m;
        mood_timeline *t;
        char text[MOST + 1];
        size_t n;
        const mood_result *r = make(&m, cases[i].duration_s, cases[i].windows);
        assert_int_equal(mood_timeline_create(&t, r, NULL), MOOD_OK);
        memset(&m, 0, sizeof(m)); /* nothing of it is kept */
        const mood_segment *s = mood_timeline_slots(t, &n);
        assert_line(s, n, cases[i].duration_s);
        assert_string_equal(word(text, s, n), cases[i].slots);
        for (size_t k = 0; k < n; k++)
            assert_true(s[k].start_s == 1.5 * (double)k);
        s = mood_timeline_spans(t, &n);
        assert_line(s, n, cases[i].duration_s);
        assert_string_equal(word(text, s, n), cases[i].spans);
        mood_timeline_destroy(&t);
        assert_null(t);
    }
}

/* Windows at 0, 1.5, 3 and, aligned to the end, 4.25. */
static void test_weights(void **state)
{
    (void)state;
    struct made m;
    mood_timeline *t;
    size_t n;
    assert_int_equal(mood_timeline_create(&t, make(&m, 7.25, "0112"), NULL), MOOD_OK);
    const mood_segment *s = mood_timeline_slots(t, &n);
    assert_int_equal(n, 5);
    assert_true(s[0].prob[0] == 0.75f); /* one window */
    assert_true(s[1].prob[0] == 0.4375f && s[1].prob[1] == 0.4375f);
    /* 3 to 4.5: windows 1 and 2 over all of it, and 0.25 of 1.5 s of the last. */
    assert_true(fabs((double)s[2].prob[2] - (3 * 0.125 + 0.25 * 0.75) / 3.25) < 1e-7);
    assert_true(s[4].start_s == 6 && s[4].prob[2] == 0.75f);
    s = mood_timeline_spans(t, &n);
    assert_int_equal(n, 3); /* slots 0 0 1 1 2 */
    assert_true(s[0].end_s == 3 && s[1].end_s == 6);
    assert_true(fabs((double)s[0].confidence - (0.75 + 0.4375) / 2) < 1e-7);
    mood_timeline_destroy(&t);
}

static void test_max_slots(void **state)
{
    (void)state;
    struct made m;
    const mood_result *r = make(&m, 16.5, "111122222 "); /* eleven slots, the last two quiet */
    for (size_t most = 0; most <= 12; most++) {
        mood_timeline *t;
        size_t n;
        assert_int_equal(mood_timeline_create(&t, r, &(mood_timeline_params){.max_slots = most}),
                         MOOD_OK);
        const mood_segment *s = mood_timeline_slots(t, &n);
        assert_line(s, n, 16.5);
        assert_true(most == 0 ? n == 11 : n <= most);
        for (size_t i = 0; i + 1 < n; i++) /* equally many to each, but for the last */
            assert_true(s[i].end_s - s[i].start_s == s[0].end_s - s[0].start_s);
        assert_true(s[0].speech);
        if (most == 2) { /* nine seconds of label 1, then of label 2 and quiet */
            assert_int_equal(n, 2);
            assert_true(s[0].end_s == 9 && s[0].best == 1);
            assert_true(s[1].speech && s[1].best == 2 && s[1].confidence == 0.75f);
        }
        mood_timeline_destroy(&t);
    }
}

static mood_status create_and_destroy(const void *result)
{
    mood_timeline *t;
    mood_status status = mood_timeline_create(&t, result, NULL);
    mood_timeline_destroy(&t);
    return status;
}

static void test_alloc(void **state)
{
    (void)state;
    struct made m;
    assert_int_equal(fail_each_alloc(create_and_destroy, make(&m, 9, "11222")), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_max_slots),
        cmocka_unit_test(test_alloc),
    };
    return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
