"""Stand-in for transformers: a Llama whose logits are arithmetic, with the argument names of the pretended version."""

import json
import os

import torch

__version__ = os.environ.get("STUB_TRANSFORMERS", "5.17.0")
NEW = __version__.startswith("5")
VOCAB, EOS = 64, 63


def log(**entry):
    path = os.environ.get("STUB_LOG")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry, default=str) + "\n")


class Config:
    def __init__(self, folder):
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            self.__dict__.update(json.load(file))


class Cache:
    def __init__(self):
        self.length = 0

    def reset(self):
        self.length = 0


class DynamicCache(Cache):
    pass  # no arguments, as before 4.56


if NEW:

    class StaticCache(Cache):
        def __init__(self, config, max_cache_len):
            super().__init__()
            log(static=max_cache_len)
else:

    class StaticCache(Cache):
        def __init__(self, config, batch_size, max_cache_len, device, dtype):
            super().__init__()
            log(static=max_cache_len, batch_size=batch_size)


class Output:
    def __init__(self, logits, past_key_values):
        self.logits = logits
        self.past_key_values = past_key_values


class Llama:
    dtype = torch.float32
    own_cache = False

    def __init__(self, folder):
        self.config = Config(folder)
        self.generation_config = None

    def eval(self):
        return self

    def half(self):
        log(half=True)
        return self

    def to(self, target):
        if target == "privateuseone:0":
            with torch.autocast(device_type="privateuseone", enabled=False):
                pass
        log(to=target)
        return self

    def _logits(self, input_ids, past_key_values, position_ids, kept):
        if os.environ.get("STUB_OOM") == "generate":
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        positions, ids = position_ids.data[0], input_ids.data[0]
        cache = Cache() if past_key_values is None else past_key_values
        if len(ids) != len(positions) or positions[0] != cache.length:
            raise AssertionError(f"{len(ids)} ids at positions {positions} with {cache.length} in the cache")
        cache.length += len(ids)
        rows = [self._row(t, p) for t, p in zip(ids, positions)]
        return Output(torch.Tensor([rows[-1:] if kept else rows]), cache)

    @staticmethod
    def _row(token, position):
        row = [0.0] * VOCAB
        row[(3 * token + position) % (VOCAB - 1)] = 1.0
        row[EOS] = 2.0 if position % 5 == 4 else 0.0
        return row

    if NEW:

        def forward(self, input_ids, past_key_values, position_ids, use_cache, logits_to_keep=0, **kwargs):
            log(call=len(input_ids.data[0]), keep=logits_to_keep, extra=sorted(kwargs))
            return self._logits(input_ids, past_key_values, position_ids, logits_to_keep)
    else:

        def forward(self, input_ids, past_key_values, position_ids, use_cache, cache_position):
            assert cache_position.data == position_ids.data[0]
            log(call=len(input_ids.data[0]))
            return self._logits(input_ids, past_key_values, position_ids, 0)

    __call__ = forward


class AutoModelForCausalLM:
    @staticmethod
    def from_pretrained(folder, **arguments):
        print("noise on sys.stdout")
        os.write(1, b"noise on file descriptor 1\n")
        log(load=arguments)
        if os.environ.get("STUB_OOM") == "load":
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return Llama(folder)


class AutoTokenizer:
    @staticmethod
    def from_pretrained(folder, **arguments):
        assert arguments == {"local_files_only": True, "trust_remote_code": False}
        return AutoTokenizer()

    bos_token_id = 60

    def encode(self, text, add_special_tokens):
        assert not add_special_tokens
        return [byte % VOCAB for byte in text.encode("utf-8")]
