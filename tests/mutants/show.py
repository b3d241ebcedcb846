"""A run on the terminal: a progress bar, each bad row when it is known, and tables at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from rich import progress
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tests.mutants import results
from tests.mutants.catalogue import Catalogue
from tests.mutants.results import RowResult

_WORDS: dict[results.Outcome, str] = {
    "reported": "reported as declared",
    "partly": "not reported by each named clause",
    "elsewhere": "reported by another clause only",
    "survived": "survived",
    "accepted": "accepted",
    "rejected": "conforming variants rejected",
    "host-skip": "not run on this host",
    "suite-error": "without a result",
}
#: The maximum number of printed findings of one row.
_SHOWN = 3


class Progress:
    """The progress bar. Without a terminal only bad rows are printed."""

    def __init__(self, console: Console, rows: int) -> None:
        self._console = console
        self._bad = 0
        self._bar = progress.Progress(
            progress.BarColumn(bar_width=None),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.description}", markup=False),
            progress.TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=rows)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def done(self, result: RowResult) -> None:
        """Count a result, and print it if it is bad."""
        self._bad += result.outcome in results.BAD
        self._bar.update(self._task, advance=1, description=f"{self._bad} wrong" if self._bad else "")
        if result.outcome in results.BAD:
            for line in lines(result):
                self._console.print(line, highlight=False, soft_wrap=True)


def lines(result: RowResult) -> list[str]:
    """A bad row, in rich's markup."""
    text = [f"[bold]{result.outcome}[/bold] {escape(result.id)}: {escape(result.does)}"]
    if result.silent:
        text.append(f"    silent: {escape(', '.join(result.silent))}")
    if result.outcome != "partly":
        text += [f"    found: {escape(f'{f.case}: {f.message}')}" for f in result.findings[:_SHOWN]]
    if result.message:
        text.append(f"    {escape(result.message)}")
    if result.outcome in ("survived", "partly", "elsewhere"):
        named = " ".join(f"--select clause={name}" for name in result.silent)
        text.append(
            f"    try: nixio-conformance run --target tests.mutants.implementation:{escape(result.id)} {escape(named)}"
        )
    return text


def summary(record: results.Record) -> list[Table | str]:
    """The tables at the end, and the counts in one line."""
    counts = {name: sum(result.outcome == name for result in record.results) for name in _WORDS}
    words = ", ".join(f"{count} {_WORDS[name]}" for name, count in counts.items() if count)
    shown: list[Table | str] = []
    if methods := results.by_method(record.results):
        shown.append(_rates("Faults by method", "method", methods))
    clauses = results.by_clause(record.results)
    if short := {clause: count for clause, count in clauses.items() if count[0] < count[1]}:
        shown.append(_rates("Clauses that miss a fault", "clause", short))
    if clauses:
        shown.append(f"{len(clauses) - len(short)} of {len(clauses)} clauses report each fault declared for them")
    seconds = f" in {record.footer.seconds:.0f} s" if record.footer else "; stopped before the end"
    shown.append(f"{words or 'no row was run'}{seconds}")
    return shown


def _rates(title: str, of: str, counts: Mapping[str, tuple[int, int]]) -> Table:
    """Reported and declared faults, by method or clause."""
    table = Table(of, "faults", "reported", "rate", box=None, title=title, title_justify="left")
    for name, (reported, total) in counts.items():
        table.add_row(name, str(total), str(reported), f"{reported / total:.0%}")
    return table


def listing(catalogue: Catalogue) -> Iterable[Table]:
    """All rows."""
    faults = Table(Column("fault", no_wrap=True), "what is wrong", "clauses that must report it", box=None)
    for fault in catalogue.faults:
        faults.add_row(escape(fault.id), escape(fault.does), escape(", ".join(fault.clauses)))
    variants = Table(Column("conforming variant", no_wrap=True), "what is unusual", box=None)
    for variant in catalogue.variants:
        variants.add_row(escape(variant.id), escape(variant.does))
    return (faults, variants)
