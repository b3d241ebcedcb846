"""A proof on the terminal: each row that is not as it should be as it comes, a bar, and the tables at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from rich import progress
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.mutants import results
from tests.mutants.catalogue import Catalogue
from tests.mutants.results import Result

_WORDS: dict[results.Outcome, str] = {
    "reported": "reported as promised",
    "partly": "not reported by each clause that is named",
    "elsewhere": "reported by another clause only",
    "survived": "survived",
    "accepted": "accepted",
    "rejected": "right ports rejected",
    "host-skip": "cannot be shown on this host",
    "broke": "without a verdict",
}
#: Findings of one row that are shown.
_SHOWN = 3


class Progress:
    """The proof as it goes. Without a terminal only the rows that matter are printed."""

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

    def done(self, result: Result) -> None:
        """One row has its result."""
        self._bad += result.outcome in results.BAD
        self._bar.update(self._task, advance=1, description=f"{self._bad} wrong" if self._bad else "")
        if result.outcome in results.BAD:
            for line in lines(result):
                self._console.print(line, highlight=False, soft_wrap=True)


def lines(result: Result) -> list[str]:
    """What there is to say of a row that is not as it should be, in rich's markup."""
    said = [f"[bold]{result.outcome}[/bold] {escape(result.id)}: {escape(result.does)}"]
    if result.silent:
        said.append(f"    silent: {escape(', '.join(result.silent))}")
    if result.outcome != "partly":
        said += [f"    found: {escape(f'{f.case}: {f.message}')}" for f in result.findings[:_SHOWN]]
    if result.message:
        said.append(f"    {escape(result.message)}")
    if result.outcome in ("survived", "partly", "elsewhere"):
        named = " ".join(f"--select clause={name}" for name in result.silent)
        said.append(
            f"    look: nixio-conformance run --target tests.mutants.implementation:{escape(result.id)} {escape(named)}"
        )
    return said


def summary(proof: results.Proof) -> list[Table | str]:
    """The tables at the end, and the verdict in one line."""
    counts = {name: sum(result.outcome == name for result in proof.results) for name in _WORDS}
    said = ", ".join(f"{count} {_WORDS[name]}" for name, count in counts.items() if count)
    shown: list[Table | str] = []
    if methods := results.by_method(proof.results):
        shown.append(_rates("Faults by method", "method", methods))
    clauses = results.by_clause(proof.results)
    if short := {clause: count for clause, count in clauses.items() if count[0] < count[1]}:
        shown.append(_rates("Clauses that miss one", "clause", short))
    if clauses:
        shown.append(f"{len(clauses) - len(short)} of {len(clauses)} clauses report each fault that they are to report")
    seconds = f" in {proof.footer.seconds:.0f} s" if proof.footer else "; it was stopped before its end"
    shown.append(f"{said or 'nothing was proven'}{seconds}")
    return shown


def _rates(title: str, of: str, counts: Mapping[str, tuple[int, int]]) -> Table:
    """How many faults were reported, of how many."""
    table = Table(of, "faults", "reported", "rate", box=None, title=title, title_justify="left")
    for name, (caught, total) in counts.items():
        table.add_row(name, str(total), str(caught), f"{caught / total:.0%}")
    return table


def listing(catalogue: Catalogue) -> Iterable[Table]:
    """All rows."""
    faults = Table("fault", "what is wrong", "clauses that must report it", box=None)
    for fault in catalogue.faults:
        faults.add_row(escape(fault.id), escape(fault.does), escape(", ".join(fault.clauses)))
    varieties = Table("variety", "what is unusual, and right", box=None)
    for variety in catalogue.varieties:
        varieties.add_row(escape(variety.id), escape(variety.does))
    return (faults, varieties)
