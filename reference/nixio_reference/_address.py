"""Addresses: from (host, port) to what the kernel wants, and back.

There are two sorts of domain: `Internet` (inet, inet6), where a host is resolved and a port is a number or a service,
and `Local` (unix), where the host is a path and the port is ignored (the norm, bind and connect). Both answer

    addresses(host, port, kind, passive)    every address to try, in the resolver's order (bind, connect)
    destination(host, port)                 the one address of a message (sendto)

The resolver is looked up on the ``socket`` module at each call, so a program that replaces it there replaces it here.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, TypeVar

from nixio_reference._arguments import ranged, system_error, text

Host: TypeAlias = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"
"""Name or numeric address for inet and inet6; a path (bytes from NUL: an abstract name) for unix."""
Port: TypeAlias = "int | str"
"""0 to 65535, as int or in digits, or (bind and connect) the name of a service."""
SocketAddress: TypeAlias = "tuple[str, int] | tuple[str, int, int, int] | bytes"

T = TypeVar("T")

PORT_MAX: Final = 65535
PATH_MAX: Final = 107 if sys.platform == "linux" else 103
"""Bytes of the longest path: one less than sun_path has, so that the NUL fits (107 is the design's number)."""
ABSTRACT_NAMES: Final = sys.platform == "linux"

_STREAM: Final = int(socket.SOCK_STREAM)
_RAW: Final = int(socket.SOCK_RAW)
_inet_pton: Final = socket.inet_pton


class Internet:
    """The domains inet and inet6."""

    __slots__ = ("family", "loopback", "wildcard", "word")

    def __init__(self, word: str, family: int, wildcard: str, loopback: str) -> None:
        """Name the domain, its address family, and the hosts that stand for a missing one."""
        self.word: Final = word
        self.family: Final = family
        self.wildcard: Final = wildcard
        self.loopback: Final = loopback

    def addresses(self, host: object, port: object, kind: int, passive: bool) -> Sequence[SocketAddress]:
        """Return the addresses of a host, in the order in which they are to be tried (the norm, bind and connect).

        Without a host: all addresses if passive (bind), else the loopback (connect).
        """
        if kind == _RAW:
            return self._raw_addresses(host, port, passive)
        service = port_or_service(port)
        name = None if host is None else text(host, "host")
        # A numeric address and port need no resolver: it could only hand them back.
        if name is not None and type(service) is int and self._is_literal(name):
            return [(name, service)]
        return [address for _, address in resolve(name, service, self.family, kind, passive)]

    def destination(self, host: object, port: object) -> SocketAddress:
        """Return the address of a message. The host is an address, not a name (the norm, sendto: "Target IP-Address").

        A name is refused with the resolver's own error; digits are the only text that is a port here.
        """
        # Literals, the usual case, come first: this is on the way of every datagram.
        if type(port) is not int or not 0 <= port <= PORT_MAX:
            port = port_number(port)
        if type(host) is str:
            try:
                _inet_pton(self.family, host)
            except (OSError, ValueError):
                pass
            else:
                return host, port
        flags = socket.AI_NUMERICHOST
        return resolve(text(host, "host"), port, self.family, int(socket.SOCK_DGRAM), False, flags)[0][1]

    def _raw_addresses(self, host: object, port: object, passive: bool) -> Sequence[SocketAddress]:
        """Resolve without a service: raw sockets have no ports, and glibc refuses any service for them.

        The port may be left out; a number is handed to the kernel, which keeps it for getpeername at most.
        """
        service = 0 if port is None else port_or_service(port)
        if isinstance(service, str):
            raise resolver_error("EAI_SERVICE", f"a raw socket has no service {service!r}")
        if host is None:
            return [(self.wildcard if passive else self.loopback, service)]
        found = resolve(text(host, "host"), None, self.family, _RAW, passive)
        return [(address[0], service, *address[2:]) for _, address in found]

    def _is_literal(self, name: str) -> bool:
        try:
            _inet_pton(self.family, name)
        except (OSError, ValueError):
            return False
        return True


class Local:
    """The domain unix: the host is a path, and the port is ignored, whatever it is (the norm, bind and connect)."""

    __slots__ = ("family", "word")

    def __init__(self, word: str, family: int) -> None:
        """Name the domain and its address family."""
        self.word: Final = word
        self.family: Final = family

    def addresses(self, host: object, port: object, kind: int, passive: bool) -> Sequence[SocketAddress]:
        """Return the one address that the path is."""
        return [path_address(host)]

    def destination(self, host: object, port: object) -> SocketAddress:
        """Return the address that the path is."""
        return path_address(host)


Domain: TypeAlias = "Internet | Local"


def path_address(path: object) -> bytes:
    """Return a path as the kernel takes it. It is never cut short (design: decided where silent).

    NUL first makes it an abstract name, on Linux. Without a name at all Linux would choose one: that cannot be meant.
    """
    try:
        name = os.fsencode(path)  # type: ignore[arg-type]  # it raises the TypeError that is wanted
    except UnicodeEncodeError:
        raise ValueError(f"path cannot be encoded: {path!r}") from None
    except TypeError:
        raise TypeError(f"path must be str, bytes or os.PathLike, not {type(path).__name__}") from None
    if not name:
        raise ValueError("path must not be empty")
    if name[0] == 0:
        if not ABSTRACT_NAMES:
            raise ValueError("abstract names exist on Linux only")
        longest = PATH_MAX + 1  # no NUL ends it
    elif 0 in name:
        raise ValueError(f"path must not contain NUL: {path!r}")
    else:
        longest = PATH_MAX
    if len(name) > longest:
        raise system_error(errno.ENAMETOOLONG, f"path of {len(name)} bytes, at most {longest} fit")
    return name


def port_or_service(port: object) -> Port:
    """Return a port as a number, or the name of a service as it is (the norm, bind: "Port or service description").

    Text is a number if it is digits; anything else needs a letter to be a service's name. So "", " 80", "+80" and
    "-1", which resolvers read in ways of their own, are bad arguments.
    """
    if not isinstance(port, str):
        return ranged(port, "port", 0, PORT_MAX)
    if port.isascii() and port.isdigit():
        return _digits(port)
    if not port.isprintable() or any(c.isspace() for c in port) or not any(c.isalpha() for c in port):
        raise ValueError(f"port is neither a number nor the name of a service: {port!r}")
    if not port.isascii():
        raise resolver_error("EAI_SERVICE", f"no service {port!r}")
    return port


def port_number(port: object) -> int:
    """Return a port as a number; the names of services are for bind and connect only."""
    if not isinstance(port, str):
        return ranged(port, "port", 0, PORT_MAX)
    if not (port.isascii() and port.isdigit()):
        raise ValueError(f"port must be a number: {port!r}")
    return _digits(port)


def _digits(port: str) -> int:
    significant = port.lstrip("0") or "0"
    if len(significant) > len(str(PORT_MAX)):
        raise ValueError(f"port must be from 0 to {PORT_MAX}: {port[:40]}")
    return ranged(int(significant), "port", 0, PORT_MAX)


def resolve(
    host: str | None, service: Port | None, family: int, kind: int, passive: bool, flags: int = 0
) -> list[tuple[int, SocketAddress]]:
    """Return what getaddrinfo() finds for this family and type, as (family, address), in its order.

    Nothing but ``socket.gaierror`` (and the system's ``OSError``) comes out of it: a name that cannot be spelled in
    DNS is a name that does not exist.
    """
    if passive:
        flags |= socket.AI_PASSIVE
    try:
        found = socket.getaddrinfo(host, service, family, kind, 0, flags)
    except UnicodeError:
        raise resolver_error("EAI_NONAME", f"no host {host!r}") from None
    answers = [
        (int(entry[0]), entry[4])
        for entry in found
        if entry[0] in (socket.AF_INET, socket.AF_INET6) and family in (entry[0], socket.AF_UNSPEC)
    ]
    if not answers:
        raise resolver_error("EAI_NONAME", f"no address for {host!r}")
    return answers  # type: ignore[return-value]  # getaddrinfo is typed for families that were not asked for


def resolver_error(code: str, message: str) -> socket.gaierror:
    """Return the resolver's error of this name; a code that a platform lacks is EAI_NONAME there."""
    return socket.gaierror(getattr(socket, code, socket.EAI_NONAME), message)


# What ends a walk over addresses: the connection exists or is being made, or there is no socket (any more). Going on
# would hide that behind the next address's error (design: "in progress ends the walk over addresses").
_FINAL: Final = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EISCONN, errno.EBADF, errno.EINTR})


