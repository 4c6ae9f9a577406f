/* SPDX-License-Identifier: MIT
 *
 * test_wav2vec2.c — The encoder, narrow, in the forms that there are, against torchaudio in float64
 * (tests/golden/make_encoder.py): every hidden state, and the gradient of every weight. Then what
 * is promised about lengths, batches, cuts and threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../golden/golden.h"
#include "encoder_forms.h"
#include "mood/ops.h"

#define assert_ok(expr) assert_int_equal(expr, MOOD_OK)

static const double FORWARD_BOUND = 1e-4, GRADIENT_BOUND = 1e-4, PREPARE_BOUND = 1e-6,
                    BATCH_BOUND = 1e-6;

static struct golden *golden;

/* An encoder over a set of weights, with what a test reads of it. */
struct net {
    mood_graph *graph;
    mood_node *samples, *target, *loss;
    mood_encoder_nodes nodes;
};

struct build {
    int n_layers; /* to run */
    int batch, n_samples;
    bool training;
    mood_pool *pool;
};

static void build(struct net *n, mood_weights *w, const mood_encoder_config *c, struct build b)
{
    mood_node *outputs[MOOD_ENCODER_MAX_LAYERS + 3];
    int n_outputs = 0;
    *n = (struct net){0};
    assert_ok(mood_graph_create(
        &n->graph, &(mood_graph_params){.weights = w, .pool = b.pool, .training = b.training}));
    n->samples = mood_input(n->graph, "samples", MOOD_F32, 3, (int64_t[]){b.batch, b.n_samples, 1});
    mood_node *last = mood_wav2vec2(n->samples, c, b.n_layers, &n->nodes);
    if (b.training && last) {
        n->target = mood_input(n->graph, "target", MOOD_F32, 3, mood_node_value(last)->dim);
        outputs[n_outputs++] = n->loss = mood_mse(last, n->target);
    }
    outputs[n_outputs++] = n->nodes.latent;
    for (int i = 0; i <= b.n_layers; i++)
        outputs[n_outputs++] = n->nodes.layer[i];
    if (mood_graph_compile(n->graph, outputs, n_outputs) != MOOD_OK)
        fail_msg("compile: %s", mood_error_detail());
}

static mood_weights *make_weights(const mood_encoder_config *c)
{
    mood_weights *w;
    struct net n;
    assert_ok(mood_weights_create(&w, 1));
    build(&n, w, c,
          (struct build){
              .n_layers = c->n_layers, .batch = 1, .n_samples = (int)mood_encoder_min_samples(c)});
    mood_graph_destroy(&n.graph);
    encoder_formula(w);
    return w;
}

static void feed(mood_node *input, const char *what, const char *name)
{
    char full[32];
    const mood_tensor *t = mood_node_value(input);
    snprintf(full, sizeof(full), "%s.%s", what, name);
    formula_values(t->data, mood_tensor_elements(t), full);
}

static void run(const struct net *n)
{
    if (mood_graph_forward(n->graph) != MOOD_OK)
        fail_msg("forward: %s", mood_error_detail());
}

static void expect(const char *form, const char *what, double error, double bound)
{
    print_message("  %-6s %-58s %.1e of %.0e\n", form, what, error, bound);
    if (!(error <= bound))
        fail_msg("%s %s: error %.1e", form, what, error);
}

static void expect_golden(const char *form, const char *part, const mood_tensor *got)
{
    const mood_tensor *want = golden_find(golden, form, part);
    if (!want)
        fail_msg("%s/%s: not in the golden file", form, part);
    expect(form, part, golden_error(got, want, 0), FORWARD_BOUND);
}

