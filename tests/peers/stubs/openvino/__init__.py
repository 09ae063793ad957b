"""Stand-in for openvino with a CPU, where STUB_OPENVINO_GPUS says so GPUs, and with STUB_OPENVINO_GRAPH=1 a graph that can be run."""

import math
import os

__version__ = "2026.4.1"


class Core:
    def __init__(self):
        gpus = int(os.environ.get("STUB_OPENVINO_GPUS", "0"))
        self.available_devices = ["CPU"] + (["GPU"] if gpus == 1 else [f"GPU.{i}" for i in range(gpus)])

    def get_property(self, device, name):
        assert name == "FULL_DEVICE_NAME"
        return f"Stub {device}"

    def compile_model(self, path, device, settings):
        if not os.path.isfile(path):
            raise RuntimeError(f"Could not open the file: {path}")
        if os.environ.get("STUB_OPENVINO_GRAPH") != "1":
            raise RuntimeError("no such operator")
        return Compiled()


class Input:
    def __init__(self, name):
        self.names = {name}


class Compiled:
    """A graph without beam_idx, as stateless ones are: logit i after a prompt is its length times i, and the last one is no number."""

    inputs = [Input(name) for name in ("input_ids", "attention_mask", "position_ids")]

    def create_infer_request(self):
        return self

    def infer(self, inputs):
        assert set(inputs) == {"input_ids", "attention_mask", "position_ids"}
        ((ids,), (mask,), (places,)) = inputs.values()
        assert mask == [1] * len(ids) and places == list(range(len(ids)))
        return {"logits": [[[], [float(len(ids) * i) for i in range(63)] + [math.inf]]]}


class Tensor:
    def __init__(self, data):
        self.data = data