def walk(attempt: Callable[[T], object], addresses: Sequence[T]) -> None:
    """Try the addresses in their order until one succeeds; if none does, the last failure is the caller's.

    The last is tried outside the try, so its error needs no keeping: an error kept in a local variable is a cycle with
    this frame, which would keep an abandoned socket open.
    """
    *others, last = addresses
    for address in others:
        try:
            attempt(address)
        except OSError as error:
            if error.errno in _FINAL:
                raise
        else:
            return
    attempt(last)


def _domains() -> dict[str, Domain]:
    domains: dict[str, Domain] = {
        "inet": Internet("inet", int(socket.AF_INET), "0.0.0.0", "127.0.0.1"),
        "inet6": Internet("inet6", int(socket.AF_INET6), "::", "::1"),
    }
    unix: int | None = getattr(socket, "AF_UNIX", None)  # the norm: "UNIX (POSIX only)"
    if unix is not None:
        domains["unix"] = Local("unix", int(unix))
    return domains


DOMAINS: Final = _domains()
TYPES: Final = {"stream": _STREAM, "dgram": int(socket.SOCK_DGRAM), "raw": _RAW}
PROTOCOLS: Final = {"icmp": int(socket.IPPROTO_ICMP), "icmpv6": int(getattr(socket, "IPPROTO_ICMPV6", 58))}
