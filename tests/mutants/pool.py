"""Worker processes that are given jobs as long as there are any; one that dies or hangs costs its job and no other."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import msgspec

from nixio_conformance.driver.orphan_guard import guard
from tests.mutants.jobs import Answer, Job, Ready

#: Seconds that a worker may take to begin, on a machine with other things to do.
BEGIN = 120.0
#: Seconds that a job may take. A whole run of the suite takes one minute on an idle machine.
PATIENCE = 900.0
#: Bytes of a worker's standard error that are told.
_TOLD = 2000


class CannotBegin(Exception):
    """A worker did not come to collect the suite; the text says why."""


class _Worker:
    """One process and what it said so far."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # it is the process's as long as that lives
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutants.worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,  # a terminal's Ctrl-C is for the process that steers
        )
        guard().watch(self._process.pid)
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def begin(self) -> Ready:
        """Wait until it has collected the suite. Raises `CannotBegin`."""
        try:
            return msgspec.json.decode(self._line(BEGIN), type=Ready)
        except (EOFError, TimeoutError) as error:
            raise CannotBegin(f"{error}: {self._told() or 'it said nothing'}") from None

    def do(self, job: Job) -> Answer:
        """Have one job done. Raises EOFError or TimeoutError; the worker is of no use then."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(job) + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise EOFError(f"the worker is gone: {error}: {self._told()}") from None
        try:
            return msgspec.json.decode(self._line(PATIENCE), type=Answer)
        except EOFError as error:
            raise EOFError(f"{error}: {self._told()}") from None

    def end(self) -> None:
        """Let it go, in good order if it can."""
        with contextlib.suppress(OSError):
            os.kill(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        guard().unwatch(self._process.pid)
        self._reader.join(5)  # it holds the output that is closed here
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _read(self, stream: BinaryIO) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in stream:
                self._lines.put(line)
        self._lines.put(b"")

    def _line(self, seconds: float) -> bytes:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"the worker did not answer within {seconds:.0f} s") from None
        if not line:
            raise EOFError("the worker ended")
        return line

    def _told(self) -> str:
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - _TOLD))
        return self._stderr.read().decode("utf-8", "replace").strip()


class Pool:
    """So many workers; `with` ends them all."""

    def __init__(self, workers: int, arguments: Sequence[str] = ()) -> None:
        """`arguments` are pytest's, for the plugin: `--nixio-without=lab`."""
        self._count = workers
        self._arguments = arguments
        self._workers: set[_Worker] = set()
        self._lock = threading.Lock()
        self._over = False
        #: What the first worker found: how many cases each clause has here, and what the host lacks.
        self.ready = Ready(cases={}, capabilities={})

    def __enter__(self) -> Pool:
        """Start the first worker, which says what there is. Raises `CannotBegin`."""
        self._first: _Worker | None = self._start()
        try:
            self.ready = self._first.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._over = True
            workers = list(self._workers)
        for worker in workers:
            worker.end()

    def answers(self, jobs: Sequence[Job]) -> Iterator[Answer]:
        """The answers as they come, each job's once."""
        waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        done: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        for _ in range(min(self._count, len(jobs))):
            first, self._first = self._first, None
            threading.Thread(target=self._serve, args=(first, waiting, done), daemon=True).start()
        for _ in jobs:
            yield done.get()

    def _start(self) -> _Worker:
        with self._lock:
            if self._over:
                raise CannotBegin("the pool was closed")
            worker = _Worker(self._arguments)
            self._workers.add(worker)
        return worker

    def _serve(self, worker: _Worker | None, waiting: queue.SimpleQueue[Job], done: queue.SimpleQueue[Answer]) -> None:
        while not self._over:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                if worker is None:
                    worker = self._start()
                    worker.begin()
                done.put(worker.do(job))
            except (EOFError, TimeoutError, CannotBegin) as error:
                done.put(Answer(id=job.id, broke=str(error)))
                if worker is not None:
                    worker.end()
                worker = None
