"""The shapes of results on the wire, and what an agent does that sends another: shared by `smoke` and `agent-check`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nixio_conformance.driver import messages
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.text import show


@dataclass(frozen=True)
class _Sort:
    """One sort of value: how it is told from others, and how an agent sends it."""

    name: str
    holds: Callable[[object], bool]
    sent: str


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


TRUE = _Sort("true", lambda value: value is True, "the documented `true` is sent as true: `[true]`, not 1, null or []")
NUMBER = _Sort("a number", _is_number, 'a number is sent as a JSON number: 4, and not as text ("4") or as 4.0')
TEXT = _Sort("text", lambda value: isinstance(value, str), 'a host or a path is sent as text: "127.0.0.1"')
BUFFER = _Sort(
    "a buffer",
    lambda value: isinstance(value, (bytes, messages.Buffer)),
    'what recv, read and recvfrom received is sent as {"type": "buffer", "hex": "00ff"}, and not as text',
)
SOCKET = _Sort(
    "a socket",
    lambda value: isinstance(value, (ImplSocket, messages.SocketRef)),
    'a socket is kept in a table of the agent and sent as {"type": "socket", "socket": NUMBER}',
)
PORT = _Sort("a port", lambda value: value is None or _is_number(value), NUMBER.sent + "; null for a UNIX socket")

#: Shapes by name: the values of a reply, in order.
SHAPES: dict[str, tuple[_Sort, ...]] = {
    "true": (TRUE,),
    "number": (NUMBER,),
    "buffer": (BUFFER,),
    "socket": (SOCKET,),
    "an address": (TEXT, PORT),
    "what accept returns": (SOCKET, TEXT, PORT),
    "what recvfrom returns": (BUFFER, TEXT, PORT),
    "seconds and microseconds": (NUMBER, NUMBER),
}
#: The shape of what a call returns, by the method; getopt's depends on the option.
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
class Wrong:
    """What is wrong with some values, and what to change in the agent."""

    what: str
    mend: str


def wrong(shape: str, values: Sequence[object]) -> Wrong | None:
    """What is wrong with values that should have a shape; None when nothing is."""
    sorts = SHAPES[shape]
    wanted = ", ".join(sort.name for sort in sorts)
    got = ", ".join(_shown(value) for value in values)
    if len(values) != len(sorts):
        return Wrong(f"`values` should be {_counted(len(sorts))} ({wanted}), and is {len(values)}: [{got}]",
                     _count_mend(shape, values))  # fmt: skip
    if sorts[:2] == (TEXT, PORT) and _is_number(values[0]) and isinstance(values[1], str):
        return Wrong(f"[{got}]: the port comes before the host", "send the host first and then the port")
    for sort, value in zip(sorts, values, strict=True):
        if not sort.holds(value):
            return Wrong(f"{_shown(value)} should be {sort.name}", sort.sent)
    return None


def _counted(number: int) -> str:
    return "one value" if number == 1 else f"{number} values"


def _count_mend(shape: str, values: Sequence[object]) -> str:
    if shape == "true" and not values:
        return TRUE.sent
    if len(values) == 1 and isinstance(values[0], messages.Foreign):
        return "several results are several elements of `values`, and not one list or table in it"
    if shape == "what accept returns" and len(values) == 1:
        return "send the socket, the peer's host and the peer's port, all three: [SOCKET, HOST, PORT]"
    return "send each result of the call as one element of `values`, null for those that are nil or None"


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
