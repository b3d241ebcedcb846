"""setopt: what the options of tcp, ip and ipv6 do, as far as plain loopback can show it."""

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
from nixio_conformance.toolkit.peer import Peer
from nixio_fixtures import Kind

#: Linux's numbers, which Python does not name.
TCP_QUICKACK = 12
IP_MULTICAST_ALL = 49
IPV6_RECVFRAGSIZE = 77
LOOPBACK = socket.inet_aton("127.0.0.1")
#: Protocol number for experiments.
EXPERIMENT = 253


def _set(sock: ImplSocket, level: str, option: str, value: int | str) -> None:
    expect.true(sock.setopt(level, option, value), f"setopt() of {level}.{option}")


def _waiting(within: float, attempt: Callable[[], int], expected: int) -> None:
    """So many bytes must wait to leave; seen once more if it took so long that a timer of the system let them go."""
    for _ in range(20):
        begun = time.monotonic()
        found = attempt()
        took = time.monotonic() - begun
        if found == expected:
            return
        if took < within:
            expect.mismatch("bytes that wait to leave", expected, found)
    pytest.skip(f"twenty times, a few calls took longer than {within} s here")


@clause("setopt.tcp-cork.effect.held")
def test_cork_holds_small_sends(case: Case, kind: Kind, role: str) -> None:
    """The system lets go after 200 ms by itself."""
    pair = case.pair(role)

    def attempt() -> int:
        _set(pair.impl, "tcp", "cork", 0)
        pair.peer.pending()
        _set(pair.impl, "tcp", "cork", 1)
        expect.count(pair.impl.send(b"abc"), 3)
        with case.view(pair.impl) as view:
            return options.unsent(view)

    _waiting(0.15, attempt, 3)


@clause("setopt.tcp-cork.effect.released")
def test_uncork_sends_what_was_held(case: Case, kind: Kind, role: str) -> None:
    pair = case.pair(role)
    _set(pair.impl, "tcp", "cork", 1)
    expect.count(pair.impl.send(b"abc"), 3)
    _set(pair.impl, "tcp", "cork", 0)
    with case.view(pair.impl) as view:
        expect.same(options.unsent(view), 0, "bytes that wait to leave")
    got = pair.peer.recv_exactly(3)
    expect.holds(got == b"abc", "what the peer received", b"abc", got)


def _second_byte(case: Case, kind: Kind, role: str, nodelay: tuple[int, ...]) -> int:
    """Bytes that wait while the first one is not acknowledged, which the peer puts off for 40 ms."""
    pair = case.pair(role)
    for value in nodelay:
        _set(pair.impl, "tcp", "nodelay", value)
    pair.peer.setsockopt(socket.IPPROTO_TCP, TCP_QUICKACK, 0)
    expect.count(pair.impl.send(b"a"), 1)
    expect.count(pair.impl.send(b"b"), 1)
    with case.view(pair.impl) as view:
        return options.unsent(view)


@clause("setopt.tcp-nodelay.effect.at-once")
def test_nodelay_sends_at_once(case: Case, kind: Kind, role: str) -> None:
    expect.same(_second_byte(case, kind, role, (1,)), 0, "bytes that wait to leave")


@clause("setopt.tcp-nodelay.effect.off")
def test_nodelay_off_waits(case: Case, kind: Kind, role: str) -> None:
    _waiting(0.03, lambda: _second_byte(case, kind, role, (1, 0)), 1)


@clause("setopt.ip-hdrincl.effect.header")
def test_hdrincl_sends_the_callers_header(case: Case, kind: Kind) -> None:
    sock = case.socket()
    _set(sock, "ip", "hdrincl", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, EXPERIMENT) as receiver:
        receiver.settimeout(5)
        body = b"hdrincl %d" % id(receiver)
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 777, 0, 77, EXPERIMENT, 0, LOOPBACK, LOOPBACK)
        expect.count(sock.sendto(header + body, "127.0.0.1", 0), 20 + len(body))
        try:
            while not (packet := receiver.recv(1000)).endswith(body):
                pass
        except TimeoutError:
            expect.mismatch("the caller's packet", "received as it was sent", "nothing within 5 s")
    expect.same(packet[8], 77, "the packet's time to live")


def _member(case: Case, group: str) -> Peer:
    """A peer that belongs to a group on loopback, and hears of no other groups where it can be told so."""
    peer = case.peer().bind("0.0.0.0")  # bound to one address, it would not get what is sent to the group
    peer.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + LOOPBACK)
    return peer.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)


