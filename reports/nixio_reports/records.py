"""The result stream's lines: one header, a row per planned case, one footer.

A stream is JSON Lines. Each line is one of these records, told apart by its field `record`. The stream is appended to
while the run goes on, so whatever stops the run, what was recorded can be read; a missing footer says that it was
stopped.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: Raised by one when a reader of the last version could misread a stream.
VERSION = 1

Outcome = Literal[
    "passed",
    "failed",
    "crashed",  # the agent died, or broke the protocol
    "timed-out",  # a call did not return
    "host-skip",  # this host cannot show it
    "port-skip",  # the agent says that it cannot be asked (never for a missing method)
    "expected-failure",  # the baseline knows it
    "unexpected-pass",  # the baseline says it fails, and it does not
    "not-run",  # planned, and the run ended before
]
#: What a case of the baseline may come to: one of the ways to fail, and `passed` next to them where chance decides.
Known = Literal["failed", "crashed", "timed-out", "passed"]
#: What makes a run not conforming, when the clause's level is judged.
FINDINGS: tuple[Outcome, ...] = ("failed", "crashed", "timed-out", "unexpected-pass")


class Line(Struct, frozen=True, kw_only=True, tag_field="record", tag=str.lower, forbid_unknown_fields=True):
    """One line of a stream."""


class Implementation(Struct, frozen=True, kw_only=True):
    """What was judged, as it names itself."""

    name: str
    version: str = ""
    language: str = ""
    platform: str = ""
    #: How the user named it: `reference`, `--target module:object`, `--agent "..."`.
    asked: str = ""
    capabilities: tuple[str, ...] = ()
    buffersize: int = 8192


class Host(Struct, frozen=True, kw_only=True):
    """Where it was judged."""

    system: str
    release: str
    machine: str
    python: str
    user: str
    #: What the probes found: an empty text means that the host can, else the text is the reason why it cannot.
    capabilities: dict[str, str] = {}


class Deviation(Struct, frozen=True, kw_only=True):
    """One row of a baseline: cases of one clause that are known to fail, and why.

    It covers the cases of `kinds` and those in `cases`; all of the clause where it names neither.
    """

    clause: str
    kinds: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    outcomes: tuple[Known, ...] = ("failed",)
    reason: str
    #: The lines of the file, from 1, that go when it goes.
    line: int
    last: int
    #: The line of each kind and case.
    lines: dict[str, int] = {}


class Baseline(Struct, frozen=True, kw_only=True):
    """The known deviations that a run was held against."""

    #: As the user named the file.
    path: str
    #: Which port it is for, as the file says; empty where it does not.
    port: str = ""
    deviations: tuple[Deviation, ...] = ()


class Header(Line, frozen=True, kw_only=True):
    """First line: what is judged, where, by which suite, and with which choices."""

    version: int = VERSION
    suite: str
    implementation: Implementation
    host: Host
    #: The command that runs it again.
    command: str
    #: Levels whose failures make the run not conforming.
    judged: tuple[str, ...] = ("must", "should")
    selection: tuple[str, ...] = ()
    baseline: Baseline | None = None
    #: Faulty ports that each clause is known to report, where the suite was proven.
    proven: dict[str, int] = {}
    #: Time of start, ISO 8601 with zone.
    started: str


class Step(Struct, frozen=True, kw_only=True):
    """One thing that happened in a case: a call on the port, what the peer did, or what was seen from outside."""

    #: Seconds since the case began.
    at: float
    actor: Literal["port", "peer", "observer"]
    #: As a call reads: `s1.bind(None, 0)`.
    call: str
    #: What came back: `True`, `ECONNREFUSED (Connection refused)`, `...` while it is pending.
    result: str
    seconds: float = 0.0


class Row(Line, frozen=True, kw_only=True):
    """One case and its verdict."""

    #: `clause[parameters]`: stable, unique, and what `--select` takes.
    case: str
    clause: str
    method: str
    level: str
    #: `inet-stream` and so on; empty for a case of no kind.
    kind: str = ""
    parameters: dict[str, str] = {}
    source: str
    requires: str
    outcome: Outcome
    #: What the case came to by itself, where the baseline made another outcome of it.
    found: Known | Literal[""] = ""
    #: The first line of the baseline's row that covers it; 0 for none.
    deviation: int = 0
    seconds: float = 0.0
    #: One line: what is wrong, or why it was skipped.
    message: str = ""
    expected: str = ""
    actual: str = ""
    steps: tuple[Step, ...] = ()
    #: A program that shows it again without the suite, by language.
    scripts: dict[str, str] = {}
    #: The agent's standard error during the case, its end.
    stderr: str = ""
    #: The command that runs this case alone.
    rerun: str = ""
    #: Only where the suite itself is at fault: the traceback.
    traceback: str = ""


class Footer(Line, frozen=True, kw_only=True):
    """Last line: how the run ended."""

    planned: int
    counts: dict[str, int]
    seconds: float
    exit_code: int
    #: Why the run ended before its last case: `interrupted`, `fail-fast`, or empty.
    stopped: str = ""
