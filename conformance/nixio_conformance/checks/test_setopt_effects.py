"""setopt and getopt at level socket: effects of the options that can be seen over loopback."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Callable

import pytest

from nixio_conformance.driver.deadline import wait_for
from nixio_conformance.driver.outcome import Failure
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.netns.network import FOREIGN
from nixio_conformance.toolkit import expect, options
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.option_cases import chosen, control, set_option
from nixio_conformance.toolkit.peer import Address, Peer
from nixio_fixtures import Kind

#: Linux's numbers, which Python has no names for. With SO_RCVPRIORITY the system reports each packet's priority.
SO_RCVPRIORITY = 82
SO_PRIORITY = 12
SO_BINDTODEVICE = 25
#: An address behind a gateway, also in the network namespace (reserved for documentation). Connecting a datagram socket
#: to it sends nothing.
FAR = (FOREIGN["inet"], 9)
CHUNK = bytes(1 << 16)


@clause("setopt.socket-keepalive.effect.timer")
def test_keepalive_starts_a_timer(case: Case, role: str) -> None:
    sock = case.pair(role).impl
    set_option(sock, "socket", "keepalive", 1)
    with case.view(sock) as view:
        armed = wait_for(lambda: options.keepalive_timer(view))
    expect.holds(armed, "the connection's timer", "a timer for probes", "none")


@clause("setopt.socket-keepalive.effect.off")
def test_keepalive_off_stops_the_timer(case: Case, role: str) -> None:
    sock = case.pair(role).impl
    set_option(sock, "socket", "keepalive", 1)
    set_option(sock, "socket", "keepalive", 0)
    with case.view(sock) as view:
        idle = wait_for(lambda: not options.keepalive_timer(view))
    expect.holds(idle, "the connection's timer", "none", "a timer for probes")


def address_with_connection(case: Case, reuse: bool) -> Address:
    """The address of a closed listener of the implementation, which an accepted connection still uses."""
    listener = case.socket()
    if reuse:
        set_option(listener, "socket", "reuseaddr", 1)
    address = case.bind(listener)
    expect.true(listener.listen(1))
    case.peer().connect(address)
    expect.accepted(listener.accept())
    expect.true(listener.close())
    return address


@clause("setopt.socket-reuseaddr.effect.bind")
def test_reuseaddr_binds_an_address_with_a_connection(case: Case) -> None:
    address = address_with_connection(case, reuse=True)
    sock = case.socket()
    set_option(sock, "socket", "reuseaddr", 1)
    expect.true(sock.bind(*address), "bind() to an address with a connection")


@clause("setopt.socket-reuseaddr.effect.off")
def test_without_reuseaddr_the_address_is_in_use(case: Case) -> None:
    address = address_with_connection(case, reuse=False)
    sock = case.socket()
    set_option(sock, "socket", "reuseaddr", 1)
    set_option(sock, "socket", "reuseaddr", 0)
    expect.fails(sock.bind(*address), "EADDRINUSE", what="bind() to an address with a connection")


def total_until_full(send: Callable[[], int | None]) -> int:
    """The sum of the numbers that `send` returns until it returns None."""
    total = 0
    while (count := send()) is not None:
        total += count
    return total


def bytes_taken(case: Case, sndbuf: int) -> int:
    """The number of bytes that a socket with this sndbuf takes while its peer does not read."""
    listener = case.bound_peer().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096).listen(1)
    sock = case.socket()
    set_option(sock, "socket", "sndbuf", sndbuf)
    expect.true(sock.connect(*listener.address))
    case.keep(listener.accept())
    expect.true(sock.setblocking(False))

    def send() -> int | None:
        outcome = sock.send(CHUNK)
        if isinstance(outcome, Failure):
            expect.would_block(outcome)
            return None
        return expect.integer(outcome)

    return total_until_full(send)


@clause("setopt.socket-sndbuf.effect.taken")
def test_a_larger_sndbuf_takes_more(case: Case) -> None:
    small, large = bytes_taken(case, 4096), bytes_taken(case, 131072)
    expect.holds(small < large, "bytes taken with a sndbuf of 131072", f"more than {small}, with 4096", large)


@clause("setopt.socket-sndbuf.effect.message")
def test_a_message_larger_than_sndbuf_fails(case: Case) -> None:
    (sndbuf,) = chosen("socket.sndbuf")
    if control(case.kind, sndbuf, 65536) not in (65536, 2 * 65536):
        pytest.skip("the maximum of socket.sndbuf is below 65536 on this host")
    sock, peer = case.socket(), case.bound_peer()
    expect.true(sock.connect(*peer.address))
    set_option(sock, "socket", "sndbuf", 4096)
    expect.fails(sock.send(CHUNK[:20000]), "EMSGSIZE", "ENOBUFS", what="send() of more than sndbuf holds")
    set_option(sock, "socket", "sndbuf", 65536)
    expect.count(sock.send(CHUNK[:20000]), 20000)


def datagrams_kept(case: Case, rcvbuf: int) -> int:
    """The number of 30 datagrams that a socket with this rcvbuf keeps until they are read."""
    sock, address = case.bound()
    set_option(sock, "socket", "rcvbuf", rcvbuf)
    peer = case.peer()
    for _ in range(30):
        peer.sendto(bytes(1000), address)
    expect.true(sock.setblocking(False))

    def receive() -> int | None:
        outcome = sock.recv(2000)
        if isinstance(outcome, Failure):
            expect.would_block(outcome)
            return None
        return 1

    return total_until_full(receive)


@clause("setopt.socket-rcvbuf.effect.datagrams")
def test_a_larger_rcvbuf_keeps_more(case: Case) -> None:
    small, large = datagrams_kept(case, 2048), datagrams_kept(case, 131072)
    expect.holds(small < large, "datagrams kept with a rcvbuf of 131072", f"more than {small}, with 2048", large)


def bytes_sent_to(case: Case, rcvbuf: int) -> int:
    """The number of bytes that a peer can send to a socket with this rcvbuf that does not read."""
    listener = case.socket()
    set_option(listener, "socket", "rcvbuf", rcvbuf)
    address = case.bind(listener)
    expect.true(listener.listen(1))
    peer = case.peer().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096).connect(address)
    expect.accepted(listener.accept())
    return total_until_full(lambda: peer.send_now(CHUNK))


@clause("setopt.socket-rcvbuf.effect.stream")
def test_a_larger_rcvbuf_lets_more_in(case: Case) -> None:
    small, large = bytes_sent_to(case, 2048), bytes_sent_to(case, 131072)
    expect.holds(small < large, "bytes sent to a rcvbuf of 131072", f"more than {small}, to 2048", large)


@clause("setopt.socket-priority.effect.told")
@pytest.mark.parametrize("priority", [6, 3, 0])
def test_priority_is_reported_to_the_receiver(case: Case, priority: int) -> None:
    peer = case.bound_peer()
    try:
        peer.socket.setsockopt(socket.SOL_SOCKET, SO_RCVPRIORITY, 1)
    except OSError as error:
        pytest.skip(f"this kernel cannot report the priority of a packet: {error}")
    sock = case.socket()
    set_option(sock, "socket", "priority", 2)
    set_option(sock, "socket", "priority", priority)
    expect.count(sock.sendto(b"x", *peer.address), 1)
    _, reported = peer.recvmsg()
    expected = [(socket.SOL_SOCKET, SO_PRIORITY, struct.pack("@i", priority))]
    expect.same(reported, expected, "the priority reported to the receiver")


def broadcast_receiver(case: Case) -> tuple[Peer, int]:
    """A peer that receives broadcasts, and its port."""
    peer = case.peer().bind("0.0.0.0")  # bound to one address, it would not receive broadcasts
    port = peer.address[1]
    assert port is not None
    return peer, port


@clause("setopt.socket-broadcast.effect.delivered")
def test_broadcast_allows_broadcasts(case: Case) -> None:
    peer, port = broadcast_receiver(case)
    sock = case.socket()
    set_option(sock, "socket", "broadcast", 1)
    expect.count(sock.sendto(b"to all", "127.255.255.255", port), 6)
    got = peer.recv()
    expect.holds(got == b"to all", "what the receiver received", b"to all", got)


@clause("setopt.socket-broadcast.effect.off")
def test_broadcast_off_refuses_broadcasts(case: Case) -> None:
    _, port = broadcast_receiver(case)
    sock = case.socket()
    set_option(sock, "socket", "broadcast", 1)
    set_option(sock, "socket", "broadcast", 0)
    expect.fails(sock.sendto(b"to all", "127.255.255.255", port), "EACCES", what="sendto() to a broadcast address")


def reaches_far(dontroute: int) -> bool:
    """Whether a socket of the suite with this SO_DONTROUTE can connect to an address behind a gateway."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        try:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, dontroute)
            plain.connect(FAR)
        except OSError:
            return False
        return True


