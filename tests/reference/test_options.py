"""The options' tables and shapes: what is in them, what each value becomes, and platforms that lack some."""

from __future__ import annotations

import errno
import os
import socket as standard
import sys
from collections.abc import Callable
from typing import Any

import pytest

from nixio_reference import Socket
from nixio_reference._options import ABSENT, LEVELS, OPTIONS, TABLE, UNNAMED, compile_table

Make = Callable[..., Socket]
PAIRS = [(level, option) for level, options in TABLE.items() for option in options]
ids = ["/".join(pair) for pair in PAIRS]
SET_ONLY = {(level, option) for level, option in PAIRS if option.endswith("membership")}
GET_ONLY = {("socket", "error"), ("ip", "mtu")}
KINDS = [(domain, kind) for domain in ("inet", "inet6", "unix") for kind in ("stream", "dgram")]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the numbers are Linux's")


def test_there_are_29_pairs_of_24_options() -> None:
    assert len(PAIRS) == 29
    assert len({option for _, option in PAIRS}) == 24
    assert {level: set(options) for level, options in OPTIONS.items()} == {
        level: set(options) for level, options in TABLE.items()
    }


@linux_only
def test_linux_has_all_of_them_and_no_number_twice() -> None:
    numbers = [(level, number) for options in OPTIONS.values() for level, number, _, _ in options.values()]
    assert len(set(numbers)) == 29
    assert all(ABSENT.read is not read for options in OPTIONS.values() for _, _, read, _ in options.values())


@linux_only
def test_numbers_that_python_does_not_name_agree_with_those_it_does() -> None:
    for name, number in UNNAMED["linux"].items():
        assert getattr(standard, name, number) == number


@pytest.mark.parametrize("pair", PAIRS, ids=ids)
@pytest.mark.parametrize(("domain", "kind"), KINDS)
def test_what_is_read_can_be_set(make: Make, domain: str, kind: str, pair: tuple[str, str]) -> None:
    sock = make(domain, kind)
    try:
        value = sock.getopt(*pair)
    except OSError as error:
        assert error.errno in (errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.ENOTCONN)  # noqa: PT017
        return
    assert pair not in SET_ONLY
    try:
        assert sock.setopt(*pair, value) is True
    except OSError as error:
        refusals = {errno.ENOPROTOOPT} if pair in GET_ONLY else {errno.ENOPROTOOPT, errno.EINVAL, errno.EPERM}
        assert error.errno in refusals  # noqa: PT017


@pytest.mark.parametrize("pair", PAIRS, ids=ids)
@pytest.mark.parametrize("value", [None, 1.0, b"x", {}, 1j], ids=repr)
def test_values_of_a_wrong_type(make: Make, pair: tuple[str, str], value: Any) -> None:
    for domain in ("inet", "unix"):
        with pytest.raises(TypeError):
            make(domain, "dgram").setopt(*pair, value)


def test_a_flag_that_was_read_as_a_bool_can_be_set_by_it(make: Make) -> None:
    sock = make("inet", "stream")
    assert sock.setopt("socket", "keepalive", True) is True
    assert sock.getopt("socket", "keepalive") == 1
    sock.setopt("socket", "keepalive", False)
    assert sock.getopt("socket", "keepalive") == 0


@pytest.mark.parametrize("pair", PAIRS, ids=ids)
@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**64 + 1, 10**5000], ids=lambda n: f"{n.bit_length()}bits")
def test_numbers_that_do_not_fit(make: Make, pair: tuple[str, str], value: int) -> None:
    with pytest.raises((ValueError, TypeError)):
        make("inet", "dgram").setopt(*pair, value)


def test_no_number_wraps(make: Make) -> None:
    sock = make()
    for value in (2**31, 2**32, 2**32 + 1, -(2**31) - 1):
        for option in ("keepalive", "sndbuf", "linger"):
            with pytest.raises(ValueError, match="from"):
                sock.setopt("socket", option, value)
    assert sock.getopt("socket", "keepalive") == 0


