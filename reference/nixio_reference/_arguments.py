"""Checks of arguments: integers, text, keywords, lengths, and the chunk of a buffer that is to be sent.

A bad argument raises ``TypeError`` (its type is wrong) or ``ValueError`` (its value is), and nothing has been done
(design:contract). A number is never reduced to the width of a C type: 2**32 + 1 is not 1 (design:no-wrapping).
"""

from __future__ import annotations

import errno
import operator
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from nixio_reference.const import buffersize

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    Buffer: TypeAlias = ReadableBuffer
    """Any bytes-like object: bytes, bytearray, memoryview, array, mmap, ..."""

T = TypeVar("T")

C_INT_MIN: Final = -(2**31)
C_INT_MAX: Final = 2**31 - 1


# -- errors ----------------------------------------------------------------------------------------------------------


def system_error(number: int, detail: str | None = None) -> OSError:
    """Return the ``OSError`` that the system would raise for an errno, as the subclass that belongs to it."""
    message = os.strerror(number)
    return OSError(number, f"{message}: {detail}" if detail else message)


def closed_error() -> OSError:
    """Return the error of every method after close() (design:closed)."""
    return system_error(errno.EBADF, "the socket is closed")


# -- integers --------------------------------------------------------------------------------------------------------


def integer(value: object, what: str) -> int:
    """Return value as an int. Anything with ``__index__`` is accepted, but not a bool; nothing is rounded or parsed."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        raise TypeError(f"{what} must be an int, not bool")
    try:
        return operator.index(value)  # type: ignore[arg-type]  # the TypeError for a missing __index__ is caught
    except TypeError:
        raise TypeError(f"{what} must be an int, not {type(value).__name__}") from None


def int_in_range(value: object, what: str, low: int, high: int) -> int:
    """Return value as an int from low to high."""
    number = integer(value, what)
    if not low <= number <= high:
        raise ValueError(f"{what} must be from {low} to {high}, not {_short(number)}")
    return number


def c_int(value: object, what: str) -> int:
    """Return value as an int that fits into a C int."""
    return int_in_range(value, what, C_INT_MIN, C_INT_MAX)


def not_negative(value: object, what: str) -> int:
    """Return value as an int of 0 or more, however large."""
    number = integer(value, what)
    if number < 0:
        raise ValueError(f"{what} must not be negative: {_short(number)}")
    return number


def _short(number: int) -> str:
    """Return a number for a message. ``str()`` of more than some thousand digits would raise ValueError itself."""
    return str(number) if number.bit_length() <= 128 else f"a number of {number.bit_length()} bits"


# -- text ------------------------------------------------------------------------------------------------------------


def text(value: object, what: str) -> str:
    """Return value if it is a str without NUL: C would read only the part before the NUL (design:arguments)."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{what} must not contain NUL: {value!r}")
    return value


def keyword(meanings: Mapping[str, T], value: object, what: str) -> T:
    """Return what a keyword means. Case counts, and there are no abbreviations."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    try:
        return meanings[value]
    except KeyError:
        raise ValueError(f"{what} must be one of {', '.join(meanings)}: {value!r}") from None


# -- data ------------------------------------------------------------------------------------------------------------


def receive_length(value: object) -> int:
    """Return how many bytes to receive at most: value, limited to buffersize (norm:128)."""
    return min(not_negative(value, "length"), buffersize)


def chunk(buffer: Buffer, offset: object, length: object) -> bytes | memoryview:
    """Return the bytes to send: length bytes of buffer from offset on (norm:84-85).

    offset None is 0, the lowest one (norm:91); length None is the rest. From the end on, or with length 0, there are no
    bytes; a length past the end is the rest. Negative numbers never count from the end: ValueError (design:offsets).
    """
    if offset is None and length is None:
        return buffer if type(buffer) is bytes else flat_view(buffer)
    start = 0 if offset is None else not_negative(offset, "offset")
    stop = None if length is None else start + not_negative(length, "length")
    return flat_view(buffer)[start:stop]  # a slice may reach past the end, by any number


def flat_view(buffer: Buffer) -> memoryview:
    """Return a view of buffer's bytes, whatever its items and dimensions are: offset and length count bytes."""
    try:
        view = memoryview(buffer)
    except BufferError as error:  # the object offers no contiguous or strided memory
        raise TypeError(f"buffer cannot be read: {error}") from None
    if view.format == "B" and view.ndim == 1 and view.c_contiguous:
        return view
    try:
        return view.cast("B")
    except (TypeError, ValueError):  # cast() refuses strides, zero-length shapes and formats such as ctypes' "<H"
        return memoryview(view.tobytes())
