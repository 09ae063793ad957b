"""The parameters of the requests, checked before anything heavy is imported."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from .errors import PeerError, one_line

# Options of `load` that a backend understands; anything else is a bad request, so that a typing error is not a silent default.
_COMMON_OPTIONS = ("attn_implementation", "device_index")
OPTIONS = {
    "transformers": (*_COMMON_OPTIONS, "static_cache", "compile", "compile_mode"),
    "torch-directml": (*_COMMON_OPTIONS, "tiled_resources"),
    "ipex-llm": (*_COMMON_OPTIONS, "load_in_low_bit", "optimize_model", "cpu_embedding"),
    "openvino": ("device_index", "inference_precision", "attention_backend", "dynamic_quantization_group_size"),
}

# Device -> precisions, for each backend. Empty cells are `unsupported`.
SUPPORT = {
    "transformers": {device: ("fp32", "fp16", "bf16") for device in ("cpu", "cuda", "xpu", "mps")},
    "torch-directml": {"dml": ("fp32", "fp16")},
    "ipex-llm": {"cpu": ("int4", "int8", "bf16"), "xpu": ("int4", "int8", "fp16", "bf16")},
    "openvino": {device: ("fp32", "fp16", "int8", "int4") for device in ("cpu", "xpu", "npu")},
}


@dataclass(frozen=True)
class LoadRequest:
    """What to load: a local Hugging Face folder on one device. `max_length` counts prompt and new tokens together."""

    model: str
    backend: str
    device: str
    precision: str
    threads: int | None
    max_length: int
    options: dict[str, str]

    @classmethod
    def read(cls, params: dict) -> "LoadRequest":
        backend = _one_of(params, "backend", tuple(SUPPORT))
        devices = SUPPORT[backend]
        device = _text(params, "device")
        if device not in devices:
            raise PeerError("unsupported", f"backend {backend} has no device {device!r}: take one of {', '.join(devices)}")
        precision = _text(params, "precision")
        if precision not in devices[device]:
            raise PeerError(
                "unsupported", f"backend {backend} on {device} has no precision {precision!r}: take one of {', '.join(devices[device])}"
            )
        threads = params.get("threads")
        return cls(
            model=_openvino_model(params) if backend == "openvino" else _model_folder(params),
            backend=backend,
            device=device,
            precision=precision,
            threads=None if threads is None else whole_number(params, "threads", 1),
            max_length=whole_number(params, "max_length", 2),
            options=_options(params, backend),
        )

    def flag(self, name: str, default: bool) -> bool:
        """An option that is 0 or 1."""
        value = self.options.get(name)
        if value is None:
            return default
        if value not in ("0", "1"):
            raise PeerError("bad_request", f"option {name} is {value!r}: it must be 0 or 1")
        return value == "1"

    def index(self) -> int:
        """Which device of its kind, from 0."""
        value = self.options.get("device_index", "0")
        if not value.isdecimal():
            raise PeerError("bad_request", f"option device_index is {value!r}: it must be a number from 0")
        return int(value)


def whole_number(params: dict, name: str, least: int) -> int:
    """A required integer parameter of at least `least`."""
    value = params.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise PeerError("bad_request", f"{name} is {value!r}: it must be a whole number of at least {least}")
    return value


def token_ids(params: dict, name: str, vocab_size: int) -> list[int]:
    """A non-empty list of token ids below `vocab_size`."""
    ids = params.get(name)
    if not isinstance(ids, list) or not ids:
        raise PeerError("bad_request", f"{name} must be a list of at least one token id")
    for token in ids:
        if not isinstance(token, int) or isinstance(token, bool) or not 0 <= token < vocab_size:
            raise PeerError("bad_request", f"{name} has {token!r}, which is no id of this model's vocabulary of {vocab_size}")
    return ids


def _text(params: dict, name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise PeerError("bad_request", f"{name} is {value!r}: it must be a text")
    return value


def _one_of(params: dict, name: str, choices: tuple) -> str:
    value = _text(params, name)
    if value not in choices:
        raise PeerError("bad_request", f"{name} is {value!r}: take one of {', '.join(choices)}")
    return value


def _options(params: dict, backend: str) -> dict[str, str]:
    options = params.get("options") or {}
    if not isinstance(options, dict):
        raise PeerError("bad_request", "options is not a JSON object")
    for name, value in options.items():
        if name not in OPTIONS[backend]:
            raise PeerError("bad_request", f"backend {backend} has no option {name!r}: it has {', '.join(OPTIONS[backend])}")
        if not isinstance(value, str):
            raise PeerError("bad_request", f"option {name} is {value!r}: option values are texts")
    return dict(options)


def _openvino_model(params: dict) -> str:
    path = _text(params, "model")
    if not os.path.exists(path):
        raise PeerError("bad_request", f"model {path} does not exist: give an OpenVINO folder or a GGUF file")
    return path


def _model_folder(params: dict) -> str:
    folder = _text(params, "model")
    if not os.path.isdir(folder):
        raise PeerError("bad_request", f"model {folder} is not a folder: give a local Hugging Face folder, nothing is downloaded")
    path = os.path.join(folder, "config.json")
    try:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    except FileNotFoundError:
        hint = ", it looks like a folder for ONNX Runtime GenAI" if os.path.exists(os.path.join(folder, "genai_config.json")) else ""
        raise PeerError("bad_request", f"model {folder} has no config.json{hint}: give a Hugging Face folder") from None
    except (OSError, ValueError) as error:
        raise PeerError("bad_request", f"{path} cannot be read: {one_line(error)}") from None
    if not isinstance(config, dict):
        raise PeerError("bad_request", f"{path} is not a JSON object")
    if not any(name.endswith((".safetensors", ".bin")) for name in os.listdir(folder)):
        raise PeerError("bad_request", f"model {folder} has no weights (*.safetensors or *.bin)")
    return folder
