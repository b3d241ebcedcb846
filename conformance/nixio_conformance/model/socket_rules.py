"""The rules of methods that read or change one socket's own state: addresses, descriptor, blocking mode, options."""

from __future__ import annotations

from collections.abc import Sequence

from nixio_conformance.driver.wire import Argument
from nixio_conformance.model.outcomes import (
    UNSPECIFIED,
    Allowed,
    AllowedOutcome,
    fails,
    is_address,
    is_int,
    returns,
    true,
)
from nixio_conformance.model.state import UNKNOWN, WILDCARD, Address, Sock, State
from nixio_fixtures import Option, Value, load

#: Options whose effect a sequence does not observe, and values to set. The timeouts are too long to expire.
OPTIONS: dict[str, tuple[Value, ...]] = {
    "socket.keepalive": (1, 0),
    "socket.broadcast": (1, 0),
    "socket.oobinline": (1, 0),
    "socket.priority": (3, 6, 0),
    "socket.rcvtimeo": ((100, 0), (77, 0), (0, 0)),
    "socket.sndtimeo": ((100, 0), (55, 0), (0, 0)),
    "tcp.nodelay": (1, 0),
    "ip.multicast_ttl": (5, 255, 1),
    "ipv6.multicast_hops": (7, 1),
}
_FIXTURES = load()
_ROWS = {key: _FIXTURES.option(key) for key in OPTIONS}


def getsockname(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    """The local address; a port number that the system has chosen is stored."""
    sock = state.sockets[index]
    expected = sock.local
    if expected is None:
        return Allowed((returns("an address", _is_any_address, lambda _: state),))
    outcomes = [_local_address(state, index, expected)]
    if sock.phase == "connected" and not _is_whole(state, sock):
        outcomes += [fails(state, "EINVAL", "ECONNRESET")]  # BSD, after a reset
    return Allowed(tuple(outcomes))


def _local_address(state: State, index: int, expected: Address) -> AllowedOutcome:
    def next_state(values: tuple[object, ...]) -> State:
        if expected.port != UNKNOWN:
            return state
        return state.set(index, local=Address(expected.host, int(str(values[1]))))

    return returns(str(expected), lambda values: is_address(values, expected), next_state)


def _is_any_address(values: tuple[object, ...]) -> bool:
    return len(values) == 2 and type(values[0]) is str and is_int(values[1]) and 0 <= int(str(values[1])) < 65536


def getpeername(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    """The remote address; ENOTCONN without a connection, and possibly after its end."""
    sock = state.sockets[index]
    if sock.phase != "connected" or sock.remote is None:
        return Allowed((fails(state, "ENOTCONN"),))
    remote = sock.remote
    outcomes = [returns(str(remote), lambda values: is_address(values, remote), lambda _: state)]
    if sock.pending_error or not _is_whole(state, sock):
        outcomes += [fails(state, "ENOTCONN", "EINVAL", "ECONNRESET")]
    return Allowed(tuple(outcomes))


def _is_whole(state: State, sock: Sock) -> bool:
    """True if neither direction has been shut down, closed or reset."""
    if not sock.is_stream or sock.phase != "connected":
        return not sock.shut
    inp, out = state.pipes[sock.inp], state.pipes[sock.out]
    return not (sock.shut or inp.eof or inp.reset or out.reset or out.reader_closed)


def bind(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    """A fresh socket gets the address unless it is in use; any other is bound already, so the call fails."""
    sock = state.sockets[index]
    host = WILDCARD[sock.domain] if arguments[0] is None else str(arguments[0])
    address = Address(host, int(str(arguments[1])) if sock.is_ip else None)
    if sock.phase != "fresh":
        return _bind_again(state, sock, address)
    local = address if address.port != 0 else Address(address.host, UNKNOWN)
    outcomes = [true(state.set(index, phase="bound", local=local))]
    if sock.local is None or sock.connect_failed:
        outcomes += [fails(state, "EINVAL")]
    if state.is_bound(address):
        outcomes = [fails(state, "EADDRINUSE"), *outcomes[1:]]
    elif address.port != 0 and state.was_used(address):
        outcomes += [fails(state, "EADDRINUSE")]  # a connection in TIME_WAIT, or a socket file that was not removed
    return Allowed(tuple(outcomes))


def _bind_again(state: State, sock: Sock, address: Address) -> Allowed:
    if sock.is_stream and sock.phase == "connected" and not _is_whole(state, sock):
        return UNSPECIFIED  # after the end of its connection, a socket may be bound again
    if sock.connect_failed:
        return UNSPECIFIED  # likewise: after a refused connect, Linux releases a port number that it chose itself
    if not (sock.is_ip or (sock.local is not None and sock.local.host)):
        return UNSPECIFIED
    in_use = ("EADDRINUSE",) if state.was_used(address) else ()  # systems differ in which error they check first
    return Allowed((fails(state, "EINVAL", *in_use),))


def fileno(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    """The same number each time, and one that no other open socket of the implementation has."""
    known = state.sockets[index].descriptor
    others = {sock.descriptor for other, sock in state.open() if other != index and sock.owner == "implementation"}

    def matches(values: tuple[object, ...]) -> bool:
        if len(values) != 1 or not is_int(values[0]):
            return False
        return values[0] == known if known is not None else int(str(values[0])) >= 0 and values[0] not in others

    text = str(known) if known is not None else "a number that no other open socket has"
    return Allowed((returns(text, matches, lambda values: state.set(index, descriptor=int(str(values[0])))),))


def setblocking(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    """True; the mode is changed."""
    return Allowed((true(state.set(index, blocking=bool(arguments[0]))),))


def setopt(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    """True; the value is stored."""
    sock, key = state.sockets[index], _key(arguments)
    if not applies(key, sock):
        return UNSPECIFIED
    stored = {**dict(sock.options), key: (arguments[2],)}
    return Allowed((true(state.set(index, options=tuple(sorted(stored.items())))),))


def getopt(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    """The value that was set, or else the default."""
    sock, key = state.sockets[index], _key(arguments)
    if not applies(key, sock):
        return UNSPECIFIED
    allowed = [value if isinstance(value, tuple) else (value,) for value in _possible_values(key, sock)]
    text = " or ".join(str(values[0]) if len(values) == 1 else str(values) for values in allowed)
    return Allowed((returns(text, lambda values: values in allowed, lambda _: state),))


def _key(arguments: Sequence[Argument]) -> str:
    return f"{arguments[0]!s}.{arguments[1]!s}"


def _possible_values(key: str, sock: Sock) -> tuple[Argument, ...]:
    return dict(sock.options).get(key, (_row(key).default,))


def applies(key: str, sock: Sock) -> bool:
    """True if sockets of this kind have the option, on every system that has it at all."""
    return sock.kind.id in {kind.id for kind in _FIXTURES.select_kinds(_row(key).set)}


def inherited_options(listener: Sock) -> tuple[tuple[str, tuple[Argument, ...]], ...]:
    """The options of an accepted socket: the listener's value or the default; systems differ."""
    return tuple((key, (*values, _row(key).default)) for key, values in listener.options)


def _row(key: str) -> Option:
    return _ROWS[key]
