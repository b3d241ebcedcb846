"""The shapes of results on the wire, and hints for agents that send a wrong one; for `smoke` and `agent-check`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nixio_conformance.driver import messages
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.text import show


@dataclass(frozen=True)
class _ValueType:
    """A type of value: its name in messages, how to recognise it, and a hint on how an agent sends it."""

    name: str
    matches: Callable[[object], bool]
    hint: str


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


TRUE = _ValueType(
    "true", lambda value: value is True, "the documented `true` is sent as true: `[true]`, not 1, null or []"
)
NUMBER = _ValueType("a number", _is_number, 'a number is sent as a JSON number: 4, not as text ("4") or as 4.0')
TEXT = _ValueType("text", lambda value: isinstance(value, str), 'a host or a path is sent as text: "127.0.0.1"')
BUFFER = _ValueType(
    "a buffer",
    lambda value: isinstance(value, (bytes, messages.Buffer)),
    'the data of recv, read and recvfrom is sent as {"type": "buffer", "hex": "00ff"}, not as text',
)
SOCKET = _ValueType(
    "a socket",
    lambda value: isinstance(value, (ImplSocket, messages.SocketRef)),
    'the agent keeps a socket in a table and sends it as {"type": "socket", "socket": NUMBER}',
)
PORT = _ValueType("a port", lambda value: value is None or _is_number(value), NUMBER.hint + "; null for a UNIX socket")

#: Shapes by name: the types of a reply's values, in order.
SHAPES: dict[str, tuple[_ValueType, ...]] = {
    "true": (TRUE,),
    "number": (NUMBER,),
    "buffer": (BUFFER,),
    "socket": (SOCKET,),
    "an address": (TEXT, PORT),
    "what accept returns": (SOCKET, TEXT, PORT),
    "what recvfrom returns": (BUFFER, TEXT, PORT),
    "seconds and microseconds": (NUMBER, NUMBER),
}
#: The shape of each method's result. getopt is missing, because its shape depends on the option.
OF_METHODS = {
    "socket": "socket",
    **dict.fromkeys(("bind", "connect", "listen", "close", "shutdown", "setblocking", "setopt"), "true"),
    **dict.fromkeys(("send", "write", "sendto", "fileno"), "number"),
    **dict.fromkeys(("recv", "read"), "buffer"),
    **dict.fromkeys(("getsockname", "getpeername"), "an address"),
    "accept": "what accept returns",
    "recvfrom": "what recvfrom returns",
}


@dataclass(frozen=True)
class ShapeError:
    """What is wrong with some values, and what to change in the agent."""

    what: str
    hint: str


def mismatch(shape: str, values: Sequence[object]) -> ShapeError | None:
    """What is wrong with values that should have a shape; None if they have it."""
    types = SHAPES[shape]
    expected = ", ".join(type_.name for type_ in types)
    actual = ", ".join(_shown(value) for value in values)
    if len(values) != len(types):
        return ShapeError(
            f"`values` should be {_counted(len(types))} ({expected}), but is {len(values)}: [{actual}]",
            _count_hint(shape, values),
        )
    if types[:2] == (TEXT, PORT) and _is_number(values[0]) and isinstance(values[1], str):
        return ShapeError(f"[{actual}]: the port comes before the host", "send the host first, then the port")
    for type_, value in zip(types, values, strict=True):
        if not type_.matches(value):
            return ShapeError(f"{_shown(value)} should be {type_.name}", type_.hint)
    return None


def _counted(number: int) -> str:
    return "one value" if number == 1 else f"{number} values"


def _count_hint(shape: str, values: Sequence[object]) -> str:
    if shape == "true" and not values:
        return TRUE.hint
    if len(values) == 1 and isinstance(values[0], messages.Foreign):
        return "several results are several elements of `values`, not one list or table in it"
    if shape == "what accept returns" and len(values) == 1:
        return "send the socket, the peer's host and the peer's port: [SOCKET, HOST, PORT]"
    return "send each result of the call as one element of `values`, null for nil or None"


def _shown(value: object) -> str:
    if isinstance(value, messages.Buffer):
        return f"a buffer of {len(value.hex) // 2} bytes"
    if isinstance(value, (messages.SocketRef, ImplSocket)):
        return "a socket"
    if isinstance(value, messages.Foreign):
        return f"a foreign value ({show(value)})"
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    return show(value)
