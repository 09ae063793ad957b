"""The ways to a loaded model. Each returns a `Loaded`; all of them generate with the same loop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from .configs import check_rotary, facts_of, folder_eos, loadable_folder, read_config
from .devices import Device, find_device
from .errors import PeerError, one_line
from .generation import DynamicCaches, GivenCaches, GreedyLoop, StaticCaches
from .modules import require, require_version, version_of, version_text
from .requests import LoadRequest

DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}

# IPEX-LLM's names of weight formats for the protocol's precisions.
LOW_BIT = {"int4": "sym_int4", "int8": "sym_int8", "fp16": "fp16", "bf16": "bf16"}
PRECISION_OF_LOW_BIT = {"asym_int4": "int4", **{low_bit: precision for precision, low_bit in LOW_BIT.items()}}

# The formats whose CPU kernels compute (2.2.0): nf3, nf4, fp4, fp8 and fp16 load and fail at the first token, fp6 and q4_k abort.
CPU_LOW_BIT = ("sym_int4", "asym_int4", "sym_int5", "asym_int5", "sym_int8", "bf16")

DEFAULT_ATTENTION = "sdpa"


@dataclass
class Loaded:
    """A model on its device, ready to generate."""

    model: object
    device: Device
    loop: GreedyLoop
    vocab_size: int
    eos_token_ids: list[int]
    kv_cache: str
    versions: dict[str, str]
    precision: str
    warnings: list[str] = field(default_factory=list)
    encode: Callable[[str, bool], list[int]] | None = None  # the library's own tokenizer, where it has one


def load(request: LoadRequest) -> Loaded:
    """Loads the model. Errors: missing_module, wrong_version, no_device, out_of_memory, failed."""
    if request.backend == "openvino":
        from .openvino import load_openvino  # it makes a Loaded too

        return load_openvino(request)
    return _WAYS[request.backend][0](request)


def torch_modules(backend: str) -> tuple:
    """The packages of a backend on torch, torch first. Errors: missing_module, wrong_version, no_device."""
    return _WAYS[backend][1](backend)


def transformers_modules(backend: str) -> tuple:
    """torch and transformers. Errors: missing_module, wrong_version."""
    torch, transformers = require("torch", backend), require("transformers", backend)
    require_version(torch, backend, (2, 2), None, "its attention and bf16 kernels are too old")
    require_version(transformers, backend, (4, 44), None, "its static KV cache is not settled")
    return torch, transformers


def directml_modules(backend: str) -> tuple:
    """torch, torch_directml and transformers. Errors: missing_module, wrong_version, no_device."""
    torch = require("torch", backend)
    directml, transformers = require("torch_directml", backend), require("transformers", backend)
    require_version(torch, backend, (2, 0), (2, 5), "torch-directml's last version is built for torch 2.4.1")
    require_version(transformers, backend, (4, 44), (5,), "5 is made for newer versions of torch")
    return torch, directml, transformers


def ipex_modules(backend: str) -> tuple:
    """torch, ipex_llm and transformers. Errors: missing_module, wrong_version."""
    torch, transformers = require("torch", backend), require("transformers", backend)
    # Before ipex_llm: it patches transformers while it is imported, and fails inside with others.
    require_version(transformers, backend, (4, 36), (4, 48), "IPEX-LLM replaces Llama's attention, whose form changed in 4.48")
    package = require("ipex_llm", backend)  # also imports intel_extension_for_pytorch, which brings torch.xpu to torch 2.1
    return torch, package, transformers


def _transformers(request: LoadRequest) -> Loaded:
    torch, transformers = transformers_modules(request.backend)
    device = find_device(torch, request.device, request.index())
    _set_threads(torch, request)
    notes = _cpu_fp16(request)
    model = _from_folder(torch, transformers, request, notes).to(device.target)
    static = request.flag("static_cache", request.device != "mps")
    caches = StaticCaches(transformers, model, device, request.max_length) if static else DynamicCaches(transformers, model.config)
    decode = _compiled(torch, model, request, static)
    no_gradients = torch.no_grad if decode else torch.inference_mode  # torch.compile is not at home with inference tensors
    return _ready(torch, model, device, request, caches, no_gradients, (torch, transformers), notes, decode)


def _torch_directml(request: LoadRequest) -> Loaded:
    torch, directml, transformers = directml_modules(request.backend)
    if not request.flag("tiled_resources", True):
        directml.disable_tiled_resources(True)  # before the first tensor, or it counts for nothing
    device = find_device(torch, "dml", request.index(), directml)
    _set_threads(torch, request)
    _let_autocast_be_switched_off(torch)
    notes = []
    model = _from_folder(torch, transformers, request, notes).to(device.target)
    # A cache that grows: a static one writes with index_copy_, which the plugin computes wrongly. No inference_mode: it fails on this
    # device ("Cannot set version_counter for inference tensor", microsoft/DirectML issue 602).
    caches = DynamicCaches(transformers, model.config)
    return _ready(torch, model, device, request, caches, torch.no_grad, (torch, directml, transformers), notes, mask=_own_mask(request))


def _own_mask(request: LoadRequest) -> bool:
    """Whether the loop masks the prompt's attention itself.

    transformers 4.46 makes the mask of `eager` with `causal_mask *= positions > ...`; on this plugin float * bool is bool, and the mask
    adds 1 where it should add the smallest float. `sdpa` is given none and is causal by itself.
    """
    return request.options.get("attn_implementation", DEFAULT_ATTENTION) != DEFAULT_ATTENTION


def _ipex_llm(request: LoadRequest) -> Loaded:
    arguments = ipex_arguments(request)
    torch, package, transformers = ipex_modules(request.backend)
    auto_model = require("ipex_llm.transformers", request.backend).AutoModelForCausalLM
    device = find_device(torch, request.device, request.index())
    _set_threads(torch, request)
    notes = ["IPEX-LLM is archived by Intel and no longer maintained"]
    model = _checked_model(auto_model, transformers, request, arguments, notes)
    if request.device == "xpu":
        # As in IPEX-LLM's own examples: what is not in low bits (norms, embedding) in fp16. bf16 stays what it is.
        model = (model if low_bit_of(request) == "bf16" else model.half()).to(device.target)
    loaded = _ready(torch, model, device, request, GivenCaches(), torch.inference_mode, (torch, package, transformers), notes)
    loaded.precision = PRECISION_OF_LOW_BIT.get(low_bit_of(request), low_bit_of(request))
    return loaded


def low_bit_of(request: LoadRequest) -> str:
    """IPEX-LLM's name of the weight format. Errors: unsupported, where it loads a format and cannot compute with it."""
    low_bit = request.options.get("load_in_low_bit", LOW_BIT[request.precision])
    if request.device == "cpu" and low_bit not in CPU_LOW_BIT:
        raise PeerError(
            "unsupported",
            f"ipex-llm does not compute load_in_low_bit={low_bit} on the CPU (it loads some formats and fails at the first token): "
            f"take one of {', '.join(CPU_LOW_BIT)}, or device xpu",
        )
    return low_bit


