"""What a proof came to: a record for each row, kept as JSON Lines, and what follows from them all. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from tests.mutants.jobs import SUITE_FAILED, Answer, Finding
from tests.mutants.registry import Fault, Variety

Outcome = Literal[
    "reported",  # each clause that its row names reports the fault
    "partly",  # not all of them
    "elsewhere",  # none of them, but another one
    "survived",  # nothing reports it
    "accepted",  # a right port was taken for right
    "rejected",  # a right port was taken for wrong
    "host-skip",  # this host cannot run the clauses that its row names
    "broke",  # the suite itself came to no verdict
]
#: What must not be.
BAD: tuple[Outcome, ...] = ("partly", "elsewhere", "survived", "rejected", "broke")


class Line(Struct, frozen=True, kw_only=True, tag_field="record", tag=str.lower, forbid_unknown_fields=True):
    """One line of the file."""


class Header(Line, frozen=True, kw_only=True):
    """First line: what was proven, and where."""

    suite: str
    started: str
    #: The words of the command line that chose the rows; none for the whole catalogue.
    chosen: tuple[str, ...] = ()
    #: Each variety was under the whole suite, not under a sample.
    whole: bool = False
    #: Cases of each clause on this host.
    cases: dict[str, int] = {}
    #: Why this host lacks a capability, by its name; empty where it has it.
    capabilities: dict[str, str] = {}


class Result(Line, frozen=True, kw_only=True):
    """What came of one row."""

    id: str
    does: str
    outcome: Outcome
    #: The clauses that its row names.
    named: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    silent: tuple[str, ...] = ()
    message: str = ""
    cases: int = 0
    seconds: float = 0.0


class Footer(Line, frozen=True, kw_only=True):
    """Last line; where it is missing, the proof was stopped."""

    counts: dict[str, int]
    seconds: float


class Proof(Struct, frozen=True, kw_only=True):
    """A whole file."""

    header: Header
    results: tuple[Result, ...]
    footer: Footer | None = None


def of_fault(fault: Fault, answer: Answer) -> Result:
    """The result of a faulty port."""
    outcome: Outcome
    failed = any(finding.outcome == SUITE_FAILED for finding in answer.findings)
    if answer.broke or failed:
        outcome = "broke"
    elif not answer.findings:
        outcome = "survived" if answer.silent else "host-skip"
    elif len(answer.silent) + len(answer.skipped) < len(fault.clauses):
        outcome = "partly" if answer.silent else "reported"
    else:
        outcome = "elsewhere"
    return Result(
        id=fault.id,
        does=fault.does,
        outcome=outcome,
        named=fault.clauses,
        findings=answer.findings,
        silent=answer.silent,
        message=answer.broke or "; ".join(f"{name}: {reason}" for name, reason in answer.skipped.items()),
        cases=answer.cases,
        seconds=answer.seconds,
    )


def of_variety(variety: Variety, answers: Iterable[Answer]) -> Result:
    """The result of an unusual right port, from its parts."""
    parts = list(answers)
    findings = tuple(finding for answer in parts for finding in answer.findings)
    broke = "; ".join(answer.broke for answer in parts if answer.broke)
    return Result(
        id=variety.id,
        does=variety.does,
        outcome="rejected" if findings else "broke" if broke else "accepted",
        findings=findings,
        message=broke,
        cases=sum(answer.cases for answer in parts),
        seconds=sum(answer.seconds for answer in parts),
    )


def caught(results: Iterable[Result]) -> dict[str, int]:
    """How many faults each clause reported, of those that were to be reported by it."""
    counts: Counter[str] = Counter()
    for result in results:
        if result.outcome in ("reported", "partly"):
            counts.update({finding.clause for finding in result.findings})
    return dict(counts)


def by_method(results: Iterable[Result]) -> dict[str, tuple[int, int]]:
    """Faults that were reported as their rows say, and all, by the method of the first clause that a row names."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for result in results:
        if result.named and result.outcome != "host-skip":
            count = counts[result.named[0].partition(".")[0].replace("[sg]etopt", "setopt")]
            count[0] += result.outcome == "reported"
            count[1] += 1
    return {method: (count[0], count[1]) for method, count in sorted(counts.items())}


def by_clause(results: Iterable[Result]) -> dict[str, tuple[int, int]]:
    """Faults that each clause reported, and all that it was to report. A name with `*` promises none of its own."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for result in results:
        reported = {finding.clause for finding in result.findings}
        for name in result.named:
            if name in reported or name in result.silent:  # else this host cannot show it
                counts[name][0] += name in reported
                counts[name][1] += "*" not in name
    return {clause: (count[0], count[1]) for clause, count in sorted(counts.items()) if count[1]}


def exit_code(results: Iterable[Result]) -> int:
    """0: all as it should be. 1: not. 3: nothing could be proven."""
    outcomes = {result.outcome for result in results}
    if not outcomes or outcomes <= {"host-skip"}:
        return 3
    return 1 if outcomes & set(BAD) else 0


def still_good(proof: Proof, rows: Iterable[Fault | Variety], suite: str, *, whole: bool) -> dict[str, Result]:
    """Results of an earlier proof by the same suite that need not be had again: of rows that came out as they should.

    A row that was changed since is not among them, and no variety that was under a sample where all is wanted.
    """
    if proof.header.suite != suite:
        return {}
    found = {result.id: result for result in proof.results if result.outcome in ("reported", "accepted")}
    return {
        row.id: found[row.id]
        for row in rows
        if row.id in found
        and found[row.id].does == row.does
        and (row.clauses == found[row.id].named if isinstance(row, Fault) else proof.header.whole or not whole)
    }


def write(path: Path, lines: Iterable[Line]) -> None:
    """Write a file's lines as they come, each at once."""
    with path.open("wb") as file:
        for line in lines:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()


def read(path: Path) -> Proof:
    """A recorded proof. Raises ValueError with the line that is none."""
    header: Header | None = None
    results: list[Result] = []
    footer: Footer | None = None
    for number, line in _lines(path):
        try:
            found = msgspec.json.decode(line, type=Header | Result | Footer)
        except msgspec.DecodeError as error:
            raise ValueError(f"{path}, line {number}: {error}; record it anew with `nixio-conformance prove`") from None
        if isinstance(found, Header):
            header = found
        elif isinstance(found, Result):
            results.append(found)
        else:
            footer = found
    if header is None:
        raise ValueError(f"{path} has no header; record it anew with `nixio-conformance prove`")
    return Proof(header=header, results=tuple(results), footer=footer)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line
