"""Writes the result stream while a run goes on: a row per case when it is over, the rest and the footer at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from nixio_reports import Progress, Writer
from nixio_reports.records import FINDINGS, Footer, Header, Row

#: Name of the stream in the report's folder.
STREAM = "results.jsonl"
#: Reasons for a run to end before its last case, as the footer tells them.
INTERRUPTED = "interrupted"
FAIL_FAST = "fail-fast"
BROKEN = "an error of the suite itself"


class Recorder:
    """The one place where a run's rows come together, in the process that steers it."""

    def __init__(self, folder: Path, header: Header, progress: Progress | None) -> None:
        """Begin a new stream in `folder`, whatever was there before, with its header."""
        self._writer = Writer(folder / STREAM)
        self._writer.write(header)
        self._judged = header.judged
        self._progress = progress
        self._planned: dict[str, Row] = {}
        self._counts: Counter[str] = Counter()
        #: Rows that make the implementation not conforming, so far.
        self.findings = 0
        self._start = time.monotonic()

    def plan(self, rows: Iterable[tuple[str, Row]]) -> None:
        """What is going to be run, by pytest's node id."""
        self._planned = dict(rows)
        if self._progress:
            self._progress.plan(len(self._planned))

    def running(self, node: str) -> None:
        """A case begins."""
        if self._progress and node in self._planned:
            self._progress.running(self._planned[node].case)

    def done(self, node: str, row: Row) -> None:
        """A case has its verdict."""
        if self._planned.pop(node, None) is None:
            return  # a case has one row
        self._count(row)
        if self._progress:
            self._progress.done(row)

    def lost(self, node: str, row_of: Callable[[Row], Row]) -> None:
        """A case whose process died before it could say anything."""
        if node in self._planned:
            self.done(node, row_of(self._planned[node]))

    def finish(self, stopped: str) -> int:
        """Write what was not run, and the footer. Returns the run's exit code."""
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
        """Take the stream away again: the user asked for something that is not there, and no case was run."""
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
        self.findings += row.outcome in FINDINGS and row.level in self._judged
