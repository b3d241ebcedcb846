"""The rules of streams: making connections, sending and receiving on them, and ending them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nixio_conformance.driver.text import show
from nixio_conformance.driver.wire import Argument
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
    is_socket,
    returns,
    true,
    would_block,
)
from nixio_conformance.model.socket_rules import inherited_options
from nixio_conformance.model.state import (
    UNKNOWN,
    WILDCARD,
    Address,
    QueuedConnection,
    Sock,
    State,
    as_seen_by,
    connected_address,
    families_may_differ,
    reachable_address,
    surely_unbound,
)

#: Errors of connect() for a UNIX path without a listener.
_NO_LISTENER_ERRORS = ("ECONNREFUSED", "ENOENT")
#: Errors of a call on a connection that was reset, or whose other end is closed.
_RESET_ERRORS = ("EPIPE", "ECONNRESET")


# --- making connections


def listen(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    """A bound socket listens; a fresh IP socket is bound by the system first."""
    sock = state.sockets[index]
    if not sock.is_stream:
        return Allowed((fails(state, "EOPNOTSUPP", "EINVAL"),))
    if sock.phase == "connected":
        return Allowed((fails(state, "EINVAL", "EISCONN"),))
    if sock.local is None:
        return UNSPECIFIED
    backlog = int(str(arguments[0]))
    listening = state.set(index, phase="listening", backlog=backlog)
    if sock.phase == "fresh":
        not_bound = fails(state, "EINVAL", "EDESTADDRREQ")
        if not sock.is_ip:
            return Allowed((not_bound,))
        return Allowed((true(listening.set(index, local=Address(WILDCARD[sock.domain], UNKNOWN))), not_bound))
    return Allowed((true(listening),))


def connect(state: State, index: int, address: Address) -> Allowed:
    """Connects to a listener with room in its queue; refused if no socket listens."""
    sock = state.sockets[index]
    to = state.socket_at(index, address)
    if sock.phase in ("listening", "connected"):
        return _connect_again(state, sock, to)
    if to == index or families_may_differ(sock, address):
        return UNSPECIFIED
    if to is None and not surely_unbound(state, sock, address):
        return UNSPECIFIED
    listener = state.sockets[to] if to is not None else None
    if to is None or listener is None or listener.phase != "listening":
        return _refused(state, index, listener)
    if _is_full(state, listener):
        return UNSPECIFIED
    connected = state.connect(index, to, address, connected_address(sock, address))
    outcomes = [true(connected)]
    if not sock.blocking and sock.is_ip:
        outcomes += [_in_progress(state, index)]
    if sock.connecting:
        outcomes += [fails(connected, "EISCONN")]
    if sock.connect_failed:
        outcomes += [fails(state, "EINVAL", "ECONNABORTED")]
    return Allowed(tuple(outcomes))


def _connect_again(state: State, sock: Sock, to: int | None) -> Allowed:
    """connect() on a socket that listens or is connected fails; on UNIX it may report the state of the target first."""
    target = state.sockets[to] if to is not None else None
    if not sock.is_ip and target is not None and _is_full(state, target):
        return UNSPECIFIED  # it may block for room in the queue before it fails
    if sock.phase == "listening":
        no_listener = () if sock.is_ip else _NO_LISTENER_ERRORS
        return Allowed((fails(state, "EISCONN", "EINVAL", "EOPNOTSUPP", *no_listener),))
    if sock.shut or _has_ended(state, sock):
        return UNSPECIFIED
    # Linux looks for a listener first.
    no_listener = () if sock.is_ip or (target is not None and target.phase == "listening") else _NO_LISTENER_ERRORS
    return Allowed((fails(state, "EISCONN", *no_listener),))


def _is_full(state: State, listener: Sock) -> bool:
    """True if one more connection might have to wait for room in the queue."""
    room = min(listener.backlog, state.system.waiting[listener.kind.id])
    return listener.phase == "listening" and len(listener.queue) >= max(room, 1)


def _refused(state: State, index: int, target: Sock | None) -> Allowed:
    """No socket listens at the address; `target` is bound to it or None."""
    sock = state.sockets[index]
    if not sock.is_ip:
        return Allowed((fails(state, "ECONNREFUSED", *(("ENOENT",) if target is None else ())),))
    failed = state.set(index, local=None, connecting=False, connect_failed=True)
    outcomes = [fails(failed, "ECONNREFUSED")]
    if sock.connect_failed:
        outcomes += [fails(state, "EINVAL", "ECONNABORTED")]
    if not sock.blocking:
        outcomes += [_in_progress(state, index)]
    return Allowed(tuple(outcomes))


def _in_progress(state: State, index: int) -> AllowedOutcome:
    """A non-blocking connect() has not finished; calling it again reports how it ended."""
    already = ("EALREADY",) if state.sockets[index].connecting else ()
    return fails(state.set(index, connecting=True), "EINPROGRESS", *already, transient=True)


def accept(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    """The next connection of the queue, with the address of the client."""
    sock = state.sockets[index]
    if sock.phase != "listening":
        return Allowed((fails(state, "EINVAL", "EOPNOTSUPP"),))
    if not sock.queue:
        return BLOCKS if sock.blocking else Allowed((would_block(state),))
    # TCP connections are queued in the order in which their handshakes end.
    candidates = sock.queue if sock.is_ip else sock.queue[:1]
    outcomes = [_accepted(state, index, connection) for connection in candidates]
    return Allowed((*outcomes, *([would_block(state, transient=True)] if not sock.blocking else [])))


def _accepted(state: State, index: int, connection: QueuedConnection) -> AllowedOutcome:
    listener = state.sockets[index]
    client = as_seen_by(listener.domain, state.sockets[connection.client].local or Address("", None))

    def matches(values: tuple[object, ...]) -> bool:
        return bool(values) and is_socket(values[0]) and is_address(values[1:], client)

    def next_state(values: tuple[object, ...]) -> State:
        queue = list(listener.queue)
        queue.remove(connection)
        port = client.port if client.port != UNKNOWN else int(str(values[2]))
        local = listener.local
        if local is not None and listener.is_ip:
            client_domain = "inet" if "." in client.host else "inet6"
            local = as_seen_by(listener.domain, reachable_address(client_domain, local, listener.domain))
        accepted = Sock(
            listener.kind,
            listener.owner,
            phase="connected",
            blocking=listener.owner == "implementation",
            local=local,
            remote=Address(client.host, port),
            inp=connection.inp,
            out=connection.out,
            options=inherited_options(listener),
        )
        return state.set(index, queue=tuple(queue)).add(accepted)

    return returns(f"a socket and {client}", matches, next_state)


# --- sending and receiving


def send(state: State, index: int, chunk: Chunk, *, with_address: bool = False) -> Allowed:
    """Sends at least one byte of the chunk. A stream may ignore or refuse the address that sendto() passes."""
    sock = state.sockets[index]
    outcomes: list[AllowedOutcome] = [fails(state, "argument")] if chunk.refusable else []
    outcomes += [fails(state, "EISCONN", "EOPNOTSUPP")] if with_address else []
    if not chunk.data and (sock.phase != "connected" or "wr" in sock.shut):
        outcomes += [integer(0, 0, lambda _: state)]  # an implementation need not call the system for 0 bytes
    if sock.phase != "connected":
        return Allowed((*outcomes, fails(state, *NOT_CONNECTED_ERRORS)))
    pipe = state.pipes[sock.out]
    if "wr" in sock.shut:
        reset = pipe.reader_closed or pipe.reset or state.pipes[sock.inp].reset
        return Allowed((*outcomes, fails(state, "EPIPE", *(_RESET_ERRORS if reset else ()))))
    room = state.system.room[sock.kind.id]
    if pipe.writes >= room.messages or len(pipe.data) + len(chunk.data) > room.bytes:
        return UNSPECIFIED
    least = min(1, len(chunk.data))
    # Data for an end that is closed, or shut down in both directions, is answered with a reset.
    if pipe.reader_closed or pipe.reset or (pipe.reader_shut and state.pipes[sock.inp].eof):
        reset_state = state.set_pipe(sock.out, reset=True).set_pipe(sock.inp, reset=True)
        sent = reset_state if chunk.data else state
        return Allowed((*outcomes, integer(least, len(chunk.data), lambda _: sent), fails(reset_state, *_RESET_ERRORS)))
    outcomes += [integer(least, len(chunk.data), lambda count: _sent(state, sock.out, chunk.data[:count]))]
    if pipe.reader_shut and not sock.is_ip:
        outcomes += [fails(state, "EPIPE")]
    if not sock.blocking:
        outcomes += [would_block(state, transient=True)]
    return Allowed(tuple(outcomes))


def _sent(state: State, pipe: int, data: bytes) -> State:
    before = state.pipes[pipe]
    return state.set_pipe(pipe, data=before.data + data, writes=before.writes + bool(data))


def receive(state: State, index: int, limit: int, *, refusable: bool, with_address: bool) -> Allowed:
    """Returns the next bytes, at most `limit`, or EOF; `with_address`: followed by the remote address or none."""
    sock = state.sockets[index]
    outcomes: list[AllowedOutcome] = [fails(state, "argument")] if refusable else []
    if sock.phase != "connected":
        empty = [_empty(state, sock, with_address)] if limit == 0 else []
        return Allowed((*outcomes, *empty, fails(state, "ENOTCONN", "EINVAL", "EOPNOTSUPP")))
    pipe = state.pipes[sock.inp]
    if pipe.reset:
        return _receive_after_reset(state, index, limit, outcomes, with_address)
    not_yet = [] if sock.blocking else [would_block(state, transient=True)]
    if limit == 0:
        if not pipe.data and not pipe.eof and not pipe.reader_shut:
            if sock.blocking:
                return UNSPECIFIED
            outcomes += [would_block(state)]
        return Allowed((*outcomes, _empty(state, sock, with_address), *not_yet))
    if pipe.data:
        outcomes += [_data(state, sock, limit, with_address)]
    elif not (pipe.eof or pipe.reader_shut):
        if sock.blocking:
            return UNSPECIFIED if refusable else BLOCKS
        return Allowed((*outcomes, would_block(state)))
    if pipe.reader_shut or (pipe.eof and not pipe.data):
        kept = pipe.reader_shut and state.system.keeps_data and pipe.guaranteed > 0
        at_eof = state if kept else state.set_pipe(sock.inp, data=b"", guaranteed=0)
        outcomes += [replace(_empty(at_eof, sock, with_address), transient=kept)]
    return Allowed((*outcomes, *not_yet))


def _receive_after_reset(
    state: State, index: int, limit: int, outcomes: list[AllowedOutcome], with_address: bool
) -> Allowed:
    """A reset is in flight: returns data that arrived before it, fails, or returns EOF once the reset was reported."""
    sock = state.sockets[index]
    lost = state.set_pipe(sock.inp, data=b"")
    if state.pipes[sock.inp].data and limit:
        outcomes += [_data(state, sock, limit, with_address)]
    outcomes += [_empty(lost if limit else state, sock, with_address), fails(lost, *_RESET_ERRORS, "ENOTCONN")]
    if not sock.blocking:
        outcomes += [would_block(state, transient=True)]
    return Allowed(tuple(outcomes))


def _data(state: State, sock: Sock, limit: int, with_address: bool) -> AllowedOutcome:
    """A prefix of the socket's unread data, of 1 to `limit` bytes; the rest stays unread."""
    pipe = state.pipes[sock.inp]
    most = pipe.data[:limit]

    def matches(values: tuple[object, ...]) -> bool:
        if not values or not isinstance(values[0], bytes) or not values[0]:
            return False
        return most.startswith(values[0]) and _is_source(values[1:], sock, with_address)

    def next_state(values: tuple[object, ...]) -> State:
        taken = len(values[0]) if isinstance(values[0], bytes) else 0
        left = pipe.data[taken:]
        guaranteed = max(pipe.guaranteed - taken, 0)
        return state.set_pipe(sock.inp, data=left, writes=pipe.writes if left else 0, guaranteed=guaranteed)

    return returns(f"{'a prefix of ' if len(most) > 1 else ''}{show(most)}", matches, next_state)


