"""The end of a command that started agents."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from nixio_conformance.driver.survivors import survivors


def end(code: int) -> NoReturn:
    """Exit with this code, or with 3 and a message if a process of an agent could not be ended."""
    left = survivors()
    for message in left:
        click.echo(message, err=True)
    sys.exit(3 if left else code)
