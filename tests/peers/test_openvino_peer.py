"""Backend openvino of huggingface_peer.py on stand-ins for openvino and openvino_genai."""

import json
import os
import tempfile
import unittest

from gguf_file import F32, Q4_0, Q6_K, STUB_KEYS, STUB_TENSORS, write_gguf
from peer_process import PeerProcess
from test_huggingface_peer import EOS, PEER, STUBS, expected_tokens


class OpenVinoPeerTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.log = os.path.join(folder.name, "log.jsonl")

    def start(self, **environment):
        return PeerProcess(PEER, environment={"PYTHONPATH": STUBS, "STUB_LOG": self.log, **environment})

    def gguf(self, name="model.gguf", tensors=STUB_TENSORS, **keys):
        path = os.path.join(self.folder, name)
        write_gguf(path, {key: value for key, value in {**STUB_KEYS, **keys}.items() if value is not None}, tensors)
        return path

    def load(self, peer, model, device="cpu", precision="fp16", **options):
        params = {"threads": 2, "max_length": 40, "options": options}
        return peer.ask("load", model=model, backend="openvino", device=device, precision=precision, **params)

    def logged(self, key):
        with open(self.log, encoding="utf-8") as file:
            return [entry[key] for entry in map(json.loads, file) if key in entry]

    def assert_refused(self, answer, code, *words):
        self.assertEqual(answer["error"]["code"], code, answer)
        for word in words:
            self.assertIn(word, answer["error"]["message"])

    def test_generates_the_same_again_from_a_file_and_from_its_folder(self):
        with self.start() as peer:
            for model, options in ((self.gguf(), {}), (self.folder, {"attention_backend": "SDPA", "inference_precision": "bf16"})):
                loaded = self.load(peer, model, **options)["result"]
                self.assertEqual((loaded["vocab_size"], loaded["eos_token_ids"]), (64, [EOS]))
                self.assertIn("weights f16", loaded["warnings"][0])
                for _ in range(2):
                    result = peer.ask("generate", prompt=[1, 2, 3, 4], new_tokens=30, ignore_eos=True)["result"]
                    self.assertEqual(result["tokens"], expected_tokens([1, 2, 3, 4], 30, False))
                    times = [result["received_ns"], result["start_ns"], result["prefill_end_ns"], *result["token_ns"], result["end_ns"]]
                    self.assertEqual(times, sorted(times))
                ending = peer.ask("generate", prompt=[1, 2, 3, 4], new_tokens=30, ignore_eos=False)["result"]["tokens"]
                self.assertEqual(ending[-1], EOS)
            self.assertEqual(peer.ask("encode", text="AB", add_bos=True)["result"]["ids"], [60, 1, 2])
        paged, plain = self.logged("settings")
        self.assertEqual(paged, {"INFERENCE_PRECISION_HINT": "f32", "ATTENTION_BACKEND": "PA", "INFERENCE_NUM_THREADS": 2})
        self.assertEqual(plain["INFERENCE_PRECISION_HINT"], "bf16")
        self.assertEqual(self.logged("batched"), [40, None])

    def test_last_logits_are_the_graphs(self):
        with self.start(STUB_OPENVINO_GRAPH="1") as peer:
            open(os.path.join(self.folder, "openvino_model.xml"), "wb").close()
            self.write("config.json", {"vocab_size": 64, "eos_token_id": EOS})
            for model, precision in ((self.gguf(), "fp16"), (self.folder, "fp32")):
                self.load(peer, model, precision=precision)
                self.assertNotIn("last_logits", self.generate(peer, [1, 2, 3]))
                for prompt in ([1, 2, 3], [1, 2]):
                    logits = [len(prompt) * i for i in range(63)]
                    # Infinity is no number in JSON.
                    self.assertEqual(self.generate(peer, prompt, last_logits=True)["last_logits"], [*logits, None])
        # One pipeline for the tokens of each model, one that shows the file's graph, beside a link that is gone again.
        paths = [path for path, _ in self.logged("pipeline")]
        self.assertEqual((len(paths), os.path.basename(paths[1]), os.path.exists(paths[1])), (3, "model.gguf", False))

    def test_where_the_graph_cannot_be_run_tokens_are_told_alone(self):
        with self.start() as peer:
            self.load(peer, self.gguf())
            self.assertNotIn("last_logits", self.generate(peer, [1, 2, 3], last_logits=True))
            self.assertEqual(peer.close(), 0)
        self.assertIn("no logits: no such operator", peer.stderr)

    def generate(self, peer, prompt, **params):
        return peer.ask("generate", prompt=prompt, new_tokens=2, ignore_eos=True, **params)["result"]

    def test_what_would_be_computed_wrongly_is_refused_by_name(self):
        scaled = {**STUB_TENSORS, "rope_freqs.weight": ((8,), 0, b"")}
        wide = {**STUB_TENSORS, "blk.0.attn_q.weight": ((64, 64), F32, b"")}
        unread = {**STUB_TENSORS, "blk.0.attn_q.weight": ((64, 64), Q6_K, b"")}
        cases = (
            (self.gguf("head.gguf", **{"llama.attention.key_length": 32}), "32 wide", "64 / 4 = 16"),
            (self.gguf("rope.gguf", scaled), "rope_freqs"),
            (self.gguf("linear.gguf", **{"llama.rope.scaling.type": "linear"}), "scaled"),
            (self.gguf("words.gguf", **{"tokenizer.ggml.tokens": None}), "tokenizer.ggml.tokens"),
            (self.gguf("other.gguf", **{"general.architecture": "qwen2"}), "qwen2"),
            (self.gguf("type.gguf", unread), "type 14"),
            (self.gguf("wide.gguf", wide), "F32 matrices"),
        )
        with self.start() as peer:
            for path, *words in cases:
                self.assert_refused(self.load(peer, path), "unsupported", path, *words)
        self.assertFalse(os.path.exists(self.log))

    def test_files_that_are_no_model(self):
        damaged = os.path.join(self.folder, "damaged.gguf")
        with open(self.gguf(), "rb") as whole, open(damaged, "wb") as half:
            half.write(whole.read()[:100])
        text = os.path.join(self.folder, "text.gguf")
        with open(text, "wb") as file:
            file.write(b"nothing")
        with self.start() as peer:
            self.assert_refused(self.load(peer, damaged), "bad_request", "damaged.gguf", "ends in its header")
            self.assert_refused(self.load(peer, text), "bad_request", "does not begin with GGUF")
            self.assert_refused(self.load(peer, self.folder), "bad_request", "several GGUF files")
            self.assert_refused(self.load(peer, STUBS), "bad_request", "openvino_model.xml", "convert")
            self.assert_refused(self.load(peer, os.path.join(self.folder, "none")), "bad_request", "does not exist")

    def test_the_precision_is_the_files(self):
        int4 = {**STUB_TENSORS, "blk.0.attn_q.weight": ((64, 64), Q4_0, b"")}
        with self.start() as peer:
            self.assert_refused(self.load(peer, self.gguf(tensors=int4), precision="fp16"), "bad_request", "int4", "fp16")
            notes = self.load(peer, self.gguf(tensors=int4), precision="int4")["result"]["warnings"]
            self.assertIn("weights q4_0, head f16", notes[0])
            self.assertIn("DYNAMIC_QUANTIZATION_GROUP_SIZE", notes[1])
            told = self.load(peer, self.gguf(tensors=int4), precision="int4", dynamic_quantization_group_size="0")["result"]["warnings"]
            self.assertEqual(len(told), 1)

    def test_an_openvino_folder(self):
        open(os.path.join(self.folder, "openvino_model.xml"), "wb").close()
        self.write("config.json", {"vocab_size": 64, "eos_token_id": EOS})
        self.write("openvino_config.json", {"dtype": "int4", "quantization_config": {"bits": 4, "group_size": 128}})
        with self.start() as peer:
            loaded = self.load(peer, self.folder, precision="int4")["result"]
            self.assertIn("group_size 128", loaded["warnings"][0])
            self.assertEqual((loaded["kv_cache"], loaded["eos_token_ids"]), ("paged", [EOS]))

    def write(self, name, content):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            json.dump(content, file)

    def test_devices(self):
        with self.start(STUB_OPENVINO_GPUS="2") as peer:
            self.assertEqual(self.load(peer, self.gguf(), "xpu", device_index="1")["result"]["device_name"], "Stub GPU.1")
            self.assert_refused(self.load(peer, self.gguf(), "npu"), "no_device", "CPU, GPU.0, GPU.1", "NPU")
            probed = peer.ask("probe", backend="openvino", device="xpu")["result"]
            self.assertEqual((probed["device_name"], probed["versions"]["openvino"]), ("Stub GPU.0", "2026.4.1"))
        with self.start() as peer:
            self.assert_refused(peer.ask("probe", backend="openvino", device="xpu"), "no_device", "OpenVINO sees CPU")


if __name__ == "__main__":
    unittest.main()
