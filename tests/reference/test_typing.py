"""The types of getopt() and setopt() for type checkers, compared with the specification's table.

mypy checks the first part: without the overloads, or with a wrong one, an ``assert_type`` fails or an ignored error is
missing, which ``warn_unused_ignores`` reports.
"""

from __future__ import annotations

import errno
import os
import typing
from collections.abc import Callable, Iterator
from typing import Any, Literal, Never, assert_type

import pytest

from nixio_fixtures import Option, load
from nixio_reference import Socket

Make = Callable[..., Socket]
Pair = tuple[str, str]

NO_SUCH_OPTION = os.strerror(errno.ENOPROTOOPT)
OPTIONS = load().options
VALUES: dict[str, Any] = {
    "flag": int,
    "int": int,
    "index": int,
    "linger": int,
    "timeout": tuple[int, int],
    "device": str,
    "address": str,
}
"""The type that getopt() returns for each shape of the specification."""


# -- for mypy --------------------------------------------------------------------------------------------------------


def test_types_of_what_is_returned(make: Make) -> None:
    sock, datagrams = make(), make("inet6", "dgram")
    assert_type(sock.getopt("socket", "linger"), int)
    assert_type(sock.getopt("socket", "error"), int)
    assert_type(sock.getopt("socket", "rcvtimeo"), tuple[int, int])
    assert_type(sock.getopt("socket", "bindtodevice"), str)
    assert_type(sock.getopt("tcp", "nodelay"), int)
    assert_type(sock.getopt("ip", "multicast_ttl"), int)
    assert_type(sock.getopt("ip", "multicast_if"), str)
    assert_type(datagrams.getopt("ipv6", "multicast_if"), int)
    assert_type(sock.setopt("socket", "keepalive", True), Literal[True])
    assert_type(sock.setopt("socket", "sndtimeo", (1, 0)), Literal[True])
    level: Literal["ip", "ipv6"]
    for level in ("ip", "ipv6"):
        assert_type(datagrams.getopt(level, "multicast_loop"), int)


def test_what_always_fails_has_no_type(make: Make) -> None:
    sock = make()
    with pytest.raises(OSError, match=NO_SUCH_OPTION):
        assert_type(sock.getopt("ip", "add_membership"), Never)
    with pytest.raises(OSError, match=NO_SUCH_OPTION):
        assert_type(sock.setopt("ip", "mtu", 1500), Never)
    with pytest.raises(OSError, match=NO_SUCH_OPTION):
        assert_type(sock.setopt("socket", "error", 0), Never)


def test_names_and_values_that_a_type_checker_refuses(make: Make) -> None:
    sock = make()
    with pytest.raises(ValueError, match="option"):
        sock.getopt("socket", "lingr")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="option"):
        sock.getopt("tcp", "linger")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="level"):
        sock.getopt("udp", "cork")  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        sock.setopt("socket", "linger", "5")  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        sock.setopt("socket", "linger", (1, 5))  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        sock.setopt("socket", "rcvtimeo", 0.5)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        sock.setopt("socket", "bindtodevice", 1)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        sock.setopt("ip", "add_membership", ("224.0.2.77", 1))  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        sock.setopt("ipv6", "add_membership", ("ff02::77", "lo"))  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="how"):
        sock.shutdown("both")  # type: ignore[arg-type]


# -- against the specification ---------------------------------------------------------------------------------------


def literals(annotation: Any) -> Iterator[str]:
    """Return the strings of a Literal or of a union of them."""
    for argument in typing.get_args(annotation):
        if isinstance(argument, str):
            yield argument
        else:
            yield from literals(argument)


def declared(method: Callable[..., object]) -> list[tuple[Pair, dict[str, Any]]]:
    """Return all pairs of level and option in a method's overloads, with the annotations of the overload."""
    rows = []
    for function in typing.get_overloads(method):
        hints = typing.get_type_hints(function)
        rows += [((level, name), hints) for level in literals(hints["level"]) for name in literals(hints["option"])]
    return rows


def settable(option: Option) -> Any:
    """Return the type of the values that setopt() takes."""
    if option.shape == "timeout":
        return int | tuple[int, int]
    if option.shape == "membership":
        return str | tuple[str, int] if option.level == "ipv6" else str | tuple[str, str]
    return VALUES[option.shape]


def test_each_pair_has_one_overload_with_the_type_of_its_shape() -> None:
    got = sorted((pair, hints["return"]) for pair, hints in declared(Socket.getopt))
    assert got == sorted(
        ((option.level, option.name), VALUES[option.shape] if option.get else typing.NoReturn) for option in OPTIONS
    )
    set_ = sorted((pair, hints["value"], hints["return"]) for pair, hints in declared(Socket.setopt))
    assert set_ == sorted(
        ((option.level, option.name), settable(option), Literal[True] if option.set else typing.NoReturn)
        for option in OPTIONS
    )


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.get], ids=lambda option: option.id)
def test_what_is_returned_has_the_declared_type(make: Make, option: Option) -> None:
    sock: Any = make("inet6" if option.level == "ipv6" else "inet", "stream" if option.level == "tcp" else "dgram")
    if option.connected:
        sock.connect(None, 9)
    try:
        value = sock.getopt(option.level, option.name)
    except OSError as error:
        pytest.skip(f"not on this platform: {error}")
    if option.shape == "timeout":
        assert [type(part) for part in value] == [int, int]
    assert type(value) is (typing.get_origin(VALUES[option.shape]) or VALUES[option.shape])