def _empty(next_state: State, sock: Sock, with_address: bool) -> AllowedOutcome:
    """No bytes: EOF, or the result of a call with length 0."""

    def matches(values: tuple[object, ...]) -> bool:
        if not values or not isinstance(values[0], bytes) or values[0]:
            return False
        return _is_source(values[1:], sock, with_address)

    return returns(show(b""), matches, lambda _: next_state)


def _is_source(values: tuple[object, ...], sock: Sock, with_address: bool) -> bool:
    """True if what follows the data is right: nothing, or for recvfrom() the remote address or none."""
    if not with_address:
        return not values
    return is_no_address(values) or (sock.remote is not None and is_address(values, sock.remote))


# --- ending connections


def shutdown(state: State, index: int, how: str) -> Allowed:
    """True for a connected socket; after `wr` the other end reads EOF, after `rd` this one may."""
    sock = state.sockets[index]
    if sock.phase != "connected":
        if not sock.is_ip or sock.phase == "listening":
            return UNSPECIFIED
        return Allowed((fails(state.set(index, shutdown_failed=True), "ENOTCONN"),))
    if sock.connecting:
        return UNSPECIFIED
    shut = sock.shut | ({"rd", "wr"} if how == "rdwr" else {how})
    after = state.set(index, shut=shut)
    if "wr" in shut:
        after = after.set_pipe(sock.out, eof=True)
    pipe = state.pipes[sock.inp]
    if "rd" in shut and not pipe.reader_shut:
        after = after.set_pipe(sock.inp, reader_shut=True, guaranteed=len(pipe.data))
    if shut == {"rd", "wr"} and pipe.data and sock.is_ip:
        # Data that was still in flight is answered with a reset.
        after = after.set_pipe(sock.inp, reset=True).set_pipe(sock.out, reset=True)
    outcomes = [true(after)]
    if sock.shut or _has_ended(state, sock):
        outcomes += [fails(after, "ENOTCONN", "EINVAL", "ECONNRESET")]
    return Allowed(tuple(outcomes))


def _has_ended(state: State, sock: Sock) -> bool:
    """True if the other end has shut down or closed, or a reset is in flight."""
    inp, out = state.pipes[sock.inp], state.pipes[sock.out]
    return inp.eof or inp.reset or out.reset or out.reader_closed


def after_close(state: State, index: int) -> State:
    """The pipes after close(): the other ends read EOF, or are reset where data was unread."""
    sock = state.sockets[index]
    ends = [(sock.inp, sock.out)] if sock.is_stream and sock.phase == "connected" else []
    ends += [(connection.inp, connection.out) for connection in sock.queue]
    for inp, out in ends:
        unread = state.pipes[inp]
        # Connections that were not accepted are reset with their listener.
        reset = bool(unread.data) or unread.reset or sock.phase == "listening"
        state = state.set_pipe(inp, reader_closed=True, data=b"")
        state = state.set_pipe(out, eof=True, reset=state.pipes[out].reset or reset)
    return state
