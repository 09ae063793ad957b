"""What each method of the protocol does."""

from __future__ import annotations

import gc
import os
import platform

from . import backends
from .errors import PeerError, is_out_of_memory
from .fallbacks import CpuFallbacks
from .generation import clock
from .memory import peak_rss_bytes
from .probing import probe
from .requests import LoadRequest, token_ids, whole_number
from .tokenizing import FolderTokenizer

METHODS = ("probe", "load", "encode", "generate", "unload")


class Session:
    """At most one loaded model."""

    def __init__(self):
        # Before transformers is imported: nothing is looked up on a hub, and no thread pool warns about forks.
        os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
        self._fallbacks = CpuFallbacks()
        self._request: LoadRequest | None = None
        self._loaded: backends.Loaded | None = None
        self._tokenizer: FolderTokenizer | None = None

    def handle(self, method: str, params: dict) -> dict:
        """The result of one request. Errors: PeerError, and whatever the libraries raise."""
        if method not in METHODS:
            raise PeerError("bad_request", f"there is no method {method!r}: there are {', '.join(METHODS)}")
        try:
            return getattr(self, "_" + method)(params)
        except Exception as error:
            if is_out_of_memory(error) and self._loaded is not None:
                self._loaded.device.release()
            raise

    def _load(self, params: dict) -> dict:
        request = LoadRequest.read(params)
        self._unload({})
        loaded = backends.load(request)
        self._request, self._loaded = request, loaded
        return {
            "device": request.device,
            "device_name": loaded.device.name,
            "precision": loaded.precision,
            "versions": {"python": platform.python_version(), **loaded.versions},
            "vocab_size": loaded.vocab_size,
            "eos_token_ids": loaded.eos_token_ids,
            "kv_cache": loaded.kv_cache,
            "memory": {"peak_rss_bytes": peak_rss_bytes(), "device_bytes": loaded.device.peak_bytes()},
            "warnings": loaded.warnings,
        }

    def _probe(self, params: dict) -> dict:
        return probe(params)

    def _encode(self, params: dict) -> dict:
        self._need_model()
        text = params.get("text")
        if not isinstance(text, str):
            raise PeerError("bad_request", f"text is {text!r}: it must be a text")
        if self._loaded.encode is not None:
            return {"ids": self._loaded.encode(text, params.get("add_bos") is True)}
        if self._tokenizer is None:
            self._tokenizer = FolderTokenizer(self._request.model, self._request.backend)
        return {"ids": self._tokenizer.encode(text, params.get("add_bos") is True)}

    def _generate(self, params: dict) -> dict:
        received = clock()
        loaded = self._need_model()
        prompt = token_ids(params, "prompt", loaded.vocab_size)
        new_tokens = whole_number(params, "new_tokens", 1)
        if len(prompt) + new_tokens > self._request.max_length:
            raise PeerError(
                "bad_request",
                f"{len(prompt)} prompt tokens and {new_tokens} new ones are more than the loaded max_length {self._request.max_length}",
            )
        loaded.device.forget_peak()
        result = loaded.loop.run(prompt, new_tokens, params.get("ignore_eos") is True, params.get("last_logits") is True)
        return {
            **({} if result.last_logits is None else {"last_logits": result.last_logits}),
            "tokens": result.tokens,
            "received_ns": received,
            "start_ns": result.start_ns,
            "prefill_end_ns": result.prefill_end_ns,
            "token_ns": result.token_ns,
            "end_ns": result.end_ns,
            "memory": {"peak_rss_bytes": peak_rss_bytes(), "peak_device_bytes": loaded.device.peak_bytes()},
            "cpu_fallback_ops": self._fallbacks.operators(),
        }

    def _unload(self, _params: dict) -> dict:
        device = self._loaded.device if self._loaded is not None else None
        self._request = self._loaded = self._tokenizer = None
        gc.collect()
        if device is not None:
            device.release()
        return {}

    def _need_model(self) -> backends.Loaded:
        if self._loaded is None:
            raise PeerError("bad_request", "no model is loaded: send load first")
        return self._loaded
