"""The far end of the lab's links, as checks use it: peers that live there, members of groups, and what passes there."""

from __future__ import annotations

import socket
import struct
import time

from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.netns import hermetic
from nixio_conformance.netns.network import LINKS, Link
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.expect import Mismatch
from nixio_conformance.toolkit.peer import Peer, family_of, type_of
from nixio_fixtures import Kind

#: A group of each family, of the blocks that stay on a site.
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
    """One that is bound to the far address of a link."""
    return peer(case).bind(link.far_address[case.kind.domain], port)


def member(case: Case, link: Link, *, far: bool = True, port: int = 0) -> Peer:
    """A member of the family's group on one link, here or at the far end, that gets nothing else."""
    made = peer(case) if far else case.peer()
    # Several members share a port; and bound to the group's own address, a socket gets no other group's messages.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(GROUP[case.kind.domain], port)
    # Without this, it would also get what comes in where another socket of its host has joined.
    made.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, (link.far if far else link.near).encode())
    level, option, value = membership(case.kind, GROUP[case.kind.domain], link, far=far)
    made.setsockopt(level, option, value)
    return made


def membership(kind: Kind, group: str, link: Link, *, far: bool) -> tuple[int, int, bytes]:
    """Level, option and value that make a socket a member of a group on one end of a link."""
    if kind.domain == "inet":
        address = link.far_address["inet"] if far else link.address["inet"]
        return socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(address)
    packed = socket.inet_pton(socket.AF_INET6, group)
    return socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, packed + struct.pack("@I", index(link, far=far))


def send_to_group(made: Peer, data: bytes, link: Link, port: int) -> None:
    """Have a far peer send to the family's group by one link."""
    if made.kind.domain == "inet":
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(link.far_address["inet"]))
    else:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index(link, far=True))
    made.sendto(data, (GROUP[made.kind.domain], port))


def index(link: Link, *, far: bool) -> int:
    """The number of one end of a link."""
    if not far:
        return socket.if_nametoindex(link.near)
    with _lab().far.entered():
        return socket.if_nametoindex(link.far)


def interface(kind: Kind, link: Link) -> str | int:
    """This end of a link as the contract names interfaces: by address for IPv4, by index for IPv6."""
    return link.address["inet"] if kind.domain == "inet" else index(link, far=False)


def tell_hops(made: Peer) -> None:
    """Have a peer be told how many hops were left to what it receives."""
    if made.kind.domain == "inet":
        made.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
    else:
        made.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVHOPLIMIT, 1)


def hops(made: Peer) -> int:
    """How many hops were left to the next datagram."""
    wanted = (socket.IPPROTO_IP, _IP_TTL) if made.kind.domain == "inet" else (socket.IPPROTO_IPV6, _IPV6_HOPLIMIT)
    try:
        _, ancillary, _, _ = made.socket.recvmsg(64, 64)
    except TimeoutError:
        raise Mismatch("at the far end", "a datagram", f"nothing within {PEER:g} s") from None
    for level, kind, data in ancillary:
        if (level, kind) == wanted:
            return int(struct.unpack("@i", data)[0])
    raise LookupError(f"the system told no hops: {ancillary}")


class Capture:
    """What comes in over the first link, to one port of the far end."""

    def __init__(self, port: int) -> None:
        """Begin to listen; what came before is not seen."""
        with _lab().far.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
            self._socket.bind((FIRST.far, _ETH_P_ALL))
        self._port = port

    def segment(self, seconds: float) -> bytes | None:
        """The next TCP segment to the port; None when none comes in time."""
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
        """Listen no more."""
        self._socket.close()


def _tcp(frame: bytes) -> bytes | None:
    """The TCP segment in an Ethernet frame, if there is one."""
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
    assert lab is not None, "the clause does not say that it needs the lab"
    return lab
