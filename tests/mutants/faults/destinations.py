"""Where sendto sends: host, port, path, and the socket's state afterwards."""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import Any

from tests.mutants.errors import RESOLVER, all_sent, bad_argument, substitute
from tests.mutants.registry import Group
from tests.mutants.wrapper import FAMILIES, LOOPBACK, Wrapped, chunk, flat, is_int, raising, size, system, with_errno

GROUP = Group(__name__)
fault = GROUP.fault


class Sendto(Wrapped):
    """sendto, with hooks."""

    def address(self, host: Any, port: Any) -> tuple[Any, Any]:
        """The host and port to call with."""
        return host, port

    def failed(self, error: Exception, buffer: Any) -> Any:
        """The result in place of a failure."""
        raise error

    def sendto(self, buffer: Any, host: Any = None, port: Any = None, offset: Any = None, length: Any = None) -> Any:
        try:
            return self.inner.sendto(buffer, *self.address(host, port), *chunk(offset, length))
        except (OSError, ValueError, TypeError) as error:
            return self.failed(error, buffer)


def to_itself(sock: Any, host: Any, port: Any) -> tuple[Any, Any]:
    """The first destination of the socket."""
    sock.first = getattr(sock, "first", (host, port))
    return sock.first  # type: ignore[no-any-return]


def of_port(change: Any) -> Any:
    """Change the port of a host."""
    return lambda sock, host, port: (host, change(port) if sock.internet else port)


def of_path(change: Any) -> Any:
    """Change a path."""
    return lambda sock, host, port: (change(host) if sock.unix and isinstance(host, (str, bytes)) else host, port)


row = GROUP.rows(Sendto, does="sendto {}")
row("first-for-good", "always sends to its first destination", "sendto.destination.each").override(address=to_itself)
row("loopback", "always sends to the loopback address", "sendto.destination.host").override(
    address=lambda s, h, p: (
        LOOPBACK.get(s.domain, h)
        if (isinstance(h, str) and h in LOOPBACK.values()) or str(h).startswith("127.")
        else h,
        p,
    )
)
row("host-optional", "sends to the loopback address where no host is given", "sendto.host.not-loopback").override(
    address=lambda s, h, p: (LOOPBACK.get(s.domain, h) if h is None else h, p)
)
row("host-true", "treats true as the loopback address", "sendto.host.kind").override(
    address=lambda s, h, p: (LOOPBACK.get(s.domain, h) if h is True else h, p)
)
row("nothing-needed", "defaults to the loopback address and port 9", "sendto.host.required").override(
    address=lambda s, h, p: (LOOPBACK.get(s.domain, "/tmp"), 9) if h is None and p is None and s.internet else (h, p)
)
row("host-empty", "treats an empty host as the loopback address", "sendto.host.no-address").override(
    address=lambda s, h, p: (LOOPBACK.get(s.domain, h) if h == "" else h, p)
)
row("host-bytes", "refuses a host that is a string", "sendto.data.arrives").override(
    address=lambda s, h, p: (h, p) if s.unix or not isinstance(h, str) else raising(TypeError("bytes"))
)
row("port-swapped", "has the port in the wrong byte order", "sendto.data.arrives").override(
    address=of_port(lambda p: socket.htons(p) if is_int(p) and 0 <= p <= 65535 else p)
)
row("port-wraps", "wraps a port above 65535", "sendto.port.range").override(
    address=of_port(lambda p: p & 65535 if is_int(p) and p > 65535 else p)
)
row("port-negative-wraps", "wraps a negative port", "sendto.port.range").override(
    address=of_port(lambda p: p & 65535 if is_int(p) and p < 0 else p)
)
row("port-text-refused", "refuses a port that is a string", "sendto.port.digits").override(
    address=of_port(lambda p: raising(TypeError("number")) if isinstance(p, str) else p)
)
row("port-optional", "defaults to port 9", "sendto.port.required").override(
    address=of_port(lambda p: 9 if p is None else p)
)
row("port-zero-one", "treats port 0 as port 1", "sendto.port.zero").override(
    address=of_port(lambda p: 1 if p in (0, "0") and not isinstance(p, bool) else p)
)
row("port-tuple", "accepts a tuple of ports and uses the first", "sendto.port.kind").override(
    address=of_port(lambda p: p[0] if isinstance(p, tuple) else p)
)
row("unix-port", "requires a port with a path", "sendto.unix.port-ignored").override(
    address=lambda s, h, p: (h, p) if s.internet or is_int(p) else raising(TypeError("port"))
)
row("unix-cut", "cuts a path to 107 bytes", "sendto.unix.too-long").override(
    address=of_path(lambda h: h[:107] if h[:1] not in ("\0", b"\0") else h)
)
row("unix-short", "refuses a path of more than 92 bytes", "sendto.unix.longest").override(
    address=of_path(lambda h: h if len(h) <= 92 else raising(system(errno.ENAMETOOLONG)))
)
row("abstract-padded", "pads an abstract name with NUL", "sendto.unix.abstract").override(
    address=of_path(lambda h: h.ljust(107, b"\0") if isinstance(h, bytes) and h[:1] == b"\0" else h)
)
row("abstract-cut", "ends an abstract name at its second NUL", "sendto.unix.abstract-exact").override(
    address=of_path(lambda h: b"\0" + h[1:].split(b"\0")[0] if isinstance(h, bytes) and h[:1] == b"\0" else h)
)


