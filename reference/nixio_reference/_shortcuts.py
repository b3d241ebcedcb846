"""The module's functions: create a socket, and create one that is bound or connected already."""

from __future__ import annotations

from collections.abc import Callable
from socket import AF_UNSPEC

from nixio_reference._address import DOMAINS, TYPES, Host, Port, SocketAddress, port_or_service, resolve, walk
from nixio_reference._arguments import text, word
from nixio_reference._socket import Socket


def socket(domain: str, type: str, protocol: str | int | None = None) -> Socket:  # noqa: A002
    """Create a socket (design, "the contract").

    domain: "inet", "inet6" or "unix"; type: "stream", "dgram" or "raw"; protocol: None (the system's choice), "icmp",
    "icmpv6" or a protocol's number. An unknown word: ValueError; not a str: TypeError.
    """
    return Socket(domain, type, protocol)


def bind(
    host: Host | None = None, port: Port | None = None, family: str | None = None, socktype: str | None = None
) -> Socket:
    """Create a socket with reuseaddr set, bind it and return it; host and port are as in `Socket.bind`.

    family: "inet", "inet6", "unix", or None for those of the resolver's addresses, in their order. socktype: "stream"
    (default), "dgram" or "raw". If no address can be bound, the last failure is raised and no socket is left open.
    """
    kind = "stream" if socktype is None else socktype
    if family is None:
        return _open_any(host, port, kind, True)
    return _open(family, kind, True, lambda sock: sock.bind(host, port))


def connect(
    host: Host | None = None, port: Port | None = None, family: str | None = None, socktype: str | None = None
) -> Socket:
    """Create a socket, connect it and return it; host and port are as in `Socket.connect`, the rest as in `bind`."""
    kind = "stream" if socktype is None else socktype
    if family is None:
        return _open_any(host, port, kind, False)
    return _open(family, kind, False, lambda sock: sock.connect(host, port))


def _open_any(host: object, port: object, socktype: str, passive: bool) -> Socket:
    """Resolve for every family, and open a socket of an address's own until one works."""
    kind = word(TYPES, socktype, "socktype")
    name = None if host is None else text(host, "host")
    families = {domain.family: name for name, domain in DOMAINS.items()}
    opened: list[Socket] = []

    def attempt(candidate: tuple[int, SocketAddress]) -> None:
        family, address = candidate

        def act(sock: Socket) -> None:
            (sock._sock.bind if passive else sock._sock.connect)(address)

        opened.append(_open(families[family], socktype, passive, act))

    # The addresses are the resolver's own: they go past Socket.bind, which would resolve them again.
    walk(attempt, resolve(name, port_or_service(port), AF_UNSPEC, kind, passive))
    return opened[0]


def _open(family: str, socktype: str, passive: bool, act: Callable[[Socket], object]) -> Socket:
    """Create a socket and bind or connect it; a failure leaves none behind."""
    sock = Socket(family, socktype)
    try:
        if passive:
            sock.setopt("socket", "reuseaddr", 1)
        act(sock)
    except BaseException:
        sock.close()
        raise
    return sock
