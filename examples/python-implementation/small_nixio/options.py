"""The 29 level/option pairs, and the conversion of their values to and from the system's."""

from __future__ import annotations

import errno
import os
import socket as system
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TIMEVAL = "@ll"
LINGER = "@ii"
INT_MAX = 2**31 - 1


def find(level: str, option: str) -> Option:
    """The option of this name; ValueError if nixio has none."""
    if level not in LEVELS or option not in LEVELS[level]:
        raise ValueError(f"no option {option!r} at level {level!r}")
    return LEVELS[level][option]


@dataclass(frozen=True)
class Option:
    """One level/option pair; `read` or `write` is None if it cannot be read or set."""

    level: int
    number: int
    read: Callable[[system.socket, int, int], Any] | None
    write: Callable[[system.socket, int, int, Any], None] | None

    def get(self, held: system.socket) -> Any:
        return (self.read or refuse)(held, self.level, self.number)

    def set(self, held: system.socket, value: Any) -> None:
        (self.write or refuse)(held, self.level, self.number, value)


def refuse(*_: Any) -> Any:
    raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))


def number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not an integer")
    if not -INT_MAX - 1 <= value <= INT_MAX:
        raise ValueError(f"{value} does not fit an option")
    return value


def read_int(held: system.socket, level: int, option: int) -> int:
    return held.getsockopt(level, option)


def write_int(held: system.socket, level: int, option: int, value: Any) -> None:
    held.setsockopt(level, option, number(value))


def read_time(held: system.socket, level: int, option: int) -> tuple[int, int]:
    seconds, microseconds = struct.unpack(TIMEVAL, held.getsockopt(level, option, struct.calcsize(TIMEVAL)))
    return seconds, microseconds


def write_time(held: system.socket, level: int, option: int, value: Any) -> None:
    seconds, microseconds = value if isinstance(value, tuple) and len(value) == 2 else (value, 0)
    if number(seconds) < 0:
        raise ValueError("a timeout is not negative")
    held.setsockopt(level, option, struct.pack(TIMEVAL, seconds, number(microseconds)))


def read_linger(held: system.socket, level: int, option: int) -> int:
    on, seconds = struct.unpack(LINGER, held.getsockopt(level, option, struct.calcsize(LINGER)))
    return int(seconds) if on else 0


def write_linger(held: system.socket, level: int, option: int, value: Any) -> None:
    if number(value) < 0:
        raise ValueError("a time is not negative")
    held.setsockopt(level, option, struct.pack(LINGER, value > 0, value))


def read_device(held: system.socket, level: int, option: int) -> str:
    return held.getsockopt(level, option, 16).rstrip(b"\0").decode()


def write_device(held: system.socket, level: int, option: int, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not the name of an interface")
    if len(value.encode()) > 15 or "\0" in value:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    held.setsockopt(level, option, value.encode() + b"\0")


def address(family: int, text: Any) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not an address")
    try:
        return system.inet_pton(family, text)
    except OSError:
        raise ValueError(f"{text!r} is not an address") from None


def read_address(held: system.socket, level: int, option: int) -> str:
    return system.inet_ntoa(held.getsockopt(level, option, 4))


def write_address(held: system.socket, level: int, option: int, value: Any) -> None:
    held.setsockopt(level, option, address(system.AF_INET, value))


def write_group(held: system.socket, level: int, option: int, value: Any) -> None:
    group, interface = value if isinstance(value, tuple) and len(value) == 2 else (value, None)
    if level == system.IPPROTO_IP:
        where = address(system.AF_INET, "0.0.0.0" if interface is None else interface)
        packed = address(system.AF_INET, group) + where
    else:
        index = 0 if interface is None else number(interface)
        if index < 0:
            raise ValueError(f"{index} is not the index of an interface")
        packed = address(system.AF_INET6, group) + struct.pack("@I", index)
    held.setsockopt(level, option, packed)


def constant(name: str, linux: int) -> int:
    return int(getattr(system, name, linux))


def _socket(name: str, linux: int, read: Any = read_int, write: Any = write_int) -> Option:
    return Option(system.SOL_SOCKET, constant(name, linux), read, write)


def _tcp(name: str, linux: int) -> Option:
    return Option(system.IPPROTO_TCP, constant(name, linux), read_int, write_int)


def _ip(name: str, linux: int, read: Any = read_int, write: Any = write_int) -> Option:
    return Option(system.IPPROTO_IP, constant(name, linux), read, write)


def _ipv6(name: str, linux: int, read: Any = read_int, write: Any = write_int) -> Option:
    return Option(system.IPPROTO_IPV6, constant(name, linux), read, write)


LEVELS = {
    "socket": {
        "keepalive": _socket("SO_KEEPALIVE", 9),
        "reuseaddr": _socket("SO_REUSEADDR", 2),
        "sndbuf": _socket("SO_SNDBUF", 7),
        "rcvbuf": _socket("SO_RCVBUF", 8),
        "priority": _socket("SO_PRIORITY", 12),
        "broadcast": _socket("SO_BROADCAST", 6),
        "linger": _socket("SO_LINGER", 13, read_linger, write_linger),
        "sndtimeo": _socket("SO_SNDTIMEO", 21, read_time, write_time),
        "rcvtimeo": _socket("SO_RCVTIMEO", 20, read_time, write_time),
        "dontroute": _socket("SO_DONTROUTE", 5),
        "bindtodevice": _socket("SO_BINDTODEVICE", 25, read_device, write_device),
        "error": _socket("SO_ERROR", 4, write=None),
        "oobinline": _socket("SO_OOBINLINE", 10),
    },
    "tcp": {"cork": _tcp("TCP_CORK", 3), "nodelay": _tcp("TCP_NODELAY", 1)},
    "ip": {
        "mtu": _ip("IP_MTU", 14, write=None),
        "hdrincl": _ip("IP_HDRINCL", 3),
        "multicast_ttl": _ip("IP_MULTICAST_TTL", 33),
        "multicast_loop": _ip("IP_MULTICAST_LOOP", 34),
        "multicast_if": _ip("IP_MULTICAST_IF", 32, read_address, write_address),
        "add_membership": _ip("IP_ADD_MEMBERSHIP", 35, None, write_group),
        "drop_membership": _ip("IP_DROP_MEMBERSHIP", 36, None, write_group),
    },
    "ipv6": {
        "mtu": _ipv6("IPV6_MTU", 24),
        "v6only": _ipv6("IPV6_V6ONLY", 26),
        "multicast_loop": _ipv6("IPV6_MULTICAST_LOOP", 19),
        "multicast_hops": _ipv6("IPV6_MULTICAST_HOPS", 18),
        "multicast_if": _ipv6("IPV6_MULTICAST_IF", 17),
        "add_membership": _ipv6("IPV6_JOIN_GROUP", 20, None, write_group),
        "drop_membership": _ipv6("IPV6_LEAVE_GROUP", 21, None, write_group),
    },
}
