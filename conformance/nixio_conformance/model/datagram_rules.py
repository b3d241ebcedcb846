"""The rules of datagram sockets: their peer, sending and receiving, and shutdown."""

from __future__ import annotations

from dataclasses import replace

from nixio_conformance.driver.text import show
from nixio_conformance.model.chunk import Chunk
from nixio_conformance.model.outcomes import (
    BLOCKS,
    NOT_CONNECTED_ERRORS,
    UNSPECIFIED,
    Allowed,
    AllowedOutcome,
    fails,
    integer,
    is_address,
    is_no_address,
    returns,
    true,
    would_block,
)
from nixio_conformance.model.state import (
    UNKNOWN,
    WILDCARD,
    Address,
    Message,
    Sock,
    State,
    as_seen_by,
    connected_address,
    families_may_differ,
    reachable_address,
    surely_unbound,
)

#: The errors that report an undelivered datagram.
_REFUSED_ERRORS = ("ECONNREFUSED", "ECONNRESET")


def connect(state: State, index: int, address: Address) -> Allowed:
    """Sets the peer, or replaces it."""
    sock = state.sockets[index]
    to = state.socket_at(index, address)
    if to == index or families_may_differ(sock, address):
        return UNSPECIFIED
    if to is None and not surely_unbound(state, sock, address):
        return UNSPECIFIED
    if to is None and not sock.is_ip:
        return Allowed((fails(state, "ECONNREFUSED", "ENOENT"),))
    if to is not None and not _accepts_from(state, index, to):
        return UNSPECIFIED
    # Messages of other senders may be dropped, whether queued or in flight.
    local = connected_address(sock, address)
    after = _without_guarantee(state, index).set(index, phase="connected", remote=address, local=local)
    for other, peer in state.open():
        # The system may report to the previous peer that it has been disconnected.
        if not sock.is_ip and other != index and peer.remote is not None and peer.remote == sock.local:
            after = after.set(other, pending_error=True)
    return Allowed((true(after), *([fails(state, *_REFUSED_ERRORS)] if sock.pending_error else [])))


def _without_guarantee(state: State, index: int) -> State:
    """A copy in which the socket's queued messages may have been dropped."""
    messages = tuple(replace(message, guaranteed=False) for message in state.sockets[index].messages)
    return state.set(index, messages=messages)


def _accepts_from(state: State, index: int, to: int) -> bool:
    """False if the target is a UNIX socket connected to another one; IP drops such messages without an error."""
    sock, target = state.sockets[index], state.sockets[to]
    return sock.is_ip or target.phase != "connected" or target.remote == sock.local


# --- sending


def send(state: State, index: int, chunk: Chunk, address: Address | None = None) -> Allowed:
    """Sends the chunk as one datagram, to the address or to the peer. A zero-length send may be a no-op."""
    sock = state.sockets[index]
    outcomes: list[AllowedOutcome] = [fails(state, "argument")] if chunk.refusable else []
    destination = address or sock.remote
    if address is not None and families_may_differ(sock, address):
        return UNSPECIFIED
    if len(chunk.data) > state.system.room[sock.kind.id].bytes:
        return UNSPECIFIED  # the system may refuse its length before anything else
    if not chunk.data and (destination is None or "wr" in sock.shut):
        outcomes += [integer(0, 0, lambda _: state)]
    if destination is None:
        maybe_bound = state.set(index, local=None) if sock.is_ip and sock.phase == "fresh" else state
        return Allowed((*outcomes, fails(maybe_bound, *NOT_CONNECTED_ERRORS)))
    if "wr" in sock.shut:
        undelivered = _REFUSED_ERRORS if sock.pending_error else ()
        connected = ("EISCONN",) if address else ()
        return Allowed((*outcomes, fails(state, "EPIPE", *connected, *undelivered)))
    if address and sock.phase == "connected":
        outcomes += [fails(state, "EISCONN")]  # BSD
    if sock.pending_error:
        outcomes += [fails(_error_reported(state, index), *_REFUSED_ERRORS, "ENOTCONN", "EPIPE")]
    to = state.socket_at(index, destination)
    if to is None:
        return _send_to_unbound(state, index, chunk, destination, outcomes)
    return _send_to_socket(state, index, chunk, to, outcomes)


