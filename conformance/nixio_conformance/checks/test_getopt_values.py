"""getopt and setopt without looking from outside: results, shapes, defaults, and what was set comes back."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.socket import ImplSocket
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


def _as_read(option: Option, value: Value) -> Value:
    """A set value in the shape that is read: a timeout may be set as a number of seconds alone."""
    return (value, 0) if option.shape == "timeout" and isinstance(value, int) else value


def _permitted(kind: Kind, option: Option, *values: Value) -> None:
    if option.shape == "device":
        control(kind, option, *values)


@clause("setopt.returns.true")
@over(sets)
def test_set_returns_true(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), setting(option, option.valid[0])
    _permitted(kind, option, value)
    prepare(sock, option, value)
    expect.true(sock.setopt(option.level, option.name, value), f"setopt() of {option.id}")


@clause("getopt.value.shape")
@over(gets, plain())
def test_get_returns_the_shape(case: Case, kind: Kind, option: Option) -> None:
    got(option, case.socket().getopt(option.level, option.name))


@clause("getopt.value.default")
@over(gets, plain())
def test_get_of_a_fresh_socket(case: Case, kind: Kind, option: Option) -> None:
    expected = control(kind, option) if option.default is None else option.default
    found = got(option, case.socket().getopt(option.level, option.name))
    expect.holds(found == expected, f"{option.id} of a fresh socket", expected, found)


@clause("getopt.readback.exact")
@over_values(some, EXACT)
def test_get_gives_what_was_set(case: Case, kind: Kind, option: Option, value: Value) -> None:
    sock, value = case.socket(), setting(option, value)
    _permitted(kind, option, value)
    expect.true(sock.setopt(option.level, option.name, value))
    found = got(option, sock.getopt(option.level, option.name))
    expect.holds(found == _as_read(option, value), option.id, value, found)


@clause("getopt.readback.latest")
@over(both, EXACT)
def test_get_gives_what_was_set_last(case: Case, kind: Kind, option: Option) -> None:
    sock, values = case.socket(), [setting(option, value) for value in option.valid[:2]]
    _permitted(kind, option, *values)
    expect.true(sock.setopt(option.level, option.name, values[0]))
    got(option, sock.getopt(option.level, option.name))
    expect.true(sock.setopt(option.level, option.name, values[1]))
    found = got(option, sock.getopt(option.level, option.name))
    expect.holds(found == _as_read(option, values[1]), option.id, values[1], found)


@clause("getopt.readback.buffer-size")
@over_values(both, chosen(*BUFFERS))
def test_get_of_a_buffer_size(case: Case, kind: Kind, option: Option, value: int) -> None:
    """Linux sets twice the number, for its own book-keeping."""
    sock = case.socket()
    expect.true(sock.setopt(option.level, option.name, value))
    expect.one_of(got(option, sock.getopt(option.level, option.name)), (value, 2 * value), option.id)


@clause("getopt.readback.microseconds")
@over_values(some, chosen(*TIMEOUTS), lambda option: ((0, 1), (0, 123457), (1, 999999)))
def test_get_of_microseconds(case: Case, kind: Kind, option: Option, value: tuple[int, int]) -> None:
    """The system counts in ticks: of 10 ms at most."""
    sock = case.socket()
    expect.true(sock.setopt(option.level, option.name, value))
    found = got(option, sock.getopt(option.level, option.name))
    assert isinstance(found, tuple)
    late = (int(found[0] or 0) - value[0]) * 1_000_000 + int(found[1] or 0) - value[1]
    expect.holds(0 <= late < 20_000, option.id, f"{value} or at most 20 ms more", found)


@clause("getopt.effect.none")
@over(some, plain())
def test_get_changes_nothing(case: Case, kind: Kind, option: Option) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.returned(sock.getopt(option.level, option.name))


@clause("setopt.roundtrip.accepted")
@over(both, SETTABLE_PLAIN)
def test_what_get_gives_can_be_set(case: Case, kind: Kind, option: Option) -> None:
    sock = case.socket()
    value = _read(sock, option)
    expect.true(sock.setopt(option.level, option.name, value), f"setopt() of what getopt() gave for {option.id}")


@clause("setopt.roundtrip.unchanged")
@over(some, tuple(option for option in SETTABLE_PLAIN if option.id not in BUFFERS))
def test_what_get_gave_changes_nothing(case: Case, kind: Kind, option: Option) -> None:
    sock = case.socket()
    value = setting(option, option.valid[0])
    _permitted(kind, option, value, value)
    expect.true(sock.setopt(option.level, option.name, value))
    with untouched(case, sock):
        expect.true(sock.setopt(option.level, option.name, _read(sock, option)))


def _read(sock: ImplSocket, option: Option) -> Value:
    values = expect.returned(sock.getopt(option.level, option.name))
    return values if len(values) > 1 else values[0]  # type: ignore[return-value]


def over_pairs(rows: tuple[Option, ...]) -> pytest.MarkDecorator:
    """Kinds that can be connected and where the pair can be read, in each of the port's roles."""
    cases = [
        pytest.param(*case.values, role, id=f"{case.id}-{role}", marks=case.marks)
        for case in over(gets, rows).args[1]
        if case.values[0].type != "raw"
        for role in (("client", "server") if case.values[0].type == "stream" else ("mutual",))
    ]
    return pytest.mark.parametrize(("kind", "option", "role"), cases)


