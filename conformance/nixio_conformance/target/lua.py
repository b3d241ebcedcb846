"""How a Lua module is hosted: which Lua runs the agent, and where that looks for modules."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from nixio_conformance import agents
from nixio_conformance.driver.errors import CannotStart

#: The agent for Lua: one file, which may be copied anywhere.
AGENT = Path(agents.__file__).with_name("agent.lua")
#: Names that the interpreter has, in the order in which they are tried.
PROGRAMS = ("lua", "lua5.1", "luajit", "lua5.4", "lua5.3", "lua5.2", "lua51", "lua54", "lua53", "lua52")
#: Options whose value is a pair in the contract, and two arguments in Lua: setopt("socket", "rcvtimeo", 1, 500000).
PAIRS = frozenset({"rcvtimeo", "sndtimeo", "add_membership", "drop_membership"})


@dataclass(frozen=True)
class Lua:
    """A user's choices for a Lua module; what is empty was not chosen.

    `path` and `cpath` are templates as in LUA_PATH and LUA_CPATH, or folders; they come before those that there are.
    """

    program: str = ""
    path: str = ""
    cpath: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The same as options of the command line."""
        given = {"--lua-program": self.program, "--lua-path": self.path, "--lua-cpath": self.cpath}
        return tuple(word for name, text in given.items() if text for word in (name, text))

    @property
    def templates(self) -> tuple[str, str]:
        """`path` and `cpath` as what Lua's own search paths are to begin with; a folder stands for what is in it."""
        return _templates(self.path, "{}/?.lua;{}/?/init.lua;"), _templates(self.cpath, "{}/?.so;")

    def argv(self, module: str) -> list[str]:
        """The command line of an agent for `module`. Raises `CannotStart` where there is no Lua."""
        paths = [
            word for name, text in (("--path", self.path), ("--cpath", self.cpath)) if text for word in (name, text)
        ]
        return [self.interpreter(), str(AGENT), *paths, module]

    def interpreter(self) -> str:
        """The program that runs Lua. Raises `CannotStart` where it is not installed."""
        for name in (self.program,) if self.program else PROGRAMS:
            if found := shutil.which(name):
                return found
        tried = f"the program {self.program!r}" if self.program else f"any of {', '.join(PROGRAMS)}"
        raise CannotStart(
            f"no Lua is found: looked for {tried} in PATH. Install one (Debian and OpenWrt: packages lua5.1, luajit or "
            "lua5.4; macOS: brew install lua) or name another with --lua-program"
        )


def _templates(path: str, in_folder: str) -> str:
    return "".join(
        f"{word};" if "?" in word else in_folder.replace("{}", word.rstrip("/") or "/")
        for word in path.split(";")
        if word
    )


#: No choice at all: the first Lua that is found, and the modules that it finds by itself.
ANY_LUA = Lua()
