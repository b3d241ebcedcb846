"""recv, read and recvfrom without data: they wait, fail with would-block, or report an error."""

from __future__ import annotations

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause, each_receiver
from nixio_conformance.toolkit.transfer import data_of, receive, receive_message

#: Linux returns EINVAL for a UNIX stream.
UNCONNECTED = ("ENOTCONN", "EINVAL")


@clause("recv.waits.until-data")
@each_receiver
def test_a_call_waits_for_data(pair: Pair, method: str) -> None:
    pending = pair.impl.start(method, 10)
    expect.waits(pending, f"{method}() without data")
    pair.peer.send(b"x")
    expect.same(data_of(pending.outcome(), f"{method}()"), b"x", "data received")


@clause("recv.waits.until-end")
@each_receiver
def test_a_call_waits_for_the_end_of_the_stream(pair: Pair, method: str) -> None:
    pending = pair.impl.start(method, 10)
    expect.waits(pending, f"{method}() without data")
    pair.peer.close()
    expect.same(data_of(pending.outcome(), f"{method}()"), b"", "data at the end of the stream")


@clause("recv.would-block.empty")
@each_receiver
def test_without_data_it_would_block(pair: Pair, method: str) -> None:
    expect.true(pair.impl.setblocking(False), "setblocking()")
    expect.would_block(pair.impl.call(method, 10), f"{method}() without data")


@clause("recv.would-block.drained")
@each_receiver
def test_after_the_data_it_would_block(pair: Pair, method: str) -> None:
    pair.peer.send(b"abc")
    receive_message(pair.impl, method, pair.peer, 3)
    expect.true(pair.impl.setblocking(False), "setblocking()")
    expect.would_block(pair.impl.call(method, 10), f"{method}() after all data was received")


@clause("recv.would-block.loses-nothing")
@each_receiver
def test_data_is_received_after_would_block(pair: Pair, method: str) -> None:
    expect.true(pair.impl.setblocking(False), "setblocking()")
    pair.impl.call(method, 10)
    expect.true(pair.impl.setblocking(True), "setblocking()")
    pair.peer.send(b"abc")
    expect.same(receive_message(pair.impl, method, pair.peer, 3), b"abc", "data received")


@clause("recv.would-block.end")
@each_receiver
def test_the_end_of_the_stream_does_not_block(pair: Pair, method: str) -> None:
    """The first call waits until the end has arrived."""
    pair.peer.close()
    receive(pair.impl, method, 10)
    expect.true(pair.impl.setblocking(False), "setblocking()")
    expect.same(receive(pair.impl, method, 10), b"", "data at the end of the stream")


@clause("recv.timeout.would-block")
@each_receiver
def test_a_timeout_is_would_block(pair: Pair, method: str) -> None:
    expect.true(pair.impl.setopt("socket", "rcvtimeo", (0, 10000)), "setopt()")
    expect.would_block(pair.impl.call(method, 10), f"{method}() after its timeout")


@clause("recv.unconnected.stream")
@each_receiver
def test_an_unconnected_stream_fails(case: Case, method: str) -> None:
    expect.fails(case.socket().call(method, 10), *UNCONNECTED, what=f"{method}()")


@clause("recv.listening.fails")
@each_receiver
def test_a_listening_socket_fails(case: Case, method: str) -> None:
    sock, _ = case.listening()
    expect.fails(sock.call(method, 10), *UNCONNECTED, what=f"{method}()")


@clause("recv.reset.told")
@each_receiver
def test_a_reset_is_an_error(pair: Pair, method: str) -> None:
    pair.peer.reset()
    expect.fails(pair.impl.call(method, 10), "ECONNRESET", what=f"{method}() after a reset")


@clause("recv.reset.while-waiting")
@each_receiver
def test_a_reset_ends_a_waiting_call(pair: Pair, method: str) -> None:
    pending = pair.impl.start(method, 10)
    pending.blocked()
    pair.peer.reset()
    expect.fails(pending.outcome(), "ECONNRESET", what=f"{method}() after a reset")


@clause("recv.refused.told")
@each_receiver
def test_a_refused_datagram_is_an_error(pair: Pair, method: str) -> None:
    """The system reports the refusal to the connected UDP socket, which ends a waiting call."""
    pair.peer.close()
    expect.count(pair.impl.send(b"x"), 1)
    expect.fails(pair.impl.call(method, 10), "ECONNREFUSED", what=f"{method}() after a refused datagram")


@clause("recv.refused.once")
@each_receiver
def test_a_refused_datagram_is_reported_once(pair: Pair, method: str) -> None:
    pair.peer.close()
    pair.impl.send(b"x")
    pair.impl.call(method, 10)
    expect.true(pair.impl.setblocking(False), "setblocking()")
    expect.would_block(pair.impl.call(method, 10), f"{method}() after the refusal was reported")


@clause("recv.unbound.would-block")
@each_receiver
def test_an_unbound_datagram_socket_would_block_or_fails(case: Case, method: str) -> None:
    """Some systems report that it is not bound."""
    sock = case.socket()
    expect.true(sock.setblocking(False), "setblocking()")
    outcome = sock.call(method, 10)
    if isinstance(outcome, Failure) and outcome.kind == "system":
        expect.fails(outcome, *UNCONNECTED, what=f"{method}()")
        return
    expect.would_block(outcome, f"{method}() on an unbound socket")
