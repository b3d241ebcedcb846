"""Sends and receives data in as many calls as it takes: on a stream, short reads and short writes are allowed.

A check states what must arrive. These helpers make calls until it has, and raise `Mismatch` at the first wrong result.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from nixio_conformance.driver.errors import AgentCannot
from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket, Pending
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.driver.wire import Argument, HeldAs
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.peer import Peer

#: Sent after data that must not arrive: if this is received next, nothing arrived.
SENTINEL = b"\xffsentinel\x00"
#: Every byte once.
BINARY = bytes(range(256))
#: Parameter `data`: bytes that an implementation would change or truncate if it treated them as text.
each_binary_sample = pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x00a\x00b\x00", id="nul"),
        pytest.param(b"\x00\x00\x00", id="only-nul"),
        pytest.param(b"\r\na\nb\r\n", id="line-ends"),
        pytest.param(b" \t a \t ", id="blanks"),
        pytest.param("é€😀".encode(), id="utf-8"),
        pytest.param(b"\xff\xfe\x80\xc0\xaf", id="not-utf-8"),
        pytest.param(b"0042", id="digits"),
    ],
)


def numbered(count: int) -> bytes:
    """4 * `count` bytes of data in which a gap, a repetition or a wrong order can be detected."""
    return b"".join(number.to_bytes(4, "big") for number in range(count))


@dataclass(frozen=True)
class Sender:
    """One of send, write and sendto on a socket of the implementation, and the peer that receives what it sends."""

    method: str
    sock: ImplSocket
    peer: Peer
    #: Host and port for sendto; empty for the others.
    destination: tuple[str | bytes | int | None, ...] = ()

    @property
    def is_stream(self) -> bool:
        """Whether a call may take fewer bytes than given, and boundaries between messages are lost."""
        return self.peer.kind.type == "stream"

    def __call__(self, *buffer_and_range: Argument) -> Outcome:
        """Make the call with a buffer, offset and length; sendto's destination is put after the buffer."""
        return self.start(*buffer_and_range).outcome()

    def start(self, *buffer_and_range: Argument) -> Pending:
        """Begin the call and leave it pending."""
        if not buffer_and_range:
            return self.sock.start(self.method)
        return self.sock.start(self.method, buffer_and_range[0], *self.destination, *buffer_and_range[1:])

    def whole(self, data: bytes) -> None:
        """Send all of the data: a datagram in one call, a stream's bytes in as many calls as are needed."""
        done = 0
        while done < len(data):
            done += self.count(self(data[done:]), len(data) - done)
        if not data:
            self.count(self(data), 0)

    def count(self, outcome: Outcome, given: int) -> int:
        """Check and return the number of bytes written of the `given`: all of a datagram, at least one of a stream."""
        found = expect.integer(outcome, f"{self.method}()")
        lowest = min(given, 1) if self.is_stream else given
        wanted = f"{lowest} to {given}" if lowest != given else given
        expect.holds(lowest <= found <= given, "number of bytes written", wanted, found)
        return found

    def arrived(self) -> list[bytes]:
        """What the peer received up to now: each datagram, or all bytes of the stream as one. Closes a stream."""
        if self.is_stream:
            expect.true(self.sock.close(), "close()")
            data = self.peer.recv_all()
            return [data] if data else []
        self.whole(SENTINEL)
        return list(iter(self.peer.recv, SENTINEL))

    def delivers(self, data: bytes) -> None:
        """Send all of the data, and check that exactly these bytes arrive, as one datagram unless it is a stream."""
        self.whole(data)
        expect.same(self.arrived(), [data] if data or not self.is_stream else [], "what the peer received")

    def delivers_count(self, outcome: Outcome, given: bytes) -> None:
        """Check that a call with these bytes returned a count, and that exactly as many of them arrive."""
        count = self.count(outcome, len(given))
        expect.same(self.arrived(), [given[:count]], "what the peer received")

    def refuses(self, *buffer_and_range: Argument) -> None:
        """Make the call, and check that it fails because of these arguments and sends nothing."""
        expect.refused_argument(self(*buffer_and_range), f"{self.method}()")
        self.nothing_arrived()

    def nothing_arrived(self) -> None:
        """Check that the peer received nothing, not even an empty datagram."""
        expect.same(self.arrived(), [], "what the peer received")


