"""Messages through the port that may take several calls: on a stream short reads and short writes are legal.

Checks say what must arrive; these helpers make the calls until it did, and stop at the first that is not right.
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, field
from functools import cache

import pytest

from nixio_conformance.driver.errors import AgentCannot
from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket, Pending
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.driver.wire import Argument, HeldAs
from nixio_conformance.host import capabilities
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.peer import Peer

#: Sent after something that must not arrive: when this comes next, nothing had come.
SENTINEL = b"\xffsentinel\x00"
#: Data that a text would not survive: NUL, line ends, UTF-8 and what is none, every byte once.
BINARY = bytes(range(256))


@dataclass(frozen=True)
class Sender:
    """One of send, write and sendto on a socket of the port, and the peer where its messages arrive."""

    method: str
    sock: ImplSocket
    peer: Peer
    #: The address that sendto needs; nothing for the others.
    destination: tuple[str | bytes | int | None, ...] = ()

    @property
    def is_stream(self) -> bool:
        """Whether a call may take fewer bytes than it was given, and boundaries are lost."""
        return self.peer.kind.type == "stream"

    def __call__(self, *buffer_and_chunk: Argument) -> Outcome:
        """Make the call with a buffer, offset and length: the destination is put in its place."""
        return self.start(*buffer_and_chunk).outcome()

    def start(self, *buffer_and_chunk: Argument) -> Pending:
        """Begin the call."""
        return self.sock.start(self.method, *buffer_and_chunk[:1], *self.destination, *buffer_and_chunk[1:])

    def whole(self, data: bytes) -> None:
        """Send all of it: a datagram at once, a stream's bytes in as many calls as the port needs."""
        done = 0
        while done < len(data):
            taken = self.count(self(data[done:]), len(data) - done)
            done += taken
        if not data:
            self.count(self(data), 0)

    def count(self, outcome: Outcome, given: int) -> int:
        """The number that was returned, which is how many of the `given` bytes were taken."""
        found = expect.integer(outcome, f"{self.method}()")
        lowest = min(given, 1) if self.is_stream else given
        wanted = f"{lowest} to {given}" if lowest != given else given
        expect.holds(lowest <= found <= given, "number of bytes written", wanted, found)
        return found

    def arrived(self) -> list[bytes]:
        """All that the peer got up to now: each datagram, or one run of bytes. Ends a stream, as it closes it."""
        if self.is_stream:
            expect.true(self.sock.close(), "close()")
            data = self.peer.recv_all()
            return [data] if data else []
        self.whole(SENTINEL)
        return list(iter(self.peer.recv, SENTINEL))

    def nothing_arrived(self) -> None:
        """The peer got nothing, not even an empty datagram."""
        expect.same(self.arrived(), [], "what the peer received")


def sender(case: Case, method: str, role: str = "client") -> Sender:
    """A connected pair for send and write; for sendto an unconnected socket with a peer's address (dgram)."""
    if method == "sendto" and case.kind.type != "stream":
        peer = case.bound_peer()
        return Sender(method, case.bound()[0], peer, peer.address)
    pair = case.pair(role)
    return Sender(method, pair.impl, pair.peer, pair.peer.address if method == "sendto" else ())


def held(case: Case, data: bytes, type_: str) -> HeldAs:
    """Bytes as another bytes-like type; a port-skip for agents of languages that have one type for bytes."""
    needs_python_types(case)
    return HeldAs(data, type_)


def needs_python_types(case: Case) -> None:
    """A port-skip where the language of the port takes text and numbers for bytes, as Lua does."""
    if "buffer-types" not in case.session.welcome.capabilities:
        raise AgentCannot("its language has no other type for bytes, or converts into it")


# --- receiving


def data_of(outcome: Outcome, what: str) -> bytes:
    """The data that recv, read or recvfrom returned; a stream's recvfrom may say no more than that."""
    found = expect.returned(outcome, what)
    expect.holds(bool(found) and isinstance(found[0], bytes), what, "bytes", outcome)
    assert isinstance(found[0], bytes)
    return found[0]


def receive(sock: ImplSocket, method: str, size: int) -> bytes:
    """One call of recv, read or recvfrom: at most `size` bytes."""
    data = data_of(sock.call(method, size), f"{method}()")
    expect.holds(len(data) <= size, f"{method}({size})", f"at most {size} bytes", f"{len(data)} bytes")
    return data


def receive_exactly(sock: ImplSocket, method: str, size: int) -> bytes:
    """That many bytes of a stream in as many calls as it takes; fewer only when the stream ends before."""
    data = b""
    while len(data) < size:
        chunk = receive(sock, method, size - len(data))
        if not chunk:
            break
        data += chunk
    return data


