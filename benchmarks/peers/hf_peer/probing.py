"""What a backend could do here, tried without a model: its packages are imported and its devices counted."""

from __future__ import annotations

import platform

from .backends import torch_modules
from .devices import find_device
from .errors import PeerError
from .modules import version_text
from .openvino import find_openvino_device, openvino_modules
from .requests import OPTIONS, SUPPORT


def probe(params: dict) -> dict:
    """The first device of a kind. Errors: bad_request, unsupported, missing_module, wrong_version, no_device."""
    backend, device = params.get("backend"), params.get("device")
    if backend not in SUPPORT:
        raise PeerError("bad_request", f"backend is {backend!r}: take one of {', '.join(SUPPORT)}")
    if device not in SUPPORT[backend]:
        raise PeerError("unsupported", f"backend {backend} has no device {device!r}: take one of {', '.join(SUPPORT[backend])}")
    if backend == "openvino":
        modules = openvino_modules(backend)
        name = find_openvino_device(modules[1], device, 0)[1]
    else:
        modules, name = _torch_device(backend, device)
    return {
        "device_name": name,
        "versions": {"python": platform.python_version(), **{part.__name__.replace("_", "-"): version_text(part) for part in modules}},
        "precisions": list(SUPPORT[backend][device]),
        "options": list(OPTIONS[backend]),
    }


def _torch_device(backend: str, device: str):
    modules = torch_modules(backend)
    directml = modules[1] if backend == "torch-directml" else None
    return modules, find_device(modules[0], device, 0, directml).name
