"""Sockets whose buffers are full because the peer does not read."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field
from functools import cache

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host import capabilities
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.transfer import Sender, numbered

#: Bytes of a small send buffer (the system may double them).
SMALL = 4096
#: More than a small send buffer and the peer's receive buffer hold together, so that a blocking send has to wait, and
#: so little that an agent decodes it quickly.
MUCH = b"0123456789abcdef" * (1 << 15)


@dataclass
class Flood:
    """Data sent again and again to a peer that does not read it."""

    sender: Sender
    data: bytes
    #: The bytes that were taken, by call.
    taken: list[bytes] = field(default_factory=list)

    def step(self) -> Outcome:
        """Make one call of the implementation."""
        outcome = self.sender(self.data)
        if not isinstance(outcome, Failure):
            self.taken.append(self.data[: self.sender.count(outcome, len(self.data))])
        return outcome

    def several(self) -> None:
        """Make calls of the implementation until one fails, but at most 200, because each may take only a few bytes."""
        for _ in range(200):
            if isinstance(self.step(), Failure):
                return

    def until_refused(self) -> Failure:
        """Make calls of the implementation until one fails, and return that failure; the socket is non-blocking."""
        for _ in range(4000):
            outcome = self.step()
            if isinstance(outcome, Failure):
                return outcome
        raise expect.Mismatch("sending while the peer does not read", "a failure", f"{len(self.taken)} successes")

    def fill(self, case: Case) -> None:
        """Fill the buffers: from outside where that is possible, else by calls of the non-blocking socket itself."""
        if capabilities.current()["kernel-view"] or self.sender.destination:
            self.until_refused()
            return
        self.taken += fill_from_outside(case, self.sender.sock, self.data)

    def read(self) -> list[bytes]:
        """Receive at the peer as much as was taken: each datagram, or the bytes of the stream as one."""
        if self.sender.is_stream:
            return [self.sender.peer.recv_exactly(sum(map(len, self.taken)))]
        return [self.sender.peer.recv() for _ in self.taken]

    @property
    def expected(self) -> list[bytes]:
        """What `read` has to return."""
        return [b"".join(self.taken)] if self.sender.is_stream else self.taken


def flood(case: Case, made: Sender) -> Flood:
    """Make the implementation's socket non-blocking and its send buffer small, ready to be filled.

    The peer's receive buffer stays as it is: with a window of a few bytes, reading would have to wait for TCP's timers.
    Skips the case for datagrams if the system never waits for room.
    """
    if not made.is_stream and not waits_for_room_in_queue():
        pytest.skip("when the queue is full, this system refuses a UNIX datagram with ENOBUFS instead of waiting")
    expect.true(made.sock.setblocking(False), "setblocking()")
    if not capabilities.current()["kernel-view"]:
        shrink(case, made.sock)
    return Flood(made, numbered(16384 if made.is_stream else 64))


def shrink(case: Case, sock: ImplSocket) -> None:
    """Make the send buffer small: from outside where that is possible, else by setopt()."""
    if capabilities.current()["kernel-view"]:
        expect.true(sock.setopt("socket", "sndbuf", SMALL), "setopt()")
        return
    with case.view(sock) as view, contextlib.suppress(OSError):
        view.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)


def fill_from_outside(case: Case, sock: ImplSocket, data: bytes) -> list[bytes]:
    """Send these bytes through a second descriptor until the buffers are full; returns the bytes taken, by call."""
    taken = []
    with case.view(sock) as view, contextlib.suppress(BlockingIOError):
        while True:
            taken.append(data[: view.send(data, socket.MSG_DONTWAIT)])
    return taken


@cache
def waits_for_room_in_queue() -> bool:
    """Whether sending a UNIX datagram waits for room in the receiver's queue, as on Linux; BSD refuses the datagram."""
    with contextlib.ExitStack() as stack:
        one, _ = (stack.enter_context(end) for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
        one.setblocking(False)
        try:
            while True:
                one.send(b"?")
        except BlockingIOError:
            return True
        except OSError:
            return False
