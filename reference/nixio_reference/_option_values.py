"""The shapes of option values: how getopt() reads each of them and how setopt() writes it.

What getopt() returns, setopt() takes (design:option-shapes). What the kernel refuses is raised as the kernel's error.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Callable
from typing import Final, NamedTuple, NoReturn

from nixio_reference._arguments import C_INT_MAX, c_int, closed_error, int_in_range, integer, system_error, text

_WINDOWS: Final = sys.platform == "win32"
_DARWIN: Final = sys.platform == "darwin"


class Shape(NamedTuple):
    """How the value of an option is read and written; both get the socket and the numbers of level and option."""

    read: Callable[[socket.socket, int, int], object]
    write: Callable[[socket.socket, int, int, object], None]


# -- integers and flags ----------------------------------------------------------------------------------------------


def _read_int(sock: socket.socket, level: int, number: int) -> int:
    return sock.getsockopt(level, number)


def _write_int(sock: socket.socket, level: int, number: int, value: object) -> None:
    """Set an int that fits into a C int. True and False are 1 and 0 here: most of these options are flags."""
    sock.setsockopt(level, number, int(value) if isinstance(value, bool) else c_int(value, "value"))


def _read_flag(sock: socket.socket, level: int, number: int) -> int:
    # Linux returns 0 or 1, BSD and macOS the option's bit: 8 for keepalive.
    return 1 if sock.getsockopt(level, number) else 0


# -- options that can only be read, only be set, or that the platform lacks ------------------------------------------


def _refuse_write(sock: socket.socket, level: int, number: int, value: object) -> NoReturn:
    """Ask the kernel first, so that a closed socket, or one of another family, gets its own error."""
    sock.setsockopt(level, number, c_int(value, "value"))
    raise system_error(errno.ENOPROTOOPT, "the option can only be read")


def _refuse_read(sock: socket.socket, level: int, number: int) -> NoReturn:
    """Ask the kernel first, as `_refuse_write` does."""
    sock.getsockopt(level, number)
    raise system_error(errno.ENOPROTOOPT, "the option can only be set")


def _read_absent(sock: socket.socket, level: int, number: int) -> NoReturn:
    if sock.fileno() < 0:
        raise closed_error()
    raise system_error(errno.ENOPROTOOPT, "no such option on this platform")


def _write_absent(sock: socket.socket, level: int, number: int, value: object) -> NoReturn:
    _read_absent(sock, level, number)


# -- linger ----------------------------------------------------------------------------------------------------------

# struct linger {on, seconds}. nixio has one integer for both, and 0 is off (design:linger).
_LINGER: Final = struct.Struct("@HH" if _WINDOWS else "@ii")
_LINGER_MAX: Final = 0xFFFF if _WINDOWS else C_INT_MAX


def _read_linger(sock: socket.socket, level: int, number: int) -> int:
    on, seconds = _LINGER.unpack(sock.getsockopt(level, number, _LINGER.size))
    return int(seconds) if on else 0


def _write_linger(sock: socket.socket, level: int, number: int, value: object) -> None:
    seconds = int_in_range(value, "linger", 0, _LINGER_MAX)
    sock.setsockopt(level, number, _LINGER.pack(seconds != 0, seconds))


# -- timeouts --------------------------------------------------------------------------------------------------------

# struct timeval {long, long}. On macOS the microseconds are a 32-bit int, and padding follows.
_TIMEVAL: Final = struct.Struct("@li4x" if _DARWIN else "@ll")
_SECONDS_MAX: Final = 2 ** (8 * struct.calcsize("@l") - 1) - 1
_MICROSECONDS: Final = 1_000_000


def _read_timeout(sock: socket.socket, level: int, number: int) -> tuple[int, int]:
    if _WINDOWS:
        seconds, milliseconds = divmod(sock.getsockopt(level, number), 1000)
        return seconds, milliseconds * 1000
    seconds, microseconds = _TIMEVAL.unpack(sock.getsockopt(level, number, _TIMEVAL.size))
    return seconds, microseconds


def _write_timeout(sock: socket.socket, level: int, number: int, value: object) -> None:
    seconds, microseconds = _timeout(value)
    if _WINDOWS:
        # Rounded up: 0 milliseconds would mean no timeout.
        milliseconds = seconds * 1000 + -(-microseconds // 1000)
        sock.setsockopt(level, number, c_int(milliseconds, "milliseconds"))
    else:
        sock.setsockopt(level, number, _TIMEVAL.pack(seconds, microseconds))


def _timeout(value: object) -> tuple[int, int]:
    """Return (seconds, microseconds) of such a pair or of a number of seconds."""
    seconds, microseconds = _one_or_two(value, 0, "a timeout is seconds or (seconds, microseconds)")
    # Linux would take negative seconds for "do not wait", and return them as "wait for ever".
    whole = int_in_range(seconds, "seconds", 0, _SECONDS_MAX)
    part = integer(microseconds, "microseconds")
    if not 0 <= part < _MICROSECONDS:
        raise system_error(errno.EDOM, "microseconds are from 0 to 999999")
    return whole, part


# -- interfaces and memberships --------------------------------------------------------------------------------------

# bindtodevice: Linux cuts a longer name, and might find another interface by it.
_DEVICE_MAX: Final = 15


def _read_device(sock: socket.socket, level: int, number: int) -> str:
    return os.fsdecode(sock.getsockopt(level, number, _DEVICE_MAX + 1).split(b"\0", 1)[0])


def _write_device(sock: socket.socket, level: int, number: int, value: object) -> None:
    try:
        name = os.fsencode(text(value, "device"))
    except UnicodeEncodeError:
        raise ValueError(f"device cannot be encoded: {value!r}") from None
    if len(name) > _DEVICE_MAX:
        if sock.fileno() < 0:
            raise closed_error()
        raise system_error(errno.ENODEV, "device name too long")
    sock.setsockopt(level, number, name + b"\0")


def _read_interface(sock: socket.socket, level: int, number: int) -> str:
    return socket.inet_ntoa(sock.getsockopt(level, number, 4))


def _write_interface(sock: socket.socket, level: int, number: int, value: object) -> None:
    sock.setsockopt(level, number, _packed(value, "interface", socket.AF_INET))


def _write_membership(sock: socket.socket, level: int, number: int, value: object) -> None:
    group, interface = _membership(value, "0.0.0.0")
    request = _packed(group, "group", socket.AF_INET) + _packed(interface, "interface", socket.AF_INET)
    sock.setsockopt(level, number, request)


_MREQ6: Final = struct.Struct("@16sI")  # struct ipv6_mreq {group, interface index}


def _write_membership6(sock: socket.socket, level: int, number: int, value: object) -> None:
    group, interface = _membership(value, 0)
    index = int_in_range(interface, "interface", 0, C_INT_MAX)
    sock.setsockopt(level, number, _MREQ6.pack(_packed(group, "group", socket.AF_INET6), index))


def _membership(value: object, any_interface: object) -> tuple[object, object]:
    """Return (group, interface) of such a pair or of a group alone, for which the system chooses the interface."""
    return _one_or_two(value, any_interface, "a membership is a group or (group, interface)")


def _one_or_two(value: object, default: object, expected: str) -> tuple[object, object]:
    if not isinstance(value, tuple | list):
        return value, default
    if len(value) != 2:
        raise ValueError(f"{expected}, not {len(value)} values")
    return value[0], value[1]


def _packed(address: object, what: str, family: int) -> bytes:
    """Return the bytes of a numeric address. Names and short forms such as 127.1 are bad arguments."""
    try:
        return socket.inet_pton(family, text(address, what))
    except (OSError, UnicodeError):
        raise ValueError(f"{what} is not a numeric address: {address!r}") from None


# -- shapes ----------------------------------------------------------------------------------------------------------

INT: Final = Shape(_read_int, _write_int)
"""An int, as the system stores it."""
FLAG: Final = Shape(_read_flag, _write_int)
"""0 or 1. Any other int that is set is 1."""
READ_ONLY: Final = Shape(_read_int, _refuse_write)
"""An int. setopt() raises ENOPROTOOPT."""
LINGER: Final = Shape(_read_linger, _write_linger)
"""Seconds that close() waits for unsent data; 0 is off."""
TIMEOUT: Final = Shape(_read_timeout, _write_timeout)
"""(seconds, microseconds); setopt() also takes seconds alone. 0 is no timeout."""
DEVICE: Final = Shape(_read_device, _write_device)
"""The name of an interface, "" for none."""
INTERFACE: Final = Shape(_read_interface, _write_interface)
"""The IPv4 address of an interface."""
MEMBERSHIP: Final = Shape(_refuse_read, _write_membership)
"""A group, or (group, IPv4 address of the interface). getopt() raises ENOPROTOOPT."""
MEMBERSHIP6: Final = Shape(_refuse_read, _write_membership6)
"""A group, or (group, index of the interface). getopt() raises ENOPROTOOPT."""
ABSENT: Final = Shape(_read_absent, _write_absent)
"""An option that this platform does not have: both methods raise ENOPROTOOPT."""
