"""Values and texts of an implementation as a report shows them: shortened, and never longer than a line needs."""

from __future__ import annotations

from collections.abc import Sequence

from nixio_conformance.driver.messages import Foreign


def clip(text: str, most: int = 2000) -> str:
    """Text of an agent, which may be of any length, as a report can have it."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} letters)"


def show(value: object) -> str:
    """A value as a person reads it; long buffers and texts are shortened."""
    if isinstance(value, Foreign):
        return f"{clip(value.repr, 200)} (a {clip(value.name, 100)})"
    if isinstance(value, str):
        return clip(repr(value), 300)
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        return repr(data) if len(data) <= 48 else f"{data[:32]!r}... ({len(data)} bytes)"
    return repr(value)


def words(values: Sequence[object]) -> str:
    """Values as a list in a sentence: `a or b`."""
    return " or ".join(str(value) for value in values)
