"""The layout of the hermetic network: loopback with a pool of addresses, and two links to a far end.

             this namespace (implementation, peers)                far namespace
    lo       127.0.0.1/8, ::1, POOL4, POOL6
    veth0    198.51.100.1/24   2001:db8:100::1/64   mtu 1400       peer0  .2 / ::2
    veth1    203.0.113.1/24    2001:db8:113::1/64   mtu 1500       peer1  .2 / ::2

The default route leads to peer0, as do the routes to the groups 224.0.0.0/4 and ff15::/16. All addresses are from the
blocks that are reserved for documentation.
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

from nixio_conformance.netns import namespaces
from nixio_conformance.netns.netlink import Netlink

#: Addresses of this host. The resolver keeps their order (see `resolver_files`).
POOL = {
    "inet": tuple(f"192.0.2.{number}" for number in range(20, 26)),
    "inet6": tuple(f"2001:db8:192::{number:x}" for number in range(0x20, 0x26)),
}
#: Not an address of this host, though there is a route to it: a bind to it fails.
FOREIGN = {"inet": "192.0.2.99", "inet6": "2001:db8:192::99"}
#: An address that this host refuses to send to (EHOSTUNREACH). The resolver puts it last.
UNREACHABLE = {"inet": "192.0.2.98", "inet6": "2001:db8:192::98"}


@dataclass(frozen=True)
class Link:
    """One pair of links. Addresses are by family (`inet`, `inet6`), the MTU is in bytes."""

    near: str
    far: str
    address: dict[str, str]
    far_address: dict[str, str]
    mtu: int
    #: Hardware addresses of both ends.
    mac: bytes
    far_mac: bytes


LINKS = (
    Link(
        near="veth0",
        far="peer0",
        address={"inet": "198.51.100.1", "inet6": "2001:db8:100::1"},
        far_address={"inet": "198.51.100.2", "inet6": "2001:db8:100::2"},
        mtu=1400,
        mac=bytes.fromhex("020000000001"),
        far_mac=bytes.fromhex("020000000002"),
    ),
    Link(
        near="veth1",
        far="peer1",
        address={"inet": "203.0.113.1", "inet6": "2001:db8:113::1"},
        far_address={"inet": "203.0.113.2", "inet6": "2001:db8:113::2"},
        mtu=1500,
        mac=bytes.fromhex("020000000101"),
        far_mac=bytes.fromhex("020000000102"),
    ),
)
_PREFIX = {"inet": 24, "inet6": 64}
_SYSCTLS = {
    # Addresses can be used at once, and a packet that arrives on an unexpected link is not dropped.
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv6/conf/all/accept_dad": "0",
    "net/ipv6/conf/default/accept_ra": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/conf/all/rp_filter": "0",
    # TCP keepalive after one second instead of two hours.
    "net/ipv4/tcp_keepalive_time": "1",
    "net/ipv4/tcp_keepalive_intvl": "1",
    "net/ipv4/tcp_keepalive_probes": "2",
}
#: Seconds to wait for the kernel to finish a new link or route.
_READY = 5.0


def _families() -> dict[str, socket.AddressFamily]:
    """The address families of this kernel: without IPv6 the links have IPv4 addresses only."""
    found = {"inet": socket.AF_INET}
    with contextlib.suppress(OSError):
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
        found["inet6"] = socket.AF_INET6
    return found


def build() -> namespaces.NetworkNamespace:
    """Build all of it in the empty network that this thread is in; returns the far end. Raises OSError when refused."""
    _write_sysctls(_SYSCTLS)
    far = namespaces.NetworkNamespace()
    try:
        with far.entered():
            _write_sysctls({name: value for name, value in _SYSCTLS.items() if "/conf/" in name})
        with Netlink() as near:
            near.up("lo")
            _addresses_of_loopback(near)
            for link in LINKS:
                near.veth(link.near, link.far, far.descriptor, link.mac, link.far_mac)
                _set_up_link(near, link.near, link.address, link.far_address, link.far_mac, link.mtu)
            _routes(near)
        with far.entered(), Netlink() as there:
            there.up("lo")
            for link in LINKS:
                _set_up_link(there, link.far, link.far_address, link.address, link.mac, link.mtu)
        _wait_until_ready(far)
    except BaseException:
        far.close()
        raise
    return far


def _addresses_of_loopback(near: Netlink) -> None:
    for host in (address for family in _families() for address in POOL[family]):
        near.address("lo", ip_interface(host))


def _routes(near: Netlink) -> None:
    first = LINKS[0]
    near.route(ip_network("224.0.0.0/4"), first.near)
    if "inet6" in _families():
        near.groups(ip_network("ff15::/16"), first.near)
    for family in _families():
        anywhere = ip_network("0.0.0.0/0" if family == "inet" else "::/0")
        near.route(anywhere, first.near, via=ip_address(first.far_address[family]))
        near.unreachable(ip_network(UNREACHABLE[family]))
        for host in POOL[family]:
            _answer_as(near, host, first.address[family])


def _answer_as(near: Netlink, host: str, source: str) -> None:
    end = time.monotonic() + _READY
    while True:
        try:
            return near.answer_as(ip_address(host), ip_address(source))
        except ProcessLookupError:
            if time.monotonic() > end:
                raise
            time.sleep(0.0002)


def _set_up_link(
    netlink: Netlink, name: str, addresses: dict[str, str], neighbours: dict[str, str], mac: bytes, mtu: int
) -> None:
    netlink.up(name, mtu=mtu)
    for family in _families():
        netlink.address(name, ip_interface(f"{addresses[family]}/{_PREFIX[family]}"))
        netlink.neighbour(name, ip_address(neighbours[family]), mac)


def _write_sysctls(values: dict[str, str]) -> None:
    for name, value in values.items():
        with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
            Path("/proc/sys", name).write_text(value)


def _wait_until_ready(far: namespaces.NetworkNamespace) -> None:
    """A new link drops or delays its first packets: send until one has arrived in each direction and family."""
    for link in LINKS:
        for family, number in _families().items():
            with (
                socket.socket(number, socket.SOCK_DGRAM) as near_socket,
                far.socket(number, socket.SOCK_DGRAM) as far_socket,
            ):
                near_socket.bind((link.address[family], 0))
                far_socket.bind((link.far_address[family], 0))
                _send_until_received(near_socket, far_socket)
                _send_until_received(far_socket, near_socket)


def _send_until_received(sender: socket.socket, receiver: socket.socket) -> None:
    end = time.monotonic() + _READY
    receiver.settimeout(0.002)
    while True:
        with contextlib.suppress(OSError):
            sender.sendto(b"?", receiver.getsockname())
            receiver.recv(1)
            return
        if time.monotonic() > end:
            raise TimeoutError(f"no packet from {sender.getsockname()} arrived at {receiver.getsockname()}")
