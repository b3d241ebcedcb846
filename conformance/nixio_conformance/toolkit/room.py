"""How much this host's queues and buffers hold while no program reads, measured with sockets of the suite.

Systems differ, and so do two hosts of one system: `net.core.somaxconn`, `net.ipv4.tcp_rmem` and
`net.unix.max_dgram_qlen` of Linux.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache

from nixio_conformance.toolkit.peer import family_of, type_of
from nixio_fixtures import Kind

#: Seconds for a packet to arrive on loopback; most systems deliver it before the call that sends it returns.
_ARRIVAL = 0.05
#: Bytes of each call by which the bytes are measured that a queue holds.
_LARGE = 8300


@dataclass(frozen=True)
class Room:
    """What may be left unread for certain, whatever mixture of calls has sent it."""

    #: Calls that send on a stream, or datagrams.
    messages: int
    #: Their bytes.
    bytes: int


@cache
def connections(kind: Kind, backlog: int) -> int:
    """How many connections to a listener complete without accept(), at most as many as the backlog."""
    with ExitStack() as stack:
        listener = stack.enter_context(_bound(kind))
        listener.listen(backlog)
        for count in range(backlog):
            client = stack.enter_context(socket.socket(family_of(kind), type_of(kind)))
            if not _connects(client, listener):
                return count
    return backlog


def _connects(client: socket.socket, listener: socket.socket) -> bool:
    client.setblocking(False)
    try:
        client.connect(listener.getsockname())
    except BlockingIOError as error:
        if error.errno != errno.EINPROGRESS or not select.select([], [client], [], _ARRIVAL)[1]:
            return False
        return client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    except OSError:
        return False
    return True


@cache
def unread(kind: Kind, most: Room) -> Room:
    """What sockets of this kind hold, at most `most`.

    It is half of what many calls of one byte fill, and half of what a few large ones fill: both halves fit together.
    """
    messages = len(_filled(kind, 1, 2 * most.messages)) // 2
    size = _LARGE
    while not (taken := _filled(kind, size, -(-2 * most.bytes // size))):
        size //= 2
    return Room(max(messages, 1), min(sum(taken) // 2, most.bytes))


def _filled(kind: Kind, size: int, most: int) -> list[int]:
    """The bytes of each call with `size` bytes that a queue takes, of at most `most` calls."""
    with _ends(kind) as (sender, receiver):
        sender.setblocking(False)
        taken = []
        with contextlib.suppress(OSError):  # would-block, or as systems without waiting refuse a datagram
            for _ in range(most):
                taken.append(sender.send(bytes(size)))
        if kind.type == "stream":
            return taken
        arrived: list[int] = []
        receiver.settimeout(_ARRIVAL)
        with contextlib.suppress(TimeoutError):  # the system may have dropped some
            while len(arrived) < len(taken):
                arrived.append(len(receiver.recv(size)))
        return arrived


@contextlib.contextmanager
def _ends(kind: Kind) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A socket, and the one that receives what it sends."""
    with _bound(kind) as bound, socket.socket(family_of(kind), type_of(kind)) as sender:
        if kind.type != "stream":
            sender.connect(bound.getsockname())
            yield sender, bound
            return
        bound.listen(1)
        sender.connect(bound.getsockname())
        accepted, _ = bound.accept()
        with accepted:
            if kind.domain != "unix":
                sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield sender, accepted


@contextlib.contextmanager
def _bound(kind: Kind) -> Iterator[socket.socket]:
    with ExitStack() as stack:
        sock = stack.enter_context(socket.socket(family_of(kind), type_of(kind)))
        if kind.domain == "unix":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="nx"))
            sock.bind(f"{folder}/s")
        else:
            sock.bind(({"inet": "127.0.0.1", "inet6": "::1"}[kind.domain], 0))
        yield sock
