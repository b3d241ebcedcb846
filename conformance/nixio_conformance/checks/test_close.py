"""close: what it ends, and what it leaves alone. Use after close stands in test_close_after."""

from pathlib import Path

import pytest

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.text import show
from nixio_conformance.host import observer
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause

#: Enough to fill more than one segment, and little enough for any buffer.
DATA = bytes(range(256)) * 16


def connected(pair: Pair) -> None:
    """The pair's two ends are still connected, in both directions."""
    expect.count(pair.impl.send(b">"), 1)
    expect.same(pair.peer.recv(), b">", "what the peer received")
    pair.peer.send(b"<")
    expect.data(pair.impl.recv(10), b"<")


def inode(case: Case, sock: ImplSocket) -> str:
    """The system's name of a socket."""
    return observer.descriptors(case.session.pid).get(expect.integer(sock.fileno(), "fileno()"), "nothing")


def gone(case: Case, name: str) -> None:
    """The port holds this socket no more."""
    held = observer.sockets(case.session.pid)
    expect.holds(name not in held, "descriptors after close()", f"none for {name}", f"one for {name}")


@clause("close.result.true")
def test_returns_true(case: Case) -> None:
    expect.true(case.socket().close(), "close()")


@clause("close.result.connected")
def test_returns_true_when_connected(either_pair: Pair) -> None:
    expect.true(either_pair.impl.close(), "close()")


@clause("close.result.listening")
@pytest.mark.parametrize("waiting", [pytest.param(False, id="nobody"), pytest.param(True, id="somebody")])
def test_returns_true_when_listening(case: Case, waiting: bool) -> None:
    listener, address = case.listening()
    if waiting:
        case.peer().connect(address)
    expect.true(listener.close(), "close()")


@clause("close.result.state")
@pytest.mark.parametrize("state", ["peer-closed", "reset", "unread", "shut-down", "non-blocking"])
def test_returns_true_in_any_state(either_pair: Pair, state: str) -> None:
    port, peer = either_pair.impl, either_pair.peer
    if state == "peer-closed":
        peer.close()
    elif state == "reset":
        expect.count(port.send(b"!"), 1)
        peer.close()  # with something unread: that breaks the connection
    elif state == "unread":
        peer.send(b"?")
    elif state == "shut-down":
        expect.true(port.shutdown("rdwr"), "shutdown()")
    else:
        expect.true(port.setblocking(False), "setblocking()")
    expect.true(port.close(), "close()")


@clause("close.peer.end")
def test_peer_reads_the_end(either_pair: Pair) -> None:
    either_pair.impl.close()
    expect.same(either_pair.peer.recv(), b"", "what the peer received")


@clause("close.peer.data-first")
def test_data_comes_before_the_end(either_pair: Pair) -> None:
    count = expect.integer(either_pair.impl.send(DATA), "send()")
    either_pair.impl.close()
    got = either_pair.peer.recv_all()
    expect.holds(got == DATA[:count], "all that the peer received", show(DATA[:count]), show(got))


@clause("close.descriptor.new")
def test_descriptor_of_a_new_socket(case: Case) -> None:
    sock = case.socket()
    name = inode(case, sock)
    sock.close()
    gone(case, name)


@clause("close.descriptor.connected")
def test_descriptor_of_a_connection(case: Case, either_pair: Pair) -> None:
    name = inode(case, either_pair.impl)
    either_pair.impl.close()
    gone(case, name)


@clause("close.descriptor.listening")
def test_descriptor_of_a_listener(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    listener.accept()
    name = inode(case, listener)
    listener.close()
    gone(case, name)


@clause("close.descriptor.none-left")
def test_no_descriptor_is_left(case: Case) -> None:
    case.socket().close()  # the first may open what an implementation keeps for all of them
    before = case.descriptors()
    for _ in range(3):
        case.socket().close()
    expect.same(case.descriptors(), before, "descriptors of the port after three sockets were closed")


@clause("close.listener.refuses")
def test_listener_refuses(case: Case) -> None:
    listener, address = case.listening()
    peer = case.bound_peer()  # before the address is free, so that it cannot be the peer's own
    listener.close()
    expect.same(peer.attempt(address), "ECONNREFUSED", "a peer that connects")


@clause("close.dgram.deaf")
def test_datagrams_are_not_taken_in(case: Case) -> None:
    sock, address = case.bound()
    sock.close()
    expect.same(case.peer().attempt(address), "ECONNREFUSED", "a peer that connects")


@clause("close.unix.path-stays")
def test_path_stays(case: Case) -> None:
    sock, (path, _) = case.bound()
    sock.close()
    expect.holds(Path(str(path)).is_socket(), "the path of the closed socket", "a socket", "nothing")


@clause("close.unix.other-files")
def test_peers_path_stays(case: Case, either_pair: Pair) -> None:
    address = either_pair.peer.remote if either_pair.listener else either_pair.peer.address
    either_pair.impl.close()
    expect.holds(Path(str(address[0])).is_socket(), "the path that the socket was connected to", "a socket", "nothing")


@clause("close.shared")
def test_connection_stays_for_others(case: Case, either_pair: Pair) -> None:
    with case.view(either_pair.impl) as view:
        view.settimeout(5)
        either_pair.impl.close()
        try:
            view.send(b">")
        except BrokenPipeError as error:
            expect.mismatch("sending on another descriptor of the socket", "success", error)
        expect.same(either_pair.peer.recv(), b">", "what the peer received")
        either_pair.peer.send(b"<")
        expect.same(view.recv(10), b"<", "what another descriptor of the socket received")


@clause("close.independent")
def test_other_sockets_stay(case: Case) -> None:
    first, second, third = case.pair(), case.pair(), case.pair()
    second.impl.close()
    connected(first)
    connected(third)


@clause("close.garbage.closes")
def test_garbage_is_closed(case: Case, either_pair: Pair) -> None:
    name = inode(case, either_pair.impl)
    either_pair.impl.release()
    gone(case, name)


@clause("close.garbage.peer-end")
def test_peer_of_garbage_reads_the_end(either_pair: Pair) -> None:
    either_pair.impl.release()
    expect.same(either_pair.peer.recv(), b"", "what the peer received")


@clause("close.garbage.once")
def test_garbage_is_not_closed_again(case: Case, either_pair: Pair) -> None:
    either_pair.impl.close()
    other = case.pair()
    either_pair.impl.release()
    connected(other)