@clause("setopt.ip-multicast_ttl.effect.seen")
@pytest.mark.parametrize("hops", [0, 1, 5, 255])
def test_multicast_ttl_is_seen_by_a_member(case: Case, kind: Kind, hops: int) -> None:
    group = options.group("ip")
    peer = _member(case, group)
    far_end.report_hops(peer)
    sock = case.socket()
    expect.true(sock.bind("127.0.0.1", 0), "bind()")  # and so it sends to groups on loopback
    _set(sock, "ip", "multicast_ttl", hops)
    expect.count(sock.sendto(b"x", group, peer.address[1]), 1)
    expect.same(far_end.hops(peer), hops, "the hops that the receiver was told")


@clause("setopt.ip-multicast_if.effect.leaves-there")
def test_multicast_if_sends_over_that_interface(case: Case, kind: Kind) -> None:
    group = options.group("ip")
    peer = _member(case, group)
    sock = case.socket()
    _set(sock, "ip", "multicast_if", "127.0.0.1")
    expect.count(sock.sendto(b"over loopback", group, peer.address[1]), 13)
    data, (host, _) = peer.recvfrom()
    expect.same((data, host), (b"over loopback", "127.0.0.1"), "what a member on loopback received, and from whom")


def _largest_fragment(case: Case, *mtus: int) -> int:
    """The size of the largest fragment, as the receiver is told. Loopback's packets are large: much has to be sent."""
    peer = case.bound_peer()
    try:
        peer.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 1)
    except OSError as error:
        pytest.skip(f"this kernel cannot tell the size of fragments: {error}")
    sock = case.socket()
    for mtu in mtus:
        _set(sock, "ipv6", "mtu", mtu)
    expect.count(sock.sendto(bytes(65520), *peer.address), 65520)
    data, told, _, _ = peer.socket.recvmsg(1 << 17, 100)
    expect.same(len(data), 65520, "the bytes that arrived")
    sizes = [size for level, which, size in told if (level, which) == (socket.IPPROTO_IPV6, IPV6_RECVFRAGSIZE)]
    return int.from_bytes(sizes[0], sys.byteorder) if sizes else 0


@clause("setopt.ipv6-mtu.effect.fragments")
@pytest.mark.parametrize("mtus", [(1280,), (1280, 2000)], ids=["1280", "1280-2000"])
def test_ipv6_mtu_bounds_fragments(case: Case, kind: Kind, mtus: tuple[int, ...]) -> None:
    expect.same(_largest_fragment(case, *mtus), mtus[-1], "the size of the largest fragment")


@clause("setopt.ipv6-mtu.effect.off")
def test_ipv6_mtu_off_bounds_no_fragments(case: Case, kind: Kind) -> None:
    """Then loopback's own size decides, which is larger than the receiver can be told."""
    found = _largest_fragment(case, 1280, 0)
    expect.holds(found != 1280, "the size of the largest fragment", "loopback's own", found)


def _listening(case: Case, v6only: tuple[int, ...]) -> tuple[ImplSocket, int]:
    sock = case.socket()
    for value in v6only:
        _set(sock, "ipv6", "v6only", value)
    expect.true(sock.bind("::", 0))
    expect.true(sock.listen(1))
    _, port = expect.address(sock.getsockname())
    assert isinstance(port, int)
    return sock, port


@clause("setopt.ipv6-v6only.effect.off")
@pytest.mark.parametrize("values", [(0,), (1, 0)], ids=["0", "1-0"])
def test_v6only_off_accepts_ipv4(case: Case, kind: Kind, values: tuple[int, ...]) -> None:
    sock, port = _listening(case, values)
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    except OSError as error:
        expect.mismatch("a connection from an IPv4 peer", "made", error)
    with connection:
        expect.returned(sock.accept(), "accept()")


@clause("setopt.ipv6-v6only.effect.on")
def test_v6only_leaves_the_port_to_ipv4(case: Case, kind: Kind) -> None:
    """Tried with other ports too, since another program may have the same one for IPv4."""
    free = any(_free_for_ipv4(_listening(case, (1,))[1]) for _ in range(3))
    expect.holds(free, "the port of an IPv6-only listener", "free for IPv4", "in use")


def _free_for_ipv4(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as plain:
        try:
            plain.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@clause("setopt.ipv6-v6only.effect.refused")
def test_v6only_refuses_ipv4(case: Case, kind: Kind) -> None:
    sock = case.socket()
    _set(sock, "ipv6", "v6only", 1)
    expect.fails(sock.bind("::ffff:127.0.0.1", 0), what="bind() of an IPv6-only socket to an IPv4 address")
