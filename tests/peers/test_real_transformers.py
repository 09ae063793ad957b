"""huggingface_peer.py on the real torch and transformers, against tokens that a reference implementation made. Skipped without them.

Prints one line for each device and precision, with the speed: python3 -m unittest -v tests/peers/test_real_transformers.py
"""

import importlib.util
import json
import os
import unittest

from peer_process import PeerProcess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
PEER = os.path.join(ROOT, "benchmarks", "peers", "huggingface_peer.py")
FIXTURES = os.environ.get("LLAMA3PERF_FIXTURES", os.path.join(ROOT, "..", "shared", "fixtures"))
CASES = ("llama3-gqa-bf16", "llama32-tied-ropescaled-sharded")


def why_not():
    for module in ("torch", "transformers"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed"
    if not os.path.isdir(os.path.join(FIXTURES, CASES[0])):
        return f"no fixtures in {FIXTURES} (LLAMA3PERF_FIXTURES names another folder)"
    return None


@unittest.skipIf(why_not(), why_not())
class RealTransformersTests(unittest.TestCase):
    def generate(self, case, device, precision, options):
        """Loads a case and generates for each of its prompts; (reference tokens, generated tokens, last result, load result)."""
        with open(os.path.join(FIXTURES, case, "reference.json"), encoding="utf-8") as file:
            prompts = json.load(file)["cases"]
        with PeerProcess(PEER) as peer:
            answer = peer.ask(
                "load", model=os.path.join(FIXTURES, case, "hf"), backend="transformers", device=device, precision=precision,
                threads=None, max_length=256, options=options,
            )
            if answer.get("error", {}).get("code") == "no_device":
                self.skipTest(answer["error"]["message"])
            loaded = answer["result"]
            pairs = []
            for prompt in prompts:
                self.assertEqual(peer.ask("encode", text=prompt["prompt"], add_bos=True)["result"]["ids"], prompt["input_ids"])
                # Twice: the second one shows that nothing of the first is left in the cache.
                for _ in range(2):
                    answer = peer.ask("generate", prompt=prompt["input_ids"], new_tokens=32, ignore_eos=False)
                    result = answer.get("result")
                    self.assertIsNotNone(result, answer)
                    pairs.append((prompt["greedy_new_tokens"], result["tokens"]))
            long = peer.ask("generate", prompt=prompts[0]["input_ids"], new_tokens=200, ignore_eos=True)["result"]
            self.assertEqual(len(long["tokens"]), 200)
            self.assertFalse(set(long["tokens"]) & set(loaded["eos_token_ids"]))
            self.assertEqual(peer.close(), 0)
        self.tell(case, device, precision, options, loaded, long)
        return pairs

    def tell(self, case, device, precision, options, loaded, result):
        seconds = (result["token_ns"][-1] - result["token_ns"][0]) / 1e9
        print(
            f"\n{case} {device} {precision} {options} kv={loaded['kv_cache']} {loaded['versions']} {loaded['device_name']}: "
            f"decode {199 / seconds:.1f} tokens/s, prefill {(result['prefill_end_ns'] - result['start_ns']) / 1e6:.2f} ms, "
            f"{result['memory']} {loaded['warnings']}"
        )

    def check_fp32(self, device, options):
        for case in CASES:
            for expected, actual in self.generate(case, device, "fp32", options):
                # The reference stops at EOS too, or does not meet it: the shorter of both decides.
                length = min(len(expected), len(actual))
                self.assertGreater(length, 0)
                self.assertEqual(actual[:length], expected[:length], (case, device, options))

    def test_cpu_fp32_static(self):
        self.check_fp32("cpu", {"static_cache": "1"})

    def test_cpu_fp32_dynamic(self):
        self.check_fp32("cpu", {"static_cache": "0"})

    def test_cuda_fp32_static(self):
        self.check_fp32("cuda", {"static_cache": "1"})

    def test_cuda_fp32_dynamic(self):
        self.check_fp32("cuda", {"static_cache": "0"})

    def test_cuda_fp32_compiled(self):
        self.check_fp32("cuda", {"compile": "1"})

    def test_cuda_half_precisions_run(self):
        for precision in ("fp16", "bf16"):
            self.generate(CASES[0], "cuda", precision, {})

    def test_cpu_bf16_runs(self):
        self.generate(CASES[0], "cpu", "bf16", {})


if __name__ == "__main__":
    unittest.main()