@pytest.mark.parametrize(
    ("level", "option", "error"),
    [
        ("sock", "keepalive", ValueError),
        ("SOCKET", "keepalive", ValueError),
        ("", "", ValueError),
        ("socket", "Keepalive", ValueError),
        ("socket", "nodelay", ValueError),
        ("tcp", "keepalive", ValueError),
        ("ip", "v6only", ValueError),
        (None, "keepalive", TypeError),
        (1, 9, TypeError),
        ([], "keepalive", TypeError),
        ("socket", None, TypeError),
        ("socket", [], TypeError),
    ],
)
def test_names_that_do_not_exist(make: Make, level: Any, option: Any, error: type[Exception]) -> None:
    sock = make()
    with pytest.raises(error):
        sock.getopt(level, option)
    with pytest.raises(error):
        sock.setopt(level, option, 1)


@pytest.mark.parametrize("pair", sorted(GET_ONLY))
def test_what_cannot_be_set(make: Make, pair: tuple[str, str]) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENOPROTOOPT)):
        make().setopt(*pair, 0)


@pytest.mark.parametrize(("level", "option"), sorted(SET_ONLY))
def test_what_cannot_be_read(make: Make, level: str, option: str) -> None:
    sock = make("inet6" if level == "ipv6" else "inet", "dgram")
    with pytest.raises(OSError, match=os.strerror(errno.ENOPROTOOPT)):
        sock.getopt(level, option)


class Fake:
    """A socket of a system that answers as it is told and keeps what is set."""

    def __init__(self, answer: object = None, descriptor: int = 3) -> None:
        self.answer = answer
        self.descriptor = descriptor
        self.kept: list[tuple[Any, ...]] = []

    def getsockopt(self, *asked: Any) -> object:
        """Answer."""
        return self.answer

    def setsockopt(self, *given: Any) -> None:
        """Keep it."""
        self.kept.append(given)

    def fileno(self) -> int:
        """Return the descriptor that it is said to have."""
        return self.descriptor


def test_refusals_hold_on_a_system_that_would_allow_it() -> None:
    for pair in GET_ONLY:
        _, _, _, write = OPTIONS[pair[0]][pair[1]]
        assert write is not None
        with pytest.raises(OSError, match="only be read"):
            write(Fake(), 0, 0, 0)  # type: ignore[arg-type]
    for level, option in SET_ONLY:
        read = OPTIONS[level][option][2]
        assert read is not None
        with pytest.raises(OSError, match="only be set"):
            read(Fake(b""), 0, 0)  # type: ignore[arg-type]


def test_flags_that_a_system_answers_as_bits() -> None:
    from nixio_reference import _options

    assert _options._read_flag(Fake(8), 1, 9) == 1  # type: ignore[arg-type]
    assert _options._read_flag(Fake(0), 1, 9) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(("platform", "absent"), [("linux", 0), ("freebsd14", 5), ("win32", 3)])
def test_platforms_without_some_options(platform: str, absent: int) -> None:
    missing = {"SO_PRIORITY", "SO_BINDTODEVICE", "TCP_CORK", "IP_MTU", "IPV6_MTU"}
    table = compile_table(platform, lambda name: None if name in missing else getattr(standard, name, None))
    gone = [row for options in table.values() for row in options.values() if row[2] is ABSENT.read]
    assert len(gone) == absent


def test_an_option_that_a_platform_lacks() -> None:
    table = compile_table("nowhere", lambda name: None)
    for level, options in table.items():
        for number, _, read, write in options.values():
            assert number == LEVELS[level]
            assert read is not None
            assert write is not None
            for descriptor, expected in ((3, errno.ENOPROTOOPT), (-1, errno.EBADF)):
                sock: Any = Fake(None, descriptor)
                with pytest.raises(OSError, match=os.strerror(expected)):
                    read(sock, number, 0)
                with pytest.raises(OSError, match=os.strerror(expected)):
                    write(sock, number, 0, 1)


def test_macos_linger_is_in_seconds() -> None:
    table = compile_table("darwin", lambda name: getattr(standard, name, None))
    assert table["socket"]["linger"][1] == 0x1080


@pytest.mark.parametrize("option", ["sndtimeo", "rcvtimeo"])
def test_timeouts(make: Make, option: str) -> None:
    sock = make()
    for value, expected in ((3, (3, 0)), ((0, 500_000), (0, 500_000)), ([2, 0], (2, 0)), (0, (0, 0))):
        assert sock.setopt("socket", option, value) is True
        assert sock.getopt("socket", option) == expected
    for value in ((0, 10**6), (0, -1), (1, 2**64)):
        with pytest.raises(OSError, match=os.strerror(errno.EDOM)):
            sock.setopt("socket", option, value)
    for refused in (-1, (-1, 0), (), (1,), (1, 2, 3), (2**64, 0)):
        with pytest.raises(ValueError, match=r"must|timeout is"):
            sock.setopt("socket", option, refused)
    for wrong in ("1", (1.0, 0), (1, None), (True, 0)):
        with pytest.raises(TypeError):
            sock.setopt("socket", option, wrong)


