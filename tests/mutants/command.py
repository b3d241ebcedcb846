"""`python -m tests.mutants`."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from nixio_conformance import __version__
from nixio_conformance.pytest_plugin import selection
from nixio_fixtures import Spec, load
from tests.mutants import coverage, results, runner, show
from tests.mutants.catalogue import Catalogue, CatalogueError, NoSuchRow, catalogue, matching
from tests.mutants.pool import CannotStart, Pool

#: Name of the record in the report folder.
RECORD = "mutants.jsonl"
#: Columns that no row of the list is longer than.
_ONE_LINE = 400


@click.command(
    epilog="Exit codes: 0 every fault is reported and every variant accepted, 1 otherwise, 2 wrong usage, 3 the suite "
    "cannot be started or this host can run none of the rows, 130 interrupted, 143 terminated."
)
@click.argument("rows", nargs=-1, metavar="[ROW]...")
@click.option(
    "-n",
    "workers",
    metavar="N",
    type=click.IntRange(1),
    default=None,
    help="Worker processes (default: two for each processor, since half of the time is waiting).",
)
@click.option(
    "--select", metavar="TERM", multiple=True, help="Only faults that these clauses, methods or levels must report."
)
@click.option("--part", metavar="K/N", help="Only every N-th row, from row K on.")
@click.option(
    "--whole", is_flag=True, help="Run the whole suite over each variant, instead of a sample and its methods' checks."
)
@click.option("--no-search", is_flag=True, help="Do not run other clauses if the named ones report nothing.")
@click.option("--without", metavar="CAPABILITY", multiple=True, help="Run as if this host lacked it (see `list`).")
@click.option(
    "--report",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, writable=True),
    default=Path("nixio-mutants"),
    show_default=True,
    help=f"The folder for {RECORD} and {coverage.TABLE}.",
)
@click.option("--resume", is_flag=True, help="Keep the good results recorded in --report, and run only the other rows.")
@click.option("--list", "list_", is_flag=True, help="Print the rows without running them.")
@click.option(
    "--table",
    is_flag=True,
    help="Print the coverage table (declared faults, and results recorded in --report) without running anything.",
)
def mutants(
    rows: tuple[str, ...],
    workers: int | None,
    select: tuple[str, ...],
    part: str | None,
    whole: bool,
    no_search: bool,
    without: tuple[str, ...],
    folder: Path,
    resume: bool,
    list_: bool,
    table: bool,
) -> None:
    """Test the suite with mutants of the reference: it must report every fault and accept every conforming variant.

    ROW is an id (`chunks/swapped-send`), a group (`chunks`), or a pattern with `*`; the default is all rows.
    """
    spec, console = load(), Console()
    chosen = _chosen(rows, select, part, spec)
    record = folder / RECORD
    if list_:
        _list(chosen, console)
        return
    if table:
        click.echo(coverage.markdown(spec, chosen.declared(), _recorded(record)), nl=False)
        return
    folder.mkdir(parents=True, exist_ok=True)
    earlier = _earlier(_recorded(record), chosen, whole=whole) if resume else {}
    pool = Pool(workers or 2 * (os.cpu_count() or 1), [f"--nixio-without={name}" for name in without])
    words = (*rows, *(f"--select={term}" for term in select), *([f"--part={part}"] if part else []))

    def lines(on_result: Callable[[results.RowResult], None]) -> Iterator[results.RecordLine]:
        search = not no_search
        return runner.run(
            chosen, spec, pool, chosen=words, whole=whole, search=search, earlier=earlier, on_result=on_result
        )

    code = _run(pool, lines, record, show.Progress(console, _count(chosen)))
    if code is None:
        found = results.read(record)
        (folder / coverage.TABLE).write_text(coverage.markdown(spec, chosen.declared(), found), encoding="utf-8")
        code = _show(found, console)
    sys.exit(code)


def _list(chosen: Catalogue, console: Console) -> None:
    """Print the rows; in a pipe each is one line, for grep."""
    wide = console if console.is_terminal else Console(width=_ONE_LINE)
    for table in show.listing(chosen):
        wide.print(table)


def _show(found: results.Record, console: Console) -> int:
    """Print the tables of a run. Returns its exit code."""
    for shown in show.summary(found):
        console.print(shown, highlight=False)
    return results.exit_code(found.results)


def _run(
    pool: Pool,
    lines: Callable[[Callable[[results.RowResult], None]], Iterable[results.RecordLine]],
    record: Path,
    progress: show.Progress,
) -> int | None:
    """Run the rows and write the record. Returns an exit code if the run stopped before its end."""
    previous = signal.signal(signal.SIGTERM, _terminated)
    try:
        with pool, progress:
            results.write(record, lines(progress.done))
    except CannotStart as error:
        click.echo(f"the suite cannot be started: {error}", err=True)
        return 3
    except KeyboardInterrupt:
        click.echo(f"interrupted; the results so far are in {record}", err=True)
        return 130
    finally:
        signal.signal(signal.SIGTERM, previous)
    return None


def _recorded(record: Path) -> results.Record | None:
    """The record of an earlier run, if there is one."""
    try:
        return results.read(record)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _earlier(found: results.Record | None, chosen: Catalogue, *, whole: bool) -> dict[str, results.RowResult]:
    return results.still_valid(found, chosen.rows, __version__, whole=whole) if found else {}


def _terminated(number: int, frame: object) -> None:
    sys.exit(143)


def _count(chosen: Catalogue) -> int:
    return len(chosen.faults) + len(chosen.variants)


def _chosen(rows: Sequence[str], select: Sequence[str], part: str | None, spec: Spec) -> Catalogue:
    try:
        found = catalogue().chosen(rows)
        terms = selection.parse(select, spec)
    except (NoSuchRow, selection.UnknownSelection) as error:
        raise click.UsageError(str(error)) from None
    except CatalogueError as error:
        raise click.ClickException(str(error)) from None
    if terms:
        faults = tuple(
            fault
            for fault in found.faults
            if any(
                selection.touches(terms, spec.clause(clause))
                for name in fault.clauses
                for clause in matching(name, spec)
            )
        )
        # A variant belongs to no clause.
        found = replace(found, faults=faults, variants=())
    if part:
        match = re.fullmatch(r"(\d+)/(\d+)", part)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise click.BadParameter(f"{part!r} is not K/N with K from 1 to N", param_hint="--part")
        found = found.part(int(match[1]), int(match[2]))
    if not _count(found):
        raise click.UsageError("no row is selected: ROW, --select and --part exclude each other")
    return found
