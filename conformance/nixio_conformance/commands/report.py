"""`nixio-conformance report`: writes and shows the reports of a recorded stream."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from nixio_reports import StreamError, print_report, read, summarize, write_reports
from nixio_reports.verdict import State

_EXIT_CODES: dict[State, int] = {"conforming": 0, "not-conforming": 1, "no-verdict": 2}


@click.command()
@click.argument("stream", type=click.Path(path_type=Path))
@click.option(
    "--report",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write the reports.  [default: the folder of the stream]",
)
def report(stream: Path, folder: Path | None) -> None:
    """Write the reports of a recorded run, and print its summary.

    STREAM is the results.jsonl of a run.
    """
    try:
        sys.exit(show(stream, folder or stream.parent, Console()))
    except StreamError as error:
        raise click.BadParameter(str(error), param_hint="STREAM") from None


def show(path: Path, folder: Path, console: Console) -> int:
    """Write the reports of the stream at `path` into `folder` and print the summary.

    Returns the run's exit code; where that is 0, but the stream shows no conforming run, 1 or 2; 3 if a report cannot
    be written. Raises `StreamError`.
    """
    stream = read(path, light=True)
    summary = summarize(stream)
    html, failure = None, ""
    try:
        html = write_reports(summary, folder)["html"]
    except OSError as error:
        again = f"to write it elsewhere: nixio-conformance report {path} --report DIR"
        failure = f"{error.filename} cannot be written: {error.strerror}; {again}"
    print_report(console, summary, html=html)
    if failure:
        click.echo(failure, err=True)
        return 3
    if stream.footer is None:
        return 1
    # A stream may have been changed after its run: its exit code alone shows nothing.
    recorded = stream.footer.exit_code
    return recorded if 0 < recorded < 256 else _EXIT_CODES[summary.verdict.state]
