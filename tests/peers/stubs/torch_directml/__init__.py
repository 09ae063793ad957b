"""Stand-in for torch_directml with one device."""

__version__ = "0.2.5.dev240914"


def is_available():
    return True


def device_count():
    return 1


def device_name(index):
    return f"Stub adapter {index}\0"


def device(index):
    return f"privateuseone:{index}"
