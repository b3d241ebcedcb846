"""`nixio-conformance list`: prints the installed implementations and the capabilities of this host."""

from __future__ import annotations

import json

import click
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from nixio_conformance.driver import limits
from nixio_conformance.host import capabilities, platforms
from nixio_conformance.netns import hermetic
from nixio_conformance.target.python import installed_implementations
from nixio_fixtures import load
from nixio_reports.text import one_line


@click.command("list")
def list_() -> None:
    """Show installed implementations and host capabilities.

    A capability is something that a host has or lacks; for one that is missing, the reason is shown.
    """
    Console().print(_overview())


def _overview() -> RenderableType:
    """Two tables: implementations, and this host's capabilities."""
    implementations = Table(title="Implementations", title_justify="left", box=None)
    implementations.add_column("name", style="bold")
    implementations.add_column("from")
    for name, origin in sorted(installed_implementations().items()):
        implementations.add_row(Text(one_line(name)), Text(one_line(origin)))
    _probe()
    here = platforms.describe()
    hosts = Table(title=f"This host: {here.system} {here.release}, {here.machine}", title_justify="left", box=None)
    hosts.add_column("capability", style="bold", no_wrap=True)
    hosts.add_column("")
    hosts.add_column("what it is, or why it is missing")
    for row in load().capabilities:
        reason = here.capabilities[row.id]
        hosts.add_row(row.id, "no" if reason else "yes", Text(f"{reason}" if reason else row.summary))
    return Group(implementations, Text(), hosts, Text(), Text(_limits()))


def _limits() -> str:
    if reason := limits.unavailable():
        return f"An agent's memory, descriptors and files are not limited: {reason}."
    most = limits.Limits()
    return f"An agent may have {most.memory} MiB of memory, {most.descriptors} descriptors, {most.file} MiB in a file."


def _probe() -> None:
    """Probe where a run would take place: in the hermetic network, if this host allows it."""
    entry = hermetic.probe_entry()
    if entry.reason:
        hermetic.stay_out(entry.reason)
        capabilities.assume(capabilities.probe())
    else:
        capabilities.assume(json.loads(hermetic.try_inside(entry, lambda: json.dumps(capabilities.probe()))))
