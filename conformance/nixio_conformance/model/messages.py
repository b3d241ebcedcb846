"""The rules of datagrams."""

from __future__ import annotations

from dataclasses import replace

from nixio_conformance.model.state import (
    UNKNOWN,
    WILDCARD,
    Message,
    Name,
    Sock,
    State,
    is_apart,
    own_name,
    reached_by,
    seen_from,
)
from nixio_conformance.model.streams import UNCONNECTED, Chunk
from nixio_conformance.model.ways import (
    UNSAID,
    WAITS,
    Legal,
    Way,
    fails,
    is_name,
    is_nothing,
    number,
    returns,
    shown,
    true,
    would_block,
)

#: Datagrams and bytes that may wait at one socket: every system's queues hold so much.
MOST = {True: 16, False: 5}
ROOM = 40_000
#: What is told of a message that reached nobody.
REFUSED = ("ECONNREFUSED", "ECONNRESET")


def connect(state: State, who: int, name: Name) -> Legal:
    """The socket has a peer from now on, another one than before if it had one."""
    sock = state.sockets[who]
    to = state.at(who, name)
    if to == who or is_apart(sock, name) or (to is None and not _may_be_nobody(state, sock, name)):
        return UNSAID
    if to is None and not sock.is_ip:
        return Legal((fails(state, "ECONNREFUSED", "ENOENT"),))
    if to is not None and not _lets_in(state, who, to):
        return UNSAID
    # What had come from others may be dropped now, or was on its way and is not let in any more.
    unsure = tuple(replace(message, sure=False) for message in sock.messages)
    then = state.set(who, phase="connected", remote=name, local=own_name(sock, name), messages=unsure)
    for number_, other in state.open():
        # An old peer may be told that its own has gone elsewhere.
        if not sock.is_ip and number_ != who and other.remote is not None and other.remote == sock.local:
            then = then.set(number_, refused=True)
    return Legal((true(then), *([fails(state, *REFUSED)] if sock.refused else [])))


def _may_be_nobody(state: State, sock: Sock, name: Name) -> bool:
    """Whether an address has nobody for sure: neither another program nor this socket itself comes to it by chance."""
    bound = sock.local is not None and sock.local.port not in (0, UNKNOWN, name.port)
    return not sock.is_ip or (state.system.alone and bound)


def _lets_in(state: State, who: int, to: int) -> bool:
    """Whether a UNIX socket takes messages from this one; an IP socket that does not just never sees them."""
    sock, target = state.sockets[who], state.sockets[to]
    return sock.is_ip or target.phase != "connected" or target.remote == sock.local


def send(state: State, who: int, given: Chunk, name: Name | None = None) -> Legal:
    """The whole message, to the peer or to `name`. One without bytes may not be sent at all, and so go to nobody."""
    sock = state.sockets[who]
    ways: list[Way] = [fails(state, "argument")] if given.refusable else []
    destination = name or sock.remote
    if name is not None and is_apart(sock, name):
        return UNSAID
    if not given.data and (destination is None or "wr" in sock.shut):
        ways += [number(0, 0, lambda _: state)]
    if destination is None:
        vague = state.set(who, local=None) if sock.is_ip and sock.phase == "fresh" else state
        return Legal((*ways, fails(vague, *UNCONNECTED)))
    if "wr" in sock.shut:
        told = REFUSED if sock.refused else ()
        return Legal((*ways, fails(state, "EPIPE", *(("EISCONN",) if name else ()), *told)))
    if name and sock.phase == "connected":
        ways += [fails(state, "EISCONN")]  # BSD
    if sock.refused:
        ways += [fails(_told(state, who), *REFUSED, "ENOTCONN", "EPIPE")]
    to = state.at(who, destination)
    if to is None:
        return _to_nobody(state, who, given, destination, ways)
    target = state.sockets[to]
    if not _lets_in(state, who, to) or _is_full(target, given):
        return UNSAID
    then = delivered(_bound(state, who), who, to, given.data)
    if not given.data and sock.phase == "fresh":
        then = then.set(who, phase="fresh", local=None if sock.is_ip else sock.local)  # it may not have sent at all
    ways += [number(len(given.data), len(given.data), lambda _: then)]
    if target.shut and not sock.is_ip:
        ways += [fails(state, "EPIPE", *REFUSED)]
    if not sock.blocking:
        ways += [would_block(state, for_now=True)]
    return Legal(tuple(ways))


def _to_nobody(state: State, who: int, given: Chunk, name: Name, ways: list[Way]) -> Legal:
    sock = state.sockets[who]
    if not sock.is_ip:
        told = _told(state.set(who, refused=True), who)
        if not given.data:
            ways = [*ways, number(0, 0, lambda _: state)]
        return Legal((*ways, fails(told, *REFUSED, "ENOENT", "ENOTCONN", "EDESTADDRREQ")))
    if not _may_be_nobody(state, sock, name):
        return UNSAID
    told = state.set(who, refused=sock.phase == "connected")
    return Legal((*ways, number(len(given.data), len(given.data), lambda _: told)))


def _told(state: State, who: int) -> State:
    """The error of a message that went nowhere is told: once for IP. A UNIX socket may have lost its peer with it."""
    sock = state.sockets[who]
    if sock.is_ip:
        return state.set(who, refused=False)
    # Linux drops what had come from that peer.
    return state.set(who, messages=tuple(replace(message, sure=False) for message in sock.messages))


