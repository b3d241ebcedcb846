"""setblocking: sending when there is no room at the other end."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from nixio_conformance.driver.outcome import Outcome, Returned
from nixio_conformance.driver.socket import Pending
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.calls import soon
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause

#: What fills the buffers is other bytes than what the port sends.
FILLING = b"." * 4096
SENT = b"!"

each_sender = pytest.mark.parametrize("method", ["send", "write"])


def fill(case: Case, pair: Pair) -> None:
    """Leave no room between the port and its peer, by way of another descriptor of the port's socket."""
    with suppress(BlockingIOError), case.view(pair.impl) as view:
        view.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        while True:
            view.send(FILLING, socket.MSG_DONTWAIT)


def until_refused(send: Callable[[], Outcome]) -> Outcome:
    """The outcome of sending when there is no room.

    The other end may still be taking in what was sent, and so make room, when the buffers seem full: then once more.
    """
    for _ in range(50):
        outcome = send()
        if not isinstance(outcome, Returned):
            return outcome
    return outcome


def without_room(case: Case, pair: Pair, method: str, *arguments: Argument) -> Outcome:
    """What sending comes to when there is no room."""

    def send() -> Outcome:
        fill(case, pair)
        return pair.impl.call(method, *arguments)

    return until_refused(send)


def waiting_for_room(case: Case, pair: Pair, method: str, *address: Argument) -> Pending:
    """A call that sends, and waits because there is no room."""
    for _ in range(50):
        fill(case, pair)
        pending = pair.impl.start(method, SENT, *address)
        if pending.blocked():
            break
        expect.count(pending.outcome(), 1)
    expect.holds(not pending.done(), f"{method}() without room", "a call that waits", "one that comes back each time")
    return pending


def drain(pair: Pair, pending: Pending) -> None:
    """Take in at the peer what comes, until the call has come back."""
    end = time.monotonic() + PEER
    while not pending.done(0.001) and time.monotonic() < end:
        pair.peer.pending()


@clause("setblocking.false.sending")
@each_sender
def test_sending_would_block(case: Case, either_pair: Pair, method: str) -> None:
    expect.true(either_pair.impl.setblocking(False), "setblocking(False)")
    expect.would_block(without_room(case, either_pair, method, SENT), f"{method}()")


@clause("setblocking.false.sending-to")
def test_sending_to_would_block(case: Case, pair: Pair) -> None:
    expect.true(pair.impl.setblocking(False), "setblocking(False)")
    expect.would_block(without_room(case, pair, "sendto", SENT, *pair.peer.address), "sendto()")


@clause("setblocking.false.sends-later")
@each_sender
def test_sends_when_there_is_room(case: Case, pair: Pair, method: str) -> None:
    expect.true(pair.impl.setblocking(False), "setblocking(False)")
    arrived = bytearray()
    sent = 0

    def attempt(take: bool) -> Outcome:
        nonlocal sent
        if take:
            arrived.extend(pair.peer.pending() or b"")
        else:
            fill(case, pair)
        outcome = pair.impl.call(method, SENT)
        sent += isinstance(outcome, Returned)
        return outcome

    until_refused(lambda: attempt(take=False))
    expect.count(soon(lambda: attempt(take=True)), 1)
    while arrived.count(SENT) < sent and (chunk := pair.peer.recv()):
        arrived += chunk
    expect.same(pair.peer.pending(), None, "what else the peer received")
    expect.same(arrived.count(SENT), sent, "bytes of the port's that the peer received")


@clause("setblocking.default.sending")
@each_sender
def test_sending_waits_by_default(case: Case, either_pair: Pair, method: str) -> None:
    pending = waiting_for_room(case, either_pair, method)
    drain(either_pair, pending)
    expect.count(pending.outcome(), 1)


@clause("setblocking.true.sending")
@each_sender
def test_sending_waits_again(case: Case, either_pair: Pair, method: str) -> None:
    expect.true(either_pair.impl.setblocking(False), "setblocking(False)")
    expect.true(either_pair.impl.setblocking(True), "setblocking(True)")
    pending = waiting_for_room(case, either_pair, method)
    drain(either_pair, pending)
    expect.count(pending.outcome(), 1)


@clause("setblocking.true.sending-to")
@pytest.mark.parametrize("since", ["default", "again"])
def test_sending_to_waits(case: Case, pair: Pair, since: str) -> None:
    if since == "again":
        expect.true(pair.impl.setblocking(False), "setblocking(False)")
        expect.true(pair.impl.setblocking(True), "setblocking(True)")
    pending = waiting_for_room(case, pair, "sendto", *pair.peer.address)
    drain(pair, pending)
    expect.count(pending.outcome(), 1)
