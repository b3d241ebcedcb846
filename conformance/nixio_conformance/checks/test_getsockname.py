"""getsockname: the socket's own address, in each state of the socket."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import ANY, Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address, contract_address
from nixio_conformance.toolkit.reach import bound_to_any, port_of
from nixio_fixtures import Kind

WHAT = "getsockname()"


def socket_in_state(case: Case, state: str) -> ImplSocket:
    """A new, bound or connected socket."""
    if state == "bound":
        return case.bound()[0]
    sock = case.socket()
    if state == "connected":
        expect.true(sock.connect(*case.destination().address), "connect()")
    return sock


def address_at_peer(case: Case, sock: ImplSocket) -> Address:
    """Connect the socket to a new peer, and return its address as seen by that peer."""
    peer = case.destination()
    expect.true(sock.connect(*peer.address), "connect()")
    if case.kind.type == "stream":
        return case.keep(peer.accept()).remote
    expect.count(sock.send(b"who"), 3)
    return peer.recvfrom()[1]


@clause("getsockname.result.shape")
@pytest.mark.parametrize("state", ["new", "bound", "connected"])
def test_the_result_is_a_host_and_a_port(case: Case, state: str) -> None:
    sock = socket_in_state(case, state)
    found = expect.address(sock.getsockname(), WHAT)
    right = type(found[0]) is str and type(found[1]) is int
    expect.holds(right, WHAT, "an address as text and a port as an int", found)


@clause("getsockname.result.raw")
def test_an_unbound_raw_socket_has_the_unspecified_address(case: Case, kind: Kind) -> None:
    found = expect.address(case.socket().getsockname(), WHAT)
    expect.holds(
        found[0] == ANY[kind.domain] and type(found[1]) is int, WHAT, f"{ANY[kind.domain]!r} and an int", found
    )


@clause("getsockname.bound.local")
def test_a_bound_address_is_the_systems(case: Case, kind: Kind) -> None:
    sock, _ = case.bound()
    with case.view(sock) as seen:
        expected = contract_address(kind, seen.getsockname())
    expect.at(sock.getsockname(), expected, WHAT)


@clause("getsockname.bound.sender")
def test_a_bound_address_is_the_one_that_a_receiver_sees(case: Case) -> None:
    sock, _ = case.bound()
    peer = case.bound_peer()
    expect.count(sock.sendto(b"who", *peer.address), 3)
    _, sender = peer.recvfrom()
    expect.at(sock.getsockname(), sender, WHAT)


@clause("getsockname.bound.reached")
def test_a_bound_address_can_be_connected_to(case: Case) -> None:
    sock, _ = case.listening()
    case.peer().connect(case.named(sock))
    expect.accepted(sock.accept())


@clause("getsockname.bound.wildcard")
def test_bound_to_all_addresses_it_has_a_port(case: Case, kind: Kind) -> None:
    sock, port = bound_to_any(case)
    expect.at(sock.getsockname(), (ANY[kind.domain], port), WHAT)


@clause("getsockname.bound.other-address")
def test_the_host_is_the_bound_one(case: Case) -> None:
    sock = case.socket()
    address = case.own_address()
    expect.true(sock.bind(address, 0), "bind()")
    expect.same(expect.address(sock.getsockname(), WHAT)[0], address, "the host of getsockname()")


@clause("getsockname.unbound.unspecified")
def test_an_unbound_socket_has_the_unspecified_address(case: Case, kind: Kind) -> None:
    outcome = case.socket().getsockname()
    if not isinstance(outcome, Returned):
        expect.fails(outcome, "EINVAL", what=WHAT)  # Windows
        return
    expect.at(outcome, (ANY[kind.domain], 0), WHAT)


@clause("getsockname.unbound.unnamed")
def test_an_unbound_unix_socket_is_unnamed(case: Case) -> None:
    expect.at(case.socket().getsockname(), ("", None), WHAT)


@clause("getsockname.state.after-bind")
def test_bind_changes_the_address(case: Case, kind: Kind) -> None:
    sock = case.socket()
    sock.getsockname()
    if kind.domain == "unix":
        path = case.path()
        expect.true(sock.bind(path, None), "bind()")
        expect.at(sock.getsockname(), (path, None), WHAT)
    else:
        expect.true(sock.bind(case.loopback, 0), "bind()")
        expect.at(sock.getsockname(), (case.loopback, port_of(sock)), WHAT)


@clause("getsockname.state.after-connect")
def test_connect_sets_the_host_of_a_bound_socket(case: Case) -> None:
    peer = case.destination()
    sock, port = bound_to_any(case)
    expect.true(sock.connect(*peer.address), "connect()")
    expect.at(sock.getsockname(), (case.loopback, port), WHAT)


@clause("getsockname.state.connected")
def test_connect_gives_an_address(case: Case) -> None:
    sock = case.socket()
    sock.getsockname()
    seen = address_at_peer(case, sock)
    expect.at(sock.getsockname(), seen, WHAT)


@clause("getsockname.state.connected-unnamed")
def test_a_connected_unix_socket_stays_unnamed(case: Case) -> None:
    sock = socket_in_state(case, "connected")
    expect.at(sock.getsockname(), ("", None), WHAT)


@clause("getsockname.state.sent")
def test_sendto_gives_a_port(case: Case) -> None:
    sock = case.socket()
    peer = case.bound_peer()
    sock.getsockname()
    expect.count(sock.sendto(b"who", *peer.address), 3)
    _, sender = peer.recvfrom()
    # Linux leaves the host unspecified until the socket is connected; other systems may set it.
    expect.same(expect.address(sock.getsockname(), WHAT)[1], sender[1], "the port of getsockname()")


@clause("getsockname.state.failed-bind")
def test_a_failed_bind_keeps_the_address(case: Case) -> None:
    sock, address = case.bound()
    other = case.bound_peer()
    expect.fails(sock.bind(*other.address), "EINVAL", "EADDRINUSE", what="bind()")
    expect.at(sock.getsockname(), address, WHAT)


@clause("getsockname.state.peer-closed")
def test_the_address_stays_when_the_peer_closes(case: Case, either_pair: Pair) -> None:
    before = expect.address(either_pair.impl.getsockname(), WHAT)
    either_pair.peer.close()
    expect.data(either_pair.impl.recv(16), b"")
    expect.at(either_pair.impl.getsockname(), before, WHAT)


@clause("getsockname.accepted.local")
def test_an_accepted_socket_has_the_address_that_the_peer_connected_to(case: Case) -> None:
    pair = case.pair("server")
    expect.at(pair.impl.getsockname(), pair.peer.remote, WHAT)


@clause("getsockname.accepted.wildcard")
def test_an_accepted_socket_of_a_listener_on_all_addresses_has_one(case: Case) -> None:
    listener, port = bound_to_any(case)
    expect.true(listener.listen(2), "listen()")
    case.peer().connect((case.loopback, port))
    accepted = expect.accepted(listener.accept())
    expect.at(accepted.getsockname(), (case.loopback, port), WHAT)


@clause("getsockname.accepted.mapped")
def test_an_accepted_socket_with_an_ipv4_peer_has_a_mapped_address(case: Case) -> None:
    ipv4 = case.ipv4_kind()
    listener = case.socket()
    expect.true(listener.bind("::", 0), "bind()")
    expect.true(listener.listen(2), "listen()")
    port = port_of(listener)
    case.peer(ipv4).connect(("127.0.0.1", port))
    accepted = expect.accepted(listener.accept())
    expect.at(accepted.getsockname(), ("::ffff:127.0.0.1", port), WHAT)