@clause("getopt.mtu.connected")
@over_pairs(MTU)
def test_get_mtu(case: Case, kind: Kind, option: Option, role: str) -> None:
    sock = case.pair(role).impl
    found = got(option, sock.getopt(option.level, option.name))
    with case.view(sock) as view:
        expect.same(found, options.read(view, option), option.id)


@clause("getopt.mtu.unconnected")
@over(gets, MTU)
def test_get_mtu_unconnected(case: Case, kind: Kind, option: Option) -> None:
    expect.fails(case.socket().getopt(option.level, option.name), "ENOTCONN")


@clause("getopt.mtu.not-what-was-set")
@over_pairs(chosen("ipv6.mtu"))
def test_get_mtu_after_set(case: Case, kind: Kind, option: Option, role: str) -> None:
    """Reading tells of the path, setting bounds the fragments: these are two things in the system."""
    sock = case.pair(role).impl
    expect.true(sock.setopt(option.level, option.name, 1280))
    found = got(option, sock.getopt(option.level, option.name))
    with case.view(sock) as view:
        expect.same(found, options.read(view, option), option.id)


@clause("getopt.connection.value")
@over_pairs(plain())
def test_get_on_a_connection(case: Case, kind: Kind, option: Option, role: str) -> None:
    sock = case.pair(role).impl
    found = got(option, sock.getopt(option.level, option.name))
    with case.view(sock) as view:
        expect.same(found, options.read(view, option), f"{option.id} of a connected socket")


@clause("getopt.set-only.refused")
@over(lambda option: ("all",), tuple(option for option in OPTIONS if not option.get))
def test_get_of_what_can_only_be_set(case: Case, kind: Kind, option: Option) -> None:
    expect.fails(case.socket().getopt(option.level, option.name), *option.refused)


@clause("getopt.set-only.not-remembered")
@over(sets, tuple(option for option in OPTIONS if not option.get))
def test_get_after_set_of_what_can_only_be_set(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), setting(option, option.valid[0])
    prepare(sock, option, value)
    expect.true(sock.setopt(option.level, option.name, value))
    expect.fails(sock.getopt(option.level, option.name), *option.refused)


@clause("getopt.arguments.independent")
@pytest.mark.parametrize("rows", [TIMEOUTS, BUFFERS], ids=spelled)
def test_get_of_twins(case: Case, kind: Kind, rows: tuple[str, str]) -> None:
    one, other = chosen(*rows)
    sock = case.socket()
    expect.true(sock.setopt(one.level, one.name, one.valid[0]))
    expect.true(sock.setopt(other.level, other.name, one.valid[1]))
    first, second = (got(option, sock.getopt(option.level, option.name)) for option in (one, other))
    expect.holds(first != second, f"{one.id} and {other.id}", "different values, as set", (first, second))


@clause("getopt.sockets.independent")
@pytest.mark.parametrize(
    ("name", "value"), [("keepalive", 1), ("linger", 5), ("rcvtimeo", (2, 0))], ids=["flag", "linger", "timeout"]
)
def test_get_is_of_this_socket(case: Case, name: str, value: Value) -> None:
    before, one, after = case.socket(), case.socket(), case.socket()
    fresh = got(load().option(f"socket.{name}"), before.getopt("socket", name))
    expect.true(one.setopt("socket", name, value))
    found = got(load().option(f"socket.{name}"), after.getopt("socket", name))
    expect.holds(found == fresh, f"socket.{name} of another socket", fresh, found)
