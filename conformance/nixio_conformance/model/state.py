"""The state of the model: a few sockets and the connections between them, as frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit.case import LOOPBACK
from nixio_conformance.toolkit.room import Room
from nixio_fixtures import Kind, load

#: A port number that the system has chosen and getsockname() has not returned yet.
UNKNOWN = -1
WILDCARD = {"inet": "0.0.0.0", "inet6": "::"}
#: The prefix of an IPv4 address on an IPv6 socket (RFC 4291, 2.5.5.2).
MAPPED = "::ffff:"

#: The most that a sequence leaves unread, by kind of socket. Nearly every host has room for it.
MOST_UNREAD: Mapping[str, Room] = {
    kind.id: Room(100, 60_000) if kind.type == "stream" else Room(5 if kind.domain == "unix" else 16, 40_000)
    for kind in load().select_kinds(("cooked",))
}
#: The largest backlog in a sequence.
MAX_BACKLOG = 5

Owner = Literal["implementation", "peer"]
Phase = Literal["fresh", "bound", "listening", "connected", "closed"]


@dataclass(frozen=True)
class Address:
    """A socket's address: host and port number; for UNIX the path (empty if there is none), and no port number."""

    host: str
    port: int | None

    def __str__(self) -> str:
        return f"({self.host!r}, {'a port' if self.port == UNKNOWN else self.port})"


@dataclass(frozen=True)
class Message:
    """A datagram in a socket's receive queue."""

    data: bytes
    #: The index of the socket that sent it, and that socket's address at the time.
    sender: int
    source: Address
    #: False if the system may have dropped it.
    guaranteed: bool = True


@dataclass(frozen=True)
class Pipe:
    """One direction of a connection, as its reader will see it."""

    data: bytes = b""
    #: The calls that sent it, and what has been received since it was last empty.
    writes: int = 0
    #: The writer has shut down: EOF follows the buffered data.
    eof: bool = False
    #: The reader called shutdown(SHUT_RD): EOF may be returned at any time.
    reader_shut: bool = False
    #: How many bytes can be received even so: those that arrived before that shutdown.
    guaranteed: int = 0
    reader_closed: bool = False
    #: A reset is in flight: unread data may be lost, and a call may report the reset.
    reset: bool = False


@dataclass(frozen=True)
class QueuedConnection:
    """A connection that is not accepted yet; the pipes are named from the listener's side."""

    client: int
    inp: int
    out: int


@dataclass(frozen=True)
class Sock:
    """One socket."""

    kind: Kind
    owner: Owner
    phase: Phase = "fresh"
    blocking: bool = True
    #: None if systems differ.
    local: Address | None = None
    remote: Address | None = None
    #: The indexes of the pipes that a stream reads and writes.
    inp: int = -1
    out: int = -1
    #: A listener's connections that are not accepted yet, and the backlog that was passed to listen().
    queue: tuple[QueuedConnection, ...] = ()
    backlog: int = 0
    messages: tuple[Message, ...] = ()
    #: A datagram could not be delivered: any later call may report the error.
    pending_error: bool = False
    #: A non-blocking connect() is in progress.
    connecting: bool = False
    #: A connect() failed: systems differ in what the socket can do then.
    connect_failed: bool = False
    #: shutdown() failed because the socket was not connected; Linux shuts it down all the same.
    shutdown_failed: bool = False
    #: Directions that this end has shut down: `rd`, `wr`.
    shut: frozenset[str] = frozenset()
    #: The values that getopt() may return, by `level.name`.
    options: tuple[tuple[str, tuple[Argument, ...]], ...] = ()
    #: The value that fileno() returned first.
    descriptor: int | None = None

    @property
    def domain(self) -> str:
        """The address family: `inet`, `inet6` or `unix`."""
        return self.kind.domain

    @property
    def is_stream(self) -> bool:
        """True for streams, False for datagram sockets."""
        return self.kind.type == "stream"

    @property
    def is_ip(self) -> bool:
        """True for IPv4 and IPv6, whose addresses have port numbers; False for UNIX."""
        return self.kind.domain != "unix"


@dataclass(frozen=True)
class System:
    """Facts that depend on the operating system, on the network of the run, or on the implementation's constants."""

    #: Data that arrived before shutdown('rd') can still be received (true on Linux; POSIX leaves it open).
    keeps_data: bool
    #: No other program can bind an address that a sequence has used (true in a network namespace of the run's own).
    exclusive: bool
    #: The implementation's `nixio.const.buffersize`, in bytes.
    buffersize: int = 8192
    #: What may be left unread on a socket, and how many connections may wait to be accepted, by kind of socket.
    room: Mapping[str, Room] = field(default_factory=lambda: MOST_UNREAD)
    waiting: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(MOST_UNREAD, MAX_BACKLOG))


