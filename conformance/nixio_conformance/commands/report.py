"""`nixio-conformance report`: writes and shows the reports of a recorded stream."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from nixio_reports import StreamError, print_report, read, summarize, write_reports


@click.command()
@click.argument("stream", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--report",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
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

    Returns the run's exit code; 1 if the stream has no footer. Raises `StreamError`.
    """
    stream = read(path)
    summary = summarize(stream)
    written = write_reports(summary, folder)
    print_report(console, summary, html=written["html"])
    return stream.footer.exit_code if stream.footer else 1
