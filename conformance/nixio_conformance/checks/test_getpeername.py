"""getpeername: the address that the socket is connected to, in each state of the socket."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address, contract_address
from nixio_conformance.toolkit.reach import peer_at, port_of
from nixio_fixtures import Kind

WHAT = "getpeername()"
#: POSIX has ENOTCONN; BSD returns EINVAL for a socket that was shut down or cannot be connected.
NO_PEER = ("ENOTCONN", "EINVAL")


@clause("getpeername.result.shape")
def test_the_result_is_a_host_and_a_port(either_pair: Pair) -> None:
    found = expect.address(either_pair.impl.getpeername(), WHAT)
    right = type(found[0]) is str and type(found[1]) is int
    expect.holds(right, WHAT, "an address as text and a port as an int", found)


@clause("getpeername.result.raw")
def test_a_connected_raw_socket_has_the_peers_host(case: Case) -> None:
    sock = case.socket()
    expect.true(sock.connect(case.loopback), "connect()")
    outcome = sock.getpeername()
    if not isinstance(outcome, Returned):
        expect.fails(outcome, *NO_PEER, what=WHAT)  # on Linux, a peer with port 0 counts as no peer
        return
    found = expect.address(outcome, WHAT)
    expect.holds(found[0] == case.loopback and type(found[1]) is int, WHAT, f"{case.loopback!r} and an int", found)


@clause("getpeername.connected.remote")
def test_the_address_is_the_peers(either_pair: Pair) -> None:
    expect.at(either_pair.impl.getpeername(), either_pair.peer.address, WHAT)


@clause("getpeername.connected.system")
def test_the_address_is_the_systems(case: Case, kind: Kind, either_pair: Pair) -> None:
    with case.view(either_pair.impl) as seen:
        try:
            expected = contract_address(kind, seen.getpeername())
        except OSError as error:
            expect.mismatch("the implementation's descriptor in the kernel", "connected", error)
    expect.at(either_pair.impl.getpeername(), expected, WHAT)


@clause("getpeername.connected.other-address")
def test_the_host_is_the_peers_own(case: Case) -> None:
    peer = peer_at(case, case.own_address())
    sock = case.socket()
    expect.true(sock.bind(case.loopback, 0), "bind()")
    expect.true(sock.connect(*peer.address), "connect()")
    expect.at(sock.getpeername(), peer.address, WHAT)


@clause("getpeername.connected.mapped")
def test_an_ipv4_peer_is_an_ipv4_mapped_address(case: Case) -> None:
    ipv4 = case.ipv4_kind()
    listener = case.socket()
    expect.true(listener.bind("::", 0), "bind()")
    expect.true(listener.listen(2), "listen()")
    peer = case.peer(ipv4).connect(("127.0.0.1", port_of(listener)))
    accepted = expect.accepted(listener.accept())
    expect.at(accepted.getpeername(), ("::ffff:127.0.0.1", peer.address[1]), WHAT)


@clause("getpeername.accepted.named")
def test_the_peer_of_an_accepted_socket_is_returned(case: Case) -> None:
    listener, address = case.listening()
    peer = case.bound_peer().connect(address)
    accepted = expect.accepted(listener.accept())
    expect.at(accepted.getpeername(), peer.address, WHAT)


@clause("getpeername.accepted.unnamed")
def test_an_unnamed_peer_of_an_accepted_socket_is_empty(case: Case) -> None:
    # A named peer connects first: if the implementation kept that address, it would be returned again.
    listener, address = case.listening()
    for peer in (case.bound_peer(), case.peer()):
        peer.connect(address)
    named = expect.accepted(listener.accept())
    named.getpeername()
    unnamed = expect.accepted(listener.accept())
    expect.at(unnamed.getpeername(), ("", None), WHAT)


@clause("getpeername.accepted.each")
@pytest.mark.parametrize("which", [0, 1], ids=["first", "second"])
def test_each_accepted_socket_has_its_own_peer(case: Case, which: int) -> None:
    listener, address = case.listening()
    peers = [case.bound_peer().connect(address) for _ in range(2)]
    accepted = [expect.accepted(listener.accept()) for _ in peers]
    expect.at(accepted[which].getpeername(), peers[which].address, WHAT)


@clause("getpeername.state.unconnected")
@pytest.mark.parametrize("state", ["new", "bound"])
def test_an_unconnected_socket_fails(case: Case, state: str) -> None:
    sock = case.socket() if state == "new" else case.bound()[0]
    expect.fails(sock.getpeername(), *NO_PEER, what=WHAT)


@clause("getpeername.state.listening")
@pytest.mark.parametrize("queue", ["empty", "waiting"])
def test_a_listening_socket_fails(case: Case, queue: str) -> None:
    sock, address = case.listening()
    if queue == "waiting":
        case.peer().connect(address)
    expect.fails(sock.getpeername(), *NO_PEER, what=WHAT)


@clause("getpeername.state.after-connect")
def test_connect_sets_the_address(case: Case) -> None:
    peer = case.destination()
    sock = case.socket()
    expect.fails(sock.getpeername(), *NO_PEER, what=WHAT)
    expect.true(sock.connect(*peer.address), "connect()")
    expect.at(sock.getpeername(), peer.address, WHAT)


@clause("getpeername.state.failed-connect")
def test_a_failed_connect_sets_no_address(case: Case) -> None:
    sock = case.socket()
    expect.fails(sock.connect(*case.bound_peer().address), "ECONNREFUSED", what="connect()")
    expect.fails(sock.getpeername(), *NO_PEER, what=WHAT)


@clause("getpeername.state.reconnected")
def test_a_second_connect_changes_the_address(case: Case) -> None:
    sock = case.socket()
    addresses: list[Address] = [case.bound_peer().address, case.bound_peer().address]
    expect.true(sock.connect(*addresses[0]), "connect()")
    expect.at(sock.getpeername(), addresses[0], WHAT)
    expect.true(sock.connect(*addresses[1]), "connect()")
    expect.at(sock.getpeername(), addresses[1], WHAT)


@clause("getpeername.state.peer-closed")
def test_after_the_peer_closed_the_address_stays_or_it_fails(either_pair: Pair) -> None:
    address = either_pair.peer.address
    either_pair.peer.close()
    expect.data(either_pair.impl.recv(16), b"")
    outcome = either_pair.impl.getpeername()
    if isinstance(outcome, Returned):
        expect.at(outcome, address, WHAT)
    else:
        expect.fails(outcome, *NO_PEER, what=WHAT)


@clause("getpeername.state.exchanged")
@pytest.mark.parametrize("direction", ["sent", "received"])
def test_datagrams_do_not_set_the_address(case: Case, direction: str) -> None:
    sock, address = case.bound()
    peer = case.bound_peer()
    if direction == "sent":
        expect.count(sock.sendto(b"who", *peer.address), 3)
    else:
        peer.sendto(b"who", address)
        expect.returned(sock.recvfrom(64), "recvfrom()")
    expect.fails(sock.getpeername(), *NO_PEER, what=WHAT)


@clause("getpeername.state.sent-elsewhere")
def test_sendto_elsewhere_keeps_the_address(case: Case, pair: Pair) -> None:
    """Some systems refuse to send elsewhere from a connected socket; then the address stays, too."""
    pair.impl.sendto(b"x", *case.bound_peer().address)
    expect.at(pair.impl.getpeername(), pair.peer.address, f"{WHAT} after sendto() elsewhere")
