"""setopt and getopt: effects of options that are seen at the far end of the network namespace's links."""

from __future__ import annotations

import contextlib

import pytest

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.netns.network import FOREIGN, LINKS, Link
from nixio_conformance.toolkit import expect, far_end
from nixio_conformance.toolkit.case import ANY, Case
from nixio_conformance.toolkit.far_end import FIRST, GROUP, SECOND
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.option_cases import set_option
from nixio_conformance.toolkit.reach import bound_to_any, port_of
from nixio_fixtures import Kind

#: Seconds to wait for the first keepalive probe; the network namespace's hosts send it after one second.
PROBED_WITHIN = 6.0
each_link = pytest.mark.parametrize("link", [pytest.param(link, id=link.near) for link in LINKS])


def level_of(kind: Kind) -> str:
    """The level of the options of the kind's family."""
    return "ip" if kind.domain == "inet" else "ipv6"


def sender_on(case: Case, link: Link) -> ImplSocket:
    """A socket of the implementation that sends to groups over one link."""
    sock = case.socket()
    set_option(sock, level_of(case.kind), "multicast_if", far_end.interface(case.kind, link))
    return sock


def send_to_group(sock: ImplSocket, data: bytes, kind: Kind, port: int | None) -> None:
    expect.count(sock.sendto(data, GROUP[kind.domain], port), len(data))


def multicast_loop_is_off(case: Case, kind: Kind) -> None:
    """Check that the far member receives both datagrams, and the one on this host only that sent with the option on."""
    there = far_end.member(case, FIRST)
    port = there.address[1]
    here = far_end.member(case, FIRST, far=False, port=port or 0)
    sock = case.socket()  # groups are routed over the first link
    set_option(sock, level_of(kind), "multicast_loop", 0)
    send_to_group(sock, b"others only", kind, port)
    expect.same(there.recv(), b"others only", "what the member on the other host received")
    set_option(sock, level_of(kind), "multicast_loop", 1)
    send_to_group(sock, b"everybody", kind, port)
    expect.same(here.recv(), b"everybody", "what the member on this host received first")


@clause("setopt.ip-multicast_loop.effect.off")
def test_ip_multicast_loop(case: Case, kind: Kind) -> None:
    multicast_loop_is_off(case, kind)


@clause("setopt.ipv6-multicast_loop.effect.off")
def test_ipv6_multicast_loop(case: Case, kind: Kind) -> None:
    multicast_loop_is_off(case, kind)


def hops_at_far_end(case: Case, option: str, hops: int) -> None:
    """Check that a datagram to a group arrives at the far end with this hop limit."""
    there = far_end.member(case, FIRST)
    far_end.report_hops(there)
    sock = case.socket()  # groups are routed over the first link
    set_option(sock, level_of(case.kind), option, hops)
    send_to_group(sock, b"x", case.kind, there.address[1])
    expect.same(far_end.hops(there), hops, "the remaining hops at the far end")


@clause("setopt.ip-multicast_ttl.effect.far")
@pytest.mark.parametrize("hops", [1, 7, 255], ids=str)
def test_ip_multicast_ttl(case: Case, hops: int) -> None:
    hops_at_far_end(case, "multicast_ttl", hops)


@clause("setopt.ipv6-multicast_hops.effect.far")
@pytest.mark.parametrize("hops", [1, 7, 255], ids=str)
def test_ipv6_multicast_hops(case: Case, hops: int) -> None:
    hops_at_far_end(case, "multicast_hops", hops)


def sends_over(case: Case, kind: Kind, link: Link) -> None:
    """Check that a datagram is received only on the given link, and after a change only on the other one."""
    other = SECOND if link is FIRST else FIRST
    right = far_end.member(case, link)
    wrong = far_end.member(case, other, port=right.address[1] or 0)
    sock = sender_on(case, link)
    send_to_group(sock, b"first", kind, right.address[1])
    expect.same(right.recv(), b"first", f"what arrived over {link.near}")
    set_option(sock, level_of(kind), "multicast_if", far_end.interface(kind, other))
    send_to_group(sock, b"second", kind, right.address[1])
    expect.same(wrong.recv(), b"second", f"what arrived first over {other.near}")


@clause("setopt.ip-multicast_if.effect.link")
@each_link
def test_ip_multicast_if(case: Case, kind: Kind, link: Link) -> None:
    sends_over(case, kind, link)


@clause("setopt.ipv6-multicast_if.effect.link")
@each_link
def test_ipv6_multicast_if(case: Case, kind: Kind, link: Link) -> None:
    sends_over(case, kind, link)


def receives_over(case: Case, kind: Kind, link: Link) -> None:
    """Check that only datagrams over the given link are received, and none that were sent before joining."""
    other = SECOND if link is FIRST else FIRST
    sock, port = bound_to_any(case)
    sender = far_end.peer(case)
    far_end.send_to_group(sender, b"early", link, port)
    set_option(sock, level_of(kind), "add_membership", (GROUP[kind.domain], far_end.interface(kind, link)))
    far_end.send_to_group(sender, b"elsewhere", other, port)
    far_end.send_to_group(sender, b"here", link, port)
    expect.data(sock.recv(64), b"here")


