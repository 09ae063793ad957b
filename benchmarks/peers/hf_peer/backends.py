"""The three ways to a loaded model. Each returns a `Loaded`; all of them generate with the same loop."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from .devices import Device, find_device
from .errors import PeerError, one_line
from .generation import DynamicCaches, GivenCaches, GreedyLoop, StaticCaches
from .modules import require, require_version, version_of, version_text
from .requests import LoadRequest

DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}

# IPEX-LLM's names of weight formats for the protocol's precisions.
LOW_BIT = {"int4": "sym_int4", "int8": "sym_int8", "fp16": "fp16", "bf16": "bf16"}


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
    warnings: list[str] = field(default_factory=list)


def load(request: LoadRequest) -> Loaded:
    """Loads the model. Errors: missing_module, wrong_version, no_device, out_of_memory, failed."""
    return {"transformers": _transformers, "ipex-llm": _ipex_llm, "torch-directml": _torch_directml}[request.backend](request)


def _transformers(request: LoadRequest) -> Loaded:
    torch, transformers = require("torch", request.backend), require("transformers", request.backend)
    require_version(torch, request.backend, (2, 2), None, "its attention and bf16 kernels are too old")
    require_version(transformers, request.backend, (4, 44), None, "its static KV cache is not settled")
    device = find_device(torch, request.device, request.index())
    _set_threads(torch, request)
    model = _from_folder(torch, transformers, request, default_attention="sdpa").to(device.target)
    static = request.flag("static_cache", request.device != "mps")
    caches = StaticCaches(transformers, model, device, request.max_length) if static else DynamicCaches(transformers, model.config)
    decode = _compiled(torch, model, request, static)
    no_gradients = torch.no_grad if decode else torch.inference_mode  # torch.compile is not at home with inference tensors
    return _ready(torch, model, device, caches, no_gradients, (torch, transformers), _cpu_fp16(request), decode)


def _torch_directml(request: LoadRequest) -> Loaded:
    torch = require("torch", request.backend)
    directml, transformers = require("torch_directml", request.backend), require("transformers", request.backend)
    require_version(torch, request.backend, (2, 0), (2, 5), "torch-directml's last version is built for torch 2.4.1")
    require_version(transformers, request.backend, (4, 44), (5,), "5 is made for newer versions of torch")
    device = find_device(torch, "dml", request.index(), directml)
    _set_threads(torch, request)
    _let_autocast_be_switched_off(torch)
    # Attention from plain operators: the fused one has no kernel there. No static cache by default: it writes with index_copy_, for
    # which the plugin may fall back to the CPU at every token.
    model = _from_folder(torch, transformers, request, default_attention="eager").to(device.target)
    static = request.flag("static_cache", False)
    caches = StaticCaches(transformers, model, device, request.max_length) if static else DynamicCaches(transformers, model.config)
    # inference_mode fails on this device ("Cannot set version_counter for inference tensor", microsoft/DirectML issue 602).
    return _ready(torch, model, device, caches, torch.no_grad, (torch, directml, transformers), [])


def _ipex_llm(request: LoadRequest) -> Loaded:
    torch = require("torch", request.backend)
    transformers = require("transformers", request.backend)
    # Before ipex_llm: it patches transformers while it is imported, and fails inside with others.
    require_version(transformers, request.backend, (4, 36), (4, 48), "IPEX-LLM replaces Llama's attention, whose form changed in 4.48")
    package = require("ipex_llm", request.backend)  # also imports intel_extension_for_pytorch, which brings torch.xpu to torch 2.1
    auto_model = require("ipex_llm.transformers", request.backend).AutoModelForCausalLM
    device = find_device(torch, request.device, request.index())
    _set_threads(torch, request)
    with _import_errors_named(request):
        model = auto_model.from_pretrained(request.model, **ipex_arguments(request)).eval()
    if request.device == "xpu":
        # As in IPEX-LLM's own examples: what is not in low bits (norms, embedding) in fp16. bf16 stays what it is.
        model = (model if request.precision == "bf16" else model.half()).to(device.target)
    return _ready(torch, model, device, GivenCaches(), torch.inference_mode, (torch, package, transformers), _archived())


def ipex_arguments(request: LoadRequest) -> dict:
    """Arguments of IPEX-LLM's from_pretrained for a precision and options."""
    arguments = {
        "optimize_model": request.flag("optimize_model", True),
        "use_cache": True,
        "trust_remote_code": False,
        "local_files_only": True,
    }
    low_bit = request.options.get("load_in_low_bit", LOW_BIT[request.precision])
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


def _archived() -> list[str]:
    return ["IPEX-LLM is archived by Intel and no longer maintained"]


def _from_folder(torch, transformers, request: LoadRequest, default_attention: str):
    """transformers' own model, in eval mode, still on the CPU."""
    dtype_name = "dtype" if version_of(transformers) >= (4, 56) else "torch_dtype"
    arguments = {
        dtype_name: getattr(torch, DTYPES[request.precision]),
        "attn_implementation": request.options.get("attn_implementation", default_attention),
        "local_files_only": True,
        "trust_remote_code": False,
    }
    with _import_errors_named(request):
        return transformers.AutoModelForCausalLM.from_pretrained(request.model, **arguments).eval()


@contextlib.contextmanager
def _import_errors_named(request: LoadRequest):
    """transformers says only while it loads that a package it wants is missing (accelerate) or too old (torch)."""
    try:
        yield
    except ImportError as error:
        raise PeerError(
            "missing_module", f"{one_line(error, 250)}: python -m pip install -r benchmarks/peers/requirements-{request.backend}.txt"
        ) from error


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


def _ready(torch, model, device, caches, no_gradients, modules, warnings, decode=None) -> Loaded:
    vocab_size = int(model.config.vocab_size)
    eos = eos_token_ids(model, vocab_size)
    loop = GreedyLoop(torch, model, device, caches, vocab_size, eos, no_gradients, decode)
    versions = {module.__name__.replace("_", "-"): version_text(module) for module in modules}
    return Loaded(model, device, loop, vocab_size, eos, caches.kind, versions, warnings)


def eos_token_ids(model, vocab_size: int) -> list[int]:
    """The ids that end a text, from the generation config, else from the model's; ids outside the vocabulary left out."""
    for config in (getattr(model, "generation_config", None), model.config):
        ids = getattr(config, "eos_token_id", None)
        if ids is not None:
            return [token for token in (ids if isinstance(ids, (list, tuple)) else [ids]) if 0 <= token < vocab_size]
    return []
