"""The rules of what belongs to the socket itself: its addresses, its descriptor, its mode, its options."""

from __future__ import annotations

from collections.abc import Sequence

from nixio_conformance.driver.wire import Argument
from nixio_conformance.model.state import UNKNOWN, WILDCARD, Name, Sock, State
from nixio_conformance.model.ways import UNSAID, Legal, Way, fails, is_int, is_name, returns, true
from nixio_fixtures import Option, Value, load

#: Options that are only stored, as far as a play can see, and values to store. Timeouts are too long to run out.
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
#: Where what was never set is not the tables' business: a system may hand it from the listener to the connection.
_TABLE = load()


def getsockname(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    """Its own address; a port that the system has chosen is learned."""
    sock = state.sockets[who]
    expected = sock.local
    if expected is None:
        return Legal((returns("an address", _is_address, lambda _: state),))
    ways = [_name(state, who, expected)]
    if sock.phase == "connected" and not _is_whole(state, sock):
        ways += [fails(state, "EINVAL", "ECONNRESET")]  # what BSD says of a connection that was reset
    return Legal(tuple(ways))


def _name(state: State, who: int, expected: Name) -> Way:
    def learned(values: tuple[object, ...]) -> State:
        return state.set(who, local=Name(expected.host, int(str(values[1])))) if expected.port == UNKNOWN else state

    return returns(str(expected), lambda values: is_name(values, expected), learned)


def _is_address(values: tuple[object, ...]) -> bool:
    return len(values) == 2 and type(values[0]) is str and is_int(values[1]) and 0 <= int(str(values[1])) < 65536


def getpeername(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    """The other end's address as long as there is one."""
    sock = state.sockets[who]
    if sock.phase != "connected" or sock.remote is None:
        return Legal((fails(state, "ENOTCONN"),))
    remote = sock.remote
    ways = [returns(str(remote), lambda values: is_name(values, remote), lambda _: state)]
    if sock.refused or not _is_whole(state, sock):
        ways += [fails(state, "ENOTCONN", "EINVAL", "ECONNRESET")]
    return Legal(tuple(ways))


def _is_whole(state: State, sock: Sock) -> bool:
    """Whether both directions are open as far as anybody has been told."""
    if not sock.is_stream or sock.phase != "connected":
        return not sock.shut
    inp, out = state.pipes[sock.inp], state.pipes[sock.out]
    return not (sock.shut or inp.ended or inp.broken or out.broken or out.gone)


def bind(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    """A fresh socket gets the address, unless somebody has it; any other has one already."""
    sock = state.sockets[who]
    host = WILDCARD[sock.domain] if arguments[0] is None else str(arguments[0])
    name = Name(host, int(str(arguments[1])) if sock.is_ip else None)
    if sock.phase != "fresh":
        if sock.is_stream and sock.phase == "connected" and not _is_whole(state, sock):
            return UNSAID  # a connection that has ended may leave a socket that can be bound again
        if sock.spent:
            return UNSAID  # and so may a connect that was refused, as Linux lets go of a port that it chose itself
        has_name = sock.is_ip or (sock.local is not None and sock.local.host)
        taken = ("EADDRINUSE",) if state.was_there(name) else ()  # which of the two is told first is the system's
        return Legal((fails(state, "EINVAL", *taken),)) if has_name else UNSAID
    bound = state.set(who, phase="bound", local=name if name.port != 0 else Name(name.host, UNKNOWN))
    ways = [true(bound)]
    if sock.local is None or sock.spent:
        ways += [fails(state, "EINVAL")]
    if state.is_held(name):
        ways = [fails(state, "EADDRINUSE"), *ways[1:]]
    elif name.port != 0 and state.was_there(name):
        ways += [fails(state, "EADDRINUSE")]  # its connections linger on, or the file is still there
    return Legal(tuple(ways))


def fileno(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    """The same number each time, and nobody else's."""
    known = state.sockets[who].descriptor
    others = {sock.descriptor for number, sock in state.open() if number != who and sock.owner == "port"}

    def fits(values: tuple[object, ...]) -> bool:
        if len(values) != 1 or not is_int(values[0]):
            return False
        return values[0] == known if known is not None else int(str(values[0])) >= 0 and values[0] not in others

    says = str(known) if known is not None else "a number that no other open socket has"
    return Legal((returns(says, fits, lambda values: state.set(who, descriptor=int(str(values[0])))),))


def setblocking(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    """True, and the mode is that."""
    return Legal((true(state.set(who, blocking=bool(arguments[0]))),))


def setopt(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    """True, and the value is stored."""
    sock, key = state.sockets[who], _key(arguments)
    if not applies(key, sock):
        return UNSAID
    stored = {**dict(sock.options), key: (arguments[2],)}
    return Legal((true(state.set(who, options=tuple(sorted(stored.items())))),))


def getopt(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    """What was stored, or what a fresh socket has."""
    sock, key = state.sockets[who], _key(arguments)
    if not applies(key, sock):
        return UNSAID
    allowed = [_values(value) for value in possible(key, sock)]
    return Legal((returns(" or ".join(map(_told, allowed)), lambda values: values in allowed, lambda _: state),))


def _key(arguments: Sequence[Argument]) -> str:
    return f"{arguments[0]!s}.{arguments[1]!s}"


def _values(value: Argument) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _told(values: tuple[object, ...]) -> str:
    return str(values[0]) if len(values) == 1 else str(values)


def applies(key: str, sock: Sock) -> bool:
    """Whether an option is one of this kind of socket, everywhere that it exists."""
    option = _option(key)
    return sock.kind.id in {kind.id for kind in _TABLE.select_kinds(option.set)}


def possible(key: str, sock: Sock) -> tuple[Argument, ...]:
    """The values that an option may have now."""
    return dict(sock.options).get(key, (_option(key).default,))


def inherited(listener: Sock) -> tuple[tuple[str, tuple[Argument, ...]], ...]:
    """The options of a connection that a listener accepted: its own, or a fresh socket's; systems differ."""
    return tuple((key, (*values, _option(key).default)) for key, values in listener.options)


_OPTIONS = {key: _TABLE.option(key) for key in OPTIONS}


def _option(key: str) -> Option:
    return _OPTIONS[key]
