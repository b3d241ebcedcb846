"""`nixio-conformance list` and `spec`: what is plugged in, what this host can, and the tables."""

from __future__ import annotations

import json

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from nixio_conformance import selection
from nixio_conformance.driver import limits
from nixio_conformance.lab import hermetic, host
from nixio_conformance.target import plugged_in
from nixio_fixtures import load


def overview() -> RenderableType:
    """Two tables: implementations, and this host's capabilities."""
    implementations = Table(title="Implementations", title_justify="left", box=None)
    implementations.add_column("name", style="bold")
    implementations.add_column("from")
    for name, origin in sorted(plugged_in().items()):
        implementations.add_row(name, Text(origin))
    _know_the_lab()
    here = host.describe()
    hosts = Table(title=f"This host: {here.system} {here.release}, {here.machine}", title_justify="left", box=None)
    hosts.add_column("capability", style="bold", no_wrap=True)
    hosts.add_column("")
    hosts.add_column("what it is, or why it is lacking")
    for row in load().capabilities:
        reason = here.capabilities[row.id]
        hosts.add_row(row.id, "no" if reason else "yes", Text(f"{reason}" if reason else row.summary))
    return Group(implementations, Text(), hosts, Text(), Text(_limits()))


def _limits() -> str:
    if reason := limits.unavailable():
        return f"An agent's memory, descriptors and files are not limited: {reason}."
    most = limits.Limits()
    return f"An agent may have {most.memory} MiB of memory, {most.descriptors} descriptors, {most.file} MiB in a file."


def _know_the_lab() -> None:
    """A run would be in the lab, if there is one: tell what can be shown there."""
    way = hermetic.find_way()
    if way.reason:
        hermetic.stay_out(way.reason)
        host.know(host.probe())
    else:
        host.know(json.loads(hermetic.try_inside(way, lambda: json.dumps(host.probe()))))


def table(axis: str, chosen: dict[str, tuple[str, ...]] | None = None) -> RenderableType:
    """One table of the specification: clauses (those that a selection may touch), methods or options."""
    spec = load()
    made = Table(box=None, title=axis, title_justify="left")
    if axis == "clauses":
        _columns(made, "clause", "level", "source", "requires")
        for clause in (clause for clause in spec.clauses if selection.touches(chosen or {}, clause)):
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
