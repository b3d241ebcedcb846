"""connect on datagram sockets, on blocking and on non-blocking ones: what the socket does afterwards."""

from __future__ import annotations

import contextlib

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.calls import soon
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Peer
from nixio_conformance.toolkit.reach import arrives
from nixio_fixtures import Kind, load

WHAT = "connect()"
#: Linux says EPROTOTYPE where the socket at a path has another type; some systems refuse the connection.
OTHER_TYPE = ("EPROTOTYPE", "ECONNREFUSED")


@clause("connect.dgram.nobody")
def test_dgram_nobody(case: Case) -> None:
    peer = case.bound_peer()
    address = peer.address
    peer.close()
    expect.true(case.socket().connect(*address), WHAT)


@clause("connect.dgram.filters")
def test_dgram_filters(case: Case) -> None:
    peer, stranger = case.bound_peer(), case.bound_peer()
    sock, address = case.bound()
    expect.true(sock.connect(*peer.address), WHAT)
    _try_to_send(stranger, b"from a stranger", address)
    peer.sendto(b"from the peer", address)
    expect.data(sock.recv(64), b"from the peer")


@clause("connect.dgram.again")
def test_dgram_again(case: Case) -> None:
    old, new, stranger = case.bound_peer(), case.bound_peer(), case.bound_peer()
    sock = case.socket()
    expect.true(sock.connect(*old.address), WHAT)
    expect.true(sock.connect(*new.address), "connect() to another peer")
    arrives(case, sock, new)
    stranger.sendto(b"afterwards", old.address)
    expect.same(old.recv(), b"afterwards", "what the old peer received next")


@clause("connect.dgram.again-filters")
def test_dgram_again_filters(case: Case) -> None:
    old, new = case.bound_peer(), case.bound_peer()
    sock, address = case.bound()
    expect.true(sock.connect(*old.address), WHAT)
    expect.true(sock.connect(*new.address), "connect() to another peer")
    _try_to_send(old, b"from the old peer", address)
    new.sendto(b"from the new peer", address)
    expect.data(sock.recv(64), b"from the new peer")


@clause("connect.dgram.wrong-type")
def test_dgram_wrong_type(case: Case, kind: Kind) -> None:
    other = case.destination(load().kind("unix-dgram" if kind.type == "stream" else "unix-stream"))
    expect.fails(case.socket().connect(*other.address), *OTHER_TYPE, what=WHAT)


@clause("connect.blocking.stays")
def test_blocking_stays(pair: Pair) -> None:
    pending = pair.impl.start("recv", 64)
    waits = pending.blocked()
    pair.peer.send(b"at last")
    expect.holds(waits, "recv() with nothing to receive", "it waits", "it came back")
    expect.data(pending.outcome(), b"at last")


@clause("connect.blocking.waits")
def test_blocking_waits(case: Case) -> None:
    listener = _full_listener(case)
    sock = case.socket()
    pending = sock.start("connect", *listener.address)
    waits = pending.blocked()
    case.keep(listener.accept())
    expect.holds(waits, "connect() to a full queue", "it waits", "it came back")
    expect.true(pending.outcome(), WHAT)


@clause("connect.nonblocking.stays")
def test_nonblocking_stays(case: Case) -> None:
    sock = case.socket()
    peer = case.destination()
    expect.true(sock.setblocking(False), "setblocking()")
    sock.connect(*peer.address)
    if peer.kind.type == "stream":
        case.keep(peer.accept())
    expect.would_block(sock.recv(64), "recv() with nothing to receive")


@clause("connect.nonblocking.finishes")
def test_nonblocking_finishes(case: Case) -> None:
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
    expect.data(soon(lambda: sock.recv(64)), b"you are connected")
    expect.count(sock.send(b"I am"), 4)
    expect.same(peer.recv(), b"I am", "what the peer received")


@clause("connect.nonblocking.returns")
def test_nonblocking_returns(case: Case) -> None:
    listener = _full_listener(case)
    sock = case.socket()
    expect.true(sock.setblocking(False), "setblocking()")
    expect.fails(sock.connect(*listener.address), "EINPROGRESS", what=WHAT)


@clause("connect.nonblocking.full")
def test_nonblocking_full(case: Case) -> None:
    listener = _full_listener(case)
    sock = case.socket()
    expect.true(sock.setblocking(False), "setblocking()")
    expect.would_block(sock.connect(*listener.address), WHAT)


@clause("connect.nonblocking.refused")
def test_nonblocking_refused(case: Case) -> None:
    sock = case.socket()
    dead = case.bound_peer()
    expect.true(sock.setblocking(False), "setblocking()")
    expect.fails(sock.connect(*dead.address), "EINPROGRESS", "ECONNREFUSED", what=WHAT)


def _try_to_send(peer: Peer, data: bytes, address: tuple[str | bytes, int | None]) -> None:
    """For unix, Linux tells the sender that the receiver is connected to somebody else."""
    if peer.kind.domain == "unix":
        with contextlib.suppress(OSError):
            peer.socket.sendto(data, str(address[0]))
    else:
        peer.sendto(data, address)


def _full_listener(case: Case) -> Peer:
    """A listener of the suite that takes no connection more until it has accepted one."""
    listener = case.listening_peer(backlog=0)
    for _ in range(4):
        peer = case.peer()
        peer.socket.setblocking(False)
        if peer.attempt(listener.address) == "EAGAIN":
            break
    return listener
