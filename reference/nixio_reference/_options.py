"""The 29 socket options (norm:182-183): which constant of the system each of them is, and the shape of its value.

`_option_values` explains the shapes; `Socket.getopt` and `Socket.setopt` declare the same values for type checkers.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from nixio_reference._option_values import (
    ABSENT,
    DEVICE,
    FLAG,
    INT,
    INTERFACE,
    LINGER,
    MEMBERSHIP,
    MEMBERSHIP6,
    READ_ONLY,
    TIMEOUT,
    Shape,
)


class Option(NamedTuple):
    """A row of the table. Of two constants the first that the platform has is used."""

    shape: Shape
    constant: str
    alternative: str | None = None


TABLE: Final[Mapping[str, Mapping[str, Option]]] = {
    "socket": {
        "keepalive": Option(FLAG, "SO_KEEPALIVE"),
        "reuseaddr": Option(FLAG, "SO_REUSEADDR"),
        "sndbuf": Option(INT, "SO_SNDBUF"),
        "rcvbuf": Option(INT, "SO_RCVBUF"),
        "priority": Option(INT, "SO_PRIORITY"),
        "broadcast": Option(FLAG, "SO_BROADCAST"),
        # On macOS, SO_LINGER counts clock ticks and SO_LINGER_SEC seconds.
        "linger": Option(LINGER, "SO_LINGER_SEC", "SO_LINGER"),
        "sndtimeo": Option(TIMEOUT, "SO_SNDTIMEO"),
        "rcvtimeo": Option(TIMEOUT, "SO_RCVTIMEO"),
        "dontroute": Option(FLAG, "SO_DONTROUTE"),
        "bindtodevice": Option(DEVICE, "SO_BINDTODEVICE"),
        "error": Option(READ_ONLY, "SO_ERROR"),
        "oobinline": Option(FLAG, "SO_OOBINLINE"),
    },
    "tcp": {
        "cork": Option(FLAG, "TCP_CORK"),
        "nodelay": Option(FLAG, "TCP_NODELAY"),
    },
    "ip": {
        "mtu": Option(READ_ONLY, "IP_MTU"),
        "hdrincl": Option(FLAG, "IP_HDRINCL"),
        "multicast_ttl": Option(INT, "IP_MULTICAST_TTL"),
        "multicast_loop": Option(FLAG, "IP_MULTICAST_LOOP"),
        "multicast_if": Option(INTERFACE, "IP_MULTICAST_IF"),
        "add_membership": Option(MEMBERSHIP, "IP_ADD_MEMBERSHIP"),
        "drop_membership": Option(MEMBERSHIP, "IP_DROP_MEMBERSHIP"),
    },
    "ipv6": {
        "mtu": Option(INT, "IPV6_MTU"),
        "v6only": Option(FLAG, "IPV6_V6ONLY"),
        "multicast_hops": Option(INT, "IPV6_MULTICAST_HOPS"),
        "multicast_loop": Option(FLAG, "IPV6_MULTICAST_LOOP"),
        "multicast_if": Option(INT, "IPV6_MULTICAST_IF"),
        "add_membership": Option(MEMBERSHIP6, "IPV6_ADD_MEMBERSHIP", "IPV6_JOIN_GROUP"),
        "drop_membership": Option(MEMBERSHIP6, "IPV6_DROP_MEMBERSHIP", "IPV6_LEAVE_GROUP"),
    },
}

LEVELS: Final[Mapping[str, int]] = {
    "socket": int(socket.SOL_SOCKET),
    "tcp": int(socket.IPPROTO_TCP),
    "ip": int(getattr(socket, "IPPROTO_IP", 0)),
    "ipv6": int(getattr(socket, "IPPROTO_IPV6", 41)),
}

NOT_IN_PYTHON: Final[Mapping[str, Mapping[str, int]]] = {
    "linux": {"IP_MTU": 14, "IPV6_MTU": 24, "SO_PRIORITY": 12, "SO_BINDTODEVICE": 25, "TCP_CORK": 3, "IP_HDRINCL": 3},
    "darwin": {"SO_LINGER_SEC": 0x1080},
    "win32": {"IP_MTU": 73, "IPV6_MTU": 72},
}
"""Numbers of constants that a platform has and Python's socket module lacks, at least in some versions or builds."""


class SystemOption(NamedTuple):
    """An option on one platform: the numbers of its level and of itself, and the shape of its value."""

    level: int
    number: int
    shape: Shape


def options_of(platform: str, constant: Callable[[str], int | None]) -> dict[tuple[str, str], SystemOption]:
    """Return the options of a platform (as ``sys.platform``) by level and name.

    constant: returns the number of a constant of the socket module, or None. An option without a number is ABSENT.
    """
    lacking = NOT_IN_PYTHON.get(platform, {})

    def number_of(name: str) -> int | None:
        number = constant(name)
        return lacking.get(name) if number is None else int(number)

    def system_option(level: str, option: Option) -> SystemOption:
        for name in filter(None, (option.constant, option.alternative)):
            number = number_of(name)
            if number is not None:
                return SystemOption(LEVELS[level], number, option.shape)
        return SystemOption(LEVELS[level], 0, ABSENT)

    return {
        (level, name): system_option(level, option)
        for level, options in TABLE.items()
        for name, option in options.items()
    }


OPTIONS: Final = options_of(sys.platform, lambda name: getattr(socket, name, None))


def find_option(level: str, option: str) -> SystemOption:
    """Return an option of this platform. A pair that is not in the table: ValueError; not a str: TypeError."""
    try:
        return OPTIONS[level, option]
    except (KeyError, TypeError):  # TypeError: level or option is not hashable
        raise unknown_option_error(level, option) from None


def unknown_option_error(level: object, option: object) -> TypeError | ValueError:
    """Return the error for a pair that is not in the table. It names the levels or options that are."""
    if not isinstance(level, str):
        return TypeError(f"level must be a str, not {type(level).__name__}")
    if level not in TABLE:
        return ValueError(f"level must be one of {', '.join(TABLE)}: {level!r}")
    if not isinstance(option, str):
        return TypeError(f"option must be a str, not {type(option).__name__}")
    return ValueError(f"option of level {level} must be one of {', '.join(TABLE[level])}: {option!r}")
