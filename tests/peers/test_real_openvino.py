"""huggingface_peer.py on the real openvino-genai, against tokens that a reference implementation made. Skipped without it.

The checkpoint of a fixture is written as an F16 GGUF file here: python3 -m unittest -v tests/peers/test_real_openvino.py
"""

import importlib.util
import json
import os
import struct
import tempfile
import unittest

from gguf_file import F16, F32, write_gguf
from peer_process import PeerProcess
from test_real_transformers import FIXTURES, PEER

CASE = "llama3-gqa-bf16"


def why_not():
    for module in ("numpy", "openvino", "openvino_genai"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed"
    if not os.path.isdir(os.path.join(FIXTURES, CASE)):
        return f"no fixtures in {FIXTURES} (LLAMA3PERF_FIXTURES names another folder)"
    return None


def write_model(folder, path, **changes):
    """A Hugging Face folder with bf16 weights as GGUF. q and k lie there in the order of llama.cpp's rotation, which pairs neighbours."""
    import numpy

    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    weights = read_safetensors(os.path.join(folder, "model.safetensors"), numpy)
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    names = {"model.embed_tokens.weight": "token_embd", "model.norm.weight": "output_norm", "lm_head.weight": "output"}
    for i in range(config["num_hidden_layers"]):
        for theirs, ours in LAYER.items():
            names[f"model.layers.{i}.{theirs}.weight"] = f"blk.{i}.{ours}"
    tensors = {}
    for theirs, ours in names.items():
        values = weights[theirs]
        if ours.endswith(("attn_q", "attn_k")):
            count = heads if ours.endswith("q") else groups
            values = values.reshape(count, 2, values.shape[0] // count // 2, -1).swapaxes(1, 2).reshape(values.shape)
        kind = F32 if values.ndim == 1 else F16
        data = values.astype(numpy.float32 if kind == F32 else numpy.float16).tobytes()
        tensors[f"{ours}.weight"] = (values.shape[::-1], kind, data)
    write_gguf(path, {**keys_of(folder, config), **changes}, tensors)


LAYER = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def keys_of(folder, config):
    with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as file:
        tokenizer = json.load(file)
    special = {token["id"]: token["content"] for token in tokenizer["added_tokens"]}
    words = {**{token: text for text, token in tokenizer["model"]["vocab"].items()}, **special}
    size = config["vocab_size"]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    return {
        "general.architecture": "llama", "general.file_type": 1, "llama.context_length": config["max_position_embeddings"],
        "llama.embedding_length": config["hidden_size"], "llama.block_count": config["num_hidden_layers"],
        "llama.feed_forward_length": config["intermediate_size"], "llama.attention.head_count": config["num_attention_heads"],
        "llama.attention.head_count_kv": config["num_key_value_heads"], "llama.rope.dimension_count": config["head_dim"],
        "llama.attention.layer_norm_rms_epsilon": config["rms_norm_eps"], "llama.rope.freq_base": config["rope_parameters"]["rope_theta"],
        "llama.vocab_size": size, "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe",
        "tokenizer.ggml.tokens": [words.get(i, f"<unused {i}>") for i in range(size)],
        "tokenizer.ggml.token_type": [3 if i in special or i not in words else 1 for i in range(size)], "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": config["bos_token_id"], "tokenizer.ggml.eos_token_id": config["eos_token_id"][0],
    }


def read_safetensors(path, numpy):
    """bf16 tensors as fp32, by name."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            bits = numpy.frombuffer(data[start:end], dtype="<u2").astype(numpy.uint32) << 16
            tensors[name] = bits.view(numpy.float32).reshape(entry["shape"])
    return tensors


@unittest.skipIf(why_not(), why_not())
class RealOpenVinoTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.model = os.path.join(folder.name, "model.gguf")
        with open(os.path.join(FIXTURES, CASE, "reference.json"), encoding="utf-8") as file:
            self.cases = json.load(file)["cases"]

    def load(self, peer, **options):
        params = {"precision": "fp16", "threads": 2, "max_length": 256, "options": options}
        return peer.ask("load", model=self.model, backend="openvino", device="cpu", **params)

    def generate(self, peer, prompt, count, ignore_eos):
        return peer.ask("generate", prompt=prompt, new_tokens=count, ignore_eos=ignore_eos)["result"]

    def test_tokens_are_the_references_twice_with_either_attention(self):
        write_model(os.path.join(FIXTURES, CASE, "hf"), self.model)
        with PeerProcess(PEER) as peer:
            for attention in ("PA", "SDPA"):
                loaded = self.load(peer, attention_backend=attention)["result"]
                for case in self.cases:
                    for _ in range(2):
                        tokens = self.generate(peer, case["input_ids"], 32, ignore_eos=False)["tokens"]
                        self.assertEqual(tokens, case["greedy_new_tokens"][: len(tokens)])
                        self.assertTrue(len(tokens) == 32 or tokens[-1] in loaded["eos_token_ids"])
                long = self.generate(peer, self.cases[0]["input_ids"], 200, ignore_eos=True)
                self.assertEqual((len(long["tokens"]), len(long["token_ns"])), (200, 200))
                self.assertFalse(set(long["tokens"]) & set(loaded["eos_token_ids"]))
            self.assertEqual(peer.close(), 0)

    def test_last_logits_are_the_references(self):
        write_model(os.path.join(FIXTURES, CASE, "hf"), self.model)
        with PeerProcess(PEER) as peer:
            self.load(peer)
            for case in self.cases:
                params = {"prompt": case["input_ids"], "new_tokens": 1, "ignore_eos": True, "last_logits": True}
                logits = peer.ask("generate", **params)["result"]["last_logits"]
                expected = case["last_logits"]
                furthest = max(abs(own - theirs) for own, theirs in zip(logits, expected, strict=True))
                # F16 weights of a bf16 checkpoint, sums in another order.
                self.assertLess(furthest, 0.002 * (max(expected) - min(expected)))

    def test_a_token_that_ends_a_text_is_left_out_of_the_choice(self):
        tokens = self.cases[-1]["greedy_new_tokens"]
        write_model(os.path.join(FIXTURES, CASE, "hf"), self.model, **{"tokenizer.ggml.eos_token_id": tokens[2]})
        with PeerProcess(PEER) as peer:
            self.load(peer)
            self.assertEqual(self.generate(peer, self.cases[-1]["input_ids"], 32, ignore_eos=False)["tokens"], tokens[:3])
            masked = self.generate(peer, self.cases[-1]["input_ids"], 32, ignore_eos=True)["tokens"]
            self.assertEqual((masked[:2], len(masked)), (tokens[:2], 32))
            self.assertNotIn(tokens[2], masked)

    def test_its_tokenizer_makes_the_references_ids_of_plain_words(self):
        # Not of every text: it merges pairs where this tokenizer.json says ignore_merges, which GGUF has no key for ("):\\n" is one token).
        write_model(os.path.join(FIXTURES, CASE, "hf"), self.model)
        with PeerProcess(PEER) as peer:
            self.load(peer)
            self.assertEqual(peer.ask("encode", text=self.cases[0]["prompt"], add_bos=True)["result"]["ids"], self.cases[0]["input_ids"])


if __name__ == "__main__":
    unittest.main()
