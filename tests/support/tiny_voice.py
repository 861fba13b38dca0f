"""A piper voice of a few kilobytes: each phoneme is a tone of its own. Real piper loads it and speaks with it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE = 16_000
SAMPLES_A_PHONEME = 512
SYMBOLS = 512


def tiny_voice(path: Path, language: str = "vi", speakers: dict[str, int] | None = None) -> Path:
    """Write a model and its description; a speaker is so many octaves higher."""
    path.write_bytes(_model(bool(speakers)).SerializeToString())
    described = {
        "audio": {"sample_rate": RATE},
        "espeak": {"voice": language},
        "language": {"code": f"{language}_VN"},
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "num_symbols": SYMBOLS,
        "num_speakers": len(speakers) if speakers else 1,
        "speaker_id_map": speakers or {},
        "phoneme_id_map": _phonemes(),
    }
    path.with_name(path.name + ".json").write_text(json.dumps(described), encoding="utf-8")
    return path


def _phonemes() -> dict[str, list[int]]:
    """Begin, end and pause as piper has them, and whatever eSpeak NG may say."""
    said = [chr(code) for part in ((0x20, 0x7F), (0xE6, 0x153), (0x250, 0x2E9)) for code in range(*part)]
    named = ["_", "^", "$"]
    return {
        sign: [number] for number, sign in enumerate(named + [sign for sign in said if sign not in named])
    }


def _model(has_speakers: bool) -> onnx.ModelProto:
    step = 2 * math.pi / RATE
    steps = (step * (120.0 + np.arange(SYMBOLS) % 64 * 10.0)).astype(np.float32)
    steps[:3] = 0.0

    def whole(name: str, values: list[int]) -> TensorProto:
        return numpy_helper.from_array(np.array(values, np.int64), name)

    constants = [
        numpy_helper.from_array(steps, "steps"),
        numpy_helper.from_array(np.array([SAMPLES_A_PHONEME], np.float32), "each"),
        numpy_helper.from_array(np.array(0.5, np.float32), "half"),
        numpy_helper.from_array(np.array(2.0, np.float32), "two"),
        whole("one", [1]),
        whole("two_at", [2]),
        whole("last", [2]),
        whole("flat", [1, 1, -1]),
        numpy_helper.from_array(np.array(2, np.int64), "axis"),
    ]
    node = helper.make_node
    nodes = [
        node("Gather", ["steps", "input"], ["turned"]),
        node("Slice", ["scales", "one", "two_at"], ["length_scale"]),
        node("Mul", ["length_scale", "each"], ["length"]),
        node("Cast", ["length"], ["count"], to=TensorProto.INT64),
        node("Shape", ["turned"], ["shape"]),
        node("Concat", ["shape", "count"], ["stretched_shape"], axis=0),
        node("Unsqueeze", ["turned", "last"], ["column"]),
        node("Expand", ["column", "stretched_shape"], ["stretched"]),
        node("Reshape", ["stretched", "flat"], ["row"]),
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, "phonemes"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if has_speakers:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
        nodes += [
            node("Cast", ["sid"], ["octaves"], to=TensorProto.FLOAT),
            node("Pow", ["two", "octaves"], ["factor"]),
            node("Mul", ["row", "factor"], ["higher"]),
        ]
    nodes += [
        node("CumSum", ["higher" if has_speakers else "row", "axis"], ["phase"]),
        node("Sin", ["phase"], ["wave"]),
        node("Mul", ["wave", "half"], ["output"]),
    ]
    out = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, "samples"])
    graph = helper.make_graph(nodes, "tones", inputs, [out], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
