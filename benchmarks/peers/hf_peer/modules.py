"""Imports that answer: which package is missing or of the wrong version, and which file installs it."""

from __future__ import annotations

import importlib
import platform
import re
import sys
import traceback

from .errors import PeerError, one_line

# Libraries that come with a driver or with WSL, not with a package.
_DEVICE_LIBRARIES = ("libd3d12", "libdxcore", "dxcore.dll", "d3d12.dll")


def require(name: str, backend: str):
    """Imports a package. Errors: missing_module, or wrong_version where it is there and does not load."""
    requirements = f"benchmarks/peers/requirements-{backend}.txt"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise PeerError(
            "missing_module",
            f"{_because(name, error.name)} for {sys.executable} (Python {platform.python_version()}): "
            f"python -m pip install -r {requirements}",
        ) from None
    except (ImportError, OSError, AttributeError, RuntimeError) as error:
        traceback.print_exc(file=sys.stderr)
        if any(library in str(error).lower() for library in _DEVICE_LIBRARIES):
            raise PeerError(
                "no_device",
                f"the Python module {name} finds no DirectX 12 here ({one_line(error, 200)}): it needs Windows 10 or 11, or WSL 2 with a "
                "driver for DirectX 12",
            ) from None
        raise PeerError(
            "wrong_version",
            f"the Python module {name} is installed and does not import ({type(error).__name__}: {one_line(error, 200)}): "
            f"install the versions in {requirements} together, in an environment of their own",
        ) from None


def _because(name: str, missing: str | None) -> str:
    if missing in (None, name):
        return f"the Python module {name} is not installed"
    return f"the Python module {missing}, which {name} needs, is not installed"


def version_of(module) -> tuple[int, ...]:
    """The leading numbers of a module's version: '2.6.0+xpu' is (2, 6, 0)."""
    match = re.match(r"\d+(\.\d+)*", version_text(module))
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def version_text(module) -> str:
    """A module's version as it says it, or as its package's metadata does, or 'unknown'."""
    text = getattr(module, "__version__", None)
    if isinstance(text, str):
        return text
    from importlib import metadata

    try:
        return metadata.version(module.__name__.replace("_", "-"))
    except metadata.PackageNotFoundError:
        return "unknown"


def require_version(module, backend: str, least: tuple[int, ...], below: tuple[int, ...] | None, why: str) -> None:
    """Refuses a version outside [least, below). An unknown version passes: it may be a build of the user's own."""
    version = version_of(module)
    if version and (version < least or (below is not None and version >= below)):
        span = f"{_dotted(least)} or newer" if below is None else f"{_dotted(least)} or newer and older than {_dotted(below)}"
        raise PeerError(
            "wrong_version",
            f"{module.__name__} {version_text(module)} does not work with backend {backend} ({why}): "
            f"it needs {span}, see benchmarks/peers/requirements-{backend}.txt",
        )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
