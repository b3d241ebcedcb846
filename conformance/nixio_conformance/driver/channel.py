"""What carries lines between the suite and an agent: a process, or a thread of the suite's own."""

from __future__ import annotations

from typing import Protocol

from nixio_conformance.driver.deadline import Deadline


class Channel(Protocol):
    """One agent's input and output. Each method may raise an `AgentError` once the agent cannot go on."""

    @property
    def pid(self) -> int:
        """Process id of the agent."""

    def send(self, line: bytes, deadline: Deadline) -> None:
        """Write one line, without its newline, to the agent."""

    def receive(self, deadline: Deadline) -> bytes:
        """Wait for the agent's next line and return it."""

    def waiting(self, seconds: float) -> bool:
        """Whether a line is there, or arrives within that time."""

    def stderr(self) -> str:
        """What the agent wrote to standard error since the last `forget_stderr`."""

    def forget_stderr(self) -> None:
        """Drop what the agent wrote to standard error so far."""

    def kill(self) -> None:
        """End the agent and everything that it started."""
