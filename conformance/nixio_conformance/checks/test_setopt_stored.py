"""getopt and setopt compared with the kernel's values: setopt sets them, getopt returns them."""

from __future__ import annotations

import contextlib

import pytest

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect, options
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.option_cases import (
    both,
    control,
    got,
    over,
    over_roles,
    over_values,
    sets,
    setting,
    some,
    stored,
    untouched,
)
from nixio_fixtures import Kind, Option, Value, load

STORED = stored()
#: Options that TCP changes when a connection is made, or that can be read only then.
CHANGED_BY_SYSTEM = ("socket.sndbuf", "socket.rcvbuf", "ip.mtu", "ipv6.mtu")


def other_value(option: Option, value: Value) -> Value:
    """A valid value that differs from this one."""
    return setting(option, option.valid[option.valid.index(value) - 1])


@clause("setopt.stored.value")
@over_values(sets, STORED)
def test_the_system_has_the_set_value(case: Case, kind: Kind, option: Option, value: Value) -> None:
    sock, before, value = case.socket(), other_value(option, value), setting(option, value)
    expected = control(kind, option, before, value)
    with case.view(sock) as view:
        options.write(view, option, before)
        expect.true(sock.setopt(option.level, option.name, value))
        expect.same(options.read(view, option), expected, f"the system's {option.id}")


@clause("setopt.stored.latest")
@over(sets, STORED)
def test_the_system_has_the_last_value(case: Case, kind: Kind, option: Option) -> None:
    sock, one, two = case.socket(), *(setting(option, value) for value in option.valid[:2])
    second, third = control(kind, option, one, two), control(kind, option, one, two, one)
    expect.true(sock.setopt(option.level, option.name, one))
    expect.true(sock.setopt(option.level, option.name, two))
    with case.view(sock) as view:
        expect.same(options.read(view, option), second, f"the system's {option.id}, set a second time")
        expect.true(sock.setopt(option.level, option.name, one))
        expect.same(options.read(view, option), third, f"the system's {option.id}, set a third time")


@clause("setopt.stored.alone")
@over(sets, tuple(option for option in load().options if option.set and option.name != "drop_membership"))
@pytest.mark.parametrize("others", ["new", "set"])
def test_no_other_option_is_changed(case: Case, kind: Kind, option: Option, others: str) -> None:
    """Even if the other options were set before."""
    sock, value = case.socket(), setting(option, option.valid[0])
    with case.view(sock) as view:
        for other in STORED if others == "set" else ():
            if other.id != option.id:
                with contextlib.suppress(OSError):  # this kind does not have the option
                    options.write(view, other, setting(other, other.valid[0]))
        before = options.snapshot(view)
        expect.true(sock.setopt(option.level, option.name, value))
        changed = options.changes(before, options.snapshot(view), but=[option.id])
    expect.holds(not changed, f"options other than {option.id}", "no changes", changed)


@clause("setopt.stored.connection")
@over_roles(sets, tuple(option for option in STORED if option.id != "ipv6.v6only"))  # v6only cannot be set after bind()
def test_the_system_has_the_set_value_on_a_connection(case: Case, kind: Kind, option: Option, role: str) -> None:
    sock, value = case.pair(role).impl, setting(option, option.valid[0])
    expected = control(kind, option, value)
    expect.true(sock.setopt(option.level, option.name, value))
    with case.view(sock) as view:
        expect.same(options.read(view, option), expected, f"the system's {option.id}")


@clause("getopt.stored.value")
@over_values(some, STORED)
def test_getopt_returns_the_systems_value(case: Case, kind: Kind, option: Option, value: Value) -> None:
    """The option is read once before, to detect an implementation that keeps the first value."""
    sock, value = case.socket(), setting(option, value)
    control(kind, option, value)
    got(option, sock.getopt(option.level, option.name))
    with case.view(sock) as view:
        options.write(view, option, value)
        expected = options.read(view, option)
    found = got(option, sock.getopt(option.level, option.name))
    expect.holds(found == expected, option.id, expected, found)


