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


class Recorder:
    """The one place where a run's rows come together, in the process that steers it."""

    def __init__(self, folder: Path, header: Header, progress: Progress | None) -> None:
        """Begin a new stream in `folder`, whatever was there before, with its header."""
        self.path = folder / STREAM
        folder.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._writer = Writer(self.path)
        self._writer.write(header)
        self._judged = header.judged
        self._progress = progress
        self._planned: dict[str, Row] = {}
        self._counts: Counter[str] = Counter()
        self._findings = 0
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
        ran = self._counts.total()
        for row in self._planned.values():
            self._count(row)
        code = self._exit_code(ran, stopped)
        seconds = time.monotonic() - self._start
        footer = Footer(
            planned=self._counts.total(), counts=dict(self._counts), seconds=seconds, exit_code=code, stopped=stopped
        )
        self._writer.write(footer)
        self._writer.close()
        return code

    def _exit_code(self, ran: int, stopped: str) -> int:
        if self._findings:
            return 1
        if stopped == "interrupted":
            return 130
        return 1 if self._planned or not ran else 0

    def _count(self, row: Row) -> None:
        self._writer.write(row)
        self._counts[row.outcome] += 1
        self._findings += row.outcome in FINDINGS and row.level in self._judged
