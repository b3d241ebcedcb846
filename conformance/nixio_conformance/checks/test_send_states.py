"""Sending where nobody listens any more, or nobody does yet."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import Sender

SENDERS = pytest.mark.parametrize("method", ["send", "write"])
#: POSIX: ENOTCONN for a socket in connection mode, EDESTADDRREQ for another; Linux says EPIPE for TCP.
UNCONNECTED = ("ENOTCONN", "EPIPE", "EDESTADDRREQ")
#: The other end is gone: TCP says a reset first when it was one.
GONE = ("EPIPE", "ECONNRESET")


@clause("send.unconnected.fails")
@SENDERS
def test_an_unconnected_socket_cannot_send(case: Case, method: str) -> None:
    expect.fails(case.socket().call(method, b"x"), *UNCONNECTED, what=f"{method}()")


@clause("send.listening.fails")
@SENDERS
def test_a_listening_socket_cannot_send(case: Case, method: str) -> None:
    sock, _ = case.listening()
    expect.fails(sock.call(method, b"x"), *UNCONNECTED, what=f"{method}()")


@clause("sendto.unconnected.stream")
def test_an_unconnected_stream_sends_nowhere(case: Case) -> None:
    listener = case.listening_peer()
    outcome = case.socket().sendto(b"x", *listener.address)
    expect.fails(outcome, *UNCONNECTED, "EOPNOTSUPP", what="sendto() on an unconnected stream")


@clause("send.shut-down.fails")
@SENDERS
def test_nothing_is_sent_after_the_own_shutdown(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    expect.true(sender.sock.shutdown("wr"), "shutdown()")
    expect.fails(sender(b"x"), "EPIPE", what=f"{method}() after shutdown('wr')")


@clause("send.peer-gone.stream")
@SENDERS
def test_sending_fails_when_the_peer_has_closed(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    sender.peer.close()
    expect.fails(transfer.until_failure(sender, b"x"), *GONE, what=f"{method}() when the peer has closed")


@clause("send.peer-gone.no-signal")
@SENDERS
def test_a_peer_that_is_gone_kills_nobody(case: Case, method: str) -> None:
    """A second failure too: the first may be a reset, the next is what raises SIGPIPE."""
    sender = transfer.sender(case, method)
    sender.peer.close()
    transfer.until_failure(sender, b"x")
    sender(b"x")
    expect.true(sender.sock.close(), "close() afterwards")


@clause("send.peer-gone.datagram")
@SENDERS
def test_a_datagram_for_a_peer_that_has_closed_fails(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    sender.peer.close()
    expect.fails(sender(b"x"), "ECONNREFUSED", "ECONNRESET", "ENOTCONN", what=f"{method}() when the peer has closed")


@clause("send.peer-gone.udp")
@SENDERS
def test_a_refused_datagram_is_told_by_the_next_call(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    sender.peer.close()
    expect.fails(transfer.until_failure(sender, b"x"), "ECONNREFUSED", what=f"{method}() after a refused datagram")


@clause("sendto.connected.tcp")
def test_an_address_on_a_connected_tcp_socket(case: Case, role: str) -> None:
    """Linux ignores it, BSD refuses it; the data go nowhere else in either case."""
    made = transfer.sender(case, "sendto", role)
    other = case.listening_peer()
    sender = Sender("sendto", made.sock, made.peer, other.address)
    outcome = sender(b"abc")
    if isinstance(outcome, Failure):
        expect.fails(outcome, "EISCONN", what="sendto() on a connected socket")
        sender.nothing_arrived()
        return
    count = sender.count(outcome, 3)
    expect.same(sender.arrived(), [b"abc"[:count]], "what the connected peer received")


@clause("sendto.connected.unix")
def test_an_address_on_a_connected_unix_stream(case: Case) -> None:
    """Linux refuses it even if it is the peer's own."""
    sender = transfer.sender(case, "sendto")
    outcome = sender(b"abc")
    if isinstance(outcome, Failure):
        expect.fails(outcome, "EISCONN", "EOPNOTSUPP", what="sendto() on a connected stream")
        sender.nothing_arrived()
        return
    count = sender.count(outcome, 3)
    expect.same(sender.arrived(), [b"abc"[:count]], "what the connected peer received")
