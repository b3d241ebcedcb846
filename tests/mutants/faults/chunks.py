"""Which bytes of the buffer are sent: offset, length and the buffer itself, wrong in send, write or sendto alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.mutants.hooks import Sender
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import SENDING, Port, flat, is_int, positive, raising, size

CHAPTER = Chapter(__name__)

#: From the socket, the buffer, the offset and the length to what is handed on.
Chosen = Callable[[Port, Any, Any, Any], tuple[Any, Any, Any]]


class Wrong(NamedTuple):
    """A wrong choice of bytes, and the clauses that say so, without their method."""

    name: str
    does: str
    clauses: tuple[str, ...]
    chosen: Chosen


def between(value: Any, low: int, high: int) -> bool:
    """Whether it is a number from `low` to below `high`."""
    return is_int(value) and low <= value < high


def rest(buffer: Any, offset: Any) -> int:
    """How many bytes there are from `offset` on."""
    return size(buffer) - (offset or 0)


OFFSETS = (
    Wrong(
        "offset-from-one",
        "the first byte has offset 1",
        ("offset.zero-based",),
        lambda s, b, o, n: (b, o - 1 if positive(o) else o, n),
    ),
    Wrong(
        "offset-ignored",
        "the offset is ignored",
        ("offset.zero-based", "length.chunk"),
        lambda s, b, o, n: (b, 0 if positive(o) else o, n),
    ),
    Wrong(
        "offset-needs-length",
        "the offset counts only where there is a length",
        ("offset.zero-based",),
        lambda s, b, o, n: (b, 0 if n is None and positive(o) else o, n),
    ),
    Wrong(
        "offset-default-one",
        "without an offset, the first byte is left out",
        ("offset.default",),
        lambda s, b, o, n: (b, 1 if o is None and n is None and size(b) else o, n),
    ),
    Wrong(
        "offset-required",
        "an offset has to be given",
        ("offset.default",),
        lambda s, b, o, n: (b, o, n) if o is not None else raising(TypeError("offset")),
    ),
    Wrong(
        "offset-from-end",
        "a negative offset counts from the end",
        ("offset.negative",),
        lambda s, b, o, n: (b, max(size(b) + o, 0) if is_int(o) and o < 0 else o, n),
    ),
    Wrong(
        "offset-negative-zero",
        "a negative offset is 0",
        ("offset.negative",),
        lambda s, b, o, n: (b, max(o, 0) if is_int(o) else o, n),
    ),
    Wrong(
        "offset-wraps-32",
        "an offset of 2^32 and more wraps",
        ("offset.wide",),
        lambda s, b, o, n: (b, o & 0xFFFFFFFF if positive(o) else o, n),
    ),
    Wrong(
        "offset-wraps-31",
        "an offset of 2^31 becomes negative, and 0",
        ("offset.wide",),
        lambda s, b, o, n: (b, 0 if between(o, 1 << 31, 1 << 32) else o, n),
    ),
    Wrong(
        "offset-past-end-refused",
        "an offset past the end is refused",
        ("offset.past-end",),
        lambda s, b, o, n: raising(ValueError("offset")) if positive(o) and o > size(b) else (b, o, n),
    ),
    Wrong(
        "offset-at-end-refused",
        "an offset at the end is refused",
        ("offset.past-end",),
        lambda s, b, o, n: raising(ValueError("offset")) if positive(o) and o == size(b) else (b, o, n),
    ),
    Wrong(
        "offset-past-end-all",
        "an offset at or past the end sends everything",
        ("offset.past-end",),
        lambda s, b, o, n: (b, 0 if positive(o) and o >= size(b) else o, n),
    ),
    Wrong(
        "offset-modulo",
        "an offset past the end begins again at the start",
        ("offset.past-end",),
        lambda s, b, o, n: (b, o % size(b) if size(b) and positive(o) and o > size(b) else o, n),
    ),
)

LENGTHS = (
    Wrong(
        "length-is-end",
        "the length is where the chunk ends",
        ("length.chunk",),
        lambda s, b, o, n: (b, o, max(n - o, 0) if positive(o) and positive(n) else n),
    ),
    Wrong(
        "length-ignored",
        "the length is ignored",
        ("length.chunk",),
        lambda s, b, o, n: (b, o, None if positive(n) else n),
    ),
    Wrong(
        "length-needs-offset",
        "the length is ignored where the offset is 0",
        ("length.chunk",),
        lambda s, b, o, n: (b, o, None if positive(n) and not o else n),
    ),
    Wrong(
        "length-one-less",
        "a chunk that goes to the end loses its last byte",
        ("length.chunk",),
        lambda s, b, o, n: (b, o, n - 1 if positive(n) and is_int(o) and n == rest(b, o) else n),
    ),
    Wrong(
        "length-one-more",
        "a chunk has one byte more",
        ("length.chunk",),
        lambda s, b, o, n: (b, o, n + 1 if positive(n) else n),
    ),
    Wrong(
        "length-default-short",
        "without a length, the last byte is left out",
        ("length.default",),
        lambda s, b, o, n: (b, o, rest(b, o) - 1 if n is None and is_int(o) and 0 <= o < size(b) else n),
    ),
    Wrong(
        "swapped",
        "offset and length are swapped",
        ("length.chunk",),
        lambda s, b, o, n: (b, n, o) if is_int(o) and is_int(n) else (b, o, n),
    ),
    Wrong(
        "length-negative-slice",
        "a negative length leaves out so many bytes of the end",
        ("length.negative",),
        lambda s, b, o, n: (b, o, max(rest(b, o) + n, 0) if is_int(n) and n < 0 and is_int(o or 0) else n),
    ),
    Wrong(
        "length-negative-one",
        "a negative length is 1",
        ("length.negative",),
        lambda s, b, o, n: (b, o, 1 if is_int(n) and n < 0 else n),
    ),
    Wrong(
        "length-wraps-32",
        "a length of 2^32 and more wraps",
        ("length.wide",),
        lambda s, b, o, n: (b, o, n & 0xFFFFFFFF if positive(n) else n),
    ),
    Wrong(
        "length-wraps-31",
        "a length of 2^31 becomes negative, and nothing is sent",
        ("length.wide",),
        lambda s, b, o, n: (b, o, 0 if between(n, 1 << 31, 1 << 32) else n),
    ),
    Wrong(
        "length-past-end-refused",
        "a length past the end is refused",
        ("length.past-end",),
        lambda s, b, o, n: raising(ValueError("length")) if positive(n) and n > rest(b, o) >= 0 else (b, o, n),
    ),
    Wrong(
        "length-past-end-padded",
        "a length past the end is filled with NUL",
        ("length.past-end",),
        lambda s, b, o, n: (
            (flat(b).ljust((o or 0) + n, b"\0"), o, n)
            if between(n, 1, 65536) and between(o or 0, 0, 65536)
            else (b, o, n)
        ),
    ),
    Wrong(
        "length-zero-all",
        "length 0 sends everything",
        ("length.zero",),
        lambda s, b, o, n: (b, o, None if is_int(n) and n == 0 else n),
    ),
    Wrong(
        "length-zero-refused",
        "length 0 is refused",
        ("length.zero",),
        lambda s, b, o, n: raising(ValueError("length")) if is_int(n) and n == 0 else (b, o, n),
    ),
)

BYTES = (
    Wrong(
        "utf-8",
        "bytes from 128 on are sent as UTF-8",
        ("data.binary",),
        lambda s, b, o, n: (flat(b).decode("latin-1").encode(), o, n),
    ),
    Wrong(
        "ascii",
        "bytes from 128 on become question marks",
        ("data.binary",),
        lambda s, b, o, n: (bytes(c if c < 128 else 63 for c in flat(b)), o, n),
    ),
    Wrong(
        "nul-ends",
        "the data end at their first NUL",
        ("data.binary",),
        lambda s, b, o, n: (flat(b).split(b"\0")[0], o, n),
    ),
    Wrong(
        "crlf",
        "a newline is sent as CR and LF",
        ("data.binary",),
        lambda s, b, o, n: (flat(b).replace(b"\n", b"\r\n"), o, n),
    ),
    Wrong(
        "newline",
        "a newline is sent after the data",
        ("data.arrives",),
        lambda s, b, o, n: (flat(b) + b"\n", o, n),
    ),
)

for method in SENDING:
    for wrong in (*OFFSETS, *LENGTHS, *BYTES):
        CHAPTER.row(
            f"{wrong.name}-{method}",
            f"{method}: {wrong.does}",
            [f"{method}.{clause}" for clause in wrong.clauses],
            Sender,
            methods=(method,),
            chosen=wrong.chosen,
        )


def items(sock: Port, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Count the items of a view, whatever size they have."""
    view = memoryview(buffer)
    if view.itemsize == 1:
        return buffer, offset, length
    if offset is None and length is None:
        return buffer, 0, len(view)
    return buffer, *(value * view.itemsize if is_int(value) else value for value in (offset, length))


