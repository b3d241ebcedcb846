"""The options of a run, each declared once: the command line and pytest read them from here, and write them back.

`RunOptions` is the record that everything else reads. Each of its fields is `--NAME` of `nixio-conformance run` and
`--nixio-NAME` of pytest, except for `name`, which is the command's argument and pytest's `--nixio`.

The command line passes its record to pytest as arguments, although pytest runs in the same process: xdist gives its
workers only these arguments, so every process makes the record from them in the same way.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar, get_type_hints

import click
import pytest

from nixio_conformance.driver.limits import Limits
from nixio_conformance.driver.timeouts import CALL, CASE, CASE_SHORT
from nixio_conformance.target.lua import Lua
from nixio_conformance.target.target import Form, Target

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True)
class UserOption:
    """How a field of `RunOptions` is given by a user."""

    help: str
    metavar: str = ""
    #: Converts and checks a value, for pytest too.
    type: click.ParamType[Any] | None = None
    #: The default of the command line, if it differs from the field's.
    default: object = None


class OptionError(ValueError):
    """Options that contradict each other; `option` is the field that the message is about, or empty."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


@dataclass(frozen=True, kw_only=True)
class ImplementationOptions:
    """How a user names an implementation: `name`, `target`, `agent` or `lua`, and how it is hosted."""

    name: Annotated[str, UserOption("An installed implementation, by its entry point's name.", "NAME")] = ""
    target: Annotated[str, UserOption("A Python object; no packaging needed.", "MODULE:OBJECT")] = ""
    agent: Annotated[str, UserOption("A program that speaks the agent protocol.", "COMMAND")] = ""
    lua: Annotated[str, UserOption("A Lua module, as `require` takes it, or a .lua file.", "MODULE")] = ""
    lua_program: Annotated[str, UserOption("The Lua interpreter: luajit, lua5.4, a path.", "PROGRAM")] = ""
    lua_path: Annotated[str, UserOption("Folders or templates to search before LUA_PATH.", "PATH")] = ""
    lua_cpath: Annotated[str, UserOption("The same for modules in C (LUA_CPATH).", "PATH")] = ""
    in_process: Annotated[
        bool,
        UserOption(
            "Host a Python implementation in the test process (debugger, coverage); cases have no deadline there, and "
            "a hang or a crash ends the run."
        ),
    ] = False

    def implementation(self) -> Target | None:
        """The implementation that is named; None if none is. Raises `OptionError`."""
        named: dict[str, tuple[Form, str]] = {
            "name": ("entry-point", self.name),
            "target": ("target", self.target),
            "agent": ("agent", self.agent),
            "lua": ("lua", self.lua),
        }
        given = {option: chosen for option, chosen in named.items() if chosen[1]}
        if len(given) > 1:
            raise OptionError("", f"name one implementation: {' and '.join(given)} are given")
        for option, (form, text) in given.items():
            if self.in_process and form in ("agent", "lua"):
                message = "is for Python implementations; an agent program has a process of its own"
                raise OptionError("in_process", message)
            if form != "lua" and (unused := self._lua_options()):
                raise OptionError(unused[0], "belongs to --lua MODULE, which is not given")
            try:
                return Target(form, text, self.in_process, Lua(self.lua_program, self.lua_path, self.lua_cpath))
            except ValueError as error:
                raise OptionError(option, f"{text!r}: {error}") from None
        return None

    def _lua_options(self) -> list[str]:
        return [name for name in ("lua_program", "lua_path", "lua_cpath") if getattr(self, name)]


