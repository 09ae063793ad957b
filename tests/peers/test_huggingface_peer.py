"""huggingface_peer.py driven over the protocol on stand-ins for torch and transformers (stubs/), and without any of them."""

import importlib.util
import json
import os
import tempfile
import unittest

from peer_process import PeerProcess

HERE = os.path.dirname(os.path.abspath(__file__))
PEER = os.path.join(HERE, "..", "..", "benchmarks", "peers", "huggingface_peer.py")
STUBS = os.path.join(HERE, "stubs")
EOS = 63
SCALING = {"factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 512}
CONFIG = {
    "vocab_size": 64, "eos_token_id": EOS, "hidden_size": 64, "num_attention_heads": 4, "tie_word_embeddings": True, "dtype": "bfloat16",
    "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0},
}


def expected_tokens(prompt, count, stop_at_eos):
    """What the stand-in model generates."""
    ids, tokens = list(prompt), []
    while len(tokens) < count:
        position = len(ids) - 1
        eos_wins = position % 5 == 4 and stop_at_eos
        tokens.append(EOS if eos_wins else (3 * ids[-1] + position) % EOS)
        ids.append(tokens[-1])
        if eos_wins:
            break
    return tokens


class HuggingFacePeerTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.model = folder.name
        self.log = os.path.join(folder.name, "log.jsonl")
        with open(os.path.join(folder.name, "config.json"), "w", encoding="utf-8") as file:
            json.dump(CONFIG, file)
        open(os.path.join(folder.name, "model.safetensors"), "wb").close()

    def start(self, **environment):
        return PeerProcess(PEER, environment={"PYTHONPATH": STUBS, "STUB_LOG": self.log, **environment})

    def load(self, peer, backend="transformers", device="cpu", precision="fp32", **changes):
        params = {"model": self.model, "threads": 2, "max_length": 40, "options": {}, **changes}
        return peer.ask("load", backend=backend, device=device, precision=precision, **params)

    def logged(self, key):
        with open(self.log, encoding="utf-8") as file:
            return [entry[key] for entry in map(json.loads, file) if key in entry]

    def assert_error(self, answer, code, *words):
        self.assertEqual(answer["error"]["code"], code, answer)
        self.assertNotIn("\n", answer["error"]["message"])
        for word in words:
            self.assertIn(word, answer["error"]["message"])

    def assert_generates(self, peer, prompt, count, ignore_eos=True):
        result = peer.ask("generate", prompt=prompt, new_tokens=count, ignore_eos=ignore_eos)["result"]
        self.assertEqual(result["tokens"], expected_tokens(prompt, count, not ignore_eos))
        times = [result["received_ns"], result["start_ns"], result["prefill_end_ns"], *result["token_ns"], result["end_ns"]]
        self.assertEqual(times, sorted(times))
        self.assertEqual(len(result["token_ns"]), len(result["tokens"]))
        return result

    def test_greets_and_ends_with_its_input(self):
        with self.start() as peer:
            self.assertEqual((peer.greeting["protocol"], peer.greeting["version"]), ("llama3perf-peer", 1))
            self.assertEqual(peer.close(), 0)

    def test_generates_what_the_model_says_twice(self):
        with self.start() as peer:
            loaded = self.load(peer)["result"]
            self.assertEqual((loaded["kv_cache"], loaded["eos_token_ids"], loaded["vocab_size"]), ("static", [EOS], 64))
            self.assertEqual(loaded["versions"]["transformers"], "5.17.0")
            self.assert_generates(peer, [1, 2, 3, 4, 5], 20)
            self.assert_generates(peer, [9], 39)
            self.assertEqual(peer.close(), 0)
        self.assertEqual(self.logged("static"), [40])
        self.assertEqual(self.logged("call"), [5] + [1] * 19 + [1] * 39)
        self.assertEqual(set(self.logged("keep")), {1})
        self.assertIn("noise on file descriptor 1", peer.stderr)
        self.assertIn("noise on sys.stdout", peer.stderr)

    def test_last_logits_come_when_they_are_asked_for(self):
        with self.start(STUB_TRANSFORMERS="4.45.0") as peer:
            for backend, precision in (("transformers", "fp32"), ("ipex-llm", "int4")):
                self.load(peer, backend, precision=precision)
                self.assertNotIn("last_logits", self.assert_generates(peer, [1, 2, 3], 4))
                answer = peer.ask("generate", prompt=[1, 2, 3], new_tokens=4, ignore_eos=True, last_logits=True)["result"]
                self.assertEqual(answer["tokens"], expected_tokens([1, 2, 3], 4, False))
                logits = answer["last_logits"]
                self.assertEqual((len(logits), logits.index(max(logits[:EOS]))), (64, answer["tokens"][0]))

    def test_stops_at_eos_when_asked_to(self):
        with self.start() as peer:
            self.load(peer)
            result = self.assert_generates(peer, [1, 2], 20, ignore_eos=False)
            self.assertEqual(result["tokens"][-1], EOS)

    def test_names_of_older_versions(self):
        with self.start(STUB_TRANSFORMERS="4.44.2") as peer:
            self.load(peer, precision="bf16")
            self.assert_generates(peer, [1, 2, 3], 10)
        self.assertEqual(self.logged("load")[0]["torch_dtype"], "bfloat16")
        self.assertEqual(self.logged("batch_size"), [1])

    def test_options_choose_cache_and_attention(self):
        with self.start() as peer:
            loaded = self.load(peer, options={"static_cache": "0", "attn_implementation": "eager"})["result"]
            self.assertEqual(loaded["kv_cache"], "dynamic")
            self.assert_generates(peer, [1, 2, 3], 10)
            self.assert_error(self.load(peer, options={"statik_cache": "0"}), "bad_request", "statik_cache", "static_cache")
            self.assert_error(self.load(peer, options={"static_cache": "yes"}), "bad_request", "0 or 1")
            self.assert_error(self.load(peer, options={"static_cache": "0", "compile": "1"}), "bad_request", "static_cache=1")
        arguments = self.logged("load")[0]
        self.assertEqual(arguments["attn_implementation"], "eager")
        self.assertIs(arguments["local_files_only"], True)
        self.assertIs(arguments["trust_remote_code"], False)

    def test_directml(self):
        with self.start(STUB_TORCH="2.4.1", STUB_TRANSFORMERS="4.46.3") as peer:
            loaded = self.load(peer, "torch-directml", "dml", "fp16", options={"tiled_resources": "0"})["result"]
            self.assertEqual((loaded["device_name"], loaded["kv_cache"]), ("Stub adapter 0", "dynamic"))
            self.assertEqual(self.assert_generates(peer, [1, 2, 3], 10)["memory"]["peak_device_bytes"], 3 << 19)
            answer = self.load(peer, "torch-directml", "dml", "fp16", options={"device_index": "1"})
            self.assert_error(answer, "no_device", "Stub adapter 0", "take device_index 0")
            self.assert_error(self.load(peer, "torch-directml", "dml", "int4"), "unsupported", "fp16")
            self.assert_error(self.load(peer, "torch-directml", "dml", "fp16", options={"static_cache": "1"}), "bad_request", "static_cache")
        self.assertEqual(self.logged("tiled_resources_disabled"), [True])
        self.assertEqual(self.logged("load")[0]["attn_implementation"], "sdpa")

    def test_directml_masks_the_prompt_where_the_library_cannot(self):
        with self.start(STUB_TORCH="2.4.1", STUB_TRANSFORMERS="4.46.3") as peer:
            for attention in ("sdpa", "eager"):
                self.load(peer, "torch-directml", "dml", "fp32", options={"attn_implementation": attention})
                self.assert_generates(peer, [1, 2, 3, 4], 10)

    def test_directml_without_a_device(self):
        for state, words in (("no-library", "libd3d12"), ("stubbed-dxcore", "unknown error")):
            with self.start(STUB_TORCH="2.4.1", STUB_TRANSFORMERS="4.46.3", STUB_DIRECTML=state) as peer:
                self.assert_error(self.load(peer, "torch-directml", "dml", "fp16"), "no_device", words, "WSL 2")

    def test_operators_that_run_on_the_cpu_are_named(self):
        with self.start(STUB_TORCH="2.4.1", STUB_TRANSFORMERS="4.46.3", STUB_FALLBACK="aten::cumsum.out") as peer:
            self.load(peer, "torch-directml", "dml", "fp16")
            self.assertEqual(self.assert_generates(peer, [1, 2, 3], 10)["cpu_fallback_ops"], ["aten::cumsum.out"])
            self.assertEqual(peer.close(), 0)
        self.assertIn("fall back to run on the CPU", peer.stderr)
        with self.start() as peer:
            self.load(peer)
            self.assertEqual(self.assert_generates(peer, [1, 2, 3], 10)["cpu_fallback_ops"], [])

    def write_config(self, **changes):
        with open(os.path.join(self.model, "config.json"), "w", encoding="utf-8") as file:
            json.dump({**CONFIG, **changes}, file)

    def test_a_config_that_the_library_misreads_is_translated(self):
        self.write_config(rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, **SCALING})
        with self.start(STUB_TRANSFORMERS="4.46.3") as peer:
            (note,) = self.load(peer)["result"]["warnings"]
            self.assertIn("rope theta 10000 for 500000; rope scaling none for llama3 32 1 4 512", note)
            self.assert_generates(peer, [1, 2, 3], 10)
        (config,), (folder,), (files,) = self.logged("config"), self.logged("folder"), self.logged("files")
        self.assertEqual((config["rope_theta"], config["rope_scaling"]), (500000.0, {"rope_type": "llama3", **SCALING}))
        self.assertEqual((config["torch_dtype"], config["tie_word_embeddings"]), ("bfloat16", True))
        self.assertNotEqual(folder, self.model)
        self.assertFalse(os.path.exists(folder))
        self.assertIn("model.safetensors", files)

    def test_a_config_in_both_forms_is_left_alone(self):
        rope = {"rope_type": "llama3", **SCALING}
        self.write_config(rope_parameters={"rope_theta": 500000.0, **rope}, rope_theta=500000.0, rope_scaling=rope)
        for version in ("4.46.3", "5.17.0"):
            with self.start(STUB_TRANSFORMERS=version) as peer:
                self.assertEqual(self.load(peer)["result"]["warnings"], [])
        self.assertEqual(set(self.logged("folder")), {self.model})

    def test_a_config_that_the_library_cannot_read_is_refused(self):
        self.write_config(rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, **SCALING})
        with self.start(STUB_TRANSFORMERS="4.37.0") as peer:
            self.assert_error(self.load(peer, "ipex-llm", "cpu", "int4"), "wrong_version", "transformers 4.37.0", "rope_scaling", "4.45")

    def test_frequencies_that_are_not_the_configs_are_refused(self):
        with self.start(STUB_ROPE="ignored") as peer:
            self.assert_error(self.load(peer), "wrong_version", "other frequencies")
        with self.start(STUB_BUFFERS="none") as peer:
            self.assertIn("not checked", self.load(peer)["result"]["warnings"][0])

    def test_the_folders_eos_counts(self):
        with open(os.path.join(self.model, "generation_config.json"), "w", encoding="utf-8") as file:
            json.dump({"eos_token_id": [EOS, 62, 128009]}, file)
        with self.start() as peer:
            loaded = self.load(peer)["result"]
            self.assertEqual(loaded["eos_token_ids"], [EOS, 62])
            self.assertIn("[63]", loaded["warnings"][0])

    def test_attention_of_another_package(self):
        with self.start() as peer:
            answer = self.load(peer, options={"attn_implementation": "flash_attention_2"})
            self.assert_error(answer, "missing_module", "flash-attn", "sdpa")
            self.assertNotIn("requirements", answer["error"]["message"])

    def test_ipex_llm(self):
        with self.start(STUB_TRANSFORMERS="4.37.0") as peer:
            loaded = self.load(peer, "ipex-llm", "cpu", "int4")["result"]
            self.assertEqual((loaded["versions"]["ipex-llm"], loaded["precision"]), ("2.2.0", "int4"))
            self.assert_generates(peer, [1, 2, 3], 10)
            self.load(peer, "ipex-llm", "cpu", "int8", options={"cpu_embedding": "1"})
            self.load(peer, "ipex-llm", "cpu", "int4", options={"load_in_low_bit": "asym_int4"})
            self.assert_error(self.load(peer, "ipex-llm", "xpu", "int4"), "no_device", "no xpu device", "built without XPU")
        first, second, third = self.logged("load")
        self.assertEqual((first["load_in_4bit"], first["optimize_model"], first["use_cache"]), (True, True, True))
        self.assertEqual((second["load_in_low_bit"], second["cpu_embedding"]), ("sym_int8", True))
        self.assertEqual(third["load_in_low_bit"], "asym_int4")
        self.assertNotIn("load_in_4bit", third)

    def test_the_precision_is_what_was_loaded(self):
        with self.start(STUB_TRANSFORMERS="4.37.0") as peer:
            for low_bit, precision in (("asym_int4", "int4"), ("bf16", "bf16"), ("sym_int5", "sym_int5")):
                loaded = self.load(peer, "ipex-llm", "cpu", "int4", options={"load_in_low_bit": low_bit})["result"]
                self.assertEqual(loaded["precision"], precision)

    def test_formats_that_do_not_compute_are_refused_before_loading(self):
        with self.start(STUB_TRANSFORMERS="4.37.0") as peer:
            for low_bit in ("nf3", "nf4", "fp4", "fp8", "fp16", "fp6", "q4_k"):
                answer = self.load(peer, "ipex-llm", "cpu", "int4", options={"load_in_low_bit": low_bit})
                self.assert_error(answer, "unsupported", low_bit, "sym_int4", "xpu")
        self.assertFalse(os.path.exists(self.log) and self.logged("load"))

    def test_wrong_versions_are_named(self):
        with self.start() as peer:
            self.assert_error(self.load(peer, "ipex-llm", "cpu", "int4"), "wrong_version", "transformers 5.17.0", "4.48")
            self.assert_error(self.load(peer, "torch-directml", "dml", "fp16"), "wrong_version", "torch 2.11.0", "requirements-torch-directml.txt")

    def test_devices(self):
        with self.start() as peer:
            self.assert_error(self.load(peer, device="cuda"), "no_device", "no cuda device", "without CUDA")
            self.assert_error(self.load(peer, device="mps"), "no_device", "Metal")
            self.assert_error(self.load(peer, device="dml"), "unsupported", "cpu, cuda")
        with self.start(STUB_CUDA="1") as peer:
            loaded = self.load(peer, device="cuda", precision="fp16")["result"]
            self.assertEqual((loaded["device_name"], loaded["memory"]["device_bytes"]), ("Stub GPU 0", 4096))
            result = self.assert_generates(peer, [1, 2, 3], 10)
            self.assertEqual(result["memory"]["peak_device_bytes"], 4096)
            self.assert_error(self.load(peer, device="cuda", options={"device_index": "1"}), "no_device", "1 cuda device ")

    def test_out_of_memory_and_on(self):
        with self.start(STUB_OOM="load") as peer:
            self.assert_error(self.load(peer), "out_of_memory", "DefaultCPUAllocator")
        with self.start(STUB_OOM="generate") as peer:
            self.load(peer)
            self.assert_error(peer.ask("generate", prompt=[1], new_tokens=2, ignore_eos=True), "out_of_memory", "max_length")
            self.assertEqual(peer.ask("unload")["result"], {})
            self.assertEqual(peer.close(), 0)
        self.assertIn("Traceback", peer.stderr)

    def test_mistakes_in_requests(self):
        with self.start() as peer:
            self.assert_error(peer.ask("generate", prompt=[1], new_tokens=1, ignore_eos=True), "bad_request", "no model")
            self.assert_error(peer.ask("dance"), "bad_request", "dance")
            self.assert_error(peer.ask_raw(b"{half\n"), "bad_request", "not JSON")
            self.assert_error(peer.ask_raw(b"[1]\n"), "bad_request", "not a JSON object")
            self.assert_error(self.load(peer, model=os.path.join(self.model, "none")), "bad_request", "not a folder")
            self.assert_error(self.load(peer, model=STUBS), "bad_request", "config.json")
            self.assert_error(self.load(peer, max_length=1), "bad_request", "max_length")
            self.load(peer)
            for prompt in ([], [64], [-1], ["1"], [True], None):
                self.assert_error(peer.ask("generate", prompt=prompt, new_tokens=1, ignore_eos=True), "bad_request", "prompt")
            self.assert_error(peer.ask("generate", prompt=[1], new_tokens=40, ignore_eos=True), "bad_request", "max_length 40")
            self.assert_generates(peer, [1], 39)

    def test_encodes_with_and_without_bos(self):
        with self.start() as peer:
            self.assert_error(peer.ask("encode", text="AB", add_bos=True), "bad_request", "no model")
            self.load(peer)
            self.assertEqual(peer.ask("encode", text="AB", add_bos=True)["result"]["ids"], [60, 1, 2])
            self.assertEqual(peer.ask("encode", text="AB", add_bos=False)["result"]["ids"], [1, 2])

    @unittest.skipIf(importlib.util.find_spec("torch"), "torch is installed here")
    def test_missing_modules_are_named(self):
        with PeerProcess(PEER) as peer:
            for backend, device, precision in (("transformers", "cpu", "fp32"), ("ipex-llm", "cpu", "int4"), ("torch-directml", "dml", "fp16")):
                answer = self.load(peer, backend, device, precision)
                self.assert_error(answer, "missing_module", "torch is not installed", f"requirements-{backend}.txt")
            self.assertEqual(peer.close(), 0)


if __name__ == "__main__":
    unittest.main()
