"""`nixio-conformance spec`: print a table of the specification."""

from __future__ import annotations

import sys

import click
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from nixio_conformance.pytest_plugin import selection
from nixio_fixtures import load

#: Columns that no row of a table is longer than: in a pipe a row is a line, for grep.
_ONE_LINE = 500


@click.command()
@click.argument("axis", type=click.Choice(["clauses", "methods", "options"]), default="clauses")
@click.option("--select", metavar="TERM", multiple=True, help="Only these clauses: as in `run`.")
def spec(axis: str, select: tuple[str, ...]) -> None:
    """Print a table of the specification."""
    try:
        chosen = selection.parse(select, load())
    except selection.UnknownSelection as error:
        raise click.UsageError(str(error)) from None
    if chosen and axis != "clauses":
        raise click.UsageError(f"--select chooses clauses: `spec clauses --select {select[0]}`")
    console = Console() if sys.stdout.isatty() else Console(width=_ONE_LINE)
    console.print(_table(axis, chosen))


def _table(axis: str, chosen: dict[str, tuple[str, ...]]) -> RenderableType:
    """One table of the specification: clauses (those that a selection may touch), methods or options."""
    spec = load()
    made = Table(box=None, title=axis, title_justify="left")
    if axis == "clauses":
        _columns(made, "clause", "level", "source", "requires")
        for clause in (clause for clause in spec.clauses if selection.touches(chosen, clause)):
            made.add_row(clause.id, clause.level, clause.source, Text(clause.requires))
    elif axis == "methods":
        _columns(made, "method", "source", "results", "summary")
        for method in spec.methods:
            shown = [f"{row.name}?" if row.optional else row.name for row in method.parameters]
            results = ", ".join(result.name for result in method.results)
            made.add_row(Text(f"{method.name}({', '.join(shown)})"), method.source, results, Text(method.summary))
    else:
        _columns(made, "option", "shape", "get", "set", "effect")
        for option in spec.options:
            made.add_row(option.id, option.shape, " ".join(option.get), " ".join(option.set), Text(option.effect))
    return made


def _columns(table: Table, *headings: str) -> None:
    """The first one names the rows, and is not broken up."""
    for number, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=number == 0)
