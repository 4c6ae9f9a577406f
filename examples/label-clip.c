/* SPDX-License-Identifier: MIT
 *
 * label-clip.c — A clip labelled in twenty lines: load a model, read a recording, ask. */
#include <stdio.h>

#include <mood/mood.h>

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: label-clip MODEL.h5 CLIP\n");
        return 2;
    }
    mood_model *model = NULL;
    mood_infer *infer = NULL;
    mood_audio *audio = NULL;
    mood_result r = {0};
    mood_status status = mood_model_load(&model, argv[1]);
    if (!status)
        status = mood_infer_create(&infer, model, NULL);
    if (!status)
        status = mood_audio_read(&audio, argv[2], NULL);
    if (!status)
        status = mood_infer_run(infer, audio, &r);
    if (!status)
        printf("%s %.3f\n", mood_model_label(model, r.best), (double)r.confidence);
    else
        fprintf(stderr, "label-clip: %s: %s\n", infer ? argv[2] : argv[1], mood_error_detail());

    mood_audio_destroy(&audio); /* each accepts what was never made */
    mood_infer_destroy(&infer);
    mood_model_destroy(&model);
    return status ? 1 : 0;
}
