"""accept: which connection it returns, with which address, and when the call waits or fails."""

import socket
import time

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect, room
from nixio_conformance.toolkit.calls import retry_would_block
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address, Peer, contract_address
from nixio_fixtures import load


def returns_address(outcome: Outcome, address: Address) -> None:
    """Check that the call returned this address, with the right types."""
    _, host, port = expect.values(outcome, 3, "accept()")
    expect.same((type(host), host, port), (type(address[0]), *address), "host and port of accept()")
    expect.holds(not isinstance(port, (bool, float)), "port of accept()", "an int", port)


def accepts_connection_of(outcome: Outcome, peer: Peer) -> None:
    """Check that the call accepted this peer's connection; the address is not compared."""
    peer.send(b"x")
    expect.data(expect.accepted(outcome).recv(1), b"x")


@clause("accept.result.values")
def test_three_values_are_returned(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    expect.values(listener.accept(), 3, "accept()")


@clause("accept.result.socket")
def test_the_first_value_is_a_socket(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    expect.socket(expect.first(listener.accept(), "accept()"), "the first value of accept()")


@clause("accept.peer.address")
def test_the_peers_address_is_returned(case: Case) -> None:
    listener, address = case.listening()
    peer = case.peer().connect(address)
    returns_address(listener.accept(), peer.address)


@clause("accept.peer.host-not-own")
def test_the_host_is_the_peers_own(case: Case) -> None:
    listener, address = case.listening()
    peer = case.peer().bind(case.own_address()).connect(address)
    returns_address(listener.accept(), peer.address)


@clause("accept.peer.mapped")
def test_an_ipv4_peer_is_an_ipv4_mapped_address(case: Case) -> None:
    listener = case.socket()
    with case.view(listener) as view:
        view.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        expect.true(listener.bind("::", 0), "bind()")
        _, port = contract_address(case.kind, view.getsockname())
    expect.true(listener.listen(5), "listen()")
    peer = case.peer(load().kind("inet-stream")).connect(("127.0.0.1", port))
    returns_address(listener.accept(), ("::ffff:127.0.0.1", peer.address[1]))


@clause("accept.peer.unix-path")
def test_the_peers_path_is_returned(case: Case) -> None:
    listener, address = case.listening()
    peer = case.bound_peer().connect(address)
    returns_address(listener.accept(), peer.address)


@clause("accept.peer.unix-longest")
def test_the_longest_path_is_whole(case: Case) -> None:
    listener, address = case.listening()
    path = case.path(platforms.this_platform().unix_path)
    case.peer().bind(path).connect(address)
    returns_address(listener.accept(), (path, None))


@clause("accept.peer.unix-unnamed")
def test_an_unnamed_peer_is_empty(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    returns_address(listener.accept(), ("", None))


@clause("accept.peer.unix-abstract")
def test_an_abstract_name_is_returned(case: Case) -> None:
    listener, address = case.listening()
    name = case.abstract()
    case.peer().bind(name).connect(address)
    returns_address(listener.accept(), (name, None))


@clause("accept.peer.unix-not-stale")
def test_an_unnamed_peer_after_a_named_one_is_empty(case: Case) -> None:
    listener, address = case.listening()
    case.bound_peer().connect(address)
    case.peer().connect(address)
    listener.accept()
    returns_address(listener.accept(), ("", None))


@clause("accept.peer.gone")
def test_a_peer_that_closed_is_accepted(case: Case) -> None:
    listener, address = case.listening()
    peer = case.bound_peer().connect(address)
    where = peer.address
    peer.send(b"?")
    peer.close()
    outcome = listener.accept()
    returns_address(outcome, where)
    sock = expect.accepted(outcome)
    expect.data(sock.recv(1), b"?")
    expect.data(sock.recv(1), b"", "after the data")


@clause("accept.peer.reset")
def test_a_peer_that_reset_is_accepted_or_reported(case: Case) -> None:
    listener, address = case.listening()
    peer = case.peer().connect(address)
    where = peer.address
    peer.reset()
    listener.setblocking(False)  # because a system may drop the connection, and accept() would wait
    outcome = listener.accept()
    if isinstance(outcome, Failure):
        # POSIX specifies ECONNABORTED; Linux returns the connection.
        expect.fails(outcome, "ECONNABORTED", expect.WOULD_BLOCK, what="accept()")
        return
    returns_address(outcome, where)


def several(case: Case) -> int:
    """How many connections to make before the first is accepted: four, or as many as this host lets wait."""
    count = room.connections(case.kind, 4)
    if count < 2:
        pytest.skip("on this host no two connections can wait to be accepted")
    return count


@clause("accept.order.addresses")
def test_addresses_are_returned_in_order(case: Case) -> None:
    listener, address = case.listening()
    peers = [case.bound_peer().connect(address).address for _ in range(several(case))]
    found = [expect.values(listener.accept(), 3, "accept()")[1:] for _ in peers]
    expect.same(found, peers, "the addresses in the order of accept()")


@clause("accept.order.connections")
def test_connections_are_returned_in_order(case: Case) -> None:
    listener, address = case.listening()
    sent = [b"1", b"2", b"3", b"4"][: several(case)]
    for data in sent:
        case.peer().connect(address).send(data)
    socks = [expect.accepted(listener.accept()) for _ in sent]
    found = [expect.buffer(sock.recv(10), "recv()") for sock in socks]
    expect.same(found, sent, "what each of the accepted sockets received")


@clause("accept.listener.stays")
def test_a_listener_accepts_again(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    listener.accept()
    peer = case.peer().connect(address)
    accepts_connection_of(listener.accept(), peer)


@clause("accept.listener.same")
def test_the_listener_stays_the_same_socket(case: Case) -> None:
    listener, address = case.listening()
    before = listener.fileno()
    case.peer().connect(address)
    listener.accept()
    with case.view(listener) as view:
        expect.same(view.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), 1, "SO_ACCEPTCONN of the listener")
    expect.same(listener.fileno(), before, "the listener's descriptor")


@clause("accept.waits")
def test_it_waits_for_a_connection(case: Case) -> None:
    listener, address = case.listening()
    pending = listener.start("accept")
    expect.waits(pending, "accept() without a connection")
    peer = case.peer().connect(address)
    accepts_connection_of(pending.outcome(), peer)


@clause("accept.waits.each")
def test_it_waits_for_each_connection(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    listener.accept()
    pending = listener.start("accept")
    expect.waits(pending, "accept() without a connection")
    peer = case.peer().connect(address)
    accepts_connection_of(pending.outcome(), peer)


@clause("accept.non-blocking")
def test_a_non_blocking_call_would_block(case: Case) -> None:
    listener, _ = case.listening()
    expect.true(listener.setblocking(False), "setblocking(False)")
    expect.would_block(listener.accept(), "accept()")


@clause("accept.non-blocking.then")
def test_a_connection_is_accepted_after_would_block(case: Case) -> None:
    listener, address = case.listening()
    expect.true(listener.setblocking(False), "setblocking(False)")
    listener.accept()
    peer = case.peer().connect(address)
    accepts_connection_of(retry_would_block(listener.accept), peer)


@clause("accept.timeout")
def test_a_timeout_is_would_block(case: Case) -> None:
    listener, _ = case.listening()
    expect.true(listener.setopt("socket", "rcvtimeo", (0, 20_000)), "setopt()")
    begin = time.monotonic()
    expect.would_block(listener.accept(), "accept()")
    waited = time.monotonic() - begin
    # The kernel counts in ticks of up to 10 ms.
    expect.holds(waited >= 0.01, "seconds that accept() waited", "0.02", f"{waited:.3f}")


@clause("accept.not-listening")
@pytest.mark.parametrize("state", ["new", "bound", "connected"])
def test_a_socket_that_does_not_listen_fails(case: Case, state: str) -> None:
    sock = case.pair().impl if state == "connected" else case.socket()
    if state == "bound":
        case.bind(sock)
    expect.fails(sock.accept(), "EINVAL", what="accept()")


@clause("accept.failing.leaks-nothing")
def test_failures_leak_no_descriptors(case: Case) -> None:
    listener, _ = case.listening()
    idle, _ = case.bound()
    listener.setblocking(False)
    listener.accept()  # the first call may open a descriptor that the implementation keeps
    idle.accept()
    before = case.descriptors()
    for _ in range(3):
        listener.accept()
        idle.accept()
    expect.same(case.descriptors(), before, "descriptors of the implementation after six calls that failed")
