"""Computes a baseline's rows after a recorded run: the old ones without passing cases, and new failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nixio_reports.deviations import names_cases
from nixio_reports.records import Baseline, Deviation, Known, Row
from nixio_reports.stream import Stream
from nixio_reports.text import one_line

_FAILING: tuple[Known, ...] = ("failed", "crashed", "timed-out")
_NO_VERDICT = ("host-skip", "port-skip", "not-run", "suite-error")


@dataclass(slots=True)
class Draft:
    """A row of the baseline to be written. `every` means the whole clause, without naming kinds or cases."""

    clause: str
    old: Deviation | None
    outcomes: tuple[Known, ...]
    kinds: set[str] = field(default_factory=set)
    cases: set[str] = field(default_factory=set)
    every: bool = False
    #: The message of its first case, which becomes a comment in a new row.
    seen: str = ""

    @property
    def unchanged(self) -> bool:
        """Whether it covers the same kinds and cases as the old row."""
        old = self.old
        return old is not None and (set(old.kinds), set(old.cases)) == (self.kinds, self.cases)


def collect(stream: Stream, old: Baseline | None) -> list[Draft]:
    """The rows that make the run in `stream` have neither failures nor unexpected passes.

    Cases that were skipped or not selected are kept as they are in `old`.
    """
    known = old.deviations if old else ()
    by_clause: dict[str, list[Row]] = {}
    for row in stream.rows:
        by_clause.setdefault(row.clause, []).append(row)
    drafts: list[Draft] = []
    for clause in dict.fromkeys([*by_clause, *(one.clause for one in known)]):
        rows = _Clause(clause, by_clause.get(clause, []), [one for one in known if one.clause == clause], stream)
        drafts += rows.drafts()
    return drafts


class _Clause:
    """Builds the rows of one clause."""

    def __init__(self, clause: str, rows: Sequence[Row], known: Sequence[Deviation], stream: Stream) -> None:
        self._clause = clause
        self._rows = rows
        self._known = known
        self._judged = stream.header.judged
        #: Whether the run was of all cases, so that a case missing from the stream is gone from the suite.
        self._all = not stream.header.selection
        #: Whether the stream has all cases of each pair of clause and kind, or none: no single case was selected.
        self._whole_pairs = not any(names_cases(term) for term in stream.header.selection)
        self._drafts: dict[tuple[int, tuple[Known, ...]], Draft] = {}

    def drafts(self) -> list[Draft]:
        """The rows, in the order of their cases in the stream."""
        origins = {row.case: self._origin(row) for row in self._rows}
        if not self._as_every(origins):
            for kind in dict.fromkeys(row.kind for row in self._rows):
                self._pair(kind, origins)
            self._unseen()
        for row in sorted(self._rows, key=lambda row: row.case):  # independent of the order of the run
            one = origins[row.case]
            if one is not None and one.old is None and not one.seen:
                seen = one_line(f"{row.case.removeprefix(self._clause)} {row.message}", 1000)
                one.seen = seen if len(seen) <= 110 else f"{seen[:107]}..."
        return [one for one in self._drafts.values() if one.every or one.kinds or one.cases]

    def _origin(self, row: Row) -> Draft | None:
        """The row that covers a case; None if the case needs none."""
        old = next((one for one in self._known if _covers(one, row)), None)
        outcome = row.found or row.outcome
        if old is not None and (outcome in old.outcomes or outcome in _NO_VERDICT or self._is_beyond(old, row)):
            return self._row(old, old.outcomes)
        for one in _FAILING:
            # A case that fails with an outcome that its old row does not allow gets a new row, because it needs a
            # reason of its own.
            if outcome == one and row.level in self._judged:
                return self._row(None, (one,))
        return None

    def _is_beyond(self, old: Deviation, row: Row) -> bool:
        """Whether an old row covers cases that were not selected, so that this run cannot contradict it."""
        return not (_names(old) or self._all) or (row.kind in old.kinds and not self._whole_pairs)

    def _row(self, old: Deviation | None, outcomes: tuple[Known, ...]) -> Draft:
        return self._drafts.setdefault((old.line if old else 0, outcomes), Draft(self._clause, old, outcomes))

    def _as_every(self, origins: dict[str, Draft | None]) -> bool:
        """Whether one row covers the whole clause: an old row did, or the clause has no kinds to name."""
        found = {id(one) for one in origins.values()}
        if not origins:
            one = next((one for one in self._known if not _names(one)), None)
            if one is not None and not self._all:
                self._row(one, one.outcomes).every = True
            return one is not None
        first = next(iter(origins.values()))
        if len(found) > 1 or first is None:
            return False
        was = first.old is not None and not _names(first.old)
        if was or (first.old is None and self._whole_pairs and not any(row.kind for row in self._rows)):
            first.every = True
        return first.every

    def _pair(self, kind: str, origins: dict[str, Draft | None]) -> None:
        cases = [row.case for row in self._rows if row.kind == kind]
        first = origins[cases[0]]
        if kind and first is not None and all(origins[case] is first for case in cases):
            was = first.old is not None and (kind in first.old.kinds or not _names(first.old))
            if was or (first.old is None and self._whole_pairs):
                first.kinds.add(kind)
                return
        for case in cases:
            one = origins[case]
            if one is not None:
                one.cases.add(case)

    def _unseen(self) -> None:
        """Keep the kinds and cases of old rows that are not in the stream, unless the run was of all cases."""
        if self._all:
            return
        kinds, cases = {row.kind for row in self._rows}, {row.case for row in self._rows}
        for old in self._known:
            one = self._row(old, old.outcomes)
            one.kinds |= {kind for kind in old.kinds if kind not in kinds}
            one.cases |= {case for case in old.cases if case not in cases}


def _covers(one: Deviation, row: Row) -> bool:
    return row.case in one.cases or row.kind in one.kinds or not _names(one)


def _names(one: Deviation) -> tuple[str, ...]:
    return (*one.kinds, *one.cases)