def ipex_arguments(request: LoadRequest) -> dict:
    """Arguments of IPEX-LLM's from_pretrained for a precision and options."""
    arguments = {
        "optimize_model": request.flag("optimize_model", True),
        "use_cache": True,
        "trust_remote_code": False,
        "local_files_only": True,
    }
    low_bit = low_bit_of(request)
    if low_bit == "sym_int4":
        arguments["load_in_4bit"] = True
    else:
        arguments["load_in_low_bit"] = low_bit
    if request.flag("cpu_embedding", False):
        arguments["cpu_embedding"] = True
    if "attn_implementation" in request.options:
        arguments["attn_implementation"] = request.options["attn_implementation"]
    return arguments


def _cpu_fp16(request: LoadRequest) -> list[str]:
    slow = (request.device, request.precision) == ("cpu", "fp16")
    return ["fp16 on the CPU is slow where the processor has no fp16 instructions: fp32 or bf16 may be faster"] if slow else []


def _from_folder(torch, transformers, request: LoadRequest, notes: list[str]):
    """transformers' own model, in eval mode, still on the CPU."""
    dtype_name = "dtype" if version_of(transformers) >= (4, 56) else "torch_dtype"
    arguments = {
        dtype_name: getattr(torch, DTYPES[request.precision]),
        "attn_implementation": request.options.get("attn_implementation", DEFAULT_ATTENTION),
        "local_files_only": True,
        "trust_remote_code": False,
    }
    return _checked_model(transformers.AutoModelForCausalLM, transformers, request, arguments, notes)


