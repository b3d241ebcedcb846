"""A small rtnetlink client: links, addresses and routes, without iproute2 or a library.

Message layouts: Linux's <linux/rtnetlink.h>, <linux/if_link.h>, <linux/if_addr.h>.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network, ip_network
from types import TracebackType
from typing import Self

Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface
Prefix = IPv4Network | IPv6Network

# message types and flags
_NEWLINK, _NEWADDR, _NEWROUTE, _DELROUTE, _NEWNEIGH = 16, 20, 24, 25, 28
_REQUEST, _ACK, _REPLACE, _CREATE = 0x001, 0x004, 0x100, 0x400
_ERROR = 2
# attributes: of links, of addresses, of routes, of neighbours
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 4, 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC = 1, 4, 5, 7
_NDA_DST, _NDA_LLADDR = 1, 2
# values
_IFF_UP, _IFF_MULTICAST = 0x1, 0x1000
_IFA_F_NODAD = 0x2
_NUD_PERMANENT = 0x80
_TABLE_MAIN, _TABLE_LOCAL = 254, 255
_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST = 0, 253, 254
_UNICAST, _LOCAL, _MULTICAST, _UNREACHABLE = 1, 2, 5, 7
_PROTO_STATIC = 4


class Netlink:
    """Configures the network namespace that it is created in. Every method raises OSError when the kernel refuses."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def veth(self, name: str, peer: str, namespace: int, mac: bytes, peer_mac: bytes) -> None:
        """Create a pair of links: `name` here, `peer` in the namespace with the descriptor `namespace`."""
        far = _link(0, 0, 0) + _text(_IFLA_IFNAME, peer) + _attribute(_IFLA_ADDRESS, peer_mac)
        far += _attribute(_IFLA_NET_NS_FD, struct.pack("=I", namespace))
        info = _text(_IFLA_INFO_KIND, "veth") + _attribute(_IFLA_INFO_DATA, _attribute(_VETH_INFO_PEER, far))
        body = _link(0, 0, 0) + _text(_IFLA_IFNAME, name) + _attribute(_IFLA_ADDRESS, mac)
        self._do(_NEWLINK, _CREATE, body + _attribute(_IFLA_LINKINFO, info))

    def up(self, name: str, *, mtu: int | None = None, multicast: bool = True) -> None:
        """Bring a link up; `mtu` is the largest packet in bytes."""
        flags = _IFF_UP | (_IFF_MULTICAST if multicast else 0)
        body = _link(socket.if_nametoindex(name), flags, flags)
        self._do(_NEWLINK, 0, body + (_attribute(_IFLA_MTU, struct.pack("=I", mtu)) if mtu else b""))

    def address(self, name: str, address: Interface) -> None:
        """Add an address to a link, without IPv6's duplicate address detection."""
        scope = _SCOPE_HOST if address.ip.is_loopback else _SCOPE_UNIVERSE
        body = struct.pack(
            "=BBBBI", _family(address.ip), address.network.prefixlen, _IFA_F_NODAD, scope, socket.if_nametoindex(name)
        )
        packed = address.ip.packed
        body += _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)
        self._do(_NEWADDR, _CREATE | _REPLACE, body + _attribute(_IFA_FLAGS, struct.pack("=I", _IFA_F_NODAD)))

    def route(self, to: Prefix, name: str, *, via: Address | None = None) -> None:
        """Add a route over a link, through the gateway `via` if there is one."""
        scope = _SCOPE_LINK if via is None and to.version == 4 else _SCOPE_UNIVERSE
        body = _route(to, _TABLE_MAIN, scope, _UNICAST) + _attribute(_RTA_OIF, _index(name))
        body += _attribute(_RTA_DST, to.network_address.packed) if to.prefixlen else b""
        self._do(_NEWROUTE, _CREATE | _REPLACE, body + (_attribute(_RTA_GATEWAY, via.packed) if via else b""))

    def groups(self, to: Prefix, name: str) -> None:
        """Add a route over a link for multicast to the IPv6 groups `to`.

        The kernel has a route for ff00::/8 on each link, so this one is used only with a longer prefix.
        """
        body = _route(to, _TABLE_LOCAL, _SCOPE_UNIVERSE, _MULTICAST) + _attribute(_RTA_OIF, _index(name))
        self._do(_NEWROUTE, _CREATE | _REPLACE, body + _attribute(_RTA_DST, to.network_address.packed))

    def unreachable(self, to: Prefix) -> None:
        """Make every send to these addresses fail at once with EHOSTUNREACH."""
        body = _route(to, _TABLE_MAIN, _SCOPE_UNIVERSE, _UNREACHABLE)
        self._do(_NEWROUTE, _CREATE | _REPLACE, body + _attribute(_RTA_DST, to.network_address.packed))

    def answer_as(self, address: Address, source: Address) -> None:
        """Make `source` the source address of packets to one of this host's own addresses.

        Raises ProcessLookupError (ESRCH) until the kernel has added its own route for the address, which for IPv6
        happens shortly after the address was added.
        """
        to = ip_network(address)
        scope = _SCOPE_HOST if to.version == 4 else _SCOPE_UNIVERSE
        where = _attribute(_RTA_DST, address.packed) + _attribute(_RTA_OIF, _index("lo"))
        # The protocol number of the kernel's route differs from ours, and 0 matches any.
        self._do(_DELROUTE, 0, _route(to, _TABLE_LOCAL, scope, _LOCAL, protocol=0) + where)
        body = _route(to, _TABLE_LOCAL, scope, _LOCAL) + where
        self._do(_NEWROUTE, _CREATE | _REPLACE, body + _attribute(_RTA_PREFSRC, source.packed))

    def neighbour(self, name: str, address: Address, mac: bytes) -> None:
        """Add a permanent neighbour, so that no ARP or neighbour discovery takes place."""
        body = struct.pack("=BxxxiHBB", _family(address), socket.if_nametoindex(name), _NUD_PERMANENT, 0, 0)
        self._do(
            _NEWNEIGH, _CREATE | _REPLACE, body + _attribute(_NDA_DST, address.packed) + _attribute(_NDA_LLADDR, mac)
        )

    def _do(self, kind: int, flags: int, body: bytes) -> None:
        self._sequence += 1
        head = struct.pack("=IHHII", 16 + len(body), kind, _REQUEST | _ACK | flags, self._sequence, 0)
        self._socket.send(head + body)
        answer = self._socket.recv(65536)
        answer_kind = struct.unpack_from("=H", answer, 4)[0]
        code = -struct.unpack_from("=i", answer, 16)[0] if answer_kind == _ERROR else errno.EPROTO
        if code:
            raise OSError(code, os.strerror(code))


def _attribute(kind: int, data: bytes) -> bytes:
    size = 4 + len(data)
    return struct.pack("=HH", size, kind) + data + bytes(-size % 4)


def _text(kind: int, text: str) -> bytes:
    return _attribute(kind, text.encode() + b"\0")


def _index(name: str) -> bytes:
    return struct.pack("=I", socket.if_nametoindex(name))


def _link(index: int, flags: int, change: int) -> bytes:
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, change)


def _route(to: Prefix, table: int, scope: int, kind: int, protocol: int = _PROTO_STATIC) -> bytes:
    family = _family(to.network_address)
    return struct.pack("=BBBBBBBBI", family, to.prefixlen, 0, 0, table, protocol, scope, kind, 0)


def _family(address: Address) -> int:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6
