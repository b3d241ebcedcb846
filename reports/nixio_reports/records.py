"""The result stream's lines: one header, a row per planned case, one footer.

A stream is JSON Lines; the field `record` of a line says which of these records it is. Lines are appended during the
run, so that whatever ends the run, everything recorded before can be read. A missing footer means that the run was
interrupted.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: Incremented when a reader of the previous version could misread a stream.
VERSION = 1

Outcome = Literal[
    "passed",
    "failed",
    "crashed",  # the agent died, or broke the protocol
    "timed-out",  # a call did not return
    "host-skip",  # this host lacks something that the case needs
    "port-skip",  # the agent reports that it cannot make the call (never for a missing method)
    "expected-failure",  # it failed as the baseline expects
    "unexpected-pass",  # it passed, although the baseline expects it to fail
    "suite-error",  # the suite's own code raised an exception: it says nothing about the implementation
    "not-run",  # planned, but the run ended before it
]
#: Outcomes that a row of the baseline may allow; `passed` only next to another one, for results that depend on chance.
Known = Literal["failed", "crashed", "timed-out", "passed"]
#: The outcomes that make a run not conforming if the level of the clause is judged.
FINDINGS: tuple[Outcome, ...] = ("failed", "crashed", "timed-out", "unexpected-pass")


class Line(Struct, frozen=True, kw_only=True, tag_field="record", tag=str.lower, forbid_unknown_fields=True):
    """One line of a stream."""


class Implementation(Struct, frozen=True, kw_only=True):
    """The implementation that was judged, as it names itself."""

    name: str
    version: str = ""
    language: str = ""
    platform: str = ""
    #: How the user named it: `reference`, `--target module:object`, `--agent "..."`.
    asked: str = ""
    capabilities: tuple[str, ...] = ()
    buffersize: int = 8192


class Host(Struct, frozen=True, kw_only=True):
    """The host that the run took place on."""

    system: str
    release: str
    machine: str
    python: str
    user: str
    #: Each capability that was probed: empty if the host has it, otherwise the reason why it is missing.
    capabilities: dict[str, str] = {}


class Deviation(Struct, frozen=True, kw_only=True):
    """One row of a baseline: cases of one clause that are known to fail, and the reason.

    It covers the cases on `kinds` and those in `cases`, or the whole clause if it names neither.
    """

    clause: str
    kinds: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    outcomes: tuple[Known, ...] = ("failed",)
    reason: str
    #: Its first and last line in the file, counted from 1, with its comments.
    line: int
    last: int
    #: The line of each kind and case in the file, and of `reason`.
    lines: dict[str, int] = {}


class Baseline(Struct, frozen=True, kw_only=True):
    """The known deviations that a run was compared with."""

    #: The path as the user gave it.
    path: str
    #: The implementation that the file says it is for; empty if it names none.
    port: str = ""
    deviations: tuple[Deviation, ...] = ()


class Header(Line, frozen=True, kw_only=True):
    """First line: the implementation, the host, the version of the suite, and the options of the run."""

    version: int = VERSION
    suite: str
    implementation: Implementation
    host: Host
    #: The command that repeats the run.
    command: str
    #: Levels whose failures make the run not conforming.
    judged: tuple[str, ...] = ("must", "should")
    selection: tuple[str, ...] = ()
    baseline: Baseline | None = None
    #: The number of faults declared for each clause: faulty implementations that the suite is tested with, and that the
    #: clause must report. Empty if the suite was installed without that data.
    proven: dict[str, int] = {}  # words: allow
    #: When the run began, in ISO 8601 with a zone.
    started: str


class Step(Struct, frozen=True, kw_only=True):
    """One step of a case: a call on the implementation (`port`), an action of the peer, or an observation."""

    #: Seconds since the case began.
    at: float
    actor: Literal["port", "peer", "observer"]
    #: The call in the notation of the suite: `s1.bind(None, 0)`.
    call: str
    #: The result: `True`, `ECONNREFUSED (Connection refused)`, or `...` while the call is pending.
    result: str
    seconds: float = 0.0


class Row(Line, frozen=True, kw_only=True):
    """One case and its verdict."""

    #: `clause[parameters]`: stable, unique, and accepted by `--select`.
    case: str
    clause: str
    method: str
    level: str
    #: `inet-stream` and so on; empty for a case without a kind.
    kind: str = ""
    parameters: dict[str, str] = {}
    source: str
    requires: str
    outcome: Outcome
    #: The outcome before the baseline changed it; empty if no row of the baseline covers the case.
    found: Known | Literal[""] = ""
    #: The first line of the baseline's row that covers it, or 0.
    deviation: int = 0
    seconds: float = 0.0
    #: One line: what is wrong, or why it was skipped.
    message: str = ""
    expected: str = ""
    actual: str = ""
    steps: tuple[Step, ...] = ()
    #: A program for each language that repeats the case without the suite.
    scripts: dict[str, str] = {}
    #: The end of what the agent wrote to standard error during the case.
    stderr: str = ""
    #: The command that runs this case alone.
    rerun: str = ""
    #: The traceback of a suite-error.
    traceback: str = ""


class Footer(Line, frozen=True, kw_only=True):
    """Last line: how the run ended. `counts` has the number of rows for each outcome."""

    planned: int
    counts: dict[str, int]
    seconds: float
    exit_code: int
    #: Why the run ended before its last case: `interrupted`, `fail-fast`, too many timeouts, or empty.
    stopped: str = ""
