"""getpeername: the address that the socket is connected to, as it is now."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure, Returned
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address, contract_address
from nixio_fixtures import Kind

WHAT = "getpeername()"
#: POSIX has ENOTCONN; BSD says EINVAL of a socket that was shut down or never could be connected.
NO_PEER = ("ENOTCONN", "EINVAL")


@clause("getpeername.result.shape")
def test_result_shape(either_pair: Pair) -> None:
    found = expect.address(either_pair.impl.getpeername(), WHAT)
    right = type(found[0]) is str and type(found[1]) is int
    expect.holds(right, WHAT, "an address as text and a port as an int", found)


@clause("getpeername.result.unix")
def test_result_unix(either_pair: Pair) -> None:
    found = expect.address(either_pair.impl.getpeername(), WHAT)
    expect.holds(type(found[0]) is str and found[1] is None, WHAT, "a path as text and None", found)


@clause("getpeername.unix.no-port")
def test_unix_no_port(case: Case) -> None:
    sock, peer = case.socket(), case.destination()
    if isinstance(sock.connect(peer.address[0], 80), Failure):  # that is connect's affair
        expect.true(sock.connect(*peer.address), "connect()")
    expect.same(expect.address(sock.getpeername(), WHAT), peer.address, WHAT)


@clause("getpeername.result.raw")
def test_result_raw(case: Case) -> None:
    sock = case.socket()
    expect.true(sock.connect(case.loopback), "connect()")
    outcome = sock.getpeername()
    if not isinstance(outcome, Returned):
        expect.fails(outcome, *NO_PEER, what=WHAT)  # Linux takes a peer's port of 0 for no peer
        return
    found = expect.address(outcome, WHAT)
    expect.holds(found[0] == case.loopback and type(found[1]) is int, WHAT, f"{case.loopback!r} and an int", found)


@clause("getpeername.connected.remote")
def test_connected_remote(either_pair: Pair) -> None:
    expect.at(either_pair.impl.getpeername(), either_pair.peer.address, WHAT)


@clause("getpeername.connected.system")
def test_connected_system(case: Case, kind: Kind, either_pair: Pair) -> None:
    with case.view(either_pair.impl) as seen:
        try:
            expected = contract_address(kind, seen.getpeername())
        except OSError as error:
            expect.mismatch("the port's descriptor, to the system", "connected", error)
    expect.at(either_pair.impl.getpeername(), expected, WHAT)


@clause("getpeername.connected.other-address")
def test_connected_other_address(case: Case, kind: Kind) -> None:
    peer = case.peer().bind(case.own_address())
    if kind.type == "stream":
        peer.listen()
    sock = case.socket()
    expect.true(sock.bind(case.loopback, 0), "bind()")
    expect.true(sock.connect(*peer.address), "connect()")
    expect.at(sock.getpeername(), peer.address, WHAT)


@clause("getpeername.connected.mapped")
def test_connected_mapped(case: Case) -> None:
    ipv4 = case.ipv4_kind()
    listener = case.socket()
    expect.true(listener.bind("::", 0), "bind()")
    expect.true(listener.listen(2), "listen()")
    _, port = expect.address(listener.getsockname(), "getsockname()")
    expect.holds(isinstance(port, int), "the port of getsockname()", "an int", port)
    peer = case.peer(ipv4).connect(("127.0.0.1", port if isinstance(port, int) else 0))
    accepted = expect.accepted(listener.accept())
    expect.at(accepted.getpeername(), ("::ffff:127.0.0.1", peer.address[1]), WHAT)


@clause("getpeername.accepted.named")
def test_accepted_named(case: Case) -> None:
    listener, address = case.listening()
    peer = case.bound_peer().connect(address)
    accepted = expect.accepted(listener.accept())
    expect.at(accepted.getpeername(), peer.address, WHAT)


@clause("getpeername.accepted.unnamed")
def test_accepted_unnamed(case: Case) -> None:
    # Somebody with a name connects first: an address that is kept from there would be told again.
    listener, address = case.listening()
    for peer in (case.bound_peer(), case.peer()):
        peer.connect(address)
    named = expect.accepted(listener.accept())
    named.getpeername()
    unnamed = expect.accepted(listener.accept())
    expect.at(unnamed.getpeername(), ("", None), WHAT)


@clause("getpeername.accepted.each")
@pytest.mark.parametrize("which", [0, 1], ids=["first", "second"])
def test_accepted_each(case: Case, which: int) -> None:
    listener, address = case.listening()
    peers = [case.bound_peer().connect(address) for _ in range(2)]
    accepted = [expect.accepted(listener.accept()) for _ in peers]
    expect.at(accepted[which].getpeername(), peers[which].address, WHAT)


@clause("getpeername.unix.whole-path")
@pytest.mark.parametrize("name", ["longest", "letters"])
def test_unix_whole_path(case: Case, name: str) -> None:
    path = case.path(platforms.this_platform().unix_path - 1) + "!" if name == "longest" else case.path() + " Grün"
    expect.at(_connected_to(case, path).getpeername(), (path, None), WHAT)


@clause("getpeername.unix.abstract")
@pytest.mark.parametrize("ending", [pytest.param(b"", id="plain"), pytest.param(b"\0a\xff\0", id="binary")])
def test_unix_abstract(case: Case, ending: bytes) -> None:
    name = case.abstract(ending)
    expect.at(_connected_to(case, name).getpeername(), (name, None), WHAT)


@clause("getpeername.state.unconnected")
@pytest.mark.parametrize("state", ["new", "bound"])
def test_state_unconnected(case: Case, state: str) -> None:
    sock = case.socket() if state == "new" else case.bound()[0]
    expect.fails(sock.getpeername(), *NO_PEER, what=WHAT)


@clause("getpeername.state.listening")
@pytest.mark.parametrize("queue", ["empty", "waiting"])
def test_state_listening(case: Case, queue: str) -> None:
    sock, address = case.listening()
    if queue == "waiting":
        case.peer().connect(address)
    expect.fails(sock.getpeername(), *NO_PEER, what=WHAT)


@clause("getpeername.state.after-connect")
def test_state_after_connect(case: Case) -> None:
    peer = case.destination()
    sock = case.socket()
    expect.fails(sock.getpeername(), *NO_PEER, what=WHAT)
    expect.true(sock.connect(*peer.address), "connect()")
    expect.at(sock.getpeername(), peer.address, WHAT)


@clause("getpeername.state.failed-connect")
def test_state_failed_connect(case: Case) -> None:
    sock = case.socket()
    expect.fails(sock.connect(*case.bound_peer().address), "ECONNREFUSED", what="connect()")
    expect.fails(sock.getpeername(), *NO_PEER, what=WHAT)


@clause("getpeername.state.reconnected")
def test_state_reconnected(case: Case) -> None:
    sock = case.socket()
    addresses: list[Address] = [case.bound_peer().address, case.bound_peer().address]
    expect.true(sock.connect(*addresses[0]), "connect()")
    expect.at(sock.getpeername(), addresses[0], WHAT)
    expect.true(sock.connect(*addresses[1]), "connect()")
    expect.at(sock.getpeername(), addresses[1], WHAT)


@clause("getpeername.state.peer-closed")
def test_state_peer_closed(either_pair: Pair) -> None:
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
def test_state_exchanged(case: Case, direction: str) -> None:
    sock, address = case.bound()
    peer = case.bound_peer()
    if direction == "sent":
        expect.count(sock.sendto(b"who", *peer.address), 3)
    else:
        peer.sendto(b"who", address)
        expect.returned(sock.recvfrom(64), "recvfrom()")
    expect.fails(sock.getpeername(), *NO_PEER, what=WHAT)


@clause("getpeername.state.sent-elsewhere")
def test_state_sent_elsewhere(case: Case, pair: Pair) -> None:
    """Some systems refuse to send elsewhere from a connected socket; nothing changes then either."""
    pair.impl.sendto(b"x", *case.bound_peer().address)
    expect.at(pair.impl.getpeername(), pair.peer.address, f"{WHAT} after sendto() elsewhere")


def _connected_to(case: Case, name: str | bytes) -> ImplSocket:
    peer = case.peer().bind(name)
    if case.kind.type == "stream":
        peer.listen()
    sock = case.socket()
    expect.true(sock.connect(name, None), "connect()")
    return sock
