"""Text to token ids, with transformers' tokenizer or with the tokenizers library alone."""

from __future__ import annotations

import json
import os

from .errors import PeerError, one_line


class FolderTokenizer:
    """The tokenizer of a Hugging Face folder."""

    def __init__(self, folder: str, backend: str):
        self._encode, self._bos = _from_transformers(folder) or _from_tokenizers(folder, backend)

    def encode(self, text: str, add_bos: bool) -> list[int]:
        """Token ids of `text`; special tokens are added only by `add_bos`."""
        ids = list(self._encode(text))
        return [self._bos, *ids] if add_bos and self._bos is not None else ids


def _from_transformers(folder: str):
    try:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception:  # no transformers, or it cannot make a tokenizer of this folder: the library below may
        return None
    return lambda text: tokenizer.encode(text, add_special_tokens=False), tokenizer.bos_token_id


def _from_tokenizers(folder: str, backend: str):
    path = os.path.join(folder, "tokenizer.json")
    if not os.path.exists(path):
        raise PeerError("bad_request", f"model {folder} has no tokenizer.json: copy it there or give token ids")
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise PeerError(
            "missing_module",
            f"the Python module tokenizers is not installed: python -m pip install -r benchmarks/peers/requirements-{backend}.txt",
        ) from None
    try:
        tokenizer = Tokenizer.from_file(path)
    except Exception as error:  # tokenizers raises the bare class
        raise PeerError("bad_request", f"{path} cannot be read: {one_line(error, 300)}") from None
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        bos = json.load(file).get("bos_token_id")
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids, bos
