"""The addresses that a socket tells: its own, its peer's, the sender's and that of an accepted connection."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from tests.mutants.registry import Chapter
from tests.mutants.wrapper import Port

CHAPTER = Chapter(__name__)
METHODS = ("getsockname", "getpeername", "accept", "recvfrom")


class Told(Port):
    """The methods that tell an address, through one hook."""

    methods: ClassVar[tuple[str, ...]] = METHODS

    def address(self, host: Any, port: Any, of: Any) -> Any:
        """The values that are told; `of` is the socket that they are about."""
        return host, port

    def _told(self, name: str, host: Any, port: Any, of: Any) -> Any:
        return self.address(host, port, of) if name in self.methods else (host, port)

    def getsockname(self) -> Any:
        host, port = self.inner.getsockname()
        return self._told("getsockname", host, port, self)

    def getpeername(self) -> Any:
        host, port = self.inner.getpeername()
        return self._told("getpeername", host, port, self)

    def accept(self) -> Any:
        sock, host, port = super().accept()
        return (sock, *self._told("accept", host, port, sock))

    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        return (data, *self._told("recvfrom", host, port, self))


class Wrong(NamedTuple):
    """A wrong address, the methods that tell it, and the clause of each that says so."""

    name: str
    does: str
    clauses: dict[str, str]
    address: Callable[[Any, Any, Any, Any], Any]


#: The clause that says what a plain address looks like.
PLAIN = {
    "getsockname": "getsockname.bound.local",
    "getpeername": "getpeername.connected.remote",
    "accept": "accept.peer.address",
    "recvfrom": "recvfrom.sender.each",
}
UNIX = {"getsockname": "getsockname.result.unix", "getpeername": "getpeername.result.unix"}
UNNAMED = {
    "getsockname": "getsockname.unbound.unnamed",
    "getpeername": "getpeername.accepted.unnamed",
    "accept": "accept.peer.unix-unnamed",
    "recvfrom": "recvfrom.unix.unnamed",
}
LONGEST = {
    "getsockname": "getsockname.unix.whole-path",
    "getpeername": "getpeername.unix.whole-path",
    "accept": "accept.peer.unix-longest",
    "recvfrom": "recvfrom.unix.longest",
}
ABSTRACT = {
    "getsockname": "getsockname.unix.abstract",
    "getpeername": "getpeername.unix.abstract",
    "accept": "accept.peer.unix-abstract",
    "recvfrom": "recvfrom.unix.abstract",
}


def only(table: dict[str, str], *methods: str) -> dict[str, str]:
    """The rows of these methods."""
    return {method: table[method] for method in methods}


def path(change: Callable[[str], Any]) -> Callable[[Any, Any, Any, Any], Any]:
    """Change a path that there is."""
    return lambda s, h, p, of: (change(h) if isinstance(h, str) and h and s.unix else h, p)


def abstract(change: Callable[[bytes], Any]) -> Callable[[Any, Any, Any, Any], Any]:
    """Change an abstract name."""
    return lambda s, h, p, of: (change(h) if isinstance(h, bytes) else h, p)


def ported(change: Callable[[int], Any]) -> Callable[[Any, Any, Any, Any], Any]:
    """Change a port that there is."""
    return lambda s, h, p, of: (h, change(p) if s.internet and p is not None else p)


def looked_up(s: Any, host: Any, port: Any, of: Any) -> Any:
    """The name of an address."""
    return ("localhost" if host in ("127.0.0.1", "::1") else host, port)


ADDRESSES = (
    Wrong("swapped", "port and host", PLAIN, lambda s, h, p, of: (p, h) if s.internet else (h, p)),
    Wrong("one-text", "host and port as one text", PLAIN, lambda s, h, p, of: (f"{h}:{p}",) if s.internet else (h, p)),
    Wrong("nested", "host and port in one value", PLAIN, lambda s, h, p, of: ([h, p],)),
    Wrong("four", "four values for IPv6", PLAIN, lambda s, h, p, of: (h, p, 0, 0) if s.domain == "inet6" else (h, p)),
    Wrong("host-only", "no port", PLAIN, lambda s, h, p, of: (h,) if s.internet else (h, p)),
    Wrong("host-bytes", "the host as bytes", PLAIN, lambda s, h, p, of: (h.encode() if s.internet and h else h, p)),
    Wrong("looked-up", "the name of the host", PLAIN, looked_up),
    Wrong("port-text", "the port as text", PLAIN, ported(str)),
    Wrong("port-order", "the port in the wrong byte order", PLAIN, ported(socket.htons)),
    Wrong(
        "port-signed",
        "ports from 32768 on as negative",
        only(PLAIN, "getsockname"),
        ported(lambda p: p - 65536 if p >> 15 else p),
    ),
    Wrong("unix-port", "port 0 with a path", UNNAMED, lambda s, h, p, of: (h, 0 if s.unix else p)),
    Wrong(
        "unnamed-none",
        "no host for an unnamed UNIX socket",
        UNNAMED,
        lambda s, h, p, of: (None if s.unix and h == "" else h, p),
    ),
    Wrong("path-bytes", "a path as bytes", LONGEST, path(str.encode)),
    Wrong("path-nul", "a path with a NUL at its end", LONGEST, path(lambda h: h + "\0")),
    Wrong("path-padded", "a path filled with NUL", LONGEST, path(lambda h: h.ljust(108, "\0"))),
    Wrong("path-cut", "a path without the byte that fills an address", LONGEST, path(lambda h: h[:106])),
    Wrong("path-lost", "no path", LONGEST, path(lambda h: "")),
    Wrong("path-name", "the last part of a path", LONGEST, path(lambda h: h.rpartition("/")[2])),
    Wrong("abstract-text", "an abstract name as text", ABSTRACT, abstract(lambda h: h.decode("latin-1"))),
    Wrong("abstract-at", "an abstract name with an @", ABSTRACT, abstract(lambda h: "@" + h[1:].decode("latin-1"))),
    Wrong("abstract-bare", "an abstract name without its NUL", ABSTRACT, abstract(lambda h: h[1:])),
    Wrong("abstract-empty", "an abstract name as none", ABSTRACT, abstract(lambda h: "")),
)
for wrong in ADDRESSES:
    for method, clause in wrong.clauses.items():
        CHAPTER.row(
            f"{wrong.name}-{method}",
            f"{method} tells {wrong.does}",
            [clause],
            Told,
            methods=(method,),
            address=wrong.address,
        )

OTHERS = (
    (
        "own-getpeername",
        "getpeername tells the socket's own address",
        ("getpeername.connected.remote",),
        "getpeername",
        lambda s, h, p, of: of.inner.getsockname(),
    ),
    (
        "own-accepted-getpeername",
        "getpeername of an accepted socket tells its own address",
        ("getpeername.accepted.each",),
        "getpeername",
        lambda s, h, p, of: of.inner.getsockname() if s.accepted else (h, p),
    ),
    (
        "peer-getsockname",
        "getsockname of a connected stream tells the peer's address",
        ("getsockname.state.connected",),
        "getsockname",
        lambda s, h, p, of: peer_of(s) or (h, p),
    ),
    (
        "own-accept",
        "accept tells the accepted socket's own address",
        ("accept.peer.address", "accept.peer.host-not-own"),
        "accept",
        lambda s, h, p, of: of.inner.getsockname(),
    ),
    (
        "listener-accept",
        "accept tells the listener's address",
        ("accept.peer.address",),
        "accept",
        lambda s, h, p, of: s.inner.getsockname(),
    ),
    (
        "listener-path-accept",
        "accept tells the listener's path",
        ("accept.peer.unix-unnamed", "accept.peer.unix-path"),
        "accept",
        lambda s, h, p, of: s.inner.getsockname() if s.unix else (h, p),
    ),
    (
        "own-recvfrom",
        "recvfrom tells the receiver's address",
        ("recvfrom.sender.each",),
        "recvfrom",
        lambda s, h, p, of: s.inner.getsockname() if s.dgram else (h, p),
    ),
    (
        "wildcard-getsockname",
        "getsockname tells an empty host for all addresses",
        ("getsockname.bound.wildcard",),
        "getsockname",
        lambda s, h, p, of: ("" if h in ("0.0.0.0", "::") else h, p),
    ),
    (
        "any-getsockname",
        "getsockname tells the same for :: as for 0.0.0.0",
        ("getsockname.bound.wildcard",),
        "getsockname",
        lambda s, h, p, of: ("0.0.0.0" if h == "::" else h, p),
    ),
    (
        "loopback-getsockname",
        "getsockname tells the loopback address, whatever the host",
        ("getsockname.bound.other-address",),
        "getsockname",
        lambda s, h, p, of: ("127.0.0.1" if s.domain == "inet" and h != "0.0.0.0" else h, p),
    ),
    (
        "loopback-recvfrom",
        "recvfrom tells the loopback address, whatever the sender",
        ("recvfrom.sender.other-host",),
        "recvfrom",
        lambda s, h, p, of: ("127.0.0.1" if s.domain == "inet" and s.dgram else h, p),
    ),
    (
        "loopback-getpeername",
        "getpeername tells the loopback address, whatever the peer",
        ("getpeername.connected.other-address",),
        "getpeername",
        lambda s, h, p, of: ("127.0.0.1" if s.domain == "inet" else h, p),
    ),
    (
        "unmapped-accept",
        "accept tells an IPv4 peer's mapped address without the mapping",
        ("accept.peer.mapped",),
        "accept",
        lambda s, h, p, of: (unmapped(h), p),
    ),
    (
        "unmapped-recvfrom",
        "recvfrom tells an IPv4 sender's mapped address without the mapping",
        ("recvfrom.sender.mapped",),
        "recvfrom",
        lambda s, h, p, of: (unmapped(h), p),
    ),
    (
        "unmapped-getpeername",
        "getpeername tells an IPv4 peer's mapped address without the mapping",
        ("getpeername.connected.mapped",),
        "getpeername",
        lambda s, h, p, of: (unmapped(h), p),
    ),
    (
        "unmapped-getsockname",
        "getsockname tells a mapped address without the mapping",
        ("getsockname.accepted.mapped",),
        "getsockname",
        lambda s, h, p, of: (unmapped(h), p),
    ),
    (
        "raw-port-getsockname",
        "getsockname of a raw socket tells no port",
        ("getsockname.result.raw",),
        "getsockname",
        lambda s, h, p, of: (h,) if s.type == "raw" else (h, p),
    ),
    (
        "raw-own-recvfrom",
        "recvfrom on a raw socket tells no host",
        ("recvfrom.raw.sender",),
        "recvfrom",
        lambda s, h, p, of: ("", p) if s.type == "raw" else (h, p),
    ),
    (
        "stream-own-recvfrom",
        "recvfrom on a stream tells its own address",
        ("recvfrom.stream.no-other-sender",),
        "recvfrom",
        lambda s, h, p, of: s.inner.getsockname() if s.stream else (h, p),
    ),
)
for name, does, clauses, method, address in OTHERS:
    CHAPTER.row(name, does, clauses, Told, methods=(method,), address=address)


def peer_of(sock: Any) -> Any:
    """A stream's peer, if it has one."""
    try:
        return sock.inner.getpeername() if sock.stream else None
    except OSError:
        return None


def unmapped(host: Any) -> Any:
    """An IPv4 address without the form that it has on IPv6 sockets."""
    return host.removeprefix("::ffff:") if isinstance(host, str) else host


class Echo(Told):
    """A UNIX name comes with the port that was given, which is nothing."""

    #: The method that is given it.
    by: ClassVar[str]
    given_port: Any = None

    def bind(self, *arguments: Any) -> Any:
        return self.opened("bind", *arguments)

    def connect(self, *arguments: Any) -> Any:
        return self.opened("connect", *arguments)

    def opened(self, name: str, *arguments: Any) -> Any:
        """Call bind or connect, and remember the port if it is the one."""
        done = getattr(self.inner, name)(*arguments)
        if name == self.by:
            self.given_port = (*arguments, None, None)[1]
        return done

    def address(self, host: Any, port: Any, of: Any) -> Any:
        return host, self.given_port if self.unix else port


for method, by in (("getsockname", "bind"), ("getpeername", "connect")):
    CHAPTER.row(
        f"unix-port-echo-{method}",
        f"unix: {method} tells the port that {by} was given",
        [f"{method}.unix.no-port"],
        Echo,
        methods=(method,),
        by=by,
    )
