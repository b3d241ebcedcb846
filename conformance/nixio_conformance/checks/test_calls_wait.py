"""Calls that wait do so for as long as it takes. These are the suite's deliberate waits, and kept few."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.socket import Pending
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import rest_of

#: Seconds: longer than a timeout that a port would have for its own convenience.
A_WHILE = 0.4
#: More than the buffers on the way hold, or nearly: it is sent until a call waits.
MUCH = bytes(1 << 18)


def goes_on_waiting(pending: Pending, what: str) -> None:
    if pending.done(A_WHILE):
        expect.mismatch(f"{what} with nothing to do for {A_WHILE} s", "that it waits", pending.outcome())


@clause("accept.waits.on")
def test_accept(case: Case) -> None:
    listener, address = case.listening()
    pending = listener.start("accept")
    goes_on_waiting(pending, "accept()")
    case.peer().connect(address)
    expect.socket(expect.returned(pending.outcome(), "accept()")[0], "accept()")


@clause("recv.waits.on")
@pytest.mark.parametrize("method", ["recv", "read", "recvfrom"])
def test_receiving(pair: Pair, method: str) -> None:
    pending = pair.impl.start(method, 10)
    goes_on_waiting(pending, f"{method}()")
    pair.peer.send(b"at last")
    rest_of(pending.outcome(), pair.impl, method, pair.peer, b"at last")


@clause("send.waits.on")
@pytest.mark.parametrize("method", ["send", "write"])
def test_sending(pair: Pair, method: str) -> None:
    """Short writes are legal, so it is asked again and again until one call waits."""
    sent = 0
    while True:
        pending = pair.impl.start(method, MUCH)
        if not pending.done(A_WHILE):
            break
        sent += expect.integer(pending.outcome(), f"{method}()")
        expect.holds(0 < sent < 64 * len(MUCH), "bytes that nobody reads", "an end to them", sent)
    received = len(pair.peer.recv_until(pending.done))
    sent += expect.integer(pending.outcome(), f"{method}()")
    received += len(pair.peer.recv_exactly(sent - received))
    expect.same(received, sent, "bytes that the peer received")
