"""Counts and times over rows."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable

from .outcomes import OUTCOMES
from .records import Outcome, Row


def totals(rows: Iterable[Row]) -> dict[Outcome, int]:
    """The number of rows with each outcome, in the order of reports, without zeros."""
    found = Counter(row.outcome for row in rows)
    return {outcome: found[outcome] for outcome in OUTCOMES if found[outcome]}


def slowest(rows: Iterable[Row], number: int = 10) -> tuple[Row, ...]:
    """The `number` slowest cases, the slowest first; skipped cases are not included."""
    return tuple(sorted(_executed(rows), key=lambda row: -row.seconds)[:number])


def median(rows: Iterable[Row]) -> float:
    """The median time of the cases that were executed, in seconds; 0.0 if there are none."""
    return statistics.median([row.seconds for row in _executed(rows)] or [0.0])


def _executed(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.outcome not in ("host-skip", "port-skip", "not-run")]
