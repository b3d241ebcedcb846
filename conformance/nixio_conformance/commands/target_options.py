"""The options that name an implementation, shared by the commands."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import click

from nixio_conformance.pytest_plugin.options import (
    ImplementationOptions,
    OptionError,
    command_options,
    declared,
    option_of_command,
)
from nixio_conformance.target.python import installed_implementations
from nixio_conformance.target.target import Target
from nixio_reports.text import one_line

EPILOG = (
    "Exit codes: 0 conforming, 1 not conforming, 2 wrong usage, 3 the implementation or the host could not be started, "
    "130 interrupted, 143 terminated."
)


def implementation_options(*without: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator for a command that starts an implementation: it receives `implementation`, a `Target`.

    `without` names options that the command does not have, such as `in_process`.
    """

    fields = {name for name, _, _ in declared(ImplementationOptions)} - set(without)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def command(**values: Any) -> Any:
            named = {field: values.pop(field) for field in fields}
            return function(implementation=chosen(ImplementationOptions(**named)), **values)

        return command_options(ImplementationOptions, *without)(command)

    return decorate


def chosen(options: ImplementationOptions) -> Target:
    """The implementation that the options name. Raises `click.UsageError` unless it is exactly one that exists."""
    try:
        os.getcwd()  # an implementation is started here
    except OSError as error:
        raise click.UsageError(f"the current folder cannot be used: {error.strerror}; change to another one") from None
    try:
        target = options.implementation()
    except OptionError as error:
        if error.option:
            raise click.UsageError(f"{option_of_command(error.option)} {error}") from None
        target = None  # more than one
    if target is not None and target.form != "entry-point":
        return target
    installed = installed_implementations()
    names = one_line(", ".join(sorted(installed)) or "none", 1000)
    if target is None:
        raise click.UsageError(f"name one implementation: NAME (installed: {names}), --target, --agent or --lua")
    if options.name not in installed:
        raise click.UsageError(f"no implementation is called {options.name!r}; installed are: {names}")
    return target
