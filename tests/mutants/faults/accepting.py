"""accept: its results, the queue, waiting, and the state of the listener."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
from typing import Any

from tests.mutants.errors import WOULD_BLOCK, answer, substitute
from tests.mutants.hooks import Hooked
from tests.mutants.registry import Group
from tests.mutants.wrapper import WithSpare, Wrapped, ignore_errors, raising, system, with_effect, with_errno

GROUP = Group(__name__)
fault = GROUP.fault


class Accept(Hooked):
    """accept, with hooks."""

    methods = ("accept",)

    def accept_result(self, sock: Any, host: Any, port: Any) -> Any:
        """The result, from the three values of the reference."""
        return sock, host, port

    def result(self, result: Any) -> Any:
        return self.accept_result(*result)


def standard(sock: Any) -> Any:
    """A socket of the standard library on a duplicate of the descriptor."""
    return socket.socket(fileno=os.dup(sock.number))


def first_byte(sock: Wrapped) -> None:
    """Consume a byte, if one has arrived."""
    with sock.borrowed() as borrowed:
        ignore_errors(borrowed.recv, 1, socket.MSG_DONTWAIT)


row = GROUP.rows(Accept, "accept-{}", "accept {}")
row("socket-only", "returns the socket only", "accept.result.values").override(accept_result=lambda s, c, h, p: c)
row("last", "returns the socket last", "accept.result.socket").override(accept_result=lambda s, c, h, p: (h, p, c))
row("number", "returns a descriptor's number", "accept.result.socket").override(
    accept_result=lambda s, c, h, p: (os.dup(c.number), h, p)
)
row("standard", "returns a socket of the standard library", "accept.socket.method").override(
    accept_result=lambda s, c, h, p: (standard(c), h, p)
)
row("itself", "returns the listener", "accept.socket.own-descriptor").override(
    accept_result=lambda s, c, h, p: (s, h, p)
)
row("non-blocking", "returns non-blocking sockets", "accept.socket.blocks").override(
    after=lambda s, r: r[0].inner.setblocking(False)
)
row("mode", "copies the listener's blocking mode", "accept.socket.blocks").override(
    after=lambda s, r: r[0].inner.setblocking(s.blocking)
)
row("inheritable", "returns inheritable sockets", "accept.socket.not-inherited").override(
    after=lambda s, r: os.set_inheritable(r[0].number, True)
)
row("leaks", "leaks a duplicate", "accept.result.socket").override(after=lambda s, r: os.dup(r[0].number))
row("closes", "closes the listener", "accept.listener.stays", "accept.listener.same").override(
    after=lambda s, r: s.inner.close()
)
row("nodelay", "sets nodelay", "accept.socket.adds-none").override(
    after=lambda s, r: r[0].inner.setopt("tcp", "nodelay", 1) if s.internet else None
)
row("timeout", "sets a timeout", "accept.socket.adds-none").override(
    after=lambda s, r: r[0].inner.setopt("socket", "rcvtimeo", (5, 0))
)
row("clears", "clears the options inherited from the listener", "accept.socket.options").override(
    after=lambda s, r: r[0].inner.setopt("socket", "keepalive", 0)
)
row("listener-mode", "leaves the listener non-blocking", "accept.waits.each").override(
    after=lambda s, r: s.inner.setblocking(False)
)
row("greets", "sends a byte to the peer", "accept.socket.untouched").override(
    after=lambda s, r: ignore_errors(r[0].inner.send, b"!")
)
row("reads", "takes the connection's first byte", "accept.socket.early-data").override(
    after=lambda s, r: first_byte(r[0])
)
row("waits-for-data", "waits for the first data", "accept.result.values").override(
    after=lambda s, r: select.select([r[0].number], [], [], 8)
)
row("block-none", "returns None where it would block", "accept.non-blocking").override(failed=answer(None, WOULD_BLOCK))
row("block-nones", "returns None three times instead of would-block", "accept.non-blocking").override(
    failed=answer((None, None, None), WOULD_BLOCK)
)
row("block-timeout", "reports a timeout as ETIMEDOUT", "accept.timeout").override(
    failed=substitute(errno.ETIMEDOUT, WOULD_BLOCK)
)
row("not-listening-value", "raises ValueError without listen", "accept.not-listening").override(
    failed=substitute(ValueError("not listening"), errno.EINVAL)
)
row("not-listening-block", "reports would-block without listen", "accept.not-listening").override(
    failed=substitute(errno.EAGAIN, errno.EINVAL)
)
row("not-stream-swallowed", "returns the socket itself on datagram sockets", "accept.not-stream").override(
    failed=lambda s, e: (s, "", 0) if with_errno(e, errno.EOPNOTSUPP) else raising(e)
)
row("exhausted-block", "reports EMFILE as would-block", "accept.exhausted.emfile").override(
    failed=substitute(errno.EAGAIN, errno.EMFILE)
)
row("leaks-failing", "leaks a descriptor when it fails", "accept.failing.leaks-nothing").override(
    failed=lambda s, e: with_effect(raising, lambda: ignore_errors(os.dup, s.number))(e)
)


@fault("accept-loses", "accept takes all pending connections and closes all but one", "accept.order.connections")
def accept_result(self: Accept, sock: Any, host: Any, port: Any) -> Any:
    with contextlib.suppress(OSError), self.for_now(blocking=False):
        while True:
            self.inner.accept()[0].close()
    return sock, host, port


@fault(
    "accept-last-in",
    "of several connections, accept takes the last",
    "accept.order.addresses",
    "accept.order.connections",
)
class LastIn(Wrapped):
    waiting: Any = ()

    def accept(self) -> Any:
        waiting = [*self.waiting]
        with contextlib.suppress(OSError), self.for_now(blocking=False):
            while True:
                waiting.append(self.inner.accept())
        waiting = waiting or [self.inner.accept()]
        sock, host, port = waiting.pop()
        self.waiting = waiting
        return self.wrap(sock), host, port


@fault("accept-dead", "accept skips a connection whose peer has closed it", "accept.peer.gone")
def accept_result(self: Accept, sock: Any, host: Any, port: Any) -> Any:
    poll = select.poll()
    poll.register(sock.number, select.POLLRDHUP)
    if poll.poll(0):
        sock.inner.close()
        return self.accept()
    return sock, host, port


@fault("accept-reset", "accept fails with ENOTCONN for a connection that the peer has reset", "accept.peer.reset")
def accept_result(self: Accept, sock: Any, host: Any, port: Any) -> Any:
    try:
        sock.inner.getpeername()
    except OSError:
        sock.inner.close()
        raise
    return sock, host, port


@fault("accept-waits", "accept blocks on a non-blocking listener", "accept.non-blocking", "setblocking.false.accepting")
def accept(self: Wrapped) -> Any:
    if not self.blocking and self.listens:
        select.select([self.number], [], [], 8)
    return Wrapped.accept(self)


@fault("accept-never-waits", "accept never waits", "accept.waits")
def accept(self: Wrapped) -> Any:
    with self.for_now(blocking=False):
        return Wrapped.accept(self)


@fault("accept-ignores-timeout", "accept waits longer than rcvtimeo", "accept.timeout")
def failed(self: Accept, error: Exception) -> Any:
    while isinstance(error, BlockingIOError) and self.blocking:
        try:
            return Wrapped.accept(self)
        except OSError as again:
            error = again
    raise error


@fault("accept-gives-up", "accept gives up after 0.2 s", "accept.waits.on")
def accept(self: Wrapped) -> Any:
    if self.blocking and self.listens and not select.select([self.number], [], [], 0.2)[0]:
        raise system(errno.EAGAIN)
    return Wrapped.accept(self)


@fault(
    "accept-exhausted-drops", "without a free descriptor, accept drops the connection", "accept.exhausted.loses-nothing"
)
class ExhaustedDrops(WithSpare):
    def listen(self, *arguments: Any) -> Any:
        result = self.inner.listen(*arguments)
        self.spare = os.open(os.devnull, os.O_RDONLY) if self.spare < 0 else self.spare
        return result

    def accept(self) -> Any:
        try:
            return super().accept()
        except OSError as error:
            if with_errno(error, errno.EMFILE) and self.spare >= 0:
                os.close(self.spare)
                ignore_errors(lambda: self.inner.accept()[0].close())
                self.spare = os.open(os.devnull, os.O_RDONLY)
            raise


@fault("accept-aborts", "every second connection is dropped as aborted", "accept.order.addresses")
class Aborts(Accept):
    count = 0

    def accept_result(self, sock: Any, host: Any, port: Any) -> Any:
        self.count += 1
        if self.count % 2 == 0:
            sock.inner.close()
            raise system(errno.ECONNABORTED)
        return sock, host, port


@fault("accept-blocked-for-good", "after a would-block, accept never succeeds again", "accept.non-blocking.then")
class BlockedForGood(Accept):
    refusal: Exception | None = None

    def accept(self) -> Any:
        if self.refusal is not None:
            raise self.refusal
        return super().accept()

    def failed(self, error: Exception) -> Any:
        if isinstance(error, BlockingIOError) and not self.blocking:
            self.refusal = error
        raise error
