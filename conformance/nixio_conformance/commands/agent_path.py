"""`nixio-conformance agent-path`: prints where the agent for Lua is."""

from __future__ import annotations

import click

from nixio_conformance.target.lua import AGENT


@click.command("agent-path")
def agent_path() -> None:
    """Print the path of the agent for Lua.

    It is one file, to be copied to where the implementation is.
    """
    click.echo(AGENT)
