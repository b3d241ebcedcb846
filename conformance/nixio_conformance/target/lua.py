"""How a Lua module is hosted: the interpreter that runs the agent, and its search paths for modules."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from nixio_conformance import agents
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.scratch import absolute_paths

#: The agent for Lua: a single file without dependencies, so that it can be copied to another machine.
AGENT = Path(agents.__file__).with_name("agent.lua")
#: Names of interpreters, in the order in which they are tried.
PROGRAMS = ("lua", "lua5.1", "luajit", "lua5.4", "lua5.3", "lua5.2", "lua51", "lua54", "lua53", "lua52")
#: Options whose value is a pair in Python and two arguments in Lua: setopt("socket", "rcvtimeo", 1, 500000).
PAIRS = frozenset({"rcvtimeo", "sndtimeo", "add_membership", "drop_membership"})


@dataclass(frozen=True)
class Lua:
    """The user's options for a Lua module; an empty text means that the option was not given.

    `path` and `cpath` are templates as in LUA_PATH and LUA_CPATH, or folders; they are put before the existing ones.
    """

    program: str = ""
    path: str = ""
    cpath: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The options as arguments of `nixio-conformance`: `--lua-program luajit`."""
        options = (("--lua-program", self.program), ("--lua-path", self.path), ("--lua-cpath", self.cpath))
        return tuple(word for name, text in options if text for word in (name, text))

    @property
    def templates(self) -> tuple[str, str]:
        """The text to put before Lua's `package.path` and `package.cpath`: templates, or folders as templates."""
        return _templates(self.path, "{}/?.lua;{}/?/init.lua;"), _templates(self.cpath, "{}/?.so;")

    def argv(self, module: str) -> list[str]:
        """The command line of an agent for `module`. Raises `CannotStart` when no Lua is installed."""
        path = ["--path", absolute_paths(self.path, ";")] if self.path else []
        cpath = ["--cpath", absolute_paths(self.cpath, ";")] if self.cpath else []
        return [self.interpreter(), str(AGENT), *path, *cpath, module]

    def interpreter(self) -> str:
        """The path of the Lua interpreter. Raises `CannotStart` when it is not installed."""
        for name in (self.program,) if self.program else PROGRAMS:
            if found := shutil.which(name):
                return found
        tried = f"the program {self.program!r}" if self.program else f"any of {', '.join(PROGRAMS)}"
        raise CannotStart(
            f"no Lua was found: looked for {tried} in PATH. Install one (Debian and OpenWrt: packages lua5.1, luajit "
            "or lua5.4; macOS: brew install lua) or name another with --lua-program"
        )


def _templates(path: str, in_folder: str) -> str:
    return "".join(
        f"{word};" if "?" in word else in_folder.replace("{}", word.rstrip("/") or "/")
        for word in path.split(";")
        if word
    )


#: No options: the first interpreter of `PROGRAMS` that is installed, with its own search paths.
ANY_LUA = Lua()
