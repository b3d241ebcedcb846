"""What all commands have in common: errors that each may have, and whether the exit code is a verdict."""

from __future__ import annotations

from typing import Any

import click

from nixio_conformance.commands.output import stdout
from nixio_conformance.driver.errors import CannotStart


class _CannotRun(click.ClickException):
    exit_code = 3


class Commands(click.Group):
    """The group of commands."""

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
