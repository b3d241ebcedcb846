"""The results of getopt and setopt: True, shapes, defaults, and values that are returned as they were set."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, options
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.option_cases import (
    BUFFERS,
    OPTIONS,
    TIMEOUTS,
    both,
    chosen,
    control,
    gets,
    got,
    over,
    over_roles,
    over_values,
    plain,
    prepare,
    sets,
    setting,
    some,
    spelled,
    stored,
    untouched,
)
from nixio_fixtures import Kind, Option, Value, load

EXACT = tuple(option for option in stored() if option.id not in BUFFERS)
SETTABLE_PLAIN = tuple(option for option in plain() if option.set)
MTU = chosen("ip.mtu", "ipv6.mtu")


def as_read(option: Option, value: Value) -> Value:
    """A set value in the shape that getopt() returns: a timeout may be set as a number of seconds alone."""
    return (value, 0) if option.shape == "timeout" and isinstance(value, int) else value


def skip_unless_permitted(kind: Kind, option: Option, *values: Value) -> None:
    """Skip the case if this user may not set a device."""
    if option.shape == "device":
        control(kind, option, *values)


def read_value(sock: ImplSocket, option: Option) -> Argument:
    """What getopt() returned, in any shape that setopt() can be given."""
    what = f"getopt() of {option.id}"
    outcome = sock.getopt(option.level, option.name)
    if len(values := expect.returned(outcome, what)) == 1:
        return expect.passable(values[0], what)
    texts_and_numbers = [value for value in values if isinstance(value, (bool, int, float, str, type(None)))]
    expect.holds(len(values) == len(texts_and_numbers) > 0, what, "values that setopt() takes", outcome)
    return tuple(texts_and_numbers)


@clause("setopt.returns.true")
@over(sets)
def test_setopt_returns_true(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), setting(option, option.valid[0])
    skip_unless_permitted(kind, option, value)
    prepare(sock, option, value)
    expect.true(sock.setopt(option.level, option.name, value), f"setopt() of {option.id}")


@clause("getopt.value.shape")
@over(gets, plain())
def test_getopt_returns_the_options_shape(case: Case, kind: Kind, option: Option) -> None:
    got(option, case.socket().getopt(option.level, option.name))


@clause("getopt.value.default")
@over(gets, plain())
def test_getopt_of_a_new_socket_returns_the_default(case: Case, kind: Kind, option: Option) -> None:
    expected = control(kind, option) if option.default is None else option.default
    found = got(option, case.socket().getopt(option.level, option.name))
    expect.holds(found == expected, f"{option.id} of a new socket", expected, found)


@clause("getopt.readback.exact")
@over_values(some, EXACT)
def test_getopt_returns_the_set_value(case: Case, kind: Kind, option: Option, value: Value) -> None:
    sock, value = case.socket(), setting(option, value)
    skip_unless_permitted(kind, option, value)
    expect.true(sock.setopt(option.level, option.name, value))
    found = got(option, sock.getopt(option.level, option.name))
    expect.holds(found == as_read(option, value), option.id, value, found)


@clause("getopt.readback.latest")
@over(both, EXACT)
def test_getopt_returns_the_last_value(case: Case, kind: Kind, option: Option) -> None:
    sock, values = case.socket(), [setting(option, value) for value in option.valid[:2]]
    skip_unless_permitted(kind, option, *values)
    expect.true(sock.setopt(option.level, option.name, values[0]))
    got(option, sock.getopt(option.level, option.name))
    expect.true(sock.setopt(option.level, option.name, values[1]))
    found = got(option, sock.getopt(option.level, option.name))
    expect.holds(found == as_read(option, values[1]), option.id, values[1], found)


@clause("getopt.readback.buffer-size")
@over_values(both, chosen(*BUFFERS))
def test_getopt_returns_the_buffer_size(case: Case, kind: Kind, option: Option, value: int) -> None:
    """Linux doubles it to have room for its own data; a host may have a lower maximum, which is then returned."""
    sock = case.socket()
    expect.true(sock.setopt(option.level, option.name, value))
    allowed = (value, 2 * value, control(kind, option, value))
    expect.one_of(got(option, sock.getopt(option.level, option.name)), allowed, option.id)


@clause("getopt.readback.microseconds")
@over_values(some, chosen(*TIMEOUTS), lambda option: ((0, 1), (0, 123457), (1, 999999)))
def test_getopt_returns_microseconds(case: Case, kind: Kind, option: Option, value: tuple[int, int]) -> None:
    """The system rounds up to its ticks, which are at most 10 ms."""
    sock = case.socket()
    expect.true(sock.setopt(option.level, option.name, value))
    found = got(option, sock.getopt(option.level, option.name))
    assert isinstance(found, tuple)
    late = (int(found[0] or 0) - value[0]) * 1_000_000 + int(found[1] or 0) - value[1]
    expect.holds(0 <= late < 20_000, option.id, f"{value} or at most 20 ms more", found)


@clause("getopt.effect.none")
@over(some, plain())
def test_getopt_changes_nothing(case: Case, kind: Kind, option: Option) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.returned(sock.getopt(option.level, option.name))


@clause("setopt.roundtrip.accepted")
@over(both, SETTABLE_PLAIN)
def test_the_value_of_getopt_can_be_set(case: Case, kind: Kind, option: Option) -> None:
    sock = case.socket()
    value = read_value(sock, option)
    expect.true(sock.setopt(option.level, option.name, value), f"setopt() of the value of getopt() for {option.id}")


@clause("setopt.roundtrip.unchanged")
@over(some, tuple(option for option in SETTABLE_PLAIN if option.id not in BUFFERS))
def test_setting_the_value_of_getopt_changes_nothing(case: Case, kind: Kind, option: Option) -> None:
    sock = case.socket()
    value = setting(option, option.valid[0])
    skip_unless_permitted(kind, option, value, value)
    expect.true(sock.setopt(option.level, option.name, value))
    with untouched(case, sock):
        expect.true(sock.setopt(option.level, option.name, read_value(sock, option)))


@clause("getopt.mtu.connected")
@over_roles(gets, MTU)
def test_the_mtu_of_a_connection_is_the_systems(case: Case, kind: Kind, option: Option, role: str) -> None:
    sock = case.pair(role).impl
    found = got(option, sock.getopt(option.level, option.name))
    with case.view(sock) as view:
        expect.same(found, options.read(view, option), option.id)


@clause("getopt.mtu.unconnected")
@over(gets, MTU)
def test_the_mtu_of_an_unconnected_socket_fails(case: Case, kind: Kind, option: Option) -> None:
    expect.fails(case.socket().getopt(option.level, option.name), "ENOTCONN")


@clause("getopt.mtu.not-what-was-set")
@over_roles(gets, chosen("ipv6.mtu"))
def test_the_mtu_that_is_read_is_not_the_one_that_was_set(case: Case, kind: Kind, option: Option, role: str) -> None:
    """Reading returns the path's MTU; setting limits the size of fragments."""
    sock = case.pair(role).impl
    expect.true(sock.setopt(option.level, option.name, 1280))
    found = got(option, sock.getopt(option.level, option.name))
    with case.view(sock) as view:
        expect.same(found, options.read(view, option), option.id)


