"""Which bytes of the buffer are sent: offset, length and the buffer, wrong in one of send, write and sendto."""

from __future__ import annotations

from typing import Any

from tests.mutants.hooks import Sender
from tests.mutants.registry import Group
from tests.mutants.wrapper import SENDING, Wrapped, flat, is_int, positive, raising, size

GROUP = Group(__name__)
fault = GROUP.fault


def between(value: Any, low: int, high: int) -> bool:
    """Whether it is an int, at least `low` and less than `high`."""
    return is_int(value) and low <= value < high


def rest(buffer: Any, offset: Any) -> int:
    """Number of bytes from `offset` on."""
    return size(buffer) - (offset or 0)


each = GROUP.rows(Sender, "{}-{method}", "{method}: {}", "{method}.{}", methods=SENDING)
each("offset-from-one", "the first byte has offset 1", "offset.zero-based").override(
    pass_on=lambda s, b, o, n: (b, o - 1 if positive(o) else o, n)
)
each("offset-ignored", "the offset is ignored", "offset.zero-based", "length.chunk").override(
    pass_on=lambda s, b, o, n: (b, 0 if positive(o) else o, n)
)
each("offset-needs-length", "the offset is ignored without a length", "offset.zero-based").override(
    pass_on=lambda s, b, o, n: (b, 0 if n is None and positive(o) else o, n)
)
each("offset-default-one", "without an offset, the first byte is missing", "offset.default").override(
    pass_on=lambda s, b, o, n: (b, 1 if o is None and n is None and size(b) else o, n)
)
each("offset-required", "an offset is required", "offset.default").override(
    pass_on=lambda s, b, o, n: (b, o, n) if o is not None else raising(TypeError("offset"))
)
each("offset-from-end", "a negative offset counts from the end", "offset.negative").override(
    pass_on=lambda s, b, o, n: (b, max(size(b) + o, 0) if is_int(o) and o < 0 else o, n)
)
each("offset-negative-zero", "a negative offset is 0", "offset.negative").override(
    pass_on=lambda s, b, o, n: (b, max(o, 0) if is_int(o) else o, n)
)
each("offset-wraps-32", "an offset of 2^32 and more wraps", "offset.wide").override(
    pass_on=lambda s, b, o, n: (b, o & 0xFFFFFFFF if positive(o) else o, n)
)
each("offset-wraps-31", "an offset of 2^31 becomes 0", "offset.wide").override(
    pass_on=lambda s, b, o, n: (b, 0 if between(o, 1 << 31, 1 << 32) else o, n)
)
each("offset-past-end-refused", "an offset past the end is refused", "offset.past-end").override(
    pass_on=lambda s, b, o, n: raising(ValueError("offset")) if positive(o) and o > size(b) else (b, o, n)
)
each("offset-at-end-refused", "an offset at the end is refused", "offset.past-end").override(
    pass_on=lambda s, b, o, n: raising(ValueError("offset")) if positive(o) and o == size(b) else (b, o, n)
)
each("offset-past-end-all", "an offset at or past the end sends everything", "offset.past-end").override(
    pass_on=lambda s, b, o, n: (b, 0 if positive(o) and o >= size(b) else o, n)
)
each("offset-modulo", "an offset past the end wraps around", "offset.past-end").override(
    pass_on=lambda s, b, o, n: (b, o % size(b) if size(b) and positive(o) and o > size(b) else o, n)
)

each("length-is-end", "the length is the position of the chunk's end", "length.chunk").override(
    pass_on=lambda s, b, o, n: (b, o, max(n - o, 0) if positive(o) and positive(n) else n)
)
each("length-ignored", "the length is ignored", "length.chunk").override(
    pass_on=lambda s, b, o, n: (b, o, None if positive(n) else n)
)
each("length-needs-offset", "the length is ignored where the offset is 0", "length.chunk").override(
    pass_on=lambda s, b, o, n: (b, o, None if positive(n) and not o else n)
)
each("length-one-less", "a chunk up to the end loses its last byte", "length.chunk").override(
    pass_on=lambda s, b, o, n: (b, o, n - 1 if positive(n) and is_int(o) and n == rest(b, o) else n)
)
each("length-one-more", "a chunk has one byte too many", "length.chunk").override(
    pass_on=lambda s, b, o, n: (b, o, n + 1 if positive(n) else n)
)
each("length-default-short", "without a length, the last byte is missing", "length.default").override(
    pass_on=lambda s, b, o, n: (b, o, rest(b, o) - 1 if n is None and is_int(o) and 0 <= o < size(b) else n)
)
each("swapped", "offset and length are swapped", "length.chunk").override(
    pass_on=lambda s, b, o, n: (b, n, o) if is_int(o) and is_int(n) else (b, o, n)
)
each("length-negative-slice", "a negative length leaves out that many bytes at the end", "length.negative").override(
    pass_on=lambda s, b, o, n: (b, o, max(rest(b, o) + n, 0) if is_int(n) and n < 0 and is_int(o or 0) else n)
)
each("length-negative-one", "a negative length is 1", "length.negative").override(
    pass_on=lambda s, b, o, n: (b, o, 1 if is_int(n) and n < 0 else n)
)
each("length-wraps-32", "a length of 2^32 and more wraps", "length.wide").override(
    pass_on=lambda s, b, o, n: (b, o, n & 0xFFFFFFFF if positive(n) else n)
)
each("length-wraps-31", "a length of 2^31 becomes 0", "length.wide").override(
    pass_on=lambda s, b, o, n: (b, o, 0 if between(n, 1 << 31, 1 << 32) else n)
)
each("length-past-end-refused", "a length past the end is refused", "length.past-end").override(
    pass_on=lambda s, b, o, n: raising(ValueError("length")) if positive(n) and n > rest(b, o) >= 0 else (b, o, n)
)
each("length-past-end-padded", "a length past the end is padded with NUL", "length.past-end").override(
    pass_on=lambda s, b, o, n: (
        (flat(b).ljust((o or 0) + n, b"\0"), o, n) if between(n, 1, 65536) and between(o or 0, 0, 65536) else (b, o, n)
    )
)
each("length-zero-all", "length 0 sends everything", "length.zero").override(
    pass_on=lambda s, b, o, n: (b, o, None if is_int(n) and n == 0 else n)
)
each("length-zero-refused", "length 0 is refused", "length.zero").override(
    pass_on=lambda s, b, o, n: raising(ValueError("length")) if is_int(n) and n == 0 else (b, o, n)
)

