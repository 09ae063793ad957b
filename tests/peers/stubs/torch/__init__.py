"""Stand-in for torch: nested lists with the few operators that the peer's loop uses."""

import contextlib
import os

__version__ = os.environ.get("STUB_TORCH", "2.11.0+stub")
long, float32, float16, bfloat16 = "long", "float32", "float16", "bfloat16"
inference_mode = no_grad = contextlib.nullcontext
_threads = 4


class OutOfMemoryError(RuntimeError):
    pass


class autocast(contextlib.nullcontext):
    def __init__(self, device_type, enabled=True):
        super().__init__()
        if device_type == "privateuseone":
            raise RuntimeError("User specified an unsupported autocast device_type 'privateuseone'")


class Tensor:
    def __init__(self, data):
        self.data = data

    def __getitem__(self, key):
        return Tensor(_take(self.data, key if isinstance(key, tuple) else (key,)))

    def __add__(self, other):
        return Tensor(_add(self.data, other.data))

    def __mul__(self, other):
        """Multiplied by booleans, a tensor of this stub is one of booleans: torch-directml's mistake."""
        return Tensor(_multiply(self.data, other.data))

    def __gt__(self, other):
        """Row by row, [n] against [m, 1]."""
        return Tensor([[column > row[0] for column in self.data] for row in other.data])

    def to(self, _target):
        return self

    def float(self):
        return self

    def tolist(self):
        return self.data

    def unsqueeze(self, _dim):
        return Tensor([self.data])

    def reshape(self, _size):
        return Tensor(list(_flat(self.data)))

    def argmax(self, dim, keepdim):
        assert dim == -1 and keepdim
        return Tensor([[row.index(max(row))] for row in self.data])

    def item(self):
        (value,) = _flat(self.data)
        return value


def _take(data, keys):
    if not keys:
        return data
    key, rest = keys[0], keys[1:]
    return [_take(part, rest) for part in data[key]] if isinstance(key, slice) else _take(data[key], rest)


def _add(a, b):
    return [_add(x, y) for x, y in zip(a, b)] if isinstance(a, list) else a + b


def _multiply(a, b):
    if isinstance(a, list):
        return [_multiply(x, y) for x, y in zip(a, b)]
    return bool(a) and b if isinstance(b, bool) else a * b


def _flat(data):
    if isinstance(data, list):
        for part in data:
            yield from _flat(part)
    else:
        yield data


def tensor(data, dtype=None):
    return Tensor(data)


def arange(count):
    return Tensor(list(range(count)))


class finfo:
    def __init__(self, _dtype):
        self.min = -65504.0


def device(kind, index=0):
    return f"{kind}:{index}"


def get_num_threads():
    return _threads


def set_num_threads(count):
    global _threads
    _threads = count


class cuda:
    device_count = staticmethod(lambda: int(os.environ.get("STUB_CUDA", "0")))
    is_available = staticmethod(lambda: cuda.device_count() > 0)
    set_device = staticmethod(lambda index: None)
    get_device_name = staticmethod(lambda index: f"Stub GPU {index}")
    synchronize = reset_peak_memory_stats = empty_cache = staticmethod(lambda: None)
    max_memory_reserved = staticmethod(lambda: 4096)


class backends:
    pass


class version:
    cuda = None
