"""Values of options: shapes, units, wrapping, and the pending error."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

from tests.mutants.hooks import Optioned
from tests.mutants.registry import Group
from tests.mutants.wrapper import is_int, raising, system

GROUP = Group(__name__)
fault = GROUP.fault
SNDBUF, RCVBUF = ("socket", "sndbuf"), ("socket", "rcvbuf")
LINGER, DEVICE = ("socket", "linger"), ("socket", "bindtodevice")
TIMEOUTS = (("socket", "sndtimeo"), ("socket", "rcvtimeo"))
ERROR = ("socket", "error")
MULTICAST_IF, MULTICAST_IF6 = ("ip", "multicast_if"), ("ipv6", "multicast_if")


option = GROUP.rows(Optioned)


def number(change: Callable[[int], Any]) -> Any:
    """Change an int that setopt sets."""
    return lambda sock, value: change(value) if is_int(value) else value


def dotted(value: Any) -> Any:
    """An IPv4 address with its bytes in reverse order."""
    return ".".join(value.split(".")[::-1]) if isinstance(value, str) and value.count(".") == 3 else value


# -- numbers and flags -------------------------------------------------------------------------------------------------
option("buffer-kilo", "sndbuf is counted in KiB", "setopt.stored.value").override(
    pairs=(SNDBUF,), pass_on=number(lambda n: n * 1024 if 0 < n < 1 << 20 else n)
)
option("buffer-floor", "a sndbuf below 65536 becomes 65536", "setopt.stored.value").override(
    pairs=(SNDBUF,), pass_on=number(lambda n: max(n, 65536) if n > 0 else n)
)
option("buffer-twice", "rcvbuf is set to twice the value", "setopt.stored.value").override(
    pairs=(RCVBUF,), pass_on=number(lambda n: n * 2 if 0 < n < 1 << 30 else n)
)
option("buffer-negative-zero", "a negative sndbuf fails with EIO", "setopt.buffer-size.negative").override(
    pairs=(SNDBUF, RCVBUF), pass_on=number(lambda n: n if n >= 0 else raising(system(errno.EIO)))
)
option("buffer-zero-refused", "a sndbuf of 0 fails with EIO", "setopt.buffer-size.zero").override(
    pairs=(SNDBUF, RCVBUF), pass_on=number(lambda n: n or raising(system(errno.EIO)))
)
option("wraps", "numbers are truncated to 32 bits", "setopt.huge.refused", "setopt.huge.flag").override(
    pass_on=number(lambda n: (n + (1 << 31)) % (1 << 32) - (1 << 31))
)
option("buffer-wraps", "buffer sizes are truncated to 16 bits", "setopt.huge.buffer-size").override(
    pairs=(SNDBUF, RCVBUF), pass_on=number(lambda n: n & 0xFFFF if n >= 1 << 31 else n)
)
option("overflows", "a number that does not fit raises OverflowError", "setopt.huge.refused").override(
    pass_on=number(lambda n: n if -(1 << 31) <= n < 1 << 31 else raising(OverflowError("value")))
)
option("flag-parity", "a flag is on for odd numbers", "setopt.flag.nonzero").override(
    pass_on=number(lambda n: n & 1 if n > 1 and n < 64 else n)
)
option("priority-one", "a priority above 1 becomes 1", "setopt.stored.value").override(
    pairs=(("socket", "priority"),), pass_on=number(lambda n: min(n, 1))
)
option(
    "ttl-one", "a multicast_ttl above 1 becomes 1", "setopt.stored.value", "setopt.ip-multicast_ttl.effect.seen"
).override(pairs=(("ip", "multicast_ttl"),), pass_on=number(lambda n: min(n, 1)))
option("hops-minus-one", "multicast_hops of -1 becomes 0", "setopt.hops.minus-one").override(
    pairs=(("ipv6", "multicast_hops"),), pass_on=number(lambda n: 0 if n == -1 else n)
)
option("none-zero", "None is treated as 0", "setopt.value.*").override(pass_on=lambda s, v: 0 if v is None else v)
option("buffer-bytes", "sndbuf is read as bytes", "getopt.value.shape").override(
    pairs=(SNDBUF,), get_result=lambda s, v: struct.pack("i", v)
)
option("buffer-half", "a quarter of rcvbuf is read", "getopt.readback.buffer-size").override(
    pairs=(RCVBUF,), get_result=lambda s, v: v // 4
)
option("truth", "priority is read as 0 or 1", "getopt.readback.exact", "getopt.stored.value").override(
    pairs=(("socket", "priority"),), get_result=lambda s, v: int(bool(v))
)


# -- linger and timeouts -----------------------------------------------------------------------------------------------
option("linger-flag", "linger is set to 0 or 1", "setopt.stored.value").override(
    pairs=(LINGER,), pass_on=number(lambda n: int(n != 0))
)
option("linger-pair", "linger is read as two numbers", "getopt.value.shape").override(
    pairs=(LINGER,), get_result=lambda s, v: (int(v != 0), v)
)
option(
    "linger-ticks",
    "linger is counted in hundredths of a second",
    "setopt.roundtrip.unchanged",
    "setopt.socket-linger.effect.seconds",
    "setopt.stored.value",
).override(pairs=(LINGER,), pass_on=number(lambda n: n * 100 if 0 < n < 1 << 20 else n))
option(
    "timeout-microseconds", "microseconds are lost", "setopt.stored.value", "setopt.socket-rcvtimeo.effect.receive"
).override(
    pairs=TIMEOUTS,
    pass_on=lambda s, v: (
        (v[0], 0) if isinstance(v, tuple) and len(v) == 2 and is_int(v[1]) and 0 <= v[1] < 1000000 else v
    ),
)
option("timeout-milliseconds", "microseconds are treated as milliseconds", "setopt.stored.value").override(
    pairs=TIMEOUTS,
    pass_on=lambda s, v: (
        (v[0] + v[1] // 1000, v[1] % 1000 * 1000)
        if isinstance(v, tuple) and len(v) == 2 and is_int(v[1]) and 0 <= v[1] < 1000000
        else v
    ),
)
option("timeout-int-refused", "a timeout in seconds alone is refused", "setopt.stored.value").override(
    pairs=TIMEOUTS, pass_on=number(lambda n: raising(TypeError("two")))
)
option("timeout-one-number", "a timeout is read as seconds", "getopt.value.shape").override(
    pairs=TIMEOUTS, get_result=lambda s, v: v[0]
)
option("timeout-fraction", "a timeout is read as a float", "getopt.value.shape").override(
    pairs=TIMEOUTS, get_result=lambda s, v: v[0] + v[1] / 1e6
)
option("timeout-swapped", "a timeout is read as (microseconds, seconds)", "getopt.stored.value").override(
    pairs=TIMEOUTS, get_result=lambda s, v: v[::-1]
)
option("timeout-read-rounded", "a timeout is read rounded to 0.1 s", "getopt.readback.microseconds").override(
    pairs=TIMEOUTS, get_result=lambda s, v: (v[0], v[1] // 100000 * 100000)
)
option("timeout-huge-seconds", "seconds are truncated to 32 bits", "setopt.huge.seconds").override(
    pairs=TIMEOUTS,
    pass_on=lambda s, v: (
        (v[0] & 0xFFFFFFFF, v[1])
        if isinstance(v, tuple) and len(v) == 2 and is_int(v[0]) and v[0] > 0
        else v & 0xFFFFFFFF
        if is_int(v) and v > 0
        else v
    ),
)
option("timeout-huge-microseconds", "microseconds are truncated to 32 bits", "setopt.huge.microseconds").override(
    pairs=TIMEOUTS,
    pass_on=lambda s, v: (
        (v[0], v[1] & 0xFFFFF) if isinstance(v, tuple) and len(v) == 2 and is_int(v[1]) and v[1] >= 1 << 31 else v
    ),
)
option("timeout-zero", "a timeout of 0 becomes 1 microsecond", "setopt.socket-rcvtimeo.effect.off").override(
    pairs=TIMEOUTS, pass_on=lambda s, v: (0, 1) if v in (0, (0, 0)) and v is not False else v
)

# -- devices and interfaces --------------------------------------------------------------------------------------------
option("device-nul", "bindtodevice is read with a NUL at its end", "getopt.stored.value").override(
    pairs=(DEVICE,), get_result=lambda s, v: v + "\0" if v else v
)
option("device-none", "an unset bindtodevice is read as None", "getopt.value.shape").override(
    pairs=(DEVICE,), get_result=lambda s, v: v or None
)
option("device-bytes", "bindtodevice is read as bytes", "getopt.value.shape").override(
    pairs=(DEVICE,), get_result=lambda s, v: v.encode()
)
option("device-index", "bindtodevice is read as an index", "getopt.value.shape").override(
    pairs=(DEVICE,), get_result=lambda s, v: socket.if_nametoindex(v) if v else 0
)
option("device-stays", "an empty bindtodevice changes nothing", "setopt.stored.latest").override(
    pairs=(DEVICE,), pass_on=lambda s, v: v or s.inner.getopt(*DEVICE)
)
option("interface-number", "ip multicast_if is read as a number", "getopt.value.shape").override(
    pairs=(MULTICAST_IF,), get_result=lambda s, v: int.from_bytes(socket.inet_aton(v), "big")
)
option("interface-bytes", "ip multicast_if is read as bytes", "getopt.value.shape").override(
    pairs=(MULTICAST_IF,), get_result=lambda s, v: socket.inet_aton(v)
)
option("interface-empty", "an unset ip multicast_if is read as an empty string", "getopt.value.default").override(
    pairs=(MULTICAST_IF,), get_result=lambda s, v: "" if v == "0.0.0.0" else v
)
option("interface-reversed", "ip multicast_if is in the wrong byte order", "setopt.stored.value").override(
    pairs=(MULTICAST_IF,), pass_on=lambda s, v: dotted(v), get_result=lambda s, v: dotted(v)
)
option("interface-name", "ipv6 multicast_if is read as a name", "getopt.value.shape").override(
    pairs=(MULTICAST_IF6,), get_result=lambda s, v: socket.if_indextoname(v) if v else ""
)
option("interface-order", "the index of ipv6 multicast_if is in the wrong byte order", "setopt.returns.true").override(
    pairs=(MULTICAST_IF6,), pass_on=number(lambda n: socket.htonl(n) if 0 < n < 128 else n)
)


# -- the pending error -------------------------------------------------------------------------------------------------
option(
    "error-zero", "error is always 0", "getopt.socket-error.effect.refused", "getopt.socket-error.effect.reset"
).override(pairs=(ERROR,), get_result=lambda s, v: 0)
option("error-raised", "reading error raises the pending error", "getopt.socket-error.effect.refused").override(
    pairs=(ERROR,), get_result=lambda s, v: raising(system(v)) if v else 0
)
option("error-text", "error is returned as a message", "getopt.socket-error.effect.refused").override(
    pairs=(ERROR,), get_result=lambda s, v: os.strerror(v) if v else ""
)
option("error-negative", "error is returned as a negative number", "getopt.socket-error.effect.refused").override(
    pairs=(ERROR,), get_result=lambda s, v: -v
)
option("error-none", "error is None when no error is pending", "getopt.value.shape").override(
    pairs=(ERROR,), get_result=lambda s, v: v or None
)
option("error-kept", "error is not cleared by reading", "getopt.socket-error.effect.once").override(
    pairs=(ERROR,), get_result=lambda s, v: s.__dict__.setdefault("kept", v) if v else s.__dict__.get("kept", 0)
)
