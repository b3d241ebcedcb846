"""sendto: the datagram goes to the given host and port, from the sender's own address."""

from __future__ import annotations

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import BINARY, Sender, sendto_to


@clause("sendto.data.arrives")
def test_the_data_arrives(case: Case) -> None:
    transfer.sender(case, "sendto").delivers(BINARY)


@clause("sendto.destination.each")
def test_each_datagram_goes_to_its_destination(case: Case) -> None:
    """Two destinations in turn detect an implementation that keeps the first or the last."""
    sock, _ = case.bound()
    first, second = (sendto_to(sock, peer) for peer in (case.bound_peer(), case.bound_peer()))
    for sender, data in ((first, b"1"), (second, b"2"), (first, b"3"), (second, b"4")):
        sender.whole(data)
        expect.same(sender.peer.recv(), data, "what the addressed peer received")
    expect.same((first.arrived(), second.arrived()), ([], []), "what else the peers received")


@clause("sendto.destination.host")
def test_the_host_decides_between_peers_with_the_same_port(case: Case) -> None:
    first = case.peer().bind(case.own_address())
    second = case.peer().bind(case.own_address(), first.address[1])
    sock, _ = case.bound()
    to_first, to_second = (sendto_to(sock, peer) for peer in (first, second))
    to_first.whole(b"1")
    to_second.whole(b"2")
    expect.same((to_first.arrived(), to_second.arrived()), ([b"1"], [b"2"]), "what each peer received")


@clause("sendto.destination.mapped")
def test_an_ipv4_mapped_address_is_reached(case: Case) -> None:
    peer = case.bound_peer(case.ipv4_kind())
    Sender("sendto", case.socket(), peer, ("::ffff:127.0.0.1", peer.address[1])).delivers(b"abc")


@clause("sendto.port.digits")
def test_a_port_in_digits_is_used(case: Case) -> None:
    peer = case.bound_peer()
    Sender("sendto", case.socket(), peer, (peer.address[0], str(peer.address[1]))).delivers(b"abc")


@clause("sendto.source.own")
def test_the_source_is_the_senders_own_address(case: Case) -> None:
    sock, address = case.bound()
    peer = case.bound_peer()
    sendto_to(sock, peer).whole(b"abc")
    expect.same(peer.recvfrom(), (b"abc", address), "data and source at the peer")


@clause("sendto.source.automatic")
def test_an_unbound_socket_gets_an_address_and_keeps_it(case: Case) -> None:
    peer = case.bound_peer()
    sender = sendto_to(case.socket(), peer)
    sender.whole(b"1")
    sender.whole(b"2")
    (_, first), (_, second) = peer.recvfrom(), peer.recvfrom()
    expect.same((first[0], second), (case.loopback, first), "the source's host, and the second message's source")


@clause("sendto.source.unnamed")
def test_an_unbound_unix_socket_stays_unnamed(case: Case) -> None:
    peer = case.bound_peer()
    sendto_to(case.socket(), peer).whole(b"abc")
    expect.same(peer.recvfrom(), (b"abc", ("", None)), "data and source at the peer")


@clause("sendto.unconnected.stays")
def test_the_socket_stays_unconnected(case: Case) -> None:
    sender = transfer.sender(case, "sendto")
    sender.whole(b"abc")
    expect.fails(sender.sock.getpeername(), "ENOTCONN", what="getpeername() after sendto()")


@clause("sendto.unconnected.hears-all")
def test_datagrams_of_others_are_received_afterwards(case: Case) -> None:
    sock, address = case.bound()
    sendto_to(sock, case.bound_peer()).whole(b"abc")
    case.bound_peer().sendto(b"from another", address)
    expect.data(sock.recv(100), b"from another")


def sendto_elsewhere(case: Case, pair: Pair) -> tuple[list[bytes], list[bytes]] | None:
    """Send to a peer other than the connected one; then send() a final message.

    Returns what the other and the connected peer received; None if the system refuses (BSD).
    """
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
    found = sendto_elsewhere(case, pair)
    expect.one_of(found, [None, ([b"elsewhere"], [])], "what the other and the connected peer received")


@clause("sendto.connected.stays")
def test_the_socket_stays_connected(case: Case, pair: Pair) -> None:
    sendto_elsewhere(case, pair)
    expect.count(pair.impl.send(b"back"), 4)
    expect.same(pair.peer.recv(), b"back", "what the connected peer received")


@clause("sendto.unbound.usable-after-failure")
def test_a_refused_datagram_does_not_affect_the_next(case: Case) -> None:
    gone = case.bound_peer()
    address = gone.address
    gone.close()
    sender = transfer.sender(case, "sendto")
    sender.sock.sendto(b"lost", *address)
    sender.whole(b"abc")
    expect.same(sender.peer.recv(), b"abc", "what the peer received")
