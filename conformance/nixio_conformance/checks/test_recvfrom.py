"""recvfrom: who sent the message, for each message anew."""

from __future__ import annotations

from nixio_conformance.driver.outcome import Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import ANY, Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address, Peer
from nixio_conformance.toolkit.transfer import data_of
from nixio_fixtures import load

#: Ways to say that a stream's data have no sender's address.
NOTHING = (None, "", 0)


def from_(outcome: Outcome, data: bytes, sender: Address) -> None:
    """Data, host and port, of the right types, and nothing else."""
    found = expect.values(outcome, 3, "recvfrom()")
    expect.same(found[0], data, "data received")
    same_sender(outcome, sender)


def same_sender(outcome: Outcome, sender: Address) -> None:
    """The second and third value are this address."""
    name, port = expect.values(outcome, 3, "recvfrom()")[1:]
    expect.same(name, sender[0], "the sender's host")
    expect.same(type(name), type(sender[0]), "the type of the sender's host")
    expect.same((port, type(port)), (sender[1], type(sender[1])), "the sender's port")


def received(case: Case, peer: Peer, data: bytes = b"abc") -> Outcome:
    """What recvfrom gives of a datagram from this peer to a fresh socket."""
    sock, address = case.bound()
    peer.sendto(data, address)
    return sock.recvfrom(100)


@clause("recvfrom.result.data")
def test_the_data_is_the_first_value(case: Case) -> None:
    data = expect.values(received(case, case.bound_peer()), 3, "recvfrom()")[0]
    expect.same(data, b"abc", "the first value")


@clause("recvfrom.result.host")
def test_the_host_is_the_second_value(case: Case) -> None:
    peer = case.bound_peer()
    name = expect.values(received(case, peer), 3, "recvfrom()")[1]
    expect.same(name, peer.address[0], "the second value")


@clause("recvfrom.result.port")
def test_the_port_is_the_third_value(case: Case) -> None:
    peer = case.bound_peer()
    port = expect.values(received(case, peer), 3, "recvfrom()")[2]
    expect.same(port, peer.address[1], "the third value")


@clause("recvfrom.sender.other-host")
def test_a_sender_on_another_host(case: Case) -> None:
    """The receiver is bound to all addresses, so that neither its own host nor the loopback is the answer."""
    sock = case.socket()
    expect.true(sock.bind(None, 0), "bind()")
    port = expect.address(sock.getsockname(), "getsockname()")[1]
    assert isinstance(port, int)
    peer = case.peer().bind(case.own_address())
    peer.sendto(b"abc", (case.loopback, port))
    from_(sock.recvfrom(100), b"abc", peer.address)


@clause("recvfrom.sender.mapped")
def test_an_ipv4_sender_in_ipv6_form(case: Case) -> None:
    sock = case.socket()
    expect.true(sock.bind(ANY["inet6"], 0), "bind()")
    port = expect.address(sock.getsockname(), "getsockname()")[1]
    assert isinstance(port, int)
    peer = case.bound_peer(case.ipv4_kind())
    peer.sendto(b"abc", ("127.0.0.1", port))
    from_(sock.recvfrom(100), b"abc", ("::ffff:127.0.0.1", peer.address[1]))


@clause("recvfrom.sender.each")
def test_each_message_has_its_own_sender(case: Case) -> None:
    sock, address = case.bound()
    first, second = case.bound_peer(), case.bound_peer()
    first.sendto(b"1", address)
    second.sendto(b"2", address)
    from_(sock.recvfrom(100), b"1", first.address)
    first.sendto(b"3", address)
    from_(sock.recvfrom(100), b"2", second.address)
    from_(sock.recvfrom(100), b"3", first.address)


@clause("recvfrom.sender.connected")
def test_the_sender_on_a_connected_socket(pair: Pair) -> None:
    pair.peer.send(b"abc")
    from_(pair.impl.recvfrom(100), b"abc", pair.peer.address)


@clause("recvfrom.sender.not-last-destination")
def test_the_sender_is_not_whom_was_sent_to(case: Case) -> None:
    sock, address = case.bound()
    other, peer = case.bound_peer(), case.bound_peer()
    expect.count(sock.sendto(b"x", *other.address), 1)
    peer.sendto(b"abc", address)
    from_(sock.recvfrom(100), b"abc", peer.address)


@clause("recvfrom.sender.empty-datagram")
def test_an_empty_datagram_has_a_sender(case: Case) -> None:
    peer = case.bound_peer()
    from_(received(case, peer, b""), b"", peer.address)


