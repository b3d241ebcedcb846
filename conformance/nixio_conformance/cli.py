"""The command line: thin over the plugin, the reports and the tables."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from nixio_conformance import __version__
from nixio_conformance.commands import agent_check as agentcheck
from nixio_conformance.commands import baseline as baseline_command
from nixio_conformance.commands import fuzz, run, smoke, target_options
from nixio_conformance.commands.list import list_
from nixio_conformance.commands.spec import spec
from nixio_conformance.driver import messages
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.target.lua import AGENT
from nixio_conformance.target.target import Target
from nixio_reports import StreamError


@click.group(epilog=target_options.EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nixio-conformance")
def main() -> None:
    """Judge ports of nixio's Socket API."""


main.add_command(run.run)
main.add_command(baseline_command.baseline)
main.add_command(list_)
main.add_command(spec)


@main.command("smoke", epilog=target_options.EPILOG)
@target_options.options
def smoke_(name: str | None, target: str | None, agent: str | None) -> None:
    """Try an implementation in a few steps, telling each: is it plugged in right?"""
    chosen = target_options.choose(name, target, agent)
    try:
        fine = smoke.run(chosen, Console())
    except CannotStart as error:
        click.echo(f"{chosen.shell_text}: {error}", err=True)
        sys.exit(3)
    sys.exit(0 if fine else 1)


@main.command("agent-path")
def agent_path() -> None:
    """Print where the agent for Lua ports lies: one file, to be copied to where the port is."""
    click.echo(AGENT)


@main.command("agent-check", epilog=target_options.EPILOG)
@target_options.options
@click.option("--select", "words", metavar="WORD", multiple=True, help="Only the cases that have this in their id.")
@click.option("--list", "listed", is_flag=True, help="List the cases, and play none.")
def agent_check(name: str | None, target: str | None, agent: str | None, words: tuple[str, ...], listed: bool) -> None:
    """Play the agent protocol's own cases: what an agent does wrong, and how to mend it."""
    chosen = Target("entry-point", "reference") if listed else target_options.choose(name, target, agent)
    agentcheck.check(chosen, words, listed)


@main.command("report")
@click.argument("stream", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--report", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Default: beside the stream.")
def report_(stream: Path, folder: Path | None) -> None:
    """Write and show the reports of a recorded stream again."""
    try:
        sys.exit(run.show(stream, folder or stream.parent, Console()))
    except StreamError as error:
        raise click.BadParameter(str(error), param_hint="STREAM") from None


@main.command()
def schema() -> None:
    """Print the agent protocol as JSON Schema."""
    click.echo(json.dumps(messages.schema(), indent=2))


fuzz.register(main, target_options.options, target_options.choose)
