"""Python values as the protocol's values, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from nixio_conformance.driver import messages
from nixio_conformance.driver.errors import AgentBroke
from nixio_conformance.driver.outcome import SocketHandle
from nixio_conformance.driver.text import show


@dataclass(frozen=True)
class HeldAs:
    """Bytes that a Python port is to be given as another bytes-like type."""

    data: bytes
    type: str

    def __repr__(self) -> str:
        return f"{self.type}({show(self.data)})"


Argument = None | bool | int | float | str | bytes | HeldAs | tuple[bool | int | float | str | None, ...]


def to_wire(value: Argument) -> messages.Argument:
    """An argument of a call as the protocol has it: bytes as a buffer, a tuple as a list."""
    if isinstance(value, bytes):
        return messages.Buffer(value.hex())
    if isinstance(value, HeldAs):
        return msgspec.convert({"type": "buffer", "hex": value.data.hex(), "held_as": value.type}, messages.Buffer)
    if isinstance(value, tuple):
        return list(value)
    return value


def from_wire(
    value: messages.Value, socket: Callable[[int], SocketHandle]
) -> bool | int | float | str | bytes | messages.Foreign | SocketHandle | None:
    """A value of a reply; `socket` makes the handle of a socket that the agent gave this number.

    Raises `AgentBroke` for a buffer that is not hexadecimal.
    """
    if isinstance(value, messages.Buffer):
        try:
            return bytes.fromhex(value.hex)
        except ValueError:
            raise AgentBroke(f"the agent sent a buffer that is not hexadecimal: {value.hex[:40]!r}") from None
    if isinstance(value, messages.SocketRef):
        return socket(value.socket)
    return value
