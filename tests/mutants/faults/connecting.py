"""connect: connections in progress, peers of datagram sockets, and the state after a failure."""

from __future__ import annotations

import errno
import select
import socket
from typing import Any

from tests.mutants.hooks import Opener
from tests.mutants.registry import Group
from tests.mutants.wrapper import Wrapped, ignore_errors, raising, reference, system, with_errno

GROUP = Group(__name__)
fault = GROUP.fault


@fault("failure-replaces", "a refused connect replaces the socket", "connect.refused.same-socket", methods=("connect",))
def failed(self: Opener, error: Exception) -> Any:
    if with_errno(error, errno.ECONNREFUSED) and self.type != "raw":
        old, self.inner = self.inner, reference().socket(self.domain, self.type)
        old.close()
    raise error


@fault(
    "datagram-remembers",
    "connect stores a datagram socket's peer without connecting",
    "connect.dgram.filters",
    "getpeername.connected.system",
)
class Remembers(Wrapped):
    peer: Any = None

    def connect(self, *arguments: Any) -> Any:
        if not self.dgram or not self.internet or self.number < 0:
            return self.inner.connect(*arguments)
        with self.twin() as probe:
            probe.connect(*arguments)
            self.peer = probe.getpeername()
        return True

    def getpeername(self) -> Any:
        return self.peer if self.peer and self.number >= 0 else self.inner.getpeername()

    def send(self, buffer: Any, *rest: Any) -> Any:
        return self.inner.sendto(buffer, *self.peer, *rest) if self.peer else self.inner.send(buffer, *rest)

    write = send


@fault(
    "datagram-once",
    "a datagram socket can be connected only once",
    "connect.dgram.again",
    "connect.dgram.again-filters",
)
class Once(Wrapped):
    connected = False

    def connect(self, *arguments: Any) -> Any:
        if self.connected and self.dgram and self.number >= 0:
            raise system(errno.EISCONN)
        result = self.inner.connect(*arguments)
        self.connected = True
        return result


@fault("waits-non-blocking", "a non-blocking connect waits", "connect.nonblocking.returns", methods=("connect",))
def failed(self: Opener, error: Exception) -> Any:
    if not with_errno(error, errno.EINPROGRESS):
        raise error
    poll = select.poll()
    poll.register(self.number, select.POLLOUT)
    poll.poll(10_000)
    number = self.inner.getopt("socket", "error")
    if number:
        raise system(number)
    return True


@fault(
    "in-background",
    "connect returns before the connection is established",
    "connect.blocking.waits",
    methods=("connect",),
)
def connect(self: Opener, *arguments: Any) -> Any:
    with self.for_now(blocking=False):
        try:
            return self.inner.connect(*arguments)
        except BlockingIOError:
            return True


@fault(
    "says-so-connect",
    "connect returns true and does nothing",
    "connect.call.reaches",
    "connect.unix.path",
    "connect.nonblocking.finishes",
)
def connect(self: Wrapped, *arguments: Any) -> Any:
    return self.number >= 0


@fault("twice-ends-connect", "a second connect shuts the connection down", "connect.twice.keeps", methods=("connect",))
def failed(self: Opener, error: Exception) -> Any:
    if with_errno(error, errno.EISCONN):
        ignore_errors(self.inner.shutdown, "rdwr")
    raise error


@fault("asks-first-connect", "connect of a datagram socket fails where no socket is bound", "connect.dgram.nobody")
def connect(self: Wrapped, *arguments: Any) -> Any:
    result = self.inner.connect(*arguments)
    if self.dgram and self.internet:
        self.inner.send(b"")
        poll = select.poll()
        poll.register(self.number, select.POLLERR)
        if poll.poll(100):
            raise system(self.inner.getopt("socket", "error"))
    return result


@fault(
    "progress-refused-connect",
    "a non-blocking connect reports a refusal as would-block",
    "connect.nonblocking.refused",
    methods=("connect",),
)
def failed(self: Opener, error: Exception) -> Any:
    again = with_errno(error, errno.EINPROGRESS, errno.ECONNREFUSED) and not self.blocking
    raise system(errno.EAGAIN) if again else error


@fault(
    "failure-remembered-connect",
    "after a connect with a bad argument, connect always fails",
    "connect.refused.failed-host",
)
class FailureRemembered(Opener):
    methods = ("connect",)
    first_failure: Exception | None = None

    def address(self, host: Any, port: Any) -> tuple[Any, Any]:
        return (host, port) if self.first_failure is None else raising(self.first_failure)

    def failed(self, error: Exception) -> Any:
        if isinstance(error, (ValueError, TypeError, socket.gaierror)) or self.unix:
            self.first_failure = error
        raise error
