"""The protocol's lines: greeting, requests from standard input, answers to standard output."""

import json
import os
import sys
import traceback

from .errors import PeerError, as_peer_error, one_line

PROTOCOL = "llama3perf-peer"
VERSION = 1


class Channel:
    """A private pair of file descriptors with the suite at the other end."""

    def __init__(self, requests, answers):
        self._requests = requests
        self._answers = answers

    @classmethod
    def take_over_standard_streams(cls) -> "Channel":
        """Keeps the real standard input and output for the protocol alone.

        File descriptor 1 becomes standard error and 0 becomes the null device, so that neither a `print` in a Python package nor a
        `printf` in a C library nor a child process can write into an answer or eat a request.
        """
        sys.stdout.flush()
        requests_fd, answers_fd = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        if os.name == "nt":
            import msvcrt

            for fd in (requests_fd, answers_fd):
                msvcrt.setmode(fd, os.O_BINARY)
        return cls(os.fdopen(requests_fd, "rb"), os.fdopen(answers_fd, "wb"))

    def serve(self, program: str, session) -> None:
        """Greets, then answers one line for each line until the end of input."""
        self._write({"protocol": PROTOCOL, "version": VERSION, "program": program})
        for line in self._requests:
            if line.strip():
                self._write(_answer(line, session))

    def _write(self, message: dict) -> None:
        self._answers.write(json.dumps(message, allow_nan=False, separators=(",", ":")).encode("utf-8") + b"\n")
        self._answers.flush()


def _answer(line: bytes, session) -> dict:
    request_id = None
    try:
        try:
            request = json.loads(line)
        except ValueError as error:
            raise PeerError("bad_request", f"the request is not JSON: {one_line(error)}") from None
        if not isinstance(request, dict):
            raise PeerError("bad_request", "the request is not a JSON object")
        request_id = request.get("id")
        params = request.get("params")
        if params is not None and not isinstance(params, dict):
            raise PeerError("bad_request", "params is not a JSON object")
        return {"id": request_id, "result": session.handle(request.get("method"), params or {})}
    except Exception as error:  # every mistake is an answer; the peer goes on serving
        answer = as_peer_error(error)
        if answer is not error:
            traceback.print_exc(file=sys.stderr)
        # The traceback holds the frames, and the frames hold tensors: let go before the next request.
        error.__traceback__ = None
        return {"id": request_id, "error": {"code": answer.code, "message": answer.message}}