@dataclass(frozen=True, kw_only=True)
class RunOptions(ImplementationOptions):
    """What a user chose for a run."""

    select: Annotated[
        tuple[str, ...], UserOption("Only these cases: a clause, method, family, kind, level or case.", "TERM")
    ] = ()
    level: Annotated[
        tuple[str, ...], UserOption("Judge only these levels.", type=click.Choice(["must", "should", "may"]))
    ] = ()
    baseline: Annotated[
        Path | None,
        UserOption(
            "Known deviations. The run fails on any other failure, and on a listed case that passes.",
            "FILE",
            click.Path(path_type=Path, dir_okay=False),
        ),
    ] = None
    fail_fast: Annotated[bool, UserOption("Stop at the first judged finding or error of the suite.")] = False
    report: Annotated[
        Path | None,
        UserOption(
            "Where the result stream and the reports are written.",
            "DIR",
            click.Path(path_type=Path),  # workers have this option too, and do not write there
            default="nixio-report",
        ),
    ] = None
    deadline: Annotated[
        float,
        UserOption(
            "Timeout per call; time that the agent waits for a processor is not counted.",
            "SECONDS",
            click.FloatRange(min=0, min_open=True),
        ),
    ] = CALL
    case_deadline: Annotated[
        float,
        UserOption(
            "Timeout per case, which then is timed-out; time without a processor is not counted. "
            f"Where many cases of a method time out, the others have {CASE_SHORT:g} s.",
            "SECONDS",
            click.FloatRange(min=0, min_open=True),
        ),
    ] = CASE
    max_timeouts: Annotated[
        int, UserOption("End the run after this many timed-out cases.", "N", click.IntRange(min=1))
    ] = 50
    memory: Annotated[
        int | None,
        UserOption(
            f"Memory of the implementation's process, in MiB (Linux).  [default: {Limits().memory}]",
            "MIB",
            click.IntRange(min=16),
        ),
    ] = None
    require: Annotated[tuple[str, ...], UserOption("Exit with code 3 if this host lacks it.", "CAPABILITY")] = ()
    without: Annotated[tuple[str, ...], UserOption("Judge as if this host lacked it (see `list`).", "CAPABILITY")] = ()
    seed: Annotated[int, UserOption("Seed of the random sequences of calls.", "N", click.INT)] = 0
    shuffle: Annotated[str, UserOption("Run the cases in a random order with this seed.", "SEED")] = ""

    @property
    def judged(self) -> tuple[str, ...]:
        """The levels whose failures count."""
        return self.level or ("must", "should")

    @classmethod
    def of(cls, config: pytest.Config) -> Self:
        """The options of a pytest run, in the controller and in a worker."""
        values: dict[str, Any] = {name: config.getoption(option_of_pytest(name)) for name, _, _ in declared(cls)}
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return cls(**values)

    def pytest_arguments(self) -> list[str]:
        """The options as arguments of pytest."""
        return [
            f"{option_of_pytest(name)}={value}" if value else option_of_pytest(name) for name, value in self._given()
        ]

    def command_line(self, *without: str) -> list[str]:
        """The options as arguments of `nixio-conformance run`, except for the fields named here."""
        words = []
        for name, value in self._given():
            if name not in without:
                words += [value] if name == "name" else [option_of_command(name), *([value] if value else [])]
        return words

    def _given(self) -> Iterator[tuple[str, str]]:
        """Each option that differs from its default, with its value as text: once for each value, empty for a flag."""
        for name, default, _ in declared(type(self)):
            value = getattr(self, name)
            if value == default:
                continue
            for one in value if isinstance(value, tuple) else (value,):
                yield name, "" if one is True else str(one)


def declared(record: type[ImplementationOptions]) -> tuple[tuple[str, Any, UserOption], ...]:
    """The fields of a record in their order: name, default, and how a user gives it."""
    hints = get_type_hints(record, include_extras=True)
    return tuple((field.name, field.default, hints[field.name].__metadata__[0]) for field in dataclasses.fields(record))


def command_options(record: type[ImplementationOptions], *without: str) -> Callable[[_F], _F]:
    """A decorator that gives a click command one parameter for each field of a record, except for those named here."""

    def decorate(function: _F) -> _F:
        for name, default, option in reversed(declared(record)):
            if name not in without:
                function = _click(name, default, option)(function)
        return function

    return decorate


def _click(name: str, default: Any, option: UserOption) -> Callable[[_F], _F]:
    if name == "name":
        return click.argument("name", required=False, default="")
    flag = option_of_command(name)
    if default is False:
        return click.option(flag, name, is_flag=True, help=option.help)
    default = option.default or default
    return click.option(
        flag,
        name,
        metavar=option.metavar or None,
        type=option.type,
        multiple=isinstance(default, tuple),
        default=default,
        show_default=bool(default),
        help=option.help,
    )


def add_to_pytest(group: pytest.OptionGroup) -> None:
    """Declare the options to pytest."""
    for name, default, option in declared(RunOptions):
        text = option.help.replace("%", "%%")
        if default is False:
            group.addoption(option_of_pytest(name), action="store_true", help=text)
            continue
        many = isinstance(default, tuple)
        group.addoption(
            option_of_pytest(name),
            action="append" if many else "store",
            default=[] if many else default,
            metavar=option.metavar or name.upper(),
            type=_Argument(option.type or click.STRING),
            help=text,
        )


class _Argument:
    """A type of click as a type of argparse."""

    def __init__(self, type: click.ParamType[Any]) -> None:  # noqa: A002
        self._type = type

    def __call__(self, text: str) -> Any:
        try:
            return self._type(text)
        except click.BadParameter as error:
            raise argparse.ArgumentTypeError(error.message) from None


def option_of_command(field: str) -> str:
    """The name of a field's option in the command line."""
    return f"--{field.replace('_', '-')}"


def option_of_pytest(field: str) -> str:
    """The name of a field's option in pytest."""
    return "--nixio" if field == "name" else option_of_command(f"nixio_{field}")
