"""setopt: what the socket level's options do, seen on plain loopback: by the peer, or by what can be sent."""

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
from nixio_conformance.toolkit.peer import Peer
from nixio_fixtures import Kind

#: Linux's number, which Python does not name: the receiver is told each packet's priority.
SO_RCVPRIORITY = 82
SO_PRIORITY = 12
SO_BINDTODEVICE = 25
#: An address behind a gateway, in the lab too (documentation's own, which nobody has). Connecting a datagram socket to
#: it sends nothing.
FAR = (FOREIGN["inet"], 9)
CHUNK = bytes(1 << 16)


def _set(sock: ImplSocket, option: str, value: int | str, level: str = "socket") -> None:
    expect.true(sock.setopt(level, option, value), f"setopt() of {option}")


@clause("setopt.socket-keepalive.effect.timer")
def test_keepalive_waits_to_probe(case: Case, kind: Kind, role: str) -> None:
    sock = case.pair(role).impl
    _set(sock, "keepalive", 1)
    with case.view(sock) as view:
        armed = wait_for(lambda: options.keepalive_timer(view))
    expect.holds(armed, "the connection's timer", "one that will probe the peer", "none")


@clause("setopt.socket-keepalive.effect.off")
def test_keepalive_off_probes_no_more(case: Case, kind: Kind, role: str) -> None:
    sock = case.pair(role).impl
    _set(sock, "keepalive", 1)
    _set(sock, "keepalive", 0)
    with case.view(sock) as view:
        idle = wait_for(lambda: not options.keepalive_timer(view))
    expect.holds(idle, "the connection's timer", "none", "one that will probe the peer")


def _listened(case: Case, reuse: bool) -> tuple[str, int]:
    """An address where the port listened until now, and where a connection that it accepted still lives."""
    listener = case.socket()
    if reuse:
        _set(listener, "reuseaddr", 1)
    host, port = case.bind(listener)
    expect.true(listener.listen(1))
    case.peer().connect((host, port))
    expect.returned(listener.accept(), "accept()")
    expect.true(listener.close())
    assert isinstance(host, str)
    assert isinstance(port, int)
    return host, port


@clause("setopt.socket-reuseaddr.effect.bind")
def test_reuseaddr_binds_a_port_with_old_connections(case: Case, kind: Kind) -> None:
    address = _listened(case, reuse=True)
    sock = case.socket()
    _set(sock, "reuseaddr", 1)
    expect.true(sock.bind(*address), "bind() where an old connection lives")


@clause("setopt.socket-reuseaddr.effect.off")
def test_without_reuseaddr_the_port_is_in_use(case: Case, kind: Kind) -> None:
    address = _listened(case, reuse=False)
    sock = case.socket()
    _set(sock, "reuseaddr", 1)
    _set(sock, "reuseaddr", 0)
    expect.fails(sock.bind(*address), "EADDRINUSE", what="bind() where an old connection lives")


def _until_full(send: Callable[[], int | None]) -> int:
    total = 0
    while (count := send()) is not None:
        total += count
    return total


def _taken(case: Case, sndbuf: int) -> int:
    """How many bytes the port's socket takes while its peer does not read."""
    listener = case.bound_peer().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096).listen(1)
    sock = case.socket()
    _set(sock, "sndbuf", sndbuf)
    expect.true(sock.connect(*listener.address))
    case.keep(listener.accept())
    expect.true(sock.setblocking(False))

    def send() -> int | None:
        outcome = sock.send(CHUNK)
        if isinstance(outcome, Failure):
            expect.would_block(outcome)
            return None
        return expect.integer(outcome)

    return _until_full(send)


@clause("setopt.socket-sndbuf.effect.taken")
def test_a_larger_sndbuf_takes_more(case: Case, kind: Kind) -> None:
    small, large = _taken(case, 4096), _taken(case, 131072)
    expect.holds(small < large, "bytes taken with a sndbuf of 131072", f"more than {small}, with 4096", large)


@clause("setopt.socket-sndbuf.effect.message")
def test_a_message_larger_than_sndbuf(case: Case, kind: Kind) -> None:
    sock, peer = case.socket(), case.bound_peer()
    expect.true(sock.connect(*peer.address))
    _set(sock, "sndbuf", 4096)
    expect.fails(sock.send(CHUNK[:20000]), "EMSGSIZE", "ENOBUFS", what="send() of more than sndbuf holds")
    _set(sock, "sndbuf", 65536)
    expect.count(sock.send(CHUNK[:20000]), 20000)