@clause("setopt.ip-add_membership.effect.link")
@each_link
def test_ip_add_membership(case: Case, kind: Kind, link: Link) -> None:
    receives_over(case, kind, link)


@clause("setopt.ipv6-add_membership.effect.link")
@each_link
def test_ipv6_add_membership(case: Case, kind: Kind, link: Link) -> None:
    receives_over(case, kind, link)


def receives_nothing_after_leaving(case: Case, kind: Kind) -> None:
    """Check that a datagram to the group between leaving and joining again is not received."""
    sock, port = bound_to_any(case)
    sender = far_end.peer(case)
    where = (GROUP[kind.domain], far_end.interface(kind, FIRST))
    set_option(sock, level_of(kind), "add_membership", where)
    set_option(sock, level_of(kind), "drop_membership", where)
    far_end.send_to_group(sender, b"gone", FIRST, port)
    set_option(sock, level_of(kind), "add_membership", where)
    far_end.send_to_group(sender, b"back", FIRST, port)
    expect.data(sock.recv(64), b"back")


@clause("setopt.ip-drop_membership.effect.far")
def test_ip_drop_membership(case: Case, kind: Kind) -> None:
    receives_nothing_after_leaving(case, kind)


@clause("setopt.ipv6-drop_membership.effect.far")
def test_ipv6_drop_membership(case: Case, kind: Kind) -> None:
    receives_nothing_after_leaving(case, kind)


@clause("setopt.socket-bindtodevice.effect.link")
@each_link
def test_bindtodevice_receives_only_over_its_link(case: Case, kind: Kind, link: Link) -> None:
    other = SECOND if link is FIRST else FIRST
    sock = case.socket()
    set_option(sock, "socket", "bindtodevice", link.near)
    expect.true(sock.bind(ANY[kind.domain], 0), "bind()")
    port = port_of(sock)
    far_end.bound(case, other).sendto(b"elsewhere", (other.address[kind.domain], port))
    far_end.bound(case, link).sendto(b"here", (link.address[kind.domain], port))
    expect.data(sock.recv(64), b"here")


@clause("setopt.socket-bindtodevice.effect.leaves")
def test_bindtodevice_sends_over_its_link(case: Case) -> None:
    """A broadcast is sent over the second link, although the route leads over the first."""
    there = far_end.peer(case).bind("", 0)
    sock = case.socket()
    set_option(sock, "socket", "broadcast", 1)
    set_option(sock, "socket", "bindtodevice", SECOND.near)
    expect.count(sock.sendto(b"x", "255.255.255.255", there.address[1]), 1)
    _, (host, _) = there.recvfrom()
    expect.same(host, SECOND.address["inet"], "the address that it was sent from")


@clause("setopt.socket-keepalive.effect.probes")
def test_keepalive_sends_probes(case: Case) -> None:
    listener = far_end.bound(case, FIRST).listen()
    sock = case.socket()
    set_option(sock, "socket", "keepalive", 1)
    expect.true(sock.connect(*listener.address), "connect()")
    case.keep(listener.accept())
    with contextlib.closing(far_end.Capture(listener.address[1] or 0)) as wire:
        seen = wire.segment(PROBED_WITHIN)
    expect.holds(seen is not None, "packets on an idle connection", "a probe", f"nothing in {PROBED_WITHIN:g} s")


@clause("setopt.socket-dontroute.effect.stream")
def test_dontroute_connects_only_without_a_gateway(case: Case, kind: Kind) -> None:
    listener = far_end.bound(case, FIRST).listen()
    sock = case.socket()
    set_option(sock, "socket", "dontroute", 1)
    expect.fails(
        sock.connect(FOREIGN[kind.domain], 9), "ENETUNREACH", "EHOSTUNREACH", what="connect() through a gateway"
    )
    expect.true(sock.connect(*listener.address), "connect() on a link")


def mtu_is_the_links(case: Case, kind: Kind, link: Link) -> None:
    there = far_end.bound(case, link)
    if kind.type == "stream":
        there.listen()
    sock = case.socket()
    expect.true(sock.connect(*there.address), "connect()")
    expect.same(expect.integer(sock.getopt(level_of(kind), "mtu"), "getopt()"), link.mtu, f"the mtu over {link.near}")


@clause("getopt.ip-mtu.effect.link")
@each_link
def test_ip_mtu(case: Case, kind: Kind, link: Link) -> None:
    mtu_is_the_links(case, kind, link)


@clause("getopt.ipv6-mtu.effect.link")
@each_link
def test_ipv6_mtu(case: Case, kind: Kind, link: Link) -> None:
    mtu_is_the_links(case, kind, link)
