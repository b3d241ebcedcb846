"""setopt add_membership and drop_membership: the system's memberships, and which datagrams are received."""

from __future__ import annotations

import contextlib
import errno
import socket

import pytest

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect, options
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.option_cases import chosen, over, sets, setting
from nixio_conformance.toolkit.peer import Address, Peer
from nixio_conformance.toolkit.reach import bound_to_any
from nixio_fixtures import Kind, Option, Scalar, Value

ADD = chosen("ip.add_membership", "ipv6.add_membership")
#: An address behind a gateway (reserved for documentation). Connecting a datagram socket sends nothing, and finds the
#: interface that leads there.
FAR = ("198.51.100.1", 9)


def new_membership(option: Option) -> tuple[str, str | int]:
    """A membership that no socket has: a new group, and the loopback interface."""
    value = setting(option, ("@group", "@loopback"))
    assert isinstance(value, tuple)
    return value  # type: ignore[return-value]


def join(sock: ImplSocket, option: Option, value: Value) -> None:
    expect.true(sock.setopt(option.level, "add_membership", value), "add_membership")


def leave(sock: ImplSocket, option: Option, value: Value) -> None:
    expect.true(sock.setopt(option.level, "drop_membership", value), "drop_membership")


def is_member(case: Case, sock: ImplSocket, option: Option, value: Value, expected: bool) -> None:
    with case.view(sock) as view:
        found = options.member(view, option, value)
    expect.holds(found == expected, f"whether the kernel has the membership {value}", expected, found)


@clause("setopt.membership.joined")
@over(sets, ADD)
def test_a_group_is_joined(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), new_membership(option)
    join(sock, option, value)
    is_member(case, sock, option, value, True)


@clause("setopt.membership.group-alone")
@over(sets, ADD)
def test_a_group_is_joined_without_an_interface(case: Case, kind: Kind, option: Option) -> None:
    """The system chooses an interface. Without a route to the group it fails, and setopt must fail with its error."""
    sock, group = case.socket(), setting(option, "@group")
    with options.fresh(kind) as plain:
        try:
            options.write(plain, option, group)
        except OSError as error:
            expect.fails(sock.setopt(option.level, "add_membership", group), errno.errorcode[error.errno or 0])
            return
    join(sock, option, group)
    is_member(case, sock, option, group, True)


@clause("setopt.membership.group-alone-left")
@over(sets, ADD)
def test_a_group_is_left_without_an_interface(case: Case, kind: Kind, option: Option) -> None:
    sock, group = case.socket(), setting(option, "@group")
    with options.fresh(kind) as plain:
        try:
            options.write(plain, option, group)
        except OSError as error:
            pytest.skip(f"this host cannot choose an interface for a group: {error}")
    join(sock, option, group)
    leave(sock, option, group)
    is_member(case, sock, option, group, False)


