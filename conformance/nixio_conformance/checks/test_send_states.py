"""send, write and sendto on sockets that are not connected, were shut down, or whose peer has closed."""

from __future__ import annotations

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause, each_sender
from nixio_conformance.toolkit.transfer import Sender

#: POSIX: ENOTCONN for stream sockets, EDESTADDRREQ for others; Linux returns EPIPE for TCP.
UNCONNECTED = ("ENOTCONN", "EPIPE", "EDESTADDRREQ")
#: The other end is closed; TCP reports a reset first if there was one.
GONE = ("EPIPE", "ECONNRESET")


@clause("send.unconnected.fails")
@each_sender
def test_an_unconnected_socket_cannot_send(case: Case, method: str) -> None:
    expect.fails(case.socket().call(method, b"x"), *UNCONNECTED, what=f"{method}()")


@clause("send.listening.fails")
@each_sender
def test_a_listening_socket_cannot_send(case: Case, method: str) -> None:
    sock, _ = case.listening()
    expect.fails(sock.call(method, b"x"), *UNCONNECTED, what=f"{method}()")


@clause("sendto.unconnected.stream")
def test_an_unconnected_stream_cannot_send_to_an_address(case: Case) -> None:
    listener = case.listening_peer()
    outcome = case.socket().sendto(b"x", *listener.address)
    expect.fails(outcome, *UNCONNECTED, "EOPNOTSUPP", what="sendto() on an unconnected stream")


@clause("send.shut-down.fails")
@each_sender
def test_sending_fails_after_shutdown(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    expect.true(sender.sock.shutdown("wr"), "shutdown()")
    expect.fails(sender(b"x"), "EPIPE", what=f"{method}() after shutdown('wr')")


@clause("send.peer-gone.stream")
@each_sender
def test_sending_fails_when_the_peer_has_closed(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    sender.peer.close()
    expect.fails(transfer.until_failure(sender, b"x"), *GONE, what=f"{method}() when the peer has closed")


@clause("send.peer-gone.no-signal")
@each_sender
def test_sending_to_a_closed_peer_raises_no_signal(case: Case, method: str) -> None:
    """Not after a second failure either: the first may be a reset, and only the next raises SIGPIPE."""
    sender = transfer.sender(case, method)
    sender.peer.close()
    transfer.until_failure(sender, b"x")
    sender(b"x")
    expect.true(sender.sock.close(), "close() afterwards")


@clause("send.peer-gone.datagram")
@each_sender
def test_a_datagram_to_a_closed_peer_fails(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    sender.peer.close()
    expect.fails(sender(b"x"), "ECONNREFUSED", "ECONNRESET", "ENOTCONN", what=f"{method}() when the peer has closed")


@clause("send.peer-gone.udp")
@each_sender
def test_the_call_after_a_refused_datagram_fails(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    sender.peer.close()
    expect.fails(transfer.until_failure(sender, b"x"), "ECONNREFUSED", what=f"{method}() after a refused datagram")


@clause("sendto.connected.tcp")
def test_an_address_on_a_connected_tcp_socket_is_ignored_or_refused(case: Case, role: str) -> None:
    """Linux ignores the address, BSD refuses it; the data never goes to the address."""
    made = transfer.sender(case, "sendto", role)
    other = case.listening_peer()
    sender = Sender("sendto", made.sock, made.peer, other.address)
    outcome = sender(b"abc")
    if isinstance(outcome, Failure):
        expect.fails(outcome, "EISCONN", what="sendto() on a connected socket")
        sender.nothing_arrived()
        return
    sender.delivers_count(outcome, b"abc")


@clause("sendto.connected.unix")
def test_an_address_on_a_connected_unix_stream_is_ignored_or_refused(case: Case) -> None:
    """Linux refuses the address even if it is the peer's own."""
    sender = transfer.sender(case, "sendto")
    outcome = sender(b"abc")
    if isinstance(outcome, Failure):
        expect.fails(outcome, "EISCONN", "EOPNOTSUPP", what="sendto() on a connected stream")
        sender.nothing_arrived()
        return
    sender.delivers_count(outcome, b"abc")
