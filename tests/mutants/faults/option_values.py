"""Options beyond what the table can say: the shapes of their values, and the pending error's."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

from tests.mutants.hooks import Optioned
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import is_int, raising, system

CHAPTER = Chapter(__name__)
Pair = tuple[str, str]
SNDBUF, RCVBUF = ("socket", "sndbuf"), ("socket", "rcvbuf")
LINGER, DEVICE = ("socket", "linger"), ("socket", "bindtodevice")
TIMEOUTS = (("socket", "sndtimeo"), ("socket", "rcvtimeo"))
ERROR = ("socket", "error")
MULTICAST_IF, MULTICAST_IF6 = ("ip", "multicast_if"), ("ipv6", "multicast_if")


def row(name: str, does: str, clauses: tuple[str, ...], pairs: tuple[Pair, ...], **members: Any) -> None:
    """A fault of some pairs."""
    CHAPTER.row(name, does, clauses, Optioned, pairs=frozenset(pairs), **members)


def number(change: Callable[[int], Any]) -> Any:
    """Change a number that is set."""
    return lambda sock, value: change(value) if is_int(value) else value


def dotted(value: Any) -> Any:
    """An address from its end."""
    return ".".join(value.split(".")[::-1]) if isinstance(value, str) and value.count(".") == 3 else value


# -- numbers and flags -------------------------------------------------------------------------------------------------
row(
    "buffer-kilo",
    "sndbuf is counted in KiB",
    ("setopt.stored.value",),
    (SNDBUF,),
    written=number(lambda n: n * 1024 if 0 < n < 1 << 20 else n),
)
row(
    "buffer-floor",
    "a sndbuf below 65536 is 65536",
    ("setopt.stored.value",),
    (SNDBUF,),
    written=number(lambda n: max(n, 65536) if n > 0 else n),
)
row(
    "buffer-twice",
    "twice the rcvbuf is set",
    ("setopt.stored.value",),
    (RCVBUF,),
    written=number(lambda n: n * 2 if 0 < n < 1 << 30 else n),
)
row(
    "buffer-negative-zero",
    "a negative sndbuf fails with EIO",
    ("setopt.buffer-size.negative",),
    (SNDBUF, RCVBUF),
    written=number(lambda n: n if n >= 0 else raising(system(errno.EIO))),
)
row(
    "buffer-zero-refused",
    "a sndbuf of 0 fails with EIO",
    ("setopt.buffer-size.zero",),
    (SNDBUF, RCVBUF),
    written=number(lambda n: n or raising(system(errno.EIO))),
)
row(
    "wraps",
    "numbers are cut to 32 bits",
    ("setopt.huge.refused", "setopt.huge.flag"),
    (),
    written=number(lambda n: (n + (1 << 31)) % (1 << 32) - (1 << 31)),
)
row(
    "buffer-wraps",
    "buffer sizes are cut to 16 bits",
    ("setopt.huge.buffer-size",),
    (SNDBUF, RCVBUF),
    written=number(lambda n: n & 0xFFFF if n >= 1 << 31 else n),
)
row(
    "overflows",
    "a number that does not fit raises OverflowError",
    ("setopt.huge.refused",),
    (),
    written=number(lambda n: n if -(1 << 31) <= n < 1 << 31 else raising(OverflowError("value"))),
)
row(
    "flag-parity",
    "a flag is on for odd numbers",
    ("setopt.flag.nonzero",),
    (),
    written=number(lambda n: n & 1 if n > 1 and n < 64 else n),
)
row(
    "priority-one",
    "a priority above 1 is 1",
    ("setopt.stored.value",),
    (("socket", "priority"),),
    written=number(lambda n: min(n, 1)),
)
row(
    "ttl-one",
    "a multicast_ttl above 1 is 1",
    ("setopt.stored.value", "setopt.ip-multicast_ttl.effect.seen"),
    (("ip", "multicast_ttl"),),
    written=number(lambda n: min(n, 1)),
)
row(
    "hops-minus-one",
    "-1 multicast_hops is 0",
    ("setopt.hops.minus-one",),
    (("ipv6", "multicast_hops"),),
    written=number(lambda n: 0 if n == -1 else n),
)
row("none-zero", "None is 0", ("setopt.value.*",), (), written=lambda s, v: 0 if v is None else v)
row(
    "buffer-bytes",
    "sndbuf is read as bytes",
    ("getopt.value.shape",),
    (SNDBUF,),
    found=lambda s, v: struct.pack("i", v),
)
row(
    "buffer-half", "rcvbuf is read as a quarter", ("getopt.readback.buffer-size",), (RCVBUF,), found=lambda s, v: v // 4
)
row(
    "truth",
    "priority is read as 0 or 1",
    (
        "getopt.readback.exact",
        "getopt.stored.value",
    ),
    (("socket", "priority"),),
    found=lambda s, v: int(bool(v)),
)


# -- linger and timeouts -----------------------------------------------------------------------------------------------
row("linger-flag", "linger is on or off", ("setopt.stored.value",), (LINGER,), written=number(lambda n: int(n != 0)))
row(
    "linger-pair",
    "linger is read as two numbers",
    ("getopt.value.shape",),
    (LINGER,),
    found=lambda s, v: (int(v != 0), v),
)
row(
    "linger-ticks",
    "linger is counted in hundredths",
    (
        "setopt.roundtrip.unchanged",
        "setopt.socket-linger.effect.seconds",
        "setopt.stored.value",
    ),
    (LINGER,),
    written=number(lambda n: n * 100 if 0 < n < 1 << 20 else n),
)
row(
    "timeout-microseconds",
    "microseconds are lost",
    ("setopt.stored.value", "setopt.socket-rcvtimeo.effect.receive"),
    TIMEOUTS,
    written=lambda s, v: (
        (v[0], 0) if isinstance(v, tuple) and len(v) == 2 and is_int(v[1]) and 0 <= v[1] < 1000000 else v
    ),
)
row(
    "timeout-milliseconds",
    "microseconds are taken for milliseconds",
    ("setopt.stored.value",),
    TIMEOUTS,
    written=lambda s, v: (
        (v[0] + v[1] // 1000, v[1] % 1000 * 1000)
        if isinstance(v, tuple) and len(v) == 2 and is_int(v[1]) and 0 <= v[1] < 1000000
        else v
    ),
)
row(
    "timeout-int-refused",
    "a timeout in seconds alone is refused",
    ("setopt.stored.value",),
    TIMEOUTS,
    written=number(lambda n: raising(TypeError("two"))),
)
row("timeout-one-number", "a timeout is read as seconds", ("getopt.value.shape",), TIMEOUTS, found=lambda s, v: v[0])
row(
    "timeout-fraction",
    "a timeout is read as a fraction",
    ("getopt.value.shape",),
    TIMEOUTS,
    found=lambda s, v: v[0] + v[1] / 1e6,
)
row("timeout-swapped", "a timeout is read from its end", ("getopt.stored.value",), TIMEOUTS, found=lambda s, v: v[::-1])
row(
    "timeout-read-rounded",
    "a timeout is read without its microseconds",
    ("getopt.readback.microseconds",),
    TIMEOUTS,
    found=lambda s, v: (v[0], v[1] // 100000 * 100000),
)
row(
    "timeout-huge-seconds",
    "seconds are cut to 32 bits",
    ("setopt.huge.seconds",),
    TIMEOUTS,
    written=lambda s, v: (
        (v[0] & 0xFFFFFFFF, v[1])
        if isinstance(v, tuple) and len(v) == 2 and is_int(v[0]) and v[0] > 0
        else v & 0xFFFFFFFF
        if is_int(v) and v > 0
        else v
    ),
)
row(
    "timeout-huge-microseconds",
    "microseconds are cut to 32 bits",
    ("setopt.huge.microseconds",),
    TIMEOUTS,
    written=lambda s, v: (
        (v[0], v[1] & 0xFFFFF) if isinstance(v, tuple) and len(v) == 2 and is_int(v[1]) and v[1] >= 1 << 31 else v
    ),
)
row(
    "timeout-zero",
    "a timeout of 0 does not wait",
    ("setopt.socket-rcvtimeo.effect.off",),
    TIMEOUTS,
    written=lambda s, v: (0, 1) if v in (0, (0, 0)) and v is not False else v,
)

# -- devices and interfaces --------------------------------------------------------------------------------------------
row(
    "device-nul",
    "bindtodevice is read with a NUL at its end",
    ("getopt.stored.value",),
    (DEVICE,),
    found=lambda s, v: v + "\0" if v else v,
)
row("device-none", "no bindtodevice is read as None", ("getopt.value.shape",), (DEVICE,), found=lambda s, v: v or None)
row("device-bytes", "bindtodevice is read as bytes", ("getopt.value.shape",), (DEVICE,), found=lambda s, v: v.encode())
row(
    "device-index",
    "bindtodevice is read as an index",
    ("getopt.value.shape",),
    (DEVICE,),
    found=lambda s, v: socket.if_nametoindex(v) if v else 0,
)
row(
    "device-stays",
    "an empty bindtodevice changes nothing",
    ("setopt.stored.latest",),
    (DEVICE,),
    written=lambda s, v: v or s.inner.getopt(*DEVICE),
)
row(
    "interface-number",
    "ip multicast_if is read as a number",
    ("getopt.value.shape",),
    (MULTICAST_IF,),
    found=lambda s, v: int.from_bytes(socket.inet_aton(v), "big"),
)
row(
    "interface-bytes",
    "ip multicast_if is read as bytes",
    ("getopt.value.shape",),
    (MULTICAST_IF,),
    found=lambda s, v: socket.inet_aton(v),
)
row(
    "interface-empty",
    "no ip multicast_if is an empty text",
    ("getopt.value.default",),
    (MULTICAST_IF,),
    found=lambda s, v: "" if v == "0.0.0.0" else v,
)
row(
    "interface-reversed",
    "ip multicast_if is in the wrong byte order",
    ("setopt.stored.value",),
    (MULTICAST_IF,),
    written=lambda s, v: dotted(v),
    found=lambda s, v: dotted(v),
)
row(
    "interface-name",
    "ipv6 multicast_if is read as a name",
    ("getopt.value.shape",),
    (MULTICAST_IF6,),
    found=lambda s, v: socket.if_indextoname(v) if v else "",
)
row(
    "interface-order",
    "the index of ipv6 multicast_if is in the wrong byte order",
    ("setopt.returns.true",),
    (MULTICAST_IF6,),
    written=number(lambda n: socket.htonl(n) if 0 < n < 128 else n),
)


# -- the pending error -------------------------------------------------------------------------------------------------
row(
    "error-zero",
    "error is always 0",
    ("getopt.socket-error.effect.refused", "getopt.socket-error.effect.reset"),
    (ERROR,),
    found=lambda s, v: 0,
)
row(
    "error-raised",
    "error raises what is pending",
    ("getopt.socket-error.effect.refused",),
    (ERROR,),
    found=lambda s, v: raising(system(v)) if v else 0,
)
row(
    "error-text",
    "error is a message",
    ("getopt.socket-error.effect.refused",),
    (ERROR,),
    found=lambda s, v: os.strerror(v) if v else "",
)
row("error-negative", "error is negative", ("getopt.socket-error.effect.refused",), (ERROR,), found=lambda s, v: -v)
row("error-none", "error is None when there is none", ("getopt.value.shape",), (ERROR,), found=lambda s, v: v or None)
row(
    "error-kept",
    "error is not cleared by reading",
    ("getopt.socket-error.effect.once",),
    (ERROR,),
    found=lambda s, v: s.__dict__.setdefault("kept", v) if v else s.__dict__.get("kept", 0),
)
