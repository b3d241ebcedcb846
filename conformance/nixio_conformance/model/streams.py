"""The rules of connections: making them, what goes through them, and their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nixio_conformance.driver.wire import Argument
from nixio_conformance.model.names import inherited
from nixio_conformance.model.state import (
    UNKNOWN,
    WILDCARD,
    Name,
    Sock,
    State,
    Waiting,
    is_apart,
    own_name,
    reached_by,
    seen_from,
)
from nixio_conformance.model.ways import (
    UNSAID,
    WAITS,
    Legal,
    Way,
    fails,
    is_name,
    is_nothing,
    is_socket,
    number,
    returns,
    shown,
    true,
    would_block,
)

#: Bytes that may be on their way on one connection: every system's buffers hold so much.
ROOM = 60_000
#: What sending says without a connection.
UNCONNECTED = ("ENOTCONN", "EPIPE", "EDESTADDRREQ")
#: What connecting says of a path where nobody listens.
_NOT_THERE = ("ECONNREFUSED", "ENOENT")
#: What a connection says that the other end has dropped.
GONE = ("EPIPE", "ECONNRESET")


@dataclass(frozen=True)
class Chunk:
    """What a sending call's buffer, offset and length choose."""

    data: bytes
    #: The arguments are ones that a port may refuse.
    refusable: bool = False


def chunk(buffer: Argument, offset: Argument = None, length: Argument = None) -> Chunk:
    """The bytes that are to be sent (the grid of the tables, as a function)."""
    assert isinstance(buffer, bytes)
    start = 0 if offset is None else int(str(offset))
    count = len(buffer) if length is None else int(str(length))
    odd = start < 0 or count < 0 or max(start, count) >= 2**31
    if start < 0:
        return Chunk(b"", True)
    return Chunk(buffer[start:] if count < 0 else buffer[start : start + count], odd)


# --- making connections