@dataclass(frozen=True)
class State:
    """All sockets and pipes of a sequence. Each is named by its index in the tuple, and none is ever removed."""

    system: System
    sockets: tuple[Sock, ...] = ()
    pipes: tuple[Pipe, ...] = field(default=())

    def set(self, index: int, **changes: object) -> State:
        """A copy with other values in some fields of one socket."""
        changed = replace(self.sockets[index], **changes)  # type: ignore[arg-type]
        return replace(self, sockets=(*self.sockets[:index], changed, *self.sockets[index + 1 :]))

    def set_pipe(self, index: int, **changes: object) -> State:
        """A copy with other values in some fields of one pipe."""
        changed = replace(self.pipes[index], **changes)  # type: ignore[arg-type]
        return replace(self, pipes=(*self.pipes[:index], changed, *self.pipes[index + 1 :]))

    def add(self, sock: Sock) -> State:
        """A copy with one more socket; a fresh one gets the local address of an unbound socket."""
        if sock.local is None and sock.phase == "fresh":
            sock = replace(sock, local=unbound_address(sock.domain))
        return replace(self, sockets=(*self.sockets, sock))

    def connect(self, client: int, listener: int, remote: Address, local: Address) -> State:
        """A copy in which `client` is connected and its connection is in the listener's queue."""
        there, back = len(self.pipes), len(self.pipes) + 1
        state = replace(self, pipes=(*self.pipes, Pipe(), Pipe()))
        state = state.set(
            client,
            phase="connected",
            remote=remote,
            local=local,
            inp=back,
            out=there,
            connecting=False,
            connect_failed=False,
        )
        queue = state.sockets[listener].queue
        return state.set(listener, queue=(*queue, QueuedConnection(client, there, back)))

    def open(self) -> Iterator[tuple[int, Sock]]:
        """The sockets that are not closed, with their indexes."""
        return ((index, sock) for index, sock in enumerate(self.sockets) if sock.phase != "closed")

    def socket_at(self, index: int, address: Address) -> int | None:
        """The open socket that gets what socket `index` sends or connects to this address; None if there is none."""
        sender = self.sockets[index]
        for other, sock in self.open():
            if sock.phase == "connected" and sock.is_stream:
                continue
            if sock.local is not None and sock.is_ip == sender.is_ip and _reaches(address, sock.local):
                return other
        return None

    def was_used(self, address: Address) -> bool:
        """True if any socket, open or closed, was bound to this address or to one that overlaps with it."""
        return any(_overlap(address, sock.local) for sock in self.sockets)

    def is_bound(self, address: Address) -> bool:
        """True if an open, unconnected socket is bound to this address or to one that overlaps with it."""
        return any(sock.phase in ("bound", "listening") and _overlap(address, sock.local) for _, sock in self.open())


def unbound_address(domain: str) -> Address:
    """The address that getsockname() returns for a socket that is not bound."""
    return Address(WILDCARD[domain], 0) if domain in WILDCARD else Address("", None)


def surely_unbound(state: State, sock: Sock, address: Address) -> bool:
    """True if no socket is bound to the address and none can be assigned it (as an ephemeral port, or by self-connect).

    The caller has found no socket of the state there (`State.socket_at`).
    """
    if not sock.is_ip:
        return True
    has_another_port = sock.local is not None and sock.local.port not in (0, UNKNOWN, address.port)
    return state.system.exclusive and has_another_port


def _reaches(address: Address, local: Address) -> bool:
    """True if what is sent to `address` reaches a socket that is bound to `local`."""
    if address.port is None or local.port is None:
        return address.host == local.host != "" and address.port is local.port
    if address.port != local.port or address.port <= 0:
        return False
    given, bound = _unmapped(address.host), _unmapped(local.host)
    return given == bound or bound == "::" or (bound == "0.0.0.0" and ":" not in given)


def _overlap(address: Address, local: Address | None) -> bool:
    return local is not None and (_reaches(address, local) or _reaches(local, address))


def _unmapped(host: str) -> str:
    """An IPv4-mapped IPv6 address as the IPv4 address; any other as it is."""
    return host.removeprefix(MAPPED)


def as_seen_by(domain: str, address: Address) -> Address:
    """The form in which a socket of this family returns an address."""
    if domain == "inet6" and ":" not in address.host:
        return Address(MAPPED + address.host, address.port)
    return Address(_unmapped(address.host), address.port) if domain == "inet" else address


def reachable_address(domain: str, local: Address, bound_domain: str) -> Address:
    """The address by which a socket of family `domain` reaches one of family `bound_domain` bound to `local`."""
    host = local.host
    if host in WILDCARD.values():
        host = LOOPBACK[domain if bound_domain == "inet6" else "inet"]
    return as_seen_by(domain, Address(host, local.port)) if local.port is not None else local


def families_may_differ(sock: Sock, address: Address) -> bool:
    """True if only one of `address` and the local address of the IPv6 socket is, or may be, mapped IPv4."""
    if sock.domain != "inet6" or (sock.local is not None and sock.local.host in WILDCARD.values()):
        return False
    if sock.local is None:
        return True
    return (MAPPED in sock.local.host) != (MAPPED in address.host)


def connected_address(sock: Sock, remote: Address) -> Address:
    """The local address of a socket after connect(): the system chooses the parts that it was not bound to."""
    local = sock.local
    if not sock.is_ip:
        return local or Address("", None)
    same_machine = MAPPED + LOOPBACK["inet"] if MAPPED in remote.host else LOOPBACK[sock.domain]
    if local is None or local.port == 0:
        return Address(same_machine, UNKNOWN)
    return Address(same_machine, local.port) if local.host in WILDCARD.values() else local
