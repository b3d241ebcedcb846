"""A peer that is gone without closing: the system gives the connection up, and the port says so."""

from __future__ import annotations

import socket as stdlib_socket
import time

import pytest

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.toolkit import expect, far_end
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_fixtures import Kind

#: Milliseconds that data may stay unanswered. It is set from outside, as the system's own limit is minutes.
GIVEN_UP_AFTER = 100
_TCP_USER_TIMEOUT = 18
_TCP_CLOSE = 7


@pytest.fixture
def lonely(case: Case, kind: Kind) -> ImplSocket:
    """A connected socket of the port that has sent something to a peer that is gone."""
    listener = far_end.bound(case, far_end.FIRST).listen()
    sock = case.socket()
    expect.true(sock.connect(*listener.address), "connect()")
    case.keep(listener.accept()).vanish()
    with case.view(sock) as seen:
        seen.setsockopt(stdlib_socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, GIVEN_UP_AFTER)
    expect.count(sock.send(b"x"), 1)
    return sock


def receives(sock: ImplSocket, method: str) -> None:
    expect.fails(sock.call(method, 64), "ETIMEDOUT", what=f"{method}() from a peer that is gone")


@clause("recv.vanished.timed-out")
def test_recv(lonely: ImplSocket) -> None:
    receives(lonely, "recv")


@clause("read.vanished.timed-out")
def test_read(lonely: ImplSocket) -> None:
    receives(lonely, "read")


@clause("recvfrom.vanished.timed-out")
def test_recvfrom(lonely: ImplSocket) -> None:
    receives(lonely, "recvfrom")


def sends(case: Case, sock: ImplSocket, method: str) -> None:
    with case.view(sock) as seen:
        end = time.monotonic() + PEER
        while seen.getsockopt(stdlib_socket.IPPROTO_TCP, stdlib_socket.TCP_INFO, 1)[0] != _TCP_CLOSE:
            if time.monotonic() > end:
                expect.mismatch(
                    "a connection to a peer that is gone",
                    f"that the system gives it up {GIVEN_UP_AFTER} ms after something was sent",
                    f"still there after {PEER:g} s: was anything sent?",
                )
            time.sleep(0.01)
    expect.fails(sock.call(method, b"y"), "ETIMEDOUT", "EPIPE", what=f"{method}() to a peer that is gone")


@clause("send.vanished.told")
def test_send(case: Case, lonely: ImplSocket) -> None:
    sends(case, lonely, "send")


@clause("write.vanished.told")
def test_write(case: Case, lonely: ImplSocket) -> None:
    sends(case, lonely, "write")
