"""Stand-in for torch_directml with one device."""

import os

__version__ = "0.2.5.dev240914"

if os.environ.get("STUB_DIRECTML") == "no-library":
    raise OSError("libd3d12.so: cannot open shared object file: No such file or directory")


def is_available():
    if os.environ.get("STUB_DIRECTML") == "stubbed-dxcore":
        raise RuntimeError("unknown error")
    return True


def device_count():
    return 1


def device_name(index):
    return f"Stub adapter {index}\0"


def device(index):
    return f"privateuseone:{index}"


def gpu_memory(device_id, mb_per_tile):
    assert mb_per_tile == 1
    return [0.5, 1.0, 0.0]


def disable_tiled_resources(is_disabled):
    from transformers import log

    log(tiled_resources_disabled=is_disabled)
