"""The functions of the module: create a socket, or create one and bind or connect it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nixio_reference._address import (
    DOMAINS,
    SOCKET_TYPES,
    Host,
    Port,
    SocketAddress,
    port_or_service,
    resolve_any,
    try_each,
)
from nixio_reference._arguments import keyword, text
from nixio_reference._socket import Socket


def socket(domain: str, type: str, protocol: str | int | None = None) -> Socket:  # noqa: A002
    """Create a socket (design:contract).

    domain: "inet", "inet6" or "unix"; type: "stream", "dgram" or "raw"; protocol: None (the system's default), "icmp",
    "icmpv6" or a protocol's number. An unknown word: ValueError; not a str: TypeError.
    """
    return Socket(domain, type, protocol)


def bind(
    host: Host | None = None, port: Port | None = None, family: str | None = None, socktype: str | None = None
) -> Socket:
    """Create a socket with reuseaddr set, bind it and return it; host and port are as in `Socket.bind`.

    family: "inet", "inet6" or "unix"; None: the host's addresses of inet and inet6 are tried in the resolver's order,
    each with a socket of its family. socktype: "stream" (the default), "dgram" or "raw". If nothing can be bound, the
    last failure is raised and no socket is left open.
    """
    socktype = "stream" if socktype is None else socktype
    if family is not None:
        with _open(family, socktype) as sock:
            sock.setopt("socket", "reuseaddr", 1)
            sock.bind(host, port)
        return sock

    def bind_one(candidate: tuple[str, SocketAddress]) -> Socket:
        domain, address = candidate
        with _open(domain, socktype) as sock:
            sock.setopt("socket", "reuseaddr", 1)
            sock._bind_first([address])
        return sock

    return try_each(bind_one, _candidates(host, port, socktype, passive=True))


def connect(
    host: Host | None = None, port: Port | None = None, family: str | None = None, socktype: str | None = None
) -> Socket:
    """Create a socket, connect it and return it; host and port are as in `Socket.connect`, the rest as in `bind`."""
    socktype = "stream" if socktype is None else socktype
    if family is not None:
        with _open(family, socktype) as sock:
            sock.connect(host, port)
        return sock

    def connect_one(candidate: tuple[str, SocketAddress]) -> Socket:
        domain, address = candidate
        with _open(domain, socktype) as sock:
            sock._connect_first([address])
        return sock

    return try_each(connect_one, _candidates(host, port, socktype, passive=False))


@contextmanager
def _open(domain: str, socktype: str) -> Iterator[Socket]:
    """Create a socket for the block. It stays open afterwards, unless the block fails."""
    sock = Socket(domain, socktype)
    try:
        yield sock
    except BaseException:
        sock.close()
        raise


def _candidates(host: object, port: object, socktype: str, *, passive: bool) -> list[tuple[str, SocketAddress]]:
    """Return the addresses of a host in all families, each with the name of its domain."""
    keyword(SOCKET_TYPES, socktype, "socktype")
    name = None if host is None else text(host, "host")
    found = resolve_any(name, port_or_service(port), socktype=socktype, passive=passive)
    domains = {domain.family: name for name, domain in DOMAINS.items()}
    return [(domains[family], address) for family, address in found]
