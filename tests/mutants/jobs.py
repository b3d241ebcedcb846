"""What the steering process asks of a worker, and what the worker answers: one JSON line each."""

from __future__ import annotations

from msgspec import Struct

#: The outcome of a finding that says nothing of the port: a check was not prepared for what it did.
SUITE_FAILED = "suite-failed"


class Seek(Struct, frozen=True, kw_only=True, tag="seek"):
    """Judge a faulty port: the cases of each promise up to its first finding.

    Where no promise is kept, the rest of these clauses' methods is run up to the first finding, and then the rest of
    the suite (`elsewhere`).
    """

    id: str
    #: `module:object`, as `--target` takes it.
    target: str
    #: By the name that the fault's row has: the clauses of which one must report it.
    promises: dict[str, tuple[str, ...]]
    #: What stands in the ids of the cases that are likeliest to report it: an option's, as `tcp.cork`.
    about: str = ""
    elsewhere: bool = True


class Accept(Struct, frozen=True, kw_only=True, tag="accept"):
    """Judge a right port: every case of these clauses (all there are, if none is named), or one part of them.

    The parts are every `parts`-th case, beginning with number `part`, so that each has some of everything.
    """

    id: str
    target: str
    clauses: tuple[str, ...] = ()
    part: int = 0
    parts: int = 1


Job = Seek | Accept


class Finding(Struct, frozen=True, kw_only=True):
    """A case that reported something."""

    clause: str
    case: str
    outcome: str
    message: str


class Answer(Struct, frozen=True, kw_only=True):
    """What came of a job."""

    id: str
    findings: tuple[Finding, ...] = ()
    #: Promises whose cases were run and reported nothing.
    silent: tuple[str, ...] = ()
    #: Promises of which this host could run no case, with the first reason.
    skipped: dict[str, str] = {}
    #: How many cases were run.
    cases: int = 0
    seconds: float = 0.0
    #: Why there is no answer: the worker died, or took too long.
    broke: str = ""


class Ready(Struct, frozen=True, kw_only=True):
    """A worker's first line: it has collected the suite."""

    cases: dict[str, int]
    #: Why this host lacks a capability, by its name; empty where it has it.
    capabilities: dict[str, str]
