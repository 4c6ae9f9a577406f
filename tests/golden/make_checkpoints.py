#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make_checkpoints.py — Makes checkpoints/, small folders as Hugging Face's hub has them, and
checkpoints.golden, what the networks in them answer.

    make_checkpoints.py [DIRECTORY]            default: the folder of this script

The encoders are torchaudio's, in float64, with weight norm by PyTorch; the heads of the classifiers
are written out below, as transformers and the authors of the tanh form have them. Weights come from the formula
(formula.py) under "CASE/NAME", louder where make_encoder.py has them louder, and are written as float32 or
float16; the networks compute with what was written. The samples are the formula's as well and are not
stored. Made with torch 1.13.1 and torchaudio 0.13.1.

    <case>/layer_00 ... layer_NN    (1, T, D) hidden states for 8000 samples "samples.<case>",
                                    less their mean, by their standard deviation
    <case>/probabilities            (1, V) of a classifier, for 48000 samples "samples.<case>"
    <case>/sum                      the same, were its pooling_mode "sum"
"""
import json
import pathlib
import sys

import numpy as np
import torch

import formula
import golden
import make_encoder

SHORT, WINDOW = 8000, 48000  # samples

BASE = dict(convs=[(10, k, s) for k, s in make_encoder.REAL_CONVS], norm="group_norm", bias=False,
            width=16, layers=2, heads=2, feed_forward=24, pos_kernel=16, pos_groups=4, norm_first=False)
LARGE = dict(convs=[(8, k, s) for k, s in make_encoder.REAL_CONVS], norm="layer_norm", bias=True,
             width=24, layers=2, heads=3, feed_forward=32, pos_kernel=32, pos_groups=8, norm_first=True)

SPLIT = ("weight_g", "weight_v")
NEW_SPLIT = ("parametrizations.weight.original0", "parametrizations.weight.original1")

# What config.json has beside the network, and who only listens passes over.
PASSED_OVER = {"attention_dropout": 0.1, "ctc_zero_infinity": False, "mask_time_prob": 0.05,
               "num_codevectors_per_group": 320, "torch_dtype": "float32", "vocab_size": 32,
               "bos_token_id": 1, "transformers_version": "4.26.1", "initializer_range": 2e-2}
PREPROCESSOR = {"do_normalize": True, "feature_extractor_type": "Wav2Vec2FeatureExtractor",
                "feature_size": 1, "padding_side": "right", "padding_value": 0.0,
                "return_attention_mask": False, "sampling_rate": 16000}


# ---- files ----------------------------------------------------------------------------------------


def write_json(path, what):
    path.write_text(json.dumps(what, indent=2, sort_keys=True) + "\n")


def write_safetensors(path, tensors):
    """8 bytes of length, a JSON header that is filled up to a multiple of 8, the numbers."""
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, a in tensors.items():
        kind = {"float32": "F32", "float16": "F16"}[a.dtype.name]
        header[name] = {"dtype": kind, "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for a in tensors.values():
            f.write(a.tobytes())


def write_bin(path, tensors):
    torch.save({name: torch.from_numpy(a) for name, a in tensors.items()}, path)


def write_weights(folder, tensors, stem, end, write, shards):
    if shards == 1:
        return write(folder / (stem + end), tensors)
    names, where = list(tensors), {}
    for i in range(shards):
        part = names[i::shards]  # as no program would deal them: a layer lies in both
        file = f"{stem}-{i + 1:05d}-of-{shards:05d}{end}"
        write(folder / file, {name: tensors[name] for name in part})
        where.update({name: file for name in part})
    size = sum(a.nbytes for a in tensors.values())
    return write_json(folder / (stem + end + ".index.json"),
                      {"metadata": {"total_size": size}, "weight_map": where})


# ---- tensors --------------------------------------------------------------------------------------


def number(case, name, shape, dtype=np.float32):
    """A tensor of a file, in PyTorch's layout."""
    full = f"{case}/{name}"
    a = formula.weight(full, tuple(reversed(shape))).transpose() * make_encoder.gain(name)
    return np.ascontiguousarray(a).astype(dtype)


def encoder_tensors(case, model, dtype):
    """By transformers' name without a prefix. The weight norm's lengths are not those of its directions."""
    tensors = {}
    for name, p in model.named_parameters():
        name = make_encoder.mood_name(name)
        tensors[name] = number(case, name, tuple(p.shape), dtype)
        if name.endswith("weight_g"):
            length = 1.5 + formula.value(f"{case}/{name}", tuple(p.shape))
            tensors[name] = length.astype(dtype)
    return tensors


def load(model, tensors):
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.from_numpy(tensors[make_encoder.mood_name(name)].astype(np.float64)))
    return model


def pre_training(case, width):
    """What is left of a pre-training: not read."""
    shapes = {"quantizer.codevectors": (1, 8, 4), "quantizer.weight_proj.weight": (8, 10),
              "quantizer.weight_proj.bias": (8,), "project_q.weight": (6, 8), "project_q.bias": (6,),
              "project_hid.weight": (6, width), "project_hid.bias": (6,)}
    return {name: number(case, name, shape) for name, shape in shapes.items()}


