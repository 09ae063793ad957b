"""A peer as a child process, for the tests."""

import json
import os
import subprocess
import sys


class PeerProcess:
    """Starts a peer and talks to it. `stderr` holds what it printed there, after `close`."""

    def __init__(self, *command, environment=None):
        self._process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        )
        self._last_id = 0
        self.greeting = json.loads(self._process.stdout.readline())
        self.stderr = ""

    def ask(self, method, **params):
        """The whole answer to one request."""
        self._last_id += 1
        answer = self.ask_raw(json.dumps({"id": self._last_id, "method": method, "params": params}).encode() + b"\n")
        if answer["id"] != self._last_id:
            raise AssertionError(f"answer to {self._last_id}: {answer}")
        return answer

    def ask_raw(self, line):
        """The answer to a line of bytes."""
        self._process.stdin.write(line)
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        """Ends the peer's input; the exit code. What it printed on standard output after its last answer must be nothing."""
        rest, errors = self._process.communicate(timeout=30)
        self.stderr = errors.decode("utf-8", "replace")
        if rest:
            raise AssertionError(f"after the last answer: {rest[:200]!r}")
        return self._process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
