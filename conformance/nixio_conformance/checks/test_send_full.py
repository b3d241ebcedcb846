"""send, write and sendto with full buffers: the count is right, would-block is reported, and a blocking call waits."""

from __future__ import annotations

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.toolkit import expect, full_buffers, transfer
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.full_buffers import MUCH, Flood
from nixio_conformance.toolkit.marks import clause, each_sender


def filled(case: Case, method: str) -> Flood:
    """A non-blocking socket whose buffers are full."""
    flood = full_buffers.flood(case, transfer.sender(case, method))
    flood.fill(case)
    return flood


def counts_are_right(flood: Flood) -> None:
    """Check that exactly the bytes that the calls counted arrive, in order."""
    flood.several()
    expect.same(flood.read(), flood.expected, "what the peer received")
    expect.same(flood.sender.arrived(), [], "what else the peer received")


@clause("send.full.count")
@each_sender
def test_the_counted_bytes_arrive(case: Case, method: str) -> None:
    counts_are_right(full_buffers.flood(case, transfer.sender(case, method)))


@clause("sendto.full.count")
def test_the_bytes_counted_by_sendto_arrive(case: Case) -> None:
    """An address on a connected TCP socket is ignored, as on Linux, or refused, as on BSD."""
    flood = full_buffers.flood(case, transfer.sender(case, "sendto"))
    first = flood.step()
    if isinstance(first, Failure):
        expect.fails(first, "EISCONN", what="sendto() on a connected socket")
        return
    counts_are_right(flood)


@clause("send.full.would-block")
@each_sender
def test_a_full_buffer_would_block(case: Case, method: str) -> None:
    flood = filled(case, method)
    expect.would_block(flood.until_refused(), f"{method}() when the buffers are full")


@clause("sendto.full.would-block")
def test_a_full_queue_would_block_sendto(case: Case) -> None:
    flood = filled(case, "sendto")
    expect.would_block(flood.until_refused(), "sendto() when the queue is full")


@clause("send.full.goes-on")
@each_sender
def test_sending_succeeds_again_when_there_is_room(case: Case, method: str) -> None:
    flood = filled(case, method)
    expect.would_block(flood.until_refused(), f"{method}() when the buffers are full")
    flood.read()
    expect.true(flood.sender.sock.setblocking(True), "setblocking()")
    flood.sender.delivers(b"more")


def waits_for_room(flood: Flood) -> None:
    """Check that a blocking call waits and returns when the peer reads. While there is room, calls may return."""
    sender = flood.sender
    expect.true(sender.sock.setblocking(True), "setblocking()")
    pending = sender.start(flood.data)
    for _ in range(1000):
        if pending.blocked():
            break
        flood.taken.append(flood.data[: sender.count(pending.outcome(), len(flood.data))])
        pending = sender.start(flood.data)
    before = flood.read()
    expect.same(before, flood.expected, "what the peer received of the earlier calls")
    # On a stream, the call may wait until there is room for all of its bytes.
    while not pending.done(0.001):
        before.append(sender.peer.pending() or b"")
    count = sender.count(pending.outcome(), len(flood.data))
    rest = b"".join(before[len(flood.expected) :])
    if len(rest) < count:
        rest += sender.peer.recv_exactly(count - len(rest)) if sender.is_stream else sender.peer.recv()
    expect.same(rest, flood.data[:count], "what the peer received of the call that waited")


@clause("send.blocking.waits")
@each_sender
def test_a_blocking_call_waits_for_room(case: Case, method: str) -> None:
    waits_for_room(filled(case, method))


@clause("sendto.blocking.waits")
def test_a_blocking_sendto_waits_for_room(case: Case) -> None:
    waits_for_room(filled(case, "sendto"))


@clause("send.blocking.large")
@each_sender
def test_a_large_buffer_arrives_at_a_peer_that_reads(case: Case, method: str, role: str) -> None:
    """A blocking call may send fewer bytes than given; those that it counted arrive."""
    sender = transfer.sender(case, method, role)
    data = transfer.numbered(1 << 16)
    pending = sender.start(data)
    got = b""
    while not pending.done(0.001):
        got += sender.peer.pending() or b""
    count = sender.count(pending.outcome(), len(data))
    got += sender.peer.recv_exactly(count - len(got))
    expect.same(got, data[:count], "what the peer received")


@clause("send.timeout.would-block")
@each_sender
def test_a_timeout_is_would_block(case: Case, method: str) -> None:
    flood = filled(case, method)
    sock = flood.sender.sock
    expect.true(sock.setblocking(True), "setblocking()")
    expect.true(sock.setopt("socket", "sndtimeo", (0, 20000)), "setopt()")
    expect.would_block(flood.until_refused(), f"{method}() after its timeout")


@clause("send.timeout.counted")
@each_sender
def test_a_timeout_after_a_part_returns_its_count(case: Case, method: str) -> None:
    """There is room for a part of the data, and the peer does not read: that part is counted, and arrives."""
    made = transfer.sender(case, method)
    full_buffers.shrink(case, made.sock)
    expect.true(made.sock.setopt("socket", "sndtimeo", (0, 20000)), "setopt()")
    count = made.count(made(MUCH), len(MUCH))
    got = made.peer.recv_exactly(count)
    expect.holds(got == MUCH[:count], "what the peer received", f"the first {count} bytes", "others")
    expect.same(made.arrived(), [], "what else the peer received")