def test_linger(make: Make) -> None:
    sock = make()
    for value in (5, 0, 1):
        sock.setopt("socket", "linger", value)
        assert sock.getopt("socket", "linger") == value
    with pytest.raises(ValueError, match="linger"):
        sock.setopt("socket", "linger", -1)


@linux_only
def test_device_names(make: Make) -> None:
    sock = make()
    assert sock.getopt("socket", "bindtodevice") == ""
    for name in ("no-such-device", "lo" * 8, "x" * 200):
        with pytest.raises(OSError, match=os.strerror(errno.ENODEV)):
            sock.setopt("socket", "bindtodevice", name)
    for name in ("lo\0", "\ud800"):
        with pytest.raises(ValueError, match="device"):
            sock.setopt("socket", "bindtodevice", name)
    try:
        sock.setopt("socket", "bindtodevice", "lo")
    except PermissionError:
        pytest.skip("binding to a device is not permitted here")
    assert sock.getopt("socket", "bindtodevice") == "lo"


def test_interfaces(make: Make) -> None:
    sock = make("inet", "dgram")
    assert sock.getopt("ip", "multicast_if") == "0.0.0.0"
    sock.setopt("ip", "multicast_if", "127.0.0.1")
    assert sock.getopt("ip", "multicast_if") == "127.0.0.1"
    for text in ("", "lo", "localhost", "127.1", "::1", "127.0.0.1\0", "\ud800", "\u0661"):
        with pytest.raises(ValueError, match="interface"):
            sock.setopt("ip", "multicast_if", text)


def test_memberships(make: Make) -> None:
    sock = make("inet", "dgram")
    membership = ("224.0.2.77", "127.0.0.1")
    assert sock.setopt("ip", "add_membership", membership) is True
    with pytest.raises(OSError, match=os.strerror(errno.EADDRINUSE)):
        sock.setopt("ip", "add_membership", membership)
    assert sock.setopt("ip", "drop_membership", list(membership)) is True
    with pytest.raises(OSError, match=os.strerror(errno.EADDRNOTAVAIL)):
        sock.setopt("ip", "drop_membership", membership)
    for value in ("name", "", "ff02::1", ("224.0.2.77", "lo"), ("224.0.2.77",), ("224.0.2.77", "127.0.0.1", 1)):
        with pytest.raises(ValueError, match=r"must|timeout is|membership is|is not"):
            sock.setopt("ip", "add_membership", value)
    for wrong in (("224.0.2.77", 1), ("224.0.2.77", None), (1, "127.0.0.1")):
        with pytest.raises(TypeError):
            sock.setopt("ip", "add_membership", wrong)


def test_memberships_of_ipv6(make: Make) -> None:
    sock = make("inet6", "dgram")
    index = standard.if_nametoindex("lo" if sys.platform == "linux" else "lo0")
    assert sock.setopt("ipv6", "add_membership", ("ff02::77", index)) is True
    assert sock.setopt("ipv6", "drop_membership", ("ff02::77", index)) is True
    for value in ("224.0.2.77", ("ff02::77", -1), ("ff02::77", 2**32)):
        with pytest.raises(ValueError, match=r"must|timeout is|membership is|is not"):
            sock.setopt("ipv6", "add_membership", value)
    for wrong in (("ff02::77", "lo"), ("ff02::77", "::1"), ("ff02::77", True)):
        with pytest.raises(TypeError):
            sock.setopt("ipv6", "add_membership", wrong)


def test_a_pending_error_is_read_once(make: Make) -> None:
    closed, sock = make("inet", "dgram"), make("inet", "dgram")
    closed.bind("127.0.0.1", 0)
    sock.connect(*closed.getsockname())
    closed.close()
    sock.send(b"x")
    assert sock.getopt("socket", "error") == errno.ECONNREFUSED
    assert sock.getopt("socket", "error") == 0
