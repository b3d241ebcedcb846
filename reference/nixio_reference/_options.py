"""The 29 socket options: tables of what they are, and beside them the few shapes that a value has.

An option's row gives its names in the ``socket`` module (the first that exists counts) and its shape. Where a platform
lacks the option, both ways fail with ENOPROTOOPT, as a kernel that does not know it would answer. The engine makes of
each row a plain tuple ``(level, number, read, write)``; ``None`` for read or write means: the value is a C int, do it
on the spot, which saves the common options a call.

Shapes (design, "the contract"): what getopt() returns is what setopt() takes. What the kernel says comes through.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias

from nixio_reference._arguments import C_INT_MAX, c_int, closed, integer, ranged, system_error, text

Read: TypeAlias = "Callable[[socket.SocketType, int, int], object]"
Write: TypeAlias = "Callable[[socket.SocketType, int, int, object], None]"
Compiled: TypeAlias = "tuple[int, int, Read | None, Write | None]"

_LINUX: Final = sys.platform == "linux"
_WINDOWS: Final = sys.platform == "win32"
_DARWIN: Final = sys.platform == "darwin"


class Shape(NamedTuple):
    """How the values of an option look to a caller; ``None``: a C int, as it is."""

    read: Read | None
    write: Write | None


class Option(NamedTuple):
    """One row: where the option's number is found, and its shape."""

    names: tuple[str, ...]
    shape: Shape


# -- shapes ----------------------------------------------------------------------------------------------------------


def write_int(sock: socket.SocketType, level: int, number: int, value: object) -> None:
    """Set an int option. What a C int cannot hold is a bad argument, and nothing is set.

    A bool is 1 or 0 here, though not elsewhere: most of these options are flags, and a flag that was read as a bool
    must be settable by it (design, "the contract").
    """
    sock.setsockopt(level, number, int(value) if isinstance(value, bool) else c_int(value, "value"))


def _read_flag(sock: socket.SocketType, level: int, number: int) -> int:
    # BSD and macOS return the flag's bit (keepalive 8), not 1: facts, socket-options.
    return int(sock.getsockopt(level, number) != 0)


def _refuse_int(sock: socket.SocketType, level: int, number: int, value: object) -> NoReturn:
    """Refuse to set what can only be read. The kernel is asked, so that a closed or alien socket gets its own error."""
    sock.setsockopt(level, number, c_int(value, "value"))
    raise system_error(errno.ENOPROTOOPT, "the option can only be read")


def _refuse_read(sock: socket.SocketType, level: int, number: int) -> NoReturn:
    """Refuse to read what can only be set, in the same way."""
    sock.getsockopt(level, number)
    raise system_error(errno.ENOPROTOOPT, "the option can only be set")


def _absent_read(sock: socket.SocketType, level: int, number: int) -> NoReturn:
    if sock.fileno() < 0:
        raise closed()
    raise system_error(errno.ENOPROTOOPT, "no such option on this platform")


def _absent_write(sock: socket.SocketType, level: int, number: int, value: object) -> NoReturn:
    _absent_read(sock, level, number)


# linger: struct {onoff, seconds}. nixio has one integer for it and 0 is off, so "on, 0 seconds" (reset on close)
# cannot be asked for (design: decided where silent).
_LINGER: Final = struct.Struct("@HH" if _WINDOWS else "@ii")
_LINGER_MAX: Final = 0xFFFF if _WINDOWS else C_INT_MAX


def _read_linger(sock: socket.SocketType, level: int, number: int) -> int:
    on, seconds = _LINGER.unpack(sock.getsockopt(level, number, _LINGER.size))
    return int(seconds) if on else 0


def _write_linger(sock: socket.SocketType, level: int, number: int, value: object) -> None:
    seconds = ranged(value, "linger", 0, _LINGER_MAX)
    sock.setsockopt(level, number, _LINGER.pack(seconds != 0, seconds))


# sndtimeo, rcvtimeo: struct timeval {long, long}; macOS has a 32-bit second field and padding; Windows wants
# milliseconds, of which the smallest timeout is one, because 0 would mean to wait for ever.
_TIMEVAL: Final = struct.Struct("@li4x" if _DARWIN else "@ll")
_SECONDS_MAX: Final = 2 ** (8 * struct.calcsize("@l") - 1) - 1
_MICROSECONDS: Final = 1_000_000


def _read_timeout(sock: socket.SocketType, level: int, number: int) -> tuple[int, int]:
    if _WINDOWS:
        seconds, milliseconds = divmod(sock.getsockopt(level, number), 1000)
        return seconds, milliseconds * 1000
    found = _TIMEVAL.unpack(sock.getsockopt(level, number, _TIMEVAL.size))
    return int(found[0]), int(found[1])


