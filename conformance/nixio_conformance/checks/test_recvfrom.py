"""recvfrom: each datagram's own sender, and no wrong sender on a stream."""

from __future__ import annotations

from nixio_conformance.driver.outcome import Outcome
from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import ANY, Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address, Peer
from nixio_conformance.toolkit.reach import bound_to_any, port_of
from nixio_conformance.toolkit.transfer import data_of
from nixio_fixtures import load

#: Values for a sender's host or port that mean "none", on a stream.
NOTHING = (None, "", 0)


def received_from(outcome: Outcome, data: bytes, sender: Address) -> None:
    """Check that the call returned exactly this data, host and port, with the right types."""
    found = expect.values(outcome, 3, "recvfrom()")
    expect.same(found[0], data, "data received")
    _, name, port = found
    expect.same(name, sender[0], "the sender's host")
    expect.same(type(name), type(sender[0]), "the type of the sender's host")
    expect.same((port, type(port)), (sender[1], type(sender[1])), "the sender's port")


def recvfrom_peer(case: Case, peer: Peer, data: bytes = b"abc") -> Outcome:
    """The outcome of recvfrom for a datagram from this peer, on a new socket."""
    sock, address = case.bound()
    peer.sendto(data, address)
    return sock.recvfrom(100)


def received_from_or_nothing(outcome: Outcome, data: bytes, sender: Address) -> None:
    """Check that the call returned this data, and either this address or none."""
    expect.same(data_of(outcome, "recvfrom()"), data, "data received")
    rest = expect.returned(outcome, "recvfrom()")[1:]
    nothing = all(value in NOTHING and not isinstance(value, bool) for value in rest) and len(rest) <= 2
    expect.holds(nothing or rest == sender, "the sender's address", f"{sender} or nothing", rest)


def receive_from_another(case: Case) -> None:
    """Receive a datagram from another sender in the same family, whose address must not be returned again."""
    kind = load().kind(f"{case.kind.domain}-dgram")
    sock, address = case.bound(kind)
    case.bound_peer(kind).sendto(b"other", address)
    expect.returned(sock.recvfrom(100), "recvfrom()")


@clause("recvfrom.result.data")
def test_the_data_is_the_first_value(case: Case) -> None:
    data = expect.values(recvfrom_peer(case, case.bound_peer()), 3, "recvfrom()")[0]
    expect.same(data, b"abc", "the first value")


@clause("recvfrom.result.host")
def test_the_host_is_the_second_value(case: Case) -> None:
    peer = case.bound_peer()
    name = expect.values(recvfrom_peer(case, peer), 3, "recvfrom()")[1]
    expect.same(name, peer.address[0], "the second value")


@clause("recvfrom.result.port")
def test_the_port_is_the_third_value(case: Case) -> None:
    peer = case.bound_peer()
    port = expect.values(recvfrom_peer(case, peer), 3, "recvfrom()")[2]
    expect.same(port, peer.address[1], "the third value")


@clause("recvfrom.sender.other-host")
def test_the_host_is_the_senders_own(case: Case) -> None:
    """The receiver is bound to all addresses, and the sender to an address that is not the default."""
    sock, port = bound_to_any(case)
    peer = case.peer().bind(case.own_address())
    peer.sendto(b"abc", (case.loopback, port))
    received_from(sock.recvfrom(100), b"abc", peer.address)


@clause("recvfrom.sender.mapped")
def test_an_ipv4_sender_is_an_ipv4_mapped_address(case: Case) -> None:
    sock = case.socket()
    expect.true(sock.bind(ANY["inet6"], 0), "bind()")
    peer = case.bound_peer(case.ipv4_kind())
    peer.sendto(b"abc", ("127.0.0.1", port_of(sock)))
    received_from(sock.recvfrom(100), b"abc", ("::ffff:127.0.0.1", peer.address[1]))


@clause("recvfrom.sender.each")
def test_each_datagram_has_its_own_sender(case: Case) -> None:
    sock, address = case.bound()
    first, second = case.bound_peer(), case.bound_peer()
    first.sendto(b"1", address)
    second.sendto(b"2", address)
    received_from(sock.recvfrom(100), b"1", first.address)
    first.sendto(b"3", address)
    received_from(sock.recvfrom(100), b"2", second.address)
    received_from(sock.recvfrom(100), b"3", first.address)


@clause("recvfrom.sender.connected")
def test_the_sender_on_a_connected_socket_is_the_peer(pair: Pair) -> None:
    pair.peer.send(b"abc")
    received_from(pair.impl.recvfrom(100), b"abc", pair.peer.address)


