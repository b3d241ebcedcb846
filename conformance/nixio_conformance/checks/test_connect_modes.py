"""connect of datagram sockets, of blocking and of non-blocking sockets: what the socket does afterwards."""

from __future__ import annotations

import contextlib

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.calls import retry_would_block
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address, Peer
from nixio_conformance.toolkit.reach import reaches
from nixio_fixtures import Kind, load

WHAT = "connect()"
#: Linux returns EPROTOTYPE if the socket at a path has another type; some systems refuse the connection.
OTHER_TYPE = ("EPROTOTYPE", "ECONNREFUSED")


def send_if_allowed(peer: Peer, data: bytes, address: Address) -> None:
    """Send. Ignore a refusal on UNIX: Linux does not send to a socket that is connected to another one."""
    if peer.kind.domain == "unix":
        with contextlib.suppress(expect.Mismatch):
            peer.sendto(data, address)
    else:
        peer.sendto(data, address)


def full_listener(case: Case) -> Peer:
    """A listener of the suite whose queue is full: the next connection waits until it has accepted one."""
    listener = case.listening_peer(backlog=0)
    for _ in range(4):
        peer = case.peer()
        peer.socket.setblocking(False)
        if peer.attempt(listener.address) == "EAGAIN":
            break
    return listener


@clause("connect.dgram.nobody")
def test_a_datagram_socket_connects_to_a_closed_port(case: Case) -> None:
    peer = case.bound_peer()
    address = peer.address
    peer.close()
    expect.true(case.socket().connect(*address), WHAT)


@clause("connect.dgram.filters")
def test_only_the_peers_datagrams_are_received(case: Case) -> None:
    peer, stranger = case.bound_peer(), case.bound_peer()
    sock, address = case.bound()
    expect.true(sock.connect(*peer.address), WHAT)
    send_if_allowed(stranger, b"from a stranger", address)
    peer.sendto(b"from the peer", address)
    expect.data(sock.recv(64), b"from the peer")


@clause("connect.dgram.again")
def test_a_datagram_socket_connects_again(case: Case) -> None:
    old, new, stranger = case.bound_peer(), case.bound_peer(), case.bound_peer()
    sock = case.socket()
    expect.true(sock.connect(*old.address), WHAT)
    expect.true(sock.connect(*new.address), "connect() to another peer")
    reaches(case, sock, new)
    stranger.sendto(b"afterwards", old.address)
    expect.same(old.recv(), b"afterwards", "what the old peer received next")


@clause("connect.dgram.again-filters")
def test_only_the_new_peers_datagrams_are_received(case: Case) -> None:
    old, new = case.bound_peer(), case.bound_peer()
    sock, address = case.bound()
    expect.true(sock.connect(*old.address), WHAT)
    expect.true(sock.connect(*new.address), "connect() to another peer")
    send_if_allowed(old, b"from the old peer", address)
    new.sendto(b"from the new peer", address)
    expect.data(sock.recv(64), b"from the new peer")


@clause("connect.dgram.wrong-type")
def test_a_socket_of_the_other_type_fails(case: Case, kind: Kind) -> None:
    other = case.destination(load().kind("unix-dgram" if kind.type == "stream" else "unix-stream"))
    expect.fails(case.socket().connect(*other.address), *OTHER_TYPE, what=WHAT)


@clause("connect.blocking.stays")
def test_a_blocking_socket_still_waits(pair: Pair) -> None:
    pending = pair.impl.start("recv", 64)
    waits = pending.blocked()
    pair.peer.send(b"at last")
    expect.holds(waits, "recv() with nothing to receive", "a call that waits", "a call that returned")
    expect.data(pending.outcome(), b"at last")


@clause("connect.blocking.waits")
def test_a_blocking_connect_waits_for_the_queue(case: Case) -> None:
    listener = full_listener(case)
    sock = case.socket()
    pending = sock.start("connect", *listener.address)
    waits = pending.blocked()
    case.keep(listener.accept())
    expect.holds(waits, "connect() to a full queue", "a call that waits", "a call that returned")
    expect.true(pending.outcome(), WHAT)


@clause("connect.nonblocking.stays")
def test_a_non_blocking_socket_still_does_not_wait(case: Case) -> None:
    sock = case.socket()
    peer = case.destination()
    expect.true(sock.setblocking(False), "setblocking()")
    sock.connect(*peer.address)
    if peer.kind.type == "stream":
        case.keep(peer.accept())
    expect.would_block(sock.recv(64), "recv() with nothing to receive")


@clause("connect.nonblocking.finishes")
def test_a_non_blocking_connection_is_completed(case: Case) -> None:
    listener = case.listening_peer()
    sock = case.socket()
    expect.true(sock.setblocking(False), "setblocking()")
    outcome = sock.connect(*listener.address)
    if isinstance(outcome, Returned):
        expect.true(outcome, WHAT)
    else:
        expect.fails(outcome, "EINPROGRESS", what=WHAT)
    peer = case.keep(listener.accept())
    peer.send(b"you are connected")
    expect.data(retry_would_block(lambda: sock.recv(64)), b"you are connected")
    expect.count(sock.send(b"I am"), 4)
    expect.same(peer.recv(), b"I am", "what the peer received")


@clause("connect.nonblocking.returns")
def test_a_non_blocking_connect_is_in_progress(case: Case) -> None:
    listener = full_listener(case)
    sock = case.socket()
    expect.true(sock.setblocking(False), "setblocking()")
    expect.fails(sock.connect(*listener.address), "EINPROGRESS", what=WHAT)


@clause("connect.nonblocking.full")
def test_a_full_unix_queue_would_block(case: Case) -> None:
    listener = full_listener(case)
    sock = case.socket()
    expect.true(sock.setblocking(False), "setblocking()")
    expect.would_block(sock.connect(*listener.address), WHAT)


@clause("connect.nonblocking.refused")
def test_a_non_blocking_connect_is_refused(case: Case) -> None:
    sock = case.socket()
    dead = case.bound_peer()
    expect.true(sock.setblocking(False), "setblocking()")
    expect.fails(sock.connect(*dead.address), "EINPROGRESS", "ECONNREFUSED", what=WHAT)
