"""Options beyond what the table can say: shapes of values, and refusals."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Callable
from typing import Any

from nixio_conformance.proof.hooks import Optioned
from nixio_conformance.proof.registry import Chapter
from nixio_conformance.proof.wrapper import doing, is_int, raising, system, with_errno

CHAPTER = Chapter(__name__)
Pair = tuple[str, str]
SNDBUF, RCVBUF = ("socket", "sndbuf"), ("socket", "rcvbuf")
LINGER, DEVICE, ERROR = ("socket", "linger"), ("socket", "bindtodevice"), ("socket", "error")
TIMEOUTS = (("socket", "sndtimeo"), ("socket", "rcvtimeo"))
JOIN, LEAVE, JOIN6, LEAVE6 = (
    ("ip", "add_membership"),
    ("ip", "drop_membership"),
    ("ipv6", "add_membership"),
    ("ipv6", "drop_membership"),
)
MULTICAST_IF, MULTICAST_IF6 = ("ip", "multicast_if"), ("ipv6", "multicast_if")
LEVELS = ("socket", "tcp", "ip", "ipv6")


def row(name: str, does: str, clauses: tuple[str, ...], pairs: tuple[Pair, ...], **members: Any) -> None:
    """A fault of some pairs."""
    CHAPTER.row(name, does, clauses, Optioned, pairs=frozenset(pairs), **members)


def number(change: Callable[[int], Any]) -> Any:
    """Change a number that is set."""
    return lambda sock, value: change(value) if is_int(value) else value


def swallowed(*numbers: int) -> Any:
    """Say that a refusal was none."""
    return lambda sock, error, *value: True if with_errno(error, *numbers) else raising(error)


def argument(answer: Callable[[BaseException], Any]) -> Any:
    """Something else for a bad argument."""
    return lambda sock, error, *value: answer(error) if isinstance(error, (TypeError, ValueError)) else raising(error)


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

# -- failures ----------------------------------------------------------------------------------------------------------
row(
    "errors-swallowed",
    "each refusal of the system counts as success",
    ("setopt.wrong-kind.refused", "setopt.invalid.refused"),
    (),
    set_failed=lambda s, e, v: True if isinstance(e, OSError) and s.number >= 0 else raising(e),
)
row(
    "types-swallowed",
    "a value of a wrong type counts as set",
    ("setopt.value.wrong-type",),
    (),
    set_failed=argument(lambda e: True),
)
row(
    "read-only-swallowed",
    "setting what can only be read counts as success",
    ("setopt.read-only.refused",),
    (ERROR, ("ip", "mtu")),
    set_failed=swallowed(errno.ENOPROTOOPT),
)
row(
    "privilege-swallowed",
    "EPERM counts as success",
    ("setopt.privileged.refused",),
    (),
    set_failed=swallowed(errno.EPERM),
)
row(
    "get-none",
    "a refusal to read gives None",
    ("getopt.wrong-kind.refused", "getopt.set-only.refused"),
    (),
    get_failed=lambda s, e: None if isinstance(e, OSError) else raising(e),
)
row(
    "get-zero",
    "a refusal to read gives 0",
    ("getopt.wrong-kind.refused", "getopt.mtu.unconnected"),
    (),
    get_failed=lambda s, e: 0 if isinstance(e, OSError) else raising(e),
)
row(
    "unknown-key-error",
    "an unknown option raises KeyError",
    ("setopt.option.unknown",),
    (),
    set_failed=argument(lambda e: raising(KeyError("option"))),
)
row(
    "unknown-swallowed",
    "an unknown option counts as set",
    ("setopt.option.unknown",),
    (),
    set_failed=argument(lambda e: True),
)
row(
    "unknown-none",
    "an unknown option reads None",
    ("getopt.option.unknown", "getopt.level.unknown"),
    (),
    get_failed=argument(lambda e: None),
)
row(
    "unknown-attribute-error",
    "an unknown option raises AttributeError",
    ("getopt.option.unknown",),
    (),
    get_failed=argument(lambda e: raising(AttributeError("option"))),
)
row(
    "refused-sets",
    "a value that is refused sets 0",
    ("setopt.invalid.refused",),
    (),
    set_failed=lambda s, e, v: doing(raising, lambda: zeroed(s))(e),
)
row(
    "v6only-swallowed",
    "v6only of a bound socket counts as set",
    ("setopt.ipv6-v6only.bound",),
    (("ipv6", "v6only"),),
    set_failed=swallowed(errno.EINVAL),
)


def zeroed(sock: Any) -> None:
    """What a failed call leaves."""
    for name in ("multicast_ttl", "multicast_hops", "priority"):
        for level in LEVELS:
            with contextlib.suppress(OSError, ValueError):
                sock.inner.setopt(level, name, 0)


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
    "device-unknown-swallowed",
    "an unknown device counts as set",
    ("setopt.invalid.refused",),
    (DEVICE,),
    set_failed=swallowed(errno.ENODEV),
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
