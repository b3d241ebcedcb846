"""setopt: linger, sndtimeo and rcvtimeo, by how long calls take: never too short, and on any machine they end."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import receives_rest
from nixio_fixtures import Kind

#: Microseconds that the timeouts are of; a port that takes them for milliseconds or seconds is never back in time.
SHORT = 40_000
#: Seconds that they last at least: the system counts in ticks, of 10 ms where they are longest, and one has begun.
AT_LEAST = SHORT / 1e6 - 0.01
CHUNK = bytes(1 << 17)


def _timed(call: Callable[[], Outcome]) -> Outcome:
    """What a call came to; it may not come back before the time is over."""
    begun = time.monotonic()
    outcome = call()
    took = time.monotonic() - begun
    expect.holds(took >= AT_LEAST, "the call came back", f"after {SHORT / 1e6} s", f"after {took:.6f} s")
    return outcome


def _set(sock: ImplSocket, option: str, value: int | tuple[int, int]) -> None:
    expect.true(sock.setopt("socket", option, value), f"setopt() of {option}")


def _small(case: Case) -> Pair:
    """A connection, the port its client, that holds little while the peer does not read."""
    listener = case.bound_peer().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096).listen(1)
    sock = case.socket()
    _set(sock, "sndbuf", 4096)
    expect.true(sock.connect(*listener.address))
    return Pair(sock, case.keep(listener.accept()))


def _fill(sock: ImplSocket) -> None:
    expect.true(sock.setblocking(False))
    while not isinstance(outcome := sock.send(CHUNK), Failure):
        expect.integer(outcome)
    expect.would_block(outcome)
    expect.true(sock.setblocking(True))


@clause("setopt.socket-rcvtimeo.effect.receive")
@pytest.mark.parametrize("method", ["recv", "read", "recvfrom"])
def test_rcvtimeo_ends_a_receive(case: Case, kind: Kind, method: str) -> None:
    sock = case.pair().impl
    _set(sock, "rcvtimeo", (0, SHORT))
    expect.would_block(_timed(lambda: sock.call(method, 10)))


@clause("setopt.socket-rcvtimeo.effect.accept")
def test_rcvtimeo_ends_an_accept(case: Case, kind: Kind) -> None:
    sock, _ = case.listening()
    _set(sock, "rcvtimeo", (0, SHORT))
    expect.would_block(_timed(sock.accept))


@clause("setopt.socket-rcvtimeo.effect.in-time")
def test_rcvtimeo_takes_what_comes_in_time(case: Case, kind: Kind) -> None:
    pair = case.pair()
    _set(pair.impl, "rcvtimeo", (4, 0))
    pending = pair.impl.start("recv", 10)
    pending.blocked()
    pair.peer.send(b"in time")
    receives_rest(pending.outcome(), pair.impl, "recv", pair.peer, b"in time")


@clause("setopt.socket-rcvtimeo.effect.off")
def test_rcvtimeo_off_waits(case: Case, kind: Kind) -> None:
    pair = case.pair()
    _set(pair.impl, "rcvtimeo", (0, 1))
    _set(pair.impl, "rcvtimeo", (0, 0))
    pending = pair.impl.start("recv", 10)
    expect.holds(pending.blocked() and not pending.done(SHORT / 1e6), "recv() without a timeout", "waits", "came back")
    pair.peer.send(b"at last")
    receives_rest(pending.outcome(), pair.impl, "recv", pair.peer, b"at last")


@clause("setopt.socket-rcvtimeo.effect.not-sending")
def test_rcvtimeo_leaves_sending_alone(case: Case, kind: Kind) -> None:
    """What is left of the buffers after they were filled may be taken yet, a little at a time."""
    pair = _small(case)
    _fill(pair.impl)
    _set(pair.impl, "rcvtimeo", (0, 1))
    # A call that gives up is seen asleep for a moment, too.
    while not (pending := pair.impl.start("send", CHUNK)).blocked() or pending.done(0.03):
        expect.holds(expect.integer(pending.outcome()) > 0, "send() with a rcvtimeo only", "waits", "took nothing")
    pair.peer.recv_until(pending.done)
    expect.integer(pending.outcome(), "send() with a rcvtimeo only")


@clause("setopt.socket-sndtimeo.effect.send")
@pytest.mark.parametrize("method", ["send", "write"])
def test_sndtimeo_ends_a_send(case: Case, kind: Kind, method: str) -> None:
    """What is taken before the time is over is told as a count: would-block comes when nothing is taken any more."""
    sock = _small(case).impl
    _fill(sock)
    _set(sock, "sndtimeo", (0, SHORT))
    while True:
        begun = time.monotonic()
        outcome = sock.call(method, CHUNK)
        if isinstance(outcome, Failure):
            break
        expect.holds(expect.integer(outcome) > 0, f"{method}() with full buffers", "a count or would-block", outcome)
    took = time.monotonic() - begun
    expect.would_block(outcome)
    expect.holds(took >= AT_LEAST, f"{method}() gave up", f"after {SHORT / 1e6} s", f"after {took:.6f} s")


@clause("setopt.socket-sndtimeo.effect.sendto")
def test_sndtimeo_ends_a_sendto(case: Case, kind: Kind) -> None:
    sock, peer = case.socket(), case.bound_peer()
    _set(sock, "sndbuf", 4096)
    expect.true(sock.setblocking(False))
    while not isinstance(outcome := sock.sendto(b"x", *peer.address), Failure):
        expect.count(outcome, 1)
    expect.fails(outcome, "would-block", "ENOBUFS")
    if not outcome.tokens & {"would-block"}:
        pytest.skip("this system does not wait for room at a datagram's receiver")
    expect.true(sock.setblocking(True))
    _set(sock, "sndtimeo", (0, SHORT))
    expect.would_block(_timed(lambda: sock.sendto(b"x", *peer.address)))


@clause("setopt.socket-sndtimeo.effect.not-receiving")
def test_sndtimeo_leaves_receiving_alone(case: Case, kind: Kind) -> None:
    pair = case.pair()
    _set(pair.impl, "sndtimeo", (0, 1))
    pending = pair.impl.start("recv", 10)
    expect.holds(pending.blocked() and not pending.done(SHORT / 1e6), "recv() with sndtimeo", "waits", "came back")
    pair.peer.send(b"at last")
    receives_rest(pending.outcome(), pair.impl, "recv", pair.peer, b"at last")


@clause("setopt.socket-linger.effect.waits")
def test_linger_waits_for_the_peer(case: Case, kind: Kind) -> None:
    pair = _small(case)
    _fill(pair.impl)
    _set(pair.impl, "linger", 30)
    pending = pair.impl.start("close")
    expect.holds(pending.blocked(), "close() with unsent data", "waits until the peer has it", "came back")
    pair.peer.recv_all()
    expect.true(pending.outcome(), "close()")


@clause("setopt.socket-linger.effect.seconds")
def test_linger_waits_no_longer(case: Case, kind: Kind) -> None:
    """The one case that has to wait for a second, which is the unit."""
    pair = _small(case)
    _fill(pair.impl)
    _set(pair.impl, "linger", 1)
    begun = time.monotonic()
    expect.true(pair.impl.call("close", seconds=10), "close()")
    took = time.monotonic() - begun
    expect.holds(took >= 0.9, "close() with unsent data came back", "after 1 s", f"after {took:.3f} s")


@clause("setopt.socket-linger.effect.off")
def test_linger_off_does_not_wait(case: Case, kind: Kind) -> None:
    pair = _small(case)
    _fill(pair.impl)
    _set(pair.impl, "linger", 30)
    _set(pair.impl, "linger", 0)
    expect.true(pair.impl.close(), "close()")


@clause("setopt.socket-linger.effect.no-reset")
def test_linger_off_is_no_reset(case: Case, kind: Kind) -> None:
    """0 is off: what the peer has not read yet is not thrown away."""
    pair = case.pair()
    _set(pair.impl, "linger", 5)
    _set(pair.impl, "linger", 0)
    expect.count(pair.impl.send(b"the last words"), 14)
    expect.true(pair.impl.close(), "close()")
    got = pair.peer.recv_all()
    expect.holds(got == b"the last words", "what the peer received", b"the last words", got)
