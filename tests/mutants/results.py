"""Results: the record of a run (JSON Lines, one line for each row), counts and exit code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from tests.mutants.jobs import SUITE_ERROR, Answer, ReportingCase
from tests.mutants.registry import Fault, Variant

Outcome = Literal[
    "reported",  # every clause that the fault's row names reports it
    "partly",  # some of them report it, others do not
    "elsewhere",  # none of them reports it, but another clause does
    "survived",  # no clause reports it
    "accepted",  # all cases of a conforming variant pass
    "rejected",  # a case of a conforming variant fails
    "host-skip",  # this host cannot run the clauses that the row names
    "suite-error",  # no result: a check raised an unexpected error, or a worker died
]
#: Outcomes that make the exit code 1.
BAD: tuple[Outcome, ...] = ("partly", "elsewhere", "survived", "rejected", "suite-error")
READ_HINT = "run `python -m tests.mutants` again"


class RecordLine(Struct, frozen=True, kw_only=True, tag_field="record", forbid_unknown_fields=True):
    """One line of the record."""


class RecordHeader(RecordLine, tag="header", frozen=True, kw_only=True):
    """First line: which rows were run, and on what host."""

    suite: str
    started: str
    #: The arguments of the command line that select rows; empty for the whole catalogue.
    chosen: tuple[str, ...] = ()
    #: True if the whole suite was run over each variant, instead of a sample.
    whole: bool = False
    #: The number of cases of each clause on this host.
    cases: dict[str, int] = {}
    #: By capability: why this host lacks it; empty if it has it.
    capabilities: dict[str, str] = {}


class RowResult(RecordLine, tag="result", frozen=True, kw_only=True):
    """One row's result."""

    id: str
    does: str
    outcome: Outcome
    #: The clauses that the row names; empty for a variant.
    named: tuple[str, ...] = ()
    findings: tuple[ReportingCase, ...] = ()
    silent: tuple[str, ...] = ()
    message: str = ""
    cases: int = 0
    seconds: float = 0.0


class RecordFooter(RecordLine, tag="footer", frozen=True, kw_only=True):
    """Last line; if it is missing, the run was interrupted."""

    counts: dict[str, int]
    seconds: float


class Record(Struct, frozen=True, kw_only=True):
    """A whole record."""

    header: RecordHeader
    results: tuple[RowResult, ...]
    footer: RecordFooter | None = None


def of_fault(fault: Fault, answer: Answer) -> RowResult:
    """The result of a fault."""
    outcome: Outcome
    if answer.error or _has_suite_error(answer.findings):
        outcome = "suite-error"
    elif not answer.findings:
        outcome = "survived" if answer.silent else "host-skip"
    elif len(answer.silent) + len(answer.skipped) < len(fault.clauses):
        outcome = "partly" if answer.silent else "reported"
    else:
        outcome = "elsewhere"
    return RowResult(
        id=fault.id,
        does=fault.does,
        outcome=outcome,
        named=fault.clauses,
        findings=answer.findings,
        silent=answer.silent,
        message=answer.error or "; ".join(f"{name}: {reason}" for name, reason in answer.skipped.items()),
        cases=answer.cases,
        seconds=answer.seconds,
    )


def of_variant(variant: Variant, answers: Iterable[Answer]) -> RowResult:
    """The result of a conforming variant, from the answers to its jobs."""
    parts = list(answers)
    findings = tuple(finding for answer in parts for finding in answer.findings)
    errors = "; ".join(answer.error for answer in parts if answer.error)
    return RowResult(
        id=variant.id,
        does=variant.does,
        outcome="suite-error" if errors or _has_suite_error(findings) else "rejected" if findings else "accepted",
        findings=findings,
        message=errors,
        cases=sum(answer.cases for answer in parts),
        seconds=sum(answer.seconds for answer in parts),
    )


def _has_suite_error(findings: Iterable[ReportingCase]) -> bool:
    return any(finding.outcome == SUITE_ERROR for finding in findings)


def reported(results: Iterable[RowResult]) -> dict[str, int]:
    """How many faults each clause reported, of those whose rows name it by its id or by a pattern."""
    counts: Counter[str] = Counter()
    for result in results:
        if result.outcome in ("reported", "partly"):
            counts.update({finding.clause for finding in result.findings})
    return dict(counts)


def by_method(results: Iterable[RowResult]) -> dict[str, tuple[int, int]]:
    """Faults that were reported as declared, and all, by the method of the first clause that a row names."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for result in results:
        if result.named and result.outcome != "host-skip":
            count = counts[result.named[0].partition(".")[0].replace("[sg]etopt", "setopt")]
            count[0] += result.outcome == "reported"
            count[1] += 1
    return {method: (count[0], count[1]) for method, count in sorted(counts.items())}


def by_clause(results: Iterable[RowResult]) -> dict[str, tuple[int, int]]:
    """Faults that each clause reported, and all that are declared for it. A name with `*` counts for no clause."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for result in results:
        reported = {finding.clause for finding in result.findings}
        for name in result.named:
            if name in reported or name in result.silent:  # otherwise this host cannot run the clause
                counts[name][0] += name in reported
                counts[name][1] += "*" not in name
    return {clause: (count[0], count[1]) for clause, count in sorted(counts.items()) if count[1]}


def exit_code(results: Iterable[RowResult]) -> int:
    """0: every fault was reported and every variant accepted; 1: not so; 3: all results are host-skips."""
    outcomes = {result.outcome for result in results}
    if not outcomes or outcomes <= {"host-skip"}:
        return 3
    return 1 if outcomes & set(BAD) else 0


def still_valid(record: Record, rows: Iterable[Fault | Variant], suite: str, *, whole: bool) -> dict[str, RowResult]:
    """Good results of an earlier run of the same suite, by row id, for rows that have not changed since.

    With `whole`, results of variants are used only if the earlier run was whole, too.
    """
    if record.header.suite != suite:
        return {}
    found = {result.id: result for result in record.results if result.outcome in ("reported", "accepted")}
    return {
        row.id: found[row.id]
        for row in rows
        if row.id in found
        and found[row.id].does == row.does
        and (row.clauses == found[row.id].named if isinstance(row, Fault) else record.header.whole or not whole)
    }


def write(path: Path, lines: Iterable[RecordLine]) -> None:
    """Write a record, flushing each line."""
    with path.open("wb") as file:
        for line in lines:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()


def read(path: Path) -> Record:
    """Read a record. ValueError names the file and the line that is wrong."""
    header: RecordHeader | None = None
    results: list[RowResult] = []
    footer: RecordFooter | None = None
    for number, line in _lines(path):
        try:
            found = msgspec.json.decode(line, type=RecordHeader | RowResult | RecordFooter)
        except msgspec.DecodeError as error:
            raise ValueError(f"{path}, line {number}: {error}; {READ_HINT}") from None
        if isinstance(found, RecordHeader):
            header = found
        elif isinstance(found, RowResult):
            results.append(found)
        else:
            footer = found
    if header is None:
        raise ValueError(f"{path} has no header; {READ_HINT}")
    return Record(header=header, results=tuple(results), footer=footer)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line
