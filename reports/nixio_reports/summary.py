"""Pure functions from a stream to what people want to know of it: totals, the matrix, clauses, the verdict."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from .outcomes import OUTCOMES, Group, group, word
from .records import Outcome, Row
from .stream import Stream
from .text import count

#: The document's order, then the factory.
METHODS = (
    *("getsockname", "getpeername", "bind", "connect", "listen", "accept"),
    *("sendto", "send", "write", "recvfrom", "recv", "read"),
    *("close", "shutdown", "fileno", "setblocking", "setopt", "getopt", "socket"),
)
KINDS = tuple(f"{family}-{socktype}" for family in ("inet", "inet6", "unix") for socktype in ("stream", "dgram", "raw"))
#: The column of cases that are of no kind.
NO_KIND = "-"

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

State = Literal["conforming", "not-conforming", "no-verdict"]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many cases fell in each group. `told` are findings of levels that are not judged."""

    failed: int = 0
    told: int = 0
    known: int = 0
    unrun: int = 0
    skipped: int = 0
    passed: int = 0

    @property
    def total(self) -> int:
        """All cases."""
        return sum(number for _, number in self.parts())

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.failed + other.failed,
            self.told + other.told,
            self.known + other.known,
            self.unrun + other.unrun,
            self.skipped + other.skipped,
            self.passed + other.passed,
        )

    def parts(self) -> tuple[tuple[Group, int], ...]:
        """Groups and their numbers, the most urgent first, empty ones left out."""
        every: tuple[tuple[Group, int], ...] = (
            ("failed", self.failed),
            ("told", self.told),
            ("known", self.known),
            ("unrun", self.unrun),
            ("skipped", self.skipped),
            ("passed", self.passed),
        )
        return tuple((name, number) for name, number in every if number)


@dataclass(frozen=True, slots=True)
class Cell:
    """One method on one kind of socket, with its rows in the order of the run."""

    method: str
    kind: str
    tally: Tally
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Methods by kinds; `cells` lacks those without a case."""

    methods: tuple[str, ...]
    kinds: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    by_method: Mapping[str, Tally]
    by_kind: Mapping[str, Tally]
    total: Tally


@dataclass(frozen=True, slots=True)
class ClauseView:
    """One clause and its cases. `unproven`: every case was skipped by the host."""

    id: str
    method: str
    level: str
    source: str
    requires: str
    tally: Tally
    rows: tuple[Row, ...]
    unproven: bool


@dataclass(frozen=True, slots=True)
class Skip:
    """Cases skipped for one reason; `by` is `host` or `port`."""

    by: str
    reason: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the run says of the implementation.

    `words` is one line for people. `findings` are the rows of judged levels that make it not conforming, `told` those
    of other levels, `unproven` the clauses whose cases the host skipped, all of them.
    """

    state: State
    words: str
    findings: tuple[Row, ...]
    told: tuple[Row, ...]
    unproven: tuple[ClauseView, ...]

    @property
    def conforming(self) -> bool:
        """True only when all that was asked for was run and nothing judged failed."""
        return self.state == "conforming"


def totals(rows: Iterable[Row]) -> dict[Outcome, int]:
    """How many rows have each outcome, in the order of reports, zeros left out."""
    found = Counter(row.outcome for row in rows)
    return {outcome: found[outcome] for outcome in OUTCOMES if found[outcome]}


def tally(rows: Iterable[Row], judged: Collection[str]) -> Tally:
    """How many rows fall in each group, when the levels in `judged` are judged."""
    return Tally(**Counter[str](group(row, judged) for row in rows))


def matrix(rows: Iterable[Row], judged: Collection[str]) -> Matrix:
    """Rows by method and kind, both in the document's order, unknown ones after the known."""
    rows = tuple(rows)
    cells = _grouped(((row.method, row.kind or NO_KIND), row) for row in rows)
    methods = _grouped((row.method, row) for row in rows)
    kinds = _grouped((row.kind or NO_KIND, row) for row in rows)
    return Matrix(
        methods=_ordered(methods, METHODS),
        kinds=_ordered(kinds, KINDS, last=NO_KIND),
        cells={key: Cell(key[0], key[1], tally(found, judged), tuple(found)) for key, found in cells.items()},
        by_method={method: tally(found, judged) for method, found in methods.items()},
        by_kind={kind: tally(found, judged) for kind, found in kinds.items()},
        total=tally(rows, judged),
    )