@clause("recvfrom.sender.not-last-destination")
def test_the_sender_is_not_the_last_destination(case: Case) -> None:
    sock, address = case.bound()
    other, peer = case.bound_peer(), case.bound_peer()
    expect.count(sock.sendto(b"x", *other.address), 1)
    peer.sendto(b"abc", address)
    received_from(sock.recvfrom(100), b"abc", peer.address)


@clause("recvfrom.sender.empty-datagram")
def test_an_empty_datagram_has_a_sender(case: Case) -> None:
    peer = case.bound_peer()
    received_from(recvfrom_peer(case, peer, b""), b"", peer.address)


@clause("recvfrom.sender.cut-datagram")
def test_a_cut_datagram_has_a_sender(case: Case) -> None:
    sock, address = case.bound()
    peer = case.bound_peer()
    peer.sendto(b"abcdef", address)
    received_from(sock.recvfrom(3), b"abc", peer.address)


@clause("recvfrom.sender.zero-length")
def test_length_0_of_a_datagram_has_a_sender(case: Case) -> None:
    """Or no sender, if the datagram is not read; never a different one."""
    sock, address = case.bound()
    other, peer = case.bound_peer(), case.bound_peer()
    other.sendto(b"first", address)
    sock.recvfrom(100)
    peer.sendto(b"abc", address)
    received_from_or_nothing(sock.recvfrom(0), b"", peer.address)


@clause("recvfrom.sender.answerable")
def test_the_sender_can_be_answered(case: Case) -> None:
    """sendto takes the host and port that recvfrom returned."""
    sock, address = case.bound()
    peer = case.bound_peer()
    peer.sendto(b"abc", address)
    found = expect.values(sock.recvfrom(100), 3, "recvfrom()")
    name, port = (expect.passable(value, "the sender's address") for value in found[1:])
    expect.count(sock.sendto(b"answer", name, port), 6)
    expect.same(peer.recvfrom(), (b"answer", address), "what the sender received")


@clause("recvfrom.unix.unnamed")
def test_an_unnamed_sender_is_empty(case: Case) -> None:
    received_from(recvfrom_peer(case, case.peer()), b"abc", ("", None))


@clause("recvfrom.unix.unnamed-after-named")
def test_an_unnamed_sender_after_a_named_one_is_empty(case: Case) -> None:
    sock, address = case.bound()
    case.bound_peer().sendto(b"named", address)
    case.peer().sendto(b"abc", address)
    sock.recvfrom(100)
    received_from(sock.recvfrom(100), b"abc", ("", None))


@clause("recvfrom.unix.shorter-after-longer")
def test_a_short_path_after_a_long_one_is_exact(case: Case) -> None:
    """A short path carries no leftover bytes of a longer one that was returned before."""
    sock, address = case.bound()
    long, short = case.peer().bind(case.path(100)), case.bound_peer()
    long.sendto(b"long", address)
    short.sendto(b"short", address)
    sock.recvfrom(100)
    received_from(sock.recvfrom(100), b"short", short.address)


@clause("recvfrom.unix.longest")
def test_the_longest_path_is_whole(case: Case) -> None:
    peer = case.peer().bind(case.path(platforms.this_platform().unix_path))
    received_from(recvfrom_peer(case, peer), b"abc", peer.address)


@clause("recvfrom.unix.abstract")
def test_an_abstract_name_is_returned(case: Case) -> None:
    peer = case.peer().bind(case.abstract(b"\x00end\x00"))
    received_from(recvfrom_peer(case, peer), b"abc", peer.address)


@clause("recvfrom.stream.sender")
def test_the_sender_on_a_stream_is_the_peer_or_none(case: Case, either_pair: Pair) -> None:
    either_pair.peer.send(b"x")
    received_from_or_nothing(either_pair.impl.recvfrom(1), b"x", either_pair.peer.address)


@clause("recvfrom.stream.no-other-sender")
def test_no_other_sender_on_a_stream(case: Case, pair: Pair) -> None:
    receive_from_another(case)
    pair.peer.send(b"x")
    received_from_or_nothing(pair.impl.recvfrom(1), b"x", pair.peer.address)


@clause("recvfrom.stream.sender-at-end")
def test_the_end_of_a_stream_has_no_other_sender(case: Case, pair: Pair) -> None:
    receive_from_another(case)
    address = pair.peer.address
    pair.peer.close()
    received_from_or_nothing(pair.impl.recvfrom(10), b"", address)
