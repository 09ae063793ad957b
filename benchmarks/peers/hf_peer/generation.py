"""One greedy loop for every backend, with the clock around it."""

from __future__ import annotations

import gc
import inspect
import math
import time
from dataclasses import dataclass

clock = time.perf_counter_ns


@dataclass(frozen=True)
class Generated:
    """New tokens and when they came; times are nanoseconds of `time.perf_counter_ns`. Logits are those after the prompt, None unasked."""

    tokens: list[int]
    start_ns: int
    prefill_end_ns: int
    token_ns: list[int]
    end_ns: int
    last_logits: list[float | None] | None = None


def readable(logits) -> list[float | None]:
    """Logits for JSON, which has no word for what is no number."""
    return [value if math.isfinite(value) else None for value in logits]


class GreedyLoop:
    """Batch 1, greedy, one forward call a token; nothing of `model.generate` is in the measured time."""

    def __init__(self, torch, model, device, caches, vocab_size: int, eos_token_ids: list[int], no_gradients, decode=None, mask=False):
        self._torch = torch
        self._device = device
        self._caches = caches
        self._eos = frozenset(eos_token_ids)
        self._no_gradients = no_gradients  # torch.inference_mode, or torch.no_grad where that fails
        self._prefill = model
        self._decode = decode or model
        self._masks_prompt = mask
        self._dtype = model.dtype
        names = inspect.signature(model.forward).parameters
        self._fixed = {"use_cache": True, **last_logits_only(names)}
        self._takes_cache_position = "cache_position" in names
        with no_gradients():
            self._eos_mask = self._minus_infinity_at(eos_token_ids, vocab_size, model.dtype)

    def run(self, prompt: list[int], new_tokens: int, ignore_eos: bool, last_logits: bool = False) -> Generated:
        """Generates `new_tokens` tokens after `prompt`, or up to an EOS token (that one included) unless `ignore_eos`."""
        with self._no_gradients():
            positions = self._torch.arange(len(prompt) + new_tokens).unsqueeze(0).to(self._device.target)
            cache = self._caches.fresh()
            mask = {"attention_mask": self._causal_mask(len(prompt))} if self._masks_prompt else None
            gc.collect()
            self._device.finish(positions)
            return self._timed(prompt, new_tokens, ignore_eos, positions, cache, mask, last_logits)

    def _timed(self, prompt, new_tokens, ignore_eos, positions, cache, mask, last_logits) -> Generated:
        stop = frozenset() if ignore_eos else self._eos
        length = len(prompt)
        start = clock()
        ids = self._torch.tensor([prompt], dtype=self._torch.long).to(self._device.target)
        output = self._call(self._prefill, ids, positions[:, :length], cache, mask)
        self._device.finish(output.logits)
        prefill_end = clock()
        ids = self._choose(output.logits, ignore_eos)
        tokens, times = [ids.item()], [clock()]  # .item() waits for the device: the token is on the host
        shown = readable(output.logits[:, -1, :].float().tolist()[0]) if last_logits else None
        while len(tokens) < new_tokens and tokens[-1] not in stop:
            cache = self._caches.after(cache, output)
            output = self._call(self._decode, ids, positions[:, length : length + 1], cache)
            ids = self._choose(output.logits, ignore_eos)
            tokens.append(ids.item())
            times.append(clock())
            length += 1
        return Generated(tokens, start, prefill_end, times, clock(), shown)

    def _call(self, forward, ids, positions, cache, mask=None):
        more = {"cache_position": positions[0]} if self._takes_cache_position else {}
        return forward(input_ids=ids, past_key_values=cache, position_ids=positions, **more, **(mask or {}), **self._fixed)

    def _causal_mask(self, length: int):
        """[1, 1, length, length] of zeros with the smallest number where a token would look ahead; made on the CPU, moved to the device."""
        never = self._torch.finfo(self._dtype).min
        rows = [[0.0] * (row + 1) + [never] * (length - row - 1) for row in range(length)]
        return self._torch.tensor([[rows]], dtype=self._dtype).to(self._device.target)

    def _choose(self, logits, ignore_eos: bool):
        """The best token as a [1, 1] tensor on the device. An addition masks EOS: every backend has that operator."""
        last = logits[:, -1, :]
        if ignore_eos and self._eos_mask is not None:
            last = last + self._eos_mask
        return last.argmax(dim=-1, keepdim=True)

    def _minus_infinity_at(self, ids: list[int], vocab_size: int, dtype):
        """[1, vocab] of zeros with -inf at `ids`, on the device; None when there are none."""
        if not ids:
            return None
        mask = [0.0] * vocab_size
        for token in ids:
            mask[token] = float("-inf")
        return self._torch.tensor([mask], dtype=dtype).to(self._device.target)


def last_logits_only(names) -> dict:
    """The argument that computes the logits of the last position only, by its name in this version; none in old ones."""
    for name in ("logits_to_keep", "num_logits_to_keep"):
        if name in names:
            return {name: 1}
    return {}


class GivenCaches:
    """The model makes its own cache and gives it back with each output (IPEX-LLM has classes of its own)."""

    kind = "dynamic"

    def fresh(self):
        return None

    def after(self, _cache, output):
        return output.past_key_values


class DynamicCaches:
    """transformers' cache that grows with every token."""

    kind = "dynamic"

    def __init__(self, transformers, config):
        self._transformers = transformers
        self._config = config

    def fresh(self):
        try:
            return self._transformers.DynamicCache(config=self._config)
        except TypeError:  # before 4.56
            return self._transformers.DynamicCache()

    def after(self, cache, _output):
        return cache


class StaticCaches:
    """transformers' cache of a fixed length, allocated once and cleared for each generation."""

    kind = "static"

    def __init__(self, transformers, model, device, max_length: int):
        self._make = lambda: make_static_cache(transformers, model, device, max_length)
        self._cache = None

    def fresh(self):
        # Made inside the loop's no-gradient mode: tensors of inference mode may not be written outside of it, nor the reverse.
        if self._cache is None:
            self._cache = self._make()
        else:
            self._cache.reset()
        return self._cache

    def after(self, cache, _output):
        return cache


def make_static_cache(transformers, model, device, max_length: int):
    """A StaticCache for batch 1. Its constructor changed twice: 4.46 renamed the batch size, 4.56 allocates at the first write."""
    eager = {"device": device.target, "dtype": model.dtype}
    for more in ({"max_batch_size": 1, **eager}, {"batch_size": 1, **eager}, {}):
        try:
            return transformers.StaticCache(config=model.config, max_cache_len=max_length, **more)
        except TypeError as error:
            refused = error
    raise refused