def no_view(sock: Port, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    return raising(TypeError("no view")) if isinstance(buffer, memoryview) else (buffer, offset, length)


def no_bytearray(sock: Port, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    return raising(TypeError("bytes only")) if isinstance(buffer, bytearray) else (buffer, offset, length)


def as_text(sock: Port, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Make bytes of anything."""
    return buffer if isinstance(buffer, (bytes, bytearray, memoryview)) else repr(buffer).encode(), offset, length


def text_is_zero(sock: Port, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Take text for 0, as C's atoi does."""
    return buffer, *(0 if isinstance(value, str) else value for value in (offset, length))


for method in ("send", "sendto"):
    for name, does, clause, chosen in (
        ("items", "offset and length count a view's items, not bytes", "buffer.bytes-like", items),
        ("no-memoryview", "a memoryview is refused", "buffer.bytes-like", no_view),
        ("no-bytearray", "a bytearray is refused", "buffer.bytes-like", no_bytearray),
        ("anything", "what is no buffer is sent as its repr", "buffer.converted", as_text),
        ("text-is-zero", "text is 0", "offset.number", text_is_zero),
    ):
        members = {"methods": (method,), "chosen": chosen}
        CHAPTER.row(f"{name}-{method}", f"{method}: {does}", [f"{method}.{clause}"], Sender, **members)


def empty_for_none(sock: Port, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Nothing to send is an empty buffer."""
    return (b"" if buffer is None or buffer is False else buffer), offset, length


def halves_view(sock: Port, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Count items of two bytes wherever there is a chunk of a view."""
    wide = not isinstance(buffer, (bytes, bytearray)) and is_int(offset) and offset > 0
    return buffer, (offset // 2 if wide else offset), length


def every_third(sock: Port, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    """Round offsets down to a multiple of three."""
    return buffer, (offset - offset % 3 if positive(offset) and offset < size(buffer) else offset), length


for method in ("send", "sendto"):
    for name, does, clause, chosen in (
        ("empty-for-none", "None is an empty buffer", "buffer.required", empty_for_none),
        ("halves-view", "the offset of what is not bytes is halved", "buffer.bytes-like-chunk", halves_view),
        ("length-text-is-zero", "a length that is text is 0", "length.number", text_is_zero),
    ):
        members = {"methods": (method,), "chosen": chosen}
        CHAPTER.row(f"{name}-{method}", f"{method}: {does}", [f"{method}.{clause}"], Sender, **members)

for method in SENDING:
    CHAPTER.row(
        f"thirds-{method}",
        f"{method}: offsets are rounded to multiples of three",
        [f"{method}.chunk.any"],
        Sender,
        methods=(method,),
        chosen=every_third,
    )
