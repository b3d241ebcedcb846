"""getopt and setopt: pairs, values and types that are refused; a refused setopt changes no option."""

from __future__ import annotations

from nixio_conformance.driver.outcome import Failure
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
    over_named,
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

#: Failures for text that is not an address or an interface, which may be passed on to the system or the resolver.
WRONG_ADDRESS = ("argument", "resolver", "EINVAL", "ENODEV", "ENXIO", "EADDRNOTAVAIL")
RAW_BYTES: dict[str, Argument] = {"raw-bytes": b"\1\0\0\0"}
NO_NUMBER: dict[str, Argument] = {"none": None, "text": "x", "pair": (1, 2), "empty-tuple": ()} | RAW_BYTES
#: By an option's shape, values of wrong types with their names in case ids.
WRONG: dict[str, dict[str, Argument]] = {
    "flag": NO_NUMBER,
    "int": NO_NUMBER,
    "index": NO_NUMBER,
    "linger": NO_NUMBER,
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
    "address": {"none": None, "zero": 0, "number": 1, "text": "x", "empty": "", "tuple": ("127.0.0.1",)} | RAW_BYTES,
    "membership": {
        "none": None,
        "zero": 0,
        "text": "x",
        "empty": "",
        "empty-tuple": (),
        "text-interface": ("@group", "x"),
        "no-group": (None, "@loopback"),
    }
    | RAW_BYTES,
}
FAILURES_BY_SHAPE = dict.fromkeys(("index", "device", "address", "membership"), WRONG_ADDRESS)

each_wrong_type = over_named(one, tuple(option for option in OPTIONS if option.set), lambda option: WRONG[option.shape])


def huge(option: Option) -> dict[str, Argument]:
    """Numbers that a C int cannot hold; the last two would be a valid value if they were truncated to 32 bits."""
    valid = setting(option, option.valid[0])
    assert isinstance(valid, int)
    wrapping = {"wrapping": 2**32 + valid, "negative-wrapping": valid - 2**32}
    return {"2^31": 2**31, "2^32": 2**32, "2^53": 2**53, **wrapping}


@clause("getopt.wrong-kind.refused")
@over(nowhere_get, tuple(option for option in OPTIONS if option.get))
def test_getopt_fails_on_kinds_without_the_pair(case: Case, kind: Kind, option: Option) -> None:
    refused(option, case.socket().getopt(option.level, option.name))


@clause("setopt.wrong-kind.refused")
@over(nowhere_set, tuple(option for option in OPTIONS if option.set))
def test_setopt_fails_on_kinds_without_the_pair(case: Case, kind: Kind, option: Option) -> None:
    sock = case.socket()
    with untouched(case, sock):
        refused(option, sock.setopt(option.level, option.name, setting(option, option.valid[0])))


@clause("setopt.read-only.refused")
@over_values(nowhere_set, tuple(option for option in OPTIONS if not option.set), lambda option: (0, 1, 1400))
def test_a_read_only_pair_cannot_be_set(case: Case, kind: Kind, option: Option, value: int) -> None:
    sock = case.socket()
    with untouched(case, sock):
        refused(option, sock.setopt(option.level, option.name, value))


def with_valid_value(case: Case, option: Option) -> ImplSocket:
    """A socket whose option has a valid value, which it must keep after a refusal; memberships are not set."""
    sock = case.socket()
    if option.shape not in ("membership", "device"):
        expect.true(sock.setopt(option.level, option.name, setting(option, option.valid[0])))
    return sock


@clause("setopt.invalid.refused")
@over_invalid(unprivileged=False)
def test_an_invalid_value_is_refused(case: Case, kind: Kind, option: Option, invalid: Invalid) -> None:
    refuses_value(case, option, invalid)


@clause("setopt.privileged.refused")
@over_invalid(unprivileged=True)
def test_a_privileged_value_is_refused(case: Case, kind: Kind, option: Option, invalid: Invalid) -> None:
    refuses_value(case, option, invalid)


def refuses_value(case: Case, option: Option, invalid: Invalid) -> None:
    sock = with_valid_value(case, option)
    with untouched(case, sock):
        expect.fails(sock.setopt(option.level, option.name, setting(option, invalid.value)), *invalid.failures)


@clause("setopt.value.wrong-type")
@each_wrong_type
def test_a_value_of_a_wrong_type_is_refused(case: Case, kind: Kind, option: Option, value: Value) -> None:
    sock = with_valid_value(case, option)
    with untouched(case, sock):
        outcome = sock.setopt(option.level, option.name, setting(option, value))
        expect.fails(outcome, *FAILURES_BY_SHAPE.get(option.shape, ("argument",)))


