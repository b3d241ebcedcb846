"""close: what it closes, and what it leaves unchanged. Calls after close are in test_close_after."""

from pathlib import Path

import pytest

from nixio_conformance.driver.text import show
from nixio_conformance.host import observer
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import both_directions

#: More than one TCP segment, and less than the smallest buffer.
DATA = bytes(range(256)) * 16


def is_released(case: Case, name: str) -> None:
    """Check that the agent no longer holds this socket (`socket:[INODE]`)."""
    held = observer.sockets(case.session.pid)
    expect.holds(name not in held, "descriptors after close()", f"none for {name}", f"one for {name}")


@clause("close.result.connected")
def test_closing_a_connection_is_true(either_pair: Pair) -> None:
    expect.true(either_pair.impl.close(), "close()")


@clause("close.result.listening")
@pytest.mark.parametrize("waiting", [False, True], ids=["nobody", "somebody"])  # words: allow
def test_closing_a_listener_is_true(case: Case, waiting: bool) -> None:
    listener, address = case.listening()
    if waiting:
        case.peer().connect(address)
    expect.true(listener.close(), "close()")


@clause("close.result.state")
@pytest.mark.parametrize("state", ["peer-closed", "reset", "unread", "shut-down", "non-blocking"])
def test_closing_in_any_state_is_true(either_pair: Pair, state: str) -> None:
    sock, peer = either_pair.impl, either_pair.peer
    if state == "peer-closed":
        peer.close()
    elif state == "reset":
        expect.count(sock.send(b"!"), 1)
        peer.close()  # with unread data, which resets the connection
    elif state == "unread":
        peer.send(b"?")
    elif state == "shut-down":
        expect.true(sock.shutdown("rdwr"), "shutdown()")
    else:
        expect.true(sock.setblocking(False), "setblocking()")
    expect.true(sock.close(), "close()")


@clause("close.peer.end")
def test_the_peer_reads_the_end(either_pair: Pair) -> None:
    either_pair.impl.close()
    expect.same(either_pair.peer.recv(), b"", "what the peer received")


@clause("close.peer.data-first")
def test_data_arrives_before_the_end(either_pair: Pair) -> None:
    count = expect.integer(either_pair.impl.send(DATA), "send()")
    either_pair.impl.close()
    got = either_pair.peer.recv_all()
    expect.holds(got == DATA[:count], "all that the peer received", show(DATA[:count]), show(got))


@clause("close.descriptor.new")
def test_the_descriptor_of_a_new_socket_is_released(case: Case) -> None:
    sock = case.socket()
    name = case.descriptor(sock)[1]
    sock.close()
    is_released(case, name)


@clause("close.descriptor.connected")
def test_the_descriptor_of_a_connection_is_released(case: Case, either_pair: Pair) -> None:
    name = case.descriptor(either_pair.impl)[1]
    either_pair.impl.close()
    is_released(case, name)


@clause("close.descriptor.listening")
def test_the_descriptor_of_a_listener_is_released(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    listener.accept()
    name = case.descriptor(listener)[1]
    listener.close()
    is_released(case, name)


@clause("close.descriptor.none-left")
def test_no_descriptor_is_left(case: Case) -> None:
    case.socket().close()  # the first call may open a descriptor that the implementation keeps
    before = case.descriptors()
    for _ in range(3):
        case.socket().close()
    expect.same(case.descriptors(), before, "descriptors of the implementation after three sockets were closed")


@clause("close.listener.refuses")
def test_a_closed_listener_refuses(case: Case) -> None:
    listener, address = case.listening()
    peer = case.bound_peer()  # bound while the address is in use, so that the peer gets another one
    listener.close()
    expect.same(peer.attempt(address), "ECONNREFUSED", "a peer that connects")


@clause("close.dgram.deaf")
def test_a_closed_datagram_socket_refuses(case: Case) -> None:
    sock, address = case.bound()
    sock.close()
    expect.same(case.peer().attempt(address), "ECONNREFUSED", "a peer that connects")


@clause("close.unix.path-stays")
def test_the_path_stays(case: Case) -> None:
    sock, (path, _) = case.bound()
    sock.close()
    expect.holds(Path(str(path)).is_socket(), "the path of the closed socket", "a socket", "nothing")


@clause("close.unix.other-files")
def test_the_peers_path_stays(case: Case, either_pair: Pair) -> None:
    address = either_pair.peer.remote if either_pair.listener else either_pair.peer.address
    either_pair.impl.close()
    expect.holds(Path(str(address[0])).is_socket(), "the path that the socket was connected to", "a socket", "nothing")


@clause("close.shared")
def test_the_connection_stays_for_another_descriptor(case: Case, either_pair: Pair) -> None:
    with case.view(either_pair.impl) as view:
        view.settimeout(5)
        either_pair.impl.close()
        view.send(b">")
        expect.same(either_pair.peer.recv(), b">", "what the peer received")
        either_pair.peer.send(b"<")
        expect.same(view.recv(10), b"<", "what another descriptor of the socket received")


@clause("close.independent")
def test_other_sockets_stay(case: Case) -> None:
    first, second, third = case.pair(), case.pair(), case.pair()
    second.impl.close()
    both_directions(first.impl, first.peer)
    both_directions(third.impl, third.peer)


@clause("close.garbage.closes")
def test_garbage_is_closed(case: Case, either_pair: Pair) -> None:
    name = case.descriptor(either_pair.impl)[1]
    either_pair.impl.release()
    is_released(case, name)


@clause("close.garbage.peer-end")
def test_peer_of_garbage_reads_the_end(either_pair: Pair) -> None:
    either_pair.impl.release()
    expect.same(either_pair.peer.recv(), b"", "what the peer received")


@clause("close.garbage.once")
def test_garbage_is_not_closed_again(case: Case, either_pair: Pair) -> None:
    either_pair.impl.close()
    other = case.pair()
    either_pair.impl.release()
    both_directions(other.impl, other.peer)