def _write_timeout(sock: socket.SocketType, level: int, number: int, value: object) -> None:
    seconds, microseconds = _timeout(value)
    if _WINDOWS:
        milliseconds = seconds * 1000 + -(-microseconds // 1000)
        sock.setsockopt(level, number, c_int(milliseconds, "milliseconds"))
    else:
        sock.setsockopt(level, number, _TIMEVAL.pack(seconds, microseconds))


def _timeout(value: object) -> tuple[int, int]:
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise ValueError(f"a timeout is (seconds, microseconds), not {len(value)} values")
        seconds, microseconds = value
    else:
        seconds, microseconds = value, 0
    # A negative number of seconds is refused: Linux takes it for "do not wait" and then reads it back as "for ever".
    whole = ranged(seconds, "seconds", 0, _SECONDS_MAX)
    part = integer(microseconds, "microseconds")
    if not 0 <= part < _MICROSECONDS:
        raise system_error(errno.EDOM, "microseconds are from 0 to 999999")
    return whole, part


# bindtodevice: a name of at most 15 bytes. Linux cuts a longer one and might find a device that was not meant.
_DEVICE_MAX: Final = 15


def _read_device(sock: socket.SocketType, level: int, number: int) -> str:
    return os.fsdecode(sock.getsockopt(level, number, _DEVICE_MAX + 1).split(b"\0", 1)[0])


def _write_device(sock: socket.SocketType, level: int, number: int, value: object) -> None:
    try:
        name = os.fsencode(text(value, "device"))
    except UnicodeEncodeError:
        raise ValueError(f"device cannot be encoded: {value!r}") from None
    if len(name) > _DEVICE_MAX:
        # A closed socket is that first of all; asking for its descriptor is all that this takes.
        raise system_error(errno.ENODEV, "device name too long") if sock.fileno() >= 0 else closed()
    sock.setsockopt(level, number, name + b"\0")


# multicast_if: the interface's address (ip) or its index, a plain int (ipv6).
def _read_interface(sock: socket.SocketType, level: int, number: int) -> str:
    return socket.inet_ntoa(sock.getsockopt(level, number, 4))


def _write_interface(sock: socket.SocketType, level: int, number: int, value: object) -> None:
    sock.setsockopt(level, number, packed(value, "interface", socket.AF_INET))


# add_membership, drop_membership: group or (group, interface), the interface being an address (ip) or index (ipv6).
_MREQ6: Final = struct.Struct("@16sI")


def _write_membership(sock: socket.SocketType, level: int, number: int, value: object) -> None:
    group, interface = _membership(value, "0.0.0.0")
    request = packed(group, "group", socket.AF_INET) + packed(interface, "interface", socket.AF_INET)
    sock.setsockopt(level, number, request)


def _write_membership6(sock: socket.SocketType, level: int, number: int, value: object) -> None:
    group, interface = _membership(value, 0)
    index = ranged(interface, "interface", 0, C_INT_MAX)
    sock.setsockopt(level, number, _MREQ6.pack(packed(group, "group", socket.AF_INET6), index))


def _membership(value: object, anywhere: object) -> tuple[object, object]:
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise ValueError(f"a membership is a group or (group, interface), not {len(value)} values")
        return value[0], value[1]
    return value, anywhere


def packed(address: object, what: str, family: int) -> bytes:
    """Return a numeric address as its bytes; names and abbreviated forms are bad arguments."""
    try:
        return socket.inet_pton(family, text(address, what))
    except (OSError, UnicodeError):
        raise ValueError(f"{what} is not a numeric address: {address!r}") from None


# -- tables ----------------------------------------------------------------------------------------------------------

INT: Final = Shape(None, None)
# Linux answers 0 or 1 by itself (facts, socket-options); elsewhere the answer is made so.
FLAG: Final = Shape(None if _LINUX else _read_flag, None)
READ_ONLY: Final = Shape(None, _refuse_int)
LINGER: Final = Shape(_read_linger, _write_linger)
TIMEOUT: Final = Shape(_read_timeout, _write_timeout)
DEVICE: Final = Shape(_read_device, _write_device)
INTERFACE: Final = Shape(_read_interface, _write_interface)
MEMBERSHIP: Final = Shape(_refuse_read, _write_membership)
MEMBERSHIP6: Final = Shape(_refuse_read, _write_membership6)
ABSENT: Final = Shape(_absent_read, _absent_write)

LEVELS: Final[Mapping[str, int]] = {
    "socket": int(socket.SOL_SOCKET),
    "tcp": int(socket.IPPROTO_TCP),
    "ip": int(getattr(socket, "IPPROTO_IP", 0)),
    "ipv6": int(getattr(socket, "IPPROTO_IPV6", 41)),
}

TABLE: Final[Mapping[str, Mapping[str, Option]]] = {
    "socket": {
        "keepalive": Option(("SO_KEEPALIVE",), FLAG),
        "reuseaddr": Option(("SO_REUSEADDR",), FLAG),
        "sndbuf": Option(("SO_SNDBUF",), INT),
        "rcvbuf": Option(("SO_RCVBUF",), INT),
        "priority": Option(("SO_PRIORITY",), INT),
        "broadcast": Option(("SO_BROADCAST",), FLAG),
        # macOS counts SO_LINGER in clock ticks and has a second option for seconds.
        "linger": Option(("SO_LINGER_SEC", "SO_LINGER"), LINGER),
        "sndtimeo": Option(("SO_SNDTIMEO",), TIMEOUT),
        "rcvtimeo": Option(("SO_RCVTIMEO",), TIMEOUT),
        "dontroute": Option(("SO_DONTROUTE",), FLAG),
        "bindtodevice": Option(("SO_BINDTODEVICE",), DEVICE),
        "error": Option(("SO_ERROR",), READ_ONLY),
        "oobinline": Option(("SO_OOBINLINE",), FLAG),
    },
    "tcp": {
        "cork": Option(("TCP_CORK",), FLAG),
        "nodelay": Option(("TCP_NODELAY",), FLAG),
    },
    "ip": {
        "mtu": Option(("IP_MTU",), READ_ONLY),
        "hdrincl": Option(("IP_HDRINCL",), FLAG),
        "multicast_ttl": Option(("IP_MULTICAST_TTL",), INT),
        "multicast_loop": Option(("IP_MULTICAST_LOOP",), FLAG),
        "multicast_if": Option(("IP_MULTICAST_IF",), INTERFACE),
        "add_membership": Option(("IP_ADD_MEMBERSHIP",), MEMBERSHIP),
        "drop_membership": Option(("IP_DROP_MEMBERSHIP",), MEMBERSHIP),
    },
    "ipv6": {
        "mtu": Option(("IPV6_MTU",), INT),
        "v6only": Option(("IPV6_V6ONLY",), FLAG),
        "multicast_hops": Option(("IPV6_MULTICAST_HOPS",), INT),
        "multicast_loop": Option(("IPV6_MULTICAST_LOOP",), FLAG),
        "multicast_if": Option(("IPV6_MULTICAST_IF",), INT),
        "add_membership": Option(("IPV6_ADD_MEMBERSHIP", "IPV6_JOIN_GROUP"), MEMBERSHIP6),
        "drop_membership": Option(("IPV6_DROP_MEMBERSHIP", "IPV6_LEAVE_GROUP"), MEMBERSHIP6),
    },
}

# Numbers that the system has and Python's socket module does not name (or not in every version and build).
UNNAMED: Final[Mapping[str, Mapping[str, int]]] = {
    "linux": {"IP_MTU": 14, "IPV6_MTU": 24, "SO_PRIORITY": 12, "SO_BINDTODEVICE": 25, "TCP_CORK": 3, "IP_HDRINCL": 3},
    "darwin": {"SO_LINGER_SEC": 0x1080},
    "win32": {"IP_MTU": 73, "IPV6_MTU": 72},
}


def compile_table(platform: str, names: Callable[[str], Any]) -> dict[str, dict[str, Compiled]]:
    """Make of the table what setopt and getopt look up; names gives a constant's number, or None."""
    unnamed = UNNAMED.get(platform, {})

    def row(level: int, option: Option) -> Compiled:
        for name in option.names:
            number = names(name)
            if number is None:
                number = unnamed.get(name)
            if number is not None:
                return level, int(number), option.shape.read, option.shape.write
        return level, 0, ABSENT.read, ABSENT.write

    return {
        level: {option: row(LEVELS[level], entry) for option, entry in options.items()}
        for level, options in TABLE.items()
    }


OPTIONS: Final = compile_table(sys.platform, lambda name: getattr(socket, name, None))


def unknown(level: object, option: object) -> TypeError | ValueError:
    """Return the error for a pair that is not in the table, saying which there are."""
    if not isinstance(level, str):
        return TypeError(f"level must be a str, not {type(level).__name__}")
    if level not in TABLE:
        return ValueError(f"level must be one of {', '.join(TABLE)}: {level!r}")
    if not isinstance(option, str):
        return TypeError(f"option must be a str, not {type(option).__name__}")
    return ValueError(f"option of level {level} must be one of {', '.join(TABLE[level])}: {option!r}")