@clause("setopt.huge.refused")
@over_named(one, NUMBERS, huge)
def test_a_large_number_is_refused(case: Case, kind: Kind, option: Option, value: int) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.fails(sock.setopt(option.level, option.name, value))


@clause("setopt.huge.flag")
@over_values(one, FLAGS, lambda option: (2**31, 2**32, 2**53, -(2**32)))
def test_a_large_number_sets_a_flag_or_is_refused(case: Case, kind: Kind, option: Option, value: int) -> None:
    is_on_or_refused(case, option, value)


@clause("setopt.flag.nonzero")
@over_values(some, FLAGS, lambda option: (2, 256, 65536, -1))
def test_another_number_sets_a_flag_or_is_refused(case: Case, kind: Kind, option: Option, value: int) -> None:
    is_on_or_refused(case, option, value)


def is_on_or_refused(case: Case, option: Option, value: int) -> None:
    """Check that a flag that is set to neither 0 nor 1 is on, as in C, or that the value is refused."""
    sock = case.socket()
    outcome = sock.setopt(option.level, option.name, value)
    if isinstance(outcome, Failure):
        expect.fails(outcome, "argument", "EINVAL", "ERANGE", "EDOM")
        return
    expect.true(outcome)
    with case.view(sock) as view:
        expect.same(options.read(view, option), 1, f"the system's {option.id} after setopt() succeeded")


def sets_or_fails(case: Case, option: Option, value: int, expected: Value, *failures: str) -> None:
    """Check that setopt() sets the expected value, or fails with one of `failures` and changes nothing."""
    sock = case.socket()
    with case.view(sock) as view:
        before = options.read(view, option)
        outcome = sock.setopt(option.level, option.name, value)
        after = options.read(view, option)
    if isinstance(outcome, Failure):
        expect.fails(outcome, *failures)
        expect.same(after, before, f"the system's {option.id} after the failure")
        return
    expect.true(outcome)
    expect.same(after, expected, f"the system's {option.id}")


@clause("setopt.huge.buffer-size")
@over_named(one, chosen(*BUFFERS), huge)
def test_a_large_buffer_size_is_the_maximum_or_fails(case: Case, kind: Kind, option: Option, value: int) -> None:
    sets_or_fails(case, option, value, control(kind, option, 2**31 - 1))


@clause("setopt.huge.seconds")
@over_values(one, chosen(*TIMEOUTS), lambda option: (2**31, (2**31, 0), (2**32, 0), (2**32 + 2, 0), 2**32 + 2))
def test_many_seconds_are_set_or_refused(case: Case, kind: Kind, option: Option, value: Value) -> None:
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
def test_many_microseconds_are_refused(case: Case, kind: Kind, option: Option, value: Value) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.fails(sock.setopt(option.level, option.name, value))


@clause("setopt.hops.minus-one")
@over(sets, chosen("ip.multicast_ttl", "ipv6.multicast_hops"))
def test_hops_of_minus_one_are_the_default_or_refused(case: Case, kind: Kind, option: Option) -> None:
    """On Linux -1 means the default, 1; it may be refused."""
    sock = case.socket()
    expect.true(sock.setopt(option.level, option.name, 5))
    outcome = sock.setopt(option.level, option.name, -1)
    if isinstance(outcome, Failure):
        expect.fails(outcome, "argument", "EINVAL")
    with case.view(sock) as view:
        expect.same(options.read(view, option), 5 if isinstance(outcome, Failure) else 1, f"the system's {option.id}")


@clause("setopt.buffer-size.negative")
@over(some, chosen(*BUFFERS))
def test_a_negative_buffer_size_is_the_maximum_or_refused(case: Case, kind: Kind, option: Option) -> None:
    """Linux sets the maximum."""
    sets_or_fails(case, option, -1, control(kind, option, 2**31 - 1), "argument", "EINVAL", "ENOBUFS")


@clause("setopt.buffer-size.zero")
@over(some, chosen(*BUFFERS))
def test_buffer_size_0_is_the_minimum_or_refused(case: Case, kind: Kind, option: Option) -> None:
    """Linux sets the minimum, BSD systems refuse it."""
    sets_or_fails(case, option, 0, control(kind, option, 0), "argument", "EINVAL", "ENOBUFS")


@clause("setopt.ipv6-v6only.bound")
def test_v6only_of_a_bound_socket_cannot_be_set(case: Case) -> None:
    sock, _ = case.bound()
    with untouched(case, sock):
        expect.fails(sock.setopt("ipv6", "v6only", 1), "EINVAL", "argument")
