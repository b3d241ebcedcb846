"""Progress of a run: a bar with counts and the running case, or a few plain lines without a terminal."""

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

#: Seconds between two refreshes of the bar.
_REFRESH = 0.1
#: Cases between two plain lines when the number of planned cases is unknown.
_EVERY = 250


class Progress:
    """Shows the progress of a run on `console`; `planned` is the number of cases, or None if it is unknown.

    Each finding and each error of the suite is printed on a line of its own when it happens; `judged` are the levels
    whose findings count as failures. On a terminal a bar stays below them; otherwise a plain line is printed about ten
    times in a run. The calls do everything themselves: there is no thread, so the process may fork.
    """

    def __init__(self, console: Console, planned: int | None, *, judged: Collection[str] = ("must", "should")) -> None:
        self._console = console
        self._planned = planned
        self._judged = judged
        self._counts: Counter[Group] = Counter()
        self._refreshed = 0.0
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
        """Set the number of cases, once it is known."""
        self._planned = planned
        self._bar.update(self._task, total=planned)

    def start(self) -> None:
        """Show the bar, on a terminal."""
        if self._live:
            self._bar.start()

    def running(self, case: str) -> None:
        """Show that `case` has begun."""
        if self._live:
            self._bar.update(self._task, description=one_line(case, 100))
            self._refresh()

    def done(self, row: Row) -> None:
        """Count a case that has ended, and print it if it is a finding or an error of the suite."""
        found = group(row, self._judged)
        self._counts[found] += 1
        if found in ("error", "failed", "informational"):
            self._print(failure_line(row, found))
        if self._live:
            self._bar.update(self._task, advance=1, counts=self._short_counts())
            self._refresh()
        elif self._is_milestone(self._counts.total()):
            self._print(Text(self._milestone()))

    def stop(self) -> None:
        """Remove the bar. Calling it again, or without `start`, does nothing."""
        if self._live:
            self._bar.stop()

    def _short_counts(self) -> str:
        return " ".join(f"{look.symbol}{self._counts[name]}" for name, look in GROUPS.items() if self._counts[name])

    def _is_milestone(self, done: int) -> bool:
        if not self._planned:
            return done % _EVERY == 0
        return done * 10 // self._planned > (done - 1) * 10 // self._planned

    def _milestone(self) -> str:
        done = self._counts.total()
        share = f"{done * 100 // self._planned:3d} % of {self._planned}" if self._planned else str(done)
        counts = ", ".join(f"{self._counts[name]} {look.label}" for name, look in GROUPS.items() if self._counts[name])
        return f"{share} cases: {counts}"

    def _print(self, text: Text) -> None:
        self._console.print(Encodable(text), highlight=False, soft_wrap=not self._live)

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._refreshed >= _REFRESH:
            self._refreshed = now
            self._bar.refresh()
