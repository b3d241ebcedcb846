"""What a caller may hand in: integers that never wrap, byte buffers, chunks of them, receive lengths.

Everything here ends in ``TypeError`` or ``ValueError`` (design, "the contract": a bad argument). A number is never
reduced to fit a machine word: 2**32 + 1 is not 1 (design: "values of 2^31 and 2^32 and beyond never wrap").
"""

from __future__ import annotations

import errno
import operator
import os
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from nixio_reference.const import buffersize

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    Buffer: TypeAlias = ReadableBuffer
    """Any bytes-like object: bytes, bytearray, memoryview, array, mmap, ..."""

C_INT_MIN: Final = -(2**31)
C_INT_MAX: Final = 2**31 - 1


def system_error(number: int, what: str | None = None) -> OSError:
    """Return the ``OSError`` (of the right subclass) that the system would have raised for an errno."""
    message = os.strerror(number)
    return OSError(number, f"{message}: {what}" if what else message)


def closed() -> OSError:
    """Return what every method raises after close() (design: fails without touching a descriptor)."""
    return system_error(errno.EBADF, "the socket is closed")


def integer(value: object, what: str) -> int:
    """Return value as an int. A bool is not a number here, and a float or text is never rounded or parsed."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        raise TypeError(f"{what} must be an int, not bool")
    try:
        return operator.index(value)  # type: ignore[arg-type]  # that it may lack __index__ is what is asked here
    except TypeError:
        raise TypeError(f"{what} must be an int, not {type(value).__name__}") from None


def ranged(value: object, what: str, low: int, high: int) -> int:
    """Return value as an int from low to high, or raise ``ValueError``."""
    number = integer(value, what)
    if not low <= number <= high:
        raise ValueError(f"{what} must be from {low} to {high}, not {_short(number)}")
    return number


def c_int(value: object, what: str) -> int:
    """Return value as an int that a C int holds."""
    return ranged(value, what, C_INT_MIN, C_INT_MAX)


def text(value: object, what: str) -> str:
    """Return value if it is a str without NUL (a C string would end there and another name be meant)."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{what} must not contain NUL: {value!r}")
    return value


def word(words: dict[str, Any], given: object, what: str) -> Any:
    """Return what a word stands for; names are exact."""
    if not isinstance(given, str):
        raise TypeError(f"{what} must be a str, not {type(given).__name__}")
    try:
        return words[given]
    except KeyError:
        raise ValueError(f"{what} must be one of {', '.join(words)}: {given!r}") from None


def receive_length(value: object) -> int:
    """Return how much to read at most: value, truncated to buffersize (the norm, recvfrom)."""
    length = integer(value, "length")
    if length < 0:
        raise ValueError(f"length must not be negative: {_short(length)}")
    return min(length, buffersize)


def chunk(buffer: Buffer, offset: object, length: object) -> memoryview:
    """Return the bytes of buffer from offset (default 0) on, at most length (default: the rest) of them.

    The lowest offset is 0 (the norm, sendto). At or past the end nothing is left, and a length past the end is what
    there is; a negative one is never counted from the end (design: decided where silent).
    """
    start = 0 if offset is None else integer(offset, "offset")
    if start < 0:
        raise ValueError(f"offset must not be negative: {_short(start)}")
    if length is None:
        return octets(buffer)[start:]
    count = integer(length, "length")
    if count < 0:
        raise ValueError(f"length must not be negative: {_short(count)}")
    return octets(buffer)[start : start + count]  # slicing clamps, at any size


def octets(buffer: Buffer) -> memoryview:
    """Return a flat view of buffer's bytes, whatever its items are, so that offsets and lengths count in bytes."""
    try:
        view = memoryview(buffer)
    except BufferError as error:  # an exporter that has no plain memory to show
        raise TypeError(f"buffer cannot be read: {error}") from None
    try:
        return view if view.format == "B" and view.ndim == 1 and view.c_contiguous else view.cast("B")
    except (TypeError, ValueError):  # with gaps, empty, or of items that cast does not know (ctypes): copy it flat
        return memoryview(view.tobytes())


def _short(number: int) -> str:
    """Spell a number for a message; int's own str() refuses above some thousands of digits."""
    return str(number) if number.bit_length() <= 128 else f"a number of {number.bit_length()} bits"
