"""The run as it goes: a bar with counts and the running case, or a few plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from typing import Self

from rich import progress
from rich.console import Console
from rich.table import Column
from rich.text import Text

from .outcomes import GROUPS, Group, group
from .records import Row
from .terminal import Encodable, failure_line
from .text import one_line

#: Seconds between two paintings of the bar.
_PAINT = 0.1
#: Cases between two plain lines when nobody knows how many are planned.
_EVERY = 250


class Progress:
    """Shows a run on `console`, of `planned` cases where that is known.

    Findings are printed on a line of their own when they happen; `judged` are the levels whose findings count as
    failures. On a terminal a bar stays below them; elsewhere a plain line comes about every tenth of the run.
    Everything happens in the calls: there is no thread, so a process that forks is safe.
    """

    def __init__(self, console: Console, planned: int | None, *, judged: Collection[str] = ("must", "should")) -> None:
        self._console = console
        self._planned = planned
        self._judged = judged
        self._counts: Counter[Group] = Counter()
        self._painted = 0.0
        self._live = console.is_terminal and not console.is_dumb_terminal
        self._bar = progress.Progress(
            progress.BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=8)),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[counts]}", markup=False, table_column=Column(no_wrap=True)),
            progress.TimeElapsedColumn(),
            progress.TextColumn(
                "{task.description}", markup=False, table_column=Column(ratio=2, no_wrap=True, overflow="ellipsis")
            ),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            expand=True,
        )
        self._task = self._bar.add_task("", total=planned, counts="")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def plan(self, planned: int) -> None:
        """Say how many cases there are, once that is known."""
        self._planned = planned
        self._bar.update(self._task, total=planned)

    def start(self) -> None:
        """Show the bar, on a terminal."""
        if self._live:
            self._bar.start()

    def running(self, case: str) -> None:
        """`case` begins."""
        if self._live:
            self._bar.update(self._task, description=one_line(case, 100))
            self._paint()

    def done(self, row: Row) -> None:
        """A case has its verdict; a finding is printed at once."""
        of = group(row, self._judged)
        self._counts[of] += 1
        if of in ("failed", "told"):
            self._print(failure_line(row, self._judged))
        if self._live:
            self._bar.update(self._task, advance=1, counts=self._said())
            self._paint()
        elif self._is_milestone(self._counts.total()):
            self._print(Text(self._milestone()))

    def stop(self) -> None:
        """Take the bar away. Harmless when it was never started, and a second time."""
        if self._live:
            self._bar.stop()

    def _said(self) -> str:
        shown: tuple[Group, ...] = ("failed", "told", "known", "unrun", "skipped", "passed")
        return " ".join(f"{GROUPS[name].symbol}{self._counts[name]}" for name in shown if self._counts[name])

    def _is_milestone(self, done: int) -> bool:
        if not self._planned:
            return done % _EVERY == 0
        return done * 10 // self._planned > (done - 1) * 10 // self._planned

    def _milestone(self) -> str:
        done = self._counts.total()
        share = f"{done * 100 // self._planned:3d} % of {self._planned}" if self._planned else str(done)
        said = ", ".join(f"{self._counts[name]} {look.word}" for name, look in GROUPS.items() if self._counts[name])
        return f"{share} cases: {said}"

    def _print(self, text: Text) -> None:
        self._console.print(Encodable(text), highlight=False, soft_wrap=not self._live)

    def _paint(self) -> None:
        now = time.monotonic()
        if now - self._painted >= _PAINT:
            self._painted = now
            self._bar.refresh()
