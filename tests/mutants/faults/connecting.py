"""connect: connections in the making, peers of datagram sockets, and what a failure leaves."""

from __future__ import annotations

import errno
import select
import socket
from typing import Any

from tests.mutants.hooks import Opener
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import Port, quietly, raising, reference, system, with_errno

CHAPTER = Chapter(__name__)


@CHAPTER.fault("failure-replaces", "a refused connect leaves a new socket behind", "connect.refused.same-socket")
class FailureReplaces(Opener):
    method = "connect"

    def failed(self, error: Exception) -> Any:
        if with_errno(error, errno.ECONNREFUSED) and self.type != "raw":
            old, self.inner = self.inner, reference().socket(self.domain, self.type)
            old.close()
        raise error


@CHAPTER.fault(
    "datagram-remembers",
    "connect only remembers a datagram socket's peer",
    "connect.dgram.filters",
    "getpeername.connected.system",
)
class Remembers(Port):
    peer: Any = None

    def connect(self, *arguments: Any) -> Any:
        if not self.dgram or not self.internet or self.number < 0:
            return self.inner.connect(*arguments)
        probe = reference().socket(self.domain, self.type)
        try:
            probe.connect(*arguments)
            self.peer = probe.getpeername()
        finally:
            probe.close()
        return True

    def getpeername(self) -> Any:
        return self.peer if self.peer and self.number >= 0 else self.inner.getpeername()

    def send(self, buffer: Any, *rest: Any) -> Any:
        return self.inner.sendto(buffer, *self.peer, *rest) if self.peer else self.inner.send(buffer, *rest)

    write = send


@CHAPTER.fault(
    "datagram-once", "a datagram socket is connected once only", "connect.dgram.again", "connect.dgram.again-filters"
)
class Once(Port):
    connected = False

    def connect(self, *arguments: Any) -> Any:
        if self.connected and self.dgram and self.number >= 0:
            raise system(errno.EISCONN)
        result = self.inner.connect(*arguments)
        self.connected = True
        return result


@CHAPTER.fault("waits-non-blocking", "a connect that must not wait waits", "connect.nonblocking.returns")
class WaitsNonBlocking(Opener):
    method = "connect"

    def failed(self, error: Exception) -> Any:
        if not with_errno(error, errno.EINPROGRESS):
            raise error
        poll = select.poll()
        poll.register(self.number, select.POLLOUT)
        poll.poll(10_000)
        number = self.inner.getopt("socket", "error")
        if number:
            raise system(number)
        return True


@CHAPTER.fault("in-background", "connect returns before the connection is there", "connect.blocking.waits")
class InBackground(Opener):
    method = "connect"

    def connect(self, *arguments: Any) -> Any:
        with self.for_now(blocking=False):
            try:
                return self.inner.connect(*arguments)
            except BlockingIOError:
                return True


@CHAPTER.fault(
    "says-so-connect",
    "connect says true and does nothing",
    "connect.call.reaches",
    "connect.unix.path",
    "connect.nonblocking.finishes",
)
class SaysSoConnect(Port):
    def connect(self, *arguments: Any) -> Any:
        return self.number >= 0


@CHAPTER.fault("twice-ends-connect", "a second connect ends the connection", "connect.twice.keeps")
class TwiceEnds(Opener):
    method = "connect"

    def failed(self, error: Exception) -> Any:
        if with_errno(error, errno.EISCONN):
            quietly(self.inner.shutdown, "rdwr")
        raise error


@CHAPTER.fault("asks-first-connect", "connect of a datagram socket fails where nobody is", "connect.dgram.nobody")
class AsksFirst(Port):
    def connect(self, *arguments: Any) -> Any:
        result = self.inner.connect(*arguments)
        if self.dgram and self.internet:
            self.inner.send(b"")
            poll = select.poll()
            poll.register(self.number, select.POLLERR)
            if poll.poll(100):
                raise system(self.inner.getopt("socket", "error"))
        return result


@CHAPTER.fault(
    "progress-refused-connect",
    "connect on a socket that must not wait reports a refusal as would-block",
    "connect.nonblocking.refused",
)
class ProgressRefused(Opener):
    method = "connect"

    def failed(self, error: Exception) -> Any:
        again = with_errno(error, errno.EINPROGRESS, errno.ECONNREFUSED) and not self.blocking
        raise system(errno.EAGAIN) if again else error


@CHAPTER.fault(
    "failure-remembered-connect",
    "a connect that failed for its arguments fails for good",
    "connect.refused.failed-host",
)
class FailureRemembered(Opener):
    method = "connect"
    before: Exception | None = None

    def where(self, host: Any, port: Any) -> tuple[Any, Any]:
        return (host, port) if self.before is None else raising(self.before)

    def failed(self, error: Exception) -> Any:
        if isinstance(error, (ValueError, TypeError, socket.gaierror)) or self.unix:
            self.before = error
        raise error
