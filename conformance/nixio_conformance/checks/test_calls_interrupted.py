"""Signals during a call that waits: the caller sees none of them."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from nixio_conformance.driver.errors import AgentCannot
from nixio_conformance.driver.socket import ImplSocket, Pending
from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import MUCH, rest_of

#: Two ways to interrupt a call: a signal that the agent handles, and stopping and continuing the process. The second
#: needs no handler, but the system interrupts only calls on a socket with a timeout by it.
WAYS = pytest.mark.parametrize("way", ["handled", "stopped"])


@pytest.fixture(autouse=True)
def signals_can_be_sent(case: Case, way: str) -> None:
    """Skip where the port has no process of its own, or its agent would be killed by the signal."""
    if sys.platform == "win32":
        pytest.skip("no signals on this system")
    if case.session.pid == os.getpid():
        pytest.skip("the port is in the suite's own process: signals would interrupt that")
    if case.session.remote:
        pytest.skip("the agent is not the process that was started: signals would come to that one")
    if way == "handled" and "signals" not in case.session.welcome.capabilities:
        raise AgentCannot("it handles no signals")


def prepare(sock: ImplSocket, option: str, way: str) -> None:
    """Give the socket a timeout, long enough never to run out."""
    if way == "stopped":
        expect.true(sock.setopt("socket", option, (60, 0)), "setopt()")


def interrupt(case: Case, pending: Pending, way: str) -> None:
    """Interrupt a call once it waits."""
    pending.blocked()
    for number in (signal.SIGUSR1,) if way == "handled" else (signal.SIGSTOP, signal.SIGCONT):
        os.kill(case.session.pid, number)


def still_waits(pending: Pending, what: str) -> None:
    """The signal did not end the call. Where that cannot be seen, the call's outcome tells."""
    if not pending.blocked():
        expect.mismatch(f"{what} after a signal", "that it goes on waiting", pending.outcome())


def receives(case: Case, pair: Pair, method: str, way: str) -> None:
    prepare(pair.impl, "rcvtimeo", way)
    pending = pair.impl.start(method, 64)
    interrupt(case, pending, way)
    still_waits(pending, method)
    pair.peer.send(b"later")
    rest_of(pending.outcome(), pair.impl, method, pair.peer, b"later")


@clause("recv.interrupt.retried")
@WAYS
def test_recv(case: Case, pair: Pair, way: str) -> None:
    receives(case, pair, "recv", way)


@clause("read.interrupt.retried")
@WAYS
def test_read(case: Case, pair: Pair, way: str) -> None:
    receives(case, pair, "read", way)


@clause("recvfrom.interrupt.retried")
@WAYS
def test_recvfrom(case: Case, pair: Pair, way: str) -> None:
    receives(case, pair, "recvfrom", way)


@clause("accept.interrupt.retried")
@WAYS
def test_accept(case: Case, way: str) -> None:
    listener, address = case.listening()
    prepare(listener, "rcvtimeo", way)
    pending = listener.start("accept")
    interrupt(case, pending, way)
    still_waits(pending, "accept()")
    peer = case.peer().connect(address)
    accepted = expect.socket(expect.returned(pending.outcome(), "accept()")[0], "accept()")
    peer.send(b"x")
    expect.data(accepted.recv(1), b"x")


def sends(case: Case, pair: Pair, method: str, way: str) -> None:
    """A send that has sent a part already may return it when a signal comes, or go on: what it says must be true."""
    prepare(pair.impl, "sndtimeo", way)
    transfer.shrink(case, pair.impl)
    pending = pair.impl.start(method, MUCH)
    interrupt(case, pending, way)
    pending.blocked()  # what made room before the signal came to the call would hide it
    received = pair.peer.recv_until(pending.done)
    count = expect.integer(pending.outcome(), f"{method}()")
    expect.holds(0 < count <= len(MUCH), f"{method}()", f"1 to {len(MUCH)}", count)
    expect.true(pair.impl.close(), "close()")
    received += pair.peer.recv_all()
    right = received == MUCH[:count]
    expect.holds(right, "what the peer received", f"the first {count} bytes", f"{len(received)} bytes, or others")


@clause("send.interrupt.counted")
@WAYS
def test_send(case: Case, pair: Pair, way: str) -> None:
    sends(case, pair, "send", way)


@clause("write.interrupt.counted")
@WAYS
def test_write(case: Case, pair: Pair, way: str) -> None:
    sends(case, pair, "write", way)


def waits_for_room(case: Case, method: str, way: str) -> None:
    """A call that has sent nothing yet: one byte, and no room for it.

    A full connection may have room again a moment later, as what it holds moves on: then the byte is sent all the same.
    """
    flood = transfer.flood(case, transfer.sender(case, method))
    sock = flood.sender.sock
    prepare(sock, "sndtimeo", way)
    for _ in range(100):
        expect.true(sock.setblocking(False), "setblocking()")
        flood.fill(case)
        expect.true(sock.setblocking(True), "setblocking()")
        pending = flood.sender.start(b"!")
        interrupt(case, pending, way)
        if pending.blocked():
            break
        flood.taken.append(b"!"[: flood.sender.count(pending.outcome(), 1)])
    else:
        pending = flood.sender.start(b"!")
    expect.same(flood.read(), flood.expected, "what the peer received of the calls before")
    flood.sender.count(pending.outcome(), 1)
    expect.same(flood.sender.arrived(), [b"!"], "what the peer received of the call that waited")


@clause("send.interrupt.retried")
@WAYS
def test_a_send_without_room(case: Case, way: str) -> None:
    waits_for_room(case, "send", way)


@clause("write.interrupt.retried")
@WAYS
def test_a_write_without_room(case: Case, way: str) -> None:
    waits_for_room(case, "write", way)


@clause("sendto.interrupt.retried")
@WAYS
def test_a_sendto_without_room(case: Case, way: str) -> None:
    waits_for_room(case, "sendto", way)


@clause("connect.interrupt.finished")
@WAYS
def test_connect(case: Case, way: str) -> None:
    """A connect that waits because the listener's queue is full; it must neither fail nor say that it is connected."""
    listener = case.listening_peer(backlog=0)
    first = case.peer().connect(listener.address)
    sock = case.socket()
    prepare(sock, "sndtimeo", way)
    pending = sock.start("connect", *listener.address)
    interrupt(case, pending, way)
    still_waits(pending, "connect()")
    case.keep(listener.accept())
    expect.true(pending.outcome(), "connect()")
    peer = case.keep(listener.accept())
    peer.send(b"x")
    expect.data(sock.recv(1), b"x")
    first.close()
