"""The factory: which socket it creates, in which state, and the state after a refusal."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import socket
import subprocess
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from tests.mutants.registry import Group
from tests.mutants.wrapper import FAMILIES, TYPES, Wrapped, is_int, raising, reference, system, with_errno

GROUP = Group(__name__)
fault = GROUP.fault
Arguments = tuple[Any, Any, Any]


def known(domain: Any, kind: Any) -> bool:
    """Whether both keywords are valid."""
    return isinstance(domain, str) and domain in FAMILIES and isinstance(kind, str) and kind in TYPES


def begins(word: Any, words: Iterable[str]) -> Any:
    """The keyword that this text begins with."""
    return next((right for right in words if word.startswith(right)), word) if isinstance(word, str) else word


def made(change: Callable[[Any, Any, Any], Arguments]) -> Any:
    """Create a socket that differs from the requested one."""
    return lambda sock, d, t, p: reference().socket(*change(d, t, p))


row = GROUP.rows(Wrapped, does="socket {}")
row("domain-any", "treats an unknown family as inet", "socket.domain.unknown").override(
    make=made(lambda d, t, p: (d if isinstance(d, str) and d in FAMILIES else "inet", t, p))
)
row("type-any", "treats an unknown type as stream", "socket.type.unknown").override(
    make=made(lambda d, t, p: (d, t if isinstance(t, str) and t in TYPES else "stream", p))
)
row("domain-true", "treats true as inet", "socket.domain.types").override(
    make=made(lambda d, t, p: ("inet" if d is True else d, t, p))
)
row("type-true", "treats true as stream", "socket.type.types").override(
    make=made(lambda d, t, p: (d, "stream" if t is True else t, p))
)
row("domain-none", "defaults to family inet", "socket.domain.types").override(
    make=made(lambda d, t, p: (d or "inet", t, p))
)
row("type-none", "defaults to type stream", "socket.type.types").override(
    make=made(lambda d, t, p: (d, t or "stream", p))
)
row("word-begins", "accepts keywords with a suffix", "socket.domain.unknown", "socket.type.unknown").override(
    make=made(lambda d, t, p: (begins(d, FAMILIES), begins(t, TYPES), p))
)
row("unix-dgram-stream", "creates a stream for a UNIX datagram socket", "socket.kinds.type").override(
    make=made(lambda d, t, p: (d, "stream" if d == "unix" and t == "dgram" else t, p))
)
row("dgram-stream", "creates a stream for a datagram socket", "socket.kinds.type").override(
    make=made(lambda d, t, p: (d, "stream" if t == "dgram" else t, p))
)
row("inet6-inet", "creates an IPv4 socket for IPv6", "socket.kinds.family").override(
    make=made(lambda d, t, p: ("inet" if d == "inet6" else d, t, p))
)
row("key-error", "raises KeyError for an unknown keyword", "socket.domain.unknown").override(
    make=lambda s, d, t, p: reference().socket(d, t, p) if known(d, t) else raising(KeyError(d))
)
row("protocol-ignored", "ignores the protocol of raw sockets", "socket.protocol.raw").override(
    make=made(lambda d, t, p: (d, t, 255 if t == "raw" and p is not None else p))
)
row("protocol-always-ignored", "ignores the protocol", "socket.protocol.unsuited", "socket.protocol.unknown").override(
    make=made(lambda d, t, p: (d, t, p if t == "raw" else None))
)
row("protocol-unknown-default", "treats an unknown protocol as none", "socket.protocol.unknown").override(
    make=made(lambda d, t, p: (d, t, None if isinstance(p, str) and t != "raw" else p))
)
row("protocol-types", "treats a protocol of a wrong type as none", "socket.protocol.types").override(
    make=made(lambda d, t, p: (d, t, p if p is None or is_int(p) or isinstance(p, str) else None))
)


@row("protocol-none-refused", "refuses None for the protocol", "socket.protocol.none")
class NoneRefused(Wrapped):
    def __init__(self, *arguments: Any, inner: Any = None) -> None:
        if len(arguments) == 3 and arguments[2] is None:
            raise TypeError("protocol")
        super().__init__(*arguments, inner=inner)


@row("protocol-required", "requires a protocol", "socket.protocol.default")
class Required(Wrapped):
    def __init__(self, *arguments: Any, inner: Any = None) -> None:
        if len(arguments) == 2 and inner is None:
            raise TypeError("protocol")
        super().__init__(*arguments, inner=inner)


def failing(error: BaseException, number: int) -> Any:
    """A factory that raises `error` if the system fails with the errno `number`."""

    def make(sock: Any, domain: Any, kind: Any, protocol: Any) -> Any:
        try:
            return reference().socket(domain, kind, protocol)
        except OSError as found:
            raise error if with_errno(found, number) else found from None

    return make


row("privilege-value", "raises ValueError where raw sockets are not allowed", "socket.raw.unprivileged").override(
    make=failing(ValueError("raw"), errno.EPERM)
)
row("exhausted-runtime", "raises RuntimeError without a free descriptor", "socket.exhausted.emfile").override(
    make=failing(RuntimeError("no descriptor"), errno.EMFILE)
)


@row("failure-leaks", "leaks a descriptor when it fails", "socket.failure.no-leak")
def make(self: Wrapped, domain: Any, kind: Any, protocol: Any) -> Any:
    try:
        return reference().socket(domain, kind, protocol)
    except (OSError, ValueError, TypeError):
        os.open(os.devnull, os.O_RDONLY)
        raise


@fault("arguments-optional", "socket defaults to inet and stream", "socket.arguments.missing")
class ArgumentsOptional(Wrapped):
    def __init__(self, domain: str = "inet", type: str = "stream", protocol: Any = None, *, inner: Any = None) -> None:  # noqa: A002
        super().__init__(domain, type, protocol, inner=inner)


def option(level: str, name: str, value: Any, where: Callable[[Any], bool]) -> Any:
    """Set an option on a new socket."""

    def start(sock: Any) -> None:
        if where(sock) and not sock.accepted:
            sock.inner.setopt(level, name, value)

    return start


def tcp(sock: Wrapped) -> bool:
    """Whether it is a TCP socket."""
    return sock.stream and sock.internet


def child(sock: Any) -> None:
    """Start a program that outlives the call."""
    if not sock.accepted:
        null = subprocess.DEVNULL
        sock.child = subprocess.Popen(["sleep", "20"], stdin=null, stdout=null, stderr=null)


row("new-reuseaddr", "sets reuseaddr", "socket.new.options").override(start=option("socket", "reuseaddr", 1, tcp))
row("new-nodelay", "sets nodelay", "socket.new.options").override(start=option("tcp", "nodelay", 1, tcp))
row("new-keepalive", "sets keepalive", "socket.new.options", "getopt.value.default").override(
    start=option("socket", "keepalive", 1, lambda s: True)
)
row("new-v6only", "sets v6only", "socket.new.options").override(
    start=option("ipv6", "v6only", 1, lambda s: s.domain == "inet6" and s.type != "raw")
)
row("new-broadcast", "sets broadcast", "socket.new.options").override(
    start=option("socket", "broadcast", 1, lambda s: s.dgram)
)
row("new-linger", "sets linger", "socket.new.options").override(start=option("socket", "linger", 1, tcp))
row("new-timeout", "sets a timeout", "socket.new.options").override(
    start=option("socket", "rcvtimeo", (0, 300000), lambda s: True)
)
row("new-buffer", "sets sndbuf", "socket.new.options").override(start=option("socket", "sndbuf", 65536, lambda s: True))
row(
    "new-non-blocking",
    "creates non-blocking sockets",
    "setblocking.default.sending",
    "socket.new.blocks",
    "setblocking.default.receiving",
).override(start=lambda s: None if s.accepted else s.inner.setblocking(False))
row("new-dgram-non-blocking", "creates non-blocking datagram sockets", "socket.new.blocks").override(
    start=lambda s: s.inner.setblocking(False) if s.dgram else None
)
row("new-inheritable", "creates inheritable sockets", "socket.new.close-on-exec").override(
    start=lambda s: None if s.accepted else os.set_inheritable(s.number, True)
)
row("new-bound", "creates bound sockets", "socket.new.unconnected").override(
    start=lambda s: s.inner.bind(None, 0) if s.internet and s.type != "raw" and not s.accepted else None
)
row("new-leaks", "leaks a descriptor", "socket.kinds.open").override(start=lambda s: os.dup(s.number))
row("new-child", "starts a program", "socket.kinds.open").override(start=lambda s: child(s))


@fault("one-for-all", "two sockets share one descriptor", "socket.distinct.descriptors", "socket.distinct.close")
class OneForAll(Wrapped):
    made: ClassVar[dict[Any, Any]] = {}

    def make(self, domain: Any, type: Any, protocol: Any) -> Any:  # noqa: A002
        before = self.made.get((domain, type, protocol))
        if before is not None:
            with contextlib.suppress(OSError):
                before.fileno()
                return before
        made = reference().socket(domain, type, protocol)
        self.made[domain, type, protocol] = made
        return made


@fault("collected", "the garbage collector closes sockets that are in use", "socket.gc.keeps")
class Collected(Wrapped):
    def start(self) -> None:
        gc.callbacks.append(self.collect)

    def collect(self, phase: str, info: object) -> None:
        """Close the socket; a callback of the garbage collector."""
        gc.callbacks.remove(self.collect)
        with contextlib.suppress(OSError):
            self.inner.close()


@fault("pair", "a new datagram socket is connected to another one", "socket.new.unconnected")
class Paired(Wrapped):
    def make(self, domain: Any, type: Any, protocol: Any) -> Any:  # noqa: A002
        made = reference().socket(domain, type, protocol)
        if domain == "unix" and type == "dgram":
            self.one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            os.dup2(other.fileno(), made.fileno(), inheritable=False)
            other.close()
        return made


@fault("kept", "unreferenced sockets stay open", "socket.gc.closes", "socket.gc.hangup")
class Kept(Wrapped):
    all: ClassVar[list[Any]] = []

    def start(self) -> None:
        self.all.append(self.inner)


@fault("eperm", "socket reports EPERM as would-block", "socket.raw.unprivileged")
def make(self: Wrapped, domain: Any, type: Any, protocol: Any) -> Any:  # noqa: A002
    try:
        return reference().socket(domain, type, protocol)
    except PermissionError:
        raise system(errno.EAGAIN) from None