each("utf-8", "bytes from 128 on are sent as UTF-8", "data.binary").override(
    pass_on=lambda s, b, o, n: (flat(b).decode("latin-1").encode(), o, n)
)
each("ascii", "bytes from 128 on become question marks", "data.binary").override(
    pass_on=lambda s, b, o, n: (bytes(c if c < 128 else 63 for c in flat(b)), o, n)
)
each("nul-ends", "the data ends at its first NUL", "data.binary").override(
    pass_on=lambda s, b, o, n: (flat(b).split(b"\0")[0], o, n)
)
each("crlf", "a newline is sent as CR and LF", "data.binary").override(
    pass_on=lambda s, b, o, n: (flat(b).replace(b"\n", b"\r\n"), o, n)
)
each("newline", "a newline is sent after the data", "data.arrives").override(
    pass_on=lambda s, b, o, n: (flat(b) + b"\n", o, n)
)


def items(sock: Wrapped, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Count items of a memoryview instead of bytes."""
    view = memoryview(buffer)
    if view.itemsize == 1:
        return buffer, offset, length
    if offset is None and length is None:
        return buffer, 0, len(view)
    return buffer, *(value * view.itemsize if is_int(value) else value for value in (offset, length))


def no_view(sock: Wrapped, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    return raising(TypeError("no view")) if isinstance(buffer, memoryview) else (buffer, offset, length)


def no_bytearray(sock: Wrapped, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    return raising(TypeError("bytes only")) if isinstance(buffer, bytearray) else (buffer, offset, length)


def as_text(sock: Wrapped, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Convert any object to bytes."""
    return buffer if isinstance(buffer, (bytes, bytearray, memoryview)) else repr(buffer).encode(), offset, length


def text_is_zero(sock: Wrapped, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Convert a string to 0, as C's atoi does."""
    return buffer, *(0 if isinstance(value, str) else value for value in (offset, length))


some = GROUP.rows(Sender, "{}-{method}", "{method}: {}", "{method}.{}", methods=("send", "sendto"))
some("items", "offset and length count a view's items, not bytes", "buffer.bytes-like").override(pass_on=items)
some("no-memoryview", "a memoryview is refused", "buffer.bytes-like").override(pass_on=no_view)
some("no-bytearray", "a bytearray is refused", "buffer.bytes-like").override(pass_on=no_bytearray)
some("anything", "an object that is not a buffer is sent as its repr", "buffer.converted").override(pass_on=as_text)
some("text-is-zero", "a string as offset is 0", "offset.number").override(pass_on=text_is_zero)


def empty_for_none(sock: Wrapped, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Convert None and False to an empty buffer."""
    return (b"" if buffer is None or buffer is False else buffer), offset, length


def halves_view(sock: Wrapped, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Count items of two bytes in a buffer that is not bytes."""
    wide = not isinstance(buffer, (bytes, bytearray)) and is_int(offset) and offset > 0
    return buffer, (offset // 2 if wide else offset), length


def every_third(sock: Wrapped, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Round offsets down to a multiple of three."""
    return buffer, (offset - offset % 3 if positive(offset) and offset < size(buffer) else offset), length


some("empty-for-none", "None is an empty buffer", "buffer.required").override(pass_on=empty_for_none)
some("halves-view", "the offset into a buffer other than bytes is halved", "buffer.bytes-like-chunk").override(
    pass_on=halves_view
)
some("length-text-is-zero", "a length that is a string as offset is 0", "length.number").override(pass_on=text_is_zero)
each("thirds", "offsets are rounded down to multiples of three", "chunk.any").override(pass_on=every_third)
