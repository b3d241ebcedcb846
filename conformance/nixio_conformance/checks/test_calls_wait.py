"""Blocking calls do not time out on their own. These few checks are slow on purpose."""

from __future__ import annotations

from nixio_conformance.driver.socket import Pending
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause, each_receiver, each_sender
from nixio_conformance.toolkit.transfer import receives_rest

#: Seconds: longer than a timeout that an implementation might use internally.
A_WHILE = 0.4
#: Bytes of one call; calls are repeated until one waits.
LARGE = bytes(1 << 18)


def goes_on_waiting(pending: Pending, what: str) -> None:
    if pending.done(A_WHILE):
        expect.mismatch(f"{what} for {A_WHILE} s", "a call that waits", pending.outcome())


@clause("accept.waits.on")
def test_accept_waits(case: Case) -> None:
    listener, address = case.listening()
    pending = listener.start("accept")
    goes_on_waiting(pending, "accept()")
    case.peer().connect(address)
    expect.accepted(pending.outcome())


@clause("recv.waits.on")
@each_receiver
def test_receiving_waits(pair: Pair, method: str) -> None:
    pending = pair.impl.start(method, 10)
    goes_on_waiting(pending, f"{method}()")
    pair.peer.send(b"at last")
    receives_rest(pending.outcome(), pair.impl, method, pair.peer, b"at last")


@clause("send.waits.on")
@each_sender
def test_sending_waits(pair: Pair, method: str) -> None:
    """Short writes are allowed, so calls are repeated until one waits."""
    sent = 0
    while True:
        pending = pair.impl.start(method, LARGE)
        if not pending.done(A_WHILE):
            break
        sent += expect.integer(pending.outcome(), f"{method}()")
        expect.holds(0 < sent < 64 * len(LARGE), "bytes sent while the peer does not read", "a limit", sent)
    received = len(pair.peer.recv_until(pending.done))
    sent += expect.integer(pending.outcome(), f"{method}()")
    received += len(pair.peer.recv_exactly(sent - received))
    expect.same(received, sent, "bytes that the peer received")