def receive_message(sock: ImplSocket, method: str, peer: Peer, size: int) -> bytes:
    """What is `size` bytes long at most: a datagram in one call, or so many bytes of a stream."""
    if peer.kind.type == "stream":
        return receive_exactly(sock, method, size)
    return receive(sock, method, size)


def rest_of(first: Outcome, sock: ImplSocket, method: str, peer: Peer, expected: bytes) -> None:
    """A call that was pending got a message, or, of a stream, began to: the rest comes by further calls."""
    data = data_of(first, f"{method}()")
    if peer.kind.type == "stream" and 0 < len(data) < len(expected):
        data += receive_exactly(sock, method, len(expected) - len(data))
    expect.same(data, expected, f"what {method}() returned")


# --- full buffers

#: Bytes that a small buffer is asked to hold (a system may double them), and more than it and the peer's hold together:
#: a send of so much has to wait. It is not more than an agent reads in a moment.
SMALL = 4096
MUCH = b"0123456789abcdef" * (1 << 15)


@dataclass
class Flood:
    """What is sent without anybody reading it, on a non-blocking socket of the port."""

    sender: Sender
    data: bytes
    #: The bytes that were taken, each call's.
    taken: list[bytes] = field(default_factory=list)

    def step(self) -> Outcome:
        """Have the port send once more."""
        outcome = self.sender(self.data)
        if not isinstance(outcome, Failure):
            self.taken.append(self.data[: self.sender.count(outcome, len(self.data))])
        return outcome

    def several(self) -> None:
        """Have the port send until it is refused, or often enough for a port that takes little at once."""
        for _ in range(200):
            if isinstance(self.step(), Failure):
                return

    def until_refused(self) -> Failure:
        """Have the port send until it says that it would have to wait, and that failure."""
        for _ in range(4000):
            outcome = self.step()
            if isinstance(outcome, Failure):
                return outcome
        raise expect.Mismatch("sending what nobody reads", "a failure at last", f"{len(self.taken)} successes")

    def fill(self, case: Case) -> None:
        """Fill the port's buffer from outside where that is possible, and by the port's own calls where it is not."""
        if capabilities.current()["kernel-view"] or self.sender.destination:
            self.until_refused()
            return
        with case.view(self.sender.sock) as view, contextlib.suppress(BlockingIOError):
            while True:
                self.taken.append(self.data[: view.send(self.data, socket.MSG_DONTWAIT)])

    def read(self) -> list[bytes]:
        """Have the peer read as much as was taken: each datagram, or one run of bytes."""
        if self.sender.is_stream:
            return [self.sender.peer.recv_exactly(sum(map(len, self.taken)))]
        return [self.sender.peer.recv() for _ in self.taken]

    @property
    def expected(self) -> list[bytes]:
        """What `read` must give."""
        return [b"".join(self.taken)] if self.sender.is_stream else self.taken


def shrink(case: Case, sock: ImplSocket) -> None:
    """Make the buffer of what is sent small: from outside where that is possible, without setopt()."""
    if capabilities.current()["kernel-view"]:
        expect.true(sock.setopt("socket", "sndbuf", SMALL), "setopt()")
        return
    with contextlib.suppress(OSError), case.view(sock) as view:
        view.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)


@cache
def a_full_queue_is_waited_for() -> bool:
    """Whether a UNIX datagram waits for room at its receiver, as on Linux, or is refused, as on BSD."""
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


def flood(case: Case, made: Sender) -> Flood:
    """Make the port's socket non-blocking and its buffer small, ready to be filled; data that shows gaps and repeats.

    The peer keeps its own: over TCP a window of a few bytes makes reading wait for timers. For datagrams a host-skip
    where the system itself never waits for room.
    """
    if not made.is_stream and not a_full_queue_is_waited_for():
        pytest.skip("this system refuses a unix datagram that finds no room with ENOBUFS, and does not wait")
    expect.true(made.sock.setblocking(False), "setblocking()")
    if not capabilities.current()["kernel-view"]:
        shrink(case, made.sock)
    return Flood(made, b"".join(number.to_bytes(4, "big") for number in range(16384 if made.is_stream else 64)))


def until_failure(made: Sender, data: bytes) -> Failure:
    """Send again and again until it fails, as the system takes its time to hear that the other end is gone."""
    end = time.monotonic() + PEER
    while time.monotonic() < end:
        outcome = made(data)
        if isinstance(outcome, Failure):
            return outcome
        made.count(outcome, len(data))
    raise expect.Mismatch(f"{made.method}() when the other end is gone", "a failure", f"successes for {PEER:g} s")
