"""sendto: the message goes to the host and port that were named, from the sender's own address."""

from __future__ import annotations

from nixio_conformance.checks.test_send import (
    CONVERTED_BUFFERS,
    NO_NUMBERS,
    SAMPLES,
    TYPES,
    WRONG_BUFFERS,
    arrives,
    count_is_true,
    refused,
)
from nixio_conformance.driver.outcome import Failure
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import BINARY, Sender


@clause("sendto.data.arrives")
def test_data_arrives(case: Case) -> None:
    arrives(transfer.sender(case, "sendto"), BINARY)


@clause("sendto.data.binary")
@SAMPLES
def test_data_is_binary(case: Case, data: bytes) -> None:
    arrives(transfer.sender(case, "sendto"), data)


@clause("sendto.result.count")
def test_the_count_is_returned(case: Case) -> None:
    count_is_true(transfer.sender(case, "sendto"))


@clause("sendto.destination.each")
def test_each_message_goes_where_it_is_sent(case: Case) -> None:
    """In turn, so that neither the first nor the last destination is kept."""
    sock, _ = case.bound()
    first, second = (Sender("sendto", sock, peer, peer.address) for peer in (case.bound_peer(), case.bound_peer()))
    for sender, data in ((first, b"1"), (second, b"2"), (first, b"3"), (second, b"4")):
        sender.whole(data)
        expect.same(sender.peer.recv(), data, "what the addressed peer received")
    expect.same((first.arrived(), second.arrived()), ([], []), "what the peers received beyond that")


@clause("sendto.destination.host")
def test_the_host_decides(case: Case) -> None:
    """Two receivers with the same port on two hosts."""
    first = case.peer().bind(case.own_address())
    second = case.peer().bind(case.own_address(), first.address[1])
    sock, _ = case.bound()
    to_first, to_second = (Sender("sendto", sock, peer, peer.address) for peer in (first, second))
    to_first.whole(b"1")
    to_second.whole(b"2")
    expect.same((to_first.arrived(), to_second.arrived()), ([b"1"], [b"2"]), "what each peer received")


@clause("sendto.destination.mapped")
def test_an_ipv4_host_in_ipv6_form(case: Case) -> None:
    peer = case.bound_peer(case.ipv4_kind())
    arrives(Sender("sendto", case.socket(), peer, ("::ffff:127.0.0.1", peer.address[1])), b"abc")


@clause("sendto.port.digits")
def test_the_port_in_digits(case: Case) -> None:
    peer = case.bound_peer()
    arrives(Sender("sendto", case.socket(), peer, (peer.address[0], str(peer.address[1]))), b"abc")


@clause("sendto.source.own")
def test_the_source_is_the_senders_own_address(case: Case) -> None:
    sock, address = case.bound()
    peer = case.bound_peer()
    Sender("sendto", sock, peer, peer.address).whole(b"abc")
    expect.same(peer.recvfrom(), (b"abc", address), "data and source at the peer")


@clause("sendto.source.automatic")
def test_an_unbound_socket_gets_an_address(case: Case) -> None:
    """And keeps it."""
    peer = case.bound_peer()
    sender = Sender("sendto", case.socket(), peer, peer.address)
    sender.whole(b"1")
    sender.whole(b"2")
    (_, first), (_, second) = peer.recvfrom(), peer.recvfrom()
    expect.same((first[0], second), (case.loopback, first), "the source's host, and the second message's source")


@clause("sendto.source.unnamed")
def test_an_unbound_unix_socket_stays_unnamed(case: Case) -> None:
    peer = case.bound_peer()
    Sender("sendto", case.socket(), peer, peer.address).whole(b"abc")
    expect.same(peer.recvfrom(), (b"abc", ("", None)), "data and source at the peer")


@clause("sendto.unconnected.stays")
def test_it_does_not_connect(case: Case) -> None:
    sender = transfer.sender(case, "sendto")
    sender.whole(b"abc")
    expect.fails(sender.sock.getpeername(), "ENOTCONN", what="getpeername() after sendto()")


