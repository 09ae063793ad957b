"""Backend `openvino`: OpenVINO GenAI's LLMPipeline, from an OpenVINO folder or from a GGUF file."""

from __future__ import annotations

import glob
import json
import os
import shutil
import sys
import tempfile

from .backends import Loaded
from .configs import folder_eos
from .errors import PeerError, one_line
from .generation import Generated, clock, readable
from .gguf import read_header
from .memory import processor_name
from .modules import require, version_text
from .requests import LoadRequest

_XML = "openvino_model.xml"
_GROUP = "dynamic_quantization_group_size"

# ggml's numbers of the types that its GGUF reader takes (F32 for norms and the embedding), and what a head of that type is called.
_F32 = 0
_GGUF_TYPES = {_F32: "f32", 1: "f16", 2: "q4_0", 3: "q4_1", 8: "q8_0"}
_PRECISIONS = {"f32": "fp32", "f16": "fp16", "q4_0": "int4", "q4_1": "int4", "q8_0": "int8"}


class OpenVinoDevice:
    """What the session asks of a device: its name; memory is not counted by OpenVINO."""

    def __init__(self, name: str | None):
        self.name = name

    def forget_peak(self) -> None: ...

    def release(self) -> None: ...

    def peak_bytes(self) -> None:
        return None


def load_openvino(request: LoadRequest) -> Loaded:
    """Loads the model. Errors: missing_module, no_device, unsupported (what it would compute wrongly), bad_request, failed."""
    path = find_model(request.model)
    facts = _gguf_facts(path) if path.endswith(".gguf") else _folder_facts(path)
    if facts["precision"] != request.precision:
        raise PeerError("bad_request", f"{path} holds {facts['precision']} weights, not {request.precision}: take that precision")
    numpy, openvino, openvino_genai = openvino_modules(request.backend)
    target, name = find_openvino_device(openvino, request.device, request.index())
    settings = _settings(request)
    pipeline = openvino_genai.LLMPipeline(path, target, **settings, **_scheduler(openvino_genai, request))
    eos = [token for token in facts["eos"] if 0 <= token < facts["vocab_size"]]
    graph = PromptLogits(path, target, settings, openvino, openvino_genai, numpy)
    loop = PipelineLoop(pipeline, openvino, openvino_genai, numpy, eos, graph)
    notes = [", ".join(f"{key} {value}" for key, value in {**settings, **facts["notes"]}.items())]
    if request.precision in ("int4", "int8") and _GROUP not in request.options:
        # Also with the f32 hint: on the CPU tokens then differ from those of exact activations.
        notes.append(f"activations are quantized as OpenVINO's default has it ({_GROUP.upper()}; option {_GROUP}=0 leaves them)")
    versions = {"openvino": version_text(openvino), "openvino-genai": version_text(openvino_genai)}
    cache = "paged" if settings["ATTENTION_BACKEND"] == "PA" else "dynamic"
    loaded = Loaded(pipeline, OpenVinoDevice(name), loop, facts["vocab_size"], eos, cache, versions, request.precision, notes)
    loaded.encode = _encoder(pipeline.get_tokenizer())
    return loaded


def openvino_modules(backend: str) -> tuple:
    """numpy, openvino and openvino_genai. Errors: missing_module, wrong_version."""
    return tuple(require(module, backend) for module in ("numpy", "openvino", "openvino_genai"))


def _encoder(tokenizer):
    def encode(text: str, add_bos: bool) -> list[int]:
        ids = [int(token) for token in tokenizer.encode(text, add_special_tokens=False).input_ids.data.reshape(-1)]
        return [tokenizer.get_bos_token_id(), *ids] if add_bos else ids

    return encode


def find_model(path: str) -> str:
    """The GGUF file, or the OpenVINO folder."""
    if os.path.isfile(path):
        return path
    if os.path.exists(os.path.join(path, _XML)):
        return path
    files = sorted(glob.glob(os.path.join(glob.escape(path), "*.gguf")))
    if len(files) == 1:
        return files[0]
    what = "several GGUF files: name one" if files else f"neither {_XML} nor a GGUF file"
    raise PeerError("bad_request", f"model {path} has {what}; `convert FOLDER --to gguf` makes one of a model folder")


