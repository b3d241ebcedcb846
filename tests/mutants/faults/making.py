"""The factory: which socket is made, in which state, and what a refusal leaves."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import socket
import subprocess
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from tests.mutants.registry import Chapter
from tests.mutants.wrapper import FAMILIES, TYPES, Port, is_int, raising, reference, system, with_errno

CHAPTER = Chapter(__name__)
Arguments = tuple[Any, Any, Any]


def known(domain: Any, kind: Any) -> bool:
    """Whether both words are right."""
    return isinstance(domain, str) and domain in FAMILIES and isinstance(kind, str) and kind in TYPES


def begins(word: Any, words: Iterable[str]) -> Any:
    """The word that this one begins with."""
    return next((right for right in words if word.startswith(right)), word) if isinstance(word, str) else word


def made(change: Callable[[Any, Any, Any], Arguments]) -> Any:
    """Make another socket."""
    return lambda sock, d, t, p: reference().socket(*change(d, t, p))


def opened(protocol: int) -> Any:
    """Make every stream with this protocol."""
    return lambda sock, d, t, p: reference().socket(d, t, protocol if t == "stream" and p is None else p)


MADE: tuple[tuple[str, str, tuple[str, ...], Any], ...] = (
    (
        "domain-any",
        "takes an unknown family for inet",
        ("socket.domain.unknown",),
        made(lambda d, t, p: (d if isinstance(d, str) and d in FAMILIES else "inet", t, p)),
    ),
    (
        "type-any",
        "takes an unknown type for stream",
        ("socket.type.unknown",),
        made(lambda d, t, p: (d, t if isinstance(t, str) and t in TYPES else "stream", p)),
    ),
    (
        "domain-true",
        "takes true for inet",
        ("socket.domain.types",),
        made(lambda d, t, p: ("inet" if d is True else d, t, p)),
    ),
    (
        "type-true",
        "takes true for stream",
        ("socket.type.types",),
        made(lambda d, t, p: (d, "stream" if t is True else t, p)),
    ),
    ("domain-none", "takes no family for inet", ("socket.domain.types",), made(lambda d, t, p: (d or "inet", t, p))),
    ("type-none", "takes no type for stream", ("socket.type.types",), made(lambda d, t, p: (d, t or "stream", p))),
    (
        "word-begins",
        "takes words that begin like the right ones",
        ("socket.domain.unknown", "socket.type.unknown"),
        made(lambda d, t, p: (begins(d, FAMILIES), begins(t, TYPES), p)),
    ),
    (
        "unix-dgram-stream",
        "makes streams of UNIX datagram sockets",
        ("socket.kinds.type",),
        made(lambda d, t, p: (d, "stream" if d == "unix" and t == "dgram" else t, p)),
    ),
    (
        "dgram-stream",
        "makes streams of datagram sockets",
        ("socket.kinds.type",),
        made(lambda d, t, p: (d, "stream" if t == "dgram" else t, p)),
    ),
    (
        "inet6-inet",
        "makes IPv4 sockets for IPv6",
        ("socket.kinds.family",),
        made(lambda d, t, p: ("inet" if d == "inet6" else d, t, p)),
    ),
    (
        "key-error",
        "raises KeyError for an unknown word",
        ("socket.domain.unknown",),
        lambda s, d, t, p: reference().socket(d, t, p) if known(d, t) else raising(KeyError(d)),
    ),
    (
        "protocol-ignored",
        "ignores the protocol of raw sockets",
        ("socket.protocol.raw",),
        made(lambda d, t, p: (d, t, 255 if t == "raw" and p is not None else p)),
    ),
    (
        "protocol-always-ignored",
        "ignores the protocol",
        ("socket.protocol.unsuited", "socket.protocol.unknown"),
        made(lambda d, t, p: (d, t, p if t == "raw" else None)),
    ),
    (
        "protocol-unknown-default",
        "takes an unknown protocol for none",
        ("socket.protocol.unknown",),
        made(lambda d, t, p: (d, t, None if isinstance(p, str) and t != "raw" else p)),
    ),
    (
        "protocol-types",
        "takes anything for no protocol",
        ("socket.protocol.types",),
        made(lambda d, t, p: (d, t, p if p is None or is_int(p) or isinstance(p, str) else None)),
    ),
    ("protocol-none-refused", "refuses None for the protocol", ("socket.protocol.none",), None),
    ("protocol-required", "wants a protocol", ("socket.protocol.default",), None),
    ("privilege-value", "raises ValueError where raw sockets are not allowed", ("socket.raw.unprivileged",), None),
    ("exhausted-runtime", "raises RuntimeError without a free descriptor", ("socket.exhausted.emfile",), None),
    ("failure-leaks", "leaks a descriptor when it fails", ("socket.failure.no-leak",), None),
)


def failing(number: int, error: BaseException) -> Any:
    """Report another failure."""

    def make(sock: Any, domain: Any, kind: Any, protocol: Any) -> Any:
        try:
            return reference().socket(domain, kind, protocol)
        except OSError as found:
            raise error if with_errno(found, number) else found from None

    return make


def leaking(sock: Any, domain: Any, kind: Any, protocol: Any) -> Any:
    """Leave a descriptor behind on the way out."""
    try:
        return reference().socket(domain, kind, protocol)
    except (OSError, ValueError, TypeError):
        os.open(os.devnull, os.O_RDONLY)
        raise


OTHERWISE: dict[str, Any] = {
    "privilege-value": failing(errno.EPERM, ValueError("raw")),
    "exhausted-runtime": failing(errno.EMFILE, RuntimeError("no descriptor")),
    "failure-leaks": leaking,
}


class NoneRefused(Port):
    """None for the protocol is not the same as none."""

    def __init__(self, *arguments: Any, inner: Any = None) -> None:
        if len(arguments) == 3 and arguments[2] is None:
            raise TypeError("protocol")
        super().__init__(*arguments, inner=inner)


class Required(Port):
    """There must be a protocol."""

    def __init__(self, *arguments: Any, inner: Any = None) -> None:
        if len(arguments) == 2 and inner is None:
            raise TypeError("protocol")
        super().__init__(*arguments, inner=inner)


BASES = {"protocol-none-refused": NoneRefused, "protocol-required": Required}
for name, does, clauses, make in MADE:
    members = {} if name in BASES else {"make": make or OTHERWISE[name]}
    CHAPTER.row(name, f"socket {does}", clauses, BASES.get(name, Port), **members)


@CHAPTER.fault("arguments-optional", "socket takes no arguments for inet and stream", "socket.arguments.missing")
class ArgumentsOptional(Port):
    def __init__(self, domain: str = "inet", type: str = "stream", protocol: Any = None, *, inner: Any = None) -> None:  # noqa: A002
        super().__init__(domain, type, protocol, inner=inner)


def option(level: str, name: str, value: Any, where: Callable[[Any], bool]) -> Any:
    """Set an option on a new socket."""

    def start(sock: Any) -> None:
        if where(sock) and not sock.accepted:
            sock.inner.setopt(level, name, value)

    return start


def tcp(sock: Port) -> bool:
    """Whether it speaks TCP."""
    return sock.stream and sock.internet


NEW: tuple[tuple[str, str, tuple[str, ...], Any], ...] = (
    ("new-reuseaddr", "sets reuseaddr", ("socket.new.options",), option("socket", "reuseaddr", 1, tcp)),
    ("new-nodelay", "sets nodelay", ("socket.new.options",), option("tcp", "nodelay", 1, tcp)),
    (
        "new-keepalive",
        "sets keepalive",
        ("socket.new.options", "getopt.value.default"),
        option("socket", "keepalive", 1, lambda s: True),
    ),
    (
        "new-v6only",
        "sets v6only",
        ("socket.new.options",),
        option("ipv6", "v6only", 1, lambda s: s.domain == "inet6" and s.type != "raw"),
    ),
    ("new-broadcast", "sets broadcast", ("socket.new.options",), option("socket", "broadcast", 1, lambda s: s.dgram)),
    ("new-linger", "sets linger", ("socket.new.options",), option("socket", "linger", 1, tcp)),
    (
        "new-timeout",
        "sets a timeout",
        ("socket.new.options",),
        option("socket", "rcvtimeo", (0, 300000), lambda s: True),
    ),
    ("new-buffer", "sets sndbuf", ("socket.new.options",), option("socket", "sndbuf", 65536, lambda s: True)),
    (
        "new-non-blocking",
        "makes sockets that do not wait",
        ("setblocking.default.sending", "socket.new.blocks", "setblocking.default.receiving"),
        lambda s: None if s.accepted else s.inner.setblocking(False),
    ),
    (
        "new-dgram-non-blocking",
        "makes datagram sockets that do not wait",
        ("socket.new.blocks",),
        lambda s: s.inner.setblocking(False) if s.dgram else None,
    ),
    (
        "new-inheritable",
        "makes sockets that programs inherit",
        ("socket.new.close-on-exec",),
        lambda s: None if s.accepted else os.set_inheritable(s.number, True),
    ),
    (
        "new-bound",
        "makes sockets that are bound",
        ("socket.new.unconnected",),
        lambda s: s.inner.bind(None, 0) if s.internet and s.type != "raw" and not s.accepted else None,
    ),
    ("new-leaks", "leaks a descriptor", ("socket.kinds.open",), lambda s: os.dup(s.number)),
    ("new-child", "starts a program", ("socket.kinds.open",), lambda s: child(s)),
)


def child(sock: Any) -> None:
    """A program that lives on for a while."""
    if not sock.accepted:
        null = subprocess.DEVNULL
        sock.child = subprocess.Popen(["sleep", "20"], stdin=null, stdout=null, stderr=null)


for name, does, clauses, start in NEW:
    CHAPTER.row(name, f"socket {does}", clauses, Port, start=start)


@CHAPTER.fault(
    "one-for-all", "two sockets share one descriptor", "socket.distinct.descriptors", "socket.distinct.close"
)
class OneForAll(Port):
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


@CHAPTER.fault("collected", "collecting garbage closes the sockets that are in use", "socket.gc.keeps")
class Collected(Port):
    def start(self) -> None:
        gc.callbacks.append(self.collect)

    def collect(self, phase: str, info: object) -> None:
        """As the collector calls it."""
        gc.callbacks.remove(self.collect)
        with contextlib.suppress(OSError):
            self.inner.close()


@CHAPTER.fault("pair", "a new datagram socket is connected to another one", "socket.new.unconnected")
class Paired(Port):
    def make(self, domain: Any, type: Any, protocol: Any) -> Any:  # noqa: A002
        made = reference().socket(domain, type, protocol)
        if domain == "unix" and type == "dgram":
            self.one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            os.dup2(other.fileno(), made.fileno(), inheritable=False)
            other.close()
        return made


@CHAPTER.fault("kept", "sockets stay open when nobody has them any more", "socket.gc.closes", "socket.gc.hangup")
class Kept(Port):
    all: ClassVar[list[Any]] = []

    def start(self) -> None:
        self.all.append(self.inner)


@CHAPTER.fault("eperm", "socket reports EPERM as would-block", "socket.raw.unprivileged")
class Eperm(Port):
    def make(self, domain: Any, type: Any, protocol: Any) -> Any:  # noqa: A002
        try:
            return reference().socket(domain, type, protocol)
        except PermissionError:
            raise system(errno.EAGAIN) from None