def letters(case, width):
    return {"lm_head.weight": number(case, "lm_head.weight", (5, width)),
            "lm_head.bias": number(case, "lm_head.bias", (5,))}


# ---- classifiers ----------------------------------------------------------------------------------


def loud(case, shapes):
    """Weights of a head: loud enough that one answer differs from another."""
    return {name: number(case, name, shape) * np.float32(2 if name.endswith(".weight") else 1)
            for name, shape in shapes.items()}


def projector_head(case, width, units, labels, layers):
    head = loud(case, {"projector.weight": (units, width), "projector.bias": (units,),
                       "classifier.weight": (labels, units), "classifier.bias": (labels,)})
    if layers:
        head["layer_weights"] = formula.value(f"{case}/layer_weights", (layers + 1,)) * np.float32(2)
    return head


def tanh_head(case, width, labels, last):
    return loud(case, {"classifier.dense.weight": (width, width), "classifier.dense.bias": (width,),
                       f"classifier.{last}.weight": (labels, width),
                       f"classifier.{last}.bias": (labels,)})


def dense(x, head, name):
    w, b = (torch.from_numpy(head[f"{name}.{part}"].astype(np.float64)) for part in ("weight", "bias"))
    return x @ w.T + b


def answer_projector(head, states):
    """Wav2Vec2ForSequenceClassification."""
    x = states[-1]
    if "layer_weights" in head:
        mix = torch.softmax(torch.from_numpy(head["layer_weights"].astype(np.float64)), 0)
        x = sum(w * state for w, state in zip(mix, states))
    x = dense(x, head, "projector").mean(1)
    return torch.softmax(dense(x, head, "classifier"), -1)


def answer_tanh(head, states, pooling, last):
    """Wav2Vec2ForSpeechClassification."""
    x = states[-1]
    x = {"mean": lambda: x.mean(1), "sum": lambda: x.sum(1), "max": lambda: x.max(1)[0]}[pooling]()
    x = torch.tanh(dense(x, head, "classifier.dense"))
    return torch.softmax(dense(x, head, f"classifier.{last}"), -1)


# ---- cases ----------------------------------------------------------------------------------------

ALL = ["angry", "calm", "disgust", "fearful", "happy", "neutral", "sad", "surprised"]

# prefix and split: how the encoder's tensors are called; more: what else is in the file
CASES = {
    # facebook/wav2vec2-base
    "base": dict(form=BASE, type="wav2vec2", architecture="Wav2Vec2ForPreTraining", prefix="wav2vec2.",
                 split=SPLIT, write=write_bin, more=pre_training),
    # facebook/wav2vec2-large-xlsr-53 and what was made from it
    "xlsr": dict(form=LARGE, type="wav2vec2", architecture="Wav2Vec2ForCTC", prefix="wav2vec2.",
                 split=SPLIT, write=write_safetensors, shards=2, more=letters),
    # facebook/hubert-base-ls960, as newer programs name it
    "hubert": dict(form=BASE, type="hubert", architecture="HubertModel", prefix="", split=NEW_SPLIT,
                   write=write_safetensors, config={"feat_proj_layer_norm": True}),
    # facebook/hubert-large-ls960-ft
    "hubert_large": dict(form=LARGE, type="hubert", architecture="HubertForCTC", prefix="hubert.",
                         split=SPLIT, write=write_bin, shards=2, more=letters),
    # float16, weight norm removed, no preprocessor_config.json, and nothing said that is a default
    "half": dict(form=BASE, type="wav2vec2", architecture=None, prefix="", split=None,
                 write=write_safetensors, dtype=np.float16, terse=True),
    # superb/wav2vec2-base-superb-er
    "superb": dict(form=BASE, type="wav2vec2", architecture="Wav2Vec2ForSequenceClassification",
                   prefix="wav2vec2.", split=SPLIT, write=write_bin, head="mixed", units=12,
                   labels=["neu", "hap", "ang", "sad"]),
    # Dpngtm/wav2vec2-emotion-recognition
    "projector": dict(form=BASE, type="wav2vec2", architecture="Wav2Vec2ForSequenceClassification",
                      prefix="wav2vec2.", split=NEW_SPLIT, write=write_safetensors, head="projector",
                      units=12, labels=["anger", "disgust", "fear", "happiness", "neutral", "sadness",
                                        "other"]),
    # ehcalabres/wav2vec2-lg-xlsr-en-speech-emotion-recognition: it declares the other form
    "tanh": dict(form=LARGE, type="wav2vec2", architecture="Wav2Vec2ForSequenceClassification",
                 prefix="wav2vec2.", split=SPLIT, write=write_bin, head="output", labels=ALL),
    # soxan, on HuBERT
    "soxan": dict(form=BASE, type="hubert", architecture="HubertForSpeechClassification",
                  prefix="hubert.", split=SPLIT, write=write_safetensors, head="out_proj",
                  labels=["joy", "happiness", "Anger", "boredom"], pooling="max",
                  config={"feat_proj_layer_norm": True}),
}