@clause("setopt.socket-dontroute.effect.unreachable")
def test_dontroute_uses_no_gateway(case: Case) -> None:
    if not reaches_far(0) or reaches_far(1):
        pytest.skip("this host has no route to a destination behind a gateway")
    sock = case.socket()
    set_option(sock, "socket", "dontroute", 1)
    expect.fails(sock.connect(*FAR), "ENETUNREACH", "EHOSTUNREACH", what="connect() to an address behind a gateway")


@clause("setopt.socket-dontroute.effect.off")
def test_dontroute_off_uses_the_gateway(case: Case) -> None:
    if not reaches_far(0):
        pytest.skip("this host has no route to a destination behind a gateway")
    sock = case.socket()
    set_option(sock, "socket", "dontroute", 1)
    set_option(sock, "socket", "dontroute", 0)
    expect.true(sock.connect(*FAR), "connect() to an address behind a gateway")


@clause("setopt.socket-bindtodevice.effect.shared-port")
def test_bindtodevice_uses_the_port_on_its_interface_only(case: Case) -> None:
    """Another socket may use the port on another interface, and each receives what arrives on its own."""
    _, loopback = options.loopback()
    peer = case.peer()
    for _, name in socket.if_nameindex():
        with contextlib.suppress(OSError):
            if name != loopback:
                peer.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, name.encode())
                break
    else:
        pytest.skip("this host has no interface besides loopback")
    port = peer.bind("0.0.0.0").address[1]
    sock = case.socket()
    set_option(sock, "socket", "bindtodevice", loopback)
    expect.true(sock.bind(None, port), "bind() to a port that is in use on another interface")
    case.peer().sendto(b"over loopback", ("127.0.0.1", port))
    expect.data(sock.recv(100), b"over loopback")