static void check_states(const char *form, const mood_encoder_config *c, int n_samples)
{
    mood_weights *w = make_weights(c);
    struct net n;
    build(&n, w, c, (struct build){.n_layers = c->n_layers, .batch = 1, .n_samples = n_samples});
    feed(n.samples, "samples", form);
    run(&n);
    expect_golden(form, "latent", mood_node_value(n.nodes.latent));
    for (int i = 0; i <= c->n_layers; i++) {
        char part[16];
        snprintf(part, sizeof(part), "layer_%02d", i);
        expect_golden(form, part, mood_node_value(n.nodes.layer[i]));
    }
    assert_null(n.nodes.layer[c->n_layers + 1]);
    mood_graph_destroy(&n.graph);
    mood_weights_destroy(&w);
}

static void test_hidden_states(void **state)
{
    (void)state;
    for (int i = 0; i < N_FORMS; i++)
        check_states(encoder_forms[i].name, &encoder_forms[i].config, encoder_forms[i].n_samples);
    check_states("short", &encoder_forms[BASE].config, 400);
}

/* What the error of a gradient is measured by: its own largest value. What is added to every key
 * changes no attention, so that the bias of k has no gradient but rounding: there it is the largest
 * value of the weight beside it. */
static double yardstick(const char *form, const char *name)
{
    char part[128];
    size_t stem = strlen(name) - strlen("bias");
    if (!formula_ends(name, "k_proj.bias"))
        return 0;
    snprintf(part, sizeof(part), "grad/%.*sweight", (int)stem, name);
    return golden_largest(golden_find(golden, form, part));
}

static void check_gradients(const struct encoder_form *f)
{
    mood_weights *w = make_weights(&f->config);
    struct net n;
    build(&n, w, &f->config,
          (struct build){.n_layers = f->config.n_layers,
                         .batch = 1,
                         .n_samples = f->n_samples,
                         .training = true});
    feed(n.samples, "samples", f->name);
    feed(n.target, "target", f->name);
    mood_weights_zero_grad(w);
    run(&n);
    assert_ok(mood_graph_backward(n.graph));
    for (int i = 0; i < mood_weights_count(w); i++) {
        char part[128];
        const char *name = mood_weights_name(w, i);
        snprintf(part, sizeof(part), "grad/%s", name);
        const mood_tensor *want = golden_find(golden, f->name, part);
        if (!want)
            fail_msg("%s/%s: not in the golden file", f->name, part);
        expect(f->name, name, golden_error(mood_weights_grad(w, i), want, yardstick(f->name, name)),
               GRADIENT_BOUND);
    }
    mood_graph_destroy(&n.graph);
    mood_weights_destroy(&w);
}

static void test_gradients(void **state)
{
    (void)state;
    check_gradients(&encoder_forms[BASE]);
    check_gradients(&encoder_forms[LARGE]);
}

/* A network that is cut off gives the same bytes up to there, and needs no weights above. */
static void test_cut(void **state)
{
    (void)state;
    for (int f = BASE; f <= LARGE; f++) {
        const mood_encoder_config *c = &encoder_forms[f].config;
        mood_weights *all = make_weights(c), *few;
        struct net whole, cut;
        build(&whole, all, c,
              (struct build){
                  .n_layers = c->n_layers, .batch = 1, .n_samples = encoder_forms[f].n_samples});
        assert_ok(mood_weights_create(&few, 1));
        build(&cut, few, c,
              (struct build){.n_layers = 1, .batch = 1, .n_samples = encoder_forms[f].n_samples});
        encoder_formula(few);
        assert_int_equal(mood_weights_find(few, "encoder.layers.1.layer_norm.weight"), -1);
        feed(whole.samples, "samples", "cut");
        feed(cut.samples, "samples", "cut");
        run(&whole);
        run(&cut);
        const mood_tensor *a = mood_node_value(whole.nodes.layer[1]);
        assert_memory_equal(a->data, mood_node_value(cut.nodes.layer[1])->data,
                            mood_tensor_bytes(a));
        mood_graph_destroy(&whole.graph);
        mood_graph_destroy(&cut.graph);
        mood_weights_destroy(&all);
        mood_weights_destroy(&few);
    }
}

