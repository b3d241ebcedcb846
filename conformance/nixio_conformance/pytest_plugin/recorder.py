"""Writes the result stream during a run: a row when a case ends, then rows of cases that did not run, and a footer."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from nixio_conformance.driver.stopping import stopping
from nixio_reports import Progress, Writer
from nixio_reports.lock import locked
from nixio_reports.records import FINDINGS, Footer, Header, Row

#: Name of the stream in the report's folder.
STREAM = "results.jsonl"
#: Why a run ended before its last case: the footer's `stopped`.
INTERRUPTED = "interrupted"
FAIL_FAST = "fail-fast"
TIMEOUTS = "too many cases timed out, --max-timeouts"
BROKEN = "an error of the suite itself"
UNWRITABLE = "the result stream cannot be written"
_ADVICE = "its rows can be read; make room, or name another folder with --report, and run again"


class Recorder:
    """Collects the rows of all processes; the controller has one."""

    def __init__(self, folder: Path | None, header: Header, progress: Progress | None) -> None:
        """Record into a stream in `folder`, which is begun with the first case: until then, an older one is kept.

        None: only count. Raises `StreamInUse` if another run is writing into the folder.
        """
        self._path = folder / STREAM if folder is not None else None
        self._lock = contextlib.ExitStack()
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.enter_context(locked(self._path))
        self._header = header
        self._writer: Writer | None = None
        self._judged = header.judged
        self._progress = progress
        self._planned: dict[str, Row] = {}
        self._counts: Counter[str] = Counter()
        #: Rows that make the implementation not conforming, so far.
        self.findings = 0
        #: Cases that an error of the suite stopped, so far.
        self.suite_errors = 0
        #: Cases that timed out, so far, without those that a baseline knows.
        self.timeouts = 0
        #: Why nothing more is recorded, for the user; empty as long as the stream can be written.
        self.failure = ""
        self._finished = False
        self._start = time.monotonic()

    @property
    def begun(self) -> bool:
        """Whether there is a stream of this run."""
        return self._writer is not None

    @property
    def kept(self) -> bool:
        """Whether that stream is still at its path."""
        return self._writer is not None and self._writer.in_place

    def plan(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Set the rows of the cases that are going to run, by pytest's node id."""
        self._planned = dict(rows)
        if self._progress:
            self._progress.plan(len(self._planned))

    def running(self, node: str) -> None:
        """Begin the stream if this is the first case, and show that a case has begun."""
        self._begin()
        if self._progress and node in self._planned:
            self._progress.running(self._planned[node].case)

    def done(self, node: str, row: Row) -> None:
        """Write the row of a case that ended; a second row of the same case is dropped."""
        if node not in self._planned:
            return
        self._take(node, row)
        if self._progress:
            self._progress.done(row)

    def lost(self, node: str, row_of: Callable[[Row], Row]) -> None:
        """Write the row of a case whose process died: `row_of` makes it from the planned row."""
        if node in self._planned:
            self.done(node, row_of(self._planned[node]))

    def finish(self, stopped: str, unable: bool = False) -> None:
        """Write the rows of cases that did not run, and the footer; once.

        `stopped` is why the run ended before its last case, `unable` whether that was no one's choice.
        """
        if self._finished:
            return
        self._stop_progress()
        unrun = len(self._planned)
        for node, row in list(self._planned.items()):
            self._take(node, row)
        code = self._exit_code(unrun, stopped, unable)
        footer = Footer(
            planned=self._counts.total(),
            counts=dict(self._counts),
            seconds=time.monotonic() - self._start,
            exit_code=code,
            stopped=stopped,
        )
        with stopping.held():
            self._write(footer)
            if self._writer is not None:
                self._writer.close()
            self._lock.close()
            self._finished = True

    def discard(self) -> None:
        """Record nothing: the run ended because of wrong usage before any case."""
        self._stop_progress()
        self._lock.close()
        self._finished = True

    def _begin(self) -> None:
        """Replace the stream of an older run by the beginning of this one, the first time."""
        if self._writer is None and self._path is not None and not self.failure:
            with stopping.held(), self._failing():
                writer = Writer(self._path)
                writer.write(self._header)
                self._writer = writer

    def _write(self, record: Row | Footer) -> None:
        """Add a record; once that has failed, none is added, because the stream would have a gap."""
        self._begin()
        if self._writer is not None and not self.failure:
            with self._failing():
                self._writer.write(record)

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """Keep why the stream cannot be written."""
        try:
            yield
        except FileNotFoundError:
            self.failure = f"{self._path} was removed or replaced during the run: run again"
        except OSError as error:
            self.failure = f"{self._path} cannot be written: {error.strerror or error}; {_ADVICE}"

    def _stop_progress(self) -> None:
        if self._progress:
            # A signal may have interrupted a write to the same file: it refuses another one, and the stream matters.
            with contextlib.suppress(RuntimeError, OSError, ValueError):
                self._progress.stop()

    def _exit_code(self, unrun: int, stopped: str, unable: bool) -> int:
        if stopped == INTERRUPTED:
            return 130
        if stopped == BROKEN or unable or self.suite_errors:
            return 3
        if not self._counts:
            return 2
        return 1 if self.findings or unrun else 0

    def _take(self, node: str, row: Row) -> None:
        """Write the row of a planned case, which is planned no more; a signal finds both done or neither."""
        with stopping.held():
            self._write(row)
            del self._planned[node]
            self._counts[row.outcome] += 1
            self.suite_errors += row.outcome == "suite-error"
            self.timeouts += row.outcome == "timed-out"
            self.findings += row.outcome in FINDINGS and row.level in self._judged