@clause("getopt.stored.not-what-was-set")
@over(both, STORED)
def test_getopt_does_not_return_a_kept_value(case: Case, kind: Kind, option: Option) -> None:
    sock, one, two = case.socket(), *(setting(option, value) for value in option.valid[:2])
    control(kind, option, one, two)
    expect.true(sock.setopt(option.level, option.name, one))
    with case.view(sock) as view:
        options.write(view, option, two)
        expected = options.read(view, option)
    found = got(option, sock.getopt(option.level, option.name))
    expect.holds(found == expected, f"{option.id} after the system changed it", expected, found)


@clause("setopt.elsewhere.consistent")
@over(lambda option: option.may_set, STORED)
def test_setopt_fails_or_works_where_systems_differ(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), setting(option, option.valid[0])
    outcome = sock.setopt(option.level, option.name, value)
    if isinstance(outcome, Failure):
        expect.fails(outcome, *option.refused)
        return
    expect.true(outcome)
    with case.view(sock) as view:
        expect.same(options.read(view, option), value, f"the system's {option.id} after setopt() succeeded")


@clause("getopt.elsewhere.consistent")
@over(lambda option: option.may_get)
def test_getopt_fails_or_works_where_systems_differ(case: Case, kind: Kind, option: Option) -> None:
    sock = case.socket()
    outcome = sock.getopt(option.level, option.name)
    if isinstance(outcome, Failure):
        expect.fails(outcome, *option.refused, "ENOTCONN")
        return
    found = got(option, outcome)
    with case.view(sock) as view:
        try:
            expected = options.read(view, option)
        except OSError as error:
            expect.mismatch(option.id, f"a failure, as the system's: {error}", found)
    expect.same(found, expected, option.id)


@clause("getopt.fresh.as-the-system-made-it")
def test_a_new_socket_has_the_systems_values(case: Case, kind: Kind) -> None:
    with options.fresh(kind) as plain, case.view(case.socket()) as view:
        changed = options.changes(options.snapshot(plain), options.snapshot(view))
    expect.holds(not changed, "the options of a new socket", "the system's defaults", changed)


def with_options(sock: ImplSocket) -> ImplSocket:
    """Set some options to values that a new socket does not have. Returns the socket."""
    expect.true(sock.setopt("socket", "keepalive", 1))
    expect.true(sock.setopt("socket", "reuseaddr", 1))
    expect.true(sock.setopt("socket", "oobinline", 1))
    expect.true(sock.setopt("socket", "linger", 5))
    expect.true(sock.setopt("socket", "rcvtimeo", (2, 0)))
    return sock


@clause("setopt.kept.bind")
def test_bind_keeps_options(case: Case) -> None:
    """Linux sets v6only on a socket that is bound to an IPv6 address."""
    sock = with_options(case.socket())
    with untouched(case, sock, but=("ipv6.v6only",)):
        case.bind(sock)


@clause("setopt.kept.listen")
@pytest.mark.parametrize("given", ["new", "furnished"])
def test_listen_keeps_options(case: Case, given: str) -> None:
    sock = case.bound()[0] if given == "new" else with_options(case.bound()[0])
    with untouched(case, sock):
        expect.true(sock.listen(1))


@clause("setopt.kept.connect")
def test_connect_keeps_options(case: Case) -> None:
    peer = case.destination()
    sock = with_options(case.socket())
    with untouched(case, sock, but=CHANGED_BY_SYSTEM):
        expect.true(sock.connect(*peer.address))


@clause("setopt.sockets.independent")
def test_sockets_have_their_own_options(case: Case) -> None:
    one, other = case.socket(), case.socket()
    with case.view(other) as view:
        before = options.snapshot(view)
        expect.true(one.setopt("socket", "keepalive", 1))
        changed = options.changes(before, options.snapshot(view))
    expect.holds(not changed, "another socket's options", "as before", changed)
