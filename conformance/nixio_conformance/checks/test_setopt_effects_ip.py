"""setopt at levels tcp, ip and ipv6: effects of the options that can be seen over loopback."""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Callable

import pytest

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect, far_end, options
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.option_cases import set_option
from nixio_conformance.toolkit.peer import Peer
from nixio_conformance.toolkit.reach import port_of
from nixio_fixtures import load

#: Linux's numbers, which Python has no names for.
TCP_QUICKACK = 12
IP_MULTICAST_ALL = 49
IPV6_MTU, IPV6_RECVFRAGSIZE = 24, 77
#: The protocol number for experiments (RFC 3692).
EXPERIMENT = 253


def unsent_is(within: float, attempt: Callable[[], int], expected: int) -> None:
    """Check that `attempt` finds this number of unsent bytes.

    After `within` seconds a timer of the system sends them, so an attempt that took longer is repeated. Skips the case
    if every attempt takes longer.
    """
    for _ in range(20):
        begun = time.monotonic()
        found = attempt()
        took = time.monotonic() - begun
        if found == expected:
            return
        if took < within:
            expect.mismatch("unsent bytes", expected, found)
    pytest.skip(f"this host is too slow: in twenty attempts, a few calls always took longer than {within} s")


@clause("setopt.tcp-cork.effect.held")
def test_cork_keeps_small_sends_back(case: Case, role: str) -> None:
    """The system sends them after 200 ms."""
    pair = case.pair(role)

    def attempt() -> int:
        set_option(pair.impl, "tcp", "cork", 0)
        pair.peer.pending()
        set_option(pair.impl, "tcp", "cork", 1)
        expect.count(pair.impl.send(b"abc"), 3)
        with case.view(pair.impl) as view:
            return options.unsent(view)

    unsent_is(0.15, attempt, 3)


@clause("setopt.tcp-cork.effect.released")
def test_cork_off_sends_what_was_kept_back(case: Case, role: str) -> None:
    pair = case.pair(role)
    set_option(pair.impl, "tcp", "cork", 1)
    expect.count(pair.impl.send(b"abc"), 3)
    set_option(pair.impl, "tcp", "cork", 0)
    with case.view(pair.impl) as view:
        expect.same(options.unsent(view), 0, "unsent bytes")
    got = pair.peer.recv_exactly(3)
    expect.holds(got == b"abc", "what the peer received", b"abc", got)


def unsent_second_byte(case: Case, role: str, nodelay: tuple[int, ...]) -> int:
    """The number of unsent bytes after a second byte, while the first is not acknowledged, which takes 40 ms."""
    pair = case.pair(role)
    for value in nodelay:
        set_option(pair.impl, "tcp", "nodelay", value)
    pair.peer.setsockopt(socket.IPPROTO_TCP, TCP_QUICKACK, 0)
    expect.count(pair.impl.send(b"a"), 1)
    expect.count(pair.impl.send(b"b"), 1)
    with case.view(pair.impl) as view:
        return options.unsent(view)


@clause("setopt.tcp-nodelay.effect.at-once")
def test_nodelay_sends_at_once(case: Case, role: str) -> None:
    expect.same(unsent_second_byte(case, role, (1,)), 0, "unsent bytes")


@clause("setopt.tcp-nodelay.effect.off")
def test_nodelay_off_waits_for_the_acknowledgement(case: Case, role: str) -> None:
    unsent_is(0.03, lambda: unsent_second_byte(case, role, (1, 0)), 1)


@clause("setopt.ip-hdrincl.effect.header")
def test_hdrincl_sends_the_given_header(case: Case) -> None:
    sock = case.socket()
    set_option(sock, "ip", "hdrincl", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, EXPERIMENT) as receiver:
        receiver.settimeout(5)
        body = b"hdrincl %d" % id(receiver)
        addresses = options.PACKED_LOOPBACK * 2
        header = struct.pack(">BBHHHBBH8s", 0x45, 0, 20 + len(body), 777, 0, 77, EXPERIMENT, 0, addresses)
        expect.count(sock.sendto(header + body, "127.0.0.1", 0), 20 + len(body))
        try:
            while not (packet := receiver.recv(1000)).endswith(body):
                pass
        except TimeoutError:
            expect.mismatch("the given packet", "received as it was sent", "nothing within 5 s")
    expect.same(packet[8], 77, "the packet's time to live")


def group_member(case: Case, group: str) -> Peer:
    """A peer that is a member of a group on loopback, and receives nothing to other groups."""
    peer = case.peer().bind("0.0.0.0")  # a socket bound to one address would not receive datagrams to the group
    peer.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + options.PACKED_LOOPBACK)
    return peer.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)


