"""A peer without a model, for the suite's own tests: deterministic tokens, and a way to be wrong in each way that matters.

    python fake_peer.py [--mode MODE] [--token-ms 1] [--prefill-ms 2] [--vocab-size 1024]

The mode may also come from the environment variable FAKE_PEER_MODE. Standard library only; runs on Windows too.
New token i of a prompt is `next_token` below, `encode` gives the UTF-8 bytes (with BOS 1 before them when asked), EOS is id 2 and never comes.

| mode | what it does |
|---|---|
| `good` | the protocol, as it should be |
| `silent` | never greets |
| `silent-generate` | greets and loads, never answers generate |
| `garbage` | answers generate with a line that is not JSON |
| `half-line` | writes half of generate's answer, without a line end, and stalls |
| `dies-in-generate` | says "last words" on standard error, writes half an answer and exits with 3 |
| `floods-stderr` | 10 MB of standard error before each generate, then works |
| `lies-about-time` | says that each token took half of the time it took |
| `wrong-count` | one token too few |
| `wrong-id` | answers generate under another id |
| `old-version` | greets with version 99 |
| `no-exit` | works, but ignores the end of its input, and SIGTERM |
| `spawns-child` | at generate starts a process that sleeps, prints "grandchild PID" on standard error and stalls |
| `out-of-memory` | load fails with out_of_memory |
| `missing-module` | load fails with missing_module |
| `huge-line` | answers generate with a line of 50 MB that does not end, and stalls |
| `backwards-clock` | the last token's time is before the first one's |
| `million-lines` | answers generate with a million lines |
| `no-tokenizer` | works, but cannot encode |
| `logits` | works, and shows its logits after the prompt when asked: 1 for the token that it takes |
| `nan-ids` | tokens that are no ids: out of the vocabulary, negative, texts |
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

MODES = (
    "good", "silent", "silent-generate", "garbage", "half-line", "dies-in-generate", "floods-stderr", "lies-about-time", "wrong-count",
    "wrong-id", "old-version", "no-exit", "spawns-child", "out-of-memory", "missing-module", "huge-line", "backwards-clock", "nan-ids",
    "million-lines", "no-tokenizer", "logits",
)
BOS, EOS = 1, 2
LOAD_ERRORS = {
    "out-of-memory": ("out_of_memory", "the fake model needs 1 EiB: take a smaller model"),
    "missing-module": ("missing_module", "the Python module fakelib is not installed: python -m pip install fakelib"),
}
BAD_IDS = [2**40, -1, "seven"]
STALL_SECONDS = 600  # nobody waits longer, and a forgotten process ends by itself


def next_token(prompt, i, vocab_size):
    """New token i: depends on every id of the prompt and on its place; never BOS or EOS."""
    value = 17
    for token in prompt:
        value = (value * 31 + token) % 1_000_003
    return 3 + (value + 7919 * i) % (vocab_size - 3)


def stall():
    end = time.monotonic() + STALL_SECONDS
    while time.monotonic() < end:
        time.sleep(1)
    sys.exit(4)


def wait_until(nanoseconds):
    """Sleeps, then spins the rest: times are meant to be even to some 10 microseconds."""
    while (left := nanoseconds - time.perf_counter_ns()) > 0:
        if left > 2_000_000:
            time.sleep((left - 1_500_000) / 1e9)


class FakePeer:
    def __init__(self, arguments, output):
        self.mode = arguments.mode
        self.vocab_size = arguments.vocab_size
        self.token_ns = int(arguments.token_ms * 1e6)
        self.prefill_ns = int(arguments.prefill_ms * 1e6)
        self.output = output
        self.loaded = False

    def write(self, message):
        self.output.write(json.dumps(message).encode("utf-8") + b"\n")
        self.output.flush()

    def write_raw(self, data):
        self.output.write(data)
        self.output.flush()

    def greet(self):
        version = 99 if self.mode == "old-version" else 1
        self.write({"protocol": "llama3perf-peer", "version": version, "program": "fake_peer 1.0"})

    def answer(self, request):
        """Writes the one line for a request, or misbehaves."""
        request_id, method, params = request.get("id"), request.get("method"), request.get("params") or {}
        handler = {"load": self.load, "encode": self.encode, "generate": self.generate, "unload": self.unload}.get(method)
        if handler is None:
            return self.error(request_id, "bad_request", f"there is no method {method!r}")
        if method in ("encode", "generate") and not self.loaded:
            return self.error(request_id, "bad_request", "no model is loaded: send load first")
        return handler(request_id, params)

    def error(self, request_id, code, message):
        self.write({"id": request_id, "error": {"code": code, "message": message}})

    def load(self, request_id, params):
        if self.mode in LOAD_ERRORS:
            return self.error(request_id, *LOAD_ERRORS[self.mode])
        self.loaded = True
        result = {
            "device": params.get("device"), "device_name": "Fake device", "precision": params.get("precision"),
            "versions": {"python": sys.version.split()[0], "fake": "1.0"}, "vocab_size": self.vocab_size, "eos_token_ids": [EOS],
            "kv_cache": "static", "memory": {"peak_rss_bytes": 64 << 20, "device_bytes": None}, "warnings": ["nothing here is real"],
        }
        return self.write({"id": request_id, "result": result})

    def encode(self, request_id, params):
        if self.mode == "no-tokenizer":
            return self.error(request_id, "bad_request", "tokenizer.json cannot be read: untagged enum ModelWrapper")
        ids = list(params["text"].encode("utf-8"))
        return self.write({"id": request_id, "result": {"ids": [BOS, *ids] if params.get("add_bos") else ids}})

    def unload(self, request_id, _params):
        self.loaded = False
        return self.write({"id": request_id, "result": {}})

    def generate(self, request_id, params):
        self.before_generate()
        result = self.timed(params["prompt"], params["new_tokens"])
        if self.mode == "logits" and params.get("last_logits"):
            result["last_logits"] = [float(token == result["tokens"][0]) for token in range(self.vocab_size)]
        line = json.dumps({"id": request_id, "result": result}).encode("utf-8")
        if self.mode == "garbage":
            return self.write_raw(b"Loading checkpoint shards: 100%\n")
        if self.mode == "million-lines":
            for start in range(0, 1_000_000, 1000):
                self.write_raw(b"".join(b"line %d\n" % number for number in range(start, start + 1000)))
            return None
        if self.mode == "half-line":
            self.write_raw(line[: len(line) // 2])
            stall()
        if self.mode == "dies-in-generate":
            print("last words", file=sys.stderr, flush=True)
            self.write_raw(line[: len(line) // 2])
            os._exit(3)
        if self.mode == "wrong-id":
            return self.write({"id": request_id + 1000, "result": result})
        return self.write_raw(line + b"\n")

    def before_generate(self):
        if self.mode == "silent-generate":
            stall()
        if self.mode == "floods-stderr":
            for _ in range(10 * 1024):
                sys.stderr.write("x" * 1023 + "\n")
            sys.stderr.flush()
        if self.mode == "spawns-child":
            # It inherits standard output, as a careless peer's child would: the pipe stays open when only the peer is killed.
            child = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({STALL_SECONDS})"], stdin=subprocess.DEVNULL)
            print(f"grandchild {child.pid}", file=sys.stderr, flush=True)
            stall()
        if self.mode == "huge-line":
            for _ in range(50):
                self.write_raw(b"x" * (1 << 20))
            stall()

    def timed(self, prompt, new_tokens):
        """A generation that takes the time it says, one token every `token_ns`."""
        received = start = time.perf_counter_ns()
        wait_until(start + self.prefill_ns)
        prefill_end = time.perf_counter_ns()
        tokens, times = [], []
        for i in range(new_tokens):
            wait_until(prefill_end + i * self.token_ns)
            tokens.append(next_token(prompt, i, self.vocab_size))
            times.append(time.perf_counter_ns())
        end = time.perf_counter_ns()
        if self.mode == "lies-about-time":
            prefill_end, end = (start + (value - start) // 2 for value in (prefill_end, end))
            times = [start + (value - start) // 2 for value in times]
        if self.mode == "wrong-count":
            tokens, times = tokens[:-1], times[:-1]
        if self.mode == "backwards-clock":
            times[-1] = start - 1
        if self.mode == "nan-ids":
            tokens = [BAD_IDS[i % len(BAD_IDS)] for i in range(new_tokens)]
        return {
            "tokens": tokens, "received_ns": received, "start_ns": start, "prefill_end_ns": prefill_end, "token_ns": times, "end_ns": end,
            "memory": {"peak_rss_bytes": 64 << 20, "peak_device_bytes": None},
        }


def read_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=MODES, default=os.environ.get("FAKE_PEER_MODE", "good"))
    parser.add_argument("--token-ms", type=float, default=1.0)
    parser.add_argument("--prefill-ms", type=float, default=2.0)
    parser.add_argument("--vocab-size", type=int, default=1024)
    return parser.parse_args()


def main():
    arguments = read_arguments()
    peer = FakePeer(arguments, sys.stdout.buffer)
    if peer.mode == "no-exit" and hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if peer.mode == "silent":
        stall()
    peer.greet()
    for line in sys.stdin.buffer:
        if line.strip():
            try:
                request = json.loads(line)
            except ValueError:
                peer.error(None, "bad_request", "the request is not JSON")
                continue
            peer.answer(request)
    if peer.mode == "no-exit":
        stall()


if __name__ == "__main__":
    main()