@clause("sendto.unconnected.hears-all")
def test_others_are_heard_afterwards(case: Case) -> None:
    sock, address = case.bound()
    peer = case.bound_peer()
    Sender("sendto", sock, peer, peer.address).whole(b"abc")
    case.bound_peer().sendto(b"from another", address)
    expect.data(sock.recv(100), b"from another")


def elsewhere(case: Case, pair: Pair) -> tuple[list[bytes], list[bytes]] | None:
    """sendto another peer than the connected one, then send: what each peer got; None when the system refuses (BSD)."""
    other = case.bound_peer()
    outcome = pair.impl.sendto(b"elsewhere", *other.address)
    if isinstance(outcome, Failure):
        expect.fails(outcome, "EISCONN", what="sendto() on a connected socket")
        return None
    expect.count(outcome, len(b"elsewhere"))
    there = other.recv()
    return [there], Sender("send", pair.impl, pair.peer).arrived()


@clause("sendto.connected.elsewhere")
def test_a_connected_socket_sends_elsewhere(case: Case, pair: Pair) -> None:
    expect.one_of(elsewhere(case, pair), [None, ([b"elsewhere"], [])], "what the other and the connected peer received")


@clause("sendto.connected.stays")
def test_the_connection_stays(case: Case, pair: Pair) -> None:
    elsewhere(case, pair)
    expect.count(pair.impl.send(b"back"), 4)
    expect.same(pair.peer.recv(), b"back", "what the connected peer received")


@clause("sendto.unbound.usable-after-failure")
def test_a_refused_message_leaves_the_socket_usable(case: Case) -> None:
    """What was said of one destination is not said of the next."""
    gone = case.bound_peer()
    address = gone.address
    gone.close()
    sender = transfer.sender(case, "sendto")
    sender.sock.sendto(b"lost", *address)
    sender.whole(b"abc")
    expect.same(sender.peer.recv(), b"abc", "what the peer received")


@clause("sendto.buffer.bytes-like")
@TYPES
def test_bytes_like_buffers(case: Case, held_as: str) -> None:
    sender = transfer.sender(case, "sendto")
    expect.count(sender(transfer.held(case, b"abc\x00\xffd", held_as)), 6)
    expect.same(sender.arrived(), [b"abc\x00\xffd"], "what the peer received")


@clause("sendto.buffer.bytes-like-chunk")
@TYPES
def test_chunks_of_bytes_like_buffers_are_counted_in_bytes(case: Case, held_as: str) -> None:
    sender = transfer.sender(case, "sendto")
    expect.count(sender(transfer.held(case, b"abc\x00\xffd", held_as), 1, 4), 4)
    expect.same(sender.arrived(), [b"bc\x00\xff"], "what the peer received")


@clause("sendto.buffer.required")
@WRONG_BUFFERS
def test_what_is_no_buffer_is_refused(case: Case, buffer: tuple[Argument, ...]) -> None:
    sender = transfer.sender(case, "sendto")
    outcome = sender(*buffer) if buffer else sender.sock.sendto()
    expect.refused_argument(outcome, "sendto()")
    sender.nothing_arrived()


@clause("sendto.buffer.converted")
@CONVERTED_BUFFERS
def test_text_and_numbers_are_no_buffers(case: Case, buffer: Argument) -> None:
    transfer.needs_python_types(case)
    refused(transfer.sender(case, "sendto"), buffer)


@clause("sendto.offset.number")
@NO_NUMBERS
def test_an_offset_is_a_number(case: Case, value: Argument) -> None:
    refused(transfer.sender(case, "sendto"), b"abcdef", value)


@clause("sendto.length.number")
@NO_NUMBERS
def test_a_length_is_a_number(case: Case, value: Argument) -> None:
    refused(transfer.sender(case, "sendto"), b"abcdef", 0, value)
