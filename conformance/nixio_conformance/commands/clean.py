"""`nixio-conformance clean`: removes what killed runs have left on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nixio_conformance.driver import leftovers
from nixio_reports import remove_drafts


@click.command()
@click.option(
    "--report",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default="nixio-report",
    show_default=True,
    help="A report's folder, from which unfinished files are removed.",
)
def clean(report: Path) -> None:
    """Remove what killed runs have left.

    These are temporary folders, processes that the runs have started, and unfinished files of a report. Each run does
    the same when it begins. Runs that are alive, and those of other users, are left alone.
    """
    remove_drafts(report)
    found = leftovers.remove()
    for left in found:
        state = "removed" if left.removed else "cannot be removed, not all of it is yours"
        click.echo(f"{left.folder}: {state}; {left.processes} processes ended")
    if not found:
        click.echo("no killed run has left anything")
    sys.exit(0 if all(left.removed for left in found) else 1)