def _checked_model(auto_model, transformers, request: LoadRequest, arguments: dict, notes: list[str]):
    """The model of the folder as its config means it; what had to be done for that is added to the notes."""
    with loadable_folder(transformers, request.model, notes) as folder, _import_errors_named(request):
        model = auto_model.from_pretrained(folder, **arguments).eval()
    check_rotary(model, facts_of(read_config(request.model).get), notes)
    return model


@contextlib.contextmanager
def _import_errors_named(request: LoadRequest):
    """transformers says only while it loads that a package it wants is missing (accelerate) or too old (torch)."""
    try:
        yield
    except ImportError as error:
        attention = request.options.get("attn_implementation", "")
        help = (
            f"{attention} is a package of its own (pip install flash-attn, for CUDA), or take attn_implementation=sdpa"
            if attention.startswith("flash")
            else f"python -m pip install -r benchmarks/peers/requirements-{request.backend}.txt"
        )
        raise PeerError("missing_module", f"{one_line(error, 250)}: {help}") from error


def _compiled(torch, model, request: LoadRequest, static: bool):
    """The decode step through torch.compile, or None. Only a cache of a fixed length keeps its shapes from token to token."""
    if not request.flag("compile", False):
        return None
    if not static:
        raise PeerError("bad_request", "option compile=1 needs static_cache=1")
    mode = request.options.get("compile_mode", "reduce-overhead" if request.device == "cuda" else "default")
    return torch.compile(model.forward, mode=mode)


def _let_autocast_be_switched_off(torch) -> None:
    """transformers turns autocast off around its rotary embedding, and torch 2.4 refuses even that for DirectML's device type.

    Autocast is never on here, so that nothing is what the call would do.
    """
    real = torch.autocast
    if getattr(real, "passes_directml", False):
        return

    def autocast(device_type, *args, **kwargs):
        if device_type == "privateuseone" and kwargs.get("enabled") is False:
            return contextlib.nullcontext()
        return real(device_type, *args, **kwargs)

    autocast.passes_directml = True
    torch.autocast = autocast


_default_threads: int | None = None


def _set_threads(torch, request: LoadRequest) -> None:
    """Sets torch's threads; None is torch's own choice, also after a load that asked for another number."""
    global _default_threads
    if _default_threads is None:
        _default_threads = torch.get_num_threads()
    torch.set_num_threads(request.threads or _default_threads)


def _ready(torch, model, device, request, caches, no_gradients, modules, notes, decode=None, mask=False) -> Loaded:
    vocab_size = int(model.config.vocab_size)
    eos = folder_eos(request.model, vocab_size)
    taken = _eos_taken(model)
    if taken is not None and sorted(taken) != sorted(eos):
        notes.append(f"the library would end a text at the ids {sorted(taken)}, the model's folder says {sorted(eos)}, which count here")
    loop = GreedyLoop(torch, model, device, caches, vocab_size, eos, no_gradients, decode, mask)
    versions = {module.__name__.replace("_", "-"): version_text(module) for module in modules}
    return Loaded(model, device, loop, vocab_size, eos, caches.kind, versions, request.precision, notes)


def _eos_taken(model) -> list[int] | None:
    for config in (getattr(model, "generation_config", None), model.config):
        ids = getattr(config, "eos_token_id", None)
        if ids is not None:
            return list(ids) if isinstance(ids, (list, tuple)) else [ids]
    return None


# What loads each backend on torch, and what imports its packages.
_WAYS = {
    "transformers": (_transformers, transformers_modules),
    "torch-directml": (_torch_directml, directml_modules),
    "ipex-llm": (_ipex_llm, ipex_modules),
}
