"""Compares a run with a baseline: which row covers a case, and the case's outcome according to that row."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import msgspec
import pytest

from nixio_conformance.baseline.read import BaselineError, load_baseline
from nixio_conformance.pytest_plugin.options import RunOptions
from nixio_conformance.pytest_plugin.planned import Planned
from nixio_fixtures import load
from nixio_reports.deviations import Covered, edit
from nixio_reports.records import Baseline, Deviation, Row

#: Outcomes that say nothing about the implementation, so that they neither confirm nor contradict a baseline.
_NO_VERDICT = ("host-skip", "port-skip", "not-run", "suite-error")


class Expectations:
    """The known deviations; every process has them, because each judges cases."""

    def __init__(self, baseline: Baseline | None) -> None:
        #: None for a run without a baseline.
        self.baseline = baseline
        self._rows: dict[str, list[Deviation]] = {}
        for one in baseline.deviations if baseline else ():
            self._rows.setdefault(one.clause, []).append(one)
        self._by_line = {one.line: one for rows in self._rows.values() for one in rows}
        self._covered: dict[int, list[Covered]] = {}

    @property
    def words(self) -> tuple[str, ...]:
        """The options of the command line that name the baseline."""
        return ("--baseline", self.baseline.path) if self.baseline else ()

    def deviation(self, planned: Planned) -> Deviation | None:
        """The baseline's row for a case."""
        kind = planned.kind.id if planned.kind else ""
        for one in self._rows.get(planned.clause.id, ()):
            if planned.case in one.cases or kind in one.kinds or not (one.cases or one.kinds):
                return one
        return None

    def check(self, planned: Sequence[Planned]) -> None:
        """Compare the rows with all cases that were collected, selected or not.

        Raises `BaselineError` for a row with a case or kind that does not exist, and for a case that two rows cover.
        """
        by_clause: dict[str, list[Planned]] = {}
        for one in planned:
            if one.clause.id in self._rows:
                by_clause.setdefault(one.clause.id, []).append(one)
        for clause, cases in by_clause.items():
            for row in self._rows[clause]:
                self._check_row(row, cases)
            for case in cases:
                if (found := self.deviation(case)) is not None:
                    self._covered.setdefault(found.line, []).append((case.case, case.kind.id if case.kind else ""))

    def _check_row(self, row: Deviation, cases: list[Planned]) -> None:
        kinds = {case.case: case.kind.id if case.kind else "" for case in cases}
        for kind in row.kinds:
            if kind not in kinds.values():
                there = ", ".join(sorted(set(kinds.values()) - {""}))
                hint = f"its kinds are {there}" if there else "its cases have no kind: leave `kinds` out"
                self._wrong(row, kind, f"{row.clause} has no case on {kind}: {hint}")
        of_kinds = {kind for other in self._rows[row.clause] for kind in other.kinds}
        for case in row.cases:
            if case not in kinds:
                self._wrong(row, case, f"there is no case {case!r}: delete the line, or the row if it has no other")
            if kinds[case] in of_kinds:
                self._wrong(row, case, f"case {case!r} is covered by kind {kinds[case]} already: delete one of the two")

    def _wrong(self, row: Deviation, name: str, text: str) -> None:
        path = self.baseline.path if self.baseline else ""
        raise BaselineError(f"{path}:{row.lines.get(name, row.line)}: {text}")

    def resolve(self, row: Row) -> Row:
        """A case's row with the baseline applied: `expected-failure`, or `unexpected-pass` if the case passes."""
        known = self._by_line.get(row.deviation)
        if known is None or self.baseline is None or row.outcome in _NO_VERDICT:
            return row
        where = f"{self.baseline.path}:{known.line}"
        if row.outcome in known.outcomes:
            if row.outcome == "passed":
                return row
            return msgspec.structs.replace(row, outcome="expected-failure", found=row.outcome)
        if row.outcome == "passed":
            rest = [one for one in self._covered.get(known.line, ()) if one[0] != row.case]
            return msgspec.structs.replace(
                row,
                outcome="unexpected-pass",
                found="passed",
                message=f"it passes, and {where} says that it fails: "
                f"{edit(self.baseline.path, known, [(row.case, row.kind)], rest)}",
                expected=f"a known deviation: {known.reason}",
                actual="it passes",
                rerun=f"{row.rerun} --baseline {shlex.quote(self.baseline.path)}",
            )
        outcomes = " or ".join(known.outcomes)
        return msgspec.structs.replace(row, message=f"{row.message}; {where} expects {outcomes}, not {row.outcome}")

    def show(self, reports: Sequence[pytest.TestReport], row: Row) -> None:
        """Make pytest count a case as its row does: an expected failure as xfailed, an unexpected pass as failed."""
        for report in reports:
            if row.outcome == "expected-failure" and report.failed:
                report.outcome = "skipped"
                report.wasxfail = self._by_line[row.deviation].reason
            elif row.outcome == "unexpected-pass" and report.when == "call":
                report.outcome = "failed"
                report.longrepr = row.message


def of(options: RunOptions) -> Expectations:
    """The expectations of a run with these options. Raises `pytest.UsageError` for a baseline that cannot be used."""
    path = options.baseline
    try:
        return Expectations(load_baseline(path, load(), options.judged) if path else None)
    except BaselineError as error:
        raise pytest.UsageError(str(error)) from None
