"""setopt of linger, sndtimeo and rcvtimeo: calls end after the given time, and not before."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause, each_receiver, each_sender
from nixio_conformance.toolkit.option_cases import set_option
from nixio_conformance.toolkit.transfer import receives_rest

#: The timeouts in microseconds. With milliseconds or seconds in their place, a call would not return in time.
SHORT = 40_000
#: The least that a call takes, in seconds: the system counts in ticks of at most 10 ms, and one has already begun.
AT_LEAST = SHORT / 1e6 - 0.01
CHUNK = bytes(1 << 17)


def timed(call: Callable[[], Outcome]) -> Outcome:
    """Make a call, check that it does not return before the timeout, and return its outcome."""
    begun = time.monotonic()
    outcome = call()
    took = time.monotonic() - begun
    expect.holds(took >= AT_LEAST, "the call returned", f"after {SHORT / 1e6} s", f"after {took:.6f} s")
    return outcome


def small_connection(case: Case) -> Pair:
    """A connection with small buffers, the implementation as client."""
    listener = case.bound_peer().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096).listen(1)
    sock = case.socket()
    set_option(sock, "socket", "sndbuf", 4096)
    expect.true(sock.connect(*listener.address))
    return Pair(sock, case.keep(listener.accept()))


def fill(sock: ImplSocket) -> None:
    """Send until the buffers are full, and leave the socket blocking."""
    expect.true(sock.setblocking(False))
    while not isinstance(outcome := sock.send(CHUNK), Failure):
        expect.integer(outcome)
    expect.would_block(outcome)
    expect.true(sock.setblocking(True))


def recv_waits(pair: Pair, what: str) -> None:
    """Check that recv() waits for longer than a short timeout, and then returns the peer's data."""
    pending = pair.impl.start("recv", 10)
    waits = pending.blocked() and not pending.done(SHORT / 1e6)
    expect.holds(waits, what, "a call that waits", "a call that returned")
    pair.peer.send(b"at last")
    receives_rest(pending.outcome(), pair.impl, "recv", pair.peer, b"at last")


@clause("setopt.socket-rcvtimeo.effect.receive")
@each_receiver
def test_rcvtimeo_ends_a_receive(case: Case, method: str) -> None:
    sock = case.pair().impl
    set_option(sock, "socket", "rcvtimeo", (0, SHORT))
    expect.would_block(timed(lambda: sock.call(method, 10)))


@clause("setopt.socket-rcvtimeo.effect.accept")
def test_rcvtimeo_ends_an_accept(case: Case) -> None:
    sock, _ = case.listening()
    set_option(sock, "socket", "rcvtimeo", (0, SHORT))
    expect.would_block(timed(sock.accept))


@clause("setopt.socket-rcvtimeo.effect.in-time")
def test_data_within_rcvtimeo_is_received(case: Case) -> None:
    pair = case.pair()
    set_option(pair.impl, "socket", "rcvtimeo", (4, 0))
    pending = pair.impl.start("recv", 10)
    pending.blocked()
    pair.peer.send(b"in time")
    receives_rest(pending.outcome(), pair.impl, "recv", pair.peer, b"in time")


@clause("setopt.socket-rcvtimeo.effect.off")
def test_rcvtimeo_0_is_off(case: Case) -> None:
    pair = case.pair()
    set_option(pair.impl, "socket", "rcvtimeo", (0, 1))
    set_option(pair.impl, "socket", "rcvtimeo", (0, 0))
    recv_waits(pair, "recv() without a timeout")


@clause("setopt.socket-rcvtimeo.effect.not-sending")
def test_rcvtimeo_does_not_affect_sending(case: Case) -> None:
    """Small parts may be sent even after the buffers were filled, because the system still moves data."""
    pair = small_connection(case)
    fill(pair.impl)
    set_option(pair.impl, "socket", "rcvtimeo", (0, 1))
    # A call with a short timeout sleeps as well, so wait for longer than the timeout.
    while not (pending := pair.impl.start("send", CHUNK)).blocked() or pending.done(0.03):
        expect.holds(expect.integer(pending.outcome()) > 0, "send() with a rcvtimeo only", "waits", "took nothing")
    pair.peer.recv_until(pending.done)
    expect.integer(pending.outcome(), "send() with a rcvtimeo only")


