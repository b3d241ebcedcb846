"""Worker processes that take jobs from a queue. One that dies or hangs costs its own job only."""

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
from pathlib import Path
from typing import BinaryIO

import msgspec

from nixio_conformance.driver.orphan_guard import guard
from tests.mutants.jobs import Answer, Job, Ready

ROOT = Path(__file__).parents[2]
#: Seconds that a worker may take to start on a loaded machine.
START_TIMEOUT = 120.0
#: Seconds that a job may take. A run of the whole suite takes one minute on an idle machine.
JOB_TIMEOUT = 900.0
#: Seconds that a worker may take to exit after SIGTERM.
EXIT_TIMEOUT = 5.0
#: Bytes from the end of a worker's standard error that a message contains.
STDERR_TAIL = 2000


class CannotStart(Exception):
    """A worker could not collect the suite; the message says why."""


class _Worker:
    """One worker process and the lines that it has written."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutants.worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=ROOT,  # so that the worker and its agents can import this package
            start_new_session=True,  # Ctrl-C in a terminal is for the controller only
        )
        guard().watch(self._process.pid)
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def ready(self) -> Ready:
        """Wait until it has collected the suite. Raises `CannotStart`."""
        try:
            return msgspec.json.decode(self._line(START_TIMEOUT), type=Ready)
        except (EOFError, TimeoutError) as error:
            raise CannotStart(f"{error}: {self._stderr_tail() or 'nothing on standard error'}") from None

    def run(self, job: Job) -> Answer:
        """Run one job. After EOFError or TimeoutError the worker cannot be used again."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(job) + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise EOFError(f"the worker has exited: {error}: {self._stderr_tail()}") from None
        try:
            return msgspec.json.decode(self._line(JOB_TIMEOUT), type=Answer)
        except EOFError as error:
            raise EOFError(f"{error}: {self._stderr_tail()}") from None

    def stop(self) -> None:
        """Stop it with SIGTERM, or else with SIGKILL."""
        with contextlib.suppress(OSError):
            os.kill(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        guard().unwatch(self._process.pid)
        self._reader.join(EXIT_TIMEOUT)  # it reads from the pipe that is closed here
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
            raise EOFError("the worker exited")
        return line

    def _stderr_tail(self) -> str:
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - STDERR_TAIL))
        return self._stderr.read().decode("utf-8", "replace").strip()


class Pool:
    """A number of workers; leaving the context stops them all."""

    def __init__(self, workers: int, arguments: Sequence[str] = ()) -> None:
        """`arguments` are options of the pytest plugin, such as `--nixio-without=lab`."""
        self._count = workers
        self._arguments = arguments
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        self._closed = False
        #: The first worker's report: the number of cases of each clause, and the host's capabilities.
        self.ready = Ready(cases={}, capabilities={})

    def __enter__(self) -> Pool:
        """Start the first worker; the others start with the first jobs. Raises `CannotStart`."""
        first = self._start()
        try:
            self.ready = first.ready()
        except BaseException:
            self.__exit__()
            raise
        self._idle.append(first)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            workers = list(self._workers)
        for worker in workers:
            worker.stop()

    def answers(self, jobs: Sequence[Job]) -> Iterator[Answer]:
        """One answer for each job, in the order in which they finish."""
        waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        done: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        threads = []
        for _ in range(min(self._count, len(jobs))):
            worker = self._idle.pop() if self._idle else None
            threads.append(threading.Thread(target=self._serve, args=(worker, waiting, done), daemon=True))
            threads[-1].start()
        for _ in jobs:
            yield done.get()
        for thread in threads:
            thread.join()  # until its worker is idle again

    def _start(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise CannotStart("the pool was closed")
            worker = _Worker(self._arguments)
            self._workers.add(worker)
        return worker

    def _serve(self, worker: _Worker | None, waiting: queue.SimpleQueue[Job], done: queue.SimpleQueue[Answer]) -> None:
        while not self._closed:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                if worker is not None:
                    self._idle.append(worker)
                return
            try:
                if worker is None:
                    worker = self._start()
                    worker.ready()
                done.put(worker.run(job))
            except (EOFError, TimeoutError, CannotStart) as error:
                done.put(Answer(id=job.id, error=str(error)))
                if worker is not None:
                    worker.stop()
                worker = None
