"""`nixio-conformance agent-check`: checks an agent against the rules of the agent protocol."""

from __future__ import annotations

import click
from rich.console import Console

from nixio_conformance.agentcheck import runner
from nixio_conformance.commands.ending import end
from nixio_conformance.commands.target_options import EPILOG, chosen
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.temporary import temporary_folder
from nixio_conformance.netns import namespaces
from nixio_conformance.pytest_plugin.options import ImplementationOptions, command_options


@click.command("agent-check", epilog=EPILOG)
@command_options(ImplementationOptions, "in_process")
@click.option("--select", "words", metavar="WORD", multiple=True, help="Only the cases whose id contains WORD.")
@click.option("--list", "listed", is_flag=True, help="List the cases without running them.")
def agent_check(words: tuple[str, ...], listed: bool, **values: str) -> None:
    """Check an agent against the rules of the agent protocol.

    For each failure, it prints what the agent did wrong and how to fix it.
    """
    if words and not runner.chosen(words):
        raise click.UsageError(f"no case's id contains {' or '.join(map(repr, words))}; --list shows all cases")
    if listed:
        for case in runner.chosen(words):
            click.echo(f"{case.id}: {case.title}\n    {case.rule}")
        return
    implementation = chosen(ImplementationOptions(**values))  # type: ignore[arg-type]
    try:
        with temporary_folder():
            namespaces.isolate()
            passed = runner.run(implementation, Console(), words)
    except CannotStart as error:
        click.echo(f"{implementation.shell_text}: {error}", err=True)
        end(3)
    end(0 if passed else 1)
