"""The header of a GGUF file (version 2 and 3, little-endian): its keys, and names and types of its tensors. No weights are read."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .errors import PeerError

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9
_MOST = 1 << 24  # entries of a list, bytes of a text: far above any model's


@dataclass(frozen=True)
class GgufHeader:
    """`keys` holds scalars and texts; of a list only its length. `tensors` gives the number of each tensor's type."""

    keys: dict[str, object]
    tensors: dict[str, int]


def read_header(path: str) -> GgufHeader:
    """Errors: bad_request, where it is no GGUF file or a damaged one."""
    try:
        with open(path, "rb") as file:
            return _Reader(file).header()
    except (OSError, ValueError, struct.error, KeyError) as error:
        raise PeerError("bad_request", f"{path} cannot be read as GGUF: {type(error).__name__} {error}") from None


class _Reader:
    def __init__(self, file):
        self._file = file

    def header(self) -> GgufHeader:
        if self._file.read(4) != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        version, tensors, keys = self._take("<IQQ")
        if version not in (2, 3) or tensors > _MOST or keys > _MOST:
            raise ValueError(f"version {version}, {tensors} tensors, {keys} keys")
        return GgufHeader(dict(self._key() for _ in range(keys)), dict(self._tensor() for _ in range(tensors)))

    def _key(self):
        name = self._text()
        (kind,) = self._take("<I")
        return name, self._value(kind)

    def _value(self, kind: int):
        if kind == _TEXT:
            return self._text()
        if kind != _ARRAY:
            return self._take("<" + _SCALARS[kind])[0]
        inner, count = self._take("<IQ")
        if count > _MOST:
            raise ValueError(f"a list of {count}")
        if inner == _TEXT:
            for _ in range(count):
                self._text()
        else:
            self._bytes(count * struct.calcsize("<" + _SCALARS[inner]))
        return count

    def _tensor(self):
        name = self._text()
        (rank,) = self._take("<I")
        *_, kind, _ = self._take(f"<{min(rank, 8)}QIQ")
        return name, kind

    def _text(self) -> str:
        (length,) = self._take("<Q")
        return self._bytes(length).decode("utf-8", "replace")

    def _bytes(self, length: int) -> bytes:
        if length > 8 * _MOST:
            raise ValueError(f"a value of {length} bytes")
        data = self._file.read(length)
        if len(data) != length:
            raise ValueError("it ends in its header")
        return data

    def _take(self, form: str):
        return struct.unpack(form, self._bytes(struct.calcsize(form)))
