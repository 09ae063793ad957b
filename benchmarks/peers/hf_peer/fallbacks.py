"""Operators that a device has no kernel for and that run on the CPU instead: slow, and part of what is measured."""

from __future__ import annotations

import re
import warnings

# "The operator 'aten::index_copy.out' is not currently supported on the DML backend and will fall back to run on the CPU."
_WARNING = re.compile(r"operator '([^']{1,100})' .*fall back to run on the CPU", re.DOTALL)


class CpuFallbacks:
    """Listens to Python's warnings from its making on; each still goes to standard error. torch warns once a process and operator."""

    def __init__(self):
        self._seen: dict[str, None] = {}
        self._show = warnings.showwarning
        warnings.showwarning = self._listen

    def operators(self) -> list[str]:
        """Names of the operators so far, in the order in which they were met."""
        return list(self._seen)

    def _listen(self, message, *more, **named):
        found = _WARNING.search(str(message))
        if found:
            self._seen[found.group(1)] = None
        self._show(message, *more, **named)
