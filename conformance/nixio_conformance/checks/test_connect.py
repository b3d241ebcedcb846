"""connect: reaching the peer, what it leaves unchanged, and how it fails if the peer refuses."""

from __future__ import annotations

import socket

import pytest

from nixio_conformance.driver.outcome import Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host.platforms import this_platform
from nixio_conformance.toolkit import expect, names, options
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.leaks import leaves_no_descriptors
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address
from nixio_conformance.toolkit.reach import reaches
from nixio_fixtures import Kind

WHAT = "connect()"
#: Options that the system changes when a socket is connected: TCP's buffers grow, and the path's MTU becomes known.
CHANGED_BY_SYSTEM = ("socket.sndbuf", "socket.rcvbuf", "ip.mtu", "ipv6.mtu")
#: POSIX: EOPNOTSUPP for a socket that listens; Linux returns EISCONN (TCP) and EINVAL (unix).
LISTENS = ("EOPNOTSUPP", "EISCONN", "EINVAL")


def refusing_address(case: Case) -> Address:
    """An address that refuses connections: bound but not listening; for unix-dgram one whose socket was closed.

    As it stays bound, no other program can listen there.
    """
    peer = case.bound_peer()
    address = peer.address
    if case.kind.type == "dgram" and case.kind.domain == "unix":
        peer.close()
    return address


def failing_connect(case: Case, sock: ImplSocket, reason: str, refusing: Address) -> Outcome:
    """A connect that fails because it is refused, or for the host or port; for UNIX, for two faults of the path."""
    if reason == "refused":
        return sock.connect(*refusing)
    if case.kind.domain == "unix":
        return sock.connect(case.path() if reason == "host" else case.path(this_platform().sun_path + 9), None)
    return sock.connect(names.NO_HOST, 9) if reason == "host" else sock.connect(case.loopback, names.NO_SERVICE)


@clause("connect.call.reaches")
def test_the_peer_is_reached(case: Case) -> None:
    peer = case.destination()
    sock = case.socket()
    expect.true(sock.connect(*peer.address), WHAT)
    reaches(case, sock, peer)


@clause("connect.call.receives")
def test_the_peers_data_is_received(pair: Pair) -> None:
    pair.peer.send(b"to you")
    expect.data(pair.impl.recv(64), b"to you")


@clause("connect.call.once")
def test_one_connection_is_made(case: Case) -> None:
    listener = case.listening_peer()
    sock = case.socket()
    expect.true(sock.connect(*listener.address), WHAT)
    case.keep(listener.accept())
    case.peer().connect(listener.address).send(b"the next one")
    expect.same(case.keep(listener.accept()).recv(), b"the next one", "what the next connection receives")


@clause("connect.call.source")
def test_a_bound_socket_keeps_its_address(case: Case, kind: Kind) -> None:
    peer = case.destination()
    sock, address = case.bound()
    expect.true(sock.connect(*peer.address), WHAT)
    if kind.type == "stream":
        found = case.keep(peer.accept()).remote
    else:
        expect.count(sock.send(b"who"), 3)
        found = peer.recvfrom()[1]
    expect.same(found, address, "the peer's view of the socket's address")


@clause("connect.call.same-socket")
def test_the_descriptor_stays(case: Case) -> None:
    peer = case.destination()
    sock = case.socket()
    before = case.descriptor(sock)
    expect.true(sock.connect(*peer.address), WHAT)
    expect.same(case.descriptor(sock), before, "the descriptor, and its socket, after connect()")


@clause("connect.call.options")
def test_options_stay(case: Case) -> None:
    peer = case.destination()
    sock = case.socket()
    with case.view(sock) as seen:
        before = options.snapshot(seen)
        expect.true(sock.connect(*peer.address), WHAT)
        changed = options.changes(before, options.snapshot(seen), but=CHANGED_BY_SYSTEM)
    expect.holds(not changed, "the socket's options after connect()", "as before", changed)


@clause("connect.call.fails-no-leak")
@pytest.mark.parametrize("reason", ["refused", "host", "port"])
def test_failures_leak_no_descriptors(case: Case, reason: str) -> None:
    sock = case.socket()
    refusing = refusing_address(case)
    leaves_no_descriptors(case, lambda: failing_connect(case, sock, reason, refusing))


@clause("connect.refused.error")
def test_a_refusal_is_econnrefused(case: Case) -> None:
    expect.fails(case.socket().connect(*refusing_address(case)), "ECONNREFUSED", what=WHAT)


@clause("connect.refused.then-other")
@pytest.mark.parametrize("times", [1, 3])
def test_a_refused_socket_can_be_connected_elsewhere(case: Case, times: int) -> None:
    refusing = refusing_address(case)
    peer = case.listening_peer()
    sock = case.socket()
    for _ in range(times):
        expect.fails(sock.connect(*refusing), "ECONNREFUSED", what=WHAT)
    expect.true(sock.connect(*peer.address), "connect() after a refused connect()")
    reaches(case, sock, peer)


@clause("connect.refused.same-socket")
def test_a_refused_socket_keeps_descriptor_and_options(case: Case) -> None:
    refusing = refusing_address(case)
    peer = case.listening_peer()
    sock = case.socket()
    before = case.descriptor(sock)
    with case.view(sock) as seen:
        for option in (socket.SO_KEEPALIVE, socket.SO_OOBINLINE):  # which a new socket does not have
            seen.setsockopt(socket.SOL_SOCKET, option, 1)
        had = options.snapshot(seen)
        expect.fails(sock.connect(*refusing), "ECONNREFUSED", what=WHAT)
        expect.true(sock.connect(*peer.address), WHAT)
    with case.view(sock) as seen:
        changed = options.changes(had, options.snapshot(seen), but=CHANGED_BY_SYSTEM)
    expect.same(case.descriptor(sock), before, "the descriptor, and its socket, after both calls")
    expect.holds(not changed, "the socket's options after both calls", "as before", changed)


@clause("connect.refused.failed-host")
@pytest.mark.parametrize("reason", ["host", "port"])
def test_a_wrong_host_or_port_leaves_the_socket_usable(case: Case, reason: str) -> None:
    peer = case.destination()
    sock = case.socket()
    expect.fails(failing_connect(case, sock, reason, peer.address), what=WHAT)
    expect.true(sock.connect(*peer.address), "connect() after a failed connect()")
    reaches(case, sock, peer)


@clause("connect.twice.refused")
@pytest.mark.parametrize("where", ["same", "other"])
def test_a_second_connect_fails(case: Case, where: str) -> None:
    peer, other = case.listening_peer(), case.listening_peer()
    sock = case.socket()
    expect.true(sock.connect(*peer.address), WHAT)
    outcome = sock.connect(*(peer if where == "same" else other).address)
    expect.fails(outcome, "EISCONN", what="a second connect()")


@clause("connect.twice.keeps")
def test_a_second_connect_keeps_the_connection(case: Case) -> None:
    peer, other = case.listening_peer(), case.listening_peer()
    sock = case.socket()
    expect.true(sock.connect(*peer.address), WHAT)
    expect.fails(sock.connect(*other.address), "EISCONN", what="a second connect()")
    reaches(case, sock, peer)


@clause("connect.listening.refused")
def test_a_listening_socket_cannot_be_connected(case: Case) -> None:
    peer = case.listening_peer()
    sock, _ = case.listening()
    expect.fails(sock.connect(*peer.address), *LISTENS, what=WHAT)
