"""Writes the result stream during a run: a row when a case ends, then rows of cases that did not run, and a footer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from nixio_reports import Progress, Writer
from nixio_reports.records import FINDINGS, Footer, Header, Row

#: Name of the stream in the report's folder.
STREAM = "results.jsonl"
#: Why a run ended before its last case: the footer's `stopped`.
INTERRUPTED = "interrupted"
FAIL_FAST = "fail-fast"
TIMEOUTS = "too many cases timed out, --max-timeouts"
BROKEN = "an error of the suite itself"


class Recorder:
    """Collects the rows of all processes; the controller has one."""

    def __init__(self, folder: Path, header: Header, progress: Progress | None) -> None:
        """Begin a stream in `folder` with its header; an existing stream is overwritten."""
        self._writer = Writer(folder / STREAM)
        self._writer.write(header)
        self._judged = header.judged
        self._progress = progress
        self._planned: dict[str, Row] = {}
        self._counts: Counter[str] = Counter()
        #: Rows that make the implementation not conforming, so far.
        self.findings = 0
        #: Cases that timed out, so far, without those that a baseline knows.
        self.timeouts = 0
        self._start = time.monotonic()

    def plan(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Set the rows of the cases that are going to run, by pytest's node id."""
        self._planned = dict(rows)
        if self._progress:
            self._progress.plan(len(self._planned))

    def running(self, node: str) -> None:
        """Show that a case has begun."""
        if self._progress and node in self._planned:
            self._progress.running(self._planned[node].case)

    def done(self, node: str, row: Row) -> None:
        """Write the row of a case that ended; a second row of the same case is dropped."""
        if self._planned.pop(node, None) is None:
            return
        self._count(row)
        if self._progress:
            self._progress.done(row)

    def lost(self, node: str, row_of: Callable[[Row], Row]) -> None:
        """Write the row of a case whose process died: `row_of` makes it from the planned row."""
        if node in self._planned:
            self.done(node, row_of(self._planned[node]))

    def finish(self, stopped: str) -> int:
        """Write the rows of cases that did not run, and the footer. Returns the run's exit code."""
        if self._progress:
            self._progress.stop()
        unrun = len(self._planned)
        for row in self._planned.values():
            self._count(row)
        code = self._exit_code(unrun, stopped)
        footer = Footer(
            planned=self._counts.total(),
            counts=dict(self._counts),
            seconds=time.monotonic() - self._start,
            exit_code=code,
            stopped=stopped,
        )
        self._writer.write(footer)
        self._writer.close()
        return code

    def discard(self) -> None:
        """Delete the stream: the run ended because of wrong usage before any case."""
        if self._progress:
            self._progress.stop()
        self._writer.close()
        self._writer.path.unlink()

    def _exit_code(self, unrun: int, stopped: str) -> int:
        if stopped == INTERRUPTED:
            return 130
        if stopped == BROKEN:
            return 3
        if not self._counts:
            return 2
        return 1 if self.findings or unrun else 0

    def _count(self, row: Row) -> None:
        self._writer.write(row)
        self._counts[row.outcome] += 1
        self.timeouts += row.outcome == "timed-out"
        self.findings += row.outcome in FINDINGS and row.level in self._judged