def _kept(case: Case, rcvbuf: int) -> int:
    """How many of 30 datagrams the port's socket keeps while nobody reads."""
    sock, address = case.bound()
    _set(sock, "rcvbuf", rcvbuf)
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

    return _until_full(receive)


@clause("setopt.socket-rcvbuf.effect.datagrams")
def test_a_larger_rcvbuf_keeps_more(case: Case, kind: Kind) -> None:
    small, large = _kept(case, 2048), _kept(case, 131072)
    expect.holds(small < large, "datagrams kept with a rcvbuf of 131072", f"more than {small}, with 2048", large)


def _sent_to(case: Case, rcvbuf: int) -> int:
    """How many bytes a peer can send to the port's socket while nobody reads there."""
    listener = case.socket()
    _set(listener, "rcvbuf", rcvbuf)
    address = case.bind(listener)
    expect.true(listener.listen(1))
    peer = case.peer().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096).connect(address)
    expect.returned(listener.accept(), "accept()")
    peer.socket.settimeout(0)

    def send() -> int | None:
        try:
            return peer.socket.send(CHUNK)
        except BlockingIOError:
            return None

    return _until_full(send)


@clause("setopt.socket-rcvbuf.effect.stream")
def test_a_larger_rcvbuf_lets_more_in(case: Case, kind: Kind) -> None:
    small, large = _sent_to(case, 2048), _sent_to(case, 131072)
    expect.holds(small < large, "bytes sent to a rcvbuf of 131072", f"more than {small}, to 2048", large)


@clause("setopt.socket-priority.effect.told")
@pytest.mark.parametrize("priority", [6, 3, 0])
def test_priority_is_told_to_the_receiver(case: Case, kind: Kind, priority: int) -> None:
    peer = case.bound_peer()
    try:
        peer.socket.setsockopt(socket.SOL_SOCKET, SO_RCVPRIORITY, 1)
    except OSError as error:
        pytest.skip(f"this kernel cannot tell the priority of a packet: {error}")
    sock = case.socket()
    _set(sock, "priority", 2)
    _set(sock, "priority", priority)
    expect.count(sock.sendto(b"x", *peer.address), 1)
    _, told, _, _ = peer.socket.recvmsg(10, 100)
    expect.same(told, [(socket.SOL_SOCKET, SO_PRIORITY, struct.pack("@i", priority))], "what the receiver was told")


def _broadcast_receiver(case: Case) -> tuple[Peer, int]:
    peer = case.peer().bind("0.0.0.0")  # bound to one address, it would not get broadcasts
    port = peer.address[1]
    assert port is not None
    return peer, port


@clause("setopt.socket-broadcast.effect.delivered")
def test_broadcast_is_let_through(case: Case, kind: Kind) -> None:
    peer, port = _broadcast_receiver(case)
    sock = case.socket()
    _set(sock, "broadcast", 1)
    expect.count(sock.sendto(b"to all", "127.255.255.255", port), 6)
    got = peer.recv()
    expect.holds(got == b"to all", "what the receiver got", b"to all", got)


@clause("setopt.socket-broadcast.effect.off")
def test_broadcast_off_is_not_let_through(case: Case, kind: Kind) -> None:
    _, port = _broadcast_receiver(case)
    sock = case.socket()
    _set(sock, "broadcast", 1)
    _set(sock, "broadcast", 0)
    expect.fails(sock.sendto(b"to all", "127.255.255.255", port), "EACCES", what="sendto() to a broadcast address")


