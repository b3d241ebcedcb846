"""setopt and getopt: what options do on the wire, seen at the far end of the lab's links."""

from __future__ import annotations

import contextlib

import pytest

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.wire import Argument
from nixio_conformance.netns.network import FOREIGN, LINKS, Link
from nixio_conformance.toolkit import expect, far_end
from nixio_conformance.toolkit.case import ANY, Case
from nixio_conformance.toolkit.far_end import FIRST, GROUP, SECOND
from nixio_conformance.toolkit.marks import clause
from nixio_fixtures import Kind

#: Until the first probe of an idle connection the lab's hosts wait a second; this is far more than that.
PROBED_WITHIN = 6.0
LINK = pytest.mark.parametrize("link", [pytest.param(link, id=link.near) for link in LINKS])


def level_of(kind: Kind) -> str:
    return "ip" if kind.domain == "inet" else "ipv6"


def set_(sock: ImplSocket, level: str, option: str, value: Argument) -> None:
    expect.true(sock.setopt(level, option, value), f"setopt() of {level}.{option}")


def sends_by(case: Case, link: Link) -> ImplSocket:
    """A socket of the port that sends to groups by one link."""
    sock = case.socket()
    set_(sock, level_of(case.kind), "multicast_if", far_end.interface(case.kind, link))
    return sock


def send_to_group(sock: ImplSocket, data: bytes, kind: Kind, port: int | None) -> None:
    expect.count(sock.sendto(data, GROUP[kind.domain], port), len(data))


def port_of(case: Case, sock: ImplSocket) -> int:
    """The port of a new socket of the port, bound to all addresses."""
    expect.true(sock.bind(ANY[case.kind.domain], 0), "bind()")
    _, port = expect.address(sock.getsockname(), "getsockname()")
    expect.holds(isinstance(port, int), "the port of getsockname()", "an int", port)
    assert isinstance(port, int)
    return port


def loop_off(case: Case, kind: Kind) -> None:
    """The far member gets both, the one on this host only what is sent after the option is on again."""
    there = far_end.member(case, FIRST)
    port = there.address[1]
    here = far_end.member(case, FIRST, far=False, port=port or 0)
    sock = case.socket()  # the lab's routes lead to groups by the first link
    set_(sock, level_of(kind), "multicast_loop", 0)
    send_to_group(sock, b"others only", kind, port)
    expect.same(there.recv(), b"others only", "what the member on the other host received")
    set_(sock, level_of(kind), "multicast_loop", 1)
    send_to_group(sock, b"everybody", kind, port)
    expect.same(here.recv(), b"everybody", "what the member on this host received first")


@clause("setopt.ip-multicast_loop.effect.off")
def test_ip_multicast_loop(case: Case, kind: Kind) -> None:
    loop_off(case, kind)


@clause("setopt.ipv6-multicast_loop.effect.off")
def test_ipv6_multicast_loop(case: Case, kind: Kind) -> None:
    loop_off(case, kind)


def hops_at_far_end(case: Case, option: str, hops: int) -> None:
    there = far_end.member(case, FIRST)
    far_end.report_hops(there)
    sock = case.socket()  # the lab's routes lead to groups by the first link
    set_(sock, level_of(case.kind), option, hops)
    send_to_group(sock, b"x", case.kind, there.address[1])
    expect.same(far_end.hops(there), hops, "the hops that were left at the far end")


@clause("setopt.ip-multicast_ttl.effect.far")
@pytest.mark.parametrize("hops", [1, 7, 255], ids=str)
def test_ip_multicast_ttl(case: Case, hops: int) -> None:
    hops_at_far_end(case, "multicast_ttl", hops)


@clause("setopt.ipv6-multicast_hops.effect.far")
@pytest.mark.parametrize("hops", [1, 7, 255], ids=str)
def test_ipv6_multicast_hops(case: Case, hops: int) -> None:
    hops_at_far_end(case, "multicast_hops", hops)


def leaves_by(case: Case, kind: Kind, link: Link) -> None:
    """The other link's member gets nothing before what is sent by its own link later."""
    other = SECOND if link is FIRST else FIRST
    right = far_end.member(case, link)
    wrong = far_end.member(case, other, port=right.address[1] or 0)
    sock = sends_by(case, link)
    send_to_group(sock, b"first", kind, right.address[1])
    expect.same(right.recv(), b"first", f"what came by {link.near}")
    set_(sock, level_of(kind), "multicast_if", far_end.interface(kind, other))
    send_to_group(sock, b"second", kind, right.address[1])
    expect.same(wrong.recv(), b"second", f"what came by {other.near} first")


@clause("setopt.ip-multicast_if.effect.link")
@LINK
def test_ip_multicast_if(case: Case, kind: Kind, link: Link) -> None:
    leaves_by(case, kind, link)


@clause("setopt.ipv6-multicast_if.effect.link")
@LINK
def test_ipv6_multicast_if(case: Case, kind: Kind, link: Link) -> None:
    leaves_by(case, kind, link)


