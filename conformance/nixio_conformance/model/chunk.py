"""The bytes that the arguments buffer, offset and length of a sending call select."""

from __future__ import annotations

from dataclasses import dataclass

from nixio_conformance.driver.wire import Argument


@dataclass(frozen=True)
class Chunk:
    """The selected bytes."""

    data: bytes
    #: The implementation may refuse the arguments instead of sending.
    refusable: bool = False


def select_chunk(buffer: Argument, offset: Argument = None, length: Argument = None) -> Chunk:
    """The chunk that these arguments select: a function with the same results as the fixtures' grid."""
    assert isinstance(buffer, bytes)
    start = 0 if offset is None else int(str(offset))
    count = len(buffer) if length is None else int(str(length))
    refusable = start < 0 or count < 0 or max(start, count) >= 2**31
    if start < 0:
        return Chunk(b"", True)
    return Chunk(buffer[start:] if count < 0 else buffer[start : start + count], refusable)