/* A clip is the same beside a loud one. */
static void test_batch(void **state)
{
    (void)state;
    for (int f = BASE; f <= LARGE; f++) {
        const mood_encoder_config *c = &encoder_forms[f].config;
        int S = encoder_forms[f].n_samples;
        mood_weights *w = make_weights(c);
        struct net alone, both;
        build(&alone, w, c, (struct build){.n_layers = c->n_layers, .batch = 1, .n_samples = S});
        build(&both, w, c, (struct build){.n_layers = c->n_layers, .batch = 2, .n_samples = S});
        feed(alone.samples, "samples", "one");
        float *x = mood_node_value(both.samples)->data;
        formula_values(x, S, "samples.one");
        formula_values(x + S, S, "samples.two");
        for (int i = 0; i < S; i++)
            x[S + i] *= 100.0f;
        run(&alone);
        run(&both);
        for (int i = 0; i <= c->n_layers; i++) {
            mood_tensor first = *mood_node_value(both.nodes.layer[i]);
            first.dim[0] = 1;
            expect(encoder_forms[f].name, "beside another",
                   golden_error(&first, mood_node_value(alone.nodes.layer[i]), 0), BATCH_BOUND);
        }
        mood_graph_destroy(&alone.graph);
        mood_graph_destroy(&both.graph);
        mood_weights_destroy(&w);
    }
}

static void test_same_bytes_on_threads(void **state)
{
    (void)state;
    mood_pool *pool;
    assert_ok(mood_pool_create(&pool, 3));
    for (int f = BASE; f <= LARGE; f++) {
        const mood_encoder_config *c = &encoder_forms[f].config;
        struct build b = {
            .n_layers = c->n_layers, .batch = 1, .n_samples = encoder_forms[f].n_samples};
        mood_weights *w = make_weights(c);
        struct net one, three;
        build(&one, w, c, b);
        b.pool = pool;
        build(&three, w, c, b);
        feed(one.samples, "samples", "threads");
        feed(three.samples, "samples", "threads");
        run(&one);
        run(&three);
        for (int i = 0; i <= c->n_layers; i++) {
            const mood_tensor *a = mood_node_value(one.nodes.layer[i]);
            assert_memory_equal(a->data, mood_node_value(three.nodes.layer[i])->data,
                                mood_tensor_bytes(a));
        }
        mood_graph_destroy(&one.graph);
        mood_graph_destroy(&three.graph);
        mood_weights_destroy(&w);
    }
    mood_pool_destroy(&pool);
}

static void test_sizes(void **state)
{
    (void)state;
    mood_encoder_config c;
    mood_encoder_defaults(&c);
    assert_ok(mood_encoder_check(&c));
    assert_int_equal(mood_encoder_min_samples(&c), 400);
    assert_int_equal(mood_encoder_frames(&c, 399), 0);
    assert_int_equal(mood_encoder_frames(&c, 400), 1);
    assert_int_equal(mood_encoder_frames(&c, 719), 1);
    assert_int_equal(mood_encoder_frames(&c, 720), 2);
    assert_int_equal(mood_encoder_frames(&c, 48000), 149);
    /* As torchaudio counts wav2vec2_base(), less the 128 gains of the weight norm. */
    assert_int_equal(mood_encoder_elements(&c), 94370816);

    for (int i = 0; i < N_FORMS; i++) {
        mood_weights *w = make_weights(&encoder_forms[i].config);
        assert_ok(mood_encoder_check(&encoder_forms[i].config));
        assert_int_equal(mood_encoder_elements(&encoder_forms[i].config),
                         mood_weights_trainable_elements(w));
        mood_weights_destroy(&w);
    }
}

