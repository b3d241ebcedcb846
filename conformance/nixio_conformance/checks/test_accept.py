"""accept: which connection comes, whose it is said to be, and when the call waits or fails."""

import socket
import time

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.calls import soon
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address, Peer


def accepted(outcome: Outcome) -> ImplSocket:
    """The socket of a call that succeeded; whether the other values are right is for other clauses."""
    return expect.socket(expect.returned(outcome, "accept()")[0], "accept()")


def from_peer(outcome: Outcome, address: Address) -> None:
    """The call accepted the peer that has this address."""
    _, host, port = expect.values(outcome, 3, "accept()")
    expect.same((type(host), host, port), (type(address[0]), *address), "host and port of accept()")
    expect.holds(not isinstance(port, (bool, float)), "port of accept()", "an int", port)


def from_there(outcome: Outcome, peer: Peer) -> None:
    """The call accepted this peer's connection, whatever it says of the address."""
    peer.send(b"x")
    expect.data(accepted(outcome).recv(1), b"x")


def named_peer(case: Case, address: Address) -> Peer:
    """A peer with an address of its own, in UNIX too, that is connected there."""
    return case.bound_peer().connect(address)


@clause("accept.result.values")
def test_three_values(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    expect.values(listener.accept(), 3, "accept()")


@clause("accept.result.socket")
def test_first_value_is_a_socket(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    expect.socket(expect.returned(listener.accept(), "accept()")[0], "the first value of accept()")


@clause("accept.peer.address")
def test_peer_address(case: Case) -> None:
    listener, address = case.listening()
    peer = case.peer().connect(address)
    from_peer(listener.accept(), peer.address)


@clause("accept.peer.host-not-own")
def test_host_is_the_peers(case: Case) -> None:
    listener, address = case.listening()
    peer = case.peer().bind(case.own_address()).connect(address)
    from_peer(listener.accept(), peer.address)


@clause("accept.peer.mapped")
def test_mapped_peer(case: Case) -> None:
    listener = case.socket()
    with case.view(listener) as view:
        view.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        expect.true(listener.bind("::", 0), "bind()")
        port = view.getsockname()[1]
    expect.true(listener.listen(5), "listen()")
    with socket.create_connection(("127.0.0.1", port), 5) as peer:
        from_peer(listener.accept(), ("::ffff:127.0.0.1", peer.getsockname()[1]))


@clause("accept.peer.unix-path")
def test_unix_path(case: Case) -> None:
    listener, address = case.listening()
    peer = named_peer(case, address)
    from_peer(listener.accept(), peer.address)


@clause("accept.peer.unix-longest")
def test_unix_longest_path(case: Case) -> None:
    listener, address = case.listening()
    path = case.path(platforms.this_platform().unix_path)
    case.peer().bind(path).connect(address)
    from_peer(listener.accept(), (path, None))


@clause("accept.peer.unix-unnamed")
def test_unix_unnamed(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    from_peer(listener.accept(), ("", None))


@clause("accept.peer.unix-abstract")
def test_unix_abstract(case: Case) -> None:
    listener, address = case.listening()
    name = case.abstract()
    case.peer().bind(name).connect(address)
    from_peer(listener.accept(), (name, None))


@clause("accept.peer.unix-not-stale")
def test_unix_not_stale(case: Case) -> None:
    listener, address = case.listening()
    named_peer(case, address)
    case.peer().connect(address)
    listener.accept()
    from_peer(listener.accept(), ("", None))


@clause("accept.peer.gone")
def test_peer_that_left(case: Case) -> None:
    listener, address = case.listening()
    peer = named_peer(case, address)
    where = peer.address
    peer.send(b"?")
    peer.close()
    outcome = listener.accept()
    from_peer(outcome, where)
    sock = accepted(outcome)
    expect.data(sock.recv(1), b"?")
    expect.data(sock.recv(1), b"", "after the data")


@clause("accept.peer.reset")
def test_peer_that_broke_off(case: Case) -> None:
    listener, address = case.listening()
    peer = case.peer().connect(address)
    where = peer.address
    peer.reset()
    listener.setblocking(False)  # a system may have forgotten the connection: then there is nothing to wait for
    outcome = listener.accept()
    if isinstance(outcome, Failure):
        # ECONNABORTED is POSIX's word for it. Linux gives the connection.
        expect.fails(outcome, "ECONNABORTED", expect.WOULD_BLOCK, what="accept()")
        return
    from_peer(outcome, where)


@clause("accept.order.addresses")
def test_addresses_in_order(case: Case) -> None:
    listener, address = case.listening()
    peers = [named_peer(case, address).address for _ in range(4)]
    found = [expect.values(listener.accept(), 3, "accept()")[1:] for _ in peers]
    expect.same(found, peers, "the addresses in the order of accept()")


@clause("accept.order.connections")
def test_connections_in_order(case: Case) -> None:
    listener, address = case.listening()
    for byte in b"1234":
        case.peer().connect(address).send(bytes([byte]))
    socks = [accepted(listener.accept()) for _ in range(4)]
    found = [expect.buffer(sock.recv(10), "recv()") for sock in socks]
    expect.same(found, [b"1", b"2", b"3", b"4"], "what each of the accepted sockets received")


@clause("accept.listener.stays")
def test_listener_accepts_again(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    listener.accept()
    peer = case.peer().connect(address)
    from_there(listener.accept(), peer)


@clause("accept.listener.same")
def test_listener_is_the_same(case: Case) -> None:
    listener, address = case.listening()
    before = listener.fileno()
    case.peer().connect(address)
    listener.accept()
    with case.view(listener) as view:
        expect.same(view.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), 1, "SO_ACCEPTCONN of the listener")
    expect.same(listener.fileno(), before, "the listener's descriptor")


@clause("accept.waits")
def test_waits_for_a_connection(case: Case) -> None:
    listener, address = case.listening()
    pending = listener.start("accept")
    expect.holds(pending.blocked(), "accept() while nobody connects", "a call that waits", "a call that came back")
    peer = case.peer().connect(address)
    from_there(pending.outcome(), peer)


@clause("accept.waits.each")
def test_waits_again(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    listener.accept()
    pending = listener.start("accept")
    expect.holds(pending.blocked(), "accept() while nobody connects", "a call that waits", "a call that came back")
    peer = case.peer().connect(address)
    from_there(pending.outcome(), peer)


@clause("accept.non-blocking")
def test_would_block(case: Case) -> None:
    listener, _ = case.listening()
    expect.true(listener.setblocking(False), "setblocking(False)")
    expect.would_block(listener.accept(), "accept()")


@clause("accept.non-blocking.then")
def test_accepts_after_it_would_have_blocked(case: Case) -> None:
    listener, address = case.listening()
    expect.true(listener.setblocking(False), "setblocking(False)")
    listener.accept()
    peer = case.peer().connect(address)
    from_there(soon(listener.accept), peer)


@clause("accept.timeout")
def test_times_out(case: Case) -> None:
    listener, _ = case.listening()
    expect.true(listener.setopt("socket", "rcvtimeo", (0, 20_000)), "setopt()")
    begin = time.monotonic()
    expect.would_block(listener.accept(), "accept()")
    waited = time.monotonic() - begin
    # The kernel counts in ticks of up to 10 ms.
    expect.holds(waited >= 0.01, "seconds that accept() waited", "0.02", f"{waited:.3f}")


@clause("accept.not-listening")
@pytest.mark.parametrize("state", ["new", "bound", "connected"])
def test_not_listening(case: Case, state: str) -> None:
    sock = case.pair().impl if state == "connected" else case.socket()
    if state == "bound":
        case.bind(sock)
    expect.fails(sock.accept(), "EINVAL", what="accept()")


@clause("accept.not-stream")
def test_not_a_stream(case: Case) -> None:
    sock = case.socket() if case.kind.type == "raw" else case.bound()[0]
    expect.fails(sock.accept(), "EOPNOTSUPP", what="accept()")


@clause("accept.failing.leaks-nothing")
def test_failure_leaks_nothing(case: Case) -> None:
    listener, _ = case.listening()
    idle, _ = case.bound()
    listener.setblocking(False)
    listener.accept()  # the first may open what an implementation keeps for all of them
    idle.accept()
    before = case.descriptors()
    for _ in range(3):
        listener.accept()
        idle.accept()
    expect.same(case.descriptors(), before, "descriptors of the port after six calls that failed")
