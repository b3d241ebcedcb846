"""Everything that the reports show about a stream, computed once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .deviations import DeviationView, deviations, reasons
from .matrix import Matrix, matrix
from .order import in_order, methods
from .outcomes import Group, group
from .records import Row
from .stream import Stream
from .totals import median, slowest
from .verdict import Verdict, judge


@dataclass(frozen=True, slots=True)
class ClauseView:
    """One clause and its cases, in the order of the run."""

    id: str
    method: str
    level: str
    requires: str
    rows: tuple[Row, ...]

    @property
    def unproven(self) -> bool:
        """Whether all of its cases were skipped because of the host."""
        return all(row.outcome == "host-skip" for row in self.rows)


@dataclass(frozen=True, slots=True)
class Skip:
    """Cases skipped for one reason; `by` is `host` or `implementation`."""

    by: str
    reason: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The data of the terminal, HTML and JUnit reports and of the badge, so that all of them show the same numbers."""

    stream: Stream
    #: The group of each case, by its id.
    groups: Mapping[str, Group]
    matrix: Matrix
    #: By id; in the order of the methods, and within a method in the order of the run.
    clauses: Mapping[str, ClauseView]
    skips: tuple[Skip, ...]
    #: The ten slowest cases.
    slowest: tuple[Row, ...]
    #: The median time of an executed case, in seconds.
    median: float
    verdict: Verdict
    #: The rows of the run's baseline that cover a case of it.
    deviations: tuple[DeviationView, ...]
    #: The reason of each row of the baseline, by its line: `known.toml:4: paths end with NUL`.
    reasons: Mapping[int, str]

    @property
    def stale(self) -> tuple[DeviationView, ...]:
        """The rows of the baseline that the run contradicts."""
        return tuple(view for view in self.deviations if view.stale)

    @property
    def unproven(self) -> tuple[ClauseView, ...]:
        """The clauses whose cases were all skipped because of the host."""
        return tuple(clause for clause in self.clauses.values() if clause.unproven)


def summarize(stream: Stream) -> Summary:
    """Compute the summary of a stream. A pure function: the same stream gives an equal summary."""
    judged = stream.header.judged
    groups = {row.case: group(row, judged) for row in stream.rows}
    clauses = _clauses(stream.rows)
    return Summary(
        stream=stream,
        groups=groups,
        matrix=matrix(stream.rows, groups),
        clauses=clauses,
        skips=_skips(stream.rows),
        slowest=slowest(stream.rows),
        median=median(stream.rows),
        verdict=judge(stream, groups, sum(clause.unproven for clause in clauses.values())),
        deviations=deviations(stream),
        reasons=reasons(stream),
    )


def _clauses(rows: Sequence[Row]) -> dict[str, ClauseView]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.clause, []).append(row)
    order = in_order({row.method for row in rows}, methods())
    views = (ClauseView(name, of[0].method, of[0].level, of[0].requires, tuple(of)) for name, of in found.items())
    return {view.id: view for view in sorted(views, key=lambda view: order.index(view.method))}


def _skips(rows: Iterable[Row]) -> tuple[Skip, ...]:
    """Skipped cases by who skipped them and why, the most frequent reason first."""
    by = {"host-skip": "host", "port-skip": "implementation"}
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.outcome in by:
            found.setdefault((by[row.outcome], row.message), []).append(row)
    made = [Skip(who, reason, tuple(of)) for (who, reason), of in found.items()]
    return tuple(sorted(made, key=lambda skip: (-len(skip.rows), skip.by, skip.reason)))
