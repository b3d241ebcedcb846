"""bind and connect: how they read host, port and path."""

from __future__ import annotations

import errno
import socket
import tempfile
from collections.abc import Callable
from typing import Any

from tests.mutants.hooks import Opener
from tests.mutants.registry import Group
from tests.mutants.wrapper import FAMILIES, LOOPBACK, Wrapped, is_int, raising, system

GROUP = Group(__name__)
fault = GROUP.fault
ANY = {"inet": "0.0.0.0", "inet6": "::"}


def port_of(change: Callable[[Any], Any]) -> Callable[[Any, Any, Any], tuple[Any, Any]]:
    """Change the port of a host."""
    return lambda s, h, p: (h, change(p) if s.internet and s.type != "raw" else p)


def host_of(change: Callable[[Any], Any]) -> Callable[[Any, Any, Any], tuple[Any, Any]]:
    """Change the host of an internet address."""
    return lambda s, h, p: (change(h) if s.internet else h, p)


def path_of(change: Callable[[Any], Any]) -> Callable[[Any, Any, Any], tuple[Any, Any]]:
    """Change a path."""
    return lambda s, h, p: (change(h) if s.unix and isinstance(h, (str, bytes)) else h, p)


def literal(sock: Wrapped, host: Any) -> bool:
    """Whether a host is an address, not a name."""
    try:
        socket.inet_pton(FAMILIES[sock.domain], host)
    except (OSError, ValueError, TypeError):
        return False
    return True


def service(port: Any, protocol: str) -> Any:
    """The port of a service of this protocol, whatever the socket's type."""
    if not isinstance(port, str) or not port.isalpha():
        return port
    try:
        return socket.getservbyname(port, protocol)
    except OSError:
        raise socket.gaierror(socket.EAI_SERVICE, "no such service") from None


def no_name(sock: Any, host: Any, port: Any) -> tuple[Any, Any]:
    """Refuse names."""
    if sock.internet and isinstance(host, str) and host and not literal(sock, host):
        raise socket.gaierror(socket.EAI_NONAME, "no names")
    return host, port


def no_service(port: Any) -> Any:
    """Refuse service names."""
    return raising(ValueError("port")) if isinstance(port, str) and not port.isdigit() else port


def digits_start(port: Any) -> Any:
    """Convert a port as C's atoi does."""
    start = port.lstrip() if isinstance(port, str) else ""
    head = start[: len(start) - len(start.lstrip("0123456789"))]
    return int(head) if head and int(head) <= 65535 else port