def listen(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    """A bound stream listens; IP binds by itself what is not bound."""
    sock = state.sockets[who]
    if not sock.is_stream:
        return Legal((fails(state, "EOPNOTSUPP", "EINVAL"),))
    if sock.phase == "connected":
        return Legal((fails(state, "EINVAL", "EISCONN"),))
    if sock.local is None:
        return UNSAID
    backlog = int(str(arguments[0]))
    listening = state.set(who, phase="listening", backlog=backlog)
    if sock.phase == "fresh":
        refused = fails(state, "EINVAL", "EDESTADDRREQ")
        if not sock.is_ip:
            return Legal((refused,))
        return Legal((true(listening.set(who, local=Name(WILDCARD[sock.domain], UNKNOWN))), refused))
    return Legal((true(listening),))


def connect(state: State, who: int, name: Name) -> Legal:
    """A listener with room takes it; anybody else refuses."""
    sock = state.sockets[who]
    if sock.phase == "listening":
        to = state.at(who, name)
        if not sock.is_ip and to is not None and _is_full(state.sockets[to]):
            return UNSAID
        return Legal((fails(state, "EISCONN", "EINVAL", "EOPNOTSUPP", *(() if sock.is_ip else _NOT_THERE)),))
    if sock.phase == "connected":
        whole = not (sock.shut or _has_ended(state, sock))
        to = state.at(who, name)
        if not sock.is_ip and to is not None and _is_full(state.sockets[to]):
            return UNSAID  # it waits for room first
        # Linux looks first whether anybody listens there.
        also = () if sock.is_ip or (to is not None and state.sockets[to].phase == "listening") else _NOT_THERE
        return Legal((fails(state, "EISCONN", *also),)) if whole else UNSAID
    to = state.at(who, name)
    if to == who or is_apart(sock, name) or (to is None and not _nobody_for_sure(state, sock, name)):
        return UNSAID
    listener = state.sockets[to] if to is not None else None
    if listener is None or listener.phase != "listening":
        return _refused(state, who, listener)
    assert to is not None
    if _is_full(listener):
        return UNSAID
    connected = state.connect(who, to, name, own_name(sock, name))
    ways = [true(connected)]
    if not sock.blocking and sock.is_ip:
        trying = state.set(who, trying=True)
        ways += [fails(trying, "EINPROGRESS", *(("EALREADY",) if sock.trying else ()), for_now=True)]
    if sock.trying:
        ways += [fails(connected, "EISCONN")]
    if sock.spent:
        ways += [fails(state, "EINVAL", "ECONNABORTED")]
    return Legal(tuple(ways))


def _is_full(listener: Sock) -> bool:
    """Whether one more connection might have to wait."""
    return listener.phase == "listening" and len(listener.queue) >= max(listener.backlog, 1)


def _refused(state: State, who: int, listener: Sock | None) -> Legal:
    sock = state.sockets[who]
    if not sock.is_ip:
        return Legal((fails(state, "ECONNREFUSED", *(("ENOENT",) if listener is None else ())),))
    ways = [fails(state.set(who, local=None, trying=False, spent=True), "ECONNREFUSED")]
    if sock.spent:
        ways += [fails(state, "EINVAL", "ECONNABORTED")]
    if not sock.blocking:
        trying = state.set(who, trying=True)
        ways += [fails(trying, "EINPROGRESS", *(("EALREADY",) if sock.trying else ()), for_now=True)]
    return Legal(tuple(ways))


def _nobody_for_sure(state: State, sock: Sock, name: Name) -> bool:
    """Whether nobody has an address, and nobody, this socket neither, gets it by chance."""
    if not sock.is_ip:
        return True
    held = sock.phase != "fresh" and sock.local is not None and sock.local.port not in (0, UNKNOWN, name.port)
    return state.system.alone and held


def accept(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    """The next connection, with the address of its other end."""
    sock = state.sockets[who]
    if sock.phase != "listening":
        return Legal((fails(state, "EINVAL", "EOPNOTSUPP"),))
    if not sock.queue:
        return WAITS if sock.blocking else Legal((would_block(state),))
    # The system's order of TCP connections is that in which the handshakes ended.
    candidates = sock.queue if sock.is_ip else sock.queue[:1]
    ways = [_accepted(state, who, waiting) for waiting in candidates]
    return Legal((*ways, *([would_block(state, for_now=True)] if not sock.blocking else [])))


def _accepted(state: State, who: int, waiting: Waiting) -> Way:
    listener = state.sockets[who]
    client = seen_from(listener.domain, state.sockets[waiting.client].local or Name("", None))

    def fits(values: tuple[object, ...]) -> bool:
        return bool(values) and is_socket(values[0]) and is_name(values[1:], client)

    def then(values: tuple[object, ...]) -> State:
        queue = list(listener.queue)
        queue.remove(waiting)
        port = client.port if client.port != UNKNOWN else int(str(values[2]))
        local = listener.local
        if local is not None and listener.is_ip:
            speaks = "inet" if "." in client.host else "inet6"
            local = seen_from(listener.domain, reached_by(speaks, local, listener.domain))
        accepted = Sock(
            listener.kind,
            listener.owner,
            phase="connected",
            blocking=listener.owner == "port",
            local=local,
            remote=Name(client.host, port),
            inp=waiting.inp,
            out=waiting.out,
            options=inherited(listener),
        )
        return state.set(who, queue=tuple(queue)).add(accepted)

    return returns(f"a socket and {client}", fits, then)


# --- what goes through


def send(state: State, who: int, given: Chunk, *, named: bool = False) -> Legal:
    """Some of the bytes, at least one; `named`: with an address, which a connection has no use for."""
    sock = state.sockets[who]
    ways: list[Way] = [fails(state, "argument")] if given.refusable else []
    ways += [fails(state, "EISCONN", "EOPNOTSUPP")] if named else []
    if not given.data and (sock.phase != "connected" or "wr" in sock.shut):
        ways += [number(0, 0, lambda _: state)]  # nothing to send: a port need not ask the system
    if sock.phase != "connected":
        return Legal((*ways, fails(state, *UNCONNECTED)))
    pipe = state.pipes[sock.out]
    if "wr" in sock.shut:
        reset = pipe.gone or pipe.broken or state.pipes[sock.inp].broken
        return Legal((*ways, fails(state, "EPIPE", *(GONE if reset else ()))))
    if len(pipe.data) + len(given.data) > ROOM:
        return UNSAID
    least = min(1, len(given.data))
    # What comes to an end that neither sends nor receives any more is answered by a reset.
    if pipe.gone or pipe.broken or (pipe.deaf and state.pipes[sock.inp].ended):
        broken = state.set_pipe(sock.out, broken=True).set_pipe(sock.inp, broken=True)
        sent = broken if given.data else state
        return Legal((*ways, number(least, len(given.data), lambda _: sent), fails(broken, *GONE)))
    ways += [number(least, len(given.data), lambda n: state.set_pipe(sock.out, data=pipe.data + given.data[:n]))]
    if pipe.deaf and not sock.is_ip:
        ways += [fails(state, "EPIPE")]
    if not sock.blocking:
        ways += [would_block(state, for_now=True)]
    return Legal(tuple(ways))


def receive(state: State, who: int, limit: int, *, refusable: bool, told: bool) -> Legal:
    """The next bytes, at most `limit`; or the end. `told`: with the address of the other end, or none."""
    sock = state.sockets[who]
    ways: list[Way] = [fails(state, "argument")] if refusable else []
    if sock.phase != "connected":
        empty = [_data(state, sock, b"", b"", told)] if limit == 0 else []
        return Legal((*ways, *empty, fails(state, "ENOTCONN", "EINVAL", "EOPNOTSUPP")))
    pipe = state.pipes[sock.inp]
    if pipe.broken:
        return _receive_broken(state, who, limit, ways, told)
    if limit == 0:
        if not pipe.data and not pipe.ended and not pipe.deaf:
            if sock.blocking:
                return UNSAID
            ways += [would_block(state)]
        later = [would_block(state, for_now=True)] if not sock.blocking else []
        return Legal((*ways, _data(state, sock, b"", b"", told), *later))
    if pipe.data:
        ways += [_data(state, sock, pipe.data[:limit], pipe.data, told, sock.inp)]
    elif not (pipe.ended or pipe.deaf):
        if sock.blocking:
            return UNSAID if refusable else WAITS
        return Legal((*ways, would_block(state)))
    if pipe.deaf or (pipe.ended and not pipe.data):
        kept = pipe.deaf and state.system.keeps_data and pipe.sure > 0
        lost = state if kept else state.set_pipe(sock.inp, data=b"", sure=0)
        ways += [_data(lost, sock, b"", b"", told, for_now=kept)]
    return Legal((*ways, *([would_block(state, for_now=True)] if not sock.blocking else [])))


def _receive_broken(state: State, who: int, limit: int, ways: list[Way], told: bool) -> Legal:
    """A reset is on its way: the data, the reset, or the end once that was told."""
    sock = state.sockets[who]
    pipe = state.pipes[sock.inp]
    lost = state.set_pipe(sock.inp, data=b"")
    if pipe.data and limit:
        ways += [_data(state, sock, pipe.data[:limit], pipe.data, told, sock.inp)]
    ways += [_data(lost if limit else state, sock, b"", b"", told), fails(lost, *GONE, "ENOTCONN")]
    if not sock.blocking:
        ways += [would_block(state, for_now=True)]
    return Legal(tuple(ways))


def _data(
    state: State, sock: Sock, most: bytes, queued: bytes, told: bool, pipe: int = -1, *, for_now: bool = False
) -> Way:
    """A beginning of `most`, and not nothing of it; what is left of `queued` stays."""

    def fits(values: tuple[object, ...]) -> bool:
        if not values or not isinstance(values[0], bytes) or bool(values[0]) != bool(most):
            return False
        rest = values[1:]
        right = is_nothing(rest) or (sock.remote is not None and is_name(rest, sock.remote))
        return most.startswith(values[0]) and (right if told else not rest)

    def then(values: tuple[object, ...]) -> State:
        if pipe < 0:
            return state
        taken = len(values[0]) if isinstance(values[0], bytes) else 0
        return state.set_pipe(pipe, data=queued[taken:], sure=max(state.pipes[pipe].sure - taken, 0))

    way = returns(f"{'a beginning of ' if len(most) > 1 else ''}{shown(most)}", fits, then)
    return Way(way.says, way.fits, way.then, for_now)


# --- ends


def shutdown(state: State, who: int, how: str) -> Legal:
    """True for a connection; the other end reads the end after `wr`, this one after `rd`."""
    sock = state.sockets[who]
    if sock.phase != "connected":
        return (
            Legal((fails(state.set(who, odd=True), "ENOTCONN"),))
            if sock.is_ip and sock.phase != "listening"
            else UNSAID
        )
    if sock.trying:
        return UNSAID
    shut = sock.shut | ({"rd", "wr"} if how == "rdwr" else {how})
    then = state.set(who, shut=shut)
    if "wr" in shut:
        then = then.set_pipe(sock.out, ended=True)
    pipe = state.pipes[sock.inp]
    if "rd" in shut and not pipe.deaf:
        then = then.set_pipe(sock.inp, deaf=True, sure=len(pipe.data))
    if shut == {"rd", "wr"} and pipe.data and sock.is_ip:
        # If it was on its way only, it is answered by a reset.
        then = then.set_pipe(sock.inp, broken=True).set_pipe(sock.out, broken=True)
    ways = [true(then)]
    if sock.shut or _has_ended(state, sock):
        ways += [fails(then, "ENOTCONN", "EINVAL", "ECONNRESET")]
    return Legal(tuple(ways))


def _has_ended(state: State, sock: Sock) -> bool:
    inp, out = state.pipes[sock.inp], state.pipes[sock.out]
    return inp.ended or inp.broken or out.broken or out.gone


def closed(state: State, who: int) -> State:
    """What the closing of a stream leaves to the others: an end, or a reset where something was not read."""
    sock = state.sockets[who]
    ends = [(sock.inp, sock.out)] if sock.is_stream and sock.phase == "connected" else []
    ends += [(waiting.inp, waiting.out) for waiting in sock.queue]
    for inp, out in ends:
        unread = state.pipes[inp]
        # A listener's connections that nobody accepted are reset.
        reset = bool(unread.data) or unread.broken or sock.phase == "listening"
        state = state.set_pipe(inp, gone=True, data=b"")
        state = state.set_pipe(out, ended=True, broken=state.pipes[out].broken or reset)
    return state
