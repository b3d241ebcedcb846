"""The labels of outcomes and of the groups that reports count them in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from .records import FINDINGS, Outcome, Row

#: The groups that reports show, the most urgent first. `informational` is a finding of a level that is not judged.
Group = Literal["error", "failed", "informational", "known", "unrun", "skipped", "passed"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a group is shown. Colour alone must not carry the meaning, so each group has a label and a symbol."""

    label: str
    symbol: str
    #: The name of a colour in rich.
    colour: str


GROUPS: dict[Group, Look] = {
    "error": Look("suite error", "‼", "red"),
    "failed": Look("failed", "✗", "red"),
    "informational": Look("informational", "△", "yellow"),
    "known": Look("known deviation", "≈", "magenta"),
    "unrun": Look("not run", "○", "yellow"),
    "skipped": Look("skipped", "»", "bright_black"),
    "passed": Look("passed", "✓", "green"),
}

#: Outcomes in the order of reports: the label, and the group if the clause's level is judged.
OUTCOMES: dict[Outcome, tuple[str, Group]] = {
    "suite-error": ("suite error", "error"),
    "failed": ("failed", "failed"),
    "crashed": ("crashed", "failed"),
    "timed-out": ("timed out", "failed"),
    "unexpected-pass": ("passed unexpectedly", "failed"),
    "expected-failure": ("failed as the baseline says", "known"),
    "not-run": ("not run", "unrun"),
    "host-skip": ("skipped by the host", "skipped"),
    "port-skip": ("skipped by the implementation", "skipped"),
    "passed": ("passed", "passed"),
}
#: What reports say beside the traceback of a suite-error. Each row has all that such a report needs.
PLEASE_REPORT = "an error of the suite itself, please report it as an issue of nixio-conformance"
#: Labels of `Step.actor`.
ACTORS = {"port": "implementation", "peer": "peer", "observer": "observer"}


def label(outcome: Outcome) -> str:
    """The outcome as people read it: `timed out` for `timed-out`."""
    return OUTCOMES[outcome][0]


def group(row: Row, judged: Collection[str]) -> Group:
    """The group of a row if the levels in `judged` are judged."""
    if row.outcome in FINDINGS and row.level not in judged:
        return "informational"
    return OUTCOMES[row.outcome][1]