def _bound(state: State, who: int) -> State:
    """An IP socket that sends has an address."""
    sock = state.sockets[who]
    if sock.is_ip and sock.phase == "fresh":
        return state.set(who, phase="bound", local=Name(WILDCARD[sock.domain], UNKNOWN))
    return state


def _is_full(target: Sock, given: Chunk) -> bool:
    size = sum(len(message.data) for message in target.messages)
    return len(target.messages) >= MOST[target.is_ip] or size + len(given.data) > ROOM


def delivered(state: State, who: int, to: int, data: bytes) -> State:
    """A message was sent; a connected socket takes its peer's only."""
    sock, target = state.sockets[who], state.sockets[to]
    source = source_of(sock, target)
    if sock.is_ip and target.phase == "connected" and target.remote != source:
        return state.set(who, refused=sock.phase == "connected")
    sure = bool(data) and "rd" not in target.shut
    return state.set(to, messages=(*target.messages, Message(data, who, source, sure)))


def source_of(sock: Sock, target: Sock) -> Name:
    """The address that `target` sees messages of `sock` come from."""
    if not sock.is_ip or sock.local is None:
        return sock.local or Name("", None)
    speaks = "inet" if "inet" in (sock.domain, target.domain) else "inet6"
    return seen_from(target.domain, reached_by(speaks, sock.local, sock.domain))


def receive(state: State, who: int, limit: int, *, refusable: bool, told: bool) -> Legal:
    """The next message, cut to `limit`; the rest of it is lost. `told`: with the address that it came from."""
    sock = state.sockets[who]
    ways: list[Way] = [fails(state, "argument")] if refusable else []
    ways += [fails(_told(state, who), *REFUSED, "ENOTCONN")] if sock.refused else []
    due = candidates(sock)
    some = any(message.sure for message in sock.messages)
    quiet = sock.refused or "rd" in sock.shut or limit == 0 or bool(sock.messages) or refusable
    if not some and sock.blocking:
        return UNSAID if quiet else WAITS
    ways += [_message(state, who, index, limit, told) for index in due]
    if limit == 0:
        ways += [_untouched(state, told)]
    if "rd" in sock.shut:
        ways += [_untouched(state, told)]
    if not sock.blocking:
        ways += [would_block(state, for_now=some)]
    return Legal(tuple(ways))


def candidates(sock: Sock) -> list[int]:
    """The messages that may be the next: the first that is sure, those before it, and over IP any other."""
    found = []
    for index, message in enumerate(sock.messages):
        found.append(index)
        if message.sure and not sock.is_ip:
            break
    return found


def _message(state: State, who: int, index: int, limit: int, told: bool) -> Way:
    sock = state.sockets[who]
    message = sock.messages[index]
    data = message.data[:limit]
    due = candidates(sock)[-1]
    # Linux tells the name that a sender has now, if it had none when it sent; and a chosen port is known by now.
    sender = state.sockets[message.sender]
    sources = {message.source}
    if sender.local is not None or not sender.is_ip:
        sources.add(source_of(sender, sock))
    sources -= {source for source in sources if source.port == UNKNOWN and len(sources) > 1}

    def fits(values: tuple[object, ...]) -> bool:
        if not values or not isinstance(values[0], bytes) or values[0] != data:
            return False
        if not told:
            return len(values) == 1
        return any(is_name(values[1:], source) for source in sources) or (limit == 0 and is_nothing(values[1:]))

    def then(_: tuple[object, ...]) -> State:
        if limit == 0:  # it is lost, or it stays
            doubtful = len(sock.messages) if sock.is_ip else due + 1
            unsure = [replace(other, sure=False) for other in sock.messages[:doubtful]]
            return state.set(who, messages=(*unsure, *sock.messages[doubtful:]))
        # In order: what was not sure before it was not there.
        before = sock.messages[:index] if sock.is_ip else ()
        # Others that look the same may have been the one.
        rest = [replace(other, sure=other.sure and other.data[:limit] != data) for other in sock.messages[index + 1 :]]
        return state.set(who, messages=(*before, *rest))

    source = f" from {' or '.join(map(str, sources))}" if told else ""
    return returns(f"{shown(data)}{source}", fits, then)


def _untouched(state: State, told: bool) -> Way:
    """Empty data, and nobody as its sender."""
    return returns(
        "b''",
        lambda values: bool(values) and values[0] == b"" and (is_nothing(values[1:]) if told else len(values) == 1),
        lambda _: state,
    )


def shutdown(state: State, who: int, how: str) -> Legal:
    """True for a socket that has a peer; what that means for receiving is the system's."""
    sock = state.sockets[who]
    if sock.phase != "connected":
        return (
            Legal((fails(state.set(who, odd=True), "ENOTCONN"),)) if sock.is_ip and sock.local is not None else UNSAID
        )
    shut = sock.shut | ({"rd", "wr"} if how == "rdwr" else {how})
    messages = sock.messages
    if "rd" in shut:
        messages = tuple(replace(message, sure=False) for message in messages)
    then = state.set(who, shut=shut, messages=messages)
    ways = [true(then)]
    if sock.shut or sock.refused:
        ways += [fails(then, "ENOTCONN")]
    return Legal(tuple(ways))
