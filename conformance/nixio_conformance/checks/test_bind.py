"""bind: what it leaves unchanged, and how it fails if an address is in use or not available."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixio_conformance.driver.outcome import Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host.platforms import this_platform
from nixio_conformance.toolkit import expect, names, options
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.leaks import leaves_no_descriptors
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address
from nixio_conformance.toolkit.reach import reached

WHAT = "bind()"
#: POSIX: EINVAL for a socket that already has an address; EISCONN is allowed for a connected one.
HAS_ADDRESS = ("EINVAL", "EISCONN")

each_reason = pytest.mark.parametrize("reason", ["used", "host", "port"])


def bind_anywhere(case: Case, sock: ImplSocket) -> Outcome:
    return sock.bind(case.path(), None) if case.kind.domain == "unix" else sock.bind(case.loopback, 0)


def failing_bind(case: Case, sock: ImplSocket, reason: str, used: Address) -> Outcome:
    """A bind that fails because the address is used, or for the host or port; for UNIX, for two faults of the path."""
    if reason == "used":
        return sock.bind(*used)
    if case.kind.domain == "unix":
        return sock.bind(f"{case.path()}/x" if reason == "host" else case.path(this_platform().sun_path + 9), None)
    return sock.bind(names.NO_HOST, 0) if reason == "host" else sock.bind(case.loopback, names.NO_SERVICE)


@clause("bind.call.does-not-listen")
def test_a_bound_socket_does_not_listen(case: Case) -> None:
    _, address = case.bound()
    expect.same(case.peer().attempt(address), "ECONNREFUSED", "connecting to a socket that was only bound")


@clause("bind.call.options")
@pytest.mark.parametrize("mode", ["blocking", "non-blocking"])
def test_options_stay(case: Case, mode: str) -> None:
    sock = case.socket()
    expect.true(sock.setblocking(mode == "blocking"), "setblocking()")
    with case.view(sock) as seen:
        before = options.snapshot(seen)
        case.bind(sock)
        # Linux sets v6only on a socket that is bound to an IPv6 address.
        changed = options.changes(before, options.snapshot(seen), but=["ipv6.v6only"])
    expect.holds(not changed, "the socket's options after bind()", "as before", changed)


@clause("bind.call.options-default")
def test_options_stay_without_a_host(case: Case) -> None:
    sock = case.socket()
    with case.view(sock) as seen:
        before = options.snapshot(seen)
        expect.true(sock.bind(None, 0), WHAT)
        changed = options.changes(before, options.snapshot(seen))
    expect.holds(not changed, "the socket's options after bind()", "as before", changed)


@clause("bind.call.descriptor")
def test_the_descriptor_stays(case: Case) -> None:
    sock = case.socket()
    before = case.descriptor(sock)
    case.bind(sock)
    expect.same(case.descriptor(sock), before, "the descriptor, and its socket, after bind()")


@clause("bind.call.fails-no-leak")
@each_reason
def test_failures_leak_no_descriptors(case: Case, reason: str) -> None:
    sock = case.socket()
    used = case.bound_peer().address
    leaves_no_descriptors(case, lambda: failing_bind(case, sock, reason, used))


@clause("bind.used.listening")
def test_the_address_of_another_program_is_in_use(case: Case) -> None:
    used = case.destination().address
    expect.fails(case.socket().bind(*used), "EADDRINUSE", what=WHAT)


@clause("bind.used.second")
def test_the_address_of_another_socket_is_in_use(case: Case) -> None:
    _, used = case.bound()
    expect.fails(case.socket().bind(*used), "EADDRINUSE", what=WHAT)


@clause("bind.used.wildcard")
def test_all_addresses_with_a_used_port_are_in_use(case: Case) -> None:
    _, port = case.bound_peer().address
    expect.fails(case.socket().bind(None, port), "EADDRINUSE", what=WHAT)


@clause("bind.twice.refused")
def test_a_second_bind_fails(case: Case) -> None:
    sock, _ = case.bound()
    expect.fails(bind_anywhere(case, sock), "EINVAL", what="a second bind()")


@clause("bind.twice.keeps")
def test_a_second_bind_keeps_the_address(case: Case) -> None:
    sock, address = case.bound()
    expect.fails(bind_anywhere(case, sock), "EINVAL", what="a second bind()")
    reached(case, sock, address)


@clause("bind.failed.then-other")
@each_reason
def test_another_address_can_be_bound_after_a_failure(case: Case, reason: str) -> None:
    sock = case.socket()
    expect.fails(failing_bind(case, sock, reason, case.bound_peer().address), what=WHAT)
    expect.true(bind_anywhere(case, sock), "bind() after a failed bind()")


@clause("bind.connected.refused")
def test_a_connected_socket_cannot_be_bound(case: Case) -> None:
    sock = case.pair().impl
    expect.fails(sock.bind(case.loopback, 0), *HAS_ADDRESS, what=WHAT)


@clause("bind.privileged.refused")
def test_low_ports_need_privileges(case: Case) -> None:
    table = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if table.exists() and int(table.read_text()) <= 1:
        pytest.skip("this host lets any user bind low ports")
    expect.fails(case.socket().bind(case.loopback, 1), "EACCES", what=WHAT)