def _reaches_far(dontroute: int) -> bool:
    """Whether a plain socket can be connected to what is behind a gateway."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        try:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, dontroute)
            plain.connect(FAR)
        except OSError:
            return False
        return True


@clause("setopt.socket-dontroute.effect.unreachable")
def test_dontroute_uses_no_gateway(case: Case, kind: Kind) -> None:
    if not _reaches_far(0) or _reaches_far(1):
        pytest.skip("no destination behind a gateway here")
    sock = case.socket()
    _set(sock, "dontroute", 1)
    expect.fails(sock.connect(*FAR), "ENETUNREACH", "EHOSTUNREACH", what="connect() to what is behind a gateway")


@clause("setopt.socket-dontroute.effect.off")
def test_dontroute_off_uses_the_gateway(case: Case, kind: Kind) -> None:
    if not _reaches_far(0):
        pytest.skip("no destination behind a gateway here")
    sock = case.socket()
    _set(sock, "dontroute", 1)
    _set(sock, "dontroute", 0)
    expect.true(sock.connect(*FAR), "connect() to what is behind a gateway")


@clause("setopt.socket-bindtodevice.effect.shared-port")
def test_bindtodevice_takes_a_port_of_that_interface_only(case: Case, kind: Kind) -> None:
    """On another interface the port may be somebody else's, and each gets what comes in on its own."""
    _, loopback = options.loopback()
    peer = case.peer()
    for _, name in socket.if_nameindex():
        with contextlib.suppress(OSError):
            if name != loopback:
                peer.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, name.encode())
                break
    else:
        pytest.skip("no interface here besides loopback")
    port = peer.bind("0.0.0.0").address[1]
    sock = case.socket()
    _set(sock, "bindtodevice", loopback)
    expect.true(sock.bind(None, port), "bind() to a port that is somebody else's on another interface")
    case.peer().sendto(b"over loopback", ("127.0.0.1", port))
    expect.data(sock.recv(100), b"over loopback")


def _collected(sock: ImplSocket) -> bytes:
    data = b""
    while chunk := expect.buffer(sock.recv(100)):
        data += chunk
    return data


def _urgent(peer: Peer) -> None:
    peer.send(b"ab")
    peer.send_urgent(b"!")
    peer.send(b"cd")
    peer.shutdown()


@clause("setopt.socket-oobinline.effect.inline")
def test_oobinline_puts_urgent_data_in_its_place(case: Case, kind: Kind, role: str) -> None:
    pair = case.pair(role)
    _set(pair.impl, "oobinline", 1)
    _urgent(pair.peer)
    got = _collected(pair.impl)
    expect.holds(got == b"ab!cd", "what the port received", b"ab!cd", got)


@clause("setopt.socket-oobinline.effect.off")
def test_oobinline_off_leaves_urgent_data_out(case: Case, kind: Kind, role: str) -> None:
    pair = case.pair(role)
    _set(pair.impl, "oobinline", 1)
    _set(pair.impl, "oobinline", 0)
    _urgent(pair.peer)
    got = _collected(pair.impl)
    expect.holds(got == b"abcd", "what the port received", b"abcd", got)


# --- error: what is pending is told once


def _told(sock: ImplSocket) -> int:
    """The pending error, once there is one."""
    found = [0]

    def ask() -> bool:
        found[0] = expect.integer(sock.getopt("socket", "error"), "getopt() of socket.error")
        return found[0] != 0

    wait_for(ask)
    return found[0]


def _refused(case: Case, kind: Kind) -> ImplSocket:
    """A socket whose connection was refused after connect() came back."""
    nobody = case.bound_peer()
    sock = case.socket()
    expect.true(sock.setblocking(False))
    if kind.type == "stream":
        expect.fails(sock.connect(*nobody.address), "EINPROGRESS")
    else:
        # Connected to somebody else it keeps its port, and what others send there is refused.
        nobody.connect(case.bound_peer().address)
        expect.true(sock.connect(*nobody.address))
        expect.count(sock.send(b"x"), 1)
    return sock


@clause("getopt.socket-error.effect.refused")
def test_error_tells_of_a_refusal(case: Case, kind: Kind) -> None:
    expect.same(_told(_refused(case, kind)), errno.ECONNREFUSED, "socket.error")


@clause("getopt.socket-error.effect.once")
def test_error_is_told_once(case: Case, kind: Kind) -> None:
    sock = _refused(case, kind)
    expect.holds(_told(sock) != 0, "socket.error", "an error", 0)
    expect.same(expect.integer(sock.getopt("socket", "error")), 0, "socket.error asked again")


@clause("getopt.socket-error.effect.reset")
def test_error_tells_of_a_reset(case: Case, kind: Kind, role: str) -> None:
    pair = case.pair(role)
    pair.peer.reset()
    expect.same(_told(pair.impl), errno.ECONNRESET, "socket.error")