def _gguf_facts(path: str) -> dict:
    """Vocabulary, EOS and precision of the file. Errors: unsupported, for what LLMPipeline 2026.4 would compute wrongly or die of."""
    header = read_header(path)
    keys, tensors = header.keys, header.tensors
    if keys.get("general.architecture") != "llama":
        raise _unsupported(path, f"its architecture is {keys.get('general.architecture')}, not llama")
    width, heads = int(keys.get("llama.embedding_length", 0)), int(keys.get("llama.attention.head_count", 0))
    size = int(keys.get("llama.attention.key_length", 0))
    if size and heads and size * heads != width:
        raise _unsupported(path, f"its heads are {size} wide, and OpenVINO GenAI takes {width} / {heads} = {width // heads} for that")
    if "rope_freqs.weight" in tensors or keys.get("llama.rope.scaling.type", "none") != "none":
        raise _unsupported(path, "its rotary embedding is scaled (rope_freqs, Llama 3.1 and 3.2), which OpenVINO GenAI does not read")
    if not isinstance(keys.get("tokenizer.ggml.tokens"), int):
        raise _unsupported(path, "it holds no vocabulary (tokenizer.ggml.tokens)")
    unknown = sorted({kind for kind in tensors.values() if kind not in _GGUF_TYPES})
    if unknown:
        raise _unsupported(path, f"it has tensors of ggml's type {unknown[0]}; F16, Q4_0, Q4_1 and Q8_0 are read")
    if any(kind == _F32 and name.startswith("blk.") and not name.endswith("norm.weight") for name, kind in tensors.items()):
        raise _unsupported(path, "its layers have F32 matrices, which its reader does not take; F16 ones it does")
    body = _GGUF_TYPES[tensors.get("blk.0.attn_q.weight", 0)]
    head = _GGUF_TYPES[tensors.get("output.weight", tensors.get("token_embd.weight", 0))]
    return {
        "vocab_size": keys["tokenizer.ggml.tokens"],
        "eos": [int(keys[key]) for key in ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id") if key in keys],
        "precision": _PRECISIONS[body],
        "notes": {"weights": body, "head": head},
    }


def _folder_facts(folder: str) -> dict:
    """Of a folder that optimum-intel made: config.json, and openvino_config.json for the weights' format."""
    try:
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            vocab_size = int(json.load(file)["vocab_size"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PeerError("bad_request", f"{os.path.join(folder, 'config.json')} tells no vocab_size: {one_line(error, 100)}") from None
    weights = _quantization(folder)
    bits = weights.get("bits")
    precision = {4: "int4", 8: "int8"}.get(bits) or {"float32": "fp32", "float16": "fp16"}.get(weights.get("dtype", "float32"), "fp32")
    notes = {"group_size": weights["group_size"]} if weights.get("group_size") else {}
    return {"vocab_size": vocab_size, "eos": folder_eos(folder, vocab_size), "precision": precision, "notes": notes}


def _quantization(folder: str) -> dict:
    """bits and group_size, or dtype, as optimum-intel's openvino_config.json says it; empty where it is not there."""
    try:
        with open(os.path.join(folder, "openvino_config.json"), encoding="utf-8") as file:
            config = json.load(file)
        return {"dtype": config.get("dtype") or "float32", **(config.get("quantization_config") or {})}
    except (OSError, ValueError, AttributeError):
        return {}


def _unsupported(path: str, why: str) -> PeerError:
    return PeerError("unsupported", f"OpenVINO GenAI would not compute {path} rightly: {why}; take an OpenVINO folder, or another model")


def find_openvino_device(openvino, device: str, index: int) -> tuple[str, str | None]:
    """OpenVINO's name of a device, and the device's own. Errors: no_device."""
    core = openvino.Core()
    kind = {"cpu": "CPU", "xpu": "GPU", "npu": "NPU"}[device]
    found = [target for target in core.available_devices if target.split(".")[0] == kind]
    if index >= len(found):
        there = ", ".join(core.available_devices) or "no device"
        raise PeerError("no_device", f"OpenVINO sees {there}, and device {kind} number {index} was asked for: check its driver")
    return found[index], processor_name() if kind == "CPU" else str(core.get_property(found[index], "FULL_DEVICE_NAME"))


def _settings(request: LoadRequest) -> dict:
    """Properties of the pipeline. Without the hint OpenVINO computes in bf16 or f16 where the device has it."""
    settings = {
        "INFERENCE_PRECISION_HINT": request.options.get("inference_precision", "f32" if request.device == "cpu" else "f16"),
        "ATTENTION_BACKEND": request.options.get("attention_backend", "PA" if request.device != "npu" else "SDPA"),
    }
    if request.threads and request.device == "cpu":
        settings["INFERENCE_NUM_THREADS"] = request.threads
    if _GROUP in request.options:
        settings[_GROUP.upper()] = request.options[_GROUP]
    return settings


def _scheduler(openvino_genai, request: LoadRequest) -> dict:
    """Paged attention keeps prefixes by default: the second time to the first token would be of a cache, with other tokens."""
    if _settings(request)["ATTENTION_BACKEND"] != "PA":
        return {}
    config = openvino_genai.SchedulerConfig()
    config.enable_prefix_caching = False
    config.max_num_batched_tokens = request.max_length
    return {"scheduler_config": config}


class PromptLogits:
    """Logits after a prompt, which LLMPipeline keeps to itself: from the graph that it makes of a GGUF file, or that a folder holds.

    The graph is compiled for the same device with the same properties, but for the pipeline's own attention, whose tokens are compared.
    """

    def __init__(self, path: str, target: str, settings: dict, openvino, openvino_genai, numpy):
        self._path, self._target, self._openvino, self._genai, self._numpy = path, target, openvino, openvino_genai, numpy
        self._settings = {key: value for key, value in settings.items() if key != "ATTENTION_BACKEND"}
        self._compiled = None

    def after(self, prompt: list[int]) -> list[float | None] | None:
        """None where the graph cannot be had or run: then tokens alone are told."""
        try:
            if self._compiled is None:
                self._compiled = self._compile()
            values = self._compiled.create_infer_request().infer(self._inputs(prompt))
            return readable(float(value) for value in values["logits"][0][-1])
        except (RuntimeError, OSError, KeyError, TypeError) as error:  # OpenVINO's own errors are RuntimeErrors
            print(f"no logits: {one_line(error)}", file=sys.stderr)
            return None

    def _inputs(self, prompt: list[int]) -> dict:
        length = len(prompt)
        rows = {"input_ids": [prompt], "attention_mask": [[1] * length], "position_ids": [list(range(length))]}
        inputs = {name: self._numpy.array(row, dtype=self._numpy.int64) for name, row in rows.items()}
        inputs["beam_idx"] = self._numpy.array([0], dtype=self._numpy.int32)
        names = {name for each in self._compiled.inputs for name in each.names}
        return {name: values for name, values in inputs.items() if name in names}

    def _compile(self):
        core = self._openvino.Core()
        if not self._path.endswith(".gguf"):
            return core.compile_model(os.path.join(self._path, _XML), self._target, self._settings)
        with tempfile.TemporaryDirectory(prefix="llama3perf-graph-") as folder:
            # The graph is written beside its file, as large as that: beside a link to it then.
            if shutil.disk_usage(folder).free < 2 * os.path.getsize(self._path):
                raise OSError(f"{folder} has no room for the graph of {self._path}")
            link = os.path.join(folder, "model.gguf")
            os.symlink(os.path.abspath(self._path), link)
            settings = {**self._settings, "ATTENTION_BACKEND": "SDPA", "enable_save_ov_model": True}
            self._genai.LLMPipeline(link, self._target, **settings)
            # Loaded before the folder goes, mapped as the weights may be.
            return core.compile_model(os.path.join(folder, _XML), self._target, {**self._settings, "ENABLE_MMAP": False})


class PipelineLoop:
    """Greedy generation through LLMPipeline; each token's time is the streamer's call. Same `run` as GreedyLoop."""

    def __init__(self, pipeline, openvino, openvino_genai, numpy, eos: list[int], graph: PromptLogits):
        self._pipeline, self._openvino, self._genai, self._numpy = pipeline, openvino, openvino_genai, numpy
        self._eos = eos
        self._graph = graph
        self._streamer = _streamer_type(openvino_genai)

    def run(self, prompt: list[int], new_tokens: int, ignore_eos: bool, last_logits: bool = False) -> Generated:
        config = self._genai.GenerationConfig()
        config.max_new_tokens = new_tokens
        config.min_new_tokens = new_tokens if ignore_eos else 0  # masks EOS, as the protocol wants; ignore_eos would let it be chosen
        config.apply_chat_template = False
        if self._eos:
            config.eos_token_id = self._eos[0]
            config.stop_token_ids = set(self._eos)
        inputs = self._openvino.Tensor(self._numpy.array([prompt], dtype=self._numpy.int64))
        streamer = self._streamer()
        start = clock()
        self._pipeline.generate(inputs, config, streamer)
        end = clock()
        if not streamer.times:
            raise RuntimeError("LLMPipeline generated no token")
        # The pipeline shows no end of its prompt call: the first token is the first sign of it.
        shown = self._graph.after(prompt) if last_logits else None
        return Generated(streamer.tokens, start, streamer.times[0], streamer.times, end, shown)


def _streamer_type(openvino_genai):
    class Stamps(openvino_genai.StreamerBase):
        """Keeps each token and when it came."""

        def __init__(self):
            super().__init__()
            self.tokens: list[int] = []
            self.times: list[int] = []

        def write(self, token):
            now = clock()
            new = [int(part) for part in token] if isinstance(token, (list, tuple)) else [int(token)]
            self.tokens += new
            self.times += [now] * len(new)
            return openvino_genai.StreamingStatus.RUNNING

        def end(self):
            pass

    return Stamps
