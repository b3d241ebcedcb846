"""The group of commands of `nixio-conformance`; each command is a file in `commands`."""

from __future__ import annotations

import click

from nixio_conformance import __version__
from nixio_conformance.commands.agent_check import agent_check
from nixio_conformance.commands.agent_path import agent_path
from nixio_conformance.commands.baseline import baseline
from nixio_conformance.commands.clean import clean
from nixio_conformance.commands.fuzz import fuzz
from nixio_conformance.commands.group import Commands
from nixio_conformance.commands.list import list_
from nixio_conformance.commands.report import report
from nixio_conformance.commands.run import run
from nixio_conformance.commands.schema import schema
from nixio_conformance.commands.smoke import smoke
from nixio_conformance.commands.spec import spec
from nixio_conformance.commands.target_options import EPILOG


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nixio-conformance")
def main() -> None:
    """Judge implementations of nixio's Socket API."""


for command in (run, baseline, list_, spec, smoke, agent_path, agent_check, report, schema, fuzz, clean):
    main.add_command(command)