def received_until_end(sock: ImplSocket) -> bytes:
    """All data up to the end of the stream."""
    data = b""
    while chunk := expect.buffer(sock.recv(100)):
        data += chunk
    return data


def send_with_urgent(peer: Peer) -> None:
    """Send `ab`, an urgent byte and `cd`, and end the stream."""
    peer.send(b"ab")
    peer.send_urgent(b"!")
    peer.send(b"cd")
    peer.shutdown()


@clause("setopt.socket-oobinline.effect.inline")
def test_oobinline_puts_urgent_data_in_its_place(case: Case, role: str) -> None:
    pair = case.pair(role)
    set_option(pair.impl, "socket", "oobinline", 1)
    send_with_urgent(pair.peer)
    got = received_until_end(pair.impl)
    expect.holds(got == b"ab!cd", "data received", b"ab!cd", got)


@clause("setopt.socket-oobinline.effect.off")
def test_oobinline_off_leaves_urgent_data_out(case: Case, role: str) -> None:
    pair = case.pair(role)
    set_option(pair.impl, "socket", "oobinline", 1)
    set_option(pair.impl, "socket", "oobinline", 0)
    send_with_urgent(pair.peer)
    got = received_until_end(pair.impl)
    expect.holds(got == b"abcd", "data received", b"abcd", got)


# --- error: a pending error is returned once


def pending_error(sock: ImplSocket) -> int:
    """The value of getopt() for the pending error, once it is not 0."""
    found = [0]

    def ask() -> bool:
        found[0] = expect.integer(sock.getopt("socket", "error"), "getopt() of socket.error")
        return found[0] != 0

    wait_for(ask)
    return found[0]


def refused_socket(case: Case, kind: Kind) -> ImplSocket:
    """A socket whose connection is refused after connect() has returned."""
    refusing = case.bound_peer()
    sock = case.socket()
    expect.true(sock.setblocking(False))
    if kind.type == "stream":
        expect.fails(sock.connect(*refusing.address), "EINPROGRESS")
    else:
        # Connected to another socket, the peer keeps its port, and refuses what others send there.
        refusing.connect(case.bound_peer().address)
        expect.true(sock.connect(*refusing.address))
        expect.count(sock.send(b"x"), 1)
    return sock


@clause("getopt.socket-error.effect.refused")
def test_error_is_a_refusal(case: Case, kind: Kind) -> None:
    expect.same(pending_error(refused_socket(case, kind)), errno.ECONNREFUSED, "socket.error")


@clause("getopt.socket-error.effect.once")
def test_error_is_returned_once(case: Case, kind: Kind) -> None:
    sock = refused_socket(case, kind)
    expect.holds(pending_error(sock) != 0, "socket.error", "an error", 0)
    expect.same(expect.integer(sock.getopt("socket", "error")), 0, "socket.error the second time")


@clause("getopt.socket-error.effect.reset")
def test_error_is_a_reset(case: Case, role: str) -> None:
    pair = case.pair(role)
    pair.peer.reset()
    expect.same(pending_error(pair.impl), errno.ECONNRESET, "socket.error")
