"""connect: what it returns, what it leaves alone, and what it says where nobody answers."""

from __future__ import annotations

import socket

import pytest

from nixio_conformance.driver.outcome import Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host import observer
from nixio_conformance.host.platforms import this_platform
from nixio_conformance.toolkit import expect, names, options
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address
from nixio_conformance.toolkit.reach import arrives
from nixio_fixtures import Kind

WHAT = "connect()"
#: What the system itself changes when a socket is connected: TCP's buffers grow, and the path's MTU is known.
SYSTEMS_OWN = ("socket.sndbuf", "socket.rcvbuf", "ip.mtu", "ipv6.mtu")
#: POSIX: EOPNOTSUPP for a socket that listens; Linux says EISCONN (TCP) and EINVAL (unix).
LISTENS = ("EOPNOTSUPP", "EISCONN", "EINVAL")


@clause("connect.result.true")
def test_result_true(case: Case, kind: Kind) -> None:
    sock = case.socket()
    outcome = sock.connect(case.loopback) if kind.type == "raw" else sock.connect(*case.destination().address)
    expect.true(outcome, WHAT)


@clause("connect.call.reaches")
def test_call_reaches(case: Case) -> None:
    peer = case.destination()
    sock = case.socket()
    expect.true(sock.connect(*peer.address), WHAT)
    arrives(case, sock, peer)


@clause("connect.call.receives")
def test_call_receives(pair: Pair) -> None:
    pair.peer.send(b"to you")
    expect.data(pair.impl.recv(64), b"to you")


@clause("connect.call.once")
def test_call_once(case: Case) -> None:
    listener = case.listening_peer()
    sock = case.socket()
    expect.true(sock.connect(*listener.address), WHAT)
    case.keep(listener.accept())
    case.peer().connect(listener.address).send(b"the next one")
    expect.same(case.keep(listener.accept()).recv(), b"the next one", "what the next connection brings")


@clause("connect.call.source")
def test_call_source(case: Case, kind: Kind) -> None:
    peer = case.destination()
    sock, address = case.bound()
    expect.true(sock.connect(*peer.address), WHAT)
    if kind.type == "stream":
        found = case.keep(peer.accept()).remote
    else:
        expect.count(sock.send(b"who"), 3)
        found = peer.recvfrom()[1]
    expect.same(found, address, "the address that the peer sees")


@clause("connect.call.same-socket")
def test_call_same_socket(case: Case) -> None:
    peer = case.destination()
    sock = case.socket()
    before = _descriptor(case, sock)
    expect.true(sock.connect(*peer.address), WHAT)
    expect.same(_descriptor(case, sock), before, "the descriptor, and its socket, after connect()")


@clause("connect.call.options")
def test_call_options(case: Case) -> None:
    peer = case.destination()
    sock = case.socket()
    with case.view(sock) as seen:
        before = options.snapshot(seen)
        expect.true(sock.connect(*peer.address), WHAT)
        changed = options.changes(before, options.snapshot(seen), but=SYSTEMS_OWN)
    expect.holds(not changed, "the socket's options after connect()", "as before", changed)


@clause("connect.call.fails-no-leak")
@pytest.mark.parametrize("reason", ["refused", "host", "port"])
def test_call_fails_no_leak(case: Case, reason: str) -> None:
    sock = case.socket()
    dead = _dead(case)
    _fail(case, sock, reason, dead)  # whatever a port opens only once, it may keep
    before = case.descriptors()
    for _ in range(8):
        _fail(case, sock, reason, dead)
    after = case.descriptors()
    expect.holds(after <= before, "descriptors of the port after 8 failing calls", before, after)


@clause("connect.refused.error")
def test_refused_error(case: Case) -> None:
    expect.fails(case.socket().connect(*_dead(case)), "ECONNREFUSED", what=WHAT)


@clause("connect.refused.then-other")
@pytest.mark.parametrize("times", [1, 3])
def test_refused_then_other(case: Case, times: int) -> None:
    dead = _dead(case)
    peer = case.listening_peer()
    sock = case.socket()
    for _ in range(times):
        expect.fails(sock.connect(*dead), "ECONNREFUSED", what=WHAT)
    expect.true(sock.connect(*peer.address), "connect() after one that was refused")
    arrives(case, sock, peer)


@clause("connect.refused.same-socket")
def test_refused_same_socket(case: Case) -> None:
    dead = _dead(case)
    peer = case.listening_peer()
    sock = case.socket()
    before = _descriptor(case, sock)
    with case.view(sock) as seen:
        had = _marked(seen)
        expect.fails(sock.connect(*dead), "ECONNREFUSED", what=WHAT)
        expect.true(sock.connect(*peer.address), WHAT)
    with case.view(sock) as seen:
        changed = options.changes(had, options.snapshot(seen), but=SYSTEMS_OWN)
    expect.same(_descriptor(case, sock), before, "the descriptor, and its socket, after both calls")
    expect.holds(not changed, "the socket's options after both calls", "as before", changed)


@clause("connect.refused.failed-host")
@pytest.mark.parametrize("reason", ["host", "port"])
def test_refused_failed_host(case: Case, reason: str) -> None:
    peer = case.destination()
    sock = case.socket()
    expect.fails(_fail(case, sock, reason, peer.address), what=WHAT)
    expect.true(sock.connect(*peer.address), "connect() after one that failed")
    arrives(case, sock, peer)


@clause("connect.twice.refused")
@pytest.mark.parametrize("where", ["same", "other"])
def test_twice_refused(case: Case, where: str) -> None:
    peer, other = case.listening_peer(), case.listening_peer()
    sock = case.socket()
    expect.true(sock.connect(*peer.address), WHAT)
    outcome = sock.connect(*(peer if where == "same" else other).address)
    expect.fails(outcome, "EISCONN", what="a second connect()")


@clause("connect.twice.keeps")
def test_twice_keeps(case: Case) -> None:
    peer, other = case.listening_peer(), case.listening_peer()
    sock = case.socket()
    expect.true(sock.connect(*peer.address), WHAT)
    expect.fails(sock.connect(*other.address), "EISCONN", what="a second connect()")
    arrives(case, sock, peer)


@clause("connect.listening.refused")
def test_listening_refused(case: Case) -> None:
    peer = case.listening_peer()
    sock, _ = case.listening()
    expect.fails(sock.connect(*peer.address), *LISTENS, what=WHAT)


def _dead(case: Case) -> Address:
    """An address that is taken, so that nobody else can listen there; for unix-dgram one that was left."""
    peer = case.bound_peer()
    address = peer.address
    if case.kind.type == "dgram" and case.kind.domain == "unix":
        peer.close()
    return address


def _fail(case: Case, sock: ImplSocket, reason: str, dead: Address) -> Outcome:
    """A connect that fails for the peer, the host, or the port; the last two are matters of the path for unix."""
    if reason == "refused":
        return sock.connect(*dead)
    if case.kind.domain == "unix":
        return sock.connect(case.path() if reason == "host" else case.path(this_platform().sun_path + 9), None)
    return sock.connect(names.NO_HOST, 9) if reason == "host" else sock.connect(case.loopback, names.NO_SERVICE)


def _marked(seen: socket.socket) -> dict[str, str]:
    """The options of a socket after some of them were given values that a new socket does not have."""
    seen.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    seen.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    return options.snapshot(seen)


def _descriptor(case: Case, sock: ImplSocket) -> tuple[int, str | None]:
    number = expect.integer(sock.fileno(), "fileno()")
    return number, observer.descriptors(case.session.pid).get(number)
