"""bind: what it returns, what it leaves alone, and how it fails where an address cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixio_conformance.driver.outcome import Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host import observer
from nixio_conformance.host.platforms import this_platform
from nixio_conformance.toolkit import expect, names, options
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.reach import reached
from nixio_fixtures import Kind

WHAT = "bind()"
#: POSIX: EINVAL for a socket that has an address; EISCONN is allowed for a connected one.
HAS_ADDRESS = ("EINVAL", "EISCONN")


@clause("bind.result.true")
def test_result_true(case: Case, kind: Kind) -> None:
    sock = case.socket()
    if kind.domain == "unix":
        outcome = sock.bind(case.path(), None)
    elif kind.type == "raw":
        outcome = sock.bind(case.loopback)
    else:
        outcome = sock.bind(case.loopback, 0)
    expect.true(outcome, WHAT)


@clause("bind.call.does-not-listen")
def test_call_does_not_listen(case: Case) -> None:
    _, address = case.bound()
    expect.same(case.peer().attempt(address), "ECONNREFUSED", "connecting to a socket that was only bound")


@clause("bind.call.options")
@pytest.mark.parametrize("mode", ["blocking", "non-blocking"])
def test_call_options(case: Case, mode: str) -> None:
    sock = case.socket()
    expect.true(sock.setblocking(mode == "blocking"), "setblocking()")
    with case.view(sock) as seen:
        before = options.snapshot(seen)
        case.bind(sock)
        # Linux itself makes a socket v6only that is bound to one IPv6 address.
        changed = options.changes(before, options.snapshot(seen), but=["ipv6.v6only"])
    expect.holds(not changed, "the socket's options after bind()", "as before", changed)


@clause("bind.call.options-default")
def test_call_options_default(case: Case) -> None:
    sock = case.socket()
    with case.view(sock) as seen:
        before = options.snapshot(seen)
        expect.true(sock.bind(None, 0), WHAT)
        changed = options.changes(before, options.snapshot(seen))
    expect.holds(not changed, "the socket's options after bind()", "as before", changed)


@clause("bind.call.descriptor")
def test_call_descriptor(case: Case) -> None:
    sock = case.socket()
    before = _descriptor(case, sock)
    case.bind(sock)
    expect.same(_descriptor(case, sock), before, "the descriptor, and its socket, after bind()")


@clause("bind.call.fails-no-leak")
@pytest.mark.parametrize("reason", ["used", "host", "port"])
def test_call_fails_no_leak(case: Case, reason: str) -> None:
    sock = case.socket()
    taken = case.bound_peer().address
    _fail(case, sock, reason, taken)  # whatever a port opens only once, it may keep
    before = case.descriptors()
    for _ in range(8):
        _fail(case, sock, reason, taken)
    after = case.descriptors()
    expect.holds(after <= before, "descriptors of the port after 8 failing calls", before, after)


@clause("bind.used.listening")
def test_used_listening(case: Case) -> None:
    taken = case.destination().address
    expect.fails(case.socket().bind(*taken), "EADDRINUSE", what=WHAT)


@clause("bind.used.second")
def test_used_second(case: Case) -> None:
    _, taken = case.bound()
    expect.fails(case.socket().bind(*taken), "EADDRINUSE", what=WHAT)


@clause("bind.used.wildcard")
def test_used_wildcard(case: Case) -> None:
    _, port = case.bound_peer().address
    expect.fails(case.socket().bind(None, port), "EADDRINUSE", what=WHAT)


@clause("bind.twice.refused")
def test_twice_refused(case: Case, kind: Kind) -> None:
    sock, _ = case.bound()
    expect.fails(_bind_anywhere(case, sock), "EINVAL", what="a second bind()")


@clause("bind.twice.keeps")
def test_twice_keeps(case: Case) -> None:
    sock, address = case.bound()
    expect.fails(_bind_anywhere(case, sock), "EINVAL", what="a second bind()")
    reached(case, sock, address)


@clause("bind.failed.then-other")
@pytest.mark.parametrize("reason", ["used", "host", "port"])
def test_failed_then_other(case: Case, reason: str) -> None:
    sock = case.socket()
    expect.fails(_fail(case, sock, reason, case.bound_peer().address), what=WHAT)
    expect.true(_bind_anywhere(case, sock), "bind() after one that failed")


@clause("bind.connected.refused")
def test_connected_refused(case: Case) -> None:
    sock = case.pair().impl
    expect.fails(sock.bind(case.loopback, 0), *HAS_ADDRESS, what=WHAT)


@clause("bind.privileged.refused")
def test_privileged_refused(case: Case, kind: Kind) -> None:
    table = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if table.exists() and int(table.read_text()) <= 1:
        pytest.skip("this host lets everybody bind low ports")
    expect.fails(case.socket().bind(case.loopback, 1), "EACCES", what=WHAT)


def _bind_anywhere(case: Case, sock: ImplSocket) -> Outcome:
    return sock.bind(case.path(), None) if case.kind.domain == "unix" else sock.bind(case.loopback, 0)


def _fail(case: Case, sock: ImplSocket, reason: str, taken: tuple[str | bytes, int | None]) -> Outcome:
    """A bind that fails for the address, the host, or the port; the last two are matters of the path for unix."""
    if reason == "used":
        return sock.bind(*taken)
    if case.kind.domain == "unix":
        return sock.bind(f"{case.path()}/x" if reason == "host" else case.path(this_platform().sun_path + 9), None)
    return sock.bind(names.NO_HOST, 0) if reason == "host" else sock.bind(case.loopback, names.NO_SERVICE)


def _descriptor(case: Case, sock: ImplSocket) -> tuple[int, str | None]:
    number = expect.integer(sock.fileno(), "fileno()")
    return number, observer.descriptors(case.session.pid).get(number)
