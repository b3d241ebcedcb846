"""accept: the queue, waiting, and what becomes of the listener."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
from collections.abc import Callable
from typing import Any, ClassVar

from tests.mutants.hooks import Hooked
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import Port, doing, quietly, raising, system, with_errno

CHAPTER = Chapter(__name__)


def instead(number: int, other: BaseException) -> Any:
    """Report another failure."""
    return lambda sock, error: raising(other if with_errno(error, number) else error)


class Accept(Hooked):
    """accept through hooks."""

    method: ClassVar[str] = "accept"

    def taken(self, sock: Any, host: Any, port: Any) -> Any:
        """The result, from that of the reference."""
        return sock, host, port

    def told(self, result: Any) -> Any:
        return self.taken(*result)


def standard(sock: Any) -> Any:
    """A socket of the standard library."""
    return socket.socket(fileno=os.dup(sock.number))


def block(answer: Callable[[BaseException], Any]) -> Any:
    """Something else where it would block."""
    return lambda sock, error: answer(error) if isinstance(error, BlockingIOError) else raising(error)


ACCEPT: tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...] = (
    ("socket-only", "returns the socket only", ("accept.result.values",), {"taken": lambda s, c, h, p: c}),
    ("last", "returns the socket last", ("accept.result.socket",), {"taken": lambda s, c, h, p: (h, p, c)}),
    (
        "number",
        "returns a descriptor's number",
        ("accept.result.socket",),
        {"taken": lambda s, c, h, p: (os.dup(c.number), h, p)},
    ),
    (
        "standard",
        "returns a socket of the standard library",
        ("accept.socket.method",),
        {"taken": lambda s, c, h, p: (standard(c), h, p)},
    ),
    ("itself", "returns the listener", ("accept.socket.own-descriptor",), {"taken": lambda s, c, h, p: (s, h, p)}),
    (
        "non-blocking",
        "returns non-blocking sockets",
        ("accept.socket.blocks",),
        {"taken": lambda s, c, h, p: doing((c, h, p), lambda: c.inner.setblocking(False))},
    ),
    (
        "mode",
        "hands the listener's mode on",
        ("accept.socket.blocks",),
        {"taken": lambda s, c, h, p: doing((c, h, p), lambda: c.inner.setblocking(s.blocking))},
    ),
    (
        "inheritable",
        "returns sockets that programs inherit",
        ("accept.socket.not-inherited",),
        {"taken": lambda s, c, h, p: doing((c, h, p), lambda: os.set_inheritable(c.number, True))},
    ),
    (
        "leaks",
        "leaks a duplicate",
        ("accept.result.socket",),
        {"taken": lambda s, c, h, p: doing((c, h, p), lambda: os.dup(c.number))},
    ),
    (
        "closes",
        "closes the listener",
        ("accept.listener.stays", "accept.listener.same"),
        {"taken": lambda s, c, h, p: doing((c, h, p), lambda: s.inner.close())},
    ),
    (
        "nodelay",
        "sets nodelay",
        ("accept.socket.adds-none",),
        {
            "taken": lambda s, c, h, p: doing(
                (c, h, p), lambda: c.inner.setopt("tcp", "nodelay", 1) if s.internet else None
            )
        },
    ),
    (
        "timeout",
        "sets a timeout",
        ("accept.socket.adds-none",),
        {"taken": lambda s, c, h, p: doing((c, h, p), lambda: c.inner.setopt("socket", "rcvtimeo", (5, 0)))},
    ),
    (
        "clears",
        "clears the options that come from the listener",
        ("accept.socket.options",),
        {"taken": lambda s, c, h, p: doing((c, h, p), lambda: c.inner.setopt("socket", "keepalive", 0))},
    ),
    (
        "listener-mode",
        "leaves the listener non-blocking",
        ("accept.waits.each",),
        {"taken": lambda s, c, h, p: doing((c, h, p), lambda: s.inner.setblocking(False))},
    ),
    (
        "greets",
        "sends a byte to the peer",
        ("accept.socket.untouched",),
        {"taken": lambda s, c, h, p: doing((c, h, p), lambda: quietly(c.inner.send, b"!"))},
    ),
    (
        "reads",
        "takes the connection's first byte",
        ("accept.socket.early-data",),
        {"taken": lambda s, c, h, p: doing((c, h, p), lambda: first_byte(c))},
    ),
    (
        "waits-for-data",
        "waits for the first data",
        ("accept.result.values",),
        {"taken": lambda s, c, h, p: doing((c, h, p), lambda: select.select([c.number], [], [], 8))},
    ),
    ("block-none", "returns None where it would block", ("accept.non-blocking",), {"failed": block(lambda e: None)}),
    (
        "block-nones",
        "returns three times None where it would block",
        ("accept.non-blocking",),
        {"failed": block(lambda e: (None, None, None))},
    ),
    (
        "block-timeout",
        "reports a timeout as ETIMEDOUT",
        ("accept.timeout",),
        {"failed": block(lambda e: raising(system(errno.ETIMEDOUT)))},
    ),
    (
        "not-listening-value",
        "raises ValueError without listen",
        ("accept.not-listening",),
        {"failed": instead(errno.EINVAL, ValueError("not listening"))},
    ),
    (
        "not-listening-block",
        "reports would-block without listen",
        ("accept.not-listening",),
        {"failed": instead(errno.EINVAL, system(errno.EAGAIN))},
    ),
    (
        "not-stream-swallowed",
        "returns the socket itself on datagram sockets",
        ("accept.not-stream",),
        {"failed": lambda s, e: (s, "", 0) if with_errno(e, errno.EOPNOTSUPP) else raising(e)},
    ),
    (
        "exhausted-block",
        "reports EMFILE as would-block",
        ("accept.exhausted.emfile",),
        {"failed": instead(errno.EMFILE, system(errno.EAGAIN))},
    ),
    (
        "leaks-failing",
        "leaks a descriptor when it fails",
        ("accept.failing.leaks-nothing",),
        {"failed": lambda s, e: doing(raising, lambda: quietly(os.dup, s.number))(e)},
    ),
)


def first_byte(sock: Port) -> None:
    """Take a byte, if one is there."""
    with sock.borrowed() as borrowed:
        quietly(borrowed.recv, 1, socket.MSG_DONTWAIT)


for name, does, clauses, members in ACCEPT:
    CHAPTER.row(f"accept-{name}", f"accept {does}", clauses, Accept, **members)


@CHAPTER.fault("accept-loses", "accept takes all that wait and drops all but one", "accept.order.connections")
class Loses(Accept):
    def taken(self, sock: Any, host: Any, port: Any) -> Any:
        with contextlib.suppress(OSError), self.for_now(blocking=False):
            while True:
                self.inner.accept()[0].close()
        return sock, host, port


@CHAPTER.fault(
    "accept-last-in",
    "of several connections, accept takes the last",
    "accept.order.addresses",
    "accept.order.connections",
)
class LastIn(Port):
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


@CHAPTER.fault("accept-dead", "accept passes over a peer that has closed already", "accept.peer.gone")
class PassesDead(Accept):
    def taken(self, sock: Any, host: Any, port: Any) -> Any:
        poll = select.poll()
        poll.register(sock.number, select.POLLRDHUP)
        if poll.poll(0):
            sock.inner.close()
            return self.accept()
        return sock, host, port


@CHAPTER.fault("accept-reset", "accept fails with ENOTCONN for a peer that broke the connection", "accept.peer.reset")
class ResetPeer(Accept):
    def taken(self, sock: Any, host: Any, port: Any) -> Any:
        try:
            sock.inner.getpeername()
        except OSError:
            sock.inner.close()
            raise
        return sock, host, port


@CHAPTER.fault(
    "accept-waits",
    "accept waits on a listener that must not wait",
    "accept.non-blocking",
    "setblocking.false.accepting",
)
class AcceptWaits(Port):
    def accept(self) -> Any:
        if not self.blocking and self.listens:
            select.select([self.number], [], [], 8)
        return super().accept()


@CHAPTER.fault("accept-never-waits", "accept never waits", "accept.waits")
class AcceptNeverWaits(Port):
    def accept(self) -> Any:
        with self.for_now(blocking=False):
            return super().accept()


@CHAPTER.fault("accept-ignores-timeout", "accept waits on after rcvtimeo", "accept.timeout")
class AcceptIgnoresTimeout(Accept):
    def failed(self, error: Exception) -> Any:
        while isinstance(error, BlockingIOError) and self.blocking:
            try:
                return Port.accept(self)
            except OSError as again:
                error = again
        raise error


@CHAPTER.fault("accept-gives-up", "accept gives up after 0.2 s", "accept.waits.on")
class AcceptGivesUp(Port):
    def accept(self) -> Any:
        if self.blocking and self.listens and not select.select([self.number], [], [], 0.2)[0]:
            raise system(errno.EAGAIN)
        return super().accept()


@CHAPTER.fault(
    "accept-exhausted-drops", "without a free descriptor, accept drops the connection", "accept.exhausted.loses-nothing"
)
class ExhaustedDrops(Port):
    spare = -1

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
                quietly(lambda: self.inner.accept()[0].close())
                self.spare = os.open(os.devnull, os.O_RDONLY)
            raise

    def close(self) -> Any:
        result = self.inner.close()
        self._release()
        return result

    def _release(self) -> None:
        spare, self.spare = self.spare, -1
        if spare >= 0:
            os.close(spare)

    def __del__(self) -> None:
        self._release()


@CHAPTER.fault("accept-aborts", "every second connection is dropped as aborted", "accept.order.addresses")
class Aborts(Accept):
    count = 0

    def taken(self, sock: Any, host: Any, port: Any) -> Any:
        self.count += 1
        if self.count % 2 == 0:
            sock.inner.close()
            raise system(errno.ECONNABORTED)
        return sock, host, port


@CHAPTER.fault(
    "accept-blocked-for-good", "an accept that would have blocked never accepts again", "accept.non-blocking.then"
)
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
