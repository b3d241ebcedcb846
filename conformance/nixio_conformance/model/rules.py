"""The model's face: which outcomes of a call are legal, and what follows from the one that came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from nixio_conformance.driver.outcome import Outcome
from nixio_conformance.driver.text import show
from nixio_conformance.driver.wire import Argument
from nixio_conformance.model import messages, names, streams
from nixio_conformance.model.state import Name, Sock, State
from nixio_conformance.model.ways import UNSAID, Legal, fails, is_socket, returns, true
from nixio_fixtures import Kind

Rule = Callable[[State, int, Sequence[Argument]], Legal]


@dataclass(frozen=True)
class Call:
    """A call on a socket, by its place in the state."""

    who: int
    method: str
    arguments: tuple[Argument, ...] = ()

    def __str__(self) -> str:
        return f"{self.method}({', '.join(show(argument) for argument in self.arguments)})"


def legal(state: State, call: Call) -> Legal:
    """What a call may come to now."""
    if state.sockets[call.who].phase == "closed":
        return Legal((fails(state, "argument", "EBADF"),))
    if state.sockets[call.who].odd and call.method not in _ODD:
        return UNSAID
    return RULES[call.method](state, call.who, call.arguments)


def after(state: State, call: Call, outcome: Outcome) -> State:
    """What the sockets are after a call with that outcome; ValueError for one that is not legal."""
    way = legal(state, call).match(outcome)
    if way is None:
        raise ValueError(f"{call} cannot come to {outcome}")
    return way.then(outcome)


def opened(state: State, kind: Kind, owner: str) -> Legal:
    """What the factory may come to."""
    fresh = Sock(kind, "port" if owner == "port" else "peer", blocking=owner == "port")
    return Legal(
        (
            returns(
                "a socket",
                lambda values: len(values) == 1 and is_socket(values[0]),
                lambda _: state.add(fresh),
            ),
        )
    )


def _connect(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    connect = streams.connect if state.sockets[who].is_stream else messages.connect
    return connect(state, who, _name(state, who, arguments))


def _name(state: State, who: int, arguments: Sequence[Argument]) -> Name:
    host, port = arguments[:2]
    return Name(str(host), int(str(port)) if state.sockets[who].is_ip else None)


def _send(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    given = streams.chunk(*arguments)
    if state.sockets[who].is_stream:
        return streams.send(state, who, given)
    return messages.send(state, who, given)


def _sendto(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    buffer, *address = arguments[:3]
    given = streams.chunk(buffer, *arguments[3:])
    if not state.sockets[who].is_stream:
        return messages.send(state, who, given, _name(state, who, address))
    return streams.send(state, who, given, named=True)


def _receive(told: bool) -> Rule:
    def rule(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
        length = int(str(arguments[0]))
        most = state.system.buffersize if state.sockets[who].owner == "port" else max(length, 0)
        limit = min(length, most) if length >= 0 else most
        receive = streams.receive if state.sockets[who].is_stream else messages.receive
        return receive(state, who, limit, refusable=length < 0, told=told)

    return rule


def _shutdown(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    how = str(arguments[0]) if arguments else "rdwr"
    if how not in ("rd", "wr", "rdwr"):
        return Legal((fails(state, "argument"),))
    shutdown = streams.shutdown if state.sockets[who].is_stream else messages.shutdown
    return shutdown(state, who, how)


def _close(state: State, who: int, arguments: Sequence[Argument]) -> Legal:
    then = streams.closed(state, who)
    gone = replace(then.sockets[who], phase="closed", descriptor=None, queue=(), messages=())
    return Legal((true(replace(then, sockets=(*then.sockets[:who], gone, *then.sockets[who + 1 :]))),))


#: Methods that a failed shutdown changes nothing for.
_ODD = ("close", "fileno", "setblocking", "setopt", "getopt", "getsockname", "getpeername")
#: The rule of each method.
RULES: dict[str, Rule] = {
    "getsockname": names.getsockname,
    "getpeername": names.getpeername,
    "bind": names.bind,
    "connect": _connect,
    "listen": streams.listen,
    "accept": streams.accept,
    "sendto": _sendto,
    "send": _send,
    "write": _send,
    "recvfrom": _receive(True),
    "recv": _receive(False),
    "read": _receive(False),
    "close": _close,
    "shutdown": _shutdown,
    "fileno": names.fileno,
    "setblocking": names.setblocking,
    "setopt": names.setopt,
    "getopt": names.getopt,
}

__all__ = ["RULES", "UNSAID", "Call", "after", "legal", "opened"]