def _send_to_socket(state: State, index: int, chunk: Chunk, to: int, outcomes: list[AllowedOutcome]) -> Allowed:
    sock, target = state.sockets[index], state.sockets[to]
    if not _accepts_from(state, index, to) or _is_full(state, target, chunk):
        return UNSPECIFIED
    after = delivered(_bound(state, index), index, to, chunk.data)
    if not chunk.data and sock.phase == "fresh":
        # Where the zero-length send was a no-op, it has not bound the socket.
        after = after.set(index, phase="fresh", local=None if sock.is_ip else sock.local)
    outcomes = [*outcomes, integer(len(chunk.data), len(chunk.data), lambda _: after)]
    if target.shut and not sock.is_ip:
        outcomes += [fails(state, "EPIPE", *_REFUSED_ERRORS)]
    if not sock.blocking:
        outcomes += [would_block(state, transient=True)]
    return Allowed(tuple(outcomes))


def _send_to_unbound(
    state: State, index: int, chunk: Chunk, address: Address, outcomes: list[AllowedOutcome]
) -> Allowed:
    """No socket is bound to the address: UNIX fails at once, IP succeeds and may report an error later."""
    sock = state.sockets[index]
    if not sock.is_ip:
        failed = _error_reported(state.set(index, pending_error=True), index)
        if not chunk.data:
            outcomes = [*outcomes, integer(0, 0, lambda _: state)]
        return Allowed((*outcomes, fails(failed, *_REFUSED_ERRORS, "ENOENT", "ENOTCONN", "EDESTADDRREQ")))
    if not surely_unbound(state, sock, address):
        return UNSPECIFIED
    sent = state.set(index, pending_error=sock.phase == "connected")
    return Allowed((*outcomes, integer(len(chunk.data), len(chunk.data), lambda _: sent)))


def _error_reported(state: State, index: int) -> State:
    """The state once a call has reported an undelivered datagram. IP reports it once; UNIX may disconnect as well."""
    if state.sockets[index].is_ip:
        return state.set(index, pending_error=False)
    # Linux drops what had been received from that peer.
    return _without_guarantee(state, index)


def _bound(state: State, index: int) -> State:
    """Sending binds a fresh IP socket."""
    sock = state.sockets[index]
    if sock.is_ip and sock.phase == "fresh":
        return state.set(index, phase="bound", local=Address(WILDCARD[sock.domain], UNKNOWN))
    return state


def _is_full(state: State, target: Sock, chunk: Chunk) -> bool:
    """True if the message might not fit into the receive queue."""
    size = sum(len(message.data) for message in target.messages)
    room = state.system.room[target.kind.id]
    return len(target.messages) >= room.messages or size + len(chunk.data) > room.bytes


def delivered(state: State, index: int, to: int, data: bytes) -> State:
    """The state after socket `index` sent to socket `to`; a connected IP socket receives from its peer only."""
    sock, target = state.sockets[index], state.sockets[to]
    source = _source_of(sock, target)
    if sock.is_ip and target.phase == "connected" and target.remote != source:
        return state.set(index, pending_error=sock.phase == "connected")
    guaranteed = bool(data) and "rd" not in target.shut
    return state.set(to, messages=(*target.messages, Message(data, index, source, guaranteed)))


def _source_of(sock: Sock, target: Sock) -> Address:
    """The address that `target` receives as the source of messages from `sock`."""
    if not sock.is_ip or sock.local is None:
        return sock.local or Address("", None)
    common_domain = "inet" if "inet" in (sock.domain, target.domain) else "inet6"
    return as_seen_by(target.domain, reachable_address(common_domain, sock.local, sock.domain))


# --- receiving


def receive(state: State, index: int, limit: int, *, refusable: bool, with_address: bool) -> Allowed:
    """Returns the next message, truncated to `limit` bytes; `with_address`: followed by its source address."""
    sock = state.sockets[index]
    outcomes: list[AllowedOutcome] = [fails(state, "argument")] if refusable else []
    outcomes += [fails(_error_reported(state, index), *_REFUSED_ERRORS, "ENOTCONN")] if sock.pending_error else []
    due = any(message.guaranteed for message in sock.messages)
    if not due and sock.blocking:
        may_return = sock.pending_error or "rd" in sock.shut or limit == 0 or bool(sock.messages) or refusable
        return UNSPECIFIED if may_return else BLOCKS
    outcomes += [_message(state, index, place, limit, with_address) for place in _candidates(sock)]
    if limit == 0 or "rd" in sock.shut:
        outcomes += [_empty(state, with_address)]
    if not sock.blocking:
        outcomes += [would_block(state, transient=due)]
    return Allowed(tuple(outcomes))