def member_on(case: Case, kind: Kind, link: Link) -> None:
    """What comes before joining and what comes by the other link is not received; what comes by this one is."""
    other = SECOND if link is FIRST else FIRST
    sock = case.socket()
    port = port_of(case, sock)
    sender = far_end.peer(case)
    far_end.send_to_group(sender, b"early", link, port)
    set_(sock, level_of(kind), "add_membership", (GROUP[kind.domain], far_end.interface(kind, link)))
    far_end.send_to_group(sender, b"elsewhere", other, port)
    far_end.send_to_group(sender, b"here", link, port)
    expect.data(sock.recv(64), b"here")


@clause("setopt.ip-add_membership.effect.link")
@LINK
def test_ip_add_membership(case: Case, kind: Kind, link: Link) -> None:
    member_on(case, kind, link)


@clause("setopt.ipv6-add_membership.effect.link")
@LINK
def test_ipv6_add_membership(case: Case, kind: Kind, link: Link) -> None:
    member_on(case, kind, link)


def left(case: Case, kind: Kind) -> None:
    """A datagram to the group is not received between leaving and joining again."""
    sock = case.socket()
    port = port_of(case, sock)
    sender = far_end.peer(case)
    where = (GROUP[kind.domain], far_end.interface(kind, FIRST))
    set_(sock, level_of(kind), "add_membership", where)
    set_(sock, level_of(kind), "drop_membership", where)
    far_end.send_to_group(sender, b"gone", FIRST, port)
    set_(sock, level_of(kind), "add_membership", where)
    far_end.send_to_group(sender, b"back", FIRST, port)
    expect.data(sock.recv(64), b"back")


@clause("setopt.ip-drop_membership.effect.far")
def test_ip_drop_membership(case: Case, kind: Kind) -> None:
    left(case, kind)


@clause("setopt.ipv6-drop_membership.effect.far")
def test_ipv6_drop_membership(case: Case, kind: Kind) -> None:
    left(case, kind)


@clause("setopt.socket-bindtodevice.effect.link")
@LINK
def test_bindtodevice_receives_from_its_link(case: Case, kind: Kind, link: Link) -> None:
    other = SECOND if link is FIRST else FIRST
    sock = case.socket()
    set_(sock, "socket", "bindtodevice", link.near)
    port = port_of(case, sock)
    far_end.bound(case, other).sendto(b"elsewhere", (other.address[kind.domain], port))
    far_end.bound(case, link).sendto(b"here", (link.address[kind.domain], port))
    expect.data(sock.recv(64), b"here")


@clause("setopt.socket-bindtodevice.effect.leaves")
def test_bindtodevice_sends_by_its_link(case: Case, kind: Kind) -> None:
    """Broadcast on the second link, though the route to it leads by the first."""
    there = far_end.peer(case).bind("", 0)
    sock = case.socket()
    set_(sock, "socket", "broadcast", 1)
    set_(sock, "socket", "bindtodevice", SECOND.near)
    expect.count(sock.sendto(b"x", "255.255.255.255", there.address[1]), 1)
    _, (host, _) = there.recvfrom()
    expect.same(host, SECOND.address["inet"], "the address that it was sent from")


@clause("setopt.socket-keepalive.effect.probes")
def test_keepalive_probes(case: Case, kind: Kind) -> None:
    listener = far_end.bound(case, FIRST).listen()
    sock = case.socket()
    set_(sock, "socket", "keepalive", 1)
    expect.true(sock.connect(*listener.address), "connect()")
    case.keep(listener.accept())
    with contextlib.closing(far_end.Capture(listener.address[1] or 0)) as wire:
        seen = wire.segment(PROBED_WITHIN)
    expect.holds(seen is not None, "on the wire of an idle connection", "a probe", f"nothing in {PROBED_WITHIN:g} s")


@clause("setopt.socket-dontroute.effect.stream")
def test_dontroute_connects_on_a_link_only(case: Case, kind: Kind) -> None:
    listener = far_end.bound(case, FIRST).listen()
    sock = case.socket()
    set_(sock, "socket", "dontroute", 1)
    expect.fails(sock.connect(FOREIGN[kind.domain], 9), "ENETUNREACH", "EHOSTUNREACH", what="connect() by a gateway")
    expect.true(sock.connect(*listener.address), "connect() on a link")


def mtu_of_link(case: Case, kind: Kind, link: Link) -> None:
    there = far_end.bound(case, link)
    if kind.type == "stream":
        there.listen()
    sock = case.socket()
    expect.true(sock.connect(*there.address), "connect()")
    expect.same(expect.integer(sock.getopt(level_of(kind), "mtu"), "getopt()"), link.mtu, f"the mtu by {link.near}")


@clause("getopt.ip-mtu.effect.link")
@LINK
def test_ip_mtu(case: Case, kind: Kind, link: Link) -> None:
    mtu_of_link(case, kind, link)


@clause("getopt.ipv6-mtu.effect.link")
@LINK
def test_ipv6_mtu(case: Case, kind: Kind, link: Link) -> None:
    mtu_of_link(case, kind, link)
