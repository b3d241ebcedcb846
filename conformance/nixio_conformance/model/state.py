"""What a few sockets and the connections between them are at one moment: frozen values, and how they are replaced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from nixio_conformance.driver.wire import Argument
from nixio_fixtures import Kind

#: A port that the system has chosen and nobody has asked for yet.
UNKNOWN = -1
LOOPBACK = {"inet": "127.0.0.1", "inet6": "::1"}
WILDCARD = {"inet": "0.0.0.0", "inet6": "::"}
#: How an IPv4 address looks to an IPv6 socket.
MAPPED = "::ffff:"

Owner = Literal["port", "peer"]
Phase = Literal["fresh", "bound", "listening", "connected", "closed"]


@dataclass(frozen=True)
class Name:
    """An address in the contract's shape: for UNIX the path (empty if there is none) and no port."""

    host: str
    port: int | None

    def __str__(self) -> str:
        return f"({self.host!r}, {'a port' if self.port == UNKNOWN else self.port})"


@dataclass(frozen=True)
class Message:
    """A datagram that waits to be received; one that is not sure may as well be gone."""

    data: bytes
    #: Who sent it, and the address that this one had then.
    sender: int
    source: Name
    sure: bool = True


@dataclass(frozen=True)
class Pipe:
    """One direction of a connection, as its reader will see it."""

    data: bytes = b""
    #: The writer has made an end: after the data, it is told.
    ended: bool = False
    #: The reader has shut down receiving: an end may be told at any time.
    deaf: bool = False
    #: How many of the bytes come for sure all the same: those that were there before.
    sure: int = 0
    #: The reader has closed.
    gone: bool = False
    #: A reset is on its way: what was not read may be lost, and the reset may be told.
    broken: bool = False


@dataclass(frozen=True)
class Waiting:
    """A connection that nobody has accepted yet, from the listener's side."""

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
    #: None when nobody can know it: systems differ.
    local: Name | None = None
    remote: Name | None = None
    #: The pipes that a stream reads and writes.
    inp: int = -1
    out: int = -1
    #: What a listener holds, and how much it may.
    queue: tuple[Waiting, ...] = ()
    backlog: int = 0
    messages: tuple[Message, ...] = ()
    #: A message that went nowhere: the error may be told by any later call.
    refused: bool = False
    #: A connection in the making, that a non-blocking connect has begun.
    trying: bool = False
    #: A connect that failed: systems differ in what is left.
    spent: bool = False
    #: Shut down without being connected: it fails, and Linux remembers it all the same.
    odd: bool = False
    #: Directions that this end has shut down: `rd`, `wr`.
    shut: frozenset[str] = frozenset()
    #: Options by `level.name`: the values that reading may tell.
    options: tuple[tuple[str, tuple[Argument, ...]], ...] = ()
    #: What fileno() told.
    descriptor: int | None = None

    @property
    def domain(self) -> str:
        """Its family."""
        return self.kind.domain

    @property
    def is_stream(self) -> bool:
        """Whether it is one of connections."""
        return self.kind.type == "stream"

    @property
    def is_ip(self) -> bool:
        """Whether it has ports."""
        return self.kind.domain != "unix"


@dataclass(frozen=True)
class System:
    """What differs between systems and places, and what the port says of itself."""

    #: Data that came before shutdown('rd') can still be received (Linux; POSIX leaves it open).
    keeps_data: bool
    #: Nobody else can take an address that was let go.
    alone: bool
    buffersize: int = 8192


