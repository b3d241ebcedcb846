"""What each outcome is called, how it looks, and which of the few groups it counts in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from .records import FINDINGS, Outcome, Row

#: The groups that people read, the most urgent first. `told` is a finding of a level that the run does not judge.
Group = Literal["failed", "told", "known", "unrun", "skipped", "passed"]


@dataclass(frozen=True, slots=True)
class Look:
    """How one outcome or group is shown: never by its colour alone, so each has a word and a symbol."""

    word: str
    symbol: str
    #: A colour by rich's names.
    colour: str


GROUPS: dict[Group, Look] = {
    "failed": Look("failed", "✗", "red"),
    "told": Look("told, not judged", "△", "yellow"),
    "known": Look("known deviation", "≈", "magenta"),
    "unrun": Look("not run", "○", "yellow"),
    "skipped": Look("skipped", "»", "bright_black"),
    "passed": Look("passed", "✓", "green"),
}

#: Outcomes in the order of reports: in words, and their group where no level changes it.
OUTCOMES: dict[Outcome, tuple[str, Group]] = {
    "failed": ("failed", "failed"),
    "crashed": ("crashed", "failed"),
    "timed-out": ("timed out", "failed"),
    "unexpected-pass": ("passed unexpectedly", "failed"),
    "expected-failure": ("failed as the baseline says", "known"),
    "not-run": ("not run", "unrun"),
    "host-skip": ("skipped by the host", "skipped"),
    "port-skip": ("skipped by the port", "skipped"),
    "passed": ("passed", "passed"),
}


def word(outcome: Outcome) -> str:
    """The outcome in words: `timed out` for `timed-out`."""
    return OUTCOMES[outcome][0]


def group(row: Row, judged: Collection[str]) -> Group:
    """The group that `row` counts in, when the levels in `judged` are judged."""
    if row.outcome in FINDINGS and row.level not in judged:
        return "told"
    return OUTCOMES[row.outcome][1]
