"""The vocabulary of a play: what a move says, the calls that it stands for, and where a play begins.

A move names sockets by the order in which they came to be, so that it can be written down before there are any: as
`[1, "send", 5]`, socket 1 sends 5 bytes. A move that means nothing where it comes is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nixio_conformance.driver.wire import Argument
from nixio_conformance.model.rules import Call
from nixio_conformance.model.state import LOOPBACK, MAPPED, WILDCARD, Name, Sock, State, reached_by
from nixio_fixtures import Kind, load

#: One move: a socket's number, what it does, and with what.
Move = tuple[int | str, ...]


@dataclass(frozen=True)
class Play:
    """What is played: where it begins, and the moves."""

    kind: str
    setting: str = "fresh"
    #: Every socket of the port is non-blocking from the beginning.
    nonblocking: bool = False
    moves: tuple[Move, ...] = ()
    #: In the end, everything that is still due is received, and each socket asked who it is.
    finish: bool = False


#: What a play may be about: a kind of socket, or two that can speak to each other.
KINDS: dict[str, tuple[str, ...]] = {
    **{kind.id: (kind.id,) for kind in load().select_kinds(("cooked",))},
    "dual-stream": ("inet6-stream", "inet-stream"),
    "dual-dgram": ("inet6-dgram", "inet-dgram"),
}

#: Where a play may begin, by type, the simplest first: moves that are made before the others.
SETTINGS: dict[str, dict[str, tuple[Move, ...]]] = {
    "stream": {
        "fresh": ((0, "socket"), (0, "socket", "other")),
        "listening": ((0, "socket"), (0, "bind", "fresh"), (0, "listen", 5), (0, "socket", "other")),
        "client": (
            (0, "peer"), (0, "bind", "fresh"), (0, "listen", 5),
            (0, "socket", "other"), (1, "connect", 0), (0, "accept"),
        ),
        "server": (
            (0, "socket"), (0, "bind", "fresh"), (0, "listen", 5),
            (0, "peer", "other"), (1, "connect", 0), (0, "accept"),
        ),
        "both": (
            (0, "socket"), (0, "bind", "fresh"), (0, "listen", 5),
            (0, "socket", "other"), (1, "connect", 0), (0, "accept"),
        ),
        "crowd": (
            (0, "socket"), (0, "bind", "fresh"), (0, "listen", 5),
            (0, "peer"), (1, "connect", 0), (0, "peer", "other"), (2, "connect", 0), (0, "accept"),
        ),
    },
    "dgram": {
        "fresh": ((0, "socket"), (0, "socket", "other")),
        "bound": ((0, "socket"), (0, "bind", "fresh"), (0, "peer", "other"), (1, "bind", "fresh")),
        "connected": (
            (0, "socket"), (0, "bind", "fresh"), (0, "peer", "other"), (1, "bind", "fresh"),
            (0, "connect", 1), (1, "connect", 0),
        ),
        "both": (
            (0, "socket"), (0, "bind", "fresh"), (0, "socket", "other"), (1, "bind", "fresh"), (0, "connect", 1),
        ),
        "triangle": (
            (0, "socket"), (0, "bind", "fresh"), (0, "peer", "other"), (1, "bind", "fresh"),
            (0, "peer"), (2, "bind", "fresh"), (0, "connect", 1),
        ),
        "crowd": (
            (0, "socket"), (0, "bind", "fresh"), (0, "peer", "other"), (1, "bind", "fresh"),
            (0, "peer"), (2, "bind", "fresh"), (0, "socket"), (3, "bind", "fresh"),
        ),
    },
}  # fmt: skip
#: The setting without a socket: everything is a move. It is for plays that are shortened, and none is drawn with it.
BARE = "bare"
#: Sockets of one play, at most.
MOST_SOCKETS = 7
#: Bytes that say where they stood; as many as a prime number, so that a shift never looks like none.
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456\x00\xff"
#: In the place of a socket's number: the socket of the move before, and the one at its other end.
LAST, OTHER_END = -100, -101
#: Methods that only the port's sockets are asked for.
_PORT_ONLY = ("fileno", "setblocking", "setopt", "getopt", "read", "write")


def payload(move: int, size: int) -> bytes:
    """The bytes that a move sends: each move's begin elsewhere."""
    start = move * 7 % len(_LETTERS)
    return (_LETTERS * (size // len(_LETTERS) + 2))[start : start + size]


def kinds_of(play: Play) -> tuple[Kind, Kind]:
    """The kinds of a play's sockets: the usual one, and the other."""
    kinds = [load().kind(name) for name in KINDS[play.kind]]
    return kinds[0], kinds[-1]


def setting_of(play: Play) -> tuple[Move, ...]:
    """The moves that a play begins with."""
    return () if play.setting == BARE else SETTINGS[play.kind.partition("-")[2]][play.setting]


def without_socket(play: Play, place: int) -> Play | None:
    """A bare play without the move at `place`, which makes a socket, and without all that the socket does.

    None where the move makes none. The numbers of the sockets that came after it are one less. (An accept() that fails
    makes none either: then the play is another one, and has to be tried.)
    """
    makers = [index for index, move in enumerate(play.moves) if move[1] in ("socket", "peer", "accept")]
    if place not in makers:
        return None
    number = makers.index(place)
    moves: list[Move] = []
    for index, move in enumerate(play.moves):
        places = [at for at in (0, *_names_other(str(move[1]))) if at < len(move) and isinstance(move[at], int)]
        if index == place or (move[1] not in ("socket", "peer") and any(move[at] == number for at in places)):
            continue
        moves.append(
            tuple(
                word - 1 if at in places and isinstance(word, int) and word > number else word
                for at, word in enumerate(move)
            )
        )
    return replace(play, moves=tuple(moves))


def _names_other(method: str) -> tuple[int, ...]:
    """Where a move of a method names a second socket."""
    return {"bind": (2,), "connect": (2,), "sendto": (3,)}.get(method, ())


def settled(state: State, move: Move, last: int = 0) -> Move:
    """A move with the numbers of sockets that there are.

    A number that is too great goes round. A negative one stands for a socket that the move makes sense for: -1 for the
    first of them, -2 for the second. `LAST` is the socket of the move before, `OTHER_END` what it is connected to.
    """
    who, do, *words = move
    if not isinstance(who, int) or not state.sockets or do in ("socket", "peer"):
        return move
    method = str(words[0]) if do == "wait" and words else str(do)
    if who == LAST:
        who = last
    elif who == OTHER_END:
        who = _other_end(state, last)
    else:
        who = _chosen(state, who, _apt(state, method))
    places = [at - 2 for at in _names_other(method)]
    for index, word in enumerate(words):
        if index in places and isinstance(word, int):
            words[index] = _chosen(state, word, [other for other in _targets(state, method) if other != who])
    return (who, do, *words)


def _other_end(state: State, who: int) -> int:
    sock = state.sockets[who]
    for other, target in state.open():
        if sock.is_stream and sock.out >= 0 and target.inp == sock.out:
            return other
    to = state.at(who, sock.remote) if not sock.is_stream and sock.remote is not None else None
    return who if to is None else to


def _chosen(state: State, number: int, apt: list[int]) -> int:
    if number < 0 and apt:
        return apt[(-number - 1) % len(apt)]
    return abs(number) % len(state.sockets)


def _apt(state: State, method: str) -> list[int]:
    """The sockets for which a method makes most sense now."""
    sockets = list(state.open())
    if method in ("recv", "read", "recvfrom"):
        due = [who for who, sock in sockets if is_due(state, sock)]
        return due or [who for who, sock in sockets if sock.phase == "connected"]
    if method == "accept":
        return [who for who, sock in sockets if sock.queue] or [
            who for who, sock in sockets if sock.phase == "listening"
        ]
    if method == "connect":
        return [who for who, sock in sockets if not sock.is_stream or sock.phase in ("fresh", "bound")]
    phases = {"send": "connected", "write": "connected", "shutdown": "connected", "bind": "fresh", "listen": "bound"}
    if method == "sendto" and any(sock.is_stream for _, sock in sockets):
        phases["sendto"] = "connected"
    return [who for who, sock in sockets if phases.get(method, sock.phase) == sock.phase]


def _targets(state: State, method: str) -> list[int]:
    """The sockets that can be connected or sent to."""
    wanted = "listening" if method == "connect" else "bound"
    return [who for who, sock in state.open() if (not sock.is_stream and sock.phase != "fresh") or sock.phase == wanted]


def is_due(state: State, sock: Sock) -> bool:
    """Whether a socket has something to receive, an end among it."""
    if not sock.is_stream:
        return bool(sock.messages)
    return sock.phase == "connected" and bool(state.pipes[sock.inp].data or state.pipes[sock.inp].ended)


def call_of(state: State, move: Move, number: int, path: str, *, dual: bool) -> Call | None:
    """The call that a move stands for; None where it means nothing. `path` is a fresh one, `number` the move's."""
    who, do, *words = move
    if not isinstance(who, int) or who >= len(state.sockets):
        return None
    sock, method = state.sockets[who], str(do)
    if sock.owner == "peer" and (sock.phase == "closed" or method in _PORT_ONLY):
        return None
    arguments = _arguments(state, who, method, words, number, path, dual)
    if arguments is None:
        return None
    if sock.owner == "peer" and any(isinstance(word, int) and word < 0 for word in words):
        return None  # it is the system's to say what is odd
    return Call(who, method, arguments)


def _arguments(
    state: State, who: int, method: str, words: list[int | str], number: int, path: str, dual: bool
) -> tuple[Argument, ...] | None:
    sock = state.sockets[who]
    match method, words:
        case "bind", [int(other)]:
            name = state.sockets[other].local if other < len(state.sockets) else None
            same = name is not None and other < len(state.sockets) and state.sockets[other].domain == sock.domain
            return (name.host, name.port) if name is not None and same and _is_given(name) else None
        case "bind", [str(where)]:
            if not sock.is_ip:
                return path, None
            return (None if where == "any" or (dual and sock.domain == "inet6") else LOOPBACK[sock.domain]), 0
        case "connect", [int(other)]:
            to = _destination(state, sock, other)
            return None if to is None else (to.host, to.port)
        case "sendto", [int(size), int(other), *chunk]:
            to = _destination(state, sock, other)
            return None if to is None else (payload(number, size), to.host, to.port, *_chunk(chunk))
        case (("send" | "write"), [int(size), *chunk]):
            return (payload(number, size), *_chunk(chunk))
        case "setblocking", [int(blocking)]:
            return (bool(blocking),)
        case "setopt", [str(key), *value]:
            return (*key.split("."), value[0] if len(value) == 1 else tuple(value))
        case "getopt", [str(key)]:
            return tuple(key.split("."))
    return tuple(words)


def _chunk(words: list[int | str]) -> tuple[Argument, ...]:
    return tuple(None if word == "none" else word for word in words)


def _is_given(name: Name) -> bool:
    return name.port > 0 if name.port is not None else name.host != ""


def _destination(state: State, sock: Sock, other: int) -> Name | None:
    """The address by which a socket reaches another; None where that has none that it could use."""
    if other >= len(state.sockets):
        return None
    target = state.sockets[other]
    if target.local is None or not _is_given(target.local):
        return None
    if not sock.is_ip:
        return target.local
    host = target.local.host
    if sock.domain == "inet" and target.domain == "inet6" and not (host == WILDCARD["inet6"] or MAPPED in host):
        return None
    return reached_by(sock.domain, target.local, target.domain)
