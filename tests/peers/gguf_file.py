"""Writes GGUF files for the tests, with any keys and tensors."""

import struct

F32, F16, Q4_0, Q6_K = 0, 1, 2, 14
_UINT32, _FLOAT32, _TEXT, _ARRAY, _INT32 = 4, 6, 8, 9, 5

STUB_KEYS = {
    "general.architecture": "llama", "llama.embedding_length": 64, "llama.attention.head_count": 4, "llama.attention.key_length": 16,
    "tokenizer.ggml.tokens": [f"t{i}" for i in range(64)], "tokenizer.ggml.eos_token_id": 63,
}
STUB_TENSORS = {"token_embd.weight": ((64, 64), F16, b""), "blk.0.attn_q.weight": ((64, 64), F16, b"")}


def write_gguf(path, keys, tensors):
    """`tensors`: name to ((columns, rows), type, bytes)."""
    with open(path, "wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)))
        for name, value in keys.items():
            file.write(_text(name) + _value(value))
        offset = 0
        for name, (shape, kind, data) in tensors.items():
            file.write(_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset))
            offset += _padded(len(data))
        file.write(bytes(-file.tell() % 32))
        for _, _, data in tensors.values():
            file.write(data + bytes(_padded(len(data)) - len(data)))


def _padded(length):
    return (length + 31) // 32 * 32


def _text(text):
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _value(value):
    if isinstance(value, str):
        return struct.pack("<I", _TEXT) + _text(value)
    if isinstance(value, float):
        return struct.pack("<If", _FLOAT32, value)
    if isinstance(value, int):
        return struct.pack("<II", _UINT32, value)
    if isinstance(value[0], str):
        return struct.pack("<IIQ", _ARRAY, _TEXT, len(value)) + b"".join(map(_text, value))
    return struct.pack(f"<IIQ{len(value)}i", _ARRAY, _INT32, len(value), *value)
