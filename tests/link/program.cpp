// SPDX-License-Identifier: MIT
//
// program.cpp — A user's program in C++, which test_link.py compiles against an install: it labels a
// clip with the model that program.c has trained, and says the same.
//
//     program VOICES CLIP MODEL.h5
#include <mood/mood.h>

#include <cstdio>
#include <memory>

struct Destroy {
    void operator()(mood_model *m) const { mood_model_destroy(&m); }
    void operator()(mood_infer *i) const { mood_infer_destroy(&i); }
    void operator()(mood_audio *a) const { mood_audio_destroy(&a); }
};

template <typename T> using Owned = std::unique_ptr<T, Destroy>;

static int fail()
{
    std::fprintf(stderr, "program: %s\n", mood_error_detail());
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    mood_model *model = nullptr;
    mood_infer *infer = nullptr;
    mood_audio *audio = nullptr;
    mood_result r;
    if (mood_model_load(&model, argv[3]) != MOOD_OK)
        return fail();
    Owned<mood_model> owned_model(model);
    if (mood_infer_create(&infer, model, nullptr) != MOOD_OK)
        return fail();
    Owned<mood_infer> owned_infer(infer);
    if (mood_audio_read(&audio, argv[2], nullptr) != MOOD_OK)
        return fail();
    Owned<mood_audio> owned_audio(audio);
    if (mood_infer_run(infer, audio, &r) != MOOD_OK)
        return fail();
    std::printf("%s %.6f\n", mood_model_label(model, r.best), static_cast<double>(r.confidence));
    return 0;
}
