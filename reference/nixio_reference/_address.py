"""Addresses: from the (host, port) of a caller to the address that the kernel takes, and back.

There are two sorts of domain. In `Internet` (inet, inet6) a host is resolved, and a port is a number or the name of a
service. In `Local` (unix) the host is a path and the port is ignored (norm:48, norm:61). Both have the methods

    addresses(host, port, socktype, passive=...)   all addresses to try, in the resolver's order (bind, connect)
    destination(host, port)                        the one address of a message (sendto)
    host_and_port(address)                         what a method returns for an address

``socket.getaddrinfo`` is looked up at each call, so that a program can replace it.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias, TypeGuard, TypeVar

from nixio_reference._arguments import int_in_range, system_error, text

Host: TypeAlias = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"
"""inet, inet6: a name or numeric address as str. unix: a path; bytes that begin with NUL are an abstract name."""
Port: TypeAlias = "int | str"
"""A number from 0 to 65535, as an int or in digits; for bind and connect also the name of a service."""
Address: TypeAlias = "tuple[str | bytes, int | None]"
"""(host, port) as methods return it. unix: (path, None); "" is no name, and bytes are an abstract name."""
SocketAddress: TypeAlias = "tuple[str, int] | tuple[str, int, int, int] | bytes"
"""An address as the standard library takes it."""

A = TypeVar("A")
R = TypeVar("R")

PORT_MAX: Final = 65535
PATH_MAX: Final = 107 if sys.platform == "linux" else 103
"""Bytes of the longest path: one less than sun_path has, so that the NUL at the end fits (design:unix-paths)."""
ABSTRACT_NAMES: Final = sys.platform == "linux"

SOCKET_TYPES: Final = {
    "stream": int(socket.SOCK_STREAM),
    "dgram": int(socket.SOCK_DGRAM),
    "raw": int(socket.SOCK_RAW),
}


# -- domains ---------------------------------------------------------------------------------------------------------


class Internet:
    """The domain inet or inet6."""

    __slots__ = ("family", "loopback", "name", "wildcard")

    def __init__(self, name: str, family: int, *, wildcard: str, loopback: str) -> None:
        """Describe a domain. wildcard and loopback stand for a missing host, in bind and in connect."""
        self.name: Final = name
        self.family: Final = family
        self.wildcard: Final = wildcard
        self.loopback: Final = loopback

    def addresses(self, host: object, port: object, socktype: str, *, passive: bool) -> Sequence[SocketAddress]:
        """Return the addresses of a host in the order in which they are to be tried (norm:47, norm:60).

        Without a host: all addresses of this host if passive (bind, norm:40), else the loopback (connect, norm:53).
        """
        if socktype == "raw":
            return self._raw_addresses(host, port, passive=passive)
        service = port_or_service(port)
        if isinstance(service, int) and self._is_numeric(host):
            return [(host, service)]  # the resolver has nothing to add
        name = None if host is None else text(host, "host")
        return resolve(name, service, family=self.family, socktype=socktype, passive=passive)

    def destination(self, host: object, port: object) -> SocketAddress:
        """Return the address of a message. The host is an address and not a name (norm:82), the port is a number.

        A name is refused with the resolver's error for it (design:ports).
        """
        number = port_number(port)
        if self._is_numeric(host):
            return host, number
        # The resolver also knows addresses with a zone: fe80::1%eth0.
        return resolve(text(host, "host"), number, family=self.family, socktype="dgram", numeric=True)[0]

    def host_and_port(self, address: tuple[Any, ...] | None) -> Address:
        """Return host and port of an address of the standard library; ("", None) if there is none."""
        return ("", None) if address is None else (address[0], address[1])

    def _raw_addresses(self, host: object, port: object, *, passive: bool) -> Sequence[SocketAddress]:
        """Resolve without a service: raw sockets have no ports, and glibc refuses any service for them.

        The port may be left out (design:raw). A number is passed on; the kernel keeps it for getpeername at most.
        """
        number = 0 if port is None else port_or_service(port)
        if isinstance(number, str):
            raise resolver_error("EAI_SERVICE", f"a raw socket has no service {number!r}")
        if host is None:
            return [(self.wildcard if passive else self.loopback, number)]
        found = resolve(text(host, "host"), None, family=self.family, socktype="raw", passive=passive)
        return [(address[0], number, *address[2:]) for address in found]

    def _is_numeric(self, host: object) -> TypeGuard[str]:
        """Return whether host is a numeric address, without a zone, of this family."""
        if not isinstance(host, str):
            return False
        try:
            socket.inet_pton(self.family, host)
        except (OSError, ValueError):  # ValueError: NUL or a character that cannot be encoded
            return False
        return True


class Local:
    """The domain unix: the host is a path, and the port is ignored, whatever it is (norm:48, norm:61)."""

    __slots__ = ("family", "name")

    def __init__(self, name: str, family: int) -> None:
        self.name: Final = name
        self.family: Final = family

    def addresses(self, host: object, port: object, socktype: str, *, passive: bool) -> Sequence[SocketAddress]:
        """Return the one address of a path."""
        return [path_address(host)]

    def destination(self, host: object, port: object) -> SocketAddress:
        """Return the address of a path."""
        return path_address(host)

    def host_and_port(self, address: str | bytes | None) -> Address:
        """Return path and None; the path of a socket without a name is "" (design:unix)."""
        return address or "", None


Domain: TypeAlias = "Internet | Local"


def _domains() -> dict[str, Domain]:
    domains: dict[str, Domain] = {
        "inet": Internet("inet", int(socket.AF_INET), wildcard="0.0.0.0", loopback="127.0.0.1"),
        "inet6": Internet("inet6", int(socket.AF_INET6), wildcard="::", loopback="::1"),
    }
    unix: int | None = getattr(socket, "AF_UNIX", None)  # norm:3: POSIX only
    if unix is not None:
        domains["unix"] = Local("unix", int(unix))
    return domains


DOMAINS: Final = _domains()


def path_address(path: object) -> bytes:
    """Return a path as the kernel takes it, whole: a path that does not fit is refused (design:unix-paths).

    On Linux a NUL at the beginning makes it an abstract name (design:unix-names). An empty path is refused, because
    Linux would choose a name for it.
    """
    try:
        name = os.fsencode(path)  # type: ignore[arg-type]  # the TypeError for another type is caught
    except UnicodeEncodeError:
        raise ValueError(f"path cannot be encoded: {path!r}") from None
    except TypeError:
        raise TypeError(f"path must be str, bytes or os.PathLike, not {type(path).__name__}") from None
    if not name:
        raise ValueError("path must not be empty")
    if name.startswith(b"\0"):
        if not ABSTRACT_NAMES:
            raise ValueError("abstract names exist on Linux only")
        longest = PATH_MAX + 1  # an abstract name has no NUL at its end
    elif b"\0" in name:
        raise ValueError(f"path must not contain NUL: {path!r}")
    else:
        longest = PATH_MAX
    if len(name) > longest:
        raise system_error(errno.ENAMETOOLONG, f"path of {len(name)} bytes, at most {longest} fit")
    return name


# -- ports and services ----------------------------------------------------------------------------------------------


def port_or_service(port: object) -> Port:
    """Return a port as a number, or the name of a service unchanged (norm:41, norm:54).

    Digits are a number. Any other text must look like a service's name (printable, no spaces, at least one letter):
    "", " 80", "+80" and "-1" mean different things to different resolvers and are bad arguments (design:ports).
    """
    if not isinstance(port, str) or _is_digits(port):
        return port_number(port)
    if not _is_service_name(port):
        raise ValueError(f"port is neither a number nor the name of a service: {port!r}")
    if not port.isascii():
        raise resolver_error("EAI_SERVICE", f"no service {port!r}")
    return port


def port_number(port: object) -> int:
    """Return a port as a number from 0 to 65535. The names of services are for bind and connect only."""
    if not isinstance(port, str):
        return int_in_range(port, "port", 0, PORT_MAX)
    if not _is_digits(port):
        raise ValueError(f"port must be a number: {port!r}")
    significant = port.lstrip("0") or "0"
    if len(significant) > len(str(PORT_MAX)):  # int() raises a ValueError of its own for thousands of digits
        raise ValueError(f"port must be from 0 to {PORT_MAX}: {port[:40]}")
    return int_in_range(int(significant), "port", 0, PORT_MAX)


def _is_digits(port: str) -> bool:
    return port.isascii() and port.isdigit()


def _is_service_name(port: str) -> bool:
    return port.isprintable() and not any(c.isspace() for c in port) and any(c.isalpha() for c in port)


# -- resolver --------------------------------------------------------------------------------------------------------


def resolve(
    host: str | None,
    service: Port | None,
    *,
    family: int,
    socktype: str,
    passive: bool = False,
    numeric: bool = False,
) -> list[SocketAddress]:
    """Return the addresses that getaddrinfo() finds in one family, in its order (norm:46, norm:59)."""
    flags = (socket.AI_PASSIVE if passive else 0) | (socket.AI_NUMERICHOST if numeric else 0)
    return [address for _, address in _getaddrinfo(host, service, family, socktype, flags)]


def resolve_any(
    host: str | None, service: Port | None, *, socktype: str, passive: bool
) -> list[tuple[int, SocketAddress]]:
    """Return the same for inet and inet6 together, as (family, address)."""
    flags = socket.AI_PASSIVE if passive else 0
    return _getaddrinfo(host, service, socket.AF_UNSPEC, socktype, flags)


def _getaddrinfo(
    host: str | None, service: Port | None, family: int, socktype: str, flags: int
) -> list[tuple[int, SocketAddress]]:
    """Call ``socket.getaddrinfo``. Only ``socket.gaierror``, or the system's ``OSError``, is raised (design:resolver).

    Answers of another family than was asked for are left out.
    """
    try:
        found = socket.getaddrinfo(host, service, family, SOCKET_TYPES[socktype], 0, flags)
    except UnicodeError:  # a name that DNS cannot spell does not exist
        raise resolver_error("EAI_NONAME", f"no host {host!r}") from None
    families = (socket.AF_INET, socket.AF_INET6) if family == socket.AF_UNSPEC else (family,)
    answers = [(int(entry[0]), entry[4]) for entry in found if entry[0] in families]
    if not answers:
        raise resolver_error("EAI_NONAME", f"no address for {host!r}")
    return answers  # type: ignore[return-value]  # typed for all families that exist


def resolver_error(code: str, message: str) -> socket.gaierror:
    """Return the resolver's error with the code of that name, or EAI_NONAME where the platform lacks the code."""
    return socket.gaierror(getattr(socket, code, socket.EAI_NONAME), message)


# -- several addresses -----------------------------------------------------------------------------------------------

# After these errors no further address is tried: the connection exists or is in progress, or the socket is closed. The
# next address's error would hide that (design:walk).
_ENDS_WALK: Final = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EISCONN, errno.EBADF, errno.EINTR})


def try_each(attempt: Callable[[A], R], addresses: Sequence[A]) -> R:
    """Try the addresses in their order and return the first success; if there is none, raise the last failure."""
    *others, last = addresses
    for address in others:
        try:
            return attempt(address)
        except OSError as error:
            if error.errno in _ENDS_WALK:
                raise
    # The last attempt is outside of the try so that its error need not be kept. An error in a local variable makes a
    # reference cycle with this frame, which would keep a socket open after its last use.
    return attempt(last)
