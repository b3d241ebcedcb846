"""How a user names an implementation, and how an agent for it is started."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from nixio_conformance.driver.channel import Channel
from nixio_conformance.driver.inprocess import InProcess
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.host import unprivileged
from nixio_conformance.target.lua import ANY_LUA, Lua
from nixio_conformance.target.python import python_agent

#: The forms of a name. All but `entry-point` are also the option that takes the name: `--target`, `--agent`, `--lua`.
Form = Literal["entry-point", "target", "agent", "lua"]


@dataclass(frozen=True)
class Target:
    """An implementation as the user named it.

    `name` is an entry point's name, a `module:object`, an agent's command line or a Lua module, depending on `form`.
    Raises `ValueError` for a command line that a shell could not split.
    """

    form: Form
    name: str
    in_process: bool = False
    lua: Lua = ANY_LUA

    def __post_init__(self) -> None:
        if self.form == "agent":
            _split(self.name)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command-line arguments that name it: `reference`, `--target m:o`, `--agent "..."`."""
        name = (self.name,) if self.form == "entry-point" else (f"--{self.form}", self.name)
        return (*name, *self.lua.arguments, *(("--in-process",) if self.in_process else ()))

    @property
    def shell_text(self) -> str:
        """`arguments` as one text that can be pasted into a shell."""
        return shlex.join(self.arguments)

    @property
    def argv(self) -> list[str]:
        """The command line of the agent. Raises `CannotStart` when no Lua is installed for a Lua module."""
        if self.form == "lua":
            return self.lua.argv(self.name)
        return _split(self.name) if self.form == "agent" else python_agent(self.form, self.name)

    @property
    def starter(self) -> Callable[[], Channel]:
        """A function that starts an agent; it may raise `CannotStart`."""
        if self.in_process:
            return lambda: InProcess(self.form, self.name)
        return lambda: AgentProcess(self.argv)

    def start_unprivileged(self, argv: Sequence[str] = ()) -> Channel:
        """Start an agent, or the program `argv`, without the user's privileges (capability `unprivileged`)."""
        return AgentProcess([sys.executable, "-S", "-E", unprivileged.__file__, *(argv or self.argv)])


def _split(command: str) -> list[str]:
    """A command line, split as a shell would. Raises `ValueError` with the reason when that is impossible."""
    words = shlex.split(command, posix=sys.platform != "win32")
    if not words:
        raise ValueError("the command line is empty")
    return words
