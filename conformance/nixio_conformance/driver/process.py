"""An agent's process: starts it, exchanges lines with it within deadlines, kills it with all its children."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from nixio_conformance.driver import exit_status, limits, procfs, survivors
from nixio_conformance.driver.deadline import Deadline, wait_for
from nixio_conformance.driver.errors import AgentCrashed, AgentHung, AgentProtocolError, CannotStart
from nixio_conformance.driver.orphan_guard import guard
from nixio_conformance.driver.pipes import PipeReader, open_reader, open_writer
from nixio_conformance.driver.scratch import Scratch, absolute_words
from nixio_conformance.driver.stderr_file import StderrFile
from nixio_conformance.driver.text import show
from nixio_conformance.driver.timeouts import ENDING, KILLING

#: Most bytes of one reply. The largest valid one is a buffer of `buffersize`; a flood must not fill the memory.
LONGEST_LINE = 16 * 1024 * 1024
#: Most bytes on standard error in a case, after which the agent is stopped: it must not fill the disk.
LONGEST_STDERR = 64 * 1024 * 1024
#: Seconds of the first wait, before deadlines are looked at: nearly every reply arrives within them.
_FIRST_WAIT = 0.02
#: Seconds between two checks that the process still runs.
_CHECK_INTERVAL = 0.1
#: Seconds for reading the rest of a long reply that was being written when the deadline passed.
_GRACE = 1.0


class AgentProcess:
    """One running agent program; implements `Channel`."""

    def __init__(self, argv: Sequence[str], make_reader: Callable[[int], PipeReader] = open_reader) -> None:
        """Start `argv`; raises `CannotStart` if the system cannot."""
        self.argv = tuple(argv)
        self._stderr = StderrFile()
        self._buffer = bytearray()
        self._searched = 0
        self._killed = False
        self._limits = limits.imposed()
        self._memory = 0
        guard().adopt_orphans()
        try:
            self._scratch = Scratch()
        except OSError as error:
            self._stderr.close()
            raise CannotStart(f"no folder can be made for the agent: {error}") from error
        try:
            self._process = subprocess.Popen(
                absolute_words(self.argv),
                cwd=self._scratch.current_folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr.writer,
                bufsize=0,
                start_new_session=True,
                env={**os.environ, **self._scratch.environment},
            )
        except (OSError, ValueError) as error:
            self._stderr.close()
            self._scratch.remove()
            raise CannotStart(f"the agent {' '.join(self.argv)!r} cannot be started: {error}") from error
        self._limits.set_on(self.pid)
        guard().watch(self.pid)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._writer = open_writer(self._process.stdin.fileno())
        self._reader = make_reader(self._process.stdout.fileno())

    @property
    def pid(self) -> int:
        """Process id of the agent."""
        return self._process.pid

    def send(self, line: bytes, deadline: Deadline) -> None:
        """Write one line; raises `AgentHung` if the agent does not read it in time."""
        self.write(line + b"\n", deadline)

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Write bytes without adding a newline; raises `AgentHung` if the agent does not read them in time."""
        try:
            in_time = self._writer.write(data, deadline.remaining)
        except (BrokenPipeError, ConnectionResetError):
            raise self._gone() from None
        if not in_time:
            raise self._hung("read its request", deadline)

    def receive(self, deadline: Deadline) -> bytes:
        """The next line without its newline; raises `AgentError` if the agent dies, floods or is too late."""
        seconds, expired = _FIRST_WAIT, 0.0
        while (line := self._line()) is None:
            guard().reap()
            if len(self._buffer) > LONGEST_LINE:
                raise AgentProtocolError(f"the agent wrote more than {LONGEST_LINE} bytes without an end of line")
            if self._read(seconds):
                if deadline.remaining() <= 0:
                    # What was written before the deadline is in time; an endless reply is not.
                    seconds, expired = 0.0, expired or time.monotonic()
                    if time.monotonic() - expired > _GRACE:
                        raise self._hung("end its answer", deadline)
                continue
            # Only when nothing is available: a reply that arrived while the suite itself was starved is in time.
            left = deadline.remaining()
            self._check_process()
            if left <= 0:
                raise self._hung("answer", deadline)
            seconds = min(left, _CHECK_INTERVAL)
        self._refuse_flood()  # an agent that has filled the file may still answer, with the failed write's error
        return line

    def readable(self, seconds: float) -> bool:
        """Whether a line or the end of the output is available, or arrives within `seconds`."""
        return b"\n" in self._buffer or self._process.returncode is not None or self._read_or_ended(seconds)

    def stderr(self) -> str:
        """The last part of what it wrote to standard error in this case."""
        return self._stderr.text()

    def clear(self) -> None:
        """Discard what it has written to standard error, and socket files that it has left in its folder."""
        self._stderr.clear()
        self._scratch.clear()

    def end_input(self) -> None:
        """Close the agent's standard input: no request will follow."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def kill(self) -> None:
        """Kill it and all processes that it started; may be called twice.

        Waits a limited time; what does not end is in `survivors`.
        """
        if self._killed:
            return
        self._killed = True
        refused = self._kill_all()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()  # an agent that may not be killed ends at the end of its input, unless it hangs
        if exit_status.wait_for_exit(self._process, KILLING) is None:
            survivors.note(self.pid, " ".join(self.argv), self.pid in refused)
            self._process.returncode = -9  # it is not waited for any more
        else:
            guard().unwatch(self.pid)
        for other in refused - {self.pid}:
            if not wait_for(partial(procfs.has_ended, other), KILLING):
                survivors.note(other, " ".join(self.argv), refused=True)
        self._stderr.close()
        self._scratch.remove()

    def _kill_all(self) -> set[int]:
        """Kill it and its offspring. Returns those that may not be killed."""
        if sys.platform == "win32":
            self._process.kill()
            return set()
        return guard().kill_all(self.pid)

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._buffer)  # a long line arrives in many pieces: search each byte once
            return None
        self._searched = 0
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _read(self, seconds: float) -> bool:
        """Add what arrives within `seconds` to the buffer; False if nothing does. Raises `AgentCrashed` at the end."""
        chunk = self._reader.read(seconds)
        if chunk is None:
            return False
        if not chunk:
            raise self._gone()
        self._buffer += chunk
        return True

    def _read_or_ended(self, seconds: float) -> bool:
        try:
            return self._read(seconds)
        except AgentCrashed:
            return True

    def _check_process(self) -> None:
        """After a silence: raise if the process has ended or has written too much to standard error."""
        self._memory = max(self._memory, procfs.memory(self.pid))
        if (used := exit_status.wait_for_exit(self._process, 0.0)) is not None:
            self._memory = max(self._memory, used)
            if not self._read_or_ended(0.0):
                raise self._gone()  # a child process holds the pipe open, so that end of file is never reached
        self._refuse_flood()

    def _refuse_flood(self) -> None:
        if self._stderr.size() > LONGEST_STDERR:
            raise AgentProtocolError(f"the agent wrote more than {LONGEST_STDERR} bytes to standard error")

    def _hung(self, what: str, deadline: Deadline) -> AgentHung:
        notes = [f"the agent took more than {deadline.elapsed:.1f} s to {what}", procfs.activity(self.pid)]
        if self._buffer:
            notes.append(f"it wrote {show(self._buffer)} and no end of line (a reply ends with a newline)")
        return AgentHung(
            "; ".join(note for note in notes if note) + exit_status.memory_note(self._memory, self._limits)
        )

    def _gone(self) -> AgentCrashed:
        used = exit_status.wait_for_exit(self._process, ENDING)
        if used is None:
            return AgentCrashed("the agent closed its output (or input) without ending")
        self._memory = max(self._memory, used)
        assert self._process.returncode is not None
        unfinished = f"; it wrote {show(self._buffer)} and no end of line" if self._buffer else ""
        return AgentCrashed(exit_status.describe(self._process.returncode, self._memory, self._limits) + unfinished)