static void test_prepare(void **state)
{
    (void)state;
    enum { N = 3000 };
    float x[N], same[N];
    mood_tensor got;
    assert_ok(mood_tensor_make(&got, x, MOOD_F32, 1, (int64_t[]){N}));
    formula_values(x, N, "samples.base");
    for (int i = 0; i < N; i++)
        same[i] = x[i] = x[i] / 8 + 0.25f;
    mood_encoder_prepare(&encoder_forms[LARGE].config, x, N);
    assert_memory_equal(x, same, sizeof(x));
    mood_encoder_prepare(&encoder_forms[BASE].config, x, N);
    expect("", "prepare", golden_error(&got, golden_find(golden, "prepare", "x"), 0),
           PREPARE_BOUND);
    memset(x, 0, sizeof(x)); /* silence stays silence */
    mood_encoder_prepare(&encoder_forms[BASE].config, x, N);
    for (int i = 0; i < N; i++)
        assert_true(x[i] == 0.0f);
    mood_encoder_prepare(&encoder_forms[BASE].config, x, 0);
}

/* A configuration with one wrong number, and the field that the error has to name. */
struct wrong {
    const char *field;
    size_t offset;
    int value;
};

static void test_wrong_configs(void **state)
{
    (void)state;
#define FIELD(name) #name, offsetof(mood_encoder_config, name)
    static const struct wrong wrong[] = {
        {FIELD(n_convs), 0},        {FIELD(n_convs), 17},         {FIELD(conv_channels), 0},
        {FIELD(conv_channels), -4}, {FIELD(conv_kernel), 100000}, {FIELD(conv_stride), 0},
        {FIELD(conv_stride), 2000}, {FIELD(conv_norm), 2},        {FIELD(width), 1 << 30},
        {FIELD(n_layers), 0},       {FIELD(n_layers), 65},        {FIELD(n_heads), 5},
        {FIELD(n_heads), 0},        {FIELD(feed_forward), -1},    {FIELD(pos_kernel), 0},
        {FIELD(pos_groups), 7},
    };
#undef FIELD
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        mood_encoder_config c;
        mood_encoder_defaults(&c);
        memcpy((char *)&c + wrong[i].offset, &wrong[i].value, sizeof(int));
        assert_int_equal(mood_encoder_check(&c), MOOD_E_INVALID);
        if (!strstr(mood_error_detail(), wrong[i].field))
            fail_msg("'%s' does not name %s", mood_error_detail(), wrong[i].field);
    }
    mood_encoder_config c;
    mood_encoder_defaults(&c);
    c.layer_norm_eps = NAN;
    assert_int_equal(mood_encoder_check(&c), MOOD_E_INVALID);
    mood_encoder_defaults(&c);
    c.width = 8192, c.n_heads = 64, c.n_layers = 64, c.feed_forward = 65536;
    assert_int_equal(mood_encoder_check(&c), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "weights"));
    mood_encoder_defaults(&c);
    for (int i = 0; i < c.n_convs; i++)
        c.conv_kernel[i] = 1024, c.conv_stride[i] = i < 6 ? 4 : 3;
    assert_int_equal(mood_encoder_check(&c), MOOD_E_INVALID);
    assert_non_null(strstr(mood_error_detail(), "samples at once"));
}

static void expect_refused(const mood_encoder_config *c, int n_layers, int rank, const int64_t *dim,
                           mood_status wanted)
{
    mood_weights *w;
    mood_graph *g;
    mood_encoder_nodes nodes;
    assert_ok(mood_weights_create(&w, 1));
    assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = w}));
    mood_node *x = mood_input(g, "samples", MOOD_F32, rank, dim);
    assert_null(mood_wav2vec2(x, c, n_layers, &nodes));
    assert_null(nodes.layer[0]);
    assert_int_equal(mood_graph_compile(g, &x, 1), wanted);
    assert_int_equal(mood_weights_count(w), 0);
    mood_graph_destroy(&g);
    mood_weights_destroy(&w);
}

