"""`nixio-conformance baseline`: writes the known deviations of a recorded run into a new or an existing file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nixio_conformance.baseline.read import BaselineError, read_text
from nixio_conformance.baseline.write import Written, make_baseline
from nixio_fixtures import load
from nixio_reports import StreamError, read
from nixio_reports.text import count, one_line


@click.command("baseline")
@click.argument("stream", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; an existing baseline is updated, keeping reasons and comments. [default: standard output]",
)
@click.option("--reason", metavar="TEXT", default="", help="Reason for the new rows; empty by default.")
def baseline(stream: Path, output: Path | None, reason: str) -> None:
    """Write a baseline from a run's failures.

    STREAM is the run's results.jsonl.

    Rows of an existing FILE stay unchanged for cases that were skipped or not selected in the run.
    """
    try:
        recorded = read(stream)
    except StreamError as error:
        raise click.BadParameter(str(error), param_hint="STREAM") from None
    if recorded.footer is None or recorded.problems:
        raise click.BadParameter(one_line(str(recorded.problems[0]), 1000), param_hint="STREAM")
    try:
        text = read_text(output) if output and os.path.exists(output) else None
        made = make_baseline(recorded, load(), path=str(output or ""), text=text, reason=" ".join(reason.split()))
        if output:
            _replace(output, made.text)
    except BaselineError as error:
        raise click.UsageError(f"{error}; the file was not changed") from None
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written: {error.strerror or error}") from None
    if not output:
        click.echo(made.text.encode(), nl=False)  # the file is UTF-8, whatever the terminal is
    _report(made, str(output or "standard output"))


def _report(made: Written, where: str) -> None:
    click.echo(f"{where}: {count(made.rows, 'deviation')}", err=True)
    for one in made.dropped:
        click.echo(f"dropped, because its cases pass or no longer exist: {one_line(one)}", err=True)
    if made.blank:
        lines = ", ".join(map(str, made.blank))
        click.echo(f"{count(len(made.blank), 'reason')} still to be written, in line {lines}", err=True)


def _replace(path: Path, text: str) -> None:
    """Write a file in one step, so that an interruption loses no reasons that people wrote."""
    real = Path(os.path.realpath(path))  # a symbolic link stays a link
    draft = real.with_name(f".{real.name}.{os.getpid()}")
    try:
        draft.write_text(text, "utf-8", newline="\n")
        draft.replace(real)
    finally:
        draft.unlink(missing_ok=True)
