"""Conformance suite for nixio's Socket API: checks any implementation of it against the specification.

The packaging of an implementation needs at most `Agent` from this package: an entry point of group
`nixio.implementations` may be an `Agent`, which names a program that speaks the agent protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__version__ = "0.1.0"
__all__ = ["Agent", "__version__"]


@dataclass(frozen=True, init=False)
class Agent:
    """An implementation that is reached through a program speaking the agent protocol over its standard streams."""

    argv: tuple[str, ...]

    def __init__(self, argv: Sequence[str]) -> None:
        if isinstance(argv, str) or not argv:
            raise TypeError("argv is a sequence of words: the program and its arguments")
        object.__setattr__(self, "argv", tuple(argv))
