"""`nixio-conformance agent-check`: registered by the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
from rich.console import Console

from nixio_conformance.agentcheck import runner
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.target.target import Target


def check(target: Target, words: tuple[str, ...], listed: bool, echo: Callable[..., None] = click.echo) -> None:
    """Play the cases and exit: 0 when no one failed, 1, or 3 when the agent cannot be started."""
    if words and not runner.chosen(words):
        raise click.UsageError(f"no case has {' or '.join(map(repr, words))} in its id; --list shows all")
    if listed:
        for case in runner.chosen(words):
            echo(f"{case.id}: {case.title}\n    {case.says}")
        return
    try:
        fine = runner.run(target, Console(), words)
    except CannotStart as error:
        echo(f"{target.shell_text}: {error}", err=True)
        sys.exit(3)
    sys.exit(0 if fine else 1)
