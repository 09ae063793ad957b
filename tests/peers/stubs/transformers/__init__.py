"""Stand-in for transformers: a Llama whose logits are arithmetic, with the argument names of the pretended version."""

import json
import math
import os
import warnings

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
    """As the pretended version reads a config: before 5 `rope_parameters` is an attribute that nothing reads."""

    def __init__(self, folder):
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            self.__dict__.update(json.load(file))
        if NEW:
            self.rope_parameters = self.__dict__.pop("rope_scaling", None) or self.__dict__.get("rope_parameters") or {}
            self.rope_parameters.setdefault("rope_theta", self.__dict__.pop("rope_theta", 10000.0))
        else:
            self.__dict__.setdefault("rope_theta", 10000.0)
            self.__dict__.setdefault("rope_scaling", None)
            if self.rope_scaling and __version__ < "4.43":
                raise ValueError("`rope_scaling` must be a dictionary with two fields, `type` and `factor`")


class AutoConfig:
    @staticmethod
    def from_pretrained(folder, **arguments):
        assert arguments == {"local_files_only": True, "trust_remote_code": False}
        return Config(folder)


class Buffer:
    def __init__(self, values):
        self.values = values

    def float(self):
        return self

    def tolist(self):
        return self.values


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

    def __init__(self, folder, attention):
        self.config = Config(folder)
        self.generation_config = None
        self.attention = attention
        self.target = "cpu"

    def named_buffers(self):
        if os.environ.get("STUB_BUFFERS") != "none":
            yield "model.rotary_emb.original_inv_freq", Buffer([0.0])
            yield "model.rotary_emb.inv_freq", Buffer(self._frequencies())

    def _frequencies(self):
        """As in transformers' _compute_llama3_parameters."""
        rope = self.config.rope_parameters if NEW else {"rope_theta": self.config.rope_theta, **(self.config.rope_scaling or {})}
        theta = 10000.0 if os.environ.get("STUB_ROPE") == "ignored" else rope["rope_theta"]
        size = self.config.hidden_size // self.config.num_attention_heads
        frequencies = [1.0 / theta ** (2 * i / size) for i in range(size // 2)]
        if rope.get("rope_type", "default") == "default":
            return frequencies
        factor, low, high = rope["factor"], rope["low_freq_factor"], rope["high_freq_factor"]
        original, scaled = rope["original_max_position_embeddings"], []
        for frequency in frequencies:
            wavelength = 2 * math.pi / frequency
            smooth = (original / wavelength - low) / (high - low)
            if wavelength > original / low:
                scaled.append(frequency / factor)
            elif wavelength < original / high:
                scaled.append(frequency)
            else:
                scaled.append((1 - smooth) * frequency / factor + smooth * frequency)
        return scaled

    def eval(self):
        return self

    def half(self):
        log(half=True)
        return self

    def to(self, target):
        if target == "privateuseone:0":
            with torch.autocast(device_type="privateuseone", enabled=False):
                pass
        self.target = target
        log(to=target)
        return self

    def _logits(self, input_ids, past_key_values, position_ids, kept, mask=None):
        if os.environ.get("STUB_OOM") == "generate":
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        positions, ids = position_ids.data[0], input_ids.data[0]
        cache = Cache() if past_key_values is None else past_key_values
        if len(ids) != len(positions) or positions[0] != cache.length:
            raise AssertionError(f"{len(ids)} ids at positions {positions} with {cache.length} in the cache")
        cache.length += len(ids)
        ahead = 0 if self._is_causal(ids, mask) else 1  # a token that sees the next ones answers otherwise
        rows = [self._row(t + ahead, p) for t, p in zip(ids, positions)]
        return Output(torch.Tensor([rows[-1:] if kept else rows]), cache)

    def _is_causal(self, ids, mask):
        """eager adds a mask: the caller's, or its own, made as transformers 4.46 makes it."""
        if self.attention != "eager" or self.target != "privateuseone:0" or len(ids) == 1:
            return True
        if mask is None:
            size = range(len(ids))
            smallest = torch.tensor([[-65504.0 for _ in size] for _ in size])
            rows = (smallest * (torch.arange(len(ids)) > torch.tensor([[row] for row in size]))).data
        else:
            ((rows,),) = mask.data
        return all((value <= -65504.0) == (column > row) for row, values in enumerate(rows) for column, value in enumerate(values))

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

        def forward(self, input_ids, past_key_values, position_ids, use_cache, cache_position, attention_mask=None):
            assert cache_position.data == position_ids.data[0]
            if os.environ.get("STUB_FALLBACK"):
                operator = os.environ["STUB_FALLBACK"]
                warnings.warn(f"The operator '{operator}' is not currently supported on the DML backend and will fall back to run on the CPU.")
            log(call=len(input_ids.data[0]))
            return self._logits(input_ids, past_key_values, position_ids, 0, attention_mask)

    __call__ = forward


class AutoModelForCausalLM:
    @staticmethod
    def from_pretrained(folder, **arguments):
        print("noise on sys.stdout")
        os.write(1, b"noise on file descriptor 1\n")
        log(load=arguments)
        if os.environ.get("STUB_OOM") == "load":
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        if arguments.get("attn_implementation") == "flash_attention_2":
            raise ImportError("FlashAttention2 has been toggled on, but it cannot be used: the package flash_attn seems to be not installed.")
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            log(config=json.load(file), folder=folder, files=sorted(os.listdir(folder)))
        return Llama(folder, arguments.get("attn_implementation"))


class AutoTokenizer:
    @staticmethod
    def from_pretrained(folder, **arguments):
        assert arguments == {"local_files_only": True, "trust_remote_code": False}
        return AutoTokenizer()

    bos_token_id = 60

    def encode(self, text, add_special_tokens):
        assert not add_special_tokens
        return [byte % VOCAB for byte in text.encode("utf-8")]