def sender(case: Case, method: str, role: str = "client") -> Sender:
    """A connected pair for send and write; for sendto with datagrams a bound socket that is not connected.

    On a stream, sendto gets the connected peer's address, which Linux ignores.
    """
    if method == "sendto" and case.kind.type != "stream":
        return sendto_to(case.bound()[0], case.bound_peer())
    pair = case.pair(role)
    return Sender(method, pair.impl, pair.peer, pair.peer.address if method == "sendto" else ())


def sendto_to(sock: ImplSocket, peer: Peer) -> Sender:
    """A sender that calls sendto on this socket with the peer's address."""
    return Sender("sendto", sock, peer, peer.address)


def until_failure(made: Sender, data: bytes) -> Failure:
    """Send repeatedly until a call fails: the system notices only later that the other end is gone.

    Raises `Mismatch` if calls succeed for longer than the peer's timeout.
    """
    end = time.monotonic() + PEER
    while time.monotonic() < end:
        outcome = made(data)
        if isinstance(outcome, Failure):
            return outcome
        made.count(outcome, len(data))
    raise expect.Mismatch(f"{made.method}() when the other end is gone", "a failure", f"successes for {PEER:g} s")


def held(case: Case, data: bytes, type_: str) -> HeldAs:
    """A buffer that the agent passes as another bytes-like type: "bytearray", "memoryview" or "array"."""
    needs_python_types(case)
    return HeldAs(data, type_)


def needs_python_types(case: Case) -> None:
    """End the case as port-skip if the implementation's language takes text and numbers as buffers, as Lua does."""
    if "buffer-types" not in case.session.welcome.capabilities:
        raise AgentCannot("its language has only one type of buffer, or converts other types to it")


# --- receiving


def data_of(outcome: Outcome, what: str) -> bytes:
    """The data that recv, read or recvfrom returned; recvfrom's address is not checked."""
    found = expect.first(outcome, what)
    if not isinstance(found, bytes):
        expect.mismatch(what, "bytes", outcome)
    return found


def receive(sock: ImplSocket, method: str, size: int) -> bytes:
    """One call of recv, read or recvfrom: at most `size` bytes."""
    data = data_of(sock.call(method, size), f"{method}()")
    expect.holds(len(data) <= size, f"{method}({size})", f"at most {size} bytes", f"{len(data)} bytes")
    return data


def receive_exactly(sock: ImplSocket, method: str, size: int) -> bytes:
    """Exactly `size` bytes of a stream in as many calls as are needed; fewer only if the stream ends before."""
    data = b""
    while len(data) < size:
        chunk = receive(sock, method, size - len(data))
        if not chunk:
            break
        data += chunk
    return data


def receive_message(sock: ImplSocket, method: str, peer: Peer, size: int) -> bytes:
    """One datagram of at most `size` bytes, or exactly `size` bytes of a stream."""
    if peer.kind.type == "stream":
        return receive_exactly(sock, method, size)
    return receive(sock, method, size)


def receives_rest(first: Outcome, sock: ImplSocket, method: str, peer: Peer, expected: bytes) -> None:
    """Check that the expected message is received: by the first call or, on a stream, by it and further calls."""
    data = data_of(first, f"{method}()")
    if peer.kind.type == "stream" and 0 < len(data) < len(expected):
        data += receive_exactly(sock, method, len(expected) - len(data))
    expect.same(data, expected, f"what {method}() returned")


def both_directions(sock: ImplSocket, peer: Peer) -> None:
    """Check that the socket and the peer are connected: each receives what the other sends."""
    expect.count(sock.send(b">"), 1)
    expect.same(peer.recv(), b">", "what the peer received")
    peer.send(b"<")
    expect.data(sock.recv(10), b"<")
