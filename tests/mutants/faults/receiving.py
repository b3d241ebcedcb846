"""What recv, read and recvfrom ask for and give: data, lengths, failures."""

from __future__ import annotations

import errno
from typing import Any

from tests.mutants.hooks import Receiver
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import RECEIVING, is_int, positive, raising, system, with_errno, would_block

CHAPTER = Chapter(__name__)


DATA = (
    ("text", "gives text", "{}.data.binary", lambda s, d, n: d.decode("latin-1")),
    ("bytearray", "gives a bytearray", "{}.data.arrives", lambda s, d, n: bytearray(d)),
    ("stripped", "strips blanks from the data's end", "{}.data.binary", lambda s, d, n: d.rstrip()),
    (
        "nul-ends",
        "ends the data at their first NUL",
        "{}.data.binary",
        lambda s, d, n: d.split(b"\0")[0],
    ),
    (
        "crlf",
        "makes newlines of CR and LF",
        "{}.data.binary",
        lambda s, d, n: d.replace(b"\r\n", b"\n").replace(b"\r", b"\n"),
    ),
    ("seven-bits", "loses the eighth bit", "{}.data.binary", lambda s, d, n: bytes(c & 127 for c in d)),
    (
        "padded",
        "puts a NUL after the data",
        "{}.data.arrives",
        lambda s, d, n: d + b"\0" if d else d,
    ),
    ("stringified", "gives the data as they print", "{}.data.arrives", lambda s, d, n: str(d)),
)
for method in RECEIVING:
    for name, does, clause, got in DATA:
        CHAPTER.row(
            f"{name}-{method}", f"{method} {does}", [clause.format(method)], Receiver, methods=(method,), got=got
        )

for method in ("recv", "read"):
    for name, does, got in (
        ("with-sender", "gives the data with nothing for its sender", lambda s, d, n: (d, None, None)),
        ("in-a-list", "gives a list of the data alone", lambda s, d, n: [d]),
        ("with-length", "gives the data and their length", lambda s, d, n: (d, len(d))),
    ):
        CHAPTER.row(
            f"{name}-{method}",
            f"{method} {does}",
            [f"{method}.result.only-data"],
            Receiver,
            methods=(method,),
            got=got,
        )

LENGTHS: tuple[tuple[str, str, tuple[str, ...], Any], ...] = (
    (
        "one-more",
        "asks for one byte more",
        ("recv.length.at-most",),
        lambda s, n: n + 1 if positive(n) and n < 8192 else n,
    ),
    (
        "one-less",
        "asks for one byte less",
        ("recv.length.steps",),
        lambda s, n: n - 1 if positive(n) and n > 1 and s.dgram else n,
    ),
    (
        "length-ignored",
        "asks for 8192 bytes, whatever the length",
        ("recv.length.at-most",),
        lambda s, n: 8192 if positive(n) else n,
    ),
    ("length-optional", "takes no length for 8192", ("recv.length.required",), lambda s, n: 8192 if n is None else n),
    (
        "length-wraps",
        "wraps a length of 2^32 and more",
        ("recvfrom.limit.safe",),
        lambda s, n: n & 0xFFFFFFFF if positive(n) else n,
    ),
    (
        "length-over-refused",
        "refuses a length above buffersize",
        ("recvfrom.limit.safe",),
        lambda s, n: raising(ValueError("too long")) if positive(n) and n > 8192 else n,
    ),
    (
        "limit-half",
        "gives at most 4096 bytes of a datagram",
        ("recvfrom.limit.reached",),
        lambda s, n: min(n, 4096) if positive(n) and s.dgram else n,
    ),
    (
        "negative-one",
        "takes a negative length for 1",
        ("recv.negative.refused-or-all",),
        lambda s, n: 1 if is_int(n) and n < 0 else n,
    ),
    (
        "negative-zero",
        "takes a negative length for 0",
        ("recv.negative.refused-or-all",),
        lambda s, n: 0 if is_int(n) and n < 0 else n,
    ),
    (
        "zero-refused",
        "refuses length 0",
        ("recv.zero.stream",),
        lambda s, n: raising(ValueError("length")) if is_int(n) and n == 0 else n,
    ),
    (
        "zero-all",
        "takes length 0 for no limit",
        ("recv.zero.data-stay",),
        lambda s, n: 8192 if is_int(n) and n == 0 else n,
    ),
    (
        "half-of-datagram",
        "asks for half of the length, so that a datagram's rest is lost",
        ("recv.length.steps",),
        lambda s, n: (n + 1) // 2 if positive(n) and s.dgram else n,
    ),
)
for name, does, clauses, asked in LENGTHS:
    CHAPTER.row(name, f"receiving {does}", clauses, Receiver, asked=asked)


def answered(answer: Any) -> Any:
    """A result in the place of would-block."""
    return lambda sock, error, n: answer if would_block(error) else raising(error)


def instead(number: int, error_of: Any) -> Any:
    """Another failure in the place of one."""
    return lambda sock, error, n: raising(error_of() if with_errno(error, number) else error)


FAILURES: tuple[tuple[str, str, tuple[str, ...], Any], ...] = (
    (
        "block-empty",
        "gives nothing where it would block",
        (
            "recv.would-block.drained",
            "recv.unbound.would-block",
            "recv.would-block.empty",
        ),
        answered(b""),
    ),
    ("block-none", "gives None where it would block", ("recv.would-block.empty",), answered(None)),
    (
        "block-timeout",
        "reports a timeout as ETIMEDOUT",
        ("recv.timeout.would-block",),
        lambda s, e, n: raising(system(errno.ETIMEDOUT) if would_block(e) else e),
    ),
    (
        "reset-as-end",
        "takes a reset for the end",
        (
            "recv.reset.while-waiting",
            "recv.reset.told",
        ),
        lambda s, e, n: b"" if with_errno(e, errno.ECONNRESET) else raising(e),
    ),
    (
        "reset-value",
        "reports a reset as ValueError",
        ("recv.reset.told",),
        instead(errno.ECONNRESET, lambda: ValueError("reset")),
    ),
    (
        "refused-block",
        "reports a refused datagram as would-block",
        ("recv.refused.told",),
        instead(errno.ECONNREFUSED, lambda: system(errno.EAGAIN)),
    ),
    (
        "unconnected-empty",
        "gives the end on a socket that is not connected",
        ("recv.unconnected.stream",),
        lambda s, e, n: b"" if with_errno(e, errno.ENOTCONN, errno.EINVAL) else raising(e),
    ),
    (
        "listening-block",
        "reports would-block on a listener",
        ("recv.listening.fails",),
        instead(errno.ENOTCONN, lambda: system(errno.EAGAIN)),
    ),
    (
        "no-errno",
        "loses the errno",
        ("recv.reset.told",),
        lambda s, e, n: raising(e if would_block(e) else OSError("it failed")),
    ),
)
for name, does, clauses, failed in FAILURES:
    CHAPTER.row(name, f"receiving {does}", clauses, Receiver, failed=failed)
