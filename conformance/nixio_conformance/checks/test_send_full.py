"""Full buffers: what was taken is counted truly, would-block is its own failure, and a blocking call waits."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import MUCH, Flood, Sender

SENDERS = pytest.mark.parametrize("method", ["send", "write"])


def filled(case: Case, method: str) -> Flood:
    """A non-blocking socket that takes no more."""
    flood = transfer.flood(case, transfer.sender(case, method))
    flood.fill(case)
    return flood


def counts_are_true(flood: Flood) -> None:
    """What the calls counted arrives, in order, and nothing else."""
    flood.several()
    expect.same(flood.read(), flood.expected, "what the peer received")
    expect.same(flood.sender.arrived(), [], "what else the peer received")


@clause("send.full.count")
@SENDERS
def test_what_was_counted_arrives(case: Case, method: str) -> None:
    counts_are_true(transfer.flood(case, transfer.sender(case, method)))


@clause("sendto.full.count")
def test_what_was_counted_by_sendto_arrives(case: Case) -> None:
    """An address on a connected TCP socket is ignored, as on Linux, or refused, as on BSD."""
    flood = transfer.flood(case, transfer.sender(case, "sendto"))
    first = flood.step()
    if isinstance(first, Failure):
        expect.fails(first, "EISCONN", what="sendto() on a connected socket")
        return
    counts_are_true(flood)


@clause("send.full.would-block")
@SENDERS
def test_a_full_buffer_would_block(case: Case, method: str) -> None:
    flood = filled(case, method)
    expect.would_block(flood.until_refused(), f"{method}() when the buffers are full")


@clause("sendto.full.would-block")
def test_a_full_queue_would_block_sendto(case: Case) -> None:
    flood = filled(case, "sendto")
    expect.would_block(flood.until_refused(), "sendto() when the queue is full")


@clause("send.full.goes-on")
@SENDERS
def test_sending_goes_on_when_there_is_room(case: Case, method: str) -> None:
    flood = filled(case, method)
    expect.would_block(flood.until_refused(), f"{method}() when no more is taken")
    flood.read()
    end = transfer.Sender(method, flood.sender.sock, flood.sender.peer)
    expect.true(end.sock.setblocking(True), "setblocking()")
    end.whole(b"more")
    expect.same(end.arrived(), [b"more"], "what the peer received next")


def waits(flood: Flood, sender: Sender) -> None:
    """A call that blocks is found (while there is room they may come back), and ends when the peer reads."""
    expect.true(sender.sock.setblocking(True), "setblocking()")
    pending = sender.start(flood.data)
    for _ in range(1000):
        if pending.blocked():
            break
        flood.taken.append(flood.data[: sender.count(pending.outcome(), len(flood.data))])
        pending = sender.start(flood.data)
    before = flood.read()
    expect.same(before, flood.expected, "what the peer received of the calls before")
    # A stream's call may wait until all of its bytes found room.
    while not pending.done(0.001):
        before.append(sender.peer.pending() or b"")
    count = sender.count(pending.outcome(), len(flood.data))
    rest = b"".join(before[len(flood.expected) :])
    if len(rest) < count:
        rest += sender.peer.recv_exactly(count - len(rest)) if sender.is_stream else sender.peer.recv()
    expect.same(rest, flood.data[:count], "what the peer received of the call that waited")


@clause("send.blocking.waits")
@SENDERS
def test_a_blocking_call_waits_for_room(case: Case, method: str) -> None:
    flood = filled(case, method)
    waits(flood, flood.sender)


@clause("sendto.blocking.waits")
def test_a_blocking_sendto_waits_for_room(case: Case) -> None:
    flood = filled(case, "sendto")
    waits(flood, flood.sender)


@clause("send.blocking.large")
@SENDERS
def test_a_large_buffer_with_a_peer_that_reads(case: Case, method: str, role: str) -> None:
    """A blocking call may take fewer bytes than given; what it says it took arrives."""
    sender = transfer.sender(case, method, role)
    data = b"".join(number.to_bytes(4, "big") for number in range(1 << 16))
    pending = sender.start(data)
    got = b""
    while not pending.done(0.001):
        got += sender.peer.pending() or b""
    count = sender.count(pending.outcome(), len(data))
    got += sender.peer.recv_exactly(count - len(got))
    expect.same(got, data[:count], "what the peer received")


@clause("send.timeout.would-block")
@SENDERS
def test_a_timeout_is_would_block(case: Case, method: str) -> None:
    flood = filled(case, method)
    sock = flood.sender.sock
    expect.true(sock.setblocking(True), "setblocking()")
    expect.true(sock.setopt("socket", "sndtimeo", (0, 20000)), "setopt()")
    expect.would_block(flood.until_refused(), f"{method}() when the time is over")


@clause("send.timeout.counted")
@SENDERS
def test_a_timeout_after_a_part_counts_that(case: Case, method: str) -> None:
    """More than finds room, and nobody reads: the part that was taken is told, and arrives."""
    made = transfer.sender(case, method)
    transfer.shrink(case, made.sock)
    expect.true(made.sock.setopt("socket", "sndtimeo", (0, 20000)), "setopt()")
    count = made.count(made(MUCH), len(MUCH))
    got = made.peer.recv_exactly(count)
    expect.holds(got == MUCH[:count], "what the peer received", f"the first {count} bytes", "others")
    expect.same(made.arrived(), [], "what else the peer received")