fault("name-stale", "sendto reports an unknown name as EINVAL", "sendto.host.name").override(
    Sendto, failed=substitute(errno.EINVAL, RESOLVER)
)
fault("name-swallowed", "sendto to an unknown name counts as sent", "sendto.host.name").override(
    Sendto, failed=all_sent(RESOLVER)
)
fault("family-swallowed", "sendto to an address of another family counts as sent", "sendto.host.other-family").override(
    Sendto, failed=all_sent(RESOLVER, errno.EAFNOSUPPORT)
)
fault("argument-key-error", "sendto reports a bad argument as KeyError", "sendto.port.kind").override(
    Sendto, failed=substitute(KeyError("sendto"), bad_argument)
)
fault("unix-stream-swallowed", "sendto to the path of a stream counts as sent", "sendto.unix.stream").override(
    Sendto, failed=all_sent(errno.EPROTOTYPE, errno.ECONNREFUSED)
)
fault(
    "unconnected-stream-swallowed", "sendto on an unconnected TCP socket counts as sent", "sendto.unconnected.stream"
).override(Sendto, failed=all_sent(errno.EPIPE, errno.ENOTCONN))


@fault(
    "connects",
    "sendto connects the socket to its destination",
    "sendto.unconnected.stays",
    "sendto.unconnected.hears-all",
)
def sendto(self: Wrapped, buffer: Any, host: Any = None, port: Any = None, *rest: Any) -> Any:
    sent = self.inner.sendto(buffer, host, port, *rest)
    if self.dgram:
        with contextlib.suppress(OSError):
            self.inner.connect(host, port)
    return sent


@fault(
    "moves-connection", "sendto on a connected datagram socket connects it to the destination", "sendto.connected.stays"
)
def sendto(self: Wrapped, buffer: Any, host: Any = None, port: Any = None, *rest: Any) -> Any:
    sent = self.inner.sendto(buffer, host, port, *rest)
    with contextlib.suppress(OSError, ValueError, TypeError):
        self.inner.getpeername()
        if self.dgram:
            self.inner.connect(host, port)
    return sent


@fault("to-peer", "sendto on a connected datagram socket sends to its peer", "sendto.connected.elsewhere")
def sendto(self: Wrapped, buffer: Any, host: Any = None, port: Any = None, *rest: Any) -> Any:
    try:
        self.inner.getpeername()
    except OSError:
        return self.inner.sendto(buffer, host, port, *rest)
    return self.inner.send(buffer, *rest) if self.dgram else self.inner.sendto(buffer, host, port, *rest)


@fault("new-socket", "sendto sends from a new socket each time", "sendto.source.automatic", "sendto.source.own")
def sendto(self: Wrapped, buffer: Any, *rest: Any) -> Any:
    if not (self.dgram and self.internet and self.number >= 0):
        return self.inner.sendto(buffer, *rest)
    with self.twin() as other:
        return other.sendto(buffer, *rest)


@fault("binds-unix", "sendto binds an unnamed UNIX socket", "sendto.source.unnamed")
def sendto(self: Wrapped, buffer: Any, host: Any = None, *rest: Any) -> Any:
    if self.unix and self.dgram and not self.inner.getsockname()[0]:
        with contextlib.suppress(OSError):
            self.inner.bind(f"{host}.{self.number}")
    return self.inner.sendto(buffer, host, *rest)


@fault("failure-closes", "a sendto that fails closes the socket", "sendto.unbound.usable-after-failure")
def failed(self: Sendto, error: Exception, buffer: Any) -> Any:
    with contextlib.suppress(OSError):
        self.inner.close()
    raise error


@fault("connected-dropped", "sendto on a connected TCP socket drops the data", "sendto.connected.tcp")
def sendto(self: Wrapped, buffer: Any, *rest: Any) -> Any:
    if self.stream and self.internet:
        with contextlib.suppress(OSError):
            self.inner.getpeername()
            return size(buffer)
    return self.inner.sendto(buffer, *rest)


@fault("unix-empty", "sendto to an empty path counts as sent", "sendto.unix.empty")
def sendto(self: Wrapped, buffer: Any, host: Any = None, *rest: Any) -> Any:
    return size(buffer) if self.unix and host == "" else self.inner.sendto(buffer, host, *rest)


@fault("mapped-refused", "sendto on an IPv6 socket refuses IPv4 addresses in mapped form", "sendto.destination.mapped")
def address(self: Sendto, host: Any, port: Any) -> tuple[Any, Any]:
    if self.domain == "inet6" and isinstance(host, str) and host.lower().startswith("::ffff:"):
        raise socket.gaierror(socket.EAI_ADDRFAMILY, "mapped")
    return host, port


@fault("raw-chunk", "sendto on a raw socket ignores offset and length", "sendto.raw.chunk")
def sendto(self: Wrapped, buffer: Any, host: Any = None, port: Any = None, *rest: Any) -> Any:
    return self.inner.sendto(buffer, host, port, *(() if self.type == "raw" else rest))


@fault("raw-empty", "sendto on a raw socket sends nothing", "sendto.raw.arrives")
def sendto(self: Wrapped, buffer: Any, host: Any = None, port: Any = None, *rest: Any) -> Any:
    sent = self.inner.sendto(b"" if self.type == "raw" else buffer, host, port, *rest)
    return len(flat(buffer)) if self.type == "raw" else sent


@fault("by-name", "sendto uses the loopback address for an empty or missing host", "sendto.host.not-loopback")
def address(self: Sendto, host: Any, port: Any) -> tuple[Any, Any]:
    if self.internet and isinstance(host, str) and port is not None:
        with contextlib.suppress(OSError):
            host = socket.getaddrinfo(host, 9, FAMILIES[self.domain], socket.SOCK_DGRAM)[0][4][0]
    return (LOOPBACK[self.domain] if host == "" or host is None else host) if self.internet else host, port


@fault("unix-missing-creates", "sendto to a path that does not exist counts as sent", "sendto.unix.missing")
def failed(self: Sendto, error: Exception, buffer: Any) -> Any:
    return size(buffer) if with_errno(error, errno.ENOENT) else raising(error)
