"""Formats values and texts of an implementation for reports, shortened to a bounded length."""

from __future__ import annotations

from collections.abc import Sequence

from nixio_conformance.driver.messages import Foreign


def clip(text: str, most: int = 2000) -> str:
    """Text of at most `most` characters, and the full length if it was cut."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"


def show(value: object) -> str:
    """A value as text for people; long buffers and strings are shortened."""
    if isinstance(value, Foreign):
        return f"{clip(value.repr, 200)} (a {clip(value.name, 100)})"
    if isinstance(value, str):
        return clip(repr(value), 300)
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        return repr(data) if len(data) <= 48 else f"{data[:32]!r}... ({len(data)} bytes)"
    return repr(value)


def alternatives(values: Sequence[object]) -> str:
    """Values as alternatives in a sentence: `a or b`."""
    return " or ".join(str(value) for value in values)
