"""The group of commands of `nixio-conformance`; each command is a file in `commands`."""

from __future__ import annotations

from typing import Any

import click

from nixio_conformance import __version__
from nixio_conformance.commands.agent_check import agent_check
from nixio_conformance.commands.agent_path import agent_path
from nixio_conformance.commands.baseline import baseline
from nixio_conformance.commands.fuzz import fuzz
from nixio_conformance.commands.list import list_
from nixio_conformance.commands.output import stdout
from nixio_conformance.commands.report import report
from nixio_conformance.commands.run import run
from nixio_conformance.commands.schema import schema
from nixio_conformance.commands.smoke import smoke
from nixio_conformance.commands.spec import spec
from nixio_conformance.commands.target_options import EPILOG
from nixio_conformance.driver.errors import CannotStart


class _CannotRun(click.ClickException):
    exit_code = 3


class _Commands(click.Group):
    """The errors that every command may have, and whether its exit code is a verdict."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SystemExit:  # with its verdict; a command that has only printed something returns
            stdout.needed = False
            raise
        except CannotStart as error:
            raise _CannotRun(str(error)) from None
        except BrokenPipeError as error:  # not standard output's, for which click would take it
            raise RuntimeError(f"the other end of a pipe has ended: {error}") from error


@click.group(cls=_Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nixio-conformance")
def main() -> None:
    """Judge implementations of nixio's Socket API."""


for command in (run, baseline, list_, spec, smoke, agent_path, agent_check, report, schema, fuzz):
    main.add_command(command)