@clause("getopt.connection.value")
@over_roles(gets, plain())
def test_getopt_on_a_connection_returns_the_systems_value(case: Case, kind: Kind, option: Option, role: str) -> None:
    sock = case.pair(role).impl
    found = got(option, sock.getopt(option.level, option.name))
    with case.view(sock) as view:
        expect.same(found, options.read(view, option), f"{option.id} of a connected socket")


@clause("getopt.set-only.refused")
@over(lambda option: ("all",), tuple(option for option in OPTIONS if not option.get))
def test_a_set_only_pair_cannot_be_read(case: Case, kind: Kind, option: Option) -> None:
    expect.fails(case.socket().getopt(option.level, option.name), *option.refused)


@clause("getopt.set-only.not-remembered")
@over(sets, tuple(option for option in OPTIONS if not option.get))
def test_a_set_only_pair_cannot_be_read_after_it_was_set(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), setting(option, option.valid[0])
    prepare(sock, option, value)
    expect.true(sock.setopt(option.level, option.name, value))
    expect.fails(sock.getopt(option.level, option.name), *option.refused)


@clause("getopt.arguments.independent")
@pytest.mark.parametrize("rows", [TIMEOUTS, BUFFERS], ids=spelled)
def test_similar_options_have_their_own_values(case: Case, rows: tuple[str, str]) -> None:
    one, other = chosen(*rows)
    if control(case.kind, one, one.valid[0]) == control(case.kind, other, one.valid[1]):
        pytest.skip(f"the maximum of {one.id} and {other.id} is too low on this host to set different values")
    sock = case.socket()
    expect.true(sock.setopt(one.level, one.name, one.valid[0]))
    expect.true(sock.setopt(other.level, other.name, one.valid[1]))
    first, second = (got(option, sock.getopt(option.level, option.name)) for option in (one, other))
    expect.holds(first != second, f"{one.id} and {other.id}", "different values, as set", (first, second))


@clause("getopt.sockets.independent")
@pytest.mark.parametrize(
    ("name", "value"), [("keepalive", 1), ("linger", 5), ("rcvtimeo", (2, 0))], ids=["flag", "linger", "timeout"]
)
def test_sockets_have_their_own_values(case: Case, name: str, value: Value) -> None:
    before, one, after = case.socket(), case.socket(), case.socket()
    fresh = got(load().option(f"socket.{name}"), before.getopt("socket", name))
    expect.true(one.setopt("socket", name, value))
    found = got(load().option(f"socket.{name}"), after.getopt("socket", name))
    expect.holds(found == fresh, f"socket.{name} of another socket", fresh, found)