@clause("setopt.socket-sndtimeo.effect.send")
@each_sender
def test_sndtimeo_ends_a_send(case: Case, method: str) -> None:
    """A part that was sent is returned as a count; would-block follows when no more can be sent."""
    sock = small_connection(case).impl
    fill(sock)
    set_option(sock, "socket", "sndtimeo", (0, SHORT))
    while True:
        begun = time.monotonic()
        outcome = sock.call(method, CHUNK)
        if isinstance(outcome, Failure):
            break
        expect.holds(expect.integer(outcome) > 0, f"{method}() with full buffers", "a count or would-block", outcome)
    took = time.monotonic() - begun
    expect.would_block(outcome)
    expect.holds(took >= AT_LEAST, f"{method}() timed out", f"after {SHORT / 1e6} s", f"after {took:.6f} s")


@clause("setopt.socket-sndtimeo.effect.sendto")
def test_sndtimeo_ends_a_sendto(case: Case) -> None:
    sock, peer = case.socket(), case.bound_peer()
    set_option(sock, "socket", "sndbuf", 4096)
    expect.true(sock.setblocking(False))
    while not isinstance(outcome := sock.sendto(b"x", *peer.address), Failure):
        expect.count(outcome, 1)
    expect.fails(outcome, "would-block", "ENOBUFS")
    if not outcome.tokens & {"would-block"}:
        pytest.skip("this system does not wait for room in a datagram receiver's queue")
    expect.true(sock.setblocking(True))
    set_option(sock, "socket", "sndtimeo", (0, SHORT))
    expect.would_block(timed(lambda: sock.sendto(b"x", *peer.address)))


@clause("setopt.socket-sndtimeo.effect.not-receiving")
def test_sndtimeo_does_not_affect_receiving(case: Case) -> None:
    pair = case.pair()
    set_option(pair.impl, "socket", "sndtimeo", (0, 1))
    recv_waits(pair, "recv() with sndtimeo")


@clause("setopt.socket-linger.effect.waits")
def test_linger_waits_for_the_peer(case: Case) -> None:
    pair = small_connection(case)
    fill(pair.impl)
    set_option(pair.impl, "socket", "linger", 30)
    pending = pair.impl.start("close")
    expect.waits(pending, "close() with unsent data")
    pair.peer.recv_all()
    expect.true(pending.outcome(), "close()")


@clause("setopt.socket-linger.effect.seconds")
def test_linger_waits_for_its_seconds(case: Case) -> None:
    """This case has to wait for one second, the unit of linger."""
    pair = small_connection(case)
    fill(pair.impl)
    set_option(pair.impl, "socket", "linger", 1)
    begun = time.monotonic()
    expect.true(pair.impl.call("close", seconds=10), "close()")
    took = time.monotonic() - begun
    expect.holds(took >= 0.9, "close() with unsent data returned", "after 1 s", f"after {took:.3f} s")


@clause("setopt.socket-linger.effect.off")
def test_linger_0_does_not_wait(case: Case) -> None:
    pair = small_connection(case)
    fill(pair.impl)
    set_option(pair.impl, "socket", "linger", 30)
    set_option(pair.impl, "socket", "linger", 0)
    expect.true(pair.impl.close(), "close()")


@clause("setopt.socket-linger.effect.no-reset")
def test_linger_0_is_no_reset(case: Case) -> None:
    """0 turns linger off: data that the peer has not read is not lost."""
    pair = case.pair()
    set_option(pair.impl, "socket", "linger", 5)
    set_option(pair.impl, "socket", "linger", 0)
    expect.count(pair.impl.send(b"the last words"), 14)
    expect.true(pair.impl.close(), "close()")
    got = pair.peer.recv_all()
    expect.holds(got == b"the last words", "what the peer received", b"the last words", got)