both = GROUP.rows(Opener, "{}-{method}", "{method} {}", "{method}.{}", methods=("bind", "connect"))
both("port-order", "has the port in the wrong byte order", "port.number").override(
    address=port_of(lambda p: socket.htons(p) if is_int(p) and 0 <= p <= 65535 else p)
)
both("port-wraps", "wraps a port above 65535", "port.out-of-range").override(
    address=port_of(lambda p: p & 65535 if is_int(p) and p > 65535 else p)
)
both("port-text-wraps", "wraps digits above 65535", "port.out-of-range").override(
    address=port_of(lambda p: int(p) & 65535 if isinstance(p, str) and p.isdigit() else p)
)
both("port-negative-wraps", "wraps a negative port", "port.out-of-range").override(
    address=port_of(lambda p: p & 65535 if is_int(p) and p < 0 else p)
)
both("port-text-refused", "refuses a port that is a string", "port.digits").override(
    address=port_of(lambda p: raising(TypeError("number")) if isinstance(p, str) else p)
)
both("port-octal", "treats digits that begin with 0 as octal", "port.spelling").override(
    address=port_of(lambda p: int(p, 8) if isinstance(p, str) and p[:1] == "0" and p.strip("01234567") == "" else p)
)
both("port-atoi", "uses the leading digits of a string", "port.trailing").override(address=port_of(digits_start))
both("port-fraction", "truncates a port that is a float", "port.fraction").override(
    address=port_of(lambda p: int(p) if isinstance(p, float) else p)
)
both("port-optional", "defaults to port 0", "port.required").override(address=port_of(lambda p: 0 if p is None else p))
both("port-bool", "accepts true and bytes as a port", "port.types").override(
    address=port_of(lambda p: int(p) if isinstance(p, bool) else p.decode() if isinstance(p, bytes) else p)
)
both("service-refused", "refuses service names", "port.service").override(address=port_of(no_service))
both("service-tcp", "looks services up for TCP only", "port.service-protocol").override(
    address=port_of(lambda p: service(p, "tcp"))
)
both("service-udp", "looks services up for UDP only", "port.service-protocol").override(
    address=port_of(lambda p: service(p, "udp"))
)
both("name-refused", "refuses host names", "host.name").override(address=no_name)
both("host-false", "treats false as no host", "host.types").override(
    address=host_of(lambda h: None if h is False else h)
)
both("spelling-refused", "refuses IPv6 addresses that are not in the shortest form", "host.spellings").override(
    address=lambda s, h, p: (
        (h, p)
        if s.domain != "inet6"
        or not literal(s, h)
        or socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, h)) == h
        else raising(socket.gaierror(socket.EAI_NONAME, "spelling"))
    )
)
both("mapped-refused", "refuses IPv4 addresses in mapped form", "host.mapped").override(
    address=host_of(
        lambda h: (
            raising(socket.gaierror(socket.EAI_NONAME, "mapped"))
            if isinstance(h, str) and h.lower().startswith("::ffff:")
            else h
        )
    )
)
both("unix-port-required", "requires a port with a path", "unix.port-ignored").override(
    address=lambda s, h, p: (h, p) if s.internet or is_int(p) else raising(TypeError("port"))
)
both("unix-cut", "cuts a path to 107 bytes", "unix.too-long").override(
    address=path_of(lambda h: h[:107] if h[:1] not in ("\0", b"\0") else h)
)
both("unix-cut-106", "cuts a path to 106 bytes", "unix.last-byte").override(
    address=path_of(lambda h: h[:106] if h[:1] not in ("\0", b"\0") else h)
)
both("unix-empty-default", "defaults to a path in its folder for temporary files", "unix.missing").override(
    address=lambda s, h, p: (f"{tempfile.gettempdir()}/default" if s.unix and h is None else h, p)
)
both("abstract-padded", "pads an abstract name with NUL", "unix.abstract").override(
    address=path_of(lambda h: h.ljust(108, b"\0") if isinstance(h, bytes) and h[:1] == b"\0" else h)
)
both("abstract-cut", "ends an abstract name at its second NUL", "unix.abstract").override(
    address=path_of(lambda h: b"\0" + h[1:].split(b"\0")[0] if isinstance(h, bytes) and h[:1] == b"\0" else h)
)
bind = GROUP.rows(Opener, "{}-bind", "bind {}", methods=("bind",))
connect = GROUP.rows(Opener, "{}-connect", "connect {}", methods=("connect",))
bind("host-ignored", "always binds to all addresses", "bind.host.given", "bind.host.only").override(
    address=host_of(lambda h: None)
)
bind("host-loopback", "always binds to the loopback address", "getsockname.bound.other-address").override(
    address=lambda s, h, p: (LOOPBACK[s.domain] if s.internet and literal(s, h) and h not in ANY.values() else h, p)
)
bind("default-loopback", "defaults to the loopback address", "bind.host.default-others", "bind.host.default").override(
    address=lambda s, h, p: (LOOPBACK[s.domain] if s.internet and h is None else h, p)
)
bind("any-loopback", "binds to the loopback address for 0.0.0.0 and ::", "bind.host.unspecified").override(
    address=lambda s, h, p: (LOOPBACK[s.domain] if s.internet and h == ANY[s.domain] else h, p)
)
bind("host-required", "requires a host", "bind.host.default", "bind.host.default-loopback").override(
    address=host_of(lambda h: raising(TypeError("host")) if h is None else h)
)
connect("host-required", "requires a host", "connect.host.default").override(
    address=host_of(lambda h: raising(TypeError("host")) if h is None else h)
)
connect("default-any", "connects to another address where no host is given", "connect.host.default").override(
    address=lambda s, h, p: ("192.0.2.1" if s.domain == "inet" and h is None else h, p)
)
connect("localhost-ipv4", "treats localhost as 127.0.0.1", "connect.host.name").override(
    address=host_of(lambda h: "127.0.0.1" if h == "localhost" else h)
)
bind("localhost-ipv4", "treats localhost as 127.0.0.1", "bind.host.name").override(
    address=host_of(lambda h: "127.0.0.1" if h == "localhost" else h)
)
bind("port-ignored", "always binds to a free port", "bind.port.number").override(
    address=port_of(lambda p: 0 if is_int(p) and 0 < p < 65536 else p)
)
bind("port-zero", "treats port 0 as a fixed port", "bind.port.zero").override(
    address=port_of(lambda p: 0 if p not in (0, "0") or isinstance(p, bool) else 18080)
)
bind("raw-port-required", "requires a port for a raw socket", "bind.raw.without-port").override(
    address=lambda s, h, p: (h, p) if s.type != "raw" or p is not None else raising(TypeError("port"))
)
connect("raw-port-required", "requires a port for a raw socket", "connect.raw.without-port").override(
    address=lambda s, h, p: (h, p) if s.type != "raw" or p is not None else raising(TypeError("port"))
)
bind("unix-lower", "binds to another path", "bind.unix.path", "bind.unix.exact").override(
    address=path_of(lambda h: h + "_" if isinstance(h, str) and len(h) < 107 else h)
)
bind("abstract-file", "creates a file for an abstract name", "bind.unix.abstract-no-file").override(
    address=path_of(
        lambda h: "/" + h[1:].decode().lstrip("/") if isinstance(h, bytes) and h[:1] == b"\0" and len(h) < 100 else h
    )
)


bind("empty-loopback", "treats an empty host as the loopback address", "bind.host.empty").override(
    address=lambda s, h, p: (LOOPBACK[s.domain] if s.internet and h == "" else h, p)
)
connect("empty-fails", "fails with EIO for an empty host", "connect.host.empty").override(
    address=host_of(lambda h: raising(system(errno.EIO)) if h == "" else h)
)
bind("number-any", "treats a number as the wildcard address", "bind.host.number").override(
    address=host_of(lambda h: None if is_int(h) else h)
)
connect("loopback", "always connects to the loopback address", "connect.host.given").override(
    address=lambda s, h, p: (LOOPBACK[s.domain] if s.internet and literal(s, h) else h, p)
)
bind("unix-never-cut", "binds a path that is too long to its start", "bind.unix.never-cut").override(
    address=path_of(lambda h: h if len(h) <= 107 or h[:1] in ("\0", b"\0") else h[:100])
)
bind("abstract-cut-108", "cuts an abstract name to 108 bytes", "bind.unix.abstract-too-long").override(
    address=path_of(lambda h: h[:108] if isinstance(h, bytes) and h[:1] == b"\0" else h)
)


both("service-begins", "accepts a service name with a suffix", "port.service-unknown").override(
    address=port_of(lambda p: p.partition("-")[0] if isinstance(p, str) and p.startswith("http-") else p)
)
