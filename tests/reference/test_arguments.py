"""Bad arguments: where the suite allows several answers, the error that the reference has chosen."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from socket import gaierror
from typing import Any

import pytest

from nixio_reference import Socket, bind, connect, socket

Make = Callable[..., Socket]

BAD = object()
"""The place of the bad value in a call."""
HUGE = 10**5000  # too many digits for str()

HOST_TYPES = (b"127.0.0.1", 2130706433, ["127.0.0.1"], True)
UNKNOWN_HOSTS = ("", "a..b", "x" * 64, "\ud800")
PORT_TYPES = (None, True, 80.0, b"80", [80])
PORTS = (-1, 65536, 2**16 + 80, 2**32 + 80, HUGE, "65536", "9" * 5000)
NO_PORTS = ("", " ", " 80", "80 ", "+80", "-1", "8\0", "8_0", "\u0668\u0660", "ht tp")
SERVICES = ("0x50", "no-such-service", "d\u00e9j\u00e0")
NO_BUFFERS = ("text", 5, None, [1, 2], 1.5)
NO_NUMBERS = (True, False, 1.0, "1", b"1", [1])

Row = tuple[type[Exception], str, tuple[object, ...], tuple[object, ...]]

ROWS: list[Row] = [
    (TypeError, "bind", (BAD, 0), HOST_TYPES),
    (ValueError, "bind", (BAD, 0), ("127.0.0.1\0junk",)),
    (gaierror, "bind", (BAD, 0), UNKNOWN_HOSTS),
    (TypeError, "bind", (None, BAD), PORT_TYPES),
    (ValueError, "bind", ("127.0.0.1", BAD), PORTS + NO_PORTS),
    (TypeError, "connect", (BAD, 9), HOST_TYPES),
    (gaierror, "connect", (BAD, 9), UNKNOWN_HOSTS),
    (TypeError, "connect", (None, BAD), PORT_TYPES),
    (ValueError, "connect", ("127.0.0.1", BAD), PORTS + NO_PORTS),
    (gaierror, "connect", ("127.0.0.1", BAD), SERVICES),
    (TypeError, "sendto", (b"", BAD, 9), HOST_TYPES),
    (gaierror, "sendto", (b"", BAD, 9), (*UNKNOWN_HOSTS, "localhost", "::1")),
    (TypeError, "sendto", (b"", "127.0.0.1", BAD), PORT_TYPES),
    (ValueError, "sendto", (b"", "127.0.0.1", BAD), (*PORTS, *NO_PORTS, *SERVICES, "http")),
    (TypeError, "sendto", (BAD, "127.0.0.1", 9), NO_BUFFERS),
    (TypeError, "send", (BAD,), NO_BUFFERS),
    (TypeError, "send", (BAD, 0), NO_BUFFERS),
    (TypeError, "send", (b"abc", BAD), NO_NUMBERS),
    (TypeError, "send", (b"abc", 0, BAD), NO_NUMBERS),
    (ValueError, "send", (b"abc", BAD), (-1, -(2**32), -HUGE)),
    (ValueError, "send", (b"abc", None, BAD), (-1, -(2**32) + 2, -HUGE)),
    (TypeError, "recv", (BAD,), NO_NUMBERS),
    (ValueError, "recv", (BAD,), (-1, -(2**32) + 2, -HUGE)),
    (TypeError, "recvfrom", (BAD,), NO_NUMBERS),
    (ValueError, "recvfrom", (BAD,), (-1, -HUGE)),
    (TypeError, "listen", (BAD,), NO_NUMBERS),
    (ValueError, "shutdown", (BAD,), ("RD", "both", "")),
    (TypeError, "shutdown", (BAD,), (2, b"rd")),
    (TypeError, "setblocking", (BAD,), (0, 1, None, "", "false")),
    (ValueError, "getopt", (BAD, "linger"), ("sock", "SOCKET", "tcp", "")),
    (TypeError, "getopt", (BAD, "linger"), (None, 1, [])),
    (ValueError, "getopt", ("socket", BAD), ("Linger", "nodelay", "")),
    (TypeError, "getopt", ("socket", BAD), (None, 9, [])),
    (ValueError, "setopt", (BAD, "v6only", 1), ("sock", "ip")),
    (TypeError, "setopt", ("socket", BAD, 1), (None, [])),
    (TypeError, "setopt", ("socket", "keepalive", BAD), (None, 1.0, "1", b"1", [], {})),
    (ValueError, "setopt", ("socket", "sndbuf", BAD), (2**31, 2**32 + 1, -(2**31) - 1, HUGE)),
    (TypeError, "setopt", ("socket", "linger", BAD), (None, True, 1.0, "1", (1, 5))),
    (ValueError, "setopt", ("socket", "linger", BAD), (-1, 2**31, HUGE)),
    (TypeError, "setopt", ("socket", "rcvtimeo", BAD), (None, 1.0, "1", (1.0, 0), (1, None), (True, 0))),
    (ValueError, "setopt", ("socket", "rcvtimeo", BAD), (-1, (-1, 0), (), (1, 2, 3), (2**64, 0))),
    (TypeError, "setopt", ("socket", "bindtodevice", BAD), (None, 1, b"lo")),
    (ValueError, "setopt", ("socket", "bindtodevice", BAD), ("lo\0", "\ud800")),
    (TypeError, "setopt", ("ip", "multicast_if", BAD), (None, 1, b"127.0.0.1")),
    (ValueError, "setopt", ("ip", "multicast_if", BAD), ("", "lo", "127.1", "::1", "127.0.0.1\0", "\ud800", "\u0661")),
    (TypeError, "setopt", ("ip", "add_membership", BAD), (1, ("224.0.2.77", 1), (1, "127.0.0.1"))),
    (ValueError, "setopt", ("ip", "drop_membership", BAD), ("name", "ff02::1", (), ("224.0.2.77", "lo"))),
    (TypeError, "setopt", ("ipv6", "add_membership", BAD), (("ff02::77", "lo"), ("ff02::77", True))),
    (ValueError, "setopt", ("ipv6", "drop_membership", BAD), ("224.0.2.77", ("ff02::77", -1), ("ff02::77", 2**32))),
]
PATHS: list[Row] = [
    (ValueError, "bind", (BAD,), ("", b"", "a\0b", "\ud800")),
    (TypeError, "connect", (BAD,), (None, 7)),
    (ValueError, "sendto", (b"x", BAD), ("", "a\0b")),
    (TypeError, "sendto", (b"x", BAD), (None, 7)),
]


def calls(rows: list[Row]) -> list[Any]:
    """Return a parameter for each bad value of each row."""
    parameters = []
    for error, method, arguments, values in rows:
        for value in values:
            given = tuple(value if argument is BAD else argument for argument in arguments)
            names = ("huge" if argument in (HUGE, -HUGE) else ascii(argument)[:20] for argument in given)
            parameters.append(pytest.param(error, method, given, id=f"{method}({','.join(names)})"))
    return parameters


@pytest.mark.parametrize(("error", "method", "arguments"), calls(ROWS))
def test_bad_arguments(make: Make, error: type[Exception], method: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(error) as failure:
        getattr(make("inet", "dgram"), method)(*arguments)
    assert not isinstance(failure.value, UnicodeError)


@pytest.mark.parametrize(("error", "method", "arguments"), calls(PATHS))
def test_bad_paths(make: Make, error: type[Exception], method: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(error) as failure:
        getattr(make("unix", "dgram"), method)(*arguments)
    assert not isinstance(failure.value, UnicodeError)


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (ValueError, ("INET", "stream")),
        (TypeError, (["inet"], "stream")),
        (ValueError, ("inet", "seqpacket")),
        (TypeError, ("inet", 1)),
        (ValueError, ("inet", "stream", "tcp")),
        (TypeError, ("inet", "stream", True)),
        (TypeError, ("inet", "stream", 6.0)),
        (ValueError, ("inet", "stream", -1)),
        (ValueError, ("inet", "stream", 2**32 + 6)),
        (OSError, ("inet", "dgram", 6)),
        (OSError, ("inet", "raw")),
    ],
)
def test_bad_sockets(error: type[Exception], arguments: Any) -> None:
    with pytest.raises(error):
        socket(*arguments)


def test_bad_shortcuts() -> None:
    with pytest.raises(ValueError, match="domain"):
        bind("name", 0, "packet")
    with pytest.raises(ValueError, match="socktype"):
        connect("name", 0, None, "seqpacket")


@pytest.mark.parametrize(
    ("number", "option", "value"),
    [
        (errno.EDOM, "rcvtimeo", (0, 10**6)),
        (errno.EDOM, "rcvtimeo", (0, -1)),
        (errno.EDOM, "sndtimeo", (1, 2**64)),
        (errno.ENODEV, "bindtodevice", "x" * 200),
    ],
)
def test_values_that_are_errors_of_the_system(make: Make, number: int, option: str, value: Any) -> None:
    if option == "bindtodevice" and sys.platform != "linux":
        pytest.skip("bindtodevice exists on Linux only")
    sock: Any = make()
    with pytest.raises(OSError, match=os.strerror(number)):
        sock.setopt("socket", option, value)
    sock.close()
    with pytest.raises(OSError, match=os.strerror(errno.EBADF if number == errno.ENODEV else number)):
        sock.setopt("socket", option, value)


def test_a_path_that_is_too_long(make: Make) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENAMETOOLONG)):
        make("unix").bind("/" + "p" * 107)