def other_interface(kind: Kind, option: Option) -> Scalar:
    """An interface besides loopback on which groups can be joined. Skips the case if there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        try:
            plain.connect(FAR)
            candidates: list[Scalar] = [plain.getsockname()[0]]
        except OSError:
            candidates = []
    if option.level == "ipv6":
        candidates = [index for index, name in socket.if_nameindex() if name != options.loopback()[1]]
    for interface in candidates:
        with options.fresh(kind) as plain, contextlib.suppress(OSError):
            options.write(plain, option, (options.group(option.level), interface))
            return interface
    pytest.skip("this host has no interface for groups besides loopback")


@clause("setopt.membership.interface")
@over(sets, ADD)
def test_a_group_is_joined_on_one_interface_only(case: Case, kind: Kind, option: Option) -> None:
    sock, (group, interface) = case.socket(), new_membership(option)
    other = other_interface(kind, option)
    join(sock, option, (group, interface))
    is_member(case, sock, option, (group, other), False)


@clause("setopt.membership.interfaces")
@over(sets, ADD)
def test_a_group_is_left_on_one_interface_only(case: Case, kind: Kind, option: Option) -> None:
    sock, (group, interface) = case.socket(), new_membership(option)
    other = other_interface(kind, option)
    join(sock, option, (group, interface))
    join(sock, option, (group, other))
    leave(sock, option, (group, interface))
    is_member(case, sock, option, (group, interface), False)
    is_member(case, sock, option, (group, other), True)


@clause("setopt.membership.again")
@over(sets, ADD)
def test_joining_twice_fails(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), new_membership(option)
    join(sock, option, value)
    expect.fails(sock.setopt(option.level, "add_membership", value), "EADDRINUSE", what="add_membership once more")


@clause("setopt.membership.left")
@over(sets, ADD)
def test_a_group_is_left(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), new_membership(option)
    join(sock, option, value)
    leave(sock, option, value)
    is_member(case, sock, option, value, False)


@clause("setopt.membership.left-from-outside")
@over(sets, ADD)
def test_a_membership_made_from_outside_is_left(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), new_membership(option)
    with case.view(sock) as view:
        options.write(view, option, value)
    leave(sock, option, value)
    is_member(case, sock, option, value, False)


@clause("setopt.membership.not-joined")
@over(sets, ADD)
def test_leaving_a_group_that_was_not_joined_fails(case: Case, kind: Kind, option: Option) -> None:
    outcome = case.socket().setopt(option.level, "drop_membership", new_membership(option))
    expect.fails(outcome, "EADDRNOTAVAIL", what="drop_membership of a group not joined")


@clause("setopt.membership.rejoined")
@over(sets, ADD)
def test_a_group_is_joined_after_leaving(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), new_membership(option)
    join(sock, option, value)
    leave(sock, option, value)
    join(sock, option, value)
    is_member(case, sock, option, value, True)


@clause("setopt.membership.others-stay")
@over(sets, ADD)
def test_leaving_one_group_keeps_another(case: Case, kind: Kind, option: Option) -> None:
    sock, one, other = case.socket(), new_membership(option), new_membership(option)
    join(sock, option, one)
    join(sock, option, other)
    leave(sock, option, other)
    is_member(case, sock, option, one, True)


@clause("setopt.membership.own")
@over(sets, ADD)
def test_only_this_socket_joins(case: Case, kind: Kind, option: Option) -> None:
    sock, other, value = case.socket(), case.socket(), new_membership(option)
    join(sock, option, value)
    is_member(case, other, option, value, False)


@clause("setopt.membership.wrapping-index")
@over(sets, chosen("ipv6.add_membership"))
@pytest.mark.parametrize("add", [2**32, -(2**32)], ids=["2^32", "-2^32"])
def test_a_large_interface_index_does_not_wrap(case: Case, kind: Kind, option: Option, add: int) -> None:
    sock, (group, index) = case.socket(), new_membership(option)
    assert isinstance(index, int)
    expect.fails(sock.setopt(option.level, "add_membership", (group, index + add)))
    is_member(case, sock, option, (group, index), False)


@clause("setopt.membership.elsewhere")
@over(lambda option: option.may_set, chosen("ip.add_membership"))
def test_joining_fails_or_works_where_systems_differ(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), new_membership(option)
    outcome = sock.setopt(option.level, "add_membership", value)
    if isinstance(outcome, Failure):
        expect.fails(outcome, *option.refused)
    is_member(case, sock, option, value, not isinstance(outcome, Failure))


# --- datagrams to a group: IPv4 over loopback; IPv6 needs a link with multicast


class GroupOnLoopback:
    """A socket of the implementation bound to all addresses, and a peer that sends to a group over loopback."""

    def __init__(self, case: Case) -> None:
        self.sock, port = bound_to_any(case)
        self.group = options.group("ip")
        self.membership = (self.group, "127.0.0.1")
        self.to_group: Address = (self.group, port)
        self.to_socket: Address = ("127.0.0.1", port)
        self.peer: Peer = case.peer().setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, options.PACKED_LOOPBACK)

    def nothing_arrives(self) -> None:
        """Check that a datagram to the group is not received: the next one received was sent later, to the socket."""
        self.peer.sendto(b"to the group", self.to_group)
        self.peer.sendto(b"to the socket", self.to_socket)
        expect.data(self.sock.recv(100), b"to the socket", "the next datagram")

    def datagram_arrives(self) -> None:
        """Check that a datagram to the group is received."""
        self.peer.sendto(b"to the group", self.to_group)
        expect.data(self.sock.recv(100), b"to the group", "the next datagram")


@clause("setopt.ip-add_membership.effect.delivered")
def test_datagrams_to_a_joined_group_arrive(case: Case) -> None:
    receiver = GroupOnLoopback(case)
    receiver.nothing_arrives()
    expect.true(receiver.sock.setopt("ip", "add_membership", receiver.membership))
    receiver.datagram_arrives()


@clause("setopt.ip-drop_membership.effect.silent")
def test_datagrams_to_a_left_group_do_not_arrive(case: Case) -> None:
    receiver = GroupOnLoopback(case)
    expect.true(receiver.sock.setopt("ip", "add_membership", receiver.membership))
    receiver.datagram_arrives()
    expect.true(receiver.sock.setopt("ip", "drop_membership", receiver.membership))
    receiver.nothing_arrives()
