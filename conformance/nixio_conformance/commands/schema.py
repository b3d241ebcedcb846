"""`nixio-conformance schema`: prints the agent protocol as JSON Schema."""

from __future__ import annotations

import json

import click

from nixio_conformance.driver import messages


@click.command()
def schema() -> None:
    """Print the agent protocol as JSON Schema."""
    click.echo(json.dumps(messages.schema(), indent=2))
