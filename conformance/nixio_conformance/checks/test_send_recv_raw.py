"""sendto, recv, read and recvfrom on raw sockets: whole packets, here unsolicited ICMP echo replies.

The system does not answer such a packet. Every raw socket of the host receives it, so each case looks for its own.
"""

from __future__ import annotations

import itertools
import os
import socket

from nixio_conformance.driver.outcome import Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause, each_receiver
from nixio_conformance.toolkit.peer import Peer, family_of
from nixio_conformance.toolkit.transfer import data_of

#: By domain: the type of an echo reply, and the protocol's number.
ECHO_REPLY = {"inet": 0, "inet6": 129}
PROTOCOL = {"inet": 1, "inet6": 58}
#: Packets of other programs that a case reads at most.
OTHERS = 1000
_numbers = itertools.count(1)


def packet(case: Case) -> bytes:
    """An echo reply that is unique to this case, with ICMP's checksum (the system sets ICMPv6's)."""
    ending = b"\x00\xff%d-%d" % (os.getpid(), next(_numbers))
    body = bytes((ECHO_REPLY[case.kind.domain], 0, 0, 0)) + b"nx\x00\x01" + ending
    body += b"\x00" * (len(body) % 2)
    total = sum(int.from_bytes(body[place : place + 2], "big") for place in range(0, len(body), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return body[:2] + (~total & 0xFFFF).to_bytes(2, "big") + body[4:]


def raw_peer(case: Case) -> Peer:
    """A raw socket of the suite, bound to loopback."""
    kind = case.kind
    sock = socket.socket(family_of(kind), socket.SOCK_RAW, PROTOCOL[kind.domain])
    peer = case.keep(Peer(case.transcript, kind, sock))
    return peer.bind(case.loopback)


def is_packet(data: bytes, sent: bytes) -> bool:
    """Whether these bytes are the packet, after an IP header if there is one; the checksum is not compared."""
    return data[-len(sent) :][4:] == sent[4:] and data[-len(sent) :][:2] == sent[:2]


def arrives(peer: Peer, sent: bytes) -> None:
    """Check that the peer receives the packet. Packets of other programs are ignored."""
    for _ in range(OTHERS):
        if is_packet(peer.recv(), sent):
            return
    expect.mismatch("what the peer received", sent, "a thousand packets of others")


def receive_packet(sock: ImplSocket, method: str, sent: bytes) -> Outcome:
    """The outcome of the call that returned this packet."""
    for _ in range(OTHERS):
        outcome = sock.call(method, 2000)
        if is_packet(data_of(outcome, f"{method}()"), sent):
            return outcome
    raise expect.Mismatch("data received", str(sent), "a thousand packets of others")


@clause("sendto.raw.arrives")
def test_a_packet_is_sent(case: Case) -> None:
    peer, sent = raw_peer(case), packet(case)
    expect.count(case.socket().sendto(sent, case.loopback, 0), len(sent))
    arrives(peer, sent)


@clause("sendto.raw.chunk")
def test_offset_and_length_choose_a_packet(case: Case) -> None:
    peer, sent = raw_peer(case), packet(case)
    expect.count(case.socket().sendto(b"xx" + sent + b"yyy", case.loopback, 0, 2, len(sent)), len(sent))
    arrives(peer, sent)


@clause("recv.raw.arrives")
@each_receiver
def test_a_packet_is_received(case: Case, method: str) -> None:
    sock, sent = case.socket(), packet(case)
    raw_peer(case).sendto(sent, (case.loopback, 0))
    receive_packet(sock, method, sent)


@clause("recvfrom.raw.sender")
def test_a_packet_has_a_sender(case: Case) -> None:
    """Raw sockets have no ports: the returned one is 0, or the protocol's number."""
    sock, sent = case.socket(), packet(case)
    raw_peer(case).sendto(sent, (case.loopback, 0))
    outcome = receive_packet(sock, "recvfrom", sent)
    _, host, port = expect.values(outcome, 3, "recvfrom()")
    expect.same(host, case.loopback, "the sender's host")
    expect.one_of(port, [0, PROTOCOL[case.kind.domain]], "the sender's port")