def _candidates(sock: Sock) -> list[int]:
    """The indexes of the queued messages that the next call may return.

    These are the first guaranteed message and all before it; over IP, which may reorder datagrams, all messages.
    """
    found = []
    for place, message in enumerate(sock.messages):
        found.append(place)
        if message.guaranteed and not sock.is_ip:
            break
    return found


def _message(state: State, index: int, place: int, limit: int, with_address: bool) -> AllowedOutcome:
    """The call returns the message at index `place` of the queue."""
    sock = state.sockets[index]
    message = sock.messages[place]
    data = message.data[:limit]
    sources = _possible_sources(state, sock, message)

    def matches(values: tuple[object, ...]) -> bool:
        if not values or not isinstance(values[0], bytes) or values[0] != data:
            return False
        if not with_address:
            return len(values) == 1
        return any(is_address(values[1:], source) for source in sources) or (limit == 0 and is_no_address(values[1:]))

    received = _after_empty_read(state, index) if limit == 0 else _after_message(state, index, place, limit)
    source = f" from {' or '.join(sorted(map(str, sources)))}" if with_address else ""
    return returns(f"{show(data)}{source}", matches, lambda _: received)


def _possible_sources(state: State, sock: Sock, message: Message) -> set[Address]:
    """The sender's address when it sent, and its present one, which Linux returns if it had none then."""
    sender = state.sockets[message.sender]
    sources = {message.source}
    if sender.local is not None or not sender.is_ip:
        sources.add(_source_of(sender, sock))
    # A port number that was unknown may be known by now.
    return sources - {source for source in sources if source.port == UNKNOWN and len(sources) > 1}


def _after_empty_read(state: State, index: int) -> State:
    """The state after a read of length 0, which takes the next message out of the queue or leaves it there."""
    sock = state.sockets[index]
    doubtful = len(sock.messages) if sock.is_ip else _candidates(sock)[-1] + 1
    changed = [replace(message, guaranteed=False) for message in sock.messages[:doubtful]]
    return state.set(index, messages=(*changed, *sock.messages[doubtful:]))


def _after_message(state: State, index: int, place: int, limit: int) -> State:
    """The state after a read that returned the message at index `place`, truncated to `limit` bytes."""
    sock = state.sockets[index]
    data = sock.messages[place].data[:limit]
    # UNIX keeps the order: messages before this one, none of them guaranteed, were dropped.
    before = sock.messages[:place] if sock.is_ip else ()
    # A later message that is the same once truncated may have been the one that was returned.
    later = [
        replace(message, guaranteed=message.guaranteed and message.data[:limit] != data)
        for message in sock.messages[place + 1 :]
    ]
    return state.set(index, messages=(*before, *later))


def _empty(state: State, with_address: bool) -> AllowedOutcome:
    """Empty data without a source address; the queue is unchanged."""
    return returns(
        "b''",
        lambda values: (
            bool(values) and values[0] == b"" and (is_no_address(values[1:]) if with_address else len(values) == 1)
        ),
        lambda _: state,
    )


# --- shutdown


def shutdown(state: State, index: int, how: str) -> Allowed:
    """True for a socket that has a peer; systems differ in what `rd` does to queued messages."""
    sock = state.sockets[index]
    if sock.phase != "connected":
        if not sock.is_ip or sock.local is None:
            return UNSPECIFIED
        return Allowed((fails(state.set(index, shutdown_failed=True), "ENOTCONN"),))
    shut = sock.shut | ({"rd", "wr"} if how == "rdwr" else {how})
    after = (_without_guarantee(state, index) if "rd" in shut else state).set(index, shut=shut)
    outcomes = [true(after)]
    if sock.shut or sock.pending_error:
        outcomes += [fails(after, "ENOTCONN")]
    return Allowed(tuple(outcomes))
