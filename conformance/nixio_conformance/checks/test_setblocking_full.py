"""setblocking: sending when there is no room in the buffers."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from nixio_conformance.driver.outcome import Outcome, Returned
from nixio_conformance.driver.socket import Pending
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, full_buffers
from nixio_conformance.toolkit.calls import retry_would_block
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause, each_sender

#: The buffers are filled from outside, with bytes that differ from those that the implementation sends.
FILLING = b"." * 4096
SENT = b"!"


def fill(case: Case, pair: Pair) -> None:
    """Leave no room between the implementation's socket and its peer."""
    full_buffers.shrink(case, pair.impl)
    full_buffers.fill_from_outside(case, pair.impl, FILLING)


def until_failure(send: Callable[[], Outcome]) -> Outcome:
    """Call `send`, which fills the buffers, until it fails, at most 50 times. Returns the last outcome.

    The peer's end may still be taking data from the socket's buffer when both seem full, and so make room again.
    """
    for _ in range(50):
        outcome = send()
        if not isinstance(outcome, Returned):
            return outcome
    return outcome


def without_room(case: Case, pair: Pair, method: str, *arguments: Argument) -> Outcome:
    """The outcome of a call that sends when there is no room."""

    def send() -> Outcome:
        fill(case, pair)
        return pair.impl.call(method, *arguments)

    return until_failure(send)


def waiting_for_room(case: Case, pair: Pair, method: str, *address: Argument) -> Pending:
    """A call that sends, and waits because there is no room."""
    for _ in range(50):
        fill(case, pair)
        pending = pair.impl.start(method, SENT, *address)
        if pending.blocked():
            break
        expect.count(pending.outcome(), 1)
    expect.holds(not pending.done(), f"{method}() without room", "a call that waits", "calls that return")
    return pending


def returns_when_read(pair: Pair, pending: Pending) -> None:
    """Check that the call returns after the peer has read, and that it has sent its byte."""
    end = time.monotonic() + PEER
    while not pending.done(0.001) and time.monotonic() < end:
        pair.peer.pending()
    expect.count(pending.outcome(), 1)


@clause("setblocking.false.sending")
@each_sender
def test_sending_would_block(case: Case, either_pair: Pair, method: str) -> None:
    expect.true(either_pair.impl.setblocking(False), "setblocking(False)")
    expect.would_block(without_room(case, either_pair, method, SENT), f"{method}()")


@clause("setblocking.false.sending-to")
def test_sendto_would_block(case: Case, pair: Pair) -> None:
    expect.true(pair.impl.setblocking(False), "setblocking(False)")
    expect.would_block(without_room(case, pair, "sendto", SENT, *pair.peer.address), "sendto()")


@clause("setblocking.false.sends-later")
@each_sender
def test_sending_succeeds_when_there_is_room(case: Case, pair: Pair, method: str) -> None:
    expect.true(pair.impl.setblocking(False), "setblocking(False)")
    arrived = bytearray()
    sent = 0

    def attempt(read: bool) -> Outcome:
        nonlocal sent
        if read:
            arrived.extend(pair.peer.pending() or b"")
        else:
            fill(case, pair)
        outcome = pair.impl.call(method, SENT)
        sent += isinstance(outcome, Returned)
        return outcome

    until_failure(lambda: attempt(read=False))
    expect.count(retry_would_block(lambda: attempt(read=True)), 1)
    while arrived.count(SENT) < sent and (chunk := pair.peer.recv()):
        arrived += chunk
    expect.same(pair.peer.pending(), None, "what else the peer received")
    expect.same(arrived.count(SENT), sent, "bytes of the implementation that the peer received")


@clause("setblocking.default.sending")
@each_sender
def test_sending_waits_by_default(case: Case, either_pair: Pair, method: str) -> None:
    returns_when_read(either_pair, waiting_for_room(case, either_pair, method))


@clause("setblocking.true.sending")
@each_sender
def test_sending_waits_again(case: Case, either_pair: Pair, method: str) -> None:
    expect.true(either_pair.impl.setblocking(False), "setblocking(False)")
    expect.true(either_pair.impl.setblocking(True), "setblocking(True)")
    returns_when_read(either_pair, waiting_for_room(case, either_pair, method))


@clause("setblocking.true.sending-to")
@pytest.mark.parametrize("since", ["default", "again"])
def test_sendto_waits(case: Case, pair: Pair, since: str) -> None:
    if since == "again":
        expect.true(pair.impl.setblocking(False), "setblocking(False)")
        expect.true(pair.impl.setblocking(True), "setblocking(True)")
    returns_when_read(pair, waiting_for_room(case, pair, "sendto", *pair.peer.address))
