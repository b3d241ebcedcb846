"""bind and connect: what happens to the socket on the way."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable
from typing import Any

from tests.mutants.hooks import Opener
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import FAMILIES, TYPES, Port, doing, quietly, raising, reference, with_errno

CHAPTER = Chapter(__name__)


def afterwards(action: Callable[[Any], object], where: Callable[[Any], bool] = lambda sock: True) -> dict[str, Any]:
    """Do something when it worked."""
    return {"told": lambda sock, result: doing(result, lambda: action(sock) if where(sock) else None)}


AFTER = (
    (
        "listens",
        "bind",
        "listens",
        ("bind.call.does-not-listen",),
        afterwards(lambda s: s.inner.listen(5), lambda s: s.stream),
    ),
    (
        "reuseaddr",
        "bind",
        "sets reuseaddr",
        (
            "setopt.socket-reuseaddr.effect.off",
            "bind.call.options",
        ),
        {"given": lambda s, *a: doing(a, lambda: s.inner.setopt("socket", "reuseaddr", 1))},
    ),
    (
        "nonblocking",
        "bind",
        "leaves the socket non-blocking",
        ("bind.call.options",),
        afterwards(lambda s: s.inner.setblocking(False)),
    ),
    (
        "v6only",
        "bind",
        "sets v6only",
        ("bind.call.options-default",),
        {"given": lambda s, *a: doing(a, lambda: v6only(s))},
    ),
    (
        "inheritable",
        "bind",
        "has programs inherit the descriptor",
        ("fileno.not-inherited.later",),
        afterwards(lambda s: os.set_inheritable(s.number, True)),
    ),
    (
        "unlinks",
        "bind",
        "removes what is at the path",
        ("bind.unix.existing", "bind.unix.existing-stays"),
        {"given": lambda s, *a: doing(a, lambda: unlink(s, a))},
    ),
    (
        "rebinds",
        "bind",
        "a second time moves the socket",
        ("bind.twice.keeps",),
        {"failed": lambda s, e: rebound(s, e)},
    ),
    (
        "keepalive",
        "connect",
        "sets keepalive",
        ("connect.call.options",),
        afterwards(lambda s: s.inner.setopt("socket", "keepalive", 1)),
    ),
    (
        "nodelay",
        "connect",
        "sets nodelay",
        ("connect.call.options",),
        afterwards(lambda s: s.inner.setopt("tcp", "nodelay", 1), lambda s: s.stream and s.internet),
    ),
    (
        "timeout",
        "connect",
        "sets a timeout",
        ("connect.call.options",),
        afterwards(lambda s: s.inner.setopt("socket", "sndtimeo", (10, 0))),
    ),
    (
        "nonblocking",
        "connect",
        "leaves the socket non-blocking",
        ("connect.blocking.stays",),
        afterwards(lambda s: s.inner.setblocking(False)),
    ),
    (
        "blocking",
        "connect",
        "leaves the socket blocking",
        ("connect.nonblocking.stays",),
        {
            "failed": lambda s, e: (
                s.inner.setblocking(True) if with_errno(e, errno.EINPROGRESS) else None,
                raising(e),
            ),
            **afterwards(lambda s: s.inner.setblocking(True)),
        },
    ),
    (
        "hello",
        "connect",
        "sends an empty datagram",
        ("connect.call.reaches",),
        afterwards(lambda s: quietly(s.inner.send, b""), lambda s: s.dgram),
    ),
    (
        "twice",
        "connect",
        "makes a second connection",
        ("connect.call.once",),
        {"given": lambda s, *a: doing(a, lambda: twice(s, a))},
    ),
    (
        "touches",
        "connect",
        "makes a file where nothing is",
        ("connect.unix.makes-no-file",),
        {"given": lambda s, *a: doing(a, lambda: touch(s, a))},
    ),
)


def v6only(sock: Port) -> None:
    """IPv6 for itself alone."""
    if sock.domain == "inet6" and sock.type != "raw":
        quietly(sock.inner.setopt, "ipv6", "v6only", 1)


def unlink(sock: Port, arguments: tuple[Any, ...]) -> None:
    """Make room."""
    if sock.unix and isinstance(arguments[0], str):
        quietly(os.unlink, arguments[0])


def touch(sock: Port, arguments: tuple[Any, ...]) -> None:
    """Make sure that there is something."""
    if sock.unix and isinstance(arguments[0], str) and len(arguments[0]) < 100:
        with contextlib.suppress(OSError, ValueError):
            os.close(os.open(arguments[0], os.O_CREAT | os.O_WRONLY, 0o600))


def twice(sock: Port, arguments: tuple[Any, ...]) -> None:
    """Knock before."""
    if sock.stream and sock.internet and sock.blocking:
        other = reference().socket(sock.domain, sock.type)
        quietly(other.connect, *arguments)
        other.close()


def rebound(sock: Port, error: Exception) -> Any:
    """Take a new socket on the same number."""
    if not with_errno(error, errno.EINVAL) or not sock.dgram:
        raise error
    with socket.socket(FAMILIES[sock.domain], TYPES[sock.type]) as new:
        os.dup2(new.fileno(), sock.number, inheritable=False)
    raise error


for name, method, does, names, members in AFTER:
    CHAPTER.row(f"{name}-{method}", f"{method} {does}", names, Opener, method=method, **members)


def replaced(sock: Port) -> None:
    """A new socket behind the same number."""
    with socket.socket(FAMILIES[sock.domain], TYPES[sock.type]) as new:
        os.dup2(new.fileno(), sock.number, inheritable=False)


@CHAPTER.fault("new-number-bind", "bind makes a new socket", "bind.call.descriptor")
class NewNumberBind(Port):
    def bind(self, *arguments: Any) -> Any:
        if self.type != "raw" and self.number >= 0:
            old, self.inner = self.inner, reference().socket(self.domain, self.type)
            old.close()
        return self.inner.bind(*arguments)


@CHAPTER.fault("new-number-connect", "connect makes a new socket", "fileno.lasts", "connect.call.same-socket")
class NewNumberConnect(Port):
    def connect(self, *arguments: Any) -> Any:
        if self.type != "raw" and self.number >= 0:
            old, self.inner = self.inner, reference().socket(self.domain, self.type)
            old.close()
        return self.inner.connect(*arguments)


@CHAPTER.fault(
    "new-behind-connect",
    "connect makes a new socket with the same number",
    "connect.call.source",
    "setopt.kept.connect",
)
class NewBehindConnect(Port):
    def connect(self, *arguments: Any) -> Any:
        if self.type != "raw" and self.blocking:
            replaced(self)
        return self.inner.connect(*arguments)


@CHAPTER.fault("new-behind-bind", "bind makes a new socket with the same number", "setopt.kept.bind")
class NewBehindBind(Port):
    def bind(self, *arguments: Any) -> Any:
        if self.type != "raw" and not self.inner.getsockname()[1]:
            replaced(self)
        return self.inner.bind(*arguments)


@CHAPTER.fault("failure-closes-bind", "a bind that fails closes the socket", "bind.failed.then-other")
class FailureClosesBind(Opener):
    method = "bind"

    def failed(self, error: Exception) -> Any:
        quietly(self.inner.close)
        raise error


@CHAPTER.fault("failure-leaks-bind", "a bind that fails leaks a descriptor", "bind.call.fails-no-leak")
class FailureLeaksBind(Opener):
    method = "bind"

    def failed(self, error: Exception) -> Any:
        if isinstance(error, OSError):
            quietly(os.dup, self.number)
        raise error


@CHAPTER.fault("failure-closes-connect", "a connect that fails closes the socket", "connect.refused.then-other")
class FailureClosesConnect(Opener):
    method = "connect"

    def failed(self, error: Exception) -> Any:
        if not isinstance(error, BlockingIOError):
            quietly(self.inner.close)
        raise error


@CHAPTER.fault("failure-leaks-connect", "a connect that fails leaks a descriptor", "connect.call.fails-no-leak")
class FailureLeaksConnect(FailureLeaksBind):
    method = "connect"


@CHAPTER.fault(
    "privileged-moves", "bind to a port that the user may not have takes another one", "bind.privileged.refused"
)
class PrivilegedMoves(Opener):
    method = "bind"

    def failed(self, error: Exception) -> Any:
        return self.inner.bind(None, 0) if with_errno(error, errno.EACCES) and self.internet else raising(error)


@CHAPTER.fault("says-so-bind", "bind says true and does nothing", "bind.host.reached", "bind.unix.reached")
class SaysSoBind(Port):
    def bind(self, *arguments: Any) -> Any:
        other = reference().socket(self.domain, self.type, self.protocol)
        try:
            return other.bind(*arguments)
        finally:
            other.close()


@CHAPTER.fault(
    "touches-existing-connect", "connect makes a new file of what it cannot connect to", "connect.unix.leaves-file"
)
class TouchesExisting(Opener):
    method = "connect"

    def where(self, host: Any, port: Any) -> tuple[Any, Any]:
        self.path = host
        return host, port

    def failed(self, error: Exception) -> Any:
        if self.unix and isinstance(self.path, str) and with_errno(error, errno.ECONNREFUSED, errno.ENOTSOCK):
            quietly(os.unlink, self.path)
        raise error


CHAPTER.row(
    "deaf-connect",
    "connect shuts receiving down",
    ["connect.call.receives"],
    Opener,
    method="connect",
    **afterwards(lambda s: quietly(s.inner.shutdown, "rd")),
)