def config_of(case):
    form = case["form"]
    channels, kernels, strides = zip(*form["convs"])
    config = {"model_type": case["type"], "hidden_size": form["width"], "conv_dim": channels,
              "num_hidden_layers": form["layers"], "num_attention_heads": form["heads"],
              "intermediate_size": form["feed_forward"],
              "num_conv_pos_embeddings": form["pos_kernel"],
              "num_conv_pos_embedding_groups": form["pos_groups"]}
    if case.get("terse"):
        return config
    config.update(PASSED_OVER)
    config.update(
        architectures=[case["architecture"]], conv_kernel=kernels, conv_stride=strides,
        conv_bias=form["bias"], feat_extract_norm=form["norm"][:5], feat_extract_activation="gelu",
        hidden_act="gelu", num_feat_extract_layers=len(channels), layer_norm_eps=1e-5,
        do_stable_layer_norm=form["norm_first"], add_adapter=False)
    config.update(case.get("config", {}))
    if "head" in case:
        labels = case["labels"]
        config.update(id2label={str(i): label for i, label in enumerate(labels)},
                      label2id={label: i for i, label in enumerate(labels)},
                      use_weighted_layer_sum=case["head"] == "mixed")
        if "units" in case:
            config["classifier_proj_size"] = case["units"]
    if "pooling" in case:
        config["pooling_mode"] = case["pooling"]
    return config


def head_of(name, case):
    if "head" not in case:
        return {}
    width, n = case["form"]["width"], len(case["labels"])
    if case["head"] in ("mixed", "projector"):
        layers = case["form"]["layers"] if case["head"] == "mixed" else 0
        return projector_head(name, width, case["units"], n, layers)
    return tanh_head(name, width, n, case["head"])


def names_in_file(name, case, tensors, head):
    position = "encoder.pos_conv_embed.conv."
    if case["split"] is None:
        tensors = dict(tensors)
        tensors[position + "weight"] = tensors.pop("plain")
    renamed = {}
    for tensor, a in tensors.items():
        if tensor.startswith(position + "weight_"):
            tensor = position + case["split"][SPLIT.index(tensor[len(position):])]
        renamed[case["prefix"] + tensor] = a
    if "more" in case:
        width = case["form"]["width"]
        renamed[case["prefix"] + "masked_spec_embed"] = number(name, "masked_spec_embed", (width,))
        renamed.update(case["more"](name, width))
    renamed.update(head)
    return renamed


def without_weight_norm(model, tensors, dtype):
    """Put the product, as it is rounded in the file, into network and tensors."""
    conv = model.encoder.transformer.pos_conv_embed.conv
    torch.nn.utils.remove_weight_norm(conv)
    plain = conv.weight.detach().numpy().astype(dtype)
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(plain.astype(np.float64)))
    kept = {name: a for name, a in tensors.items() if not name.endswith(SPLIT)}
    return {**kept, "plain": plain}


def states_of(model, name, n):
    x = make_encoder.samples_of(name, n)
    x = (x - x.mean()) / torch.sqrt(x.var(unbiased=False) + 1e-7)  # do_normalize
    with torch.no_grad():
        return make_encoder.hidden_states(model, x)[1]


def answer(case, head, states, pooling):
    if case["head"] in ("mixed", "projector"):
        return answer_projector(head, states)
    return answer_tanh(head, states, pooling, case["head"])


def make(out, folder, name, case):
    dtype = case.get("dtype", np.float32)
    model = make_encoder.network(**case["form"])
    tensors = encoder_tensors(name, model, dtype)
    load(model, tensors)
    if case["split"] is None:
        tensors = without_weight_norm(model, tensors, dtype)
    head = head_of(name, case)
    folder.mkdir(parents=True, exist_ok=True)
    stem, end = ("model", ".safetensors") if case["write"] is write_safetensors else \
        ("pytorch_model", ".bin")
    write_weights(folder, names_in_file(name, case, tensors, head), stem, end, case["write"],
                  case.get("shards", 1))
    write_json(folder / "config.json", config_of(case))
    if not case.get("terse"):
        write_json(folder / "preprocessor_config.json", PREPROCESSOR)
    for i, state in enumerate(states_of(model, name, SHORT)):
        out.add(f"{name}/layer_{i:02d}", state.numpy())
    if head:
        states = states_of(model, name, WINDOW)
        pooling = case.get("pooling", "mean")
        out.add(f"{name}/probabilities", answer(case, head, states, pooling).numpy())
        if "pooling" in case:
            out.add(f"{name}/sum", answer(case, head, states, "sum").numpy())


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    folder = folder if folder.is_dir() else folder.parent
    torch.set_num_threads(1)
    out = golden.Writer()
    for name, case in CASES.items():
        make(out, folder / "checkpoints" / name, name, case)
        size = sum(f.stat().st_size for f in (folder / "checkpoints" / name).iterdir())
        print(f"checkpoints/{name}: {size} bytes")
        if "head" in case:
            print("   ", np.round(out.tensors[f"{name}/probabilities"], 3))
    path = folder / "checkpoints.golden"
    out.write(path)
    print(f"{path.name}: {len(out.tensors)} tensors, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
