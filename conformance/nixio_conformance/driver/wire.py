"""Converts arguments to the protocol's representation, and values of replies back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from nixio_conformance.driver import messages
from nixio_conformance.driver.errors import AgentProtocolError
from nixio_conformance.driver.outcome import SocketHandle
from nixio_conformance.driver.text import show


@dataclass(frozen=True)
class HeldAs:
    """Bytes that a Python agent passes as another bytes-like type, such as `bytearray` (capability `buffer-types`)."""

    data: bytes
    type: str

    def __repr__(self) -> str:
        return f"{self.type}({show(self.data)})"


Argument = None | bool | int | float | str | bytes | HeldAs | tuple[bool | int | float | str | None, ...]


def to_wire(value: Argument) -> messages.Argument:
    """The protocol's representation of an argument: bytes become a buffer, a tuple becomes a list."""
    if isinstance(value, bytes):
        return messages.Buffer(value.hex())
    if isinstance(value, HeldAs):
        return msgspec.convert({"type": "buffer", "hex": value.data.hex(), "held_as": value.type}, messages.Buffer)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, (messages.Foreign, SocketHandle)):  # a returned value that a check did not look at
        raise TypeError(f"not an argument: {show(value)}")
    return value


def from_wire(
    value: messages.Value, socket: Callable[[int], SocketHandle]
) -> bool | int | float | str | bytes | messages.Foreign | SocketHandle | None:
    """A value of a reply; `socket` makes the handle for the number of a socket.

    Raises `AgentProtocolError` for a buffer that is not hexadecimal.
    """
    if isinstance(value, messages.Buffer):
        try:
            return bytes.fromhex(value.hex)
        except ValueError:
            raise AgentProtocolError(f"the agent sent a buffer that is not hexadecimal: {value.hex[:40]!r}") from None
    if isinstance(value, messages.SocketRef):
        return socket(value.socket)
    return value
