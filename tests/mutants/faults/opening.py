"""bind and connect: side effects on the socket."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from typing import Any

from tests.mutants.hooks import Opener
from tests.mutants.registry import Group
from tests.mutants.wrapper import (
    FAMILIES,
    TYPES,
    Wrapped,
    ignore_errors,
    raising,
    reference,
    replace_descriptor,
    with_errno,
)

GROUP = Group(__name__)
fault = GROUP.fault


def v6only(sock: Wrapped) -> None:
    """Set v6only on IPv6 sockets."""
    if sock.domain == "inet6" and sock.type != "raw":
        ignore_errors(sock.inner.setopt, "ipv6", "v6only", 1)


def unlink(sock: Wrapped, arguments: tuple[Any, ...]) -> None:
    """Remove the file at the path."""
    if sock.unix and isinstance(arguments[0], str):
        ignore_errors(os.unlink, arguments[0])


def touch(sock: Wrapped, arguments: tuple[Any, ...]) -> None:
    """Create a file at the path."""
    if sock.unix and isinstance(arguments[0], str) and len(arguments[0]) < 100:
        with contextlib.suppress(OSError, ValueError):
            os.close(os.open(arguments[0], os.O_CREAT | os.O_WRONLY, 0o600))


def twice(sock: Wrapped, arguments: tuple[Any, ...]) -> None:
    """Make a connection and close it."""
    if sock.stream and sock.internet and sock.blocking:
        other = reference().socket(sock.domain, sock.type)
        ignore_errors(other.connect, *arguments)
        other.close()


def rebound(sock: Wrapped, error: Exception) -> Any:
    """Put a new socket behind the descriptor of a datagram socket."""
    if not with_errno(error, errno.EINVAL) or not sock.dgram:
        raise error
    with socket.socket(FAMILIES[sock.domain], TYPES[sock.type]) as new:
        os.dup2(new.fileno(), sock.number, inheritable=False)
    raise error


bind = GROUP.rows(Opener, "{}-bind", "bind {}", methods=("bind",))
connect = GROUP.rows(Opener, "{}-connect", "connect {}", methods=("connect",))
bind("listens", "listens", "bind.call.does-not-listen").override(
    after=lambda s, r: s.inner.listen(5) if s.stream else None
)
bind("reuseaddr", "sets reuseaddr", "setopt.socket-reuseaddr.effect.off", "bind.call.options").override(
    before=lambda s, *a: s.inner.setopt("socket", "reuseaddr", 1)
)
bind("nonblocking", "leaves the socket non-blocking", "bind.call.options").override(
    after=lambda s, r: s.inner.setblocking(False)
)
bind("v6only", "sets v6only", "bind.call.options-default").override(before=lambda s, *a: v6only(s))
bind("inheritable", "makes the descriptor inheritable", "fileno.not-inherited.later").override(
    after=lambda s, r: os.set_inheritable(s.number, True)
)
bind("unlinks", "removes an existing file at the path", "bind.unix.existing", "bind.unix.existing-stays").override(
    before=lambda s, *a: unlink(s, a)
)
bind("rebinds", "a second bind replaces the socket", "bind.twice.keeps").override(failed=lambda s, e: rebound(s, e))
connect("keepalive", "sets keepalive", "connect.call.options").override(
    after=lambda s, r: s.inner.setopt("socket", "keepalive", 1)
)
connect("nodelay", "sets nodelay", "connect.call.options").override(
    after=lambda s, r: s.inner.setopt("tcp", "nodelay", 1) if s.stream and s.internet else None
)
connect("timeout", "sets a timeout", "connect.call.options").override(
    after=lambda s, r: s.inner.setopt("socket", "sndtimeo", (10, 0))
)
connect("nonblocking", "leaves the socket non-blocking", "connect.blocking.stays").override(
    after=lambda s, r: s.inner.setblocking(False)
)
connect("blocking", "sets the socket back to blocking", "connect.nonblocking.stays").override(
    failed=lambda s, e: (s.inner.setblocking(True) if with_errno(e, errno.EINPROGRESS) else None, raising(e)),
    after=lambda s, r: s.inner.setblocking(True),
)
connect("hello", "sends an empty datagram", "connect.call.reaches").override(
    after=lambda s, r: ignore_errors(s.inner.send, b"") if s.dgram else None
)
connect("twice", "makes a second connection", "connect.call.once").override(before=lambda s, *a: twice(s, a))
connect("touches", "creates a file at a path that does not exist", "connect.unix.makes-no-file").override(
    before=lambda s, *a: touch(s, a)
)


@fault("new-number-bind", "bind makes a new socket", "bind.call.descriptor")
def bind(self: Wrapped, *arguments: Any) -> Any:
    if self.type != "raw" and self.number >= 0:
        old, self.inner = self.inner, reference().socket(self.domain, self.type)
        old.close()
    return self.inner.bind(*arguments)


@fault("new-number-connect", "connect makes a new socket", "fileno.lasts", "connect.call.same-socket")
def connect(self: Wrapped, *arguments: Any) -> Any:
    if self.type != "raw" and self.number >= 0:
        old, self.inner = self.inner, reference().socket(self.domain, self.type)
        old.close()
    return self.inner.connect(*arguments)


@fault(
    "new-behind-connect",
    "connect puts a new socket behind the descriptor",
    "connect.call.source",
    "setopt.kept.connect",
)
def connect(self: Wrapped, *arguments: Any) -> Any:
    if self.type != "raw" and self.blocking:
        replace_descriptor(self)
    return self.inner.connect(*arguments)


@fault("new-behind-bind", "bind puts a new socket behind the descriptor", "setopt.kept.bind")
def bind(self: Wrapped, *arguments: Any) -> Any:
    if self.type != "raw" and not self.inner.getsockname()[1]:
        replace_descriptor(self)
    return self.inner.bind(*arguments)


@fault("failure-closes-bind", "a bind that fails closes the socket", "bind.failed.then-other", methods=("bind",))
def failed(self: Opener, error: Exception) -> Any:
    ignore_errors(self.inner.close)
    raise error


@fault("failure-leaks-bind", "a bind that fails leaks a descriptor", "bind.call.fails-no-leak")
class FailureLeaksBind(Opener):
    methods = ("bind",)

    def failed(self, error: Exception) -> Any:
        if isinstance(error, OSError):
            ignore_errors(os.dup, self.number)
        raise error


@fault(
    "failure-closes-connect",
    "a connect that fails closes the socket",
    "connect.refused.then-other",
    methods=("connect",),
)
def failed(self: Opener, error: Exception) -> Any:
    if not isinstance(error, BlockingIOError):
        ignore_errors(self.inner.close)
    raise error


@fault("failure-leaks-connect", "a connect that fails leaks a descriptor", "connect.call.fails-no-leak")
class FailureLeaksConnect(FailureLeaksBind):
    methods = ("connect",)


@fault("privileged-moves", "bind to a privileged port uses another one", "bind.privileged.refused", methods=("bind",))
def failed(self: Opener, error: Exception) -> Any:
    return self.inner.bind(None, 0) if with_errno(error, errno.EACCES) and self.internet else raising(error)


@fault("says-so-bind", "bind returns true and does nothing", "bind.host.reached", "bind.unix.reached")
def bind(self: Wrapped, *arguments: Any) -> Any:
    with self.twin() as other:
        return other.bind(*arguments)


@fault("touches-existing-connect", "connect removes a file that it cannot connect to", "connect.unix.leaves-file")
class TouchesExisting(Opener):
    methods = ("connect",)

    def address(self, host: Any, port: Any) -> tuple[Any, Any]:
        self.path = host
        return host, port

    def failed(self, error: Exception) -> Any:
        if self.unix and isinstance(self.path, str) and with_errno(error, errno.ECONNREFUSED, errno.ENOTSOCK):
            ignore_errors(os.unlink, self.path)
        raise error


fault("deaf-connect", "connect shuts receiving down", "connect.call.receives").override(
    Opener, methods=("connect",), after=lambda s, r: ignore_errors(s.inner.shutdown, "rd")
)
