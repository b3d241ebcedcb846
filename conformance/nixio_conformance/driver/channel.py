"""The interface to a running agent: lines in and out. `AgentProcess` and `InProcess` implement it."""

from __future__ import annotations

from typing import Protocol

from nixio_conformance.driver.deadline import Deadline


class Channel(Protocol):
    """Input and output of one agent. Each method may raise `AgentError` when the agent cannot continue."""

    @property
    def pid(self) -> int:
        """Process id of the agent."""

    def send(self, line: bytes, deadline: Deadline) -> None:
        """Write one line, given without its newline, to the agent."""

    def receive(self, deadline: Deadline) -> bytes:
        """Wait for the agent's next line and return it without its newline."""

    def readable(self, seconds: float) -> bool:
        """Whether a line is available, or arrives within `seconds`."""

    def stderr(self) -> str:
        """What the agent wrote to standard error since the last `clear`."""

    def clear(self) -> None:
        """Discard what the agent has left of the last case: its standard error, its socket files."""

    def kill(self) -> None:
        """Kill the agent and every process that it started."""
