"""When recv, read and recvfrom wait, how long, and the state after a wait."""

from __future__ import annotations

import contextlib
import errno
import os
import select
from typing import Any

from tests.mutants.hooks import Receiver
from tests.mutants.registry import Group
from tests.mutants.wrapper import positive, system, would_block

GROUP = Group(__name__)
fault = GROUP.fault


@fault("waits", "receiving waits on non-blocking sockets", "recv.would-block.empty")
def receive(self: Receiver, name: str, length: Any) -> Any:
    while True:
        try:
            return Receiver.receive(self, name, length)
        except BlockingIOError:
            select.select([self.number], [], [], 1)


@fault("never-waits", "receiving never waits", "recv.waits.until-data", "recv.waits.until-end")
def receive(self: Receiver, name: str, length: Any) -> Any:
    with self.for_now(blocking=False):
        return Receiver.receive(self, name, length)


@fault("gives-up", "a receive that waits gives up after 0.2 s", "recv.waits.on")
def pass_on(self: Receiver, length: Any) -> Any:
    if positive(length) and self.blocking and not select.select([self.number], [], [], 0.2)[0]:
        raise system(errno.EAGAIN)
    return length


@fault("ignores-timeout", "receiving waits longer than rcvtimeo", "recv.timeout.would-block")
def receive(self: Receiver, name: str, length: Any) -> Any:
    while True:
        try:
            return Receiver.receive(self, name, length)
        except BlockingIOError:
            if not self.blocking:
                raise


@fault(
    "block-loses",
    "after a would-block, the next datagram loses its first byte",
    "setblocking.false.loses-nothing",
    "recv.would-block.loses-nothing",
)
class BlockLoses(Receiver):
    lost = False

    def failed(self, error: OSError, length: Any) -> Any:
        self.lost = self.lost or would_block(error)
        raise error

    def result(self, data: bytes, length: Any) -> Any:
        lost, self.lost = self.lost, False
        return data[1:] if lost and positive(length) else data


@fault("leaks-on-block", "a receive that would block leaks a descriptor", "recv.would-block.empty")
def failed(self: Receiver, error: OSError, length: Any) -> Any:
    with contextlib.suppress(OSError):
        os.dup(self.number)
    raise error


@fault(
    "end-blocks",
    "the end of a stream is would-block on non-blocking sockets",
    "recv.would-block.end",
    "setblocking.false.end",
)
def result(self: Receiver, data: bytes, length: Any) -> Any:
    if self.stream and not data and positive(length) and not self.blocking:
        raise system(errno.EAGAIN)
    return data


@fault("non-blocking-empty", "a non-blocking socket never receives", "setblocking.false.receives-data")
def pass_on(self: Receiver, length: Any) -> Any:
    if positive(length) and not self.blocking:
        raise system(errno.EAGAIN)
    return length


@fault("timeout-at-once", "with a rcvtimeo, receiving does not wait at all", "setopt.socket-rcvtimeo.effect.in-time")
def pass_on(self: Receiver, length: Any) -> Any:
    waits = positive(length) and self.inner.getopt("socket", "rcvtimeo") != (0, 0)
    if waits and not select.select([self.number], [], [], 0)[0]:
        raise system(errno.EAGAIN)
    return length
