"""setopt: joining multicast groups and leaving them, as the system knows it and as datagrams show it."""

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
from nixio_fixtures import Kind, Option, Scalar, Value

ADD = chosen("ip.add_membership", "ipv6.add_membership")
#: An address behind a gateway (documentation's own). To connect a datagram socket sends nothing; it finds an interface.
FAR = ("198.51.100.1", 9)
LOOPBACK = socket.inet_aton("127.0.0.1")


def _value(option: Option) -> tuple[str, str | int]:
    """A group that nobody has joined, and the loopback interface."""
    value = setting(option, ("@group", "@loopback"))
    assert isinstance(value, tuple)
    return value  # type: ignore[return-value]


def _add(sock: ImplSocket, option: Option, value: Value) -> None:
    expect.true(sock.setopt(option.level, "add_membership", value), "add_membership")


def _drop(sock: ImplSocket, option: Option, value: Value) -> None:
    expect.true(sock.setopt(option.level, "drop_membership", value), "drop_membership")


def _belongs(case: Case, sock: ImplSocket, option: Option, value: Value, expected: bool) -> None:
    with case.view(sock) as view:
        found = options.member(view, option, value)
    expect.holds(found == expected, f"to the system, member of {value}", expected, found)


@clause("setopt.membership.joined")
@over(sets, ADD)
def test_join(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), _value(option)
    _add(sock, option, value)
    _belongs(case, sock, option, value, True)


@clause("setopt.membership.group-alone")
@over(sets, ADD)
def test_join_without_an_interface(case: Case, kind: Kind, option: Option) -> None:
    """The system chooses an interface, if it has a route to the group."""
    sock, group = case.socket(), setting(option, "@group")
    with options.fresh(kind) as plain:
        try:
            options.write(plain, option, group)
        except OSError as error:
            expect.fails(sock.setopt(option.level, "add_membership", group), errno.errorcode[error.errno or 0])
            return
    _add(sock, option, group)
    _belongs(case, sock, option, group, True)


@clause("setopt.membership.group-alone-left")
@over(sets, ADD)
def test_leave_without_an_interface(case: Case, kind: Kind, option: Option) -> None:
    sock, group = case.socket(), setting(option, "@group")
    with options.fresh(kind) as plain:
        try:
            options.write(plain, option, group)
        except OSError as error:
            pytest.skip(f"no interface for a group here: {error}")
    _add(sock, option, group)
    _drop(sock, option, group)
    _belongs(case, sock, option, group, False)


def _other_interface(kind: Kind, option: Option) -> Scalar:
    """An interface that is not loopback and that groups can be joined on; skips where there is none."""
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
    pytest.skip("no interface for groups here besides loopback")


@clause("setopt.membership.interface")
@over(sets, ADD)
def test_join_on_that_interface_only(case: Case, kind: Kind, option: Option) -> None:
    sock, (group, interface) = case.socket(), _value(option)
    other = _other_interface(kind, option)
    _add(sock, option, (group, interface))
    _belongs(case, sock, option, (group, other), False)


@clause("setopt.membership.interfaces")
@over(sets, ADD)
def test_leave_on_one_of_two_interfaces(case: Case, kind: Kind, option: Option) -> None:
    sock, (group, interface) = case.socket(), _value(option)
    other = _other_interface(kind, option)
    _add(sock, option, (group, interface))
    _add(sock, option, (group, other))
    _drop(sock, option, (group, interface))
    _belongs(case, sock, option, (group, interface), False)
    _belongs(case, sock, option, (group, other), True)


@clause("setopt.membership.again")
@over(sets, ADD)
def test_join_again(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), _value(option)
    _add(sock, option, value)
    expect.fails(sock.setopt(option.level, "add_membership", value), "EADDRINUSE", what="add_membership once more")


@clause("setopt.membership.left")
@over(sets, ADD)
def test_leave(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), _value(option)
    _add(sock, option, value)
    _drop(sock, option, value)
    _belongs(case, sock, option, value, False)


@clause("setopt.membership.left-from-outside")
@over(sets, ADD)
def test_leave_what_the_port_did_not_join(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), _value(option)
    with case.view(sock) as view:
        options.write(view, option, value)
    _drop(sock, option, value)
    _belongs(case, sock, option, value, False)


