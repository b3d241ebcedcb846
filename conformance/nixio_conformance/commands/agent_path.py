"""`nixio-conformance agent-path`: prints the path of the agent for Lua."""

from __future__ import annotations

import click

from nixio_conformance.target.lua import AGENT


@click.command("agent-path")
def agent_path() -> None:
    """Print the path of the agent for Lua.

    It is a single file that can be copied to the machine of the implementation.
    """
    click.echo(AGENT)
