"""Stand-in for openvino with a CPU and, where STUB_OPENVINO_GPUS says so, GPUs."""

import os

__version__ = "2026.4.1"


class Core:
    def __init__(self):
        gpus = int(os.environ.get("STUB_OPENVINO_GPUS", "0"))
        self.available_devices = ["CPU"] + (["GPU"] if gpus == 1 else [f"GPU.{i}" for i in range(gpus)])

    def get_property(self, device, name):
        assert name == "FULL_DEVICE_NAME"
        return f"Stub {device}"


class Tensor:
    def __init__(self, data):
        self.data = data