def clauses(rows: Iterable[Row], judged: Collection[str]) -> tuple[ClauseView, ...]:
    """Rows by clause, in the methods' order and then as the run came to them."""
    found = _grouped((row.clause, row) for row in rows)
    place = {method: number for number, method in enumerate(METHODS)}
    views = [
        ClauseView(
            id=clause,
            method=of[0].method,
            level=of[0].level,
            source=of[0].source,
            requires=of[0].requires,
            tally=tally(of, judged),
            rows=tuple(of),
            unproven=all(row.outcome == "host-skip" for row in of),
        )
        for clause, of in found.items()
    ]
    return tuple(sorted(views, key=lambda view: place.get(view.method, len(place))))


def skips(rows: Iterable[Row]) -> tuple[Skip, ...]:
    """Skipped cases by who skipped them and why, the most frequent reason first."""
    found = _grouped(
        ((row.outcome.removesuffix("-skip"), row.message), row)
        for row in rows
        if row.outcome in ("host-skip", "port-skip")
    )
    made = [Skip(by, reason, tuple(of)) for (by, reason), of in found.items()]
    return tuple(sorted(made, key=lambda skip: (-len(skip.rows), skip.by, skip.reason)))


def slowest(rows: Iterable[Row], number: int = 10) -> tuple[Row, ...]:
    """The `number` cases that took longest, the slowest first."""
    return tuple(sorted(_run(rows), key=lambda row: -row.seconds)[:number])


def median_ms(rows: Iterable[Row]) -> float:
    """The median of the cases that were run, in milliseconds; 0 when none was."""
    return statistics.median([row.seconds for row in _run(rows)] or [0.0]) * 1000


def verdict(stream: Stream) -> Verdict:
    """Whether the implementation conforms, in words too.

    A finding of a judged level decides at once. Without one, it conforms only if the run came to its end, nothing of
    the stream was lost and at least one case passed: else there is no verdict.
    """
    judged = stream.header.judged
    groups = _grouped((group(row, judged), row) for row in stream.rows)
    findings, told = tuple(groups.get("failed", ())), tuple(groups.get("told", ()))
    unproven = tuple(view for view in clauses(stream.rows, judged) if view.unproven)
    doubt = _doubt(stream, bool(findings))
    state: State = "not-conforming" if findings else "no-verdict" if doubt else "conforming"
    start = {"conforming": "conforming", "not-conforming": "NOT conforming", "no-verdict": "no verdict"}[state]
    if state == "conforming" and "known" in groups:
        start += f" but for known deviations from {count(known_clauses(stream.rows), 'clause')}"
    if stream.header.selection:
        start += " in the selected cases"
    words = f"{start}: {counted(stream)}"
    if doubt:
        words += f"; {doubt}"
    if unproven:
        words += f"; {count(len(unproven), 'clause')} unproven because of the host"
    return Verdict(state, words, findings, told, unproven)


def known_clauses(rows: Iterable[Row]) -> int:
    """How many clauses the implementation is known to deviate from."""
    return len({row.clause for row in rows if row.outcome == "expected-failure"})


def counted(stream: Stream) -> str:
    """Totals in words: `2431 passed, 12 skipped by the host`."""
    judged = stream.header.judged
    told = sum(group(row, judged) == "told" for row in stream.rows)
    judged_rows = [row for row in stream.rows if group(row, judged) != "told"]
    parts = [f"{number} {word(outcome)}" for outcome, number in totals(judged_rows).items()]
    # What passed comes first in a good run, and what failed first in a bad one.
    if parts and not any(group(row, judged) == "failed" for row in judged_rows):
        parts = parts[-1:] + parts[:-1] if parts[-1].endswith(" passed") else parts
    if told:
        parts.append(f"{told} told, not judged")
    return ", ".join(parts) or "no case was recorded"


def _doubt(stream: Stream, failed: bool) -> str:
    """Why the rows do not suffice for a verdict; empty when they do."""
    footer = stream.footer
    if footer is None:
        return "the run was stopped before its end"
    if footer.stopped:
        return f"the run was stopped before its end ({footer.stopped})"
    if any(row.outcome == "not-run" for row in stream.rows) or footer.planned > len(stream.rows):
        return "planned cases were not run"
    if stream.problems:
        return "the stream of results is damaged"
    if failed:
        return ""
    if footer.exit_code:
        return f"the run ended with exit code {footer.exit_code}"
    if not any(row.outcome in ("passed", "expected-failure") for row in stream.rows):
        return "no case could be run"
    return ""


def _run(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.outcome not in ("host-skip", "port-skip", "not-run")]


def _grouped(pairs: Iterable[tuple[_Key, _Value]]) -> dict[_Key, list[_Value]]:
    found: dict[_Key, list[_Value]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return dict(found)


def _ordered(found: Collection[str], known: tuple[str, ...], last: str = "") -> tuple[str, ...]:
    """What was found: the known in their order, the others sorted after them, `last` at the end."""
    others = sorted(set(found) - set(known) - {last})
    return (*(name for name in known if name in found), *others, *([last] if last in found else []))
