"""The far end of the links of the network namespace: peers there, members of multicast groups, and a packet capture."""

from __future__ import annotations

import socket
import struct
import time

from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.netns import hermetic
from nixio_conformance.netns.network import LINKS, Link
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.peer import Peer, family_of, type_of
from nixio_fixtures import Kind

#: By domain, a multicast group of site scope.
GROUP = {"inet": "239.77.66.55", "inet6": "ff15::7766"}
FIRST, SECOND = LINKS
_IPV6_RECVHOPLIMIT, _IPV6_HOPLIMIT = 51, 52
_IP_RECVTTL, _IP_TTL = 12, 2
_SO_BINDTODEVICE = 25
_ETH_P_ALL = 3
_TCP = 6


def peer(case: Case, kind: Kind | None = None) -> Peer:
    """A new socket of the suite at the far end."""
    kind = kind or case.kind
    return case.keep(_peer(case.transcript, kind))


def bound(case: Case, link: Link, port: int = 0) -> Peer:
    """A new socket of the suite, bound to the far address of a link."""
    return peer(case).bind(link.far_address[case.kind.domain], port)


def member(case: Case, link: Link, *, far: bool = True, port: int = 0) -> Peer:
    """A new socket of the suite that receives only what is sent to the family's group on one end of a link."""
    made = peer(case) if far else case.peer()
    # So that several members can share a port. Bound to the group's address, a socket receives nothing to other groups.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(GROUP[case.kind.domain], port)
    # Otherwise it would also receive on a link where another socket of its host has joined.
    made.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, (link.far if far else link.near).encode())
    level, option, value = membership(case.kind, GROUP[case.kind.domain], link, far=far)
    made.setsockopt(level, option, value)
    return made


def membership(kind: Kind, group: str, link: Link, *, far: bool) -> tuple[int, int, bytes]:
    """The system's level, option and value that join a group on one end of a link."""
    if kind.domain == "inet":
        address = link.far_address["inet"] if far else link.address["inet"]
        return socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(address)
    packed = socket.inet_pton(socket.AF_INET6, group)
    return socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, packed + struct.pack("@I", index(link, far=far))


def send_to_group(made: Peer, data: bytes, link: Link, port: int) -> None:
    """Send from a far peer to the family's group over one link."""
    if made.kind.domain == "inet":
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(link.far_address["inet"]))
    else:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index(link, far=True))
    made.sendto(data, (GROUP[made.kind.domain], port))


def index(link: Link, *, far: bool) -> int:
    """The interface index of one end of a link."""
    if not far:
        return socket.if_nametoindex(link.near)
    with _lab().far.entered():
        return socket.if_nametoindex(link.far)


def interface(kind: Kind, link: Link) -> str | int:
    """The near end of a link as the contract names interfaces: the address for IPv4, the index for IPv6."""
    return link.address["inet"] if kind.domain == "inet" else index(link, far=False)


def report_hops(made: Peer) -> None:
    """Make the system report the hop limit of each datagram that the peer receives."""
    if made.kind.domain == "inet":
        made.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
    else:
        made.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVHOPLIMIT, 1)


def hops(made: Peer) -> int:
    """Receive the next datagram, and return the hops (TTL) that it had left. Call `report_hops` first."""
    wanted = (socket.IPPROTO_IP, _IP_TTL) if made.kind.domain == "inet" else (socket.IPPROTO_IPV6, _IPV6_HOPLIMIT)
    _, control = made.recvmsg()
    for level, kind, data in control:
        if (level, kind) == wanted:
            return int(struct.unpack("@i", data)[0])
    raise LookupError(f"the system did not report the hops: {control}")


class Capture:
    """A capture of the TCP segments that arrive over the first link for one port of the far end."""

    def __init__(self, port: int) -> None:
        """Begin to capture."""
        with _lab().far.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
            self._socket.bind((FIRST.far, _ETH_P_ALL))
        self._port = port

    def segment(self, seconds: float) -> bytes | None:
        """The next TCP segment, header included; None if none arrives in time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                frame = self._socket.recv(65536)
            except TimeoutError:
                return None
            segment = _tcp(frame)
            if segment and struct.unpack_from("!H", segment, 2)[0] == self._port:
                return segment
        return None

    def close(self) -> None:
        """End the capture."""
        self._socket.close()


def _tcp(frame: bytes) -> bytes | None:
    """The TCP segment in an Ethernet frame; None if it has none."""
    protocol, packet = frame[12:14], frame[14:]
    if protocol == b"\x08\x00" and packet[9] == _TCP:
        return packet[(packet[0] & 0xF) * 4 :]
    if protocol == b"\x86\xdd" and packet[6] == _TCP:
        return packet[40:]
    return None


def _peer(transcript: Transcript, kind: Kind) -> Peer:
    name = transcript.name("far")
    return Peer(transcript, kind, _lab().far.socket(family_of(kind), type_of(kind)), name)


def _lab() -> hermetic.HermeticNetwork:
    lab = hermetic.entered()
    assert lab is not None, "the clause does not name the capability `lab`"
    return lab