static void test_wrong_calls(void **state)
{
    (void)state;
    mood_encoder_config c = encoder_forms[BASE].config;
    expect_refused(&c, 3, 3, (int64_t[]){1, 399, 1}, MOOD_E_SHAPE);
    expect_refused(&c, 3, 2, (int64_t[]){1, 400}, MOOD_E_SHAPE);
    expect_refused(&c, 3, 3, (int64_t[]){1, 400, 2}, MOOD_E_SHAPE);
    expect_refused(&c, 4, 3, (int64_t[]){1, 400, 1}, MOOD_E_INVALID);
    expect_refused(&c, -1, 3, (int64_t[]){1, 400, 1}, MOOD_E_INVALID);
    c.n_heads = 3;
    expect_refused(&c, 3, 3, (int64_t[]){1, 400, 1}, MOOD_E_INVALID);
    assert_null(mood_wav2vec2(NULL, &c, 3, NULL));
}

/* ---- between two hidden states ---- */

/* The layers by themselves, on a hidden state of the whole network, make the same bytes. */
static void test_layers(void **state)
{
    (void)state;
    for (int f = BASE; f <= LARGE; f++) {
        const mood_encoder_config *c = &encoder_forms[f].config;
        int last = c->n_layers;
        mood_weights *w = make_weights(c);
        struct net whole;
        mood_graph *g;
        mood_encoder_nodes nodes;
        build(
            &whole, w, c,
            (struct build){.n_layers = last, .batch = 1, .n_samples = encoder_forms[f].n_samples});
        feed(whole.samples, "samples", "layers");
        run(&whole);
        const mood_tensor *from = mood_node_value(whole.nodes.layer[1]);
        assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = w}));
        mood_node *hidden = mood_input(g, "hidden", MOOD_F32, 3, from->dim);
        mood_node *y = mood_wav2vec2_layers(hidden, c, 1, last, &nodes);
        assert_ptr_equal(nodes.layer[last], y);
        assert_null(nodes.layer[0]);
        assert_ok(mood_graph_compile(g, &y, 1));
        memcpy(mood_node_value(hidden)->data, from->data, mood_tensor_bytes(from));
        assert_ok(mood_graph_forward(g));
        const mood_tensor *to = mood_node_value(whole.nodes.layer[last]);
        assert_memory_equal(mood_node_value(y)->data, to->data, mood_tensor_bytes(to));
        mood_graph_destroy(&g);
        mood_graph_destroy(&whole.graph);
        mood_weights_destroy(&w);
    }
}

static void test_wrong_layers(void **state)
{
    (void)state;
    const mood_encoder_config *c = &encoder_forms[BASE].config;
    static const struct {
        int first, last, rank;
        int64_t dim[3];
        mood_status status;
    } wrong[] = {{-1, 2, 3, {1, 9, 16}, MOOD_E_INVALID},
                 {2, 2, 3, {1, 9, 16}, MOOD_E_INVALID},
                 {1, 4, 3, {1, 9, 16}, MOOD_E_INVALID},
                 {1, 2, 3, {1, 9, 15}, MOOD_E_SHAPE},
                 {1, 2, 2, {9, 16, 0}, MOOD_E_SHAPE}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        mood_weights *w;
        mood_graph *g;
        assert_ok(mood_weights_create(&w, 1));
        assert_ok(mood_graph_create(&g, &(mood_graph_params){.weights = w}));
        mood_node *hidden = mood_input(g, "hidden", MOOD_F32, wrong[i].rank, wrong[i].dim);
        mood_node *y = mood_wav2vec2_layers(hidden, c, wrong[i].first, wrong[i].last, NULL);
        assert_int_equal(mood_graph_compile(g, &y, 1), wrong[i].status);
        mood_graph_destroy(&g);
        mood_weights_destroy(&w);
    }
    assert_null(mood_wav2vec2_layers(NULL, c, 1, 2, NULL));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hidden_states),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_same_bytes_on_threads),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_prepare),
        cmocka_unit_test(test_wrong_configs),
        cmocka_unit_test(test_wrong_calls),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_wrong_layers),
    };
    golden = argc > 1 ? golden_open(argv[1]) : NULL;
    if (!golden)
        return 2;
    int failed = cmocka_run_group_tests_name("wav2vec2", tests, NULL, NULL);
    golden_close(&golden);
    return failed;
}
