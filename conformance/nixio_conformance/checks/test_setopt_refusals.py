"""getopt and setopt: what must be refused, and then nothing may have changed."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, options
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.option_cases import (
    BUFFERS,
    OPTIONS,
    TIMEOUTS,
    chosen,
    control,
    nowhere_get,
    nowhere_set,
    one,
    over,
    over_invalid,
    over_values,
    refused,
    sets,
    setting,
    some,
    untouched,
)
from nixio_fixtures import Invalid, Kind, Option, Value

FLAGS = tuple(option for option in OPTIONS if option.shape == "flag" and option.set)
NUMBERS = tuple(
    option
    for option in OPTIONS
    if option.set and option.shape in ("int", "index", "linger") and option.id not in BUFFERS
)

#: A text that is no address and no interface may reach the system or the resolver; anything else is refused before.
_UNRESOLVED = ("argument", "resolver", "EINVAL", "ENODEV", "ENXIO", "EADDRNOTAVAIL")
_RAW: dict[str, Argument] = {"raw-bytes": b"\1\0\0\0"}
_NUMBER: dict[str, Argument] = {"none": None, "text": "x", "pair": (1, 2), "empty-tuple": ()} | _RAW
WRONG: dict[str, dict[str, Argument]] = {
    "flag": _NUMBER,
    "int": _NUMBER,
    "index": _NUMBER,
    "linger": _NUMBER,
    "timeout": {
        "none": None,
        "text": "x",
        "empty-tuple": (),
        "no-seconds": (None, 0),
        "text-seconds": ("x", 0),
        "text-microseconds": (0, "x"),
        "raw-bytes": bytes(16),
    },
    "device": {"none": None, "zero": 0, "number": 1, "tuple": ("lo",)},
    "address": {"none": None, "zero": 0, "number": 1, "text": "x", "empty": "", "tuple": ("127.0.0.1",)} | _RAW,
    "membership": {
        "none": None,
        "zero": 0,
        "text": "x",
        "empty": "",
        "empty-tuple": (),
        "text-interface": ("@group", "x"),
        "no-group": (None, "@loopback"),
    }
    | _RAW,
}
FAILURES = dict.fromkeys(("index", "device", "address", "membership"), _UNRESOLVED)

WRONG_TYPES = pytest.mark.parametrize(
    ("kind", "option", "value"),
    [
        pytest.param(*case.values, value, id=f"{case.id}-{name}", marks=case.marks)
        for case in over(one, tuple(option for option in OPTIONS if option.set)).args[1]
        for name, value in WRONG[case.values[1].shape].items()
    ],
)


def _huge(option: Option) -> list[Value]:
    """Values that a C int cannot hold; two of them would be a valid value if they were cut down to 32 bits."""
    fits = setting(option, option.valid[0])
    assert isinstance(fits, int)
    return [2**31, 2**32, 2**53, 2**32 + fits, fits - 2**32]


def over_huge(rows: tuple[Option, ...]) -> pytest.MarkDecorator:
    """Pairs and numbers that do not fit (parameters `kind`, `option`, `value`)."""
    names = ("2^31", "2^32", "2^53", "wrapping", "negative-wrapping")
    cases = [
        pytest.param(*case.values, value, id=f"{case.id}-{name}", marks=case.marks)
        for case in over(one, rows).args[1]
        for name, value in zip(names, _huge(case.values[1]), strict=True)
    ]
    return pytest.mark.parametrize(("kind", "option", "value"), cases)


@clause("getopt.wrong-kind.refused")
@over(nowhere_get, tuple(option for option in OPTIONS if option.get))
def test_get_where_the_pair_is_not(case: Case, kind: Kind, option: Option) -> None:
    refused(option, case.socket().getopt(option.level, option.name))


@clause("setopt.wrong-kind.refused")
@over(nowhere_set, tuple(option for option in OPTIONS if option.set))
def test_set_where_the_pair_is_not(case: Case, kind: Kind, option: Option) -> None:
    sock = case.socket()
    with untouched(case, sock):
        refused(option, sock.setopt(option.level, option.name, setting(option, option.valid[0])))


@clause("setopt.read-only.refused")
@over_values(nowhere_set, tuple(option for option in OPTIONS if not option.set), lambda option: (0, 1, 1400))
def test_set_of_what_can_only_be_read(case: Case, kind: Kind, option: Option, value: int) -> None:
    sock = case.socket()
    with untouched(case, sock):
        refused(option, sock.setopt(option.level, option.name, value))


@clause("setopt.invalid.refused")
@over_invalid(unprivileged=False)
def test_set_invalid_value(case: Case, kind: Kind, option: Option, invalid: Invalid) -> None:
    _refuses(case, option, invalid)


@clause("setopt.privileged.refused")
@over_invalid(unprivileged=True)
def test_set_privileged_value(case: Case, kind: Kind, option: Option, invalid: Invalid) -> None:
    _refuses(case, option, invalid)


def _refuses(case: Case, option: Option, invalid: Invalid) -> None:
    """A valid value is there before, and must be there afterwards."""
    sock = case.socket()
    if option.shape not in ("membership", "device"):
        expect.true(sock.setopt(option.level, option.name, setting(option, option.valid[0])))
    with untouched(case, sock):
        expect.fails(sock.setopt(option.level, option.name, setting(option, invalid.value)), *invalid.failures)


@clause("setopt.value.wrong-type")
@WRONG_TYPES
def test_set_value_of_a_wrong_type(case: Case, kind: Kind, option: Option, value: Value) -> None:
    sock = case.socket()
    if option.shape not in ("membership", "device"):
        expect.true(sock.setopt(option.level, option.name, setting(option, option.valid[0])))
    with untouched(case, sock):
        outcome = sock.setopt(option.level, option.name, setting(option, value))
        expect.fails(outcome, *FAILURES.get(option.shape, ("argument",)))


@clause("setopt.huge.refused")
@over_huge(NUMBERS)
def test_set_number_that_does_not_fit(case: Case, kind: Kind, option: Option, value: int) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.fails(sock.setopt(option.level, option.name, value))


@clause("setopt.huge.flag")
@over_values(one, FLAGS, lambda option: (2**31, 2**32, 2**53, -(2**32)))
def test_set_flag_to_a_number_that_does_not_fit(case: Case, kind: Kind, option: Option, value: int) -> None:
    sock = case.socket()
    _on_or_refused(case, sock, option, sock.setopt(option.level, option.name, value))


@clause("setopt.flag.nonzero")
@over_values(some, FLAGS, lambda option: (2, 256, 65536, -1))
def test_set_flag_to_another_number(case: Case, kind: Kind, option: Option, value: int) -> None:
    sock = case.socket()
    _on_or_refused(case, sock, option, sock.setopt(option.level, option.name, value))


def _on_or_refused(case: Case, sock: ImplSocket, option: Option, outcome: Outcome) -> None:
    """Two sane readings of a flag that is neither 0 nor 1: it is on, as in C, or it is no value for a flag."""
    if isinstance(outcome, Failure):
        expect.fails(outcome, "argument", "EINVAL", "ERANGE", "EDOM")
        return
    expect.true(outcome)
    with case.view(sock) as view:
        expect.same(options.read(view, option), 1, f"the system's {option.id} after setopt() succeeded")


@clause("setopt.huge.buffer-size")
@over_huge(chosen(*BUFFERS))
def test_set_buffer_size_that_does_not_fit(case: Case, kind: Kind, option: Option, value: int) -> None:
    sock = case.socket()
    with case.view(sock) as view:
        before = options.read(view, option)
        outcome = sock.setopt(option.level, option.name, value)
        after = options.read(view, option)
    if isinstance(outcome, Failure):
        expect.fails(outcome)
        expect.same(after, before, f"the system's {option.id} after the failure")
    else:
        expect.same(after, control(kind, option, 2**31 - 1), f"the system's {option.id}: the most there can be")


@clause("setopt.huge.seconds")
@over_values(one, chosen(*TIMEOUTS), lambda option: (2**31, (2**31, 0), (2**32, 0), (2**32 + 2, 0), 2**32 + 2))
def test_set_timeout_of_many_seconds(case: Case, kind: Kind, option: Option, value: Value) -> None:
    sock = case.socket()
    outcome = sock.setopt(option.level, option.name, value)
    if isinstance(outcome, Failure):
        expect.fails(outcome, "argument", "EDOM", "EINVAL", "ERANGE", "EOVERFLOW")
        return
    with case.view(sock) as view:
        expected = value if isinstance(value, tuple) else (value, 0)
        expect.same(options.read(view, option), expected, f"the system's {option.id}")


@clause("setopt.huge.microseconds")
@over_values(one, chosen(*TIMEOUTS), lambda option: ((0, 2**31), (0, 2**32), (0, 2**32 + 5), (0, 2**53)))
def test_set_timeout_of_many_microseconds(case: Case, kind: Kind, option: Option, value: Value) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.fails(sock.setopt(option.level, option.name, value))


@clause("setopt.hops.minus-one")
@over(sets, chosen("ip.multicast_ttl", "ipv6.multicast_hops"))
def test_set_hops_to_minus_one(case: Case, kind: Kind, option: Option) -> None:
    """Linux takes it for the default; an address family that has no such number may refuse it."""
    sock = case.socket()
    expect.true(sock.setopt(option.level, option.name, 5))
    outcome = sock.setopt(option.level, option.name, -1)
    if isinstance(outcome, Failure):
        expect.fails(outcome, "argument", "EINVAL")
    with case.view(sock) as view:
        expect.same(options.read(view, option), 5 if isinstance(outcome, Failure) else 1, f"the system's {option.id}")


@clause("setopt.buffer-size.negative")
@over(some, chosen(*BUFFERS))
def test_set_buffer_size_negative(case: Case, kind: Kind, option: Option) -> None:
    """Linux sets the most there can be."""
    _as_the_system_or_refused(case, option, -1, control(kind, option, 2**31 - 1))


@clause("setopt.buffer-size.zero")
@over(some, chosen(*BUFFERS))
def test_set_buffer_size_zero(case: Case, kind: Kind, option: Option) -> None:
    """Linux sets the least there can be, BSD systems refuse it."""
    _as_the_system_or_refused(case, option, 0, control(kind, option, 0))


def _as_the_system_or_refused(case: Case, option: Option, value: int, expected: Value) -> None:
    sock = case.socket()
    with case.view(sock) as view:
        before = options.read(view, option)
        outcome = sock.setopt(option.level, option.name, value)
        after = options.read(view, option)
    if isinstance(outcome, Failure):
        expect.fails(outcome, "argument", "EINVAL", "ENOBUFS")
        expect.same(after, before, f"the system's {option.id} after the failure")
        return
    expect.true(outcome)
    expect.same(after, expected, f"the system's {option.id}")


@clause("setopt.ipv6-v6only.bound")
def test_set_v6only_when_bound(case: Case, kind: Kind) -> None:
    sock, _ = case.bound()
    with untouched(case, sock):
        expect.fails(sock.setopt("ipv6", "v6only", 1), "EINVAL", "argument")
