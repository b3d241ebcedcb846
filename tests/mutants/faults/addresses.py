"""Addresses that methods return: getsockname, getpeername, accept and recvfrom."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, ClassVar

from tests.mutants.registry import Declaration, Fault, Group
from tests.mutants.wrapper import Wrapped, peer_of

GROUP = Group(__name__)
fault = GROUP.fault
ADDRESS_METHODS = ("getsockname", "getpeername", "accept", "recvfrom")


class Addresses(Wrapped):
    """The methods that return an address, with one hook."""

    methods: ClassVar[tuple[str, ...]] = ADDRESS_METHODS

    def address(self, host: Any, port: Any, of: Any) -> Any:
        """The host and port to return; `of` is the socket that they belong to."""
        return host, port

    def _returned(self, name: str, host: Any, port: Any, of: Any) -> Any:
        return self.address(host, port, of) if name in self.methods else (host, port)

    def getsockname(self) -> Any:
        host, port = self.inner.getsockname()
        return self._returned("getsockname", host, port, self)

    def getpeername(self) -> Any:
        host, port = self.inner.getpeername()
        return self._returned("getpeername", host, port, self)

    def accept(self) -> Any:
        sock, host, port = super().accept()
        return (sock, *self._returned("accept", host, port, sock))

    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        return (data, *self._returned("recvfrom", host, port, self))


#: For each method the clause about a plain address; below, those about UNIX addresses.
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
    """The entries of a table for these methods."""
    return {method: table[method] for method in methods}


def path(change: Callable[[str], Any]) -> Callable[[Any, Any, Any, Any], Any]:
    """Change a path that is not empty."""
    return lambda s, h, p, of: (change(h) if isinstance(h, str) and h and s.unix else h, p)


def abstract(change: Callable[[bytes], Any]) -> Callable[[Any, Any, Any, Any], Any]:
    """Change an abstract name."""
    return lambda s, h, p, of: (change(h) if isinstance(h, bytes) else h, p)


def ported(change: Callable[[int], Any]) -> Callable[[Any, Any, Any, Any], Any]:
    """Change a TCP or UDP port."""
    return lambda s, h, p, of: (h, change(p) if s.internet and p is not None else p)


def wrong(name: str, does: str, clauses: dict[str, str]) -> Declaration:
    """Declare a fault for each method in `clauses`: the address that it returns is wrong."""
    declaration = Declaration(GROUP)
    for method, clause in clauses.items():
        row = Fault(f"addresses/{name}-{method}", f"{method} returns {does}", (clause,))
        declaration.add(row, Addresses, {"methods": (method,)})
    return declaration


def looked_up(s: Any, host: Any, port: Any, of: Any) -> Any:
    """Replace the loopback address by its name."""
    return ("localhost" if host in ("127.0.0.1", "::1") else host, port)


wrong("swapped", "port and host", PLAIN).override(address=lambda s, h, p, of: (p, h) if s.internet else (h, p))
wrong("one-text", "host and port as one string", PLAIN).override(
    address=lambda s, h, p, of: (f"{h}:{p}",) if s.internet else (h, p)
)
wrong("nested", "host and port in one value", PLAIN).override(address=lambda s, h, p, of: ([h, p],))
wrong("four", "four values for IPv6", PLAIN).override(
    address=lambda s, h, p, of: (h, p, 0, 0) if s.domain == "inet6" else (h, p)
)
wrong("host-only", "no port", PLAIN).override(address=lambda s, h, p, of: (h,) if s.internet else (h, p))
wrong("host-bytes", "the host as bytes", PLAIN).override(
    address=lambda s, h, p, of: (h.encode() if s.internet and h else h, p)
)
wrong("looked-up", "the host's name", PLAIN).override(address=looked_up)
wrong("port-text", "the port as a string", PLAIN).override(address=ported(str))
wrong("port-order", "the port in the wrong byte order", PLAIN).override(address=ported(socket.htons))
wrong("port-signed", "ports from 32768 on as negative", only(PLAIN, "getsockname")).override(
    address=ported(lambda p: p - 65536 if p >> 15 else p)
)
wrong("unix-port", "port 0 with a path", UNNAMED).override(address=lambda s, h, p, of: (h, 0 if s.unix else p))
wrong("unnamed-none", "no host for an unnamed UNIX socket", UNNAMED).override(
    address=lambda s, h, p, of: (None if s.unix and h == "" else h, p)
)
wrong("path-bytes", "a path as bytes", LONGEST).override(address=path(str.encode))
wrong("path-nul", "a path with a NUL at its end", LONGEST).override(address=path(lambda h: h + "\0"))
wrong("path-padded", "a path padded with NUL", LONGEST).override(address=path(lambda h: h.ljust(108, "\0")))
wrong("path-cut", "a path cut to 106 bytes", LONGEST).override(address=path(lambda h: h[:106]))
wrong("path-lost", "no path", LONGEST).override(address=path(lambda h: ""))
wrong("path-name", "the last component of a path", LONGEST).override(address=path(lambda h: h.rpartition("/")[2]))
wrong("abstract-text", "an abstract name as str", ABSTRACT).override(address=abstract(lambda h: h.decode("latin-1")))
wrong("abstract-at", "an abstract name with an @", ABSTRACT).override(
    address=abstract(lambda h: "@" + h[1:].decode("latin-1"))
)
wrong("abstract-bare", "an abstract name without its NUL", ABSTRACT).override(address=abstract(lambda h: h[1:]))
wrong("abstract-empty", "an empty string for an abstract name", ABSTRACT).override(address=abstract(lambda h: ""))
row = GROUP.rows(Addresses)
row("own-getpeername", "getpeername returns the socket's own address", "getpeername.connected.remote").override(
    methods=("getpeername",), address=lambda s, h, p, of: of.inner.getsockname()
)
row(
    "own-accepted-getpeername", "getpeername of an accepted socket returns its own address", "getpeername.accepted.each"
).override(methods=("getpeername",), address=lambda s, h, p, of: of.inner.getsockname() if s.accepted else (h, p))
row(
    "peer-getsockname", "getsockname of a connected stream returns the peer's address", "getsockname.state.connected"
).override(methods=("getsockname",), address=lambda s, h, p, of: (s.stream and peer_of(s)) or (h, p))
row(
    "own-accept", "accept returns the accepted socket's own address", "accept.peer.address", "accept.peer.host-not-own"
).override(methods=("accept",), address=lambda s, h, p, of: of.inner.getsockname())
row("listener-accept", "accept returns the listener's address", "accept.peer.address").override(
    methods=("accept",), address=lambda s, h, p, of: s.inner.getsockname()
)
row(
    "listener-path-accept", "accept returns the listener's path", "accept.peer.unix-unnamed", "accept.peer.unix-path"
).override(methods=("accept",), address=lambda s, h, p, of: s.inner.getsockname() if s.unix else (h, p))
row("own-recvfrom", "recvfrom returns the receiver's address", "recvfrom.sender.each").override(
    methods=("recvfrom",), address=lambda s, h, p, of: s.inner.getsockname() if s.dgram else (h, p)
)
row(
    "wildcard-getsockname", "getsockname returns an empty host for the wildcard address", "getsockname.bound.wildcard"
).override(methods=("getsockname",), address=lambda s, h, p, of: ("" if h in ("0.0.0.0", "::") else h, p))
row("any-getsockname", "getsockname returns 0.0.0.0 for ::", "getsockname.bound.wildcard").override(
    methods=("getsockname",), address=lambda s, h, p, of: ("0.0.0.0" if h == "::" else h, p)
)
row(
    "loopback-getsockname", "getsockname always returns the loopback address", "getsockname.bound.other-address"
).override(
    methods=("getsockname",),
    address=lambda s, h, p, of: ("127.0.0.1" if s.domain == "inet" and h != "0.0.0.0" else h, p),
)
row("loopback-recvfrom", "recvfrom always returns the loopback address", "recvfrom.sender.other-host").override(
    methods=("recvfrom",), address=lambda s, h, p, of: ("127.0.0.1" if s.domain == "inet" and s.dgram else h, p)
)
row(
    "loopback-getpeername", "getpeername always returns the loopback address", "getpeername.connected.other-address"
).override(methods=("getpeername",), address=lambda s, h, p, of: ("127.0.0.1" if s.domain == "inet" else h, p))
row("unmapped-accept", "accept returns an IPv4 peer's mapped address without ::ffff:", "accept.peer.mapped").override(
    methods=("accept",), address=lambda s, h, p, of: (unmapped(h), p)
)
row(
    "unmapped-recvfrom", "recvfrom returns an IPv4 sender's mapped address without ::ffff:", "recvfrom.sender.mapped"
).override(methods=("recvfrom",), address=lambda s, h, p, of: (unmapped(h), p))
row(
    "unmapped-getpeername",
    "getpeername returns an IPv4 peer's mapped address without ::ffff:",
    "getpeername.connected.mapped",
).override(methods=("getpeername",), address=lambda s, h, p, of: (unmapped(h), p))
row(
    "unmapped-getsockname", "getsockname returns a mapped address without ::ffff:", "getsockname.accepted.mapped"
).override(methods=("getsockname",), address=lambda s, h, p, of: (unmapped(h), p))
row("raw-port-getsockname", "getsockname of a raw socket returns no port", "getsockname.result.raw").override(
    methods=("getsockname",), address=lambda s, h, p, of: (h,) if s.type == "raw" else (h, p)
)
row("raw-own-recvfrom", "recvfrom on a raw socket returns no host", "recvfrom.raw.sender").override(
    methods=("recvfrom",), address=lambda s, h, p, of: ("", p) if s.type == "raw" else (h, p)
)
row("stream-own-recvfrom", "recvfrom on a stream returns its own address", "recvfrom.stream.no-other-sender").override(
    methods=("recvfrom",), address=lambda s, h, p, of: s.inner.getsockname() if s.stream else (h, p)
)


def unmapped(host: Any) -> Any:
    """The IPv4 address of a mapped one."""
    return host.removeprefix("::ffff:") if isinstance(host, str) else host


class Echo(Addresses):
    """A UNIX address is returned with the port argument of bind or connect."""

    #: The method whose port argument is returned.
    by: ClassVar[str]
    given_port: Any = None

    def bind(self, *arguments: Any) -> Any:
        return self.opened("bind", *arguments)

    def connect(self, *arguments: Any) -> Any:
        return self.opened("connect", *arguments)

    def opened(self, name: str, *arguments: Any) -> Any:
        """Call bind or connect, and store the port of the one that `by` names."""
        done = getattr(self.inner, name)(*arguments)
        if name == self.by:
            self.given_port = (*arguments, None, None)[1]
        return done

    def address(self, host: Any, port: Any, of: Any) -> Any:
        return host, self.given_port if self.unix else port


echo = GROUP.rows(Echo, "unix-port-echo-{}")
echo("getsockname", "unix: getsockname returns the port that bind was given", "getsockname.unix.no-port").override(
    methods=("getsockname",), by="bind"
)
echo("getpeername", "unix: getpeername returns the port that connect was given", "getpeername.unix.no-port").override(
    methods=("getpeername",), by="connect"
)
