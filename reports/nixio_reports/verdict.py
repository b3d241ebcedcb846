"""Whether an implementation conforms according to a run, and the line that states it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from .outcomes import PLEASE_REPORT, Group, label
from .records import Row
from .stream import Stream
from .text import count, one_line
from .totals import totals

State = Literal["conforming", "not-conforming", "no-verdict"]
_LABELS: dict[State, str] = {
    "conforming": "conforming",
    "not-conforming": "NOT conforming",
    "no-verdict": "no verdict",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of a run on the implementation.

    `text` is one line for people. `findings` are the failures of judged levels, which make it not conforming;
    `informational` are those of other levels; `suite_errors` are the cases that an error of the suite stopped;
    `known_clauses` is the number of clauses with known deviations.
    """

    state: State
    text: str
    findings: tuple[Row, ...]
    informational: tuple[Row, ...]
    suite_errors: tuple[Row, ...]
    known_clauses: int

    @property
    def conforming(self) -> bool:
        """True only if everything that was selected was run and nothing judged failed."""
        return self.state == "conforming"


def judge(stream: Stream, groups: Mapping[str, Group], unproven: int) -> Verdict:
    """The verdict of a stream; `groups` has the group of each case, `unproven` counts clauses skipped by the host.

    A failure of a judged level decides at once. Without one, there is a verdict only if the run reached its end without
    an error of the suite, no part of the stream was lost and at least one case passed.
    """
    findings = tuple(row for row in stream.rows if groups[row.case] == "failed")
    informational = tuple(row for row in stream.rows if groups[row.case] == "informational")
    suite_errors = tuple(row for row in stream.rows if groups[row.case] == "error")
    known = len({row.clause for row in stream.rows if groups[row.case] == "known"})
    doubt = _doubt(stream, bool(findings))
    state: State = "not-conforming" if findings else "no-verdict" if doubt else "conforming"
    start = _LABELS[state]
    if state == "conforming" and known:
        start += f" except for known deviations from {count(known, 'clause')}"
    if stream.header.selection:
        start += " in the selected cases"
    text = f"{start}: {_counted(stream.rows, groups)}"
    if doubt:
        text += f"; {doubt}"
    if unproven:
        text += f"; {count(unproven, 'clause')} unproven because of the host"
    return Verdict(state, text, findings, informational, suite_errors, known)


def _counted(rows: Iterable[Row], groups: Mapping[str, Group]) -> str:
    """The number of cases for each outcome: `2431 passed, 12 skipped by the host`."""
    rows = tuple(rows)
    judged = [row for row in rows if groups[row.case] != "informational"]
    parts = [f"{number} {label(outcome)}" for outcome, number in totals(judged).items()]
    # The line of a good run begins with the number of passed cases, that of a bad one with the failed cases.
    good = not any(groups[row.case] in ("error", "failed") for row in judged)
    if good and parts and parts[-1].endswith(" passed"):
        parts = parts[-1:] + parts[:-1]
    if informational := len(rows) - len(judged):
        parts.append(f"{informational} informational")
    return ", ".join(parts) or "no case was recorded"


def _doubt(stream: Stream, failed: bool) -> str:
    """Why the rows do not suffice for a verdict; empty if they do."""
    footer = stream.footer
    if footer is None:
        return "the run was stopped before its end"
    if footer.stopped:
        return f"the run was stopped before its end ({one_line(footer.stopped)})"
    if errors := sum(row.outcome == "suite-error" for row in stream.rows):
        return f"{count(errors, 'case')} without a verdict because of {PLEASE_REPORT}"
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
