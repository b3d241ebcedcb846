"""The options by which a command line names an implementation, and what they come to."""

from __future__ import annotations

from collections.abc import Callable

import click

from nixio_conformance.target.lua import Lua
from nixio_conformance.target.python import installed
from nixio_conformance.target.target import Target

EPILOG = (
    "Exit codes: 0 conforming, 1 not conforming, 2 wrong usage, 3 the port or the host could not be started, "
    "130 interrupted, 143 terminated."
)


def _lua_option(name: str, metavar: str, text: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """An option that `choose` finds in the context: no command has to hand it on."""

    def keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
        context.meta[name] = value

    return click.option(name, metavar=metavar, help=text, expose_value=False, callback=keep)


def lua_module() -> tuple[str | None, Lua]:
    """The module that --lua names, and how it is to be run."""
    meta = click.get_current_context().meta
    program, path, cpath = (meta.get(f"--lua-{name}") or "" for name in ("program", "path", "cpath"))
    return meta.get("--lua"), Lua(program, path, cpath)


def options(function: click.decorators.FC) -> click.decorators.FC:
    """The options that name an implementation, for each command that starts one."""
    for option in reversed(
        (
            click.argument("name", required=False),
            click.option("--target", metavar="MODULE:OBJECT", help="A Python object, no packaging needed."),
            click.option("--agent", metavar="COMMAND", help="A program that speaks the agent protocol."),
            _lua_option("--lua", "MODULE", "A Lua module, as `require` takes it, or a .lua file."),
            _lua_option("--lua-program", "PROGRAM", "Which Lua runs it: luajit, lua5.4, a path."),
            _lua_option("--lua-path", "PATH", "Folders or templates, before LUA_PATH's."),
            _lua_option("--lua-cpath", "PATH", "The same for modules in C."),
        )
    ):
        function = option(function)
    return function


def choose(name: str | None, target: str | None, agent: str | None, in_process: bool = False) -> Target:
    """The implementation that these options and those for Lua name; a usage error unless it is exactly one."""
    module, lua = lua_module()
    given = [("entry-point", name), ("target", target), ("agent", agent), ("lua", module)]
    chosen = [(way, text) for way, text in given if text]
    if len(chosen) != 1:
        names = ", ".join(sorted(installed())) or "none"
        raise click.UsageError(f"name one implementation: NAME (installed: {names}), --target, --agent or --lua")
    way, text = chosen[0]
    if way == "entry-point" and text not in installed():
        names = ", ".join(sorted(installed())) or "none at all"
        raise click.UsageError(f"no implementation is called {text!r}; installed are: {names}")
    if in_process and way in ("agent", "lua"):
        raise click.UsageError("--in-process is for Python ports; an agent program has a process of its own")
    if lua.arguments and way != "lua":
        raise click.UsageError(f"{lua.arguments[0]} belongs to --lua MODULE, which is not given")
    try:
        return Target(way, text, in_process, lua)  # type: ignore[arg-type]
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}", param_hint="--agent") from None
