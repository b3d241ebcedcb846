"""Turns an operation of a sequence into a call, given the state in which it is carried out."""

from __future__ import annotations

from nixio_conformance.driver.wire import Argument
from nixio_conformance.model.rules import SocketCall
from nixio_conformance.model.sequences import LAST, OTHER_END, Operation, other_socket_places
from nixio_conformance.model.state import MAPPED, WILDCARD, Address, Sock, State, reachable_address
from nixio_conformance.toolkit.case import LOOPBACK

#: The bytes that are sent, over and over. Their number is a prime, so that shifted data never looks like other data.
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456\x00\xff"
#: Methods that are called on the implementation's sockets only.
_NOT_FOR_PEERS = ("fileno", "setblocking", "setopt", "getopt", "read", "write")


def payload(number: int, size: int) -> bytes:
    """The `size` bytes that operation `number` sends; consecutive operations start at different letters."""
    start = number * 7 % len(_LETTERS)
    return (_LETTERS * (size // len(_LETTERS) + 2))[start : start + size]


# --- which socket


def resolve(state: State, operation: Operation, last: int = 0) -> Operation:
    """The operation with the numbers of existing sockets.

    A negative number stands for a socket that suits the operation: -1 for the first of them, -2 for the second. `LAST`
    is `last`, the socket of the operation before, and `OTHER_END` the one it is connected to. Any other number is taken
    modulo the count of sockets.
    """
    number, name, *words = operation
    if not isinstance(number, int) or not state.sockets or name in ("socket", "peer"):
        return operation
    method = str(words[0]) if name == "wait" and words else str(name)
    if number == LAST:
        number = last
    elif number == OTHER_END:
        number = _other_end(state, last)
    else:
        number = _pick(state, number, _suitable(state, method))
    for place in other_socket_places(method):
        at = place - 2
        if at < len(words) and isinstance(word := words[at], int):
            words[at] = _pick(state, word, [target for target in _targets(state, method) if target != number])
    return (number, name, *words)


def _other_end(state: State, index: int) -> int:
    sock = state.sockets[index]
    for other, target in state.open():
        if sock.is_stream and sock.out >= 0 and target.inp == sock.out:
            return other
    to = state.socket_at(index, sock.remote) if not sock.is_stream and sock.remote is not None else None
    return index if to is None else to


def _pick(state: State, number: int, suitable: list[int]) -> int:
    if number < 0 and suitable:
        return suitable[(-number - 1) % len(suitable)]
    return abs(number) % len(state.sockets)


def _suitable(state: State, method: str) -> list[int]:
    """The sockets on which the method is most likely to succeed in this state."""
    sockets = list(state.open())
    if method in ("recv", "read", "recvfrom"):
        due = [index for index, sock in sockets if _is_due(state, sock)]
        return due or [index for index, sock in sockets if sock.phase == "connected"]
    if method == "accept":
        return [index for index, sock in sockets if sock.queue] or [
            index for index, sock in sockets if sock.phase == "listening"
        ]
    if method == "connect":
        return [index for index, sock in sockets if not sock.is_stream or sock.phase in ("fresh", "bound")]
    phases = {"send": "connected", "write": "connected", "shutdown": "connected", "bind": "fresh", "listen": "bound"}
    if method == "sendto" and any(sock.is_stream for _, sock in sockets):
        phases["sendto"] = "connected"
    return [index for index, sock in sockets if phases.get(method, sock.phase) == sock.phase]


def _targets(state: State, method: str) -> list[int]:
    """The sockets that the method can connect or send to, or whose address it can use."""
    phase = "listening" if method == "connect" else "bound"
    return [
        index for index, sock in state.open() if (not sock.is_stream and sock.phase != "fresh") or sock.phase == phase
    ]


def _is_due(state: State, sock: Sock) -> bool:
    """True if the socket has data, a message or EOF to receive."""
    if not sock.is_stream:
        return bool(sock.messages)
    return sock.phase == "connected" and bool(state.pipes[sock.inp].data or state.pipes[sock.inp].eof)


# --- which arguments


def call_of(state: State, operation: Operation, number: int, path: str, *, dual: bool) -> SocketCall | None:
    """The call that an operation stands for; None if it cannot be carried out in this state.

    `number` is the operation's place in the sequence, `path` an unused one for bind(). With `dual`, IPv6 sockets are
    bound to the wildcard address, which IPv4 peers can reach.
    """
    index, name, *words = operation
    if not isinstance(index, int) or index >= len(state.sockets):
        return None
    sock, method = state.sockets[index], str(name)
    if sock.owner == "peer" and (sock.phase == "closed" or method in _NOT_FOR_PEERS):
        return None
    arguments = _arguments(state, sock, method, words, number, path, dual)
    if arguments is None:
        return None
    if sock.owner == "peer" and any(isinstance(word, int) and word < 0 for word in words):
        return None  # the standard library raises an error of its own for negative numbers
    return SocketCall(index, method, arguments)


def _arguments(
    state: State, sock: Sock, method: str, words: list[int | str], number: int, path: str, dual: bool
) -> tuple[Argument, ...] | None:
    match method, words:
        case "bind", [int(other)]:
            return _address_in_use(state, sock, other)
        case "bind", [str(where)]:
            if not sock.is_ip:
                return path, None
            return (None if where == "any" or (dual and sock.domain == "inet6") else LOOPBACK[sock.domain]), 0
        case "connect", [int(other)]:
            to = _destination(state, sock, other)
            return None if to is None else (to.host, to.port)
        case "sendto", [int(size), int(other), *chunk]:
            to = _destination(state, sock, other)
            return None if to is None else (payload(number, size), to.host, to.port, *_offset_and_length(chunk))
        case (("send" | "write"), [int(size), *chunk]):
            return (payload(number, size), *_offset_and_length(chunk))
        case "setblocking", [int(blocking)]:
            return (bool(blocking),)
        case "setopt", [str(key), *value]:
            return (*key.split("."), value[0] if len(value) == 1 else tuple(value))
        case "getopt", [str(key)]:
            return tuple(key.split("."))
    return tuple(words)


def _offset_and_length(words: list[int | str]) -> tuple[Argument, ...]:
    return tuple(None if word == "none" else word for word in words)


def _address_in_use(state: State, sock: Sock, other: int) -> tuple[Argument, ...] | None:
    """Another socket's local address, for a second bind() to it; None if that socket has none of this family."""
    if other >= len(state.sockets):
        return None
    target = state.sockets[other]
    if target.local is None or target.domain != sock.domain or not _is_bound(target.local):
        return None
    return target.local.host, target.local.port


def _destination(state: State, sock: Sock, other: int) -> Address | None:
    """The address by which a socket reaches another one; None if there is none."""
    if other >= len(state.sockets):
        return None
    target = state.sockets[other]
    if target.local is None or not _is_bound(target.local):
        return None
    if not sock.is_ip:
        return target.local
    host = target.local.host
    if sock.domain == "inet" and target.domain == "inet6" and not (host == WILDCARD["inet6"] or MAPPED in host):
        return None
    return reachable_address(sock.domain, target.local, target.domain)


def _is_bound(address: Address) -> bool:
    """True for the local address of a bound socket, if it is known."""
    return address.port > 0 if address.port is not None else address.host != ""
