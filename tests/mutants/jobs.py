"""Messages between the controller and its workers: jobs and answers, one JSON line each."""

from __future__ import annotations

from msgspec import Struct

#: Outcome of a case that says nothing about the implementation: a check raised an error of its own.
SUITE_ERROR = "suite-error"


class Seek(Struct, frozen=True, kw_only=True, tag="seek"):
    """Judge a fault: run the cases of each clause that its row names, up to the clause's first finding.

    If none of these clauses reports it, run the other clauses of the same methods up to the first finding, and then
    the rest of the suite (`elsewhere`).
    """

    id: str
    #: `module:object`, as `--target` takes it.
    target: str
    #: For each name in the fault's row, the clauses of which one must report it.
    names: dict[str, tuple[str, ...]]
    #: Cases whose ids contain this text come first, because they most likely report it: an option, `tcp.cork`.
    about: str = ""
    elsewhere: bool = True


class Accept(Struct, frozen=True, kw_only=True, tag="accept"):
    """Judge a conforming variant: run every case of these clauses (of all, if none is named), or one part of them.

    A part is every `parts`-th case from number `part` on, so that each part has cases of every kind.
    """

    id: str
    target: str
    clauses: tuple[str, ...] = ()
    part: int = 0
    parts: int = 1


Job = Seek | Accept


class ReportingCase(Struct, frozen=True, kw_only=True):
    """A case that reported something."""

    clause: str
    case: str
    outcome: str
    message: str


class Answer(Struct, frozen=True, kw_only=True):
    """The result of a job."""

    id: str
    findings: tuple[ReportingCase, ...] = ()
    #: The names in the row whose cases were run and reported nothing.
    silent: tuple[str, ...] = ()
    #: The names in the row whose cases this host cannot run, each with the first reason.
    skipped: dict[str, str] = {}
    #: The number of cases that were run.
    cases: int = 0
    seconds: float = 0.0
    #: Why there is no result: the worker died or timed out.
    error: str = ""


class Ready(Struct, frozen=True, kw_only=True):
    """A worker's first line: it has collected the suite."""

    #: The number of cases of each clause on this host.
    cases: dict[str, int]
    #: By capability: why this host lacks it; empty if it has it.
    capabilities: dict[str, str]
