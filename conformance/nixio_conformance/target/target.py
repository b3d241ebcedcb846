"""How a user names an implementation, and how that is started."""

from __future__ import annotations

import importlib.metadata
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from nixio_conformance.agents import python
from nixio_conformance.driver.channel import Channel
from nixio_conformance.driver.inprocess import InProcess
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.host import unprivileged
from nixio_conformance.target.lua import ANY_LUA, Lua

Way = Literal["entry-point", "target", "agent", "lua"]


@dataclass(frozen=True)
class Target:
    """An implementation: an entry point's name, `module:object`, an agent's command line, or a Lua module.

    Raises `ValueError` for a command line that no shell would take.
    """

    way: Way
    name: str
    in_process: bool = False
    lua: Lua = ANY_LUA

    def __post_init__(self) -> None:
        if self.way == "agent":
            agent_words(self.name)

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the command line that name it: `reference`, `--target m:o`, `--agent "..."`."""
        words = (self.name,) if self.way == "entry-point" else (f"--{self.way}", self.name)
        return (*words, *self.lua.words, *(("--in-process",) if self.in_process else ()))

    @property
    def asked(self) -> str:
        """The same as one text that a shell takes."""
        return shlex.join(self.words)

    @property
    def starter(self) -> Callable[[], Channel]:
        """What starts an agent for it; the call may raise `CannotStart`."""
        if self.in_process:
            return lambda: InProcess(self.way, self.name)
        return lambda: AgentProcess(self.argv)

    def start_unprivileged(self, argv: Sequence[str] = ()) -> Channel:
        """Start an agent, or another program, without its user's privileges (capability `unprivileged`)."""
        return AgentProcess([sys.executable, "-S", "-E", unprivileged.__file__, *(argv or self.argv)])

    @property
    def argv(self) -> list[str]:
        """The command line of the agent's program. Raises `CannotStart` for a Lua that is not installed."""
        if self.way == "lua":
            return self.lua.argv(self.name)
        return agent_words(self.name) if self.way == "agent" else python_agent(self.way, self.name)


def agent_words(command: str) -> list[str]:
    """The words of a command line as a shell would split it; ValueError says what is wrong with it."""
    words = shlex.split(command, posix=sys.platform != "win32")
    if not words:
        raise ValueError("the command line is empty")
    return words


def python_agent(way: Way, name: str) -> list[str]:
    """The command line of the Python agent for an entry point or a `module:object`."""
    how: str = way
    if way == "entry-point":
        points = importlib.metadata.entry_points(group=python.GROUP, name=name)
        # Looked up here, where the registry is at hand already: it would be most of an agent's time to start.
        how, name = ("object", next(iter(points)).value) if points else (way, name)
    # -P: the agent's own folder must not become importable; faulthandler: a crash in C tells where, on stderr.
    return [sys.executable, "-P", "-X", "faulthandler", python.__file__, how, name]


def plugged_in() -> dict[str, str]:
    """The names of the implementations that are installed, and the distribution that each came with."""
    return {
        point.name: f"{point.dist.name} {point.dist.version}" if point.dist else "?"
        for point in importlib.metadata.entry_points(group=python.GROUP)
    }