@clause("setopt.ip-multicast_ttl.effect.seen")
@pytest.mark.parametrize("hops", [0, 1, 5, 255])
def test_multicast_ttl_is_seen_by_a_member(case: Case, hops: int) -> None:
    group = options.group("ip")
    peer = group_member(case, group)
    far_end.report_hops(peer)
    sock = case.socket()
    expect.true(sock.bind("127.0.0.1", 0), "bind()")  # connected, so that it sends to groups over loopback
    set_option(sock, "ip", "multicast_ttl", hops)
    expect.count(sock.sendto(b"x", group, peer.address[1]), 1)
    expect.same(far_end.hops(peer), hops, "the hop limit reported to the receiver")


@clause("setopt.ip-multicast_if.effect.leaves-there")
def test_multicast_if_sends_over_that_interface(case: Case) -> None:
    group = options.group("ip")
    peer = group_member(case, group)
    sock = case.socket()
    set_option(sock, "ip", "multicast_if", "127.0.0.1")
    expect.count(sock.sendto(b"over loopback", group, peer.address[1]), 13)
    data, (host, _) = peer.recvfrom()
    expect.same((data, host), (b"over loopback", "127.0.0.1"), "what a member on loopback received, and from whom")


def largest_fragment(case: Case, *mtus: int) -> int:
    """The size of the largest fragment of a very large datagram, as reported to the receiver, 0 if none.

    The option is set to each of the values, one after the other.
    """
    peer = case.bound_peer()
    try:
        peer.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 1)
    except OSError as error:
        pytest.skip(f"this kernel cannot report the size of fragments: {error}")
    try:
        with options.fresh(case.kind) as plain:
            plain.sendto(bytes(65520), ("::1", 9))
    except OSError as error:
        pytest.skip(f"this host sends no datagram of 65520 bytes: {error}")
    sock = case.socket()
    for mtu in mtus:
        set_option(sock, "ipv6", "mtu", mtu)
    expect.count(sock.sendto(bytes(65520), *peer.address), 65520)
    data, reported = peer.recvmsg(1 << 17)
    expect.same(len(data), 65520, "the bytes that arrived")
    sizes = [size for level, which, size in reported if (level, which) == (socket.IPPROTO_IPV6, IPV6_RECVFRAGSIZE)]
    return int.from_bytes(sizes[0], sys.byteorder) if sizes else 0


def loopback_mtu() -> int:
    """The MTU of loopback for IPv6, in bytes."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as connected:
        connected.connect(("::1", 9))
        return connected.getsockopt(socket.IPPROTO_IPV6, IPV6_MTU)


@clause("setopt.ipv6-mtu.effect.fragments")
@pytest.mark.parametrize("mtus", [(1280,), (1280, 2000)], ids=["1280", "1280-2000"])
def test_ipv6_mtu_limits_fragments(case: Case, mtus: tuple[int, ...]) -> None:
    # The data of a fragment is a multiple of 8 bytes, after headers of 48.
    expected = min(mtus[-1], loopback_mtu()) // 8 * 8
    expect.same(largest_fragment(case, *mtus), expected, "the size of the largest fragment")


@clause("setopt.ipv6-mtu.effect.off")
def test_ipv6_mtu_0_does_not_limit_fragments(case: Case) -> None:
    """A fragment as large as loopback's usual MTU is not reported to the receiver."""
    if loopback_mtu() == 1280:
        pytest.skip("the MTU of loopback is 1280 on this host")
    found = largest_fragment(case, 1280, 0)
    expect.holds(found != 1280, "the size of the largest fragment", "loopback's own", found)


def ipv6_listener(case: Case, v6only: tuple[int, ...]) -> tuple[ImplSocket, int]:
    """A listener on all addresses after v6only was set to these values, and its port."""
    sock = case.socket()
    for value in v6only:
        set_option(sock, "ipv6", "v6only", value)
    expect.true(sock.bind("::", 0))
    expect.true(sock.listen(1))
    return sock, port_of(sock)


@clause("setopt.ipv6-v6only.effect.off")
@pytest.mark.parametrize("values", [(0,), (1, 0)], ids=["0", "1-0"])
def test_v6only_off_accepts_ipv4(case: Case, values: tuple[int, ...]) -> None:
    sock, port = ipv6_listener(case, values)
    case.peer(load().kind("inet-stream")).connect(("127.0.0.1", port))
    expect.accepted(sock.accept())


@clause("setopt.ipv6-v6only.effect.on")
def test_v6only_leaves_the_port_to_ipv4(case: Case) -> None:
    """Several ports are tried, because another program may use one for IPv4."""
    free = any(free_for_ipv4(ipv6_listener(case, (1,))[1]) for _ in range(3))
    expect.holds(free, "the port of an IPv6-only listener", "free for IPv4", "in use")


def free_for_ipv4(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as plain:
        try:
            plain.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@clause("setopt.ipv6-v6only.effect.refused")
def test_v6only_refuses_ipv4(case: Case) -> None:
    sock = case.socket()
    set_option(sock, "ipv6", "v6only", 1)
    expect.fails(sock.bind("::ffff:127.0.0.1", 0), what="bind() of an IPv6-only socket to an IPv4 address")
