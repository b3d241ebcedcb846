"""Runs that a signal stops at some moment, and what must hold of each afterwards (Linux: /proc shows what is left)."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from nixio_conformance.driver.deadline import wait_for
from nixio_reports import Stream, read
from tests.command_line import TIMEOUT
from tests.processes import marked

#: In the environment of a run and of all that it starts.
_MARK = "NIXIO_CONFORMANCE_STOP_TEST"
#: Seconds in which all processes of a stopped run must have ended.
_ENDING = 10


class StoppedRun:
    """A command in a folder, with a TMPDIR of its own and in a process group of its own."""

    def __init__(self, words: Sequence[str], folder: Path, output: int | None = None) -> None:
        """Start `nixio-conformance` with these words and `--report`; `output` is a descriptor for its output."""
        self.report = folder / f"report-{secrets.token_hex(4)}"
        # Short: the paths of sockets are in it.
        self.temporary = Path(tempfile.mkdtemp(prefix="st", dir="/tmp"))
        self._mark = f"{_MARK}={secrets.token_hex(8)}"
        name, _, value = self._mark.partition("=")
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a run would ignore it too
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nixio_conformance", *words, f"--report={self.report}"],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(self.temporary), name: value},
            stdin=subprocess.DEVNULL,
            stdout=self._output if output is None else output,
            stderr=self._errors,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for pid in {self.process.pid, *self.left()}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._output.close()
        self._errors.close()
        shutil.rmtree(self.temporary, ignore_errors=True)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so; fails if the run ends before."""
        assert wait_for(lambda: condition() or self.process.poll() is not None, TIMEOUT)

    def handles_signals(self) -> bool:
        """Whether the process has begun to handle SIGTERM, which is among the first things that it does."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
                if line.startswith("SigCgt:"):
                    return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
        return False

    def send(self, number: int, group: bool = False) -> None:
        """Send a signal to the process, or to its whole group, as a terminal does."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.process.pid, number)

    def end(self) -> int:
        """Wait for the end; the exit code."""
        return self.process.wait(TIMEOUT)

    @property
    def output(self) -> str:
        """What was written to standard output."""
        self._output.seek(0)
        return self._output.read()

    @property
    def errors(self) -> str:
        """What was written to standard error."""
        self._errors.seek(0)
        return self._errors.read()

    @property
    def stream(self) -> Stream | None:
        """The stream, if one was begun."""
        path = self.report / "results.jsonl"
        return read(path) if path.exists() else None

    @property
    def lines(self) -> str:
        """The stream as text; empty as long as there is none."""
        path = self.report / "results.jsonl"
        return path.read_text() if path.exists() else ""

    def ended_well(self) -> bool:
        """Whether it ended before a signal arrived: with exit code 0, which the stream says too."""
        footer = self.stream.footer if self.end() == 0 and self.stream is not None else None
        return footer is not None and footer.exit_code == 0

    def left(self) -> set[int]:
        """The processes of the run that are still there."""
        return marked(self._mark)

    def problems(self, code: int) -> list[str]:
        """What is not as it must be after a signal at any moment, where the exit code should be `code`."""
        got, found = self.end(), []
        if got != code:
            found.append(f"exit code {got} and not {code}")
        if any(word in self.errors + self.output for word in ("Traceback", "INTERNALERROR", "Exception ignored")):
            found.append("a traceback")
        if (stream := self.stream) is not None:
            found += [str(problem) for problem in stream.problems]
            if stream.footer is None:
                found.append("no footer")
        if not wait_for(lambda: not self.left(), _ENDING):
            found.append(f"processes left: {self.left()}")
        found += [f"left: {path}" for path in (*self.temporary.iterdir(), *self.report.glob(".*"))]
        return found
