"""`nixio-conformance spec`: prints a table of the specification."""

from __future__ import annotations

import sys

import click
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from nixio_conformance.pytest_plugin import selection
from nixio_fixtures import Spec, load

#: The width of a table in a pipe, wide enough for each row to be one line, for grep.
_ONE_LINE = 800


@click.command()
@click.argument("axis", type=click.Choice(["clauses", "methods", "options", "sources"]), default="clauses")
@click.option("--select", metavar="TERM", multiple=True, help="Only these clauses: terms as in `run`.")
def spec(axis: str, select: tuple[str, ...]) -> None:
    """Print a table of the specification.

    The source of each clause is a link on terminals that support links; in a pipe, the address is a column of its own.
    `sources` prints the decisions that clauses cite as design:TOPIC and upstream:TOPIC.
    """
    try:
        chosen = selection.parse(select, load())
    except selection.UnknownSelection as error:
        raise click.UsageError(str(error)) from None
    if chosen and axis != "clauses":
        raise click.UsageError(f"--select is for clauses only: `spec clauses --select {select[0]}`")
    in_terminal = sys.stdout.isatty()
    console = Console() if in_terminal else Console(width=_ONE_LINE)
    made = Table(box=None, title=axis, title_justify="left")
    if axis == "clauses":
        _clauses(made, load(), chosen, links=not in_terminal)
    else:
        {"methods": _methods, "options": _options, "sources": _sources}[axis](made, load())
    console.print(made)


def _clauses(table: Table, spec: Spec, chosen: dict[str, tuple[str, ...]], *, links: bool) -> None:
    """Add the clauses that the selection may include."""
    _columns(table, "clause", "level", "source", "requires", *(["link"] if links else []))
    for clause in (clause for clause in spec.clauses if selection.touches(chosen, clause)):
        row: list[RenderableType] = [clause.id, clause.level, _linked(spec, clause.source), Text(clause.requires)]
        table.add_row(*row, *([spec.link(clause.source)] if links else []))


def _methods(table: Table, spec: Spec) -> None:
    _columns(table, "method", "source", "results", "summary")
    for method in spec.methods:
        shown = [f"{row.name}?" if row.optional else row.name for row in method.parameters]
        results = ", ".join(result.name for result in method.results)
        called = Text(f"{method.name}({', '.join(shown)})")
        table.add_row(called, _linked(spec, method.source), results, Text(method.summary))


def _options(table: Table, spec: Spec) -> None:
    _columns(table, "option", "shape", "get", "set", "effect")
    for option in spec.options:
        table.add_row(option.id, option.shape, " ".join(option.get), " ".join(option.set), Text(option.effect))


def _sources(table: Table, spec: Spec) -> None:
    _columns(table, "source", "about", "decision")
    for source in spec.sources:
        table.add_row(_linked(spec, source.id), Text(source.title), Text(source.decision))


def _linked(spec: Spec, source: str) -> Text:
    """A source, as a link if it has an address; one in this repository has a path instead."""
    address = spec.link(source)
    return Text(source, style=f"link {address}" if "://" in address else "")


def _columns(table: Table, *headings: str) -> None:
    """Add columns; the first one has the names of the rows, which are not wrapped."""
    for number, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=number == 0)