@clause("recvfrom.sender.cut-datagram")
def test_a_cut_datagram_has_a_sender(case: Case) -> None:
    sock, address = case.bound()
    peer = case.bound_peer()
    peer.sendto(b"abcdef", address)
    from_(sock.recvfrom(3), b"abc", peer.address)


@clause("recvfrom.sender.zero-length")
def test_length_0_of_a_datagram_has_a_sender(case: Case) -> None:
    """Or none, where the datagram is not touched; never another."""
    sock, address = case.bound()
    other, peer = case.bound_peer(), case.bound_peer()
    other.sendto(b"first", address)
    sock.recvfrom(100)
    peer.sendto(b"abc", address)
    only_from(sock.recvfrom(0), b"", peer.address)


@clause("recvfrom.sender.answerable")
def test_the_sender_can_be_answered(case: Case) -> None:
    """What recvfrom returns is what sendto takes."""
    sock, address = case.bound()
    peer = case.bound_peer()
    peer.sendto(b"abc", address)
    name, port = expect.values(sock.recvfrom(100), 3, "recvfrom()")[1:]
    expect.count(sock.sendto(b"answer", name, port), 6)  # type: ignore[arg-type]
    expect.same(peer.recvfrom(), (b"answer", address), "what the sender received")


@clause("recvfrom.unix.unnamed")
def test_an_unnamed_sender(case: Case) -> None:
    from_(received(case, case.peer()), b"abc", ("", None))


@clause("recvfrom.unix.unnamed-after-named")
def test_an_unnamed_sender_after_a_named_one(case: Case) -> None:
    sock, address = case.bound()
    case.bound_peer().sendto(b"named", address)
    case.peer().sendto(b"abc", address)
    sock.recvfrom(100)
    from_(sock.recvfrom(100), b"abc", ("", None))


@clause("recvfrom.unix.shorter-after-longer")
def test_a_short_path_after_a_long_one(case: Case) -> None:
    """A path ends where it ends, whatever was in its place before."""
    sock, address = case.bound()
    long, short = case.peer().bind(case.path(100)), case.bound_peer()
    long.sendto(b"long", address)
    short.sendto(b"short", address)
    sock.recvfrom(100)
    from_(sock.recvfrom(100), b"short", short.address)


@clause("recvfrom.unix.longest")
def test_the_longest_path_is_whole(case: Case) -> None:
    peer = case.peer().bind(case.path(platforms.this_platform().unix_path))
    from_(received(case, peer), b"abc", peer.address)


@clause("recvfrom.unix.abstract")
def test_an_abstract_sender(case: Case) -> None:
    peer = case.peer().bind(case.abstract(b"\x00end\x00"))
    from_(received(case, peer), b"abc", peer.address)


def only_from(outcome: Outcome, data: bytes, sender: Address) -> None:
    """The data, and of an address only this one, or nothing in any of the ways to say so."""
    expect.same(data_of(outcome, "recvfrom()"), data, "data received")
    rest = expect.returned(outcome, "recvfrom()")[1:]
    nothing = all(value in NOTHING and not isinstance(value, bool) for value in rest) and len(rest) <= 2
    expect.holds(nothing or rest == sender, "the sender's address", f"{sender} or nothing", rest)


def told_other_sender(case: Case) -> ImplSocket:
    """Have the port know another sender, of a datagram in the same family, who must not be told again."""
    kind = load().kind(f"{case.kind.domain}-dgram")
    sock, address = case.bound(kind)
    case.bound_peer(kind).sendto(b"other", address)
    expect.returned(sock.recvfrom(100), "recvfrom()")
    return sock


@clause("recvfrom.stream.sender")
def test_the_sender_on_a_stream(case: Case, either_pair: Pair) -> None:
    either_pair.peer.send(b"x")
    only_from(either_pair.impl.recvfrom(1), b"x", either_pair.peer.address)


@clause("recvfrom.stream.no-other-sender")
def test_no_other_sender_on_a_stream(case: Case, pair: Pair) -> None:
    told_other_sender(case)
    pair.peer.send(b"x")
    only_from(pair.impl.recvfrom(1), b"x", pair.peer.address)


@clause("recvfrom.stream.sender-at-end")
def test_the_end_of_a_stream_has_no_other_sender(case: Case, pair: Pair) -> None:
    told_other_sender(case)
    address = pair.peer.address
    pair.peer.close()
    only_from(pair.impl.recvfrom(10), b"", address)
