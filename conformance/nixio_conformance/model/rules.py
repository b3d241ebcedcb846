"""The model's interface: which outcomes of a call are allowed, and the state after the outcome that occurred."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from nixio_conformance.driver.outcome import Outcome
from nixio_conformance.driver.text import show
from nixio_conformance.driver.wire import Argument
from nixio_conformance.model import datagram_rules, socket_rules, stream_rules
from nixio_conformance.model.chunk import select_chunk
from nixio_conformance.model.outcomes import UNSPECIFIED, Allowed, fails, is_socket, returns, true
from nixio_conformance.model.state import Address, Owner, Sock, State
from nixio_fixtures import Kind

#: The rule of a method: from the state, the index of the socket and the arguments.
Rule = Callable[[State, int, Sequence[Argument]], Allowed]


@dataclass(frozen=True)
class SocketCall:
    """A method call on the socket with this index in the state."""

    index: int
    method: str
    arguments: tuple[Argument, ...] = ()

    def __str__(self) -> str:
        return f"{self.method}({', '.join(show(argument) for argument in self.arguments)})"


def allowed(state: State, call: SocketCall) -> Allowed:
    """The outcomes of a call that are allowed in a state."""
    sock = state.sockets[call.index]
    if sock.phase == "closed":
        return Allowed((fails(state, "argument", "EBADF"),))
    if sock.shutdown_failed and call.method not in _SPECIFIED_AFTER_FAILED_SHUTDOWN:
        return UNSPECIFIED
    return RULES[call.method](state, call.index, call.arguments)


def next_state(state: State, call: SocketCall, outcome: Outcome) -> State:
    """The state after a call with this outcome. Raises ValueError for an outcome that is not allowed."""
    match = allowed(state, call).match(outcome)
    if match is None:
        raise ValueError(f"{call}: {outcome} is not allowed")
    return match.next_state(outcome)


def create(state: State, kind: Kind, owner: Owner) -> Allowed:
    """The allowed outcome of socket(): one more socket. An implementation's is blocking, a peer's is not."""
    fresh = Sock(kind, owner, blocking=owner == "implementation")
    return Allowed(
        (
            returns(
                "a socket",
                lambda values: len(values) == 1 and is_socket(values[0]),
                lambda _: state.add(fresh),
            ),
        )
    )


def _connect(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    connect = stream_rules.connect if state.sockets[index].is_stream else datagram_rules.connect
    return connect(state, index, _address(state, index, arguments))


def _address(state: State, index: int, arguments: Sequence[Argument]) -> Address:
    host, port = arguments[:2]
    return Address(str(host), int(str(port)) if state.sockets[index].is_ip else None)


def _send(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    send = stream_rules.send if state.sockets[index].is_stream else datagram_rules.send
    return send(state, index, select_chunk(*arguments))


def _sendto(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    buffer, *address = arguments[:3]
    chunk = select_chunk(buffer, *arguments[3:])
    if state.sockets[index].is_stream:
        return stream_rules.send(state, index, chunk, with_address=True)
    return datagram_rules.send(state, index, chunk, _address(state, index, address))


def _receive(with_address: bool) -> Rule:
    def rule(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
        length = int(str(arguments[0]))
        # Only the implementation limits what one call returns; the standard library's socket does not.
        most = state.system.buffersize if state.sockets[index].owner == "implementation" else max(length, 0)
        limit = min(length, most) if length >= 0 else most
        receive = stream_rules.receive if state.sockets[index].is_stream else datagram_rules.receive
        return receive(state, index, limit, refusable=length < 0, with_address=with_address)

    return rule


def _shutdown(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    how = str(arguments[0]) if arguments else "rdwr"
    if how not in ("rd", "wr", "rdwr"):
        return Allowed((fails(state, "argument"),))
    shutdown = stream_rules.shutdown if state.sockets[index].is_stream else datagram_rules.shutdown
    return shutdown(state, index, how)


def _close(state: State, index: int, arguments: Sequence[Argument]) -> Allowed:
    after = stream_rules.after_close(state, index)
    closed = replace(after.sockets[index], phase="closed", descriptor=None, queue=(), messages=())
    return Allowed((true(replace(after, sockets=(*after.sockets[:index], closed, *after.sockets[index + 1 :]))),))


#: Methods whose outcome does not depend on whether a failed shutdown() had an effect.
_SPECIFIED_AFTER_FAILED_SHUTDOWN = (
    "close", "fileno", "setblocking", "setopt", "getopt", "getsockname", "getpeername",
)  # fmt: skip
RULES: dict[str, Rule] = {
    "getsockname": socket_rules.getsockname,
    "getpeername": socket_rules.getpeername,
    "bind": socket_rules.bind,
    "connect": _connect,
    "listen": stream_rules.listen,
    "accept": stream_rules.accept,
    "sendto": _sendto,
    "send": _send,
    "write": _send,
    "recvfrom": _receive(True),
    "recv": _receive(False),
    "read": _receive(False),
    "close": _close,
    "shutdown": _shutdown,
    "fileno": socket_rules.fileno,
    "setblocking": socket_rules.setblocking,
    "setopt": socket_rules.setopt,
    "getopt": socket_rules.getopt,
}
