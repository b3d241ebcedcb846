"""Compares the rows of a baseline with a run: which are confirmed, which are stale, and which lines to delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .records import FINDINGS, Baseline, Deviation, Outcome, Row
from .stream import Stream
from .text import count

#: The id and the kind of a case.
Covered = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DeviationView:
    """One row of the baseline and the run's cases that it covers.

    Cases in `known` failed as the row says, in `passing` they passed although it says that they fail, in `changed` they
    failed in another way, in `allowed` they passed as the row allows, in `unproven` they have no verdict.
    `where` is `FILE:LINE`. `edit` is the change that the file needs, and empty if it needs none.
    """

    deviation: Deviation
    where: str
    known: tuple[Row, ...]
    passing: tuple[Row, ...]
    changed: tuple[Row, ...]
    allowed: tuple[Row, ...]
    unproven: tuple[Row, ...]
    edit: str

    @property
    def rows(self) -> tuple[Row, ...]:
        """All cases that it covers, those that contradict it first."""
        return (*self.passing, *self.changed, *self.known, *self.allowed, *self.unproven)

    @property
    def stale(self) -> bool:
        """Whether the run contradicts it."""
        return bool(self.passing or self.changed)

    @property
    def covers(self) -> str:
        """Kinds and cases as text: `inet-stream, unix-stream and 2 cases`."""
        words = list(self.deviation.kinds)
        if len(self.deviation.cases) == 1:
            words.append(self.deviation.cases[0].removeprefix(self.deviation.clause))
        elif self.deviation.cases:
            words.append(count(len(self.deviation.cases), "case"))
        return ", ".join(words[:-1]) + " and " * (len(words) > 1) + words[-1] if words else "every case"


def deviations(stream: Stream) -> tuple[DeviationView, ...]:
    """The rows of the run's baseline that cover at least one of its cases, in the file's order."""
    baseline = stream.header.baseline
    if baseline is None:
        return ()
    found: dict[int, list[Row]] = {}
    for row in stream.rows:
        if row.deviation:
            found.setdefault(row.deviation, []).append(row)
    return tuple(_view(stream, baseline, one, found[one.line]) for one in baseline.deviations if one.line in found)


def reasons(stream: Stream) -> dict[int, str]:
    """The place and reason of each row of the baseline, by the row's line: `known.toml:4: paths end with NUL`."""
    baseline = stream.header.baseline
    return {one.line: f"{baseline.path}:{one.line}: {one.reason}" for one in baseline.deviations} if baseline else {}


def names_cases(term: str) -> bool:
    """Whether a term of `--select` names a single case, so that others of its clause and kind were left out."""
    return term.endswith("]") or term.startswith("case=")


def _view(stream: Stream, baseline: Baseline, deviation: Deviation, rows: list[Row]) -> DeviationView:
    whole = not any(names_cases(term) for term in stream.header.selection)

    def of(*outcomes: Outcome) -> tuple[Row, ...]:
        return tuple(row for row in rows if row.outcome in outcomes)

    passing = of("unexpected-pass")
    others = [(row.case, row.kind) for row in rows if row not in passing]
    present = {name for row in rows for name in (row.case, row.kind)}
    # Cases that were not selected may still fail; so may the rest of a kind of which single cases were selected.
    others += [("", kind) for kind in deviation.kinds if kind not in present or not whole]
    others += [(case, "") for case in deviation.cases if case not in present]
    if stream.header.selection and not deviation.kinds and not deviation.cases:
        others.append(("", ""))
    return DeviationView(
        deviation=deviation,
        where=f"{baseline.path}:{deviation.line}",
        known=of("expected-failure"),
        passing=passing,
        changed=tuple(row for row in of(*FINDINGS) if row not in passing),
        allowed=of("passed"),
        unproven=of("host-skip", "port-skip", "not-run", "suite-error"),
        edit=edit(baseline.path, deviation, [(row.case, row.kind) for row in passing], others),
    )


def edit(path: str, deviation: Deviation, gone: Sequence[Covered], rest: Sequence[Covered]) -> str:
    """How to remove the cases `gone`, which pass, from a row that also covers `rest`; empty if there are none.

    A case in `rest` with an empty id represents unknown cases of its kind.
    """
    if not gone:
        return ""
    if not rest:
        return f"in {path}, delete {lines_in_words(deviation.line, deviation.last)}"
    if set(rest) == {("", "")}:
        here = lines_in_words(deviation.line, deviation.last)
        return f"in {path}, delete {here} if the whole clause passes: this run selected only a part of it"
    listed = set(deviation.cases)
    steps = [
        f'delete "{case}" from cases, line {deviation.lines.get(case, deviation.line)}'
        for case, _ in gone
        if case in listed
    ]
    kinds = {kind: None for case, kind in gone if case not in listed}
    steps += [_without_kind(deviation, kind, gone, rest) for kind in kinds]
    return f"in {path}, {'; '.join(steps)}"


def _without_kind(deviation: Deviation, kind: str, gone: Sequence[Covered], rest: Sequence[Covered]) -> str:
    listed = set(deviation.cases)
    left = [case for case, of in rest if of == kind and case not in listed]
    total = len(left) + sum(of == kind and case not in listed for case, of in gone)
    if kind in deviation.kinds:
        line = deviation.lines.get(kind, deviation.line)
        if not left:
            return f'delete "{kind}" from kinds, line {line}'
        start = f'delete "{kind}" from kinds, line {line}, and list the cases that still fail under cases'
    elif kind and not left:
        return f'list the kinds that still fail under kinds, after line {deviation.line}: "{kind}" passes'
    else:
        start = f"list the cases that still fail under cases, after line {deviation.line}"
    return start if "" in left else f"{start}, {len(left)} of {total}"


def lines_in_words(first: int, last: int) -> str:
    """`line 4`, `lines 4 to 9`."""
    return f"line {first}" if first == last else f"lines {first} to {last}"
