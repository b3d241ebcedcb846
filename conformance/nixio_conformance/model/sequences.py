"""Sequences of operations: their initial state, their operations, and the kinds of socket that they are about.

An operation names sockets by number, in the order in which the sequence creates them, so that it can be written down
before there is any socket: `(1, "send", 5)` sends 5 bytes on socket 1. Operations do not depend on each other: any of
them may be removed, and one that cannot be carried out in its place is skipped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nixio_fixtures import Kind, load

#: A socket's number, the name of the operation, and its parameters: integers and keywords.
#: `socket` and `peer` create a socket, of the implementation or of the suite (their number is ignored), of the second
#: kind with the parameter `other`. `wait` is a call that blocks until a peer acts. All other names are methods.
Operation = tuple[int | str, ...]


@dataclass(frozen=True)
class OperationSequence:
    """An initial state, and the operations that follow."""

    #: A key of `KINDS`.
    kind: str
    #: A key of `INITIAL_STATES` for the type of this kind, or `BARE`.
    initial: str = "fresh"
    #: The implementation's sockets of the initial state are made non-blocking.
    nonblocking: bool = False
    operations: tuple[Operation, ...] = ()
    #: After the last operation, ask each socket for its addresses, receive all data that is due, and close.
    finish: bool = False

    def __str__(self) -> str:
        """The form in which a result stream has this sequence as a case's parameter; it is part of the stream."""
        return (
            f"Play(kind={self.kind!r}, setting={self.initial!r}, "  # words: allow
            f"nonblocking={self.nonblocking}, "
            f"moves={self.operations!r}, finish={self.finish})"
        )


#: What a sequence may be about: one kind of socket, or two kinds that can communicate.
KINDS: dict[str, tuple[str, ...]] = {
    **{kind.id: (kind.id,) for kind in load().select_kinds(("cooked",))},
    "dual-stream": ("inet6-stream", "inet-stream"),
    "dual-dgram": ("inet6-dgram", "inet-dgram"),
}

#: The initial states by type, the simplest first, as the operations that lead to them.
INITIAL_STATES: dict[str, dict[str, tuple[Operation, ...]]] = {
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
#: The initial state without any socket. It is for shrinking and examples; no sequence is generated with it.
BARE = "bare"
#: The most sockets that a sequence creates.
MAX_SOCKETS = 7
#: In place of a socket's number: the socket of the operation before, and the socket at its other end.
LAST, OTHER_END = -100, -101


def initial_states(sequence: OperationSequence) -> dict[str, tuple[Operation, ...]]:
    """The initial states that exist for the type of a sequence's sockets."""
    return INITIAL_STATES[kinds_of(sequence)[0].type]


def initial_operations(sequence: OperationSequence) -> tuple[Operation, ...]:
    """The operations that lead to a sequence's initial state."""
    return () if sequence.initial == BARE else initial_states(sequence)[sequence.initial]


def kinds_of(sequence: OperationSequence) -> tuple[Kind, Kind]:
    """The first and the second kind of a sequence's sockets; the same one twice if it is about one kind."""
    kinds = [load().kind(name) for name in KINDS[sequence.kind]]
    return kinds[0], kinds[-1]


def other_socket_places(method: str) -> tuple[int, ...]:
    """The places in an operation, beside 0, where it names a second socket."""
    return {"bind": (2,), "connect": (2,), "sendto": (3,)}.get(method, ())


def without_socket(sequence: OperationSequence, place: int) -> OperationSequence | None:
    """A bare sequence without the operation at `place`, which creates a socket, and without all that name that socket.

    Returns None if the operation creates none. The numbers of later sockets are decremented. An accept() that fails
    creates no socket either; the result is then a different sequence, and the caller has to find out whether it fails.
    """
    creators = [at for at, operation in enumerate(sequence.operations) if operation[1] in ("socket", "peer", "accept")]
    if place not in creators:
        return None
    removed = creators.index(place)
    operations: list[Operation] = []
    for at, operation in enumerate(sequence.operations):
        numbers = _socket_places(operation)
        names_it = operation[1] not in ("socket", "peer") and any(operation[number] == removed for number in numbers)
        if at != place and not names_it:
            operations.append(_decremented(operation, numbers, removed))
    return replace(sequence, operations=tuple(operations))


def _socket_places(operation: Operation) -> list[int]:
    """The places in an operation that hold the number of a socket."""
    places = (0, *other_socket_places(str(operation[1])))
    return [place for place in places if place < len(operation) and isinstance(operation[place], int)]


def _decremented(operation: Operation, places: list[int], removed: int) -> Operation:
    return tuple(
        word - 1 if place in places and isinstance(word, int) and word > removed else word
        for place, word in enumerate(operation)
    )
