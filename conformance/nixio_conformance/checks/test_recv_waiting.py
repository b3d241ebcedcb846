"""Receiving when nothing is there: wait, say would-block, or say what is wrong."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import data_of, receive, receive_message

METHODS = pytest.mark.parametrize("method", ["recv", "read", "recvfrom"])
#: Linux says EINVAL for a UNIX stream.
UNCONNECTED = ("ENOTCONN", "EINVAL")


@clause("recv.waits.until-data")
@METHODS
def test_it_waits_for_data(pair: Pair, method: str) -> None:
    pending = pair.impl.start(method, 10)
    expect.holds(pending.blocked(), f"{method}() when nothing is there", "that it waits", "that it came back")
    pair.peer.send(b"x")
    expect.same(data_of(pending.outcome(), f"{method}()"), b"x", "data received")


@clause("recv.waits.until-end")
@METHODS
def test_it_waits_for_the_end(pair: Pair, method: str) -> None:
    pending = pair.impl.start(method, 10)
    expect.holds(pending.blocked(), f"{method}() when nothing is there", "that it waits", "that it came back")
    pair.peer.close()
    expect.same(data_of(pending.outcome(), f"{method}()"), b"", "data at the end of the stream")


@clause("recv.would-block.empty")
@METHODS
def test_nothing_there_would_block(pair: Pair, method: str) -> None:
    expect.true(pair.impl.setblocking(False), "setblocking()")
    expect.would_block(pair.impl.call(method, 10), f"{method}() when nothing is there")


@clause("recv.would-block.drained")
@METHODS
def test_after_the_data_it_would_block(pair: Pair, method: str) -> None:
    pair.peer.send(b"abc")
    receive_message(pair.impl, method, pair.peer, 3)
    expect.true(pair.impl.setblocking(False), "setblocking()")
    expect.would_block(pair.impl.call(method, 10), f"{method}() when nothing is there any more")


@clause("recv.would-block.loses-nothing")
@METHODS
def test_data_come_after_would_block(pair: Pair, method: str) -> None:
    expect.true(pair.impl.setblocking(False), "setblocking()")
    pair.impl.call(method, 10)
    expect.true(pair.impl.setblocking(True), "setblocking()")
    pair.peer.send(b"abc")
    expect.same(receive_message(pair.impl, method, pair.peer, 3), b"abc", "data received")


@clause("recv.would-block.end")
@METHODS
def test_the_end_does_not_block(pair: Pair, method: str) -> None:
    """The first call waits for the end to arrive."""
    pair.peer.close()
    receive(pair.impl, method, 10)
    expect.true(pair.impl.setblocking(False), "setblocking()")
    expect.same(receive(pair.impl, method, 10), b"", "data at the end of the stream")


@clause("recv.timeout.would-block")
@METHODS
def test_a_timeout_is_would_block(pair: Pair, method: str) -> None:
    expect.true(pair.impl.setopt("socket", "rcvtimeo", (0, 10000)), "setopt()")
    expect.would_block(pair.impl.call(method, 10), f"{method}() when the time is over")


@clause("recv.unconnected.stream")
@METHODS
def test_an_unconnected_stream_receives_nothing(case: Case, method: str) -> None:
    expect.fails(case.socket().call(method, 10), *UNCONNECTED, what=f"{method}()")


@clause("recv.listening.fails")
@METHODS
def test_a_listening_socket_receives_nothing(case: Case, method: str) -> None:
    sock, _ = case.listening()
    expect.fails(sock.call(method, 10), *UNCONNECTED, what=f"{method}()")


@clause("recv.reset.told")
@METHODS
def test_a_reset_is_an_error(pair: Pair, method: str) -> None:
    pair.peer.reset()
    expect.fails(pair.impl.call(method, 10), "ECONNRESET", what=f"{method}() after a reset")


@clause("recv.reset.while-waiting")
@METHODS
def test_a_reset_ends_the_waiting(pair: Pair, method: str) -> None:
    pending = pair.impl.start(method, 10)
    pending.blocked()
    pair.peer.reset()
    expect.fails(pending.outcome(), "ECONNRESET", what=f"{method}() after a reset")


@clause("recv.refused.told")
@METHODS
def test_a_refused_datagram_is_an_error(pair: Pair, method: str) -> None:
    """The system tells a connected UDP socket that nobody was there; the call waits for that, too."""
    pair.peer.close()
    expect.count(pair.impl.send(b"x"), 1)
    expect.fails(pair.impl.call(method, 10), "ECONNREFUSED", what=f"{method}() after a refused datagram")


@clause("recv.refused.once")
@METHODS
def test_a_refused_datagram_is_told_once(pair: Pair, method: str) -> None:
    pair.peer.close()
    pair.impl.send(b"x")
    pair.impl.call(method, 10)
    expect.true(pair.impl.setblocking(False), "setblocking()")
    expect.would_block(pair.impl.call(method, 10), f"{method}() after the refusal was told")


@clause("recv.unbound.would-block")
@METHODS
def test_an_unbound_datagram_socket_has_nothing(case: Case, method: str) -> None:
    """Or says that it is not bound, as other systems do."""
    sock = case.socket()
    expect.true(sock.setblocking(False), "setblocking()")
    outcome = sock.call(method, 10)
    if isinstance(outcome, Failure) and outcome.kind == "system":
        expect.fails(outcome, *UNCONNECTED, what=f"{method}()")
        return
    expect.would_block(outcome, f"{method}() when nothing can be there")
