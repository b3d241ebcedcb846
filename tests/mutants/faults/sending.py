"""What sending does besides choosing bytes: its result, its failures, and datagrams."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Any

from tests.mutants.hooks import Sender
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import (
    SENDING,
    TO_PEER,
    Port,
    chunk,
    flat,
    is_int,
    raising,
    size,
    system,
    with_errno,
    would_block,
)

CHAPTER = Chapter(__name__)
#: Methods that send to the peer.

RESULTS = (
    ("returns-none", "returns nothing", lambda s, sent, b, o, n: None),
    ("returns-true", "returns true", lambda s, sent, b, o, n: True),
    ("returns-position", "returns where in the buffer it ended", lambda s, sent, b, o, n: sent + (o or 0)),
    ("returns-size", "returns the size of the buffer", lambda s, sent, b, o, n: size(b)),
    ("returns-remaining", "returns what remains", lambda s, sent, b, o, n: size(b) - (o or 0) - sent),
    ("returns-text", "returns the number as text", lambda s, sent, b, o, n: str(sent)),
    ("returns-one-less", "returns one less", lambda s, sent, b, o, n: max(sent - 1, 0)),
)
for method in SENDING:
    for name, does, told in RESULTS:
        clauses = [
            f"{method}.length.chunk" if name in ("returns-position", "returns-size") else f"{method}.result.count"
        ]
        CHAPTER.row(f"{name}-{method}", f"{method} {does}", clauses, Sender, methods=(method,), told=told)


def timed_out(sock: Port, error: OSError, *_: Any) -> Any:
    """A failure in the place of would-block that no caller of nixio knows."""
    raise TimeoutError(errno.ETIMEDOUT, "timed out") if would_block(error) else error


def answered(answer: Any) -> Any:
    """A result in the place of would-block."""
    return lambda sock, error, *_: answer if would_block(error) else raising(error)


CHAPTER.row(
    "block-zero",
    "send returns 0 where it would block",
    ["send.full.would-block"],
    Sender,
    methods=TO_PEER,
    failed=answered(0),
)
CHAPTER.row(
    "block-none", "send returns nothing where it would block", ["send.full.would-block"], Sender, failed=answered(None)
)
CHAPTER.row(
    "block-zero-sendto",
    "sendto returns 0 where it would block",
    ["sendto.full.would-block"],
    Sender,
    methods=("sendto",),
    failed=answered(0),
)
CHAPTER.row(
    "block-timeout", "a timeout is reported as ETIMEDOUT", ["send.timeout.would-block"], Sender, failed=timed_out
)


def swallowed(*numbers: int) -> Any:
    """Say that all was sent, where the system refused it so."""
    return lambda sock, error, buffer, *_: size(buffer) if with_errno(error, *numbers) else raising(error)


def instead(number: int, error_of: Any) -> Any:
    """Report another error."""
    return lambda sock, error, *_: raising(error_of() if with_errno(error, number) else error)


CHAPTER.row(
    "pipe-swallowed",
    "EPIPE is swallowed",
    ["send.listening.fails", "shutdown.wr.no-sending", "send.peer-gone.stream", "send.shut-down.fails"],
    Sender,
    failed=swallowed(errno.EPIPE),
)
CHAPTER.row(
    "pipe-value",
    "EPIPE comes as ValueError",
    ["send.shut-down.fails"],
    Sender,
    failed=instead(errno.EPIPE, lambda: ValueError("closed")),
)
CHAPTER.row(
    "pipe-no-errno",
    "EPIPE comes without its errno",
    ["send.shut-down.fails"],
    Sender,
    failed=instead(errno.EPIPE, lambda: OSError("broken pipe")),
)
CHAPTER.row(
    "unconnected-swallowed",
    "a datagram to nobody counts as sent",
    ["send.unconnected.fails"],
    Sender,
    failed=swallowed(errno.EDESTADDRREQ, errno.ENOTCONN),
)
CHAPTER.row(
    "peer-gone-swallowed",
    "a datagram to a peer that is gone counts as sent",
    ["send.peer-gone.udp", "send.peer-gone.datagram"],
    Sender,
    failed=swallowed(errno.ECONNREFUSED, errno.ENOENT),
)
CHAPTER.row(
    "too-long-swallowed",
    "a datagram that is too long counts as sent",
    ["send.datagram.too-long"],
    Sender,
    failed=swallowed(errno.EMSGSIZE),
)
CHAPTER.row(
    "always-notconn",
    "each failure is reported as ENOTCONN",
    ["send.shut-down.fails"],
    Sender,
    methods=("send",),
    failed=lambda s, e, *_: raising(e if would_block(e) else system(errno.ENOTCONN)),
)
CHAPTER.row(
    "nobody-swallowed",
    "sendto: a path where nobody is counts as reached",
    ["sendto.unix.nobody"],
    Sender,
    failed=swallowed(errno.ENOENT, errno.ECONNREFUSED),
)
CHAPTER.row(
    "broadcast-swallowed",
    "EACCES for a broadcast is swallowed",
    ["setopt.socket-broadcast.effect.off"],
    Sender,
    failed=swallowed(errno.EACCES),
)


def cut(most: int) -> Any:
    """Cut the buffer of a datagram."""
    return lambda s, b, o, n: (flat(b)[: most + (o if is_int(o) and o > 0 else 0)], o, n)


def by_dgram(sock: Port) -> bool:
    """Only datagram sockets are different."""
    return sock.dgram


CHAPTER.row(
    "cut-65507",
    "a datagram that is too long is cut",
    ["send.datagram.too-long-nothing", "send.datagram.too-long"],
    Sender,
    applies=lambda s: s.dgram and s.internet,
    chosen=cut(65507),
)
CHAPTER.row(
    "cut-8192", "a datagram is cut to 8192 bytes", ["send.datagram.large"], Sender, applies=by_dgram, chosen=cut(8192)
)
CHAPTER.row(
    "cut-1472",
    "a datagram is cut to what Ethernet takes",
    ["send.datagram.large"],
    Sender,
    applies=lambda s: s.dgram and s.internet,
    chosen=cut(1472),
)
CHAPTER.row(
    "trailing-nul",
    "a datagram has a NUL at its end",
    ["send.datagram.boundaries"],
    Sender,
    applies=by_dgram,
    chosen=lambda s, b, o, n: (flat(b) + b"\0", o, n) if n is None and not o else (b, o, n),
    told=lambda s, sent, b, o, n: min(sent, size(b)),
)
CHAPTER.row(
    "empty-refused",
    "an empty buffer is refused",
    ["send.empty.stream", "send.datagram.empty"],
    Sender,
    chosen=lambda s, b, o, n: (b, o, n) if size(b) else raising(ValueError("nothing to send")),
)
CHAPTER.row(
    "empty-as-nul",
    "an empty datagram goes out as one NUL",
    ["send.datagram.empty"],
    Sender,
    applies=by_dgram,
    chosen=lambda s, b, o, n: (b, o, n) if size(b) else (b"\0", None, None),
    told=lambda s, sent, b, o, n: min(sent, size(b)),
)


@CHAPTER.fault("empty-not-sent", "an empty datagram is not sent", "send.datagram.empty")
class EmptyNotSent(Sender):
    def transmit(self, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
        if self.dgram and size(buffer) == 0 and self.number >= 0:
            return 0
        return super().transmit(name, buffer, to, offset, length)


@CHAPTER.fault(
    "keeps-small", "a small send leaves with the next one, or when the socket is closed", "send.arrival.at-once"
)
class KeepsSmall(Sender):
    methods = TO_PEER
    held = b""

    def transmit(self, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
        data = flat(buffer)
        plain = offset in (None, 0) and length is None and 0 < len(data) <= 512
        if not self.stream or to or not plain:
            return super().transmit(name, buffer, to, offset, length)
        self.inner.getpeername()
        self.flush()
        self.held = data
        return len(data)

    def flush(self) -> None:
        """Send what was kept."""
        held, self.held = self.held, b""
        if held:
            self.inner.send(held)

    def close(self) -> Any:
        with contextlib.suppress(OSError):
            self.flush()
        return self.inner.close()


@CHAPTER.fault("in-pieces", "a datagram is sent in pieces of 512 bytes", "send.datagram.large")
class InPieces(Sender):
    methods = TO_PEER

    def transmit(self, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
        data = flat(buffer)
        if not self.dgram or to or offset or length is not None or len(data) <= 512:
            return super().transmit(name, buffer, to, offset, length)
        return sum(self.inner.send(data[start : start + 512]) for start in range(0, len(data), 512))


@CHAPTER.fault("written", "send is write(2): a peer that is gone raises SIGPIPE", "send.peer-gone.no-signal")
class Written(Sender):
    methods = TO_PEER

    def transmit(self, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
        import signal

        if not self.stream or to or offset is not None or length is not None:
            return super().transmit(name, buffer, to, offset, length)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        return os.write(self.number, buffer)


@CHAPTER.fault(
    "zero-window-lost", "what does not fit at once is dropped, and counted", "sendto.full.count", "send.full.count"
)
class Dropped(Sender):
    def told(self, sent: Any, buffer: Any, offset: Any, length: Any) -> Any:
        return size(buffer) if self.stream and not offset and length is None else sent


@CHAPTER.fault("leaks-on-failure", "a send that fails leaks a descriptor", "send.shut-down.fails")
class LeaksOnFailure(Sender):
    def failed(self, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
        with contextlib.suppress(OSError):
            os.dup(self.number)
        raise error


@CHAPTER.fault("write-kept", "what write sends leaves with the next send", "write.alias.in-turn")
class WriteKept(Sender):
    methods = ("write",)
    kept = b""

    def send(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        sent = self.inner.send(buffer, *chunk(offset, length))
        kept, self.kept = self.kept, b""
        if kept:
            self.inner.send(kept)
        return sent

    def write(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        if offset is not None or length is not None or self.kept:
            return self.inner.write(buffer, *chunk(offset, length))
        self.inner.getpeername()
        self.kept = flat(buffer)
        return len(self.kept)


@CHAPTER.fault(
    "nothing-sent-unix", "sendto on a connected UNIX stream counts as sent, and goes nowhere", "sendto.connected.unix"
)
class NothingSent(Sender):
    methods = ("sendto",)

    def failed(self, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
        return size(buffer) if self.unix and self.stream else raising(error)


@CHAPTER.fault("large-gap", "a large buffer loses a byte between two pieces", "send.blocking.large")
class LargeGap(Sender):
    def chosen(self, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
        data = flat(buffer)
        return (data[:65536] + data[65537:] if len(data) > 1 << 17 else buffer), offset, length
