"""Signals during a waiting call: accept, connect and receiving continue; sending continues or returns its count."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from nixio_conformance.driver.errors import AgentCannot
from nixio_conformance.driver.socket import ImplSocket, Pending
from nixio_conformance.toolkit import expect, full_buffers, transfer
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.full_buffers import MUCH
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import receives_rest

#: Parameter `way`: a signal that the agent handles, or stopping and continuing its process. The second needs no
#: handler, but the system interrupts only calls on sockets with a timeout by it.
each_way = pytest.mark.parametrize("way", ["handled", "stopped"])


@pytest.fixture(autouse=True)
def signals_can_be_sent(case: Case, way: str) -> None:
    """Skip the case if no signal can be sent to the implementation, or a signal would end its agent."""
    if sys.platform == "win32":
        pytest.skip("no signals on this system")
    if case.session.pid == os.getpid():
        pytest.skip("the implementation is in the suite's own process: signals would interrupt the suite")
    if case.session.remote:
        pytest.skip("the agent is not the process that was started: signals would not reach it")
    if way == "handled" and "signals" not in case.session.welcome.capabilities:
        raise AgentCannot("it handles no signals")


def set_timeout(sock: ImplSocket, option: str, way: str) -> None:
    """Give the socket a long timeout if the signals interrupt only calls with one."""
    if way == "stopped":
        expect.true(sock.setopt("socket", option, (60, 0)), "setopt()")


def interrupt(case: Case, pending: Pending, way: str) -> None:
    """Interrupt a call once it waits."""
    pending.blocked()
    for number in (signal.SIGUSR1,) if way == "handled" else (signal.SIGSTOP, signal.SIGCONT):
        try:
            os.kill(case.session.pid, number)
        except PermissionError as error:  # a program with the rights of another user
            pytest.skip(f"no signal can be sent to the agent: {error}")


def still_waits(pending: Pending, what: str) -> None:
    """Check that the signal did not end the call."""
    if not pending.blocked():
        expect.mismatch(f"{what} after a signal", "a call that still waits", pending.outcome())


@clause("{recv,read,recvfrom}.interrupt.retried")
@each_way
def test_receiving_goes_on(case: Case, pair: Pair, method: str, way: str) -> None:
    set_timeout(pair.impl, "rcvtimeo", way)
    pending = pair.impl.start(method, 64)
    interrupt(case, pending, way)
    still_waits(pending, f"{method}()")
    pair.peer.send(b"later")
    receives_rest(pending.outcome(), pair.impl, method, pair.peer, b"later")


@clause("accept.interrupt.retried")
@each_way
def test_accept_goes_on(case: Case, way: str) -> None:
    listener, address = case.listening()
    set_timeout(listener, "rcvtimeo", way)
    pending = listener.start("accept")
    interrupt(case, pending, way)
    still_waits(pending, "accept()")
    peer = case.peer().connect(address)
    accepted = expect.accepted(pending.outcome())
    peer.send(b"x")
    expect.data(accepted.recv(1), b"x")


@clause("{send,write}.interrupt.counted")
@each_way
def test_sending_a_part_is_counted(case: Case, pair: Pair, method: str, way: str) -> None:
    """A call that has sent a part may return when a signal arrives, or continue: the count must be right."""
    set_timeout(pair.impl, "sndtimeo", way)
    full_buffers.shrink(case, pair.impl)
    pending = pair.impl.start(method, MUCH)
    interrupt(case, pending, way)
    pending.blocked()  # so that the peer reads nothing before the signal has reached the call
    received = pair.peer.recv_until(pending.done)
    count = expect.integer(pending.outcome(), f"{method}()")
    expect.holds(0 < count <= len(MUCH), f"{method}()", f"1 to {len(MUCH)}", count)
    expect.true(pair.impl.close(), "close()")
    received += pair.peer.recv_all()
    right = received == MUCH[:count]
    expect.holds(
        right, "what the peer received", f"the first {count} bytes", f"{len(received)} bytes, or different ones"
    )


@clause("{send,write,sendto}.interrupt.retried")
@each_way
def test_sending_without_room_goes_on(case: Case, method: str, way: str) -> None:
    """A call that has sent nothing yet: it has one byte to send, and there is no room for it.

    A full connection may have room again a moment later, because the system still moves data; then the byte is sent.
    """
    flood = full_buffers.flood(case, transfer.sender(case, method))
    sock = flood.sender.sock
    set_timeout(sock, "sndtimeo", way)
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
    expect.same(flood.read(), flood.expected, "what the peer received of the earlier calls")
    flood.sender.delivers_count(pending.outcome(), b"!")


@clause("connect.interrupt.finished")
@each_way
def test_connect_goes_on(case: Case, way: str) -> None:
    """A connect that waits because the listener's queue is full must not fail, nor return before it is connected."""
    listener = case.listening_peer(backlog=0)
    first = case.peer().connect(listener.address)
    sock = case.socket()
    set_timeout(sock, "sndtimeo", way)
    pending = sock.start("connect", *listener.address)
    interrupt(case, pending, way)
    still_waits(pending, "connect()")
    case.keep(listener.accept())
    expect.true(pending.outcome(), "connect()")
    peer = case.keep(listener.accept())
    peer.send(b"x")
    expect.data(sock.recv(1), b"x")
    first.close()
