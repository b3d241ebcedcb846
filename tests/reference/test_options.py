"""Compares the option table with the specification's; and options as other systems have them."""

from __future__ import annotations

import errno
import os
import socket as standard
import sys
from collections.abc import Callable
from typing import Any

import pytest

from nixio_fixtures import load
from nixio_reference import Socket
from nixio_reference._option_values import ABSENT
from nixio_reference._options import LEVELS, NOT_IN_PYTHON, OPTIONS, TABLE, options_of

Make = Callable[..., Socket]
SPECIFIED = {(option.level, option.name): option for option in load().options}


def constant(name: str) -> int | None:
    """Return a constant of the socket module."""
    return getattr(standard, name, None)


def test_the_table_is_the_specifications() -> None:
    assert set(OPTIONS) == set(SPECIFIED)
    for (level, name), specified in SPECIFIED.items():
        row = TABLE[level][name]
        assert specified.constant in (row.constant, row.alternative)


@pytest.mark.skipif(sys.platform != "linux", reason="the specification's numbers are Linux's")
def test_linux_has_all_options_with_the_specifications_numbers() -> None:
    assert {pair: (option.level, option.number) for pair, option in OPTIONS.items()} == {
        pair: (option.sol_number, option.number) for pair, option in SPECIFIED.items()
    }
    assert all(option.shape is not ABSENT for option in OPTIONS.values())
    for name, number in NOT_IN_PYTHON["linux"].items():
        assert getattr(standard, name, number) == number


# -- other systems ---------------------------------------------------------------------------------------------------


class System:
    """A socket of another system: getsockopt() returns a given value, setsockopt() accepts everything."""

    def __init__(self, answer: object = None, descriptor: int = 3) -> None:
        self.answer = answer
        self.descriptor = descriptor

    def getsockopt(self, *arguments: object) -> object:
        return self.answer

    def setsockopt(self, *arguments: object) -> None:
        pass

    def fileno(self) -> int:
        return self.descriptor


@pytest.mark.parametrize(("level", "option"), [("socket", "error"), ("ip", "mtu")])
def test_what_cannot_be_set_even_where_the_system_would(level: str, option: str) -> None:
    system: Any = System()
    with pytest.raises(OSError, match="only be read"):
        OPTIONS[level, option].shape.write(system, 0, 0, 0)


@pytest.mark.parametrize("pair", [pair for pair in SPECIFIED if pair[1].endswith("membership")], ids="/".join)
def test_what_cannot_be_read_even_where_the_system_would(pair: tuple[str, str]) -> None:
    system: Any = System(b"")
    with pytest.raises(OSError, match="only be set"):
        OPTIONS[pair].shape.read(system, 0, 0)


@pytest.mark.parametrize(("answer", "flag"), [(8, 1), (0, 0)])
def test_flags_that_bsd_returns_as_bits(answer: int, flag: int) -> None:
    system: Any = System(answer)
    assert OPTIONS["socket", "keepalive"].shape.read(system, 1, 9) == flag


@pytest.mark.parametrize(("platform", "absent"), [("linux", 0), ("freebsd14", 5), ("win32", 3)])
def test_platforms_that_lack_options(platform: str, absent: int) -> None:
    missing = {"SO_PRIORITY", "SO_BINDTODEVICE", "TCP_CORK", "IP_MTU", "IPV6_MTU"}
    options = options_of(platform, lambda name: None if name in missing else constant(name))
    assert [option.shape for option in options.values()].count(ABSENT) == absent


@pytest.mark.parametrize(("descriptor", "number"), [(3, errno.ENOPROTOOPT), (-1, errno.EBADF)])
def test_an_option_that_a_platform_lacks(descriptor: int, number: int) -> None:
    system: Any = System(None, descriptor)
    for (level, _), option in options_of("nowhere", lambda name: None).items():
        assert option == (LEVELS[level], 0, ABSENT)
        with pytest.raises(OSError, match=os.strerror(number)):
            option.shape.read(system, 0, 0)
        with pytest.raises(OSError, match=os.strerror(number)):
            option.shape.write(system, 0, 0, 1)


def test_macos_linger_is_in_seconds() -> None:
    assert options_of("darwin", constant)["socket", "linger"].number == 0x1080


# -- values ----------------------------------------------------------------------------------------------------------


def test_other_forms_of_a_value(make: Make) -> None:
    sock: Any = make()
    for value, stored in ((3, (3, 0)), ((0, 500_000), (0, 500_000)), ([2, 0], (2, 0)), (0, (0, 0))):
        assert sock.setopt("socket", "rcvtimeo", value) is True
        assert sock.getopt("socket", "rcvtimeo") == stored
    for flag in (True, False):
        assert sock.setopt("socket", "keepalive", flag) is True
        assert sock.getopt("socket", "keepalive") == int(flag)
    member: Any = make("inet", "dgram")
    assert member.setopt("ip", "add_membership", ("224.0.2.77", "127.0.0.1")) is True
    assert member.setopt("ip", "drop_membership", ["224.0.2.77", "127.0.0.1"]) is True
