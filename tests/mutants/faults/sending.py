"""Sending: results, failures and datagrams."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Any

from tests.mutants.errors import WOULD_BLOCK, all_sent, answer, substitute
from tests.mutants.hooks import Sender
from tests.mutants.registry import Group
from tests.mutants.wrapper import SENDING, TO_PEER, Wrapped, chunk, flat, is_int, raising, size, system, would_block

GROUP = Group(__name__)
fault = GROUP.fault

each = GROUP.rows(Sender, "{}-{method}", "{method} {}", "{method}.{}", methods=SENDING)
each("returns-none", "returns nothing", "result.count").override(result=lambda s, sent, b, o, n: None)
each("returns-true", "returns true", "result.count").override(result=lambda s, sent, b, o, n: True)
each("returns-position", "returns the position in the buffer", "length.chunk").override(
    result=lambda s, sent, b, o, n: sent + (o or 0)
)
each("returns-size", "returns the size of the buffer", "length.chunk").override(result=lambda s, sent, b, o, n: size(b))
each("returns-remaining", "returns the number of bytes left", "result.count").override(
    result=lambda s, sent, b, o, n: size(b) - (o or 0) - sent
)
each("returns-text", "returns the number as a string", "result.count").override(
    result=lambda s, sent, b, o, n: str(sent)
)
each("returns-one-less", "returns one less", "result.count").override(result=lambda s, sent, b, o, n: max(sent - 1, 0))

fault("block-zero", "send returns 0 instead of would-block", "send.full.would-block").override(
    Sender, methods=TO_PEER, failed=answer(0, WOULD_BLOCK)
)
fault("block-none", "send returns nothing instead of would-block", "send.full.would-block").override(
    Sender, failed=answer(None, WOULD_BLOCK)
)
fault("block-zero-sendto", "sendto returns 0 instead of would-block", "sendto.full.would-block").override(
    Sender, methods=("sendto",), failed=answer(0, WOULD_BLOCK)
)
fault("block-timeout", "a timeout is reported as ETIMEDOUT", "send.timeout.would-block").override(
    Sender, failed=substitute(errno.ETIMEDOUT, WOULD_BLOCK)
)


fault(
    "pipe-swallowed",
    "EPIPE is swallowed",
    "send.listening.fails",
    "shutdown.wr.no-sending",
    "send.peer-gone.stream",
    "send.shut-down.fails",
).override(Sender, failed=all_sent(errno.EPIPE))
fault("pipe-value", "EPIPE is raised as ValueError", "send.shut-down.fails").override(
    Sender, failed=substitute(ValueError("closed"), errno.EPIPE)
)
fault("pipe-no-errno", "EPIPE is raised without its errno", "send.shut-down.fails").override(
    Sender, failed=substitute(OSError("broken pipe"), errno.EPIPE)
)
fault("unconnected-swallowed", "a datagram without destination counts as sent", "send.unconnected.fails").override(
    Sender, failed=all_sent(errno.EDESTADDRREQ, errno.ENOTCONN)
)
fault(
    "peer-gone-swallowed", "a datagram to a closed peer counts as sent", "send.peer-gone.udp", "send.peer-gone.datagram"
).override(Sender, failed=all_sent(errno.ECONNREFUSED, errno.ENOENT))
fault("too-long-swallowed", "a datagram that is too long counts as sent", "send.datagram.too-long").override(
    Sender, failed=all_sent(errno.EMSGSIZE)
)
fault("always-notconn", "each failure is reported as ENOTCONN", "send.shut-down.fails").override(
    Sender, methods=("send",), failed=lambda s, e, *_: raising(e if would_block(e) else system(errno.ENOTCONN))
)
fault(
    "nobody-swallowed",  # words: allow
    "sendto to a path without a socket counts as sent",
    "sendto.unix.nobody",
).override(Sender, failed=all_sent(errno.ENOENT, errno.ECONNREFUSED))
fault("broadcast-swallowed", "EACCES for a broadcast is swallowed", "setopt.socket-broadcast.effect.off").override(
    Sender, failed=all_sent(errno.EACCES)
)


def cut(most: int) -> Any:
    """Truncate the buffer of a datagram to `most` bytes."""
    return lambda s, b, o, n: (flat(b)[: most + (o if is_int(o) and o > 0 else 0)], o, n)


def by_dgram(sock: Wrapped) -> bool:
    """Whether a socket is a datagram socket."""
    return sock.dgram


fault(
    "cut-65507", "a datagram that is too long is truncated", "send.datagram.too-long-nothing", "send.datagram.too-long"
).override(Sender, applies=lambda s: s.dgram and s.internet, pass_on=cut(65507))
fault("cut-8192", "a datagram is truncated to 8192 bytes", "send.datagram.large").override(
    Sender, applies=by_dgram, pass_on=cut(8192)
)
fault("cut-1472", "a datagram is truncated to 1472 bytes", "send.datagram.large").override(
    Sender, applies=lambda s: s.dgram and s.internet, pass_on=cut(1472)
)
fault("trailing-nul", "a datagram has a NUL at its end", "send.datagram.boundaries").override(
    Sender,
    applies=by_dgram,
    pass_on=lambda s, b, o, n: (flat(b) + b"\0", o, n) if n is None and not o else (b, o, n),
    result=lambda s, sent, b, o, n: min(sent, size(b)),
)
fault("empty-refused", "an empty buffer is refused", "send.empty.stream", "send.datagram.empty").override(
    Sender, pass_on=lambda s, b, o, n: (b, o, n) if size(b) else raising(ValueError("nothing to send"))
)
fault("empty-as-nul", "an empty datagram is sent as one NUL", "send.datagram.empty").override(
    Sender,
    applies=by_dgram,
    pass_on=lambda s, b, o, n: (b, o, n) if size(b) else (b"\0", None, None),
    result=lambda s, sent, b, o, n: min(sent, size(b)),
)


@fault("empty-not-sent", "an empty datagram is not sent", "send.datagram.empty")
def transmit(self: Sender, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
    if self.dgram and size(buffer) == 0 and self.number >= 0:
        return 0
    return Sender.transmit(self, name, buffer, to, offset, length)


@fault("keeps-small", "a small send is delayed until the next one or close", "send.arrival.at-once")
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
        """Send the delayed data."""
        held, self.held = self.held, b""
        if held:
            self.inner.send(held)

    def close(self) -> Any:
        with contextlib.suppress(OSError):
            self.flush()
        return self.inner.close()


@fault("in-pieces", "a datagram is sent in pieces of 512 bytes", "send.datagram.large", methods=TO_PEER)
def transmit(self: Sender, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
    data = flat(buffer)
    if not self.dgram or to or offset or length is not None or len(data) <= 512:
        return Sender.transmit(self, name, buffer, to, offset, length)
    return sum(self.inner.send(data[start : start + 512]) for start in range(0, len(data), 512))


@fault("written", "send is write(2): a closed peer raises SIGPIPE", "send.peer-gone.no-signal", methods=TO_PEER)
def transmit(self: Sender, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
    import signal

    if not self.stream or to or offset is not None or length is not None:
        return Sender.transmit(self, name, buffer, to, offset, length)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    return os.write(self.number, buffer)


@fault(
    "zero-window-lost", "data that does not fit at once is dropped, and counted", "sendto.full.count", "send.full.count"
)
def result(self: Sender, sent: Any, buffer: Any, offset: Any, length: Any) -> Any:
    return size(buffer) if self.stream and not offset and length is None else sent


@fault("leaks-on-failure", "a send that fails leaks a descriptor", "send.shut-down.fails")
def failed(self: Sender, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
    with contextlib.suppress(OSError):
        os.dup(self.number)
    raise error


@fault("write-kept", "data of write is sent with the next send", "write.alias.in-turn")
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


@fault(
    "nothing-sent-unix",
    "sendto on a connected UNIX stream drops the data, and counts it",
    "sendto.connected.unix",
    methods=("sendto",),
)
def failed(self: Sender, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
    return size(buffer) if self.unix and self.stream else raising(error)


@fault("large-gap", "a large buffer loses a byte between two pieces", "send.blocking.large")
def pass_on(self: Sender, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
    data = flat(buffer)
    return (data[:65536] + data[65537:] if len(data) > 1 << 17 else buffer), offset, length