@clause("setopt.membership.not-joined")
@over(sets, ADD)
def test_leave_what_was_not_joined(case: Case, kind: Kind, option: Option) -> None:
    outcome = case.socket().setopt(option.level, "drop_membership", _value(option))
    expect.fails(outcome, "EADDRNOTAVAIL", what="drop_membership of a group not joined")


@clause("setopt.membership.rejoined")
@over(sets, ADD)
def test_join_after_leaving(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), _value(option)
    _add(sock, option, value)
    _drop(sock, option, value)
    _add(sock, option, value)
    _belongs(case, sock, option, value, True)


@clause("setopt.membership.others-stay")
@over(sets, ADD)
def test_leave_one_of_two(case: Case, kind: Kind, option: Option) -> None:
    sock, one, other = case.socket(), _value(option), _value(option)
    _add(sock, option, one)
    _add(sock, option, other)
    _drop(sock, option, other)
    _belongs(case, sock, option, one, True)


@clause("setopt.membership.own")
@over(sets, ADD)
def test_join_for_one_socket(case: Case, kind: Kind, option: Option) -> None:
    sock, other, value = case.socket(), case.socket(), _value(option)
    _add(sock, option, value)
    _belongs(case, other, option, value, False)


@clause("setopt.membership.wrapping-index")
@over(sets, chosen("ipv6.add_membership"))
@pytest.mark.parametrize("add", [2**32, -(2**32)], ids=["2^32", "-2^32"])
def test_join_on_an_index_that_does_not_fit(case: Case, kind: Kind, option: Option, add: int) -> None:
    sock, (group, index) = case.socket(), _value(option)
    assert isinstance(index, int)
    expect.fails(sock.setopt(option.level, "add_membership", (group, index + add)))
    _belongs(case, sock, option, (group, index), False)


@clause("setopt.membership.elsewhere")
@over(lambda option: option.may_set, chosen("ip.add_membership"))
def test_join_where_systems_differ(case: Case, kind: Kind, option: Option) -> None:
    sock, value = case.socket(), _value(option)
    outcome = sock.setopt(option.level, "add_membership", value)
    if isinstance(outcome, Failure):
        expect.fails(outcome, *option.refused)
    _belongs(case, sock, option, value, not isinstance(outcome, Failure))


# --- delivery: IPv4 over loopback; IPv6 needs a link that can do multicast


class _Group:
    """A port's socket bound to every address, and a peer that sends to a group over loopback."""

    def __init__(self, case: Case) -> None:
        self.sock = case.socket()
        expect.true(self.sock.bind(None, 0))
        _, port = expect.address(self.sock.getsockname())
        assert isinstance(port, int)
        self.group = options.group("ip")
        self.membership = (self.group, "127.0.0.1")
        self.to_group: Address = (self.group, port)
        self.to_socket: Address = ("127.0.0.1", port)
        self.peer: Peer = case.peer().setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, LOOPBACK)

    def nothing_arrives(self) -> None:
        """What is sent to the group does not arrive: what is sent afterwards comes next."""
        self.peer.sendto(b"to the group", self.to_group)
        self.peer.sendto(b"to the socket", self.to_socket)
        expect.data(self.sock.recv(100), b"to the socket", "the next datagram")

    def it_arrives(self) -> None:
        """What is sent to the group arrives."""
        self.peer.sendto(b"to the group", self.to_group)
        expect.data(self.sock.recv(100), b"to the group", "the next datagram")


@clause("setopt.ip-add_membership.effect.delivered")
def test_datagrams_to_a_group_arrive(case: Case, kind: Kind) -> None:
    there = _Group(case)
    there.nothing_arrives()
    expect.true(there.sock.setopt("ip", "add_membership", there.membership))
    there.it_arrives()


@clause("setopt.ip-drop_membership.effect.silent")
def test_datagrams_to_a_group_that_was_left(case: Case, kind: Kind) -> None:
    there = _Group(case)
    expect.true(there.sock.setopt("ip", "add_membership", there.membership))
    there.it_arrives()
    expect.true(there.sock.setopt("ip", "drop_membership", there.membership))
    there.nothing_arrives()
