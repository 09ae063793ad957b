"""The fake peer is what its table says, so that a test of the suite that uses it tests the suite."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

from fake_peer import EOS, MODES, next_token
from peer_process import PeerProcess

FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake_peer.py")
PROMPT = [5, 6, 7]


def start(mode, *more):
    return PeerProcess(FAKE, "--mode", mode, *more)


def load(peer):
    return peer.ask("load", model="x", backend="fake", device="cpu", precision="fp32", threads=1, max_length=64, options={})


def generate(peer, count=8):
    return peer.ask("generate", prompt=PROMPT, new_tokens=count, ignore_eos=True)


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


def raw(mode, *requests, enough=None, patience=60):
    """What a peer writes until it ends or `enough(output, errors)`: standard output, exit code (None: it still ran and was killed), errors.

    A peer that has written enough gets a little longer to end or to write too much. Both outputs go to files: a grandchild would hold
    a pipe open.
    """
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "output"), "wb") as output, open(os.path.join(folder, "errors"), "wb") as errors:
            process = subprocess.Popen([sys.executable, FAKE, "--mode", mode], stdin=subprocess.PIPE, stdout=output, stderr=errors)
        for number, (method, params) in enumerate(requests, 1):
            process.stdin.write(json.dumps({"id": number, "method": method, "params": params}).encode() + b"\n")
        process.stdin.flush()
        end = time.monotonic() + patience
        while process.poll() is None and time.monotonic() < end:
            if enough and enough(read(folder, "output"), read(folder, "errors")):
                break
            time.sleep(0.05)
        try:
            code = process.wait(0.2)
        except subprocess.TimeoutExpired:
            code = None
            process.kill()
            process.wait()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        return read(folder, "output"), code, read(folder, "errors").decode()


def lines(count):
    """Enough: so many lines of output."""
    return lambda output, _: output.count(b"\n") >= count


LOAD = ("load", {"device": "cpu", "precision": "fp32"})
GENERATE = ("generate", {"prompt": PROMPT, "new_tokens": 8, "ignore_eos": True})


class FakePeerTests(unittest.TestCase):
    def test_good(self):
        with start("good") as peer:
            self.assertEqual(peer.greeting, {"protocol": "llama3perf-peer", "version": 1, "program": "fake_peer 1.0"})
            self.assertEqual(load(peer)["result"]["eos_token_ids"], [EOS])
            self.assertEqual(peer.ask("encode", text="é", add_bos=True)["result"]["ids"], [1, 0xC3, 0xA9])
            result = generate(peer)["result"]
            self.assertEqual(result["tokens"], [next_token(PROMPT, i, 1024) for i in range(8)])
            times = [result["received_ns"], result["start_ns"], result["prefill_end_ns"], *result["token_ns"], result["end_ns"]]
            self.assertEqual(times, sorted(times))
            self.assertGreaterEqual(result["token_ns"][-1] - result["token_ns"][0], 6_000_000)
            self.assertEqual(generate(peer)["result"]["tokens"], result["tokens"])
            self.assertEqual(peer.ask("unload")["result"], {})
            self.assertEqual(generate(peer)["error"]["code"], "bad_request")
            self.assertEqual(peer.ask("dance")["error"]["code"], "bad_request")
            self.assertEqual(peer.close(), 0)

    def test_wrong_answers(self):
        with start("wrong-count") as peer:
            load(peer)
            self.assertEqual(len(generate(peer)["result"]["tokens"]), 7)
        with start("backwards-clock") as peer:
            load(peer)
            times = generate(peer)["result"]["token_ns"]
            self.assertNotEqual(times, sorted(times))
        with start("nan-ids") as peer:
            load(peer)
            self.assertEqual(generate(peer, 3)["result"]["tokens"], [2**40, -1, "seven"])
        with start("lies-about-time", "--token-ms", "4") as peer:
            load(peer)
            times = generate(peer)["result"]["token_ns"]
            self.assertGreaterEqual(times[-1] - times[0], 12_000_000)
            self.assertEqual(times, sorted(times))
        with start("old-version") as peer:
            self.assertEqual(peer.greeting["version"], 99)
        self.assertIn(b'"id": 1002', raw("wrong-id", LOAD, GENERATE, enough=lines(3))[0])

    def test_errors_of_load(self):
        for mode, code in (("out-of-memory", "out_of_memory"), ("missing-module", "missing_module")):
            with start(mode) as peer:
                self.assertEqual(load(peer)["error"]["code"], code)
                self.assertEqual(peer.close(), 0)

    def test_floods_and_works(self):
        output, _, errors = raw("floods-stderr", LOAD, enough=lines(2))
        self.assertEqual((output.count(b"\n"), errors), (2, ""))
        process = subprocess.run(
            [sys.executable, FAKE, "--mode", "floods-stderr"], capture_output=True, timeout=60,
            input=b"".join(json.dumps({"id": 1, "method": m, "params": p}).encode() + b"\n" for m, p in (LOAD, GENERATE)),
        )
        self.assertEqual((process.returncode, len(process.stderr) // 1024, process.stdout.count(b"\n")), (0, 10 * 1024, 3))

    def test_stalls_and_deaths(self):
        self.assertEqual(raw("silent", patience=0.5), (b"", None, ""))
        self.assertEqual(raw("silent-generate", LOAD, GENERATE, enough=lines(2))[0].count(b"\n"), 2)
        self.assertTrue(raw("garbage", LOAD, GENERATE, enough=lambda output, _: output.endswith(b"100%\n"))[0].endswith(b"100%\n"))
        output, code, _ = raw("half-line", LOAD, GENERATE, enough=lambda output, _: b'"tokens"' in output)
        self.assertEqual((output.count(b"\n"), code), (2, None))
        self.assertIn(b'"tokens"', output)
        _, code, errors = raw("dies-in-generate", LOAD, GENERATE)
        self.assertEqual((code, errors.strip()), (3, "last words"))
        output, code, _ = raw("huge-line", LOAD, GENERATE, enough=lambda output, _: output.count(b"x") >= 50 << 20)
        self.assertEqual((output.count(b"x"), code), (50 << 20, None))

    @unittest.skipIf(os.name == "nt", "POSIX signals")
    def test_no_exit_ignores_the_end_and_sigterm(self):
        process = subprocess.Popen([sys.executable, FAKE, "--mode", "no-exit"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdout.readline()
        process.stdin.close()
        process.terminate()
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.kill()
        process.wait()
        process.stdout.close()

    @unittest.skipIf(os.name == "nt", "POSIX signals")
    def test_spawns_a_child_that_outlives_it(self):
        output, code, errors = raw("spawns-child", LOAD, GENERATE, enough=lambda _, errors: errors.endswith(b"\n"))
        os.kill(int(errors.split("grandchild ")[1].split()[0]), 9)  # raises when it is not there
        self.assertIsNone(code)
        self.assertEqual(output.count(b"\n"), 2)

    def test_every_mode_is_described(self):
        import fake_peer

        for mode in MODES:
            self.assertIn(f"`{mode}`", fake_peer.__doc__)


if __name__ == "__main__":
    unittest.main()
