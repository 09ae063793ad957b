"""Measured peer of the Hugging Face family: transformers, IPEX-LLM and torch-directml.

Speaks the peer protocol (README.md beside this file) over standard input and output. Nothing but the standard library is imported
until `load` asks for a backend, so that a missing package is an answer and not a crash at start.
"""

import sys

if sys.version_info < (3, 10):
    sys.exit("huggingface_peer.py needs Python 3.10 or newer, this is " + sys.version.split()[0])

from hf_peer.channel import Channel  # noqa: E402
from hf_peer.session import Session  # noqa: E402

PROGRAM = "huggingface_peer 1.0"

if __name__ == "__main__":
    channel = Channel.take_over_standard_streams()
    try:
        channel.serve(PROGRAM, Session())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
