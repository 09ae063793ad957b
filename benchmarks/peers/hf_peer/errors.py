"""The errors of the protocol, and how exceptions of others become them."""

CODES = ("missing_module", "wrong_version", "no_device", "out_of_memory", "unsupported", "bad_request", "failed")

# What allocators say when the type of the exception does not tell: CPU, CUDA, Level Zero, DirectML, Metal.
_MEMORY_PHRASES = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "not enough gpu video memory",
    "out_of_device_memory",
    "out_of_host_memory",
    "out_of_resources",
)


class PeerError(Exception):
    """An answer with an error. `message` is one line that names the thing and the way out."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        assert code in CODES, code
        self.code = code
        self.message = one_line(message)


def one_line(text: str, limit: int = 500) -> str:
    """The text with all white space as single spaces, cut to `limit` characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the exception means that host or device memory ran out."""
    if isinstance(error, MemoryError) or type(error).__name__ in ("OutOfMemoryError", "OutOfMemoryException"):
        return True
    text = str(error).lower()
    return isinstance(error, (RuntimeError, OSError)) and any(phrase in text for phrase in _MEMORY_PHRASES)


def as_peer_error(error: BaseException) -> PeerError:
    """The protocol's error for any exception that escaped a request."""
    if isinstance(error, PeerError):
        return error
    if is_out_of_memory(error):
        return PeerError(
            "out_of_memory",
            f"{type(error).__name__}: {one_line(error, 300)}: take a smaller model, a lower precision or a shorter max_length",
        )
    return PeerError("failed", f"{type(error).__name__}: {one_line(error, 400)}")
