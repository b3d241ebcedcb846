"""Receiving and sending when the peer vanished without closing: the calls report that the connection timed out."""

from __future__ import annotations

import socket
import time

import pytest

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.toolkit import expect, far_end
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause

#: Milliseconds after which the system ends a connection with unacknowledged data. The default is minutes.
GIVEN_UP_AFTER = 100
_TCP_USER_TIMEOUT = 18
_TCP_CLOSE = 7


@pytest.fixture
def connected(case: Case) -> ImplSocket:
    """A connected socket of the implementation that has sent a byte to a peer that no longer answers."""
    listener = far_end.bound(case, far_end.FIRST).listen()
    sock = case.socket()
    expect.true(sock.connect(*listener.address), "connect()")
    case.keep(listener.accept()).vanish()
    with case.view(sock) as seen:
        seen.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, GIVEN_UP_AFTER)
    expect.count(sock.send(b"x"), 1)
    return sock


@clause("{recv,read,recvfrom}.vanished.timed-out")
def test_receiving_times_out(connected: ImplSocket, method: str) -> None:
    expect.fails(connected.call(method, 64), "ETIMEDOUT", what=f"{method}() from a peer that is gone")


@clause("{send,write}.vanished.told")
def test_sending_fails(case: Case, connected: ImplSocket, method: str) -> None:
    wait_until_given_up(case, connected)
    expect.fails(connected.call(method, b"y"), "ETIMEDOUT", "EPIPE", what=f"{method}() to a peer that is gone")


def wait_until_given_up(case: Case, sock: ImplSocket) -> None:
    with case.view(sock) as seen:
        end = time.monotonic() + PEER
        while seen.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _TCP_CLOSE:
            if time.monotonic() > end:
                expect.mismatch(
                    "a connection to a peer that is gone",
                    f"that the system ends it {GIVEN_UP_AFTER} ms after data was sent",
                    f"it still exists after {PEER:g} s: was anything sent?",
                )
            time.sleep(0.01)