@dataclass(frozen=True)
class State:
    """All of them. Sockets and pipes are named by their places in the tuples, and none is ever taken out."""

    system: System
    sockets: tuple[Sock, ...] = ()
    pipes: tuple[Pipe, ...] = field(default=())

    def set(self, who: int, **changes: object) -> State:
        """The same but for some fields of one socket."""
        changed = replace(self.sockets[who], **changes)  # type: ignore[arg-type]
        return replace(self, sockets=(*self.sockets[:who], changed, *self.sockets[who + 1 :]))

    def set_pipe(self, number: int, **changes: object) -> State:
        """The same but for some fields of one pipe."""
        changed = replace(self.pipes[number], **changes)  # type: ignore[arg-type]
        return replace(self, pipes=(*self.pipes[:number], changed, *self.pipes[number + 1 :]))

    def add(self, sock: Sock) -> State:
        """The same with one more socket, whose local name is that of a fresh one if it has none."""
        if sock.local is None and sock.phase == "fresh":
            sock = replace(sock, local=fresh_name(sock.domain))
        return replace(self, sockets=(*self.sockets, sock))

    def connect(self, client: int, listener: int, remote: Name, local: Name) -> State:
        """The same with a new connection, which waits to be accepted."""
        there, back = len(self.pipes), len(self.pipes) + 1
        state = replace(self, pipes=(*self.pipes, Pipe(), Pipe()))
        state = state.set(
            client, phase="connected", remote=remote, local=local, inp=back, out=there, trying=False, spent=False
        )
        queue = state.sockets[listener].queue
        return state.set(listener, queue=(*queue, Waiting(client, there, back)))

    def open(self) -> Iterator[tuple[int, Sock]]:
        """The sockets that are not closed, with their numbers."""
        return ((number, sock) for number, sock in enumerate(self.sockets) if sock.phase != "closed")

    def at(self, who: int, name: Name) -> int | None:
        """The open socket that a message or connection of `who` for this name would come to; None for nobody."""
        asking = self.sockets[who]
        for number, sock in self.open():
            if sock.phase == "connected" and sock.is_stream:
                continue
            if sock.local is not None and sock.is_ip == asking.is_ip and _means(name, sock.local):
                return number
        return None

    def was_there(self, name: Name) -> bool:
        """Whether any socket, closed ones too, has or had this name, or one that overlaps with it."""
        return any(_overlap(name, sock.local) for sock in self.sockets)

    def is_held(self, name: Name) -> bool:
        """Whether an open socket is bound to this name, or to one that overlaps with it."""
        return any(sock.phase in ("bound", "listening") and _overlap(name, sock.local) for _, sock in self.open())


def fresh_name(domain: str) -> Name:
    """What a socket that is not bound is called."""
    return Name(WILDCARD[domain], 0) if domain in WILDCARD else Name("", None)


def _means(name: Name, local: Name) -> bool:
    """Whether something for `name` comes to a socket that is bound to `local`."""
    if name.port is None or local.port is None:
        return name.host == local.host != "" and name.port is local.port
    if name.port != local.port or name.port <= 0:
        return False
    given, bound = plain(name.host), plain(local.host)
    return given == bound or bound == "::" or (bound == "0.0.0.0" and ":" not in given)


def _overlap(name: Name, local: Name | None) -> bool:
    return local is not None and (_means(name, local) or _means(local, name))


def plain(host: str) -> str:
    """An IPv4 address that an IPv6 socket uses, as itself."""
    return host.removeprefix(MAPPED)


def seen_from(domain: str, name: Name) -> Name:
    """An address as a socket of that family is told it."""
    if domain == "inet6" and ":" not in name.host:
        return Name(MAPPED + name.host, name.port)
    return Name(plain(name.host), name.port) if domain == "inet" else name


def reached_by(domain: str, local: Name, bound_domain: str) -> Name:
    """The address by which a socket of that family reaches one that is bound to `local`."""
    host = local.host
    if host in WILDCARD.values():
        host = LOOPBACK[domain if bound_domain == "inet6" else "inet"]
    return seen_from(domain, Name(host, local.port)) if local.port is not None else local


def is_apart(sock: Sock, name: Name) -> bool:
    """Whether an IPv6 socket is bound, or may be, to an address of the family that the name is not of."""
    if sock.domain != "inet6" or (sock.local is not None and sock.local.host in WILDCARD.values()):
        return False
    if sock.local is None:
        return True
    return (MAPPED in sock.local.host) != (MAPPED in name.host)


def own_name(sock: Sock, remote: Name) -> Name:
    """What a socket is called once it is connected: the system chooses what it was not bound to."""
    local = sock.local
    if not sock.is_ip:
        return local or Name("", None)
    same_machine = MAPPED + LOOPBACK["inet"] if MAPPED in remote.host else LOOPBACK[sock.domain]
    if local is None or local.port == 0:
        return Name(same_machine, UNKNOWN)
    return Name(same_machine, local.port) if local.host in WILDCARD.values() else local
