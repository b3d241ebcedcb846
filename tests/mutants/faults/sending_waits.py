"""Sending when the queue is full: waiting, timeouts, partial sends, and later sends."""

from __future__ import annotations

import contextlib
import errno
import select
from typing import Any

from tests.mutants.hooks import Sender
from tests.mutants.registry import Group
from tests.mutants.wrapper import TO_PEER, chunk, flat, raising, system, would_block

GROUP = Group(__name__)
fault = GROUP.fault


@fault("sendall", "send continues until all is sent, on non-blocking sockets too", "send.full.count", methods=TO_PEER)
def result(self: Sender, sent: Any, buffer: Any, offset: Any, length: Any) -> Any:
    data = flat(buffer)[offset or 0 :]
    data = data if length is None else data[:length]
    poll = select.poll()
    poll.register(self.number, select.POLLOUT)
    while self.stream and not self.blocking and sent < len(data):
        poll.poll(1000)
        with contextlib.suppress(BlockingIOError):
            sent += self.inner.send(data[sent:])
    return sent


@fault(
    "sendall-timeout",
    "sending continues after sndtimeo until all is sent",
    "setopt.socket-sndtimeo.effect.send",
    "send.timeout.counted",
)
class SendallTimeout(Sender):
    def result(self, sent: Any, buffer: Any, offset: Any, length: Any) -> Any:
        data = flat(buffer)[offset or 0 :]
        while self.stream and self.blocking and length is None and sent < len(data):
            with contextlib.suppress(BlockingIOError):
                sent += self.inner.send(data[sent:])
        return sent

    def failed(self, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
        if would_block(error) and self.stream and self.blocking and length is None:
            return self.result(0, buffer, offset, length)
        raise error


@fault("part-timeout", "a send that sndtimeo ends reports would-block although a part was sent", "send.timeout.counted")
def result(self: Sender, sent: Any, buffer: Any, offset: Any, length: Any) -> Any:
    if self.stream and self.blocking and length is None and sent < len(flat(buffer)) - (offset or 0):
        raise system(errno.EAGAIN)
    return sent


@fault("waits", "sending waits for room on non-blocking sockets", "send.full.would-block", "setblocking.false.sending")
def transmit(self: Sender, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
    while True:
        try:
            return Sender.transmit(self, name, buffer, to, offset, length)
        except BlockingIOError:
            poll = select.poll()
            poll.register(self.number, select.POLLOUT)
            poll.poll(1000)


@fault("never-waits", "sending never waits for room", "send.blocking.waits", "send.waits.on")
class NeverWaits(Sender):
    def transmit(self, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
        with self.for_now(blocking=False):
            return super().transmit(name, buffer, to, offset, length)


@fault("sendto-never-waits", "sendto never waits for room", "sendto.blocking.waits")
class SendtoNeverWaits(NeverWaits):
    def send(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        return self.inner.send(buffer, *chunk(offset, length))

    write = send


@fault("ignores-timeout", "sending waits longer than sndtimeo", "send.timeout.would-block")
def failed(self: Sender, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
    while isinstance(error, BlockingIOError) and self.blocking:
        try:
            return self.inner.send(buffer, *chunk(offset, length))
        except OSError as again:
            error = again
    raise error


@fault("gives-up", "a send that waits gives up after 0.2 s", "send.waits.on", methods=TO_PEER)
def transmit(self: Sender, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
    limited = self.blocking and not to and self.inner.getopt("socket", "sndtimeo") == (0, 0)
    if limited:
        self.inner.setopt("socket", "sndtimeo", (0, 200000))
    try:
        return Sender.transmit(self, name, buffer, to, offset, length)
    finally:
        if limited:
            self.inner.setopt("socket", "sndtimeo", 0)


@fault("doubles", "the unsent rest of a partial send is sent before the next one", "send.full.count")
class Doubles(Sender):
    methods = TO_PEER
    left = b""

    def pass_on(self, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
        left, self.left = self.left, b""
        if left:
            with contextlib.suppress(OSError):
                left = left[self.inner.send(left) :]
            self.left = left
        return buffer, offset, length

    def result(self, sent: Any, buffer: Any, offset: Any, length: Any) -> Any:
        if self.stream and length is None:
            self.left = self.left or flat(buffer)[(offset or 0) + sent :][:4096]
        return sent


@fault("blocked-for-good", "after a would-block, send never succeeds again", "setblocking.false.sends-later")
class BlockedForGood(Sender):
    refusal: OSError | None = None

    def pass_on(self, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
        return raising(self.refusal) if self.refusal is not None else (buffer, offset, length)

    def failed(self, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
        if would_block(error) and not self.blocking:
            self.refusal = error
        raise error


@fault("skips-after-block", "after a would-block, the next send leaves out a byte", "send.full.goes-on")
class SkipsAfterBlock(Sender):
    blocked = False

    def pass_on(self, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
        blocked, self.blocked = self.blocked, False
        return (flat(buffer)[1:], offset, length) if blocked else (buffer, offset, length)

    def failed(self, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
        self.blocked = would_block(error)
        raise error
