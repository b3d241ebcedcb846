"""`nixio-conformance prove`."""

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
from tests.mutants import coverage, results, show
from tests.mutants.catalogue import Catalogue, CatalogueError, NoSuchRow, catalogue, stands_for
from tests.mutants.pool import CannotBegin, Pool
from tests.mutants.runner import prove as run

#: Name of the record in the report's folder.
RECORD = "proof.jsonl"


@click.command(
    epilog="Exit codes: 0 all faults reported and all varieties accepted, 1 not so, 2 wrong usage, 3 the suite could "
    "not be started or nothing could be shown on this host, 130 interrupted, 143 terminated."
)
@click.argument("rows", nargs=-1, metavar="[ROW]...")
@click.option(
    "-n",
    "workers",
    metavar="N",
    type=click.IntRange(1),
    default=None,
    help="Worker processes (default: two a processor, as half of the time is waiting).",
)
@click.option(
    "--select", metavar="TERM", multiple=True, help="Only faults that these clauses, methods or levels must report."
)
@click.option("--part", metavar="K/N", help="Only every N-th row, beginning with number K.")
@click.option("--whole", is_flag=True, help="Run the whole suite over each variety, not a sample and its own methods.")
@click.option("--no-search", is_flag=True, help="Do not look for another clause where those that are named are silent.")
@click.option("--without", metavar="CAPABILITY", multiple=True, help="As if this host lacked it (see `list`).")
@click.option(
    "--report",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, writable=True),
    default=Path("nixio-proof"),
    show_default=True,
    help=f"Where {RECORD} is written.",
)
@click.option(
    "--ledger",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the coverage ledger there (needs all rows).",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Take over what --report already shows as reported or accepted, and run the other rows.",
)
@click.option("--list", "list_", is_flag=True, help="Show the rows and do nothing.")
def prove(
    rows: tuple[str, ...],
    workers: int | None,
    select: tuple[str, ...],
    part: str | None,
    whole: bool,
    no_search: bool,
    without: tuple[str, ...],
    folder: Path,
    page: Path | None,
    resume: bool,
    list_: bool,
) -> None:
    """Prove the suite itself: it must report each faulty port of the catalogue, and accept each unusual right one.

    ROW is an id (`chunks/swapped-send`), a chapter (`chunks`), or a pattern with `*`; none stands for all.
    """
    spec, console = load(), Console()
    chosen = _chosen(rows, select, part, spec)
    if page is not None and (rows or select or part):
        raise click.UsageError("--ledger tells of the whole catalogue: leave ROW, --select and --part out")
    if list_:
        for table in show.listing(chosen):
            console.print(table)
        return
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / RECORD
    earlier = _earlier(record, chosen, whole=whole) if resume else {}
    pool = Pool(workers or 2 * (os.cpu_count() or 1), [f"--nixio-without={name}" for name in without])
    words = (*rows, *(f"--select={term}" for term in select), *([f"--part={part}"] if part else []))

    def lines(each: Callable[[results.Result], None]) -> Iterator[results.Line]:
        return run(chosen, spec, pool, chosen=words, whole=whole, search=not no_search, earlier=earlier, each=each)

    code = _recorded(pool, lines, record, show.Progress(console, _rows(chosen)))
    if code is None:
        proof = results.read(record)
        for shown in show.summary(proof):
            console.print(shown, highlight=False)
        if page is not None:
            page.write_text(coverage.markdown(spec, proof), encoding="utf-8")
            Path(coverage.__file__).with_name(coverage.CAUGHT).write_text(coverage.recorded(proof), encoding="utf-8")
        code = results.exit_code(proof.results)
    sys.exit(code)


def _recorded(
    pool: Pool,
    lines: Callable[[Callable[[results.Result], None]], Iterable[results.Line]],
    record: Path,
    progress: show.Progress,
) -> int | None:
    """Run it all into the record; the exit code where that did not come to its end."""
    previous = signal.signal(signal.SIGTERM, _terminated)
    try:
        with pool, progress:
            results.write(record, lines(progress.done))
    except CannotBegin as error:
        click.echo(f"the suite cannot be started: {error}", err=True)
        return 3
    except KeyboardInterrupt:
        click.echo(f"interrupted; what was proven is in {record}", err=True)
        return 130
    finally:
        signal.signal(signal.SIGTERM, previous)
    return None


def _earlier(record: Path, chosen: Catalogue, *, whole: bool) -> dict[str, results.Result]:
    try:
        return results.still_good(results.read(record), chosen.rows, __version__, whole=whole)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _terminated(number: int, frame: object) -> None:
    sys.exit(143)


def _rows(chosen: Catalogue) -> int:
    return len(chosen.faults) + len(chosen.varieties)


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
                for clause in stands_for(name, spec)
            )
        )
        # A variety is about no clause in particular.
        found = replace(found, faults=faults, varieties=())
    if part:
        match = re.fullmatch(r"(\d+)/(\d+)", part)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise click.BadParameter(f"{part!r} is not K/N with K from 1 to N", param_hint="--part")
        found = found.part(int(match[1]), int(match[2]))
    if not _rows(found):
        raise click.UsageError("no row is chosen: ROW, --select and --part exclude each other")
    return found
