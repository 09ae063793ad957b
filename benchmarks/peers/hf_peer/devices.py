"""Devices: found before the model is loaded, waited for before the clock is read, asked for their memory."""

from __future__ import annotations

from .errors import PeerError, one_line
from .memory import processor_name


class Device:
    """One device of torch. `target` is what tensors are moved to."""

    def __init__(self, torch, kind: str, target, name: str | None, held_bytes=None):
        self.torch = torch
        self.kind = kind
        self.target = target
        self.name = name
        # torch.cuda, torch.xpu or torch.mps; the CPU and DirectML have no such module.
        self._module = getattr(torch, kind, None) if kind in ("cuda", "xpu", "mps") else None
        self._held_bytes = held_bytes

    def finish(self, tensor) -> None:
        """Returns when `tensor` is computed. DirectML has no call that waits, so there one number of it is read back."""
        if self._module is not None:
            self._module.synchronize()
        elif self.kind == "dml":
            tensor.reshape(-1)[0].item()

    def forget_peak(self) -> None:
        """Starts a new peak of device memory."""
        reset = getattr(self._module, "reset_peak_memory_stats", None)
        if reset is not None:
            reset()

    def peak_bytes(self) -> int | None:
        """The most that torch's allocator held of the device's memory since `forget_peak`, or None where nobody counts."""
        if self._held_bytes is not None:
            return self._held_bytes()  # what is held now: the plugin keeps no peak and gives nothing back
        reserved = getattr(self._module, "max_memory_reserved", None)
        if reserved is not None:
            return int(reserved())
        driver = getattr(self._module, "driver_allocated_memory", None)  # mps: what is held now, it keeps no peak
        return int(driver()) if driver is not None else None

    def release(self) -> None:
        """Gives cached device memory back to the system."""
        empty = getattr(self._module, "empty_cache", None)
        if empty is not None:
            empty()


def find_device(torch, kind: str, index: int, directml=None) -> Device:
    """The device, or `no_device` with what was found instead."""
    if kind == "cpu":
        return Device(torch, kind, torch.device("cpu"), processor_name())
    if kind == "mps":
        return _metal(torch, index)
    if kind == "dml":
        return _directml(torch, directml, index)
    module = getattr(torch, kind, None)
    count = module.device_count() if module is not None and module.is_available() else 0
    if index >= count:
        found = f"torch {torch.__version__} sees {_count(count, kind)} and device_index is {index}"
        raise PeerError("no_device", f"{found}: {_other_index(count) or _hint(torch, kind)}")
    module.set_device(index)
    return Device(torch, kind, torch.device(kind, index), str(module.get_device_name(index)))


def _metal(torch, index: int) -> Device:
    backend = getattr(torch.backends, "mps", None)
    if backend is None or not backend.is_available() or index != 0:
        raise PeerError(
            "no_device", f"torch {torch.__version__} sees no Metal device {index}: it needs Apple silicon with macOS 12.3, or take device cpu"
        )
    return Device(torch, "mps", torch.device("mps"), "Apple Metal")


def _directml(torch, directml, index: int) -> Device:
    try:
        count = directml.device_count() if directml.is_available() else 0
        names = [str(directml.device_name(i)).rstrip("\0 ") for i in range(count)]
    except RuntimeError as error:  # a DXCore that is a stub: "unknown error"
        raise PeerError("no_device", f"torch-directml finds no DirectX 12 device ({one_line(error, 100)}): {_DIRECTX}") from None
    if index >= count:
        found = f"torch-directml sees {_count(count, 'DirectX 12')}{': ' + ', '.join(names) if names else ''}, and device_index is {index}"
        raise PeerError("no_device", f"{found}: {_other_index(count) or _DIRECTX}")
    return Device(torch, "dml", directml.device(index), names[index], lambda: _directml_bytes(directml, index))


_DIRECTX = "it needs Windows 10 or 11, or WSL 2, with a driver for DirectX 12"


def _directml_bytes(directml, index: int) -> int | None:
    """Device memory in tiles of one MiB. Several drivers answer zeros, which is no answer."""
    try:
        return int(sum(directml.gpu_memory(index, 1)) * (1 << 20)) or None
    except (RuntimeError, TypeError, AttributeError):
        return None


def _other_index(count: int) -> str | None:
    if count == 0:
        return None
    return "take device_index 0" if count == 1 else f"take a device_index from 0 to {count - 1}"


def _count(count: int, kind: str) -> str:
    return f"no {kind} device" if count == 0 else f"{count} {kind} device{'s' if count > 1 else ''}"


def _hint(torch, kind: str) -> str:
    built_for = getattr(getattr(torch, "version", None), kind, None)
    if kind == "cuda" and built_for is None:
        return "this torch was built without CUDA, install a CUDA build of it or take device cpu"
    if kind == "xpu" and not hasattr(torch, "xpu"):
        return "this torch was built without XPU, install it from the xpu index (see the requirements file)"
    return "check the GPU's driver, or take device cpu"
